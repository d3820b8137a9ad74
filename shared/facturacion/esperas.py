"""When the provider is to be asked: about one that is overdue, ever more rarely; for CAEs, many at a time. Pure.

The provider publishes 600 to 900 comprobantes per hour and punto de venta, for all of them in one line, and begins
none before the day of its `fecha`. So one is overdue when its place in the line has passed at the slower pace, counted
from its POST or from the first hour of its `fecha`, whichever is later.

Nothing is noted of an ask that changed nothing: when a comprobante should be asked about follows from its age, and it
is asked about when such an instant has passed since the last whole contrast. The waits double up to a day, so that what
the provider does not move costs a query or two a day, not one in each contrast.

One page of `consulta_avanzada` brings the CAEs of all that were issued meanwhile. So while a backlog is being issued
they are fetched a hundred at a time, or when that hundred should have been issued; a single one is fetched at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from facturacion.tiempo import ARGENTINA

if TYPE_CHECKING:
    from datetime import date

ISSUED_WHILE_DUE = 50
"""At 600 per hour, in the 300 s that `ReconcileSeconds` is by default; where that is shorter, everything is faster."""
RAREST = timedelta(days=1)
"""The longest wait between two asks; and the pace of what waits for a person, who moves slower than that."""
WORTH_A_QUERY = 100
"""CAEs that a query should bring while there is a backlog: 0.01 queries for each comprobante."""
ISSUED_WHILE_CONTRAST = 6.25
"""At 750 per hour, in the 30 s that `ContrastSeconds` is by default; where that is shorter, everything is faster."""
LOOKS_AT_ALL = 2
"""Everything that is open is read again when the provider should have issued one of so many of the line."""
UNREAD_MOST = 48
"""Intervals (`ReconcileSeconds`) after which everything is read, however long the line."""
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


@dataclass(frozen=True, slots=True)
class Ritmo:
    """`contrastado`: when the last contrast of a cuenta ended. `en_linea`: how many were then in the provider's line.

    That is 0 where that contrast came to no end. `esperan`: how many wait since then, most of them for their CAE.
    """

    contrastado: datetime | None = None
    esperan: int = 0
    en_linea: int = 0


def patience(line: int, every: timedelta) -> timedelta:
    """How long a few that were issued wait for the others, while `line` are being issued.

    As long as the provider needs for those, or for a hundred of them: 8 minutes with the defaults, which is no more
    than what comes out of a line that long has waited in it.
    """
    most = WORTH_A_QUERY / ISSUED_WHILE_CONTRAST
    return every * min(max(line / ISSUED_WHILE_CONTRAST, 1), most)


def is_worth(ritmo: Ritmo, *, every: timedelta, due: timedelta, now: datetime) -> bool:
    """Whether to contrast a cuenta now. `due`: how often it is, though nothing that we know of waits for it."""
    if ritmo.contrastado is None:
        return True
    since = now - ritmo.contrastado
    if since < every:
        return False
    if ritmo.esperan >= min(WORTH_A_QUERY, max(1, ritmo.en_linea)):
        return True
    wait = patience(ritmo.en_linea, every)
    return since >= (wait if ritmo.esperan else max(wait, due))


def looks_at_all(ritmo: Ritmo, *, looked: datetime | None, due: timedelta, now: datetime) -> bool:
    """Whether a contrast reads everything that is open, or only its oldest, where those are that were issued.

    `looked`: when one last read everything. In a long line almost all are where they should be, and to read ten
    thousand for each hundred that are issued would cost more than all else: half of what is left, and again half of
    that, come to two reads for each. What the hooks did not tell is found out as late as that, and no later than the
    half of a line is long, and within four hours with the defaults.
    """
    patient = min(max(1.0, ritmo.en_linea / LOOKS_AT_ALL / ISSUED_WHILE_DUE), UNREAD_MOST)
    return looked is None or now - looked >= due * patient
