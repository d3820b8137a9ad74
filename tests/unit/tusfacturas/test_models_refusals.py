from __future__ import annotations

import math

import pytest
from tests.unit.tusfacturas.comprobantes import (
    CON_FCE,
    FALTA,
    FCE,
    NC,
    NC_FCE,
    ND,
    USD,
    A,
    B,
    C,
    D,
    con,
    con_pagos,
    fallas,
    listo,
)

from tusfacturas.models import Reglas

LINEA = "comprobante.detalle.0"
PRODUCTO = f"{LINEA}.producto"
MALOS = [
    # code, field, values
    ("fuera_de_tabla", "cliente.documento_tipo", ["LE", "dni", "80"]),
    ("no_es_texto", "cliente.documento_tipo", [96, True, ["DNI"]]),
    (
        "documento_invalido",
        "cliente.documento_nro",
        ["11.113.233", "-1", "1A", "1" * 12, "\uff11\uff12", 10**11, -1, 1.5, True],
    ),
    ("documento_sin_identificar", "cliente.documento_nro", ["0", 0]),
    ("texto_largo", "cliente.razon_social", ["x" * 256]),
    ("no_es_texto", "cliente.razon_social", [5, True, ["x"], {"x": 1}]),
    ("texto_largo", "cliente.domicilio", ["x" * 256]),
    ("fuera_de_tabla", "cliente.provincia", [0, 27, "27"]),
    ("no_es_numero", "cliente.provincia", ["Buenos Aires", True]),
    ("no_es_si_no", "cliente.envia_por_mail", ["s", "SI", 1, True]),
    ("fuera_de_tabla", "cliente.condicion_pago", [200, "218"]),
    ("fuera_de_tabla", "cliente.condicion_iva", ["RIM", "ri"]),
    ("fuera_de_tabla", "cliente.condicion_iva_operacion", ["X"]),
    ("texto_largo", "cliente.email", ["x" * 256]),
    ("emails_de_mas", "cliente.email", [",".join("a@b.c" for _ in range(16))]),
    ("texto_largo", "cliente.codigo", ["x" * 51, 10**50]),
    ("no_es_texto", "cliente.codigo", [True, D("1.5")]),
    ("no_es_si_no", "cliente.rg5329", ["X"]),
    ("no_es_si_no", "cliente.reclama_deuda", ["X"]),
    ("texto_largo", "cliente.nombre_fantasia", ["x" * 256]),
    (
        "referencia_invalida",
        "comprobante.external_reference",
        ["a b", " AAAA", "AAAA\n", "ñ", "x" * 256, "1%'7", True, D(5)],
    ),
    ("fuera_de_tabla", "comprobante.tipo", ["FACTURA Z", "factura b", "6"]),
    (
        "tipo_no_encolable",
        "comprobante.tipo",
        ["FACTURA E", "NOTA DE CREDITO NO VALIDA EN AFIP", "FACTURA NO VALIDA EN AFIP", "PRESUPUESTO", "REMITO"],
    ),
    ("no_es_texto", "comprobante.tipo", [6]),
    ("operacion_no_admitida", "comprobante.operacion", ["C", "v", 1]),
    ("fuera_de_tabla", "comprobante.idioma", [3, "0"]),
    ("punto_venta_ajeno", "comprobante.punto_venta", [4, "0030"]),
    ("numero_fuera_de_rango", "comprobante.punto_venta", [0, 100_000, "1E400", D("1E400"), 10**30]),
    ("no_es_entero", "comprobante.punto_venta", ["3.5"]),
    ("no_es_numero", "comprobante.punto_venta", ["", "0x3", "tres", True][1:]),
    ("numero_no_cero", "comprobante.numero", [1, "00000001"]),
    ("numero_negativo", "comprobante.numero", [-1]),
    (
        "fecha_invalida",
        "comprobante.fecha",
        [
            "1/3/2022",
            "28/3/2022",
            "2022-03-28",
            "31/02/2022",
            "29/02/2023",
            "28/03/22",
            "00/01/2022",
            "28-03-2022",
            28032022,
        ],
    ),
    ("vencimiento_anterior", "comprobante.vencimiento", ["27/03/2022"]),
    ("fecha_invalida", "comprobante.vencimiento", ["30/02/2022"]),
    ("periodo_invertido", "comprobante.periodo_facturado_hasta", ["28/02/2022"]),
    ("texto_largo", "comprobante.rubro", ["x" * 256]),
    ("texto_largo", "comprobante.rubro_grupo_contable", ["x" * 256]),
    ("fuera_de_tabla", "comprobante.moneda", ["ARS", "60", "4"]),
    ("cotizacion_en_pesos", "comprobante.cotizacion", [0, 2, "1.001"]),
    ("decimales_de_mas", "comprobante.cotizacion", ["1.0001"]),
    ("no_es_lista", "comprobante.detalle", ["x", {"a": 1}, 5]),
    ("lista_larga", "comprobante.detalle", [B["comprobante"]["detalle"] * 131]),
    ("numero_no_positivo", f"{LINEA}.cantidad", [0, "0.00", D("1E-400")]),
    ("numero_negativo", f"{LINEA}.cantidad", [-1, "-0.01"]),
    ("decimales_de_mas", f"{LINEA}.cantidad", ["1.005", D("0.001")]),
    ("numero_fuera_de_rango", f"{LINEA}.bonificacion_porcentaje", ["100.01", 101]),
    ("no_es_si_no", f"{LINEA}.afecta_stock", ["X"]),
    ("texto_largo", f"{LINEA}.leyenda", ["x" * 1001]),
    ("no_es_objeto", PRODUCTO, ["x", [1]]),
    ("texto_corto", f"{PRODUCTO}.descripcion", ["abc", "p2  "]),
    ("texto_largo", f"{PRODUCTO}.descripcion", ["x" * 256]),
    ("numero_fuera_de_rango", f"{PRODUCTO}.unidad_bulto", [0]),
    ("texto_corto", f"{PRODUCTO}.lista_precios", ["abc"]),
    ("decimales_de_mas", f"{PRODUCTO}.precio_unitario_sin_iva", ["114.8765", 0.0001]),
    (
        "no_es_numero",
        f"{PRODUCTO}.precio_unitario_sin_iva",
        ["1,5", "1.234,50", "$1", "1 2", "1_0", "Infinity", "٣", True, [1]],
    ),
    ("numero_no_finito", f"{PRODUCTO}.precio_unitario_sin_iva", [math.nan, math.inf, D("-Infinity"), D("sNaN")]),
    ("numero_fuera_de_rango", f"{PRODUCTO}.precio_unitario_sin_iva", [10**13, "1E13", 1e300, D("9E999999")]),
    ("fuera_de_tabla", f"{PRODUCTO}.alicuota", [19, "5", D("2.5"), -3]),
    ("fuera_de_tabla", f"{PRODUCTO}.unidad_medida", [12, "99"]),
    ("no_es_si_no", f"{PRODUCTO}.actualiza_precio", ["X"]),
    ("no_es_si_no", f"{PRODUCTO}.rg5329", ["X"]),
    ("decimales_de_mas", "comprobante.bonificacion", ["0.001"]),
    ("numero_negativo", "comprobante.impuestos_internos", [-1]),
    ("numero_negativo", "comprobante.impuestos_internos_base", [-1]),
    ("numero_negativo", "comprobante.impuestos_internos_alicuota", [-1]),
    ("total_no_coincide", "comprobante.total", [140, "139.02", D("138.98")]),
    ("numero_no_positivo", "comprobante.total", [0, "-139"]),
    ("texto_largo", "comprobante.leyenda_gral", ["x" * 501]),
    ("texto_largo", "comprobante.comentario", ["x" * 256]),
    ("lista_larga", "comprobante.tags", [["x"] * 51]),
    ("texto_largo", "comprobante.tags.0", [["x" * 256]]),
    ("lista_larga", "comprobante.tributos", [[A["comprobante"]["tributos"][0]] * 8]),
    ("mes_invalido", "comprobante.abono_hasta", ["13/2024", "1/2024", "2024-01", 12024]),
    ("no_es_objeto", "comprobante.datos_informativos", ["N"]),
    ("texto_invalido", "cliente.razon_social", ["\ud800 SA"]),
    ("texto_invalido", "comprobante.nuevo", ["\udfff"]),
    ("texto_invalido", "comprobante", [{**B["comprobante"], "\ud800": 1}]),
    ("numero_no_finito", "comprobante.nuevo", [math.nan]),
    ("numero_fuera_de_rango", "comprobante.nuevo", [D("1E999999"), D("1E-999999"), 10**300]),
]


