"""`cliente`: who is invoiced."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from tusfacturas import fields, tables
from tusfacturas.bloque import Bloque, CodigoPropio, CondicionIva, SiNo, Texto255
from tusfacturas.fallas import mal


class Cliente(Bloque):
    documento_tipo: Annotated[str, fields.codigo(dict.fromkeys(tables.DOCUMENTOS, ""))]
    documento_nro: Annotated[str, fields.DIGITOS] = Field(
        description="Solo dígitos: 11 en CUIT, CUIL y CDI. «0» con OTRO: consumidor final sin identificar."
    )
    razon_social: Annotated[str, fields.texto(255, minimo=1)]
    domicilio: Annotated[str, fields.texto(255, minimo=1)]
    provincia: Annotated[str, fields.codigo_numerico(tables.PROVINCIAS)]
    envia_por_mail: SiNo = "N"
    condicion_pago: Annotated[
        str, fields.codigo_numerico({c: pago.nombre for c, pago in tables.CONDICIONES_PAGO.items()})
    ]
    condicion_pago_otra: Annotated[str, fields.texto(100)] | None = Field(
        default=None, validate_default=True, description="Obligatorio con condicion_pago 214."
    )
    condicion_iva: CondicionIva
    condicion_iva_operacion: CondicionIva = Field(
        default_factory=lambda datos: datos.get("condicion_iva", ""), description="Si falta, la misma condicion_iva."
    )
    email: Annotated[str, fields.EMAILS] | None = Field(default=None, description="Hasta 15, separadas por coma.")
    codigo: CodigoPropio | None = Field(
        default=None, description="El proveedor actualiza con estos datos el cliente que ya tenga este código."
    )
    rg5329: SiNo = "N"
    # Unless it is N the platform may mail reminders of debt to the client.
    reclama_deuda: SiNo = "N"
    nombre_fantasia: Texto255 | None = None

    @field_validator("documento_nro")
    @classmethod
    def _documento(cls, numero: str, info: ValidationInfo) -> str:
        tipo = info.data.get("documento_tipo")
        if tipo is not None:
            if tipo != "OTRO" and not numero.strip("0"):
                raise mal("documento_sin_identificar")
            digitos = tables.DOCUMENTOS[tipo]
            if digitos is not None and len(numero) != digitos:
                raise mal("documento_invalido", digitos=digitos)
        return numero

    @field_validator("condicion_pago_otra")
    @classmethod
    def _otra(cls, otra: str | None, info: ValidationInfo) -> str | None:
        if otra is None and info.data.get("condicion_pago") == "214":
            raise mal("condicion_pago_sin_detalle")
        return otra
