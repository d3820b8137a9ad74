"""The messages of one invocation. Every one stays on the queue unless it is acknowledged by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pack_lotes.packing import DELAY_MAX_SECONDS, Registro, delay_seconds

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from mypy_boto3_sqs import SQSClient

VISIBILITY_BATCH = 10
"""ChangeMessageVisibilityBatch takes ten entries at a time."""


def registros(event: Mapping[str, Any]) -> list[Registro]:
    """The records of an SQS event."""
    return [
        Registro(
            message_id=record["messageId"],
            receipt_handle=record["receiptHandle"],
            body=record["body"],
            receive_count=int(record["attributes"]["ApproximateReceiveCount"]),
            sent_at=int(record["attributes"]["SentTimestamp"]),
        )
        for record in event["Records"]
    ]


class Inbox:
    """`base`: the first wait, in seconds, of a message that comes again; it doubles with every receive."""

    def __init__(
        self, messages: list[Registro], *, sqs: SQSClient, queue_url: str, base: int, rng: random.Random
    ) -> None:
        self._open = {registro.message_id: registro for registro in messages}
        self._delays: dict[str, int] = {}
        self._sqs = sqs
        self._queue_url = queue_url
        self._base = base
        self._rng = rng

    def ack(self, registro: Registro) -> None:
        """Its effect is certain: it need not come again."""
        self._open.pop(registro.message_id, None)

    def come_again_soon(self, registro: Registro) -> None:
        """After the first wait, however often it came: what it waits for is a moment away."""
        self._delays[registro.message_id] = self._base

    def come_again_in(self, registro: Registro, seconds: float) -> None:
        """When what holds it back may be over; the same for all that wait for it, so that they fill lotes again."""
        self._delays[registro.message_id] = max(1, min(round(seconds) + 1, DELAY_MAX_SECONDS))

    @property
    def open_ids(self) -> list[str]:
        """Of the messages that must come again."""
        return list(self._open)

    def postpone(self) -> None:
        """Give each open message its wait.

        A crash before, or an entry that SQS refuses, leaves the message to come again after the queue's own timeout.
        """
        entries = [
            {
                "Id": str(n),
                "ReceiptHandle": registro.receipt_handle,
                "VisibilityTimeout": self._delays.get(
                    registro.message_id,
                    delay_seconds(registro.receive_count, base=self._base, rng=self._rng),
                ),
            }
            for n, registro in enumerate(self._open.values())
        ]
        for start in range(0, len(entries), VISIBILITY_BATCH):
            self._sqs.change_message_visibility_batch(
                QueueUrl=self._queue_url,
                Entries=entries[start : start + VISIBILITY_BATCH],  # type: ignore[arg-type] # built as plain dicts
            )
