"""Lambda handler of the tasks of the state machine `flow.asl.json`: one run per cuenta.

Each task takes `{paso, corrida, cuenta, vuelta}` and answers `{cuenta, vuelta, siguiente, segundos}`: which state comes
next, and how long to wait where it waits. Everything else is in the ledger, so that any task may be repeated.
"""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3

from facturacion.corridas import Corridas
from facturacion.cuentas import Cuentas
from facturacion.environment import Reader
from facturacion.events import Bus
from facturacion.ledger import Ledger
from facturacion.observability import Medidor, logger_for
from facturacion.tiempo import now
from resolve_errors.running import Corrida, Outside, Terms, run_task
from tusfacturas.catalogue import built_in
from tusfacturas.client import Cliente, Credenciales
from tusfacturas.overrides import CatalogoInvalido, load_catalogue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from facturacion.cuentas import Cuenta
    from tusfacturas.catalogue import Catalogo

TIMEOUT_SECONDS = 30
"""Of a query, and of an operation on the provider's queue."""

logger = logger_for("resolve_errors")
medidor = Medidor("resolve_errors")


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables of this function."""

    table: str
    bus: str
    cuentas_prefix: str
    provider_base_url: str
    state_machine_arn: str
    quiet: timedelta
    settle: timedelta
    resend_wait: timedelta
    hook_retention: timedelta
    catalogo: Catalogo

    @staticmethod
    def from_env(env: Mapping[str, str]) -> Environment:
        read = Reader(env)
        environment = Environment(
            table=read.text("TABLE"),
            bus=read.text("BUS"),
            cuentas_prefix=read.text("CUENTAS_PREFIX"),
            provider_base_url=read.text("PROVIDER_BASE_URL"),
            state_machine_arn=read.text("STATE_MACHINE_ARN"),
            quiet=read.seconds("QUIET_PERIOD_SECONDS"),
            settle=read.seconds("SETTLE_SECONDS"),
            resend_wait=read.seconds("RESEND_WAIT_SECONDS"),
            hook_retention=timedelta(days=float(read.decimal("HOOK_RETENTION_DAYS"))),
            catalogo=_catalogo(read),
        )
        read.done()
        return environment


def _catalogo(read: Reader) -> Catalogo:
    try:
        return load_catalogue(read.optional("ERROR_CATALOGUE") or "")
    except CatalogoInvalido as error:
        read.refuse(f"ERROR_CATALOGUE: {error}")
        return built_in()


@cache
def _outside() -> Outside:
    environment = Environment.from_env(os.environ)
    ledger = Ledger(boto3.client("dynamodb"), environment.table, clock=now)

    def connect(cuenta: Cuenta) -> Cliente:
        return Cliente(
            environment.provider_base_url,
            Credenciales(cuenta.apikey, cuenta.apitoken, cuenta.usertoken),
            timeout=TIMEOUT_SECONDS,
            query_timeout=TIMEOUT_SECONDS,
        )

    return Outside(
        ledger=ledger,
        bus=Bus(boto3.client("events"), environment.bus),
        cuentas=Cuentas(boto3.client("secretsmanager"), environment.cuentas_prefix, clock=now),
        corridas=Corridas(
            boto3.client("stepfunctions"),
            environment.state_machine_arn,
            ledger=ledger,
            clock=now,
            new_id=lambda: uuid.uuid4().hex,
        ),
        connect=connect,
        catalogo=environment.catalogo,
        clock=now,
        logger=logger,
        count=medidor.count,
        terms=Terms(
            quiet=environment.quiet,
            settle=environment.settle,
            resend_wait=environment.resend_wait,
            keep=environment.hook_retention,
        ),
    )


@medidor.published
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return run_task(
        event["paso"],
        Corrida(cuenta=event["cuenta"], nombre=event["corrida"], vuelta=int(event["vuelta"])),
        _outside(),
        remaining=lambda: timedelta(milliseconds=context.get_remaining_time_in_millis()),
    ).as_output()
