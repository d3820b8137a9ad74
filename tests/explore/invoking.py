"""One invocation of a function, and what it leaves behind: lines, POSTs, writes."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.explore.functions import seconds_of
from tests.explore.instrument import Death

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.explore.world import World


@dataclass(frozen=True)
class Line:
    """One thing that happened; `about` are the references it concerns."""

    at: datetime
    who: str
    what: str
    about: frozenset[str] = frozenset()


@dataclass
class Posted:
    """A POST that reached the provider, of one reference. `clear`: its answer said that nothing came of it."""

    at: datetime
    by: int
    clear: bool


@dataclass
class Write:
    """What became of an asiento. `by`: the invocation, `begun` then; `op`: the ledger's own name of the write."""

    at: datetime
    by: int
    begun: datetime
    op: str
    before: dict[str, Any]
    after: dict[str, Any]


class Look(NamedTuple):
    """At the lease of a run: who had it then, and by which of its tasks."""

    at: datetime
    corrida: str | None
    tarea: int


class Invocation:
    """`wake`: when it goes on. It runs only between `resume` and its next `sleep`."""

    def __init__(self, number: int, function: str, deadline: datetime, event: dict[str, Any]) -> None:
        self.number, self.function, self.deadline, self.event = number, function, deadline, event
        self.started = deadline - timedelta(seconds=seconds_of(function))
        self.wake = datetime.min.replace(tzinfo=deadline.tzinfo)
        self.done = self.doomed = self.died = False
        self.result: Any = None
        self.looked: Look | None = None
        self.renewed: Look | None = None
        self.ended: Callable[[Invocation], None] = lambda _: None
        self.error: BaseException | None = None
        self._work: Callable[[], Any] = lambda: None
        self._go, self._back = threading.Semaphore(0), threading.Semaphore(0)
        self._thread: threading.Thread | None = None

    def resume(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
        else:
            self._go.release()
        self._back.acquire()

    def _run(self) -> None:
        try:
            self.result = self._work()
        except Death:
            self.died = True
        except BaseException as error:  # noqa: BLE001 - what a handler raises, Lambda takes
            self.error = error
        finally:
            self.done = True
            self._back.release()

    def sleep(self, until: datetime) -> None:
        self.wake = until
        self._back.release()
        self._go.acquire()
        if self.doomed:
            raise Death


@dataclass
class Context:
    """Lambda's."""

    world: World
    invocation: Invocation
    function_name: str = "explored"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:explored"
    aws_request_id: str = "explored"

    def get_remaining_time_in_millis(self) -> int:
        return int((self.invocation.deadline - self.world.now).total_seconds() * 1000)
