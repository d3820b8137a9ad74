"""One claimed lote at the provider, whatever it answers: partial acceptance, both refusal forms, nothing at all.

A whole refusal is definite, so what it held back may be sent: without the entries it points at. Where it points at
none, it may be one comprobante's fault, or the cuenta's own trouble in words that nobody published, and only more
POSTs can tell. They are few while nothing is accepted, for the cuenta's trouble is none of the comprobantes':

1. a few are tried alone (`probes`). If none is taken, the search is over: the rest waits behind the cuenta's door.
2. once one was taken, the others go in halves, until as many again were refused alone in a row; then as in 1.
3. one that nothing speaks against is kept for the end. A comprobante that was refused alone is refused for good only
   if another one was accepted *after* it: else the refusal may be of the cuenta (a quota that just ended).

What was refused alone and not for good is `dudoso`: it has its turn behind the others the next time, so that it keeps
nobody from being taken, and is among the first to be tried beside one that can prove it wrong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from tusfacturas.outcomes import (
    Aceptado,
    ComprobanteRechazado,
    Incierto,
    LoteProcesado,
    LoteRechazado,
    NoEnviado,
    Rechazado,
    SinCupo,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from facturacion.asiento import Asiento
    from pack_lotes.packing import Pedido

Outcome: TypeAlias = Aceptado | Rechazado | Incierto | NoEnviado

PROBES = 4
"""How many are tried alone before a refusal that names nobody is taken for the cuenta's."""
_OF_THE_REQUEST = re.compile(r"\b(el|este) request\b", re.IGNORECASE)
"""The provider's words for one entry: a refusal that has them is not of the cuenta."""
_ALL_BAD = "errores en todos sus requests"
"""Its words for a lote of which it refused every entry; beside other words those are the reason."""
_HELD = "no se envió: TusFacturas dejó de responder a mitad del lote"


class Claimed(NamedTuple):
    """A pedido whose claim is ours."""

    pedido: Pedido
    asiento: Asiento


class Posted(NamedTuple):
    """What became of one claimed pedido. `dudoso`: refused alone, in words that name nobody, and nothing proved it."""

    claimed: Claimed
    outcome: Outcome
    dudoso: bool = False


def post(
    lote: Sequence[Claimed],
    *,
    send: Callable[[Sequence[Pedido]], LoteProcesado | NoEnviado | Incierto],
    renew: Callable[[Sequence[Claimed]], list[Claimed]],
    room: Callable[[], int | None],
) -> list[Posted]:
    """POST the lote, and again what a whole refusal held back, in the order in which it happened.

    `renew` lengthens the claims before a further POST and gives those that hold; one that it does not give back has no
    outcome here: something else happened to it. `room`: how many comprobantes the plan has left, where it says so.
    """
    attempt = _Attempt(send, renew, room)
    refused = attempt.first(lote)
    if refused:
        attempt.search(refused)
    last_accepted = max((n for n, p in enumerate(attempt.posted) if isinstance(p.outcome, Aceptado)), default=-1)
    return [_for_good(p) if p.dudoso and n < last_accepted else p for n, p in enumerate(attempt.posted)]


def probes(waiting: Sequence[Claimed]) -> list[Claimed]:
    """Those that tell most when they are tried alone: spread over the doubted, and over the first fecha of the others.

    A later fecha is not tried: if it were taken, the earlier ones of that punto de venta would fail (10016). The last
    of them is one that nothing speaks against, where there is any.
    """
    doubted = [c for c in waiting if c.asiento.dudas]
    others = [c for c in waiting if not c.asiento.dudas]
    first = min((c.pedido.listo.fecha for c in others), default=None)
    telling = doubted + [c for c in others if c.pedido.listo.fecha == first]
    if len(telling) <= PROBES:
        return telling
    return [telling[round(n * (len(telling) - 1) / (PROBES - 1))] for n in range(PROBES)]


