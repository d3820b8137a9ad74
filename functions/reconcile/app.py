"""Lambda handler of the schedule: read the dead-letter queue, start the runs that are due, contrast the cuentas."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from facturacion.contraster import ContrastEnvironment, Contraster
from facturacion.cuentas import CuentaMalConfigurada
from facturacion.environment import Reader
from facturacion.esperas import is_worth
from facturacion.ledger.pausas import LARGA
from facturacion.metricas import Metrica
from facturacion.observability import Medidor, logger_for
from facturacion.tiempo import now
from reconcile.closing import close
from reconcile.quotas import ask_quota
from reconcile.rebuilding import rebuild
from reconcile.redriving import Queues, redrive
from reconcile.standing import tell_standing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from facturacion.ledger import Pulso

_NEVER = datetime.min.replace(tzinfo=UTC)
TIME_FOR_A_CUENTA = timedelta(seconds=60)
"""None is begun with less time left."""

logger = logger_for("reconcile")
medidor = Medidor("reconcile")


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables of this function."""

    contrast: ContrastEnvironment
    queue_url: str
    dlq_url: str
    default_cuenta: str | None

    @staticmethod
    def from_env(env: Mapping[str, str]) -> Environment:
        read = Reader(env)
        environment = Environment(
            contrast=ContrastEnvironment.read(read),
            queue_url=read.text("QUEUE_URL"),
            dlq_url=read.text("DLQ_URL"),
            default_cuenta=read.optional("DEFAULT_CUENTA"),
        )
        read.done()
        return environment


@dataclass(frozen=True, slots=True)
class _Process:
    contraster: Contraster
    queues: Queues
    medidor: Medidor


@cache
def _process() -> _Process:
    environment = Environment.from_env(os.environ)
    return _Process(
        contraster=Contraster.build(environment.contrast, logger=logger, medidor=medidor),
        queues=Queues(boto3.client("sqs"), environment.queue_url, environment.dlq_url, environment.default_cuenta),
        medidor=medidor,
    )


@medidor.published
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    process = _process()
    contraster = process.contraster

    def remaining() -> timedelta:
        return timedelta(milliseconds=context.get_remaining_time_in_millis())

    if "reconstruir" in event:
        return rebuild(event["reconstruir"], contraster, remaining=remaining, new_id=lambda: uuid.uuid4().hex)
    returned = settled = contrasted = 0
    try:
        returned, settled = redrive(process.queues, contraster.finishing)
    except (ClientError, BotoCoreError) as error:
        # What was not looked at is there next time; the cuentas do not wait for it.
        logger.exception("sin_revisar_muertos", extra={"codigo": type(error).__name__})
    pulses = [pulso for pulso in contraster.finishing.ledger.pulses() if not pulso.retirada]
    _tell_pauses(contraster)
    started = _start_runs(contraster, pulses)
    for pulso in _due(contraster, pulses):
        if remaining() < TIME_FOR_A_CUENTA:
            break
        try:
            cuenta = contraster.cuentas.get(pulso.cuenta)
            if cuenta and contraster.contrast(cuenta, pulso.ritmo, remaining=remaining):
                contrasted += 1
        except (ClientError, BotoCoreError, CuentaMalConfigurada) as error:
            # One cuenta that cannot be used stops no other.
            logger.exception("sin_contrastar", extra={"cuenta": pulso.cuenta, "codigo": type(error).__name__})
    closed = _close_nights(contraster, pulses, remaining)
    _ask_quotas(contraster, pulses, remaining)
    tell_standing(contraster.finishing.ledger.pulses(), contraster.environment.quiet, process.medidor, logger, now())
    done = {"contrastadas": contrasted, "devueltos": returned, "resueltos": settled, "corridas": started}
    return {**done, "cierres": closed}


def _tell_pauses(contraster: Contraster) -> None:
    """A pause is a person's will; one that lasts may have been forgotten."""
    f = contraster.finishing
    pausas = f.ledger.pausas()
    long = [p for p in pausas if f.clock() - p.desde >= LARGA]
    f.measure(Metrica.EN_PAUSA, len(pausas))
    f.measure(Metrica.PAUSAS_LARGAS, len(long))
    for pausa in long:
        hours = (f.clock() - pausa.desde) // timedelta(hours=1)
        f.logger.warning("en_pausa", extra={"cuenta": pausa.cuenta or "todas", "horas": hours})


def _close_nights(contraster: Contraster, pulses: Sequence[Pulso], remaining: Callable[[], timedelta]) -> int:
    """The daily close of every cuenta that it is due for, while there is time."""
    closed = 0
    for pulso in pulses:
        if remaining() < TIME_FOR_A_CUENTA:
            break
        try:
            closed += close(pulso, contraster, remaining=remaining)
        except (ClientError, BotoCoreError, CuentaMalConfigurada) as error:
            logger.exception("sin_cerrar", extra={"cuenta": pulso.cuenta, "codigo": type(error).__name__})
    return closed


def _ask_quotas(contraster: Contraster, pulses: Sequence[Pulso], remaining: Callable[[], timedelta]) -> None:
    """What is left of the plan of each cuenta, once an hour."""
    for pulso in pulses:
        if remaining() < TIME_FOR_A_CUENTA:
            break
        try:
            if not ask_quota(pulso, contraster):
                break
        except (ClientError, BotoCoreError, CuentaMalConfigurada) as error:
            logger.exception("sin_cupo_consultado", extra={"cuenta": pulso.cuenta, "codigo": type(error).__name__})


def _start_runs(contraster: Contraster, pulses: Sequence[Pulso]) -> int:
    """Of every cuenta that one is due for: its wait is over, or the one that was started died. None during a pause."""
    started = 0
    for pulso in pulses:
        if pulso.pausa or not pulso.arriendo.is_due(now()):
            continue
        try:
            contraster.corridas.start(pulso.arriendo)
            started += 1
        except (ClientError, BotoCoreError) as error:
            logger.exception("sin_corrida", extra={"cuenta": pulso.cuenta, "codigo": type(error).__name__})
    return started


def _due(contraster: Contraster, pulses: Sequence[Pulso]) -> list[Pulso]:
    """What something waits for comes first; then by how long ago it was looked at."""
    e = contraster.environment
    due = [p for p in pulses if is_worth(p.ritmo, every=e.every, due=e.due, now=now())]
    return sorted(due, key=lambda p: (not p.ritmo.esperan, p.ritmo.contrastado or _NEVER))
