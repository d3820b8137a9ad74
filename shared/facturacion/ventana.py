"""How long a comprobante's date still serves. Pure.

The provider's rules (Preguntas frecuentes; referencia de la API): products may be dated up to 5 days back and services
up to 10. ARCA counts from the day on which it is asked (its «N-10 y N+10»), and the queue keeps the date of what it
issues late: so a good date ages out of the window while it waits. The day is Buenos Aires'.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from enum import IntEnum
from typing import Final

from facturacion.tiempo import ARGENTINA

_DAY: Final = timedelta(days=1)
_NONE: Final = timedelta(0)


class Concepto(IntEnum):
    """What is invoiced: the days that its date may be away from the day on which ARCA is asked.

    Where it is not known, products: what is legal for them is legal for services. What invoices both counts as
    services; that is ARCA's rule, the provider's pages do not say.
    """

    PRODUCTOS = 5
    SERVICIOS = 10


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


def in_window(fecha: date, *, now: datetime, concepto: Concepto = Concepto.PRODUCTOS) -> bool:
    """Whether ARCA would take `fecha` if it were asked today."""
    return abs(fecha - today(now)) <= timedelta(days=concepto)
