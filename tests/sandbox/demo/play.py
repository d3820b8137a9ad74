"""Performs the script, act by act, and waits until everything is settled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from tests.sandbox.demo.watching import open_ends, stands

if TYPE_CHECKING:
    from tests.sandbox.demo.screen import Screen
    from tests.sandbox.demo.script import Act, Script
    from tests.sandbox.demo.stage import Stage
    from tests.sandbox.demo.watching import Watch

DECIDED_AFTER = 3
"""The act after which a person looks at what is parked."""
ACT_SECONDS = 25.0
"""No act waits longer for what it needs: then the piece goes on, and the end tells what is missing."""


class Cast(NamedTuple):
    """Who takes part in a performance."""

    stage: Stage
    script: Script
    screen: Screen
    watch: Watch


@dataclass(frozen=True, slots=True)
class Performed:
    """How it went. `unsettled`: what was still open when time was up. `forged`: what a forged hook was answered."""

    seconds: float
    unsettled: list[str]
    forged: int


def perform(cast: Cast, *, until: float) -> Performed:
    """`until`: seconds since the beginning after which nothing more is waited for."""
    _, script, screen, watch = cast
    forged = 0
    _test_hooks(cast)
    for number, act in enumerate(script.acts, start=1):
        _play_act(number, act, cast)
        if number == 1:
            forged = _between(cast)
        if number == DECIDED_AFTER:
            _decide(cast)
    screen.act(watch.elapsed, "Everything is sent", "now what is open settles; hooks that never came are made up for")
    rejected = sum(bool(envio.codigo) for envio in script.envios)
    watch.until(lambda look: not open_ends(look, script, rejected), until - watch.elapsed)
    return Performed(watch.elapsed, open_ends(watch.look, script, rejected), forged)


def _test_hooks(cast: Cast) -> None:
    """The provider's panel has a button for it, and whoever sets up a cuenta presses it."""
    for cuenta in cast.stage.stack.cuentas:
        cast.stage.stack.simulator.web("test_hook", alias=cuenta.alias)


def _play_act(number: int, act: Act, cast: Cast) -> None:
    stage, script, screen, watch = cast
    watch.until(lambda look: all(stands(look, key, script.expected[key]) for key in act.needs), ACT_SECONDS)
    screen.act(watch.elapsed, f"{number}. {act.title}", f"{act.tells} ({len(act.envios)} messages)")
    simulator = stage.stack.simulator
    if act.plan:
        simulator.plan(**act.plan)
    if act.maintenance:
        simulator.web("maintenance", seconds=act.maintenance)
    stage.send(act.envios)
    watch.until(lambda look: look.happened(act.outcome), ACT_SECONDS)


def _between(cast: Cast) -> int:
    """When the first act is on its way: what people do on the provider's web, and what a stranger tries."""
    stage, script, screen, watch = cast
    sent = {(envio.cuenta, envio.reference) for envio in script.acts[0].envios if envio.cuenta}
    watch.until(lambda look: sent <= set(look.estados) and not look.counts["ENVIANDO"], ACT_SECONDS)
    simulator = stage.stack.simulator
    simulator.web("approve", alias=script.approve[0], referencia=script.approve[1])
    screen.note(watch.elapsed, f"somebody approves {script.approve[1]} on the provider's web")
    for (alias, reference), notify in script.delete.items():
        simulator.web("delete", alias=alias, referencia=reference, notify=notify)
        hook = "its hook tells" if notify else "[yellow]and no hook tells[/]: the reconciliation has to find out"
        screen.note(watch.elapsed, f"somebody deletes {reference} of {alias} on the provider's web; {hook}")
    forged = stage.forge(script.forged)
    text = f"a stranger posts a hook that {script.forged[1]} was issued, with a token of his own: {forged}"
    screen.note(watch.elapsed, text)
    return forged


def _decide(cast: Cast) -> None:
    """A person mends the cuenta at ARCA, and says with the command line that what it held up is to be resent."""
    stage, script, screen, watch = cast
    cuenta, reference = script.decide
    watch.until(lambda look: look.estados.get(script.decide) == "EN_REVISION", ACT_SECONDS)
    stage.stack.simulator.web("fix_account", alias=cuenta)
    said = stage.decide("reenviar", script.decide, "se habilitó el punto de venta en ARCA")
    screen.note(watch.elapsed, f"a person mends {cuenta} at ARCA and decides: facturacion decidir reenviar {reference}")
    screen.note(watch.elapsed, said)
