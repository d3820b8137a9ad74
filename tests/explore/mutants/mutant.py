"""What a mutant is, and the hunt for the schedule in which it shows."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias
from unittest import mock

from tests.explore import exhaustive, invariants, randomly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.explore.scenarios import Scenario
    from tests.explore.world import World

Patch: TypeAlias = tuple[Any, str, Any]


@dataclass(frozen=True)
class Mutant:
    """`rule`: of the protocol, or «plain». `grounds`: scenarios that are cut everywhere. `seeds`: random ones tried.

    `quick`: caught soon enough for `make test`. `unseen`: why its absence cannot be noticed, where it cannot.
    """

    name: str
    rule: str
    patches: Callable[[], list[Patch]] = field(repr=False)
    grounds: tuple[Callable[[], Scenario], ...] = ()
    seeds: int = 60
    kind: randomly.Kind = randomly.TINY
    quick: bool = False
    unseen: str = ""


@contextmanager
def broken(mutant: Mutant) -> Iterator[None]:
    patches = [mock.patch.object(where, name, new) for where, name, new in mutant.patches()]
    for patch in patches:
        patch.start()
    try:
        yield
    finally:
        for patch in reversed(patches):
            patch.stop()


@dataclass(frozen=True)
class Caught:
    """Which invariant, in which schedule."""

    mutant: str
    invariant: str
    schedule: str
    tried: int


def hunt(mutant: Mutant) -> Caught | None:
    """The first schedule that violates an invariant; None when none of its grounds and seeds does."""
    tried = 0
    with broken(mutant):
        for where, world in _schedules(mutant):
            tried += 1
            found = next((v for v in world.violations if v.name != invariants.UNEXPECTED), None)
            if found:
                return Caught(mutant.name, found.name, f"{where}: {found.pk}", tried)
    return None


def _schedules(mutant: Mutant) -> Iterator[tuple[str, World]]:
    """The grounds whole; then cut, and with AWS failing, at every call; then the seeds."""
    wholes = [(make, exhaustive.uncut(make)) for make in mutant.grounds]
    for _, whole in wholes:
        yield f"{whole.scenario.name}, uncut", whole
    for make, whole in wholes:
        for cut in (*exhaustive.cut_points(whole), *exhaustive.fault_points(whole)):
            yield f"{whole.scenario.name}, {cut[1]} at call {cut[0]}", exhaustive.run_cut(make, cut)
    for seed in range(mutant.seeds):
        yield f"seed {seed}", randomly.schedule(seed, mutant.kind).run()
