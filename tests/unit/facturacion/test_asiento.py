"""The ESTADO item: what is read of it, what is cut, and that it stays small."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from facturacion.asiento import (
    CAUSA_TEXTO_MAX,
    CAUSAS_MAX,
    Asiento,
    Causa,
    Datos,
    asiento_from_item,
    causas_to_item,
    datos_to_item,
    pk_of,
)
from facturacion.estado import Estado

LEAST = {"cuenta": "norte", "external_reference": "A-1", "estado": "EN_REVISION", "version": Decimal(1)}


def read(**more):
    return asiento_from_item(LEAST | more)


def test_the_least_an_item_can_hold_is_read_with_nothing_made_up():
    assert read() == Asiento(
        cuenta="norte",
        external_reference="A-1",
        estado=Estado.EN_REVISION,
        version=1,
        datos=Datos(hash=""),
        abierto=False,
    )


def test_a_whole_item_is_read_attribute_by_attribute():
    instant = "2026-03-02T12:00:00.123Z"
    aware = datetime(2026, 3, 2, 12, 0, 0, 123_000, tzinfo=UTC)
    assert read(
        estado="EMITIDO",
        version=Decimal(9),
        hash="h",
        tipo="FACTURA B",
        fecha="2026-03-02",
        vencimiento="2026-03-12",
        total="121.00",
        previos=Decimal(2),
        lote_id="L1",
        post_hasta=instant,
        quieto_desde=instant,
        orden="o",
        vistos={"a", "b"},
        rechazados={"h0"},
        en_cola=True,
        borrado_pedido=True,
        ausente_desde=instant,
        evento_pendiente="ComprobanteEmitido",
        causas=[["codigo", "campo", "mensaje"]],
        reemplaza="A-0",
        reemplazado_por="A-2",
        cae="75123",
        numero=Decimal(42),
        cae_vencimiento="2026-03-22",
        pdf="norte/A-1.pdf",
        sin_validez=True,
        creado=instant,
        actualizado=instant,
        abierto="norte",
    ) == Asiento(
        cuenta="norte",
        external_reference="A-1",
        estado=Estado.EMITIDO,
        version=9,
        datos=Datos("h", "FACTURA B", date(2026, 3, 2), date(2026, 3, 12), Decimal("121.00")),
        previos=2,
        lote_id="L1",
        post_hasta=aware,
        quieto_desde=aware,
        orden="o",
        vistos=frozenset({"a", "b"}),
        rechazados=frozenset({"h0"}),
        en_cola=True,
        borrado_pedido=True,
        ausente_desde=aware,
        evento_pendiente="ComprobanteEmitido",
        causas=(Causa("codigo", "campo", "mensaje"),),
        reemplaza="A-0",
        reemplazado_por="A-2",
        cae="75123",
        numero=42,
        cae_vencimiento=date(2026, 3, 22),
        pdf="norte/A-1.pdf",
        sin_validez=True,
        creado=aware,
        actualizado=aware,
        abierto=True,
    )


def test_counts_are_plain_numbers_for_whoever_logs_or_publishes_them():
    asiento = read(version=Decimal(3), previos=Decimal(1), numero=Decimal(42))
    assert [type(n) for n in (asiento.version, asiento.previos, asiento.numero)] == [int, int, int]


def test_an_attribute_that_a_later_release_adds_is_no_fault():
    assert read(algo_nuevo="x") == read()


def test_a_state_that_does_not_exist_is_a_fault_and_not_a_guess():
    with pytest.raises(ValueError, match="PERDIDO"):
        read(estado="PERDIDO")


def test_money_keeps_its_scale():
    item = datos_to_item(Datos("h", total=Decimal("100.10")))
    assert item == {"hash": "h", "total": "100.10"}
    assert str(read(**item).datos.total) == "100.10"


def test_of_the_content_only_what_is_known_is_kept():
    assert datos_to_item(Datos("h")) == {"hash": "h"}
    assert datos_to_item(Datos("h", "FACTURA B", date(2026, 3, 2), date(2026, 3, 12), Decimal(0))) == {
        "hash": "h",
        "tipo": "FACTURA B",
        "fecha": "2026-03-02",
        "vencimiento": "2026-03-12",
        "total": "0",
    }


def test_of_many_causas_the_first_are_kept_and_cut():
    many = [Causa(f"c{n}", "f" * 300, "m" * 300) for n in range(9)]
    kept = causas_to_item(many)
    assert [causa[0] for causa in kept] == [f"c{n}" for n in range(CAUSAS_MAX)]
    assert all(len(campo) <= 50 and len(mensaje) == CAUSA_TEXTO_MAX for _, campo, mensaje in kept)
    assert causas_to_item([]) == []


def test_causas_come_back_as_they_were_kept():
    causas = (Causa("c0", "cliente.documento_nro", "Falta."), Causa("c1", "", "Otra."))
    assert read(causas=causas_to_item(causas)).causas == causas


def test_the_key_is_of_the_cuenta_and_the_reference():
    assert read().pk == pk_of("norte", "A-1") == "norte#A-1"
    assert pk_of("norte", "") == "norte#"
