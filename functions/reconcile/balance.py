"""The daily close of a cuenta: what was received, what the ledger says of it, what the provider shows. Pure.

    recibidos = emitidos + eliminados + rechazados + en_revision + abiertos + programados      (diferencia = 0)

Three sources, each written without the others: what pack_lotes noted of each message before it did anything about it,
the ledger's states, and the provider's pages of that fecha. Each content that was received that day is in exactly one
column, by the ledger's own state of it, or in `diferencia`:

- there is no row of it, and its message is not on the queue any more; or its row waits for a message that is not;
- the provider's pages contradict its row.

What the pages show and was received on another day is in no column here; where the ledger contradicts it, it is in
`diferencia` all the same: the provider has one that the ledger does not know, or says was refused, deleted or never
sent; the ledger says issued and finished, or in the provider's line, and the provider shows something else; there are
two under one reference; or its total is not the ledger's.

A reference counts once for each content that came under it: one that was refused and corrected is one refused and one
issued, each on its day. A message that comes twice is one, unless it was sent again on another day. A content that
belongs to a reference of another (`conflictos`) went to the rejected queue, with the messages that nobody understood.

A difference is a comprobante to look at, never one to act on by itself. What this close cannot see: a message that SQS
lost before it was ever received; one of another fecha that the provider ceased to show after it was finished.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from facturacion.estado import Estado

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import date

    from facturacion.asiento import Asiento
    from facturacion.ledger import Recibido
    from tusfacturas.outcomes import Encontrado

AT_THE_PROVIDER = frozenset({Estado.ENVIADO, Estado.ENCOLADO, Estado.ERROR, Estado.EMITIDO})
"""States that say that the provider has it."""
_CLOSED_TO_IT = frozenset({Estado.PENDIENTE, Estado.RECHAZADO, Estado.ELIMINADO})
"""States that say that the provider does not have it."""
COLUMNS = ("emitidos", "eliminados", "rechazados", "en_revision", "abiertos", "programados")
NEED_A_MESSAGE = frozenset({"recibidos_sin_asiento", "pendientes_sin_mensaje"})
"""Reasons that hold only while no message is on the queue."""
EXAMPLES = 10


@dataclass(frozen=True, slots=True)
class Cierre:
    """One day. `columnas`: how many of the received ones, by `COLUMNS`; the others are in `diferencia`.

    `importe`: of the issued ones. `programados`: of a fecha that has not come. Beside the sum: `conflictos`, and
    `ajenos`, what the provider has without a reference, which nothing of ours is. `motivos`: why something differs,
    and of how many; `ejemplos`: which.
    """

    dia: date
    recibidos: int = 0
    columnas: Mapping[str, int] = field(default_factory=dict)
    importe: Decimal = Decimal(0)
    conflictos: int = 0
    ajenos: int = 0
    motivos: Mapping[str, int] = field(default_factory=dict)
    ejemplos: tuple[str, ...] = ()

    @property
    def diferencia(self) -> int:
        return sum(self.motivos.values())


def balance(
    dia: date,
    received: Iterable[Recibido],
    known: Mapping[str, Asiento],
    shown: Iterable[Encontrado],
    *,
    hoy: date,
    waiting: AbstractSet[str],
    absent: AbstractSet[str],
) -> Cierre:
    """`known`: the ledger's of every reference received or shown, and whatever is open of that fecha.

    `shown`: by the provider's pages of the fecha `dia`. `hoy`: the last day that is over. `waiting`: references of
    which a message is on the queue. `absent`: references of `known` that no page showed, and that the provider, asked
    by reference, does not have.
    """
    by_reference: dict[str, list[Encontrado]] = {}
    foreign = 0
    for encontrado in shown:
        if encontrado.external_reference:
            by_reference.setdefault(encontrado.external_reference, []).append(encontrado)
        else:
            foreign += 1
    contradicted = {
        reference: motivo
        for reference in (*by_reference, *absent)
        if (motivo := contradiction(by_reference.get(reference, ()), known.get(reference)))
    }
    columns: Counter[str] = Counter()
    why = Counter(contradicted.values())
    which = set(contradicted)
    importe = Decimal(0)
    received = list(received)
    conflicts = 0
    for recibido in received:
        reference = recibido.external_reference
        asiento = known.get(reference)
        place = place_of(recibido, asiento, hoy=hoy, waits=reference in waiting)
        if place == "conflictos":
            conflicts += 1
        elif reference in contradicted and _is_present(recibido, asiento):
            pass  # it is in the difference already
        elif place in COLUMNS:
            columns[place] += 1
            importe += (asiento.datos.total if asiento and place == "emitidos" else None) or Decimal(0)
        else:
            why[place] += 1
            which.add(reference)
    for reference, encontrados in by_reference.items():
        if len(encontrados) > 1:
            why["duplicados"] += len(encontrados) - 1
            which.add(reference)
    return Cierre(
        dia=dia,
        recibidos=len(received) - conflicts,
        columnas={name: columns[name] for name in COLUMNS},
        importe=importe,
        conflictos=conflicts,
        ajenos=foreign,
        motivos=dict(why),
        ejemplos=tuple(sorted(which)[:EXAMPLES]),
    )


def place_of(recibido: Recibido, asiento: Asiento | None, *, hoy: date, waits: bool) -> str:
    """The column of a content that was received, `conflictos`, or the reason why it is in none.

    `waits`: its message is on the queue, so that what the ledger does not know yet it will.
    """
    unknown = "abiertos" if waits else "recibidos_sin_asiento"
    if asiento is None:
        return unknown
    if not _is_present(recibido, asiento):
        if any(map(recibido.is_of, asiento.rechazados)):
            return "rechazados"
        # A refused one may be claimed again with this content; any other keeps it out.
        return unknown if asiento.estado is Estado.RECHAZADO else "conflictos"
    match asiento.estado:
        case Estado.EMITIDO if not asiento.abierto:
            return "emitidos"
        case Estado.ELIMINADO:
            return "eliminados"
        case Estado.RECHAZADO:
            return "rechazados"
        case Estado.EN_REVISION:
            return "en_revision"
        case Estado.PENDIENTE if not waits:
            return "pendientes_sin_mensaje"
        case _:
            fecha = asiento.datos.fecha
            return "programados" if fecha and fecha > hoy else "abiertos"


def _is_present(recibido: Recibido, asiento: Asiento | None) -> bool:
    """Whether the row is of this content now. Without a hash it was rebuilt, or a hook knew it before we did."""
    return asiento is None or not asiento.datos.hash or recibido.is_of(asiento.datos.hash)


def contradiction(encontrados: Sequence[Encontrado], asiento: Asiento | None) -> str | None:
    """Why what the provider shows under a reference is not what the ledger says; None where they agree."""
    issued = [e for e in encontrados if e.situacion == "EMITIDO"]
    if not encontrados:
        return "ausentes"
    if asiento is None:
        return "sin_asiento"
    if asiento.estado in _CLOSED_TO_IT:
        return f"{'emitidos' if issued else 'presentes'}_como_{asiento.estado.lower()}"
    if asiento.estado is Estado.EMITIDO and not asiento.abierto:
        if not issued:
            return "emitidos_sin_emitir"
        total = issued[-1].total
        if total is not None and asiento.datos.total is not None and total != asiento.datos.total:
            return "importes"
    return None
