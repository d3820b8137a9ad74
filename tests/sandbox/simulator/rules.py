"""What the provider's door checks of a comprobante, by its own reckoning."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from tests.sandbox.simulator.fates import REJECT, fates_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.simulator.plan import CuentaSim, Plan

MAX_REQUESTS, MAX_LINES = 100, 130
REFERENCE = re.compile(r"[A-Za-z0-9_-]{1,255}")
_DATE = re.compile(r"(\d{2})/(\d{2})/(\d{4})")
_CENT = Decimal("0.01")

_QUEUEABLE = {f"{clase} {letra}" for clase in ("FACTURA", "NOTA DE DEBITO", "NOTA DE CREDITO") for letra in "ABCM"} | {
    "RECIBO C"
}
_FCE = {
    f"{clase} (FCE) {letra}"
    for clase in (
        "FACTURA DE CREDITO ELECTRONICA MiPyME",
        "NOTA DE DEBITO ELECTRONICA MiPyME",
        "NOTA DE CREDITO ELECTRONICA MiPyME",
    )
    for letra in "ABC"
}
_CLIENTE = (
    "documento_tipo",
    "documento_nro",
    "razon_social",
    "domicilio",
    "provincia",
    "condicion_pago",
    "condicion_iva",
)
_COMPROBANTE = ("fecha", "tipo", "operacion", "punto_venta", "detalle", "total")
_DOCUMENTOS = {"CUIT", "CUIL", "CDI", "DNI", "PASAPORTE", "OTRO"}
_CONDICIONES_IVA = {"CF", "RI", "M", "E", "CDEX", "IVNA"}
_ALICUOTAS = {Decimal(a) for a in ("27", "21", "10.5", "0", "-1", "-2")}


@dataclass(frozen=True, slots=True)
class Falta:
    """One fault: the phrase of the lote's text, the text of nuevo_encola, its TFC code where the docs show one."""

    frase: str
    texto: str
    codigo: str | None = None


def parse_date(value: object) -> date | None:
    """dd/mm/aaaa with two-digit day and month (contract §3); anything else is no date."""
    found = _DATE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    day, month, year = (int(g) for g in found.groups())
    try:
        return date(year, month, day)
    except ValueError:
        return None


