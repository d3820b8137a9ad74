"""Every conditional write of the ledger: when it holds and what exactly it changes; when not, that nothing changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from tests.clock import START
from tests.items import CAUSA, CLAIM, EVERY, LATER, NOW, as_asiento, put_item, raw, reclamo

from facturacion.accion import Accion, Autor
from facturacion.asiento import Datos
from facturacion.estado import Estado
from facturacion.ledger import Emision, Refused
from facturacion.tiempo import to_iso

if TYPE_CHECKING:
    from collections.abc import Callable

    from facturacion.asiento import Asiento
    from facturacion.ledger import Ledger

SETTLED = START + timedelta(hours=2)
IN_FLIGHT = frozenset({"ENVIANDO", "INCIERTO", "PENDIENTE"})


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


CLAIM_FORGETS = ("en_cola", "borrado_pedido", "ausente_desde", "evento_pendiente", "causas")
FORGETTABLE = {"en_cola": True, "borrado_pedido": True, **NOTED, **OWED, **BLAMED}


ISSUED = Emision(
    cae="75123",
    numero=42,
    cae_vencimiento=date(2026, 3, 12),
    pdf="norte/A-1.pdf",
    sin_validez=False,
    datos=Datos("hash-1", "FACTURA A", date(2026, 3, 3), date(2026, 3, 12), Decimal("121.01")),
)
"""Its tipo, fecha and total were changed at the provider."""

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
        given={**FORGETTABLE, "rechazados": {"hash-1"}, "vistos": {"h0"}, "ciclos": 3, "dudas": 2},
        sets=CLAIM | {"hash": "hash-2", "previos": 1, "vistos": {"h1"}, "motivos": [["hash-1", BLAMED["causas"]]]},
        removes=(*CLAIM_FORGETS, "ciclos", "dudas"),
        unless=(MOVED, {"rechazados": {"hash-1", "hash-2"}}),
    ),
    Row(
        "claim after an earlier attempt",
        lambda ledger, read: ledger.claim_again(reclamo(), read, frozenset({"h1"})),
        frozenset({"PENDIENTE"}),
        given={**FORGETTABLE, **EARLIER, "vistos": {"h0"}, "ciclos": 1, "rechazados": {"hash-1"}},
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
        "not sent, and in doubt",
        lambda ledger, read: ledger.not_sent(read, dudoso=True),
        frozenset({"ENVIANDO"}),
        given={"dudas": 2},
        sets={"estado": "PENDIENTE", "dudas": 3},
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
            sets={"estado": estado.value, "en_cola": True, "vistos": {"h1"}, "evento_pendiente": evento, **more},
            removes=("ausente_desde",),
            unless=(OTHER_LOTE, NO_LOTE, MOVED),
        )
        for estado, evento, more in (
            (Estado.ENCOLADO, "ComprobanteEncolado", {}),
            (Estado.EMITIDO, "ComprobanteEmitido", {}),
            (Estado.ERROR, "ComprobanteConError", {"error_desde": NOW}),
        )
    ),
    Row(
        "found in error, its hooks still live",
        lambda ledger, read: ledger.found(read, Estado.ERROR, vistos=None),
        EVERY,
        given={**NOTED, "vistos": {"h0"}},
        sets={"estado": "ERROR", "en_cola": True, "evento_pendiente": "ComprobanteConError", "error_desde": NOW},
        removes=("ausente_desde",),
        unless=(OTHER_LOTE, NO_LOTE, MOVED),
    ),
    Row(
        "absent, first",
        lambda ledger, read: ledger.absent_first(read),
        EVERY,
        sets={"ausente_desde": NOW},
        unless=(OTHER_LOTE, NO_LOTE, MOVED, NOTED),
    ),
    Row(
        "absent, second",
        lambda ledger, read: ledger.absent_again(read, noted_before=SETTLED),
        frozenset({"ENVIANDO", "INCIERTO"}),
        given={"ausente_desde": to_iso(SETTLED), "previos": 4, "ciclos": 1},
        sets={"estado": "PENDIENTE", "previos": 5, "ciclos": 2},
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
        "absent, second, of what was believed not to be there",
        lambda ledger, read: ledger.attended(read, frozenset({"h1"})),
        frozenset({"PENDIENTE", "RECHAZADO"}),
        given={**NOTED, **EARLIER, "vistos": {"h0"}},
        sets={"vistos": {"h1"}},
        removes=("ausente_desde",),
        unless=(OTHER_LOTE, NO_LOTE, MOVED),
    ),
    Row(
        "absent, second, after evidence of the queue",
        lambda ledger, read: ledger.gone(read, noted_before=SETTLED),
        frozenset({"ENVIADO", "ENCOLADO", "ERROR", "EN_REVISION"}),
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
        "seen again",
        lambda ledger, read: ledger.seen_again(read),
        EVERY,
        given=NOTED,
        removes=("ausente_desde",),
        unless=(MOVED,),
    ),
    Row(
        "to a person",
        lambda ledger, read: ledger.to_review(read, CAUSA, en_cola=False),
        EVERY,
        given={**NOTED, **BLAMED, "en_cola": True},
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
            ISSUED,
        ),
        EVERY,
        given={**NOTED, **OWED, **BLAMED},
        sets={
            "estado": "EMITIDO",
            "en_cola": True,
            "tipo": "FACTURA A",
            "fecha": "2026-03-03",
            "total": "121.01",
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
            "error_desde": NOW,
        },
        removes=("ausente_desde",),
        unless=(SEEN,),
    ),
    Row(
        "fold error, with earlier attempts",
        lambda ledger, _: ledger.fold_error("norte", "A-1", "h1", []),
        frozenset({"ENVIADO", "ENCOLADO", "ERROR"}),
        given={**NOTED, **BLAMED, **EARLIER},
        sets={"estado": "ERROR", "evento_pendiente": "ComprobanteConError", "error_desde": NOW},
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


pytestmark = pytest.mark.usefixtures("three_hours_later")


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
    read = put_item(dynamodb, **row.given, estado=estado)
    refused(row, ledger, dynamodb, as_asiento(**row.given, estado=an_estado(row)))
    refused(row, ledger, dynamodb, read)


@pytest.mark.parametrize(
    ("row", "changes"), UNLESS, ids=lambda value: str(value) if isinstance(value, Row) else "-".join(value)
)
def test_where_a_condition_does_not_hold_it_is_refused_and_shows_what_is_there(row, changes, ledger, dynamodb):
    given = row.given | {"estado": an_estado(row)}
    put_item(dynamodb, **given | changes)
    refused(row, ledger, dynamodb, as_asiento(**given))


@pytest.mark.parametrize("row", [row for row in ROWS if not row.name.startswith("claim of one known")], ids=str)
def test_only_a_claim_a_refusal_of_ours_and_a_foreign_hook_make_an_asiento(row, ledger, dynamodb):
    answer = row.write(ledger, as_asiento(**row.given | {"estado": an_estado(row)}))
    assert answer == Refused(None)
    assert raw(dynamodb) == {}


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


def test_a_decision_whose_answer_was_lost_is_known_again_and_not_told_to_have_come_too_late(
    ledger, dynamodb, first_answer_is_lost
):
    read = put_item(dynamodb, estado="EN_REVISION", en_cola=True)
    sent = first_answer_is_lost("UpdateItem")
    decided = ledger.decide(read, Accion.ELIMINAR, Autor("ana", "no va"), expires=timedelta(days=1))
    assert len(sent) >= 2
    assert decided == ledger.get("norte", "A-1") and decided.decision == "eliminar"
    another = ledger.decide(read, Accion.REENVIAR, Autor("eva", "sí va"), expires=timedelta(days=1))
    assert another == Refused(decided)
