"""How long to wait before each resend, and when to stop resending. Pure.

Five resends at 300 s, 15 min, 45 min, 2 h 15 min and 6 h 45 min reach 10 hours: longer than ARCA's short outages, and
few enough of the plan's requests (each resend counts as one).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

RESENDS_MAX: Final = 5
GROWTH: Final = 3


def next_wait(first: timedelta, done: int) -> timedelta | None:
    """From the last error to the resend after `done` of them; None when it was resent often enough: a person."""
    if done < 0:
        raise ValueError("resends are counted from 0")
    return first * GROWTH**done if done < RESENDS_MAX else None


def longest(first: timedelta) -> timedelta:
    """All the waits together: how long resending alone may go on."""
    return sum((wait for done in range(RESENDS_MAX) if (wait := next_wait(first, done))), timedelta(0))
