"""The messages of one invocation: each stays on the queue, with its wait, unless it is acknowledged by name."""

from __future__ import annotations

import random

import boto3
import pytest
from moto import mock_aws

from pack_lotes.inbox import Inbox, registros
from pack_lotes.packing import DELAY_MAX_SECONDS, Registro, delay_seconds


def record(n, *, receives=1, handle=None):
    return {
        "messageId": f"m{n}",
        "receiptHandle": handle or f"r{n}",
        "body": f'{{"n": {n}}}',
        "attributes": {
            "ApproximateReceiveCount": str(receives),
            "SentTimestamp": str(1_772_452_800_000 + n),
            "SenderId": "AIDA",
            "ApproximateFirstReceiveTimestamp": "1772452800500",
        },
        "messageAttributes": {},
        "md5OfBody": "x",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:q",
        "awsRegion": "us-east-1",
    }


def postponed(inbox):
    inbox.postpone()
    return inbox.open_ids


class Sqs:
    """The client, and what was asked of it about visibility."""

    def __init__(self, client, url):
        self.client, self.url = client, url
        self.asked: list[dict] = []
        client.meta.events.register(
            "provide-client-params.sqs.ChangeMessageVisibilityBatch",
            lambda params, **_: self.asked.append(params),
        )

    def receive(self, count):
        """`count` messages sent and received, as SQS's event source would hand them over."""
        for n in range(count):
            self.client.send_message(QueueUrl=self.url, MessageBody=str(n))
        received = []
        while len(received) < count:
            answer = self.client.receive_message(
                QueueUrl=self.url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
            )
            received += answer["Messages"]
        return registros(
            {
                "Records": [
                    {
                        "messageId": m["MessageId"],
                        "receiptHandle": m["ReceiptHandle"],
                        "body": m["Body"],
                        "attributes": m["Attributes"],
                    }
                    for m in received
                ]
            }
        )

    def inbox(self, messages, *, base=30, seed=7):
        return Inbox(messages, sqs=self.client, queue_url=self.url, base=base, rng=random.Random(seed))

    @property
    def waits(self):
        """The wait that was asked for, by receipt handle."""
        return {e["ReceiptHandle"]: e["VisibilityTimeout"] for params in self.asked for e in params["Entries"]}


@pytest.fixture
def sqs():
    with mock_aws():
        client = boto3.client("sqs", region_name="us-east-1", aws_access_key_id="k", aws_secret_access_key="s")
        url = client.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "1830"})["QueueUrl"]
        yield Sqs(client, url)


def test_a_record_becomes_a_registro_with_its_numbers_as_numbers():
    assert registros({"Records": [record(1, receives=12)]}) == [
        Registro("m1", "r1", '{"n": 1}', receive_count=12, sent_at=1_772_452_800_001)
    ]


def test_no_records_are_no_messages():
    assert registros({"Records": []}) == []


def test_what_is_not_acknowledged_comes_again(sqs):
    messages = sqs.receive(5)
    inbox = sqs.inbox(messages)
    inbox.ack(messages[1])
    inbox.ack(messages[3])
    inbox.postpone()
    assert inbox.open_ids == [m.message_id for n, m in enumerate(messages) if n not in {1, 3}]
    assert set(sqs.waits) == {m.receipt_handle for n, m in enumerate(messages) if n not in {1, 3}}


def test_when_all_is_acknowledged_nothing_comes_again_and_sqs_is_not_asked(sqs):
    messages = sqs.receive(2)
    inbox = sqs.inbox(messages)
    for message in messages:
        inbox.ack(message)
        inbox.ack(message)
    inbox.postpone()
    assert (inbox.open_ids, sqs.asked) == ([], [])


def test_each_open_message_waits_the_longer_the_oftener_it_came(sqs):
    messages = [
        Registro(m.message_id, m.receipt_handle, m.body, receive_count=n, sent_at=m.sent_at)
        for n, m in zip((1, 3, 300), sqs.receive(3), strict=True)
    ]
    rng = random.Random(7)
    expected = [delay_seconds(m.receive_count, base=30, rng=rng) for m in messages]
    sqs.inbox(messages).postpone()
    assert [sqs.waits[m.receipt_handle] for m in messages] == expected
    assert expected[0] in range(24, 37)
    assert expected[1] in range(96, 145)
    assert expected[2] in range(1440, DELAY_MAX_SECONDS + 1)


def test_one_that_waits_for_a_moment_comes_after_the_first_wait_however_often_it_came(sqs):
    (message,) = sqs.receive(1)
    message = Registro(message.message_id, message.receipt_handle, message.body, receive_count=200, sent_at=0)
    inbox = sqs.inbox([message])
    inbox.come_again_soon(message)
    inbox.postpone()
    assert inbox.open_ids == [message.message_id]
    assert sqs.waits == {message.receipt_handle: 30}


@pytest.mark.parametrize(("seconds", "wait"), [(-5, 1), (0, 1), (0.2, 1), (90, 91), (10**6, DELAY_MAX_SECONDS)])
def test_those_that_wait_for_the_same_come_together_once_it_may_be_over(sqs, seconds, wait):
    messages = sqs.receive(3)
    inbox = sqs.inbox(messages)
    for message in messages:
        inbox.come_again_in(message, seconds)
    inbox.postpone()
    assert sqs.waits == {m.receipt_handle: wait for m in messages}


def test_an_acknowledged_message_does_not_come_again_soon_either(sqs):
    (message,) = sqs.receive(1)
    inbox = sqs.inbox([message])
    inbox.come_again_soon(message)
    inbox.ack(message)
    inbox.postpone()
    assert (inbox.open_ids, sqs.waits) == ([], {})


def test_a_thousand_messages_are_given_their_waits_ten_at_a_time(sqs):
    messages = [Registro(f"m{n}", f"r{n}", "{}", receive_count=1, sent_at=n) for n in range(1_000)]
    sqs.inbox(messages).postpone()
    assert [len(params["Entries"]) for params in sqs.asked] == [10] * 100
    for params in sqs.asked:
        assert len({entry["Id"] for entry in params["Entries"]}) == 10
    assert len(sqs.waits) == 1_000


def test_sqs_takes_the_wait(sqs):
    messages = sqs.receive(12)
    sqs.inbox(messages, base=1).postpone()
    arrives = sqs.client.receive_message(QueueUrl=sqs.url, MaxNumberOfMessages=10, WaitTimeSeconds=5)
    assert arrives["Messages"], "after a second they are visible again, not after the queue's half hour"


def test_an_entry_that_sqs_refuses_still_comes_again_and_spoils_no_other(sqs):
    good = sqs.receive(1)
    stale = Registro("gone", "no-such-handle", "{}", receive_count=1, sent_at=0)
    inbox = sqs.inbox([stale, *good])
    inbox.postpone()
    assert inbox.open_ids == ["gone", good[0].message_id]