@dataclass(slots=True)
class _Attempt:
    """The POSTs of one lote. `alone`: refused alone in a row. `over`: the provider is in no state to be sent more."""

    send: Callable[[Sequence[Pedido]], LoteProcesado | NoEnviado | Incierto]
    renew: Callable[[Sequence[Claimed]], list[Claimed]]
    room: Callable[[], int | None]
    posted: list[Posted] = field(default_factory=list)
    refusal: LoteRechazado | None = None
    alone: int = 0
    over: bool = False

    def first(self, lote: Sequence[Claimed]) -> list[Claimed]:
        """POST; those that were refused together in words that name nobody. All else has its outcome."""
        while lote:
            answer = self.send([c.pedido for c in lote])
            if isinstance(answer, LoteRechazado):
                if not (words := _guilty(answer, lote)):
                    return self._refused_whole(lote, answer)
                self._note(
                    [
                        Posted(c, ComprobanteRechazado(answer.detalle, (words[n],)))
                        for n, c in enumerate(lote)
                        if n in words
                    ]
                )
                rest = [c for n, c in enumerate(lote) if n not in words]
            elif isinstance(answer, SinCupo) and (room := self._room_for(lote)):
                self._note([Posted(c, answer) for c in lote[room:]])
                rest = list(lote[:room])
            else:
                self._note([Posted(c, _of(answer, c)) for c in lote])
                return []
            lote = self.renew(rest) if rest else []
        return []

    def again(self, lote: Sequence[Claimed]) -> list[Claimed]:
        """As `first`, of those whose claims hold."""
        return self.first(self.renew(lote))

    def search(self, refused: Sequence[Claimed]) -> None:
        """Everyone gets an outcome: accepted, refused alone, or given back with the refusal of the whole."""
        witness = next((c for c in reversed(refused) if not c.asiento.dudas), None)
        groups = [[c for c in refused if c is not witness]]
        while any(groups) and not self.over and self._knock(groups):
            self._halve(groups)
        left = [c for group in reversed(groups) for c in group]
        if witness:
            if self.over or _before(witness, left):
                left.append(witness)
            else:
                self.again([witness])
        outcome = NoEnviado(_HELD) if self.over else self.refusal
        assert outcome is not None  # noqa: S101 - without a refusal there is no search
        self.posted += [Posted(c, outcome) for c in left]

    def _knock(self, groups: list[list[Claimed]]) -> bool:
        """Whether the provider took, or refused by name, one of those that tell most."""
        for probe in probes([c for group in reversed(groups) for c in group]):
            for group in groups:
                group[:] = [c for c in group if c is not probe]
            self.again([probe])
            if self.over or not self.alone:
                return not self.over
        return False

    def _halve(self, groups: list[list[Claimed]]) -> None:
        """The groups in order (the last is the next), until too many were refused alone in a row."""
        while groups and not self.over and self.alone < PROBES:
            refused = self.again(group) if (group := groups.pop()) else []
            if refused:
                middle = len(refused) // 2
                groups += [refused[middle:], refused[:middle]]

    def _refused_whole(self, lote: Sequence[Claimed], answer: LoteRechazado) -> list[Claimed]:
        all_bad = len(answer.errores) == 1 and _ALL_BAD in answer.errores[0]
        if all_bad or (len(lote) == 1 and any(_OF_THE_REQUEST.search(e) for e in answer.errores)):
            self._note([Posted(c, ComprobanteRechazado(answer.detalle, answer.errores)) for c in lote])
            return []
        if len(lote) == 1:
            self._note([Posted(lote[0], answer, dudoso=True)])
            self.alone += 1
            return []
        self.refusal = answer
        return list(lote)

    def _room_for(self, lote: Sequence[Claimed]) -> int:
        """How many of the lote the plan still takes, where that is fewer than all and more than none."""
        left = self.room() if len(lote) > 1 and not self.over else None
        return left if left and 0 < left < len(lote) else 0

    def _note(self, posted: Sequence[Posted]) -> None:
        self.posted += posted
        if any(isinstance(p.outcome, Aceptado | Rechazado) for p in posted):
            self.alone = 0
        self.over = self.over or any(_stops(p.outcome) for p in posted)


def _of(answer: LoteProcesado | NoEnviado | Incierto, claimed: Claimed) -> Outcome:
    if isinstance(answer, LoteProcesado):
        return answer.resultados[claimed.pedido.external_reference]
    return answer


def _guilty(answer: LoteRechazado, lote: Sequence[Claimed]) -> dict[int, str]:
    return {c.orden: c.mensaje for c in answer.culpables if 0 <= c.orden < len(lote)}


def _before(witness: Claimed, left: Sequence[Claimed]) -> bool:
    """Whether the witness would be issued before one that stays behind and should come first."""
    return any(not c.asiento.dudas and c.pedido.listo.fecha < witness.pedido.listo.fecha for c in left)


def _for_good(posted: Posted) -> Posted:
    assert isinstance(posted.outcome, LoteRechazado)  # noqa: S101 - nothing else is in doubt
    return Posted(posted.claimed, ComprobanteRechazado(posted.outcome.detalle, posted.outcome.errores))


def _stops(outcome: Outcome) -> bool:
    """After this no further POST of the lote leaves: the provider is not in a state to be asked for more."""
    return isinstance(outcome, Incierto) or (isinstance(outcome, NoEnviado) and not isinstance(outcome, LoteRechazado))
