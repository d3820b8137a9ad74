"""The fold: the rule row by row, every small set of hooks in any order, and the provider's own histories."""

from __future__ import annotations

from itertools import chain, combinations, combinations_with_replacement, permutations, product

import pytest

from facturacion.estado import CONOCIDO, EN_VUELO, Estado, Hook, fold, speaks

EVENTOS = ("encolado", "cambio_fecha", "error", "eliminado", "emitido")
EN_LA_COLA = ("encolado", "cambio_fecha")
IN_FLIGHT = (Estado.ENVIANDO, Estado.INCIERTO, Estado.PENDIENTE)
MOVABLE = (*IN_FLIGHT, Estado.ENVIADO, Estado.ENCOLADO, Estado.ERROR, Estado.EN_REVISION)


def expected(base, previos, vistos, hooks):
    """The rule, written down a second time: line by line, as a table of what is live."""
    live = {evento for hook_id, evento in hooks if hook_id not in vistos} & set(EVENTOS)
    if base == "EMITIDO" or "emitido" in {evento for _, evento in hooks}:
        return "EMITIDO", False
    if base == "ELIMINADO":
        return "ELIMINADO", False
    if base == "RECHAZADO":
        return "RECHAZADO", bool(live & {"encolado", "cambio_fecha", "eliminado"})
    if base == "EN_REVISION":
        deleted = "eliminado" in live and previos == 0
        return ("ELIMINADO", False) if deleted else ("EN_REVISION", bool(live))
    if previos > 0 and base in {"ENVIANDO", "INCIERTO", "PENDIENTE"}:
        return base, bool(live)
    if "eliminado" in live:
        return ("ERROR", True) if previos > 0 else ("ELIMINADO", False)
    if "error" in live:
        return "ERROR", True
    if live:
        return (base, True) if base == "ERROR" else ("ENCOLADO", False)
    return base, False


def one(evento, base, *, previos=0, seen=False):
    return fold(base, previos, {"h"} if seen else set(), [Hook("h", evento)])


# -- row by row ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seen", [False, True])
@pytest.mark.parametrize("previos", [0, 1])
@pytest.mark.parametrize("base", Estado)
def test_an_emitido_absorbs_every_state_seen_or_not(base, previos, seen):
    assert one("emitido", base, previos=previos, seen=seen) == (Estado.EMITIDO, False)


@pytest.mark.parametrize("evento", EVENTOS)
@pytest.mark.parametrize("previos", [0, 1])
def test_nothing_leads_out_of_emitido(evento, previos):
    assert one(evento, Estado.EMITIDO, previos=previos) == (Estado.EMITIDO, False)


@pytest.mark.parametrize("evento", [e for e in EVENTOS if e != "emitido"])
@pytest.mark.parametrize("previos", [0, 1])
def test_only_an_emitido_leads_out_of_eliminado(evento, previos):
    assert one(evento, Estado.ELIMINADO, previos=previos) == (Estado.ELIMINADO, False)


@pytest.mark.parametrize(
    ("evento", "asks"), [("error", False), ("encolado", True), ("cambio_fecha", True), ("eliminado", True)]
)
@pytest.mark.parametrize("previos", [0, 1])
def test_a_refused_one_expects_its_error_and_asks_about_all_that_contradicts(evento, asks, previos):
    assert one(evento, Estado.RECHAZADO, previos=previos) == (Estado.RECHAZADO, asks)


@pytest.mark.parametrize("evento", [e for e in EVENTOS if e != "emitido"])
@pytest.mark.parametrize("base", IN_FLIGHT)
def test_while_earlier_attempts_may_speak_a_hook_moves_nothing_in_flight_and_asks(base, evento):
    assert one(evento, base, previos=1) == (base, True)


@pytest.mark.parametrize("base", MOVABLE)
def test_an_eliminado_of_the_only_attempt_is_the_end(base):
    assert one("eliminado", base) == (Estado.ELIMINADO, False)


@pytest.mark.parametrize("base", [Estado.ENVIADO, Estado.ENCOLADO, Estado.ERROR])
def test_an_eliminado_that_may_be_of_an_earlier_attempt_only_asks(base):
    assert one("eliminado", base, previos=1) == (Estado.ERROR, True)


