"""What a function needs to contrast cuentas with the provider: its variables, and its clients."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
import httpx

from facturacion.contrast import Terms, contrast_if_nobody_did
from facturacion.corridas import Corridas
from facturacion.cuentas import Cuentas
from facturacion.emission import Finishing, Pdfs
from facturacion.events import Bus
from facturacion.ledger import Ledger
from facturacion.tiempo import now
from tusfacturas.client import Cliente, Credenciales

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from aws_lambda_powertools import Logger

    from facturacion.contrast import Contrasted
    from facturacion.cuentas import Cuenta
    from facturacion.environment import Reader

QUERY_TIMEOUT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class ContrastEnvironment:
    """The variables of every function that contrasts. `pdf_bucket`: None where PDFs are not kept."""

    table: str
    bus: str
    cuentas_prefix: str
    provider_base_url: str
    provider_timeout: timedelta
    quiet: timedelta
    settle: timedelta
    every: timedelta
    due: timedelta
    state_machine_arn: str
    pdf_bucket: str | None

    @staticmethod
    def read(read: Reader) -> ContrastEnvironment:
        return ContrastEnvironment(
            table=read.text("TABLE"),
            bus=read.text("BUS"),
            cuentas_prefix=read.text("CUENTAS_PREFIX"),
            provider_base_url=read.text("PROVIDER_BASE_URL"),
            provider_timeout=read.seconds("PROVIDER_TIMEOUT_SECONDS"),
            quiet=read.seconds("QUIET_PERIOD_SECONDS"),
            settle=read.seconds("SETTLE_SECONDS"),
            every=read.seconds("CONTRAST_SECONDS"),
            due=read.seconds("RECONCILE_SECONDS"),
            state_machine_arn=read.text("STATE_MACHINE_ARN"),
            pdf_bucket=read.optional("PDF_BUCKET"),
        )


@dataclass(frozen=True, slots=True)
class Contraster:
    """Lives as long as the process. The provider's connections live only as long as one contrast."""

    environment: ContrastEnvironment
    finishing: Finishing
    cuentas: Cuentas
    corridas: Corridas

    @staticmethod
    def build(environment: ContrastEnvironment, *, logger: Logger, count: Callable[[str, int], None]) -> Contraster:
        pdfs = None
        if environment.pdf_bucket:
            pdfs = Pdfs(boto3.client("s3"), environment.pdf_bucket, httpx.Client())
        finishing = Finishing(
            ledger=Ledger(boto3.client("dynamodb"), environment.table, clock=now),
            bus=Bus(boto3.client("events"), environment.bus),
            pdfs=pdfs,
            clock=now,
            settle=environment.settle,
            logger=logger,
            count=count,
        )
        cuentas = Cuentas(boto3.client("secretsmanager"), environment.cuentas_prefix, clock=now)
        corridas = Corridas(
            boto3.client("stepfunctions"),
            environment.state_machine_arn,
            ledger=finishing.ledger,
            clock=now,
            new_id=lambda: uuid.uuid4().hex,
        )
        return Contraster(environment, finishing, cuentas, corridas)

    def contrast(self, cuenta: Cuenta, *, remaining: Callable[[], timedelta]) -> Contrasted | None:
        e = self.environment
        return contrast_if_nobody_did(
            cuenta,
            self.connect,
            self.finishing,
            Terms(provider_timeout=e.provider_timeout, quiet=e.quiet, settle=e.settle, due=e.due),
            every=e.every,
            wake=self.corridas.wake,
            remaining=remaining,
        )

    def connect(self, cuenta: Cuenta) -> Cliente:
        return Cliente(
            self.environment.provider_base_url,
            Credenciales(cuenta.apikey, cuenta.apitoken, cuenta.usertoken),
            timeout=self.environment.provider_timeout.total_seconds(),
            query_timeout=QUERY_TIMEOUT_SECONDS,
        )
