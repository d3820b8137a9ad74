"""follow_hooks behind the table's stream: what each hook does to the state, what is fetched, and what is told."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from itertools import permutations

import httpx
import pytest
from tests.integration import world
from tests.integration.around import Context, Killed, Watched, aws_fails
from tests.integration.world import PDFS
from tests.items import put_item
from tests.sandbox.simulator.fates import TEXTOS

from facturacion.estado import Estado, Hook, fold
from follow_hooks import app

house = world.house
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")
QUEUED_FOR_A_DAY = {"demora_en_cola": 86_400.0}


def sent(house, *references, **plan):
    """References that the provider has in its queue, none of its hooks posted yet."""
    house.plan.update(**plan)
    house.send(*references)
    assert house.pack() == []


def told(house, *hooks):
    """Hooks (reference, evento, id) that are posted and followed one by one."""
    for reference, evento, hook_id in hooks:
        house.hook(reference, evento, hook_id)
        assert house.follow() == {"batchItemFailures": []}


# -- the state


def test_emitido_encolado_error_in_that_order_leave_it_issued(house):
    """«EMITIDO absorbs.»"""
    sent(house, "A-1", **QUEUED_FOR_A_DAY)
    told(house, ("A-1", "emitido", "h-3"), ("A-1", "encolado", "h-1"), ("A-1", "error", "h-2"))
    told(house, ("A-1", "eliminado", "h-4"), ("A-1", "cambio_fecha", "h-5"))
    assert house.estado("A-1") == "EMITIDO" and "ComprobanteConError" not in house.events("A-1")


def test_a_life_with_an_error_that_was_mended_ends_issued_in_whatever_order_its_hooks_come(house):
    """«A legal life may loop (error → encolado → emitido)»; «hooks may overtake, repeat, or come a day late»."""
    sent(house, "A-1", **QUEUED_FOR_A_DAY)
    house.proveedor.cola._fail(house.proveedor.cola.items[0], "AFIP")
    house.proveedor.cola.resend("norte", "A-1")
    house.proveedor.web_issue("norte", "A-1")
    house.clock.advance(minutes=1)
    lives = house.proveedor.advance()
    assert len(lives) == 4
    random.Random(3).shuffle(lives)
    for entrega in [*lives, *lives]:
        house._deliver(entrega)
        house.follow()
    house.run(steps=2, minutes=5)
    assert (house.estado("A-1"), house.asiento("A-1").numero) == ("EMITIDO", 1)
    assert house.events("A-1").count("ComprobanteEmitido") == 1


@pytest.mark.parametrize(("base", "previos"), [(Estado.ENVIADO, 0), (Estado.ENVIADO, 1), (Estado.INCIERTO, 0)])
def test_any_order_of_three_hooks_comes_to_the_same_state_through_door_and_stream(house, dynamodb, base, previos):
    """«Replaying every stored hook in any order must give the same state.» wall"""
    house.plan.update(**QUEUED_FOR_A_DAY)
    rng, n = random.Random(5), 0
    for eventos in (
        ["encolado", "error", "eliminado"],
        ["encolado", "error", "emitido"],
        ["error", "error", "encolado"],
    ):
        want = fold(base, previos, set(), [Hook(f"h-{i}", evento) for i, evento in enumerate(eventos)]).estado
        for order in rng.sample(list(permutations(enumerate(eventos))), 3):
            n += 1
            reference = f"P-{n}"
            put_item(
                dynamodb, pk=f"norte#{reference}", external_reference=reference, estado=base.value, previos=previos
            )
            for i, evento in [*order, order[0]]:
                house.hook(reference, evento, f"h-{i}")
            house.follow()
            assert house.estado(reference) == want, (eventos, order)


def test_hooks_that_come_before_our_own_record_are_not_lost(house):
    """«Hooks may overtake our own record of the answer»: here Lambda died before it could be written."""
    house.plan.update(**QUEUED_FOR_A_DAY)
    house.send("A-1")
    with pytest.raises(Killed):
        house.pack(ledger=Watched(house.ledger, before=die_on_the_record))
    assert house.estado("A-1") == "ENVIANDO"
    house.clock.advance(seconds=1)
    house.deliver()
    house.follow()
    assert house.estado("A-1") == "ENCOLADO"
    house.clock.advance(minutes=31)
    assert house.pack() == [] and house.waiting() == 0 and house.posts() == [["A-1"]]
    assert house.events("A-1") == ["ComprobanteEncolado"]


def die_on_the_record(method):
    if method == "accepted":
        raise Killed


def test_a_late_hook_of_a_refused_attempt_does_not_make_the_corrected_one_known(house):
    """«Else: the late error of the refused attempt makes the corrected one "known": lost.»"""
    house.plan.update(hooks=["late"], segundos_tarde=3_600.0)
    house.send("A-1", comentario="SIM:RECHAZAR")
    house.pack()
    house.plan.update(lotes=["524_dropped"])
    house.send("A-1", precio=200)
    house.pack()
    house.clock.advance(hours=1, minutes=1)
    assert house.deliver() == 1
    house.follow()
    assert (house.estado("A-1"), house.asiento("A-1").previos) == ("INCIERTO", 1)
    for _ in range(8):
        house.clock.advance(minutes=31)
        house.pack()
    assert [item.referencia for item in house.proveedor.cola.items] == ["A-1"]
    assert house.estado("A-1") == "ENVIADO" and house.waiting() == 0


def test_a_hook_of_a_reference_that_nobody_claimed_blocks_its_later_claim(house):
    """«An authentic hook for an unknown reference blocks its later claim (EN_REVISION).»"""
    told(house, ("A-9", "encolado", "h-1"), ("A-9", "encolado", "h-1"))
    assert house.estado("A-9") == "EN_REVISION"
    (event,) = house.details("A-9", "RevisionRequerida")
    assert event["codigo"] == "ReferenciaAjena"
    house.send("A-9")
    assert len(house.pack()) == 1
    assert house.posts() == [] and house.waiting() == 1 and house.rejected() == []


def test_a_review_of_a_cuenta_that_never_sent_anything_is_told_in_the_end(house):
    deaf = replace(house.contraster.finishing, bus=house.bus_without("A-9"))
    hearing, house.contraster = house.contraster, replace(house.contraster, finishing=deaf)
    told(house, ("A-9", "encolado", "h-1"))
    house.contraster = hearing
    house.run(steps=1, minutes=6)
    assert house.events("A-9") == ["RevisionRequerida"]


@pytest.mark.parametrize(("evento", "estado"), [("emitido", "EMITIDO"), ("eliminado", "ELIMINADO")])
def test_the_first_hook_of_a_reference_that_nobody_claimed_opens_a_review_and_moves_it(house, evento, estado):
    """«Any permutation of the same hooks gives the same state», also where the last one comes first."""
    told(house, ("X-1", evento, "h-1"), ("X-1", "encolado", "h-2"))

    assert house.estado("X-1") == estado
    assert "RevisionRequerida" in house.events("X-1")


@pytest.mark.parametrize("evento", ["archivado", "test", ""])
def test_an_evento_that_nobody_documented_is_kept_and_moves_nothing(house, evento):
    sent(house, "A-1", **QUEUED_FOR_A_DAY)
    before = house.asiento("A-1")
    told(house, ("A-1", evento, "h-1"), ("A-8", evento, "h-2"))
    assert house.asiento("A-1") == before and house.estado("A-8") is None


def test_a_refused_one_that_is_told_to_be_queued_is_asked_about(house):
    """«RECHAZADO; a live encolado/cambio_fecha/eliminado: ask.»"""
    house.send("A-1", comentario="SIM:RECHAZAR")
    house.pack()
    assert not house.asiento("A-1").abierto
    told(house, ("A-1", "encolado", "h-7"))
    assert (house.estado("A-1"), house.asiento("A-1").abierto) == ("RECHAZADO", True)
    house.clock.advance(minutes=6)
    house.reconcile()
    assert (house.estado("A-1"), house.asiento("A-1").abierto) == ("RECHAZADO", False)
    told(house, ("A-1", "encolado", "h-8"))
    house.plan.update(**QUEUED_FOR_A_DAY)
    house.proveedor.web_submit("norte", house.message("A-1", cuenta=None))
    house.clock.advance(minutes=6)
    house.reconcile()
    assert house.details("A-1", "RevisionRequerida")[0]["codigo"] == "RechazadoPeroPresente"


# -- what is told


def test_an_error_is_told_with_its_specific_cause_first(house):
    sent(house, "A-1", **QUEUED_FOR_A_DAY)
    house.hook("A-1", "error", "h-1", *TEXTOS["10036"])
    house.follow()
    assert house.estado("A-1") == "ERROR"
    (event,) = house.details("A-1", "ComprobanteConError")
    assert (event["codigo"], event["causas"][0]["codigo"]) == ("AFIP-10036", "AFIP-10036")
    assert len(event["causas"]) == len(TEXTOS["10036"]), "the asiento keeps a few and cut, the event has them whole"
    assert "no puede ser anterior a la fecha del comprobante" in event["causas"][0]["mensaje"]


def test_a_deleted_one_is_told_and_closed(house):
    sent(house, "A-1", **QUEUED_FOR_A_DAY)
    told(house, ("A-1", "eliminado", "h-1"), ("A-1", "encolado", "h-2"))
    assert (house.estado("A-1"), house.asiento("A-1").abierto) == ("ELIMINADO", False)
    assert house.events("A-1") == ["ComprobanteEncolado", "ComprobanteEliminado"]


def test_the_same_record_again_tells_the_same_event(house):
    """«The stream makes the effects at-least-once, so each is idempotent.»"""
    sent(house, "A-1", **QUEUED_FOR_A_DAY)
    house.hook("A-1", "error", "h-1", *TEXTOS["AFIP"])
    records = house.stream()
    for _ in range(3):
        assert app.handler({"Records": records * 2}, Context(house.remaining(120))) == {"batchItemFailures": []}
    ids = {event["evento_id"] for event in house.details("A-1", "ComprobanteConError")}
    assert house.estado("A-1") == "ERROR" and len(ids) == 1


def test_an_event_that_is_not_taken_is_owed_and_told_by_the_next_reconciliation(house, monkeypatch):
    sent(house, "A-1", **QUEUED_FOR_A_DAY)
    deaf = replace(house.contraster.finishing, bus=house.bus_without("A-1"))
    hearing, house.contraster = house.contraster, replace(house.contraster, finishing=deaf)
    told(house, ("A-1", "eliminado", "h-1"))
    asiento = house.asiento("A-1")
    assert (asiento.estado, asiento.evento_pendiente, asiento.abierto) == ("ELIMINADO", "ComprobanteEliminado", True)
    house.contraster = hearing
    house.clock.advance(minutes=6)
    house.reconcile()
    assert "ComprobanteEliminado" in house.events("A-1") and not house.asiento("A-1").abierto


# -- what an issued one needs


def issue(house, *references):
    """Sent, issued by the provider, and its hooks followed."""
    sent(house, *references, demora_en_cola=1.0)
    house.clock.advance(seconds=10)
    house.deliver()
    return house.follow()


def test_an_issued_one_is_told_with_its_cae_its_number_its_total_and_its_pdf(house, aws):
    """«On emitido: CAE, number, CAE due date, total; PDF to S3; ComprobanteEmitido.»"""
    assert issue(house, "A-1") == {"batchItemFailures": []}
    (item,) = house.proveedor.cola.items
    asiento = house.asiento("A-1")
    assert (asiento.estado, asiento.abierto, asiento.evento_pendiente) == ("EMITIDO", False, None)
    assert (asiento.cae, asiento.numero, asiento.cae_vencimiento) == (item.cae, 1, item.cae_vencimiento)
    (event,) = house.details("A-1", "ComprobanteEmitido")
    assert {name: event[name] for name in ("cae", "numero", "cae_vencimiento", "total", "pdf", "tipo")} == {
        "cae": item.cae,
        "numero": 1,
        "cae_vencimiento": item.cae_vencimiento.isoformat(),
        "total": "139",
        "pdf": "norte/A-1.pdf",
        "tipo": "FACTURA B",
    }
    stored = aws("s3").get_object(Bucket=PDFS, Key=asiento.pdf)
    assert stored["ContentType"] == "application/pdf" and item.cae.encode() in stored["Body"].read()


def test_many_that_are_issued_at_once_cost_one_query(house):
    """«It asks for CAEs within a bounded time (date pages when many wait).»"""
    references = [f"A-{n}" for n in range(5)]
    issue(house, *references)
    assert house.estados(*references) == {"EMITIDO"} and house.calls() == 1
    assert all(house.events(reference)[-1] == "ComprobanteEmitido" for reference in references)


def test_the_provider_is_not_asked_again_within_contrast_seconds(house):
    issue(house, "A-1")
    asked = house.calls()
    told(house, *(("A-1", "emitido", f"again-{n}") for n in range(5)))
    sent(house, "A-2", demora_en_cola=0.0)
    house.clock.advance(seconds=5)
    house.deliver()
    house.follow()
    assert (house.estado("A-2"), house.asiento("A-2").abierto, house.calls()) == ("EMITIDO", True, asked)
    house.clock.advance(seconds=40)
    house.reconcile()
    assert not house.asiento("A-2").abierto and house.calls() == asked + 1


def without_pdf(request, response):
    body = json.loads(response.content)
    for found in body.get("comprobantes", ()):
        del found["comprobante"]["comprobante_pdf_url"]
    return httpx.Response(response.status_code, json=body)


def test_one_without_a_link_to_a_pdf_is_told_without_it(house):
    house.answer_with(without_pdf)
    issue(house, "A-1")
    (event,) = house.details("A-1", "ComprobanteEmitido")
    assert "pdf" not in event and event["cae"] and not house.asiento("A-1").abierto


@pytest.mark.parametrize("failing", [404, 500, httpx.ConnectError, httpx.ReadTimeout, "empty", "endless", "a page"])
def test_a_pdf_that_cannot_be_had_holds_the_event_back_for_an_hour_at_most(house, aws, failing):
    down = True

    def pdf_host(request, response):
        if request.method == "GET" and down:
            if isinstance(failing, type):
                raise failing("simulated", request=request)
            if failing == "endless":
                return httpx.Response(200, content=b"x" * (11 * 1024 * 1024))
            if failing == "a page":
                return httpx.Response(200, html="<html>La sesion ha vencido</html>")
            return httpx.Response(200) if failing == "empty" else httpx.Response(failing)
        return response

    house.answer_with(pdf_host)
    assert issue(house, "A-1", "A-2") == {"batchItemFailures": []}
    assert house.estados("A-1", "A-2") == {"EMITIDO"} and "ComprobanteEmitido" not in house.events("A-1")
    house.run(steps=2, minutes=31)
    (event,) = house.details("A-1", "ComprobanteEmitido")
    assert "pdf" not in event and event["cae"] and not house.asiento("A-1").abierto
    assert aws("s3").list_objects_v2(Bucket=PDFS)["KeyCount"] == 0


def test_a_pdf_that_can_be_had_again_is_kept(house):
    down = [True, True]
    house.answer_with(lambda q, r: httpx.Response(503) if q.method == "GET" and down and down.pop() else r)
    issue(house, "A-1")
    house.run(steps=2, minutes=6)
    assert house.details("A-1", "ComprobanteEmitido")[0]["pdf"] == "norte/A-1.pdf"


def test_a_pdf_that_s3_refuses_holds_up_no_other(house, aws):
    with aws_fails(aws("s3"), "PutObject", lambda params: "A-0" in params["Key"]) as failed:
        assert issue(house, "A-0", "A-1", "A-2", "A-3") == {"batchItemFailures": []}
    assert failed and [house.asiento(f"A-{n}").abierto for n in range(4)] == [True, False, False, False]
    house.run(steps=1, minutes=6)
    assert house.asiento("A-0").pdf == "norte/A-0.pdf"


def test_the_link_of_a_pdf_is_in_no_log(house, caplog):
    """Whoever has the link has the invoice."""
    caplog.set_level("INFO")
    issue(house, "A-1")
    assert house.asiento("A-1").pdf and "/pdf/" not in caplog.text + house.log.getvalue()


def test_on_a_dev_plan_it_closes_without_cae_and_is_flagged(house):
    """«On the provider's DEV plan the CAE is empty: it closes, flagged sin_validez.»"""
    house.proveedor.cuentas["norte"].dev = True
    issue(house, "A-1")
    assert house.asiento("A-1").abierto and "ComprobanteEmitido" not in house.events("A-1")
    house.run(steps=1, minutes=2)
    asiento = house.asiento("A-1")
    assert (asiento.cae, asiento.sin_validez, asiento.abierto) == (None, True, False)
    (event,) = house.details("A-1", "ComprobanteEmitido")
    assert event["sin_validez"] is True and "cae" not in event


