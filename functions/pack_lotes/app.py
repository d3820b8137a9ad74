"""Lambda handler: an SQS batch in, `batchItemFailures` out."""

from __future__ import annotations

import os
import random
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3

from facturacion.cuentas import Cuenta, Cuentas
from facturacion.environment import Reader
from facturacion.events import Bus
from facturacion.ledger import Ledger
from facturacion.observability import Medidor, logger_for
from facturacion.tiempo import now
from pack_lotes.inbox import registros
from pack_lotes.sending import send
from pack_lotes.world import Settings, World
from tusfacturas.client import Cliente, Credenciales

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

THREADS = 8
"""Reads made together; boto3 keeps ten connections."""

logger = logger_for("pack_lotes")
medidor = Medidor("pack_lotes")


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables of this function; `from_env` refuses what cannot work."""

    table: str
    bus: str
    cuentas_prefix: str
    provider_base_url: str
    settings: Settings

    @staticmethod
    def from_env(env: Mapping[str, str]) -> Environment:
        read = Reader(env)
        environment = Environment(
            table=read.text("TABLE"),
            bus=read.text("BUS"),
            cuentas_prefix=read.text("CUENTAS_PREFIX"),
            provider_base_url=read.text("PROVIDER_BASE_URL"),
            settings=Settings(
                queue_url=read.text("QUEUE_URL"),
                rejected_queue_url=read.text("REJECTED_QUEUE_URL"),
                provider_timeout=read.seconds("PROVIDER_TIMEOUT_SECONDS"),
                quiet=read.seconds("QUIET_PERIOD_SECONDS"),
                settle=read.seconds("SETTLE_SECONDS"),
                retry_delay=read.seconds("RETRY_DELAY_SECONDS"),
                default_cuenta=read.optional("DEFAULT_CUENTA"),
                queue_fce=read.flag("QUEUE_FCE"),
                total_tolerance=read.decimal("TOTAL_TOLERANCE"),
            ),
        )
        needed = environment.settings.time_for_a_lote
        if read.seconds("PACK_TIMEOUT_SECONDS") < needed:
            least = needed.total_seconds()
            read.refuse(f"PACK_TIMEOUT_SECONDS must be at least {least:.0f}, or no lote ever leaves")
        read.done()
        return environment


@dataclass(frozen=True, slots=True)
class _Process:
    """What lives as long as the process: clients and the cache of cuentas. No provider connection does."""

    environment: Environment
    ledger: Ledger
    bus: Bus
    cuentas: Cuentas
    sqs: Any


@cache
def _process() -> _Process:
    environment = Environment.from_env(os.environ)
    return _Process(
        environment=environment,
        ledger=Ledger(boto3.client("dynamodb"), environment.table, clock=now),
        bus=Bus(boto3.client("events"), environment.bus),
        cuentas=Cuentas(boto3.client("secretsmanager"), environment.cuentas_prefix, clock=now),
        sqs=boto3.client("sqs"),
    )


@contextmanager
def several_at_once() -> Iterator[Callable[..., Iterable[Any]]]:
    """A `map` that works on several at a time. No thread of it outlives the invocation."""
    with ThreadPoolExecutor(THREADS) as pool:
        yield pool.map


@medidor.published
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    process = _process()
    environment, settings = process.environment, process.environment.settings

    def connect(cuenta: Cuenta) -> Cliente:
        credenciales = Credenciales(cuenta.apikey, cuenta.apitoken, cuenta.usertoken)
        return Cliente(
            environment.provider_base_url,
            credenciales,
            timeout=settings.provider_timeout.total_seconds(),
            query_timeout=settings.query_timeout.total_seconds(),
            connect_timeout=settings.connect_timeout.total_seconds(),
        )

    with several_at_once() as together:
        world = World(
            ledger=process.ledger,
            bus=process.bus,
            cuentas=process.cuentas,
            sqs=process.sqs,
            connect=connect,
            clock=now,
            new_id=lambda: uuid.uuid4().hex,
            rng=random.SystemRandom(),
            remaining=lambda: timedelta(milliseconds=context.get_remaining_time_in_millis()),
            together=together,
            logger=logger,
            count=medidor.count,
            measure=medidor.measure,
        )
        again = send(registros(event), world, settings)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in again]}
