"""What is due when: the simulator's only sense of time."""

from __future__ import annotations

import heapq
from datetime import datetime, timedelta, timezone
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

ARGENTINA = timezone(timedelta(hours=-3))


class Agenda:
    """Events in the order of their instants, and of their making where instants are equal.

    `now` is the instant of the event being run, so what follows from an event is computed from when it was due and
    not from when somebody looked.
    """

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._events: list[tuple[datetime, int, Callable[[], object]]] = []
        self._serial = count()

    def at(self, due: datetime, do: Callable[[], object]) -> None:
        heapq.heappush(self._events, (max(due, self.now), next(self._serial), do))

    def after(self, seconds: float, do: Callable[[], object]) -> None:
        self.at(self.now + timedelta(seconds=seconds), do)

    def run(self, until: datetime) -> None:
        """Do what is due up to `until`; a clock that steps back changes nothing."""
        while self._events and self._events[0][0] <= until:
            due, _, do = heapq.heappop(self._events)
            self.now = max(self.now, due)
            do()
        self.now = max(self.now, until)

    def next_due(self) -> datetime | None:
        return self._events[0][0] if self._events else None

    def today(self) -> date:
        return self.now.astimezone(ARGENTINA).date()

    def start_of(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=ARGENTINA)
