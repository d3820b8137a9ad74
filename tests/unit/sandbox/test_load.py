"""The load test's own reckoning: what it sends, how it measures growth and lateness, and that it sees what is wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from tests.load.harm import WARM, Sample, growth
from tests.load.plan import HOOKS_EACH, PARAMETERS, Sizes, provider_plan, write_schedule
from tests.load.verdict import PATIENCE, Verdict, _most_within
from tests.sandbox.cuentas import make_cuentas
from tests.sandbox.demo.script import Role
from tests.sandbox.deploy import check_parameters
from tests.sandbox.simulator.plan import Plan

SIZES = Sizes(count=500, cuentas=5, seed=3)
CUENTAS = make_cuentas([f"carga-{n}" for n in range(5)])


def test_it_sends_each_comprobante_once_at_the_pace_asked_for_and_a_few_again():
    schedule, expected = write_schedule(CUENTAS, SIZES, date(2026, 11, 25))
    first = [due for due in schedule if due.envio.role is Role.COMPROBANTE]
    again = [due for due in schedule if due.envio.role is Role.REPEAT]
    assert {(d.envio.cuenta, d.envio.reference) for d in first} == set(expected) and len(first) == 500
    assert 0 < len(again) < 50 and {d.envio.body for d in again} <= {d.envio.body for d in first}
    assert [d.at for d in schedule] == sorted(d.at for d in schedule)
    assert first[-1].at == pytest.approx(SIZES.seconds, abs=1) and SIZES.seconds == 500 * HOOKS_EACH / 40
    assert set(Counter(cuenta for cuenta, _ in expected).values()) == {100}


def test_the_same_seed_sends_the_same():
    today = date(2026, 11, 25)
    assert write_schedule(CUENTAS, SIZES, today) == write_schedule(CUENTAS, SIZES, today)
    assert write_schedule(CUENTAS, replace(SIZES, seed=4), today) != write_schedule(CUENTAS, SIZES, today)


def test_the_provider_keeps_up_with_what_it_is_sent():
    plan = Plan(**provider_plan(SIZES))
    assert SIZES.cuentas / plan.segundos_por_comprobante > SIZES.rate / HOOKS_EACH
    check_parameters(PARAMETERS)


def test_growth_is_that_of_warm_processes_whatever_level_each_is_at():
    ages = [WARM + n for n in range(200)]
    flat = [Sample(1, age, 80.0) for age in ages] + [Sample(2, age, 40.0) for age in ages[:150]]
    leaking = [Sample(3, age, 50 + 2 * age / 60) for age in ages]
    starting = [Sample(4, age, 10 + age) for age in range(int(WARM))]
    assert growth(flat) == pytest.approx(0) and growth(starting) is None
    assert growth(leaking) == pytest.approx(2) and growth(leaking[:60]) is None


def test_the_busiest_second_is_found():
    begun = datetime(2026, 11, 25, tzinfo=UTC)
    moments = [begun + timedelta(seconds=s) for s in (0, 0.5, 10, 10.1, 10.9, 11.05, 30)]
    assert (_most_within(moments, 1), _most_within(moments, 5)) == (3, 4)


class Answered:
    """Of an Outcome, what lateness is told by."""

    def __init__(self, *seconds):
        self.answers = [(datetime(2026, 11, 25, tzinfo=UTC), one, 200) for one in seconds]


def test_a_hook_that_was_answered_too_late_is_told():
    assert Verdict(Answered(0.1, PATIENCE))._late() == []
    assert Verdict(Answered(0.1, PATIENCE + 0.1, 7.0))._late() == ["2 were, the last after 7.0 s"]
