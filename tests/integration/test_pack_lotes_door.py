"""pack_lotes at a closed door: nothing is lost, nothing spins, and what waited leaves when it opens."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from tests.integration import world
from tests.integration.around import Watched
from tests.sandbox.simulator.plan import Plan

house = world.house
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")
SHUT = {
    "EnMantenimiento": {"lotes_prob": {"maintenance": 1.0}},
    "Limitado": {"lotes_prob": {"429": 1.0}},
    "SinCupo": {"cupo_agotado": True},
    "SinConexion": {"caida": "sin_conexion"},
    "CredencialesRechazadas": {},
    "SinWebhook": {},
}


def shut(house, why):
    sim = house.proveedor.cuentas["norte"]
    house.plan.update(**SHUT[why])
    if why == "CredencialesRechazadas":
        sim.apitoken = "another-one"
    if why == "SinWebhook":
        sim.webhook_url = None


def open_again(house):
    whole = Plan()
    house.plan.update(lotes_prob={}, cupo_agotado=False, caida="", lotes=whole.lotes)
    sim = house.proveedor.cuentas["norte"]
    sim.apitoken = house.secrets[1]
    sim.webhook_url = "https://api.test/hooks/norte"


@pytest.mark.parametrize("why", SHUT)
def test_a_provider_that_takes_nothing_of_a_cuenta_loses_nothing_and_is_knocked_at_ever_less_often(house, why):
    """«Nothing is lost and nothing spins; the messages wait, an alarm says why.»"""
    shut(house, why)
    house.add_cuenta("sur")
    house.send("A-1", "A-2")
    assert len(house.pack()) == 2
    assert house.estados("A-1", "A-2") == {"PENDIENTE"}
    waits = []
    for golpes in range(1, 9):
        puerta = house.ledger.puerta("norte")
        assert (puerta.motivo, puerta.golpes) == (why, golpes)
        waits.append((puerta.cerrada_hasta - house.clock()).total_seconds())
        knocks = len(house.proveedor.posts), house.proveedor.llamadas.total()
        house.clock.now = puerta.cerrada_hasta - timedelta(seconds=1)
        house.pack()
        assert knocks == (len(house.proveedor.posts), house.proveedor.llamadas.total()), "the door is closed until then"
        house.clock.now = puerta.cerrada_hasta + timedelta(seconds=3)
        assert len(house.pack()) == 2, "all that waited come again together"
    if why != "EnMantenimiento":
        assert all(after > 1.3 * before for before, after in pairwise(waits[:6])) and waits[7] > 1_400
    assert max(waits) <= 1_800 and house.counts["CuentaDetenida"] >= 9
    house.send("B-1", cuenta="sur")
    if why in {"CredencialesRechazadas", "SinWebhook"}:
        assert house.pack() == [] and house.estado("B-1", "sur") == "ENVIADO", "another cuenta is not held up"
    open_again(house)
    house.clock.advance(minutes=31)
    house.pack()
    for _ in range(2):
        house.clock.advance(minutes=1)
        house.pack()
    assert house.estados("A-1", "A-2") == {"ENVIADO"} and house.waiting() == 0
    assert house.ledger.puerta("norte").golpes == 0
    house.assert_nothing_twice()


def test_one_that_comes_to_a_closed_door_waits_with_the_others(house):
    house.plan.update(lotes=["429"])
    house.send("A-1")
    house.pack()
    calls = house.proveedor.llamadas.total()
    house.clock.advance(seconds=5)
    house.send("A-2")
    assert len(house.pack()) == 1
    assert house.proveedor.llamadas.total() == calls and house.estado("A-2") is None
    house.clock.now = house.ledger.puerta("norte").cerrada_hasta + timedelta(seconds=3)
    assert house.pack() == [] and sorted(house.posts()[-1]) == ["A-1", "A-2"]


def test_the_maintenance_that_says_until_when_is_waited_for(house):
    house.proveedor.web_maintenance(1_200)
    house.send("A-1")
    house.pack()
    puerta = house.ledger.puerta("norte")
    assert puerta.cerrada_hasta - house.clock() == timedelta(seconds=1_200)
    house.clock.advance(seconds=1_190)
    house.pack()
    assert house.proveedor.llamadas["facturacion/lotes_encola"] == 1
    house.clock.advance(seconds=70)
    house.pack()
    assert house.estado("A-1") == "ENVIADO"


def test_a_day_of_outage_brings_no_message_near_the_dead_letter_queue(house):
    """«A day of provider outage must not fill the dead-letter queue.»"""
    house.plan.update(caida="503")
    house.send("A-1")
    receives = 0
    end = house.clock() + timedelta(days=1)
    while house.clock() < end:
        receives += house.receivable()
        house.pack()
        house.clock.advance(minutes=15)
    assert 20 < receives < 150, "300 receives end in the dead-letter queue"
    assert house.proveedor.llamadas.total() < 150
    assert house.posts() == [] and house.waiting() == 1


def test_no_new_lote_leaves_until_a_query_about_the_uncertain_one_is_answered(house):
    """«One Incierto closes that cuenta's door: no new lote of it until a query is answered.»"""
    house.add_cuenta("sur")
    house.plan.update(lotes=["524_accepted"], consultas_prob={"524": 1.0}, hooks_prob={"lost": 1.0})
    house.send("A-1")
    house.pack()
    assert house.ledger.puerta("norte").incierta == "A-1"
    house.send("A-2")
    house.send("B-1", cuenta="sur")
    house.pack()
    assert house.posts() == [["A-1"], ["B-1"]] and house.estado("A-2") is None
    house.clock.advance(minutes=31)
    house.pack()
    assert len(house.posts()) == 2
    house.plan.update(consultas_prob={})
    house.clock.advance(minutes=31)
    house.pack()
    assert house.posts() == [["A-1"], ["B-1"], ["A-2"]]
    assert house.ledger.puerta("norte").incierta is None
    house.assert_nothing_twice()


