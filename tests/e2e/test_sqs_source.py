"""The SQS event source against the emulator's queues and functions, with the probe stack (`probe/`)."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from tests.e2e.probe.driving import PROBE, Probe
from tests.sandbox.deploy import deploy, undeploy
from tests.sandbox.sqs_rules import INVOKE_LIMIT, UnsupportedMappingError
from tests.sandbox.sqs_source import SqsSource, sqs_source
from tests.sandbox.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.sandbox.ministack import Account


@pytest.fixture
def probe(account: Account) -> Iterator[Callable[..., Probe]]:
    """Deploys the probe with the given parameters."""

    def deployed(**parameters: int | str) -> Probe:
        given = {name: str(value) for name, value in parameters.items()}
        return Probe(account, deploy(account, "probe", given, PROBE))

    yield deployed
    undeploy(account, "probe")


def test_a_thousand_messages_that_are_there_make_ten_batches_of_a_hundred(probe):
    stack = probe(WindowSeconds=10)
    sent = stack.send(*[{}] * 1000)
    with sqs_source(stack.account):
        stack.wait_until_empty()
    batches = stack.batches()
    assert [batch["size"] for batch in batches] == [100] * 10
    assert set().union(*(batch["ids"] for batch in batches)) == set(sent)


def test_a_batch_that_is_not_full_leaves_when_its_window_has_passed(probe):
    stack = probe(WindowSeconds=2)
    with sqs_source(stack.account):
        begun = time.time()
        stack.send({}, {}, {})
        stack.wait_until_empty()
    (batch,) = stack.batches()
    assert batch["size"] == 3
    assert batch["started"] - begun >= 2


def test_messages_that_come_during_the_window_join_the_batch(probe):
    stack = probe(WindowSeconds=4)
    with sqs_source(stack.account):
        stack.send({})
        wait_until(lambda: stack.on_the_queue() == (0, 1), 10, "the first message was not taken")
        stack.send({}, {})
        stack.wait_until_empty()
    assert stack.sizes() == [3]


def test_a_full_batch_does_not_wait_for_its_window(probe):
    stack = probe(BatchSize=20, WindowSeconds=300)
    begun = time.monotonic()
    stack.send(*[{}] * 20)
    with sqs_source(stack.account):
        stack.wait_until_empty(100)
    assert stack.sizes() == [20]
    assert time.monotonic() - begun < 100


def test_without_a_window_a_message_leaves_at_once_and_in_batches_of_at_most_ten(probe):
    stack = probe(BatchSize=10, WindowSeconds=0)
    stack.send(*[{}] * 25)
    with sqs_source(stack.account):
        stack.wait_until_empty()
    assert sum(stack.sizes()) == 25
    assert max(stack.sizes()) == 10


def test_a_batch_never_grows_beyond_six_megabytes_and_what_does_not_fit_goes_with_the_next(probe):
    stack = probe(WindowSeconds=2)
    fill = "ñ" * 200_000  # 400 kB in UTF-8
    sent = [stack.sqs.send_message(QueueUrl=stack.queue, MessageBody=json.dumps({"x": fill}, ensure_ascii=False))]
    sent += [
        stack.sqs.send_message(QueueUrl=stack.queue, MessageBody=json.dumps({"x": fill}, ensure_ascii=False))
        for _ in range(19)
    ]
    with sqs_source(stack.account):
        stack.wait_until_empty()
    batches = stack.batches()
    assert [batch["size"] for batch in batches] == [15, 5]
    assert all(batch["bytes"] <= INVOKE_LIMIT for batch in batches)
    assert set().union(*(batch["ids"] for batch in batches)) == {message["MessageId"] for message in sent}


def test_never_more_invocations_than_the_maximum_concurrency_run_at_once(probe):
    stack = probe(BatchSize=5, WindowSeconds=1, MaximumConcurrency=3)
    stack.send(*[{"sleep": 0.5}] * 60)
    with sqs_source(stack.account):
        stack.wait_until_empty()
    batches = stack.batches()
    at_once = [sum(other["started"] <= batch["started"] < other["ended"] for other in batches) for batch in batches]
    assert len(batches) == 12
    assert 1 < max(at_once) <= 3


def test_what_no_worker_can_take_stays_visible_but_for_one_batch(probe):
    stack = probe(BatchSize=5, WindowSeconds=1, MaximumConcurrency=2, TimeoutSeconds=60, VisibilitySeconds=360)
    stack.send(*[{"sleep": 6}] * 40)
    with sqs_source(stack.account):
        wait_until(lambda: len(stack.batches()) == 2 and stack.on_the_queue()[1] == 15, 20, lambda: str(stack.sizes()))
        # Two batches run, one is held; as long as they run nothing more is taken.
        looks = 0
        while True:
            found = stack.on_the_queue()
            if any(batch["ended"] for batch in stack.batches()):
                break
            assert found == (25, 15)
            looks += 1
        assert looks > 10


def test_only_the_reported_failures_come_back(probe):
    stack = probe(VisibilitySeconds=4, TimeoutSeconds=2)
    sent = stack.send({}, {"fail_times": 1}, {}, {"fail_times": 1})
    with sqs_source(stack.account):
        stack.wait_until_empty()
    first, second = stack.batches()
    assert first["ids"] == set(sent)
    assert second["ids"] == {sent[1], sent[3]}
    assert second["first"]["attributes"]["ApproximateReceiveCount"] == "2"


@pytest.mark.parametrize(
    "answer",
    [
        {"batchItemFailures": [{"itemIdentifier": "unknown"}]},
        {"batchItemFailures": [{"itemIdentifier": None}]},
    ],
    ids=["unknown", "null"],
)
def test_an_invalid_answer_makes_the_whole_batch_come_back(probe, answer):
    stack = probe(VisibilitySeconds=5, TimeoutSeconds=2)
    sent = stack.send({"answer": answer}, {}, {})
    with sqs_source(stack.account):
        wait_until(lambda: len(stack.batches()) == 2, 60, lambda: f"{stack.batches()} {stack.on_the_queue()}")
    assert [batch["ids"] for batch in stack.batches()] == [set(sent)] * 2


@pytest.mark.parametrize("answer", [None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}])
def test_an_empty_answer_deletes_the_batch(probe, answer):
    stack = probe()
    stack.send({"answer": answer}, {})
    with sqs_source(stack.account):
        stack.wait_until_empty()
    assert stack.sizes() == [2]


@pytest.mark.parametrize("end", ["die", "raise"])
def test_the_messages_of_a_function_that_dies_come_back_and_reach_the_dead_letter_queue(probe, end):
    stack = probe(VisibilitySeconds=4, TimeoutSeconds=2, MaxReceiveCount=2)
    sent = stack.send({end: True}, {})
    dlq = stack.deployed.outputs["DlqUrl"]
    with sqs_source(stack.account):
        wait_until(lambda: stack.on_the_queue(dlq)[0] == 2, 120, lambda: f"{stack.sizes()} {stack.on_the_queue()}")
    assert [batch["ids"] for batch in stack.batches()] == [set(sent)] * 2
    assert stack.on_the_queue() == (0, 0)


def test_a_function_that_runs_out_of_time_fails_its_whole_batch(probe):
    stack = probe(VisibilitySeconds=6, TimeoutSeconds=1)
    sent = stack.send({"sleep": 30}, {})
    with sqs_source(stack.account):
        wait_until(lambda: len(stack.batches()) == 2, 60, lambda: str(stack.sizes()))
    assert [batch["ids"] for batch in stack.batches()] == [set(sent)] * 2


def test_a_failed_message_comes_back_when_the_handler_said_so(probe):
    stack = probe(VisibilitySeconds=600)
    sent = stack.send({"fail_times": 1, "visibility": 1}, {"fail_times": 1})
    with sqs_source(stack.account):
        wait_until(lambda: len(stack.batches()) == 2, 60, lambda: str(stack.sizes()))
    assert [batch["ids"] for batch in stack.batches()] == [set(sent), {sent[0]}]
    assert stack.on_the_queue() == (0, 1)


def test_a_record_has_the_shape_that_aws_documents(probe):
    stack = probe(WindowSeconds=1)
    attributes = {
        "origin": {"DataType": "String", "StringValue": "erp"},
        "seal": {"DataType": "Binary", "BinaryValue": b"\x00\x01"},
    }
    sent = stack.sqs.send_message(QueueUrl=stack.queue, MessageBody="{}", MessageAttributes=attributes)
    with sqs_source(stack.account):
        stack.wait_until_empty()
    (batch,) = stack.batches()
    record = batch["first"]
    arn = f"arn:aws:sqs:us-east-1:{stack.account.account_id}:{stack.queue.rsplit('/', 1)[1]}"
    assert set(record) == {
        "messageId", "receiptHandle", "body", "attributes", "messageAttributes", "md5OfBody",
        "md5OfMessageAttributes", "eventSource", "eventSourceARN", "awsRegion",
    }  # fmt: skip
    assert record["messageId"] == sent["MessageId"]
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"] == arn
    assert record["awsRegion"] == "us-east-1"
    assert record["md5OfBody"] == sent["MD5OfMessageBody"]
    assert set(record["attributes"]) == {
        "ApproximateReceiveCount", "SentTimestamp", "SenderId", "ApproximateFirstReceiveTimestamp",
    }  # fmt: skip
    assert record["messageAttributes"] == {
        "origin": {"stringValue": "erp", "stringListValues": [], "binaryListValues": [], "dataType": "String"},
        "seal": {"binaryValue": "AAE=", "stringListValues": [], "binaryListValues": [], "dataType": "Binary"},
    }
    assert batch["account"] == stack.account.account_id


def test_every_mapping_is_served_by_its_own_settings(probe):
    stack = probe(BatchSize=50, WindowSeconds=1)
    second = stack.deployed.outputs["SecondQueueUrl"]
    stack.send(*[{}] * 50)
    stack.send(*[{}] * 10, queue=second)
    with sqs_source(stack.account) as source:
        assert sorted((found.batch_size, found.window, found.concurrency) for found in source.settings) == [
            (5, 0, 5),
            (50, 1, 2),
        ]
        stack.wait_until_empty()
        stack.wait_until_empty(queue=second)
    by_source: dict[str, list[int]] = {}
    for batch in stack.batches():
        by_source.setdefault(batch["source"].rsplit(":", 1)[1], []).append(batch["size"])
    assert by_source == {stack.queue.rsplit("/", 1)[1]: [50], second.rsplit("/", 1)[1]: [5, 5]}


def test_the_emulators_own_source_is_off_while_ours_runs_and_after(probe):
    stack = probe()
    with sqs_source(stack.account) as source:
        served = {found.uuid for found in source.settings}
    mappings = stack.account.boto("lambda").list_event_source_mappings()["EventSourceMappings"]
    assert {mapping["UUID"] for mapping in mappings if mapping["State"] == "Disabled"} == served


def test_stopping_hands_back_what_was_gathered_and_not_yet_invoked(probe):
    stack = probe(WindowSeconds=300, VisibilitySeconds=360)
    stack.send({}, {}, {})
    with sqs_source(stack.account):
        wait_until(lambda: stack.on_the_queue() == (0, 3), 20, "the messages were not taken")
    assert stack.on_the_queue() == (3, 0)
    assert stack.batches() == []


def test_stopping_lets_a_running_invocation_end_and_deletes_its_messages(probe):
    stack = probe(BatchSize=1, WindowSeconds=0)
    stack.send({"sleep": 2})
    with sqs_source(stack.account):
        wait_until(stack.batches, 20, "nothing was invoked")
    assert stack.on_the_queue() == (0, 0)


def test_stopping_does_not_wait_for_ever_for_an_invocation(probe):
    stack = probe(BatchSize=1, WindowSeconds=0, TimeoutSeconds=60, VisibilitySeconds=360)
    stack.send({"sleep": 20})
    source = SqsSource(stack.account)
    source.start()
    wait_until(stack.batches, 20, "nothing was invoked")
    begun = time.monotonic()
    assert source.stop(grace=1) is False
    assert time.monotonic() - begun < 10
    assert stack.on_the_queue() == (0, 1)


def test_a_message_goes_on_when_the_source_is_started_again(probe):
    stack = probe(WindowSeconds=1)
    with sqs_source(stack.account):
        pass
    stack.send({}, {})
    with sqs_source(stack.account):
        stack.wait_until_empty()
    assert stack.sizes() == [2]


def test_a_filter_is_refused_and_nothing_is_turned_off(probe):
    stack = probe()
    lambda_ = stack.account.boto("lambda")
    with sqs_source(stack.account) as source:
        uuids = [found.uuid for found in source.settings]
    for uuid in uuids:
        lambda_.update_event_source_mapping(UUID=uuid, Enabled=True)
    criteria = {"Filters": [{"Pattern": '{"body":{"cuenta":["uno"]}}'}]}
    lambda_.update_event_source_mapping(UUID=uuids[0], FilterCriteria=criteria)
    with pytest.raises(UnsupportedMappingError, match="FilterCriteria"):
        SqsSource(stack.account)
    assert {lambda_.get_event_source_mapping(UUID=uuid)["State"] for uuid in uuids} == {"Enabled"}


def test_receiving_goes_on_after_the_queue_could_not_be_read(probe, monkeypatch):
    stack = probe(WindowSeconds=1)
    source = SqsSource(stack.account)
    client = source._pollers[0]._sqs
    receive, refused = client.receive_message, []

    def refuse_thrice(**asked: Any) -> Any:
        if len(refused) < 3:
            refused.append(asked)
            raise ClientError({"Error": {"Code": "ServiceUnavailable", "Message": "out"}}, "ReceiveMessage")
        return receive(**asked)

    monkeypatch.setattr(client, "receive_message", refuse_thrice)
    stack.send(*[{}] * 5)
    stack.send(*[{}] * 5, queue=stack.deployed.outputs["SecondQueueUrl"])
    source.start()
    try:
        stack.wait_until_empty()
        stack.wait_until_empty(queue=stack.deployed.outputs["SecondQueueUrl"])
    finally:
        source.stop()
    assert len(refused) == 3


def of_the_queue(source: SqsSource, stack: Probe) -> Any:
    """The poller of the probe's first queue."""
    (found,) = [poller for poller in source._pollers if poller._queue_url == stack.queue]
    return found


