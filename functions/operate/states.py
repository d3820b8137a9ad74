"""Where each cuenta stands: its pause, its door, what is open of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from facturacion.ledger.pausas import longest
from facturacion.tiempo import to_iso
from operate.pausing import pausa_row

if TYPE_CHECKING:
    from facturacion.ledger import Pausa
    from operate.listing import World
    from operate.requests import Cuentas, Pruebas


def tell_cuentas(world: World, asked: Cuentas) -> dict[str, Any]:
    """Every cuenta that was ever seen or is paused, or the one that was asked for."""
    pausas = world.ledger.pausas()
    known = {p.cuenta for p in world.ledger.pulses()}
    every = sorted(known | {p.cuenta for p in pausas if p.cuenta})
    named = [asked.cuenta] if asked.cuenta else every
    return {
        "cuentas": [_row(world, cuenta, pausas, known=cuenta in known) for cuenta in named],
        "pausas": [pausa_row(p) for p in pausas],
        "ahora": to_iso(world.clock()),
    }


def tell_tests(world: World, asked: Pruebas) -> dict[str, Any]:
    """Which hooks of no comprobante came since then, and with which token (`huella`)."""
    hooks = world.ledger.hooks_of_nobody(asked.cuenta, asked.desde) if asked.desde else []
    return {
        "ahora": to_iso(world.clock()),
        "hooks": [{"evento": h["evento"], "recibido": h["recibido"], "huella": h.get("huella")} for h in hooks],
    }


def _row(world: World, cuenta: str, pausas: list[Pausa], *, known: bool) -> dict[str, Any]:
    """`puerta`: why nothing leaves, as it was last seen; None where nothing holds it."""
    pausa = longest(cuenta, pausas)
    puerta = world.ledger.puerta(cuenta) if known else None
    held = None
    if puerta and puerta.sin_reconstruir:
        held = "SinReconstruir"
    elif puerta and (puerta.incierta or (puerta.cerrada_hasta and world.clock() < puerta.cerrada_hasta)):
        held = puerta.motivo
    return {
        "cuenta": cuenta,
        "conocida": known,
        "abiertos": sum(1 for _ in world.ledger.open_references(cuenta)),
        "pausa": pausa_row(pausa) if pausa else None,
        "puerta": held,
        "hasta": to_iso(puerta.cerrada_hasta) if held and puerta and puerta.cerrada_hasta else None,
    }
