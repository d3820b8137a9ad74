"""Doing what was planned, in its order: one comprobante at a time, the provider asked first, each time.

The steps for one, and what a crash right after each leaves behind:

1. ask by reference             nothing: the plan stands, and is looked at again
2. the intent, on `version`     an error whose plan is void: the next look asks, and plans anew
3. the call                     the same: what the provider made of it is seen by asking, never by calling again
4. the result, on `version`     its note, which the next look drops
5. the event                    `evento_pendiente`, which the reconciliation publishes

The lease is looked at right before each call: a task that lost it to another run, or to a later task of its own run
because Step Functions took it for dead, does nothing more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple, assert_never

from facturacion.accion import Accion, Autor
from facturacion.asiento import DUPLICADA, Asiento, Causa, Refused
from facturacion.estado import Estado, fold
from facturacion.metricas import DE_ACCION, Metrica
from resolve_errors.dates import Fechas
from resolve_errors.looking import Mirada, ask_one, read
from resolve_errors.planning import Hacer
from tusfacturas.outcomes import BorradoParcial, Hecho, Incierto, NoEnviado, Rechazado

if TYPE_CHECKING:
    from facturacion.ledger import Intento, Pendiente
    from resolve_errors.looking import Mostrado, Visto, World
    from resolve_errors.planning import Paso

TIME_TO_ACT = timedelta(seconds=90)
"""A query and an operation (30 s each, and the time to connect), and their records."""
FOLDS_TRIED = 3
DUPLICADO = Causa(
    DUPLICADA,
    "comprobante.external_reference",
    "TusFacturas tenía varios comprobantes con esta referencia y borró solo algunos: puede haber una duplicada.",
)


class Planned(NamedTuple):
    """What was planned, read from its note. `fechas`: of a change of date."""

    accion: Accion
    fechas: Fechas | None


class Acto(NamedTuple):
    """One action whose intent is written, with what it was decided on."""

    planned: Planned
    visto: Visto
    shown: Mostrado
    intento: Intento

    @property
    def asiento(self) -> Asiento:
        return self.intento.asiento

    @property
    def causas(self) -> tuple[Causa, ...]:
        return self.visto.paso.causas

    @property
    def vistos(self) -> frozenset[str]:
        """The hooks that were read before the ask."""
        return frozenset(h.hook_id for h in self.visto.hooks)


@dataclass(slots=True)
class Hechos:
    """What a slice came to. `left`: planned, and there was no time. `held`: the provider takes nothing now.

    `paused`: a person holds the cuenta, and nothing of it may be touched. `gap`: one in the line is to be planned anew,
    so that nothing behind it that keeps the order is done now.
    """

    done: int = 0
    gap: bool = False
    left: bool = False
    held: bool = False
    paused: bool = False
    lost: bool = False


def read_plan(plan: str) -> Planned:
    """`plan`: as the note keeps it, `reenviar` or `cambiar_fecha:2026-11-22:2026-12-02`."""
    accion, *dates = plan.split(":")
    fechas = Fechas(*map(date.fromisoformat, dates)) if dates else None
    return Planned(Accion(accion), fechas)


def act(world: World, corrida: str) -> Hechos:
    """Everything planned, until there is no time, the provider takes nothing, or the lease is lost."""
    hechos = Hechos()
    now = world.clock()
    for pendiente in world.ledger.pendientes(world.cuenta):
        if pendiente.plan is None:
            # Noted anew since it was planned: a later one may not overtake it.
            hechos.gap = hechos.gap or pendiente.desde is None or pendiente.desde <= now
            continue
        if hechos.gap and _keeps_the_order(read_plan(pendiente.plan)):
            continue
        if world.remaining() < TIME_TO_ACT:
            hechos.left = True
            break
        if not _one(world, corrida, pendiente, hechos):
            break
    return hechos


def _one(world: World, corrida: str, pendiente: Pendiente, hechos: Hechos) -> bool:
    """Whether the next may be done."""
    planned = read_plan(pendiente.plan or "")
    asiento = world.ledger.get(world.cuenta, pendiente.external_reference)
    if asiento is None or asiento.estado is not Estado.ERROR:
        world.ledger.drop(pendiente)
        return True
    visto = read(world, pendiente, asiento)
    if not _still_planned(visto.paso, planned):
        # Something came meanwhile, or a person decided: it is planned anew.
        world.ledger.set_plan(pendiente, None)
        hechos.gap = True
        return True
    mirada = Mirada()
    shown = ask_one(world, visto, mirada)
    if not mirada.answered:
        hechos.held = True
        return False
    if shown is None:
        return True
    if world.ledger.pausa_of(world.cuenta):
        hechos.paused = True
        return False
    intento = world.ledger.intend(
        shown.asiento,
        planned.accion,
        Autor(corrida, ", ".join(c.codigo for c in visto.paso.causas) or "decisión"),
        expires=world.keep,
        fecha=planned.fechas.fecha if planned.fechas else None,
        vencimiento=planned.fechas.vencimiento if planned.fechas else None,
        causas=visto.paso.causas,
    )
    if isinstance(intento, Refused):
        world.ledger.set_plan(pendiente, None)
        hechos.gap = True
        return True
    world.ledger.set_plan(pendiente, None)
    acto = Acto(planned, visto, shown, intento)
    if not world.ledger.arriendo(world.cuenta).is_still(world.arriendo, world.clock()):
        hechos.lost = True
        _not_done(world, acto, "SinArriendo", "otra tarea tiene el arriendo: no se hizo nada")
        return False
    return _do(world, acto, hechos)


def _keeps_the_order(planned: Planned) -> bool:
    return planned.accion in {Accion.REENVIAR, Accion.CAMBIAR_FECHA}


def _still_planned(paso: Paso, planned: Planned) -> bool:
    """Whether what follows from the comprobante as it is now is what was planned; a person's date included."""
    if not isinstance(paso, Hacer) or paso.accion is not planned.accion:
        return False
    return paso.fecha is None or (planned.fechas is not None and planned.fechas.fecha == paso.fecha)


