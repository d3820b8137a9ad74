"""A day without the provider while comprobantes keep arriving, and the morning after."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.explore.scenarios import Scenario, message
from tests.explore.schedule import Calm
from tests.explore.world import World

if TYPE_CHECKING:
    from tests.explore.schedule import T

DAY = 86_400.0
FILL = 0.95


class Weather(Calm):
    """Nothing else goes wrong. Reconcile comes as often as the template says."""

    def tick_in(self) -> float:
        return 300.0

    def batch(self, messages: list[T], most: int) -> list[T]:
        return messages[:most]


@dataclass(frozen=True)
class Morning:
    """What the day came to. `fill`: accepted, by what the lotes that were accepted could have held."""

    world: World
    lotes: int
    fill: float
    dead: int


def outage(comprobantes: int) -> Scenario:
    """One cuenta, the template's own parameters; references in the order of their sending."""
    step = DAY / comprobantes
    return Scenario(
        "a day of outage",
        [message(f"F-{n:05d}", at=n * step) for n in range(comprobantes)],
        {
            "caida": "sin_conexion",
            "demora_respuesta": [2.0, 10.0],
            "segundos_por_comprobante": 0.5,
            "demora_en_cola": 1.0,
        },
        timed=[(DAY, lambda w: w.plan.update(caida=""))],
        parameters={},
    )


def weather(comprobantes: int) -> Morning:
    world = World(outage(comprobantes), Weather()).run()
    lotes = [len(p.aceptados) for p in world.proveedor.posts if p.aceptados]
    fill = sum(lotes) / (100 * len(lotes)) if lotes else 0.0
    return Morning(world, len(lotes), fill, world.sqs.ever_dead)


def report(comprobantes: int) -> int:
    begun = time.monotonic()
    morning = weather(comprobantes)
    world = morning.world
    issued = sum(item.estado == "EMITIDO" for item in world.proveedor.cola.items)
    print(
        f"outage of 24 h, {comprobantes} comprobantes: {issued} issued, "
        f"{morning.lotes} lotes, {morning.fill:.1%} full, "
        f"{morning.dead} ever in the dead-letter queue, {world.elapsed} virtual, {len(world.effects)} calls, "
        f"{time.monotonic() - begun:.0f} s"
    )
    for violation in world.violations[:5]:
        print(f"VIOLATED  {violation}")
    return bool(world.violations or morning.dead or morning.fill < FILL)
