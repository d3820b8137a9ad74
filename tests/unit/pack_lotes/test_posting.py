"""One claimed lote at a provider that refuses it whole, in part, or falls silent: who ends how, and what was POSTed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.clock import START
from tests.pedidos import claimed, pedido

from facturacion.ledger import Puerta
from pack_lotes import posting
from pack_lotes.packing import after_not_sent, after_success, held_by, in_turn, lote_limit
from pack_lotes.posting import PROBES, Claimed, probes
from tusfacturas.outcomes import (
    Aceptado,
    ComprobanteRechazado,
    CredencialesRechazadas,
    Culpable,
    EnMantenimiento,
    Incierto,
    Limitado,
    LoteProcesado,
    LoteRechazado,
    NoEnviado,
    SinCupo,
    SinMencion,
    TiempoAgotado,
)

NOBODY = "No se pudo procesar la solicitud"
"""A refusal that names nobody and says nothing of a comprobante."""


@dataclass
class Provider:
    """Refuses whole every lote that holds one of `offenders`. `names`: how many of them it points at (None: all).

    From POST number `silent_from` on it answers `silence` to everything.
    """

    offenders: frozenset[str] = frozenset()
    names: int | None = 0
    text: str = NOBODY
    silent_from: int | None = None
    silence: NoEnviado | Incierto = field(default_factory=lambda: TiempoAgotado("x"))
    posts: list[list[str]] = field(default_factory=list)
    accepted: set[str] = field(default_factory=set)

    def __call__(self, pedidos):
        lote = [p.external_reference for p in pedidos]
        self.posts.append(lote)
        assert not self.accepted & set(lote), "a comprobante that was accepted is POSTed again: a second invoice"
        if self.silent_from is not None and len(self.posts) > self.silent_from:
            return self.silence
        guilty = [Culpable(n, f"culpa de {ref}") for n, ref in enumerate(lote) if ref in self.offenders]
        if guilty:
            return LoteRechazado("refused", (self.text,), tuple(guilty[: self.names]))
        self.accepted |= set(lote)
        return LoteProcesado({ref: Aceptado(ref) for ref in lote})


def claimed_as(of, dudas):
    claim = claimed(of.external_reference, dudas=dudas)
    return claim._replace(pedido=of)


def lote(size):
    return [claimed(f"A-{n}") for n in range(size)]


def post(claims, *, send, renew, room=lambda: None):
    return posting.post(claims, send=send, renew=renew, room=room)


def keep(claims):
    """A renewal that always succeeds, and shows as another version."""
    return [c._replace(asiento=replace(c.asiento, version=c.asiento.version + 1)) for c in claims]


def ends(posted):
    """Each reference and its outcome; a reference with two would be counted twice by the door."""
    references = [p.claimed.pedido.external_reference for p in posted]
    assert len(set(references)) == len(references)
    return {p.claimed.pedido.external_reference: p.outcome for p in posted}


def those(outcomes, kind):
    return {reference for reference, outcome in outcomes.items() if isinstance(outcome, kind)}


@st.composite
def lotes_with_offenders(draw, least_innocent=0):
    size = draw(st.integers(1 + least_innocent, 100))
    offenders = draw(st.sets(st.integers(0, size - 1), max_size=min(size - least_innocent, 12)))
    return size, frozenset(f"A-{n}" for n in offenders)


# -- read as a lote --------------------------------------------------------------------------------------------------


def test_a_lote_that_is_read_is_posted_once_and_each_has_its_own_outcome():
    told = {
        "A-0": Aceptado("A-0"),
        "A-1": ComprobanteRechazado("no", ("motivo",)),
        "A-2": SinMencion("nada"),
    }
    posts = []

    def send(pedidos):
        posts.append(pedidos)
        return LoteProcesado(dict(reversed(told.items())))

    assert ends(post(lote(3), send=send, renew=keep)) == told
    assert len(posts) == 1


@pytest.mark.parametrize(
    "answer",
    [TiempoAgotado("x"), Limitado("x"), EnMantenimiento("x"), SinCupo("x"), CredencialesRechazadas("x")],
    ids=lambda answer: answer.codigo,
)
def test_what_is_no_refusal_of_the_lote_is_the_outcome_of_each_and_nothing_more_leaves(answer):
    provider = Provider(silent_from=0, silence=answer)
    assert ends(post(lote(4), send=provider, renew=keep)) == dict.fromkeys(["A-0", "A-1", "A-2", "A-3"], answer)
    assert len(provider.posts) == 1


# -- a refusal that says whose fault it is ---------------------------------------------------------------------------


def test_the_one_it_points_at_is_refused_with_the_providers_words_and_the_rest_is_sent():
    provider = Provider(frozenset({"A-1"}), names=1)
    outcomes = ends(post(lote(3), send=provider, renew=keep))
    assert provider.posts == [["A-0", "A-1", "A-2"], ["A-0", "A-2"]]
    assert outcomes["A-1"] == ComprobanteRechazado("refused", ("culpa de A-1",))
    assert those(outcomes, Aceptado) == {"A-0", "A-2"}


def test_all_it_points_at_at_once_cost_one_more_post():
    provider = Provider(frozenset({"A-0", "A-3"}), names=None)
    outcomes = ends(post(lote(5), send=provider, renew=keep))
    assert those(outcomes, ComprobanteRechazado) == {"A-0", "A-3"}
    assert len(provider.posts) == 2


def test_when_it_points_at_everybody_there_is_nobody_left_to_send():
    provider = Provider(frozenset({"A-0", "A-1"}), names=None)
    outcomes = ends(post(lote(2), send=provider, renew=keep))
    assert those(outcomes, ComprobanteRechazado) == {"A-0", "A-1"}
    assert len(provider.posts) == 1


@given(lotes_with_offenders())
@settings(deadline=None)
def test_pointed_at_one_by_one_the_offenders_and_only_they_are_refused(case):
    size, offenders = case
    provider = Provider(offenders, names=1)
    outcomes = ends(post(lote(size), send=provider, renew=keep))
    assert those(outcomes, ComprobanteRechazado) == offenders
    assert len(those(outcomes, Aceptado)) == size - len(offenders)
    assert len(provider.posts) <= len(offenders) + 1


# -- a refusal that names nobody -------------------------------------------------------------------------------------


@given(lotes_with_offenders())
@settings(deadline=None)
def test_wherever_the_offenders_are_only_they_are_refused_and_only_before_another_was_accepted(case):
    size, offenders = case
    provider = Provider(offenders)
    posted = post(lote(size), send=provider, renew=keep)
    outcomes = ends(posted)
    assert len(outcomes) == size and those(outcomes, Aceptado) == provider.accepted
    assert those(outcomes, ComprobanteRechazado) <= offenders
    # What happened to those that nothing was proved of is that each was refused alone, or not sent alone at all.
    alone = {post_[0] for post_ in provider.posts if len(post_) == 1 and post_[0] in offenders}
    last = max((n for n, refs in enumerate(provider.posts) if set(refs) <= provider.accepted), default=0)
    proved = {refs[0] for refs in provider.posts[:last] if len(refs) == 1} & offenders
    assert those(outcomes, ComprobanteRechazado) == proved
    assert {p.claimed.pedido.external_reference for p in posted if p.dudoso} == alone - proved


@given(st.integers(5, 100), st.integers(0, 99))
@settings(deadline=None)
def test_a_single_offender_is_found_wherever_it_is_and_all_others_are_accepted(size, where):
    offender = f"A-{where % size}"
    provider = Provider(frozenset({offender}))
    outcomes = ends(post(lote(size), send=provider, renew=keep))
    assert len(those(outcomes, Aceptado)) == size - 1
    # The very last one is kept as the witness of the others, and has none itself.
    assert those(outcomes, ComprobanteRechazado) == ({offender} if where % size < size - 1 else set())
    assert len(provider.posts) <= 6 + 2 * (size - 1).bit_length()


@given(
    st.integers(0, 99),
    st.integers(1, 99),
    st.sampled_from(["first", "last", "spread", "earlier"]),
    st.sampled_from([None, 4, 50]),
)
@settings(deadline=None, max_examples=60)
def test_however_many_offenders_there_are_all_others_are_accepted_in_few_knocks_and_bounded_posts(
    bad, good, where, limite
):
    """The whole game: lotes as they are packed, doubts as they are noted, a door that closes and is knocked at."""
    puerta = Puerta("norte", limite=limite)
    blamed, others = [f"B-{n}" for n in range(bad)], [f"A-{n}" for n in range(good)]
    names = {"last": others + blamed, "spread": sorted(blamed + others, key=lambda r: int(r[2:]) * 37 % 101)}
    order = {ref: n for n, ref in enumerate(names.get(where, blamed + others))}
    days = {ref: date(2026, 3, 1 if where == "earlier" and ref in blamed else 2) for ref in order}
    waiting = {ref: pedido(ref, fecha=days[ref], sent_at=n) for ref, n in order.items()}
    dudas, provider, knocks = {}, Provider(frozenset(blamed)), 0
    while not provider.accepted >= set(others):
        knocks += 1
        assert knocks <= 5 + bad / 3
        queue, shut = in_turn(waiting.values(), dudas), False
        while queue and not shut:
            size = lote_limit(puerta, individual=False)
            chosen, queue = sorted(queue[:size], key=lambda p: p.orden), queue[size:]
            claims = [claimed_as(p, dudas.get(p.external_reference, 0)) for p in chosen]
            outcomes = [(p.claimed.pedido.external_reference, p) for p in post(claims, send=provider, renew=keep)]
            for ref, p in outcomes:
                dudas[ref] = dudas.get(ref, 0) + p.dudoso
                if isinstance(p.outcome, Aceptado | ComprobanteRechazado):
                    del waiting[ref]
                    assert (ref in others) == isinstance(p.outcome, Aceptado)
            held = held_by([p.outcome for _, p in outcomes])
            shut = held is not None
            puerta = after_not_sent(puerta, held, START) if held else after_success(puerta)
    assert len(provider.posts) <= 30 + 8 * bad


def test_what_is_tried_alone_is_spread_over_the_doubted_and_the_first_fecha_and_ends_with_one_nothing_speaks_against():
    doubted = [claimed(f"D-{n}", dudas=1) for n in range(3)]
    first = [claimed(f"A-{n}") for n in range(7)]
    later = [Claimed(pedido("Z-1", fecha=date(2026, 3, 9)), first[0].asiento)]
    assert [c.pedido.external_reference for c in probes(later + first + doubted)] == ["D-0", "A-0", "A-3", "A-6"]
    assert probes(later) == later and probes([]) == [] and len(probes(first[:3])) == 3


def test_a_later_fecha_is_no_witness_while_an_earlier_one_stays_behind():
    """If it were issued, the earlier ones of that punto de venta would fail (10016)."""
    early = [Claimed(pedido(f"A-{n}", fecha=date(2026, 3, 1)), claimed().asiento) for n in range(6)]
    late = [Claimed(pedido("Z-1", fecha=date(2026, 3, 9)), claimed().asiento)]
    provider = Provider(frozenset(f"A-{n}" for n in range(6)))
    post(early + late, send=provider, renew=keep)
    assert ["Z-1"] not in provider.posts and len(provider.posts) == 1 + PROBES


@given(st.integers(2, 100), st.integers(0, 99))
@settings(deadline=None)
def test_a_quota_that_ends_within_the_lote_refuses_nobody_for_good(size, room):
    """«Subscription valid, active and with quota for the whole lote»: the words of that refusal are not published."""
    left, posts = [room], []

    def send(pedidos):
        posts.append(pedidos)
        if len(pedidos) > left[0]:
            return LoteRechazado("refused", (NOBODY,))
        left[0] -= len(pedidos)
        return LoteProcesado({p.external_reference: Aceptado(p.external_reference) for p in pedidos})

    outcomes = ends(post(lote(size), send=send, renew=keep))
    assert len(those(outcomes, Aceptado)) == min(room, size)
    assert those(outcomes, ComprobanteRechazado) == set()
    assert len(posts) <= 2 * size - 1


@given(lotes_with_offenders())
@settings(deadline=None)
def test_looking_for_the_offenders_costs_each_of_them_a_few_posts_and_never_twice_the_lote(case):
    size, offenders = case
    provider = Provider(offenders)
    post(lote(size), send=provider, renew=keep)
    halvings = (size - 1).bit_length()
    assert len(provider.posts) <= min(2 + PROBES + 2 * halvings * len(offenders), 2 * size - 1)


@pytest.mark.parametrize("size", [1, 2, 7, 16, 100])
def test_where_nothing_is_accepted_nobody_is_refused_for_good_and_few_posts_find_that_out(size):
    """The refusal may be of the cuenta: then nothing of it was sent, and it waits."""
    everybody = frozenset(f"A-{n}" for n in range(size))
    provider = Provider(everybody)
    outcomes = ends(post(lote(size), send=provider, renew=keep))
    assert those(outcomes, LoteRechazado) == everybody
    assert those(outcomes, NoEnviado) == everybody
    assert len(provider.posts) <= min(2 + PROBES, 2 * size - 1)


@pytest.mark.parametrize("text", ["El request enviado no es válido", "Este request no se procesará"])
def test_a_single_one_refused_in_words_of_its_content_is_refused_for_good(text):
    outcomes = ends(post(lote(1), send=Provider(frozenset({"A-0"}), text=text), renew=keep))
    assert outcomes == {"A-0": ComprobanteRechazado("refused", (text,))}


@given(lotes_with_offenders(least_innocent=1), st.data())
@settings(deadline=None)
def test_some_pointed_at_and_some_not_still_ends_with_the_offenders_refused(case, data):
    size, offenders = case
    pointed = data.draw(st.sets(st.sampled_from(sorted(offenders)))) if offenders else set()
    by_name, silently = Provider(frozenset(pointed), names=1), Provider(offenders - frozenset(pointed))

    def send(pedidos):
        lote_ = {p.external_reference for p in pedidos}
        return (by_name if lote_ & by_name.offenders else silently)(pedidos)

    outcomes = ends(post(lote(size), send=send, renew=keep))
    assert those(outcomes, ComprobanteRechazado) <= offenders
    assert those(outcomes, Aceptado).isdisjoint(offenders)
    assert len(outcomes) == size


def test_when_every_entry_has_errors_every_entry_is_refused():
    text = "El lote no se procesara ya que contiene errores en todos sus requests. "
    everybody = frozenset({"A-0", "A-1", "A-2"})
    provider = Provider(everybody, text=text)
    assert those(ends(post(lote(3), send=provider, renew=keep)), ComprobanteRechazado) == everybody
    assert len(provider.posts) == 1


@pytest.mark.parametrize("text", ["La cuenta no tiene permitido emitir mas comprobantes este mes."])
@pytest.mark.parametrize("size", [1, 2])
def test_words_that_go_with_any_whole_refusal_refuse_nobody_for_good(text, size):
    everybody = frozenset(f"A-{n}" for n in range(size))
    outcomes = ends(post(lote(size), send=Provider(everybody, text=text), renew=keep))
    assert those(outcomes, LoteRechazado) == everybody


def test_a_refusal_that_points_outside_the_lote_points_at_nobody():
    posts = []

    def send(pedidos):
        posts.append(pedidos)
        return LoteRechazado("refused", (NOBODY,), (Culpable(7, "x"), Culpable(-1, "y")))

    outcomes = ends(post(lote(2), send=send, renew=keep))
    assert those(outcomes, LoteRechazado) == {"A-0", "A-1"}
    assert len(posts) == 3


# -- a quota that is smaller than the lote


@dataclass
class Plan:
    """Takes lotes that fit in what is `left` of the plan, and says that `says` is left."""

    left: int
    says: int | None
    posts: list[int] = field(default_factory=list)

    def __call__(self, pedidos):
        self.posts.append(len(pedidos))
        if len(pedidos) > self.left:
            return SinCupo("sin cupo")
        self.left -= len(pedidos)
        return LoteProcesado({p.external_reference: Aceptado(p.external_reference) for p in pedidos})


def test_of_a_lote_that_is_larger_than_the_quota_the_first_that_fit_are_sent():
    plan = Plan(3, 3)
    outcomes = ends(post(lote(5), send=plan, renew=keep, room=lambda: plan.says))
    assert those(outcomes, Aceptado) == {"A-0", "A-1", "A-2"} and those(outcomes, SinCupo) == {"A-3", "A-4"}
    assert plan.posts == [5, 3]


@pytest.mark.parametrize(("says", "posts"), [(None, [5]), (0, [5]), (-3, [5]), (5, [5]), (99, [5]), (4, [5, 4])])
def test_a_count_that_is_none_or_wrong_costs_at_most_one_more_post(says, posts):
    plan = Plan(3, says)
    outcomes = ends(post(lote(5), send=plan, renew=keep, room=lambda: plan.says))
    assert len(those(outcomes, SinCupo)) == 5 and plan.posts == posts


# -- a provider that falls silent in the middle ----------------------------------------------------------------------


@given(
    lotes_with_offenders(),
    st.integers(1, 12),
    st.sampled_from([TiempoAgotado("x"), Limitado("x"), EnMantenimiento("x")]),
    st.sampled_from([0, 1]),
)
@settings(deadline=None)
def test_after_an_outage_in_the_middle_no_further_post_leaves(case, silent_from, silence, names):
    size, offenders = case
    provider = Provider(offenders, names=names, silent_from=silent_from, silence=silence)
    outcomes = ends(post(lote(size), send=provider, renew=keep))
    assert len(outcomes) == size
    if len(provider.posts) <= silent_from:
        return
    assert len(provider.posts) == silent_from + 1
    unanswered = set(provider.posts[-1])
    assert {reference for reference, outcome in outcomes.items() if outcome == silence} == unanswered
    assert those(outcomes, Aceptado) == provider.accepted
    decided = unanswered | provider.accepted | those(outcomes, ComprobanteRechazado) | those(outcomes, LoteRechazado)
    held = set(outcomes) - decided
    assert all(type(outcomes[reference]) is NoEnviado for reference in held)


def test_an_uncertain_first_one_leaves_the_others_unsent():
    provider = Provider(frozenset({"A-3"}), silent_from=1)
    outcomes = ends(post(lote(4), send=provider, renew=keep))
    assert provider.posts == [["A-0", "A-1", "A-2", "A-3"], ["A-0"]]
    assert those(outcomes, Incierto) == {"A-0"}
    assert those(outcomes, NoEnviado) == {"A-1", "A-2", "A-3"}


def test_one_the_answer_does_not_mention_is_enough_to_stop():
    def send(pedidos):
        posts.append(references := [p.external_reference for p in pedidos])
        if len(posts) == 1:
            return LoteRechazado("refused", (NOBODY,))
        return LoteProcesado({r: SinMencion("x") if r == "A-1" else Aceptado(r) for r in references})

    posts = []
    outcomes = ends(post(lote(4), send=send, renew=keep))
    assert posts[1:] == [["A-0"], ["A-1", "A-2"]]
    assert those(outcomes, Aceptado) == {"A-0", "A-2"}
    assert those(outcomes, NoEnviado) == {"A-3"}


# -- claims that do not hold any more --------------------------------------------------------------------------------


@given(lotes_with_offenders(), st.sets(st.integers(0, 99)), st.sampled_from([0, 1]))
@settings(deadline=None)
def test_a_claim_that_is_not_renewed_is_never_posted_again_and_has_no_outcome(case, gone, names):
    size, offenders = case
    lost = {f"A-{n}" for n in gone}
    asked = []

    def renew(claims):
        asked.append({c.pedido.external_reference for c in claims})
        return [c for c in keep(claims) if c.pedido.external_reference not in lost]

    provider = Provider(offenders, names=names)
    outcomes = ends(post(lote(size), send=provider, renew=renew))
    assert not lost & set().union(*provider.posts[1:])
    again = set().union(*asked)
    assert not (lost & again) & set(outcomes)
    assert set(outcomes) == {f"A-{n}" for n in range(size)} - (lost & again)


def test_every_further_post_is_of_renewed_claims_and_their_outcomes_are_of_the_renewed_ones():
    provider = Provider(frozenset({"A-0"}), names=1)
    posted = post(lote(2), send=provider, renew=keep)
    versions = {p.claimed.pedido.external_reference: p.claimed.asiento.version for p in posted}
    assert versions == {"A-0": 1, "A-1": 2}


def test_when_no_claim_holds_nothing_more_is_posted():
    provider = Provider(frozenset({"A-0"}), names=1)
    outcomes = ends(post(lote(3), send=provider, renew=lambda _: []))
    assert len(provider.posts) == 1
    assert set(outcomes) == {"A-0"}
