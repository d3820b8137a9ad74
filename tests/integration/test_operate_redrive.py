"""Redriving: what waits among the rejected or the dead goes back to the queue after a fix, and is never lost."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError
from tests.integration import world
from tests.integration.around import Killed, Watched, aws_fails

house = world.house
WHY = {"motivo": "se dio de alta la cuenta", "quien": "arn:aws:sts::123456789012:assumed-role/facturas/ana"}
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")


def redrive(house, origen="rechazados", **asked):
    return house.operate("redirigir", origen=origen, **WHY, **(asked or {"todos": True}))


def unknown_cuenta(house, *references):
    """Messages of a cuenta that nobody had onboarded."""
    house.send(*references, cuenta="sur")
    house.pack()
    assert house.waiting(house.queues.rejected) == len(references)


def seen(house, queue_url):
    """Everything that can be received of a queue now, without its receipt."""
    found = {}
    while messages := (
        house.aws("sqs")
        .receive_message(
            QueueUrl=queue_url, MaxNumberOfMessages=10, VisibilityTimeout=30, MessageAttributeNames=["All"]
        )
        .get("Messages")
    ):
        found.update({m["MessageId"]: m for m in messages})
    house.clock.advance(seconds=31)
    return list(found.values())


def test_what_was_rejected_for_want_of_its_cuenta_is_sent_once_that_is_there(house):
    unknown_cuenta(house, "B-1", "B-2", "B-3")
    house.add_cuenta("sur")
    house.clock.advance(minutes=2)

    shown = redrive(house, simulacro=True)
    assert (shown["cantidad"], shown["por_codigo"], shown["quedan"]) == (3, {"cuenta_desconocida": 3}, 3)
    house.clock.advance(seconds=1)
    assert house.receivable(house.queues.rejected), "in sight, so that the alarm stays on"
    assert house.waiting() == 0

    answer = redrive(house, codigo="cuenta_desconocida")
    assert (answer["cantidad"], answer["quedan"], answer["terminado"]) == (3, 0, True)
    (first, *_) = back = seen(house, house.queues.queue)
    assert len(back) == 3 and "MessageAttributes" not in first, "why it was rejected is of the past"
    house.pack()
    assert {house.estado(r, "sur") for r in ("B-1", "B-2", "B-3")} == {"ENVIADO"}
    assert house.counts["Redirigidos"] == 3
    house.assert_nothing_twice()


def test_what_would_only_be_rejected_again_stays_with_its_reason(house):
    house.send("A-1")
    house.pack()
    house.send("A-1", precio=200)
    house.put("{")
    house.pack()
    answer = redrive(house)
    assert answer["cantidad"] == 0
    assert {(n["codigo"], n["external_reference"]) for n in answer["negados"]} == {
        ("conflicto_de_contenido", "A-1"),
        ("json_invalido", ""),
    }
    assert house.waiting() == 0 and house.waiting(house.queues.rejected) == 2


def test_a_conflict_with_what_was_refused_since_is_its_correction(house):
    house.send("A-1")
    house.pack()
    house.send("A-1", precio=200)
    house.pack()
    house.aws("dynamodb").update_item(
        TableName=world.TABLE,
        Key={"pk": {"S": "norte#A-1"}, "sk": {"S": "ESTADO"}},
        UpdateExpression="SET estado = :e",
        ExpressionAttributeValues={":e": {"S": "RECHAZADO"}},
    )
    assert redrive(house, codigo="conflicto_de_contenido")["cantidad"] == 1 and house.waiting() == 1


def test_one_that_was_kept_cut_stays(house):
    house.put(
        json.dumps(house.message("A-1")),
        house.queues.rejected,
        MessageAttributes={
            name: {"DataType": "String", "StringValue": value} for name, value in (("codigo", "x"), ("cortado", "si"))
        },
    )
    answer = redrive(house)
    assert [n["codigo"] for n in answer["negados"]] == ["Cortado"] and house.waiting(house.queues.rejected) == 1


def test_only_what_was_asked_for_and_no_more_than_that(house):
    unknown_cuenta(house, *[f"B-{n}" for n in range(15)])
    house.put("{")
    house.pack()
    assert redrive(house, cuenta="norte")["cantidad"] == 0
    house.clock.advance(seconds=1)
    answer = redrive(house, cuenta="sur", maximo=4)
    assert (answer["cantidad"], answer["terminado"], answer["quedan"]) == (4, False, 12)
    assert house.waiting() == 4
    house.clock.advance(seconds=1)
    answer = redrive(house, cuenta="sur")
    assert (answer["cantidad"], answer["terminado"], answer["quedan"]) == (11, True, 1), "all were in sight again"


def test_with_no_time_left_it_stops_and_says_so(house):
    unknown_cuenta(house, "B-1", "B-2")
    answer = house.operate("redirigir", origen="rechazados", todos=True, seconds=9, **WHY)
    assert (answer["cantidad"], answer["terminado"]) == (0, False)
    house.clock.advance(seconds=1)
    assert len(seen(house, house.queues.rejected)) == 2


def test_a_dead_message_gets_all_of_its_turns_again_and_keeps_what_its_sender_said(house):
    said = {
        "vueltas": {"DataType": "Number", "StringValue": "3"},
        "sistema": {"DataType": "String", "StringValue": "ventas"},
    }
    house.put(house.message("A-1"), house.queues.dead, MessageAttributes=said)
    assert house.reconcile()["devueltos"] == 0, "its turns are over"
    house.clock.advance(seconds=1)
    assert redrive(house, "muertos", cuenta="norte")["cantidad"] == 1
    (back,) = seen(house, house.queues.queue)
    assert {name: v["StringValue"] for name, v in back["MessageAttributes"].items()} == {"sistema": "ventas"}
    house.pack()
    assert house.estado("A-1") == "ENVIADO" and house.waiting(house.queues.dead) == 0


def test_a_dead_message_that_was_not_asked_for_is_in_sight_again_at_once(house):
    """So that its alarm stays on."""
    house.put(house.message("A-1"), house.queues.dead)
    assert redrive(house, "muertos", cuenta="sur")["cantidad"] == 0
    house.clock.advance(seconds=1)
    assert len(seen(house, house.queues.dead)) == 1


@pytest.mark.parametrize("operation", ["SendMessage", "DeleteMessage"])
def test_one_that_sqs_does_not_take_stays_and_stops_no_other(house, aws, operation):
    unknown_cuenta(house, "B-1", "B-2")
    seen_once = []

    def first(params):
        seen_once.append(params)
        return len(seen_once) == 1

    with aws_fails(aws("sqs"), operation, first):
        answer = redrive(house)
    assert answer["cantidad"] == 1 and house.waiting(house.queues.rejected) == 1
    assert house.waiting() == (1 if operation == "SendMessage" else 2), "rather twice than not at all"


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("step", ["send_message", "delete_message", "change_message_visibility_batch"])
def test_a_crash_loses_no_message_and_sends_none_twice(house, step, moment):
    unknown_cuenta(house, "B-1")
    house.put("{")
    house.pack()
    house.add_cuenta("sur")
    house.clock.advance(minutes=2)

    def die(name):
        if name == step:
            raise Killed

    whole = house.aws
    house.aws = lambda service: Watched(whole(service), **{moment: die}) if service == "sqs" else whole(service)
    with pytest.raises(Killed):
        redrive(house)
    house.aws = whole
    house.clock.advance(minutes=6)
    redrive(house)
    house.run(steps=2, minutes=2)
    assert house.estado("B-1", "sur") in {"ENVIADO", "ENCOLADO", "EMITIDO"} and house.posts() == [["B-1"]]
    assert house.waiting() == 0 and house.waiting(house.queues.rejected) == 1, "the one that nobody can read"
    house.assert_nothing_twice()


@pytest.mark.parametrize(
    ("asked", "codigo"),
    [
        ({}, "OrigenDesconocido"),
        ({"origen": "otra", "todos": True}, "OrigenDesconocido"),
        ({"origen": "rechazados"}, "FaltaFiltro"),
        ({"origen": "rechazados", "todos": True, "cuenta": "norte"}, "FaltaFiltro"),
        ({"origen": "muertos", "codigo": "x"}, "CodigoSinRechazo"),
        ({"origen": "muertos", "todos": True, "maximo": 0}, "MaximoInvalido"),
        ({"origen": "muertos", "todas": True}, "CampoDesconocido"),
    ],
)
def test_what_cannot_be_meant_moves_nothing(house, asked, codigo):
    assert house.operate("redirigir", **{**WHY, **asked})["error"]["codigo"] == codigo


def test_who_put_a_message_back_and_why_stands_on_its_history(house):
    unknown_cuenta(house, "B-1")
    house.add_cuenta("sur")
    house.clock.advance(minutes=2)
    asked = {"origen": "rechazados", "todos": True}
    for missing, codigo in (("motivo", "FaltaMotivo"), ("quien", "FaltaQuien")):
        why = {name: value for name, value in WHY.items() if name != missing}
        assert house.operate("redirigir", **asked, **why)["error"]["codigo"] == codigo
    assert house.operate("redirigir", **asked, simulacro=True)["cantidad"] == 1, "a rehearsal needs neither"
    assert house.operate("ver", cuenta="sur", referencia="B-1").get("error"), "and leaves nothing"
    house.clock.advance(seconds=31)
    assert house.operate("redirigir", solicitud="s-9", **asked, **WHY)["cantidad"] == 1
    (line,) = house.operate("ver", cuenta="sur", referencia="B-1")["historia"]
    said = {"clase": "decision", "accion": "redirigir", "resultado": "Pedido", "solicitud": "s-9", **WHY}
    assert {name: line[name] for name in said} == said
    house.run(steps=4, minutes=5)
    assert house.estado("B-1", "sur") == "EMITIDO"


def test_one_whose_line_cannot_be_written_is_not_moved(house):
    unknown_cuenta(house, "B-1", "B-2")
    house.add_cuenta("sur")
    house.clock.advance(minutes=2)
    ledger = house.ledger

    def fail(name):
        if name == "note":
            raise ClientError({"Error": {"Code": "InternalServerError", "Message": "no"}}, "PutItem")

    house.ledger = Watched(ledger, before=fail)
    assert redrive(house)["cantidad"] == 0
    house.ledger = ledger
    assert house.waiting(house.queues.rejected) == 2 and house.waiting() == 0