@pytest.mark.parametrize(
    ("codigo", "campo", "valor"),
    [(codigo, campo, valor) for codigo, campo, valores in MALOS for valor in valores],
    ids=lambda x: repr(x)[:40],
)
def test_what_the_provider_refuses_is_refused_where_it_is_wrong(codigo, campo, valor):
    destino = campo.removesuffix(".0") if campo.endswith("tags.0") else campo
    assert (codigo, campo) in fallas(con(B, {destino: valor}))


@pytest.mark.parametrize("tipo", ["CUIT", "CUIL", "CDI"])
def test_cuit_cuil_and_cdi_have_eleven_digits(tipo):
    for numero in ("3071229384", "307122938411"[:12]):
        entrada = con(B, {"cliente.documento_tipo": tipo, "cliente.documento_nro": numero})
        assert fallas(entrada) == [("documento_invalido", "cliente.documento_nro")]
    listo(con(B, {"cliente.documento_tipo": tipo, "cliente.documento_nro": 30712293841}))


def test_document_zero_is_only_for_otro():
    listo(con(B, {"cliente.documento_tipo": "OTRO", "cliente.documento_nro": 0}))


def test_condicion_de_pago_214_says_which():
    entrada = con(B, {"cliente.condicion_pago": "214"})
    assert fallas(entrada) == [("condicion_pago_sin_detalle", "cliente.condicion_pago_otra")]
    entrada = con(entrada, {"cliente.condicion_pago_otra": "x" * 101})
    assert fallas(entrada) == [("texto_largo", "cliente.condicion_pago_otra")]
    listo(con(entrada, {"cliente.condicion_pago_otra": "Canje"}))


