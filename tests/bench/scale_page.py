"""`python -m tests.bench.scale_page` writes the tables and the plots of docs/scale.md anew; a test holds them to it."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import plots, scale
from tests.bench.plots import Axis, Line
from tests.bench.scale import CUENTAS, Load, Size

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "scale.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
_STEPS = tuple(10 ** (3 + n / 10) for n in range(41))


def table() -> str:
    """Of each size the first limit that bites, and with which parameters the lotes get away."""
    lines = [
        "| a day | cuentas | a second | first limit | used | what moves it | lotes get away with | issued after |",
        "|--:|--:|--:|---|--:|---|---|--:|",
    ]
    for load in scale.loads():
        first = load.limits()[0]
        enough = scale.suffices(load.size)
        hours = load.issued_after_hours
        cells = (
            f"{load.size.a_day:,}",
            f"{load.size.cuentas:,}",
            f"{load.peak:.2f}",
            first.name,
            f"{first.used:.2f}",
            first.moves if first.used > 0.5 else "",
            "the defaults" if enough == load.settings else f"LotesInFlight {enough.in_flight}",
            f"{hours:.0f} h" if math.isfinite(hours) else "never",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def images() -> Iterator[tuple[str, str]]:
    """File name and text of each plot."""
    settings = scale.Settings.of_the_template()
    day = Axis("comprobantes a day", 1e3, 1e7)
    wanted = [limit.name for limit in Load(Size(1_000_000, 1_000), settings).limits()[:7]]
    used = {name: [] for name in wanted}
    for step in _STEPS:
        for limit in Load(Size(round(step), 1_000), settings).limits():
            if limit.name in used:
                used[limit.name].append((step, max(limit.used, 1e-3)))
    lines = [Line(name, tuple(points)) for name, points in used.items()]
    share = Axis("share of the limit that is used", 1e-3, 1e3)
    yield "scale-limits.svg", plots.chart("Limits, over 1,000 cuentas, on the defaults", day, share, lines, mark=1.0)
    hours = []
    for cuentas in CUENTAS:
        known = [(s, Load(Size(round(s), cuentas), settings).issued_after_hours) for s in _STEPS if s >= cuentas]
        points = tuple((step, value) for step, value in known if math.isfinite(value))
        if points:
            hours.append(Line(f"{cuentas:,} cuenta{'s' if cuentas > 1 else ''}", points))
    axis = Axis("hours until the last of a day is issued", 1, 100)
    yield "scale-issued.svg", plots.chart("Time to issued, at 750 an hour and cuenta", day, axis, hours, mark=24.0)


def page(text: str) -> str:
    """The page with its table as it is now."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def main() -> int:
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    for name, text in images():
        (DOCS / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
