"""Which date page of `consulta_avanzada` to read next. Pure.

The provider lists the newest first and issues the oldest first. So those that were just issued are where its line ends:
on the only page of a day of up to a thousand, several pages down in a day of ten thousand, and nearer by a page with
each thousand that are issued. Where they were found is where they are looked for the next time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tusfacturas.outcomes import Encontrado

PAGE = 1_000
"""Comprobantes in a page (the provider's limit)."""


def next_page(pagina: int, shown: Sequence[Encontrado], total: int, read: Collection[int]) -> int | None:
    """The nearest that was not read, deeper while the line goes on, nearer where all are issued; None: none is left.

    `shown` is what page `pagina` had, of `total` in all; `read` are the pages that were read, this one too.
    """
    left = [page for page in range(-(-total // PAGE)) if page not in read]
    deeper = bool(shown) and shown[0].situacion != "EMITIDO"
    wanted = [page for page in left if (page > pagina) is deeper]
    return min(wanted or left, key=lambda page: abs(page - pagina), default=None)
