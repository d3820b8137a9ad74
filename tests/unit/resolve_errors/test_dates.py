"""The dates that a comprobante in error is given."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facturacion.ventana import Concepto
from resolve_errors.dates import Fechas, SinFecha, new_dates

HOY = date(2026, 11, 22)
DAY = timedelta(days=1)
NEAR = st.integers(-40, 40).map(lambda days: HOY + days * DAY)


def move(fecha, vencimiento, *, ultima=None, concepto=Concepto.PRODUCTOS, hoy=HOY):
    return new_dates(Fechas(fecha, vencimiento), tipo="FACTURA A", hoy=hoy, ultima=ultima, concepto=concepto)


@pytest.mark.parametrize(
    ("fecha", "vencimiento", "ultima", "expected"),
    [
        # aged out of the window: today's, and the same 30 days to pay
        (date(2026, 11, 1), date(2026, 12, 1), None, Fechas(HOY, date(2026, 12, 22))),
        # before the last issued of its tipo
        (date(2026, 11, 20), date(2026, 11, 20), date(2026, 11, 21), Fechas(HOY, HOY)),
        # ARCA's 10036: the vencimiento was before the fecha
        (date(2026, 11, 20), date(2026, 11, 10), None, Fechas(HOY, HOY)),
        (HOY, date(2026, 11, 10), HOY, Fechas(HOY, HOY)),
        # what is known here is right already: said to the provider all the same
        (HOY, date(2026, 11, 25), HOY, Fechas(HOY, date(2026, 11, 25))),
        # somebody issued one ahead of time
        (HOY, HOY, date(2026, 11, 24), Fechas(date(2026, 11, 24), date(2026, 11, 24))),
        (HOY, HOY, date(2026, 11, 27), Fechas(date(2026, 11, 27), date(2026, 11, 27))),
        # its sender wants it in December, and there it stays
        (date(2026, 12, 24), date(2026, 12, 31), HOY, Fechas(date(2026, 12, 24), date(2026, 12, 31))),
        (date(2026, 12, 24), date(2026, 12, 23), HOY, Fechas(date(2026, 12, 24), date(2026, 12, 24))),
        # over the end of a year and of a February
        (date(2025, 12, 31), date(2026, 1, 30), None, Fechas(HOY, date(2026, 12, 22))),
    ],
)
def test_both_dates_move_together(fecha, vencimiento, ultima, expected):
    assert move(fecha, vencimiento, ultima=ultima) == expected


@pytest.mark.parametrize(
    ("concepto", "ahead", "legal"),
    [
        (Concepto.PRODUCTOS, 5, True),
        (Concepto.PRODUCTOS, 6, False),
        (Concepto.SERVICIOS, 10, True),
        (Concepto.SERVICIOS, 11, False),
    ],
)
def test_where_the_last_issued_leaves_no_legal_date_a_person_decides(concepto, ahead, legal):
    result = move(HOY, HOY, ultima=HOY + ahead * DAY, concepto=concepto)
    assert isinstance(result, Fechas) == legal
    if isinstance(result, SinFecha):
        assert result.codigo == "SinFechaLegal" and "FACTURA A" in result.motivo
        assert f"{concepto:d} días" in result.motivo


def test_a_vencimiento_at_the_end_of_the_calendar_is_a_persons():
    result = move(date(2026, 11, 1), date.max)
    assert isinstance(result, SinFecha) and result.codigo == "VencimientoFueraDelCalendario"
    assert "31/12/9999" in result.motivo


@given(fecha=NEAR, vencimiento=NEAR, ultima=st.none() | NEAR, concepto=st.sampled_from(Concepto))
def test_no_date_breaks_a_rule_of_the_provider(fecha, vencimiento, ultima, concepto):
    result = move(fecha, vencimiento, ultima=ultima, concepto=concepto)
    if isinstance(result, SinFecha):
        assert ultima - HOY > concepto * DAY and ultima > fecha, "a person is asked only where no date would do"
        return
    assert result.vencimiento >= result.fecha, "10036"
    assert result.fecha >= max(HOY, fecha, ultima or HOY), "10016, and never into the past"
    assert result.fecha == fecha or result.fecha - HOY <= concepto * DAY
    if vencimiento >= fecha:
        assert result.vencimiento - result.fecha == vencimiento - fecha, "the terms of payment stay"


@given(fecha=NEAR, vencimiento=NEAR, ultima=st.none() | NEAR)
def test_moved_once_it_needs_no_other_move_that_day(fecha, vencimiento, ultima):
    first = move(fecha, vencimiento, ultima=ultima)
    if isinstance(first, Fechas):
        assert move(first.fecha, first.vencimiento, ultima=ultima) == first


# -- the window
