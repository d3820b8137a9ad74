"""The arithmetic of docs/scale.md by value, against a simulation of the queue, and the page against the arithmetic."""

from __future__ import annotations

import math

import pytest
from tests.bench import filling, scale_page
from tests.bench.scale import CUENTAS, Load, Settings, Size, loads, suffices

SMALL = Settings(batch=100, window=20, in_flight=2, http=300, due=300)
LARGE = SMALL._replace(batch=1_000)


def used(load, name):
    return next(limit.used for limit in load.limits() if limit.name.startswith(name))


def test_the_peak_is_three_times_the_mean_of_ten_hours():
    assert Load(Size(36_000, 1), LARGE).peak == pytest.approx(3.0)


def test_a_punto_de_venta_issues_eighteen_thousand_a_day_and_no_more():
    assert used(Load(Size(18_000, 1), LARGE), "the provider's pace") == pytest.approx(1.0)
    assert Load(Size(7_500, 1), LARGE).issued_after_hours == pytest.approx(10.0)
    assert Load(Size(15_000, 1), LARGE).issued_after_hours == pytest.approx(20.0)
    assert math.isinf(Load(Size(18_001, 1), LARGE).issued_after_hours)


def test_a_batch_of_one_cuenta_is_as_many_lotes_as_it_has_hundreds():
    assert Load(Size(1_000, 1), LARGE).lotes_of(1_000) == 10
    assert Load(Size(1_000, 1), LARGE).packs_a_second == pytest.approx(2 * 1_000 / (10 * 4 + 8))


def test_of_a_hundred_messages_of_many_cuentas_each_is_a_lote_of_its_own():
    many = Load(Size(100_000, 10_000), SMALL)
    assert many.lotes_of(100) == pytest.approx(100, rel=0.01)
    assert many.packs_a_second == pytest.approx(0.5, rel=0.02), "two invocations, four seconds for each message"


def test_a_day_of_outage_of_a_hundred_and_twenty_thousand_is_all_that_may_be_hidden():
    assert used(Load(Size(120_000, 100), LARGE), "messages in flight") == pytest.approx(1.0)


def test_the_most_used_limit_comes_first():
    for load in loads():
        shares = [limit.used for limit in load.limits()]
        assert shares == sorted(shares, reverse=True)


def test_with_what_suffices_the_lotes_get_away():
    for load in loads():
        enough = suffices(load.size)
        assert used(Load(load.size, enough), "lotes at a time") <= 1 or enough.in_flight == 1_000


@pytest.mark.parametrize("cuentas", [1, 10, 100])
def test_a_batch_comes_to_as_many_lotes_as_the_simulation_of_the_queue_posts(cuentas):
    """A backlog, so that every batch is full. Of a hundred cuentas some wait for their turn, and gather meanwhile."""
    setting = filling.Setting(20, 1_000, 1)
    came = [filling.Arrival(0.0, a.cuenta) for a in filling.month_end(10_000, cuentas)]
    posted = filling.simulate(came, setting)
    predicted = 10 * Load(Size(10_000, cuentas), LARGE._replace(in_flight=1)).lotes_of(1_000)
    assert posted.lotes == pytest.approx(predicted, rel=0.05 if cuentas < 100 else 0.2)


@pytest.mark.parametrize("cuentas", CUENTAS[:3])
def test_a_queue_that_is_too_slow_by_the_arithmetic_falls_behind_in_the_simulation(cuentas):
    load = Load(Size(1, cuentas), SMALL)
    for share, behind in ((0.5, False), (2.0, True)):
        came = filling.trickle(share * load.packs_a_second, cuentas, hours=0.5)
        waited = filling.simulate(came, filling.Setting(20, 100)).wait(0.95)
        assert (waited > 300) is behind, (share, waited)


def test_every_message_is_posted_once_and_none_before_it_came():
    came = filling.bursts(1_000, 10) + filling.trickle(0.5, 10)
    posted = filling.simulate(came, filling.Setting(20, 100))
    assert len(posted.waits) == len(came) and min(posted.waits) > 0


def test_a_backlog_of_one_cuenta_leaves_in_full_lotes():
    assert filling.simulate([filling.Arrival(0.0, 0)] * 10_000, filling.Setting(20, 1_000)).fill == 1.0


def test_a_longer_window_fills_better_and_makes_wait():
    came = filling.trickle(2.0, 1)
    short, long = (filling.simulate(came, filling.Setting(window, 1_000)) for window in (5, 60))
    assert long.fill > 2 * short.fill and long.wait(0.5) > 2 * short.wait(0.5)


def test_the_page_says_what_the_arithmetic_says():
    text = scale_page.PAGE.read_text(encoding="utf-8")
    assert scale_page.page(text) == text, "python -m tests.bench.scale_page"


def test_the_plots_are_those_of_the_arithmetic():
    for name, text in scale_page.images():
        assert (scale_page.DOCS / name).read_text(encoding="utf-8") == text, "python -m tests.bench.scale_page"