def _do(world: World, acto: Acto, hechos: Hechos) -> bool:
    """The call and its record; whether the next may be done."""
    outcome = _call(world, acto)
    codigo = "Hecho" if isinstance(outcome, Hecho) else outcome.codigo
    detalle = "" if isinstance(outcome, Hecho) else outcome.detalle
    world.log("accion", acto.asiento, accion=acto.planned.accion, codigo=codigo, detalle=detalle)
    world.count(DE_ACCION[acto.planned.accion], 1, cuenta=world.cuenta)
    match outcome:
        case Hecho():
            hechos.done += 1
            if _done(world, acto) and acto.planned.accion is not Accion.CAMBIAR_FECHA:
                # If the next error came during our call, it was noted anew, and stays.
                world.ledger.drop(acto.visto.pendiente)
        case NoEnviado():
            hechos.held = True
            _not_done(world, acto, codigo, detalle)
            return False
        case BorradoParcial():
            _suspect(world, acto)
        case Incierto():
            # Whatever it did is seen by asking; the others wait until the provider answers again.
            hechos.held = True
        case Rechazado():
            # Not found, or not done: where it is now is seen by asking.
            pass
        case _:
            assert_never(outcome)
    world.ledger.ended(acto.intento, codigo, detalle)
    return not hechos.held


def _not_done(world: World, acto: Acto, codigo: str, detalle: str) -> None:
    """It certainly had no effect: it does not count, and is planned again after a resend wait, not at once."""
    world.ledger.not_done(acto.asiento, acto.planned.accion, acto.shown.asiento)
    world.ledger.ended(acto.intento, codigo, detalle)