def test_after_a_524_the_next_lote_is_half_as_large_and_grows_again_by_ten(house):
    """«The next lote is half as large, +10 after each success, at most 100.»"""
    puerta = house.ledger.puerta("norte")
    house.ledger.change_puerta(puerta, replace(puerta, limite=4))
    house.plan.update(lotes=["524_accepted"])
    house.send(*(f"A-{n}" for n in range(4)))
    house.pack()
    assert house.ledger.puerta("norte").limite == 2
    house.send(*(f"B-{n}" for n in range(5)))
    house.pack()
    assert [len(post) for post in house.posts()] == [4, 2, 3]
    assert house.ledger.puerta("norte").limite == 22
    house.ledger.change_puerta(puerta, replace(puerta, limite=95))
    house.send("C-1")
    house.pack()
    assert house.ledger.puerta("norte").limite is None


@pytest.mark.parametrize("ending", ["reset_dropped", "html_200_accepted"])
def test_only_a_provider_that_ran_out_of_time_is_given_smaller_lotes(house, ending):
    house.plan.update(lotes=[ending])
    house.send("A-1")
    house.pack()
    puerta = house.ledger.puerta("norte")
    assert (puerta.limite, puerta.incierta) == (None, "A-1")


def test_a_message_that_comes_again_waits_twice_as_long_each_time(house):
    """«Growing delays»: 30 s, doubling, cap 1,800, ±20 %; set on each message by ChangeMessageVisibility."""
    house.plan.update(lotes=["524_dropped"], hooks_prob={"lost": 1.0})
    house.send("A-1")
    house.pack()
    for _ in range(8):
        house.clock.advance(seconds=house.waits[-1] + 1)
        house.pack()
    assert len(house.waits) == 9 and house.posts() == [["A-1"]]
    for n, wait in enumerate(house.waits):
        grown = 30 * 2**n
        assert 0.8 * min(grown, 1_800) <= wait <= min(1.2 * grown, 1_800)


