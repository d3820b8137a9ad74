"""SQS and the stream as the world plays them: what may come twice, late, cut anywhere, and when it is given up."""

from __future__ import annotations

import heapq
import itertools
import zlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.explore.instrument import DLQ, QUEUE, REJECTED

if TYPE_CHECKING:
    from collections.abc import Callable

SHARDS = 2
ATTEMPTS_MAX = 50


@dataclass
class Message:
    """`handle` is the newest receipt's: an older one changes nothing."""

    id: str
    body: str
    sent: datetime
    visible: datetime
    receives: int = 0
    handle: str = ""
    place: str = "queue"  # queue, dead, gone
    died: datetime | None = None
    attributes: dict[str, Any] = field(default_factory=dict)


class Sqs:
    """Three queues. `clock` gives the instant; `on_delete` hears of every message that leaves for good."""

    def __init__(self, clock: Callable[[], datetime], *, visibility: float, max_receives: int) -> None:
        self._clock = clock
        self.visibility = timedelta(seconds=visibility)
        self.max_receives = max_receives
        self.messages: list[Message] = []
        self.rejected: list[tuple[str, dict[str, Any]]] = []
        self.ever_dead = 0
        self._alive: dict[str, Message] = {}
        self._ready: dict[str, Message] = {}
        self._later: list[tuple[datetime, int, Message]] = []
        self._serial = itertools.count()

    def put(self, body: str, attributes: dict[str, Any] | None = None) -> Message:
        number, now = len(self.messages) + 1, self._clock()
        message = Message(f"m{number}", body, now, now, attributes=attributes or {})
        self.messages.append(message)
        self._alive[message.id] = message
        self._ready[message.id] = message
        return message

    def waiting(self) -> list[Message]:
        """On the queue, whether visible or not."""
        return [m for m in self._alive.values() if m.place == "queue"]

    def visible(self) -> list[Message]:
        now = self._clock()
        while self._later and self._later[0][0] <= now:
            due, _, message = heapq.heappop(self._later)
            if self._stands(due, message):
                self._ready[message.id] = message
        return list(self._ready.values())

    def next_visible(self) -> datetime | None:
        while self._later and not self._stands(self._later[0][0], self._later[0][2]):
            heapq.heappop(self._later)
        return self._later[0][0] if self._later else None

    def _stands(self, due: datetime, message: Message) -> bool:
        return message.visible == due and message.place == "queue"

    def _hide(self, message: Message, until: datetime) -> None:
        message.visible = until
        self._ready.pop(message.id, None)
        heapq.heappush(self._later, (until, next(self._serial), message))

    def dead(self) -> list[Message]:
        return [m for m in self._alive.values() if m.place == "dead"]

    def receive(self, chosen: list[Message]) -> list[dict[str, Any]]:
        """The records of an event; a message received too often goes to the dead-letter queue instead."""
        records = []
        for message in chosen:
            message.receives += 1
            if message.receives > self.max_receives:
                message.place, message.visible = "dead", self._clock()
                message.died = message.visible
                self._ready.pop(message.id, None)
                self.ever_dead += 1
                continue
            message.handle = f"{message.id}-{message.receives}"
            self._hide(message, self._clock() + self.visibility)
            records.append(
                {
                    "messageId": message.id,
                    "receiptHandle": message.handle,
                    "body": message.body,
                    "attributes": {
                        "ApproximateReceiveCount": str(message.receives),
                        "SentTimestamp": str(int(message.sent.timestamp() * 1000)),
                    },
                    "messageAttributes": {},
                    "eventSource": "aws:sqs",
                }
            )
        return records

    def delete(self, message_id: str) -> Message | None:
        message = self._alive.pop(message_id, None)
        self._ready.pop(message_id, None)
        if message:
            message.place = "gone"
        return message

    def undelete(self, message: Message) -> None:
        """SQS: a copy that was on a server out of reach when it was deleted comes again."""
        message.place, message.visible = "queue", self._clock()
        self._alive[message.id] = self._ready[message.id] = message

    def call(self, operation: str, params: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        match operation:
            case "ChangeMessageVisibilityBatch":
                return 200, self._change_visibility(params["Entries"])
            case "SendMessage":
                return 200, self._send(params)
            case "ReceiveMessage":
                assert params["QueueUrl"] == DLQ, params
                return 200, self._receive_dead(params)
            case "DeleteMessage":
                if dead := self._dead_of(params):
                    self.delete(dead.id)
                return 200, {}
            case "ChangeMessageVisibility":
                if dead := self._dead_of(params):
                    dead.visible = self._clock() + timedelta(seconds=params["VisibilityTimeout"])
                return 200, {}
        raise AssertionError(f"the world knows no sqs:{operation}")

    def _dead_of(self, params: dict[str, Any]) -> Message | None:
        assert params["QueueUrl"] == DLQ, params
        return next((m for m in self.dead() if m.handle == params["ReceiptHandle"]), None)

    def _change_visibility(self, entries: list[dict[str, Any]]) -> dict[str, Any]:
        done, failed = [], []
        for entry in entries:
            message = self._alive.get(entry["ReceiptHandle"].partition("-")[0])
            if message and message.place == "queue" and message.handle == entry["ReceiptHandle"]:
                self._hide(message, self._clock() + timedelta(seconds=entry["VisibilityTimeout"]))
                done.append({"Id": entry["Id"]})
            else:
                failed.append({"Id": entry["Id"], "SenderFault": True, "Code": "ReceiptHandleIsInvalid"})
        return {"Successful": done, "Failed": failed}

    def _send(self, params: dict[str, Any]) -> dict[str, Any]:
        if params["QueueUrl"] == REJECTED:
            self.rejected.append((params["MessageBody"], params.get("MessageAttributes", {})))
            return {"MessageId": f"r{len(self.rejected)}"}
        assert params["QueueUrl"] == QUEUE, params
        return {"MessageId": self.put(params["MessageBody"], params.get("MessageAttributes")).id}

    def _receive_dead(self, params: dict[str, Any]) -> dict[str, Any]:
        now = self._clock()
        ready = [m for m in self.dead() if m.visible <= now][: params["MaxNumberOfMessages"]]
        for message in ready:
            message.receives += 1
            message.handle = f"{message.id}-{message.receives}"
            message.visible = now + timedelta(seconds=params["VisibilityTimeout"])
        return {
            "Messages": [
                {
                    "MessageId": m.id,
                    "ReceiptHandle": m.handle,
                    "Body": m.body,
                    "MessageAttributes": m.attributes,
                }
                for m in ready
            ]
        }


@dataclass
class Shard:
    """Records in order, handed over in batches; the next batch only after this one was taken or given up."""

    records: list[dict[str, Any]] = field(default_factory=list)
    at: int = 0
    attempts: int = 0
    ready: datetime | None = None
    busy: bool = False
    cut: int | None = None


class Stream:
    """`given_up` are records that were dropped after too many attempts: what they tell is left to reconcile."""

    def __init__(self, clock: Callable[[], datetime], *, window: float, shards: int = SHARDS) -> None:
        self._clock = clock
        self._window = timedelta(seconds=window)
        self.shards = [Shard() for _ in range(shards)]
        self.given_up = 0
        self._sequence = 0

    def inserted(self, image: dict[str, Any]) -> None:
        self._sequence += 1
        shard = self.shards[zlib.crc32(image["pk"]["S"].encode()) % len(self.shards)]
        number = f"{self._sequence:021d}"
        shard.records.append({"eventName": "INSERT", "dynamodb": {"NewImage": image, "SequenceNumber": number}})
        if shard.ready is None:
            shard.ready = self._clock() + self._window

    def empty(self) -> bool:
        return all(s.at >= len(s.records) and not s.busy for s in self.shards)

    def due(self) -> list[Shard]:
        now = self._clock()
        return [s for s in self.shards if not s.busy and s.at < len(s.records) and s.ready and s.ready <= now]

    def next_due(self) -> datetime | None:
        return min((s.ready for s in self.shards if not s.busy and s.at < len(s.records) and s.ready), default=None)

    def batch(self, shard: Shard, size: int) -> list[dict[str, Any]]:
        if shard.cut is not None:
            size = min(size, shard.cut)
        shard.busy = True
        return shard.records[shard.at : shard.at + size]

    def ended(self, shard: Shard, size: int, failed: str | None, *, died: bool) -> None:
        """`failed`: the sequence number from which it must come again. A death bisects."""
        shard.busy = False
        start = shard.at
        if died:
            shard.cut = max(1, size // 2)
        elif failed is None:
            shard.at, shard.cut = start + size, None
        else:
            numbers = [r["dynamodb"]["SequenceNumber"] for r in shard.records[start : start + size]]
            shard.at += numbers.index(failed)
        shard.attempts = 0 if shard.at > start else shard.attempts + 1
        if shard.attempts > ATTEMPTS_MAX:
            shard.at, shard.attempts = shard.at + 1, 0
            self.given_up += 1
        wait = timedelta(seconds=min(60, 2**shard.attempts)) if shard.attempts else self._window
        shard.ready = self._clock() + wait if shard.at < len(shard.records) else None

    def rewind(self, shard: Shard, back: int) -> None:
        """The stream gives again what it had given: a repeat, as after a shard moved."""
        if not shard.busy and shard.at:
            shard.at = max(0, shard.at - back)
            shard.ready = self._clock()
