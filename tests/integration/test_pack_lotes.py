"""pack_lotes with a queue, a ledger and a provider: what becomes of each message, and of the others beside it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.integration import world

house = world.house
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")
REFUSED = "SIM:RECHAZAR"


# -- a lote


def test_a_hundred_valid_messages_leave_in_one_post_and_every_one_is_told_and_acknowledged(house):
    """«A lote holds 100»; «an SQS message stays alive until what it asked for is certain»."""
    references = [f"A-{n:03d}" for n in range(100)]
    house.send(*references)
    assert house.pack() == []
    assert [len(post) for post in house.posts()] == [100] and sorted(house.posts()[0]) == references
    assert house.estados(*references) == {"ENVIADO"}
    assert Counter(kind for kind, _ in house.published()) == {"ComprobanteEncolado": 100}
    assert house.waiting() == 0 and house.calls() == 0
    assert (house.counts["Recibidos"], house.counts["Lotes"], house.counts["Aceptados"]) == (100, 1, 100)


def test_each_cuenta_of_a_batch_has_a_lote_of_its_own_under_its_own_credentials(house):
    house.add_cuenta("sur")
    house.send("A-1", "A-2")
    house.send("A-1", cuenta="sur")
    assert house.pack() == []
    assert {(p.cuenta, tuple(sorted(p.referencias))) for p in house.proveedor.posts} == {
        ("norte", ("A-1", "A-2")),
        ("sur", ("A-1",)),
    }
    assert house.estado("A-1", "sur") == house.estado("A-1") == "ENVIADO"


def test_a_lote_is_sorted_by_fecha_and_then_by_when_it_was_sent(house):
    """«A later date issued first makes earlier ones fail.»"""
    for reference, fecha in (("LATE", "04/03/2026"), ("SECOND", "02/03/2026"), ("THIRD", "02/03/2026")):
        house.send(reference, fecha=fecha, vencimiento=fecha)
        house.clock.advance(seconds=1)
    house.send("FIRST", fecha="01/03/2026")
    house.pack()
    assert house.posts() == [["FIRST", "SECOND", "THIRD", "LATE"]]
    ordenes = [house.asiento(reference).orden for reference in house.posts()[0]]
    assert ordenes == sorted(ordenes)


def test_a_message_without_cuenta_is_of_the_default_cuenta(house):
    house.send("A-1", cuenta=None)
    house.settings = replace(house.settings, default_cuenta="norte")
    assert house.pack() == []
    assert house.estado("A-1") == "ENVIADO"


# -- refusals of the provider


@pytest.mark.parametrize("form", ["parcial", "seed", "ilegible"])
def test_in_every_form_of_refusal_the_offenders_are_refused_and_all_else_goes_through(house, form):
    """«Both refusal forms: the offenders end RECHAZADO, everything else goes through.»"""
    house.plan.update(forma_rechazo=form)
    for n in range(1, 6):
        house.send(f"A-{n}", comentario=REFUSED if n in {2, 4} else "")
        house.clock.advance(seconds=1)
    assert house.pack() == []
    assert house.estados("A-1", "A-3", "A-5") == {"ENVIADO"} and house.estados("A-2", "A-4") == {"RECHAZADO"}
    for reference in ("A-2", "A-4"):
        (event,) = house.details(reference, "ComprobanteRechazado")
        assert event["causas"][0]["mensaje"] and event["codigo"]
        assert house.events(reference) == ["ComprobanteRechazado"]
    assert house.waiting() == 0
    house.assert_nothing_twice()


def test_where_all_are_refused_and_the_answer_lists_none_each_is_refused(house):
    """What `response` holds then is not documented; «contiene errores en todos sus requests», and nothing else, is."""
    house.plan.update(rechazados_en_respuesta=False)
    house.send("A-1", "A-2", "A-3", comentario=REFUSED)
    assert house.pack() == []
    assert house.estados("A-1", "A-2", "A-3") == {"RECHAZADO"}


def test_numeric_references_come_back_as_numbers_and_are_matched_as_strings(house):
    """«Per comprobante, by external_reference, as strings (never by position).»"""
    house.plan.update(referencias="json_numeric_check")
    house.send("17032", "0017", "12E4", "A-1")
    house.send("17033", comentario=REFUSED)
    assert house.pack() == []
    assert house.estados("17032", "0017", "12E4", "A-1") == {"ENVIADO"} and house.estado("17033") == "RECHAZADO"


def test_one_refused_alone_for_a_reason_that_names_nobody_waits_for_company(house):
    """Alone and unreadable, a refusal may be the cuenta's: it is definite, so it waits and loses nothing."""
    house.plan.update(forma_rechazo="ilegible")
    house.send("A-1", comentario=REFUSED)
    assert len(house.pack()) == 1
    assert house.estado("A-1") == "PENDIENTE"
    house.clock.advance(hours=1)
    house.send("A-2")
    house.pack()
    for _ in range(3):
        house.clock.advance(hours=1)
        house.pack()
    assert (house.estado("A-1"), house.estado("A-2"), house.waiting()) == ("RECHAZADO", "ENVIADO", 0)