def test_on_a_real_plan_a_cae_that_is_a_moment_behind_is_waited_for(house):
    def blank(request, response):
        body = response.json()
        for found in body.get("comprobantes", ()):
            found["comprobante"]["cae"] = " "
        return httpx.Response(200, json=body)

    whole = house.transport
    house.answer_with(blank)
    issue(house, "A-1")
    house.transport = whole
    house.run(steps=1, seconds=45)
    assert house.asiento("A-1").cae and not house.asiento("A-1").sin_validez


@pytest.mark.parametrize(
    "trouble",
    [
        {"consultas_prob": {"524": 1.0}},
        {"consultas_prob": {"hang": 1.0}},
        {"consultas_prob": {"html_200": 1.0}},
        {"consultas_prob": {"429": 1.0}},
        {"consultas_prob": {"maintenance": 1.0}},
        {"caida": "sin_conexion"},
    ],
)
def test_a_provider_that_does_not_answer_is_no_failure_of_the_stream(house, trouble):
    """«Never raises for the provider; an EMITIDO without CAE stays open, and reconcile fetches what is missing.»"""
    sent(house, "A-1", demora_en_cola=1.0)
    house.clock.advance(seconds=10)
    house.deliver()
    house.plan.update(**trouble)
    assert house.follow() == {"batchItemFailures": []}
    assert (house.estado("A-1"), house.asiento("A-1").abierto) == ("EMITIDO", True)
    house.plan.update(consultas_prob={}, caida="")
    house.clock.advance(minutes=1)
    house.reconcile()
    assert house.asiento("A-1").cae and house.events("A-1")[-1] == "ComprobanteEmitido"


