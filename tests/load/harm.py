"""Kills the functions' processes at random, as Lambda may; and notes how much memory and time everything takes."""

from __future__ import annotations

import os
import random
import re
import signal
import threading
import time
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SAMPLE_EVERY = 5.0
WARM = 150.0
"""Seconds after which a process has imported everything, and met every kind of work ten times: one comes each 15 s."""
SEEN = 120.0
"""Seconds for which it must then have been seen, before its growth is told from one large piece of work."""
EMULATOR = "the emulator"


@dataclass(frozen=True, slots=True)
class Sample:
    """Memory of one process, in MB, so many seconds after it was first seen."""

    pid: int
    age: float
    mb: float


@dataclass
class Harm:
    """`watchdog`: the emulator's, by its pid. `functions`: deployed names by ours.

    `kill_every`: how much is done between two kills, on average, in the units of `worked`. By work and not by time: on
    a machine that is busy with something else the functions would be killed faster than they get anything done.
    """

    watchdog: int
    functions: Mapping[str, str]
    kill_every: float
    seed: int
    killed: Counter[str] = field(default_factory=Counter)
    memory: dict[str, list[Sample]] = field(default_factory=lambda: defaultdict(list))
    loads: list[float] = field(default_factory=list)
    """The machine's load average, at each sample."""

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)
        self._done = self._kill_at = 0.0
        self._plan_kill()
        self._first: dict[int, float] = {}
        self._over = threading.Event()
        self._spared = threading.Event()
        self._thread = threading.Thread(target=self._run, name="harm", daemon=True)
        (self._emulator,) = psutil.Process(self.watchdog).children()
        self._at_first = (time.monotonic(), _seconds_of(self._emulator), psutil.cpu_times())
        self._at_last = self._at_first

    def start(self) -> None:
        self._thread.start()

    def worked(self, done: float) -> None:
        """How much is done by now."""
        self._done = done

    def spare(self) -> None:
        """No more kills; memory and time are still noted."""
        self._spared.set()

    def stop(self) -> None:
        self._over.set()
        self._thread.join(30)

    @property
    def emulator_share(self) -> float:
        """Of one core, that the emulator's own process took."""
        return (self._at_last[1] - self._at_first[1]) / max(self._at_last[0] - self._at_first[0], 1e-9)

    @property
    def stolen(self) -> float:
        """Of all cores' time, that the machine below took for others; 0 where it does not say."""
        first, last = self._at_first[2], self._at_last[2]
        return (getattr(last, "steal", 0.0) - getattr(first, "steal", 0.0)) / max(sum(last) - sum(first), 1e-9)

    @property
    def idle(self) -> float:
        """Of all cores' time, that nobody wanted."""
        first, last = self._at_first[2], self._at_last[2]
        return (last.idle - first.idle) / max(sum(last) - sum(first), 1e-9)

    def _run(self) -> None:
        sample_at = 0.0
        while not self._over.wait(0.2):
            now = time.monotonic()
            if now >= sample_at:
                self._sample(now)
                sample_at = now + SAMPLE_EVERY
            if not self._spared.is_set() and self._done >= self._kill_at:
                self._kill()
                self._plan_kill()

    def _plan_kill(self) -> None:
        self._kill_at += self._rng.expovariate(1 / self.kill_every)

    def _kill(self) -> None:
        """One process, whatever it is doing.

        Not one that is still starting: the emulator then ends every other process of the function as well, and what
        follows says nothing about the project.
        """
        workers = sorted((w for w in self._workers() if _has_started(w[1])), key=lambda found: found[1].pid)
        if workers:
            name, process = self._rng.choice(workers)
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
                self.killed[name] += 1

    def _sample(self, now: float) -> None:
        self.loads.append(os.getloadavg()[0])
        for name, process in [*self._workers(), (EMULATOR, self._emulator)]:
            with suppress(psutil.Error):
                age = now - self._first.setdefault(process.pid, now)
                self.memory[name].append(Sample(process.pid, age, process.memory_info().rss / 2**20))
        with suppress(psutil.Error):
            self._at_last = (now, _seconds_of(self._emulator), psutil.cpu_times())

    def _workers(self) -> Iterator[tuple[str, psutil.Process]]:
        """The functions' processes, each with the function it is of."""
        of = {deployed: name for name, deployed in self.functions.items()}
        for process in self._emulator.children():
            with suppress(psutil.Error):
                named = re.search(r"ministack-lambda-(.+)-[^-/]+/_worker", " ".join(process.cmdline()))
                if named and named[1] in of:
                    yield of[named[1]], process


def _has_started(process: psutil.Process) -> bool:
    """It has spoken to AWS, which none does before it serves."""
    try:
        return bool(process.net_connections())
    except psutil.Error:
        return False


def _seconds_of(process: psutil.Process) -> float:
    used = process.cpu_times()
    return float(used.user + used.system)


def growth(samples: Sequence[Sample]) -> float | None:
    """MB a minute by which a warm process grows: one slope through all of them, each with a level of its own.

    None where none was seen for long enough.
    """
    by_pid: dict[int, list[Sample]] = defaultdict(list)
    for sample in samples:
        if sample.age >= WARM:
            by_pid[sample.pid].append(sample)
    above = below = 0.0
    for one in by_pid.values():
        if one[-1].age - one[0].age >= SEEN:
            age, mb = fmean(s.age for s in one), fmean(s.mb for s in one)
            above += sum((s.age - age) * (s.mb - mb) for s in one)
            below += sum((s.age - age) ** 2 for s in one)
    return 60 * above / below if below else None
