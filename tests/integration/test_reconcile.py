"""reconcile on its schedule: what the hooks did not tell is found out, in few queries, and told."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from tests.integration import world
from tests.integration.around import Context, Killed, Watched, aws_fails
from tests.items import put_item

from facturacion.contrast import FEW
from facturacion.ledger import Ledger
from facturacion.tiempo import to_iso
from reconcile import app

house = world.house
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")
LOST = {"hooks_prob": {"lost": 1.0}}
FOREVER = {"demora_en_cola": 864_000.0}


def sent(house, *references, cuenta="norte", **plan):
    """In the provider's queue, and no hook will ever tell."""
    house.plan.update(**LOST, **plan)
    house.send(*references, cuenta=cuenta)
    assert house.pack() == []


def later(house, **by):
    house.clock.advance(**by)
    return house.reconcile()


# -- what the hooks did not tell


def test_with_every_hook_lost_all_come_to_their_true_state_in_few_queries(house):
    """«Reconcile alone brings all to their true state, in few queries (pages, not one by one).»"""
    issued = [f"A-{n:02d}" for n in range(12)]
    errors = [f"E-{n}" for n in range(4)]
    house.plan.update(**LOST)
    for reference in errors:
        house.put(house.message(reference, comentario="SIM:ERROR=DATOS"))
    house.put(house.message("W-1", comentario="SIM:APROBACION"))
    sent(house, *issued)
    later(house, minutes=6)
    assert house.estados(*issued) == {"EMITIDO"} and house.estados(*errors) == {"ERROR"}
    assert house.estado("W-1") == "ENCOLADO"
    assert house.calls() == 1
    for item in house.proveedor.cola.items:
        if item.cae:
            asiento = house.asiento(item.referencia)
            assert (asiento.cae, asiento.numero, asiento.abierto) == (item.cae, item.numero, False)
    assert all(house.events(r) == ["ComprobanteEncolado", "ComprobanteEmitido"] for r in issued)
    for reference in errors:
        (event,) = house.details(reference, "ComprobanteConError")
        assert event["codigo"] == "CausaDesconocida"
    assert house.counts["Consultas"] == 1 and house.counts["Corregidos"] == 17 and house.counts["Emitidos"] == 12


def test_each_day_costs_its_own_page_and_a_few_of_a_day_are_asked_by_reference(house):
    for n in range(FEW + 2):
        house.put(house.message(f"A-{n}", fecha="01/03/2026", vencimiento="02/03/2026"))
    sent(house, *(f"B-{n}" for n in range(FEW)))
    later(house, minutes=6)
    assert (
        {house.estado(f"A-{n}") for n in range(FEW + 2)} == {house.estado(f"B-{n}") for n in range(FEW)} == {"EMITIDO"}
    )
    assert house.calls() == 1 + FEW


def test_pages_are_read_on_until_all_are_found(house, monkeypatch):
    monkeypatch.setattr("facturacion.paginas.PAGE", 2)
    monkeypatch.setattr("tusfacturas.client.Cliente.consulta_por_fecha", paged(2))
    sent(house, *(f"A-{n}" for n in range(5)))
    later(house, minutes=6)
    assert house.estados(*(f"A-{n}" for n in range(5))) == {"EMITIDO"}
    assert house.calls() == 3


def test_a_second_comprobante_on_a_later_page_is_seen_where_the_page_can_be_afforded(house, monkeypatch):
    """One page for each hundred asked about is read to its end, found or not."""
    monkeypatch.setattr("facturacion.paginas.PAGE", 3)
    monkeypatch.setattr("facturacion.contrast.ASKED_PER_PAGE", 2)
    monkeypatch.setattr("tusfacturas.client.Cliente.consulta_por_fecha", paged(3))
    house.proveedor.web_submit("norte", house.message("A-4", cuenta=None))
    sent(house, *(f"A-{n}" for n in range(4)), **FOREVER)
    sent(house, "A-4")
    later(house, minutes=6)
    assert house.estado("A-4") == "EN_REVISION" and house.calls() == 3, "two pages, and by its reference"
    assert house.details("A-4", "RevisionRequerida")[0]["codigo"] == "ReferenciaDuplicada"