def test_up_to_fifteen_addresses_are_sent_without_spaces_between():
    entrada = con(B, {"cliente.email": " a@b.c , d@e.f,, "})
    assert listo(entrada).peticion["cliente"]["email"] == "a@b.c,d@e.f"
    listo(con(B, {"cliente.email": ",".join(["a@b.c"] * 15)}))


def test_one_to_130_lines():
    renglones = B["comprobante"]["detalle"] * 130
    enviado = listo(con(B, {"comprobante.detalle": renglones, "comprobante.total": FALTA}))
    assert enviado.total == D("18070.62")
    assert len(enviado.peticion["comprobante"]["detalle"]) == 130


@pytest.mark.parametrize("entrada", [FCE, NC_FCE], ids=["factura", "nota"])
def test_fce_needs_the_flag(entrada):
    assert fallas(entrada) == [("fce_no_habilitada", "comprobante.tipo")]
    listo(entrada, CON_FCE)


def test_fce_needs_rg_especiales():
    entrada = con(FCE, {"comprobante.rg_especiales": FALTA})
    assert fallas(entrada, CON_FCE) == [("falta_rg_especiales", "comprobante.rg_especiales")]


def test_the_shape_of_rg_especiales_is_checked_and_its_content_is_not():
    especiales = {"regimen": "Cualquiera", "datos": [{"id": "2101", "valor": 5}, {"id": 2, "valor": ""}]}
    enviado = listo(con(A, {"comprobante.rg_especiales": especiales})).peticion["comprobante"]["rg_especiales"]
    assert enviado == {"regimen": "Cualquiera", "datos": [{"id": 2101, "valor": "5"}, {"id": 2, "valor": ""}]}
    malo = {"regimen": "x" * 256, "datos": [{"valor": "x"}, 5]}
    assert fallas(con(A, {"comprobante.rg_especiales": malo})) == [
        ("texto_largo", "comprobante.rg_especiales.regimen"),
        ("falta_campo", "comprobante.rg_especiales.datos.0.id"),
        ("no_es_objeto", "comprobante.rg_especiales.datos.1"),
    ]


