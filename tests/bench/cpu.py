"""CPU of the real handlers over real HTTP, as ratios: of a lote, a hook, a batch of the stream, and where it goes.

A process of its own, which the explorer's world has not touched: boto3 speaks to the emulator, the provider answers
from memory, and what is measured is this process's CPU, not the time. `python -m tests.bench.cpu` prints it as JSON.
"""

from __future__ import annotations

import base64
import cProfile
import io
import json
import os
import pstats
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any
from unittest import mock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LOTE = 100
LOTES, HOOKS = 7, 300
ROOT = Path(__file__).resolve().parents[2]


# -- the section -----------------------------------------------------------------------------------------------------


def measure() -> dict[str, Any]:
    """Seconds of CPU, by what was done; `where`: shares of a lote's."""
    path = os.pathsep.join(str(ROOT / folder) for folder in (".", "functions", "shared"))
    run = subprocess.run(
        [sys.executable, "-m", "tests.bench.cpu"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": path, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    measured: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return measured


def section(m: dict[str, Any]) -> Any:
    """`m`: of `measure`."""
    from tests.bench.table import Row, Section, told  # noqa: PLC0415 - the child imports as little as it can

    unit = m["json"]
    rows = (
        told("a lote of 100: json.loads of its bytes", ["1.0"]),
        told("a lote of 100: pack_lotes", [m["lote"] / unit, m["lote"] / m["lote_reference"]], form="{:.1f}"),
        told("the same 100: reference", [m["lote_reference"] / unit, 1.0], form="{:.1f}"),
        Row(
            "a hook: receive_webhook",
            (f"{m['hook'] / unit:.1f}", f"{m['hook'] / m['hook_reference']:.2f}"),
            "≤ 0.50 of the reference",
            m["hook"] <= 0.5 * m["hook_reference"],
        ),
        told("a hook: reference", [m["hook_reference"] / unit, 1.0], form="{:.1f}"),
        told("a hook from the stream, in a batch of 100: follow_hooks", [m["follow"] / unit], form="{:.1f}"),
    )
    where = ", ".join(f"{name} {share:.0%}" for name, share in m["where"].items())
    notes = (
        f"one unit is {unit * 1000:.2f} ms of CPU here; Lambda with 512 MB has 0.29 of a processor",
        f"a lote's CPU goes to: {where}",
    )
    return Section("CPU, as ratios", ("of json.loads", "of the reference"), rows, notes)


# -- the child -------------------------------------------------------------------------------------------------------


@dataclass
class Context:
    """Lambda's."""

    function_name: str = "measured"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:measured"
    aws_request_id: str = "measured"

    def get_remaining_time_in_millis(self) -> int:
        return 300_000


def main() -> int:
    from tests.sandbox.ministack import Emulator  # noqa: PLC0415

    with Emulator.start() as emulator, ExitStack() as stack:
        account = emulator.account("111111111111")
        stack.enter_context(mock.patch.dict(os.environ, _variables(account)))
        print(json.dumps(_measure(account, stack)))
    return 0


def _variables(account: Any) -> dict[str, str]:
    from tests.explore.installing import environment  # noqa: PLC0415

    queue = account.boto("sqs").create_queue(QueueName="queue")["QueueUrl"]
    return environment() | {
        "AWS_ENDPOINT_URL": account.endpoint_url,
        "AWS_ACCESS_KEY_ID": account.account_id,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "QUEUE_URL": queue,
        "POWERTOOLS_METRICS_NAMESPACE": "Facturacion",
        "IDEMPOTENCY_TABLE": "idempotencia",
        "COMPROBANTES_TABLE": "comprobantes",
    }


def _measure(account: Any, stack: ExitStack) -> dict[str, Any]:
    import httpx  # noqa: PLC0415

    import follow_hooks.app  # noqa: PLC0415 - not before the variables
    import pack_lotes.app  # noqa: PLC0415
    import receive_webhook.app  # noqa: PLC0415
    import tusfacturas.client  # noqa: PLC0415
    from tests.bench.reference import encolar, recibir  # noqa: PLC0415
    from tests.explore.instrument import BUS, PREFIX, TABLE  # noqa: PLC0415
    from tests.explore.scenarios import secrets  # noqa: PLC0415
    from tests.template import table_request  # noqa: PLC0415

    dynamodb = account.boto("dynamodb")
    dynamodb.create_table(**table_request("Ledger", TABLE))
    for name in ("idempotencia", "comprobantes"):
        dynamodb.create_table(
            TableName=name,
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
    account.boto("events").create_event_bus(Name=BUS)
    (alias, secret), *_ = secrets().items()
    account.boto("secretsmanager").create_secret(Name=f"{PREFIX}/{alias}", SecretString=json.dumps(secret))
    road = httpx.MockTransport(_provider)
    stack.enter_context(mock.patch.object(tusfacturas.client, "_transport", return_value=road))
    client = httpx.Client(base_url="https://proveedor.test/", transport=road)
    stack.enter_context(mock.patch.object(encolar, "http", client))
    nowhere = io.StringIO()
    for app in (pack_lotes.app, receive_webhook.app, follow_hooks.app, encolar, recibir):
        for handler in app.logger._logger.handlers:
            handler.stream = nowhere
    stack.enter_context(mock.patch("builtins.print"))
    context = Context()

    def lote(prefix: str) -> list[dict[str, Any]]:
        return [_record(f"{prefix}-{n:04d}") for n in range(LOTE)]

    records = lote("J")
    bodies = [r["body"] for r in records]
    unit = _median(lambda: [json.loads(body) for body in bodies], 50)
    ours = _median(lambda e: pack_lotes.app.handler(e, context), LOTES, lambda n: {"Records": lote(f"O{n}")})
    tens = lambda event: [encolar.handler({"Records": event[k : k + 10]}, context) for k in range(0, LOTE, 10)]  # noqa: E731
    theirs = _median(tens, LOTES, lambda n: lote(f"R{n}"))
    hooks = _median(lambda e: receive_webhook.app.handler(e, context), HOOKS, lambda n: _hook(alias, secret, n, "O0"))
    their_hooks = _median(lambda e: recibir.handler(e, context), HOOKS, lambda n: _hook(alias, secret, n, "R0"))
    follow = _median(lambda e: follow_hooks.app.handler(e, context), LOTES, lambda n: _stream(alias, f"O{n}"))
    with mock.patch.object(pack_lotes.app, "several_at_once", return_value=nullcontext(map)):
        where = _where(lambda: pack_lotes.app.handler({"Records": lote("P")}, context))
    return {
        "json": unit,
        "lote": ours,
        "lote_reference": theirs,
        "hook": hooks,
        "hook_reference": their_hooks,
        "follow": follow / LOTE,
        "where": where,
    }


def _median(do: Callable[..., Any], times: int, make: Callable[[int], Any] | None = None) -> float:
    """Of this process's CPU, all its threads; the first is not counted."""
    spent = []
    for n in range(times + 1):
        given = () if make is None else (make(n),)
        begun = time.process_time()
        do(*given)
        spent.append(time.process_time() - begun)
    return median(spent[1:])


def _record(reference: str) -> dict[str, Any]:
    from tests.explore.scenarios import message  # noqa: PLC0415

    return {
        "messageId": reference,
        "receiptHandle": reference,
        "body": message(reference).body,
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1795000000000"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:111111111111:queue",
    }


def _provider(request: Any) -> Any:
    """Takes everything."""
    import httpx  # noqa: PLC0415

    sent = json.loads(request.content)
    entries = [{"error": "N", "errores": [], "external_reference": r, "cae": " "} for r in _references(sent)]
    if "requests" in sent:
        return httpx.Response(200, json={"error": "N", "errores": [], "response": entries})
    return httpx.Response(200, json=entries[0])


def _references(sent: dict[str, Any]) -> Iterator[str]:
    for entry in sent.get("requests", [sent]):
        yield entry["comprobante"]["external_reference"]


def _body(hook_id: str, reference: str) -> str:
    told = {"creado": "20/11/2026 12:00:00", "evento": "encolado", "recurso": "facturacion", "intento": 1, "msg": []}
    return json.dumps(told | {"external_reference": reference, "hook_id": hook_id})


def _hook(alias: str, secret: dict[str, Any], n: int, prefix: str) -> dict[str, Any]:
    path = f"/hooks/{alias}"
    return {
        "version": "2.0",
        "routeKey": "POST /hooks/{cuenta}",
        "rawPath": path,
        "rawQueryString": "",
        "requestContext": {"http": {"method": "POST", "path": path}, "stage": "$default"},
        "pathParameters": {"cuenta": alias},
        "headers": {"tf-webhooktoken": secret["webhook_tokens"][0]},
        "body": _body(f"{prefix}-{n}", f"{prefix}-{n % LOTE:04d}"),
        "isBase64Encoded": False,
    }


def _stream(alias: str, prefix: str) -> dict[str, Any]:
    records = []
    for n in range(LOTE):
        reference = f"{prefix}-{n:04d}"
        image = {
            "pk": {"S": f"{alias}#{reference}"},
            "sk": {"S": f"HOOK#h-{reference}"},
            "hook_id": {"S": f"h-{reference}"},
            "evento": {"S": "encolado"},
            "cuerpo": {"B": base64.b64encode(_body(f"h-{reference}", reference).encode()).decode()},
        }
        records.append({"eventName": "INSERT", "dynamodb": {"NewImage": image, "SequenceNumber": f"{n:021d}"}})
    return {"Records": records}


def _where(do: Callable[[], Any]) -> dict[str, float]:
    """Shares of the time by package, each with what it alone spends; what is in C counts for whoever calls it."""
    profile = cProfile.Profile(time.process_time, builtins=False)
    profile.runcall(do)
    spent: Counter[str] = Counter()
    for (filename, _, _), (_, _, own, _, _) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        spent[_package(filename)] += own
    total = sum(spent.values())
    return {name: seconds / total for name, seconds in spent.most_common(7)}


def _package(filename: str) -> str:
    parts = Path(filename).parts
    if "site-packages" in parts:
        return parts[parts.index("site-packages") + 1].removesuffix(".py")
    if {"functions", "shared"} & set(parts):
        return "our own code"
    return "the bench itself" if "tests" in parts else "the standard library"


if __name__ == "__main__":
    sys.exit(main())
