from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tusfacturas.totals import Linea, total_de, totales_de

VECTORES = json.loads((Path(__file__).parent / "total_vectors.json").read_text(encoding="utf-8"))
D = Decimal


def linea(cantidad="1", precio="100", alicuota="21", bonificacion="0"):
    return Linea(D(cantidad), D(precio), D(alicuota), D(bonificacion))


def total_del_vector(vector):
    return total_de(
        [
            linea(i["cantidad"], i["precio_unitario_sin_iva"], i["alicuota"], i["bonificacion_porcentaje"])
            for i in vector["items"]
        ],
        bonificacion=D(vector["bonificacion"]),
        impuestos_internos=D(vector["impuestos_internos"]),
        tributos=[D(vector["tributos_total"])],
    )


@pytest.mark.parametrize("vector", [v for v in VECTORES if v["reproduced"]], ids=lambda v: v["name"])
def test_the_total_is_the_one_the_provider_prints(vector):
    assert str(total_del_vector(vector)) == vector["expected_total"]


def test_there_are_twelve_printed_totals_and_one_that_contradicts_its_items():
    assert sum(v["reproduced"] for v in VECTORES) == 12
    (contradictorio,) = (v for v in VECTORES if not v["reproduced"])
    assert str(total_del_vector(contradictorio)) == contradictorio["computed"] == "643.22"


@pytest.mark.parametrize(
    ("precio", "iva_redondeado"),
    [("0.50", "0.60"), ("1.50", "1.82"), ("2.50", "3.02")],  # IVA 0.105, 0.315, 0.525
)
def test_iva_is_rounded_half_even(precio, iva_redondeado):
    assert total_de([linea(precio=precio)]) == D(iva_redondeado)


def test_iva_is_rounded_once_for_each_alicuota_and_not_for_each_line():
    # Three lines of 0.02 bear 0.0126 of IVA together; rounded one by one they would bear none.
    assert total_de([linea(precio="0.02")] * 3) == D("0.07")
    # 10.5 % of 0.05 and 21 % of 0.02 are rounded apart: 0.01 and 0.00, not the 0.01 of their sum.
    assert total_de([linea(precio="0.05", alicuota="10.5"), linea(precio="0.02")]) == D("0.08")


def test_exento_and_no_gravado_bear_no_iva():
    assert total_de([linea(alicuota="-1"), linea(alicuota="-2"), linea(alicuota="0")]) == D("300.00")


def test_impuestos_internos_bear_no_iva():
    assert total_de([linea()], impuestos_internos=D(50)) == D("171.00")


def test_a_line_that_is_wholly_discounted_adds_nothing():
    assert total_de([linea(), linea(bonificacion="100")]) == D("121.00")


def test_the_bonificacion_comes_off_the_21_percent():
    assert totales_de([linea(), linea(alicuota="10.5")], bonificacion=D(10)) == (D("219.40"),)


def test_without_a_21_percent_the_bonificacion_comes_off_the_first_taxed_group():
    renglones = [linea(alicuota="-1"), linea(alicuota="10.5"), linea(alicuota="27")]
    assert totales_de(renglones, bonificacion=D(10)) == (D("326.45"),)


def test_a_21_percent_that_is_not_the_first_has_two_readings_and_the_21_is_the_likelier():
    renglones = [linea(alicuota="10.5"), linea()]
    assert totales_de(renglones, bonificacion=D(10)) == (D("219.40"), D("220.45"))
    assert total_de(renglones, bonificacion=D(10)) == D("219.40")


def test_where_nothing_is_taxed_the_bonificacion_comes_off_the_total():
    assert totales_de([linea(alicuota="0"), linea(alicuota="-1")], bonificacion=D(10)) == (D("190.00"),)


importes = st.decimals(min_value=0, max_value=10**12, places=2)
lineas = st.lists(
    st.builds(
        Linea,
        cantidad=st.decimals(min_value=D("0.01"), max_value=10**12, places=2),
        precio_unitario_sin_iva=st.decimals(min_value=0, max_value=10**12, places=3),
        alicuota=st.sampled_from([D(27), D(21), D("10.5"), D(0), D(-1), D(-2)]),
        bonificacion_porcentaje=st.decimals(min_value=0, max_value=100, places=2),
    ),
    min_size=1,
    max_size=8,
)


@given(lineas=lineas, bonificacion=importes, impuestos=importes, tributos=st.lists(importes, max_size=3))
def test_the_total_depends_on_the_order_of_the_lines_only_through_the_bonificacion(
    lineas, bonificacion, impuestos, tributos
):
    resto = {"impuestos_internos": impuestos, "tributos": tributos}
    assert total_de(lineas, **resto) == total_de(lineas[::-1], **resto)
    con, sin = total_de(lineas, bonificacion=bonificacion, **resto), total_de(lineas, **resto)
    assert con <= sin


@given(lineas=lineas)
def test_the_total_is_exact_however_large_the_numbers(lineas):
    exacto = sum(
        (
            Fraction(x.cantidad)
            * Fraction(x.precio_unitario_sin_iva)
            * (1 - Fraction(x.bonificacion_porcentaje) / 100)
            * (1 + max(Fraction(x.alicuota), Fraction(0)) / 100)
            for x in lineas
        ),
        Fraction(0),
    )
    # Three groups and the total, each off by half a cent at most.
    assert abs(Fraction(total_de(lineas)) - exacto) <= Fraction(2, 100)
