"""The whole story of one comprobante: one Query of its pk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from facturacion.asiento import SK_ESTADO, Asiento, asiento_from_item, pk_of
from facturacion.ledger.table import Table, to_plain, to_values
from facturacion.tiempo import from_iso

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Linea:
    """What was kept: a hook, an action or a decision (`clase` HOOK, ACCION, DECISION), when, and its attributes."""

    clase: str
    instante: datetime
    datos: Mapping[str, Any]


class Timelines(Table):
    """Reads for people."""

    def timeline(self, cuenta: str, external_reference: str) -> tuple[Asiento | None, list[Linea]]:
        """The asiento, and everything else that is kept of the reference, in the order in which it came to us."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=to_values({":pk": pk_of(cuenta, external_reference)}),
        )
        asiento: Asiento | None = None
        lineas: list[Linea] = []
        for item in (to_plain(item) for page in pages for item in page["Items"]):
            if item["sk"] == SK_ESTADO:
                asiento = asiento_from_item(item)
            else:
                began = item["recibido"] if "recibido" in item else item["empezada"]
                lineas.append(Linea(item["sk"].partition("#")[0], from_iso(began), item))
        return asiento, sorted(lineas, key=lambda linea: linea.instante)
