"""Pauses: of a cuenta no new lote leaves, and nothing is done about its errors, until somebody says so.

    pk = "PAUSA"   sk = "{cuenta}"   the last pause of one cuenta
                   sk = "*"          the last pause of all of them, also of those that nobody knows yet

A row of their own and not the cuenta's: a cuenta may be paused before it is first seen, and nothing that is written
about its door can take a pause away. A pause holds until its `hasta`; whoever resumes says that it is now.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from facturacion.accion import Autor
from facturacion.ledger.table import Table, key_of, to_plain, to_values
from facturacion.tiempo import from_iso, to_iso

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PAUSA = "PAUSA"
TODAS = "*"
"""No alias has it."""
SEGURA = timedelta(days=3)
"""What waits at a paused door that long has used half of the receives that the queue gives it, and not more."""
LARGA = timedelta(days=1)
"""A pause that lasts longer may have been forgotten."""
_HOLDS = "attribute_exists(pk) AND (attribute_not_exists(hasta) OR hasta > :now)"
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Pausa:
    """`cuenta`: None is all of them. `hasta`: when it is over by itself; None is not before somebody resumes."""

    cuenta: str | None
    desde: datetime
    hasta: datetime | None
    autor: Autor

    def holds(self, now: datetime) -> bool:
        return self.hasta is None or now < self.hasta


class Pausas(Table):
    """Pressed twice, each of these acts once."""

    def pause(
        self, cuenta: str | None, autor: Autor, *, until: datetime | None, shorten: bool = False
    ) -> tuple[Pausa, bool]:
        """From now on; whether it was not paused before. One that holds already stays as it is, but for its end.

        That end only moves away, unless it is said (`shorten`): somebody else may have counted on it.
        """
        now = self._clock()
        author = {"desde": to_iso(now), "quien": autor.quien, "motivo": autor.motivo, "solicitud": autor.solicitud}
        begun = self._on_pausa(cuenta, f"NOT ({_HOLDS})", author | {"hasta": _iso(until), "reanudo": None})
        if begun:
            return begun, True
        later = _HOLDS if shorten or until is None else "attribute_exists(pk) AND hasta > :now AND hasta < :hasta"
        changed = self._on_pausa(cuenta, later, {"hasta": _iso(until)})
        kept = changed or next((p for p in self.pausas() if p.cuenta == cuenta), None)
        # Somebody resumed it in that moment: then it is paused anew.
        return (kept, False) if kept else self.pause(cuenta, autor, until=until, shorten=shorten)

    def resume(self, cuenta: str | None, autor: Autor) -> Pausa | None:
        """The pause that is over now; None where none held."""
        why = " ".join(part for part in (autor.quien, autor.motivo, autor.solicitud) if part)
        return self._on_pausa(cuenta, _HOLDS, {"hasta": to_iso(self._clock()), "reanudo": why})

    def pausa_of(self, cuenta: str) -> Pausa | None:
        """The one that holds a cuenta, its own or that of all; of both the one that ends last."""
        return self._pausa_among(cuenta, self._get_items([key_of(PAUSA, cuenta), key_of(PAUSA, TODAS)]))

    def pausas(self) -> list[Pausa]:
        """Those that hold, that of all first."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=to_values({":pk": PAUSA}),
        )
        now = self._clock()
        every = [_from_item(to_plain(item)) for page in pages for item in page["Items"]]
        return [pausa for pausa in every if pausa.holds(now)]

    def _pausa_among(self, cuenta: str, items: Iterable[Mapping[str, Any]]) -> Pausa | None:
        """`items` with plain values; those that are no pause of this cuenta are passed over."""
        now = self._clock()
        found = [_from_item(i) for i in items if i["pk"] == PAUSA and i["sk"] in {cuenta, TODAS}]
        return longest(cuenta, [pausa for pausa in found if pausa.holds(now)])

    def _on_pausa(self, cuenta: str | None, condition: str, changed: Mapping[str, str | None]) -> Pausa | None:
        sets = {name: value for name, value in changed.items() if value is not None}
        gone = [name for name, value in changed.items() if value is None]
        expression = "SET " + ", ".join(f"{name} = :{name}" for name in sets) if sets else ""
        expression += " REMOVE " + ", ".join(gone) if gone else ""
        values = {f":{name}": value for name, value in sets.items()} | {":now": to_iso(self._clock())}
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=key_of(PAUSA, cuenta or TODAS),
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeValues=to_values(values),
                ReturnValues="ALL_NEW",
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return None
        return _from_item(to_plain(answer["Attributes"]))


def longest(cuenta: str, pausas: Iterable[Pausa]) -> Pausa | None:
    """Of those that hold a cuenta the one that ends last."""
    its = [pausa for pausa in pausas if pausa.cuenta in {None, cuenta}]
    return max(its, key=lambda p: p.hasta or _NEVER, default=None)


def _from_item(item: Mapping[str, Any]) -> Pausa:
    return Pausa(
        cuenta=None if item["sk"] == TODAS else item["sk"],
        desde=from_iso(item["desde"]),
        hasta=from_iso(item["hasta"]) if "hasta" in item else None,
        autor=Autor(item["quien"], item["motivo"], item["solicitud"]),
    )


def _iso(instant: datetime | None) -> str | None:
    return to_iso(instant) if instant else None
