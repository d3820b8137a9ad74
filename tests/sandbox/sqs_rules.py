"""What AWS documents of "Using Lambda with Amazon SQS", as values: the settings, the event, the batch, the answer.

Sources: the Lambda developer guide, pages `with-sqs`, `services-sqs-parameters`, `services-sqs-errorhandling`.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Collection, Iterable, Mapping

# "up to the payload limit for synchronous invocation (6 MB)", the metadata of each record included.
INVOKE_LIMIT = 6 * 1024 * 1024
ENVELOPE = len(b'{"Records":[]}')
# Without ScalingConfig Lambda begins with five batches at a time; the sandbox never grows beyond it.
DEFAULT_CONCURRENCY = 5
# "(batch window) + (function timeout) > (queue visibility timeout)": the effective one is their sum + 30 s.
VISIBILITY_MARGIN = 30


class UnsupportedMappingError(ValueError):
    """An event source mapping that AWS would serve and this source does not: it refuses to start."""


class InvalidResponseError(ValueError):
    """An answer that makes the whole batch fail."""


@dataclass(frozen=True)
class Settings:
    """An SQS event source mapping as deployed. Times in seconds."""

    uuid: str
    queue_arn: str
    function_arn: str
    batch_size: int
    window: int
    concurrency: int
    partial_responses: bool
    function_timeout: int
    visibility: int
    extended: bool  # `visibility` is not the queue's own: it has to be asked for with each message

    @property
    def region(self) -> str:
        return self.queue_arn.split(":")[3]


def read_settings(mapping: Mapping[str, Any], function_timeout: int, queue_visibility: int) -> Settings:
    """Settings from an entry of ListEventSourceMappings. Raises UnsupportedMappingError for what we do not do."""
    arn = mapping["EventSourceArn"]
    if (mapping.get("FilterCriteria") or {}).get("Filters"):
        raise UnsupportedMappingError(f"{arn}: FilterCriteria are not supported by the sandbox's SQS source")
    if arn.endswith(".fifo"):
        raise UnsupportedMappingError(f"{arn}: FIFO queues are not supported by the sandbox's SQS source")
    # The emulator hands a parameter's value through as text.
    batch_size = int(mapping.get("BatchSize") or 10)
    window = int(mapping.get("MaximumBatchingWindowInSeconds") or 0)
    if batch_size > 10 and window < 1:
        raise UnsupportedMappingError(f"{arn}: BatchSize {batch_size} needs a batching window of at least 1 second")
    concurrency = int((mapping.get("ScalingConfig") or {}).get("MaximumConcurrency") or DEFAULT_CONCURRENCY)
    extended = bool(window) and window + function_timeout > queue_visibility
    return Settings(
        uuid=mapping["UUID"],
        queue_arn=arn,
        function_arn=mapping["FunctionArn"],
        batch_size=batch_size,
        window=window,
        concurrency=concurrency,
        partial_responses="ReportBatchItemFailures" in (mapping.get("FunctionResponseTypes") or []),
        function_timeout=function_timeout,
        visibility=window + function_timeout + VISIBILITY_MARGIN if extended else queue_visibility,
        extended=extended,
    )


@dataclass(frozen=True)
class Received:
    """A message as it will travel in the event, and when (monotonic seconds) we took it off the queue."""

    message_id: str
    receipt: str
    record: bytes
    at: float


def receive(message: Mapping[str, Any], settings: Settings, at: float) -> Received:
    """From an entry of ReceiveMessage's answer, received with all attributes."""
    record = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {
            name: _message_attribute(value) for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": settings.queue_arn,
        "awsRegion": settings.region,
    }
    if "MD5OfMessageAttributes" in message:
        record["md5OfMessageAttributes"] = message["MD5OfMessageAttributes"]
    encoded = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
    return Received(message["MessageId"], message["ReceiptHandle"], encoded, at)


def _message_attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    known: dict[str, Any] = {"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}
    if "StringValue" in value:
        known["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        known["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode()
    return known


@dataclass
class Batch:
    """Gathers what one invocation gets. Times are monotonic seconds.

    It is over when it is full, when the next message would not fit in the payload, or when the window since its first
    message came into it has passed.
    """

    settings: Settings
    messages: list[Received] = field(default_factory=list)
    opened: float = 0.0
    size: int = ENVELOPE

    def fits(self, message: Received) -> bool:
        if not self.messages:
            return True  # whatever its size: a batch of none would never end
        too_many = len(self.messages) >= self.settings.batch_size
        return not too_many and self.size + 1 + len(message.record) <= INVOKE_LIMIT

    def take(self, waiting: deque[Received], now: float) -> bool:
        """Move in what fits, in order; true if something is left outside, which closes the batch."""
        while waiting and self.fits(waiting[0]):
            message = waiting.popleft()
            self.opened = self.opened if self.messages else now
            self.size += len(message.record) + bool(self.messages)
            self.messages.append(message)
        return bool(waiting)

    @property
    def missing(self) -> int:
        return self.settings.batch_size - len(self.messages)

    def left(self, now: float) -> float:
        """Seconds of the window that are left."""
        return self.opened + self.settings.window - now

    def over(self, now: float) -> bool:
        return bool(self.messages) and (self.missing <= 0 or self.left(now) <= 0)

    def payload(self) -> bytes:
        return b'{"Records":[' + b",".join(message.record for message in self.messages) + b"]}"


def failed_ids(payload: bytes, sent: Collection[str], settings: Settings) -> set[str]:
    """Message ids that stay on the queue after an invocation that ended without error.

    Success: nothing, null, {}, an empty or null list. Raises InvalidResponseError for the answers that the guide lists
    as a complete failure: no JSON, an itemIdentifier that is empty, null, misspelt or not in the batch. It does not
    list other shapes (a text, a list, entries that are no objects): what does not have the documented shape fails too.
    """
    if not settings.partial_responses or not payload.strip():
        return set()
    try:
        answer = json.loads(payload)
    except ValueError as error:
        raise InvalidResponseError(f"not JSON: {payload[:200]!r}") from error
    if answer is None:
        return set()
    if not isinstance(answer, dict):
        raise InvalidResponseError(f"not an object: {payload[:200]!r}")
    failures = answer.get("batchItemFailures")
    if failures is None:
        return set()
    if not isinstance(failures, list):
        raise InvalidResponseError("batchItemFailures is not a list")
    failed = set()
    for entry in failures:
        identifier = entry.get("itemIdentifier") if isinstance(entry, dict) else None
        if not isinstance(identifier, str) or identifier not in sent:
            raise InvalidResponseError(f"not the id of a message of the batch: {identifier!r}")
        failed.add(identifier)
    return failed


def in_tens(messages: Iterable[Received]) -> list[list[Received]]:
    """SQS's batch calls take ten entries."""
    every = list(messages)
    return [every[start : start + 10] for start in range(0, len(every), 10)]
