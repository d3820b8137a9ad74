"""Instants as text: UTC, milliseconds, and the order of the texts is the order of time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from facturacion.tiempo import ARGENTINA, from_iso, now, to_iso

HUNDRED_YEARS = 3_155_760_000_000_000
instants = st.builds(
    lambda microseconds, zone: datetime(2000, 1, 1, tzinfo=UTC).astimezone(zone) + timedelta(microseconds=microseconds),
    st.integers(0, HUNDRED_YEARS),
    st.sampled_from([UTC, ARGENTINA]),
)


def test_an_instant_is_written_in_utc_with_milliseconds():
    noon = datetime(2026, 3, 2, 9, 0, 0, 123_999, tzinfo=ARGENTINA)
    assert to_iso(noon) == "2026-03-02T12:00:00.123Z"
    assert to_iso(datetime(2026, 3, 2, tzinfo=UTC)) == "2026-03-02T00:00:00.000Z"


@given(instants)
def test_an_instant_comes_back_in_utc_at_most_a_millisecond_earlier(instant):
    back = from_iso(to_iso(instant))
    assert back.utcoffset() == timedelta(0)
    assert timedelta(0) <= instant - back < timedelta(milliseconds=1)


@given(instants, instants)
def test_the_order_of_the_texts_is_the_order_of_time(one, other):
    one, other = from_iso(to_iso(one)), from_iso(to_iso(other))
    assert (to_iso(one) < to_iso(other)) == (one < other)
    assert len(to_iso(one)) == len(to_iso(other))


def test_the_providers_clock_is_three_hours_behind_utc_all_year():
    for month in range(1, 13):
        assert datetime(2026, month, 1, tzinfo=ARGENTINA).utcoffset() == timedelta(hours=-3)


def test_the_real_clock_is_aware_and_in_utc():
    before = datetime.now(timezone(timedelta(hours=5)))
    instant = now()
    assert instant.tzinfo is UTC
    assert before <= instant <= datetime.now(UTC)
