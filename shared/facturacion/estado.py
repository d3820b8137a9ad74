"""The states of a comprobante and the fold of its hooks. Pure: no clock, no order of delivery, no AWS.

Hooks alone cannot decide the state: `creado` has a grain of one second, may be the time of sending, and a repeat may
carry a new id. So the state is a fold over a *base* (our own last record: a claim, an answer, a query, an action) and
the hooks stored since. `vistos`, the ids already accounted for when the base was written, is the epoch: there is no
clock and no order in it, and any permutation of the same hooks gives the same state.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet


class Estado(StrEnum):
    """What the ledger knows of a comprobante."""

    ENVIANDO = "ENVIANDO"
    """Claimed; the POST of its lote is in flight (written before the POST)."""
    INCIERTO = "INCIERTO"
    """The POST ended without a trustworthy answer."""
    PENDIENTE = "PENDIENTE"
    """Known not to be at the provider; the queue will bring it again."""
    ENVIADO = "ENVIADO"
    """The provider accepted it in its answer."""
    ENCOLADO = "ENCOLADO"
    """In the provider's queue, by hook or by query."""
    EMITIDO = "EMITIDO"
    """Issued. Absorbing."""
    ERROR = "ERROR"
    """In the provider's queue, marked with error; being resolved."""
    EN_REVISION = "EN_REVISION"
    """A person must decide."""
    RECHAZADO = "RECHAZADO"
    """Refused, never entered the queue: the same reference may be claimed again with corrected content."""
    ELIMINADO = "ELIMINADO"
    """Deleted from the provider's queue. Terminal: a correction takes a new reference (`reemplaza`)."""


EN_VUELO = frozenset({Estado.ENVIANDO, Estado.INCIERTO})
"""A POST may have left and its effect is not known."""

CONOCIDO = frozenset(
    {Estado.ENVIADO, Estado.ENCOLADO, Estado.EMITIDO, Estado.ERROR, Estado.RECHAZADO, Estado.ELIMINADO},
)
"""The effect of the message is certain: the message may be acknowledged."""


class Hook(NamedTuple):
    """A stored hook, as far as the fold looks at it."""

    hook_id: str
    evento: str


class Plegado(NamedTuple):
    """The folded state, and whether the hooks are a reason to ask the provider."""

    estado: Estado
    preguntar: bool


_RANGO = {"encolado": 1, "cambio_fecha": 1, "error": 2, "eliminado": 3, "emitido": 4}


def speaks(hook: Hook) -> bool:
    """Whether the hook says anything of a comprobante: a `test`, or an evento nobody knows, does not."""
    return hook.evento in _RANGO


def fold(base: Estado, previos: int, vistos: AbstractSet[str], hooks: Iterable[Hook]) -> Plegado:
    """The state that the base and the stored hooks amount to.

    `previos` counts earlier attempts that may still send hooks: while it is not 0, a hook cannot be told from a late
    one of an earlier attempt, so it moves nothing that is in flight and is only a reason to ask. An `emitido` always
    counts, seen or not: there is no way back from a legal invoice. Unknown eventos move nothing.
    """
    hooks = tuple(hooks)
    if base is Estado.EMITIDO or any(h.evento == "emitido" for h in hooks):
        return Plegado(Estado.EMITIDO, preguntar=False)
    if base is Estado.ELIMINADO:
        return Plegado(base, preguntar=False)
    live = {_RANGO[h.evento] for h in hooks if speaks(h) and h.hook_id not in vistos}
    rango = max(live, default=0)
    if base is Estado.RECHAZADO:
        # A refused entry may be told by hook as well (the provider's pages disagree): its error is expected.
        return Plegado(base, preguntar=not live.isdisjoint({1, 3}))
    if base is Estado.EN_REVISION and not (rango == 3 and not previos):
        # A person was asked; short of an issue or a deletion, no hook takes that back.
        return Plegado(base, preguntar=rango > 0)
    if previos and base in {Estado.ENVIANDO, Estado.INCIERTO, Estado.PENDIENTE}:
        return Plegado(base, preguntar=rango > 0)
    match rango:
        case 3 if previos:
            return Plegado(Estado.ERROR, preguntar=True)
        case 3:
            return Plegado(Estado.ELIMINADO, preguntar=False)
        case 2:
            return Plegado(Estado.ERROR, preguntar=True)
        case 1 if base is Estado.ERROR:
            return Plegado(base, preguntar=True)
        case 1:
            return Plegado(Estado.ENCOLADO, preguntar=False)
        case _:
            return Plegado(base, preguntar=False)
