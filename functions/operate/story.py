"""One comprobante's whole story, plain: what was kept of it, in the order in which it came to us."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from facturacion.ledger import words_of
from facturacion.tiempo import to_iso
from operate.fields import PedidoInvalido
from operate.listing import row

if TYPE_CHECKING:
    from facturacion.asiento import Asiento
    from facturacion.ledger import Linea
    from operate.listing import World
    from operate.requests import Ver

_OF_AN_ACTION = (
    "accion",
    "quien",
    "motivo",
    "solicitud",
    "fecha",
    "vencimiento",
    "resultado",
    "detalle",
    "terminada",
)


def tell_story(world: World, asked: Ver) -> dict[str, Any]:
    """Raises PedidoInvalido for a reference of which nothing is kept."""
    asiento, lineas = world.ledger.timeline(asked.cuenta, asked.external_reference)
    if asiento is None and not lineas:
        raise PedidoInvalido("NoExiste", "No hay nada con esa referencia en esa cuenta.")
    return {
        "cuenta": asked.cuenta,
        "external_reference": asked.external_reference,
        "asiento": _asiento(asiento, world) if asiento else None,
        "historia": [_line(linea) for linea in lineas],
    }


def _asiento(asiento: Asiento, world: World) -> dict[str, Any]:
    emitido = {
        "cae": asiento.cae,
        "numero": asiento.numero,
        "cae_vencimiento": asiento.cae_vencimiento.isoformat() if asiento.cae_vencimiento else None,
        "pdf": asiento.pdf,
    }
    return {
        **row(asiento, world.clock()),
        "creado": to_iso(asiento.creado) if asiento.creado else None,
        "vencimiento": asiento.datos.vencimiento.isoformat() if asiento.datos.vencimiento else None,
        "lote_id": asiento.lote_id,
        "reenvios": asiento.reenvios,
        "cambios_fecha": asiento.cambios_fecha,
        "previos": asiento.previos,
        "reemplaza": asiento.reemplaza,
        "reemplazado_por": asiento.reemplazado_por,
        **emitido,
    }


def _line(linea: Linea) -> dict[str, Any]:
    """`creado` of a hook is what the provider wrote: shown, never used."""
    said = {"clase": linea.clase.lower(), "instante": to_iso(linea.instante)}
    if linea.clase == "HOOK":
        mensajes = words_of(linea.datos)
        return {**said, "evento": linea.datos["evento"], "creado": linea.datos["creado"], "mensajes": list(mensajes)}
    return said | {name: linea.datos[name] for name in _OF_AN_ACTION if name in linea.datos}
