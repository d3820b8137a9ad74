"""When an open comprobante is asked about by itself: by its place, its fecha, and ever more rarely."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from facturacion.esperas import Ritmo, allowed, is_time, is_worth, looks_at_all, patience, starts

POSTED = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DUE = timedelta(seconds=300)


@pytest.mark.parametrize(("place", "seconds"), [(0, 300), (50, 600), (600, 300 + 3_600), (14_400, 300 + 86_400)])
def test_the_place_in_the_line_adds_what_the_provider_needs_at_600_per_hour(place, seconds):
    assert allowed(place, DUE) == timedelta(seconds=seconds)


def test_with_a_shorter_due_everything_is_faster():
    assert allowed(300, timedelta(seconds=4)) == timedelta(seconds=28)


@pytest.mark.parametrize(
    ("fecha", "since"),
    [
        (None, POSTED),
        (date(2026, 2, 27), POSTED),
        (date(2026, 3, 2), POSTED),
        (date(2026, 3, 3), datetime(2026, 3, 3, 3, 0, tzinfo=UTC)),
        (date(2026, 5, 1), datetime(2026, 5, 1, 3, 0, tzinfo=UTC)),
    ],
)
def test_a_scheduled_one_does_not_age_before_its_day_in_argentina_begins(fecha, since):
    assert starts(POSTED, fecha) == since


def asks(since, first, *, hours, every=5):
    """The minutes after POSTED at which contrasts ask, one in every `every` minutes."""
    asked, before = [], None
    for minutes in range(0, int(hours * 60), every):
        now = POSTED + timedelta(minutes=minutes)
        if is_time(since, first, DUE, before=before, now=now):
            asked.append(minutes)
        before = now
    return asked


def test_it_is_asked_about_when_overdue_and_then_ever_more_rarely():
    asked = asks(POSTED, DUE, hours=24)
    assert asked[0] == 5 and 6 <= len(asked) <= 18
    assert all(b <= max(10, 3 * a) for a, b in pairwise(asked)) and asked[-1] >= 480


def test_what_the_provider_does_not_move_for_weeks_comes_to_two_asks_a_day_at_most():
    asked = asks(POSTED, DUE, hours=24 * 20, every=60)
    assert 16 <= len([a for a in asked if a >= 48 * 60]) <= 36


def test_what_waits_together_is_asked_about_together():
    """A thousand that do not move: each first by its place, later all in the same contrasts."""
    each = [asks(POSTED, allowed(place, DUE), hours=72) for place in range(0, 1_000, 40)]
    late = {tuple(minutes for minutes in one if minutes > 150) for one in each}
    assert len(late) == 1


def test_no_ask_is_left_out_by_a_contrast_that_comes_late():
    for minutes in (5, 6, 60, 5_000):
        now = POSTED + timedelta(minutes=minutes)
        assert is_time(POSTED, DUE, DUE, before=POSTED + timedelta(minutes=4), now=now)
        assert is_time(POSTED, DUE, DUE, before=None, now=now)
    assert is_time(POSTED, DUE, DUE, before=POSTED + timedelta(minutes=5), now=POSTED + timedelta(days=2))
    assert not is_time(POSTED, DUE, DUE, before=None, now=POSTED + timedelta(minutes=4))


# -- when a contrast is worth its query


EVERY = timedelta(seconds=30)


@pytest.mark.parametrize(
    ("line", "seconds"), [(0, 30), (1, 30), (6, 30), (10, 48), (50, 240), (100, 480), (101, 480), (20_000, 480)]
)
def test_a_few_wait_for_as_long_as_the_line_takes_to_be_issued_and_never_above_eight_minutes(line, seconds):
    assert patience(line, EVERY) == timedelta(seconds=seconds)


def worth(seconds, waiting, line, *, every=EVERY):
    before = None if seconds is None else POSTED - timedelta(seconds=seconds)
    return is_worth(Ritmo(before, waiting, line), every=every, due=DUE, now=POSTED)


@pytest.mark.parametrize(
    ("seconds", "waiting", "line", "asked"),
    [
        (None, 0, 0, True),  # never looked at
        (29, 500, 0, False),  # at most every ContrastSeconds
        (30, 1, 0, True),  # a single one, and nothing is in the line
        (30, 1, 1, True),
        (30, 9, 10, False),
        (30, 10, 10, True),  # all that was expected
        (47, 1, 10, False),
        (48, 1, 10, True),
        (30, 99, 5_000, False),
        (30, 100, 5_000, True),  # a hundred are worth it
        (479, 99, 5_000, False),
        (480, 1, 5_000, True),  # nobody waits longer
        (299, 0, 0, False),
        (300, 0, 0, True),  # though nothing is known to wait
        (479, 0, 5_000, False),
        (480, 0, 5_000, True),
    ],
)
def test_a_contrast_is_made_at_once_for_one_and_for_a_hundred_in_a_backlog(seconds, waiting, line, asked):
    assert worth(seconds, waiting, line) is asked


def test_with_a_shorter_interval_a_backlog_waits_less_too():
    assert not worth(15, 1, 500, every=timedelta(seconds=1))
    assert worth(16, 1, 500, every=timedelta(seconds=1))


@pytest.mark.parametrize(
    ("seconds", "line", "everything"),
    [
        (None, 5_000, True),  # never
        (299, 0, False),
        (300, 0, True),
        (300, 100, True),
        (599, 200, False),
        (600, 200, True),  # a hundred of them, at 600 an hour
        (14_399, 10_000, False),
        (14_400, 10_000, True),  # within four hours, however long the line
    ],
)
def test_everything_is_read_again_when_half_of_the_line_should_have_been_issued(seconds, line, everything):
    looked = None if seconds is None else POSTED - timedelta(seconds=seconds)
    assert looks_at_all(Ritmo(en_linea=line), looked=looked, due=DUE, now=POSTED) is everything
