"""pack_lotes where AWS, or what the secrets hold, fails: nobody else is held up, nothing is lost, nothing leaks out."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import httpx
import pytest
from botocore.exceptions import ClientError
from tests.integration import world
from tests.integration.around import THROTTLED, Context, Watched, aws_fails, calls_of

from pack_lotes import app

house = world.house
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")
REFUSED = "SIM:RECHAZAR"


def test_a_cuenta_whose_secret_is_broken_holds_up_nobody_else_and_loses_nothing(house):
    house.add_cuenta("rota", usertoken="")
    house.send("B-1", cuenta="rota")
    house.send("A-1")
    assert len(house.pack()) == 1
    assert (house.estado("A-1"), house.estado("B-1", "rota"), house.rejected()) == ("ENVIADO", None, [])
    house.secret("rota")
    house.clock.advance(minutes=16)
    assert house.pack() == [] and house.estado("B-1", "rota") == "ENVIADO"


def test_a_broken_secret_is_not_read_for_each_message(house, aws):
    house.add_cuenta("rota", usertoken="")
    house.send(*(f"B-{n}" for n in range(8)), cuenta="rota")
    with calls_of(aws("secretsmanager")) as called:
        assert len(house.pack()) == 8
    assert len(called) == 1


def test_a_secret_that_holds_no_text_is_a_broken_one(house, aws):
    aws("secretsmanager").create_secret(Name=f"{world.PREFIX}/rota", SecretBinary=b"{}")
    house.send("B-1", cuenta="rota")
    house.send("A-1")
    assert len(house.pack()) == 1 and house.estado("A-1") == "ENVIADO"


@pytest.mark.parametrize("operation", ["UpdateItem", "BatchGetItem"])
def test_a_ledger_that_fails_for_one_cuenta_holds_up_nobody_else(house, aws, operation):
    house.add_cuenta("sur")
    house.send("B-1", cuenta="sur")
    house.send("A-1")
    with aws_fails(aws("dynamodb"), operation, lambda params: "sur" in json.dumps(params)) as failed:
        assert len(house.pack()) == 1
    assert failed and (house.estado("A-1"), house.estado("B-1", "sur")) == ("ENVIADO", None)
    house.clock.advance(hours=1)
    assert house.pack() == [] and house.estado("B-1", "sur") == "ENVIADO"


def test_a_claim_that_fails_leaves_none_of_its_lote_unsent(house, aws):
    """Else the others would be orphans, to be asked about only after the quiet period."""
    house.send("A-1", "A-2")
    house.clock.advance(seconds=1)
    house.send("A-3")
    with aws_fails(aws("dynamodb"), "UpdateItem", lambda params: params["Key"]["pk"]["S"] == "norte#A-3"):
        assert len(house.pack()) == 1
    assert house.estados("A-1", "A-2") == {"ENVIADO"} and house.estado("A-3") is None
    house.clock.advance(seconds=60)
    assert house.pack() == [] and house.estado("A-3") == "ENVIADO"


def test_a_repeat_that_cannot_be_told_leaves_none_of_the_others_unsent(house, aws):
    house.send("R-1")
    house.pack()
    house.send("A-1", "A-2")
    house.clock.advance(seconds=1)
    house.send("R-1")
    with aws_fails(aws("events"), "PutEvents"):
        assert len(house.pack()) == 3
    assert [sorted(post) for post in house.posts()] == [["R-1"], ["A-1", "A-2"]]


def test_a_wait_that_cannot_be_set_brings_back_only_what_was_to_come_again(house, aws):
    house.send("A-1", "A-1")
    house.put("{")
    with aws_fails(aws("sqs"), "ChangeMessageVisibilityBatch") as failed:
        assert len(house.pack()) == 1
    assert failed and house.waiting() == 1 and house.estado("A-1") == "ENVIADO"


def test_a_door_that_cannot_be_written_loses_nothing(house):
    """The lote was accepted and recorded; the table fails where the outcome is noted on the cuenta."""
    house.plan.update(lotes=["429"])
    failing = Watched(house.ledger, before=fail_on_the_door)
    house.send("A-1")
    assert len(house.pack(ledger=failing)) == 1
    assert house.estado("A-1") == "PENDIENTE"
    house.clock.advance(minutes=1)
    assert house.pack() == [] and house.estado("A-1") == "ENVIADO"


def fail_on_the_door(method):
    if method == "change_puerta":
        raise ClientError(THROTTLED, "UpdateItem")


def test_an_event_that_the_bus_does_not_take_keeps_its_message(house):
    """«FailedEntryCount > 0 is a failure.»"""
    house.send("A-1", "A-2")
    house.send("A-3", numero=5)
    assert len(house.pack(bus=house.bus_without("A-1", "A-3"))) == 2
    assert house.estados("A-1", "A-2") == {"ENVIADO"} and house.asiento("A-3").abierto
    assert (house.events("A-1"), house.events("A-2"), house.events("A-3")) == ([], ["ComprobanteEncolado"], [])
    house.clock.advance(seconds=60)
    assert house.pack() == [] and [sorted(post) for post in house.posts()] == [["A-1", "A-2"]]
    assert (house.events("A-1"), house.events("A-3")) == (["ComprobanteEncolado"], ["ComprobanteRechazado"])
    assert not house.asiento("A-3").abierto


@pytest.mark.parametrize("service", ["events", "sqs"])
def test_a_bus_or_a_rejected_queue_that_fails_loses_no_message(house, aws, service):
    house.send("A-1")
    house.put("{")
    operation = "PutEvents" if service == "events" else "SendMessage"
    with aws_fails(aws(service), operation) as failed:
        assert len(house.pack()) == 1
    assert failed
    house.clock.advance(seconds=60)
    assert house.pack() == [] and house.waiting() == 0
    assert [codigo for codigo, _, _ in house.rejected()] == ["json_invalido"]
    assert house.events("A-1") == ["ComprobanteEncolado"] and house.posts() == [["A-1"]]


def test_what_sqs_would_not_take_back_is_replaced_in_a_rejected_message(house):
    """JSON can spell U+FFFE and U+FFFF, and SQS takes them in no body."""
    house.put('{"apikey": "x", "comprobante": "\\uffff \\ufffe", "cliente": "\\ud800"}')
    assert house.pack() == []
    ((_, _, body),) = house.rejected()
    assert re.fullmatch("[\x09\x0a\x0d\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+", body) and "apikey" not in body


# -- the wiring

ENV = {
    "TABLE": world.TABLE,
    "BUS": world.BUS,
    "CUENTAS_PREFIX": world.PREFIX,
    "PROVIDER_BASE_URL": "http://127.0.0.1:9/",
    "PROVIDER_TIMEOUT_SECONDS": "2",
    "PACK_TIMEOUT_SECONDS": "300",
    "QUIET_PERIOD_SECONDS": "7200",
    "SETTLE_SECONDS": "60",
    "RETRY_DELAY_SECONDS": "30",
    "TOTAL_TOLERANCE": "0.01",
    "QUEUE_FCE": "false",
    "DEFAULT_CUENTA": "",
}


def test_the_handler_reads_its_environment_and_names_what_comes_again(house, monkeypatch):
    """Nobody listens at the provider's address: the connection is never made, and nothing was sent."""
    for name, value in ENV.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("QUEUE_URL", house.queues.queue)
    monkeypatch.setenv("REJECTED_QUEUE_URL", house.queues.rejected)
    app._process.cache_clear()
    kept = house.send("A-1")
    house.put("{")
    try:
        answer = app.handler(house.receive(), Context(lambda: timedelta(seconds=300)))
    finally:
        app._process.cache_clear()
    assert answer == {"batchItemFailures": [{"itemIdentifier": kept[0]}]}
    assert house.estado("A-1") == "PENDIENTE" and house.ledger.puerta("norte").motivo == "SinConexion"
    assert [codigo for codigo, _, _ in house.rejected()] == ["json_invalido"]