@pytest.mark.parametrize("base", [*IN_FLIGHT, Estado.ENVIADO, Estado.ENCOLADO, Estado.ERROR])
def test_an_error_of_the_only_attempt_is_to_be_resolved(base):
    assert one("error", base) == (Estado.ERROR, True)


@pytest.mark.parametrize("base", [Estado.ENVIADO, Estado.ENCOLADO, Estado.ERROR])
def test_an_error_of_what_the_provider_has_is_to_be_resolved_whatever_was_before(base):
    assert one("error", base, previos=1) == (Estado.ERROR, True)


@pytest.mark.parametrize("evento", EN_LA_COLA)
@pytest.mark.parametrize("base", [*IN_FLIGHT, Estado.ENVIADO, Estado.ENCOLADO])
def test_a_hook_of_the_queue_shows_that_it_is_in_the_queue(base, evento):
    assert one(evento, base) == (Estado.ENCOLADO, False)


@pytest.mark.parametrize("evento", EN_LA_COLA)
@pytest.mark.parametrize("previos", [0, 1])
def test_a_hook_of_the_queue_does_not_heal_an_error_but_asks(previos, evento):
    assert one(evento, Estado.ERROR, previos=previos) == (Estado.ERROR, True)


@pytest.mark.parametrize(
    ("evento", "previos"),
    [("error", 0), ("error", 1), ("encolado", 0), ("encolado", 1), ("cambio_fecha", 0), ("eliminado", 1)],
)
def test_what_a_person_is_to_decide_no_hook_takes_back_short_of_the_end(evento, previos):
    assert one(evento, Estado.EN_REVISION, previos=previos) == (Estado.EN_REVISION, True)


@pytest.mark.parametrize("evento", ["encolado", "cambio_fecha", "eliminado"])
def test_the_expected_error_of_a_refused_one_hides_no_contradiction(evento):
    hooks = [Hook("h0", "error"), Hook("h1", evento)]
    assert fold(Estado.RECHAZADO, 0, set(), hooks) == (Estado.RECHAZADO, True)


@pytest.mark.parametrize("evento", [e for e in EVENTOS if e != "emitido"])
@pytest.mark.parametrize("previos", [0, 1])
@pytest.mark.parametrize("base", Estado)
def test_what_our_own_last_record_accounted_for_moves_nothing(base, previos, evento):
    assert one(evento, base, previos=previos, seen=True) == (base, False)


@pytest.mark.parametrize("evento", ["", "test", "pagado", "EMITIDO"])
@pytest.mark.parametrize("base", Estado)
def test_an_evento_that_the_provider_does_not_document_moves_nothing(base, evento):
    assert one(evento, base) == (base, False)
    assert one(evento, base, previos=1) == (base, False)


def test_only_the_documented_eventos_speak_of_a_comprobante():
    assert [e for e in (*EVENTOS, "test", "pagado", "") if speaks(Hook("h", e))] == list(EVENTOS)


def test_without_hooks_the_base_stands():
    assert [fold(base, 0, set(), []).estado for base in Estado] == list(Estado)


# -- any order, any repetition ---------------------------------------------------------------------------------------


def _subsets(ids):
    return chain.from_iterable(combinations(ids, size) for size in range(len(ids) + 1))


@pytest.mark.parametrize("previos", [0, 1, 3])
@pytest.mark.parametrize("base", Estado)
def test_four_hooks_in_any_order_and_repeated_come_to_the_state_of_the_rule(base, previos):
    for size in range(5):
        ids = [f"h{n}" for n in range(size)]
        for eventos in combinations_with_replacement(EVENTOS, size):
            hooks = [Hook(*pair) for pair in zip(ids, eventos, strict=True)]
            for seen in map(frozenset, _subsets(ids)):
                want = expected(base.value, previos, seen, hooks)
                assert fold(base, previos, seen, hooks * 2) == want
                assert all(fold(base, previos, seen, order) == want for order in permutations(hooks))


def test_hooks_that_were_seen_may_be_gone_from_the_ledger():
    assert fold(Estado.ENCOLADO, 0, {"long-ago"}, [Hook("h", "error")]) == (Estado.ERROR, True)


def test_the_hooks_may_come_as_an_iterator():
    assert fold(Estado.ENVIADO, 0, set(), iter([Hook("h", "encolado")])) == (Estado.ENCOLADO, False)