def test_a_cuenta_that_cannot_be_used_holds_up_no_hook(house):
    sent(house, "A-1", demora_en_cola=1.0)
    house.clock.advance(seconds=10)
    house.deliver()
    house.put_secret("norte", usertoken="")
    house.clock.advance(minutes=16)
    assert house.follow() == {"batchItemFailures": []} and house.estado("A-1") == "EMITIDO"


# -- AWS fails


@pytest.mark.parametrize(("service", "operation"), [("dynamodb", "UpdateItem"), ("events", "PutEvents")])
def test_a_failure_of_aws_brings_that_record_and_the_later_ones_again(house, aws, service, operation):
    """«batchItemFailures with that record's sequence number»: what went before is not done again."""
    sent(house, "A-1", "A-2", "A-3", **QUEUED_FOR_A_DAY)
    for reference in ("A-1", "A-2", "A-3"):
        house.hook(reference, "eliminado", f"h-{reference}")
    second = house.peek()[1]["dynamodb"]["SequenceNumber"]
    with aws_fails(aws(service), operation, lambda params: "A-2" in json.dumps(params, default=str)) as failed:
        assert house.follow() == {"batchItemFailures": [{"itemIdentifier": second}]}
    assert failed and house.estado("A-1") == "ELIMINADO" and house.estado("A-3") == "ENVIADO"
    assert house.follow() == {"batchItemFailures": []}
    assert house.estados("A-1", "A-2", "A-3") == {"ELIMINADO"}
    assert all(house.events(r)[-1] == "ComprobanteEliminado" for r in ("A-1", "A-2", "A-3"))
    assert house.events("A-1").count("ComprobanteEliminado") == 1


