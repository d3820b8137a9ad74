from __future__ import annotations

import copy
import json
from datetime import date
from pathlib import Path
from types import MappingProxyType

import pytest
from tests.unit.tusfacturas.comprobantes import (
    COMPLETOS,
    CON_FCE,
    EJEMPLOS,
    FALTA,
    A,
    B,
    D,
    con,
    ejemplo,
    fallas,
    listo,
)

from tusfacturas.models import Reglas, preparar


@pytest.mark.parametrize("nombre", COMPLETOS)
def test_every_example_of_the_provider_is_accepted_and_sent_as_it_stands(nombre):
    entrada = ejemplo(nombre)
    enviado = listo(entrada, CON_FCE)
    esperado = copy.deepcopy(entrada)
    esperado["comprobante"].setdefault("datos_informativos", {"paga_misma_moneda": "N"})
    for asociado in esperado["comprobante"].get("comprobantes_asociados", []):
        asociado["punto_venta"] = int(asociado["punto_venta"])
    assert enviado.peticion == esperado
    assert enviado.external_reference == entrada["comprobante"]["external_reference"]
    assert enviado.tipo == entrada["comprobante"]["tipo"]
    assert enviado.total == D(str(entrada["comprobante"]["total"]))
    assert (enviado.fecha, enviado.vencimiento) == (date(2022, 3, 28), date(2022, 4, 28))


def test_the_pagos_of_the_provider_are_accepted():
    pagos = json.loads((EJEMPLOS / "comprobante.pagos.json").read_text(encoding="utf-8"))["pagos"]
    enviado = listo(con(B, {"comprobante.pagos": pagos}))
    assert enviado.peticion["comprobante"]["pagos"] == {
        "formas_pago": [
            {"descripcion": "VISA DB", "importe": D("0.6")},
            {"descripcion": "MercadoPago", "importe": D(50)},
        ],
        "total": D("50.6"),
    }


def test_each_entry_of_the_lote_the_provider_shows_is_accepted_without_its_credentials():
    """As printed, but for `numero` 1 and a CUIT of ten digits: credentials, removed keys and no vencimiento."""
    lote = json.loads((Path(__file__).parent / "seed_request.json").read_text(encoding="utf-8"))
    assert len(lote["requests"]) == 3
    for entrada in lote["requests"]:
        assert "apikey" in entrada
        enviado = listo(entrada)
        assert enviado.vencimiento == enviado.fecha == date(2022, 3, 28)
        comprobante = enviado.peticion["comprobante"]
        assert comprobante["vencimiento"] == "28/03/2022"
        assert not [clave for clave in comprobante if clave.startswith(("percepciones", "exentos"))]
        assert "api" not in json.dumps(enviado.peticion, default=str)


MINIMO = {
    "cliente": {
        "documento_tipo": "DNI",
        "documento_nro": 11113233,
        "razon_social": "Juan Pedro",
        "domicilio": "Av Sta Fe 23132",
        "provincia": 2,
        "condicion_pago": 202,
        "condicion_iva": "CF",
    },
    "comprobante": {
        "external_reference": "M-1",
        "tipo": "FACTURA B",
        "punto_venta": 3,
        "fecha": "31/01/2024",
        "detalle": [
            {"cantidad": 2, "producto": {"descripcion": "Hosting", "precio_unitario_sin_iva": 10, "alicuota": 21}}
        ],
    },
}


