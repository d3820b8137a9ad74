"""The local AWS with the project on it, the provider's simulator, and a queue that hears everything on the bus."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
from boto3.dynamodb.types import TypeDeserializer

from tests.sandbox.cuentas import WEBHOOK_HEADER
from tests.sandbox.demo.leaks import read_queue
from tests.sandbox.demo.script import PLAN
from tests.sandbox.deploy import ROOT
from tests.sandbox.ministack import Emulator
from tests.sandbox.stack import SHORT, running_stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.sandbox.demo.balance import Json, Key
    from tests.sandbox.demo.script import Envio
    from tests.sandbox.stack import Stack

PARAMETERS = SHORT | {"ContrastSeconds": "6", "ReconcileSeconds": "4"}
"""Hours become seconds; nothing else differs from the template as it is deployed on AWS."""
HEARD = "demo-eventos"
_plain = TypeDeserializer().deserialize


@dataclass(frozen=True, slots=True)
class Sent:
    """A message on its way: its SQS id, and when it was put on the queue."""

    message_id: str
    envio: Envio
    at: datetime


@dataclass
class Stage:
    """Everything that the demo does to the outside."""

    emulator: Emulator
    stack: Stack
    heard_url: str
    sent: list[Sent] = field(default_factory=list)
    events: list[Json] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._sqs = self.stack.boto("sqs")
        self._dynamodb = self.stack.boto("dynamodb")
        self._lambda = self.stack.boto("lambda", read_timeout=120, retries={"total_max_attempts": 1})

    def send(self, envios: Sequence[Envio]) -> None:
        for start in range(0, len(envios), 10):
            ten = envios[start : start + 10]
            answer = self._sqs.send_message_batch(
                QueueUrl=self.stack.queue_url,
                Entries=[{"Id": str(n), "MessageBody": envio.body} for n, envio in enumerate(ten)],
            )
            ids = {entry["Id"]: entry["MessageId"] for entry in answer["Successful"]}
            now = datetime.now(UTC)
            self.sent += [Sent(ids[str(n)], envio, now) for n, envio in enumerate(ten)]

    def listen(self) -> None:
        """Take what was heard on the bus since the last time."""
        while messages := self._sqs.receive_message(QueueUrl=self.heard_url, MaxNumberOfMessages=10).get("Messages"):
            self.events += [json.loads(message["Body"]) for message in messages]
            self._sqs.delete_message_batch(
                QueueUrl=self.heard_url,
                Entries=[{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)],
            )

    def scan(self, fields: str = "") -> list[Json]:
        """The items of the ledger in plain values: all of each, or some fields."""
        wanted: dict[str, Any] = {}
        if fields:
            names = {f"#{name}": name for name in fields.split()}
            wanted = {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=self.stack.table, ConsistentRead=True, **wanted)
        return [{name: _plain(value) for name, value in item.items()} for page in pages for item in page["Items"]]

    def scan_asientos(self) -> list[Json]:
        """The ESTADO items alone, for a table that is too large to be read whole."""
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=self.stack.table,
            ConsistentRead=True,
            FilterExpression="sk = :estado",
            ExpressionAttributeValues={":estado": {"S": "ESTADO"}},
        )
        return [{name: _plain(value) for name, value in item.items()} for page in pages for item in page["Items"]]

    def queued(self, queue_url: str) -> int:
        """How many messages a queue holds, those that somebody works on included."""
        names = ["", "NotVisible", "Delayed"]
        asked = [f"ApproximateNumberOfMessages{name}" for name in names]
        found = self._sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=asked)["Attributes"]
        return sum(int(found.get(name, 0)) for name in asked)

    def rejected(self) -> list[Json]:
        """The messages of the rejected queue: `codigo`, `motivo`, `message_id` and the body."""
        return [
            {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
            | {"body": message["Body"]}
            for message in read_queue(self._sqs, self.stack.rejected_queue_url)
        ]

    def log_lines(self) -> list[Json]:
        return log_lines(self.stack)

    def reconcile(self) -> None:
        """What the schedule does once a minute. Here every few seconds: nobody wants to watch for an hour."""
        self._lambda.invoke(FunctionName=self.stack.functions["reconcile"], Payload=b"{}")["Payload"].read()

    def decide(self, accion: str, key: Key, motivo: str) -> str:
        """A person decides, with the project's command line in a process of its own; the last line it prints."""
        cuenta, reference = key
        order = [sys.executable, "-m", "operate", "decidir", accion, reference, "--cuenta", cuenta, "--motivo", motivo]
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as outputs:
            json.dump(self.stack.outputs(), outputs)
            outputs.flush()
            path = os.pathsep.join(str(ROOT / folder) for folder in ("functions", "shared"))
            done = subprocess.run(
                [*order, "--sandbox", outputs.name],
                env={**os.environ, "PYTHONPATH": path},
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
        return (done.stdout or done.stderr).strip().rpartition("\n")[2]

    def forge(self, key: Key) -> int:
        """A stranger posts a hook that says it was issued, with a token of his own. The status he gets."""
        cuenta, reference = key
        url = self.stack.webhook_url(cuenta)
        hook = {"creado": "01/01/2026 00:00:00", "evento": "emitido", "recurso": "facturacion", "intento": 1}
        hook |= {"external_reference": reference, "msg": [], "hook_id": "forged"}
        answer = httpx.post(str(url), json=hook, headers={WEBHOOK_HEADER: "x" * 40}, timeout=30, trust_env=False)
        return answer.status_code


def log_lines(stack: Stack) -> list[Json]:
    """What the functions logged, as written; what is no JSON (of the runtime, or a traceback) as `text`."""
    logs = stack.boto("logs")
    groups = [f"/aws/lambda/{stack.deployed.name}/{name}" for name in stack.functions]
    pages = (page for g in groups for page in logs.get_paginator("filter_log_events").paginate(logGroupName=g))
    return [_as_json(event["message"]) for page in pages for event in page["events"]]


@contextmanager
def staged(seed: int, *, log_path: Path | None = None) -> Iterator[Stage]:
    """Start everything, and end it all whatever happens."""
    with (
        Emulator.start(log_path=log_path) as emulator,
        running_stack(emulator, parameters=PARAMETERS, simulator={"plan": PLAN, "seed": seed}, metrics=True) as stack,
    ):
        yield Stage(emulator, stack, hear(stack))


def hear(stack: Stack) -> str:
    """A queue that gets every event on the bus, as a consumer would have one; its URL."""
    sqs, events = stack.boto("sqs"), stack.boto("events")
    url: str = sqs.create_queue(QueueName=HEARD)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name=HEARD, EventBusName=stack.bus, EventPattern=json.dumps({"source": ["facturacion"]}))
    events.put_targets(Rule=HEARD, EventBusName=stack.bus, Targets=[{"Id": "1", "Arn": arn}])
    return url


def _as_json(text: str) -> Json:
    try:
        line = json.loads(text)
    except ValueError:
        return {"text": text}
    return line if isinstance(line, dict) else {"text": text}
