"""One claimed lote at a provider that refuses it whole, in part, or falls silent: who ends how, and what was POSTed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.pedidos import claimed

from pack_lotes.posting import post
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


def lote(size):
    return [claimed(f"A-{n}") for n in range(size)]


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


def before_the_last_accepted(size, offenders):
    """Offenders after which the cuenta was seen to work; what was refused after that may be the cuenta's fault."""
    innocent = [n for n in range(size) if f"A-{n}" not in offenders]
    return {f"A-{n}" for n in range(max(innocent, default=0))} & offenders


@given(lotes_with_offenders())
@settings(deadline=None)
def test_wherever_the_offenders_are_they_and_only_they_are_refused_once_the_cuenta_was_seen_to_work(case):
    size, offenders = case
    provider = Provider(offenders)
    outcomes = ends(post(lote(size), send=provider, renew=keep))
    refused = before_the_last_accepted(size, offenders)
    assert those(outcomes, ComprobanteRechazado) == refused
    assert those(outcomes, NoEnviado) == offenders - refused
    assert those(outcomes, Aceptado) == provider.accepted == {f"A-{n}" for n in range(size)} - offenders


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
    assert len(provider.posts) <= min(1 + 2 * halvings * len(offenders), 2 * size - 1)


@pytest.mark.parametrize("size", [1, 2, 7])
def test_where_nothing_is_accepted_nobody_is_refused_for_good(size):
    """The refusal may be of the cuenta: then nothing of it was sent, and it waits."""
    everybody = frozenset(f"A-{n}" for n in range(size))
    outcomes = ends(post(lote(size), send=Provider(everybody), renew=keep))
    assert those(outcomes, LoteRechazado) == everybody
    assert those(outcomes, NoEnviado) == everybody


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
    assert those(outcomes, ComprobanteRechazado) | those(outcomes, LoteRechazado) == offenders
    assert those(outcomes, ComprobanteRechazado) >= before_the_last_accepted(size, offenders) | pointed
    assert len(those(outcomes, Aceptado)) == size - len(offenders)


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


def test_an_uncertain_first_half_leaves_the_second_half_unsent():
    provider = Provider(frozenset({"A-3"}), silent_from=1)
    outcomes = ends(post(lote(4), send=provider, renew=keep))
    assert provider.posts == [["A-0", "A-1", "A-2", "A-3"], ["A-0", "A-1"]]
    assert those(outcomes, Incierto) == {"A-0", "A-1"}
    assert those(outcomes, NoEnviado) == {"A-2", "A-3"}


def test_one_the_answer_does_not_mention_is_enough_to_stop():
    def send(pedidos):
        posts.append(references := [p.external_reference for p in pedidos])
        if len(posts) == 1:
            return LoteRechazado("refused", (NOBODY,))
        return LoteProcesado({r: SinMencion("x") if r == "A-1" else Aceptado(r) for r in references})

    posts = []
    outcomes = ends(post(lote(4), send=send, renew=keep))
    assert len(posts) == 2
    assert those(outcomes, Aceptado) == {"A-0"}
    assert those(outcomes, NoEnviado) == {"A-2", "A-3"}


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