def test_what_is_left_out_gets_its_safe_default_and_what_may_be_omitted_is_omitted():
    enviado = listo(MINIMO)
    assert enviado.peticion == {
        "cliente": {
            "documento_tipo": "DNI",
            "documento_nro": "11113233",
            "razon_social": "Juan Pedro",
            "domicilio": "Av Sta Fe 23132",
            "provincia": "2",
            "envia_por_mail": "N",
            "condicion_pago": "202",
            "condicion_iva": "CF",
            "condicion_iva_operacion": "CF",
            "rg5329": "N",
            "reclama_deuda": "N",
        },
        "comprobante": {
            "external_reference": "M-1",
            "tipo": "FACTURA B",
            "operacion": "V",
            "idioma": 1,
            "punto_venta": 3,
            "numero": 0,
            "fecha": "31/01/2024",
            "vencimiento": "01/03/2024",
            "rubro": "Ventas",
            "rubro_grupo_contable": "Ventas",
            "moneda": "PES",
            "cotizacion": 1,
            "detalle": [
                {
                    "cantidad": 2,
                    "afecta_stock": "N",
                    "bonificacion_porcentaje": 0,
                    "leyenda": "",
                    "producto": {
                        "descripcion": "Hosting",
                        "unidad_bulto": 1,
                        "lista_precios": "standard",
                        "codigo": "",
                        "precio_unitario_sin_iva": 10,
                        "alicuota": 21,
                        "unidad_medida": 7,
                        "actualiza_precio": "N",
                        "impuestos_internos_alicuota": 0,
                        "rg5329": "N",
                    },
                }
            ],
            "bonificacion": 0,
            "leyenda_gral": "",
            "comentario": "",
            "tributos": [],
            "impuestos_internos": 0,
            "impuestos_internos_base": 0,
            "impuestos_internos_alicuota": 0,
            "total": D("24.20"),
            "tags": [],
            "datos_informativos": {"paga_misma_moneda": "N"},
        },
    }
    assert enviado.total == D("24.20")
    assert enviado.vencimiento == date(2024, 3, 1)


@pytest.mark.parametrize("vacio", [None, "", "  ", [], {}])
def test_null_blank_and_empty_are_as_good_as_absent(vacio):
    opcionales = [
        "vencimiento",
        "moneda",
        "tributos",
        "pagos",
        "tags",
        "rg_especiales",
        "total",
        "numero",
        "leyenda_gral",
    ]
    cambios = {f"comprobante.{campo}": vacio for campo in opcionales} | {
        "cliente.codigo": vacio,
        "cliente.email": vacio,
    }
    assert listo(con(MINIMO, cambios)).peticion == listo(MINIMO).peticion


@pytest.mark.parametrize("vacio", [None, "", " ", [], {}, FALTA])
@pytest.mark.parametrize(
    "campo", [f"{parte}.{clave}" for parte in ("cliente", "comprobante") for clave in MINIMO[parte]]
)
def test_what_has_no_safe_default_is_demanded(campo, vacio):
    assert fallas(con(MINIMO, {campo: vacio})) == [("falta_campo", campo)]


@pytest.mark.parametrize(
    ("condicion", "vencimiento"), [(201, "28/03/2022"), ("206", "07/04/2022"), (" 204 ", "26/06/2022")]
)
def test_a_missing_vencimiento_is_the_fecha_and_the_days_of_the_condicion_de_pago(condicion, vencimiento):
    enviado = listo(con(B, {"cliente.condicion_pago": condicion, "comprobante.vencimiento": FALTA}))
    assert enviado.peticion["comprobante"]["vencimiento"] == vencimiento


def test_a_vencimiento_beyond_the_calendar_is_a_fault_of_the_fecha():
    entrada = con(
        B, {"cliente.condicion_pago": 202, "comprobante.fecha": "31/12/9999", "comprobante.vencimiento": FALTA}
    )
    assert fallas(entrada) == [("fecha_invalida", "comprobante.fecha")]


def test_a_year_of_few_digits_is_written_with_four():
    entrada = con(MINIMO, {"comprobante.fecha": "01/02/0024"})
    assert listo(entrada).peticion["comprobante"]["fecha"] == "01/02/0024"


def test_the_condicion_iva_of_the_operation_may_be_another():
    entrada = con(B, {"cliente.condicion_iva_operacion": "M"})
    assert listo(entrada).peticion["cliente"]["condicion_iva_operacion"] == "M"