@pytest.mark.parametrize("vacio", [FALTA, None, []])
def test_a_nota_needs_what_it_corrects(vacio):
    assert fallas(con(NC, {"comprobante.comprobantes_asociados": vacio})) == [
        ("faltan_asociados", "comprobante.comprobantes_asociados")
    ]
    assert fallas(con(ND, {"comprobante.comprobantes_asociados_periodo": vacio})) == [
        ("faltan_asociados", "comprobante.comprobantes_asociados")
    ]


def test_a_factura_needs_none():
    listo(con(A, {"comprobante.comprobantes_asociados": []}))


def test_up_to_ten_asociados():
    (asociado,) = NC["comprobante"]["comprobantes_asociados"]
    listo(con(NC, {"comprobante.comprobantes_asociados": [asociado] * 10}))
    assert fallas(con(NC, {"comprobante.comprobantes_asociados": [asociado] * 11})) == [
        ("lista_larga", "comprobante.comprobantes_asociados")
    ]


@pytest.mark.parametrize(
    ("campo", "valor", "codigo"),
    [
        ("tipo_comprobante", "REMITO", "fuera_de_tabla"),
        ("tipo_comprobante", "FACTURA Z", "fuera_de_tabla"),
        ("tipo_comprobante", FALTA, "falta_campo"),
        ("punto_venta", 0, "numero_fuera_de_rango"),
        ("numero", 0, "numero_fuera_de_rango"),
        ("numero", 100_000_000, "numero_fuera_de_rango"),
        ("comprobante_fecha", "29/03/2022", "asociado_posterior"),
        ("comprobante_fecha", "7/3/2022", "fecha_invalida"),
        ("cuit", "3071229384", "documento_invalido"),
    ],
)
def test_what_an_asociado_may_not_be(campo, valor, codigo):
    camino = f"comprobante.comprobantes_asociados.0.{campo}"
    assert fallas(con(NC, {camino: valor})) == [(codigo, camino)]


def test_an_asociado_may_be_of_the_same_day():
    listo(con(NC, {"comprobante.comprobantes_asociados.0.comprobante_fecha": "28/03/2022"}))


def test_an_asociado_may_be_a_liquidacion_and_lack_fecha_and_cuit():
    asociado = {"tipo_comprobante": "LIQUIDACION A", "punto_venta": "0001", "numero": "00000005"}
    enviado = listo(con(NC, {"comprobante.comprobantes_asociados": [asociado]}))
    assert enviado.peticion["comprobante"]["comprobantes_asociados"] == [
        {"tipo_comprobante": "LIQUIDACION A", "punto_venta": 1, "numero": 5}
    ]


def test_the_periodo_asociado_is_in_order():
    camino = "comprobante.comprobantes_asociados_periodo"
    assert fallas(con(ND, {f"{camino}.fecha_hasta": "19/02/2022"})) == [("periodo_invertido", f"{camino}.fecha_hasta")]


@pytest.mark.parametrize(
    ("campo", "valor", "codigo"),
    [
        ("tipo", 5, "fuera_de_tabla"),
        ("regimen", 5, "regimen_ajeno"),
        ("regimen", 30, "fuera_de_tabla"),
        ("base_imponible", -1, "numero_negativo"),
        ("alicuota", "x", "no_es_numero"),
        ("alicuota", FALTA, "falta_campo"),
    ],
)
def test_what_a_tributo_may_not_be(campo, valor, codigo):
    camino = f"comprobante.tributos.0.{campo}"
    assert fallas(con(A, {camino: valor})) == [(codigo, camino)]


