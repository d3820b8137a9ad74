"""The daily closes of a cuenta.

pk = "CIERRE#{cuenta}"   sk = "{day}"       what the close of that day came to, as it was last looked at
pk = "CUENTAS"           sk = "{cuenta}"    until which day it is closed, and who is closing it now
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from facturacion.ledger.table import Table, key_of, to_plain, to_values
from facturacion.tiempo import from_iso, to_iso

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

CUENTAS = "CUENTAS"


@dataclass(frozen=True, slots=True)
class Cerrado:
    """A day as it was last closed. `columnas`: the attributes of its item."""

    dia: date
    mirado: datetime
    columnas: Mapping[str, Any]


class Cierres(Table):
    """Everything here may be written twice with the same result."""

    def take_night(self, cuenta: str, day: date, *, until: datetime) -> bool:
        """Whether the caller may close what is open until `day`: nobody did, and nobody does until `until`."""
        try:
            self._client.update_item(
                TableName=self._table,
                Key=key_of(CUENTAS, cuenta),
                UpdateExpression="SET cerrando = :until",
                ConditionExpression="cierre_dia < :day AND (attribute_not_exists(cerrando) OR cerrando <= :now)",
                ExpressionAttributeValues=to_values(
                    {":until": to_iso(until), ":day": day.isoformat(), ":now": to_iso(self._clock())}
                ),
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def night_closed(self, cuenta: str, day: date, *, difference: int = 0) -> None:
        """`difference`: in all the days that this night looked at; it stands until a night without any."""
        self._client.update_item(
            TableName=self._table,
            Key=key_of(CUENTAS, cuenta),
            UpdateExpression="SET cierre_dia = :day, cierre_difiere = :n REMOVE cerrando, cierre_diferencia",
            ExpressionAttributeValues=to_values({":day": day.isoformat(), ":n": difference}),
        )

    def difference_seen(self, cuenta: str) -> None:
        """At a first look; a second one decides."""
        self._client.update_item(
            TableName=self._table,
            Key=key_of(CUENTAS, cuenta),
            UpdateExpression="SET cierre_diferencia = :yes",
            ExpressionAttributeValues=to_values({":yes": True}),
        )

    def record_close(self, cuenta: str, day: date, columns: Mapping[str, Any], *, looked: datetime) -> None:
        """`looked`: when it was begun to be looked at; what came since may be missing."""
        item = {"pk": f"CIERRE#{cuenta}", "sk": day.isoformat(), "mirado": to_iso(looked), **columns}
        self._client.put_item(TableName=self._table, Item=to_values(item))

    def cierres(self, cuenta: str, *, since: date) -> list[Cerrado]:
        """Oldest first."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND sk >= :since",
            ExpressionAttributeValues=to_values({":pk": f"CIERRE#{cuenta}", ":since": since.isoformat()}),
        )
        items = (to_plain(item) for page in pages for item in page["Items"])
        return [Cerrado(date.fromisoformat(item["sk"]), from_iso(item["mirado"]), item) for item in items]
