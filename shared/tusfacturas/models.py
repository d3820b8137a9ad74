"""A comprobante as a sender gives it, checked against the provider's rules, and as the provider is sent it.

The rules are those the provider refuses by, so that a refusal costs nobody a call; where its documents contradict each
other the laxer bound holds, since refusing a valid invoice is worse than letting the provider refuse it. What cannot be
judged here is left to the provider: the letter, the cap for consumidor final, whether FCE is due, the official
cotización, the window of dates.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from tusfacturas import fields, tables
from tusfacturas.bloque import Bloque, Contexto, Reglas
from tusfacturas.cliente import Cliente
from tusfacturas.comprobante import Comprobante
from tusfacturas.fallas import falla, fallas_de
from tusfacturas.fechas import format_fecha
from tusfacturas.payload import depurar, vacio

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from tusfacturas.outcomes import Falla

__all__ = ["Cliente", "Comprobante", "ComprobanteListo", "Reglas", "preparar"]

# Keys the provider removed in 2019 and 2023, which its own example of the lote still carries, at zero.
_HEREDADOS = ("exentos", "nogravados")
_HEREDADOS_POR_PREFIJO = ("percepciones_iva", "percepciones_iibb")


@dataclass(frozen=True, slots=True)
class ComprobanteListo:
    """A comprobante that keeps the rules, and the entry to send.

    `peticion` is `{"cliente": {...}, "comprobante": {...}}` with every safe default: numbers are int or Decimal in
    plain notation, dates dd/mm/aaaa. It never holds credentials; it does hold personal data, so it has no repr.
    """

    external_reference: str
    tipo: str
    fecha: date
    vencimiento: date
    total: Decimal
    peticion: dict[str, object] = field(repr=False)


_M = TypeVar("_M", bound=Bloque)


def preparar(cliente: object, comprobante: object, reglas: Reglas) -> ComprobanteListo | tuple[Falla, ...]:
    """What the provider is sent for `cliente` and `comprobante`, or every fault they have (at least one).

    Any JSON value may come, with Decimal or float for numbers; none makes it raise.
    """
    fallas: list[Falla] = []
    cliente = depurar(cliente, "cliente", fallas)
    comprobante = depurar(comprobante, "comprobante", fallas)
    crudo: dict[str, object] = comprobante if isinstance(comprobante, dict) else {}
    fallas += _sin_heredados(crudo)
    contexto = Contexto(reglas, crudo, _tipo_de(crudo), _fecha_de(crudo))
    quien = _leer(Cliente, cliente, "cliente", contexto, fallas)
    que = _leer(Comprobante, comprobante, "comprobante", contexto, fallas)
    if quien is None or que is None or fallas:
        return tuple(dict.fromkeys(fallas))
    try:
        dias = tables.CONDICIONES_PAGO[quien.condicion_pago].dias
        vencimiento = que.vencimiento or que.fecha + timedelta(days=dias)
    except OverflowError:
        return (falla("fecha_invalida", "comprobante.fecha"),)
    return ComprobanteListo(
        que.external_reference,
        que.tipo,
        que.fecha,
        vencimiento,
        que.total,
        {"cliente": _volcar(quien), "comprobante": _volcar(que.model_copy(update={"vencimiento": vencimiento}))},
    )


def _leer(modelo: type[_M], datos: object, raiz: str, contexto: Contexto, fallas: list[Falla]) -> _M | None:
    if datos is None:
        fallas.append(falla("falta_campo", raiz))
        return None
    try:
        return modelo.model_validate(datos, context=contexto)
    except ValidationError as error:
        fallas.extend(fallas_de(error, raiz))
        return None


def _tipo_de(crudo: Mapping[str, object]) -> tables.Tipo | None:
    tipo = crudo.get("tipo")
    return tables.TIPOS.get(tipo.strip()) if isinstance(tipo, str) else None


def _fecha_de(crudo: Mapping[str, object]) -> date | None:
    try:
        return fields.leer_fecha(crudo.get("fecha"))
    except ValueError:
        return None


def _sin_heredados(crudo: dict[str, object]) -> list[Falla]:
    """Takes out the keys that the provider removed; one that says more than zero is money that would be lost."""
    heredadas = [c for c in crudo if c in _HEREDADOS or c.startswith(_HEREDADOS_POR_PREFIJO)]
    valores = {clave: crudo.pop(clave) for clave in heredadas}
    return [falla("dato_heredado", f"comprobante.{c}") for c, valor in valores.items() if not _es_cero(valor)]


def _es_cero(valor: object) -> bool:
    try:
        return vacio(valor) or not fields.leer_decimal(valor)
    except ValueError:
        return False


def _volcar(valor: object) -> object:
    """A model as plain JSON values: what is absent is left out, keys nobody documented go as they came."""
    if isinstance(valor, BaseModel):
        conocido = {clave: _volcar(v) for clave, v in vars(valor).items() if v is not None}
        return conocido | (valor.model_extra or {})
    if isinstance(valor, list):
        return [_volcar(v) for v in valor]
    return format_fecha(valor) if isinstance(valor, date) else valor
