"""`comprobante`: what is invoiced.

Fields are validated in order, and each rule that spans several hangs from the last of them; what a rule needs from
elsewhere comes in the validation's context, so that one fault does not hide another.
"""

from __future__ import annotations

from datetime import date  # noqa: TC003 - pydantic evaluates the annotations
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, ValidationError, ValidationInfo, field_validator

from tusfacturas import fields, tables
from tusfacturas.bloque import Bloque, CodigoPropio, Fecha, Importe, PuntoVenta, SiNo, Tasa, Texto255, contexto_de
from tusfacturas.fallas import mal
from tusfacturas.payload import vacio
from tusfacturas.totals import Linea, totales_de

if TYPE_CHECKING:
    from collections.abc import Mapping

# The documents require both rubros, which only serve the sender's reports on the platform, and give no default.
RUBRO = "Ventas"
# What a fault says is admitted; the FCE have a fault of their own.
_COMUNES = ", ".join(tipo.texto for tipo in tables.TIPOS.values() if tipo.encolable and not tipo.fce)
_FISCALES = ", ".join(tipo.texto for tipo in tables.TIPOS.values() if tipo.letra)


class _PrecioProducto(Bloque):
    # 2 decimals in the tables of fields, 3 in the page on rounding.
    precio_unitario_sin_iva: Annotated[Decimal, fields.importe(3)]
    alicuota: Annotated[Decimal, fields.ALICUOTA] = Field(description="-1: exento. -2: no gravado. En letra C, 0.")

    @field_validator("alicuota")
    @classmethod
    def _sin_iva_en_c(cls, alicuota: Decimal, info: ValidationInfo) -> Decimal:
        tipo = contexto_de(info).tipo
        if tipo is not None and tipo.letra == "C" and alicuota > 0:
            raise mal("alicuota_en_c")
        return alicuota


class Producto(_PrecioProducto):
    descripcion: Annotated[str, fields.texto_impreso(255, minimo=4)]
    unidad_bulto: Annotated[int, fields.entero(1, 10**9)] = 1
    lista_precios: Annotated[str, fields.texto(255, minimo=4)] = "standard"
    codigo: CodigoPropio = ""
    unidad_medida: Annotated[int, fields.codigo_entero(tables.UNIDADES_MEDIDA)] = 7
    impuestos_internos_alicuota: Tasa = Decimal(0)
    rg5329: SiNo = "N"
    actualiza_precio: SiNo = Field(default="N", validate_default=True, description="Con rg5329 S siempre es S.")

    @field_validator("actualiza_precio")
    @classmethod
    def _con_rg5329(cls, actualiza: str, info: ValidationInfo) -> str:
        return "S" if info.data.get("rg5329") == "S" else actualiza


class _ImporteRenglon(Bloque):
    cantidad: Annotated[Decimal, fields.importe(2, positivo=True)]
    bonificacion_porcentaje: Annotated[Decimal, fields.importe(2, maximo=100)] = Decimal(0)
    producto: _PrecioProducto


class Renglon(_ImporteRenglon):
    afecta_stock: SiNo = "N"
    producto: Producto
    # 100 characters in the documents of 2024, 1000 in those of 2025.
    leyenda: Annotated[str, fields.texto_impreso(1000)] = ""


_REGIMENES = {c: nombre for tributo in tables.TRIBUTOS.values() for c, nombre in tributo.regimenes.items()}


class _TotalTributo(Bloque):
    total: Importe


class Tributo(_TotalTributo):
    tipo: Annotated[int, fields.codigo_entero({c: tributo.nombre for c, tributo in tables.TRIBUTOS.items()})]
    regimen: Annotated[int, fields.codigo_entero(_REGIMENES)]
    base_imponible: Importe
    alicuota: Tasa

    @field_validator("regimen")
    @classmethod
    def _del_tipo(cls, regimen: int, info: ValidationInfo) -> int:
        tipo = info.data.get("tipo")
        if tipo is not None:
            regimenes = tables.TRIBUTOS[str(tipo)].regimenes
            if str(regimen) not in regimenes:
                raise mal("regimen_ajeno", admitidos=", ".join(regimenes))
        return regimen


