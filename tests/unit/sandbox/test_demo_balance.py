"""The demo's accounts find every way in which the three sources, or the events, may disagree."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.sandbox.demo.balance import (
    FINAL,
    Fin,
    Row,
    Seen,
    compare,
    compare_events,
    compare_rejected,
    seen_at_provider,
    seen_in_ledger,
    tally,
)
from tests.sandbox.demo.screen import ESTADOS
from tests.sandbox.demo.script import Expected
from tests.sandbox.demo.verdict import failures, schema_faults

from facturacion.asiento import Asiento, Datos
from facturacion.estado import Estado
from facturacion.events import event_for, tipo_for

KEY = ("demo-uno", "A-1")
TOTAL = Decimal("121.00")
SENT = Expected(Fin.EMITIDO, "EMITIDO", TOTAL)
PROVIDER = Seen(Fin.EMITIDO, "EMITIDO", TOTAL, "71", 5)
LEDGER = Seen(Fin.EMITIDO, "EMITIDO", TOTAL, "71", 5)
REFUSED = Expected(Fin.RECHAZADO_AQUI, "RECHAZADO", codigo="numero_no_cero")
IN_ERROR = Expected(Fin.EN_VUELO, "ERROR")


def row(sent=SENT, provider=PROVIDER, ledger=LEDGER):
    return Row(KEY, sent, provider, ledger)


def event(tipo="ComprobanteEmitido", evento_id="e1", reference="A-1", **detail):
    told = {"cae": "71", "numero": 5, "total": "121.00"} if tipo == "ComprobanteEmitido" else {}
    named = {"evento_id": evento_id, "cuenta": "demo-uno", "external_reference": reference}
    return {"detail-type": tipo, "detail": named | told | detail}


@pytest.mark.parametrize(
    "agreed",
    [
        row(),
        row(REFUSED, None, Seen(Fin.RECHAZADO_AQUI, "RECHAZADO")),
        row(IN_ERROR, Seen(Fin.EN_VUELO, "CON_ERROR"), Seen(Fin.EN_VUELO, "ERROR")),
        row(
            Expected(Fin.RECHAZADO_ALLA, "RECHAZADO"),
            Seen(Fin.RECHAZADO_ALLA, "not taken"),
            Seen(Fin.RECHAZADO_ALLA, "RECHAZADO"),
        ),
    ],
)
def test_rows_that_agree_have_no_fault(agreed):
    assert agreed.fault == ""


@pytest.mark.parametrize(
    ("disagreed", "fault"),
    [
        (row(sent=None), "nobody sent it"),
        (row(ledger=None), "the ledger does not know it"),
        (row(provider=None), "it never reached the provider"),
        (row(ledger=Seen(Fin.EN_VUELO, "ENCOLADO", TOTAL)), "the ledger says ENCOLADO"),
        (row(provider=Seen(Fin.EN_VUELO, "EN_COLA", TOTAL)), "the provider has it as EN_COLA"),
        (row(provider=Seen(Fin.DOS_VECES, "2 times")), "the provider has it as 2 times"),
        (row(ledger=replace(LEDGER, cae="72")), "CAE and number"),
        (row(provider=replace(PROVIDER, numero=6)), "CAE and number"),
        (row(provider=replace(PROVIDER, total=Decimal("121.01"))), "the totals differ"),
        (row(sent=replace(SENT, total=Decimal(120))), "the totals differ"),
        (row(REFUSED, PROVIDER, Seen(Fin.RECHAZADO_AQUI, "RECHAZADO")), "and yet it reached the provider"),
        (row(IN_ERROR, Seen(Fin.EN_VUELO, "EN_COLA"), Seen(Fin.EN_VUELO, "ERROR")), "the ledger as ERROR"),
    ],
)
def test_every_disagreement_is_told(disagreed, fault):
    assert fault in disagreed.fault


def test_a_reference_that_only_one_source_knows_has_a_row():
    rows = compare({("u", "sent"): SENT}, {("u", "provider"): PROVIDER}, {("u", "ledger"): LEDGER})
    assert [one.key[1] for one in rows if one.fault] == ["ledger", "provider", "sent"]


def test_two_acceptances_of_a_reference_are_seen_as_two():
    item = {"cuenta": "u", "external_reference": "A", "estado": "EMITIDO", "total": 1.5, "cae": "7", "numero": 1}
    audit = {"comprobantes": [item, item | {"numero": 2}], "posts_by_reference": {"u#A": [], "u#B": []}}
    found = seen_at_provider(audit)
    assert found["u", "A"].fin is Fin.DOS_VECES
    assert found["u", "B"].fin is Fin.RECHAZADO_ALLA
    once = seen_at_provider(audit | {"comprobantes": [item]})["u", "A"]
    assert once == Seen(Fin.EMITIDO, "EMITIDO", Decimal("1.5"), "7", 1)


def test_the_ledger_tells_who_refused_by_whether_there_was_a_lote():
    item = {"cuenta": "u", "external_reference": "A", "estado": "RECHAZADO"}
    assert seen_in_ledger([item])["u", "A"].fin is Fin.RECHAZADO_AQUI
    assert seen_in_ledger([item | {"lote_id": "L"}])["u", "A"].fin is Fin.RECHAZADO_ALLA


@pytest.mark.parametrize("estado", Estado)
def test_every_state_has_its_place_in_the_accounts_on_the_screen_and_among_the_events(estado):
    item = {"cuenta": "u", "external_reference": "A", "estado": str(estado)}
    assert seen_in_ledger([item])["u", "A"].fin in Fin
    assert estado in ESTADOS
    if tipo := tipo_for(estado):
        assert FINAL[estado] == tipo


def test_a_tally_counts_one_cuenta_or_all():
    rows = [row(), Row(("demo-dos", "B"), REFUSED, None, None)]
    assert tally(rows, "sent") == {Fin.EMITIDO: 1, Fin.RECHAZADO_AQUI: 1}
    assert tally(rows, "sent", "demo-dos") == {Fin.RECHAZADO_AQUI: 1}
    assert tally(rows, "ledger", "demo-dos") == {}


def test_the_rejected_queue_holds_just_what_it_should():
    def found(**codes):
        return [{"message_id": name, "codigo": codigo} for name, codigo in codes.items()]

    assert compare_rejected({"m1": "json_invalido"}, found(m1="json_invalido")) == []
    assert compare_rejected({"m1": "json_invalido"}, []) == ["expected json_invalido once, found nothing"]
    assert compare_rejected({"m1": "json_invalido"}, found(m1="no_es_objeto"))
    assert compare_rejected({"m1": "json_invalido"}, 2 * found(m1="json_invalido"))
    assert compare_rejected({}, found(m1="no_es_objeto"))


def test_repeats_of_an_event_with_its_evento_id_are_no_fault():
    assert compare_events([event(), event("ComprobanteEncolado", "e2"), event()], [row()]) == []


@pytest.mark.parametrize(
    ("events", "fault"),
    [
        ([], "no ComprobanteEmitido"),
        ([event(), event(evento_id="e9")], "under 2 different evento_id"),
        ([event(), event("ComprobanteRechazado", "e2")], "ComprobanteRechazado although it is EMITIDO"),
        ([event(cae="99")], "does not tell what was issued"),
        ([event(total="1.00")], "does not tell what was issued"),
        ([event(), event("ComprobanteEncolado")], "tells 2 different things"),
        ([event(), event(reference="B", evento_id="e2")], "nobody sent"),
    ],
)
def test_every_fault_of_the_events_is_told(events, fault):
    assert any(fault in told for told in compare_events(events, [row()]))


def test_a_refusal_is_told_with_its_code_also_when_it_was_corrected_later():
    told = event("ComprobanteRechazado", "e2", codigo="numero_no_cero")
    corrected = row(replace(SENT, corrected=True, codigo="numero_no_cero"))
    assert compare_events([told, event()], [corrected]) == []
    assert compare_events([event()], [corrected]) == ["demo-uno#A-1: refused for numero_no_cero, told nothing"]
    other = event("ComprobanteRechazado", "e2", codigo="total_no_coincide")
    assert compare_events([other], [row(REFUSED, None, Seen(Fin.RECHAZADO_AQUI, "RECHAZADO"))])


def test_an_event_as_the_functions_publish_it_meets_its_schema_and_another_does_not():
    asiento = Asiento("u", "A", Estado.EN_REVISION, 1, Datos("hash"))
    evento = event_for(asiento)
    heard = {"source": "facturacion", "detail-type": evento.tipo, "detail": evento.detail}
    assert schema_faults(heard) == []
    assert schema_faults(heard | {"detail": evento.detail | {"estado": "EMITIDO"}})
    assert schema_faults(heard | {"detail-type": "ComprobantePerdido"})


def test_a_failure_in_a_log_is_told_once():
    fine = [{"level": "INFO", "message": "hook"}, {"text": "END RequestId: 1"}, {"level": "WARNING", "message": "x"}]
    assert failures(fine) == []
    logged = {"level": "ERROR", "service": "pack_lotes", "message": "no_se_pudo", "exception_name": "ClientError"}
    traceback = [
        "Traceback (most recent call last):",
        "  File …",
        "    raise X",
        "KeyError: 'lote_id'",
        "END RequestId",
    ]
    lines = [*fine, logged, logged, *({"text": text} for text in traceback), {"text": "1 Task timed out after 3.00 s"}]
    assert failures(lines) == [
        "1 Task timed out after 3.00 s",
        "KeyError: 'lote_id'",
        "pack_lotes: no_se_pudo ClientError",
    ]
    assert failures([{"text": "\n".join(traceback[:4])}]) == ["KeyError: 'lote_id'"]
