"""The daily close of a cuenta: what the provider shows of a fecha against what the ledger says of each. Pure.

The two sources are independent: the provider's pages of the fecha, and the ledger's own states. Every comprobante of
either goes into exactly one column; into `diferencia` where the two contradict each other or one does not explain the
other:

- the provider has one that the ledger does not know, or says was refused, deleted or never sent;
- the ledger says issued and finished, and the provider shows it in its line;
- the ledger says that it is at the provider, and the provider, asked for it by reference, does not have it;
- there are two under one reference; or its total is not the ledger's.

A difference other than 0 is a comprobante to look at, never one to act on by itself. What this close cannot see: a
comprobante of which neither side knows any more (its message lost before the claim, its row lost and the provider's
deleted); an issued one that the provider ceased to show after it was finished; what was refused or deleted and is
rightly at neither. A fecha that was changed at the provider moves a comprobante to the close of its new day.
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
    from tusfacturas.outcomes import Encontrado

AT_THE_PROVIDER = frozenset({Estado.ENVIADO, Estado.ENCOLADO, Estado.ERROR, Estado.EMITIDO})
"""States that say that the provider has it."""
_CLOSED_TO_IT = frozenset({Estado.PENDIENTE, Estado.RECHAZADO, Estado.ELIMINADO})
"""States that say that the provider does not have it."""


@dataclass(frozen=True, slots=True)
class Cierre:
    """One day. `recibidos` = `emitidos` + `abiertos` + `en_revision` + `diferencia`, by what each turned out to be.

    `importe`: of the issued ones. `programados`: open ones of later days, in no other column. `ajenos`: what the
    provider has without a reference, which nothing of ours is. `motivos`: why, and of how many; `ejemplos`: which.
    """

    fecha: date
    emitidos: int = 0
    importe: Decimal = Decimal(0)
    abiertos: int = 0
    en_revision: int = 0
    programados: int = 0
    ajenos: int = 0
    motivos: Mapping[str, int] = field(default_factory=dict)
    ejemplos: tuple[str, ...] = ()

    @property
    def diferencia(self) -> int:
        return sum(self.motivos.values())

    @property
    def recibidos(self) -> int:
        return self.emitidos + self.abiertos + self.en_revision + self.diferencia


EXAMPLES = 10


def balance(
    fecha: date,
    shown: Iterable[Encontrado],
    known: Mapping[str, Asiento],
    *,
    absent: AbstractSet[str],
    scheduled: int = 0,
) -> Cierre:
    """`known`: the ledger's of every reference shown, and whatever is open of that fecha.

    `absent`: references of `known` that no page showed, and that the provider, asked by reference, does not have.
    """
    by_reference: dict[str, list[Encontrado]] = {}
    foreign = 0
    for encontrado in shown:
        if encontrado.external_reference:
            by_reference.setdefault(encontrado.external_reference, []).append(encontrado)
        else:
            foreign += 1
    columns: Counter[str] = Counter()
    importe = Decimal(0)
    why: Counter[str] = Counter()
    which: list[str] = []

    def differs(motivo: str, reference: str, count: int = 1) -> None:
        why[motivo] += count
        which.append(reference)

    for reference, encontrados in by_reference.items():
        if len(encontrados) > 1:
            differs("duplicados", reference, len(encontrados) - 1)
        motivo = contradiction(encontrados, known.get(reference))
        if motivo:
            differs(motivo, reference)
            continue
        column = _column(known[reference])
        columns[column] += 1
        if column == "emitidos":
            importe += known[reference].datos.total or Decimal(0)
    for reference, asiento in known.items():
        if reference in by_reference:
            continue
        if reference in absent:
            differs("ausentes", reference)
        else:
            columns["en_revision" if asiento.estado is Estado.EN_REVISION else "abiertos"] += 1
    return Cierre(
        fecha=fecha,
        emitidos=columns["emitidos"],
        importe=importe,
        abiertos=columns["abiertos"],
        en_revision=columns["en_revision"],
        programados=scheduled,
        ajenos=foreign,
        motivos=dict(why),
        ejemplos=tuple(sorted(which)[:EXAMPLES]),
    )


def contradiction(encontrados: Sequence[Encontrado], asiento: Asiento | None) -> str | None:
    """Why what the provider shows under a reference is not what the ledger says; None where they agree."""
    issued = [e for e in encontrados if e.situacion == "EMITIDO"]
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


def _column(asiento: Asiento) -> str:
    if asiento.estado is Estado.EMITIDO and not asiento.abierto:
        return "emitidos"
    return "en_revision" if asiento.estado is Estado.EN_REVISION else "abiertos"