# -- secrets


def test_no_secret_gets_into_a_log_an_item_an_event_or_a_queue(house):
    """«Credentials never stored, never logged», even where the provider says them back to us."""
    sim = house.proveedor.cuentas["norte"]
    said = f"El usertoken {sim.usertoken} con apikey {sim.apikey} y {sim.apitoken.upper()} no se corresponde"

    def echo(request):
        entry = {"error": "S", "errores": [said], "external_reference": "A-1", "rta": said}
        sent = json.loads(request.content).get("requests", [])
        whole = {"error": "S", "errores": [said], "response": [entry] if len(sent) > 1 else []}
        return httpx.Response(200, json=whole)

    house.send("A-1", "A-2")
    house.pack(connect=lambda cuenta: house.connect(cuenta, httpx.MockTransport(echo)))
    house.clock.advance(hours=1)
    house.put({**house.message("A-3"), "apikey": sim.apikey, "apitoken": sim.apitoken, "usertoken": sim.usertoken})
    house.put(f'{{"cuenta": "norte", "usertoken": "{sim.usertoken}"')
    house.put({**house.message("A-4", numero=3), "apitoken": sim.apitoken})
    house.pack(connect=lambda cuenta: house.connect(cuenta, httpx.MockTransport(echo)))
    house.put_secret("rota", usertoken="", apitoken=sim.apitoken)
    house.send("A-5", cuenta="rota")
    house.run(steps=2, hours=1)
    written = house.log.getvalue()
    assert all(word in written for word in ("resultado", "no_se_pudo", "CredencialesRechazadas", "puerta_cerrada"))
    everything = written + json.dumps(house.published()) + repr(house.rejected()) + repr(house.items())
    for secret in house.secrets:
        assert secret.lower() not in everything.lower()
