"""Many of one cuenta, the real handlers on a virtual clock: the provider's own pace, and a burst of errors."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.explore import crowds, scenarios
from tests.explore.installing import exploring


@pytest.fixture(autouse=True)
def _explored(_aws_is_moto):
    with exploring(scenarios.SHORT, scenarios.secrets()):
        yield


def test_a_thousand_issued_at_the_providers_pace_cost_two_hundredths_of_a_call_each():
    """600 to 900 an hour are published. Nobody waits for a CAE longer than 8 minutes, and a tick of the schedule."""
    backlog = crowds.backlog(1_000, per_hour=750)
    assert not backlog.world.violations and backlog.issued == 1_000
    assert backlog.calls <= crowds.CALLS_EACH * backlog.issued
    assert backlog.longest <= timedelta(minutes=9)


def test_a_single_one_has_its_cae_at_once():
    backlog = crowds.backlog(1, per_hour=750)
    assert backlog.longest <= timedelta(seconds=30)


def test_a_burst_of_errors_makes_one_run_and_resends_leave_in_the_original_order():
    burst = crowds.burst(500)
    assert not burst.world.violations and len(burst.runs) == 1
    assert burst.resent == burst.posted and len(burst.posted) == 500


def test_in_a_burst_that_is_resent_twice_nobody_overtakes_an_earlier_one():
    burst = crowds.burst(60, kind="AFIP*2")
    assert not burst.world.violations and burst.in_order and len(burst.resent) == 120
