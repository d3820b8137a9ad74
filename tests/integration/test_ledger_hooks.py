"""What hooks and absences do to an asiento beyond the table of conditions, and the reads that decide."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.clock import START
from tests.items import CAUSA, EVERY, NOW, as_asiento, put_item, raw, reclamo

from facturacion.estado import Estado
from facturacion.ledger import Emision, Refused
from facturacion.tiempo import to_iso

pytestmark = pytest.mark.usefixtures("three_hours_later")

SETTLED = START + timedelta(hours=2)
IN_FLIGHT = ("ENVIANDO", "INCIERTO", "PENDIENTE")


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
    read = put_item(dynamodb, estado=estado, vistos={"h0"}, abierto=None, ausente_desde=to_iso(START))
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
        lambda: ledger.absent_first(read),
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
    written = ledger.finished(
        read, Emision(cae=None, numero=7, cae_vencimiento=None, pdf=None, sin_validez=True, datos=read.datos)
    )
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
    assert len(asked) >= 3 and all(asked)
