from __future__ import annotations

import json
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sandbox.sqs_rules import (
    INVOKE_LIMIT,
    Batch,
    InvalidResponseError,
    Received,
    Settings,
    UnsupportedMappingError,
    failed_ids,
    in_tens,
    read_settings,
    receive,
)

MAPPING = {
    "UUID": "u",
    "EventSourceArn": "arn:aws:sqs:us-east-1:123456789012:cola",
    "FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:f",
    "BatchSize": 100,
    "MaximumBatchingWindowInSeconds": 20,
    "ScalingConfig": {"MaximumConcurrency": 2},
    "FunctionResponseTypes": ["ReportBatchItemFailures"],
}


def settings(**changes) -> Settings:
    return read_settings(MAPPING | changes, function_timeout=300, queue_visibility=1830)


def message(number: int, size: int = 10) -> Received:
    return Received(f"id-{number}", f"receipt-{number}", b"x" * size, 0.0)


def test_settings_are_the_mappings():
    found = settings()
    assert (found.batch_size, found.window, found.concurrency, found.partial_responses) == (100, 20, 2, True)
    assert (found.visibility, found.extended, found.region) == (1830, False, "us-east-1")


def test_a_mapping_that_says_nothing_has_awss_defaults():
    bare = {name: MAPPING[name] for name in ("UUID", "EventSourceArn", "FunctionArn")}
    found = read_settings(bare, 3, 30)
    assert (found.batch_size, found.window, found.concurrency, found.partial_responses) == (10, 0, 5, False)


def test_figures_that_come_as_text_are_figures():
    found = settings(BatchSize="50", MaximumBatchingWindowInSeconds="5", ScalingConfig={"MaximumConcurrency": "3"})
    assert (found.batch_size, found.window, found.concurrency) == (50, 5, 3)


def test_a_visibility_shorter_than_window_and_timeout_is_extended_by_thirty_seconds_beyond_them():
    found = read_settings(MAPPING, function_timeout=300, queue_visibility=319)
    assert (found.visibility, found.extended) == (350, True)
    assert not read_settings(MAPPING, function_timeout=300, queue_visibility=320).extended


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"FilterCriteria": {"Filters": [{"Pattern": "{}"}]}}, "FilterCriteria"),
        ({"EventSourceArn": "arn:aws:sqs:us-east-1:123456789012:cola.fifo"}, "FIFO"),
        ({"MaximumBatchingWindowInSeconds": 0}, "window"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(changes, word):
    with pytest.raises(UnsupportedMappingError, match=word):
        settings(**changes)


def test_a_batch_is_over_when_it_is_full():
    batch, waiting = Batch(settings(BatchSize=11)), deque(message(number) for number in range(12))
    assert batch.take(waiting, 0.0) is True
    assert batch.over(0.0)
    assert [found.message_id for found in batch.messages] == [f"id-{number}" for number in range(11)]
    assert [found.message_id for found in waiting] == ["id-11"]


def test_the_window_opens_with_the_first_message_not_with_the_batch():
    batch = Batch(settings())
    assert not batch.over(1_000.0)
    batch.take(deque([message(1)]), 1_000.0)
    batch.take(deque([message(2)]), 1_015.0)
    assert not batch.over(1_019.9)
    assert batch.over(1_020.0)


def test_without_a_window_a_batch_is_over_with_its_first_message():
    batch = Batch(settings(BatchSize=10, MaximumBatchingWindowInSeconds=0))
    assert batch.take(deque([message(1)]), 5.0) is False
    assert batch.over(5.0)


@given(st.lists(st.integers(1, 1_100_000), min_size=1, max_size=30))
def test_whatever_the_sizes_no_payload_is_too_large_and_no_message_is_lost_or_moved(sizes):
    waiting = deque(message(number, size) for number, size in enumerate(sizes))
    everything, seen = list(waiting), []
    while waiting:
        batch = Batch(settings())
        batch.take(waiting, 0.0)
        assert batch.size == len(batch.payload()) <= INVOKE_LIMIT
        assert batch.messages
        if waiting:
            assert batch.size + 1 + len(waiting[0].record) > INVOKE_LIMIT
        seen += batch.messages
    assert seen == everything


def test_a_message_larger_than_an_invocation_still_leaves_by_itself():
    waiting = deque([message(1, INVOKE_LIMIT + 1), message(2)])
    batch = Batch(settings())
    assert batch.take(waiting, 0.0) is True
    assert len(batch.messages) == 1


def test_the_payload_is_the_documented_event():
    arrived = {"MessageId": "m", "ReceiptHandle": "r", "Body": 'año "ñ"', "MD5OfBody": "5", "Attributes": {"a": "1"}}
    batch = Batch(settings())
    batch.take(deque([receive(arrived, settings(), 0.0)] * 2), 0.0)
    record = {
        "messageId": "m",
        "receiptHandle": "r",
        "body": 'año "ñ"',
        "attributes": {"a": "1"},
        "messageAttributes": {},
        "md5OfBody": "5",
        "eventSource": "aws:sqs",
        "eventSourceARN": MAPPING["EventSourceArn"],
        "awsRegion": "us-east-1",
    }
    assert json.loads(batch.payload()) == {"Records": [record, record]}


@pytest.mark.parametrize(
    "answer", [b"", b"null", b"{}", b'{"batchItemFailures": []}', b'{"batchItemFailures": null}', b'{"other": 1}']
)
def test_an_empty_answer_is_success(answer):
    assert failed_ids(answer, {"a", "b"}, settings()) == set()


def test_reported_failures_are_those():
    answer = {"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "c"}, {"itemIdentifier": "a"}]}
    assert failed_ids(json.dumps(answer).encode(), {"a", "b", "c"}, settings()) == {"a", "c"}


@pytest.mark.parametrize(
    "answer",
    [
        b"not json",
        b'"text"',
        b"[]",
        b"3",
        b'{"batchItemFailures": "a"}',
        b'{"batchItemFailures": {"itemIdentifier": "a"}}',
        b'{"batchItemFailures": ["a"]}',
        b'{"batchItemFailures": [{"itemIdentifier": ""}]}',
        b'{"batchItemFailures": [{"itemIdentifier": null}]}',
        b'{"batchItemFailures": [{"itemIdentifier": ["a"]}]}',
        b'{"batchItemFailures": [{"ItemIdentifier": "a"}]}',
        b'{"batchItemFailures": [{}]}',
        b'{"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "unknown"}]}',
    ],
)
def test_an_answer_without_the_documented_shape_fails_the_whole_batch(answer):
    with pytest.raises(InvalidResponseError):
        failed_ids(answer, {"a", "b"}, settings())


def test_without_partial_responses_any_answer_is_success():
    answer = b'{"batchItemFailures": [{"itemIdentifier": "a"}]}'
    assert failed_ids(answer, {"a"}, settings(FunctionResponseTypes=[])) == set()


def test_tens_hold_every_message_once():
    messages = [message(number) for number in range(23)]
    tens = in_tens(messages)
    assert [len(ten) for ten in tens] == [10, 10, 3]
    assert [found for ten in tens for found in ten] == messages
