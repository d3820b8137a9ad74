"""Stored hooks folded anew against the ledger: of references, of what is open, or of whatever was told in a period.

What is kept of hooks is kept by reference; no index has them by time. What is open has an index, and a fault behind the
stream leaves its comprobante open, so that is where to look first. A period needs the whole table to be read, page by
page: that is told with its cost, and only done when it is asked for.

Each is put right by itself, by the conditional writes that its hooks would have made: a crash anywhere leaves the rest
as it was, to the next replay.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from facturacion.accion import Autor
from facturacion.metricas import Metrica
from facturacion.replay import differences, replay
from operate.fields import PedidoInvalido
from operate.listing import Recorrido

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from facturacion.replay import Diferencia
    from operate.listing import World
    from operate.requests import Reproducir

TIME_FOR_A_PAGE = timedelta(seconds=40)
"""A page of the table, and whatever its hooks amount to."""
TIME_FOR_ONE = timedelta(seconds=5)
READ_UNIT_BYTES = 8_192
"""Of an eventually consistent read, two of which are a unit of 4 KB each."""


@dataclass(slots=True)
class Nombradas:
    """The references that were named. `sigue`: how many of them are done; None at the end."""

    cuenta: str
    referencias: Sequence[str]
    done: int = 0
    sigue: dict[str, int] | None = None

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for n, reference in enumerate(self.referencias[self.done :], self.done + 1):
            self.sigue = {"hechas": n}
            yield self.cuenta, reference
        self.sigue = None


@dataclass(slots=True)
class Abiertas:
    """What is open, by its index."""

    walk: Recorrido

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for lugar, _ in self.walk:
            yield lugar.cuenta, lugar.external_reference

    @property
    def sigue(self) -> dict[str, str] | None:
        return asdict(self.walk.sigue) if self.walk.sigue else None


@dataclass(slots=True)
class Contadas:
    """Whatever was told in a period: the whole table, a page at a time. `sigue`: behind which item it goes on."""

    world: World
    asked: Reproducir
    periodo: tuple[datetime, datetime]
    sigue: dict[str, str] | None = None

    def __iter__(self) -> Iterator[tuple[str, str]]:
        after = self.asked.lugar
        while True:
            page = self.world.ledger.told_page(*self.periodo, self.asked.cuenta, after)
            # A page is done whole: nothing in between could be gone on from.
            yield from page.references
            self.sigue = after = page.after
            if after is None or self.world.remaining() < TIME_FOR_A_PAGE:
                return


def replay_hooks(world: World, asked: Reproducir) -> dict[str, Any]:
    """Raises PedidoInvalido, with what it would cost, for a period whose reading of the table was not asked for."""
    if asked.periodo and not asked.recorrer:
        raise _cost(world)
    walk = _walk(world, asked)
    looked = 0
    found: list[dict[str, Any]] = []
    still: list[dict[str, str]] = []
    for cuenta, reference in walk:
        looked += 1
        for diferencia in differences(cuenta, [reference], world.ledger):
            found.append(_row(diferencia))
            if not asked.simulacro and (refused := _put_right(world, asked, diferencia)):
                still.append(refused)
        if not isinstance(walk, Contadas) and world.remaining() < TIME_FOR_ONE:
            break
    world.count(Metrica.REPRODUCIDOS, 0 if asked.simulacro else len(found) - len(still))
    return {
        "simulacro": asked.simulacro,
        "miradas": looked,
        "cantidad": len(found) - len(still),
        "diferencias": found,
        "negados": still,
        "sigue": walk.sigue,
    }


def _walk(world: World, asked: Reproducir) -> Nombradas | Abiertas | Contadas:
    if asked.referencias is not None:
        return Nombradas(asked.cuenta or "", asked.referencias, asked.hechas)
    if asked.periodo:
        return Contadas(world, asked, asked.periodo)
    return Abiertas(Recorrido(world, asked.cuenta, asked.tras))


def _put_right(world: World, asked: Reproducir, diferencia: Diferencia) -> dict[str, str] | None:
    """None when the ledger says now what the hooks amount to. Who asked and why is on its timeline before."""
    cuenta, reference = diferencia.cuenta, diferencia.external_reference
    autor = Autor(asked.quien, asked.motivo, world.solicitud)
    world.ledger.note(cuenta, reference, "reproducir", autor, expires=world.keep)
    replay(diferencia, ledger=world.ledger, bus=world.bus, at=world.clock())
    left = list(differences(cuenta, [reference], world.ledger))
    fields = {"cuenta": cuenta, "external_reference": reference, "solicitud": world.solicitud}
    world.logger.warning("reproducido", extra={**fields, "de": diferencia.en_libro, "a": diferencia.segun_hooks})
    if not left:
        return None
    motivo = "Cambió mientras se reproducía, o sus hooks no alcanzan para moverlo. Mírelo de nuevo."
    return {"cuenta": cuenta, "external_reference": reference, "codigo": "SigueDistinto", "motivo": motivo}


def _row(diferencia: Diferencia) -> dict[str, Any]:
    return {
        "cuenta": diferencia.cuenta,
        "external_reference": diferencia.external_reference,
        "en_libro": diferencia.en_libro,
        "segun_hooks": diferencia.segun_hooks,
        "hooks": [{"evento": h.evento, "hook_id": h.hook_id} for h in diferencia.hooks],
    }


def _cost(world: World) -> PedidoInvalido:
    size, items = world.ledger.size()
    units = -(-size // READ_UNIT_BYTES)
    return PedidoInvalido(
        "HayQueRecorrer",
        "Los hooks de un período no están en ningún índice: hay que leer la tabla entera. Según DynamoDB (lo cuenta "
        f"cada seis horas) son unos {items} ítems, {size / 1e6:.1f} MB: unas {units} unidades de lectura. Si es lo que "
        "quiere, repita con --recorrer; lo que está abierto se mira sin período, y eso casi no cuesta.",
    )
