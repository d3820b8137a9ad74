"""Asking the provider about one comprobante: what each answer writes, and what happens meanwhile."""

from __future__ import annotations

import json
from datetime import timedelta

import httpx
import pytest
from tests.clock import START
from tests.items import put_hook, put_item, raw

from facturacion.asking import CICLOS_MAX, ask
from facturacion.estado import Estado
from facturacion.tiempo import to_iso
from tusfacturas.client import Cliente, Credenciales

QUIET = timedelta(hours=2)
SETTLE = timedelta(seconds=60)
QUIET_IS_OVER = START + QUIET
ABSENT = {"rta": "OK", "error": "N", "total": 0, "errores": [], "comprobantes": []}


def shown(status, reference="A-1"):
    return {
        "cliente": {},
        "comprobante": {"external_reference": reference, "status": status, "tipo": "FACTURA B", "total": "121.00"},
    }


def present(*comprobantes):
    return ABSENT | {"total": len(comprobantes), "comprobantes": list(comprobantes)}


ISSUED = present(shown("EMITIDO"))
QUEUED = present(shown("APROBADO Y EN COLA. SE EMITE EL 02/03/2026"))
ERRORED = present(shown("ENVIADO A PROCESAR - CON ERROR"))
TWICE = present(shown("EMITIDO"), shown("EMITIDO"))


@pytest.fixture
def about(ledger, clock):
    """`about(asiento, answer)` asks and gets that answer; `meanwhile` happens while the provider thinks."""

    def about(asiento, answer, *, meanwhile=lambda: None):
        def provider(request):
            asked = json.loads(request.content)
            assert asked["comprobante"] == {"external_reference": "A-1", "operacion": "V"}
            meanwhile()
            if isinstance(answer, Exception):
                raise answer
            return httpx.Response(200, json=answer)

        credenciales = Credenciales("k", "t", "u")
        with Cliente(
            "https://provider.test/", credenciales, timeout=5, transport=httpx.MockTransport(provider)
        ) as cliente:
            return ask(asiento, ledger=ledger, cliente=cliente, clock=clock, quiet=QUIET, settle=SETTLE)

    return about


@pytest.fixture
def uncertain(dynamodb, clock):
    clock.now = QUIET_IS_OVER
    return put_item(dynamodb, estado="INCIERTO")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (ISSUED, (Estado.EMITIDO, "ComprobanteEmitido")),
        (QUEUED, (Estado.ENCOLADO, "ComprobanteEncolado")),
        (ERRORED, (Estado.ERROR, "ComprobanteConError")),
    ],
)
def test_what_the_provider_has_becomes_the_state_with_its_event_owed(about, uncertain, ledger, answer, told):
    preguntado = about(uncertain, answer)
    assert preguntado.answered
    assert preguntado.asiento == ledger.get("norte", "A-1")
    assert (preguntado.asiento.estado, preguntado.asiento.evento_pendiente) == told
    assert preguntado.asiento.en_cola


def test_one_that_is_found_in_the_queue_accounts_for_the_hooks_read_before_the_ask_and_no_others(
    about, uncertain, dynamodb
):
    put_hook(dynamodb, "before", "encolado")
    preguntado = about(uncertain, QUEUED, meanwhile=lambda: put_hook(dynamodb, "during", "error"))
    assert preguntado.asiento.vistos == {"before"}


def test_one_that_is_found_in_error_keeps_live_the_hooks_that_will_say_why(about, uncertain, dynamodb):
    put_hook(dynamodb, "why", "error")
    assert about(uncertain, ERRORED).asiento.vistos == frozenset()


def test_a_settling_begins_with_the_answer_however_long_it_took(about, uncertain, clock):
    """The provider may have looked at its very end, while the comprobante was nowhere for a moment."""

    def slowly():
        clock.now += timedelta(seconds=25)

    first = about(uncertain, ABSENT, meanwhile=slowly)
    clock.now = QUIET_IS_OVER + SETTLE
    assert about(first.asiento, ABSENT).asiento.estado is Estado.INCIERTO
    clock.now += timedelta(seconds=25)
    assert about(first.asiento, ABSENT).asiento.estado is Estado.PENDIENTE


