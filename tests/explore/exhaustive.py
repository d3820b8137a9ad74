"""A death before and after every call of a small scenario; for the smallest, every pair of deaths.

The calls are those that the uncut run was seen to make, so there are two cut points for each, and none is listed by
hand. After a cut the rest of the schedule is what follows from it, so the second cut of a pair is looked for among the
calls of the schedule that the first one made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.explore.schedule import AFTER, BEFORE, FAULTS, Calm, Cuts
from tests.explore.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.explore.scenarios import Scenario

Cut = tuple[int, str]


@dataclass
class Explored:
    """What exploring a scenario came to. `failed`: the cuts of schedules that violated something, and their worlds."""

    name: str
    effects: list[str]
    cut_points: int = 0
    faults: int = 0
    schedules: int = 0
    failed: list[tuple[tuple[Cut, ...], World]] = field(default_factory=list)


def uncut(make: Callable[[], Scenario]) -> World:
    return World(make(), Calm()).run()


def cut_points(world: World, *, since: int = 0) -> Iterator[Cut]:
    for index in range(since, len(world.effects)):
        yield index, BEFORE
        yield index, AFTER


def fault_points(world: World) -> Iterator[Cut]:
    """At every call of AWS: it is refused for good, or its answer is lost and boto3 repeats it later, or the process
    stands still before it while everything else goes on.
    """
    for index, label in enumerate(world.effects):
        if not label.startswith("provider:"):
            yield from ((index, fault) for fault in FAULTS)


def run_cut(make: Callable[[], Scenario], *cuts: Cut) -> World:
    world = World(make(), Cuts(cuts)).run()
    deaths = [cut for cut in cuts if cut[1] not in FAULTS]
    if len(world.deaths) != len(deaths) and not world.violations:
        raise AssertionError(f"{world.scenario.name}: {cuts} were ordered, {world.deaths} came about")
    return world


def explore(
    make: Callable[[], Scenario],
    *,
    pairs: bool = False,
    faults: bool = False,
    stop_at: int = 3,
    only: Callable[[int], bool] = lambda _: True,
) -> Explored:
    """`faults`: AWS fails at every call as well. `only`: which to run, where there is no time for all."""
    whole = uncut(make)
    found = Explored(whole.scenario.name, whole.effects, schedules=1)
    if whole.violations:
        found.failed.append(((), whole))
        return found
    cuts = list(cut_points(whole))
    failures = list(fault_points(whole)) if faults else []
    found.cut_points, found.faults = len(cuts), len(failures)
    for number, cut in enumerate(cuts + failures):
        if only(number):
            _explore_from(make, (cut,), found, pairs=pairs and cut in cuts)
        if len(found.failed) >= stop_at:
            break
    return found


def _explore_from(make: Callable[[], Scenario], cuts: tuple[Cut, ...], found: Explored, *, pairs: bool) -> None:
    world = run_cut(make, *cuts)
    found.schedules += 1
    if world.violations:
        found.failed.append((cuts, world))
    elif pairs:
        for second in cut_points(world, since=cuts[-1][0] + 1):
            _explore_from(make, (*cuts, second), found, pairs=False)
