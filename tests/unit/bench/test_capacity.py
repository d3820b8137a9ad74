"""What DynamoDB charges, by the examples and rules of its developer guide."""

from __future__ import annotations

from tests.bench.capacity import query_units, read_units, size_of, write_units

INDEXES = {"abiertos": ("abierto", "orden")}
OPEN = {"pk": {"S": "norte#A-1"}, "sk": {"S": "ESTADO"}, "abierto": {"S": "norte"}, "orden": {"S": "1"}}
CLOSED = {name: value for name, value in OPEN.items() if name != "abierto"}


def of_size(size):
    return {"pk": {"S": "x" * (size - 2)}}


def test_an_item_is_as_large_as_its_names_and_values():
    assert size_of({"pk": {"S": "ñandú"}}) == 2 + 7
    assert size_of({"n": {"N": "12345"}}) == 1 + 3 + 1
    assert size_of({"n": {"N": "-100"}}) == 1 + 1 + 1 + 1, "zeros at the end are not digits, a sign is a byte"
    assert size_of({"b": {"B": b"abc"}, "t": {"BOOL": True}, "s": {"SS": ["a", "bc"]}}) == 1 + 3 + 1 + 1 + 1 + 3
    assert size_of({"l": {"L": [{"S": "ab"}]}, "m": {"M": {"k": {"S": "v"}}}}) == 1 + 3 + 1 + 2 + 1 + 3 + 1 + 1 + 1


def test_a_write_is_charged_by_the_larger_of_both_images():
    assert write_units(None, of_size(1024), {}) == 1
    assert write_units(None, of_size(1025), {}) == 2
    assert write_units(of_size(3000), of_size(10), {}) == 3


def test_a_write_that_is_refused_is_charged_by_what_stands_there():
    assert write_units(None, None, {}) == 1
    assert write_units(of_size(2000), of_size(2000), {}) == 2


def test_into_an_index_or_out_of_it_is_one_write_more_and_within_it_two():
    moved = {**OPEN, "orden": {"S": "2"}}
    assert write_units(None, OPEN, INDEXES) == write_units(OPEN, CLOSED, INDEXES) == 2
    assert write_units(OPEN, moved, INDEXES) == 3
    assert write_units(OPEN, {**OPEN, "estado": {"S": "ENVIADO"}}, INDEXES) == write_units(None, CLOSED, INDEXES) == 1


def test_in_a_transaction_everything_counts_twice():
    assert write_units(None, OPEN, INDEXES, transaction=True) == 4


def test_items_are_read_in_steps_of_4_kb_each_by_itself_and_a_query_as_a_whole():
    assert read_units([0, 100, 4096, 4097], consistent=True) == 1 + 1 + 1 + 2
    assert read_units([3500], consistent=False) == 0.5
    assert query_units([100] * 80, consistent=True) == 2
    assert query_units([], consistent=False) == 0.5
