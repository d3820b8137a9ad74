"""pack_lotes where whole lotes are refused in words that name nobody: a comprobante's fault, or the cuenta's."""

from __future__ import annotations

import httpx
import pytest
from tests.integration import world

house = world.house
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")
REFUSED = "SIM:RECHAZAR"


@pytest.fixture
def unnamed(house):
    house.plan.update(forma_rechazo="ilegible")
    return house


def refuse_the_cuenta(house):
    """From now on every lote is refused, in words that nobody published; call what this gives to end it."""
    shut = [True]
    provider = house.transport

    def handle(request: httpx.Request) -> httpx.Response:
        if shut and request.url.path.endswith("lotes_encola"):
            house.plan.update(lotes=["unreadable_refusal"])
        return provider.handle_request(request)

    house.transport = httpx.MockTransport(handle)
    return shut.clear


def knock_until(house, references, *, most):
    """Invocations, each when all that waits can be seen, until these are accepted; how many POSTs it took."""
    for _ in range(most):
        house.pack()
        if house.estados(*references) == {"ENVIADO"}:
            return len(house.posts())
        house.clock.advance(minutes=31)
    raise AssertionError(f"{sum(house.estado(r) == 'ENVIADO' for r in references)} of {len(references)} were accepted")


@pytest.mark.parametrize("limite", [None, 4])
def test_four_that_are_refused_by_nobodys_name_do_not_fill_the_lote_for_ever(unnamed, limite):
    """Of an earlier fecha they are first in every lote; LOTE_LEAST of them would be the whole of the smallest."""
    house = unnamed
    if limite:
        puerta = house.ledger.puerta("norte")
        house.ledger.change_puerta(puerta, world.replace(puerta, limite=limite))
    bad, good = [f"BAD-{n}" for n in range(4)], [f"A-{n}" for n in range(12)]
    house.send(*bad, comentario=REFUSED, fecha="01/03/2026")
    house.send(*good)
    assert knock_until(house, good, most=4) <= 30
    house.clock.advance(minutes=31)
    house.send("B-1", "B-2")
    house.pack()
    assert house.estados(*bad) == {"RECHAZADO"} and house.waiting() == 0
    house.assert_nothing_twice()


@pytest.mark.parametrize("fecha", ["01/03/2026", "02/03/2026"])
def test_ten_who_are_to_blame_keep_nobody_from_being_taken(unnamed, fecha):
    house = unnamed
    blamed, others = [f"BAD-{n:02d}" for n in range(10)], [f"A-{n:02d}" for n in range(15)]
    house.send(*blamed, comentario=REFUSED, fecha=fecha)
    house.clock.advance(seconds=1)
    house.send(*others)
    assert knock_until(house, others, most=6) <= 60
    assert house.estados(*blamed) <= {"RECHAZADO", "PENDIENTE", None}
    house.assert_nothing_twice()


def test_one_to_blame_among_a_hundred_is_found_within_one_invocation(unnamed):
    house = unnamed
    house.send(*(f"A-{n:02d}" for n in range(37)))
    house.clock.advance(seconds=1)
    house.send("BAD", comentario=REFUSED)
    house.clock.advance(seconds=1)
    house.send(*(f"B-{n:02d}" for n in range(62)))
    assert house.pack() == []
    assert house.estado("BAD") == "RECHAZADO" and len(house.posts()) <= 20


@pytest.mark.parametrize(("size", "most"), [(1, 1), (16, 6), (40, 6)])
def test_a_cuenta_that_is_refused_in_unknown_words_is_knocked_at_with_few_posts(house, size, most):
    """The words for «suspended» are not published: whoever is refused then is to blame for nothing."""
    references = [f"A-{n}" for n in range(size)]
    open_again = refuse_the_cuenta(house)
    house.send(*references)
    waits = []
    for _ in range(3):
        before = len(house.posts())
        assert len(house.pack()) == size
        assert 1 <= len(house.posts()) - before <= most
        until = house.ledger.puerta("norte").cerrada_hasta
        waits.append((until - house.clock()).total_seconds())
        house.clock.now = until
        house.clock.advance(seconds=3)
    assert waits[2] > 2 * waits[0]
    open_again()
    knock_until(house, references, most=3)
    assert house.waiting() == 0
    house.assert_nothing_twice()


def test_what_was_refused_alone_leaves_behind_the_others_and_in_order_of_fecha_with_them(house):
    """The doubt decides who is in the lote, the fecha who is first in it: else the earlier ones would fail (10016)."""
    open_again = refuse_the_cuenta(house)
    house.send("OLD-1", "OLD-2", fecha="01/03/2026")
    house.pack()
    assert {house.asiento(r).dudas for r in ("OLD-1", "OLD-2")} == {1}
    open_again()
    house.clock.advance(minutes=31)
    house.send("A-1", "A-2", "A-3")
    house.pack()
    assert sorted(house.posts()[-1][:2]) == ["OLD-1", "OLD-2"] and len(house.posts()[-1]) == 5


def test_a_corrected_one_is_not_doubted_for_what_its_reference_held_before(unnamed):
    house = unnamed
    house.send("A-1", comentario=REFUSED)
    house.pack()
    assert house.asiento("A-1").dudas == 1
    house.clock.advance(minutes=31)
    house.send("A-2")
    house.pack()
    assert house.estado("A-1") == "RECHAZADO"
    house.send("A-1", precio=99)
    house.pack()
    assert house.estado("A-1") == "ENVIADO" and house.asiento("A-1").dudas == 0


# -- a quota that is smaller than the lote


def test_what_a_quota_still_has_room_for_is_sent(house):
    """«With quota for the whole lote at submission»: what micuenta/consumo says is left may go."""
    house.proveedor.cuentas["norte"].cupo = 7
    house.send(*(f"A-{n:02d}" for n in range(20)))
    assert len(house.pack()) == 13
    assert [len(post) for post in house.posts()] == [20, 7]
    assert sum(house.estado(f"A-{n:02d}") == "ENVIADO" for n in range(20)) == 7
    assert house.ledger.puerta("norte").motivo == "SinCupo"
    house.proveedor.cuentas["norte"].cupo = 20
    house.clock.advance(minutes=31)
    assert house.pack() == []
    house.assert_nothing_twice()


@pytest.mark.parametrize("room", [0, 1_000])
def test_where_the_providers_own_count_does_not_help_nothing_more_is_sent(house, room):
    house.plan.update(cupo_agotado=True)
    house.proveedor.cuentas["norte"].cupo = room
    house.send("A-1", "A-2", "A-3")
    assert len(house.pack()) == 3
    assert len(house.posts()) == 1 and house.ledger.puerta("norte").motivo == "SinCupo"


def test_a_count_that_is_wrong_costs_one_more_post_and_nothing_else(house):
    house.plan.update(cupo_agotado=True)

    def two_left(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        if not request.url.path.endswith("micuenta/consumo"):
            return answer
        return httpx.Response(200, json={**answer.json(), "comprobantes_disponibles": 2})

    house.answer_with(two_left)
    house.send("A-1", "A-2", "A-3")
    assert len(house.pack()) == 3
    assert [len(post) for post in house.posts()] == [3, 2]
    assert house.estados("A-1", "A-2", "A-3") == {"PENDIENTE"}
    house.assert_nothing_twice()
