"""reconcile and the dead-letter queue: nobody else would look after what only a dead message still holds."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tests.integration import world
from tests.integration.around import aws_fails
from tests.items import put_item

from reconcile import app
from reconcile.redriving import TURNS_MAX

house = world.house
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")


def later(house, **by):
    house.clock.advance(**by)
    return house.reconcile()


def dead(house, reference, **fields):
    return house.put(house.message(reference, **fields), house.queues.dead)


def test_a_dead_message_that_is_not_settled_goes_back_a_bounded_number_of_times(house, aws):
    """«Goes back to the queue, counted and with an alarm; a bounded number of times.» rule 11"""
    dead(house, "A-1")
    for turn in range(1, TURNS_MAX + 1):
        assert later(house, minutes=16)["devueltos"] == 1 and house.waiting(house.queues.dead) == 0
        sqs = aws("sqs")
        (back,) = sqs.receive_message(QueueUrl=house.queues.queue, MessageAttributeNames=["All"])["Messages"]
        assert json.loads(back["Body"])["comprobante"]["external_reference"] == "A-1"
        assert back["MessageAttributes"]["vueltas"]["StringValue"] == str(turn)
        sqs.delete_message(QueueUrl=house.queues.queue, ReceiptHandle=back["ReceiptHandle"])
        house.put(back["Body"], house.queues.dead, MessageAttributes=back["MessageAttributes"])
    for _ in range(2):
        assert later(house, minutes=16) == {
            "contrastadas": 0,
            "devueltos": 0,
            "resueltos": 0,
            "corridas": 0,
            "cierres": 0,
        }
    assert house.waiting(house.queues.dead) == 1 and house.waiting() == 0
    house.clock.advance(seconds=1)
    assert house.receivable(house.queues.dead), "in sight, so that the alarm stays on"
    assert house.counts["MensajesDevueltos"] == TURNS_MAX and "mensaje_muerto" in house.log.getvalue()


def test_what_died_waiting_for_a_pause_to_end_goes_back_as_often_as_it_must(house, aws):
    house.operate("pausar", cuenta="norte", motivo="m", quien="ana")
    sent_by = {"sistema": {"DataType": "String", "StringValue": "ventas"}}
    house.put(house.message("A-1"), house.queues.dead, MessageAttributes=sent_by)
    sqs = aws("sqs")
    for _ in range(2 * TURNS_MAX):
        assert later(house, minutes=16)["devueltos"] == 1
        (back,) = sqs.receive_message(QueueUrl=house.queues.queue, MessageAttributeNames=["All"])["Messages"]
        said = {name: value["StringValue"] for name, value in back["MessageAttributes"].items()}
        assert said == {"sistema": "ventas", "vueltas": "0"}
        sqs.delete_message(QueueUrl=house.queues.queue, ReceiptHandle=back["ReceiptHandle"])
        house.put(back["Body"], house.queues.dead, MessageAttributes=back["MessageAttributes"])


def test_a_message_that_came_back_is_sent(house):
    dead(house, "A-1")
    house.reconcile()
    assert house.pack() == [] and house.estado("A-1") == "ENVIADO" and house.waiting(house.queues.dead) == 0


def test_dead_messages_whose_effect_is_certain_are_told_once_more_and_deleted(house):
    house.send("A-1")
    house.send("A-2", comentario="SIM:RECHAZAR")
    house.send("A-3", numero=7)
    house.pack()
    house.send("A-3", precio=200)
    house.pack()
    dead(house, "A-1")
    dead(house, "A-2", comentario="SIM:RECHAZAR")
    dead(house, "A-3", numero=7)
    answer = house.reconcile()
    assert (answer["resueltos"], answer["devueltos"]) == (3, 0)
    assert house.waiting(house.queues.dead) == house.waiting() == 0
    assert house.events("A-1") == ["ComprobanteEncolado"] * 2


def test_a_dead_message_whose_event_is_not_taken_is_not_deleted(house):
    house.send("A-1")
    house.pack()
    dead(house, "A-1")
    finishing = house.contraster.finishing
    queues = app._process().queues
    assert app.redrive(queues, replace(finishing, bus=house.bus_without("A-1"))) == (1, 0)
    assert house.waiting() == 1, "it goes back: pack_lotes tells it"


@pytest.mark.parametrize(
    ("estado", "more"),
    [
        *((estado, {}) for estado in ("INCIERTO", "PENDIENTE", "ENVIANDO", "EN_REVISION")),
        # A person decided about what the provider never showed.
        ("ERROR", {"decision": "eliminar"}),
    ],
)
def test_a_dead_message_that_may_be_all_that_is_left_goes_back(house, dynamodb, estado, more):
    message = house.message("A-1")
    content = json.dumps(message)
    from_message = app.redrive.__globals__["leer"](content, cuenta_por_defecto=None)
    put_item(dynamodb, estado=estado, hash=from_message.hash, **more)
    dead(house, "A-1")
    assert house.reconcile()["devueltos"] == 1


def test_dead_messages_of_other_content_or_none_at_all_go_back_to_be_rejected(house):
    house.send("A-1")
    house.pack()
    dead(house, "A-1", precio=200)
    house.put("{", house.queues.dead)
    assert house.reconcile()["devueltos"] == 2
    house.clock.advance(seconds=1)
    assert house.pack() == []
    assert sorted(codigo for codigo, _, _ in house.rejected()) == ["conflicto_de_contenido", "json_invalido"]


@pytest.mark.parametrize("vueltas", ["muchas", "1.5", "-7", "1" * 5_000, "²"])
def test_an_attribute_of_the_senders_own_stops_no_reconciliation(house, vueltas):
    house.plan.update(hooks_prob={"lost": 1.0})
    house.send("A-1")
    house.pack()
    house.put("{", house.queues.dead, MessageAttributes={"vueltas": {"DataType": "String", "StringValue": vueltas}})
    later(house, minutes=6)
    assert house.estado("A-1") == "EMITIDO" and house.waiting(house.queues.dead) == 1


@pytest.mark.parametrize("operation", ["ReceiveMessage", "SendMessage", "DeleteMessage"])
def test_a_dead_letter_queue_that_fails_stops_no_contrast(house, aws, operation):
    house.plan.update(hooks_prob={"lost": 1.0})
    house.send("A-1")
    house.pack()
    house.put("{", house.queues.dead)
    with aws_fails(aws("sqs"), operation) as failed:
        later(house, minutes=6)
    assert failed and house.estado("A-1") == "EMITIDO"
    later(house, minutes=6)
    assert house.waiting(house.queues.dead) == 0


def test_one_dead_message_that_sqs_does_not_take_stops_no_other(house, aws):
    for reference in ("A-1", "A-2"):
        house.put(house.message(reference), house.queues.dead)
    with aws_fails(aws("sqs"), "SendMessage", lambda params: "A-1" in params["MessageBody"]):
        for _ in range(2):
            later(house, minutes=16)
    assert house.waiting() == house.waiting(house.queues.dead) == 1
