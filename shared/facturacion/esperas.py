"""When an open comprobante is to be asked about by itself: not before it is overdue, and then ever more rarely. Pure.

The provider publishes 600 to 900 comprobantes per hour and punto de venta, for all of them in one line, and begins
none before the day of its `fecha`. So one is overdue when its place in the line has passed at the slower pace, counted
from its POST or from the first hour of its `fecha`, whichever is later.

Nothing is noted of an ask that changed nothing: when a comprobante should be asked about follows from its age, and it
is asked about when such an instant has passed since the last whole contrast. The waits double up to a day, so that what
the provider does not move costs a query or two a day, not one in each contrast.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from facturacion.tiempo import ARGENTINA

if TYPE_CHECKING:
    from datetime import date

ISSUED_WHILE_DUE = 50
"""At 600 per hour, in the 300 s that `ReconcileSeconds` is by default; where that is shorter, everything is faster."""
RAREST = timedelta(days=1)
"""The longest wait between two asks; and the pace of what waits for a person, who moves slower than that."""
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def allowed(place: int, due: timedelta) -> timedelta:
    """How long one in this place of the line (from 0) may take before it is overdue."""
    return due * (1 + place / ISSUED_WHILE_DUE)


def starts(posted: datetime, fecha: date | None) -> datetime:
    """When its time begins to count: a scheduled one does not age."""
    if fecha is None:
        return posted
    return max(posted, datetime.combine(fecha, time.min, tzinfo=ARGENTINA))


def is_time(since: datetime, first: timedelta, due: timedelta, *, before: datetime | None, now: datetime) -> bool:
    """Whether an ask became due after `before`, the last contrast that looked at everything (None: there was none).

    The first one at the age of `first`. The later ones as often as half of its age or less, and on instants that are
    the same for all: what waits together is asked about together, with one page.
    """
    age = now - since
    if age < first:
        return False
    if before is None or before - since < first:
        return True
    wait = due
    while 2 * wait <= min(age, RAREST):
        wait *= 2
    return (now - _EPOCH) // wait > (before - _EPOCH) // wait
