"""Who decides what happens next: nobody (`Calm`), a list of cuts (`Cuts`), or a seed (`Chaos`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from tests.explore.instrument import seeded

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

T = TypeVar("T")

BEFORE, AFTER = "before", "after"
STALL = "stall"
FAULTS = ("error", "again", STALL)
STALLED = 100.0
"""Seconds: longer than anything waits for something else, and less than what most functions have."""


class Calm:
    """First come, first served; nothing goes wrong that the plan does not order."""

    def __init__(self, seed: object = 0) -> None:
        self.rng = seeded(seed)

    def pick(self, due: Sequence[T]) -> T:
        return due[0]

    def dies(self, index: int, when: str) -> bool:
        return False

    def pause(self, index: int) -> float | None:
        """Seconds for which the invocation stands still here; 0 lets the others go first; None goes on."""
        return None

    def aws_fault(self, index: int, label: str) -> str | None:
        """`error`: refused, no effect. `lost`: done, the answer lost for good. `again`: lost, boto3 repeats it."""
        return None

    def again_after(self) -> float:
        """Seconds until boto3 gives an answer up and repeats its request: the others go on meanwhile."""
        return 45.0

    def batch(self, messages: list[T], most: int) -> list[T]:
        return messages[:most]

    def stream_batch(self, most: int) -> int:
        return most

    def tick_in(self) -> float:
        return 300.0

    def calm(self) -> None:
        """From now on nothing goes wrong any more."""


class Cuts(Calm):
    """At these calls, counted over all: Lambda dies (`before`, `after`), stands still (`stall`), AWS fails (`error`,
    `again`).
    """

    def __init__(self, cuts: Collection[tuple[int, str]], seed: object = 0) -> None:
        super().__init__(seed)
        self._cuts = frozenset(cuts)

    def dies(self, index: int, when: str) -> bool:
        return (index, when) in self._cuts

    def pause(self, index: int) -> float | None:
        return STALLED if (index, STALL) in self._cuts else None

    def aws_fault(self, index: int, label: str) -> str | None:
        return next((fault for fault in FAULTS if (index, fault) in self._cuts and fault != STALL), None)


@dataclass
class Odds:
    """Probabilities, each per call or per batch."""

    death: float = 0.0
    pause: float = 0.0
    stall: float = 0.0
    error: float = 0.0
    lost: float = 0.0
    again: float = 0.0
    repeat: float = 0.0
    undelete: float = 0.0
    rewind: float = 0.0
    cut: float = 0.0
    unheard: float = 0.0
    throttled: float = 0.0
    abort: float = 0.0
    stalls: Sequence[float] = (1.0, 8.0, 40.0, 130.0, 400.0, 1200.0)
    tick: float = 300.0
    more: dict[str, Any] = field(default_factory=dict)


class Chaos(Calm):
    """Everything by seed, until `calm`."""

    def __init__(self, seed: object, odds: Odds) -> None:
        super().__init__(seed)
        self.odds = odds
        self._tick = odds.tick

    def pick(self, due: Sequence[T]) -> T:
        return due[self.rng.randrange(len(due))]

    def dies(self, index: int, when: str) -> bool:
        return bool(self.odds.death) and self.rng.random() < self.odds.death / 2

    def pause(self, index: int) -> float | None:
        point = self.rng.random()
        if point < self.odds.stall:
            return self.rng.uniform(0, self.rng.choice(self.odds.stalls))
        return 0.0 if point < self.odds.stall + self.odds.pause else None

    def aws_fault(self, index: int, label: str) -> str | None:
        point = self.rng.random()
        for name in ("error", "lost", "again"):
            point -= getattr(self.odds, name)
            if point < 0:
                return name
        return None

    def again_after(self) -> float:
        return self.rng.uniform(0, 60)

    def batch(self, messages: list[T], most: int) -> list[T]:
        chosen = list(messages)
        if self.odds.cut:
            self.rng.shuffle(chosen)
            if self.rng.random() < self.odds.cut:
                most = self.rng.randint(1, most)
        return chosen[:most]

    def stream_batch(self, most: int) -> int:
        return self.rng.randint(1, most) if self.rng.random() < self.odds.cut else most

    def tick_in(self) -> float:
        return self._tick

    def happens(self, name: str) -> bool:
        chance = getattr(self.odds, name)
        return bool(chance) and self.rng.random() < chance

    def calm(self) -> None:
        self.odds = Odds(cut=self.odds.cut)
