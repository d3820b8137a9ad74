"""Plain SVG of lines on logarithmic axes: what `docs/scale.md` shows, as text that a diff can read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 190, 30, 50
COLOURS = ("#1b6ca8", "#d1495b", "#edae49", "#2e8b57", "#7a4fa3", "#555555", "#00a6a6")


class Line(NamedTuple):
    """`points`: x and y, both positive."""

    name: str
    points: tuple[tuple[float, float], ...]


class Axis(NamedTuple):
    """From and to, both powers of ten."""

    title: str
    least: float
    most: float

    def share(self, value: float) -> float:
        """Where a value is between both ends, 0 to 1."""
        low, high = math.log10(self.least), math.log10(self.most)
        return min(1.0, max(0.0, (math.log10(value) - low) / (high - low)))

    def decades(self) -> Iterator[float]:
        for exponent in range(round(math.log10(self.least)), round(math.log10(self.most)) + 1):
            yield 10.0**exponent


def chart(title: str, x: Axis, y: Axis, lines: Sequence[Line], *, mark: float | None = None) -> str:
    """`mark`: a value of y that is drawn across, because something ends there."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"',
        ' font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="18" font-size="14" font-weight="bold">{title}</text>',
        *_grid(x, y),
    ]
    if mark is not None:
        at = _y(y, mark)
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at}" y2="{at}" stroke="black" stroke-dasharray="6 4"/>'
        )
    for n, line in enumerate(lines):
        colour = COLOURS[n % len(COLOURS)]
        path = " ".join(f"{_x(x, px)},{_y(y, py)}" for px, py in line.points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        at = TOP + 14 + 20 * n
        parts.append(f'<text x="{WIDTH - RIGHT + 14}" y="{at}" fill="{colour}">{line.name}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _grid(x: Axis, y: Axis) -> Iterator[str]:
    for value in x.decades():
        at = _x(x, value)
        yield f'<line x1="{at}" x2="{at}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="#dddddd"/>'
        yield f'<text x="{at}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{_short(value)}</text>'
    for value in y.decades():
        at = _y(y, value)
        yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at}" y2="{at}" stroke="#dddddd"/>'
        yield f'<text x="{LEFT - 8}" y="{at + 4}" text-anchor="end">{_short(value)}</text>'
    middle = (LEFT + WIDTH - RIGHT) // 2
    yield f'<text x="{middle}" y="{HEIGHT - 10}" text-anchor="middle">{x.title}</text>'
    centre = HEIGHT // 2
    yield f'<text x="16" y="{centre}" text-anchor="middle" transform="rotate(-90 16 {centre})">{y.title}</text>'


def _x(axis: Axis, value: float) -> float:
    return round(LEFT + axis.share(value) * (WIDTH - LEFT - RIGHT), 1)


def _y(axis: Axis, value: float) -> float:
    return round(HEIGHT - BOTTOM - axis.share(value) * (HEIGHT - TOP - BOTTOM), 1)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"
