"""What the function answered, as text for a terminal: what all orders have in common. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from facturacion.tiempo import ARGENTINA, from_iso

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WIDEST = 70
"""Of a cell; the whole text is in `ver` and in --json."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
"""Of the terminal, and what turns or hides the letters beside it."""


def refusal(answer: Mapping[str, Any]) -> str:
    """Of an answer that is an `error`."""
    said = f"{answer['error']['mensaje']} [{answer['error']['codigo']}]"
    done = answer.get("cantidad")
    return said + (f"\nAntes de eso: {done}." if done else "")


def as_it_is(answer: Mapping[str, Any]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in answer.items())


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns as wide as their widest cell. What others wrote may move no cursor and start no line."""
    cells = [[_cut(plain(cell)) for cell in line] for line in [head, *rows]]
    widths = [max(len(line[n]) for line in cells) for n in range(len(head))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in cells)


def plain(cell: object) -> str:
    return "" if cell is None else _CONTROL.sub(" ", str(cell)).strip()


def _cut(text: str) -> str:
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"


def local(instant: str | None) -> str:
    """In Buenos Aires, to the minute."""
    return f"{from_iso(instant).astimezone(ARGENTINA):%d/%m/%Y %H:%M}" if instant else ""
