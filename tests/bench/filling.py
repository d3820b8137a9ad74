"""How full lotes are, and what waiting for them costs: the queue's rules on a virtual clock, no code of the product.

Each of `in_flight` gatherers fills one batch at a time by the documented rules (`sqs_rules`): a batch is over when it
is full or its window has passed since its first message. Messages go to whichever gatherer asks, so with several a
trickle is split between them: the pessimistic reading of AWS's pages. An invocation posts one lote for each cuenta of
its batch, one after the other, up to a hundred comprobantes in each, and begins none in its last 140 s; what is left
goes back to the queue.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from tests.bench.table import Row, Section, told

if TYPE_CHECKING:
    from collections.abc import Sequence

LOTE_MAX = 100
TIMEOUT, NO_MORE_BEFORE_END = 300.0, 140.0
CLAIM_SECONDS = 0.008
"""To claim and to record one comprobante."""
POST_SECONDS = 4.0
BACK_AFTER = 30.0
"""RetryDelaySeconds."""
HOUR = 3600.0


class Arrival(NamedTuple):
    """Seconds; which cuenta."""

    at: float
    cuenta: int


class Setting(NamedTuple):
    window: float
    batch: int
    in_flight: int = 2


@dataclass
class Filled:
    """`waits`: seconds from a message's arrival to the POST that carries it, for each message."""

    lotes: int = 0
    waits: list[float] = field(default_factory=list)

    @property
    def fill(self) -> float:
        return len(self.waits) / (LOTE_MAX * self.lotes)

    def wait(self, share: float) -> float:
        """So many seconds or fewer for that share of the messages."""
        return sorted(self.waits)[min(len(self.waits) - 1, int(share * len(self.waits)))]


def simulate(arrivals: Sequence[Arrival], setting: Setting) -> Filled:
    """Every arrival is posted in the end."""
    done = Filled()
    coming: list[tuple[float, int, Arrival]] = [(a.at, n, a) for n, a in enumerate(arrivals)]
    heapq.heapify(coming)
    waiting: deque[Arrival] = deque()
    # When each gatherer is free, and what it has gathered since when.
    free = [0.0] * setting.in_flight
    batches: list[list[Arrival]] = [[] for _ in free]
    opened = [0.0] * setting.in_flight
    now, turn = 0.0, 0
    while coming or waiting or any(batches):
        while coming and coming[0][0] <= now:
            waiting.append(heapq.heappop(coming)[2])
        order = [(turn + k) % setting.in_flight for k in range(setting.in_flight)]
        for one in order:
            if free[one] > now:
                continue
            # One at a time where there are few, ten at a time where there are many.
            share = 1 if len(waiting) < 10 * setting.in_flight else setting.batch
            while waiting and len(batches[one]) < setting.batch and share:
                if not batches[one]:
                    opened[one] = now
                batches[one].append(waiting.popleft())
                share -= 1
                turn += 1
        if waiting and any(free[g] <= now and len(batches[g]) < setting.batch for g in order):
            continue
        for one in order:
            batch = batches[one]
            if batch and free[one] <= now and (len(batch) >= setting.batch or now >= opened[one] + setting.window):
                free[one] = _invoke(batch, now, done, coming)
                batches[one] = []
        nexts = [coming[0][0]] if coming else []
        nexts += [opened[g] + setting.window for g in order if batches[g] and free[g] <= now]
        nexts += [at for at in free if at > now]
        later = [at for at in nexts if at > now]
        if not later:
            continue
        now = min(later)
    return done


def _invoke(batch: list[Arrival], now: float, done: Filled, coming: list[tuple[float, int, Arrival]]) -> float:
    """When it ends. What it has no time for goes back to the queue."""
    at, deadline = now, now + TIMEOUT - NO_MORE_BEFORE_END
    by_cuenta: dict[int, list[Arrival]] = {}
    for arrival in batch:
        by_cuenta.setdefault(arrival.cuenta, []).append(arrival)
    for some in by_cuenta.values():
        for start in range(0, len(some), LOTE_MAX):
            lote = some[start : start + LOTE_MAX]
            if at > deadline:
                for n, arrival in enumerate(lote):
                    heapq.heappush(coming, (at + BACK_AFTER, 10**9 + len(done.waits) + n, arrival))
                continue
            at += CLAIM_SECONDS * len(lote) / 2
            done.lotes += 1
            done.waits += [at - arrival.at for arrival in lote]
            at += POST_SECONDS + CLAIM_SECONDS * len(lote) / 2
    return at


# -- what comes ------------------------------------------------------------------------------------------------------


def trickle(per_second: float, cuentas: int, *, hours: float = 1.0, seed: int = 0) -> list[Arrival]:
    """One after the other at random, each of any cuenta."""
    rng = random.Random(seed)
    at, found = 0.0, []
    while (at := at + rng.expovariate(per_second)) < hours * HOUR:
        found.append(Arrival(at, rng.randrange(cuentas)))
    return found


def bursts(size: int, cuentas: int, *, every: float = HOUR / 4, hours: float = 1.0) -> list[Arrival]:
    """A system's nightly run, each quarter of an hour, in the order of its cuentas."""
    times = range(int(hours * HOUR / every))
    return [Arrival(turn * every, n * cuentas // size) for turn in times for n in range(size)]


def month_end(total: int, cuentas: int, *, within: float = HOUR / 2, seed: int = 0) -> list[Arrival]:
    rng = random.Random(seed)
    return sorted(Arrival(rng.uniform(0, within), rng.randrange(cuentas)) for _ in range(total))


PATTERNS = {
    "a trickle of 1 in 5 s": lambda cuentas: trickle(0.2, cuentas),
    "a trickle of 2 a second": lambda cuentas: trickle(2.0, cuentas),
    "1,000 at once, each quarter": lambda cuentas: bursts(1_000, cuentas),
    "month end: 20,000 in half an hour": lambda cuentas: month_end(20_000, cuentas),
}
CUENTAS = (1, 10, 100)
SETTINGS = (Setting(20, 100), Setting(20, 1_000), Setting(60, 1_000), Setting(20, 1_000, 5))


def section() -> Section:
    rows = []
    for name, arrivals in PATTERNS.items():
        for cuentas in CUENTAS:
            came = arrivals(cuentas)
            fared = [simulate(came, setting) for setting in SETTINGS]
            values = [f"{f.fill:.0%} {_seconds(f.wait(0.5))} {_seconds(f.wait(0.95))}" for f in fared]
            rows.append(told(f"{name}, {cuentas} cuentas", values))
    full = simulate([Arrival(0.0, 0)] * 10_000, SETTINGS[0]).fill
    rows.append(Row("a backlog of 10,000 of one cuenta", (f"{full:.1%}",), "≥ 99%", full >= 0.99))
    return Section(
        "Fill of the lotes, and seconds from the queue to the POST (half of them, 95 % of them)",
        tuple(f"{s.window:.0f} s, {s.batch:,}, {s.in_flight}" for s in SETTINGS),
        tuple(rows),
        ("columns: LoteWindowSeconds, BatchSize, LotesInFlight; a POST takes 4 s; each cell: fill, and the two waits",),
    )


def _seconds(value: float) -> str:
    return f"{value:.0f}" if value < 600 else f"{value / 60:.0f}m"
