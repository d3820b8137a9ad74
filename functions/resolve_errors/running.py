"""The tasks of a run: take the lease, look and plan, act, give the lease back. `flow.asl.json` says what follows what.

    tomar → (asentar) → planear → actuar → (asentar) → planear → … → soltar

A crash in any task leaves the lease to its end and everything else in the ledger: Step Functions repeats the task, and
if the whole execution dies the reconciliation starts another one when the lease has expired.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from facturacion.cuentas import CuentaMalConfigurada
from resolve_errors import planning
from resolve_errors.acting import act
from resolve_errors.looking import World, look

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from aws_lambda_powertools import Logger

    from facturacion.corridas import Corridas
    from facturacion.cuentas import Cuenta, Cuentas
    from facturacion.events import Bus
    from facturacion.ledger import Arriendo, Ledger
    from facturacion.observability import Anotar
    from tusfacturas.catalogue import Catalogo
    from tusfacturas.client import Cliente

VUELTAS_MAX = 200
"""Rounds of one execution: its history may hold 25,000 events, and a round makes some twenty."""
LEASE_MARGIN = timedelta(seconds=60)
STAYS_FOR = 3
"""A run stays, and looks every SettleSeconds, for what is due within this many resend waits; for later it ends."""


@dataclass(frozen=True, slots=True)
class Terms:
    """`settle`: between two rounds, to gather. `keep`: how long the timeline is kept."""

    quiet: timedelta
    settle: timedelta
    resend_wait: timedelta
    keep: timedelta


@dataclass(frozen=True, slots=True)
class Outside:
    """Everything outside: AWS, the provider, the clock."""

    ledger: Ledger
    bus: Bus
    cuentas: Cuentas
    corridas: Corridas
    connect: Callable[[Cuenta], Cliente]
    catalogo: Catalogo
    clock: Callable[[], datetime]
    logger: Logger
    count: Anotar
    terms: Terms


@dataclass(frozen=True, slots=True)
class Corrida:
    """An execution of the state machine: its name holds the lease."""

    cuenta: str
    nombre: str
    vuelta: int


@dataclass(frozen=True, slots=True)
class Sigue:
    """What the state machine does next: `asentar` waits `segundos`, `fin` ends."""

    cuenta: str
    vuelta: int
    siguiente: str
    segundos: int = 0

    def as_output(self) -> dict[str, Any]:
        return {
            "cuenta": self.cuenta,
            "vuelta": self.vuelta,
            "siguiente": self.siguiente,
            "segundos": self.segundos,
        }


def run_task(paso: str, corrida: Corrida, o: Outside, *, remaining: Callable[[], timedelta]) -> Sigue:
    """One task. Raises ValueError for a task that does not exist."""
    match paso:
        case "tomar":
            return _take(corrida, o, remaining)
        case "planear":
            return _with_provider(corrida, o, remaining, _plan)
        case "actuar":
            return _with_provider(corrida, o, remaining, _act)
        case "soltar":
            return _release(corrida, o, remaining)
        case "abandonar":
            return _pause(corrida, o, None, "la corrida no pudo seguir")
        case _:
            raise ValueError(f"no such task: {paso}")


def _next(corrida: Corrida, siguiente: str, wait: timedelta = timedelta(0)) -> Sigue:
    return Sigue(corrida.cuenta, corrida.vuelta, siguiente, max(1, round(wait.total_seconds())))


def _lease_until(o: Outside, remaining: Callable[[], timedelta]) -> datetime:
    """This task, the wait after it, and the start of the next one."""
    return o.clock() + remaining() + o.terms.settle + LEASE_MARGIN


def _take(corrida: Corrida, o: Outside, remaining: Callable[[], timedelta]) -> Sigue:
    if o.ledger.take_lease(corrida.cuenta, corrida.nombre, _lease_until(o, remaining)) is None:
        # Another run has it: it reads what was noted before it may end.
        return _next(corrida, "fin")
    return _next(corrida, "asentar", o.terms.settle)


def _with_provider(
    corrida: Corrida,
    o: Outside,
    remaining: Callable[[], timedelta],
    task: Callable[[Corrida, Outside, World], Sigue],
) -> Sigue:
    arriendo = o.ledger.renew_lease(corrida.cuenta, corrida.nombre, _lease_until(o, remaining))
    if arriendo is None:
        return _next(corrida, "fin")
    try:
        cuenta = o.cuentas.get(corrida.cuenta)
    except CuentaMalConfigurada as error:
        return _pause(corrida, o, arriendo, str(error))
    if cuenta is None:
        return _pause(corrida, o, arriendo, "la cuenta no tiene secreto")
    with o.connect(cuenta) as cliente:
        return task(corrida, o, _world(arriendo, o, cliente, remaining))


def _world(arriendo: Arriendo, o: Outside, cliente: Cliente, remaining: Callable[[], timedelta]) -> World:
    return World(
        cuenta=arriendo.cuenta,
        arriendo=arriendo,
        ledger=o.ledger,
        bus=o.bus,
        cliente=cliente,
        catalogo=o.catalogo,
        clock=o.clock,
        remaining=remaining,
        logger=o.logger,
        count=o.count,
        quiet=o.terms.quiet,
        settle=o.terms.settle,
        terms=planning.Terms(resend_wait=o.terms.resend_wait, quiet=o.terms.quiet),
        keep=o.terms.keep,
    )


def _plan(corrida: Corrida, o: Outside, world: World) -> Sigue:
    if corrida.vuelta >= VUELTAS_MAX:
        return _succeed(corrida, o, world.arriendo)
    mirada = look(world)
    corrida = Corrida(corrida.cuenta, corrida.nombre, corrida.vuelta + 1)
    if mirada.planned:
        return _next(corrida, "actuar")
    if not mirada.answered:
        return _pause(corrida, o, world.arriendo, "TusFacturas no responde")
    if not mirada.whole:
        return _next(corrida, "planear")
    return _next(corrida, "soltar")


def _act(corrida: Corrida, o: Outside, world: World) -> Sigue:
    hechos = act(world, corrida.nombre)
    if hechos.lost:
        return _outrun(corrida, o)
    if hechos.paused:
        return _pause(corrida, o, world.arriendo, "la cuenta está en pausa")
    if hechos.held:
        return _pause(corrida, o, world.arriendo, "TusFacturas no recibe operaciones")
    if hechos.left:
        return _next(corrida, "actuar")
    return _next(corrida, "asentar", o.terms.settle)


def _release(corrida: Corrida, o: Outside, remaining: Callable[[], timedelta]) -> Sigue:
    """`pedidos` is read before the errors: a wake-up that comes after it refuses the release."""
    arriendo = o.ledger.renew_lease(corrida.cuenta, corrida.nombre, _lease_until(o, remaining))
    if arriendo is None:
        return _next(corrida, "fin")
    now = o.clock()
    due = [p.desde or now for p in o.ledger.pendientes(corrida.cuenta)]
    soonest = min(due, default=None)
    if soonest is not None and soonest - now <= STAYS_FOR * o.terms.resend_wait:
        return _next(corrida, "asentar", min(max(soonest - now, timedelta(seconds=1)), o.terms.settle))
    released = o.ledger.release(arriendo, debida=soonest)
    return _next(corrida, "fin") if released else _next(corrida, "asentar", o.terms.settle)


def _pause(corrida: Corrida, o: Outside, arriendo: Arriendo | None, motivo: str) -> Sigue:
    """Nothing can be done now: the reconciliation starts another run after a resend wait.

    `arriendo`: as this task renewed it; None where the whole execution ends, whatever its tasks are doing.
    """
    o.logger.warning("corrida_en_pausa", extra={"cuenta": corrida.cuenta, "corrida": corrida.nombre, "motivo": motivo})
    debida, tarea = o.clock() + o.terms.resend_wait, arriendo.tarea if arriendo else None
    given_back = o.ledger.abandon(corrida.cuenta, corrida.nombre, debida=debida, tarea=tarea)
    return _next(corrida, "fin") if given_back else _outrun(corrida, o)


def _outrun(corrida: Corrida, o: Outside) -> Sigue:
    """The lease is not this task's any more.

    A later task of the same run has it: Step Functions took one of the two for dead. It hears this one or the other,
    so whichever it is goes on. Else another run has it, or nobody, and this one is over.
    """
    again = o.ledger.arriendo(corrida.cuenta).corrida == corrida.nombre
    return _next(corrida, "asentar", o.terms.settle) if again else _next(corrida, "fin")


def _succeed(corrida: Corrida, o: Outside, arriendo: Arriendo) -> Sigue:
    """The history of an execution is bounded: its successor goes on, started by the reconciliation after a crash."""
    if not o.ledger.abandon(corrida.cuenta, corrida.nombre, debida=o.clock(), tarea=arriendo.tarea):
        return _outrun(corrida, o)
    o.corridas.start(o.ledger.arriendo(corrida.cuenta))
    return _next(corrida, "fin")