ENV = {
    "TABLE": world.TABLE,
    "BUS": world.BUS,
    "CUENTAS_PREFIX": world.PREFIX,
    "PROVIDER_BASE_URL": world.PROVIDER,
    "PROVIDER_TIMEOUT_SECONDS": "110",
    "QUIET_PERIOD_SECONDS": "7200",
    "SETTLE_SECONDS": "60",
    "CONTRAST_SECONDS": "30",
    "RECONCILE_SECONDS": "300",
    "STATE_MACHINE_ARN": "arn:aws:states:us-east-1:123456789012:stateMachine:errores",
    "PDF_BUCKET": "",
}


def test_the_handler_reads_its_environment_and_keeps_no_pdf_where_none_is_wanted(house, monkeypatch, aws):
    sent(house, "A-1", demora_en_cola=1.0)
    house.clock.advance(seconds=10)
    house.deliver()
    for name, value in ENV.items():
        monkeypatch.setenv(name, value)
    deployed = house.deployed["follow_hooks"]
    monkeypatch.setattr(app, "_contraster", deployed)
    deployed.cache_clear()
    try:
        assert house.follow() == {"batchItemFailures": []}
    finally:
        deployed.cache_clear()
    assert house.asiento("A-1").cae and house.asiento("A-1").pdf is None
    assert aws("s3").list_objects_v2(Bucket=PDFS)["KeyCount"] == 0
