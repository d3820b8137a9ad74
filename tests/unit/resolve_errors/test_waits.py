"""Resends wait longer each time, and end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolve_errors.waits import RESENDS_MAX, longest, next_wait

FIRST = timedelta(seconds=300)


def test_five_resends_outlast_the_short_outages_of_arca():
    waits = [next_wait(FIRST, done) for done in range(RESENDS_MAX)]
    assert [wait.total_seconds() for wait in waits] == [300, 900, 2_700, 8_100, 24_300]
    assert timedelta(hours=10) < longest(FIRST) < timedelta(hours=10, minutes=10)


@pytest.mark.parametrize("done", [RESENDS_MAX, RESENDS_MAX + 1, 1_000_000])
def test_after_the_last_a_person_decides(done):
    assert next_wait(FIRST, done) is None


def test_a_count_below_zero_is_a_slip():
    with pytest.raises(ValueError, match="counted from 0"):
        next_wait(FIRST, -1)


@given(st.integers(1, 86_400).map(lambda seconds: timedelta(seconds=seconds)), st.integers(0, RESENDS_MAX - 2))
def test_every_wait_is_longer_than_the_one_before(first, done):
    assert next_wait(first, done + 1) == 3 * next_wait(first, done)
