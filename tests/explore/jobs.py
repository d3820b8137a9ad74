"""What a run of the explorer consists of, as pieces for a pool of processes: each gives lines to print, and figures."""

from __future__ import annotations

import time
import traceback
from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING

from tests.explore import directed, errors, exhaustive, invariants, mutants, outage, pausing, randomly, rules, scenarios
from tests.explore.installing import exploring

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.explore.world import World

KINDS = {"tiny": randomly.TINY, "small": randomly.SMALL, "large": randomly.LARGE}
PAIRS = ("one", "data")
"""The smallest of the two flows: what is sent, and what is done about an error."""
SPARSE = {
    "refused_unnamed": 29,
    "always_dropped": 3,
    "stream_repeats": 3,
    "blinking_twice": 9,
    "date_changed": 9,
    "given_up": 9,
    "blinking_in_error": 3,
    "wordless_data": 3,
}
"""Scenarios that go on for so long that only every so many of their calls are cut."""
ALL = {make().name: make for make in (*scenarios.SMALL, *directed.DIRECTED, *errors.ERRORS, *pausing.PAUSED)}
SERIES = {make().name: make for make in (*directed.BLINKS, *directed.TOLD_WHILE_ASKED)}
DEFAULT = {"tiny": 800, "small": 400, "large": 2}
LONG = {"tiny": 0, "small": 10_000, "large": 100}
CHUNK = {"tiny": 40, "small": 20, "large": 1}
OUTAGE = 5_000
_kept = ExitStack()


def all_jobs(*, long: bool, offset: int, comprobantes: int) -> Iterator[tuple[str, str, int]]:
    """The longest first, so that both cores end together."""
    if not long:
        yield "outage", "", comprobantes
        yield from (("scenario", name, 0) for name in ALL)
        yield "series", "", 0
        yield from (("mutant", m.name, 0) for m in mutants.MUTANTS)
    for kind, count in reversed((LONG if long else DEFAULT).items()):
        yield from seeds(kind, offset, offset + count)


def seeds(kind: str, first: int, end: int) -> Iterator[tuple[str, str, int]]:
    """From `first` to before `end`, in chunks."""
    for start in range(first, end, CHUNK[kind]):
        yield "seeds", kind, start


def settle_in() -> None:
    _kept.enter_context(exploring(scenarios.SHORT, scenarios.secrets()))


def told_of_rules() -> list[str]:
    """Those whose absence nothing here can notice."""
    unseen = [rule for rule in rules.RULES if rule.unseen]
    return [f"rule {r.number}, {r.clause}: no mutant, cannot be noticed: {r.unseen}" for r in unseen]


def work(job: tuple[str, str, int]) -> tuple[list[str], Counter[str]]:
    """One piece. What breaks the explorer itself is told as a failure, and ends no other piece."""
    try:
        return _work(job)
    except Exception:  # noqa: BLE001 - the others go on
        return [f"BROKEN    {job}", traceback.format_exc()], Counter(violated=1)


def _work(job: tuple[str, str, int]) -> tuple[list[str], Counter[str]]:
    what, name, number = job
    match what:
        case "scenario":
            return _cut_everywhere(name, pairs=bool(number) or name in PAIRS)
        case "series":
            return _series()
        case "seeds":
            return _some_seeds(name, number)
        case "outage":
            return day_of_outage(number)
    return _hunted(name)


def day_of_outage(comprobantes: int) -> tuple[list[str], Counter[str]]:
    morning = outage.weather(comprobantes)
    figures = Counter(schedules=1, violated=outage.fell_short(morning))
    lines = [outage.told(morning)]
    if morning.world.violations:
        lines += _failure(morning.world, "--outage", figures)
    return lines, figures


def _series() -> tuple[list[str], Counter[str]]:
    figures: Counter[str] = Counter()
    lines: list[str] = []
    for name, make in SERIES.items():
        world = exhaustive.uncut(make)
        figures += Counter(schedules=1, violated=bool(world.violations))
        if world.violations:
            lines += _failure(world, f"--scenario '{name}'", figures)
    return [f"{len(SERIES)} scenarios in which one thing comes a little later each time", *lines], figures


def _cut_everywhere(name: str, *, pairs: bool) -> tuple[list[str], Counter[str]]:
    begun = time.process_time()
    every = SPARSE.get(name, 1)
    found = exhaustive.explore((ALL | SERIES)[name], pairs=pairs, faults=True, only=lambda number: number % every == 0)
    if not found.failed:
        assert found.cut_points == 2 * len(found.effects), (found.cut_points, len(found.effects))
    figures = Counter(
        cut_points=found.cut_points, schedules=found.schedules, faults=found.faults, violated=len(found.failed)
    )
    of = f"{len(found.effects)} calls, {found.cut_points} cut points, {found.faults} failures of AWS"
    which = (", with every pair of cuts" if pairs else "") + (f", one in {every} of them" if every > 1 else "")
    lines = [f"{name:24} {of}{which}: {found.schedules} schedules, {time.process_time() - begun:.0f} s of CPU"]
    for cuts, world in found.failed:
        again = f"--scenario '{name}'" + (f" --cut {','.join(f'{i}:{w}' for i, w in cuts)}" if cuts else "")
        lines += _failure(world, again, figures)
    return lines, figures


def _some_seeds(kind: str, start: int) -> tuple[list[str], Counter[str]]:
    figures, failed = randomly.explore(list(range(start, start + CHUNK[kind])), KINDS[kind])
    figures["seeds"] = figures["schedules"]
    figures["violated"] = len(failed)
    lines: list[str] = []
    for seed, world in failed:
        lines += _failure(world, f"--kind {kind} --seed {seed}", figures)
    return lines, figures


def _failure(world: World, again: str, figures: Counter[str]) -> list[str]:
    for violation in world.violations:
        figures["duplicates"] += violation.name == invariants.TWICE
        figures["lost"] += violation.name in {
            invariants.LOST_ACK,
            invariants.WRONG,
            invariants.STUCK,
            invariants.BALANCE,
        }
    return [f"VIOLATED  {world.violations[0]}", f"          again: python -m tests.explore {again}"]


def _hunted(name: str) -> tuple[list[str], Counter[str]]:
    mutant = next(m for m in mutants.MUTANTS if m.name == name)
    caught = mutants.hunt(mutant)
    label = f"mutant   {name} (rule {mutant.rule})" if mutant.rule != "plain" else f"mutant   {name}"
    if caught:
        return [f"{label}: caught by «{caught.invariant}», {caught.schedule}"], Counter(caught=1)
    if mutant.unseen:
        return [f"{label}: cannot be noticed: {mutant.unseen}"], Counter(unseen=1)
    return [f"{label}: NOT CAUGHT"], Counter(missed=1)
