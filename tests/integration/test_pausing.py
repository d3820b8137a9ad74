"""A pause: nothing leaves, nothing is lost, nothing else stops, and who wanted it and why is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from tests.integration import world
from tests.integration.around import Watched

from operate.cli.pausar import paused

house = world.house
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")
ANA = "arn:aws:sts::123456789012:assumed-role/facturas/ana"


def pause(house, cuenta="norte", **more):
    which = {"cuenta": cuenta} if cuenta else {"todas": True}
    return house.operate("pausar", **{"motivo": "cambio de precios", "quien": ANA, **which, **more})


def resume(house, cuenta="norte", **more):
    which = {"cuenta": cuenta} if cuenta else {"todas": True}
    return house.operate("reanudar", quien=ANA, **which, **more)


def in_error(house, reference="E-1"):
    """One that the provider marked with an error that is resent."""
    house.put(house.message(reference, comentario="SIM:ERROR=AFIP*1"))
    house.pack()
    for _ in range(20):
        house.clock.advance(minutes=1)
        house.deliver()
        house.follow()
        if house.estado(reference) == "ERROR":
            return
    raise AssertionError(house.estado(reference))


# -- sending


@pytest.mark.parametrize("cuenta", ["norte", None])
def test_nothing_leaves_during_a_pause_and_everything_once_after_it(house, cuenta):
    pause(house, cuenta)
    references = [f"A-{n}" for n in range(30)]
    house.send(*references)
    for _ in range(12):
        house.clock.advance(minutes=10)
        house.settle()
        house.reconcile()
    assert house.posts() == [] and house.waiting() == 30 and house.estados(*references) == {None}
    assert house.counts["CuentaDetenida"] == 0, "it is a person's will, and no trouble at the provider"
    assert '"motivo":"EnPausa"' in house.log.getvalue()
    resume(house, cuenta)
    house.clock.advance(minutes=30)
    house.settle()
    assert [len(post) for post in house.posts()] == [30] and house.waiting() == 0
    house.run(steps=6, minutes=10)
    assert house.estados(*references) == {"EMITIDO"}
    house.assert_nothing_twice()


def test_another_cuenta_goes_on(house):
    house.add_cuenta("sur")
    pause(house)
    house.send("A-1")
    house.send("B-1", cuenta="sur")
    house.pack()
    assert house.posts() == [["B-1"]] and house.estado("B-1", "sur") == "ENVIADO"


def test_a_lote_that_had_begun_ends_as_it_would_have(house):
    """The pause comes between the look at the door and the claims; the next lote of that invocation does not leave."""
    house.secret("norte", modo="individual")
    house.send("A-1", "A-2")
    claimed = []

    def meanwhile(name):
        if name == "claim" and not claimed:
            claimed.append(name)
            pause(house)

    assert len(house.pack(ledger=Watched(house.ledger, before=meanwhile))) == 1
    assert len(house.proveedor.posts) == 1 and house.estados("A-1", "A-2") == {"ENVIADO", None}


def test_what_waits_comes_again_no_later_than_the_pause_has_lasted_and_costs_few_receives(house):
    began = house.clock()
    pause(house)
    house.send("A-1", "A-2")
    looks = []
    while house.clock() - began < timedelta(days=1):
        assert len(house.pack()) == 2, "all that wait come again together"
        looks.append(house.clock())
        wait = timedelta(seconds=max(house.waits[-2:]))
        assert wait <= max(house.settings.retry_delay, looks[-1] - began, timedelta(0)) + timedelta(seconds=2)
        assert wait <= timedelta(minutes=30, seconds=1)
        house.clock.advance(seconds=wait.total_seconds() + 1)
    assert len(looks) <= 55 and all(b > a for a, b in pairwise(looks))


def test_a_pause_outlives_whatever_is_written_about_the_door(house):
    puerta = house.ledger.puerta("norte")
    pause(house)
    house.ledger.change_puerta(puerta, replace(puerta, limite=4, motivo="SinCupo"))
    after = house.ledger.puerta("norte")
    assert after.pausa and after.limite == 4
    resume(house)
    house.ledger.change_puerta(after, replace(after, limite=None))
    assert house.ledger.puerta("norte").pausa is None, "a door that was read in the pause does not bring it back"


def test_what_is_uncertain_is_asked_about_during_a_pause_and_sent_after_it(house):
    house.plan.update(lotes=["524_dropped"])
    house.send("A-1")
    house.pack()
    assert house.estado("A-1") == "INCIERTO"
    pause(house)
    sent = len(house.proveedor.posts)
    house.run(steps=24, minutes=10)
    assert house.estado("A-1") == "PENDIENTE" and len(house.proveedor.posts) == sent and house.waiting() == 1
    resume(house)
    house.run(steps=6, minutes=10)
    assert house.estado("A-1") == "EMITIDO"
    house.assert_nothing_twice()


def test_a_pause_may_have_an_end(house):
    answer = pause(house, horas=2)
    assert answer["pausa"]["hasta"] is not None
    house.send("A-1")
    house.run(steps=11, minutes=10)
    assert house.posts() == []
    house.run(steps=2, minutes=10)
    assert house.posts() == [["A-1"]], "it came again when the pause was over"


# -- errors


def test_no_error_is_resent_during_a_pause_nor_what_a_person_decides(house):
    in_error(house)
    pause(house)
    answer = house.operate("decidir", accion="reenviar", cuenta="norte", referencias=["E-1"], motivo="m", quien=ANA)
    assert answer["cantidad"] == 1 and answer["en_pausa"] == ["norte"]
    house.run(steps=24, minutes=10)
    assert house.estado("E-1") == "ERROR" and house.calls("facturacion/reenviar_encolado") == 0
    started = len(house.executions("ABORTED")) + len(house.executions())
    assert started <= 3, "no run is started only to find the pause"
    resume(house)
    house.run(steps=6, minutes=10)
    assert house.estado("E-1") == "EMITIDO" and house.calls("facturacion/reenviar_encolado") >= 1
    house.assert_nothing_twice()


def test_a_pause_stops_a_run_between_two_of_its_actions(house):
    for reference in ("E-1", "E-2"):
        in_error(house, reference)
    answer = house.operate(
        "decidir", accion="reenviar", cuenta="norte", referencias=["E-1", "E-2"], motivo="m", quien=ANA
    )
    assert answer["cantidad"] == 2
    done = []

    def meanwhile(name):
        if name == "resent" and not done:
            done.append(name)
            pause(house)

    house.ledger = Watched(house.ledger, after=meanwhile)
    house.run_errors(rounds=5)
    assert house.calls("facturacion/reenviar_encolado") == 1


# -- who, why, since when


def test_a_pause_says_who_wanted_it_why_and_how_long_it_is_safe(house):
    answer = pause(house)
    assert answer["nueva"] and not answer["conocida"]
    pausa = answer["pausa"]
    assert (pausa["cuenta"], pausa["quien"], pausa["motivo"]) == ("norte", ANA, "cambio de precios")
    assert house.operate("listar")["pausas"] == [pausa]
    assert '"pausada"' in house.log.getvalue() and "cambio de precios" not in house.log.getvalue()
    (cuenta,) = house.operate("cuentas")["cuentas"]
    assert cuenta["pausa"] == pausa and cuenta["abiertos"] == 0 and not cuenta["conocida"]


def test_pressed_twice_it_is_one_pause_and_keeps_its_beginning(house):
    first = pause(house)
    house.clock.advance(hours=1)
    second = pause(house, motivo="otro")
    assert not second["nueva"] and second["pausa"] == first["pausa"] and not second["mas_larga"]
    resume(house)
    assert resume(house)["error"]["codigo"] == "NoEstaEnPausa"
    house.clock.advance(hours=1)
    again = pause(house, motivo="otro")
    assert again["nueva"] and again["pausa"]["motivo"] == "otro" and again["pausa"]["hasta"] is None


@pytest.mark.parametrize("first", [None, 8])
def test_a_second_person_does_not_shorten_a_pause_without_saying_so(house, first):
    """A counted on it: what was to wait until tomorrow must not leave in an hour."""
    horas = {"horas": first} if first else {}
    longer = pause(house, **horas)["pausa"]
    house.clock.advance(minutes=10)
    kept = pause(house, motivo="otro", quien=f"{ANA}-2", horas=1)
    assert kept["pausa"] == longer and not kept["nueva"] and kept["mas_larga"]
    assert "Ya estaba pedida hasta más tarde" in paused(kept)
    house.clock.advance(hours=2)
    assert house.ledger.pausa_of("norte")
    shorter = pause(house, motivo="otro", horas=1, acortar=True)
    assert shorter["pausa"]["hasta"] != longer["hasta"] and not shorter["mas_larga"]
    house.clock.advance(hours=2)
    assert house.ledger.pausa_of("norte") is None


@pytest.mark.parametrize("later", [None, 8])
def test_a_second_person_may_lengthen_a_pause(house, later):
    pause(house, horas=1)
    longer = pause(house, **({"horas": later} if later else {}))
    assert not longer["mas_larga"]
    house.clock.advance(hours=2)
    assert house.ledger.pausa_of("norte")


def test_the_pause_of_one_and_that_of_all_are_two(house):
    pause(house, None)
    assert resume(house)["error"]["codigo"] == "PausaGeneral"
    pause(house)
    assert [p["cuenta"] for p in resume(house, None)["pausas"]] == ["norte"]
    house.send("A-1")
    house.pack()
    assert house.posts() == []
    assert resume(house)["pausas"] == []


def test_a_long_pause_is_counted_apart(house):
    pause(house)
    house.reconcile()
    assert (house.counts["EnPausa"], house.counts["PausasLargas"]) == (1, 0)
    house.clock.advance(hours=25)
    house.reconcile()
    assert (house.counts["EnPausa"], house.counts["PausasLargas"]) == (2, 1)
    assert '"horas":25' in house.log.getvalue()
    resume(house)
    house.reconcile()
    assert (house.counts["EnPausa"], house.counts["PausasLargas"]) == (2, 1)


def test_the_daily_close_and_the_contrast_go_on(house):
    house.send("A-1")
    house.pack()
    pause(house)
    house.run(steps=12, minutes=10)
    assert house.estado("A-1") == "EMITIDO" and house.asiento("A-1").cae
    house.run(steps=30, hours=1)
    assert house.ledger.cierres("norte", since=house.clock().date() - timedelta(days=3))
