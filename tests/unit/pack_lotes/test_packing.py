"""What goes with what, in which order, what a lost claim means, and how the door moves."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.clock import START
from tests.pedidos import claimed, pedido

from facturacion.asiento import Asiento, Datos
from facturacion.asking import SENDER_MARGIN
from facturacion.estado import Estado, Hook
from facturacion.ledger import Puerta
from pack_lotes.packing import (
    DELAY_MAX_SECONDS,
    LOTE_MAX,
    LOTE_STEP,
    Veredicto,
    after_doubt,
    after_not_sent,
    after_silence,
    after_success,
    after_uncertain,
    by_cuenta,
    contradicted,
    delay_seconds,
    held_by,
    in_turn,
    judge,
    lote_limit,
    next_look,
    replacement_fault,
    without_repeats,
    worth_returning_soon,
)
from tusfacturas.outcomes import (
    Aceptado,
    ConexionCortada,
    EnMantenimiento,
    Limitado,
    LoteRechazado,
    NoEnviado,
    SinCupo,
    SinMencion,
    TiempoAgotado,
)

TIMEOUT = timedelta(seconds=110)
TICK = timedelta(microseconds=1)
MAY_BE_ALIVE_UNTIL = START + TIMEOUT + SENDER_MARGIN


def stored(estado, content="mine", **changes):
    return replace(
        Asiento(
            cuenta="norte",
            external_reference="A-1",
            estado=estado,
            version=1,
            datos=Datos(hash=content),
            lote_id="L1",
            post_hasta=START,
            quieto_desde=START,
        ),
        **changes,
    )


def judged(asiento, *, at=MAY_BE_ALIVE_UNTIL):
    return judge(asiento, "mine", at, provider_timeout=TIMEOUT)


# -- order -----------------------------------------------------------------------------------------------------------


def references(pedidos):
    return [p.external_reference for p in pedidos]


def test_a_lote_is_in_the_order_of_fecha_then_of_sending():
    """A later date issued first makes the earlier ones of that punto de venta fail (10016)."""
    tomorrow = date(2026, 3, 3)
    pedidos = [
        pedido("late", sent_at=2),
        pedido("tomorrow", fecha=tomorrow, sent_at=0),
        pedido("early", sent_at=1),
        pedido("tomorrow-b", fecha=tomorrow, sent_at=0, message_id="z"),
    ]
    ((cuenta, lote),) = by_cuenta(pedidos)
    assert cuenta == "norte"
    assert references(lote) == ["early", "late", "tomorrow", "tomorrow-b"]


def test_two_sent_in_the_same_millisecond_have_an_order_all_the_same():
    pair = [pedido("A-2", message_id="b"), pedido("A-1", message_id="a")]
    assert by_cuenta(pair) == by_cuenta(pair[::-1])


def test_each_cuenta_is_by_itself_and_the_longest_waiting_comes_first():
    pedidos = [
        pedido("n", cuenta="norte", sent_at=5),
        pedido("s-late", cuenta="sur", sent_at=9),
        pedido("o", cuenta="oeste", sent_at=7),
        pedido("s", cuenta="sur", sent_at=1, fecha=date(2026, 3, 9)),
    ]
    groups = by_cuenta(pedidos)
    assert [cuenta for cuenta, _ in groups] == ["sur", "norte", "oeste"]
    assert references(groups[0][1]) == ["s-late", "s"]


def test_nothing_packs_into_nothing():
    assert by_cuenta([]) == []
    assert without_repeats([]) == ([], [])


def test_the_first_message_of_a_reference_has_its_turn_and_the_others_wait():
    first, later = without_repeats(
        [
            pedido("A", sent_at=3, message_id="third"),
            pedido("A", sent_at=1, message_id="first"),
            pedido("A", sent_at=2, message_id="second"),
            pedido("B", sent_at=2),
        ]
    )
    assert [p.registro.message_id for p in first] == ["first", "m-B"]
    assert [p.registro.message_id for p in later] == ["second", "third"]


def test_the_same_reference_of_two_cuentas_is_two_comprobantes():
    first, later = without_repeats([pedido("A", cuenta="norte"), pedido("A", cuenta="sur", message_id="other")])
    assert (len(first), later) == (2, [])


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from(["norte", "sur"]), st.integers(0, 3)), max_size=12))
def test_every_message_is_first_or_waits_and_no_reference_is_twice_among_the_first(rows):
    pedidos = [
        pedido(reference, cuenta=cuenta, sent_at=sent_at, message_id=f"m{n}")
        for n, (reference, cuenta, sent_at) in enumerate(rows)
    ]
    first, later = without_repeats(pedidos)
    keys = [(p.mensaje.cuenta, p.external_reference) for p in first]
    assert len(set(keys)) == len(keys)
    assert sorted(p.registro.message_id for p in first + later) == sorted(p.registro.message_id for p in pedidos)
    assert sum(len(group) for _, group in by_cuenta(first)) == len(first)


# -- the wait of a message that comes again --------------------------------------------------------------------------


class Middle(random.Random):
    def uniform(self, a, b):
        return (a + b) / 2


@pytest.mark.parametrize(
    ("receives", "seconds"), [(1, 30), (2, 60), (3, 120), (6, 960), (7, 1_800), (300, 1_800), (10**6, 1_800)]
)
def test_the_wait_doubles_up_to_half_an_hour(receives, seconds):
    assert delay_seconds(receives, base=30, rng=Middle()) == seconds


@given(st.integers(1, 400), st.integers(1, 1_800), st.randoms(use_true_random=False))
def test_the_wait_is_spread_by_a_fifth_and_stays_within_its_bounds(receives, base, rng):
    waited = delay_seconds(receives, base=base, rng=rng)
    grown = min(base * 2 ** min(receives - 1, 20), DELAY_MAX_SECONDS)
    assert 1 <= waited <= DELAY_MAX_SECONDS
    assert 0.8 * grown - 1 <= waited <= 1.2 * grown + 1


# -- what a lost claim means -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("estado", "veredicto"),
    [
        (Estado.PENDIENTE, Veredicto.RECLAMAR),
        (Estado.ENVIANDO, Veredicto.PREGUNTAR),
        (Estado.INCIERTO, Veredicto.PREGUNTAR),
        (Estado.ENVIADO, Veredicto.CONOCIDO),
        (Estado.ENCOLADO, Veredicto.CONOCIDO),
        (Estado.EMITIDO, Veredicto.CONOCIDO),
        (Estado.ERROR, Veredicto.CONOCIDO),
        (Estado.RECHAZADO, Veredicto.CONOCIDO),
        (Estado.ELIMINADO, Veredicto.CONOCIDO),
        (Estado.EN_REVISION, Veredicto.DEJAR),
    ],
)
def test_the_same_content_is_judged_by_the_state_alone(estado, veredicto):
    assert judged(stored(estado)) is veredicto


def test_a_claim_belongs_to_its_sender_until_it_cannot_be_alive_any_more():
    sending = stored(Estado.ENVIANDO)
    assert judged(sending, at=START) is Veredicto.DEJAR
    assert judged(sending, at=MAY_BE_ALIVE_UNTIL - TICK) is Veredicto.DEJAR
    assert judged(sending, at=MAY_BE_ALIVE_UNTIL) is Veredicto.PREGUNTAR


def test_an_uncertain_one_has_no_sender_to_wait_for():
    assert judged(stored(Estado.INCIERTO), at=START) is Veredicto.PREGUNTAR


def test_in_review_a_message_is_done_only_if_the_provider_certainly_has_it():
    assert judged(stored(Estado.EN_REVISION, en_cola=True)) is Veredicto.CONOCIDO
    assert judged(stored(Estado.EN_REVISION)) is Veredicto.DEJAR


def test_what_a_person_decided_about_one_that_the_provider_never_showed_is_no_error_of_its_own():
    assert judged(stored(Estado.ERROR, decision="eliminar")) is Veredicto.DEJAR
    assert judged(stored(Estado.ERROR, decision="eliminar", en_cola=True)) is Veredicto.CONOCIDO
    assert judged(stored(Estado.ERROR)) is Veredicto.CONOCIDO


@pytest.mark.parametrize("estado", [e for e in Estado if e is not Estado.RECHAZADO])
def test_another_content_under_the_same_reference_is_rejected_loudly(estado):
    assert judged(stored(estado, content="other")) is Veredicto.CONFLICTO


def test_a_corrected_content_takes_the_place_of_a_refused_one():
    assert judged(stored(Estado.RECHAZADO, content="other", rechazados=frozenset({"other"}))) is Veredicto.RECLAMAR


@pytest.mark.parametrize("estado", Estado)
def test_a_content_that_was_refused_before_is_never_sent_again_whatever_came_after(estado):
    later = stored(estado, content="other", rechazados=frozenset({"mine", "older"}))
    assert judged(later) is Veredicto.RECHAZO_REPETIDO


def test_a_reference_that_the_provider_knew_before_us_waits_for_a_person():
    assert judged(stored(Estado.EN_REVISION, content="", en_cola=True, lote_id=None)) is Veredicto.DEJAR


@pytest.mark.parametrize("estado", [e for e in Estado if e is not Estado.EN_REVISION])
def test_only_a_review_may_have_no_content_of_its_own_to_conflict_with(estado):
    expected = Veredicto.RECLAMAR if estado is Estado.RECHAZADO else Veredicto.CONFLICTO
    assert judged(stored(estado, content="")) is expected


@pytest.mark.parametrize(
    ("estado", "contradicting"),
    [
        (Estado.PENDIENTE, {"encolado", "cambio_fecha", "error", "eliminado", "emitido"}),
        (Estado.RECHAZADO, {"encolado", "cambio_fecha", "eliminado", "emitido"}),
    ],
)
def test_a_hook_that_says_it_is_at_the_provider_is_asked_about_before_it_is_sent_again(estado, contradicting):
    """Else the second POST is a second invoice, while the stream has not folded the first one's hook yet."""
    eventos = ("encolado", "cambio_fecha", "error", "eliminado", "emitido", "test", "pagado", "")
    assert {e for e in eventos if contradicted(stored(estado), [Hook("h", e)])} == contradicting
    assert not contradicted(stored(estado, vistos=frozenset({"h"})), [Hook("h", e) for e in eventos])
    assert not contradicted(stored(estado), [])


