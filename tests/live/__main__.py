"""`python -m tests.live`: an acceptance run against the real TusFacturas.app, through a deployed stack.

It costs requests of the plan (`--budget`, 30 by default, is never passed but to delete what the run itself queued) and,
on a plan that is not of development, makes two legal invoices: so it asks for `--yes`. It needs

- a deployed stack, and in it a cuenta of a DEV plan (`facturacion cuenta alta`); the punto de venta is used for nothing
  else meanwhile;
- a public https address that leads to `--port` here (a tunnel, a reverse proxy), entered at the provider as the webhook
  of that punto de venta, with one of the cuenta's tokens. What comes for the stack is handed on to it.

Exit codes: 0 everything was as it should be, 1 the way through the stack was not, 2 it could not be begun.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

_ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(_ROOT), str(_ROOT / "functions"), str(_ROOT / "shared")]

from operate.cli.client import connect  # noqa: E402
from tests.live.acceptance import accept  # noqa: E402
from tests.live.listener import Listener  # noqa: E402
from tests.live.questions import ask_all, clean_up  # noqa: E402
from tests.live.report import page  # noqa: E402
from tests.live.site import Recorder, Site  # noqa: E402
from tusfacturas.client import BASE_URL, Cliente, Credenciales  # noqa: E402
from tusfacturas.outcomes import Consumo  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from operate.cli.client import Cliente as Stack


def run(site: Site) -> tuple[str, bool]:
    """The report, and whether the way through the stack was as it should be. What was queued is deleted in any case."""
    begun = datetime.now(UTC)
    answers = []
    try:
        accepted = accept(site)
        answers = ask_all(site)
    finally:
        left = clean_up(site)
    title = f"Acceptance run of {begun:%Y-%m-%d %H:%M} UTC, references `{site.prefix}…`"
    well = all(a.answered and not a.said.startswith("NO") for a in accepted)
    return page(title, accepted, answers, spent=site.spent, left=left), well


def main(argv: Sequence[str] | None = None) -> int:
    told = _arguments(argv)
    if not told.yes:
        return _give_up("nothing was done. It spends requests of the plan and issues two comprobantes: say --yes.")
    stack = connect(stack=told.stack, region=told.region, sandbox=None)
    secret = stack.boto("secretsmanager").get_secret_value(SecretId=f"{told.stack}/cuentas/{told.cuenta}")
    cuenta = json.loads(secret["SecretString"])
    recorder = Recorder()
    cliente = Cliente(
        told.provider,
        Credenciales(cuenta["apikey"], cuenta["apitoken"], cuenta["usertoken"]),
        timeout=110,
        transport=recorder,
    )
    prefix = f"live-{datetime.now(UTC):%Y%m%d}{secrets.randbelow(10_000):04d}-"
    webhook = f"{stack.output('ApiUrl')}/hooks/{told.cuenta}"
    with cliente, Listener(told.port, cuenta["webhook_tokens"], webhook, f"{prefix}q-") as listener:
        consumo = cliente.consumo()
        if not isinstance(consumo, Consumo):
            return _give_up(f"micuenta/consumo does not answer: {consumo.codigo} {consumo.detalle}")
        if consumo.disponibles < told.budget:
            return _give_up(f"the plan has {consumo.disponibles} requests left, and the budget is {told.budget}")
        site = Site(
            cuenta=told.cuenta,
            punto_venta=int(cuenta["punto_venta"]),
            tipo=told.tipo,
            prefix=prefix,
            cliente=cliente,
            recorder=recorder,
            listener=listener,
            send=sender(stack),
            look=looker(stack, told.cuenta),
            tell=lambda line: print(line, flush=True),
            budget=told.budget,
            patience=told.patience,
        )
        text, well = run(site)
    told.report.write_text(text, encoding="utf-8")
    print(f"\n{text}\nWritten to {told.report}")
    return 0 if well else 1


def sender(stack: Stack) -> Callable[[Any], None]:
    sqs, url = stack.boto("sqs"), stack.output("QueueUrl")
    return lambda message: sqs.send_message(QueueUrl=url, MessageBody=json.dumps(message))


def looker(stack: Stack, cuenta: str) -> Callable[[str], dict[str, Any] | None]:
    return lambda reference: stack.ask({"orden": "ver", "cuenta": cuenta, "referencia": reference}).get("asiento")


def _give_up(why: str) -> int:
    sys.stderr.write(f"{why}\n")
    return 2


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.live", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cuenta", required=True, help="alias of the cuenta of the DEV plan")
    parser.add_argument("--stack", default="facturacion")
    parser.add_argument("--region")
    parser.add_argument("--port", type=int, default=8080, help="where the public address leads to, on 127.0.0.1")
    parser.add_argument("--tipo", default="FACTURA B", help="of the comprobantes: what the CUIT may issue")
    parser.add_argument("--budget", type=int, default=30, help="requests of the plan")
    parser.add_argument("--patience", type=float, default=900, help="seconds for whatever takes long")
    parser.add_argument("--provider", default=BASE_URL)
    parser.add_argument("--report", type=Path, default=Path("live-report.md"))
    parser.add_argument("--yes", action="store_true", help="spend the requests")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
