"""The events out: what each state tells, how a consumer tells a repeat, and what PutEvents is given."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import date
from decimal import Decimal

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from tests.clock import START

from facturacion.asiento import Asiento, Causa, Datos
from facturacion.estado import Estado
from facturacion.events import (
    CAUSAS_MAX,
    ENTRIES_MAX,
    FINALES,
    REQUEST_MAX_BYTES,
    TIPOS,
    Bus,
    Evento,
    event_for,
    evento_id,
    tipo_for,
)

FALTA = Causa("falta_campo", "cliente.documento_nro", "Falta este dato, que es obligatorio.")
ASIENTO = Asiento(
    cuenta="norte",
    external_reference="A-1",
    estado=Estado.ENVIADO,
    version=2,
    datos=Datos(
        hash="h1", tipo="FACTURA B", fecha=date(2026, 3, 2), vencimiento=date(2026, 3, 12), total=Decimal("12.10")
    ),
    lote_id="L1",
)
TOLD = [estado for estado in Estado if tipo_for(estado)]


def told(estado, **changes):
    return replace(ASIENTO, estado=estado, cae="75", **changes)


# -- what is told ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("estado", "tipo"),
    [
        ("ENVIANDO", None),
        ("INCIERTO", None),
        ("PENDIENTE", None),
        ("ENVIADO", "ComprobanteEncolado"),
        ("ENCOLADO", "ComprobanteEncolado"),
        ("EMITIDO", "ComprobanteEmitido"),
        ("ERROR", "ComprobanteConError"),
        ("RECHAZADO", "ComprobanteRechazado"),
        ("ELIMINADO", "ComprobanteEliminado"),
        ("EN_REVISION", "RevisionRequerida"),
    ],
)
def test_each_state_tells_its_event_or_nothing_yet(estado, tipo):
    evento = event_for(told(Estado(estado)))
    assert (evento.tipo if evento else None) == tipo == tipo_for(Estado(estado))


def test_there_are_six_events_and_three_of_them_are_the_last():
    assert len(TIPOS) == 6
    assert {tipo_for(e) for e in FINALES} == {"ComprobanteEmitido", "ComprobanteRechazado", "ComprobanteEliminado"}


@pytest.mark.parametrize("estado", TOLD)
def test_every_event_says_whose_it_is_what_it_is_and_how_to_tell_a_repeat(estado):
    detail = event_for(told(estado)).detail
    assert (detail["cuenta"], detail["external_reference"], detail["estado"]) == ("norte", "A-1", estado.value)
    assert detail["evento_id"] == evento_id(told(estado), tipo_for(estado))
    assert None not in detail.values()


def test_an_event_is_plain_json_with_the_money_as_text():
    detail = json.loads(json.dumps(event_for(ASIENTO).detail))
    assert detail == {
        "evento_id": evento_id(ASIENTO, "ComprobanteEncolado"),
        "cuenta": "norte",
        "external_reference": "A-1",
        "estado": "ENVIADO",
        "lote_id": "L1",
        "tipo": "FACTURA B",
        "fecha": "2026-03-02",
        "vencimiento": "2026-03-12",
        "total": "12.10",
    }


def test_an_issued_one_is_not_told_before_its_cae_is_known():
    issued = replace(ASIENTO, estado=Estado.EMITIDO)
    assert event_for(issued) is None
    detail = event_for(
        replace(issued, cae="75123", numero=42, cae_vencimiento=date(2026, 3, 12), pdf="norte/A-1.pdf")
    ).detail
    assert (detail["cae"], detail["numero"], detail["cae_vencimiento"], detail["pdf"]) == (
        "75123",
        42,
        "2026-03-12",
        "norte/A-1.pdf",
    )
    assert "sin_validez" not in detail


def test_an_issued_one_that_gets_no_cae_says_that_it_is_without_validity():
    detail = event_for(replace(ASIENTO, estado=Estado.EMITIDO, sin_validez=True)).detail
    assert detail["sin_validez"] is True
    assert "cae" not in detail


def test_what_is_wrong_is_told_with_code_field_and_text():
    detail = event_for(told(Estado.RECHAZADO, causas=(FALTA,))).detail
    assert detail["codigo"] == "falta_campo"
    assert detail["causas"] == [
        {"codigo": "falta_campo", "campo": "cliente.documento_nro", "mensaje": "Falta este dato, que es obligatorio."}
    ]


def test_causas_known_whole_replace_the_cut_ones_of_the_asiento():
    whole = [replace(FALTA, mensaje="x" * 500), replace(FALTA, codigo="otro")]
    detail = event_for(told(Estado.RECHAZADO, causas=(FALTA,)), whole).detail
    assert [c["codigo"] for c in detail["causas"]] == ["falta_campo", "otro"]
    assert len(detail["causas"][0]["mensaje"]) == 500
    assert "causas" not in event_for(told(Estado.RECHAZADO, causas=(FALTA,)), []).detail


def test_thousands_of_causas_are_cut_and_counted():
    detail = event_for(told(Estado.RECHAZADO), [FALTA] * (CAUSAS_MAX + 1)).detail
    assert (len(detail["causas"]), detail["causas_total"]) == (CAUSAS_MAX, CAUSAS_MAX + 1)
    assert "causas_total" not in event_for(told(Estado.RECHAZADO), [FALTA] * CAUSAS_MAX).detail


def test_what_the_ledger_keeps_for_itself_is_not_told():
    inner = replace(
        told(Estado.RECHAZADO),
        vistos=frozenset({"hook-id-7"}),
        rechazados=frozenset({"hash-of-old"}),
        orden="orden-7",
        evento_pendiente="ComprobanteRechazado",
    )
    text = json.dumps(event_for(inner).detail)
    assert not [secret for secret in ("hook-id-7", "hash-of-old", "orden-7", "pendiente") if secret in text]


# -- how a consumer tells a repeat -----------------------------------------------------------------------------------


@pytest.mark.parametrize("estado", TOLD)
def test_the_same_thing_told_again_has_the_same_id(estado):
    first = told(estado, causas=(FALTA,))
    later = replace(
        first,
        version=9,
        # While it is in error, or in review, nothing of ours accounts for its hooks: they are what says why.
        vistos=first.vistos if estado in {Estado.ERROR, Estado.EN_REVISION} else frozenset({"h"}),
        evento_pendiente=tipo_for(estado),
        actualizado=START,
        abierto=False,
        en_cola=True,
        previos=1,
    )
    assert event_for(first).detail["evento_id"] == event_for(later).detail["evento_id"]


def test_accepted_and_seen_in_the_queue_are_one_thing():
    assert evento_id(told(Estado.ENVIADO), "ComprobanteEncolado") == evento_id(
        told(Estado.ENCOLADO), "ComprobanteEncolado"
    )


def test_a_comprobante_is_issued_once_whichever_lote_it_was_in():
    assert len({event_for(told(Estado.EMITIDO, lote_id=lote)).detail["evento_id"] for lote in ("L1", "L2", None)}) == 1


@pytest.mark.parametrize("estado", [e for e in TOLD if e not in {Estado.RECHAZADO, Estado.EMITIDO}])
def test_another_attempt_is_another_event(estado):
    ids = {event_for(told(estado, lote_id=lote)).detail["evento_id"] for lote in ("L1", "L2")}
    assert len(ids) == 2


def test_a_refusal_is_told_apart_by_its_content_whichever_lote_it_was_in():
    def id_of(**changes):
        return event_for(told(Estado.RECHAZADO, **changes)).detail["evento_id"]

    assert id_of(lote_id="L1") == id_of(lote_id="L2") == id_of(lote_id=None)
    assert id_of() != id_of(datos=Datos(hash="h2"))


@pytest.mark.parametrize("estado", [Estado.ERROR, Estado.EN_REVISION])
def test_other_reasons_in_the_same_attempt_are_another_event(estado):
    ids = {
        event_for(told(estado, causas=causas)).detail["evento_id"]
        for causas in ((), (FALTA,), (FALTA, replace(FALTA, codigo="otro")))
    }
    assert len(ids) == 3


def test_the_same_error_after_a_resend_is_another_event_and_a_repeat_of_either_is_none():
    """What tells them apart is the epoch of the fold: the hooks that were accounted for when it was queued again."""
    first = told(Estado.ERROR, causas=(FALTA,))
    again = replace(first, vistos=frozenset({"h-1", "h-2"}), version=5)
    repeat = replace(again, version=6, vistos=frozenset({"h-2", "h-1"}), evento_pendiente=None)
    ids = [event_for(asiento).detail["evento_id"] for asiento in (first, again, repeat)]
    assert ids[0] != ids[1] == ids[2]


def test_no_two_comprobantes_and_no_two_kinds_share_an_id():
    who = [
        replace(ASIENTO, cuenta=cuenta, external_reference=reference, datos=Datos(hash="h"))
        for cuenta in ("norte", "sur")
        for reference in ("A-1", "A-2")
    ]
    ids = [evento_id(asiento, tipo) for asiento in who for tipo in TIPOS]
    assert len(set(ids)) == len(ids)


def test_the_id_is_short_plain_text():
    assert len(evento_id(ASIENTO, "ComprobanteEncolado")) == 32
    assert evento_id(ASIENTO, "ComprobanteEncolado").isalnum()


# -- PutEvents -------------------------------------------------------------------------------------------------------


@pytest.fixture
def events():
    client = boto3.client("events", region_name="us-east-1", aws_access_key_id="k", aws_secret_access_key="s")
    with Stubber(client) as stubber:
        yield client, stubber
        stubber.assert_no_pending_responses()


def entry(evento):
    return {
        "Time": START,
        "Source": "facturacion",
        "DetailType": evento.tipo,
        "Detail": json.dumps(evento.detail, ensure_ascii=False),
        "EventBusName": "bus",
    }


def expect(stubber, eventos, failing=()):
    answers = [
        {"ErrorCode": "InternalFailure", "ErrorMessage": "x"} if evento in failing else {"EventId": str(n)}
        for n, evento in enumerate(eventos)
    ]
    stubber.add_response(
        "put_events",
        {"FailedEntryCount": len(failing), "Entries": answers},
        {"Entries": [entry(evento) for evento in eventos]},
    )


def numbered(count, size=10):
    return [Evento("ComprobanteEncolado", {"n": n, "text": "ñ" * (size // 2)}) for n in range(count)]


def test_events_go_out_in_order_ten_at_a_time(events):
    client, stubber = events
    eventos = numbered(2 * ENTRIES_MAX + 1)
    expect(stubber, eventos[:10])
    expect(stubber, eventos[10:20])
    expect(stubber, eventos[20:])
    assert Bus(client, "bus").publish(eventos, at=START) == [True] * 21


def test_an_entry_that_was_not_taken_is_told_from_those_that_were(events):
    client, stubber = events
    eventos = numbered(12)
    expect(stubber, eventos[:10], failing=[eventos[3]])
    expect(stubber, eventos[10:], failing=eventos[10:])
    taken = Bus(client, "bus").publish(eventos, at=START)
    assert [n for n, out in enumerate(taken) if not out] == [3, 10, 11]


def test_a_request_stays_below_its_limit_in_bytes_not_in_letters(events):
    client, stubber = events
    eventos = numbered(5, size=100_000)
    for n in (0, 2, 4):
        expect(stubber, eventos[n : n + 2])
        assert sum(len(entry(e)["Detail"].encode()) for e in eventos[n : n + 2]) < REQUEST_MAX_BYTES
    assert Bus(client, "bus").publish(eventos, at=START) == [True] * 5


def test_nothing_to_tell_calls_nobody(events):
    client, _ = events
    assert Bus(client, "bus").publish([], at=START) == []


def test_a_bus_that_does_not_answer_is_an_error_and_not_a_success(events):
    client, stubber = events
    stubber.add_client_error("put_events", "InternalException", http_status_code=500)
    with pytest.raises(ClientError):
        Bus(client, "bus").publish(numbered(1), at=START)


def test_the_largest_event_there_can_be_fits_in_one_request():
    """Texts are cut at 1,000 characters where they are read, four bytes each at the most."""
    longest = Causa("c" * 64, "f" * 255, "\N{GRINNING FACE}" * 1_000)
    reference = "r" * 255
    asiento = replace(told(Estado.RECHAZADO), external_reference=reference, reemplaza=reference, pdf="p" * 1_000)
    evento = event_for(replace(asiento, lote_id="l" * 36), [longest] * 200)
    assert len(json.dumps(evento.detail, ensure_ascii=False).encode()) + 200 < REQUEST_MAX_BYTES


def test_every_field_of_the_asiento_was_thought_of():
    """A new field is either told or kept: whoever adds one says which, here."""
    kept = {
        "version", "previos", "ciclos", "dudas", "post_hasta", "quieto_desde", "orden", "vistos", "rechazados",
        "en_cola", "borrado_pedido", "ausente_desde", "evento_pendiente", "reemplazado_por", "creado",
        "actualizado", "llegado", "abierto", "motivos", "reenvios", "cambios_fecha", "borrados",
        "por_reenviar", "intentado", "error_desde", "decision", "reconstruido", "sin_mensaje",
    }  # fmt: skip
    told_ = {
        "cuenta", "external_reference", "estado", "datos", "lote_id", "causas", "reemplaza", "cae", "numero",
        "cae_vencimiento", "pdf", "sin_validez",
    }  # fmt: skip
    assert {f.name for f in fields(Asiento)} == kept | told_
