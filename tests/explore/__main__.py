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

from tests.explore import exhaustive, mutants, randomly, scenarios  # noqa: E402
from tests.explore.installing import exploring  # noqa: E402
from tests.explore.jobs import (  # noqa: E402
    ALL,
    KINDS,
    OUTAGE,
    SERIES,
    all_jobs,
    day_of_outage,
    seeds,
    settle_in,
    told_of_rules,
    work,
)
from tests.explore.trace import trace  # noqa: E402

PROGRESS_SECONDS = 60.0
PIECES_EACH = 20

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.explore.world import World


def main() -> int:
    told = _arguments()
    if told.seed is not None or told.cut or told.mutant or told.outage:
        with exploring(scenarios.SHORT, scenarios.secrets()):
            return _one(told)
    begun = time.monotonic()
    totals: Counter[str] = Counter()
    jobs = list(_jobs(told))
    told_at = begun
    # A process keeps some of every world that it played: after a while another one goes on.
    with ProcessPoolExecutor(
        told.jobs, get_context("spawn"), initializer=settle_in, max_tasks_per_child=PIECES_EACH
    ) as pool:
        for done, (lines, figures) in enumerate(pool.map(work, jobs), start=1):
            totals += figures
            for line in lines:
                print(line, flush=True)
            if time.monotonic() - told_at > PROGRESS_SECONDS:
                told_at = time.monotonic()
                so_far = f"{totals['schedules']} schedules, {totals['violated']} violated"
                print(f"… {done} of {len(jobs)} pieces, {so_far}, {told_at - begun:.0f} s", flush=True)
    if totals["caught"]:
        print(*told_of_rules(), sep="\n")
    _tell(totals, time.monotonic() - begun)
    return 1 if totals["violated"] or totals["missed"] else 0


def _jobs(told: argparse.Namespace) -> Iterable[tuple[str, str, int]]:
    if told.scenario:
        return [("scenario", told.scenario, int(told.pairs))]
    if told.seeds:
        first, _, end = told.seeds.partition(":")
        return seeds(told.kind, int(first), int(end))
    return all_jobs(long=told.long, offset=told.offset, comprobantes=told.comprobantes)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.explore", description=__doc__)
    parser.add_argument("--seed", type=int, help="one random schedule again, with its trace")
    parser.add_argument("--kind", choices=KINDS, default="tiny")
    parser.add_argument("--seeds", help="these random schedules of --kind, and nothing else: 4000:10000")
    parser.add_argument("--scenario", choices=list(ALL | SERIES), help="only this one, cut everywhere")
    parser.add_argument("--pairs", action="store_true", help="every pair of cuts of --scenario as well")
    parser.add_argument("--cut", help="the cuts of --scenario: 4:before,9:after")
    parser.add_argument("--mutant", help="hunt one mutant; with --seed or --cut, under it")
    parser.add_argument("--outage", action="store_true", help="a day without the provider, 5,000 comprobantes")
    parser.add_argument("--comprobantes", type=int, default=OUTAGE, help="of the outage")
    parser.add_argument("--all", action="store_true", help="trace everything, not only what went wrong")
    parser.add_argument("--long", action="store_true", help="10,000 small schedules and 100 of 300 comprobantes")
    parser.add_argument("--offset", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    return parser.parse_args()


# -- one ---------------------------------------------------------------------------------------------------------------


def _one(told: argparse.Namespace) -> int:
    if told.outage:
        lines, figures = day_of_outage(told.comprobantes)
        print(*lines, sep="\n")
        return bool(figures["violated"])
    mutant = next((m for m in mutants.MUTANTS if m.name == told.mutant), None)
    with ExitStack() as stack:
        if mutant and (told.seed is not None or told.cut):
            stack.enter_context(mutants.broken(mutant))
        if told.seed is not None:
            return _show(randomly.schedule(told.seed, KINDS[told.kind]).run(), whole=told.all)
        if told.cut:
            cuts = [(int(index), when) for index, _, when in (c.partition(":") for c in told.cut.split(","))]
            return _show(exhaustive.run_cut((ALL | SERIES)[told.scenario], *cuts), whole=told.all)
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


def _tell(totals: Counter[str], seconds: float) -> None:
    print(
        f"\n{totals['cut_points']} cut points, {totals['faults']} failures of AWS, "
        f"{totals['schedules']} schedules ({totals['seeds']} seeds), "
        f"{totals['deaths']} deaths by chance, {totals['comprobantes']} comprobantes by chance, in {seconds:.0f} s\n"
        f"mutants caught {totals['caught']}, not caught {totals['missed']}, beyond notice {totals['unseen']}\n"
        f"duplicates {totals['duplicates']}, lost {totals['lost']}, violated schedules {totals['violated']}"
    )


if __name__ == "__main__":
    sys.exit(main())