def test_rg5329_forces_the_price_update():
    cambios = {"comprobante.detalle.0.producto.rg5329": "S", "comprobante.detalle.0.producto.actualiza_precio": "N"}
    (renglon,) = listo(con(B, cambios)).peticion["comprobante"]["detalle"]
    assert renglon["producto"]["actualiza_precio"] == "S"


@pytest.mark.parametrize(
    "total", [139, D("139.0"), "139.00", " 139 ", "1.39E2", 139.0, D("1.39E+2"), "139.0048", D("138.99")]
)
def test_a_total_may_be_spelled_in_any_way_and_be_a_cent_off(total):
    enviado = listo(con(B, {"comprobante.total": total}))
    assert abs(enviado.total - 139) <= D("0.01")
    assert enviado.total.as_tuple().exponent == -2


def test_numbers_may_be_text_and_codes_may_be_numbers_and_texts_may_have_spaces_around():
    cambios = {
        "cliente.provincia": 2,
        "cliente.condicion_pago": 201,
        "cliente.documento_nro": 11113233,
        "cliente.documento_tipo": " DNI ",
        "comprobante.tipo": " FACTURA B ",
        "comprobante.punto_venta": "00003",
        "comprobante.numero": "00000000",
        "comprobante.idioma": "1",
        "comprobante.cotizacion": "1.000",
        "comprobante.fecha": " 28/03/2022 ",
        "comprobante.bonificacion": "0",
        "comprobante.detalle.0.cantidad": "1.00",
        "comprobante.detalle.0.producto.codigo": 37,
        "comprobante.detalle.0.producto.precio_unitario_sin_iva": "114.88",
        "comprobante.detalle.0.producto.alicuota": "21.00",
        "comprobante.detalle.0.producto.unidad_medida": "07",
        "comprobante.detalle.0.producto.descripcion": "  Hosting pagina web ",
        "comprobante.total": "139.00",
    }
    assert listo(con(B, cambios)).peticion == listo(B).peticion


def test_a_number_that_carries_binary_noise_is_the_number_it_meant():
    precio = 0.1 + 0.2
    enviado = listo(
        con(B, {"comprobante.detalle.0.producto.precio_unitario_sin_iva": precio, "comprobante.total": 0.36})
    )
    assert enviado.peticion["comprobante"]["detalle"][0]["producto"]["precio_unitario_sin_iva"] == D("0.300")


def test_the_largest_number_may_carry_noise_too():
    entrada = con(B, {"comprobante.impuestos_internos_base": "9999999999999.990000000001"})
    assert listo(entrada).peticion["comprobante"]["impuestos_internos_base"] == D("9999999999999.99")


def test_a_zero_of_many_digits_is_sent_as_a_zero():
    comprobante = listo(con(B, {"comprobante.nuevo": [D("0E999999"), D("-0E-999999")]})).peticion["comprobante"]
    assert list(map(str, comprobante["nuevo"])) == ["0", "0"]


def test_numbers_are_sent_in_plain_notation():
    cambios = {"comprobante.detalle.0.producto.precio_unitario_sin_iva": D("1E2"), "comprobante.total": D("1.21E+2")}
    comprobante = listo(con(B, cambios)).peticion["comprobante"]
    assert str(comprobante["detalle"][0]["producto"]["precio_unitario_sin_iva"]) == "100.000"
    assert str(comprobante["total"]) == "121.00"


def test_a_reference_that_is_a_number_is_its_decimal_text():
    enviado = listo(con(B, {"comprobante.external_reference": 17032}))
    assert enviado.external_reference == enviado.peticion["comprobante"]["external_reference"] == "17032"


def test_line_breaks_and_percent_signs_are_escaped_as_the_provider_wants_them():
    cambios = {
        "comprobante.leyenda_gral": "50% de\r\nseña\nhoy",
        "comprobante.detalle.0.leyenda": "10%",
        "comprobante.detalle.0.producto.descripcion": "Papel 100% reciclado",
    }
    comprobante = listo(con(B, cambios)).peticion["comprobante"]
    assert comprobante["leyenda_gral"] == "50#&# de#@#seña#@#hoy"
    assert comprobante["detalle"][0]["leyenda"] == "10#&#"
    assert comprobante["detalle"][0]["producto"]["descripcion"] == "Papel 100#&# reciclado"


