"""A person holds a cuenta for a while: nothing of it leaves, nothing is done about its errors, and nothing is lost."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from facturacion.accion import Autor
from facturacion.tiempo import from_iso
from tests.explore import instrument
from tests.explore.errors import FATES
from tests.explore.functions import app_of
from tests.explore.scenarios import Scenario, message

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tests.explore.world import World

WHILE = 1_500.0


def a_person_pauses(world: World, *, alias: str, seconds: float) -> None:
    """As the command line does it, with an end."""

    def pause(_event: Any, _context: Any) -> None:
        ledger = app_of("follow")._contraster().finishing.ledger
        ledger.pause(alias, Autor("ana", "se revisa el precio"), until=world.now + timedelta(seconds=seconds))

    world.note("a person", f"pauses {alias} for {seconds:.0f} s")
    world.invoke("follow", {}, lambda _: None, pause)


def held_since(world: World, alias: str) -> datetime | None:
    """When the pause began that holds the cuenta now."""
    row = instrument.peek("PAUSA", alias)
    holds = bool(row) and ("hasta" not in row or from_iso(row["hasta"]) > world.now)
    return from_iso(row["desde"]) if holds else None


def paused_first() -> Scenario:
    """Paused before the first comprobante comes."""
    return Scenario("paused_first", [message("A-1", at=5.0)], timed=[(1.0, _pause)])


def paused_in_error() -> Scenario:
    """Paused when it is in error, and about to be resent."""
    return Scenario("paused_in_error", [message("A-1", comentario=FATES["transient"])], timed=[(100.0, _pause)])


_pause = partial(a_person_pauses, alias="norte", seconds=WHILE)
PAUSED: tuple[Callable[[], Scenario], ...] = (paused_first, paused_in_error)
