"""Which date page of `consulta_avanzada` to read next. Pure.

The provider lists the newest first and issues the oldest first. So those that were just issued are where its line ends:
on the only page of a day of up to a thousand, several pages down in a day of ten thousand, and nearer by a page with
each thousand that are issued. Where they were found is where they are looked for the next time.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tusfacturas.outcomes import Encontrado

PAGE = 1_000
"""Comprobantes in a page (the provider's limit)."""


class Pagina(NamedTuple):
    """A page of a fecha, counted from 0."""

    fecha: date
    numero: int

    def __str__(self) -> str:
        """As the ledger keeps it: `2026-11-25#7`."""
        return f"{self.fecha.isoformat()}#{self.numero}"

    @staticmethod
    def read(text: str) -> Pagina:
        fecha, _, numero = text.partition("#")
        return Pagina(date.fromisoformat(fecha), int(numero))


def next_page(pagina: int, shown: Sequence[Encontrado], total: int, read: Collection[int]) -> int | None:
    """The nearest that was not read, deeper while the line goes on, nearer where all are issued; None: none is left.

    `shown` is what page `pagina` had, of `total` in all; `read` are the pages that were read, this one too.
    """
    left = [page for page in range(-(-total // PAGE)) if page not in read]
    # One in error stays in the line for as long as it takes, wherever the others are.
    first = next((one.situacion for one in shown if one.situacion in {"EN_COLA", "EMITIDO"}), None)
    deeper = bool(shown) and first != "EMITIDO"
    wanted = [page for page in left if (page > pagina) is deeper]
    return min(wanted or left, key=lambda page: abs(page - pagina), default=None)
