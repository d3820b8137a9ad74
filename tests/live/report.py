"""What the run found, as a page of Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.live.questions import Answer

WIDEST = 300


def page(
    title: str, acceptance: Sequence[Answer], answers: Sequence[Answer], *, spent: int, left: Mapping[str, str]
) -> str:
    """`left`: what could not be deleted at the provider, and why."""
    parts = [f"# {title}", "", f"{spent} requests of the plan were spent.", ""]
    parts += ["## Through the stack", "", *_table(acceptance), "", "## What the documents leave open", ""]
    parts += _table(answers)
    if left:
        parts += ["", "## Left at the provider: delete these by hand", ""]
        parts += [f"- `{reference}`: {_cell(why)}" for reference, why in left.items()]
    return "\n".join(parts) + "\n"


def _table(answers: Sequence[Answer]) -> list[str]:
    rows = [f"| {_cell(a.question)} | {_cell(a.said)} | {_cell(a.evidence)} |" for a in answers]
    return ["| question | answer | seen |", "|---|---|---|", *rows]


def _cell(text: str) -> str:
    """In one line of a table, whatever the provider wrote."""
    line = " ".join(text.split()).replace("|", "\\|")
    return line if len(line) <= WIDEST else line[: WIDEST - 1] + "…"
