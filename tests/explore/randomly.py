"""Random schedules: a seed decides what is sent, what the provider does with it, and who dies when."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from facturacion.accion import Accion
from tests.explore.errors import FATES, a_person_decides
from tests.explore.instrument import seeded
from tests.explore.pausing import a_person_pauses
from tests.explore.scenarios import ALIASES, SHORT, Scenario, Send, delete_in_error, message
from tests.explore.schedule import Chaos, Odds
from tests.explore.world import World
from tests.sandbox.simulator.plan import OPERATION_OUTCOMES
from tests.template import default

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

LOTE_ENDS = (
    "slow",
    "hook_first",
    "mention_missing",
    "unreadable_refusal",
    "429",
    "maintenance",
    *(f"{how}_{what}" for how in ("524", "reset", "cut", "hang", "html_200") for what in ("accepted", "dropped")),
    "500_accepted",
    "500_before",
)
QUERY_ENDS = ("slow", "429", "maintenance", "524", "500", "html_200", "reset", "cut", "hang")
HOOK_ENDS = ("lost", "doubled", "doubled_new_id", "late")
OPERATION_ENDS = tuple(sorted(OPERATION_OUTCOMES.keys() - {"ok"}))
HOOK_WINDOWS = (SHORT["HookWindowSeconds"], str(default("HookWindowSeconds")))
CALM_AFTER = 7_200.0


@dataclass(frozen=True)
class Kind:
    """How much of everything. `spread`: seconds over which the comprobantes arrive; `few`: how rare many are."""

    least: int
    most: int
    spread: float
    few: int = 1

    def draw(self, rng: random.Random) -> int:
        return self.least + int((self.most - self.least + 1) * rng.random() ** self.few)


TINY, SMALL, LARGE = Kind(1, 4, 120.0), Kind(3, 30, 1_200.0, few=3), Kind(300, 300, 1_800.0)


def schedule(seed: object, kind: Kind) -> World:
    """The world of a seed, not yet run."""
    rng = seeded(f"scenario-{seed}")
    scenario = _scenario(rng, kind, seed)
    return World(scenario, Chaos(seed, _odds(rng, kind)), seed=seed)


def _some(rng: random.Random, names: tuple[str, ...], most: float) -> dict[str, float]:
    """Two or three of `names`, whose chances sum to at most `most`."""
    chosen = rng.sample(names, min(len(names), rng.randint(1, 3)))
    return {name: rng.uniform(0, most) / len(chosen) for name in chosen}


def _odds(rng: random.Random, kind: Kind) -> Odds:
    few = kind.most >= 100
    deadly = 0.3 if few else 1.0
    of = lambda most: rng.uniform(0, most) if rng.random() < 0.6 else 0.0  # noqa: E731
    return Odds(
        death=of(0.04) * deadly,
        pause=of(0.3),
        stall=of(0.04) * deadly,
        error=of(0.03) * deadly,
        lost=of(0.02) * deadly,
        again=of(0.03),
        repeat=of(0.3),
        undelete=of(0.2),
        rewind=of(0.3),
        cut=of(0.8),
        unheard=of(0.2),
        throttled=of(0.3),
        tick=rng.choice((150.0, 300.0, 900.0)),
    )


def _scenario(rng: random.Random, kind: Kind, seed: object) -> Scenario:
    count = kind.draw(rng)
    aliases = ALIASES[: rng.randint(1, min(3, 1 + count // 2))]
    plan: dict[str, Any] = {
        "demora_fondo": [0.0, rng.choice((1.0, 60.0, 400.0))],
        "demora_visible": [0.0, rng.choice((0.0, 30.0, 250.0))],
        "demora_en_cola": [0.0, rng.choice((1.0, 30.0, 600.0))],
        "hueco_emision": rng.choice((0.0, 0.0, 20.0)),
        "demora_respuesta": [0.0, rng.choice((0.1, 20.0, 90.0))],
        "segundos_lenta": rng.choice((5.0, 60.0)),
        "segundos_524": 100.0,
        "demora_hook": [0.0, rng.choice((0.1, 60.0, 600.0))],
        "barajar_hooks": rng.choice((0.0, 30.0, 900.0)),
        "forma_rechazo": rng.choice(("parcial", "parcial", "seed", "ilegible")),
        "rechazados_en_respuesta": rng.random() < 0.7,
        "hook_por_rechazado": rng.random() < 0.6,
        "hook_id_por_intento": rng.random() < 0.3,
        "creado_es_envio": rng.random() < 0.3,
        "orden_seleccion": rng.choice(("llegada", "azar")),
        "referencias": rng.choice(("texto", "numeros", "json_numeric_check")),
        "escala": 0.05,
    }
    if rng.random() < 0.7:
        plan["lotes_prob"] = _some(rng, LOTE_ENDS, 0.6)
    if rng.random() < 0.5:
        plan["consultas_prob"] = _some(rng, QUERY_ENDS, 0.4)
    if rng.random() < 0.4:
        plan["operaciones_prob"] = _some(rng, OPERATION_ENDS, 0.6)
    if rng.random() < 0.6:
        plan["hooks_prob"] = _some(rng, HOOK_ENDS, 0.7)
    sends: list[Send] = []
    for n in range(count):
        sends += _comprobante(rng, n, rng.choice(aliases), rng.uniform(0, kind.spread))
    timed = [_window(rng) for _ in range(rng.choice((0, 0, 1, 2)))]
    timed = [t for pair in timed for t in pair]
    timed += _people(rng, sends) + _pauses(seeded(f"pauses-{seed}"), aliases)
    if rng.random() < 0.2:
        timed.append((rng.uniform(60.0, 3_000.0), lambda w: [w.steps.abort(alias) for alias in aliases]))
    return Scenario(
        f"seed {seed}",
        sends,
        plan,
        timed,
        cuentas=aliases,
        parameters=SHORT | {"HookWindowSeconds": seeded(f"hook-window-{seed}").choice(HOOK_WINDOWS)},
        max_receives=rng.choice((300, 300, 12)),
        calm_after=CALM_AFTER,
    )


def _comprobante(rng: random.Random, n: int, alias: str, at: float) -> list[Send]:
    """One reference, and what its sender does with it."""
    reference = f"{n + 1}" if rng.random() < 0.2 else f"F-{n + 1}"
    point = rng.random()
    more: dict[str, Any] = {"at": at, "cuenta": alias, "planted": rng.random() < 0.3}
    if point < 0.08:
        fixed = message(reference, cuenta=alias, version=2, fate=rng.choice(("ok", "ok", "refused")))
        return [message(reference, fate="refused", correction=fixed, **more)]
    if point < 0.12:
        fixed = message(reference, cuenta=alias, version=2)
        return [message(reference, fate="invalid", correction=fixed, **more)]
    if point < 0.14:
        return [message(f"J-{n + 1}", fate="junk", **more)]
    if point < 0.32:
        return [message(reference, comentario=rng.choice(list(FATES.values())), **more)]
    if point < 0.40:
        later = at + rng.choice((0.5, 30.0, 1_000.0))
        other = rng.choice((1, 2))
        return [message(reference, **more), message(reference, **(more | {"at": later}), version=other)]
    if point < 0.44:
        replacement = message(f"{reference}-R", cuenta=alias, reemplaza=reference)
        return [message(reference, comentario="SIM:ERROR=DATOS", correction=replacement, **more)]
    return [message(reference, **more)]


def _window(rng: random.Random) -> list[tuple[float, Callable[[World], None]]]:
    """Something that lasts a while."""
    since = rng.uniform(0, 1_500.0)
    until = since + rng.choice((60.0, 600.0, 3_000.0))
    on, off = rng.choice(
        (
            ({"caida": "sin_conexion"}, {"caida": ""}),
            ({"caida": "503"}, {"caida": ""}),
            ({"afip_caida": True}, {"afip_caida": False}),
            ({"cupo_agotado": True}, {"cupo_agotado": False}),
            ({"maximo_por_segundo": 1}, {"maximo_por_segundo": 0}),
        )
    )
    return [(since, lambda w: w.plan.update(**on)), (until, lambda w: w.plan.update(**off))]


def _people(rng: random.Random, sends: list[Send]) -> list[tuple[float, Callable[[World], None]]]:
    """Somebody on the provider's web."""
    done: list[tuple[float, Callable[[World], None]]] = []
    for send in sends:
        deletes = "DATOS" in send.body or rng.random() < 0.03
        if deletes and send.fate == "ok":
            at = send.at + rng.choice((100.0, 800.0, 3_000.0))
            if "DATOS" in send.body and rng.random() < 0.5:
                done.append((at, partial(delete_in_error, alias=send.cuenta, reference=send.reference, tries=10)))
            else:
                done.append((at, lambda w, s=send: w.proveedor.web_delete(s.cuenta, s.reference)))
        if "SIM:ERROR" in send.body and rng.random() < 0.3:
            decides = partial(
                a_person_decides,
                alias=send.cuenta,
                reference=send.reference,
                accion=rng.choice((Accion.REENVIAR, Accion.ELIMINAR, Accion.CAMBIAR_FECHA)),
            )
            done.append((send.at + rng.choice((600.0, 3_000.0, 7_000.0)), decides))
    return done


def _pauses(rng: random.Random, aliases: Sequence[str]) -> list[tuple[float, Callable[[World], None]]]:
    if rng.random() < 0.9:
        return []
    seconds = rng.choice((60.0, 900.0, 4_000.0))
    return [(rng.uniform(0.0, 2_000.0), partial(a_person_pauses, alias=rng.choice(aliases), seconds=seconds))]


def explore(seeds: list[object], kind: Kind, *, stop_at: int = 5) -> tuple[Counter[str], list[tuple[object, World]]]:
    """Figures, and the worlds in which something was violated."""
    figures: Counter[str] = Counter()
    failed: list[tuple[object, World]] = []
    for seed in seeds:
        world = schedule(seed, kind).run()
        figures["schedules"] += 1
        figures["calls"] += len(world.effects)
        figures["deaths"] += world.counts["deaths"]
        figures["comprobantes"] += len({s.pk for s in world.sent})
        if world.violations:
            failed.append((seed, world))
            if len(failed) >= stop_at:
                break
    return figures, failed
