"""A clock that stands still until it is told to go on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class Clock:
    """Called, it gives the instant; `now` is that instant too."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> datetime:
        """`by` as timedelta takes it: `advance(minutes=5)`."""
        self.now += timedelta(**by)
        return self.now
