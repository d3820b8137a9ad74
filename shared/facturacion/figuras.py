"""How a cuenta stands: what its last contrast saw of what is open, and of hooks that should have come. Pure.

It is kept on the cuenta's item with a write that is made anyway, so that the reconciliation can tell each minute of all
cuentas by what it reads anyway. What changed since the last contrast (minutes) is told after the next one; a contrast
that the provider's silence cut short has looked at the oldest ones, so that ages are right and counts may be low.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from facturacion.esperas import starts
from facturacion.estado import Estado
from facturacion.ventana import Concepto, window_left

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from facturacion.asiento import Asiento

MOVES_BY_ITSELF = timedelta(hours=1)
"""A good date that is about to end is no matter while its comprobante is younger than that: it is on its way."""
_WEEK = timedelta(days=7)
_YEARS = timedelta(days=3650)
_INSTANTS = ("viejo", "revision", "incierto", "ventana")
_UNCERTAIN = frozenset({Estado.ENVIANDO, Estado.INCIERTO})


@dataclass(frozen=True, slots=True)
class Figuras:
    """Counts, and instants from which ages follow; None where there is nothing of the kind.

    `viejo`: since when the oldest is open; those that wait for a person have `revision`, and a scheduled one does not
    age. `incierto`: since when the oldest uncertain one is quiet. `ventana`: when ARCA takes the date of an old open
    one no more.
    """

    abiertos: int = 0
    en_error: int = 0
    en_revision: int = 0
    viejo: datetime | None = None
    revision: datetime | None = None
    incierto: datetime | None = None
    ventana: datetime | None = None

    def with_those(self, asientos: Iterable[Asiento], now: datetime) -> Figuras:
        """These figures and those of more open comprobantes."""
        figuras = self
        for asiento in asientos:
            figuras = _with_one(figuras, asiento, now)
        return figuras


def _with_one(f: Figuras, asiento: Asiento, now: datetime) -> Figuras:
    f = replace(
        f,
        abiertos=f.abiertos + 1,
        en_error=f.en_error + (asiento.estado is Estado.ERROR),
        en_revision=f.en_revision + (asiento.estado is Estado.EN_REVISION),
    )
    since = asiento.llegado or asiento.creado
    if asiento.estado is Estado.EN_REVISION:
        f = replace(f, revision=_earlier(f.revision, asiento.actualizado or since))
    elif since and (begins := starts(since, asiento.datos.fecha)) <= now:
        f = replace(f, viejo=_earlier(f.viejo, begins))
    if asiento.estado in _UNCERTAIN:
        f = replace(f, incierto=_earlier(f.incierto, asiento.quieto_desde))
    if asiento.datos.fecha and asiento.estado is not Estado.EMITIDO and since and now - since >= MOVES_BY_ITSELF:
        f = replace(f, ventana=_earlier(f.ventana, window_ends(asiento.datos.fecha, now)))
    return f


def window_ends(fecha: date, now: datetime) -> datetime:
    """When ARCA takes `fecha` no more: as of products, and once that is past, as of services.

    What is invoiced the ledger does not know. `now` where both are past.
    """
    left = window_left(fecha, now=now) or window_left(fecha, now=now, concepto=Concepto.SERVICIOS)
    return now + left


def silent_since(
    told: datetime | None, before: datetime | None, due: Iterable[datetime], *, noted_every: timedelta
) -> datetime | None:
    """Since when a cuenta gets no hooks although one was due; None when that cannot be said.

    `told`: its last hook, noted at most once in `noted_every`. `before`: what was said the last time. `due`: when hooks
    should have come that did not. One that is missing from before the last hook is one hook that was lost: silence is
    when none comes at all.
    """
    if before and (told is None or before > told):
        return before
    return min((at for at in due if told is None or at > told + noted_every), default=None)


@dataclass(frozen=True, slots=True)
class Hoy:
    """What was issued of a cuenta on a day of Argentina."""

    dia: date
    emitidos: int = 0
    importe: Decimal = Decimal(0)

    def plus(self, emitidos: int, importe: Decimal, dia: date) -> Hoy:
        """With what was issued on `dia`: a new day begins at nothing."""
        before = self if dia == self.dia else Hoy(dia)
        return Hoy(dia, before.emitidos + emitidos, before.importe + importe)


@dataclass(frozen=True, slots=True)
class Parte:
    """What a contrast leaves on its cuenta. `figuras`: None where it had no time to look: the older ones stay.

    `callado`: of `silent_since`.
    """

    figuras: Figuras | None
    callado: datetime | None
    hoy: Hoy


@dataclass(frozen=True, slots=True)
class Cupo:
    """What the plan of a cuenta has left, as the provider counted it at `mirado`.

    `ritmo`: comprobantes per day, over the last week or, until one has passed, since `desde`.
    """

    total: int
    disponibles: int
    generados: int
    mirado: datetime
    desde: datetime
    ritmo: float | None = None

    def next(self, total: int, disponibles: int, generados: int, now: datetime) -> Cupo:
        """As it is now. A counter that went back is of a new period of the plan: it says nothing of the pace."""
        made, passed = generados - self.generados, now - self.mirado
        ritmo = self.ritmo
        if made >= 0 and passed > timedelta(0):
            pace = made / (passed / timedelta(days=1))
            weight = passed / max(passed, min(now - self.desde, _WEEK))
            ritmo = pace if ritmo is None else ritmo + (pace - ritmo) * weight
        return Cupo(total, disponibles, generados, now, self.desde, ritmo)

    @property
    def restante(self) -> float:
        """Per cent of the plan."""
        return 100 * self.disponibles / self.total if self.total else 0.0

    @property
    def alcanza(self) -> timedelta | None:
        """How long it lasts at this pace; None where a day has not shown it yet, or it lasts for years."""
        if not self.ritmo or self.mirado - self.desde < timedelta(days=1):
            return None
        # The least of the days first: a timedelta holds no more than a thousand million of them.
        return timedelta(days=min(self.disponibles / self.ritmo, _YEARS / timedelta(days=1)))


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((at for at in (one, other) if at is not None), default=None)


# -- as the cuenta's item keeps them: instants as seconds, which are short ------------------------------------------


def figuras_to_item(figuras: Figuras) -> dict[str, int]:
    return {
        name: int(value.timestamp()) if isinstance(value, datetime) else value
        for name, value in asdict(figuras).items()
        if value is not None
    }


def figuras_from_item(item: Mapping[str, Any]) -> Figuras:
    instants: dict[str, datetime] = {name: _instant(item[name]) for name in _INSTANTS if name in item}
    return Figuras(
        int(item.get("abiertos", 0)), int(item.get("en_error", 0)), int(item.get("en_revision", 0)), **instants
    )


def hoy_to_item(hoy: Hoy) -> list[Any]:
    return [hoy.dia.isoformat(), hoy.emitidos, str(hoy.importe)]


def hoy_from_item(item: Sequence[Any]) -> Hoy:
    dia, emitidos, importe = item
    return Hoy(date.fromisoformat(dia), int(emitidos), Decimal(importe))


def cupo_to_item(cupo: Cupo) -> list[Any]:
    ritmo = None if cupo.ritmo is None else f"{cupo.ritmo:.3f}"
    seconds = [int(at.timestamp()) for at in (cupo.mirado, cupo.desde)]
    return [cupo.total, cupo.disponibles, cupo.generados, *seconds, ritmo]


def cupo_from_item(item: Sequence[Any]) -> Cupo:
    total, disponibles, generados, mirado, desde, ritmo = item
    return Cupo(
        total=int(total),
        disponibles=int(disponibles),
        generados=int(generados),
        mirado=_instant(mirado),
        desde=_instant(desde),
        ritmo=None if ritmo is None else float(ritmo),
    )


def _instant(seconds: Any) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
