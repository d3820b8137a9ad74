"""Lambda handler: the stream's inserted hooks in, states and events out; a run for the errors."""

from __future__ import annotations

import os
from collections import Counter
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from facturacion.contraster import ContrastEnvironment, Contraster
from facturacion.cuentas import CuentaMalConfigurada
from facturacion.environment import Reader
from facturacion.estado import Estado
from facturacion.folding import Stored, fold_and_tell, stored_hook
from facturacion.observability import Medidor, logger_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from facturacion.asiento import Asiento

logger = logger_for("follow_hooks")
medidor = Medidor("follow_hooks")


class Environment:
    """The variables of this function."""

    @staticmethod
    def from_env(env: Mapping[str, str]) -> ContrastEnvironment:
        read = Reader(env)
        environment = ContrastEnvironment.read(read)
        read.done()
        return environment


@cache
def _contraster() -> Contraster:
    return Contraster.build(Environment.from_env(os.environ), logger=logger, medidor=medidor)


@medidor.published
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    contraster = _contraster()
    issued: Counter[str] = Counter()
    errors: dict[str, list[Asiento]] = {}
    failed: str | None = None
    for record in event["Records"]:
        hook = stored_hook(record["dynamodb"]["NewImage"])
        try:
            asiento = _follow(hook, contraster)
        except (ClientError, BotoCoreError) as error:
            # The stream gives this record and the later ones again: what was folded finds itself folded.
            logger.exception("hook_sin_aplicar", extra={"cuenta": hook.cuenta, "codigo": type(error).__name__})
            failed = record["dynamodb"]["SequenceNumber"]
            break
        if asiento and asiento.estado is Estado.EMITIDO and asiento.abierto:
            issued[hook.cuenta] += 1
        if asiento and asiento.estado is Estado.ERROR:
            # Also on a repeat: whoever folded it may have died before its run was woken.
            errors.setdefault(hook.cuenta, []).append(asiento)
    heard = {stored_hook(r["dynamodb"]["NewImage"]).cuenta for r in event["Records"]}
    if not _wake_runs(errors, contraster):
        failed = event["Records"][0]["dynamodb"]["SequenceNumber"]
    if failed:
        _note_heard(heard, contraster)
        return {"batchItemFailures": [{"itemIdentifier": failed}]}
    _note_heard(heard - issued.keys(), contraster)
    remaining = lambda: timedelta(milliseconds=context.get_remaining_time_in_millis())  # noqa: E731
    for alias, how_many in sorted(issued.items()):
        _fetch_caes(alias, how_many, contraster, remaining)
    return {"batchItemFailures": []}


def _wake_runs(errors: Mapping[str, list[Asiento]], contraster: Contraster) -> bool:
    """One wake-up for all the errors of a cuenta: a burst of them makes one run. False: the records come again."""
    woken = True
    for alias, asientos in errors.items():
        try:
            contraster.corridas.wake(asientos)
        except (ClientError, BotoCoreError) as error:
            logger.exception("sin_corrida", extra={"cuenta": alias, "codigo": type(error).__name__})
            woken = False
    return woken


def _note_heard(cuentas: Iterable[str], contraster: Contraster) -> None:
    """That the provider speaks to us is a figure for people; nothing waits for it."""
    try:
        contraster.heard(sorted(cuentas))
    except (ClientError, BotoCoreError) as error:
        logger.exception("hooks_sin_anotar", extra={"codigo": type(error).__name__})


def _follow(hook: Stored, contraster: Contraster) -> Asiento | None:
    f = contraster.finishing
    asiento = fold_and_tell(hook, ledger=f.ledger, bus=f.bus, at=f.clock())
    logger.info(
        "hook_aplicado",
        extra={
            "cuenta": hook.cuenta,
            "external_reference": hook.external_reference,
            "hook_id": hook.hook_id,
            "evento": hook.evento,
            "estado": asiento.estado if asiento else None,
        },
    )
    return asiento


def _fetch_caes(alias: str, how_many: int, contraster: Contraster, remaining: Callable[[], timedelta]) -> None:
    """With all that wait, where that is worth a query. What fails, or is not worth it yet, is the reconciliation's."""
    try:
        ritmo = contraster.owe(alias, how_many)
        cuenta = contraster.cuentas.get(alias)
        if cuenta:
            contraster.contrast(cuenta, ritmo, remaining=remaining)
    except (ClientError, BotoCoreError, CuentaMalConfigurada) as error:
        logger.exception("sin_contrastar", extra={"cuenta": alias, "codigo": type(error).__name__})