def test_what_a_page_shows_again_because_another_was_taken_meanwhile_is_no_second_comprobante(house, monkeypatch):
    monkeypatch.setattr("facturacion.paginas.PAGE", 3)
    read = paged(3)

    def moved_on(cliente, fecha, *, pagina, limite):
        answer = read(cliente, fecha, pagina=pagina, limite=limite)
        if pagina == 0:
            house.proveedor.web_submit("norte", house.message("X-1", cuenta=None))
        return answer

    monkeypatch.setattr("tusfacturas.client.Cliente.consulta_por_fecha", moved_on)
    sent(house, *(f"A-{n}" for n in range(5)), **FOREVER)
    later(house, minutes=6)
    assert house.estados(*(f"A-{n}" for n in range(5))) == {"ENCOLADO"}


def test_a_date_that_is_much_longer_than_what_is_asked_about_is_not_read_to_its_end(house, monkeypatch):
    monkeypatch.setattr("facturacion.paginas.PAGE", 5)
    monkeypatch.setattr("tusfacturas.client.Cliente.consulta_por_fecha", paged(5))
    for n in range(30):
        house.proveedor.web_submit("norte", house.message(f"X-{n}", cuenta=None))
    sent(house, *(f"A-{n}" for n in range(5)), **FOREVER)
    later(house, minutes=6)
    assert house.calls() == 1


def paged(size):
    def consulta_por_fecha(cliente, fecha, *, pagina, limite):
        asked = {"fecha": f"{fecha:%d/%m/%Y}"}
        return cliente._consulta("F", asked, pagina=pagina, limite=min(limite, size))

    return consulta_por_fecha


def test_an_error_whose_hook_is_lost_is_told(house):
    house.put(house.message("A-1", comentario="SIM:ERROR=10041"))
    sent(house)
    later(house, minutes=6)
    assert house.estado("A-1") == "ERROR"
    assert house.events("A-1") == ["ComprobanteEncolado", "ComprobanteConError"]
    house.proveedor.web_issue("norte", "A-1")
    house.run(steps=16, minutes=10)
    assert (house.estado("A-1"), house.events("A-1")[-1]) == ("EMITIDO", "ComprobanteEmitido")


def test_what_is_uncertain_or_orphaned_and_there_is_found_without_its_message(house):
    house.plan.update(**LOST, **FOREVER)
    house.send("A-2")
    with pytest.raises(Killed):
        house.pack(ledger=Watched(house.ledger, before=die_on_the_record))
    house.plan.update(lotes=["524_accepted"])
    house.send("A-1")
    house.pack()
    assert (house.estado("A-1"), house.estado("A-2")) == ("INCIERTO", "ENVIANDO")
    later(house, minutes=6)
    assert house.estados("A-1", "A-2") == {"ENCOLADO"}
    assert house.events("A-1") == house.events("A-2") == ["ComprobanteEncolado"]
    house.run(steps=3, minutes=31)
    assert house.waiting() == 0 and house.posts() == [["A-2"], ["A-1"]]


def die_on_the_record(method):
    if method == "accepted":
        raise Killed


def test_what_is_not_there_any_more_after_two_asks_was_deleted_on_the_web(house):
    """«Absent after evidence of the queue is ELIMINADO», believed at the second answer, after the quiet period."""
    sent(house, "A-1", **FOREVER)
    house.proveedor.web_delete("norte", "A-1")
    later(house, minutes=6)
    assert (house.estado("A-1"), house.asiento("A-1").ausente_desde) == ("ENVIADO", None)
    later(house, hours=2)
    assert (house.estado("A-1"), house.asiento("A-1").ausente_desde is not None) == ("ENVIADO", True)
    later(house, seconds=50)
    assert house.estado("A-1") == "ENVIADO", "too soon for a second"
    later(house, minutes=6)
    assert (house.estado("A-1"), house.asiento("A-1").abierto) == ("ELIMINADO", False)
    assert house.events("A-1") == ["ComprobanteEncolado", "ComprobanteEliminado"]