def test_a_message_whose_hook_nobody_folds_does_not_come_every_half_minute(house):
    """A first absence brings it soon for the second; while that proves nothing, it waits the longer each time."""
    house.plan.update(lotes=["524_dropped"], hooks_prob={"lost": 1.0})
    house.send("A-1")
    house.pack()
    house.clock.advance(hours=3)
    house.pack()
    assert house.asiento("A-1").ausente_desde and house.waits[-1] == 30
    house.hook("A-1", "encolado", "h-1")
    for _ in range(6):
        house.clock.advance(seconds=house.waits[-1] + 1)
        house.pack()
    assert house.waits[-1] > 100, "the stream is stuck, and its message need not be asked about time and again"


def test_messages_do_not_come_again_in_step(house):
    house.plan.update(lotes=["524_dropped"], hooks_prob={"lost": 1.0})
    house.send(*(f"A-{n}" for n in range(12)))
    house.pack()
    assert len(house.waits) == 12 and max(Counter(house.waits).values()) < 8


def test_a_door_that_another_invocation_closed_meanwhile_is_closed_to_the_next_lote(house):
    puerta = house.ledger.puerta("norte")
    house.ledger.change_puerta(puerta, replace(puerta, limite=1))
    house.plan.update(consultas_prob={"524": 1.0})

    def close(method):
        if method == "lotes_encola" and not house.posts():
            now = house.ledger.puerta("norte")
            house.ledger.change_puerta(now, replace(now, incierta="OTHER"))

    house.send("A-1")
    house.clock.advance(seconds=1)
    house.send("A-2", "A-3")
    assert len(house.pack(connect=lambda cuenta: Watched(house.connect(cuenta), before=close))) == 2
    assert house.posts() == [["A-1"]] and house.ledger.puerta("norte").incierta == "OTHER"


def test_running_out_of_our_own_time_closes_no_door(house):
    """The lote is claimed, and the invocation is too old to post it: that says nothing of the provider."""
    slow = Watched(house.ledger, after=lambda method: method == "claim" and house.clock.advance(seconds=2))
    house.send("A-1")
    assert len(house.pack(seconds=house.settings.time_for_a_lote.total_seconds() + 1, ledger=slow)) == 1
    puerta = house.ledger.puerta("norte")
    assert (puerta.cerrada_hasta, puerta.golpes, house.counts["CuentaDetenida"]) == (None, 0, 0)
    assert house.estado("A-1") == "PENDIENTE" and house.posts() == []


def test_one_that_is_refused_beside_others_in_words_that_name_nobody_closes_no_door(house):
    house.plan.update(forma_rechazo="ilegible")
    house.send("A-1", "A-2")
    house.clock.advance(seconds=1)
    house.send("A-3", comentario="SIM:RECHAZAR")
    assert len(house.pack()) == 1
    assert house.ledger.puerta("norte").cerrada_hasta is None and house.estados("A-1", "A-2") == {"ENVIADO"}
    house.send("A-4")
    house.pack()
    assert house.estado("A-4") == "ENVIADO"


def test_one_that_is_refused_alone_for_long_does_not_block_its_cuenta(house):
    """Each knock makes the next lote smaller; in the end it must still hold somebody else."""
    house.plan.update(forma_rechazo="ilegible")
    house.send("A-1", comentario="SIM:RECHAZAR")
    for _ in range(8):
        house.pack()
        house.clock.advance(minutes=31)
    house.send("A-2", "A-3", "A-4")
    for _ in range(12):
        house.pack()
        house.clock.advance(minutes=31)
    assert house.estados("A-2", "A-3", "A-4") == {"ENVIADO"} and house.estado("A-1") == "RECHAZADO"
