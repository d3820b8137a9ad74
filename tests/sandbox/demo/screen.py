"""The progress: bars that move on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tests.sandbox.demo.watching import settled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from tests.sandbox.demo.script import Script
    from tests.sandbox.demo.watching import Look

WIDTH = 110
PLAIN_EVERY = 5.0
QUERY = "facturacion/consulta_avanzada"


class Shown(NamedTuple):
    """How a state is shown: its colour, and what it means to somebody who sees it for the first time."""

    colour: str
    meaning: str


ESTADOS = {
    "ENVIANDO": Shown("blue", "claimed; its lote is on the wire"),
    "INCIERTO": Shown("yellow", "no answer to trust: ask, wait, ask again, no blind resend"),
    "PENDIENTE": Shown("blue", "certainly not at the provider: the queue brings it again"),
    "ENVIADO": Shown("cyan", "the provider took it"),
    "ENCOLADO": Shown("cyan", "in the provider's queue"),
    "EMITIDO": Shown("green", "issued"),
    "ERROR": Shown("red", "in the provider's queue, marked with error"),
    "EN_REVISION": Shown("magenta", "a person must decide"),
    "RECHAZADO": Shown("red", "refused; the sender was told why"),
    "ELIMINADO": Shown("magenta", "deleted from the provider's queue"),
}


class Screen(Protocol):
    """What a run is told on."""

    def act(self, elapsed: float, title: str, tells: str) -> None: ...

    def note(self, elapsed: float, text: str) -> None: ...

    def show(self, look: Look, script: Script) -> None: ...


def make_console(file: TextIO | None = None) -> Console:
    """Of at most `WIDTH` columns; what is no terminal gets them all."""
    console = Console(file=file, highlight=False)
    console.width = min(console.width, WIDTH) if console.is_terminal else WIDTH
    return console


class Lines:
    """Acts and notes, each with its second; both screens print them so."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def act(self, elapsed: float, title: str, tells: str) -> None:
        self._print(elapsed, Text.assemble((title, "bold"), ": ", tells))

    def note(self, elapsed: float, text: str) -> None:
        self._print(elapsed, Text.assemble("  ", Text.from_markup(text)))

    def _print(self, elapsed: float, text: Text) -> None:
        grid = Table.grid(padding=(0, 1))
        grid.add_column(justify="right", style="dim", width=4)
        grid.add_column(ratio=1)
        grid.add_row(f"{elapsed:.0f} s", text)
        self._console.print(grid)


class Plain(Lines):
    """For a file or a pipe."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._next = PLAIN_EVERY

    def show(self, look: Look, script: Script) -> None:
        if look.elapsed < self._next:
            return
        self._next = (math.floor(look.elapsed / PLAIN_EVERY) + 1) * PLAIN_EVERY
        counts = [f"{estado} {look.counts[estado]}" for estado in ESTADOS if look.counts[estado]]
        self._print(look.elapsed, Text(" · ".join([*counts, *_figures(look, script)]), style="dim"))


class Bars(Lines):
    """For a terminal: the lines go by above the bars."""

    def __init__(self, console: Console, live: Live) -> None:
        super().__init__(console)
        self._live = live

    def show(self, look: Look, script: Script) -> None:
        self._live.update(picture(look, script), refresh=True)


def picture(look: Look, script: Script) -> Panel:
    """A bar for each state, and the figures below."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(min_width=11)
    grid.add_column(ratio=1)
    grid.add_column(justify="right", min_width=3)
    grid.add_column(style="dim", no_wrap=True, overflow="ellipsis")
    for estado, (colour, meaning) in ESTADOS.items():
        count = look.counts[estado]
        bar = ProgressBar(len(script.expected), count, complete_style=colour, finished_style=colour)
        style = f"bold {colour}" if count else "dim"
        grid.add_row(Text(estado, style), bar, Text(str(count), style), meaning)
    figures = Text(" · ".join(_figures(look, script)), justify="center")
    title = f"make demo · seed {script.seed} · {look.elapsed:.0f} s"
    return Panel(Group(grid, figures), title=title, border_style="dim")


def _figures(look: Look, script: Script) -> list[str]:
    provider = look.at_provider
    if not provider:
        return []
    return [
        f"sent {look.sent}/{len(script.envios)}",
        f"lotes {provider['lotes']['posts']}",
        f"hooks {look.hooks}",
        f"queries {provider['llamadas'].get(QUERY, 0)}",
        f"events {look.events}",
        f"rejected {look.rejected}",
        f"settled {settled(look, script)}/{len(script.expected)}",
    ]


@contextmanager
def on_screen(console: Console) -> Iterator[Screen]:
    """Bars where they can move, lines where they cannot."""
    if not console.is_terminal:
        yield Plain(console)
        return
    with Live(console=console, auto_refresh=False, transient=True) as live:
        yield Bars(console, live)