def parse_number(value: object) -> Decimal | None:
    """A JSON number or a numeric string (contract §3)."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _or_zero(value: object) -> Decimal:
    number = parse_number(value)
    return Decimal(0) if number is None else number


def recompute_total(comprobante: dict[str, Any]) -> Decimal:
    """Contract §3.4: net per alicuota, less the bonificacion on the first taxed group, IVA, internos, tributos.

    IVA is rounded per group and the sum once more, half-even. Type C has no IVA.
    """
    nets: dict[Decimal, Decimal] = {}
    for line in comprobante["detalle"]:
        producto = line["producto"]
        alicuota = _or_zero(producto.get("alicuota"))
        kept = 1 - _or_zero(line.get("bonificacion_porcentaje")) / 100
        net = _or_zero(line.get("cantidad")) * _or_zero(producto.get("precio_unitario_sin_iva")) * kept
        nets[alicuota] = nets.get(alicuota, Decimal(0)) + net
    discounted = next((a for a in nets if a > 0), next(iter(nets)))
    nets[discounted] -= _or_zero(comprobante.get("bonificacion"))
    iva = Decimal(0)
    if not str(comprobante.get("tipo", "")).endswith(" C"):
        iva = sum((_cents(net * a / 100) for a, net in nets.items() if a > 0), Decimal(0))
    tributos = sum((_or_zero(t.get("total")) for t in comprobante.get("tributos") or []), Decimal(0))
    return _cents(sum(nets.values(), iva) + _or_zero(comprobante.get("impuestos_internos")) + tributos)


def _cents(value: Decimal) -> Decimal:
    return value.quantize(_CENT, rounding=ROUND_HALF_EVEN)


def reference_of(entrada: object) -> object:
    """external_reference as it was sent, whatever it is; None where there is none."""
    comprobante = entrada.get("comprobante") if isinstance(entrada, dict) else None
    return comprobante.get("external_reference") if isinstance(comprobante, dict) else None


def faults(entrada: object, cuenta: CuentaSim, plan: Plan) -> list[Falta]:
    """Everything the door has against one request (contract §2.1); an empty list lets it into the queue."""
    return list(_faults(entrada, cuenta, plan))


def _faults(entrada: object, cuenta: CuentaSim, plan: Plan) -> Iterator[Falta]:
    cliente = entrada.get("cliente") if isinstance(entrada, dict) else None
    comprobante = entrada.get("comprobante") if isinstance(entrada, dict) else None
    yield from _reference_faults(reference_of(entrada))
    if not isinstance(cliente, dict) or not isinstance(comprobante, dict):
        yield _generic("no incluye los bloques cliente y comprobante")
        return
    yield from _cliente_faults(cliente)
    missing = [name for name in _COMPROBANTE if comprobante.get(name) in (None, "", [])]
    if plan.exige_vencimiento and not comprobante.get("vencimiento"):
        missing.append("vencimiento")
    if missing:
        yield _generic(f"incluye un comprobante sin datos obligatorios: {', '.join(missing)}")
        return
    if parse_number(comprobante.get("numero", 0)) != 0:
        yield Falta(
            "tiene el numero de comprobante y todos deben venir en cero.",
            "El numero de comprobante debe venir en cero.",
        )
    yield from _comprobante_faults(comprobante, cuenta, plan)
    comentario = str(comprobante.get("comentario", ""))
    fates_of(comentario)  # a misspelt marker is the test's error: raise before anything is queued
    if REJECT in comentario:
        yield _generic("incluye un comprobante que no supera la validacion de datos")


def _reference_faults(reference: object) -> Iterator[Falta]:
    if reference in (None, ""):
        yield Falta(
            "incluye un comprobante sin external_reference.",
            "Cuando se envia un comprobante a la cola, debes enviar una referencia externa en el campo "
            "external_reference.",
            "TFC-8002",
        )
    text = str(reference) if isinstance(reference, str | int) and not isinstance(reference, bool) else ""
    if not REFERENCE.fullmatch(text):
        yield Falta(
            "incluye un comprobante con un external_reference no valido.",
            "La external reference enviada, posee caracteres no validos.",
            "TFC-8002",
        )


def _cliente_faults(cliente: dict[str, Any]) -> Iterator[Falta]:
    documento = str(cliente.get("documento_nro", ""))
    if (
        any(cliente.get(name) in (None, "") for name in _CLIENTE)
        or not (documento.isdigit() and len(documento) <= 11)
        or str(cliente["condicion_iva"]) not in _CONDICIONES_IVA
    ):
        yield Falta(
            "incluye datos del cliente no validos.",
            "Error al crear al cliente . No se podra generar el comprobante. Revise los datos enviados.",
            "TFC-6001",
        )
    if str(cliente.get("documento_tipo")) not in _DOCUMENTOS:
        yield Falta("incluye un tipo de documento no valido.", "El tipo de documento enviado no es valido")


def _comprobante_faults(comprobante: dict[str, Any], cuenta: CuentaSim, plan: Plan) -> Iterator[Falta]:
    tipo = str(comprobante["tipo"])
    if tipo not in _QUEUEABLE and not (plan.fce_en_cola and tipo in _FCE):
        yield _generic(f"incluye un comprobante de tipo {tipo}, no permitido en esta modalidad")
    if tipo.startswith("NOTA") and not (
        comprobante.get("comprobantes_asociados") or comprobante.get("comprobantes_asociados_periodo")
    ):
        yield _generic("incluye una nota sin comprobantes asociados")
    if comprobante["operacion"] != "V":
        yield _generic("incluye un comprobante que no es de venta")
    if plan.exige_punto_venta and parse_number(comprobante["punto_venta"]) != cuenta.punto_venta:
        yield _generic("incluye un punto de venta que no se corresponde con sus credenciales")
    dates = [comprobante["fecha"], *([comprobante["vencimiento"]] if comprobante.get("vencimiento") else [])]
    if any(parse_date(value) is None for value in dates):
        yield _generic("incluye una fecha no valida")
    detalle = comprobante["detalle"]
    if not isinstance(detalle, list) or len(detalle) > MAX_LINES or not all(_is_line(line) for line in detalle):
        yield _generic("incluye un detalle no valido")
        return
    tributos = comprobante.get("tributos") or []
    if not isinstance(tributos, list) or not all(isinstance(t, dict) for t in tributos):
        yield _generic("incluye tributos no validos")
        return
    total = parse_number(comprobante["total"])
    computed = recompute_total(comprobante)
    if total is None or total <= 0 or abs(total - computed) > plan.tolerancia_total:
        yield _generic(f"incluye un total que no se corresponde con el calculado: {computed}")


def _is_line(line: object) -> bool:
    producto = line.get("producto") if isinstance(line, dict) else None
    if not isinstance(line, dict) or not isinstance(producto, dict):
        return False
    cantidad, precio = parse_number(line.get("cantidad")), parse_number(producto.get("precio_unitario_sin_iva"))
    return (
        cantidad is not None
        and cantidad > 0
        and precio is not None
        and precio >= 0
        and parse_number(producto.get("alicuota")) in _ALICUOTAS
        and 4 <= len(str(producto.get("descripcion", ""))) <= 255
    )


def _generic(frase: str) -> Falta:
    """A fault whose text the docs do not show: [U], our wording."""
    return Falta(f"{frase}.", f"El comprobante {frase}.")
