"""Which dates a comprobante in error may be given, and how long its own still serves. Pure.

The provider's rules (Preguntas frecuentes; referencia de la API): products may be dated up to 5 days back and services
up to 10, and never before the last comprobante issued. ARCA counts from the day on which it is asked (its «N-10 y
N+10»), and the queue keeps the date of what it issues late: so a good date ages out of the window while it waits. A
date to come waits in the queue for its day. `vencimiento` may not be before `fecha` (ARCA's 10036). The day is Buenos
Aires'.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import IntEnum
from typing import Final

from tusfacturas.fechas import ARGENTINA, format_fecha

_DAY: Final = timedelta(days=1)
_NONE: Final = timedelta(0)


class Concepto(IntEnum):
    """What is invoiced: the days that its date may be away from the day on which ARCA is asked.

    Where it is not known, products: what is legal for them is legal for services. What invoices both counts as
    services; that is ARCA's rule, the provider's pages do not say.
    """

    PRODUCTOS = 5
    SERVICIOS = 10


@dataclass(frozen=True, slots=True)
class Fechas:
    """Both go in one `cambiar_fecha_encolado`: a fecha that moves alone past its vencimiento ends in 10036."""

    fecha: date
    vencimiento: date


@dataclass(frozen=True, slots=True)
class SinFecha:
    """No date would do: a person must decide. `codigo` is stable, `motivo` plain Spanish."""

    codigo: str
    motivo: str


def new_dates(
    actuales: Fechas, *, tipo: str, hoy: date, ultima: date | None, concepto: Concepto = Concepto.PRODUCTOS
) -> Fechas | SinFecha:
    """The dates to ask for: of its own fecha, `hoy` and `ultima` the latest, and vencimiento as far behind as it was.

    `actuales`: those it has at the provider. `hoy`: `today`. `ultima`: the fecha of the last issued of this `tipo` at
    its punto de venta, None where none is known; scheduled ones are not issued. Never before its own fecha: a date
    that its sender set in the future is kept. Today rather than the earliest date that is legal: others of that tipo
    are issued today meanwhile, and would put it behind again. Today is legal whatever the concepto; only an `ultima`
    in the future, which somebody issued by other means, can leave no date inside the window.

    The same dates may come back (fecha is today's already). They are worth asking for once: what the provider holds
    may differ from what is known here, as after a change on its web.
    """
    fecha = max(actuales.fecha, hoy, ultima or hoy)
    if fecha > actuales.fecha and fecha - hoy > timedelta(days=concepto):
        return SinFecha(
            "SinFechaLegal",
            f"El último {tipo} emitido tiene fecha {format_fecha(fecha)}: ninguna fecha que no sea anterior a esa está "
            f"a {concepto:d} días o menos de hoy, como pide ARCA.",
        )
    try:
        return Fechas(fecha, fecha + max(actuales.vencimiento - actuales.fecha, _NONE))
    except OverflowError:
        return SinFecha(
            "VencimientoFueraDelCalendario",
            f"El vencimiento {format_fecha(actuales.vencimiento)} no se puede correr junto con la fecha.",
        )


def today(now: datetime) -> date:
    """The day in Buenos Aires."""
    return now.astimezone(ARGENTINA).date()


def window_left(fecha: date, *, now: datetime, concepto: Concepto = Concepto.PRODUCTOS) -> timedelta:
    """How long ARCA still takes `fecha`: until the end of the last day that is `concepto` days from it; 0 once past."""
    try:
        closes = datetime.combine(fecha + timedelta(days=concepto) + _DAY, time(), ARGENTINA)
        return max(closes - now, _NONE)
    except OverflowError:  # the last days of 9999
        return datetime.max.replace(tzinfo=UTC) - now


def hours_left(fecha: date, *, now: datetime, concepto: Concepto = Concepto.PRODUCTOS) -> int:
    """Whole hours of `window_left`, for a person: 0 means that issuing it now needs another date."""
    return window_left(fecha, now=now, concepto=concepto) // timedelta(hours=1)
