"""A budget that is broken shows, and nothing else does."""

from __future__ import annotations

from tests.bench.table import Section, at_most, exactly, no_growth, text, told


def test_a_budget_holds_only_if_every_column_holds_it():
    assert at_most("units", [8.0, 9.0], 9.0).holds is True
    assert at_most("units", [9.01, 8.0], 9.0).holds is False
    assert exactly("twice", [0, 1], 0).holds is False


def test_what_costs_more_in_the_large_than_in_the_small_has_grown():
    assert no_growth("units", [9.0, 9.3, 8.0]).holds is True
    assert no_growth("units", [9.0, 9.6, 8.0]).holds is False


def test_a_section_shows_each_figure_beside_its_budget():
    section = Section("Counts", ("100", "1,000"), (at_most("units", [8.0, 9.5], 9.0), told("calls", [1.0, 2.0])))
    lines = list(text(section))
    assert section.broken == [section.rows[0]]
    assert lines[-2].split() == ["units", "8.00", "9.50", "≤", "9.00", "✗"] and lines[-1].split()[-1] == "2.00"
