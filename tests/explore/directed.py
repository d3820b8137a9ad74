"""Scenarios in which one thing must come just so: chance would need thousands of schedules to meet it."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from tests.explore import instrument
from tests.explore.scenarios import Scenario, message

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tests.explore.world import World

GAP = 20.0
"""Seconds for which a comprobante is nowhere while it passes from the queue to the issued ones: less than settling."""
HOURS = 3_600.0


def always_dropped() -> Scenario:
    """Every POST breaks, and nothing comes of any: after some cycles a person must look."""
    return Scenario("always_dropped", [message("A-1")], {"lotes_prob": {"reset_dropped": 1.0}})


def refused_again() -> Scenario:
    """Refused, corrected and refused again; then the first message comes once more."""
    second = message("A-1", version=2, fate="refused")
    return Scenario(
        "refused_again",
        [message("A-1", fate="refused", correction=second), message("A-1", fate="refused", at=900.0)],
    )


def refused_unnamed() -> Scenario:
    """Alone, and refused for ever in words that name nobody: it may be the cuenta, so it knocks until its turns are
    over, and the alarm of the dead-letter queue has it.
    """
    return Scenario(
        "refused_unnamed",
        [message("A-1", fate="refused")],
        {"forma_rechazo": "ilegible"},
        max_receives=6,
        hopeless=frozenset({"A-1"}),
    )


def stream_repeats() -> Scenario:
    """The refusal was told by a hook as well. The corrected one is in the queue when the stream repeats everything."""
    fixed = message("A-1", version=2)
    return Scenario(
        "stream_repeats",
        [message("A-1", fate="refused", correction=fixed)],
        {"demora_en_cola": 3 * HOURS, "hook_por_rechazado": True},
        timed=[(2_000.0, _repeat), (2_400.0, _repeat)],
    )


def _repeat(world: World) -> None:
    world.note("world", "the stream gives everything again")
    for shard in world.stream.shards:
        world.stream.rewind(shard, 99)


def late_refusal() -> Scenario:
    """The hook of the refusal comes when the corrected comprobante is being sent, and its sender hears nothing."""
    fixed = message("A-1", version=2)
    return Scenario(
        "late_refusal",
        [message("A-1", fate="refused", correction=fixed)],
        {"lotes": ["ok", "reset_accepted"], "demora_en_cola": HOURS, "demora_hook": 60.0},
    )


def deleted_while_uncertain() -> Scenario:
    """It was queued, we never heard, and somebody deletes it. Its hooks come when it was long sent again."""
    return Scenario(
        "deleted_while_uncertain",
        [message("A-1")],
        {"lotes": ["reset_accepted"], "demora_en_cola": 3 * HOURS, "demora_hook": 9_000.0},
        timed=[(120.0, lambda w: w.proveedor.web_delete("norte", "A-1"))],
    )


def foreign_first() -> Scenario:
    """Another system issues under a reference that a message brings later: the second would be a second invoice."""
    sent = message("A-1", at=2_000.0)
    entry = message("A-1").entry
    return Scenario(
        "foreign_first", [sent], timed=[(10.0, lambda w: w.proveedor.web_submit("norte", entry))], foreign=True
    )


def foreign_just_now() -> Scenario:
    """Another system issues under a reference when its message waits: the hook is stored, and not yet folded."""
    sent = message("A-1")
    return Scenario(
        "foreign_just_now", [sent], timed=[(19.0, lambda w: w.proveedor.web_submit("norte", sent.entry))], foreign=True
    )


def slow_records() -> Scenario:
    """Two messages. The POST of the first is turned away at the door, that of the second is answered slowly."""
    return Scenario(
        "slow_records",
        [message("A-1"), message("A-1", at=22.0)],
        {"lotes": ["429", "slow"], "segundos_lenta": 80.0, "demora_en_cola": 600.0, "demora_hook": 300.0},
    )


def told_while_asked(issued_after: float) -> Scenario:
    """No answer to the POST. An ask finds it in the queue, slowly; meanwhile it is issued, and its hook tells so."""
    return Scenario(
        f"told_while_asked {issued_after:.0f}",
        [message("A-1")],
        {
            "lotes": ["reset_accepted"],
            "consultas": ["slow"] * 3,
            "segundos_lenta": 25.0,
            "demora_en_cola": issued_after,
        },
    )


def blinking(delay: float) -> Scenario:
    """Sent again after a POST that came to nothing, and again no answer. It is there, but nowhere at the very moment
    of two asks; between them comes its hook, `delay` seconds after it was queued.
    """
    return Scenario(
        f"blinking {delay:.0f}",
        [message("A-1")],
        {"lotes": ["reset_dropped", "reset_accepted"], "demora_en_cola": 2 * HOURS, "demora_hook": delay},
        asked=partial(_blink, hidden=[]),
    )


def _blink(world: World, alias: str, reference: str, *, hidden: list[bool]) -> None:
    """At the first ask that counts, and at the next one if a hook was stored between."""
    for item in world.proveedor.cola.named(alias, reference):
        counts = world.now >= item.aceptado + world.quiet
        heard = any(i["sk"].startswith("HOOK#") for i in instrument.everything())
        if counts and (not hidden or (len(hidden) == 1 and not hidden[0] and heard)):
            hidden.append(heard)
            item.oculto_hasta = world.now + timedelta(seconds=GAP)
            world.note("provider", "it is nowhere for a moment", reference)


def blinking_twice() -> Scenario:
    """In the queue, no hook ever comes. It is nowhere at an ask that counts, seen at the next, and nowhere again."""
    return Scenario(
        "blinking_twice",
        [message("A-1")],
        {"demora_en_cola": 5 * HOURS, "hooks_prob": {"lost": 1.0}},
        asked=partial(_blink_twice, asks=[]),
    )


def _blink_twice(world: World, alias: str, reference: str, *, asks: list[datetime]) -> None:
    for item in world.proveedor.cola.named(alias, reference):
        if world.now >= item.aceptado + world.quiet:
            asks.append(world.now)
            if len(asks) in {1, 3}:
                item.oculto_hasta = world.now + timedelta(seconds=GAP)
                world.note("provider", "it is nowhere for a moment", reference)


def slow_absence() -> Scenario:
    """Its POST broke, and the provider takes its time to say that nothing came of it. It is asked from two sides: by
    the queue, and by the reconciliation.
    """
    return Scenario(
        "slow_absence",
        [message("A-1")],
        {"lotes": ["reset_dropped"], "consultas_prob": {"slow": 1.0}, "segundos_lenta": 29.0},
    )


def leading_zeros() -> Scenario:
    """The provider's PHP turns a reference into a number and loses its zeros: what it shows is not what was sent."""
    return Scenario(
        "leading_zeros",
        [message("0012")],
        {"lotes": ["reset_accepted"], "referencias": "json_numeric_check", "hooks_prob": {"lost": 1.0}},
    )