class Asociado(Bloque):
    tipo_comprobante: Texto255
    punto_venta: PuntoVenta
    numero: Annotated[int, fields.entero(1, 99_999_999)]
    # Listed without saying whether they are required, outside FCE.
    comprobante_fecha: Fecha | None = None
    cuit: Annotated[int, fields.CUIT] | None = Field(default=None, description="La del propio emisor.")

    @field_validator("tipo_comprobante")
    @classmethod
    def _fiscal(cls, texto: str) -> str:
        """A fiscal tipo of the table. There are liquidaciones as well; how they are written is not documented."""
        tipo = tables.TIPOS.get(texto)
        if (tipo is None or tipo.letra is None) and not texto.startswith("LIQUIDACI"):
            raise mal("fuera_de_tabla", admitidos=_FISCALES)
        return texto

    @field_validator("comprobante_fecha")
    @classmethod
    def _no_posterior(cls, fecha: date | None, info: ValidationInfo) -> date | None:
        limite = contexto_de(info).fecha
        if fecha is not None and limite is not None and fecha > limite:
            raise mal("asociado_posterior")
        return fecha


class Periodo(Bloque):
    fecha_desde: Fecha
    fecha_hasta: Fecha

    @field_validator("fecha_hasta")
    @classmethod
    def _en_orden(cls, hasta: date, info: ValidationInfo) -> date:
        if info.data.get("fecha_desde", hasta) > hasta:
            raise mal("periodo_invertido")
        return hasta


class DatoEspecial(Bloque):
    id: Annotated[int, fields.entero(1, 99_999)]
    # «Items with an empty valor are ignored», and the rest is ARCA's to judge.
    valor: Annotated[str, fields.codigo_propio(255)] = ""


class RgEspeciales(Bloque):
    regimen: Texto255
    datos: Annotated[list[DatoEspecial], Field(max_length=130)]


class FormaPago(Bloque):
    descripcion: Texto255
    importe: Importe


class Pagos(Bloque):
    formas_pago: Annotated[list[FormaPago], Field(max_length=130)]
    total: Importe = Field(
        default_factory=lambda datos: sum((forma.importe for forma in datos.get("formas_pago", ())), Decimal(0)),
        description="La suma de las formas de pago, en pesos.",
    )

    @field_validator("total")
    @classmethod
    def _suma(cls, total: Decimal, info: ValidationInfo) -> Decimal:
        formas: list[FormaPago] | None = info.data.get("formas_pago")
        if formas is not None:
            suma = sum((forma.importe for forma in formas), Decimal(0))
            if suma != total:
                raise mal("pagos_no_suman", informado=total, calculado=suma)
        return total


class DatosInformativos(Bloque):
    paga_misma_moneda: SiNo = Field(default="N", description="«S» solo en moneda extranjera.")

    @field_validator("paga_misma_moneda")
    @classmethod
    def _en_moneda_extranjera(cls, misma: str, info: ValidationInfo) -> str:
        if misma == "S" and contexto_de(info).en_pesos:
            raise mal("moneda_extranjera")
        return misma


class _Importes(Bloque):
    """What the total is made of, for when something else in the comprobante is at fault."""

    detalle: list[_ImporteRenglon]
    bonificacion: Importe = Decimal(0)
    tributos: list[_TotalTributo] = Field(default_factory=list)
    impuestos_internos: Importe = Decimal(0)


def _totales(datos: Mapping[str, Any]) -> tuple[Decimal, ...]:
    lineas = [
        Linea(r.cantidad, r.producto.precio_unitario_sin_iva, r.producto.alicuota, r.bonificacion_porcentaje)
        for r in datos["detalle"]
    ]
    return totales_de(
        lineas,
        bonificacion=datos["bonificacion"],
        impuestos_internos=datos["impuestos_internos"],
        tributos=[tributo.total for tributo in datos["tributos"]],
    )