def test_pagos_add_up_and_their_total_may_be_left_out():
    assert listo(con_pagos(100, 39)).peticion["comprobante"]["pagos"]["total"] == 139
    listo(con_pagos("100.00", 39.0, total="139"))
    assert fallas(con_pagos(100, total=99)) == [("pagos_no_suman", "comprobante.pagos.total")]


def test_pagos_do_not_exceed_the_total_in_pesos():
    assert fallas(con_pagos(D("139.01"))) == [("pagos_exceden", "comprobante.pagos")]
    # 121 dollars at 1234.55
    listo(con_pagos(D("149380.55"), base=USD))
    assert fallas(con_pagos(D("149380.56"), base=USD)) == [("pagos_exceden", "comprobante.pagos")]


@pytest.mark.parametrize("cotizacion", [FALTA, None, 0, "0.000"])
def test_a_foreign_currency_needs_its_cotizacion(cotizacion):
    assert fallas(con(USD, {"comprobante.cotizacion": cotizacion})) == [("falta_cotizacion", "comprobante.cotizacion")]


def test_a_foreign_currency_at_par_is_no_fault():
    listo(con(USD, {"comprobante.cotizacion": 1}))


def test_paying_in_the_same_currency_is_only_for_a_foreign_one():
    assert fallas(con(A, {"comprobante.datos_informativos": {"paga_misma_moneda": "S"}})) == [
        ("moneda_extranjera", "comprobante.datos_informativos.paga_misma_moneda")
    ]
    listo(con(USD, {"comprobante.datos_informativos.paga_misma_moneda": "S"}))


def test_a_comprobante_of_letter_c_bears_no_iva():
    campo = "comprobante.detalle.0.producto.alicuota"
    assert ("alicuota_en_c", campo) in fallas(con(C, {campo: 21}))
    listo(con(C, {campo: -1}))


def test_the_tolerance_is_a_setting():
    entrada = con(B, {"comprobante.total": "139.05"})
    assert fallas(entrada) == [("total_no_coincide", "comprobante.total")]
    assert listo(entrada, Reglas(punto_venta=3, tolerancia_total=D("0.05"))).total == D("139.05")


def test_a_total_by_either_reading_of_the_bonificacion_is_accepted():
    renglon = B["comprobante"]["detalle"][0]
    renglones = [con(renglon, {"producto.alicuota": a, "producto.precio_unitario_sin_iva": 100}) for a in ("10.5", 21)]
    entrada = con(B, {"comprobante.detalle": renglones, "comprobante.bonificacion": 10})
    for total in ("219.40", "220.45"):
        assert listo(con(entrada, {"comprobante.total": total})).total == D(total)
    assert fallas(con(entrada, {"comprobante.total": "220.00"})) == [("total_no_coincide", "comprobante.total")]


def test_a_computed_total_that_is_not_positive_is_refused():
    entrada = con(B, {"comprobante.bonificacion": "114.88", "comprobante.total": FALTA})
    assert fallas(entrada) == [("numero_no_positivo", "comprobante.total")]


def test_a_total_that_rounds_to_nothing_is_refused():
    cambios = {f"{PRODUCTO}.precio_unitario_sin_iva": "0.001", "comprobante.total": "0.004"}
    assert fallas(con(B, cambios)) == [("numero_no_positivo", "comprobante.total")]


def test_the_total_is_checked_even_when_something_else_in_a_line_is_wrong():
    entrada = con(B, {f"{LINEA}.leyenda": "x" * 1001, "comprobante.tipo": "X", "comprobante.total": 150})
    assert sorted(fallas(entrada)) == [
        ("fuera_de_tabla", "comprobante.tipo"),
        ("texto_largo", f"{LINEA}.leyenda"),
        ("total_no_coincide", "comprobante.total"),
    ]


def test_a_total_that_cannot_be_worked_out_adds_no_fault_of_its_own():
    for total in (150, FALTA):
        entrada = con(B, {f"{LINEA}.cantidad": "x", "comprobante.total": total})
        assert fallas(entrada) == [("no_es_numero", f"{LINEA}.cantidad")]
