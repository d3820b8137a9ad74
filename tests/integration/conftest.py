"""AWS in process (moto), with the resources that the template declares, and a clock that stands still."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
import pytest
from moto import mock_aws
from tests.clock import Clock
from tests.items import LATER
from tests.template import properties, table_request, with_defaults

from facturacion.cuentas import Cuentas
from facturacion.events import Bus
from facturacion.ledger import Ledger

REGION = "us-east-1"
TABLE = "ledger"
BUS = "facturacion"
PREFIX = "facturacion/cuentas"


@cache
def _client(service: str) -> Any:
    # Made once: a client costs a tenth of a second, and moto answers whatever exists when a request is made.
    return boto3.client(service, region_name=REGION, aws_access_key_id="testing", aws_secret_access_key="testing")


@dataclass(frozen=True)
class Queues:
    queue: str
    dead: str
    rejected: str


@pytest.fixture(autouse=True)
def _aws_is_moto(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def aws():
    """Clients by service: `aws("sqs")`."""
    return _client


@pytest.fixture
def dynamodb(aws):
    """The client, with the template's table made."""
    client = aws("dynamodb")
    client.create_table(**table_request("Ledger", TABLE))
    return client


@pytest.fixture
def ledger(dynamodb, clock):
    return Ledger(dynamodb, TABLE, clock=clock)


@pytest.fixture
def queues(aws):
    """The template's queues, without the redrive policy: what a test does not receive stays where it is."""

    def create(logical_id):
        declared = with_defaults(properties(logical_id))
        taken = ("VisibilityTimeout", "MessageRetentionPeriod")
        attributes = {key: str(declared[key]) for key in taken if key in declared}
        return aws("sqs").create_queue(QueueName=logical_id, Attributes=attributes)["QueueUrl"]

    return Queues(queue=create("Queue"), dead=create("DeadLetterQueue"), rejected=create("RejectedQueue"))


@pytest.fixture
def bus(aws):
    """The bus; `published` reads what went out on it."""
    aws("events").create_event_bus(Name=BUS)
    return Bus(aws("events"), BUS)


@pytest.fixture
def published(aws, bus, queues):
    """Call it for what was published on the bus until now, oldest first: `[(detail-type, detail), …]`."""
    sqs, events = aws("sqs"), aws("events")
    url = sqs.create_queue(QueueName="published")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="all", EventBusName=BUS, EventPattern='{"source": ["facturacion"]}')
    events.put_targets(Rule="all", EventBusName=BUS, Targets=[{"Id": "queue", "Arn": arn}])
    seen: list[tuple[str, dict[str, Any]]] = []

    def read():
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                event = json.loads(message["Body"])
                seen.append((event["detail-type"], event["detail"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return list(seen)

    return read


@pytest.fixture
def put_secret(aws):
    """`put_secret("norte")` makes, or replaces, the secret of a cuenta; keywords change what is in it."""

    def put(alias, **changes):
        secret = {
            "apikey": "1234",
            "apitoken": "apitoken-of-norte",
            "usertoken": "usertoken-of-norte",
            "webhook_tokens": ["webhook-token-of-norte"],
            "llave": "llave-of-norte",
            "cuit": "30712293841",
            "punto_venta": 3,
        } | changes
        text = json.dumps({key: value for key, value in secret.items() if value is not None})
        client, name = aws("secretsmanager"), f"{PREFIX}/{alias}"
        try:
            client.create_secret(Name=name, SecretString=text)
        except client.exceptions.ResourceExistsException:
            client.put_secret_value(SecretId=name, SecretString=text)

    return put


@pytest.fixture
def cuentas(aws, clock):
    return Cuentas(aws("secretsmanager"), PREFIX, clock=clock)


@pytest.fixture
def three_hours_later(clock):
    """What was there before was written at START."""
    clock.now = LATER


@pytest.fixture
def first_answer_is_lost(dynamodb):
    """The first request of an operation is answered, but botocore is told that it was not, and repeats it."""
    hooked = []

    def lose(operation):
        sent = []

        def retry(attempts, **_):
            sent.append(attempts)
            return 0 if attempts == 1 else None

        event = f"needs-retry.dynamodb.{operation}"
        dynamodb.meta.events.register_first(event, retry, unique_id=f"lose-{operation}")
        hooked.append((event, f"lose-{operation}"))
        return sent

    yield lose
    for event, unique_id in hooked:
        dynamodb.meta.events.unregister(event, unique_id=unique_id)
