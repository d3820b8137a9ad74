"""What a function needs to contrast cuentas with the provider: its variables, and its clients."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import boto3
import httpx
from botocore.exceptions import BotoCoreError, ClientError

from facturacion.contrast import contrast
from facturacion.contrastado import Terms
from facturacion.corridas import Corridas
from facturacion.cuentas import Cuentas
from facturacion.emission import Finishing, Pdfs
from facturacion.esperas import is_worth, looks_at_all
from facturacion.events import Bus
from facturacion.figuras import Hoy, Parte, silent_since
from facturacion.ledger import Ledger
from facturacion.metricas import Metrica
from facturacion.tiempo import now
from facturacion.ventana import today
from tusfacturas.client import Cliente, Credenciales

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime, timedelta

    from aws_lambda_powertools import Logger

    from facturacion.contrastado import Contrasted
    from facturacion.cuentas import Cuenta
    from facturacion.environment import Reader
    from facturacion.esperas import Ritmo
    from facturacion.ledger import Turno
    from facturacion.observability import Medidor

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
    """Lives as long as the process. The provider's connections live only as long as one contrast.

    `oidas`: when this process last noted a hook of each cuenta.
    """

    environment: ContrastEnvironment
    finishing: Finishing
    cuentas: Cuentas
    corridas: Corridas
    oidas: dict[str, datetime] = field(default_factory=dict)

    @staticmethod
    def build(environment: ContrastEnvironment, *, logger: Logger, medidor: Medidor) -> Contraster:
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
            count=medidor.count,
            measure=medidor.measure,
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

    def contrast(self, cuenta: Cuenta, ritmo: Ritmo, *, remaining: Callable[[], timedelta]) -> Contrasted | None:
        """Where that brings enough, at most once in `every`, whoever asks for it; None where it was not made.

        `ritmo`: as read with everything noted in it; what waits stays noted. What the contrast leaves (a CAE not shown
        yet, a provider that does not answer) is noted on the cuenta before the end, so that the next reconciliation
        takes it even if nothing else happens. A crash in the middle costs the rest of that invocation's time and the
        reconciliation's pace, nothing else.
        """
        e, f, alias = self.environment, self.finishing, cuenta.alias
        now = f.clock()
        if not is_worth(ritmo, every=e.every, due=e.due, now=now):
            return None
        until = now + remaining()
        turno = f.ledger.take_pulse(alias, not_since=now - e.every, until=until)
        if turno is None:
            return None
        mirado, parte, line, pagina = turno.mirado, None, 0, turno.pagina
        try:
            with self.connect(cuenta) as cliente:
                terms = Terms(
                    e.provider_timeout,
                    quiet=e.quiet,
                    settle=e.settle,
                    due=e.due,
                    before=turno.mirado,
                    told=turno.oido + e.every if turno.oido else None,
                )
                all_of_it = looks_at_all(ritmo, looked=turno.mirado, due=e.due, now=now)
                if not all_of_it:
                    terms = replace(terms, issued=ritmo.esperan, pagina=turno.pagina)
                done = contrast(alias, cliente, f, terms, wake=self.corridas.wake, remaining=remaining)
            if all_of_it and done.whole:
                mirado, line = now, done.line
            elif done.head or done.whole:
                line = ritmo.en_linea
            if done.head and done.figuras:
                # The oldest were looked at, so that ages are right; of the others it is known how many there were.
                done.figuras = replace(done.figuras, abiertos=max(done.figuras.abiertos, line))
            parte = self._parte(turno, done)
            pagina = done.pagina or (None if done.astray else pagina)
        except (ClientError, BotoCoreError):
            f.ledger.owe_contrast(alias)
            raise
        finally:
            f.ledger.give_pulse_back(alias, until=until, mirado=mirado, en_linea=line, pagina=pagina, parte=parte)
        if not done.answered:
            f.ledger.owe_contrast(alias)
        elif done.unfinished:
            f.ledger.owe_contrast(alias, done.unfinished)
        f.logger.info("contraste", extra={"cuenta": alias, **done.as_fields()})
        f.count(Metrica.CORREGIDOS, done.healed, cuenta=alias)
        f.count(Metrica.CONSULTAS, done.queries, cuenta=alias)
        return done

    def _parte(self, turno: Turno, done: Contrasted) -> Parte:
        dia = today(self.finishing.clock())
        every = self.environment.every
        # Hooks may have come while it was looked for.
        oido = self.finishing.ledger.last_hook(turno.cuenta) if done.untold else turno.oido
        return Parte(
            figuras=done.figuras,
            callado=silent_since(oido, turno.callado, done.untold, noted_every=every),
            hoy=(turno.hoy or Hoy(dia)).plus(done.finished, done.importe, dia),
        )

    def heard(self, cuentas: Iterable[str]) -> None:
        """Hooks of these cuentas came: noted on each at most once in `every`, whatever their number."""
        now = self.finishing.clock()
        for cuenta in cuentas:
            noted = self.oidas.get(cuenta)
            if noted is None or now - noted >= self.environment.every:
                self.finishing.ledger.hook_heard(cuenta)
                self.oidas[cuenta] = now

    def owe(self, cuenta: str, how_many: int) -> Ritmo:
        """Hooks said that so many were issued: they wait for their CAE; and that is how lately it was heard."""
        ritmo = self.finishing.ledger.owe_contrast(cuenta, how_many, heard=True)
        self.oidas[cuenta] = self.finishing.clock()
        return ritmo

    def connect(self, cuenta: Cuenta) -> Cliente:
        return Cliente(
            self.environment.provider_base_url,
            Credenciales(cuenta.apikey, cuenta.apitoken, cuenta.usertoken),
            timeout=self.environment.provider_timeout.total_seconds(),
            query_timeout=QUERY_TIMEOUT_SECONDS,
        )