def test_an_absence_is_forgotten_once_it_was_seen_again(house):
    """«At the second absent answer …, with nothing seen between.»"""
    estado = "ENCOLADO"
    house.plan.update(**FOREVER)
    house.send("A-1")
    house.pack()
    house.hook("A-1", "encolado", "h-1")
    house.follow()
    (item,) = house.proveedor.cola.items
    house.clock.advance(hours=3)
    hide(house, item)
    house.reconcile()
    assert (house.estado("A-1"), house.asiento("A-1").ausente_desde is not None) == (estado, True)
    later(house, minutes=6)
    assert (house.estado("A-1"), house.asiento("A-1").ausente_desde) == (estado, None)
    house.clock.advance(days=1)
    hide(house, item)
    house.reconcile()
    assert house.estado("A-1") == estado


def hide(house, item):
    """«An item is invisible for a moment.»"""
    item.oculto_hasta = house.clock() + timedelta(seconds=5)


def test_a_moment_of_absence_makes_no_second_invoice_of_a_sale(house):
    """Believed deleted, it would be replaced by its sender, and both would be issued."""
    wait = timedelta(days=1, hours=3)
    house.plan.update(demora_en_cola=wait.total_seconds())
    house.send("A-1")
    house.pack()
    house.clock.advance(seconds=1)
    house.deliver()
    house.follow()
    (item,) = house.proveedor.cola.items
    house.clock.advance(hours=3)
    hide(house, item)
    house.reconcile()
    house.run(steps=3, minutes=6)
    house.plan.update(hueco_emision=30.0, **LOST)
    house.clock.now = item.aceptado + wait + timedelta(seconds=10)
    house.reconcile()
    house.send("A-2", reemplaza="A-1")
    house.run(steps=3, hours=12)
    assert [i.referencia for i in house.proveedor.cola.items] == ["A-1"]
    assert (house.estado("A-1"), house.estado("A-2")) == ("EMITIDO", "RECHAZADO")


def test_two_comprobantes_of_one_reference_are_a_persons(house):
    """«More than one match» on a page of the day → EN_REVISION, told at once."""
    sent(house, *(f"A-{n}" for n in range(5)), **FOREVER)
    house.proveedor.web_submit("norte", house.message("A-2", cuenta=None))
    later(house, minutes=6)
    assert house.estado("A-2") == "EN_REVISION" and house.estado("A-1") == "ENCOLADO" and house.calls() == 1
    (event,) = house.details("A-2", "RevisionRequerida")
    assert event["codigo"] == "ReferenciaDuplicada"


def test_a_second_comprobante_beside_an_issued_one_is_told_and_the_first_is_finished(house):
    """«The late hook or a second match raises an alarm.»"""
    house.plan.update(**FOREVER)
    house.send("A-1")
    house.pack()
    house.proveedor.web_submit("norte", house.message("A-1", cuenta=None))
    house.proveedor.web_issue("norte", "A-1")
    house.proveedor.web_issue("norte", "A-1")
    house.run(steps=2, minutes=6)
    assert house.proveedor.summary()["issued_twice"] == ["norte#A-1"]
    assert house.details("A-1", "RevisionRequerida")[0]["codigo"] == "ReferenciaDuplicada"
    assert house.details("A-1", "ComprobanteEmitido")[0]["numero"] == 1 and house.counts["Duplicados"] >= 1
    assert (house.estado("A-1"), house.asiento("A-1").abierto) == ("EMITIDO", False)


def test_references_of_another_system_are_not_asked_about_time_and_again(house):
    house.ledger.puerta("norte")
    for n in range(5):
        house.hook(f"X-{n}", "encolado", f"h-{n}")
    house.follow()
    house.run(steps=3, minutes=6)
    assert house.calls() == 0 and house.estados(*(f"X-{n}" for n in range(5))) == {"EN_REVISION"}


# -- how long each may take


def test_a_backlog_is_not_asked_about_before_its_place_in_the_line_has_passed(house):
    """«Provider calls beyond the submission itself ≤ 0.02 per comprobante», while the hooks come as they should."""
    house.plan.update(**FOREVER)
    house.send(*(f"A-{n:03d}" for n in range(200)))
    while house.receivable():
        house.pack()
    line = [reference for post in house.posts() for reference in post]
    for start in range(0, len(line) + 100, 100):
        # The slowest that is published: 600 per hour.
        house.clock.advance(minutes=10)
        for reference in line[start : start + 100]:
            house.proveedor.web_issue("norte", reference)
        house.clock.advance(seconds=1)
        house.deliver()
        house.follow()
        house.reconcile()
    assert not any(a.abierto for a in house.ledger.get_many("norte", line))
    assert house.calls() <= 0.02 * len(line) == 4