# -- messages that are not sent

APIKEY = "71-secreto-en-el-mensaje"
MALFORMED = {
    "json_invalido": f'{{"cuenta": "norte", "apikey": "{APIKEY}"',
    "no_es_objeto": f'["{APIKEY}", {{"apitoken": "{APIKEY}"}}]',
    "falta_cuenta": json.dumps({"usertoken": APIKEY, "comprobante": {"external_reference": "X-1"}}),
    "cuenta_invalida": json.dumps({"cuenta": "MAL ALIAS", "comprobante": {"external_reference": "X-1"}}),
    "cuenta_desconocida": json.dumps({"cuenta": "nadie", "comprobante": {"external_reference": "X-1"}}),
    "falta_comprobante": json.dumps({"cuenta": "norte", "apikey": APIKEY}),
    "falta_referencia": json.dumps({"cuenta": "norte", "comprobante": {"apikey": APIKEY}}),
    "referencia_invalida": json.dumps({"cuenta": "norte", "comprobante": {"external_reference": "con espacio"}}),
    "clave_repetida": '{"cuenta": "norte", "cuenta": "sur", "comprobante": {"external_reference": "X-1"}}',
    "anidado_en_exceso": '{"a":' * 5_000 + "1" + "}" * 5_000,
}


def test_what_cannot_be_understood_goes_to_the_rejected_queue_with_its_reason_and_holds_up_nobody(house):
    """«A message that cannot be understood goes, with the reason, to the rejected queue and is acked.»"""
    for body in MALFORMED.values():
        house.put(body)
    house.send("A-1")
    assert house.pack() == []
    assert house.estado("A-1") == "ENVIADO" and house.estado("X-1") is None
    rejected = house.rejected()
    assert sorted(codigo for codigo, _, _ in rejected) == sorted(MALFORMED)
    assert all(motivo for _, motivo, _ in rejected)
    secret = json.dumps([body for _, _, body in rejected])
    assert secret.count(APIKEY) == 1, "only the bare text of a list, which is nobody's credential, is left"


def test_one_that_breaks_the_rules_is_refused_with_every_fault_and_never_posted(house):
    """«One that is understood but breaks the provider's rules becomes RECHAZADO with an event.»"""
    body = house.message("A-1", numero=5, total="1.00")
    body["cliente"]["documento_nro"] = "12-3"
    house.put(body)
    house.send("A-2")
    assert house.pack() == []
    assert (house.estado("A-1"), house.estado("A-2"), house.posts()) == ("RECHAZADO", "ENVIADO", [["A-2"]])
    (event,) = house.details("A-1", "ComprobanteRechazado")
    assert {(c["codigo"], c["campo"]) for c in event["causas"]} == {
        ("documento_invalido", "cliente.documento_nro"),
        ("numero_no_cero", "comprobante.numero"),
        ("total_no_coincide", "comprobante.total"),
    }
    assert "lote_id" not in event and not house.asiento("A-1").abierto


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    bodies=st.lists(
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["cuenta", "cliente", "comprobante", "detalle", "x"]), inner)
            ),
            max_leaves=8,
        ),
        min_size=1,
        max_size=4,
    ),
    where=st.sampled_from(["cuenta", "cliente", "comprobante", "reemplaza", "cliente.email", "comprobante.detalle"]),
)
def test_no_content_of_a_message_stops_the_invocation(house, bodies, where):
    """«One bad message never holds up another»: whatever it is, it is refused, rejected or sent."""
    reference = f"F-{house._lotes}-{house.clock.advance(hours=1):%d%H}"
    outer, _, inner = where.partition(".")
    for n, junk in enumerate(bodies):
        body = house.message(f"{reference}-{n}")
        if inner:
            body[outer][inner] = junk
        else:
            body[outer] = junk
        house.put(json.dumps(body))
        house.put(json.dumps(junk))
    house.send(reference)
    again = house.pack()
    house.pack()
    assert house.estado(reference) == "ENVIADO"
    assert again == [] or where == "reemplaza"


