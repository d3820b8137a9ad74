"""The sections of the bench, and how their work is shared out to processes settled in the explorer's world."""

from __future__ import annotations

import atexit
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.bench import adapting, comparing, counts, cpu, emulator, filling, spending, starting
from tests.bench.counting import BURST, PUBLISHED
from tests.explore import scenarios
from tests.explore.installing import exploring

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Executor

    from tests.bench.table import Section

_world = ExitStack()


def settle_in() -> None:
    """Once per process: the shipped code, in the explorer's world, with the template's own defaults."""
    _world.enter_context(exploring({}, scenarios.secrets()))
    atexit.register(_world.close)


@dataclass(frozen=True)
class Kind:
    """`begin` hands out the work; `end` waits for it and makes sections of it."""

    begin: Callable[..., Any]
    end: Callable[[Any], Iterable[Section]]


_begun: dict[Any, Any] = {}


def _submit(pool: Executor, what: Callable[..., Any], *given: Any) -> Any:
    """What several sections want is done once."""
    key = (what, *given)
    if key not in _begun:
        _begun[key] = pool.submit(what, *given)
    return _begun[key]


def _begin_counts(pool: Executor, *, quick: bool) -> dict[str, list[Any]]:
    every = counts.runs(quick=quick)
    # The longest first: they are what the others wait for.
    for run in sorted({run for some in every.values() for run in some}, key=lambda r: -r.comprobantes * r.pace):
        _submit(pool, counts.measure, run)
    return {kind: [_submit(pool, counts.measure, run) for run in some] for kind, some in every.items()}


def _end_counts(begun: dict[str, list[Any]]) -> Iterable[Section]:
    for kind, futures in begun.items():
        yield counts.section(kind, [future.result() for future in futures])


def _begin_costs(pool: Executor, *, quick: bool) -> list[Any]:
    runs = [counts.Run(1_000, 0.0, PUBLISHED), counts.Run(1_000, 2.0, BURST)]
    return [*(_submit(pool, counts.measure, run) for run in runs), _submit(pool, cpu.measure)]


def _end_costs(begun: list[Any]) -> Iterable[Section]:
    return spending.sections(*(future.result() for future in begun))


def _begin_comparing(pool: Executor, *, quick: bool) -> dict[Any, Any]:
    pairs = [(fault, ours) for fault in (comparing.HEALTHY, *comparing.FAULTS) for ours in (True, False)]
    return {(fault.name, ours): pool.submit(comparing.measure, fault, ours=ours) for fault, ours in pairs}


def _end_comparing(begun: dict[Any, Any]) -> Iterable[Section]:
    return comparing.sections({pair: future.result() for pair, future in begun.items()})


def _begin_adapting(pool: Executor, *, quick: bool) -> dict[Any, Any]:
    pairs = [(weather, adaptive) for weather in adapting.WEATHERS for adaptive in (True, False)]
    return {(w.name, adaptive): pool.submit(adapting.measure, w, adaptive=adaptive) for w, adaptive in pairs}


def _end_adapting(begun: dict[Any, Any]) -> Iterable[Section]:
    return [adapting.section({pair: future.result() for pair, future in begun.items()})]


def _alone(make: Callable[..., Section]) -> Kind:
    """A section that is one piece of work."""
    return Kind(lambda pool, *, quick: pool.submit(make), lambda future: [future.result()])


SECTIONS = {
    "counts": Kind(_begin_counts, _end_counts),
    "reference": Kind(_begin_comparing, _end_comparing),
    "starting": _alone(starting.section),
    "cpu": Kind(lambda pool, *, quick: _submit(pool, cpu.measure), lambda future: [cpu.section(future.result())]),
    "costs": Kind(_begin_costs, _end_costs),
    "fill": _alone(filling.section),
    "adaptive": Kind(_begin_adapting, _end_adapting),
    "emulator": _alone(emulator.section),
}
