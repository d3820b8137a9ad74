"""Replaying the stored hooks: whether the ledger says what they amount to, and putting it right where it does not.

Every hook is kept as it came, so whatever went wrong behind the table's stream can be made up for. A difference is not
always a fault: while the stream is behind, the newest hook is one. What our own POSTs and questions brought is the
base, and not in question: a hook that was lost on its way to us is the reconciliation's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from facturacion.estado import Estado, Hook, fold, speaks
from facturacion.folding import Stored, causas_of, fold_and_tell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from facturacion.asiento import Asiento
    from facturacion.events import Bus
    from facturacion.ledger import Ledger


class Diferencia(NamedTuple):
    """The ledger does not say what the stored hooks amount to. `en_libro`: None where it says nothing at all."""

    cuenta: str
    external_reference: str
    en_libro: Estado | None
    segun_hooks: Estado
    hooks: tuple[Hook, ...]

    def __str__(self) -> str:
        libro = self.en_libro or "nada"
        eventos = ", ".join(f"{h.evento} {h.hook_id}" for h in self.hooks)
        return (
            f"{self.cuenta} {self.external_reference}: el libro dice {libro}, sus hooks {self.segun_hooks} ({eventos})"
        )


def differences(cuenta: str, references: Iterable[str], ledger: Ledger) -> Iterator[Diferencia]:
    """The dry run: reads only."""
    for reference in references:
        found = _difference(cuenta, reference, ledger)
        if found:
            yield found


def _difference(cuenta: str, reference: str, ledger: Ledger) -> Diferencia | None:
    # The hooks first: one that is stored and folded between the two reads is no difference.
    hooks = tuple(hook for hook in ledger.hooks(cuenta, reference) if speaks(hook))
    asiento = ledger.get(cuenta, reference)
    if asiento is None:
        # Of a reference that nobody claimed, the first hook opens a review.
        folded = fold(Estado.EN_REVISION, 0, frozenset(), hooks).estado
        return Diferencia(cuenta, reference, None, folded, hooks) if hooks else None
    folded = fold(asiento.estado, asiento.previos, asiento.vistos, hooks).estado
    return None if folded is asiento.estado else Diferencia(cuenta, reference, asiento.estado, folded, hooks)


def replay(diferencia: Diferencia, *, ledger: Ledger, bus: Bus, at: datetime) -> Asiento | None:
    """Fold every stored hook again, by the same conditional writes and with the same events as when it came.

    Steps: each hook folded, then told. A crash between them leaves the rest to the next replay: whatever was folded
    finds itself folded. What it owes besides (a CAE) is fetched by the next reconciliation, which is called for last.
    """
    cuenta, reference = diferencia.cuenta, diferencia.external_reference
    asiento = None
    for hook, words in ledger.hooks_with_words(cuenta, reference):
        stored = Stored(cuenta, reference, hook.hook_id, hook.evento, causas_of(words))
        asiento = fold_and_tell(stored, ledger=ledger, bus=bus, at=at)
    ledger.owe_contrast(cuenta)
    return asiento
