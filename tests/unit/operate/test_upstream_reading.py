"""A file of messages: where each begins and ends, as it stands."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operate.upstream.reading import ArchivoIlegible, split

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text().filter(lambda key: key != "requests"), VALUES, max_size=4)


@given(st.lists(VALUES, min_size=1, max_size=6), st.sampled_from([None, 2]), st.sampled_from(["", " ", "\n"]))
def test_a_list_is_its_entries_to_the_letter(values, indent, around):
    texts = [json.dumps(value, indent=indent) for value in values]
    found = split(around + "[" + ",\n".join(texts) + "]" + around)
    assert [t.texto for t in found] == texts
    assert [t.lugar for t in found] == [f"entrada {n}" for n in range(1, len(texts) + 1)]


@given(st.lists(OBJECTS, min_size=2, max_size=6))
def test_lines_are_its_lines(values):
    texts = [json.dumps(value) for value in values]
    assert [t.texto for t in split("\n".join(texts) + "\n")] == texts


@given(OBJECTS, st.lists(OBJECTS, min_size=1, max_size=4), OBJECTS)
def test_the_body_of_a_lote_is_its_requests(before, requests, after):
    body = {f"a{k}": v for k, v in before.items()} | {"requests": requests} | {f"z{k}": v for k, v in after.items()}
    assert [json.loads(t.texto) for t in split(json.dumps(body))] == requests


@given(OBJECTS, st.sampled_from([None, 2]))
def test_one_object_is_one_message(value, indent):
    text = json.dumps(value, indent=indent)
    assert [t.texto for t in split(f"\ufeff\n{text}\n")] == [text]


def test_numbers_keep_all_their_digits_and_repeated_keys_stay():
    text = '{"a": 1.10000000000000000000001, "a": ' + "9" * 5_000 + "}"
    assert split(f"[{text}]")[0].texto == text


def test_a_line_that_is_no_json_is_that_lines_fault_and_stands_beside_its_number():
    found = split('{"a": 1}\n\n{"a": \n{"b": 2}')
    assert [(t.lugar, t.texto) for t in found] == [
        ("línea 1", '{"a": 1}'),
        ("línea 3", '{"a":'),
        ("línea 4", '{"b": 2}'),
    ]


@pytest.mark.parametrize(
    ("content", "where"),
    [
        ("", "vacío"),
        (" \n\t", "vacío"),
        ("hola", "línea 1, columna 1"),
        ('{\n  "a": 1,\n  "b" 2\n}', "línea 3, columna 7"),
        ('[{"a": 1} {"b": 2}]', "línea 1, columna 11"),
        ('[{"a": 1},]', "línea 1, columna 11"),
        ('[{"a": 1}', "línea 1"),
        ('[{"a": 1}] y más', "línea 1, columna 12"),
        ('{"a": 1} y más', "línea 1, columna 10"),
        ("[" * 100_000, "anidados"),
    ],
)
def test_what_is_no_json_says_from_where(content, where):
    with pytest.raises(ArchivoIlegible, match=where):
        split(content)
