"""Claims of the ledger: a new one, a corrected one, a replacement; our own retries; and what we refuse ourselves."""

from __future__ import annotations

import pytest
from tests.clock import START
from tests.items import CAUSA, CLAIM, EVERY, LATER, NOW, datos, put_item, raw, reclamo

from facturacion.asiento import Asiento, Causa, Datos
from facturacion.estado import Estado
from facturacion.ledger import Reclamo, Refused
from facturacion.tiempo import to_iso

pytestmark = pytest.mark.usefixtures("three_hours_later")

# -- the claim of a new one ------------------------------------------------------------------------------------------


def test_a_new_one_is_claimed_with_all_that_is_kept_of_it(ledger, dynamodb):
    claimed = ledger.claim(reclamo())
    assert raw(dynamodb) == CLAIM | {
        "pk": "norte#A-1",
        "sk": "ESTADO",
        "cuenta": "norte",
        "external_reference": "A-1",
        "hash": "hash-1",
        "tipo": "FACTURA B",
        "fecha": "2026-03-02",
        "vencimiento": "2026-03-12",
        "total": "121.00",
        "previos": 0,
        "version": 1,
        "creado": NOW,
        "actualizado": NOW,
    }
    assert claimed == ledger.get("norte", "A-1")
    assert claimed.post_hasta == claimed.quieto_desde == LATER


def test_of_two_who_claim_the_same_one_wins_and_the_other_sees_who(ledger):
    first = ledger.claim(reclamo(lote_id="L1"))
    assert ledger.claim(reclamo(lote_id="L2")) == Refused(first)


def test_the_same_reference_of_another_cuenta_is_another_comprobante(ledger, dynamodb):
    put_item(dynamodb)
    other = Reclamo("sur", "A-1", datos(), "L9", LATER, "orden-9")
    assert isinstance(ledger.claim(other), Asiento)
    assert raw(dynamodb)["lote_id"] == "L1"


def test_when_a_claim_is_repeated_the_first_instant_stays(ledger, dynamodb, clock):
    put_item(dynamodb, estado="PENDIENTE", creado=to_iso(START))
    assert ledger.claim(reclamo()).creado == START


def test_a_correction_of_what_was_never_posted_leaves_no_earlier_attempt(ledger, dynamodb):
    read = put_item(
        dynamodb, estado="RECHAZADO", lote_id=None, post_hasta=None, quieto_desde=None, rechazados={"hash-1"}
    )
    claimed = ledger.claim_again(reclamo("hash-2"), read, frozenset())
    assert claimed.previos == 0
    assert claimed.vistos == frozenset()


def test_a_claim_may_have_no_hooks_to_remember(ledger, dynamodb):
    read = put_item(dynamodb, estado="RECHAZADO", rechazados={"hash-1"}, vistos={"gone"})
    claimed = ledger.claim_again(reclamo("hash-2"), read, frozenset())
    assert (claimed.previos, claimed.vistos) == (1, frozenset())
    assert "vistos" not in raw(dynamodb)


def test_every_content_that_was_refused_stays_refused(ledger):
    """A → B → A: the late repeat of A must not be sent again."""
    contents = ("hash-1", "hash-2", "hash-3")
    asiento = ledger.claim(reclamo("hash-1", lote_id="L1"))
    for n in range(len(contents)):
        refusal = ledger.refused(asiento, [CAUSA])
        assert refusal.rechazados == frozenset(contents[: n + 1])
        for old in contents[: n + 1]:
            answer = ledger.claim_again(reclamo(old, lote_id=f"again-{old}"), refusal, frozenset())
            assert answer == Refused(refusal)
        asiento = ledger.claim_again(reclamo(f"hash-{n + 2}", lote_id=f"L{n + 2}"), refusal, frozenset())
        assert asiento.previos == n + 1


# -- our own SDK's retry ---------------------------------------------------------------------------------------------


def test_a_claim_whose_answer_was_lost_is_known_again_by_its_lote(ledger, first_answer_is_lost):
    sent = first_answer_is_lost("UpdateItem")
    claimed = ledger.claim(reclamo())
    assert len(sent) == 2
    assert isinstance(claimed, Asiento)
    assert (claimed.lote_id, claimed.version) == ("L9", 1)


def test_a_second_claim_whose_answer_was_lost_is_known_again_by_its_lote(ledger, dynamodb, first_answer_is_lost):
    read = put_item(dynamodb, estado="RECHAZADO", rechazados={"hash-1"})
    sent = first_answer_is_lost("UpdateItem")
    claimed = ledger.claim_again(reclamo("hash-2"), read, frozenset())
    assert len(sent) == 2
    assert isinstance(claimed, Asiento)
    assert (claimed.lote_id, claimed.version, claimed.previos) == ("L9", 4, 1)


