"""What happened to one comprobante, line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.explore.world import World


def trace(world: World, pk: str, *, whole: bool = False) -> str:
    """Of `cuenta#reference`; lines about nobody (deaths, the world) are shown as well."""
    reference = pk.partition("#")[2]
    lines = [line for line in world.lines if whole or not line.about or reference in line.about]
    return "\n".join(
        f"  {_clock(line.at - world.start)}  {line.who:14} {line.what}"
        + (f"  [{', '.join(sorted(line.about))}]" if whole and line.about else "")
        for line in lines
    )


def _clock(elapsed) -> str:
    seconds = elapsed.total_seconds()
    return f"{int(seconds // 3600):2d}:{int(seconds // 60) % 60:02d}:{seconds % 60:06.3f}"
