"""What the bench prints: sections of figures, each beside its budget where there is one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HELD, BROKEN = "✓", "✗"


@dataclass(frozen=True)
class Row:
    """A figure in each of the section's columns. `holds`: None where nothing was promised."""

    figure: str
    values: tuple[str, ...]
    budget: str = ""
    holds: bool | None = None


@dataclass(frozen=True)
class Section:
    """`columns` head the values; `notes` say what was measured and how."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def broken(self) -> list[Row]:
        return [row for row in self.rows if row.holds is False]


def at_most(figure: str, measured: Sequence[float], most: float, *, form: str = "{:.2f}") -> Row:
    """All of the columns must hold it."""
    values = tuple(form.format(value) for value in measured)
    return Row(figure, values, f"≤ {form.format(most)}", all(value <= most for value in measured))


def no_growth(figure: str, measured: Sequence[float], allowed: float = 1.05, *, form: str = "{:.2f}") -> Row:
    """Per unit, the largest run must not cost more than the smallest did."""
    values = tuple(form.format(value) for value in measured)
    return Row(figure, values, f"≤ {allowed:.2f} of the first", all(v <= allowed * measured[0] for v in measured))


def exactly(figure: str, measured: Sequence[int], wanted: int) -> Row:
    return Row(figure, tuple(map(str, measured)), f"= {wanted}", all(value == wanted for value in measured))


def told(figure: str, measured: Sequence[float | str], *, form: str = "{:.2f}") -> Row:
    return Row(figure, tuple(m if isinstance(m, str) else form.format(m) for m in measured))


def text(section: Section) -> Iterator[str]:
    """The lines of a section, aligned."""
    lines = [("", *section.columns, "budget", "")]
    lines += [_cells(row, len(section.columns)) for row in section.rows]
    widths = [max(len(line[n]) for line in lines) for n in range(len(section.columns) + 2)]
    yield ""
    yield section.title
    yield "─" * len(section.title)
    for first, *rest in lines:
        *cells, mark = rest
        aligned = [cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True)]
        yield f"{first.ljust(widths[0])}  {'  '.join(aligned)}  {mark}".rstrip()
    for note in section.notes:
        yield f"  {note}"


def _cells(row: Row, columns: int) -> tuple[str, ...]:
    mark = {True: HELD, False: BROKEN, None: ""}[row.holds]
    return (row.figure, *row.values, *([""] * (columns - len(row.values))), row.budget, mark)