def counted_reads(monkeypatch):
    """References of the asientos that are read from here on."""
    read = []
    real = Ledger.get_many

    def get_many(self, cuenta, references):
        read.extend(references)
        return real(self, cuenta, references)

    monkeypatch.setattr(Ledger, "get_many", get_many)
    return read


def long_line(house, length):
    """Sent, all in the provider's line, and looked at once."""
    house.plan.update(**FOREVER)
    house.send(*(f"A-{n:03d}" for n in range(length)))
    while house.receivable():
        house.pack()
    later(house, minutes=6)
    return [reference for post in house.posts() for reference in post]


def issue(house, references):
    """And told, each by its hook."""
    for reference in references:
        house.proveedor.web_issue("norte", reference)
    house.clock.advance(seconds=40)
    house.deliver()
    house.follow()


def test_in_a_long_line_those_that_were_issued_are_found_among_its_oldest(house, monkeypatch):
    """What is open costs a read each time that it is looked at: not all of it for each hundred that are issued."""
    line = long_line(house, 200)
    read = counted_reads(monkeypatch)
    issue(house, line[:100])
    assert not any(a.abierto for a in house.ledger.get_many("norte", line[:100]))
    assert len(set(read)) == 150, "a hundred, and fifty behind them"
    assert {p.ritmo.en_linea for p in house.ledger.pulses()} == {200}, "as it was when all was read"


def test_where_the_provider_issues_out_of_order_the_line_is_read_to_its_end(house, monkeypatch):
    line = long_line(house, 200)
    read = counted_reads(monkeypatch)
    issue(house, line[100:])
    assert not any(a.abierto for a in house.ledger.get_many("norte", line[100:]))
    assert len(set(read)) == 200


def test_what_no_hook_told_is_found_out_when_half_of_the_line_should_have_been_issued(house):
    line = long_line(house, 200)
    house.plan.update(**LOST)
    issue(house, line[:4])
    later(house, minutes=7)
    assert house.estados(*line[:4]) == {"ENCOLADO"}, "nobody knows, and ten minutes are not over"
    later(house, minutes=4)
    assert house.estados(*line[:4]) == {"EMITIDO"}


@pytest.fixture
def no_closes(monkeypatch):
    """The closes ask about a day that is over; how often what is open is asked about is counted without them."""
    monkeypatch.setattr(app, "close", lambda *_, **__: 0)


@pytest.mark.usefixtures("no_closes")
def test_a_scheduled_one_is_not_asked_about_before_its_day(house):
    """«Scheduled ones never age.»"""
    house.plan.update(**LOST)
    house.send(*(f"A-{n}" for n in range(FEW + 1)), fecha="20/03/2026", vencimiento="20/03/2026")
    house.pack()
    for _ in range(17):
        later(house, days=1)
    assert house.calls() == 0 and house.estado("A-0") == "ENVIADO"
    later(house, hours=15)
    assert f"{house.clock():%d %H:%M}" == "20 03:00" and house.calls() == 0
    later(house, minutes=6)
    assert house.calls() == 1 and house.estado("A-0") == "EMITIDO"


@pytest.mark.usefixtures("no_closes")
def test_what_the_provider_does_not_move_is_not_asked_about_in_each_contrast(house):
    sent(house, *(f"A-{n}" for n in range(FEW + 1)), **FOREVER)
    for _ in range(48):
        later(house, minutes=30)
    assert house.calls() <= 10, "48 contrasts in that day"
    before = house.calls()
    for _ in range(48):
        later(house, hours=1)
    assert house.calls() - before <= 4


@pytest.mark.usefixtures("no_closes")
def test_what_waits_for_a_person_is_asked_about_once_a_day(house, dynamodb):
    house.ledger.puerta("norte")
    put_item(dynamodb, estado="EN_REVISION", en_cola=True)
    for _ in range(72):
        later(house, hours=1)
    assert 2 <= house.calls() <= 3


def test_a_contrast_that_was_cut_short_leaves_no_ask_out(house):
    sent(house, "A-1", consultas=["524"])
    later(house, minutes=6)
    assert (house.calls(), house.estado("A-1")) == (1, "ENVIADO")
    later(house, minutes=1)
    assert (house.calls(), house.estado("A-1")) == (2, "EMITIDO")