# -- what comes again


def test_a_reference_with_other_content_is_rejected_loudly(house):
    """«Other content → reject loudly.»"""
    house.send("A-1")
    house.pack()
    house.send("A-1", precio=200)
    assert house.pack() == []
    ((codigo, motivo, body),) = house.rejected()
    assert codigo == "conflicto_de_contenido" and "A-1" in motivo and json.loads(body)["cuenta"] == "norte"
    assert house.posts() == [["A-1"]] and house.estado("A-1") == "ENVIADO"


def test_a_second_copy_in_the_same_batch_is_deferred_and_then_known(house):
    """«A second copy of a reference in the same batch is deferred.»"""
    house.send("A-1", "A-1")
    assert len(house.pack()) == 1
    assert house.posts() == [["A-1"]]
    house.clock.advance(seconds=31)
    assert house.pack() == [] and house.posts() == [["A-1"]] and house.waiting() == 0


def test_a_repeat_after_acceptance_is_told_again_with_the_same_evento_id(house):
    """«Known → publish its present state's event again (same evento_id), ack.»"""
    house.send("A-1")
    house.pack()
    house.send("A-1")
    assert house.pack() == [] and house.posts() == [["A-1"]]
    first, again = house.details("A-1", "ComprobanteEncolado")
    assert first == again


@pytest.mark.parametrize("by", ["us", "the provider"])
def test_corrected_content_of_a_refused_reference_is_sent_under_the_same_reference(house, by):
    """«RECHAZADO: the same reference may be claimed again with corrected content (attempt n+1).»"""
    bad = {"numero": 5} if by == "us" else {"comentario": REFUSED}
    house.send("A-1", **bad)
    house.pack()
    assert house.estado("A-1") == "RECHAZADO"
    house.send("A-1", precio=200)
    assert house.pack() == []
    asiento = house.asiento("A-1")
    assert asiento.estado == "ENVIADO" and asiento.previos == (0 if by == "us" else 1) and not asiento.causas
    assert [item.referencia for item in house.proveedor.cola.items] == ["A-1"]


@pytest.mark.parametrize("bad", [{"numero": 5}, {"comentario": REFUSED}])
def test_a_late_repeat_of_refused_content_is_told_again_and_never_sent(house, bad):
    """«Every refused hash is kept: a late repeat of refused content is known: its event again, then ack.»"""
    house.send("A-1", **bad)
    house.pack()
    house.send("A-1", precio=200)
    house.pack()
    posts = len(house.posts())
    house.send("A-1", **bad)
    assert house.pack() == [] and len(house.posts()) == posts and house.rejected() == []
    first, again = house.details("A-1", "ComprobanteRechazado")
    assert first["evento_id"] == again["evento_id"] and again["estado"] == "RECHAZADO"
    assert house.estado("A-1") == "ENVIADO"


def test_a_late_repeat_of_what_the_provider_refused_is_told_with_its_reasons(house):
    house.send("A-1", comentario=REFUSED)
    house.pack()
    house.send("A-1")
    assert house.pack() == [] and house.estado("A-1") == "ENVIADO"
    house.send("A-1", comentario=REFUSED)
    assert house.pack() == []
    first, again = house.details("A-1", "ComprobanteRechazado")
    assert first["evento_id"] == again["evento_id"] and first["codigo"] == again["codigo"]
    assert again["causas"][0]["mensaje"].startswith(first["causas"][0]["mensaje"][:100])