def _call(world: World, acto: Acto) -> Hecho | Rechazado | NoEnviado | Incierto:
    reference = acto.asiento.external_reference
    match acto.planned:
        case Planned(Accion.CAMBIAR_FECHA, Fechas(fecha=fecha, vencimiento=vencimiento)):
            return world.cliente.cambiar_fecha_encolado(reference, fecha, vencimiento)
        case Planned(Accion.ELIMINAR | Accion.DESISTIR):
            dated = acto.shown.encontrado.fecha or acto.asiento.datos.fecha
            assert dated is not None  # noqa: S101 - every claim writes it
            return world.cliente.eliminar_encolado(reference, dated)
        case _:
            return world.cliente.reenviar_encolado(reference)


def _done(world: World, acto: Acto) -> bool:
    """Whether it was written."""
    written: Asiento | Refused
    match acto.planned:
        case Planned(Accion.CAMBIAR_FECHA, Fechas(fecha=fecha, vencimiento=vencimiento)):
            written = _dated(world, acto, Fechas(fecha, vencimiento))
        case Planned(Accion.ELIMINAR | Accion.DESISTIR):
            written = world.ledger.deleted(acto.asiento, acto.causas or acto.asiento.causas)
        case _:
            written = _back_in_the_queue(world, acto.asiento, acto.vistos)
    # The hook of our own deletion may have been faster: then it is told here all the same.
    after = written if isinstance(written, Asiento) else written.stored
    if after and (isinstance(written, Asiento) or after.estado is Estado.ELIMINADO):
        # The asiento keeps its causes cut; the event of a deletion has them whole.
        world.tell(after, (acto.causas or None) if after.estado is Estado.ELIMINADO else None)
    return isinstance(written, Asiento)


def _dated(world: World, acto: Acto, fechas: Fechas) -> Asiento | Refused:
    """In error still; the hook of our own change may have been faster, and moved nothing but `version`."""
    written = world.ledger.dated(acto.asiento, fechas.fecha, fechas.vencimiento, acto.vistos)
    for _ in range(FOLDS_TRIED):
        if isinstance(written, Asiento) or not _same_error(written.stored, acto.asiento):
            break
        stored = written.stored or acto.asiento
        written = world.ledger.dated(stored, fechas.fecha, fechas.vencimiento, acto.vistos)
    return written


def _suspect(world: World, acto: Acto) -> None:
    """«PARCIAL»: several comprobantes had the reference. A person must look; nothing more is done about it."""
    world.count(Metrica.DUPLICADOS, 1, cuenta=world.cuenta)
    world.logger.error(
        "duplicado", extra={"cuenta": world.cuenta, "external_reference": acto.asiento.external_reference}
    )
    written = world.ledger.suspect(acto.asiento, DUPLICADO)
    for _ in range(FOLDS_TRIED):
        if isinstance(written, Asiento) or written.stored is None:
            break
        written = world.ledger.suspect(written.stored, DUPLICADO)
    if isinstance(written, Asiento):
        world.tell(written)


def _back_in_the_queue(world: World, asiento: Asiento, vistos: frozenset[str]) -> Asiento | Refused:
    """ENCOLADO, unless an error came during our own call: then what the fold makes of it.

    What a person decided during our call is not swallowed either: it stands, and the next look asks.
    """
    written = world.ledger.resent(asiento, Estado.ENCOLADO, vistos)
    for _ in range(FOLDS_TRIED):
        if isinstance(written, Asiento) or not _same_error(written.stored, asiento):
            break
        hooks = world.ledger.hooks(asiento.cuenta, asiento.external_reference)
        estado = fold(Estado.ENCOLADO, asiento.previos, vistos, hooks).estado
        written = world.ledger.resent(written.stored or asiento, estado, vistos)
    return written


def _same_error(stored: Asiento | None, asiento: Asiento) -> bool:
    return (
        stored is not None
        and stored.estado is Estado.ERROR
        and (stored.lote_id, stored.decision) == (asiento.lote_id, asiento.decision)
    )
