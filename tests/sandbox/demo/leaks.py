"""The search for the secrets of the cuentas: in everything that is kept, sent or written anywhere in the account."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.sandbox.cuentas import SandboxCuenta
    from tests.sandbox.ministack import Account

Find = tuple[str, bytes]
"""Where, and what is there."""


@dataclass(frozen=True, slots=True)
class Search:
    """What was looked at, by kind of place, and where a secret was found; never the secret itself."""

    looked_at: Counter[str]
    leaks: list[str] = field(default_factory=list)


def search_secrets(account: Account, cuentas: Iterable[SandboxCuenta], events: Iterable[str]) -> Search:
    """Every log group, item of every table, object in S3, message in a queue, execution, and the `events` heard."""
    secrets = _values(cuentas)
    kinds: dict[str, Iterable[Find]] = {
        "log lines": _log_lines(account.boto("logs")),
        "items": _items(account.boto("dynamodb")),
        "events": ((f"event {n}", event.encode()) for n, event in enumerate(events)),
        "S3 objects": _objects(account.boto("s3")),
        "queued messages": _messages(account.boto("sqs")),
        "execution events": _executions(account.boto("stepfunctions")),
    }
    found = Search(Counter(dict.fromkeys(kinds, 0)))
    for kind, places in kinds.items():
        for where, content in places:
            found.looked_at[kind] += 1
            found.leaks.extend(f"{name} in {where}" for name, value in secrets if value in content)
    return found


def _values(cuentas: Iterable[SandboxCuenta]) -> list[tuple[str, bytes]]:
    """All are long and random: what is found is no coincidence."""
    names = ("apikey", "apitoken", "usertoken", "webhook_token", "llave")
    return [(f"{name} of {cuenta.alias}", getattr(cuenta, name).encode()) for cuenta in cuentas for name in names]


def _pages(client: Any, operation: str, key: str, **arguments: Any) -> Iterator[Any]:
    for page in client.get_paginator(operation).paginate(**arguments):
        yield from page.get(key, ())


def _log_lines(logs: Any) -> Iterator[Find]:
    for group in _pages(logs, "describe_log_groups", "logGroups"):
        name = group["logGroupName"]
        for event in _pages(logs, "filter_log_events", "events", logGroupName=name):
            yield f"log group {name}", event["message"].encode()


def _items(dynamodb: Any) -> Iterator[Find]:
    for table in _pages(dynamodb, "list_tables", "TableNames"):
        for item in _pages(dynamodb, "scan", "Items", TableName=table):
            key = "/".join(next(iter(item[name].values())) for name in ("pk", "sk") if name in item)
            yield f"table {table}, item {key}", b"\n".join(_bytes(item))


def _bytes(value: Any) -> Iterator[bytes]:
    """Everything in an item, names included; binary as it is."""
    match value:
        case dict():
            for name, inner in value.items():
                yield str(name).encode()
                yield from _bytes(inner)
        case list() | set() | tuple():
            for inner in value:
                yield from _bytes(inner)
        case bytes():
            yield value
        case _:
            yield str(value).encode()


def _objects(s3: Any) -> Iterator[Find]:
    for bucket in s3.list_buckets()["Buckets"]:
        for entry in _pages(s3, "list_objects_v2", "Contents", Bucket=bucket["Name"]):
            content = s3.get_object(Bucket=bucket["Name"], Key=entry["Key"])["Body"].read()
            yield f"s3://{bucket['Name']}/{entry['Key']}", entry["Key"].encode() + b"\n" + content


def read_queue(sqs: Any, queue_url: str) -> list[Any]:
    """Every message that waits in a queue, with its attributes; they are left there."""
    found: list[Any] = []
    while messages := sqs.receive_message(
        QueueUrl=queue_url,
        MaxNumberOfMessages=10,
        VisibilityTimeout=60,
        MessageSystemAttributeNames=["All"],
        MessageAttributeNames=["All"],
    ).get("Messages"):
        found += messages
    for message in found:
        sqs.change_message_visibility(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    return found


def _messages(sqs: Any) -> Iterator[Find]:
    for queue_url in _pages(sqs, "list_queues", "QueueUrls"):
        for message in read_queue(sqs, queue_url):
            yield f"queue {queue_url.rsplit('/', 1)[1]}", b"\n".join(_bytes(message))


def _executions(machines: Any) -> Iterator[Find]:
    for machine in _pages(machines, "list_state_machines", "stateMachines"):
        arn = machine["stateMachineArn"]
        for run in _pages(machines, "list_executions", "executions", stateMachineArn=arn):
            name = run["executionArn"]
            for event in _pages(machines, "get_execution_history", "events", executionArn=name):
                yield f"execution {name}", b"\n".join(_bytes(event))
