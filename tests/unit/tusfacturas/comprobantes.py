"""The provider's examples as entries of a lote, and ways of changing them."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from pathlib import Path

from tusfacturas.models import ComprobanteListo, Reglas, preparar

EJEMPLOS = Path(__file__).parents[2] / "provider_examples"
REGLAS = Reglas(punto_venta=3)
CON_FCE = Reglas(punto_venta=3, permite_fce=True)
D = Decimal
FALTA = object()


def ejemplo(nombre):
    texto = (EJEMPLOS / f"comprobante.{nombre}.json").read_text(encoding="utf-8")
    return json.loads(texto, parse_float=Decimal)


def con(entrada, cambios):
    """A copy of the entry with the values at these dotted paths; FALTA takes the key out."""
    entrada = copy.deepcopy(entrada)
    for camino, valor in cambios.items():
        *padres, ultima = (int(parte) if parte.isdigit() else parte for parte in camino.split("."))
        objeto = entrada
        for padre in padres:
            objeto = objeto[padre]
        if valor is FALTA:
            del objeto[ultima]
        else:
            objeto[ultima] = valor
    return entrada


def fallas(entrada, reglas=REGLAS):
    """(código, campo) of every fault."""
    resultado = preparar(entrada["cliente"], entrada["comprobante"], reglas)
    assert isinstance(resultado, tuple), resultado
    assert resultado
    return [(f.codigo, f.campo) for f in resultado]


def listo(entrada, reglas=REGLAS):
    resultado = preparar(entrada["cliente"], entrada["comprobante"], reglas)
    assert isinstance(resultado, ComprobanteListo), resultado
    return resultado


A, B, C = ejemplo("factura_a"), ejemplo("factura_b"), ejemplo("factura_c")
USD, NC, ND = ejemplo("factura_a.usd"), ejemplo("nc_a.asociados"), ejemplo("nd_a.periodo")
FCE, NC_FCE = ejemplo("fce_a"), ejemplo("nc_fce_a")
COMPLETOS = sorted(
    p.stem.removeprefix("comprobante.") for p in EJEMPLOS.glob("comprobante.*.json") if "pagos" not in p.name
)


def con_pagos(*importes, total=FALTA, base=B, **mas):
    pagos = {"formas_pago": [{"descripcion": "Efectivo", "importe": i} for i in importes]}
    return con(base, {"comprobante.pagos": pagos if total is FALTA else {**pagos, "total": total}, **mas})
