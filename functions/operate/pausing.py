"""Pausing and resuming: one conditional write each. A crash leaves it done or not done; pressed twice it acts once.

What a pause means: no lote is begun and no error is resent, dated or deleted, by itself or by a decision, which waits.
What had left goes on, and so does everything that only listens or asks: hooks, the contrast, the daily close. What the
provider has in its queue already it issues.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from facturacion.accion import Autor
from facturacion.ledger.pausas import SEGURA
from facturacion.tiempo import to_iso
from operate.fields import PedidoInvalido

if TYPE_CHECKING:
    from facturacion.ledger import Pausa
    from operate.listing import World
    from operate.requests import Pausar, Reanudar


def pause(world: World, asked: Pausar) -> dict[str, Any]:
    """`mas_larga`: somebody paused it for longer than is asked now, and that holds."""
    autor = Autor(asked.quien, asked.motivo, world.solicitud)
    until = world.clock() + asked.dura if asked.dura else None
    pausa, begun = world.ledger.pause(asked.cuenta, autor, until=until, shorten=asked.acortar)
    _log(world, "pausada", asked.cuenta)
    known = asked.cuenta is None or any(p.cuenta == asked.cuenta for p in world.ledger.pulses())
    longer = until is not None and (pausa.hasta is None or pausa.hasta > until)
    return {"pausa": pausa_row(pausa), "nueva": begun, "mas_larga": longer, "conocida": known}


def resume(world: World, asked: Reanudar) -> dict[str, Any]:
    """`pausas`: those that still hold. Raises PedidoInvalido where none held, or another one does."""
    pausa = world.ledger.resume(asked.cuenta, Autor(asked.quien, asked.motivo, world.solicitud))
    left = world.ledger.pausas()
    if pausa is None:
        raise _not_paused(asked.cuenta, left)
    _log(world, "reanudada", asked.cuenta)
    return {"pausa": pausa_row(pausa), "pausas": [pausa_row(p) for p in left]}


def _not_paused(cuenta: str | None, left: list[Pausa]) -> PedidoInvalido:
    if cuenta and any(p.cuenta is None for p in left):
        return PedidoInvalido("PausaGeneral", f"La pausa no es de {cuenta}: es de todas. Se reanuda con --todas.")
    others = ", ".join(p.cuenta for p in left if p.cuenta)
    said = f" Lo están: {others}." if others else ""
    what = f"La cuenta {cuenta} no está" if cuenta else "Todas juntas no están"
    return PedidoInvalido("NoEstaEnPausa", f"{what} en pausa.{said}")


def pausa_row(pausa: Pausa) -> dict[str, Any]:
    """`segura_hasta`: until then what waits has used at most half of the receives that the queue gives it."""
    return {
        "cuenta": pausa.cuenta,
        "desde": to_iso(pausa.desde),
        "hasta": to_iso(pausa.hasta) if pausa.hasta else None,
        "segura_hasta": to_iso(pausa.desde + SEGURA),
        "quien": pausa.autor.quien,
        "motivo": pausa.autor.motivo,
    }


def _log(world: World, what: str, cuenta: str | None) -> None:
    world.logger.warning(what, extra={"cuenta": cuenta or "todas", "solicitud": world.solicitud})
