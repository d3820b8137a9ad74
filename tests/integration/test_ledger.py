"""Every conditional write of the ledger: when it holds and what exactly it changes; when not, that nothing changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from tests.clock import START
from tests.items import as_asiento, put_item, raw

from facturacion.asiento import Asiento, Causa, Datos
from facturacion.estado import Estado
from facturacion.ledger import Emision, Reclamo, Refused
from facturacion.tiempo import to_iso

if TYPE_CHECKING:
    from collections.abc import Callable

    from facturacion.ledger import Ledger

LATER = START + timedelta(hours=3)
"""When the writes below are made."""
NOW = to_iso(LATER)
SETTLED = START + timedelta(hours=2)
CAUSA = Causa("falta_campo", "cliente.documento_nro", "Falta este dato.")
IN_FLIGHT = frozenset({"ENVIANDO", "INCIERTO", "PENDIENTE"})
EVERY = frozenset(e.value for e in Estado)


@dataclass(frozen=True)
class Row:
    """A row of the table of conditions.

    `write` is called with the asiento as its writer read it. The write holds on `item(**given)` in `estados`; it then
    sets `sets` and removes `removes` and changes nothing else. `unless`: changes of the item under which it is refused.
    """

    name: str
    write: Callable[[Ledger, Asiento], Asiento | Refused]
    estados: frozenset[str]
    given: dict[str, Any] = field(default_factory=dict)
    sets: dict[str, Any] = field(default_factory=dict)
    removes: tuple[str, ...] = ()
    unless: tuple[dict[str, Any], ...] = ()

    def __str__(self):
        return self.name


OTHER_LOTE = {"lote_id": "L2"}
NO_LOTE = {"lote_id": None}
MOVED = {"version": 4}
SEEN = {"vistos": {"h1", "h0"}}
EARLIER = {"previos": 1}
NOTED = {"ausente_desde": to_iso(START)}
OWED = {"evento_pendiente": "ComprobanteError"}
BLAMED = {"causas": [["viejo", "", "Viejo."]]}


def datos(content="hash-1"):
    return Datos(content, "FACTURA B", date(2026, 3, 2), date(2026, 3, 12), Decimal("121.00"))


def reclamo(content="hash-1", lote_id="L9", reemplaza=None, reference="A-1"):
    return Reclamo(
        cuenta="norte",
        external_reference=reference,
        datos=datos(content),
        lote_id=lote_id,
        post_hasta=LATER,
        orden="orden-9",
        reemplaza=reemplaza,
    )


CLAIM = {
    "estado": "ENVIANDO",
    "lote_id": "L9",
    "post_hasta": NOW,
    "quieto_desde": NOW,
    "orden": "orden-9",
    "abierto": "norte",
}
CLAIM_FORGETS = ("en_cola", "borrado_pedido", "ausente_desde", "evento_pendiente", "causas")
FORGETTABLE = {"en_cola": True, "borrado_pedido": True, **NOTED, **OWED, **BLAMED}


ROWS = [
    # -- claims
    Row(
        "claim of one known not to be there",
        lambda ledger, _: ledger.claim(reclamo()),
        frozenset({"PENDIENTE"}),
        given=FORGETTABLE,
        sets=CLAIM,
        removes=CLAIM_FORGETS,
        unless=({"hash": "other"}, EARLIER),
    ),
    Row(
        "claim of corrected content",
        lambda ledger, read: ledger.claim_again(reclamo("hash-2"), read, frozenset({"h1"})),
        frozenset({"RECHAZADO"}),
        given={**FORGETTABLE, "rechazados": {"hash-1"}, "vistos": {"h0"}},
        sets=CLAIM | {"hash": "hash-2", "previos": 1, "vistos": {"h1"}},
        removes=CLAIM_FORGETS,
        unless=(MOVED, {"rechazados": {"hash-1", "hash-2"}}),
    ),
    Row(
        "claim after an earlier attempt",
        lambda ledger, read: ledger.claim_again(reclamo(), read, frozenset({"h1"})),
        frozenset({"PENDIENTE"}),
        given={**FORGETTABLE, **EARLIER, "vistos": {"h0"}},
        sets=CLAIM | {"previos": 1, "vistos": {"h1"}},
        removes=CLAIM_FORGETS,
        unless=(MOVED, {"hash": "other"}),
    ),
    Row(
        "renew",
        lambda ledger, read: ledger.renew(read, LATER),
        frozenset({"ENVIANDO"}),
        given=NOTED,
        sets={"post_hasta": NOW, "quieto_desde": NOW},
        removes=("ausente_desde",),
        unless=(OTHER_LOTE, NO_LOTE),
    ),
    # -- what a POST brought
    Row(
        "not sent",
        lambda ledger, read: ledger.not_sent(read),
        frozenset({"ENVIANDO"}),
        given=NOTED,
        sets={"estado": "PENDIENTE"},
        removes=("ausente_desde",),
        unless=(OTHER_LOTE, NO_LOTE),
    ),
    Row(
        "uncertain",
        lambda ledger, read: ledger.uncertain(read),
        frozenset({"ENVIANDO"}),
        given=NOTED,
        sets={"estado": "INCIERTO", "quieto_desde": NOW},
        removes=("ausente_desde",),
        unless=(OTHER_LOTE, NO_LOTE),
    ),
    Row(
        "accepted",
        lambda ledger, read: ledger.accepted(read),
        frozenset({"ENVIANDO", "INCIERTO"}),
        given=NOTED,
        sets={"estado": "ENVIADO", "en_cola": True},
        removes=("ausente_desde",),
        unless=(OTHER_LOTE, NO_LOTE),
    ),
    Row(
        "evidence",
        lambda ledger, read: ledger.evidence(read),
        EVERY,
        sets={"en_cola": True},
        unless=(OTHER_LOTE, NO_LOTE, {"en_cola": True}),
    ),
    Row(
        "refused",
        lambda ledger, read: ledger.refused(read, [CAUSA]),
        frozenset({"ENVIANDO", "INCIERTO", "ERROR"}),
        given={**NOTED, "rechazados": {"hash-0"}},
        sets={
            "estado": "RECHAZADO",
            "rechazados": {"hash-0", "hash-1"},
            "causas": [["falta_campo", "cliente.documento_nro", "Falta este dato."]],
            "evento_pendiente": "ComprobanteRechazado",
        },
        removes=("ausente_desde",),
        unless=(OTHER_LOTE, NO_LOTE),
    ),
    # -- what an ask brought
    *(
        Row(
            f"found {estado}",
            lambda ledger, read, estado=estado: ledger.found(read, estado, vistos=frozenset({"h1"})),
            EVERY,
            given={**NOTED, "vistos": {"h0"}},
            sets={"estado": estado.value, "en_cola": True, "vistos": {"h1"}, "evento_pendiente": evento},
            removes=("ausente_desde",),
            unless=(OTHER_LOTE, NO_LOTE, MOVED),
        )
        for estado, evento in (
            (Estado.ENCOLADO, "ComprobanteEncolado"),
            (Estado.EMITIDO, "ComprobanteEmitido"),
            (Estado.ERROR, "ComprobanteConError"),
        )
    ),
    Row(
        "found in error, its hooks still live",
        lambda ledger, read: ledger.found(read, Estado.ERROR, vistos=None),
        EVERY,
        given={**NOTED, "vistos": {"h0"}},
        sets={"estado": "ERROR", "en_cola": True, "evento_pendiente": "ComprobanteConError"},
        removes=("ausente_desde",),
        unless=(OTHER_LOTE, NO_LOTE, MOVED),
    ),
    Row(
        "absent, first",
        lambda ledger, read: ledger.absent_first(read, SETTLED),
        EVERY,
        sets={"ausente_desde": to_iso(SETTLED)},
        unless=(OTHER_LOTE, NO_LOTE, MOVED, NOTED),
    ),
    Row(
        "absent, second",
        lambda ledger, read: ledger.absent_again(read, noted_before=SETTLED),
        frozenset({"ENVIANDO", "INCIERTO"}),
        given={"ausente_desde": to_iso(SETTLED), **EARLIER},
        sets={"estado": "PENDIENTE", "previos": 2},
        removes=("ausente_desde",),
        unless=(
            OTHER_LOTE,
            NO_LOTE,
            MOVED,
            {"ausente_desde": None},
            {"ausente_desde": to_iso(SETTLED + timedelta(milliseconds=1))},
        ),
    ),
    Row(
        "absent, second, of what waits to be sent again",
        lambda ledger, read: ledger.attended(read, frozenset({"h1"})),
        frozenset({"PENDIENTE"}),
        given={**NOTED, **EARLIER, "vistos": {"h0"}},
        sets={"vistos": {"h1"}},
        removes=("ausente_desde",),
        unless=(OTHER_LOTE, NO_LOTE, MOVED),
    ),
    Row(
        "absent, second, after evidence of the queue",
        lambda ledger, read: ledger.gone(read, noted_before=SETTLED),
        frozenset({"ENVIADO", "ENCOLADO", "ERROR"}),
        given={"ausente_desde": to_iso(SETTLED), "en_cola": True},
        sets={"estado": "ELIMINADO", "evento_pendiente": "ComprobanteEliminado"},
        removes=("ausente_desde",),
        unless=(
            OTHER_LOTE,
            NO_LOTE,
            MOVED,
            {"ausente_desde": None},
            {"ausente_desde": to_iso(SETTLED + timedelta(milliseconds=1))},
        ),
    ),
    Row(
        "absent, second, after our intent to delete",
        lambda ledger, read: ledger.gone(read, noted_before=SETTLED),
        frozenset({"ENVIADO", "ENCOLADO", "ERROR"}),
        given={"ausente_desde": to_iso(SETTLED), "borrado_pedido": True},
        sets={"estado": "ELIMINADO", "evento_pendiente": "ComprobanteEliminado"},
        removes=("ausente_desde",),
        unless=(MOVED, {"ausente_desde": None}),
    ),
    Row(
        "to a person",
        lambda ledger, read: ledger.to_review(read, CAUSA, en_cola=False),
        EVERY,
        given={**NOTED, **BLAMED},
        sets={
            "estado": "EN_REVISION",
            "causas": [["falta_campo", "cliente.documento_nro", "Falta este dato."]],
            "evento_pendiente": "RevisionRequerida",
        },
        removes=("ausente_desde",),
        unless=(MOVED,),
    ),
    Row(
        "to a person, and certainly at the provider",
        lambda ledger, read: ledger.to_review(read, CAUSA, en_cola=True),
        EVERY,
        sets={
            "estado": "EN_REVISION",
            "en_cola": True,
            "causas": [["falta_campo", "cliente.documento_nro", "Falta este dato."]],
            "evento_pendiente": "RevisionRequerida",
        },
        unless=(MOVED,),
    ),
    # -- what was told
    Row(
        "published",
        lambda ledger, read: ledger.published(read, closes=False),
        EVERY,
        given=OWED,
        removes=("evento_pendiente",),
        unless=(MOVED,),
    ),
    Row(
        "published, and nothing more to come",
        lambda ledger, read: ledger.published(read, closes=True),
        EVERY,
        given=OWED,
        removes=("evento_pendiente", "abierto"),
        unless=(MOVED,),
    ),
    Row(
        "finished",
        lambda ledger, read: ledger.finished(
            read,
            Emision(cae="75123", numero=42, cae_vencimiento=date(2026, 3, 12), pdf="norte/A-1.pdf", sin_validez=False),
        ),
        EVERY,
        given={**NOTED, **OWED, **BLAMED},
        sets={
            "estado": "EMITIDO",
            "en_cola": True,
            "cae": "75123",
            "numero": 42,
            "cae_vencimiento": "2026-03-12",
            "pdf": "norte/A-1.pdf",
        },
        removes=("evento_pendiente", "abierto", "ausente_desde", "causas"),
        unless=(MOVED,),
    ),
    # -- hooks
    Row(
        "fold emitido",
        lambda ledger, _: ledger.fold_emitido("norte", "A-1"),
        EVERY - {"EMITIDO"},
        given={**NOTED, **BLAMED, **SEEN, **EARLIER, "abierto": None},
        sets={"estado": "EMITIDO", "abierto": "norte", "evento_pendiente": "ComprobanteEmitido"},
        removes=("ausente_desde", "causas"),
    ),
    Row(
        "fold error",
        lambda ledger, _: ledger.fold_error("norte", "A-1", "h1", [CAUSA]),
        frozenset({"ENVIADO", "ENCOLADO", "ERROR"}) | IN_FLIGHT,
        given={**NOTED, "vistos": {"h0"}},
        sets={
            "estado": "ERROR",
            "causas": [["falta_campo", "cliente.documento_nro", "Falta este dato."]],
            "evento_pendiente": "ComprobanteConError",
        },
        removes=("ausente_desde",),
        unless=(SEEN,),
    ),
    Row(
        "fold error, with earlier attempts",
        lambda ledger, _: ledger.fold_error("norte", "A-1", "h1", []),
        frozenset({"ENVIADO", "ENCOLADO", "ERROR"}),
        given={**NOTED, **BLAMED, **EARLIER},
        sets={"estado": "ERROR", "evento_pendiente": "ComprobanteConError"},
        removes=("ausente_desde", "causas"),
        unless=(SEEN,),
    ),
    Row(
        "fold encolado",
        lambda ledger, _: ledger.fold_encolado("norte", "A-1", "h1"),
        frozenset({"ENVIADO"}) | IN_FLIGHT,
        given=NOTED,
        sets={"estado": "ENCOLADO", "en_cola": True},
        removes=("ausente_desde",),
        unless=(SEEN,),
    ),
    Row(
        "fold encolado, with earlier attempts",
        lambda ledger, _: ledger.fold_encolado("norte", "A-1", "h1"),
        frozenset({"ENVIADO"}),
        given={**NOTED, **EARLIER},
        sets={"estado": "ENCOLADO", "en_cola": True},
        removes=("ausente_desde",),
        unless=(SEEN,),
    ),
    Row(
        "fold eliminado",
        lambda ledger, _: ledger.fold_eliminado("norte", "A-1", "h1"),
        EVERY - {"EMITIDO", "ELIMINADO", "RECHAZADO"},
        given=NOTED,
        sets={"estado": "ELIMINADO", "evento_pendiente": "ComprobanteEliminado"},
        removes=("ausente_desde",),
        unless=(SEEN, EARLIER),
    ),
]
IDS = [row.name for row in ROWS]
HOLDS = [(row, estado) for row in ROWS for estado in sorted(row.estados)]
NOT_IN = [(row, estado) for row in ROWS for estado in sorted(EVERY - row.estados)]
UNLESS = [(row, changes) for row in ROWS for changes in row.unless]


@pytest.fixture(autouse=True)
def _later(clock):
    clock.now = LATER


def an_estado(row):
    return min(row.estados)


def test_the_rows_begin_with_something_to_change():
    """Else "removes" would promise nothing."""
    for row in ROWS:
        assert set(row.removes) <= set(row.given) | {"abierto"}, row.name


@pytest.mark.parametrize(("row", "estado"), HOLDS, ids=str)
def test_it_holds_and_changes_exactly_what_it_should(row, estado, ledger, dynamodb):
    read = put_item(dynamodb, **row.given, estado=estado)
    before = raw(dynamodb)
    written = row.write(ledger, read)
    after = raw(dynamodb)
    expected = before | row.sets | {"version": 4, "actualizado": NOW}
    assert after == {name: value for name, value in expected.items() if name not in row.removes}
    assert written == ledger.get("norte", "A-1")


def refused(row, ledger, dynamodb, read):
    before = raw(dynamodb)
    answer = row.write(ledger, read)
    assert answer == Refused(ledger.get("norte", "A-1"))
    assert raw(dynamodb) == before


@pytest.mark.parametrize(("row", "estado"), NOT_IN, ids=str)
def test_in_any_other_state_it_is_refused_and_shows_what_is_there(row, estado, ledger, dynamodb):
    put_item(dynamodb, **row.given, estado=estado)
    refused(row, ledger, dynamodb, as_asiento(**row.given, estado=an_estado(row)))


@pytest.mark.parametrize(("row", "changes"), UNLESS, ids=str)
def test_where_a_condition_does_not_hold_it_is_refused_and_shows_what_is_there(row, changes, ledger, dynamodb):
    given = row.given | {"estado": an_estado(row)}
    put_item(dynamodb, **given | changes)
    refused(row, ledger, dynamodb, as_asiento(**given))


@pytest.mark.parametrize("row", [row for row in ROWS if not row.name.startswith("claim of one known")], ids=str)
def test_only_a_claim_a_refusal_of_ours_and_a_foreign_hook_make_an_asiento(row, ledger, dynamodb):
    answer = row.write(ledger, as_asiento(**row.given | {"estado": an_estado(row)}))
    assert answer == Refused(None)
    assert raw(dynamodb) == {}


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


@pytest.fixture
def first_answer_is_lost(dynamodb):
    """The first request of an operation is answered, but botocore is told that it was not, and repeats it."""
    hooked = []

    def lose(operation):
        sent = []

        def retry(attempts, **_):
            sent.append(attempts)
            return 0 if attempts == 1 else None

        event = f"needs-retry.dynamodb.{operation}"
        dynamodb.meta.events.register_first(event, retry, unique_id=f"lose-{operation}")
        hooked.append((event, f"lose-{operation}"))
        return sent

    yield lose
    for event, unique_id in hooked:
        dynamodb.meta.events.unregister(event, unique_id=unique_id)


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


LOST = ["not sent", "uncertain", "accepted", "refused", "absent, first", "absent, second", "published", "to a person"]


@pytest.mark.parametrize("row", [row for row in ROWS if row.name in LOST], ids=str)
def test_any_other_write_whose_answer_was_lost_is_made_once_and_found_made(row, ledger, dynamodb, first_answer_is_lost):
    read = put_item(dynamodb, **row.given | {"estado": an_estado(row)})
    sent = first_answer_is_lost("UpdateItem")
    answer = row.write(ledger, read)
    assert len(sent) == 2
    after = raw(dynamodb)
    assert after["version"] == 4
    assert {attribute: after[attribute] for attribute in row.sets} == row.sets
    assert answer == Refused(ledger.get("norte", "A-1"))


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


@pytest.mark.parametrize("estado", sorted(EVERY - {"RECHAZADO"}))
def test_what_was_sent_under_other_rules_is_not_refused_by_us(estado, ledger, dynamodb):
    stored = put_item(dynamodb, estado=estado)
    assert ledger.refuse_unsent("norte", "A-1", Datos("hash-2"), [CAUSA]) == Refused(stored)
    assert raw(dynamodb)["version"] == 3


def test_a_corrected_content_that_still_breaks_the_rules_joins_the_refused(ledger, dynamodb):
    put_item(dynamodb, estado="RECHAZADO", rechazados={"hash-1"}, abierto=None, previos=1)
    written = ledger.refuse_unsent("norte", "A-1", Datos("hash-2"), [CAUSA])
    assert written.rechazados == frozenset({"hash-1", "hash-2"})
    assert (written.datos.hash, written.previos, written.abierto, written.version) == ("hash-2", 1, True, 4)
    assert written.evento_pendiente == "ComprobanteRechazado"
    assert written.creado == START


def test_a_repeat_of_what_we_refused_changes_nothing(ledger):
    first = ledger.refuse_unsent("norte", "A-1", Datos("hash-1"), [CAUSA])
    assert ledger.refuse_unsent("norte", "A-1", Datos("hash-1"), [CAUSA]) == Refused(first)


def test_what_we_refused_and_was_corrected_is_claimed_as_a_first_attempt(ledger):
    refusal = ledger.refuse_unsent("norte", "A-1", Datos("hash-1"), [CAUSA])
    assert isinstance(ledger.claim(reclamo("hash-2")), Refused)
    claimed = ledger.claim_again(reclamo("hash-2"), refusal, frozenset())
    assert (claimed.estado, claimed.previos, claimed.datos) == (Estado.ENVIANDO, 0, datos("hash-2"))


# -- absent, in error, and never in the queue ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("evidence", "estado"),
    [({}, "RECHAZADO"), ({"en_cola": True}, "ELIMINADO"), ({"borrado_pedido": True}, "ELIMINADO")],
)
def test_in_error_and_absent_it_was_refused_only_if_it_was_never_in_the_queue(evidence, estado, ledger, dynamodb):
    read = put_item(dynamodb, estado="ERROR", ausente_desde=to_iso(SETTLED), **evidence)
    written = ledger.gone(read, noted_before=SETTLED)
    assert written.estado == estado
    assert written.rechazados == ({"hash-1"} if estado == "RECHAZADO" else frozenset())
    assert written.evento_pendiente == f"Comprobante{estado.capitalize()}"


@pytest.mark.parametrize("estado", ["ENVIADO", "ENCOLADO"])
def test_one_that_was_accepted_and_is_gone_was_deleted(estado, ledger, dynamodb):
    read = put_item(dynamodb, estado=estado, ausente_desde=to_iso(SETTLED))
    assert ledger.gone(read, noted_before=SETTLED).estado is Estado.ELIMINADO


# -- an acceptance that came late ------------------------------------------------------------------------------------


@pytest.mark.parametrize("estado", ["ENCOLADO", "ERROR", "EMITIDO", "ELIMINADO", "EN_REVISION"])
def test_when_a_hook_was_faster_than_our_record_the_evidence_is_kept_and_the_state_stays(estado, ledger, dynamodb):
    mine = as_asiento()
    put_item(dynamodb, estado=estado, version=5)
    shown = ledger.accepted(mine)
    assert isinstance(shown, Refused)
    kept = ledger.evidence(shown.stored)
    assert (kept.estado, kept.en_cola, kept.version) == (Estado(estado), True, 6)


# -- hooks that move nothing, or a reference nobody knows ------------------------------------------------------------


@pytest.mark.parametrize("estado", sorted(EVERY))
@pytest.mark.parametrize(("evidence", "reopen"), [(False, False), (True, False), (False, True)])
def test_an_unseen_hook_that_moves_no_state_still_raises_the_version(estado, evidence, reopen, ledger, dynamodb):
    read = put_item(dynamodb, estado=estado, vistos={"h0"}, abierto=None, **NOTED)
    expected = raw(dynamodb) | {"version": 4, "actualizado": NOW}
    expected |= {"en_cola": True} if evidence else {}
    expected |= {"abierto": "norte"} if reopen else {}
    del expected["ausente_desde"]
    ledger.fold_nothing(read, "h1", evidence=evidence, reopen=reopen)
    assert raw(dynamodb) == expected


def test_a_hook_that_was_accounted_for_raises_nothing(ledger, dynamodb):
    read = put_item(dynamodb, vistos={"h1"})
    assert ledger.fold_nothing(read, "h1", evidence=True, reopen=True) == Refused(read)
    assert raw(dynamodb)["version"] == 3


def test_a_decision_made_before_an_unseen_hook_is_not_written_after_it(ledger, dynamodb):
    """Else an error that arrives during our own ask would be swallowed."""
    read = put_item(dynamodb, estado="INCIERTO", previos=1)
    ledger.fold_nothing(read, "h1", evidence=False, reopen=False)
    for decided in (
        lambda: ledger.found(read, Estado.ENCOLADO, vistos=frozenset()),
        lambda: ledger.absent_first(read, SETTLED),
        lambda: ledger.to_review(read, CAUSA, en_cola=False),
        lambda: ledger.published(read, closes=True),
    ):
        assert isinstance(decided(), Refused)


def test_a_hook_of_a_reference_nobody_claimed_blocks_its_later_claim(ledger, dynamodb):
    written = ledger.unknown_reference("norte", "A-1", CAUSA)
    assert (written.estado, written.en_cola, written.evento_pendiente) == (
        Estado.EN_REVISION,
        True,
        "RevisionRequerida",
    )
    assert ledger.claim(reclamo()) == Refused(written)
    assert raw(dynamodb)["version"] == 1


def test_a_reference_that_was_claimed_meanwhile_is_no_stranger(ledger):
    claimed = ledger.claim(reclamo())
    assert ledger.unknown_reference("norte", "A-1", CAUSA) == Refused(claimed)


@pytest.mark.parametrize("estado", ["ENVIADO", "ENCOLADO", "ERROR"])
def test_a_deletion_that_may_be_of_an_earlier_attempt_is_in_doubt(estado, ledger, dynamodb):
    put_item(dynamodb, estado=estado, previos=1)
    written = ledger.fold_deletion_in_doubt("norte", "A-1", "h1")
    assert (written.estado, written.evento_pendiente) == (Estado.ERROR, "ComprobanteConError")


@pytest.mark.parametrize("changes", [{"previos": 0}, {"vistos": {"h1"}}, *({"estado": e} for e in sorted(IN_FLIGHT))])
def test_a_deletion_is_in_no_doubt_otherwise(changes, ledger, dynamodb):
    stored = put_item(dynamodb, **{"estado": "ENCOLADO", "previos": 1} | changes)
    assert ledger.fold_deletion_in_doubt("norte", "A-1", "h1") == Refused(stored)


# -- what is issued without validity ---------------------------------------------------------------------------------


def test_one_issued_without_validity_closes_without_a_cae(ledger, dynamodb):
    read = put_item(dynamodb, estado="EMITIDO", evento_pendiente="ComprobanteEmitido")
    written = ledger.finished(read, Emision(cae=None, numero=7, cae_vencimiento=None, pdf=None, sin_validez=True))
    assert (written.sin_validez, written.cae, written.numero, written.abierto) == (True, None, 7, False)


# -- reads -----------------------------------------------------------------------------------------------------------


def test_what_was_never_claimed_is_not_there(ledger):
    assert ledger.get("norte", "A-1") is None
    assert ledger.hooks("norte", "A-1") == ()


def test_the_reads_that_decide_are_consistent(ledger, dynamodb):
    asked = []
    for operation in ("GetItem", "Query"):
        dynamodb.meta.events.register(
            f"provide-client-params.dynamodb.{operation}",
            lambda params, **_: asked.append(params["ConsistentRead"]),
            unique_id=f"consistent-{operation}",
        )
    try:
        ledger.get("norte", "A-1")
        ledger.hooks("norte", "A-1")
        ledger.puerta("norte")
    finally:
        for operation in ("GetItem", "Query"):
            dynamodb.meta.events.unregister(
                f"provide-client-params.dynamodb.{operation}", unique_id=f"consistent-{operation}"
            )
    assert asked == [True, True, True]