def test_two_absences_a_settling_apart_let_it_be_sent_again(about, uncertain, clock, ledger):
    first = about(uncertain, ABSENT)
    assert (first.asiento.estado, first.asiento.ausente_desde) == (Estado.INCIERTO, QUIET_IS_OVER)
    clock.now += SETTLE
    second = about(first.asiento, ABSENT)
    assert (second.asiento.estado, second.asiento.previos, second.asiento.ausente_desde) == (Estado.PENDIENTE, 1, None)
    assert second.asiento == ledger.get("norte", "A-1")


@pytest.mark.parametrize("too_soon", [timedelta(0), SETTLE - timedelta(milliseconds=1)])
def test_a_second_absence_too_soon_writes_nothing(about, uncertain, clock, dynamodb, too_soon):
    first = about(uncertain, ABSENT)
    clock.now += too_soon
    second = about(first.asiento, ABSENT)
    assert second.answered
    assert raw(dynamodb)["version"] == first.asiento.version


def test_an_absence_during_the_quiet_period_writes_nothing(about, uncertain, clock, dynamodb):
    clock.now = QUIET_IS_OVER - timedelta(milliseconds=1)
    assert about(uncertain, ABSENT).answered
    assert raw(dynamodb)["version"] == 3


def test_the_instant_that_counts_is_when_the_ask_began_not_when_it_was_answered(about, uncertain, clock, dynamodb):
    clock.now = QUIET_IS_OVER - timedelta(seconds=10)
    about(uncertain, ABSENT, meanwhile=lambda: clock.advance(seconds=30))
    assert "ausente_desde" not in raw(dynamodb)


def test_a_find_between_two_absences_starts_the_count_again(about, uncertain, clock):
    first = about(uncertain, ABSENT).asiento
    assert about(first, QUEUED).asiento.ausente_desde is None


def test_time_in_which_the_provider_does_not_answer_does_not_count_towards_an_absence(about, uncertain, clock):
    """It was down: an item that was on its way when it stopped is still on its way when it comes back."""
    noted = about(uncertain, ABSENT).asiento
    clock.advance(seconds=1)
    down = about(noted, httpx.ConnectError("x"))
    assert (down.answered, down.asiento.ausente_desde) == (False, None)
    clock.advance(hours=6)
    back = about(down.asiento, ABSENT).asiento
    assert (back.estado, back.ausente_desde) == (Estado.INCIERTO, clock.now)
    clock.now += SETTLE
    assert about(back, ABSENT).asiento.estado is Estado.PENDIENTE


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ConnectError("x"),
        httpx.ReadTimeout("x"),
        {"error": "S", "errores": ["x"]},
        {"mantenimiento": 1, "mantenimiento_hasta": "02/03/2026 18:00"},
        ABSENT | {"total": None},
    ],
    ids=str,
)
def test_an_ask_without_an_answer_proves_nothing_and_writes_nothing(about, uncertain, dynamodb, answer):
    preguntado = about(uncertain, answer)
    assert not preguntado.answered
    assert preguntado.motivo
    assert preguntado.asiento == uncertain
    assert raw(dynamodb)["version"] == 3


@pytest.mark.parametrize(
    "answer", [ISSUED, QUEUED, ERRORED, ABSENT, TWICE], ids=["issued", "queued", "errored", "absent", "twice"]
)
def test_if_anything_happened_during_the_ask_nothing_is_written_and_the_new_state_is_shown(
    about, uncertain, ledger, dynamodb, answer
):
    def a_hook_is_folded():
        ledger.fold_error("norte", "A-1", "h1", [])

    preguntado = about(uncertain, answer, meanwhile=a_hook_is_folded)
    assert preguntado.answered
    assert preguntado.asiento.estado is Estado.ERROR
    assert raw(dynamodb)["version"] == 4


def test_a_duplicate_goes_to_a_person_with_its_event_owed(about, uncertain):
    asiento = about(uncertain, TWICE).asiento
    assert (asiento.estado, asiento.en_cola, asiento.evento_pendiente) == (
        Estado.EN_REVISION,
        True,
        "RevisionRequerida",
    )
    assert [c.codigo for c in asiento.causas] == ["ReferenciaDuplicada"]


