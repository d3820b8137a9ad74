"""One claimed lote at the provider, whatever it answers: partial acceptance, both refusal forms, nothing at all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from tusfacturas.outcomes import (
    Aceptado,
    ComprobanteRechazado,
    Incierto,
    LoteProcesado,
    LoteRechazado,
    NoEnviado,
    Rechazado,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from facturacion.asiento import Asiento
    from pack_lotes.packing import Pedido

Outcome: TypeAlias = Aceptado | Rechazado | Incierto | NoEnviado

_OF_THE_REQUEST = re.compile(r"\b(el|este) request\b", re.IGNORECASE)
"""The provider's words for one entry: a refusal that has them is not of the cuenta."""
_ALL_BAD = "errores en todos sus requests"
"""Its words for a lote of which it refused every entry; beside other words those are the reason."""


class Claimed(NamedTuple):
    """A pedido whose claim is ours."""

    pedido: Pedido
    asiento: Asiento


class Posted(NamedTuple):
    """What became of one claimed pedido."""

    claimed: Claimed
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class _Attempt:
    """The ways out: `send` POSTs; `renew` lengthens the claims before a further POST, and gives those that hold."""

    send: Callable[[Sequence[Pedido]], LoteProcesado | NoEnviado | Incierto]
    renew: Callable[[Sequence[Claimed]], list[Claimed]]


def post(
    lote: Sequence[Claimed],
    *,
    send: Callable[[Sequence[Pedido]], LoteProcesado | NoEnviado | Incierto],
    renew: Callable[[Sequence[Claimed]], list[Claimed]],
) -> list[Posted]:
    """POST the lote, and again without those that made the provider refuse it whole.

    A whole refusal is definite, so what it held back may be sent: without the entries it points at, or in halves where
    it points at none. A claim that `renew` does not give back has no outcome here: something else happened to it.

    A comprobante that is refused alone, in words that do not name it, is refused for good only if another one of this
    lote was accepted *after* it: else the refusal may be of the cuenta (a quota that just ended), and it waits.
    """
    posted = _post(lote, _Attempt(send, renew))
    last_accepted = max((n for n, p in enumerate(posted) if isinstance(p.outcome, Aceptado)), default=-1)
    return [Posted(p.claimed, _of_one(p.outcome, works=n < last_accepted)) for n, p in enumerate(posted)]


def _of_one(outcome: Outcome, *, works: bool) -> Outcome:
    if isinstance(outcome, LoteRechazado) and (works or _of_the_entries(outcome.errores)):
        return ComprobanteRechazado(outcome.detalle, outcome.errores)
    return outcome


def _of_the_entries(errores: Sequence[str]) -> bool:
    return any(_OF_THE_REQUEST.search(e) for e in errores) or (len(errores) == 1 and _ALL_BAD in errores[0])


def _post(lote: Sequence[Claimed], attempt: _Attempt) -> list[Posted]:
    answer = attempt.send([c.pedido for c in lote])
    match answer:
        case LoteProcesado():
            return [Posted(c, answer.resultados[c.pedido.external_reference]) for c in lote]
        case LoteRechazado() if words := _guilty(answer, lote):
            refused = [
                Posted(c, ComprobanteRechazado(answer.detalle, (words[n],))) for n, c in enumerate(lote) if n in words
            ]
            rest = [c for n, c in enumerate(lote) if n not in words]
            return refused + _post_again(rest, attempt)
        case LoteRechazado() if len(lote) > 1:
            middle = len(lote) // 2
            left = _post_again(lote[:middle], attempt)
            if any(_stops(p.outcome) for p in left):
                held = NoEnviado("no se envió: TusFacturas dejó de responder a mitad del lote")
                return left + [Posted(c, held) for c in lote[middle:]]
            return left + _post_again(lote[middle:], attempt)
        case _:
            return [Posted(c, answer) for c in lote]


def _guilty(answer: LoteRechazado, lote: Sequence[Claimed]) -> dict[int, str]:
    return {c.orden: c.mensaje for c in answer.culpables if 0 <= c.orden < len(lote)}


def _post_again(lote: Sequence[Claimed], attempt: _Attempt) -> list[Posted]:
    held = attempt.renew(lote) if lote else []
    return _post(held, attempt) if held else []


def _stops(outcome: Outcome) -> bool:
    """After this no further POST of the lote leaves: the provider is not in a state to be asked for more."""
    return isinstance(outcome, Incierto) or (isinstance(outcome, NoEnviado) and not isinstance(outcome, LoteRechazado))
