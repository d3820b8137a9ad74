"""The short run of the crash explorer (`tests/explore`): cuts, seeds, mutants. The long ones are verbs of their own."""

from __future__ import annotations

import copy

import pytest
from tests.explore import directed, dynamo, errors, exhaustive, mutants, outage, randomly, rules, scenarios
from tests.explore.installing import exploring
from tests.explore.instrument import TABLE
from tests.explore.trace import trace


@pytest.fixture(autouse=True)
def _explored(_aws_is_moto):
    with exploring(scenarios.SHORT, scenarios.secrets()):
        yield


def told(world):
    """What a failing test shows: the invariant, and the way to it."""
    lines = [str(violation) for violation in world.violations]
    return "\n".join([*lines, trace(world, world.violations[0].pk)]) if lines else ""


@pytest.mark.parametrize("make", [scenarios.one, scenarios.hook_first], ids=lambda make: make.__name__)
def test_a_death_before_or_after_any_call_costs_nothing(make):
    explored = exhaustive.explore(make)

    assert not explored.failed, "\n".join(f"{cuts}\n{told(world)}" for cuts, world in explored.failed)
    assert explored.cut_points == 2 * len(explored.effects)
    assert explored.schedules == explored.cut_points + 1


@pytest.mark.parametrize(
    "make",
    [
        scenarios.one_524,
        scenarios.one_dropped,
        scenarios.one_slow_hooks_lost,
        scenarios.refused_then_corrected,
        scenarios.invalid_then_corrected,
        scenarios.twins,
        scenarios.two_lotes,
        scenarios.in_error,
        scenarios.deleted_and_replaced,
    ],
    ids=lambda make: make.__name__,
)
def test_neither_does_one_at_every_ninth_cut_of_the_longer_ones(make):
    explored = exhaustive.explore(make, only=lambda number: number % 9 == 4)

    assert not explored.failed, "\n".join(f"{cuts}\n{told(world)}" for cuts, world in explored.failed)
    assert explored.cut_points == 2 * len(explored.effects)


@pytest.mark.parametrize("make", errors.ERRORS, ids=lambda make: make().name)
def test_every_error_ends_as_it_should_also_with_a_few_cuts(make):
    explored = exhaustive.explore(make, faults=True, only=lambda number: number % 97 == 31)

    assert not explored.failed, "\n".join(f"{cuts}\n{told(world)}" for cuts, world in explored.failed)


@pytest.mark.parametrize("make", directed.DIRECTED, ids=lambda make: make.__name__)
def test_what_comes_just_so_costs_nothing_either(make):
    world = exhaustive.uncut(make)

    assert not world.violations, told(world)


def test_after_a_day_without_the_provider_the_backlog_leaves_in_full_lotes():
    morning = outage.weather(300)

    assert not morning.world.violations, told(morning.world)
    assert morning.dead == 0
    assert morning.fill >= outage.FILL, outage.told(morning)


@pytest.mark.parametrize("first", range(0, 30, 10))
def test_no_seed_issues_twice_or_loses_anything(first):
    for seed in range(first, first + 10):
        world = randomly.schedule(seed, randomly.TINY).run()

        assert not world.violations, f"python -m tests.explore --seed {seed}\n{told(world)}"


QUICK = [m for m in mutants.MUTANTS if m.quick]


@pytest.mark.parametrize("mutant", QUICK, ids=lambda mutant: mutant.name)
def test_a_broken_rule_is_noticed(mutant):
    assert mutants.hunt(mutant), f"python -m tests.explore --mutant '{mutant.name}'"


def test_every_rule_has_a_mutant_that_leaves_it_out_or_says_why_nobody_would_notice():
    named = [name for rule in rules.RULES for name in rule.mutants]
    of_rules = {m.name for m in mutants.MUTANTS if m.rule != "plain"}
    plain = [m for m in mutants.MUTANTS if m.rule == "plain"]

    assert all(bool(rule.mutants) != bool(rule.unseen) for rule in rules.RULES)
    assert sorted(named) == sorted(of_rules)
    assert {rule.number for rule in rules.RULES} == {*map(str, range(1, 15)), "door"}
    assert all(next(m for m in mutants.MUTANTS if m.name == n).rule == r.number for r in rules.RULES for n in r.mutants)
    assert len(plain) >= 12


def test_the_same_seed_is_the_same_schedule():
    first, again = (randomly.schedule(5, randomly.TINY).run() for _ in range(2))

    assert first.effects == again.effects
    assert [line.what for line in first.lines] == [line.what for line in again.lines]


def test_the_quick_way_through_dynamodb_does_what_moto_does(monkeypatch):
    quick, compared = dynamo.call, []

    def rows():
        items = dynamo.table(TABLE).items
        return {
            pk.value: {sk.value: dynamo.plain(row) for sk, row in some.items()} for pk, some in items.items() if some
        }

    def told(answer):
        status, parsed = answer
        names = ("Items", "Item", "Attributes", "Responses", "CancellationReasons")
        return status, {name: parsed.get(name) for name in names}

    def both(operation, params):
        before = copy.deepcopy(dynamo.table(TABLE).items)
        by_moto = told(dynamo.by_moto(operation, copy.deepcopy(params))), rows()
        dynamo.table(TABLE).items = before
        answer = quick(operation, params)
        assert (told(answer), rows()) == by_moto, (operation, params)
        compared.append(operation)
        return answer

    monkeypatch.setattr(dynamo, "call", both)
    for seed in range(5):
        assert not randomly.schedule(seed, randomly.TINY).run().violations
    for seed in range(2):  # One replaces another in a transaction, and a third may not.
        assert not exhaustive.run_cut(scenarios.deleted_and_replaced, *[(9, "before")][:seed]).violations
    assert set(compared) >= {"UpdateItem", "PutItem", "DeleteItem", "GetItem", "BatchGetItem", "Query"}
    assert "TransactWriteItems" in compared