def _total_calculado(datos: dict[str, Any]) -> Decimal:
    """The total of a comprobante that brings none. Any number will do where something it is made of is at fault."""
    return _totales(datos)[0] if _se_suma(datos) else Decimal(1)


def _se_suma(datos: Mapping[str, Any]) -> bool:
    return datos.keys() >= _Importes.model_fields.keys()


class Comprobante(Bloque):
    external_reference: Annotated[str, fields.EXTERNAL_REFERENCE] = Field(
        description="La identidad del comprobante: única por cuenta. Conviene que empiece con una letra."
    )
    tipo: Annotated[str, fields.texto(255)] = Field(
        json_schema_extra={"enum": [tipo.texto for tipo in tables.TIPOS.values() if tipo.encolable]},
        description="Los MiPyME (FCE), solo si la cola está habilitada para ellos.",
    )
    operacion: Annotated[str, fields.OPERACION] = "V"
    idioma: Annotated[int, fields.codigo_entero(tables.IDIOMAS)] = 1
    punto_venta: PuntoVenta = Field(description="El de la cuenta.")
    numero: Annotated[int, fields.NUMERO_CERO] = Field(default=0, description="Lo asigna el proveedor al emitir.")
    fecha: Fecha = Field(description="Cuándo se emite; puede ser futura.")
    vencimiento: Fecha | None = Field(
        default=None, description="No anterior a fecha. Si falta: fecha más los días de condicion_pago."
    )
    periodo_facturado_desde: Fecha | None = None
    periodo_facturado_hasta: Fecha | None = None
    rubro: Texto255 = RUBRO
    rubro_grupo_contable: Texto255 = RUBRO
    moneda: Annotated[str, fields.codigo(tables.MONEDAS)] = "PES"
    cotizacion: Annotated[Decimal, fields.importe(3)] = Field(
        default=Decimal(1), validate_default=True, description="1 en pesos; la oficial en otra moneda."
    )
    detalle: Annotated[list[Renglon], Field(min_length=1, max_length=130)]
    bonificacion: Importe = Field(default=Decimal(0), description="Importe neto sobre el primer subtotal gravado.")
    # 6 in the changelog of 2023, 7 in the reference of 2025.
    tributos: Annotated[list[Tributo], Field(max_length=7)] = Field(default_factory=list)
    impuestos_internos: Importe = Decimal(0)
    impuestos_internos_base: Importe = Decimal(0)
    impuestos_internos_alicuota: Tasa = Decimal(0)
    total: Annotated[Decimal, fields.TOTAL] = Field(
        default_factory=_total_calculado,
        validate_default=True,
        description="Si falta, el que dan los renglones; si está, debe coincidir.",
    )
    leyenda_gral: Annotated[str, fields.texto_impreso(500)] = ""
    comentario: Texto255 = ""
    tags: Annotated[list[Texto255], Field(max_length=50)] = Field(default_factory=list)
    comprobantes_asociados_periodo: Periodo | None = None
    comprobantes_asociados: Annotated[list[Asociado], Field(max_length=10)] | None = Field(
        default=None,
        validate_default=True,
        description="En notas de crédito y de débito: estos, o comprobantes_asociados_periodo.",
    )
    rg_especiales: RgEspeciales | None = Field(
        default=None, validate_default=True, description="Obligatorio en MiPyME (FCE)."
    )
    pagos: Pagos | None = Field(default=None, description="En pesos; no más que el total.")
    datos_informativos: DatosInformativos = Field(default_factory=DatosInformativos)
    abono: SiNo | None = None
    abono_hasta: Annotated[str, fields.MES] | None = None
    abono_actualiza_precios: SiNo | None = None

    @field_validator("tipo")
    @classmethod
    def _encolable(cls, texto: str, info: ValidationInfo) -> str:
        tipo = tables.TIPOS.get(texto)
        if tipo is None:
            raise mal("fuera_de_tabla", admitidos=_COMUNES)
        # «NO VALIDA EN AFIP» is queueable in the tables of 2025 and excluded by the questions on the queue: excluded.
        if not tipo.encolable:
            raise mal("tipo_no_encolable")
        if tipo.fce and not contexto_de(info).reglas.permite_fce:
            raise mal("fce_no_habilitada")
        return texto

    @field_validator("punto_venta")
    @classmethod
    def _de_la_cuenta(cls, punto_venta: int, info: ValidationInfo) -> int:
        reglas = contexto_de(info).reglas
        if punto_venta != reglas.punto_venta:
            raise mal("punto_venta_ajeno", punto_venta=reglas.punto_venta)
        return punto_venta

    @field_validator("vencimiento")
    @classmethod
    def _no_anterior(cls, vencimiento: date | None, info: ValidationInfo) -> date | None:
        fecha = info.data.get("fecha")
        if vencimiento is not None and fecha is not None and vencimiento < fecha:
            raise mal("vencimiento_anterior")
        return vencimiento

    @field_validator("periodo_facturado_hasta")
    @classmethod
    def _en_orden(cls, hasta: date | None, info: ValidationInfo) -> date | None:
        desde = info.data.get("periodo_facturado_desde")
        if hasta is not None and desde is not None and desde > hasta:
            raise mal("periodo_invertido")
        return hasta

    @field_validator("cotizacion")
    @classmethod
    def _de_la_moneda(cls, cotizacion: Decimal, info: ValidationInfo) -> Decimal:
        moneda = info.data.get("moneda")
        if moneda == "PES" and cotizacion != 1:
            raise mal("cotizacion_en_pesos")
        falta = not cotizacion or vacio(contexto_de(info).crudo.get("cotizacion"))
        if moneda is not None and moneda != "PES" and falta:
            raise mal("falta_cotizacion")
        return cotizacion

    @field_validator("total")
    @classmethod
    def _coincide(cls, total: Decimal, info: ValidationInfo) -> Decimal:
        contexto = contexto_de(info)
        datos = info.data
        if vacio(contexto.crudo.get("total")):
            return total
        if not _se_suma(datos):
            try:
                datos = vars(_Importes.model_validate(contexto.crudo, context=contexto))
            except ValidationError:  # what cannot be added up is at fault itself, and listed
                return total
        posibles = _totales(datos)
        if all(abs(total - posible) > contexto.reglas.tolerancia_total for posible in posibles):
            raise mal("total_no_coincide", informado=total, calculado=posibles[0])
        redondo = fields.redondear(total, 2)
        if not redondo:
            raise mal("numero_no_positivo")
        return redondo

    @field_validator("comprobantes_asociados")
    @classmethod
    def _de_nota(cls, asociados: list[Asociado] | None, info: ValidationInfo) -> list[Asociado] | None:
        contexto = contexto_de(info)
        if asociados is None and contexto.es_nota and vacio(contexto.crudo.get("comprobantes_asociados_periodo")):
            raise mal("faltan_asociados")
        return asociados

    @field_validator("rg_especiales")
    @classmethod
    def _de_fce(cls, especiales: RgEspeciales | None, info: ValidationInfo) -> RgEspeciales | None:
        tipo = contexto_de(info).tipo
        if especiales is None and tipo is not None and tipo.fce:
            raise mal("falta_rg_especiales")
        return especiales

    @field_validator("pagos")
    @classmethod
    def _hasta_el_total(cls, pagos: Pagos | None, info: ValidationInfo) -> Pagos | None:
        if pagos is not None and "total" in info.data and "cotizacion" in info.data:
            en_pesos = info.data["total"] * info.data["cotizacion"]
            if pagos.total > fields.redondear(en_pesos, 2):
                raise mal("pagos_exceden")
        return pagos