def test_a_replacement_whose_answer_was_lost_is_known_again_by_its_lote(ledger, dynamodb, first_answer_is_lost):
    put_item(dynamodb, estado="ELIMINADO")
    sent = first_answer_is_lost("TransactWriteItems")
    claimed = ledger.claim(reclamo("hash-2", reemplaza="A-1", reference="A-2"))
    assert len(sent) == 2
    assert isinstance(claimed, Asiento)
    assert claimed.lote_id == "L9"


# -- replacing a deleted one -----------------------------------------------------------------------------------------


def replacement(lote_id="L9", reference="A-2"):
    return reclamo("hash-2", lote_id=lote_id, reemplaza="A-1", reference=reference)


def test_a_replacement_claims_the_new_one_and_marks_the_old_one_together(ledger, dynamodb):
    put_item(dynamodb, estado="ELIMINADO", abierto=None)
    before = raw(dynamodb)
    claimed = ledger.claim(replacement())
    assert (claimed.estado, claimed.reemplaza) == (Estado.ENVIANDO, "A-1")
    assert claimed == ledger.get("norte", "A-2")
    assert raw(dynamodb) == before | {"reemplazado_por": "A-2", "version": 4, "actualizado": NOW}


@pytest.mark.parametrize("estado", sorted(EVERY - {"ELIMINADO"}))
def test_only_a_deleted_one_is_replaced_and_nothing_is_claimed_otherwise(estado, ledger, dynamodb):
    put_item(dynamodb, estado=estado)
    before = raw(dynamodb)
    assert ledger.claim(replacement()) == Refused(None)
    assert raw(dynamodb) == before
    assert ledger.get("norte", "A-2") is None


def test_one_that_never_was_cannot_be_replaced(ledger, dynamodb):
    assert ledger.claim(replacement()) == Refused(None)
    assert raw(dynamodb) == {}
    assert ledger.get("norte", "A-2") is None


def test_a_second_replacement_of_the_same_sale_is_refused(ledger, dynamodb):
    put_item(dynamodb, estado="ELIMINADO")
    ledger.claim(replacement())
    assert ledger.claim(replacement(lote_id="L10", reference="A-3")) == Refused(None)
    assert ledger.get("norte", "A-3") is None
    assert raw(dynamodb)["reemplazado_por"] == "A-2"


def test_a_replacement_that_was_not_sent_may_be_claimed_again(ledger, dynamodb):
    put_item(dynamodb, estado="ELIMINADO")
    waiting = ledger.not_sent(ledger.claim(replacement()))
    again = ledger.claim(replacement(lote_id="L10"))
    assert (again.estado, again.lote_id, again.version) == (Estado.ENVIANDO, "L10", waiting.version + 1)


def test_a_replacement_that_was_refused_may_be_corrected_under_its_own_reference(ledger, dynamodb):
    put_item(dynamodb, estado="ELIMINADO")
    refusal = ledger.refused(ledger.claim(replacement()), [CAUSA])
    corrected = Reclamo("norte", "A-2", datos("hash-3"), "L10", LATER, "orden-10", reemplaza="A-1")
    assert ledger.claim_again(corrected, refusal, frozenset()).previos == 1


def test_a_replacement_in_the_hands_of_another_shows_who(ledger, dynamodb):
    put_item(dynamodb, estado="ELIMINADO")
    first = ledger.claim(replacement())
    assert ledger.claim(replacement(lote_id="L10")) == Refused(first)


# -- refused by us ---------------------------------------------------------------------------------------------------


def test_one_that_breaks_the_rules_is_refused_without_a_lote(ledger, dynamodb):
    written = ledger.refuse_unsent("norte", "A-1", Datos("hash-1"), [CAUSA])
    assert raw(dynamodb) == {
        "pk": "norte#A-1",
        "sk": "ESTADO",
        "cuenta": "norte",
        "external_reference": "A-1",
        "estado": "RECHAZADO",
        "hash": "hash-1",
        "rechazados": {"hash-1"},
        "causas": [["falta_campo", "cliente.documento_nro", "Falta este dato."]],
        "evento_pendiente": "ComprobanteRechazado",
        "orden": NOW,
        "abierto": "norte",
        "previos": 0,
        "version": 1,
        "creado": NOW,
        "actualizado": NOW,
    }
    assert written == ledger.get("norte", "A-1")
    assert written.lote_id is None