def test_a_late_repeat_of_refused_content_tells_nothing_of_the_correction(house):
    house.send("A-1", numero=5)
    house.pack()
    house.send("A-1", precio=200)
    house.pack()
    house.run(steps=1, minutes=6)
    assert house.asiento("A-1").cae
    house.send("A-1", numero=5)
    house.pack()
    again = house.details("A-1", "ComprobanteRechazado")[-1]
    assert not {"cae", "numero", "pdf", "lote_id", "total"} & set(again)


def test_one_that_waits_and_breaks_the_rules_of_today_is_refused(house):
    """The cuenta's punto de venta was changed while it was known not to be at the provider."""
    house.plan.update(lotes=["429"])
    house.send("A-1")
    house.pack()
    assert house.estado("A-1") == "PENDIENTE"
    house.secret("norte", punto_venta=4)
    house.clock.advance(minutes=31)
    assert house.pack() == [] and house.estado("A-1") == "RECHAZADO"
    assert house.details("A-1", "ComprobanteRechazado")[0]["codigo"] == "punto_venta_ajeno"


def test_a_repeat_of_one_that_was_sent_under_other_rules_is_told_as_it_is(house):
    house.send("A-1")
    house.pack()
    house.secret("norte", punto_venta=4)
    house.clock.advance(minutes=31)
    house.send("A-1", fecha="02/03/2026", vencimiento="02/03/2026")
    assert house.pack() == [] and house.estado("A-1") == "ENVIADO"
    assert house.events("A-1") == ["ComprobanteEncolado"] * 2


def test_a_refused_one_that_a_hook_says_is_queued_is_asked_about_before_its_correction_is_sent(house):
    """The provider refused it in its answer and queued it all the same: a person's, and no second invoice."""
    house.plan.update(demora_en_cola=86_400)
    whole = house.transport
    words = "El request enviado en el orden 0 (comenzando en 0) no es valido. Este request no se procesara."
    entry = {"error": "S", "errores": [words], "external_reference": "A-1", "rta": "Eror. No se procesara"}
    house.answer_with(lambda _, __: httpx.Response(200, json={"error": "S", "errores": ["."], "response": [entry]}))
    house.send("A-1")
    assert house.pack() == [] and house.estado("A-1") == "RECHAZADO"
    house.transport = whole
    house.clock.advance(seconds=1)
    house.deliver()
    house.follow()
    house.send("A-1", precio=200)
    house.pack()
    assert house.posts() == [["A-1"]]
    assert (house.estado("A-1"), house.asiento("A-1").causas[0].codigo) == ("EN_REVISION", "RechazadoPeroPresente")


@pytest.mark.parametrize("evento", ["encolado", "eliminado", "cambio_fecha"])
def test_a_correction_after_a_hook_that_was_wrong_is_sent_in_the_end(house, evento):
    """Refused by us, so that no POST of it was ever under way: twice absent is enough."""
    house.send("A-1", numero=5)
    house.pack()
    house.hook("A-1", evento, "h-1")
    house.follow()
    house.send("A-1", precio=200)
    for _ in range(4):
        house.pack()
        house.clock.advance(minutes=31)
    assert house.estado("A-1") == "ENVIADO" and house.waiting() == 0


# -- reemplaza


def deleted(house, reference):
    """A comprobante that was accepted, and deleted from the provider's queue."""
    house.plan.update(demora_en_cola=86_400)
    house.send(reference)
    house.pack()
    house.proveedor.web_delete("norte", reference)
    house.clock.advance(seconds=1)
    house.deliver()
    house.follow()
    assert house.estado(reference) == "ELIMINADO"


def test_a_deleted_comprobante_is_replaced_once(house):
    """«Only a deleted comprobante may be replaced, and once; else two invoices for one sale.»"""
    deleted(house, "A-1")
    house.send("A-2", reemplaza="A-1")
    assert house.pack() == []
    assert (house.estado("A-2"), house.asiento("A-1").reemplazado_por) == ("ENVIADO", "A-2")
    assert house.details("A-2", "ComprobanteEncolado")[0]["reemplaza"] == "A-1"
    house.send("A-2", reemplaza="A-1")
    house.send("A-3", reemplaza="A-1")
    assert house.pack() == []
    assert (house.estado("A-2"), house.estado("A-3")) == ("ENVIADO", "RECHAZADO")
    assert house.details("A-3", "ComprobanteRechazado")[0]["codigo"] == "reemplaza_repetido"
    assert len(house.posts()) == 2


