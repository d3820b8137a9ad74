"""The provider in process, behind httpx."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from tests.sandbox.simulator.plan import Plan
from tests.sandbox.simulator.respuesta import PREFIX
from tests.sandbox.simulator.transport import as_transport
from tests.unit.simulator.world import World, entrada


def client(world: World, **more: Any) -> httpx.Client:
    return httpx.Client(
        base_url=f"https://www.tusfacturas.app{PREFIX}", transport=as_transport(world.proveedor, **more), timeout=110
    )


def body(world: World, *entradas: Any) -> dict[str, Any]:
    who = world.cuentas[0]
    return {
        "apikey": who.apikey,
        "apitoken": who.apitoken,
        "usertoken": who.usertoken,
        "requests": list(entradas),
    }


@pytest.mark.parametrize(
    ("outcome", "error"),
    [
        ("reset_accepted", httpx.ReadError),
        ("reset_dropped", httpx.ReadError),
        ("cut_accepted", httpx.RemoteProtocolError),
        ("hang_accepted", httpx.ReadTimeout),
        ("hang_dropped", httpx.ReadTimeout),
    ],
)
def test_a_broken_connection_is_the_error_that_httpx_would_raise(outcome: str, error: type[Exception]) -> None:
    """§2.1: and the background goes on by itself."""
    world = World(Plan(lotes=[outcome], demora_fondo=30))
    with pytest.raises(error):
        client(world).post("facturacion/lotes_encola", json=body(world, entrada("a")))
    assert world.summary()["aceptados"] == 0
    world.run(31)
    assert world.summary()["aceptados"] == (1 if outcome.endswith("accepted") else 0)


def test_no_connection_is_a_connect_error_and_nothing_left() -> None:
    world = World(Plan(caida="sin_conexion"))
    with pytest.raises(httpx.ConnectError):
        client(world).post("facturacion/lotes_encola", json=body(world, entrada("a")))


def test_a_caller_waits_no_longer_than_its_patience() -> None:
    """§1: the time that passes is the read timeout's, also where the answer would have come later."""
    world = World(Plan(lotes=["hang_dropped", "slow", "slow"], segundos_lenta=100))

    def dormir(seconds: float) -> None:
        world.now += timedelta(seconds=seconds)

    post = client(world, dormir=dormir).post
    started = world.now
    waits = []
    for patience in (110, 60, 110):
        before = world.now
        try:
            post("facturacion/lotes_encola", json=body(world, entrada(f"r{patience}")), timeout=patience)
            waits.append(((world.now - before).total_seconds(), "answered"))
        except httpx.ReadTimeout:
            waits.append(((world.now - before).total_seconds(), "timeout"))
    assert waits == [(110, "timeout"), (60, "timeout"), (100, "answered")]
    assert started < world.now
    assert world.summary()["aceptados"] == 2


def test_hooks_overtake_the_answer_when_somebody_takes_them() -> None:
    """§4: no order is guaranteed."""
    world = World(Plan(lotes=["hook_first"], segundos_lenta=1))
    seen: list[str] = []

    def dormir(seconds: float) -> None:
        world.now += timedelta(seconds=seconds)

    def entregar(entrega: Any) -> int:
        seen.append(entrega.hook_id)
        return 200

    answer = client(world, dormir=dormir, entregar=entregar).post(
        "facturacion/lotes_encola", json=body(world, entrada("a", comentario="SIM:APROBACION"))
    )
    assert answer.json()["error"] == "N"
    assert len(seen) == 1 and world.summary()["hooks"]["entregado"] == 1


def test_only_posts_are_answered_and_pdfs_fetched() -> None:
    """§1: 405 for another method."""
    world = World()
    http = client(world)
    assert http.get("facturacion/lotes_encola").status_code == 405
    http.post("facturacion/lotes_encola", json=body(world, entrada("a")))
    world.run()
    url = world.ask("a")["comprobantes"][0]["comprobante"]["comprobante_pdf_url"]
    assert http.get(url).content.startswith(b"%PDF-")
    assert http.get(url.replace("/pdf/", "/pdf/0")).status_code == 404
