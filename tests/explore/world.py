"""The world around the shipped code: a virtual clock, and everything that comes to it or waits for it.

One invocation of a function is one thread, and only one thread runs at a time: at each of its calls of AWS or of the
provider it may die, stand still, or let others go first. Each call takes a few virtual milliseconds, a provider's
answer what the plan says, and Lambda's own limits end what takes too long.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.explore import dynamo, instrument, invariants, resolving
from tests.explore.functions import FUNCTIONS, app_of, fresh_process, seconds_of
from tests.explore.instrument import PREFIX, Death, peek
from tests.explore.invoking import Context, Invocation, Line, Posted, Write
from tests.explore.queues import Sqs, Stream
from tests.explore.schedule import BEFORE, Calm, Chaos
from tests.explore.steps import Steps
from tests.sandbox.simulator.plan import CuentaSim, Plan
from tests.sandbox.simulator.provider import Proveedor
from tests.sandbox.simulator.transport import as_transport
from tests.template import default

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.explore.queues import Shard
    from tests.explore.resolving import Done
    from tests.explore.scenarios import Scenario, Send

CALL_SECONDS = 0.004
AT_ONCE = 2


class World:
    """One schedule, from the first message until nothing moves any more."""

    def __init__(self, scenario: Scenario, choices: Calm, *, seed: object = 0) -> None:
        self.scenario, self.choices = scenario, choices
        self.start = self.now = scenario.start
        self.rng = instrument.seeded(f"ids-{seed}")
        self.effects: list[str] = []
        self.lines: list[Line] = []
        self.open: set[str] = set()
        self.closed: dict[str, datetime] = {}
        self.corrections: list[Send] = []
        self.events: list[tuple[datetime, str, dict[str, Any]]] = []
        self.writes: dict[str, list[Write]] = defaultdict(list)
        self.folded: dict[str, set[str]] = defaultdict(set)
        self.broken = False
        self.seen: dict[tuple[str, int], list[str]] = {}
        self.done: dict[str, list[Done]] = defaultdict(list)
        self.plans: dict[str, list[dict[str, Any]]] = {}
        self.posts: dict[str, list[Posted]] = defaultdict(list)
        self.absences: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
        self.deaths: list[tuple[int, str, str]] = []
        self.violations: list[invariants.Violation] = []
        self.raised: list[tuple[str, BaseException]] = []
        self.counts: Counter[str] = Counter()
        self.invocations: list[Invocation] = []
        self.sent: list[Send] = []
        self.told: set[str] = set()
        self.by_body: dict[str, Send] = {}
        self.running: Invocation | None = None
        self.changed = self.now
        self.ended = ""
        parameter = lambda name: scenario.parameters.get(name) or str(default(name))  # noqa: E731
        self.quiet, self.settle, self.resend_wait = (
            timedelta(seconds=float(parameter(n))) for n in ("QuietPeriodSeconds", "SettleSeconds", "ResendWaitSeconds")
        )
        self.sqs = Sqs(
            lambda: self.now, visibility=float(parameter("VisibilitySeconds")), max_receives=scenario.max_receives
        )
        self.batch_size, self.window = (
            int(parameter("BatchSize")),
            timedelta(seconds=float(parameter("LoteWindowSeconds"))),
        )
        self.stream = Stream(lambda: self.now, window=float(parameter("HookWindowSeconds")))
        self.plan = Plan(**scenario.plan)
        self.proveedor = Proveedor(
            clock=lambda: self.now,
            rng=instrument.seeded(f"provider-{seed}"),
            cuentas=[_cuenta(alias, scenario) for alias in scenario.cuentas],
            plan=self.plan,
            base_url="https://proveedor.test",
        )
        self.steps = Steps(self)
        self.road = as_transport(self.proveedor, dormir=self._wait_for_answer)
        self.numbers = 0
        self._hooks: list[Any] = []
        self._timed = sorted(
            [*((s.at, s) for s in scenario.sends), *((at, do) for at, do in scenario.timed)], key=lambda t: t[0]
        )
        self._tick = self.now + timedelta(seconds=choices.tick_in())
        self.calm_at = self.start + timedelta(seconds=scenario.calm_after)
        self._is_calm = not isinstance(choices, Chaos)

    # -- running --------------------------------------------------------------------------------------------------

    def run(self) -> World:
        """Until quiet, stuck, or a violated invariant."""
        instrument.active.append(self)
        dynamo.clear()
        for function in FUNCTIONS:
            fresh_process(function)
        try:
            while not self.violations and not self.ended:
                self._step()
            if not self.violations:
                invariants.at_the_end(self)
        finally:
            self._end_all()
            instrument.active.pop()
        return self

    def _step(self) -> None:
        if not self._is_calm and self.now >= self.calm_at:
            self._is_calm = True
            self.choices.calm()
            self.scenario.soothe(self)
            self.note("world", "from here on nothing goes wrong any more")
        due = self._due()
        if due:
            self.choices.pick(due)()
            return
        later = self._next()
        if later is None or later - self.start > timedelta(days=30):
            self.ended = "nothing will happen any more"
            return
        self.now = max(self.now, later)

    def _due(self) -> list[Callable[[], None]]:
        due: list[Callable[[], None]] = [
            lambda i=i: self._resume(i) for i in self.invocations if i.wake <= self.now or i.deadline <= self.now
        ]
        if self._timed and self.start + timedelta(seconds=self._timed[0][0]) <= self.now:
            due.append(self._next_timed)
        when = self.proveedor.next_due()
        if when is not None and when <= self.now:
            self._hooks += self.proveedor.advance()
        due += [lambda e=e: self._deliver_hook(e) for e in self._hooks[:3]]
        due += [lambda s=s: self._deliver_stream(s) for s in self.stream.due()]
        due += [lambda e=e: self.steps.step(e) for e in self.steps.due()]
        if self._pack_due():
            due.append(self._deliver_batch)
        if self._tick <= self.now:
            due.append(self._reconcile)
        return due

    def _next(self) -> datetime | None:
        times = [min(i.wake, i.deadline) for i in self.invocations]
        if self._timed:
            times.append(self.start + timedelta(seconds=self._timed[0][0]))
        if not self._is_calm:
            times.append(self.calm_at)
        moving = (self.proveedor.next_due(), self.stream.next_due(), self.steps.next_due())
        times += [t for t in moving if t is not None]
        gathered = min((m.visible + self.window for m in self.sqs.visible()), default=None)
        times += [t for t in (self.sqs.next_visible(), gathered) if t is not None and t > self.now]
        times.append(self._tick)
        return max(self.now, min(times))

    def _resume(self, invocation: Invocation) -> None:
        if invocation.deadline <= self.now:
            invocation.doomed = True
        before, self.running = self.running, invocation
        invocation.resume()
        self.running = before
        if invocation.done:
            self.invocations.remove(invocation)
            self._finish(invocation)

    def invoke(
        self,
        function: str,
        event: dict[str, Any],
        ended: Callable[[Invocation], None],
        handler: Callable[..., Any] | None = None,
    ) -> None:
        """A function begins; who started it hears how it ended, and decides what comes of that."""
        self.numbers += 1
        limit = timedelta(seconds=seconds_of(function))
        invocation = Invocation(self.numbers, function, self.now + limit, event)
        handler = handler or app_of(function).handler
        invocation._work = lambda: handler(event, Context(self, invocation))
        invocation.ended = ended
        self.invocations.append(invocation)
        self._resume(invocation)

    def _finish(self, invocation: Invocation) -> None:
        name = f"{invocation.function} {invocation.number}"
        if invocation.died or invocation.error is not None:
            self.broken = True
        if invocation.died:
            self.note(name, "DIES")
            self.counts["deaths"] += 1
            fresh_process(invocation.function)
        elif invocation.error is not None:
            self.note(name, f"raises {type(invocation.error).__name__}")
            self.raised.append((name, invocation.error))
            if not isinstance(invocation.error, ClientError | BotoCoreError):
                invariants.unexpected(self, name, invocation.error)
        if invocation.event.get("paso") == "planear":
            resolving.note_plan(self, invocation.event["cuenta"])
        invocation.ended(invocation)

    def _end_all(self) -> None:
        for invocation in list(self.invocations):
            invocation.doomed = True
            self.running = invocation
            while not invocation.done:
                invocation.resume()
        self.invocations.clear()

    # -- what comes -----------------------------------------------------------------------------------------------

    def _next_timed(self) -> None:
        _, what = self._timed.pop(0)
        if callable(what):
            what(self)
        else:
            self.put(what)

    def put(self, send: Send) -> None:
        self.sent.append(send)
        self.by_body[send.body] = send
        if send.correction:
            self.corrections.append(send)
        message = self.sqs.put(send.body)
        self.note("sender", f"{message.id}: {send}", send.reference)

    def later(self, seconds: float, what: Any) -> None:
        at = (self.now - self.start).total_seconds() + seconds
        self._timed = sorted([*self._timed, (at, what)], key=lambda t: t[0])

    def _pack_due(self) -> bool:
        if sum(i.function == "pack" for i in self.invocations) >= AT_ONCE:
            return False
        visible = self.sqs.visible()
        return len(visible) >= self.batch_size or any(m.visible + self.window <= self.now for m in visible)

    def _deliver_batch(self) -> None:
        chosen = self.choices.batch(sorted(self.sqs.visible(), key=lambda m: (m.visible, m.id)), self.batch_size)
        if self.happens("repeat"):
            held = [m for m in self.sqs.waiting() if m not in chosen and m.receives]
            chosen += self.rng.sample(held, min(len(held), 2))
        records = self.sqs.receive(chosen)
        if not records:
            return
        ids = [r["messageId"] for r in records]
        about = {self.by_body[r["body"]].reference for r in records}
        self.note(f"pack {self.numbers + 1}", f"receives {', '.join(ids)}", *about)
        self.invoke("pack", {"Records": records}, lambda i: self._batch_ended(i, ids))

    def _batch_ended(self, invocation: Invocation, ids: list[str]) -> None:
        if invocation.died or invocation.error is not None:
            return
        failures = {f["itemIdentifier"] for f in invocation.result["batchItemFailures"]}
        for message_id in ids:
            if message_id not in failures:
                self._delete(message_id, f"pack {invocation.number}")

    def _delete(self, message_id: str, who: str) -> None:
        message = self.sqs.delete(message_id)
        if message is None:
            return
        send = self.by_body[message.body]
        self.note(who, f"{message_id} leaves the queue", send.reference)
        invariants.on_delete(self, message, send)
        if self.happens("undelete"):
            self.later(60.0, lambda w: w.sqs.undelete(message))

    def _deliver_hook(self, entrega: Any) -> None:
        self._hooks.remove(entrega)
        payload = json.loads(entrega.body)
        reference = str(payload.get("external_reference", ""))
        self.note(f"webhook {self.numbers + 1}", f"hook {payload['evento']} {entrega.hook_id[:6]}", reference)
        begun = self.now
        event = {
            "routeKey": "POST /hooks/{cuenta}",
            "pathParameters": {"cuenta": entrega.cuenta},
            "headers": {name.lower(): value for name, value in entrega.headers.items()},
            "body": entrega.body.decode(),
            "isBase64Encoded": False,
        }

        def ended(invocation: Invocation) -> None:
            late = (self.now - begun).total_seconds() > entrega.timeout
            failed = invocation.died or invocation.error is not None
            status = None if late else 500 if failed else invocation.result["statusCode"]
            self.proveedor.delivered(entrega, status)

        self.invoke("webhook", event, ended)

    def _deliver_stream(self, shard: Shard) -> None:
        if self.happens("rewind"):
            self.stream.rewind(shard, self.rng.randint(1, 4))
        records = self.stream.batch(shard, self.choices.stream_batch(50))
        who = f"follow {self.numbers + 1}"
        about = {r["dynamodb"]["NewImage"]["pk"]["S"].partition("#")[2] for r in records}
        self.note(who, f"stream gives {len(records)} hooks", *about)

        def ended(invocation: Invocation) -> None:
            broken = invocation.died or invocation.error is not None
            failures = [] if broken else invocation.result["batchItemFailures"]
            failed = failures[0]["itemIdentifier"] if failures else None
            self.stream.ended(shard, len(records), failed, died=broken)

        self.invoke("follow", {"Records": records}, ended)

    def _reconcile(self) -> None:
        self._tick = self.now + timedelta(seconds=self.choices.tick_in())
        invariants.on_tick(self)
        if any(i.function == "reconcile" for i in self.invocations):
            return
        if self._is_calm and invariants.is_quiet(self):
            self.ended = "quiet"
        elif self._is_calm and self._is_stuck():
            self.ended = "stuck"
        elif self.open or self.sqs.dead() or self._owed():
            self.invoke("reconcile", {}, lambda _: None)

    def _owed(self) -> bool:
        """Something of a cuenta that the reconciliation would do although nothing is open."""
        return any(not {"esperan", "corrida_debida"}.isdisjoint(peek("CUENTAS", a)) for a in self.scenario.cuentas)

    def _is_stuck(self) -> bool:
        """Nothing has changed for long, or it changes and comes to nothing."""
        calm = self.calm_at if isinstance(self.choices, Chaos) else self.start
        still = self.now - max(self.changed, calm) > timedelta(hours=8)
        endless = self.now - calm > timedelta(hours=60)
        return (still or endless) and not self._timed and self.provider_idle()

    def provider_idle(self) -> bool:
        when = self.proveedor.next_due()
        return not self._hooks and (when is None or when > self.now + timedelta(hours=24))

    def idle(self) -> bool:
        still = not self._timed and not self.invocations and not self.steps.running()
        return still and self.stream.empty() and self.provider_idle()

    def happens(self, name: str) -> bool:
        return isinstance(self.choices, Chaos) and self.choices.happens(name)

    # -- calls of the shipped code ----------------------------------------------------------------------------------

    def point(self, index: int, when: str, *, guard: float | None = None) -> None:
        """Here the invocation may die, or stand still. `guard`: after so many seconds what follows is held back."""
        invocation = self.running
        assert invocation is not None, "a call from outside every invocation"
        if self.choices.dies(index, when):
            self.deaths.append((index, when, self.effects[index]))
            raise Death
        seconds = self.choices.pause(index) if when == BEFORE else None
        if seconds is not None:
            if guard is not None:
                seconds = min(seconds, guard)
            self.sleep(invocation, seconds)
        if self.now >= invocation.deadline:
            raise Death

    def sleep(self, invocation: Invocation, seconds: float) -> None:
        invocation.sleep(self.now + timedelta(seconds=seconds))

    def _wait_for_answer(self, seconds: float) -> None:
        assert self.running is not None
        self.sleep(self.running, seconds)

    def begin(self, label: str) -> int:
        self.effects.append(label)
        self.now += timedelta(seconds=CALL_SECONDS)
        return len(self.effects) - 1

    def logged(self, text: str) -> None:
        invariants.on_log(self, text)

    # -- telling ------------------------------------------------------------------------------------------------------

    def who(self) -> str:
        return f"{self.running.function} {self.running.number}" if self.running else "world"

    def note(self, who: str, what: str, *about: str) -> None:
        self.lines.append(Line(self.now, who, what, frozenset(about)))

    @property
    def elapsed(self) -> timedelta:
        return self.now - self.start


def _cuenta(alias: str, scenario: Scenario) -> CuentaSim:
    secret = scenario.secrets()[alias]
    return CuentaSim(
        alias=alias,
        apikey=secret["apikey"],
        apitoken=secret["apitoken"],
        usertoken=secret["usertoken"],
        punto_venta=secret["punto_venta"],
        webhook_url=f"https://{PREFIX}/{alias}",
        webhook_token=secret["webhook_tokens"][0],
        dev=False,
    )