def test_two_replacements_in_one_batch_are_one_invoice(house):
    deleted(house, "A-1")
    house.send("A-2", "A-3", reemplaza="A-1")
    assert house.pack() == []
    assert {house.estado("A-2"), house.estado("A-3")} == {"ENVIADO", "RECHAZADO"}


@pytest.mark.parametrize(
    ("old", "codigo"),
    [
        ("issued", "reemplaza_emitido"),
        ("refused", "reemplaza_rechazado"),
        ("unknown", "reemplaza_desconocido"),
        ("itself", "reemplaza_a_si_mismo"),
    ],
)
def test_what_was_not_deleted_cannot_be_replaced(house, old, codigo):
    if old in {"issued", "refused"}:
        house.send("A-1", comentario=REFUSED if old == "refused" else "")
        house.pack()
        house.run(steps=1, minutes=1)
    house.send("A-2", reemplaza="A-2" if old == "itself" else "A-1")
    posts = len(house.posts())
    assert house.pack() == []
    assert (house.estado("A-2"), len(house.posts())) == ("RECHAZADO", posts)
    (event,) = house.details("A-2", "ComprobanteRechazado")
    assert (event["codigo"], event["causas"][0]["campo"]) == (codigo, "reemplaza")


def test_the_replacement_of_one_that_is_still_open_waits_until_it_is_decided(house):
    house.plan.update(demora_en_cola=86_400)
    house.send("A-1")
    house.pack()
    house.send("A-2", reemplaza="A-1")
    assert len(house.pack()) == 1 and house.estado("A-2") is None
    house.proveedor.web_delete("norte", "A-1")
    house.clock.advance(minutes=1)
    house.settle()
    assert (house.estado("A-1"), house.estado("A-2"), house.waiting()) == ("ELIMINADO", "ENVIADO", 0)


# -- one by one, and the time there is


def test_a_cuenta_in_individual_mode_sends_one_by_one(house):
    """«modo: lotes, or individual for nuevo_encola one by one.»"""
    house.add_cuenta("sur", modo="individual")
    house.send("A-1", "A-2", cuenta="sur")
    house.send("A-3", cuenta="sur", comentario=REFUSED)
    assert house.pack() == []
    assert [(p.metodo, len(p.referencias)) for p in house.proveedor.posts] == [("nuevo_encola", 1)] * 3
    assert [house.estado(f"A-{n}", "sur") for n in (1, 2, 3)] == ["ENVIADO", "ENVIADO", "RECHAZADO"]


def test_no_lote_is_begun_without_the_time_to_finish_it(house):
    """«Take on a lote only while there is time to finish it; what was not begun goes back to the queue.»"""
    house.send("A-1")
    needed = house.settings.time_for_a_lote.total_seconds()
    assert len(house.pack(seconds=needed - 1)) == 1
    assert (house.posts(), house.estado("A-1")) == ([], None)
    house.clock.advance(seconds=40)
    assert house.pack(seconds=needed + 1) == [] and house.estado("A-1") == "ENVIADO"


def test_what_a_slow_provider_leaves_no_time_for_is_not_claimed(house):
    house.add_cuenta("sur")
    house.plan.update(lotes=["slow"], segundos_lenta=100.0)
    house.send("A-1")
    house.clock.advance(seconds=1)
    house.send("A-2", cuenta="sur")
    assert len(house.pack(seconds=200)) == 1
    assert (house.estado("A-1"), house.estado("A-2", "sur")) == ("ENVIADO", None)


def test_what_our_own_check_refuses_is_counted_apart_from_what_the_provider_refuses(house):
    """The share of uncertain outcomes is of what was sent."""
    house.send("A-1", comentario=REFUSED)
    house.put(house.message("R-1", vencimiento="01/01/2020"))
    house.pack()
    assert house.estados("A-1", "R-1") == {"RECHAZADO"} and house.posts() == [["A-1"]]
    assert (house.counts["Rechazados"], house.counts["RechazadosAqui"]) == (2, 1)
