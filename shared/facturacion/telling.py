"""Telling the company what an asiento says: publish its event, then note that it is out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facturacion.estado import Estado
from facturacion.events import FINALES, event_for

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from facturacion.asiento import Asiento, Causa
    from facturacion.events import Bus
    from facturacion.ledger import Ledger


def tell(
    asientos: Sequence[tuple[Asiento, Sequence[Causa] | None]],
    *,
    ledger: Ledger,
    bus: Bus,
    at: datetime,
) -> list[bool]:
    """Whether each may be taken as told, in order. `causas` replaces the asiento's own where known whole.
    Of a deletion of ours they are read where nobody knows them: its hook, or the reconciliation, may be what tells it.

    A state with nothing to tell counts as told: whoever gives it something to tell tells it. A crash after publishing
    leaves `evento_pendiente`, and the comprobante in the index of what is open: it is published again, with the same
    `evento_id`, by whoever meets it next (its message, its hook, the reconciliation).
    """
    eventos = [
        (n, event_for(asiento, _whole(asiento, ledger) if causas is None else causas))
        for n, (asiento, causas) in enumerate(asientos)
    ]
    owed = [(n, evento) for n, evento in eventos if evento is not None]
    told = [True] * len(asientos)
    for (n, _), taken in zip(owed, bus.publish([evento for _, evento in owed], at=at), strict=True):
        asiento = asientos[n][0]
        told[n] = taken
        if taken and asiento.evento_pendiente:
            # Refused when the state moved meanwhile: it then owes another event, and this one is out all the same.
            ledger.published(asiento, closes=asiento.estado in FINALES)
    return told


def _whole(asiento: Asiento, ledger: Ledger) -> Sequence[Causa] | None:
    """The reasons that our own deletion had; None where the asiento's own will do."""
    if asiento.estado is not Estado.ELIMINADO or not asiento.borrado_pedido:
        return None
    return ledger.reasons_of_deletion(asiento) or None