# -- replacing a deleted comprobante ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "codigo"),
    [
        (None, "reemplaza_desconocido"),
        (stored(Estado.EMITIDO), "reemplaza_emitido"),
        (stored(Estado.RECHAZADO), "reemplaza_rechazado"),
        (stored(Estado.ELIMINADO, reemplazado_por="A-3"), "reemplaza_repetido"),
    ],
)
def test_what_can_never_be_replaced_is_a_fault_of_the_message(old, codigo):
    falla = replacement_fault(old, "A-1", "A-2")
    assert (falla.codigo, falla.campo) == (codigo, "reemplaza")
    assert "A-1" in falla.mensaje


@pytest.mark.parametrize(
    "old",
    [
        stored(Estado.ELIMINADO),
        stored(Estado.ELIMINADO, reemplazado_por="A-2"),
        *(stored(e) for e in Estado if e not in {Estado.ELIMINADO, Estado.EMITIDO, Estado.RECHAZADO}),
    ],
    ids=lambda old: f"{old.estado} {old.reemplazado_por or ''}",
)
def test_what_was_deleted_or_may_yet_be_is_no_fault(old):
    assert replacement_fault(old, "A-1", "A-2") is None


# -- the door --------------------------------------------------------------------------------------------------------

OPEN = Puerta("norte")
UNTIL = START + timedelta(minutes=5)