# -- the provider's own histories ------------------------------------------------------------------------------------

TRUTH = {"queued": "ENCOLADO", "errored": "ERROR", "issued": "EMITIDO", "deleted": "ELIMINADO"}
MOVES = {
    # what happens, the state it leads to, the hook it sends; «we» acts only after asking
    "queued": [
        ("issues", "issued", "emitido"),
        ("fails", "errored", "error"),
        ("changes the date", "queued", "cambio_fecha"),
        ("deletes", "deleted", "eliminado"),
    ],
    "errored": [
        ("we resend", "queued", "encolado"),
        ("changes the date", "errored", "cambio_fecha"),
        ("we delete", "deleted", "eliminado"),
    ],
    "issued": [],
    "deleted": [],
}


def histories(longest):
    """Every legal life at the provider, from its acceptance on."""
    lives = [[("accepts", "queued", "encolado")]]
    for life in lives:
        if len(life) < longest:
            lives += [[*life, move] for move in MOVES[life[-1][1]]]
    return lives


def deliveries(born, last, *, lost):
    """When a hook is stored: before event number `when`. Once, or again under a new id; or never."""
    moments = range(born + 1, last + 1)
    once = [(when,) for when in moments]
    twice = list(combinations_with_replacement(moments, 2))
    return [*([()] if lost else []), *once, *twice]


def replay(life, delivered, late=()):
    """Our own record and the stored hooks at the end of a life.

    `late`: moments at which a hook of an earlier, refused attempt is stored.
    """
    base, vistos, stored = "ENVIANDO", frozenset(), []
    for moment in range(len(life) + 1):
        for n, moments in enumerate(delivered):
            stored += [(f"{n}.{copy}", life[n][2]) for copy, when in enumerate(moments) if when == moment]
        stored += [(f"late.{n}", "error") for n, when in enumerate(late) if when == moment]
        if moment == len(life):
            break
        what = life[moment][0]
        if what == "accepts":
            base = "ENVIADO"
        if what in {"we resend", "we delete"}:
            # Hooks read, the provider asked, the act, its record.
            vistos = frozenset(hook_id for hook_id, _ in stored)
            base = "ENCOLADO" if what == "we resend" else "ELIMINADO"
    return Estado(base), vistos, [Hook(*hook) for hook in stored]


def _agrees(got, life):
    return got.preguntar or got.estado == TRUTH[life[-1][1]]


@pytest.mark.parametrize("life", histories(4), ids=lambda life: ", ".join(what for what, *_ in life))
def test_once_every_hook_is_stored_the_state_is_the_providers_or_asks(life):
    for delivered in product(*(deliveries(n, len(life), lost=False) for n in range(len(life)))):
        base, vistos, hooks = replay(life, delivered)
        assert _agrees(fold(base, 0, vistos, hooks), life), delivered


@pytest.mark.parametrize("life", histories(3), ids=lambda life: ", ".join(what for what, *_ in life))
def test_a_late_error_of_an_earlier_attempt_never_makes_the_state_wrong_in_silence(life):
    for late in ((1,), (len(life),), (1, len(life))):
        for delivered in product(*(deliveries(n, len(life), lost=False) for n in range(len(life)))):
            base, vistos, hooks = replay(life, delivered, late)
            assert _agrees(fold(base, 1, vistos, hooks), life), (late, delivered)


@pytest.mark.parametrize("life", histories(4), ids=lambda life: ", ".join(what for what, *_ in life))
def test_the_state_is_wrong_in_silence_only_where_the_hook_that_tells_was_lost(life):
    telling = max(n for n, (_, _, evento) in enumerate(life) if evento != "cambio_fecha")
    for delivered in product(*(deliveries(n, len(life), lost=True) for n in range(len(life)))):
        base, vistos, hooks = replay(life, delivered)
        got = fold(base, 0, vistos, hooks)
        behind = got.estado is Estado.ENVIADO and life[-1][1] == "queued"
        assert _agrees(got, life) or behind or not delivered[telling], delivered


# -- the sets that the rest decides by -------------------------------------------------------------------------------


def test_the_effect_of_nothing_in_flight_is_known():
    assert not EN_VUELO & CONOCIDO
    assert set(Estado) - EN_VUELO - CONOCIDO == {Estado.PENDIENTE, Estado.EN_REVISION}
