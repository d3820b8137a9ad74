"""Many comprobantes of one cuenta, uncut: a backlog at the provider's own pace, and a burst of errors."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.explore.scenarios import Scenario, message
from tests.explore.schedule import Calm
from tests.explore.world import World
from tests.sandbox.simulator.cola import EMITIDO

if TYPE_CHECKING:
    from datetime import timedelta

SUBMISSIONS = frozenset({"facturacion/lotes_encola", "facturacion/nuevo_encola"})
CALLS_EACH = 0.02
"""What the provider may be asked beyond the submission itself, for each comprobante of a healthy backlog."""


@dataclass(frozen=True)
class Issued:
    """A backlog at its end. `calls`: beyond the submissions. `longest`: from an issue to the event with its CAE."""

    world: World
    issued: int
    calls: int
    longest: timedelta


def backlog(comprobantes: int, *, per_hour: float) -> Issued:
    """All sent at once, and issued one after the other."""
    plan = {"demora_en_cola": 1.0, "segundos_por_comprobante": 3_600 / per_hour, "demora_respuesta": [2.0, 10.0]}
    world = World(Scenario("a backlog", [message(_name(n)) for n in range(comprobantes)], plan), Calm()).run()
    issued = {i.referencia: i.emitido for i in world.proveedor.cola.items if i.estado == EMITIDO}
    told = {detail["external_reference"]: at for at, tipo, detail in world.events if tipo == "ComprobanteEmitido"}
    calls = sum(count for method, count in world.proveedor.llamadas.items() if method not in SUBMISSIONS)
    return Issued(world, len(issued), calls, max(told[reference] - at for reference, at in issued.items()))


@dataclass(frozen=True)
class Resolved:
    """A burst at its end. `posted`, `resent`: references in the order in which they left. `runs`: states of each."""

    world: World
    posted: list[str]
    resent: list[str]
    runs: list[int]

    @property
    def in_order(self) -> bool:
        """Each time that they are resent, in the order of the POST."""
        times: Counter[str] = Counter()
        rounds: dict[int, list[str]] = {}
        for reference in self.resent:
            times[reference] += 1
            rounds.setdefault(times[reference], []).append(reference)
        return all(done == [r for r in self.posted if r in set(done)] for done in rounds.values())


def burst(comprobantes: int, *, kind: str = "AFIP*1") -> Resolved:
    """All in error within seconds, each for the same reason."""
    plan = {"demora_en_cola": 5.0, "demora_respuesta": [0.3, 1.0]}
    sent = [message(_name(n), comentario=f"SIM:ERROR={kind}") for n in range(comprobantes)]
    world = World(Scenario("a burst of errors", sent, plan), Calm()).run()
    return Resolved(
        world,
        [reference for post in world.proveedor.posts for reference in post.referencias],
        [op.referencia for op in world.proveedor.operaciones],
        [execution.entered for execution in world.steps.executions.values()],
    )


def _name(n: int) -> str:
    return f"F-{n:05d}"
