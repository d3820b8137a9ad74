"""The daily close: once a night per cuenta, what was received = issued + deleted + refused + parked + open.

What differs, also from the provider's pages, is told when it is sure.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest
from tests.integration import world
from tests.integration.around import Killed, Watched, aws_fails, calls_of
from tests.items import size

from facturacion.ledger.table import to_plain

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
    return next((c.columnas for c in house.ledger.cierres("norte", since=fecha) if c.dia == fecha), None)


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


def test_a_difference_stands_each_minute_until_a_night_finds_it_mended(house):
    """The alarm says that it is over when it is, and not five minutes after it was found."""
    day_of(house, "A-1", "A-2")
    (item,) = [i for i in house.items() if i["pk"]["S"] == "norte#A-1" and i["sk"]["S"] == "ESTADO"]
    house.aws("dynamodb").delete_item(TableName=world.TABLE, Key={"pk": item["pk"], "sk": item["sk"]})
    to_the_night(house)
    night(house)
    for _ in range(22):
        house.clock.advance(hours=1)
        house.reconcile()
        assert house.medidor.values["DiferenciaCierre"][-1] == 1
    to_the_night(house, days=1)
    night(house)
    assert house.medidor.values["DiferenciaCierre"][-1] == 1, "looked at again, and still there"
    house.aws("dynamodb").put_item(TableName=world.TABLE, Item=item)
    to_the_night(house, days=2)
    night(house)
    assert cierre(house)["diferencia"] == 0 and house.medidor.values["DiferenciaCierre"][-1] == 0


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


def test_a_scheduled_one_is_in_a_column_of_its_own_until_its_day_has_come(house):
    house.reconcile()
    house.put(house.message("S-1", fecha="04/03/2026", vencimiento="04/03/2026"))
    day_of(house, "A-1")
    to_the_night(house)
    night(house)
    item = cierre(house)
    assert (item["recibidos"], item["emitidos"], item["abiertos"], item["programados"]) == (2, 1, 0, 1)
    house.clock.advance(days=1, hours=6)
    house.run(steps=2, minutes=6)
    to_the_night(house, days=2)
    night(house)
    item = cierre(house)
    assert (item["recibidos"], item["emitidos"], item["programados"], item["diferencia"]) == (2, 2, 0, 0)
    assert cierre(house, date(2026, 3, 4))["recibidos"] == 0, "it was not received that day"


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
    assert [c.dia.day for c in house.ledger.cierres("norte", since=DAY)] == [2, 3, 4, 5, 6]


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


# -- what was received


COLUMNS = ("emitidos", "eliminados", "rechazados", "en_revision", "abiertos", "programados")


def columns(house, fecha=DAY):
    """Those that are not 0, of a close that is the sum that it should be."""
    item = cierre(house, fecha)
    counted = {name: int(item[name]) for name in COLUMNS if item[name]}
    assert item["recibidos"] == sum(counted.values()) + (item["diferencia"] if item["motivos"] else 0)
    return counted


def test_each_end_that_a_comprobante_can_come_to_has_its_column_and_the_columns_are_what_was_received(house):
    house.reconcile()
    for reference, kind in {"D": "DATOS", "X": "DESCONOCIDO", "T": "AFIP*9"}.items():
        house.put(house.message(reference, comentario=f"SIM:ERROR={kind}"))
    house.put(house.message("R-1", detalle=[]))
    house.put("no es un objeto")
    day_of(house, "A-1", "A-2", "A-2")
    house.run_errors(rounds=10)
    to_the_night(house)
    night(house)
    assert columns(house) == {"emitidos": 2, "eliminados": 1, "rechazados": 1, "en_revision": 1, "abiertos": 1}
    assert (cierre(house)["recibidos"], cierre(house)["diferencia"], house.counts["MensajesRechazados"]) == (6, 0, 1)


def test_what_waits_at_a_closed_door_was_received_and_is_open(house):
    house.reconcile()
    house.ledger.change_puerta(house.ledger.puerta("norte"), closed_until(house, days=2))
    day_of(house, "A-1", "A-2")
    house.run(steps=34, minutes=30)
    to_the_night(house)
    night(house)
    assert (house.estados("A-1", "A-2"), columns(house), cierre(house)["diferencia"]) == ({None}, {"abiertos": 2}, 0)


@pytest.mark.parametrize("estado", [None, "PENDIENTE"])
def test_what_was_received_and_its_message_lost_before_it_was_sent_is_a_difference(house, estado):
    """Without a row it was never claimed; PENDIENTE it waits for a message that nobody brings any more."""
    house.reconcile()
    if estado is None:
        house.ledger.change_puerta(house.ledger.puerta("norte"), closed_until(house, hours=4))
    else:
        house.plan.update(mantenimiento_hasta=house.clock() + timedelta(hours=4))
    day_of(house, "A-1")
    assert house.estado("A-1") == estado
    house.aws("sqs").purge_queue(QueueUrl=house.queues.queue)
    to_the_night(house)
    night(house)
    motivo = "pendientes_sin_mensaje" if estado else "recibidos_sin_asiento"
    assert (cierre(house)["motivos"], cierre(house)["ejemplos"], columns(house)) == ({motivo: 1}, ["A-1"], {})
    assert house.counts["DiferenciaCierre"] == 1


def closed_until(house, **later):
    return replace(house.ledger.puerta("norte"), cerrada_hasta=house.clock() + timedelta(**later), motivo="Prueba")


def test_one_that_is_corrected_the_next_day_is_refused_on_its_first_and_issued_on_its_second(house):
    house.reconcile()
    house.put(house.message("R-1", detalle=[]))
    day_of(house, "A-1")
    house.clock.advance(days=1)
    day_of(house, "R-1")
    to_the_night(house, days=1)
    night(house)
    assert columns(house) == {"emitidos": 1, "rechazados": 1}
    assert columns(house, date(2026, 3, 3)) == {"emitidos": 1}


def test_one_that_replaces_a_deleted_one_is_another_comprobante(house):
    house.reconcile()
    house.put(house.message("D-1", comentario="SIM:ERROR=DATOS"))
    day_of(house, "A-1")
    house.run_errors(rounds=10)
    house.put(house.message("D-2", reemplaza="D-1"))
    house.put(house.message("A-1", precio=7))
    house.run(steps=2, minutes=6)
    to_the_night(house)
    night(house)
    assert columns(house) == {"emitidos": 2, "eliminados": 1}
    assert cierre(house)["conflictos"] == 1, "another content of A-1, which is in the rejected queue"


def test_what_the_provider_ceased_to_show_after_it_was_issued_is_a_difference(house):
    day_of(house, "A-1", "A-2")
    (item,) = house.proveedor.cola.named("norte", "A-1")
    item.estado = "ELIMINADO"  # behind everybody's back, and without a hook
    to_the_night(house)
    night(house)
    assert (cierre(house)["motivos"], columns(house)) == ({"ausentes": 1}, {"emitidos": 1})


def test_a_message_that_is_first_received_after_its_day_was_closed_opens_the_day_again(house):
    day_of(house, "A-1")
    sent = house.clock()
    house.send("L-1")
    to_the_night(house)
    night(house)
    assert columns(house) == {"emitidos": 1} and cierre(house)["recibidos"] == 1
    house.run(steps=2, minutes=6)
    assert house.estado("L-1") == "EMITIDO" and sent.date() == DAY
    to_the_night(house, days=1)
    night(house)
    assert columns(house) == {"emitidos": 2} and cierre(house)["recibidos"] == 2


def test_a_message_that_comes_from_the_dead_letter_queue_on_another_day_still_waits_for_its_first(house):
    body = house.message("A-1")
    house.ledger.change_puerta(house.ledger.puerta("norte"), closed_until(house, days=2))
    house.reconcile()
    house.put(body)
    house.pack()
    house.aws("sqs").purge_queue(QueueUrl=house.queues.queue)
    house.clock.advance(days=1)
    house.put(body)
    to_the_night(house, days=1)
    house.pack()
    night(house)
    assert columns(house) == {"abiertos": 1} and cierre(house)["diferencia"] == 0


def test_where_it_cannot_be_noted_that_they_were_received_nothing_is_done_about_them(house, dynamodb):
    house.add_cuenta("sur")
    house.put(house.message("R-1", detalle=[]))
    house.send("A-1")
    house.put(house.message("S-1", cuenta="sur"))
    with aws_fails(dynamodb, "PutItem", lambda params: params["Item"]["pk"]["S"].startswith("DIA#norte")):
        again = house.pack()
    assert len(again) == 2 and house.estados("A-1", "R-1") == {None} and house.posts() == [["S-1"]]
    house.clock.advance(minutes=2)
    house.settle()
    assert (house.estado("A-1"), house.estado("R-1")) == ("ENVIADO", "RECHAZADO")


def test_a_crash_right_after_it_was_noted_leaves_it_to_the_next_turn_of_its_message(house):
    def die(method):
        if method == "note_received":
            raise Killed

    house.reconcile()
    house.send("A-1")
    with pytest.raises(Killed):
        house.pack(ledger=Watched(house.ledger, after=die))
    assert house.estado("A-1") is None
    house.clock.advance(minutes=31)
    day_of(house)
    to_the_night(house)
    night(house)
    assert columns(house) == {"emitidos": 1} and cierre(house)["recibidos"] == 1


def test_what_is_noted_of_a_lote_is_one_small_item_without_content(house, dynamodb):
    house.send(*(f"VTA-2026-{n:011d}" for n in range(100)))
    with calls_of(dynamodb) as called:
        house.pack()
    (item,) = [i for i in house.items() if i["pk"]["S"].startswith("DIA#")]
    assert called.count("PutItem") == 1
    assert set(item) == {"pk", "sk", "recibidos", "vence"} and size(to_plain(item)) <= 4 * 1024
    first, _, mark = min(item["recibidos"]["SS"]).partition(":")
    assert first == "VTA-2026-00000000000" and house.asiento(first).datos.hash.startswith(mark)
