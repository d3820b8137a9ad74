from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tusfacturas.fechas import ARGENTINA, format_fecha, parse_fecha, parse_instante


@given(st.dates())
def test_a_date_comes_back_as_it_was_written(fecha):
    assert parse_fecha(format_fecha(fecha)) == fecha


def test_day_and_month_have_two_digits():
    assert format_fecha(date(2026, 1, 2)) == "02/01/2026"


@pytest.mark.parametrize(
    ("texto", "instante"),
    [
        ("26/07/2026 05:25", datetime(2026, 7, 26, 8, 25, tzinfo=UTC)),
        ("31/12/2026 23:30:15", datetime(2027, 1, 1, 2, 30, 15, tzinfo=UTC)),
        (" 26/07/2026 ", datetime(2026, 7, 26, 3, 0, tzinfo=UTC)),
    ],
)
def test_an_instant_of_argentina_is_told_in_utc(texto, instante):
    assert parse_instante(texto) == instante
    assert parse_instante(texto).utcoffset().total_seconds() == 0


@given(st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis wants naive bounds
def test_an_instant_comes_back_to_the_second(instante):
    local = instante.astimezone(ARGENTINA)
    texto = f"{format_fecha(local.date())} {local:%H:%M:%S}"
    assert parse_instante(texto) == instante.replace(microsecond=0)
    assert parse_fecha(texto) == local.date()


@pytest.mark.parametrize("texto", [None, "", " ", 7, [], "2026-07-26", "31/02/2026", "26/07/26", "26/07/2026 25:00"])
def test_what_is_no_date_is_none(texto):
    assert parse_fecha(texto) is None
    assert parse_instante(texto) is None


def test_the_last_hour_of_the_calendar_does_not_raise():
    assert parse_instante("31/12/9999 23:00") is None
    assert parse_fecha("31/12/9999 23:00") == date(9999, 12, 31)


@given(st.text())
def test_no_text_raises(texto):
    parse_fecha(texto)
    parse_instante(texto)
