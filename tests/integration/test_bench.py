"""The bench counts what it says: small runs of it, in the explorer's world."""

from __future__ import annotations

import pytest
from tests.bench import comparing, counting, counts
from tests.explore import scenarios
from tests.explore.installing import exploring

FEW = 20


@pytest.fixture(scope="module", autouse=True)
def world():
    with exploring({}, scenarios.secrets()):
        yield


def test_a_healthy_life_is_nine_write_units_of_its_own_items():
    bill = counting.count(counting.backlog(FEW))
    assert (bill.issued, bill.accepted_twice, bill.violations, bill.lotes) == (FEW, 0, (), 1)
    assert bill.own_writes == counts.WRITES_MOST and bill.writes > bill.own_writes
    assert bill.invoked["webhook"] == 2 * FEW and bill.meter.writes["webhook"] == 2 * FEW


def test_errors_are_of_the_share_that_was_asked_for():
    bill = counting.count(counting.backlog(FEW, errors_percent=10.0))
    assert bill.in_error == 2 and bill.states and bill.invoked["resolve"]


@pytest.mark.parametrize("fault", comparing.FAULTS[:2], ids=lambda fault: fault.name)
def test_where_the_reference_issues_twice_ours_issues_once(fault):
    ours, theirs = (comparing.measure(fault, ours=ours, comprobantes=FEW) for ours in (True, False))
    assert (ours.struck, ours.duplicates, ours.missing) == (1, 0, 0)
    assert theirs.struck >= 2 <= theirs.duplicates


def test_neither_issues_twice_what_is_only_delivered_twice():
    again = comparing.FAULTS[2]
    ours, theirs = (comparing.measure(again, ours=ours, comprobantes=FEW) for ours in (True, False))
    assert ours.duplicates == ours.missing == theirs.duplicates == theirs.missing == 0
    assert ours.struck and theirs.struck