def date_changed() -> Scenario:
    """Five in the queue for hours, and no hook ever comes. Somebody changes the fecha of one: no page of the old one
    shows it.
    """
    return Scenario(
        "date_changed",
        [message(f"A-{n}") for n in range(1, 6)],
        {"demora_en_cola": 5 * HOURS, "hooks_prob": {"lost": 1.0}},
        timed=[(60.0, _change_date)],
    )


def _change_date(world: World, tries: int = 100) -> None:
    """As soon as it is there."""
    day = (world.start + timedelta(days=2)).strftime("%d/%m/%Y")
    if world.proveedor.web_change_date("norte", "A-3", day, day):
        world.note("a person", f"moves it to {day}", "A-3")
    elif tries:
        world.later(60.0, partial(_change_date, tries=tries - 1))


BLINKS: tuple[Callable[[], Scenario], ...] = tuple(partial(blinking, float(delay)) for delay in range(900, 2_700, 60))
TOLD_WHILE_ASKED: tuple[Callable[[], Scenario], ...] = tuple(
    partial(told_while_asked, float(after)) for after in range(20, 600, 15)
)
DIRECTED: tuple[Callable[[], Scenario], ...] = (
    always_dropped,
    refused_again,
    refused_unnamed,
    stream_repeats,
    late_refusal,
    deleted_while_uncertain,
    foreign_first,
    foreign_just_now,
    slow_records,
    blinking_twice,
    slow_absence,
    leading_zeros,
    date_changed,
)
