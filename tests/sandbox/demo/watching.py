"""What can be seen while it runs: polled once a second, told to the screen, and asked whether it is over."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from tests.sandbox.demo.balance import FINAL, Fin
from tests.sandbox.demo.script import WHOLE_REFUSAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from tests.sandbox.demo.balance import Json, Key
    from tests.sandbox.demo.screen import Screen
    from tests.sandbox.demo.script import Expected, Script
    from tests.sandbox.demo.stage import Stage

LOOK_EVERY = 1.0
LOOKING_SHARE = 0.1
"""Of the time may be spent on looking: on a busy machine it looks less often."""
RECONCILE_EVERY = 3.0
MOST_TOLD = 8


@dataclass(frozen=True, slots=True)
class Look:
    """What was to be seen at one moment. `estados`, `open`: of each comprobante in the ledger."""

    elapsed: float = 0.0
    sent: int = 0
    estados: dict[Key, str] = field(default_factory=dict)
    open: frozenset[Key] = frozenset()
    hooks: int = 0
    waiting: int = 0
    rejected: int = 0
    told: dict[Key, frozenset[str]] = field(default_factory=dict)
    events: int = 0
    posts: tuple[Json, ...] = ()
    at_provider: Json = field(default_factory=dict)

    @property
    def counts(self) -> Counter[str]:
        return Counter(self.estados.values())

    def happened(self, outcome: str) -> bool:
        """Whether a lote ended so."""
        if outcome == WHOLE_REFUSAL:
            return any(post["rechazo_total"] for post in self.posts)
        return any(post["desenlace"] == outcome for post in self.posts)


class Watch:
    """Looks, tells what it sees, and keeps the pace of the reconciliation."""

    def __init__(self, stage: Stage, script: Script, screen: Screen, *, begun: float) -> None:
        self._stage = stage
        self._script = script
        self._screen = screen
        self._begun = begun
        self._pool = ThreadPoolExecutor(1, "reconcile")
        self._reconciling: Future[None] | None = None
        self._reconciled = self._next_look = time.monotonic()
        self._heard: defaultdict[Key, set[str]] = defaultdict(set)
        self._events = 0
        self._uncertain = 0
        self.look = Look()

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self._begun

    def until(self, condition: Callable[[Look], Any], seconds: float) -> bool:
        """Whether the condition came true within so many seconds; it is asked of each new look."""
        end = time.monotonic() + seconds
        while not condition(self.look):
            if time.monotonic() >= end:
                return False
            self._tick()
        return True

    def _tick(self) -> None:
        """A look, if one is due; and a reconciliation, if one is."""
        self._keep_the_pace()
        if time.monotonic() < self._next_look:
            time.sleep(0.1)
            return
        begun = time.monotonic()
        self.see()
        self._next_look = time.monotonic() + max(LOOK_EVERY, (time.monotonic() - begun) / LOOKING_SHARE)

    def see(self) -> None:
        """Look at everything, and tell what is new."""
        if complaint := self._stage.stack.complaint():
            raise RuntimeError(complaint)
        before, self.look = self.look, self._look()
        self._tell(before)
        self._screen.show(self.look, self._script)

    def _look(self) -> Look:
        stage = self._stage
        stage.listen()
        for event in stage.events[self._events :]:
            detail = event["detail"]
            self._heard[detail["cuenta"], detail["external_reference"]].add(event["detail-type"])
        self._events = len(stage.events)
        items = stage.scan("pk sk estado abierto")
        asientos = {_key(item["pk"]): item for item in items if item["sk"] == "ESTADO"}
        at_provider, posts = stage.stack.simulator.summary(), self.look.posts
        if at_provider["lotes"]["posts"] > len(posts):
            posts = tuple(stage.stack.simulator.audit()["posts"])
        return Look(
            elapsed=self.elapsed,
            sent=len(stage.sent),
            estados={key: item["estado"] for key, item in asientos.items()},
            open=frozenset(key for key, item in asientos.items() if "abierto" in item),
            hooks=sum(item["sk"].startswith("HOOK#") for item in items),
            waiting=stage.queued(stage.stack.queue_url),
            rejected=stage.queued(stage.stack.rejected_queue_url),
            told={key: frozenset(types) for key, types in self._heard.items()},
            events=self._events,
            posts=posts,
            at_provider=at_provider,
        )

    def _tell(self, before: Look) -> None:
        for post in self.look.posts[len(before.posts) :]:
            self._screen.note(self.look.elapsed, tell_post(post))
        uncertain = self.look.counts["INCIERTO"]
        if self._uncertain and not uncertain:
            text = "the provider was asked about each, and nothing was sent blindly"
            self._screen.note(self.look.elapsed, f"[green]nothing is INCIERTO any more[/]: {text}")
        self._uncertain = uncertain

    def _keep_the_pace(self) -> None:
        if self._reconciling and self._reconciling.done():
            self._reconciling.result()
            self._reconciling = None
        if self._reconciling is None and time.monotonic() >= self._reconciled + RECONCILE_EVERY:
            self._reconciled = time.monotonic()
            self._reconciling = self._pool.submit(self._stage.reconcile)

    def close(self) -> None:
        """The invocation under way is waited for, unless the emulator is gone by then."""
        self._pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def watching(stage: Stage, script: Script, screen: Screen, *, begun: float) -> Iterator[Watch]:
    watch = Watch(stage, script, screen, begun=begun)
    try:
        yield watch
    finally:
        watch.close()


_ENDINGS = {
    "524_accepted": "[yellow]answered by a 524[/]; in truth it is being queued, but who could know? INCIERTO",
    "524_dropped": "[yellow]answered by a 524[/]; in truth nothing was queued, but who could know? INCIERTO",
    "reset_accepted": "[yellow]the connection was reset[/] instead of an answer; in truth it is being queued. INCIERTO",
    "hook_first": "its hooks were on their way [yellow]before its answer[/]",
}


def tell_post(post: Json) -> str:
    """One POST in one line, as somebody sees it who looks into the provider."""
    text = f"lote of {post['size']} to TusFacturas for {post['cuenta']}: "
    if post["rechazo_total"]:
        return f"{text}[yellow]refused whole[/] ({escape(post['rechazo_total'][0].strip()[:60])}…)"
    if post["desenlace"] in _ENDINGS:
        return text + _ENDINGS[post["desenlace"]]
    if post["rechazados"]:
        return f"{text}[yellow]{post['aceptados']} taken, {post['rechazados']} refused[/]"
    return f"{text}taken"


def stands(look: Look, key: Key, expected: Expected) -> bool:
    """Whether a comprobante is where it must end. One that will be corrected is first seen refused."""
    return look.estados.get(key) == ("RECHAZADO" if expected.corrected else expected.estado)


def settled(look: Look, script: Script) -> int:
    """How many comprobantes have come to their end."""
    return sum(not _open_end(look, key, expected) for key, expected in script.expected.items())


def _open_end(look: Look, key: Key, expected: Expected) -> str:
    """What a comprobante still wants, "" if nothing."""
    estado, name = look.estados.get(key, "not in the ledger"), "#".join(key)
    if estado != expected.estado:
        return f"{name} is {estado}, to be {expected.estado}"
    if FINAL[expected.estado] not in look.told.get(key, ()):
        return f"{name}: no {FINAL[expected.estado]} heard"
    if key in look.open and expected.fin not in {Fin.EN_VUELO, Fin.EN_REVISION}:
        return f"{name} is still among what is open"
    return ""


def open_ends(look: Look, script: Script, rejected: int) -> list[str]:
    """What is not settled yet, in a few lines; nothing: it is over."""
    ends = [end for key, expected in script.expected.items() if (end := _open_end(look, key, expected))]
    if len(ends) > MOST_TOLD:
        ends[MOST_TOLD:] = [f"… and {len(ends) - MOST_TOLD} more comprobantes"]
    if look.sent < len(script.envios):
        ends.append(f"{len(script.envios) - look.sent} messages were not sent")
    if look.waiting:
        ends.append(f"{look.waiting} messages are on the queue")
    if look.rejected != rejected:
        ends.append(f"{look.rejected} messages in the rejected queue, to be {rejected}")
    hooks = look.at_provider.get("hooks", {})
    if under_way := hooks.get("pendiente", 0) + hooks.get("en_vuelo", 0):
        ends.append(f"{under_way} hooks are on their way")
    return ends


def _key(pk: str) -> Key:
    cuenta, _, reference = pk.partition("#")
    return cuenta, reference
