"""What the metrics say of a house that works, and of one in trouble."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from tests.integration import world
from tests.items import raw
from tests.template import of_type, properties

house = world.house
MINUTE, HOUR = 60, 3600
WHOLE_WINDOW = 10 * 24 * HOUR
LOST = {"hooks_prob": {"lost": 1.0}}


def last(house, nombre, cuenta=None):
    """What was measured last; None where nothing was."""
    values = house.medidor.own[nombre, cuenta] if cuenta else house.medidor.values[nombre]
    return values[-1] if values else None


def minutes(house, n, every=1):
    """`n` reconciliations, `every` so many minutes."""
    for _ in range(n):
        house.clock.advance(minutes=every)
        house.settle()
        house.reconcile()


# -- silence


def test_while_hooks_come_nobody_is_silent(house):
    house.send("A-1", "A-2")
    house.run(steps=5, minutes=1)
    assert house.estados("A-1", "A-2") == {"EMITIDO"}
    house.run(steps=3, hours=6)
    assert set(house.medidor.values["Silencio"]) == {0.0}, "a quiet night is no silence"


def test_silence_grows_from_the_first_hook_that_did_not_come_and_ends_with_one(house):
    house.send("A-1")
    house.run(steps=5, minutes=1)
    house.clock.advance(hours=12)
    house.plan.update(**LOST)
    house.send("A-2")
    posted = house.clock()
    minutes(house, 6)
    assert house.estado("A-2") == "EMITIDO", "reconcile found out"
    assert last(house, "Silencio") == pytest.approx((house.clock() - posted).total_seconds(), abs=90)
    minutes(house, 3, every=60)
    assert last(house, "Silencio") == pytest.approx((house.clock() - posted).total_seconds(), abs=90)
    assert '"Silencio":{"cuenta":"norte"' in house.log.getvalue().replace(" ", "")
    house.hook("", "test", "test-1")
    house.follow()
    house.reconcile()
    assert last(house, "Silencio") == 0


def test_one_cuenta_is_silent_while_another_one_hears(house):
    house.add_cuenta("sur")
    house.send("S-1", cuenta="sur")
    house.run(steps=3, minutes=1)
    house.plan.update(**LOST)
    house.send("N-1")
    house.settle()
    for n in range(3):
        house.clock.advance(minutes=30)
        house.hook("S-1", "emitido", f"again-{n}", cuenta="sur")
        house.follow()
        house.reconcile()
    assert last(house, "Silencio", "norte") > HOUR and last(house, "Silencio", "sur") == 0
    assert last(house, "Silencio") == last(house, "Silencio", "norte")


def test_a_hook_that_is_stored_and_not_folded_yet_has_come(house):
    """The stream is behind for hours: nobody is silent, and another alarm says that it lags."""
    house.send("A-1")
    house.pack()
    house.clock.advance(minutes=1)
    house.deliver()
    for _ in range(4):
        house.clock.advance(minutes=30)
        house.reconcile()
    assert house.estado("A-1") == "EMITIDO" and set(house.medidor.values["Silencio"]) == {0.0}


def test_one_hook_that_was_lost_long_before_the_last_one_hides_no_silence(house):
    house.plan.update(demora_en_cola=864_000.0, **LOST)
    house.send("A-1")
    house.settle()
    house.clock.advance(minutes=10)
    house.plan.update(hooks_prob={})
    house.send("A-2")
    house.run(steps=2, minutes=1)
    house.clock.advance(hours=1)
    house.plan.update(**LOST)
    house.send("A-3")
    posted = house.clock()
    minutes(house, 4, every=15)
    assert 40 * MINUTE < last(house, "Silencio") <= (house.clock() - posted).total_seconds()


def test_a_scheduled_one_and_one_that_waits_in_line_are_no_silence(house):
    """The provider has said that they are queued; of more it has nothing to say yet."""
    tomorrow = f"{house.clock() + timedelta(days=3):%d/%m/%Y}"
    house.plan.update(demora_en_cola=864_000.0)
    house.send("A-1")
    house.send("A-2", fecha=tomorrow, vencimiento=tomorrow)
    house.run(steps=8, minutes=15)
    assert house.estados("A-1", "A-2") == {"ENCOLADO"}
    assert set(house.medidor.values["Silencio"]) == {0.0}


def test_a_hook_costs_no_write_of_its_own_cuenta_more_than_once_in_a_while(house, dynamodb):
    house.send("A-1")
    house.run(steps=2, minutes=1)
    house.clock.advance(minutes=1)
    house.hook("A-1", "encolado", "one-more")
    house.follow()
    before = raw(dynamodb, "CUENTAS", "norte")["oido"]
    house.clock.advance(seconds=5)
    house.hook("A-1", "encolado", "again")
    house.follow()
    assert raw(dynamodb, "CUENTAS", "norte")["oido"] == before
    house.clock.advance(seconds=30)
    house.hook("A-1", "encolado", "once-more")
    house.follow()
    assert raw(dynamodb, "CUENTAS", "norte")["oido"] > before


# -- what waits


def test_what_is_open_uncertain_and_parked_is_told_each_minute_with_its_age(house):
    house.put(house.message("P-1", comentario="SIM:ERROR=DESCONOCIDO"))
    house.run(steps=10, minutes=1)
    assert house.estado("P-1") == "EN_REVISION"
    parked = house.asiento("P-1").actualizado
    house.plan.update(demora_en_cola=864_000.0)
    house.send("A-1")
    began = house.clock()
    house.run(steps=20, minutes=1)
    assert (last(house, "Abiertos"), last(house, "EnRevision"), last(house, "EnError")) == (2, 1, 0)
    assert last(house, "EdadAbierto") == pytest.approx((house.clock() - began).total_seconds(), abs=2)
    assert last(house, "EdadRevision") == pytest.approx((house.clock() - parked).total_seconds(), abs=2)
    assert house.counts["ErroresDesconocidos"] == house.counts["Estacionados"] == 1


def test_an_uncertain_one_is_told_only_by_how_much_its_quiet_period_is_over(house):
    def silent(request, response):
        raise httpx.ReadTimeout("no answer", request=request)

    house.answer_with(silent)
    house.hooks_reach_us = False
    house.send("A-1")
    house.pack()
    assert house.estado("A-1") == "INCIERTO"
    minutes(house, 4, every=29)
    assert last(house, "InciertoVencido") == 0
    minutes(house, 2, every=29)
    assert 0 < last(house, "InciertoVencido") < HOUR


def test_the_legal_window_is_told_while_something_old_is_open_and_not_otherwise(house):
    house.plan.update(demora_en_cola=864_000.0)
    first = f"{house.clock() - timedelta(days=5, hours=3):%d/%m/%Y}"
    house.send("A-1", fecha=first, vencimiento=first)
    minutes(house, 3, every=15)
    assert last(house, "VentanaLegal") == WHOLE_WINDOW
    minutes(house, 3, every=15)
    ends = datetime(2026, 3, 3, 3, 0, tzinfo=UTC)
    assert last(house, "VentanaLegal") == pytest.approx((ends - house.clock()).total_seconds(), abs=1)


def test_the_legal_window_is_wide_again_once_what_was_about_to_leave_it_is_issued(house):
    house.plan.update(demora_en_cola=7_200.0)
    first = f"{house.clock() - timedelta(days=5, hours=3):%d/%m/%Y}"
    house.send("A-1", fecha=first, vencimiento=first)
    minutes(house, 6, every=15)
    assert last(house, "VentanaLegal") < 24 * HOUR
    minutes(house, 6, every=15)
    assert house.estado("A-1") == "EMITIDO" and last(house, "VentanaLegal") == WHOLE_WINDOW


def test_what_was_issued_today_is_told_with_its_money_and_how_long_it_took(house):
    house.send("A-1", "A-2")
    house.run(steps=5, minutes=1)
    total = sum(house.asiento(r).datos.total for r in ("A-1", "A-2"))
    assert (last(house, "EmitidosHoy"), last(house, "ImporteHoy")) == (2, float(total))
    assert len(house.medidor.values["SegundosHastaEmitido"]) == 2
    assert all(0 <= took < 10 * MINUTE for took in house.medidor.values["SegundosHastaEmitido"])
    minutes(house, 1, every=24 * 60)
    assert (last(house, "EmitidosHoy"), last(house, "ImporteHoy")) == (0, 0)


def test_a_house_without_cuentas_tells_that_nothing_waits(house):
    house.reconcile()
    assert (last(house, "Abiertos"), last(house, "EdadAbierto"), last(house, "Silencio")) == (0, 0, 0)
    assert last(house, "CupoRestante") is None and last(house, "VentanaLegal") == WHOLE_WINDOW


def test_an_alarm_that_keeps_its_state_while_nothing_is_said_is_told_each_minute(house):
    """With no cuenta, and with one that has nothing open: otherwise it would stay in alarm once it is mended."""
    keeps = [a for a in of_type("AWS::CloudWatch::Alarm") if properties(a)["TreatMissingData"] == "ignore"]
    watched = {properties(alarm)["MetricName"] for alarm in keeps}
    assert {"VentanaLegal", "Silencio", "EdadRevision"} <= watched
    house.reconcile()
    # Of a quota that nobody told there is nothing to say, and nothing was said before.
    assert watched - set(house.medidor.values) == {"CupoRestante"}
    house.send("A-1")
    house.run(steps=5, minutes=1)
    house.medidor.values.clear()
    minutes(house, 1)
    assert watched <= set(house.medidor.values)


# -- the quota


def test_the_quota_is_asked_for_once_an_hour_and_told_each_minute(house):
    house.proveedor.cuentas["norte"].cupo = 100
    house.send(*(f"A-{n}" for n in range(25)))
    house.run(steps=1, minutes=1)
    assert (last(house, "CupoDisponible"), last(house, "CupoRestante")) == (75, 75.0)
    minutes(house, 4, every=10)
    assert house.calls("micuenta/consumo") == 1 and len(house.medidor.values["CupoRestante"]) == 5
    minutes(house, 2, every=10)
    assert house.calls("micuenta/consumo") == 2


def test_a_provider_that_does_not_say_its_quota_is_left_alone_for_an_hour(house):
    house.send("A-1")
    house.settle()
    asked = []

    def broken(request, _response):
        asked.append(request.url.path)
        return httpx.Response(500)

    house.answer_with(broken)
    minutes(house, 4, every=10)
    assert last(house, "CupoRestante") is None
    assert sum(path.endswith("micuenta/consumo") for path in asked) == 1


def test_the_least_of_all_quotas_is_told_and_whose_it_is(house):
    house.add_cuenta("sur")
    house.proveedor.cuentas["sur"].cupo = 10
    house.send("N-1")
    house.send("S-1", cuenta="sur")
    house.run(steps=1, minutes=1)
    assert (last(house, "CupoDisponible"), last(house, "CupoRestante")) == (9, 90.0)
    (line,) = [json.loads(r) for r in house.log.getvalue().splitlines() if '"situacion"' in r]
    assert line["peores"]["CupoRestante"] == {"cuenta": "sur", "valor": 90}
