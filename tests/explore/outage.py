"""A day without the provider while comprobantes keep arriving, and the morning after."""

from __future__ import annotations

from dataclasses import dataclass

from tests.explore.scenarios import Scenario, message
from tests.explore.schedule import Calm
from tests.explore.world import World

DAY = 86_400.0
FILL = 0.95


@dataclass(frozen=True)
class Morning:
    """What the day came to. `fill`: accepted, by what the lotes that were accepted could have held."""

    world: World
    lotes: int
    fill: float
    dead: int


def outage(comprobantes: int) -> Scenario:
    """One cuenta; references in the order of their sending."""
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
    )


def weather(comprobantes: int) -> Morning:
    world = World(outage(comprobantes), Calm()).run()
    lotes = [len(p.aceptados) for p in world.proveedor.posts if p.aceptados]
    fill = sum(lotes) / (100 * len(lotes)) if lotes else 0.0
    return Morning(world, len(lotes), fill, world.sqs.ever_dead)


def told(morning: Morning) -> str:
    world = morning.world
    issued = sum(item.estado == "EMITIDO" for item in world.proveedor.cola.items)
    return (
        f"a day of outage, {len(world.sent)} comprobantes: {issued} issued, {morning.lotes} lotes "
        f"{morning.fill:.1%} full, {morning.dead} ever in the dead-letter queue, quiet after {world.elapsed}"
    )


def fell_short(morning: Morning) -> bool:
    return bool(morning.world.violations or morning.dead or morning.fill < FILL)