def test_keys_nobody_documents_pass_untouched_at_every_level():
    extra = {"a": [1, None, {"b": "c", "d": D("1.50")}], "": ""}
    caminos = [
        "cliente.nuevo",
        "comprobante.nuevo",
        "comprobante.detalle.0.nuevo",
        "comprobante.detalle.0.producto.nuevo",
    ]
    enviado = listo(con(B, dict.fromkeys(caminos, extra))).peticion
    renglon = enviado["comprobante"]["detalle"][0]
    for bloque in (enviado["cliente"], enviado["comprobante"], renglon, renglon["producto"]):
        assert bloque["nuevo"] == extra
    for vacio in (None, "", [], {}):
        assert listo(con(B, {"comprobante.nuevo": vacio})).peticion["comprobante"]["nuevo"] == vacio


def test_credentials_are_dropped_at_every_level_however_they_are_cased():
    secretos = {"apikey": "s3creto", "ApiToken": "s3creto", " USERTOKEN ": {"x": "s3creto"}}
    entrada = copy.deepcopy(A)
    for bloque in (entrada["cliente"], entrada["comprobante"], entrada["comprobante"]["detalle"][0]["producto"]):
        bloque.update(secretos)
    entrada["comprobante"]["nuevo"] = [{"mas": secretos}]
    enviado = listo(entrada)
    assert "s3creto" not in repr(enviado) + json.dumps(enviado.peticion, default=str)
    assert enviado.peticion["comprobante"]["nuevo"] == [{"mas": {}}]


def test_what_was_received_is_left_as_it_was():
    entrada = con(A, {"comprobante.apikey": "x", "comprobante.exentos": "0"})
    antes = copy.deepcopy(entrada)
    enviado = listo(entrada)
    enviado.peticion["comprobante"]["detalle"].clear()
    assert entrada == antes


def test_removed_keys_are_dropped_when_they_say_zero_or_nothing():
    claves = ["exentos", "nogravados", "percepciones_iibb", "percepciones_iva_base", "percepciones_iva_alicuota"]
    for cero in (0, "0", "0.00", D("0.0"), None, ""):
        assert listo(con(B, {f"comprobante.{c}": cero for c in claves})).peticion == listo(B).peticion


@pytest.mark.parametrize(
    "clave", ["exentos", "nogravados", "percepciones_iibb", "percepciones_iva", "percepciones_iva_base"]
)
@pytest.mark.parametrize("valor", [1, "0.01", "x", True, [0], D("NaN")])
def test_removed_keys_that_say_more_are_money_that_would_be_lost(clave, valor):
    assert ("dato_heredado", f"comprobante.{clave}") in fallas(con(B, {f"comprobante.{clave}": valor}))


@pytest.mark.parametrize(
    "cambios",
    [
        {"cliente.codigo": "x" * 50},
        {"comprobante.detalle.0.producto.codigo": "x" * 50},
        {"comprobante.detalle.0.leyenda": "x" * 1000},
        {"comprobante.detalle.0.producto.precio_unitario_sin_iva": D("114.876"), "comprobante.total": D("139.00")},
        {"comprobante.punto_venta": "00003"},
        {
            "comprobante.tributos": [
                {"tipo": 7, "regimen": r, "base_imponible": 1, "alicuota": 1, "total": D("0.01")} for r in range(4, 11)
            ],
            "comprobante.total": D("139.07"),
        },
        {"cliente.condicion_iva": "M"},
        {"comprobante.fecha": "01/01/2001"},
        {"comprobante.fecha": "28/04/2022"},
    ],
)
def test_the_laxer_bound_holds(cambios):
    listo(con(B, cambios))


def test_any_mapping_will_do():
    enviado = preparar(MappingProxyType(B["cliente"]), MappingProxyType(B["comprobante"]), Reglas(3))
    assert enviado == listo(B)
