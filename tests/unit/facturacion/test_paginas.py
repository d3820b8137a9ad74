"""Which date page to read next: the newest come first, and the oldest are issued first."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facturacion.paginas import PAGE, Pagina, next_page

QUEUED, ISSUED = SimpleNamespace(situacion="EN_COLA"), SimpleNamespace(situacion="EMITIDO")
IN_ERROR = SimpleNamespace(situacion="CON_ERROR")


@pytest.mark.parametrize(
    ("pagina", "shown", "total", "read", "following"),
    [
        (0, [QUEUED], 10_000, {0}, 1),  # the line goes on
        (4, [QUEUED, ISSUED], 10_000, {4}, 5),  # it ends here: what is not here was issued before
        (4, [ISSUED], 10_000, {4}, 3),  # it ended before
        (4, [ISSUED], 10_000, {3, 4}, 2),
        (4, [ISSUED], 5_000, {0, 1, 2, 3, 4}, None),
        (4, [IN_ERROR, ISSUED], 10_000, {4}, 3),  # one in error may be anywhere
        (4, [IN_ERROR, QUEUED], 10_000, {4}, 5),
        (0, [ISSUED], 2_500, {0}, 1),  # nothing is nearer
        (9, [], 2_500, {9}, 2),  # of a day that was longer
        (0, [], 0, {0}, None),
        (0, [QUEUED], 1_000, {0}, None),
    ],
)
def test_the_next_page_is_towards_the_end_of_the_line(pagina, shown, total, read, following):
    assert next_page(pagina, shown, total, read) == following


@given(st.integers(1, 20_000), st.integers(0, 20_000), st.integers(0, 30))
def test_from_wherever_it_begins_the_end_of_the_line_is_reached_without_a_page_to_spare(total, line, start):
    line = min(line, total - 1)
    end = line // PAGE
    read: set[int] = set()
    pagina = start
    while True:
        read.add(pagina)
        shown = [QUEUED if n < line else ISSUED for n in range(pagina * PAGE, min(total, pagina * PAGE + PAGE))]
        if pagina == end:
            break
        pagina = next_page(pagina, shown, total, read)
    beyond = start > (total - 1) // PAGE
    last = (total - 1) // PAGE
    assert len(read) == (last - end + 2 if beyond else abs(start - end) + 1)


@given(st.integers(0, 20_000), st.integers(0, 30), st.booleans())
def test_every_page_is_read_in_the_end(total, start, issued):
    read: set[int] = set()
    pagina: int | None = start
    while pagina is not None:
        read.add(pagina)
        pagina = next_page(pagina, [ISSUED if issued else QUEUED], total, read)
    assert read >= set(range(-(-total // PAGE)))


def test_a_page_is_kept_as_text():
    assert Pagina.read(str(Pagina(date(2026, 11, 25), 7))) == Pagina(date(2026, 11, 25), 7)
