from __future__ import annotations

import copy
import json
import math
import time
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.tusfacturas.comprobantes import CON_FCE, FALTA, FCE, NC, ND, REGLAS, A, B, D, con, con_pagos, fallas

from tusfacturas.fallas import TEXTOS
from tusfacturas.models import preparar


def test_a_refusal_lists_every_fault():
    entrada = con(
        NC,
        {
            "cliente.documento_nro": "123",
            "cliente.condicion_pago": 214,
            "cliente.condicion_iva": "X",
            "comprobante.external_reference": "a b",
            "comprobante.punto_venta": 9,
            "comprobante.numero": 7,
            "comprobante.fecha": "31/02/2022",
            "comprobante.vencimiento": "mañana",
            "comprobante.moneda": "DOL",
            "comprobante.cotizacion": FALTA,
            "comprobante.detalle.0.cantidad": 0,
            "comprobante.detalle.0.producto.alicuota": 20,
            "comprobante.detalle.1.producto.descripcion": "p2",
            "comprobante.tributos.1.regimen": 1,
            "comprobante.comprobantes_asociados": FALTA,
            "comprobante.exentos": 5,
            "comprobante.total": math.nan,
        },
    )
    assert sorted(fallas(entrada)) == sorted(
        [
            ("documento_invalido", "cliente.documento_nro"),
            ("condicion_pago_sin_detalle", "cliente.condicion_pago_otra"),
            ("fuera_de_tabla", "cliente.condicion_iva"),
            ("referencia_invalida", "comprobante.external_reference"),
            ("punto_venta_ajeno", "comprobante.punto_venta"),
            ("numero_no_cero", "comprobante.numero"),
            ("fecha_invalida", "comprobante.fecha"),
            ("fecha_invalida", "comprobante.vencimiento"),
            ("falta_cotizacion", "comprobante.cotizacion"),
            ("numero_no_positivo", "comprobante.detalle.0.cantidad"),
            ("fuera_de_tabla", "comprobante.detalle.0.producto.alicuota"),
            ("texto_corto", "comprobante.detalle.1.producto.descripcion"),
            ("regimen_ajeno", "comprobante.tributos.1.regimen"),
            ("faltan_asociados", "comprobante.comprobantes_asociados"),
            ("dato_heredado", "comprobante.exentos"),
            ("numero_no_finito", "comprobante.total"),
        ]
    )


@pytest.mark.parametrize("nada", [None, 5, "x", [], True, D("NaN")])
def test_a_block_that_is_no_object_is_a_fault_of_its_own(nada):
    codigo = "falta_campo" if nada is None else "no_es_objeto"
    resultado = preparar(nada, nada, REGLAS)
    assert {(codigo, "cliente"), (codigo, "comprobante")} <= {(f.codigo, f.campo) for f in resultado}


def test_a_fault_says_nothing_of_the_client():
    secreto = "Zulema"
    cliente = dict.fromkeys(B["cliente"], f"{secreto} \ud800" + "x" * 300) | {
        secreto: "\ud800",
        f"{secreto} x": math.nan,
    }
    dicho = repr(preparar(cliente, B["comprobante"], REGLAS)).replace(f"'cliente.{secreto}'", "")
    assert "Zulema" not in dicho


def test_a_number_of_a_million_digits_is_refused_at_once():
    antes = time.perf_counter()
    for valor in (
        D("1E400"),
        D("9" * 100_000),
        "1E400",
        "9" * 1_000_000,
        10**4000,
        D("1E999999"),
        D("0." + "1" * 100_000),
    ):
        assert isinstance(preparar(B["cliente"], con(B, {"comprobante.total": valor})["comprobante"], REGLAS), tuple)
    assert time.perf_counter() - antes < 2


def test_a_total_of_endless_decimals_makes_no_endless_text():
    for decimales in ("9" * 100_000, "0" * 100_000 + "1"):
        (falla,) = preparar(B["cliente"], con(B, {"comprobante.total": D(f"150.{decimales}")})["comprobante"], REGLAS)
        assert falla.codigo == "total_no_coincide"
        assert len(falla.mensaje) < 200


def test_what_is_no_json_at_all_is_a_fault():
    assert fallas(con(B, {"comprobante.nuevo": [{"hoy": date(2022, 3, 28)}]})) == [
        ("valor_invalido", "comprobante.nuevo.0.hoy")
    ]
    assert ("texto_invalido", "comprobante") in fallas(con(B, {"comprobante": B["comprobante"] | {5: 5}}))


def test_every_text_of_a_fault_can_be_written():
    huecos = {"admitidos": "x", "calculado": 1, "decimales": 2, "digitos": 11, "informado": 1, "max_length": 3}
    for texto in TEXTOS.values():
        dicho = texto.format_map(huecos | {"maximo": 5, "minimo": 4, "punto_venta": 3})
        assert dicho.endswith(".")
        assert "{" not in dicho


escalares = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals(allow_nan=True, allow_infinity=True)
    | st.text(st.characters(), max_size=8)
    | st.sampled_from(
        [D("1E400"), D("1E-400"), D("0E400"), 10**400, "1E400", "\ud800", "28/03/2022", "FACTURA E", "S", "0"]
    )
)
claves = st.text(st.characters(), max_size=5) | st.sampled_from(
    ["apikey", "tipo", "producto", "fecha", "total", "datos"]
)
json_values = st.recursive(
    escalares, lambda dentro: st.lists(dentro, max_size=4) | st.dictionaries(claves, dentro, max_size=4), max_leaves=12
)


def caminos(valor, camino=()):
    yield camino
    hijos = valor.items() if isinstance(valor, dict) else enumerate(valor) if isinstance(valor, list) else ()
    for clave, hijo in hijos:
        yield from caminos(hijo, (*camino, clave))


def cambiar(entrada, camino, valor):
    entrada = copy.deepcopy(entrada)
    if not camino:
        return valor
    objeto = entrada
    for clave in camino[:-1]:
        objeto = objeto[clave]
    objeto[camino[-1]] = valor
    return entrada


@given(cliente=json_values, comprobante=json_values)
def test_no_value_whatever_makes_it_raise(cliente, comprobante):
    resultado = preparar(cliente, comprobante, REGLAS)
    assert isinstance(resultado, tuple)
    assert resultado
    assert all(f.codigo in TEXTOS for f in resultado)


@settings(max_examples=400)
@given(datos=st.data())
def test_a_valid_comprobante_with_anything_anywhere_is_either_ready_to_send_or_at_fault(datos):
    entrada = datos.draw(st.sampled_from([A, NC, ND, FCE, con_pagos(100, total=100)]))
    for _ in range(datos.draw(st.integers(1, 3))):
        camino = datos.draw(st.sampled_from(list(caminos(entrada))[1:]))
        entrada = cambiar(entrada, camino, datos.draw(json_values))
    resultado = preparar(entrada.get("cliente"), entrada.get("comprobante"), CON_FCE)
    if isinstance(resultado, tuple):
        assert resultado
        for falla in resultado:
            assert falla.codigo in TEXTOS
            assert falla.campo.split(".")[0] in ("cliente", "comprobante")
            (falla.campo + falla.mensaje).encode()
    else:
        enviado = json.dumps(resultado.peticion, default=plano, allow_nan=False, ensure_ascii=False).encode()
        assert b"apikey" not in enviado
        # What is sent is accepted again and changes no more.
        assert preparar(resultado.peticion["cliente"], resultado.peticion["comprobante"], CON_FCE) == resultado


def plano(numero):
    assert isinstance(numero, Decimal)
    assert len(format(numero, "f")) < 1000
    return float(numero)