def test_a_door_that_knows_no_better_takes_a_whole_lote():
    assert lote_limit(OPEN, individual=False) == LOTE_MAX == 100
    assert lote_limit(replace(OPEN, limite=500), individual=False) == 100
    assert lote_limit(replace(OPEN, limite=7), individual=False) == 7


def test_one_by_one_is_one_by_one_whatever_the_door_says():
    assert lote_limit(OPEN, individual=True) == lote_limit(replace(OPEN, limite=50), individual=True) == 1


def test_running_out_of_time_closes_the_door_and_halves_the_next_lote():
    closed = after_uncertain(OPEN, "A-1", TiempoAgotado("x"))
    assert (closed.incierta, closed.limite, closed.motivo) == ("A-1", 50, "TiempoAgotado")


@pytest.mark.parametrize("problema", [ConexionCortada("x"), SinMencion("x")])
def test_any_uncertain_outcome_closes_the_door(problema):
    closed = after_uncertain(replace(OPEN, limite=40), "A-1", problema)
    assert (closed.incierta, closed.limite, closed.motivo) == ("A-1", 40, problema.codigo)


def test_a_lote_is_never_halved_to_nothing():
    puerta = OPEN
    for _ in range(12):
        puerta = after_uncertain(puerta, "A-1", TiempoAgotado("x"))
    assert puerta.limite == lote_limit(puerta, individual=False) == 1


def test_each_success_lets_the_next_lote_grow_until_it_is_whole():
    puerta, limits = replace(OPEN, limite=75, golpes=3, cerrada_hasta=UNTIL, motivo="Limitado"), []
    for _ in range(4):
        puerta = after_success(puerta)
        limits.append(lote_limit(puerta, individual=False))
    assert limits == [75 + LOTE_STEP, 75 + 2 * LOTE_STEP, 100, 100]
    assert puerta == OPEN


def test_a_success_does_not_answer_the_question_that_closed_the_door():
    closed = after_uncertain(OPEN, "A-1", SinMencion("x"))
    assert after_success(closed).incierta == "A-1"