def test_a_throttled_invocation_is_tried_again_with_the_same_messages(probe, monkeypatch):
    stack = probe(WindowSeconds=1, VisibilitySeconds=600)
    source = SqsSource(stack.account)
    client = of_the_queue(source, stack)._lambda
    invoke, refused = client.invoke, []

    def throttle_twice(**asked: Any) -> Any:
        if len(refused) < 2:
            refused.append(asked["Payload"])
            error = {"Error": {"Code": "TooManyRequestsException", "Message": "Rate Exceeded."}}
            raise ClientError(error, "Invoke")
        return invoke(**asked)

    monkeypatch.setattr(client, "invoke", throttle_twice)
    sent = stack.send({}, {})
    source.start()
    try:
        stack.wait_until_empty()
    finally:
        source.stop()
    (batch,) = stack.batches()
    assert batch["ids"] == set(sent)
    assert len(refused) == 2
    assert batch["first"]["attributes"]["ApproximateReceiveCount"] == "1"


def test_an_invocation_that_broke_off_is_not_repeated_before_its_messages_are_visible_again(probe, monkeypatch):
    stack = probe(WindowSeconds=1, VisibilitySeconds=6, TimeoutSeconds=2)
    source = SqsSource(stack.account)
    client = of_the_queue(source, stack)._lambda
    invoke, broken = client.invoke, []

    def break_once(**asked: Any) -> Any:
        answer = invoke(**asked)
        if not broken:
            broken.append(asked)
            raise ReadTimeoutError(endpoint_url="http://127.0.0.1")
        return answer

    monkeypatch.setattr(client, "invoke", break_once)
    sent = stack.send({}, {})
    source.start()
    try:
        stack.wait_until_empty()
    finally:
        source.stop()
    first, second = stack.batches()
    assert first["ids"] == second["ids"] == set(sent)
    assert second["started"] - first["started"] > 4


