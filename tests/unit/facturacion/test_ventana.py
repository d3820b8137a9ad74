"""How long the date of a comprobante still serves."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facturacion.ventana import Concepto, hours_left, in_window, today, window_left

HOY = date(2026, 11, 22)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (datetime(2026, 11, 22, 3, 0, tzinfo=UTC), date(2026, 11, 22)),
        (datetime(2026, 11, 22, 2, 59, 59, tzinfo=UTC), date(2026, 11, 21)),
        (datetime(2026, 11, 23, 2, 59, 59, tzinfo=UTC), date(2026, 11, 22)),
    ],
)
def test_the_day_is_that_of_buenos_aires(now, day):
    assert today(now) == day


@pytest.mark.parametrize(
    ("now", "concepto", "hours"),
    [
        # noon in Buenos Aires of the day itself: the rest of it, and five days more
        (datetime(2026, 11, 22, 15, 0, tzinfo=UTC), Concepto.PRODUCTOS, 12 + 5 * 24),
        (datetime(2026, 11, 22, 15, 0, tzinfo=UTC), Concepto.SERVICIOS, 12 + 10 * 24),
        # the last minute of the fifth day, and the first after it
        (datetime(2026, 11, 28, 2, 59, tzinfo=UTC), Concepto.PRODUCTOS, 0),
        (datetime(2026, 11, 28, 2, 0, tzinfo=UTC), Concepto.PRODUCTOS, 1),
        (datetime(2026, 11, 28, 3, 0, tzinfo=UTC), Concepto.PRODUCTOS, 0),
        (datetime(2027, 11, 28, 3, 0, tzinfo=UTC), Concepto.SERVICIOS, 0),
    ],
)
def test_the_hours_left_are_until_the_end_of_the_last_legal_day(now, concepto, hours):
    assert hours_left(HOY, now=now, concepto=concepto) == hours


def test_the_window_closes_with_the_second_in_which_the_day_ends():
    closes = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)
    assert window_left(HOY, now=closes - timedelta(seconds=1)) == timedelta(seconds=1)
    assert window_left(HOY, now=closes) == timedelta(0)


def test_the_end_of_the_calendar_is_far_away():
    assert hours_left(date.max, now=datetime(2026, 11, 22, tzinfo=UTC)) > 24 * 365 * 7_000


@given(
    seconds=st.integers(0, 400_000_000),
    away=st.integers(-20, 20),
    concepto=st.sampled_from(Concepto),
)
def test_the_window_is_open_exactly_while_its_day_is_near_enough(seconds, away, concepto):
    now = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    fecha = today(now) + away * DAY
    assert (window_left(fecha, now=now, concepto=concepto) > timedelta(0)) == (-away <= concepto)


@given(seconds=st.integers(0, 400_000_000), away=st.integers(-20, 20), concepto=st.sampled_from(Concepto))
def test_a_date_is_legal_up_to_as_many_days_from_today_on_either_side(seconds, away, concepto):
    now = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    assert in_window(today(now) + away * DAY, now=now, concepto=concepto) == (abs(away) <= concepto)
