"""One world of comprobantes from claim to CAE, and everything that it called, wrote, read, ran and logged."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.bench.capacity import size_of
from tests.bench.metering import Meter, everything, metered
from tests.explore import errors, invariants
from tests.explore.queues import Stream
from tests.explore.scenarios import Scenario, message
from tests.explore.schedule import Calm
from tests.explore.world import World
from tests.template import default

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.explore.invoking import Invocation
    from tests.explore.scenarios import Send

EVERY_MINUTE = timedelta(minutes=1)
"""The schedule of the reconciliation, as in the template."""
BURST, PUBLISHED = 0.5, 4.8
"""Seconds per comprobante in the provider's queue: a quick one, and 750 an hour (it publishes 600 to 900)."""
PARTITIONS = 4
"""Of a new on-demand table, and so shards of its stream: each has its own batches."""
ERRORS = ("transient", "numbering", "dates", "data", "ambiguous")
SUBMISSIONS = ("provider:facturacion/lotes_encola", "provider:facturacion/nuevo_encola")


class Counted(World):
    """The explorer's world with AWS's schedule, counting each invocation: how often, how long, how much is logged."""

    def __init__(self, scenario: Scenario, choices: Calm | None = None) -> None:
        super().__init__(scenario, choices or Calm())
        self.stream = Stream(lambda: self.now, window=float(default("HookWindowSeconds")), shards=PARTITIONS)
        self.invoked: Counter[str] = Counter()
        self.seconds: Counter[str] = Counter()
        self.log_bytes: Counter[str] = Counter()
        self.metrics: set[tuple[str, str]] = set()

    def invoke(
        self,
        function: str,
        event: dict[str, Any],
        ended: Callable[[Invocation], None],
        handler: Callable[..., Any] | None = None,
    ) -> None:
        begun = self.now
        self.invoked[function] += 1

        def measured(invocation: Invocation) -> None:
            self.seconds[function] += (self.now - begun).total_seconds()
            ended(invocation)

        super().invoke(function, event, measured, handler)

    def logged(self, text: str) -> None:
        function = self.running.function if self.running else "world"
        self.log_bytes[function] += len(text.encode())
        if '"CloudWatchMetrics"' in text:
            (told,) = json.loads(text)["_aws"]["CloudWatchMetrics"]
            self.metrics |= {(function, metric["Name"]) for metric in told["Metrics"]}

    def _reconcile(self) -> None:
        self._tick = self.now + EVERY_MINUTE
        if invariants.is_quiet(self):
            self.ended = "quiet"
        elif self._is_stuck():
            self.ended = "stuck"
        elif not any(i.function == "reconcile" for i in self.invocations):
            self.invoke("reconcile", {}, lambda _: None)


@dataclass(frozen=True)
class Bill:
    """What a run came to. Counters are by function; `calls` and `provider` by their names. `seconds`: virtual.

    `metrics`: by function and name, those that were counted.
    """

    comprobantes: int
    issued: int
    in_error: int
    accepted_twice: int
    lotes: int
    elapsed: timedelta
    meter: Meter
    provider: Counter[str]
    invoked: Counter[str]
    seconds: Counter[str]
    log_bytes: Counter[str]
    events: int
    states: int
    stored_bytes: int
    metrics: frozenset[tuple[str, str]]
    violations: tuple[str, ...] = field(default=())

    @property
    def writes(self) -> float:
        return sum(self.meter.writes.values()) / self.comprobantes

    @property
    def own_writes(self) -> float:
        """Of the comprobante's own items: not of what belongs to its cuenta."""
        return self.meter.own_writes / self.comprobantes

    @property
    def reads(self) -> float:
        return sum(self.meter.reads.values()) / self.comprobantes

    @property
    def aws_calls(self) -> float:
        return sum(self.meter.calls.values()) / self.comprobantes

    @property
    def invocations(self) -> float:
        return sum(self.invoked.values()) / self.comprobantes

    @property
    def submissions(self) -> float:
        return sum(self.provider[name] for name in SUBMISSIONS) / self.comprobantes

    @property
    def beyond(self) -> float:
        """Provider calls beyond the submission itself, PDFs not counted."""
        others = {n: c for n, c in self.provider.items() if n not in {*SUBMISSIONS, "provider:pdf"}}
        return sum(others.values()) / self.comprobantes

    @property
    def fill(self) -> float:
        return self.comprobantes / (100 * self.lotes) if self.lotes else 0.0


def backlog(comprobantes: int, *, errors_percent: float = 0.0) -> list[Send]:
    """All at once, of one cuenta; every so many of them goes wrong in the provider's queue, in all the usual ways."""
    every = round(100 / errors_percent) if errors_percent else 0
    return [
        message(
            f"F-{n:06d}",
            at=n * 0.001,
            comentario=errors.FATES[ERRORS[n // every % len(ERRORS)]] if every and n % every == every // 2 else "",
        )
        for n in range(comprobantes)
    ]


def count(sends: Sequence[Send], *, pace: float = BURST, meter: Meter | None = None, **plan: Any) -> Bill:
    """Runs until nothing moves any more. Inside `installing.exploring`, with the template's own defaults."""
    scenario = Scenario(
        "bench",
        list(sends),
        {"segundos_por_comprobante": pace, "demora_respuesta": [2.0, 10.0]} | plan,
        parameters={},
        cuentas=tuple(dict.fromkeys(s.cuenta for s in sends)),
    )
    with metered(meter or Meter()) as used:
        world = Counted(scenario)
        world.run()
    return bill_of(world, used)


def bill_of(world: Counted, meter: Meter) -> Bill:
    items = world.proveedor.cola.items
    accepted = Counter((item.cuenta, item.referencia) for item in items)
    return Bill(
        comprobantes=len(world.sent),
        issued=sum(item.estado == "EMITIDO" for item in items),
        in_error=sum(bool(item.errores) for item in items),
        accepted_twice=sum(n - 1 for n in accepted.values()),
        lotes=sum(bool(post.aceptados) for post in world.proveedor.posts),
        elapsed=world.elapsed,
        meter=meter,
        provider=Counter({n: c for n, c in world.counts.items() if n.startswith("provider:")}),
        invoked=world.invoked,
        seconds=world.seconds,
        log_bytes=world.log_bytes,
        events=len(world.events),
        stored_bytes=sum(size_of(item) for item in everything()),
        metrics=frozenset(world.metrics),
        states=sum(e.entered + 1 for e in world.steps.executions.values()),
        violations=tuple(str(v) for v in world.violations),
    )