def test_messages_stay_hidden_for_window_and_timeout_even_if_the_queue_says_less(probe):
    stack = probe(WindowSeconds=1, TimeoutSeconds=10, VisibilitySeconds=4)
    stack.send({"sleep": 7})
    with sqs_source(stack.account):
        stack.wait_until_empty()
    assert stack.sizes() == [1]


def test_only_the_mappings_of_the_named_functions_are_served(probe):
    stack = probe(WindowSeconds=1)
    assert SqsSource(stack.account, {"another"}).settings == []
    assert len(SqsSource(stack.account, {stack.deployed.functions["take_batch"]}).settings) == 2


def test_a_deletion_that_failed_is_tried_again(probe, monkeypatch):
    stack = probe(WindowSeconds=1)
    source = SqsSource(stack.account)
    for poller in source._pollers:
        delete, refused = poller._sqs.delete_message_batch, []

        def refuse_once(delete=delete, refused=refused, **asked: Any) -> Any:
            if not refused:
                refused.append(asked)
                failed = [
                    {"Id": entry["Id"], "Code": "InternalError", "SenderFault": False} for entry in asked["Entries"]
                ]
                return {"Failed": failed}
            return delete(**asked)

        monkeypatch.setattr(poller._sqs, "delete_message_batch", refuse_once)
    stack.send(*[{}] * 25)
    source.start()
    try:
        stack.wait_until_empty()
    finally:
        source.stop()
    assert stack.sizes() == [25]
