"""What is read of the ledger: the index of what is open, stored hooks, the door; and how large an asiento gets."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from tests.clock import START
from tests.items import put_hook, put_item, raw, size
from tests.template import properties

from facturacion.asiento import Causa, Datos
from facturacion.esperas import Ritmo
from facturacion.estado import Estado, Hook
from facturacion.ledger import Emision, Guardado, Puerta, Reclamo
from facturacion.tiempo import to_iso
from tusfacturas.hooks import HookRecibido

LOTE_ID = "0123456789abcdef0123456789abcdef"
CAUSA = Causa("ComprobanteRechazado", "", "El CUIT del cliente no es válido.")


def reclamo(reference="A-1", n=0, *, content="a" * 64, at=START, cuenta="norte", reemplaza=None):
    return Reclamo(
        cuenta=cuenta,
        external_reference=reference,
        datos=Datos(content, "FACTURA B", date(2026, 3, 2), date(2026, 3, 12), Decimal("121.00")),
        lote_id=LOTE_ID,
        post_hasta=at,
        orden=f"{to_iso(at)}#{LOTE_ID[:8]}#{n:04d}",
        reemplaza=reemplaza,
    )


# -- the index of what is open ---------------------------------------------------------------------------------------


def is_open(ledger):
    return list(ledger.open_references("norte"))


def test_one_is_open_from_its_claim_until_its_final_event_is_out(ledger):
    asiento = ledger.claim(reclamo())
    assert is_open(ledger) == ["A-1"]
    asiento = ledger.not_sent(asiento)
    assert is_open(ledger) == ["A-1"]
    asiento = ledger.refused(ledger.claim(reclamo()), [CAUSA])
    assert is_open(ledger) == ["A-1"], "its event is still owed"
    ledger.published(asiento, closes=True)
    assert is_open(ledger) == []


def test_an_event_that_is_not_the_last_leaves_it_open(ledger):
    asiento = ledger.to_review(ledger.claim(reclamo()), CAUSA, en_cola=False)
    ledger.published(asiento, closes=False)
    assert is_open(ledger) == ["A-1"]


def test_one_that_we_refused_is_open_until_that_is_told(ledger):
    asiento = ledger.refuse_unsent("norte", "A-1", Datos("h"), [CAUSA])
    assert is_open(ledger) == ["A-1"]
    ledger.published(asiento, closes=True)
    assert is_open(ledger) == []


def test_a_refused_one_is_open_again_when_its_correction_is_claimed(ledger):
    refusal = ledger.published(ledger.refused(ledger.claim(reclamo()), [CAUSA]), closes=True)
    ledger.claim_again(reclamo(content="b" * 64), refusal, frozenset())
    assert is_open(ledger) == ["A-1"]


def test_one_that_was_closed_is_open_again_when_it_turns_out_to_be_issued(ledger, dynamodb):
    put_item(dynamodb, estado="ELIMINADO", abierto=None)
    ledger.fold_emitido("norte", "A-1")
    assert is_open(ledger) == ["A-1"]


def test_an_issued_one_is_open_until_it_is_finished(ledger, dynamodb):
    put_item(dynamodb, estado="ENCOLADO")
    asiento = ledger.fold_emitido("norte", "A-1")
    assert is_open(ledger) == ["A-1"]
    ledger.finished(asiento, Emision("75123", 42, date(2026, 3, 12), None, sin_validez=False, datos=asiento.datos))
    assert is_open(ledger) == []


def test_what_is_open_is_listed_oldest_first_by_cuenta(ledger):
    for n, reference in enumerate(["C", "A", "B"]):
        ledger.claim(reclamo(reference, n, at=START + timedelta(seconds=n)))
    ledger.claim(reclamo("S", cuenta="sur"))
    assert is_open(ledger) == ["C", "A", "B"]


def test_neither_a_door_nor_a_hook_is_ever_listed_as_open(ledger, dynamodb):
    door = ledger.puerta("norte")
    ledger.change_puerta(
        door, replace(door, incierta="A-1", cerrada_hasta=START, golpes=1, motivo="Limitado", limite=5)
    )
    put_hook(dynamodb, "h1", "encolado")
    assert is_open(ledger) == []


def test_those_that_exist_are_read_together_however_many(ledger):
    references = [f"A-{n}" for n in range(130)]
    for reference in references:
        ledger.claim(reclamo(reference))
    found = ledger.get_many("norte", [*references, "A-0", "never"])
    assert sorted(a.external_reference for a in found) == sorted(references)
    assert ledger.get_many("norte", []) == []


# -- hooks -----------------------------------------------------------------------------------------------------------


def hook(hook_id="h1", evento="encolado", creado="02/03/2026 09:00:00", reference="A-1"):
    return HookRecibido(
        hook_id=hook_id,
        evento=evento,
        recurso="facturacion",
        external_reference=reference,
        creado=creado,
        intento=1,
        mensajes=(),
    )


EXPIRES = START + timedelta(days=400)


def test_more_hooks_than_a_page_holds_are_all_read(ledger, dynamodb):
    """A Query answers at most 1 MB of items, before its projection."""
    hooks = [Hook(f"h{n:02d}", "error") for n in range(30)]
    for stored in hooks:
        put_hook(dynamodb, *stored, cuerpo=b"x" * 50_000)
    queries = []
    dynamodb.meta.events.register(
        "provide-client-params.dynamodb.Query", lambda **_: queries.append(1), unique_id="count"
    )
    try:
        assert sorted(ledger.hooks("norte", "A-1")) == hooks
    finally:
        dynamodb.meta.events.unregister("provide-client-params.dynamodb.Query", unique_id="count")
    assert len(queries) > 1


def test_only_the_hooks_of_this_very_reference_are_read(ledger, dynamodb):
    put_item(dynamodb)
    put_hook(dynamodb, "mine", "encolado")
    put_hook(dynamodb, "longer", "error", pk="norte#A-10")
    put_hook(dynamodb, "other", "error", pk="sur#A-1")
    put_hook(dynamodb, "none", "test", pk="norte#")
    assert ledger.hooks("norte", "A-1") == (Hook("mine", "encolado"),)


def test_a_hook_is_stored_once_with_its_body_and_an_end(ledger, dynamodb):
    assert ledger.store_hook("norte", hook(), b'{"x": 1}', expires=EXPIRES) is Guardado.NUEVO
    stored = raw(dynamodb, sk="HOOK#h1")
    assert (stored["evento"], stored["creado"], stored["intento"]) == ("encolado", "02/03/2026 09:00:00", 1)
    assert bytes(stored["cuerpo"]) == b'{"x": 1}'
    assert stored["vence"] == int(EXPIRES.timestamp())
    assert "cortado" not in stored


def test_a_hook_that_is_delivered_again_is_a_repeat(ledger):
    ledger.store_hook("norte", hook(), b"{}", expires=EXPIRES)
    assert ledger.store_hook("norte", hook(), b"{}", expires=EXPIRES) is Guardado.REPETIDO
    assert ledger.hooks("norte", "A-1") == (Hook("h1", "encolado"),)


@pytest.mark.parametrize("other", [{"evento": "error"}, {"creado": "02/03/2026 09:00:01"}])
def test_an_id_that_is_used_again_for_something_else_hides_nothing(other, ledger):
    ledger.store_hook("norte", hook(), b"{}", expires=EXPIRES)
    assert ledger.store_hook("norte", hook(**other), b"{}", expires=EXPIRES) is Guardado.ID_REUSADO
    assert ledger.store_hook("norte", hook(**other), b"{}", expires=EXPIRES) is Guardado.REPETIDO
    ids = [stored.hook_id for stored in ledger.hooks("norte", "A-1")]
    assert len(set(ids)) == 2, "the fold tells them apart"


def test_a_body_too_large_to_keep_is_cut_and_says_so(ledger, dynamodb):
    ledger.store_hook("norte", hook(), b"x" * 70_000, expires=EXPIRES)
    stored = raw(dynamodb, sk="HOOK#h1")
    assert (len(bytes(stored["cuerpo"])), stored["cortado"]) == (64 * 1024, True)


def test_the_reasons_of_a_body_too_large_to_keep_are_kept_beside_it(ledger, dynamodb):
    """They can be read only while the body is whole; an item holds 400 KB."""
    many = replace(hook(), mensajes=tuple("ñ" * 5_000 for _ in range(50)))
    ledger.store_hook("norte", many, b"x" * 256 * 1024, expires=EXPIRES)
    stored = raw(dynamodb, sk="HOOK#h1")
    assert len(stored["mensajes"]) == 50 and set(stored["mensajes"]) == {"ñ" * 1_000}
    ledger.store_hook("norte", replace(many, hook_id="h2"), b"{}", expires=EXPIRES)
    assert "mensajes" not in raw(dynamodb, sk="HOOK#h2")


def test_a_hook_without_a_reference_is_kept_apart(ledger, dynamodb):
    ledger.store_hook("norte", hook(reference=None), b"{}", expires=EXPIRES)
    assert raw(dynamodb, pk="norte#", sk="HOOK#h1")["evento"] == "encolado"


# -- the door --------------------------------------------------------------------------------------------------------

CLOSED = Puerta(
    "norte", limite=50, incierta="A-1", cerrada_hasta=START, golpes=2, motivo="TiempoAgotado", dudas_hasta=START
)


def test_a_door_nobody_touched_is_open(ledger):
    assert ledger.puerta("norte") == Puerta("norte")


def test_a_door_is_written_and_read_and_opened_again(ledger):
    door = ledger.puerta("norte")
    assert ledger.change_puerta(door, CLOSED)
    assert ledger.puerta("norte") == CLOSED
    assert ledger.puerta("sur") == Puerta("sur")
    assert ledger.change_puerta(CLOSED, door)
    assert ledger.puerta("norte") == door


def test_only_the_question_that_closed_a_door_opens_it(ledger):
    ledger.change_puerta(ledger.puerta("norte"), CLOSED)
    opened = replace(CLOSED, incierta=None)
    assert not ledger.change_puerta(CLOSED, opened, if_incierta="A-2")
    assert ledger.puerta("norte") == CLOSED
    assert ledger.change_puerta(CLOSED, opened, if_incierta="A-1")
    assert not ledger.change_puerta(CLOSED, opened, if_incierta="A-1")
    assert ledger.puerta("norte") == opened


def test_a_success_that_is_written_late_does_not_open_what_another_lote_closed(ledger):
    """Two lotes are in flight: one is uncertain, the other succeeds."""
    before = Puerta("norte", limite=50)
    ledger.change_puerta(ledger.puerta("norte"), before)
    ledger.change_puerta(before, replace(before, incierta="A-1", limite=25))
    ledger.change_puerta(before, replace(before, limite=60))
    assert ledger.puerta("norte").incierta == "A-1"


# -- the pulse -------------------------------------------------------------------------------------------------------


def test_a_cuenta_is_known_from_the_first_look_at_its_door(ledger):
    assert ledger.pulses() == []
    ledger.puerta("norte")
    assert [(p.cuenta, p.ritmo) for p in ledger.pulses()] == [("norte", Ritmo())]


def test_of_all_who_would_contrast_a_cuenta_one_may(ledger, clock):
    since = START - timedelta(seconds=30)
    assert ledger.take_pulse("norte", not_since=since, until=START)
    assert not ledger.take_pulse("norte", not_since=since, until=START)
    assert ledger.take_pulse("sur", not_since=since, until=START)
    clock.advance(seconds=30)
    assert ledger.take_pulse("norte", not_since=clock.now - timedelta(seconds=30), until=START)


def test_a_turn_is_given_back_by_whoever_has_it_and_by_nobody_else(ledger, clock):
    """One that overran its time finds that its successor has begun."""
    mine, its = START + timedelta(seconds=60), START + timedelta(seconds=120)
    assert ledger.take_pulse("norte", not_since=START, until=mine)
    clock.advance(seconds=60)
    assert ledger.take_pulse("norte", not_since=clock.now, until=its)
    clock.advance(seconds=1)
    ledger.give_pulse_back("norte", until=mine, mirado=None, en_linea=0)
    assert not ledger.take_pulse("norte", not_since=clock.now, until=its)
    ledger.give_pulse_back("norte", until=its, mirado=None, en_linea=0)
    assert ledger.take_pulse("norte", not_since=clock.now, until=its)


def test_what_waits_is_noted_until_somebody_looks(ledger, clock):
    assert ledger.owe_contrast("norte", 3) == Ritmo(esperan=3)
    assert ledger.owe_contrast("norte", 2) == Ritmo(esperan=5)
    assert [p.ritmo for p in ledger.pulses()] == [Ritmo(esperan=5)]
    ledger.take_pulse("norte", not_since=START, until=START)
    ledger.give_pulse_back("norte", until=START, mirado=None, en_linea=7)
    assert [p.ritmo for p in ledger.pulses()] == [Ritmo(START, 0, 7)]


def test_door_and_pulse_do_not_touch_each_other(ledger):
    ledger.change_puerta(ledger.puerta("norte"), CLOSED)
    ledger.take_pulse("norte", not_since=START, until=START)
    ledger.owe_contrast("norte", 1)
    assert ledger.puerta("norte") == CLOSED
    ledger.change_puerta(CLOSED, Puerta("norte"))
    assert [p.ritmo for p in ledger.pulses()] == [Ritmo(START, 1)]


# -- the size of an asiento ------------------------------------------------------------------------------------------


def test_an_ordinary_asiento_stays_under_a_kilobyte_from_its_claim_to_its_cae(ledger, dynamodb):
    """A write unit is 1 KB: one byte more doubles the cost of every write."""
    reference = "VTA-2026-0003-00001234"
    key = f"norte#{reference}"
    asiento = ledger.accepted(ledger.claim(reclamo(reference, 99)))
    sizes = [size(raw(dynamodb, key))]
    asiento = ledger.fold_encolado("norte", reference, "1".zfill(36))
    sizes.append(size(raw(dynamodb, key)))
    error = Causa("10016", "", "El campo  'Fecha del comprobante' no es correcto para el punto de venta informado.")
    asiento = ledger.fold_error("norte", reference, "2".zfill(36), [error, error])
    sizes.append(size(raw(dynamodb, key)))
    seen = frozenset(str(n).zfill(36) for n in range(4))
    asiento = ledger.found(asiento, Estado.ENCOLADO, vistos=seen)
    sizes.append(size(raw(dynamodb, key)))
    asiento = ledger.fold_emitido("norte", reference)
    sizes.append(size(raw(dynamodb, key)))
    emision = Emision(
        "75123456789012", 1234, date(2026, 3, 22), f"norte/{reference}.pdf", sin_validez=False, datos=asiento.datos
    )
    ledger.finished(asiento, emision)
    sizes.append(size(raw(dynamodb, key)))
    assert max(sizes) < 1_024, sizes


def test_an_asiento_holds_no_content_and_no_personal_data(ledger, dynamodb):
    ledger.refused(ledger.claim(reclamo()), [CAUSA])
    assert set(raw(dynamodb)) == {
        "pk", "sk", "cuenta", "external_reference", "estado", "version", "previos", "hash", "tipo", "fecha",
        "vencimiento", "total", "lote_id", "post_hasta", "quieto_desde", "orden", "abierto", "rechazados", "causas",
        "evento_pendiente", "creado", "actualizado",
    }  # fmt: skip


# -- the table -------------------------------------------------------------------------------------------------------


def test_the_expiry_that_hooks_carry_is_the_one_that_the_table_reads(ledger, dynamodb):
    ledger.store_hook("norte", hook(), b"{}", expires=EXPIRES)
    declared = properties("Ledger")["TimeToLiveSpecification"]
    assert declared["Enabled"] is True
    assert declared["AttributeName"] in raw(dynamodb, sk="HOOK#h1")


def test_a_state_never_expires(ledger, dynamodb):
    ledger.claim(reclamo())
    assert properties("Ledger")["TimeToLiveSpecification"]["AttributeName"] not in raw(dynamodb)
