from __future__ import annotations

from decimal import Decimal

import pytest

from tusfacturas import tables


def test_the_queue_takes_a_b_c_m_their_fce_and_the_recibo_c():
    encolables = {tipo.texto for tipo in tables.TIPOS.values() if tipo.encolable}
    comunes = {f"{clase} {letra}" for clase in ("FACTURA", "NOTA DE DEBITO", "NOTA DE CREDITO") for letra in "ABCM"}
    fce = {
        f"{clase} ELECTRONICA MiPyME (FCE) {letra}"
        for clase in ("FACTURA DE CREDITO", "NOTA DE DEBITO", "NOTA DE CREDITO")
        for letra in "ABC"
    }
    assert encolables == comunes | fce | {"RECIBO C"}
    assert {tipo.texto for tipo in tables.TIPOS.values() if tipo.fce} == fce


@pytest.mark.parametrize(
    ("tabla", "cuantos"),
    [
        (tables.TIPOS, 29),
        (tables.CONDICIONES_IVA, 6),
        (tables.DOCUMENTOS, 6),
        (tables.PROVINCIAS, 26),
        (tables.CONDICIONES_PAGO, 17),
        (tables.MONEDAS, 14),
        (tables.ALICUOTAS, 6),
        (tables.UNIDADES_MEDIDA, 47),
        (tables.IDIOMAS, 2),
        (tables.TRIBUTOS, 3),
    ],
)
def test_every_table_is_whole(tabla, cuantos):
    assert len(tabla) == cuantos


def test_every_regimen_belongs_to_one_kind_of_tributo():
    regimenes = [regimen for tributo in tables.TRIBUTOS.values() for regimen in tributo.regimenes]
    assert len(regimenes) == len(set(regimenes)) == 3 + 25 + 4
    assert "3" in tables.TRIBUTOS["6"].regimenes
    assert "5" in tables.TRIBUTOS["7"].regimenes


def test_a_rate_is_found_by_its_value_however_it_is_written():
    assert Decimal("21.00") in tables.ALICUOTAS
    assert Decimal("10.50") in tables.ALICUOTAS
    assert Decimal("2.5") not in tables.ALICUOTAS


def test_the_tables_cannot_be_changed():
    with pytest.raises(TypeError):
        tables.MONEDAS["BTC"] = "bitcoin"


@pytest.mark.parametrize(
    ("codigo", "dias"), [("201", 0), ("202", 30), ("204", 90), ("209", 20), ("213", 5), ("217", 0)]
)
def test_a_condicion_de_pago_says_when_it_falls_due(codigo, dias):
    assert tables.CONDICIONES_PAGO[codigo].dias == dias