# -- finishing


@pytest.mark.parametrize("host", ["slow", "silent"])
def test_pdfs_that_take_longer_than_an_invocation_do_not_keep_it_from_getting_on(house, host):
    """Lambda ends an invocation after 120 s; what it did until then is done."""
    references = [f"A-{n:02d}" for n in range(14)]
    sent(house, *references)
    ends = house.clock()

    def pdf_host(request, response):
        if request.method == "GET":
            house.clock.advance(seconds=10)
            if house.clock() > ends:
                raise Killed
            if host == "silent":
                raise httpx.ConnectTimeout("simulated", request=request)
        return response

    house.answer_with(pdf_host)
    for _ in range(7):
        house.clock.advance(minutes=12)
        ends = house.clock() + timedelta(seconds=120)
        with suppress(Killed):
            house.reconcile(seconds=120)
    assert all(house.events(reference)[-1] == "ComprobanteEmitido" for reference in references)
    assert not any(house.asiento(reference).abierto for reference in references)
    assert all(bool(house.asiento(reference).pdf) is (host == "slow") for reference in references)


def test_a_pdf_that_is_not_there_costs_the_others_none_of_theirs(house):
    house.plan.update(**LOST)
    for n in range(5):
        house.send(f"A-{n}")
        house.clock.advance(seconds=1)
    house.pack()
    house.clock.advance(seconds=5)
    house.proveedor.advance()
    gone = {house.proveedor.pdf_url(i) for i in house.proveedor.cola.items if i.referencia == "A-0"}
    house.answer_with(lambda q, r: httpx.Response(404) if q.method == "GET" and str(q.url) in gone else r)
    house.run(steps=7, minutes=11)
    assert [bool(house.asiento(f"A-{n}").pdf) for n in range(5)] == [False, True, True, True, True]
    assert not any(house.asiento(f"A-{n}").abierto for n in range(5))


def test_an_issued_one_whose_fecha_was_moved_at_the_provider_is_told_the_same_each_time(house):
    message = house.message("A-1")
    house.plan.update(**FOREVER)
    house.put(message)
    house.pack()
    house.clock.advance(days=1)
    house.proveedor.web_change_date("norte", "A-1", "03/03/2026", "03/03/2026")
    house.proveedor.web_issue("norte", "A-1")
    house.run(steps=2, minutes=6)
    house.put(message)
    house.pack()
    first, again = house.details("A-1", "ComprobanteEmitido")
    assert first == again and first["fecha"] == "2026-03-03"


def test_what_is_young_is_left_to_its_hooks_and_what_somebody_sends_is_left_alone(house, dynamodb):
    sent(house, "A-1", **FOREVER)
    put_item(
        dynamodb, pk="norte#A-2", external_reference="A-2", post_hasta=to_iso(house.clock() + timedelta(minutes=5))
    )
    put_item(dynamodb, pk="norte#A-3", external_reference="A-3", estado="PENDIENTE")
    later(house, minutes=4)
    assert house.calls() == 0
    assert [house.estado(f"A-{n}") for n in (1, 2, 3)] == ["ENVIADO", "ENVIANDO", "PENDIENTE"]


# -- what is owed


@pytest.mark.parametrize("estado", ["RECHAZADO", "ELIMINADO", "ERROR", "EN_REVISION"])
def test_an_event_whose_publication_was_never_noted_is_published(house, dynamodb, estado):
    """«The item stays in the open index until it is published.»"""
    kind = {
        "RECHAZADO": "ComprobanteRechazado",
        "ELIMINADO": "ComprobanteEliminado",
        "ERROR": "ComprobanteConError",
        "EN_REVISION": "RevisionRequerida",
    }[estado]
    house.ledger.puerta("norte")
    put_item(dynamodb, estado=estado, evento_pendiente=kind)
    house.reconcile()
    asiento = house.asiento("A-1")
    assert house.events("A-1") == [kind] and asiento.evento_pendiente is None
    assert asiento.abierto is (estado in {"ERROR", "EN_REVISION"})


