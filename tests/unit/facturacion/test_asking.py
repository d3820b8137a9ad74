"""What an answered query permits: every branch of `decide`, and its instants to the microsecond."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.clock import START

from facturacion.asiento import Asiento, Datos
from facturacion.asking import (
    CICLOS_MAX,
    SENDER_MARGIN,
    AnotarAusencia,
    Ausente,
    Esperar,
    Hallado,
    Revisar,
    decide,
    is_alive,
)
from facturacion.estado import Estado, Hook
from tusfacturas.outcomes import Consulta, Encontrado

QUIET = timedelta(hours=2)
SETTLE = timedelta(seconds=60)
TICK = timedelta(microseconds=1)
NOTHING = Consulta(0, ())

UNCERTAIN = Asiento(
    cuenta="norte",
    external_reference="A-1",
    estado=Estado.INCIERTO,
    version=3,
    datos=Datos(hash="h"),
    lote_id="L1",
    post_hasta=START,
    quieto_desde=START,
)
"""Uncertain since START."""
NOTED = replace(UNCERTAIN, ausente_desde=START + QUIET)
"""The first absence is noted."""
LATER = START + QUIET + SETTLE


def found(reference="A-1", situacion="EN_COLA", status="APROBADO Y EN COLA"):
    return Encontrado(
        external_reference=reference,
        situacion=situacion,
        status=status,
        tipo="FACTURA B",
        punto_venta=3,
        fecha=None,
        total=None,
    )


def answer(*comprobantes, total=None):
    return Consulta(len(comprobantes) if total is None else total, comprobantes)


def decided(asiento, consulta=NOTHING, *, at, hooks=()):
    return decide(asiento, hooks, consulta, asked_at=at, quiet=QUIET, settle=SETTLE)


# -- found -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("situacion", "estado"),
    [("EMITIDO", Estado.EMITIDO), ("EN_COLA", Estado.ENCOLADO), ("CON_ERROR", Estado.ERROR)],
)
def test_what_the_provider_has_is_taken_as_it_is_there_at_once(situacion, estado):
    comprobante = found(situacion=situacion)
    assert decided(UNCERTAIN, answer(comprobante), at=START) == Hallado(estado, comprobante)


def test_it_is_found_among_others_whose_reference_only_resembles():
    mine = found()
    consulta = answer(found("A-10"), mine, found("a-1"), total=7)
    assert decided(UNCERTAIN, consulta, at=START) == Hallado(Estado.ENCOLADO, mine)


def test_a_find_counts_whatever_was_noted_or_heard_before():
    late = replace(NOTED, ciclos=CICLOS_MAX + 1)
    assert isinstance(decided(late, answer(found()), at=LATER, hooks=[Hook("h", "error")]), Hallado)


@pytest.mark.parametrize("at", [START, LATER])
def test_two_with_the_same_reference_go_to_a_person_and_are_certainly_there(at):
    revisar = decided(UNCERTAIN, answer(found(situacion="EMITIDO"), found()), at=at)
    assert isinstance(revisar, Revisar)
    assert (revisar.causa.codigo, revisar.en_cola) == ("ReferenciaDuplicada", True)
    assert "2 comprobantes" in revisar.causa.mensaje


def test_an_unknown_status_goes_to_a_person_who_is_told_it():
    revisar = decided(UNCERTAIN, answer(found(situacion=None, status="EN LIMBO" + "x" * 100)), at=START)
    assert isinstance(revisar, Revisar)
    assert (revisar.causa.codigo, revisar.en_cola) == ("EstadoDesconocido", True)
    assert "EN LIMBO" in revisar.causa.mensaje
    assert len(revisar.causa.mensaje) < 150


# -- absent: not before the quiet period is over ---------------------------------------------------------------------


@pytest.mark.parametrize("at", [START, START + QUIET - TICK])
@pytest.mark.parametrize("asiento", [UNCERTAIN, NOTED, replace(UNCERTAIN, ausente_desde=START)])
def test_an_ask_that_began_before_the_quiet_period_ended_shows_no_absence(asiento, at):
    assert isinstance(decided(asiento, at=at), Esperar)


def test_an_ask_that_begins_as_the_quiet_period_ends_may_note_a_first_absence():
    assert decided(UNCERTAIN, at=START + QUIET) == AnotarAusencia()


def test_without_a_known_beginning_the_quiet_period_never_ends():
    assert isinstance(decided(replace(NOTED, quieto_desde=None), at=LATER + timedelta(days=400)), Esperar)


def test_an_answer_that_only_resembles_is_no_absence_but_a_matter_for_a_person():
    revisar = decided(NOTED, answer(found("A-10")), at=LATER)
    assert isinstance(revisar, Revisar)
    assert (revisar.causa.codigo, revisar.en_cola) == ("ReferenciaNoCoincide", False)


def test_a_total_without_comprobantes_is_no_absence():
    assert isinstance(decided(NOTED, answer(total=1), at=LATER), Revisar)


def test_comprobantes_without_a_total_are_no_absence():
    assert isinstance(decided(NOTED, answer(found("A-10"), total=0), at=LATER), Revisar)


def test_while_the_provider_may_still_be_working_no_person_is_troubled():
    assert isinstance(decided(UNCERTAIN, answer(found("A-10")), at=START + QUIET - TICK), Esperar)


# -- absent: believed at the second answer ---------------------------------------------------------------------------


def test_the_second_absence_decides_once_it_has_settled():
    assert decided(NOTED, at=LATER) == Ausente()


@pytest.mark.parametrize("at", [START + QUIET, LATER - TICK])
def test_a_second_absence_that_has_not_settled_waits(at):
    assert isinstance(decided(NOTED, at=at), Esperar)


def test_an_orphan_is_absent_on_the_same_terms():
    orphan = replace(UNCERTAIN, estado=Estado.ENVIANDO)
    assert isinstance(decided(orphan, at=START + QUIET - TICK), Esperar)
    assert decided(orphan, at=START + QUIET) == AnotarAusencia()
    assert decided(replace(orphan, ausente_desde=START + QUIET), at=LATER) == Ausente()


# -- hooks that were read before the ask -----------------------------------------------------------------------------


@pytest.mark.parametrize("evento", ["encolado", "error", "emitido", "eliminado", "cambio_fecha"])
@pytest.mark.parametrize("asiento", [UNCERTAIN, NOTED])
def test_a_hook_that_is_not_yet_folded_speaks_against_an_absence(asiento, evento):
    assert isinstance(decided(asiento, at=LATER, hooks=[Hook("h", evento)]), Esperar)


@pytest.mark.parametrize("evento", ["test", "pagado", ""])
def test_an_evento_that_says_nothing_of_it_does_not_hold_up_an_absence_for_ever(evento):
    assert decided(NOTED, at=LATER, hooks=[Hook("h", evento)]) == Ausente()


@pytest.mark.parametrize("estado", [Estado.ENVIADO, Estado.ENCOLADO, Estado.ERROR])
def test_what_the_provider_had_acknowledged_may_have_its_hooks_and_be_gone(estado):
    assert decided(replace(NOTED, estado=estado), at=LATER, hooks=[Hook("h", "error")]) == Ausente()


def test_a_hook_that_was_accounted_for_speaks_against_nothing():
    heard = replace(NOTED, vistos=frozenset({"h"}))
    assert decided(heard, at=LATER, hooks=[Hook("h", "error")]) == Ausente()


def test_a_hook_that_may_be_of_an_earlier_attempt_does_not_hold_up_an_absence():
    again = replace(NOTED, previos=1)
    assert decided(again, at=LATER, hooks=[Hook("h", "error")]) == Ausente()


# -- cycles are bounded ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("estado", [Estado.ENVIANDO, Estado.INCIERTO])
def test_after_too_many_uncertain_attempts_a_person_looks(estado):
    last = replace(NOTED, estado=estado, ciclos=CICLOS_MAX - 1)
    assert decided(last, at=LATER) == Ausente()
    revisar = decided(replace(last, ciclos=CICLOS_MAX), at=LATER)
    assert isinstance(revisar, Revisar)
    assert (revisar.causa.codigo, revisar.en_cola) == ("EnviosAgotados", False)


def test_a_refused_and_corrected_attempt_is_no_uncertain_one():
    assert decided(replace(NOTED, previos=CICLOS_MAX + 1), at=LATER) == Ausente()


def test_too_many_attempts_are_no_matter_before_the_absence_is_certain():
    many = replace(UNCERTAIN, ciclos=CICLOS_MAX)
    assert decided(many, at=START + QUIET) == AnotarAusencia()


def test_one_that_waits_to_be_sent_again_has_nothing_more_to_bound():
    waiting = replace(NOTED, estado=Estado.PENDIENTE, previos=CICLOS_MAX, ciclos=CICLOS_MAX)
    assert decided(waiting, at=LATER, hooks=[Hook("h", "encolado")]) == Ausente()


# -- whose POST may still be under way -------------------------------------------------------------------------------


def test_a_sender_may_be_alive_until_its_answer_must_have_come_and_been_written():
    timeout = timedelta(seconds=110)
    sending = replace(UNCERTAIN, estado=Estado.ENVIANDO)
    end = START + timeout + SENDER_MARGIN
    assert is_alive(sending, end - TICK, provider_timeout=timeout)
    assert not is_alive(sending, end, provider_timeout=timeout)


@pytest.mark.parametrize("estado", [e for e in Estado if e is not Estado.ENVIANDO])
def test_only_one_that_is_being_sent_has_a_sender(estado):
    assert not is_alive(replace(UNCERTAIN, estado=estado), START, provider_timeout=timedelta(seconds=110))
