"""Messages that wait on a queue on which nobody works (dead, rejected): looked at one by one, and moved back to work.

Moved is copied, then deleted: a crash between the two leaves it twice, and the second one finds a known state. Whatever
else stops a look leaves what it hid to be seen again by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_sqs import SQSClient

HIDDEN_SECONDS = 300
"""While it is looked at, so that one look sees each message once."""
VISIBILITY_BATCH = 10
"""ChangeMessageVisibilityBatch takes ten entries at a time."""
ATTRIBUTES_MAX = 10
"""A message takes no more."""
_SEEN = ("DataType", "StringValue", "BinaryValue")


@dataclass(slots=True)
class Vistazo:
    """One look at a queue. What is neither moved nor dropped stays; `give_back` puts it in sight again."""

    sqs: SQSClient
    queue_url: str
    _hidden: set[str] = field(default_factory=set)

    def messages(self, most: int, *, wait: int = 0) -> Iterator[Any]:
        """As SQS gives them, with their attributes. `wait`: seconds; at 0 an answer without any proves little."""
        left = most
        while left > 0:
            answer = self.sqs.receive_message(
                QueueUrl=self.queue_url,
                MaxNumberOfMessages=min(10, left),
                VisibilityTimeout=HIDDEN_SECONDS,
                MessageAttributeNames=["All"],
                WaitTimeSeconds=wait,
            )
            messages = answer.get("Messages", [])
            if not messages:
                return
            left -= len(messages)
            self._hidden.update(message["ReceiptHandle"] for message in messages)
            yield from messages

    def move(self, message: Any, to_url: str, attributes: Mapping[str, Any]) -> None:
        self.sqs.send_message(QueueUrl=to_url, MessageBody=message["Body"], MessageAttributes=dict(attributes))
        self.drop(message)

    def drop(self, message: Any) -> None:
        handle = message["ReceiptHandle"]
        self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=handle)
        self._hidden.discard(handle)

    def give_back(self) -> None:
        """So that the queue's alarm stays on, and the next look sees it."""
        handles = sorted(self._hidden)
        for start in range(0, len(handles), VISIBILITY_BATCH):
            some = enumerate(handles[start : start + VISIBILITY_BATCH])
            self.sqs.change_message_visibility_batch(
                QueueUrl=self.queue_url,
                Entries=[{"Id": str(n), "ReceiptHandle": handle, "VisibilityTimeout": 0} for n, handle in some],
            )


def text_of(message: Any, name: str) -> str:
    """An attribute of a message, "" where it has none."""
    value: str = message.get("MessageAttributes", {}).get(name, {}).get("StringValue", "")
    return value


def attributes_without(message: Any, ours: set[str], *, room: int = 0) -> dict[str, Any]:
    """The sender's own, as SQS takes them again; `ours` are not. `room`: how many are to be added."""
    kept = {
        name: {part: value[part] for part in _SEEN if part in value}
        for name, value in message.get("MessageAttributes", {}).items()
        if name not in ours
    }
    return dict(list(kept.items())[: ATTRIBUTES_MAX - room])