@pytest.mark.parametrize("estado", sorted(EVERY))
def test_what_is_there_is_not_refused_by_us_before_it_was_read(estado, ledger, dynamodb):
    stored = put_item(dynamodb, estado=estado)
    assert ledger.refuse_unsent("norte", "A-1", Datos("hash-2"), [CAUSA]) == Refused(stored)
    assert raw(dynamodb)["version"] == 3


@pytest.mark.parametrize("estado", sorted(EVERY - {"RECHAZADO", "PENDIENTE"}))
def test_what_was_sent_under_other_rules_is_not_refused_by_us(estado, ledger, dynamodb):
    stored = put_item(dynamodb, estado=estado)
    assert ledger.refuse_unsent("norte", "A-1", Datos("hash-2"), [CAUSA], stored=stored) == Refused(stored)
    assert raw(dynamodb)["version"] == 3


def test_what_moved_since_it_was_read_is_not_refused_by_us(ledger, dynamodb):
    read = put_item(dynamodb, estado="PENDIENTE")
    moved = put_item(dynamodb, estado="PENDIENTE", version=4)
    assert ledger.refuse_unsent("norte", "A-1", Datos("hash-1"), [CAUSA], stored=read) == Refused(moved)


def test_a_corrected_content_that_still_breaks_the_rules_joins_the_refused(ledger, dynamodb):
    stored = put_item(dynamodb, estado="RECHAZADO", rechazados={"hash-1"}, abierto=None, previos=1)
    written = ledger.refuse_unsent("norte", "A-1", Datos("hash-2"), [CAUSA], stored=stored)
    assert written.rechazados == frozenset({"hash-1", "hash-2"})
    assert (written.datos.hash, written.previos, written.abierto, written.version) == ("hash-2", 1, True, 4)
    assert written.evento_pendiente == "ComprobanteRechazado"
    assert written.creado == START


def test_one_that_waits_to_be_sent_again_is_refused_when_the_rules_became_stricter(ledger, dynamodb):
    stored = put_item(dynamodb, estado="PENDIENTE")
    written = ledger.refuse_unsent("norte", "A-1", Datos("hash-1"), [CAUSA], stored=stored)
    assert (written.estado, written.rechazados, written.version) == (Estado.RECHAZADO, {"hash-1"}, 4)


def test_one_that_waits_is_not_refused_for_another_content(ledger, dynamodb):
    stored = put_item(dynamodb, estado="PENDIENTE")
    assert ledger.refuse_unsent("norte", "A-1", Datos("hash-2"), [CAUSA], stored=stored) == Refused(stored)


def test_a_refusal_of_ours_keeps_nothing_of_the_content_before_it(ledger, dynamodb):
    stored = put_item(dynamodb, estado="RECHAZADO", rechazados={"hash-1"})
    assert ledger.refuse_unsent("norte", "A-1", Datos("hash-2"), [CAUSA], stored=stored).datos == Datos("hash-2")


def test_the_reasons_of_refused_contents_outlive_their_corrections(ledger, dynamodb):
    """Their late repeat must still be told why; of the last few, for the item must stay small."""
    stored = put_item(dynamodb, estado="RECHAZADO", rechazados={"hash-1"}, causas=[["uno", "", "Uno."]])
    by_us = ledger.refuse_unsent("norte", "A-1", Datos("hash-2"), [CAUSA], stored=stored)
    assert dict(by_us.motivos) == {"hash-1": (Causa("uno", "", "Uno."),)}
    corrected = ledger.claim_again(reclamo("hash-3"), by_us, frozenset())
    assert dict(corrected.motivos) == {"hash-1": (Causa("uno", "", "Uno."),), "hash-2": (CAUSA,)}
    for n in range(4, 8):
        refused = ledger.refused(corrected, [Causa(f"c{n}", "", "")])
        corrected = ledger.claim_again(reclamo(f"hash-{n}"), refused, frozenset())
    assert [content for content, _ in corrected.motivos] == ["hash-4", "hash-5", "hash-6"]


def test_a_repeat_of_what_we_refused_changes_nothing(ledger):
    first = ledger.refuse_unsent("norte", "A-1", Datos("hash-1"), [CAUSA])
    assert ledger.refuse_unsent("norte", "A-1", Datos("hash-1"), [CAUSA]) == Refused(first)


def test_what_we_refused_and_was_corrected_is_claimed_as_a_first_attempt(ledger):
    refusal = ledger.refuse_unsent("norte", "A-1", Datos("hash-1"), [CAUSA])
    assert isinstance(ledger.claim(reclamo("hash-2")), Refused)
    claimed = ledger.claim_again(reclamo("hash-2"), refusal, frozenset())
    assert (claimed.estado, claimed.previos, claimed.datos) == (Estado.ENVIANDO, 0, datos("hash-2"))