@pytest.mark.parametrize("problema", [Limitado("x"), EnMantenimiento("x")])
def test_an_outage_holds_the_door_but_says_nothing_of_the_size(problema):
    held = after_not_sent(replace(OPEN, golpes=2), problema, UNTIL)
    assert held == replace(OPEN, cerrada_hasta=UNTIL, golpes=3, motivo=problema.codigo)


def test_a_lote_refused_whole_for_no_readable_reason_is_tried_smaller():
    held = after_not_sent(OPEN, LoteRechazado("x"), UNTIL)
    assert (held.limite, held.cerrada_hasta, held.golpes) == (50, UNTIL, 1)


def test_an_outage_does_not_answer_the_question_that_closed_the_door():
    closed = after_uncertain(OPEN, "A-1", SinMencion("x"))
    assert after_not_sent(closed, Limitado("x"), UNTIL).incierta == "A-1"


def test_a_provider_that_answers_not_even_a_query_is_knocked_at_later_each_time():
    closed = after_uncertain(OPEN, "A-1", SinMencion("x"))
    assert after_silence(closed, UNTIL) == replace(closed, cerrada_hasta=UNTIL, golpes=1)
    assert after_silence(after_silence(closed, UNTIL), UNTIL).golpes == 2


# -- a refusal that names nobody -------------------------------------------------------------------------------------


def test_what_is_in_doubt_has_its_turn_behind_the_others_by_how_often_it_was_refused():
    rows = [pedido(name, fecha=date(2026, 3, day)) for name, day in (("A", 1), ("B", 1), ("C", 2), ("D", 3))]
    turns = in_turn(rows, {"A": 2, "B": 1, "Z": 5})
    assert [p.external_reference for p in turns] == ["C", "D", "B", "A"]
    assert in_turn(reversed(rows), {}) == rows


def test_a_doubt_is_read_for_longer_than_the_slowest_message_takes_to_come_again():
    puerta = after_doubt(OPEN, START)
    assert puerta.dudas_hasta - START > timedelta(seconds=DELAY_MAX_SECONDS)
    assert after_success(puerta).dudas_hasta == puerta.dudas_hasta


TAKEN, NOBODY, QUOTA = Aceptado("A-1"), LoteRechazado("x"), SinCupo("x")


@pytest.mark.parametrize(
    ("outcomes", "held"),
    [
        ([], None),
        ([TAKEN], None),
        ([TAKEN, NOBODY], None),
        ([NOBODY, NOBODY], NOBODY),
        ([TAKEN, QUOTA], QUOTA),
        ([NOBODY, NoEnviado("no se envió"), QUOTA], QUOTA),
        ([NoEnviado("no se envió")], NoEnviado("no se envió")),
    ],
)
def test_an_outage_holds_the_door_and_a_refusal_that_names_nobody_only_where_nothing_is_taken(outcomes, held):
    assert held_by(outcomes) == held


# -- a message that was asked about ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after", "seconds", "soon"),
    [
        ({"estado": Estado.PENDIENTE, "version": 2}, 0, True),
        ({"estado": Estado.PENDIENTE}, 0, False),
        ({"ausente_desde": START, "version": 2}, 90, True),
        ({"ausente_desde": START}, 59, True),
        ({"ausente_desde": START}, 60, False),
        ({"version": 2}, 0, False),
    ],
)
def test_a_message_comes_soon_while_its_answer_is_a_moment_away_and_not_while_nothing_moves(after, seconds, soon):
    before = claimed().asiento
    now = START + timedelta(seconds=seconds)
    assert worth_returning_soon(before, replace(before, **after), now, settle=timedelta(seconds=60)) == soon


@given(st.integers(0, 40 * 86_400), st.integers(1, 1_800))
def test_what_a_pause_holds_looks_again_soon_and_all_of_it_at_once(lasted, first):
    """No later than the pause has lasted, nor than half an hour; the same instant for whoever asks before it."""
    since = datetime(2026, 3, 2, tzinfo=UTC)
    now, wait = since + timedelta(seconds=lasted), timedelta(seconds=first)
    look = next_look(since, now, first=wait)
    assert now < look <= now + min(max(now - since, wait), timedelta(seconds=DELAY_MAX_SECONDS))
    assert next_look(since, look - timedelta(milliseconds=1), first=wait) == look


def test_a_clock_that_is_behind_the_one_that_paused_is_no_trouble():
    since = datetime(2026, 3, 2, tzinfo=UTC)
    assert next_look(since, since - timedelta(seconds=9), first=timedelta(seconds=30)) == since + timedelta(seconds=30)
