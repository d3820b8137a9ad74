"""Deliveries: the documented table, and what can befall a hook."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from tests.sandbox.simulator.plan import Plan
from tests.unit.simulator.world import NOON, World, cuenta, entrada

MINUTE, HOUR = 60.0, 3600.0


def offsets(world: World, scale: float = 1.0) -> list[float]:
    return [round((when - NOON).total_seconds() / scale) for when, _ in world.deliveries]


def one_hook(plan: Plan, **more: Any) -> World:
    """A world in which the only hook is one `encolado`, sent at once."""
    plan.update(demora_hook=0)
    world = World(plan, **more)
    world.lote(entrada("a", comentario="SIM:APROBACION"))
    return world


@pytest.mark.parametrize("failure", [None, 500, 404, 201, 302])
@pytest.mark.parametrize("scale", [1.0, 1 / 3000])
def test_a_failed_delivery_is_retried_by_the_table_and_then_given_up(failure: int | None, scale: float) -> None:
    """§4: 0, +5 min, +30 min, +3 h, +6 h, +12 h; failure is anything but 200; after the fifth retry, nothing."""
    world = one_hook(Plan(escala=scale), receive=lambda _: failure)
    world.run(100 * HOUR)
    elapsed = [0, 5, 35, 215, 575, 1295]
    assert [round(s / MINUTE) for s in offsets(world, scale)] == elapsed
    assert [entrega.intento for _, entrega in world.deliveries] == [1, 2, 3, 4, 5, 6]
    hooks = world.summary()["hooks"]
    assert (hooks["entregas"], hooks["reintentos"], hooks["agotado"], hooks["entregado"]) == (1, 5, 1, 0)


def test_a_success_ends_the_retries() -> None:
    """§4: acknowledged by exactly 200."""
    statuses = iter([503, None, 200])
    world = one_hook(Plan(), receive=lambda _: next(statuses))
    world.run(100 * HOUR)
    assert offsets(world) == [0, 300, 2100]
    assert world.summary()["hooks"]["entregado"] == 1


def test_the_first_delivery_waits_20_seconds_and_the_others_5() -> None:
    """§4; scaled down they keep a floor, or nobody could answer in time."""
    for scale, waits in ((1.0, [20, 5, 5]), (0.001, [2, 2, 2])):
        world = one_hook(Plan(escala=scale), receive=lambda _: None)
        world.run(HOUR)
        assert [entrega.timeout for _, entrega in world.deliveries][:3] == waits


def test_a_url_that_is_down_for_24_hours_is_ignored_until_a_new_one_is_set() -> None:
    """§4: ignored for good; lost hooks are not replayed."""
    world = one_hook(Plan(), receive=lambda _: 500)
    world.run(23 * HOUR)
    world.proveedor.web_test_hook("sucursal")
    world.run(4 * HOUR)
    assert world.summary()["hooks"]["urls_ignoradas"] == ["sucursal"]
    before = len(world.deliveries)
    world.proveedor.web_test_hook("sucursal")
    world.run(100 * HOUR)
    assert len(world.deliveries) == before
    world.receive = lambda _: 200
    world.proveedor.web_set_webhook("sucursal", "http://127.0.0.1:9/nueva")
    world.proveedor.web_test_hook("sucursal")
    world.run(100 * HOUR)
    assert len(world.deliveries) == before + 1
    assert "TF-WebhookToken" not in world.deliveries[-1][1].headers, "the new PDV set-up has no token"


def test_one_success_starts_the_24_hours_anew() -> None:
    """§4: URL down for more than 24 h, not hooks failing now and then."""
    world = World(receive=lambda e: 200 if b"test" in e.body else 500)
    for _ in range(10):
        world.proveedor.web_test_hook("sucursal")
        world.lote(entrada("a", comentario="SIM:APROBACION"))
        world.run(10 * HOUR)
    assert world.summary()["hooks"]["urls_ignoradas"] == []


def test_another_cuentas_url_is_not_concerned() -> None:
    world = World(cuentas=[cuenta(), cuenta("otra")], receive=lambda e: 200 if e.cuenta == "otra" else None)
    for alias in ("sucursal", "otra"):
        world.lote(entrada(alias), alias=alias)
    world.run(HOUR)
    assert world.eventos("otra") == ["encolado", "emitido"]


def test_a_lost_hook_never_comes() -> None:
    world = World(Plan(hooks=["lost"]))
    world.lote(entrada("a"))
    world.run(100 * HOUR)
    assert world.eventos("a") == ["emitido"]
    assert world.summary()["hooks"]["perdido"] == 1


@pytest.mark.parametrize(("outcome", "ids"), [("doubled", 1), ("doubled_new_id", 2)])
def test_a_double_has_the_same_content_and_perhaps_another_id(outcome: str, ids: int) -> None:
    """§4: delivery is at least once; whether hook_id is stable is [U]."""
    world = one_hook(Plan(hooks=[outcome]))
    world.run()
    assert len(world.hooks) == 2
    assert len({hook.pop("hook_id") for hook in world.hooks}) == ids
    assert world.hooks[0] == world.hooks[1]


def test_a_late_hook_arrives_after_its_successor() -> None:
    """§4: an `encolado` can arrive a day after `emitido`."""
    world = World(Plan(hooks=["late"], segundos_tarde=24 * HOUR))
    world.lote(entrada("a"))
    world.run(25 * HOUR)
    assert world.eventos("a") == ["emitido", "encolado"]


def test_shuffled_hooks_lose_their_order() -> None:
    world = World(Plan(barajar_hooks=30))
    world.lote(*[entrada(f"r{n}") for n in range(20)])
    world.run()
    firsts = Counter(world.eventos(f"r{n}")[0] for n in range(20))
    assert set(firsts) == {"encolado", "emitido"}
    assert all(sorted(world.eventos(f"r{n}")) == ["emitido", "encolado"] for n in range(20))


def test_what_a_retry_changes_in_the_payload_is_a_setting() -> None:
    """§4 [U]: intento counting, hook_id stability, and whether creado is the event's or the sending's time."""
    for plan, intentos, ids, creados in (
        (Plan(), [1, 2], 1, 1),
        (Plan(intento_cuenta="siempre_1"), [1, 1], 1, 1),
        (Plan(hook_id_por_intento=True), [1, 2], 2, 1),
        (Plan(creado_es_envio=True), [1, 2], 1, 2),
    ):
        world = one_hook(plan, receive=lambda _: 500)
        world.run(10 * MINUTE)
        sent = [json.loads(entrega.body) for _, entrega in world.deliveries]
        assert [hook["intento"] for hook in sent] == intentos
        assert len({hook["hook_id"] for hook in sent}) == ids
        assert len({hook["creado"] for hook in sent}) == creados


def test_without_a_token_there_is_no_header() -> None:
    """§4: the header exists since 2025 and where the PDV has a token."""
    world = one_hook(Plan(), cuentas=[cuenta(webhook_token=None)])
    world.run()
    assert set(world.deliveries[0][1].headers) == {"Content-Type", "User-Agent"}


def test_hooks_that_are_held_back_are_told_later_all_at_once_and_none_is_lost() -> None:
    world = World(Plan(demora_hook=[0.0, 2.0], demora_en_cola=1.0))
    world.proveedor.web_hold_hooks(30)
    world.lote(*(entrada(f"r-{n}") for n in range(20)))
    world.run(29)
    assert world.deliveries == []
    world.run(5)
    assert {when for when, _ in world.deliveries} == {NOON + timedelta(seconds=30)}
    assert Counter(hook["evento"] for hook in world.hooks) == {"encolado": 20, "emitido": 20}
    world.lote(entrada("later"))
    world.run(10)
    assert world.eventos("later") == ["encolado", "emitido"]


def test_it_notes_how_long_each_delivery_took_and_how_it_ended() -> None:
    world = World(Plan())
    world.proveedor.web_test_hook(world.cuentas[0].alias)
    world.now += timedelta(seconds=1)
    (entrega,) = world.proveedor.advance()
    world.proveedor.delivered(entrega, 503, 4.5)
    (told,) = world.proveedor.audit()["entregas"]
    assert (told["segundos"], told["status"], told["momento"]) == (4.5, 503, world.now.isoformat())
