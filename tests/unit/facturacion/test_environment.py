"""Reading an environment: every fault at once, by the variable's name; nothing that cannot work comes through."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from facturacion.environment import LONGEST_SECONDS, EnvironmentRefused, Reader


def refused(env, read):
    reader = Reader(env)
    read(reader)
    with pytest.raises(EnvironmentRefused) as refusal:
        reader.done()
    return str(refusal.value)


def test_what_is_there_is_read():
    read = Reader({"TABLE": "t", "QUIET": "7200", "SHORT": "2.5", "TOLERANCE": "0.01", "FCE": "true", "OTHER": "false"})
    assert read.text("TABLE") == "t"
    assert read.seconds("QUIET") == timedelta(hours=2)
    assert read.seconds("SHORT") == timedelta(seconds=2.5)
    assert read.decimal("TOLERANCE") == Decimal("0.01")
    assert read.flag("FCE") is True
    assert read.flag("OTHER") is False
    read.done()


def test_an_optional_variable_may_be_missing_or_empty():
    read = Reader({"EMPTY": "", "THERE": "x"})
    assert (read.optional("MISSING"), read.optional("EMPTY"), read.optional("THERE")) == (None, None, "x")
    read.done()


@pytest.mark.parametrize("env", [{}, {"X": ""}])
@pytest.mark.parametrize("kind", ["text", "seconds", "decimal", "flag"])
def test_a_missing_variable_is_named(env, kind):
    assert "X is missing" in refused(env, lambda read: getattr(read, kind)("X"))


@pytest.mark.parametrize("value", ["abc", "1,5", "NaN", "Infinity", "-Infinity", "0x10", "1 2", "sNaN"])
@pytest.mark.parametrize("kind", ["seconds", "decimal"])
def test_what_is_no_finite_number_is_refused(value, kind):
    assert "X must be a number" in refused({"X": value}, lambda read: getattr(read, kind)("X"))


@pytest.mark.parametrize("value", ["0", "0.999", "-1", str(LONGEST_SECONDS + 1), "1e20", "1e400"])
def test_a_duration_out_of_its_bounds_is_refused(value):
    assert refused({"X": value}, lambda read: read.seconds("X")) == f"X must be from 1 to {LONGEST_SECONDS}"


def test_the_least_of_a_duration_is_allowed_and_can_be_chosen():
    read = Reader({"ONE": "1", "FIVE": "5"})
    assert read.seconds("ONE") == timedelta(seconds=1)
    assert read.seconds("FIVE", at_least=5) == timedelta(seconds=5)
    read.done()
    assert refused({"X": "4"}, lambda read: read.seconds("X", at_least=5)) == f"X must be from 5 to {LONGEST_SECONDS}"


def test_a_negative_amount_is_refused_and_zero_is_not():
    assert refused({"X": "-0.01"}, lambda read: read.decimal("X")) == "X must not be negative"
    read = Reader({"X": "0"})
    assert read.decimal("X") == 0
    read.done()


@pytest.mark.parametrize("value", ["yes", "True", "1", " true"])
def test_a_flag_is_true_or_false_and_nothing_else(value):
    assert refused({"X": value}, lambda read: read.flag("X")) == "X must be true or false"


def test_every_fault_is_told_at_once_and_no_value_is_repeated():
    def read(reader):
        reader.text("A")
        reader.seconds("B")
        reader.flag("C")
        reader.refuse("D and E contradict each other")

    text = refused({"B": "hunter2", "C": "hunter3"}, read)
    assert [name for name in ("A", "B", "C", "D and E") if name in text] == ["A", "B", "C", "D and E"]
    assert "hunter" not in text


def test_without_faults_nothing_is_raised():
    Reader({}).done()
