"""`python -m tests.explore`: the default run, a long one, or one schedule again with its trace."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

_ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(_ROOT), str(_ROOT / "functions"), str(_ROOT / "shared")]

from tests.explore import exhaustive, invariants, mutants, outage, randomly, scenarios  # noqa: E402
from tests.explore.installing import exploring  # noqa: E402
from tests.explore.trace import trace  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.explore.world import World

KINDS = {"small": randomly.SMALL, "medium": randomly.MEDIUM, "large": randomly.LARGE}
PAIRS = ("one",)
DEFAULT = {"small": 300, "medium": 16, "large": 1}
LONG = {"small": 10_000, "medium": 300, "large": 100}
CHUNK = {"small": 20, "medium": 4, "large": 1}
_kept = ExitStack()


def main() -> int:
    told = _arguments()
    if told.seed is not None or told.cut or told.mutant or told.outage:
        with exploring(scenarios.SHORT, scenarios.secrets()):
            return _one(told)
    begun = time.monotonic()
    totals: Counter[str] = Counter()
    jobs = [("scenario", name, told.offset) for name in scenarios.BY_NAME if told.scenario in (None, name)]
    if told.scenario is None:
        jobs += list(_seeds(LONG if told.long else DEFAULT, told.offset))
        jobs += [("mutant", m.name, 0) for m in mutants.MUTANTS]
    with ProcessPoolExecutor(told.jobs, get_context("spawn"), initializer=_settle_in) as pool:
        for lines, figures in pool.map(_work, jobs):
            totals += figures
            for line in lines:
                print(line, flush=True)
    _tell(totals, time.monotonic() - begun)
    return 1 if totals["violated"] or totals["missed"] else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.explore", description=__doc__)
    parser.add_argument("--seed", type=int, help="one random schedule again, with its trace")
    parser.add_argument("--kind", choices=KINDS, default="small")
    parser.add_argument("--scenario", choices=list(scenarios.BY_NAME), help="only this one, cut everywhere")
    parser.add_argument("--cut", help="the cuts of --scenario: 4:before,9:after")
    parser.add_argument("--mutant", help="hunt one mutant; with --seed or --cut, under it")
    parser.add_argument("--outage", action="store_true", help="a day without the provider, 5,000 comprobantes")
    parser.add_argument("--comprobantes", type=int, default=5_000, help="of the outage")
    parser.add_argument("--all", action="store_true", help="trace everything, not only what went wrong")
    parser.add_argument("--long", action="store_true", help="10,000 small schedules and 100 of 300 comprobantes")
    parser.add_argument("--offset", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    return parser.parse_args()


# -- one ---------------------------------------------------------------------------------------------------------------


def _one(told: argparse.Namespace) -> int:
    if told.outage:
        return outage.report(told.comprobantes)
    mutant = next((m for m in mutants.MUTANTS if m.name == told.mutant), None)
    with ExitStack() as stack:
        if mutant and (told.seed is not None or told.cut):
            stack.enter_context(mutants.broken(mutant))
        if told.seed is not None:
            return _show(randomly.schedule(told.seed, KINDS[told.kind]).run(), whole=told.all)
        if told.cut:
            cuts = [(int(index), when) for index, _, when in (c.partition(":") for c in told.cut.split(","))]
            return _show(exhaustive.run_cut(scenarios.BY_NAME[told.scenario], *cuts), whole=told.all)
        assert mutant, f"no such mutant; there are {', '.join(m.name for m in mutants.MUTANTS)}"
        print(mutants.hunt(mutant) or "not caught")
        return 0


def _show(world: World, *, whole: bool) -> int:
    pk = world.violations[0].pk if world.violations else ""
    print(trace(world, pk, whole=whole or "#" not in pk))
    print(
        f"{world.scenario.name}: {world.ended or 'ended early'}, "
        f"{len(world.effects)} calls, {world.counts['deaths']} deaths"
    )
    for violation in world.violations:
        print(f"VIOLATED  {violation}")
    return bool(world.violations)


# -- many --------------------------------------------------------------------------------------------------------------


def _settle_in() -> None:
    _kept.enter_context(exploring(scenarios.SHORT, scenarios.secrets()))


def _seeds(how_many: dict[str, int], first: int) -> Iterator[tuple[str, str, int]]:
    for kind, count in how_many.items():
        for start in range(first, first + count, CHUNK[kind]):
            yield "seeds", kind, start


def _work(job: tuple[str, str, int]) -> tuple[list[str], Counter[str]]:
    what, name, number = job
    match what:
        case "scenario":
            return _cut_everywhere(name)
        case "seeds":
            return _some_seeds(name, number)
    return _hunted(name)


def _cut_everywhere(name: str) -> tuple[list[str], Counter[str]]:
    begun = time.process_time()
    found = exhaustive.explore(scenarios.BY_NAME[name], pairs=name in PAIRS)
    if not found.failed:
        assert found.cut_points == 2 * len(found.effects), (found.cut_points, len(found.effects))
    figures = Counter(cut_points=found.cut_points, schedules=found.schedules, violated=len(found.failed))
    of = f"{found.cut_points} cut points of {len(found.effects)} calls, {found.schedules} schedules"
    lines = [f"scenario {name:16} {of}, {time.process_time() - begun:.0f} s of CPU"]
    for cuts, world in found.failed:
        again = f"--scenario {name}" + (f" --cut {','.join(f'{i}:{w}' for i, w in cuts)}" if cuts else "")
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


def _tell(totals: Counter[str], seconds: float) -> None:
    print(
        f"\n{totals['cut_points']} cut points, {totals['schedules']} schedules ({totals['seeds']} seeds), "
        f"{totals['deaths']} deaths by chance, {totals['comprobantes']} comprobantes by chance, in {seconds:.0f} s\n"
        f"mutants caught {totals['caught']}, not caught {totals['missed']}, beyond notice {totals['unseen']}\n"
        f"duplicates {totals['duplicates']}, lost {totals['lost']}, violated schedules {totals['violated']}"
    )


if __name__ == "__main__":
    sys.exit(main())