def test_one_sent_too_often_goes_to_a_person_and_is_not_called_present(about, dynamodb, clock):
    clock.now = QUIET_IS_OVER + SETTLE
    last = put_item(dynamodb, estado="INCIERTO", ciclos=CICLOS_MAX, ausente_desde=to_iso(QUIET_IS_OVER))
    asiento = about(last, ABSENT).asiento
    assert (asiento.estado, asiento.en_cola) == (Estado.EN_REVISION, False)


def test_an_old_hook_of_one_that_waits_is_accounted_for_after_two_absences(about, dynamodb, clock):
    clock.now = QUIET_IS_OVER
    put_hook(dynamodb, "old", "encolado")
    waiting = put_item(dynamodb, estado="PENDIENTE", previos=1)
    first = about(waiting, ABSENT).asiento
    assert (first.estado, first.vistos) == (Estado.PENDIENTE, frozenset())
    clock.now += SETTLE
    second = about(first, ABSENT).asiento
    assert (second.estado, second.previos, second.vistos) == (Estado.PENDIENTE, 1, {"old"})


def test_an_old_hook_that_told_the_truth_is_found_out_before_it_is_sent_again(about, dynamodb, clock):
    clock.now = QUIET_IS_OVER
    put_hook(dynamodb, "late", "encolado")
    waiting = put_item(dynamodb, estado="PENDIENTE", previos=1)
    assert about(waiting, QUEUED).asiento.estado is Estado.ENCOLADO


def test_a_refused_one_that_a_hook_contradicts_is_absent_twice_before_it_may_be_corrected(about, dynamodb, clock):
    clock.now = QUIET_IS_OVER
    put_hook(dynamodb, "late", "encolado")
    refusal = put_item(dynamodb, estado="RECHAZADO", rechazados={"hash-1"})
    first = about(refusal, ABSENT).asiento
    assert (first.estado, first.vistos) == (Estado.RECHAZADO, frozenset())
    clock.now += SETTLE
    second = about(first, ABSENT).asiento
    assert (second.estado, second.vistos) == (Estado.RECHAZADO, {"late"})


@pytest.mark.parametrize("answer", [QUEUED, ERRORED], ids=["queued", "errored"])
def test_a_refused_one_that_is_at_the_provider_goes_to_a_person(about, dynamodb, clock, answer):
    clock.now = QUIET_IS_OVER
    asiento = about(put_item(dynamodb, estado="RECHAZADO", rechazados={"hash-1"}), answer).asiento
    assert (asiento.estado, asiento.en_cola) == (Estado.EN_REVISION, True)
    assert [c.codigo for c in asiento.causas] == ["RechazadoPeroPresente"]


def test_a_refused_one_that_was_issued_is_issued(about, dynamodb, clock):
    clock.now = QUIET_IS_OVER
    assert about(put_item(dynamodb, estado="RECHAZADO"), ISSUED).asiento.estado is Estado.EMITIDO


@pytest.mark.parametrize("estado", ["ENVIADO", "ENCOLADO", "ERROR"])
def test_one_that_was_in_the_queue_and_is_twice_absent_was_deleted(about, dynamodb, clock, estado):
    clock.now = QUIET_IS_OVER
    accepted = put_item(dynamodb, estado=estado, en_cola=True)
    first = about(accepted, ABSENT).asiento
    assert first.estado is Estado(estado)
    clock.now += SETTLE
    assert about(first, ABSENT).asiento.estado is Estado.ELIMINADO


def test_one_in_error_that_never_was_in_the_queue_is_refused_on_the_same_terms(about, dynamodb, clock):
    put_hook(dynamodb, "why", "error")
    clock.now = QUIET_IS_OVER - timedelta(seconds=1)
    errored = put_item(dynamodb, estado="ERROR")
    assert about(errored, ABSENT).asiento.ausente_desde is None
    clock.now = QUIET_IS_OVER
    first = about(errored, ABSENT).asiento
    clock.now += SETTLE
    second = about(first, ABSENT).asiento
    assert (second.estado, second.rechazados) == (Estado.RECHAZADO, {"hash-1"})
