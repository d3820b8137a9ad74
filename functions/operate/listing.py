"""What waits for a person, and what is in error: from the index of what is open, with the incidents of each cuenta."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any

from facturacion.estado import Estado
from facturacion.tiempo import to_iso
from facturacion.ventana import hours_left
from operate.decisions import is_foreign
from operate.pausing import pausa_row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from aws_lambda_powertools import Logger

    from facturacion.asiento import Asiento
    from facturacion.corridas import Corridas
    from facturacion.events import Bus
    from facturacion.ledger import Incidente, Ledger, Lugar, Pendiente
    from facturacion.observability import Anotar
    from operate.redriving import Colas
    from operate.requests import Filtro, Listar

AT_A_TIME = 100
TIME_TO_LOOK = timedelta(seconds=10)
"""A page of the index, its asientos, and the answer."""


@dataclass(frozen=True, slots=True)
class World:
    """Everything outside, for one invocation. `remaining`: until Lambda ends it. `keep`: of the timeline."""

    ledger: Ledger
    bus: Bus
    corridas: Corridas
    colas: Colas
    clock: Callable[[], datetime]
    remaining: Callable[[], timedelta]
    logger: Logger
    count: Anotar
    solicitud: str
    keep: timedelta


@dataclass(slots=True)
class Recorrido:
    """A walk through what is open, oldest first, cuenta by cuenta. `sigue`: where it stopped; None at the end."""

    world: World
    cuenta: str | None
    tras: Lugar | None
    sigue: Lugar | None = None

    def __iter__(self) -> Iterator[tuple[Lugar, Asiento]]:
        """`sigue` is the place of what was handed out last, so whoever stops early may go on behind it."""
        for cuenta in self.cuentas():
            after = self.tras if self.tras and self.tras.cuenta == cuenta else None
            places = self.world.ledger.open_places(cuenta, after)
            while page := list(islice(places, AT_A_TIME)):
                references = [lugar.external_reference for lugar in page]
                asientos = {a.external_reference: a for a in self.world.ledger.get_many(cuenta, references)}
                for lugar in page:
                    self.sigue = lugar
                    if lugar.external_reference in asientos:
                        yield lugar, asientos[lugar.external_reference]
                if self.world.remaining() < TIME_TO_LOOK:
                    return
        self.sigue = None

    def cuentas(self) -> list[str]:
        """Those left to walk through: the one that was asked for, or all that ever sent something."""
        every = [self.cuenta] if self.cuenta else sorted(p.cuenta for p in self.world.ledger.pulses())
        return [cuenta for cuenta in every if self.tras is None or cuenta >= self.tras.cuenta]


def matches(asiento: Asiento, filtro: Filtro, now: datetime) -> bool:
    """`codigo`: of the first cause, by which it was parked, and under which it is counted and shown everywhere."""
    wanted = {Estado.EN_REVISION, Estado.ERROR} if filtro.con_errores else {Estado.EN_REVISION}
    return (
        asiento.estado in wanted
        and asiento.external_reference.startswith(filtro.prefijo)
        and (filtro.codigo is None or (bool(asiento.causas) and asiento.causas[0].codigo == filtro.codigo))
        and (asiento.actualizado is None or now - asiento.actualizado >= filtro.mayor_de)
    )


def list_open(world: World, asked: Listar) -> dict[str, Any]:
    """One answer; `sigue` says where the next one goes on. Its figures are of this answer alone."""
    now = world.clock()
    walk = Recorrido(world, asked.filtro.cuenta, asked.tras)
    found: list[Asiento] = []
    held: Counter[tuple[str, str]] = Counter()
    for _, asiento in walk:
        if asiento.estado is Estado.EN_REVISION and asiento.causas:
            held[asiento.cuenta, asiento.causas[0].codigo] += 1
        if matches(asiento, asked.filtro, now):
            found.append(asiento)
            if len(found) == asked.maximo:
                break
    notes = _notes(world, found)
    incidents = [i for cuenta in walk.cuentas() for i in world.ledger.incidentes(cuenta)]
    return {
        "comprobantes": [row(a, now, notes.get((a.cuenta, a.external_reference))) for a in found],
        "cantidad": len(found),
        "total": str(money(found)),
        "por_codigo": dict(Counter(a.causas[0].codigo if a.causas else "" for a in found).most_common()),
        "incidentes": [incident_row(i, held[i.cuenta, i.causa.codigo]) for i in incidents],
        # Told once, with the first answer.
        "pausas": [] if asked.tras else [pausa_row(p) for p in world.ledger.pausas()],
        "sigue": asdict(walk.sigue) if walk.sigue else None,
    }


def money(asientos: Sequence[Asiento]) -> Decimal:
    """The sum of the totals. The ledger keeps no currency: each counts in its own."""
    return sum((a.datos.total for a in asientos if a.datos.total is not None), Decimal("0.00"))


def _notes(world: World, found: Sequence[Asiento]) -> dict[tuple[str, str], Pendiente]:
    """Why an error waits, and until when, as the run noted it."""
    cuentas = {a.cuenta for a in found if a.estado is Estado.ERROR}
    return {(p.cuenta, p.external_reference): p for cuenta in cuentas for p in world.ledger.pendientes(cuenta)}


def row(asiento: Asiento, now: datetime, note: Pendiente | None = None) -> dict[str, Any]:
    """What a person needs to know of one. `horas`: left in the legal window, counted as for products."""
    datos = asiento.datos
    return {
        "cuenta": asiento.cuenta,
        "external_reference": asiento.external_reference,
        "estado": str(asiento.estado),
        "desde": to_iso(asiento.actualizado) if asiento.actualizado else None,
        "tipo": datos.tipo,
        "fecha": datos.fecha.isoformat() if datos.fecha else None,
        "total": str(datos.total) if datos.total is not None else None,
        "horas": hours_left(datos.fecha, now=now) if datos.fecha else None,
        "causas": [asdict(causa) for causa in asiento.causas],
        "de_otro_sistema": is_foreign(asiento),
        "decision": asiento.decision,
        "espera": note.espera if note and note.espera else None,
        "hasta": to_iso(note.desde) if note and note.desde else None,
    }


def incident_row(incidente: Incidente, retenidos: int) -> dict[str, Any]:
    return {
        "cuenta": incidente.cuenta,
        "codigo": incidente.causa.codigo,
        "mensaje": incidente.causa.mensaje,
        "desde": to_iso(incidente.desde),
        "retenidos": retenidos,
    }
