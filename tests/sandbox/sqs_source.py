"""The SQS event source of the sandbox, in place of the emulator's, which never hands over more than ten messages,
knows no batching window and deletes a batch whose answer is invalid.

It turns the deployed mappings off in the emulator and serves them through the public API alone, by the rules in
`sqs_rules`. One gathering thread for each mapping, one thread for each running invocation:

1. receive, ten at a time, into one batch; what does not fit starts the next one;
2. wait until fewer than MaximumConcurrency invocations run; nothing more is received meanwhile;
3. invoke, and delete what did not fail. What failed, and all of it after a function error, stays and comes back when
   its visibility timeout ends, as the queue or the handler set it.

A crash at any step loses nothing: messages are deleted only after their invocation.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.sandbox.sqs_rules import Batch, InvalidResponseError, Received, failed_ids, in_tens, read_settings, receive

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tests.sandbox.ministack import Account
    from tests.sandbox.sqs_rules import Settings

log = logging.getLogger(__name__)

LONG_POLL = 1  # second; AWS waits 20, which would be how long a stop takes
SHORT_PAUSE = 0.1
TROUBLE_PAUSE = 0.5
DELETE_ATTEMPTS = 5
STOP_GRACE = 10.0
THROTTLED = ("TooManyRequestsException", "ThrottlingException")


class SqsSource:
    """Serves every SQS mapping of `functions` (of the account, if not given) until `stop`."""

    def __init__(self, account: Account, functions: Collection[str] | None = None) -> None:
        """Read the mappings and turn them off in the emulator.

        Raises UnsupportedMappingError for a mapping that cannot be served as AWS would, before any is turned off.
        """
        lambda_, sqs = account.boto("lambda"), account.boto("sqs")
        found = [
            mapping
            for page in lambda_.get_paginator("list_event_source_mappings").paginate()
            for mapping in page["EventSourceMappings"]
            if ":sqs:" in mapping["EventSourceArn"]
            and (functions is None or mapping["FunctionArn"].split(":")[6] in functions)
        ]
        self._pollers: list[_Poller] = []
        for mapping in found:
            queue_url = sqs.get_queue_url(QueueName=mapping["EventSourceArn"].rsplit(":", 1)[1])["QueueUrl"]
            attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["VisibilityTimeout"])
            settings = read_settings(
                mapping,
                int(lambda_.get_function_configuration(FunctionName=mapping["FunctionArn"])["Timeout"]),
                int(attributes["Attributes"]["VisibilityTimeout"]),
            )
            self._pollers.append(_Poller(account, settings, queue_url))
        for mapping in found:
            lambda_.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)

    @property
    def settings(self) -> list[Settings]:
        return [poller.settings for poller in self._pollers]

    def start(self) -> None:
        for poller in self._pollers:
            poller.start()

    def healthy(self) -> bool:
        """False once a gathering thread has died, which only a defect of this module can cause."""
        return all(poller.alive() for poller in self._pollers)

    def stop(self, grace: float = STOP_GRACE) -> bool:
        """Receive no more, hand back what no invocation has got, give the running ones `grace` seconds.

        True if all of them ended. The others are left alone: if they still end well, their messages are deleted;
        if not, these come back after their visibility timeout, as after the death of a poller on AWS.
        """
        for poller in self._pollers:
            poller.ask_to_stop()
        deadline = time.monotonic() + grace
        waited = [poller.wait(deadline) for poller in self._pollers]
        return all(waited)


@contextmanager
def sqs_source(account: Account, functions: Collection[str] | None = None) -> Iterator[SqsSource]:
    """A running source, stopped at the end."""
    source = SqsSource(account, functions)
    source.start()
    try:
        yield source
    finally:
        source.stop()


class _Poller:
    def __init__(self, account: Account, settings: Settings, queue_url: str) -> None:
        self.settings = settings
        self._queue_url = queue_url
        self._sqs = account.boto("sqs", read_timeout=LONG_POLL + 30)
        # Never repeated by botocore: a second invocation is another delivery. The answer may take the whole timeout.
        self._lambda = account.boto(
            "lambda",
            read_timeout=settings.function_timeout + 60,
            retries={"total_max_attempts": 1},
            max_pool_connections=settings.concurrency,
        )
        self._waiting: deque[Received] = deque()
        self._slots = threading.Semaphore(settings.concurrency)
        self._stopping = threading.Event()
        self._running: set[threading.Thread] = set()
        name = settings.queue_arn.rsplit(":", 1)[1]
        self._gatherer = threading.Thread(target=self._run, name=f"sqs-{name}", daemon=True)

    def start(self) -> None:
        self._gatherer.start()

    def alive(self) -> bool:
        return self._gatherer.is_alive() or self._stopping.is_set()

    def ask_to_stop(self) -> None:
        self._stopping.set()

    def wait(self, deadline: float) -> bool:
        if self._gatherer.ident is None:
            return True
        self._gatherer.join(max(0.0, deadline - time.monotonic()))
        running = list(self._running)  # only now: the gatherer may have started one more
        for thread in running:
            thread.join(max(0.0, deadline - time.monotonic()))
        left = sum(thread.is_alive() for thread in [self._gatherer, *running])
        if left:
            log.warning("%s: %d threads were left behind", self.settings.queue_arn, left)
        return not left

    def _run(self) -> None:
        while not self._stopping.is_set():
            batch = Batch(self.settings)
            try:
                gathered = self._gather(batch) and self._wait_for_slot()
            except (BotoCoreError, ClientError) as error:
                log.warning("%s: cannot receive: %s", self.settings.queue_arn, error)
                self._waiting.extendleft(reversed(batch.messages))
                self._stopping.wait(TROUBLE_PAUSE)
                continue
            if gathered:
                thread = threading.Thread(target=self._serve, args=(batch,), daemon=True)
                self._running.add(thread)
                thread.start()
            else:
                self._waiting.extendleft(reversed(batch.messages))
        self._hand_back()

    def _gather(self, batch: Batch) -> bool:
        """Fill the batch until it is over; false if we are to stop."""
        while not self._stopping.is_set():
            now = time.monotonic()
            if batch.take(self._waiting, now) or batch.over(now):
                return True
            self._receive(batch)
        return False

    def _receive(self, batch: Batch) -> None:
        """One ReceiveMessage. It waits for messages, but not beyond the window of a batch that has begun."""
        left = batch.left(time.monotonic()) if batch.messages else LONG_POLL
        hidden_for = {"VisibilityTimeout": self.settings.visibility} if self.settings.extended else {}
        answer = self._sqs.receive_message(
            QueueUrl=self._queue_url,
            MaxNumberOfMessages=min(10, batch.missing),
            WaitTimeSeconds=max(0, int(min(left, LONG_POLL))),
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
            **hidden_for,
        )
        at = time.monotonic()
        messages = answer.get("Messages", [])
        self._waiting.extend(receive(message, self.settings, at) for message in messages)
        if not messages and batch.messages:
            self._stopping.wait(max(0.0, min(SHORT_PAUSE, batch.left(at))))

    def _wait_for_slot(self) -> bool:
        while not self._slots.acquire(timeout=SHORT_PAUSE):
            if self._stopping.is_set():
                return False
        return True

    def _serve(self, batch: Batch) -> None:
        try:
            try:
                done = self._invoke(batch)
            finally:
                self._slots.release()
            self._delete(done)
        finally:
            self._running.discard(threading.current_thread())

    def _invoke(self, batch: Batch) -> list[Received]:
        """Run the function on the batch; the messages that need not come back."""
        function = self.settings.function_arn
        gives_up = batch.messages[0].at + self.settings.visibility
        pause = TROUBLE_PAUSE
        while True:
            try:
                answer = self._lambda.invoke(FunctionName=function, Payload=batch.payload())
                payload = answer["Payload"].read()
                break
            except ClientError as error:
                # "Lambda continues to retry the message until the message's timestamp exceeds [the] visibility timeout"
                throttled = error.response["Error"]["Code"] in THROTTLED
                if not throttled or time.monotonic() + pause > gives_up or self._stopping.wait(pause):
                    log.warning("%s could not be invoked: %s", function, error)
                    return []
                pause = min(2 * pause, 10.0)
            except BotoCoreError as error:
                log.warning("%s: the invocation broke off: %s", function, error)
                return []
        if "FunctionError" in answer:
            log.warning("%s failed on %d messages: %s", function, len(batch.messages), payload[:500])
            return []
        try:
            failed = failed_ids(payload, {message.message_id for message in batch.messages}, self.settings)
        except InvalidResponseError as error:
            log.warning("%s answered what makes the whole batch fail: %s", function, error)
            return []
        return [message for message in batch.messages if message.message_id not in failed]

    def _delete(self, messages: list[Received]) -> None:
        for ten in in_tens(messages):
            left = {str(number): message.receipt for number, message in enumerate(ten)}
            for attempt in range(DELETE_ATTEMPTS):
                try:
                    answer = self._sqs.delete_message_batch(
                        QueueUrl=self._queue_url,
                        Entries=[{"Id": number, "ReceiptHandle": receipt} for number, receipt in left.items()],
                    )
                except (BotoCoreError, ClientError) as error:
                    log.warning("%s: cannot delete: %s", self.settings.queue_arn, error)
                else:
                    for entry in answer.get("Failed", []):
                        log.warning("%s: not deleted: %s", self.settings.queue_arn, entry)
                    # Our own fault will not mend: the message came back meanwhile, and has another receipt.
                    again = {entry["Id"] for entry in answer.get("Failed", []) if not entry["SenderFault"]}
                    left = {number: receipt for number, receipt in left.items() if number in again}
                if not left:
                    break
                time.sleep(0.1 * 2**attempt)

    def _hand_back(self) -> None:
        """Make visible at once what was received and never handed to the function."""
        for ten in in_tens(self._waiting):
            entries: list[dict[str, Any]] = [
                {"Id": str(number), "ReceiptHandle": message.receipt, "VisibilityTimeout": 0}
                for number, message in enumerate(ten)
            ]
            try:
                self._sqs.change_message_visibility_batch(QueueUrl=self._queue_url, Entries=entries)
            except (BotoCoreError, ClientError) as error:
                log.warning("%s: cannot hand back, they come after their timeout: %s", self.settings.queue_arn, error)
                return
