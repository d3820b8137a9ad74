"""Adaptive lotes: what halving after a cut saves where the provider slows down, and what it costs where it does not.

The simulator's door takes some time for each comprobante of a lote and is cut off at 100 s, as by the provider's
gateway: 524, and the work goes on behind it. «Without» is the shipped code with the halving taken out.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest import mock

from pack_lotes import packing
from tests.bench.counting import Counted, backlog
from tests.bench.table import Row, Section
from tests.explore.scenarios import Scenario
from tests.sandbox.simulator import provider, puerta

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.simulator.plan import CuentaSim
    from tests.sandbox.simulator.respuesta import Respuesta

COMPROBANTES = 600
CUT = 100.0
BASE = 2.0
METHOD = "facturacion/lotes_encola"
FILL_LEAST = 0.99


class Weather(NamedTuple):
    """`each`: seconds for each comprobante of a lote. `cut_each`: every so many POSTs are cut whatever their size."""

    name: str
    each: float
    cut_each: int = 0


WEATHERS = (
    Weather("0.05 s each: healthy", 0.05),
    Weather("0.05 s each, and each fourth POST is cut", 0.05, cut_each=4),
    Weather("0.9 s each: 100 just pass", 0.9),
    Weather("1.5 s each: 65 pass", 1.5),
    Weather("3 s each: 32 pass", 3.0),
    Weather("12 s each: 8 pass", 12.0),
)


class Fared(NamedTuple):
    """`uncertain`: comprobantes whose POST had no answer. `hours`: until the last was accepted."""

    uncertain: int
    posts: int
    fill: float
    hours: float
    twice: int
    violations: int


def measure(weather: Weather, *, adaptive: bool, comprobantes: int = COMPROBANTES) -> Fared:
    """Inside `installing.exploring`."""
    scenario = Scenario(weather.name, backlog(comprobantes), {"segundos_por_comprobante": 0.1}, parameters={})
    with ExitStack() as stack:
        stack.enter_context(_slow(weather))
        if not adaptive:
            stack.enter_context(mock.patch.object(packing, "_half", return_value=packing.LOTE_MAX))
        world = Counted(scenario)
        world.run()
    posts, items = world.proveedor.posts, world.proveedor.cola.items
    return Fared(
        uncertain=sum(len(post.referencias) for post in posts if post.desenlace != "ok"),
        posts=len(posts),
        fill=sum(len(post.referencias) for post in posts) / (packing.LOTE_MAX * len(posts)),
        hours=max((item.aceptado - world.start).total_seconds() for item in items) / 3600,
        twice=len(items) - len({item.referencia for item in items}),
        violations=len(world.violations),
    )


@contextmanager
def _slow(weather: Weather) -> Iterator[None]:
    posts = 0

    def lote(p: provider.Proveedor, cuenta: CuentaSim, datos: dict[str, Any]) -> Respuesta:
        nonlocal posts
        posts += 1
        needs = BASE + weather.each * len(datos["requests"])
        struck = bool(weather.cut_each) and posts % weather.cut_each == 0
        if struck or needs >= CUT:
            p.plan.update(lotes=["524_accepted"], segundos_524=CUT, demora_fondo=max(0.0, needs - CUT))
        else:
            p.plan.update(demora_respuesta=needs)
        try:
            return puerta.lote(p, cuenta, datos)
        finally:
            p.plan.update(demora_respuesta=BASE)

    with mock.patch.dict(provider.METHODS, {METHOD: lote}):
        yield


def section(fared: dict[tuple[str, bool], Fared]) -> Section:
    rows = []
    for weather in WEATHERS:
        with_it, without = fared[weather.name, True], fared[weather.name, False]
        values = (
            str(with_it.uncertain),
            str(without.uncertain),
            f"{with_it.fill:.0%}",
            f"{without.fill:.0%}",
            f"{with_it.hours:.2f}",
            f"{without.hours:.2f}",
        )
        once = with_it.twice == with_it.violations == 0
        if weather.cut_each:
            # A smaller lote is cut as well, so that nothing is saved: what it costs is told.
            rows.append(Row(weather.name, values, "once", once))
            continue
        fewer = with_it.uncertain <= without.uncertain
        full = with_it.uncertain > 0 or with_it.fill >= FILL_LEAST
        rows.append(Row(weather.name, values, "once; no more uncertain", once and fewer and full))
    return Section(
        f"Adaptive lotes: {COMPROBANTES} comprobantes, a provider that is cut at {CUT:.0f} s",
        ("uncertain", "without", "fill", "without", "hours", "without"),
        tuple(rows),
        ("hours: until the last is accepted; where nothing is cut the fill must be whole",),
    )
