"""Where each cuenta stands: its pause, its door, what is open of it, and whether it went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from facturacion.ledger.pausas import longest
from facturacion.tiempo import to_iso
from operate.fields import PedidoInvalido
from operate.pausing import pausa_row

if TYPE_CHECKING:
    from facturacion.ledger import Pausa, Pulso
    from operate.listing import World
    from operate.requests import Cuentas, Pruebas, Retirar


def tell_cuentas(world: World, asked: Cuentas) -> dict[str, Any]:
    """Every cuenta that was ever seen or is paused, or the one that was asked for."""
    pausas = world.ledger.pausas()
    pulses = {p.cuenta: p for p in world.ledger.pulses()}
    every = sorted({*pulses, *(p.cuenta for p in pausas if p.cuenta)})
    named = [asked.cuenta] if asked.cuenta else every
    return {
        "cuentas": [_row(world, cuenta, pausas, pulses.get(cuenta)) for cuenta in named],
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


def mark_retired(world: World, asked: Retirar) -> dict[str, Any]:
    """That a cuenta went, or is back: one write, the same again if it is asked again. Raises PedidoInvalido."""
    pulso = next((p for p in world.ledger.pulses() if p.cuenta == asked.cuenta), None)
    if asked.retirada and any(world.ledger.open_references(asked.cuenta)):
        raise PedidoInvalido("TieneAbiertos", f"De {asked.cuenta} hay comprobantes sin terminar.")
    if pulso and pulso.retirada is not asked.retirada:
        world.ledger.mark_retired(asked.cuenta, retired=asked.retirada)
        what = "cuenta_retirada" if asked.retirada else "cuenta_recuperada"
        world.logger.warning(what, extra={"cuenta": asked.cuenta, "solicitud": world.solicitud})
    return {"cuenta": asked.cuenta, "retirada": asked.retirada and pulso is not None}


def _row(world: World, cuenta: str, pausas: list[Pausa], pulso: Pulso | None) -> dict[str, Any]:
    """`puerta`: why nothing leaves, as it was last seen; None where nothing holds it."""
    pausa = longest(cuenta, pausas)
    puerta = world.ledger.puerta(cuenta) if pulso else None
    held = None
    if puerta and puerta.sin_reconstruir:
        held = "SinReconstruir"
    elif puerta and (puerta.incierta or (puerta.cerrada_hasta and world.clock() < puerta.cerrada_hasta)):
        held = puerta.motivo
    return {
        "cuenta": cuenta,
        "conocida": pulso is not None,
        "retirada": pulso is not None and pulso.retirada,
        "abiertos": sum(1 for _ in world.ledger.open_references(cuenta)),
        "pausa": pausa_row(pausa) if pausa else None,
        "puerta": held,
        "hasta": to_iso(puerta.cerrada_hasta) if held and puerta and puerta.cerrada_hasta else None,
    }
