"""The daily close: once a night per cuenta, the provider's pages against the ledger; a difference is told when sure."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from tests.integration import world
from tests.integration.around import Killed, Watched

house = world.house
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")
DAY = date(2026, 3, 2)
FOREVER = {"demora_en_cola": 864_000.0}


def to_the_night(house, *, days=0):
    """03:01 in Argentina, the night after `DAY` (or so many days later)."""
    house.clock.now = house.clock.now.replace(day=3 + days, hour=6, minute=1)


def day_of(house, *references, **fields):
    """Sent, and all that follows from it, on DAY."""
    house.reconcile()
    house.send(*references, **fields)
    house.pack()
    house.run(steps=2, minutes=6)


def cierre(house, fecha=DAY):
    return next((c for c in house.ledger.cierres("norte", since=fecha) if c["sk"] == fecha.isoformat()), None)


def night(house, looks=2):
    for _ in range(looks):
        house.reconcile()
        house.clock.advance(minutes=6)


def test_a_day_without_trouble_closes_with_no_difference_and_one_query(house):
    day_of(house, "A-1", "A-2", "A-3")
    asked = house.calls()
    to_the_night(house)
    assert house.reconcile()["cierres"] == 1
    item = cierre(house)
    assert (item["recibidos"], item["emitidos"], item["diferencia"]) == (3, 3, 0)
    total = sum(house.asiento(f"A-{n}").datos.total for n in (1, 2, 3))
    assert item["importe"] == str(total) and house.calls() == asked + 1
    night(house, looks=5)
    assert house.calls() == asked + 1 and house.counts["DiferenciaCierre"] == 0


def test_a_day_is_not_closed_before_three_in_the_morning_in_argentina(house):
    day_of(house, "A-1")
    house.clock.now = house.clock.now.replace(day=3, hour=5, minute=59)
    assert house.reconcile()["cierres"] == 0 and cierre(house) is None


def test_a_cuenta_first_seen_today_has_no_yesterday(house):
    house.ledger.puerta("norte")
    for _ in range(3):
        house.reconcile()
        house.clock.advance(minutes=6)
    assert house.calls() == 0 and house.ledger.cierres("norte", since=DAY - timedelta(days=9)) == []


def test_a_row_that_the_ledger_lost_is_a_difference_told_at_the_second_look(house):
    day_of(house, "A-1", "A-2")
    key = {"pk": {"S": "norte#A-1"}, "sk": {"S": "ESTADO"}}
    house.aws("dynamodb").delete_item(TableName=world.TABLE, Key=key)
    to_the_night(house)
    assert house.reconcile()["cierres"] == 0
    assert cierre(house) is None and house.counts["DiferenciaCierre"] == 0
    house.clock.advance(minutes=6)
    assert house.reconcile()["cierres"] == 1
    item = cierre(house)
    assert (item["recibidos"], item["emitidos"], item["diferencia"], item["motivos"], item["ejemplos"]) == (
        2, 1, 1, {"sin_asiento": 1}, ["A-1"],
    )  # fmt: skip
    assert house.counts["DiferenciaCierre"] == 1
    told = [json.loads(line) for line in house.log.getvalue().splitlines() if '"cierre"' in line]
    assert told[-1]["level"] == "ERROR" and told[-1]["ejemplos"] == ["A-1"]


def test_a_difference_that_is_gone_at_the_second_look_is_not_told(house):
    day_of(house, "A-1")
    (item,) = [i for i in house.items() if i["pk"]["S"] == "norte#A-1" and i["sk"]["S"] == "ESTADO"]
    house.aws("dynamodb").delete_item(TableName=world.TABLE, Key={"pk": item["pk"], "sk": item["sk"]})
    to_the_night(house)
    house.reconcile()
    house.aws("dynamodb").put_item(TableName=world.TABLE, Item=item)
    house.clock.advance(minutes=6)
    house.reconcile()
    assert cierre(house)["diferencia"] == 0 and house.counts["DiferenciaCierre"] == 0


def test_an_invoice_made_twice_at_the_provider_is_a_difference(house):
    day_of(house, "A-1")
    house.proveedor.web_submit("norte", house.message("A-1", cuenta=None))
    to_the_night(house)
    night(house)
    assert cierre(house)["motivos"] == {"duplicados": 1}


def test_what_vanished_from_the_provider_is_the_contrasts_to_explain_before_the_second_look(house):
    """Deleted on its web with the hook lost: missing at the first look, ELIMINADO and told at the second."""
    house.plan.update(**FOREVER, hooks_prob={"lost": 1.0})
    day_of(house, "A-1", "A-2")
    house.proveedor.web_delete("norte", "A-1")
    to_the_night(house)
    house.reconcile()
    (pulso,) = house.ledger.pulses()
    assert pulso.diferencia_vista and cierre(house) is None
    house.clock.advance(minutes=6)
    house.reconcile()
    assert (house.estado("A-1"), house.events("A-1")[-1]) == ("ELIMINADO", "ComprobanteEliminado")
    assert (cierre(house)["diferencia"], cierre(house)["abiertos"]) == (0, 1)


def test_a_scheduled_one_is_in_a_column_of_its_own_and_closes_with_its_own_day(house):
    house.reconcile()
    house.put(house.message("S-1", fecha="04/03/2026", vencimiento="04/03/2026"))
    day_of(house, "A-1")
    to_the_night(house)
    night(house)
    item = cierre(house)
    assert (item["recibidos"], item["emitidos"], item["abiertos"], item["programados"]) == (1, 1, 0, 1)
    house.clock.advance(days=1, hours=6)
    house.run(steps=2, minutes=6)
    to_the_night(house, days=2)
    night(house)
    assert (cierre(house, date(2026, 3, 4))["emitidos"], cierre(house, date(2026, 3, 4))["programados"]) == (1, 0)


def test_a_day_with_something_open_is_closed_again_the_next_night(house):
    house.plan.update(**FOREVER)
    day_of(house, "A-1")
    to_the_night(house)
    night(house)
    assert (cierre(house)["abiertos"], cierre(house)["emitidos"]) == (1, 0)
    house.proveedor.web_issue("norte", "A-1")
    house.run(steps=2, minutes=6)
    to_the_night(house, days=1)
    night(house)
    assert (cierre(house)["abiertos"], cierre(house)["emitidos"], cierre(house)["diferencia"]) == (0, 1, 0)


def test_nights_that_nobody_closed_are_closed_with_the_next(house):
    day_of(house, "A-1")
    to_the_night(house, days=4)
    night(house)
    assert [c["sk"] for c in house.ledger.cierres("norte", since=DAY)] == [f"2026-03-0{n}" for n in range(2, 7)]


def test_a_crash_in_the_middle_repeats_the_night_and_a_silent_provider_is_asked_again_later(house):
    day_of(house, "A-1")
    to_the_night(house)

    def die(method):
        if method == "record_close":
            raise Killed

    with house.ledger_of_reconcile(Watched(house.ledger, before=die)), pytest.raises(Killed):
        house.reconcile()
    assert house.reconcile()["cierres"] == 0, "its turn is still taken"
    house.clock.advance(minutes=6)
    house.plan.update(consultas=["524"])
    assert house.reconcile()["cierres"] == 0 and cierre(house) is None
    house.clock.advance(minutes=6)
    assert house.reconcile()["cierres"] == 1 and cierre(house)["diferencia"] == 0


def test_no_night_is_begun_without_the_time_for_it(house):
    day_of(house, "A-1")
    to_the_night(house)
    assert house.reconcile(seconds=59)["cierres"] == 0 and cierre(house) is None
