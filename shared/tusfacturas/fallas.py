"""What is said of a comprobante that breaks the provider's rules: stable codes and their Spanish."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic_core import PydanticCustomError

from tusfacturas.outcomes import Falla

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import ValidationError

TEXTOS: Final[Mapping[str, str]] = {
    "alicuota_en_c": "Un comprobante de letra C no lleva IVA: los precios son finales y la alícuota es 0.",
    "anidado_en_exceso": "Tiene demasiados niveles anidados.",
    "asociado_posterior": "El comprobante asociado no puede tener fecha posterior a la del comprobante.",
    "condicion_pago_sin_detalle": "La condición de pago 214 (Otra) requiere condicion_pago_otra.",
    "cotizacion_en_pesos": "En pesos (PES) la cotización es siempre 1.",
    "dato_heredado": "El proveedor ya no admite este dato: el importe debe ir en tributos o como alícuota.",
    "decimales_de_mas": "Admite hasta {decimales} decimales.",
    "documento_invalido": "Debe tener solo dígitos, sin guiones ni puntos: {digitos}.",
    "documento_sin_identificar": 'El documento "0" solo se admite con documento_tipo OTRO.',
    "emails_de_mas": "Admite hasta {maximo} direcciones separadas por coma.",
    "falta_campo": "Falta este dato, que es obligatorio.",
    "falta_cotizacion": "En moneda extranjera la cotización es obligatoria y mayor que cero.",
    "falta_rg_especiales": "Los comprobantes MiPyME (FCE) requieren rg_especiales.",
    "faltan_asociados": (
        "Las notas de crédito y de débito requieren comprobantes_asociados o comprobantes_asociados_periodo."
    ),
    "fce_no_habilitada": "La cola no está habilitada para comprobantes MiPyME (FCE).",
    "fecha_invalida": "Debe ser una fecha real de la forma dd/mm/aaaa, con dos dígitos de día y dos de mes.",
    "fuera_de_tabla": "No figura en la tabla del proveedor. Se admite: {admitidos}.",
    "lista_larga": "Admite hasta {max_length} elementos.",
    "mes_invalido": "Debe tener la forma mm/aaaa.",
    "moneda_extranjera": 'Solo se admite "S" en moneda extranjera.',
    "no_es_entero": "Debe ser un número entero.",
    "no_es_lista": "Debe ser una lista.",
    "no_es_numero": "Debe ser un número, con punto decimal y sin separador de miles.",
    "no_es_objeto": "Debe ser un objeto JSON.",
    "no_es_si_no": 'Debe ser "S" o "N".',
    "no_es_texto": "Debe ser un texto.",
    "numero_fuera_de_rango": "El número está fuera del rango admitido.",
    "numero_negativo": "No puede ser negativo.",
    "numero_no_cero": "En la cola el número debe ser 0 o faltar: lo asigna el proveedor al emitir.",
    "numero_no_finito": "Debe ser un número finito.",
    "numero_no_positivo": "Debe ser mayor que cero.",
    "operacion_no_admitida": "Solo se admite V (venta).",
    "pagos_exceden": "Los pagos no pueden superar el total del comprobante, en pesos.",
    "pagos_no_suman": "El total de los pagos ({informado}) no es la suma de las formas de pago ({calculado}).",
    "periodo_invertido": "El período termina antes de empezar.",
    "punto_venta_ajeno": "El punto de venta de la cuenta es {punto_venta}.",
    "referencia_invalida": "Debe tener entre 1 y 255 letras, dígitos, guiones o guiones bajos, sin espacios.",
    "regimen_ajeno": "El régimen no corresponde a ese tipo de tributo. Se admite: {admitidos}.",
    "reemplaza_a_si_mismo": "Un comprobante no puede reemplazarse a sí mismo: la corrección lleva otra referencia.",
    "texto_corto": "Debe tener al menos {minimo} caracteres.",
    "texto_invalido": "Contiene caracteres que no se pueden representar en UTF-8.",
    "texto_largo": "Admite hasta {maximo} caracteres.",
    "tipo_no_encolable": "Este tipo de comprobante no se puede emitir por la cola.",
    "total_no_coincide": "El total informado ({informado}) no coincide con el que dan los renglones ({calculado}).",
    "valor_invalido": "El valor no es válido.",
    "vencimiento_anterior": "El vencimiento no puede ser anterior a la fecha.",
}
"""Stable code → plain Spanish. Values of `cliente` never appear in it."""

_DE_PYDANTIC: Final[Mapping[str, str]] = {
    "list_type": "no_es_lista",
    "missing": "falta_campo",
    "model_type": "no_es_objeto",
    "too_long": "lista_larga",
}


def falla(codigo: str, campo: str, **datos: object) -> Falla:
    return Falla(codigo, campo, TEXTOS[codigo].format_map(datos))


def mal(codigo: str, **datos: object) -> PydanticCustomError:
    """What a reader raises: one of the codes of `TEXTOS`, and the figures that its text names."""
    return PydanticCustomError(codigo, codigo, datos or None)


def fallas_de(error: ValidationError, raiz: str) -> Iterator[Falla]:
    """The faults of a model that could not be read. `raiz` opens their path."""
    for detalle in error.errors(include_url=False, include_input=False):
        # A default that is worked out from other fields is not, when one of those is at fault: that one is listed.
        if detalle["type"] != "default_factory_not_called":
            codigo = _DE_PYDANTIC.get(detalle["type"], detalle["type"])
            campo = ".".join((raiz, *map(str, detalle["loc"])))
            yield falla(codigo if codigo in TEXTOS else "valor_invalido", campo, **detalle.get("ctx", {}))
