"""Looking at the errors of a cuenta: what each is, what the provider says of it now, and what is to be done.

Nothing is done to a comprobante here. What is written is what the provider's answers prove (as `asking` does), and on
each note what is planned or until when it waits; a crash anywhere leaves the rest to the next look.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from facturacion.accion import Accion
from facturacion.asiento import DUPLICADA, Asiento, Causa, Refused
from facturacion.asking import Hallado, Preguntado, conclude, forget_absence, read_present
from facturacion.estado import Estado
from facturacion.metricas import DE_CLASE, Metrica
from facturacion.telling import tell
from facturacion.ventana import today
from resolve_errors.dates import Fechas, SinFecha, new_dates
from resolve_errors.planning import Aguardar, Estacionar, Hacer, plan
from tusfacturas.catalogue import read_lines
from tusfacturas.classify import classify
from tusfacturas.outcomes import Consulta, Encontrado, Servicios

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date, datetime

    from aws_lambda_powertools import Logger

    from facturacion.estado import Hook
    from facturacion.events import Bus
    from facturacion.ledger import Arriendo, Ledger, Pendiente
    from facturacion.observability import Anotar
    from resolve_errors.planning import Paso, Terms
    from tusfacturas.catalogue import Catalogo, Clase
    from tusfacturas.classify import Clasificacion
    from tusfacturas.client import Cliente

PAGE = 1_000
FEW = 3
"""Up to this many of one fecha are asked by reference: cheaper for the provider than a page of the whole day."""
TIME_TO_LOOK = timedelta(seconds=60)
"""A query, and the records of what it says."""
DAYS_AHEAD = 10
"""How far ahead of today a comprobante may have been issued (ARCA's window for services)."""


@dataclass(frozen=True, slots=True)
class World:
    """Everything outside, for one task of a run of one cuenta. `remaining`: until Lambda ends it.

    `arriendo`: the lease as this task renewed it.
    """

    cuenta: str
    arriendo: Arriendo
    ledger: Ledger
    bus: Bus
    cliente: Cliente
    catalogo: Catalogo
    clock: Callable[[], datetime]
    remaining: Callable[[], timedelta]
    logger: Logger
    count: Anotar
    quiet: timedelta
    settle: timedelta
    terms: Terms
    keep: timedelta

    def log(self, what: str, asiento: Asiento, **fields: object) -> None:
        its = {"external_reference": asiento.external_reference, "lote_id": asiento.lote_id}
        self.logger.info(what, extra={"cuenta": self.cuenta, **its, **fields})

    def tell(self, asiento: Asiento, causas: Sequence[Causa] | None = None) -> None:
        if asiento.evento_pendiente and asiento.estado is not Estado.EMITIDO:
            tell([(asiento, causas)], ledger=self.ledger, bus=self.bus, at=self.clock())


class Visto(NamedTuple):
    """An error, read: the note, the asiento, its hooks, their class (None: no words), and what follows from them."""

    pendiente: Pendiente
    asiento: Asiento
    hooks: tuple[Hook, ...]
    clase: Clase | None
    paso: Paso


class Mostrado(NamedTuple):
    """An error that the provider has as well; `asiento` as it is after the ask."""

    asiento: Asiento
    encontrado: Encontrado


@dataclass(slots=True)
class Mirada:
    """What a look came to. `planned`: how many are to be done now. `next_due`: when something else is."""

    planned: int = 0
    next_due: datetime | None = None
    answered: bool = True
    whole: bool = True

    def wait_until(self, instant: datetime) -> None:
        self.next_due = min(self.next_due or instant, instant)


def read(world: World, pendiente: Pendiente, asiento: Asiento) -> Visto:
    """Hooks before the ask: what an answer proves depends on them."""
    stored = world.ledger.hooks_with_words(asiento.cuenta, asiento.external_reference)
    live = [words for hook, words in stored if hook.hook_id not in asiento.vistos]
    clasificacion = _classify(world.catalogo, live)
    paso = plan(asiento, pendiente, clasificacion, now=world.clock(), terms=world.terms)
    clase = clasificacion.clase if clasificacion else None
    return Visto(pendiente, asiento, tuple(hook for hook, _ in stored), clase, paso)


def _is_first_look(visto: Visto) -> bool:
    """Nothing was planned about this error yet, nor put off, nor done, nor decided."""
    note, asiento = visto.pendiente, visto.asiento
    begun = note.plan or note.desde or asiento.intentado or asiento.por_reenviar or asiento.decision
    return not begun


def _classify(catalogo: Catalogo, live: Sequence[Sequence[str]]) -> Clasificacion | None:
    lines = [line for words in live for line in read_lines(words)]
    return classify(lines, catalogo) if lines else None


def look(world: World) -> Mirada:
    """Plan everything that is due, in the order in which it was posted.

    A resend keeps its place: while an earlier one waits, the later ones wait for it.
    """
    done = Mirada()
    now = world.clock()
    # Half of the time for reading, half for asking about what was read: each look comes to something.
    enough = max(TIME_TO_LOOK, world.remaining() / 2)
    pendientes = world.ledger.pendientes(world.cuenta)
    asientos = {
        a.external_reference: a for a in world.ledger.get_many(world.cuenta, [p.external_reference for p in pendientes])
    }
    fila_hasta: datetime | None = None
    due: list[Visto] = []
    for pendiente in pendientes:
        if world.remaining() < enough:
            done.whole = False
            break
        asiento = asientos.get(pendiente.external_reference)
        if asiento is None or asiento.estado is not Estado.ERROR:
            # Noted before it was read: if it came to be in error again since, it was noted anew, and stays.
            world.ledger.drop(pendiente)
            continue
        if pendiente.desde and pendiente.desde > now:
            done.wait_until(pendiente.desde)
            if pendiente.en_fila:
                fila_hasta = max(fila_hasta or pendiente.desde, pendiente.desde)
            continue
        visto = read(world, pendiente, asiento)
        if _is_first_look(visto):
            world.count(DE_CLASE[visto.clase], 1, cuenta=world.cuenta)
        match visto.paso:
            case Aguardar(hasta=hasta, en_fila=False):
                _postpone(world, visto, hasta, done, en_fila=False, espera="espera para intentarlo otra vez")
            case Aguardar(hasta=hasta):
                fila_hasta = max(fila_hasta or hasta, hasta)
                _postpone(world, visto, fila_hasta, done, en_fila=True, espera="espera su turno para reenviarse")
            case Hacer(en_fila=True) if fila_hasta and fila_hasta > now:
                _postpone(world, visto, fila_hasta, done, en_fila=True, espera="espera a uno anterior")
            case _:
                due.append(visto)
    _ask_all(world, due, done)
    return done


def _postpone(world: World, visto: Visto, until: datetime, done: Mirada, *, en_fila: bool, espera: str) -> None:
    world.ledger.postpone(visto.pendiente, until, en_fila=en_fila, espera=espera)
    done.wait_until(until)


# -- the provider first ----------------------------------------------------------------------------------------------


def _ask_all(world: World, due: Sequence[Visto], done: Mirada) -> None:
    """What the provider has of each; those that are still in error are planned."""
    still: list[tuple[Visto, Mostrado]] = []
    by_fecha = sorted(due, key=lambda v: str(v.asiento.datos.fecha))
    for fecha, group in groupby(by_fecha, key=lambda v: v.asiento.datos.fecha):
        still += [(v, shown) for v, shown in _ask_group(world, fecha, list(group), done) if shown is not None]
    order = {visto.pendiente.sk: n for n, visto in enumerate(due)}
    _plan_all(world, sorted(still, key=lambda pair: order[pair[0].pendiente.sk]), done)


def _ask_group(
    world: World, fecha: date | None, group: list[Visto], done: Mirada
) -> list[tuple[Visto, Mostrado | None]]:
    found: dict[str, list[Encontrado]] = {}
    if fecha is not None and len(group) > FEW:
        asked = {v.asiento.external_reference for v in group}
        for shown in _pages(world, fecha, done):
            if shown.external_reference in asked:
                found.setdefault(shown.external_reference, []).append(shown)
    settled: list[tuple[Visto, Mostrado | None]] = []
    for visto in group:
        if not done.answered or world.remaining() < TIME_TO_LOOK:
            done.whole = False
            break
        encontrado = in_error(found.get(visto.asiento.external_reference, ()))
        # What a page shows in error is asked about by reference before anything is done; the rest is asked now.
        if encontrado is None:
            settled.append((visto, ask_one(world, visto, done)))
        else:
            settled.append((visto, _shown(world, visto.asiento, encontrado)))
    return settled


def _pages(world: World, fecha: date, done: Mirada) -> Iterable[Encontrado]:
    pagina = 0
    while done.answered:
        if world.remaining() < TIME_TO_LOOK:
            done.whole = False
            return
        answer = world.cliente.consulta_por_fecha(fecha, pagina=pagina, limite=PAGE)
        if not isinstance(answer, Consulta):
            _unanswered(world, answer.codigo, done)
            return
        yield from answer.comprobantes
        pagina += 1
        if not answer.comprobantes or pagina * PAGE >= answer.total:
            return


def in_error(shown: Sequence[Encontrado]) -> Encontrado | None:
    """The one comprobante that the provider shows, if it is in error there."""
    if not shown:
        return None
    hallado = read_present(shown)
    present = isinstance(hallado, Hallado) and hallado.estado is Estado.ERROR
    return shown[0] if present else None


def ask_one(world: World, visto: Visto, done: Mirada) -> Mostrado | None:
    """What is in error at the provider; None for whatever else it is there, which is written and told.

    A person's decision to delete holds for what is queued as well: the provider deletes from its queue either way.
    """
    asiento = visto.asiento
    asked_at = world.clock()
    answer = world.cliente.consulta_por_referencia(asiento.external_reference)
    if not isinstance(answer, Consulta):
        forget_absence(asiento, world.ledger)
        _unanswered(world, answer.codigo, done)
        return None
    iguales = answer.con_referencia(asiento.external_reference)
    encontrado = in_error(iguales)
    if encontrado is None and len(iguales) == 1 and _to_delete(visto.paso) and iguales[0].situacion == "EN_COLA":
        encontrado = iguales[0]
    if encontrado is not None:
        return _shown(world, asiento, encontrado)
    preguntado = conclude(
        asiento, visto.hooks, answer, ledger=world.ledger, asked_at=asked_at, quiet=world.quiet, settle=world.settle
    )
    _settled(world, visto, preguntado, asked_at, done)
    return None


def _shown(world: World, asiento: Asiento, encontrado: Encontrado) -> Mostrado:
    """Seen there: an absence noted before counts no more, and if it goes away later it was there."""
    seen = forget_absence(asiento, world.ledger)
    if not seen.en_cola:
        written = world.ledger.evidence(seen)
        seen = written.stored or seen if isinstance(written, Refused) else written
    return Mostrado(seen, encontrado)


def _to_delete(paso: Paso) -> bool:
    return isinstance(paso, Hacer) and paso.por_persona and paso.accion in {Accion.ELIMINAR, Accion.DESISTIR}


def _settled(world: World, visto: Visto, preguntado: Preguntado, asked_at: datetime, done: Mirada) -> None:
    after = preguntado.asiento
    world.log("consultado", after, estado=after.estado, motivo=preguntado.motivo)
    if after.estado is not Estado.ERROR:
        # A deletion of ours whose answer was lost: its reasons, whole.
        ours = after.estado is Estado.ELIMINADO and after.borrado_pedido
        world.tell(after, (visto.paso.causas or None) if ours else None)
        if after.estado is Estado.EN_REVISION and any(c.codigo == DUPLICADA for c in after.causas):
            world.count(Metrica.DUPLICADOS, 1, cuenta=world.cuenta)
        if after.estado is Estado.EMITIDO:
            # Its CAE is fetched by the reconciliation, which gets many with one query.
            world.ledger.owe_contrast(world.cuenta, 1)
        world.ledger.drop(visto.pendiente)
        return
    # Absent, and not believed yet: when the quiet period is over, or the second answer may count.
    quiet_until = after.quieto_desde + world.quiet if after.quieto_desde else asked_at
    until = (after.ausente_desde or asked_at) + world.settle
    if after.ausente_desde is None:
        until = max(until, quiet_until)
    _postpone(world, visto, until, done, en_fila=False, espera=preguntado.motivo)


def _unanswered(world: World, codigo: str, done: Mirada) -> None:
    done.answered = False
    world.logger.warning("sin_respuesta", extra={"cuenta": world.cuenta, "codigo": codigo})


# -- the plan --------------------------------------------------------------------------------------------------------


def _plan_all(world: World, still: Sequence[tuple[Visto, Mostrado]], done: Mirada) -> None:
    """In their order. While the provider reports an outage, nothing is resent by itself."""
    outage = _outage(world, still) if any(_automatic_resend(v.paso) for v, _ in still) else ""
    last_issued: dict[str, date | None] = {}
    for visto, shown in still:
        planned: str | Estacionar
        match visto.paso:
            case Hacer(accion=Accion.CAMBIAR_FECHA) if _dated_meanwhile(world, visto, shown):
                continue  # what is left is its resend: planned at the next look
            case Hacer(accion=Accion.CAMBIAR_FECHA) as paso:
                dates = _with_dates(world, shown, paso, last_issued, done)
                if dates is None:
                    continue
                planned = dates
            case Hacer(accion=accion):
                planned = str(accion)
            case Estacionar() as paso:
                planned = paso
            case Aguardar():
                continue  # it was not due, so it was not asked about
        if isinstance(planned, Estacionar):
            _park(world, visto.pendiente, shown.asiento, planned)
        elif outage and _automatic_resend(visto.paso):
            until = world.clock() + world.terms.resend_wait
            _postpone(world, visto, until, done, en_fila=True, espera=f"TusFacturas informa: {outage}")
        elif world.ledger.set_plan(visto.pendiente, planned):
            done.planned += 1


def _automatic_resend(paso: Paso) -> bool:
    return isinstance(paso, Hacer) and paso.accion is Accion.REENVIAR and not paso.por_persona


def _outage(world: World, still: Sequence[tuple[Visto, Mostrado]]) -> str:
    """What `estado_servicios` says when it says that something is wrong. No answer says nothing."""
    answer = world.cliente.estado_servicios()
    if not isinstance(answer, Servicios) or answer.operativo:
        return ""
    world.logger.warning(
        "reenvios_en_espera", extra={"cuenta": world.cuenta, "detalle": answer.alerta, "comprobantes": len(still)}
    )
    world.count(Metrica.REENVIOS_EN_ESPERA, len(still), cuenta=world.cuenta)
    return answer.alerta


def _with_dates(
    world: World, shown: Mostrado, paso: Hacer, last_issued: dict[str, date | None], done: Mirada
) -> str | Estacionar | None:
    """`cambiar_fecha:{fecha}:{vencimiento}`; or nothing can be done, and why; or (None) it is not known yet."""
    datos, encontrado = shown.asiento.datos, shown.encontrado
    fecha = encontrado.fecha or datos.fecha
    if fecha is None:
        texto = "TusFacturas no muestra la fecha de este comprobante, y aquí tampoco está."
        return Estacionar((Causa("FechaDesconocida", "comprobante.fecha", texto), *paso.causas))
    actuales = Fechas(fecha, datos.vencimiento or fecha)
    if paso.fecha is not None:
        # A person's word; the distance to its vencimiento stays.
        moved: Fechas | SinFecha = Fechas(paso.fecha, paso.fecha + max(actuales.vencimiento - fecha, timedelta(0)))
    else:
        hoy = today(world.clock())
        if encontrado.tipo not in last_issued:
            found = _last_issued(world, encontrado.tipo, hoy, done)
            if not (done.answered and done.whole):
                return None
            last_issued[encontrado.tipo] = found
        moved = new_dates(actuales, tipo=encontrado.tipo, hoy=hoy, ultima=last_issued[encontrado.tipo])
    if isinstance(moved, SinFecha):
        return Estacionar((Causa(moved.codigo, "comprobante.fecha", moved.motivo), *paso.causas))
    return f"{paso.accion}:{moved.fecha.isoformat()}:{moved.vencimiento.isoformat()}"


def _dated_meanwhile(world: World, visto: Visto, shown: Mostrado) -> bool:
    """Whether a change of ours whose answer was lost was done after all: the provider shows another date than we do."""
    asiento, fecha = shown.asiento, shown.encontrado.fecha
    if not asiento.cambios_fecha or fecha is None or asiento.datos.fecha in {None, fecha}:
        return False
    distance = max((asiento.datos.vencimiento or fecha) - (asiento.datos.fecha or fecha), timedelta(0))
    vistos = frozenset(h.hook_id for h in visto.hooks)
    return isinstance(world.ledger.dated(asiento, fecha, fecha + distance, vistos), Asiento)


def _last_issued(world: World, tipo: str, hoy: date, done: Mirada) -> date | None:
    """The last day from today on that has an issued comprobante of this tipo: nothing may be dated before it.

    Where a page could not be had, `done` says so, and the answer means nothing.
    """
    for ahead in range(DAYS_AHEAD, -1, -1):
        day = hoy + timedelta(days=ahead)
        if any(e.situacion == "EMITIDO" and e.tipo == tipo for e in _pages(world, day, done)):
            return day
    return None


def _park(world: World, pendiente: Pendiente, asiento: Asiento, parked: Estacionar) -> None:
    """For a person. What is wrong with the cuenta is told once, whatever the number of comprobantes it holds up."""
    causa = parked.causas[0]
    tell_it = not parked.incidente or world.ledger.open_incident(world.cuenta, causa, asiento)
    written = world.ledger.park(asiento, parked.causas, tell=tell_it)
    if isinstance(written, Refused):
        if parked.incidente and tell_it:
            world.ledger.close_incident(world.cuenta, causa.codigo)
        return
    world.count(Metrica.ESTACIONADOS, 1, cuenta=world.cuenta)
    world.log("en_revision", written, codigo=causa.codigo)
    world.tell(written, parked.causas)
    world.ledger.drop(pendiente)
