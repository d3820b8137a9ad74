"""What the models of `cliente` and `comprobante` have in common."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, ValidationInfo, model_validator

from tusfacturas import fields, tables
from tusfacturas.payload import vacio

if TYPE_CHECKING:
    from collections.abc import Mapping

Fecha = Annotated[date, fields.FECHA]
SiNo = Annotated[str, fields.SI_NO]
Importe = Annotated[Decimal, fields.importe(2)]
# Nothing is documented of the decimals of these rates; padrones have up to four.
Tasa = Annotated[Decimal, fields.importe(4)]
Texto255 = Annotated[str, fields.texto(255)]
CondicionIva = Annotated[str, fields.codigo(tables.CONDICIONES_IVA)]
# 50 characters in the documents of 2024, 20 in those of 2025.
CodigoPropio = Annotated[str, fields.codigo_propio(50)]
PuntoVenta = Annotated[int, fields.entero(1, 99_999)]


@dataclass(frozen=True, slots=True)
class Reglas:
    """What the environment and the cuenta decide.

    `permite_fce`: the documents contradict each other on FCE in the queue. `tolerancia_total`: in the comprobante's
    currency, since the provider's point of rounding is not documented.
    """

    punto_venta: int
    permite_fce: bool = False
    tolerancia_total: Decimal = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Contexto:
    """What the rules need besides the fields before theirs. `tipo` and `fecha` are None when they cannot be read."""

    reglas: Reglas
    crudo: Mapping[str, object]
    tipo: tables.Tipo | None
    fecha: date | None

    @property
    def en_pesos(self) -> bool:
        moneda = self.crudo.get("moneda")
        return vacio(moneda) or (isinstance(moneda, str) and moneda.strip() == "PES")

    @property
    def es_nota(self) -> bool:
        return self.tipo is not None and self.tipo.clase in ("NC", "ND")


def contexto_de(info: ValidationInfo) -> Contexto:
    if not isinstance(info.context, Contexto):
        raise TypeError("the models are read by preparar, which brings what the rules need")
    return info.context


class Bloque(BaseModel):
    # Keys that are not documented pass as they are: the provider adds fields, and the sender asked for them.
    model_config = ConfigDict(extra="allow", hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _sin_vacios(cls, datos: object) -> object:
        """null, blank text, [] and {} in a documented field are as if it were not there."""
        if not isinstance(datos, dict):
            return datos
        campos = cls.model_fields
        return {clave: valor for clave, valor in datos.items() if not (clave in campos and vacio(valor))}
