"""What would become of each message of a file, before anything is sent. Pure: the same rules that pack_lotes keeps.

What only the provider or the ledger knows stays unsaid: whether the cuenta exists, whether a reference was used
before, and what the provider refuses by itself (letra, topes, ventana de fechas).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from facturacion.cola import MESSAGE_MAX_BYTES, PROHIBIDO
from facturacion.mensaje import Ininteligible, Mensaje, leer, revisar, sin_credenciales
from tusfacturas.models import Reglas
from tusfacturas.outcomes import Falla

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from operate.upstream.reading import Texto

_OPENS = re.compile(r"\{[ \t\r\n]*")


@dataclass(frozen=True, slots=True)
class Terms:
    """What a cuenta and the stack decide. `punto_venta`: None where it is not known; then it is not looked at."""

    cuenta: str | None
    punto_venta: int | None
    permite_fce: bool
    tolerancia_total: Decimal


@dataclass(frozen=True, slots=True)
class Revisado:
    """One message: `cuerpo` is what would be put on the queue. Without `fallas` nothing here would refuse it.

    `ininteligible`: nobody could be answered; the message would end in the rejected queue. `repite`: where the same
    comprobante stands already; a second one is recognized and does no harm.
    """

    lugar: str
    cuerpo: str
    mensaje: Mensaje | None
    fallas: tuple[Falla, ...]
    repite: str | None = None

    @property
    def ininteligible(self) -> bool:
        return self.mensaje is None


def check(textos: Iterable[Texto], terms: Terms) -> list[Revisado]:
    """Each by itself, and two with one reference against each other."""
    seen: dict[tuple[str, str], Revisado] = {}
    return [_among(_one(texto, terms), seen) for texto in textos]


def _among(revisado: Revisado, seen: dict[tuple[str, str], Revisado]) -> Revisado:
    mensaje = revisado.mensaje
    if mensaje is None:
        return revisado
    before = seen.setdefault((mensaje.cuenta, mensaje.external_reference), revisado)
    if before is revisado or before.mensaje is None:
        return revisado
    if before.mensaje.hash == mensaje.hash:
        return Revisado(revisado.lugar, revisado.cuerpo, mensaje, revisado.fallas, repite=before.lugar)
    falla = Falla(
        "conflicto_de_contenido",
        "comprobante.external_reference",
        f"La misma referencia está en la {before.lugar} con otro contenido.",
    )
    return Revisado(revisado.lugar, revisado.cuerpo, mensaje, (*revisado.fallas, falla))


def _one(texto: Texto, terms: Terms) -> Revisado:
    cuerpo = _body(texto.texto, terms.cuenta)
    mensaje = leer(cuerpo, cuenta_por_defecto=None)
    if isinstance(mensaje, Ininteligible):
        return Revisado(texto.lugar, cuerpo, None, (Falla(mensaje.codigo, "", mensaje.mensaje),))
    listo = revisar(mensaje, _rules(mensaje, terms))
    fallas = listo if isinstance(listo, tuple) else ()
    if len(cuerpo.encode()) > MESSAGE_MAX_BYTES:
        fallas += (Falla("mensaje_largo", "", "El mensaje pasa de 1 MiB, que es lo que admite la cola."),)
    return Revisado(texto.lugar, cuerpo, mensaje, fallas)


def _body(texto: str, cuenta: str | None) -> str:
    """As it goes on the queue: with its cuenta, and without credentials, which have no business there."""
    unnamed = leer(texto, cuenta_por_defecto=None)
    if cuenta and isinstance(unnamed, Ininteligible) and unnamed.codigo == "falta_cuenta":
        texto = _OPENS.sub(f'{{"cuenta": {json.dumps(cuenta)}, ', texto, count=1)
    return PROHIBIDO.sub(lambda odd: f"\\u{ord(odd[0]):04x}", sin_credenciales(texto))


def _rules(mensaje: Mensaje, terms: Terms) -> Reglas:
    return Reglas(
        punto_venta=_own(mensaje) if terms.punto_venta is None else terms.punto_venta,
        permite_fce=terms.permite_fce,
        tolerancia_total=terms.tolerancia_total,
    )


def _own(mensaje: Mensaje) -> int:
    """The punto de venta that the message names; where it names none that is a number, any will do."""
    named = str(mensaje.comprobante.get("punto_venta", "")).strip()
    return int(named) if named.isascii() and named.isdigit() and len(named) <= 5 else 1