def test_what_the_bus_does_not_take_stays_owed(house, dynamodb):
    house.ledger.puerta("norte")
    put_item(dynamodb, estado="ELIMINADO", evento_pendiente="ComprobanteEliminado")
    hearing = house.contraster
    house.contraster = replace(hearing, finishing=replace(hearing.finishing, bus=house.bus_without("A-1")))
    later(house, minutes=6)
    assert house.asiento("A-1").abierto and house.asiento("A-1").evento_pendiente
    house.contraster = hearing
    later(house, minutes=6)
    assert not house.asiento("A-1").abierto


# -- one cuenta and the others


@pytest.mark.parametrize("why", ["secret", "gone", "credentials", "aws"])
def test_a_cuenta_that_cannot_be_used_stops_no_other(house, aws, why):
    house.add_cuenta("alfa")
    sent(house, "A-1", cuenta="alfa")
    sent(house, "B-1")
    house.clock.advance(minutes=16)
    if why == "secret":
        house.put_secret("alfa", usertoken="")
    if why == "gone":
        aws("secretsmanager").delete_secret(SecretId=f"{world.PREFIX}/alfa", ForceDeleteWithoutRecovery=True)
    if why == "credentials":
        house.proveedor.cuentas["alfa"].apitoken = "another"
    fails = why == "aws"
    with aws_fails(aws("dynamodb"), "Query", lambda p: fails and "alfa" in json.dumps(p["ExpressionAttributeValues"])):
        house.reconcile()
    assert (house.estado("A-1", "alfa"), house.estado("B-1")) == ("ENVIADO", "EMITIDO")


def test_a_contrast_that_aws_ends_is_made_again_at_the_next_minute(house, aws):
    sent(house, "A-1", "A-2")
    with aws_fails(aws("events"), "PutEvents") as failed:
        later(house, minutes=6)
    assert failed and house.estados("A-1", "A-2") == {"ENVIADO"}
    later(house, minutes=1)
    assert house.estados("A-1", "A-2") == {"EMITIDO"}


def test_what_is_open_of_others_does_not_crowd_ours_out(house, monkeypatch):
    """What is open is looked at some at a time, and all of it."""
    monkeypatch.setattr("facturacion.contrast.AT_A_TIME", 3)
    for n in range(7):
        house.hook(f"X-{n}", "encolado", f"h-{n}")
    house.follow()
    house.clock.advance(seconds=1)
    sent(house, "A-1")
    later(house, minutes=6)
    assert house.estado("A-1") == "EMITIDO"


def test_no_cuenta_is_begun_without_the_time_for_it(house):
    sent(house, "A-1")
    house.clock.advance(minutes=6)
    assert house.reconcile(seconds=59)["contrastadas"] == 0 and house.calls() == 0
    assert house.reconcile(seconds=61)["contrastadas"] == 1 and house.estado("A-1") == "EMITIDO"


def test_a_provider_that_stops_answering_is_asked_no_more_in_that_contrast_and_soon_again(house):
    for n in range(3):
        house.put(house.message(f"A-{n}", fecha=f"0{n + 1}/03/2026", vencimiento="05/03/2026"))
    sent(house, consultas=["524"])
    house.clock.advance(days=3)
    house.reconcile()
    assert house.calls() == 1
    later(house, minutes=1)
    assert house.estados("A-0", "A-1", "A-2") == {"EMITIDO"}


def test_a_cuenta_with_nothing_open_costs_no_query(house):
    sent(house, "A-1")
    later(house, minutes=6)
    asked = house.calls()
    for _ in range(3):
        later(house, minutes=6)
    assert house.calls() == asked


# -- the wiring


def test_the_handler_reads_its_environment(house, monkeypatch):
    env = {
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
        "PDF_BUCKET": world.PDFS,
        "QUEUE_URL": house.queues.queue,
        "DLQ_URL": house.queues.dead,
        "DEFAULT_CUENTA": "norte",
    }
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    house.put(house.message("A-1", cuenta=None), house.queues.dead)
    deployed = house.deployed["reconcile"]
    monkeypatch.setattr(app, "_process", deployed)
    deployed.cache_clear()
    try:
        answer = app.handler({}, Context(lambda: timedelta(seconds=300)))
        deployed().contraster.finishing.pdfs.http.close()
    finally:
        deployed.cache_clear()
    assert answer == {"contrastadas": 0, "devueltos": 1, "resueltos": 0, "corridas": 0, "cierres": 0}
