"""What a run came to, and what must hold of it. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from tests.load.harm import EMULATOR, growth
from tests.sandbox.demo.balance import Fin, compare, compare_events, seen_at_provider, seen_in_ledger, tally
from tests.sandbox.demo.verdict import SOURCES, Check, failures

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tests.load.harm import Sample
    from tests.load.running import Outcome
    from tests.sandbox.demo.balance import Row

PATIENCE = 5.0
"""Seconds: the provider waits no longer for a retry."""
GROWTH_MAX = 1.0
"""MB a minute of a warm function: what is more would end it within hours."""


@dataclass(frozen=True)
class Verdict:
    outcome: Outcome

    @cached_property
    def rows(self) -> list[Row]:
        o = self.outcome
        return compare(o.expected, seen_at_provider(o.audit), seen_in_ledger(o.asientos))

    @cached_property
    def checks(self) -> list[Check]:
        o, summary = self.outcome, self.outcome.audit["summary"]
        fates = Counter(hook["estado"] for hook in o.audit["hooks"])
        growing = [
            f"{name} grows by {grown:.2f} MB a minute"
            for name, samples in o.harm.memory.items()
            if name != EMULATOR and (grown := growth(samples) or 0.0) > GROWTH_MAX
        ]
        return [
            Check("everything is settled", [o.unsettled] if o.unsettled else []),
            Check("nothing is lost: what was sent, issued and noted agree, row by row", self._disagreements()),
            Check("received = emitted, by each of the three", self._unbalanced()),
            Check("nothing is issued twice", summary["issued_twice"]),
            Check("nothing is accepted twice", summary["accepted_twice"]),
            Check("each comprobante had its event", compare_events(o.events, self.rows)),
            Check("no message was rejected or died", self._refused()),
            Check("every hook that was sent was answered 200 in the end", self._unanswered(fates)),
            Check(f"no hook was answered later than {PATIENCE:.0f} s", self._late()),
            Check("functions were killed", [] if o.harm.killed.total() else ["none was"]),
            Check("no function failed but by being killed", failures(o.logs)),
            Check(f"no function grows by more than {GROWTH_MAX:.0f} MB a minute", growing),
        ]

    @property
    def holds(self) -> bool:
        return not any(check.faults for check in self.checks)

    def _disagreements(self) -> list[str]:
        return [f"{'#'.join(row.key)}: {row.fault}" for row in self.rows if row.fault]

    def _unbalanced(self) -> list[str]:
        count = self.outcome.sizes.count
        told = {name: tally(self.rows, source)[Fin.EMITIDO] for source, name in SOURCES.items()}
        return [f"{name} accounts for {n} of {count}" for name, n in told.items() if n != count]

    def _refused(self) -> list[str]:
        dead = [f"{self.outcome.dead} in the dead-letter queue"] if self.outcome.dead else []
        return [f"rejected for {codigo}" for codigo in {m["codigo"] for m in self.outcome.rejected}] + dead

    @staticmethod
    def _unanswered(fates: Counter[str]) -> list[str]:
        return [f"{n} {fate}" for fate, n in fates.items() if fate not in {"entregado", "perdido"}]

    def _late(self) -> list[str]:
        late = sorted(seconds for _, seconds, _ in self.outcome.answers if seconds > PATIENCE)
        return [f"{len(late)} were, the last after {late[-1]:.1f} s"] if late else []


def figures(outcome: Outcome) -> list[tuple[str, str]]:
    """The figures to be told, by name."""
    o, harm, hooks = outcome, outcome.harm, outcome.audit["summary"]["hooks"]
    took = sorted(seconds for _, seconds, _ in o.answers)
    moments = sorted(moment for moment, _, _ in o.answers)
    refused = Counter(str(status or "none") for _, _, status in o.answers if status != 200)
    while_sent = sum(moment <= o.begun + timedelta(seconds=o.sent_for) for moment in moments)
    told = {
        "comprobantes": f"{o.sizes.count} over {o.sizes.cuentas} cuentas",
        "time": f"sent for {o.sent_for:.0f} s, settled after {o.seconds:.0f} s",
        "hooks": f"{len(took)} deliveries, {while_sent / max(o.sent_for, 1):.1f} a second while it was sent; "
        f"{_most_within(moments, 1)} in the busiest second, {_most_within(moments, 5)} in the busiest five",
        "of them": f"{hooks['duplicados']} doubled, {hooks['reintentos']} delivered again, {hooks['perdido']} never "
        f"sent; answers other than 200: {dict(refused)}",
        "answered after": f"median {_part(took, 0.5):.2f} s, 99 % {_part(took, 0.99):.2f} s, 99.9 % "
        f"{_part(took, 0.999):.2f} s, at last {took[-1]:.2f} s",
        "killed": f"{harm.killed.total()}: {', '.join(f'{n} {name}' for name, n in sorted(harm.killed.items()))}",
        "the machine": f"load average {sum(harm.loads) / len(harm.loads):.1f}, at most {max(harm.loads):.1f}; "
        f"{harm.idle:.0%} of its time idle, {harm.stolen:.1%} stolen",
        EMULATOR: f"its own process took {harm.emulator_share:.0%} of a core",
    }
    memory = [
        (
            f"memory, {name}",
            f"{max(s.mb for s in samples):.0f} MB at most, {growth(samples):+.2f} MB a minute when warm",
        )
        for name, samples in sorted(harm.memory.items())
    ]
    return [*told.items(), *memory]


def _grown(samples: Sequence[Sample]) -> str:
    grown = growth(samples)
    return "seen too shortly to tell whether it grows" if grown is None else f"{grown:+.2f} MB a minute when warm"


def _part(ordered: Sequence[float], part: float) -> float:
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]


def _most_within(moments: Sequence[datetime], seconds: float) -> int:
    most = first = 0
    for n, moment in enumerate(moments):
        while (moment - moments[first]).total_seconds() > seconds:
            first += 1
        most = max(most, n - first + 1)
    return most
