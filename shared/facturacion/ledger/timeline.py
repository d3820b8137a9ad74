"""The whole story of one comprobante: one Query of its pk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from facturacion.accion import MOTIVO_MAX
from facturacion.asiento import SK_ESTADO, Asiento, asiento_from_item, pk_of
from facturacion.ledger.table import Table, to_plain, to_values
from facturacion.tiempo import from_iso, to_iso

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from facturacion.accion import Autor


@dataclass(frozen=True, slots=True)
class Linea:
    """What was kept: a hook, an action or a decision (`clase` HOOK, ACCION, DECISION), when, and its attributes."""

    clase: str
    instante: datetime
    datos: Mapping[str, Any]


class Timelines(Table):
    """Reads for people; and what they asked for that decides nothing about the comprobante itself."""

    def note(self, cuenta: str, external_reference: str, what: str, autor: Autor, *, expires: timedelta) -> None:
        """That a person asks for `what`, before it is done. What came of it, the state and the later lines tell."""
        now = self._clock()
        line = {
            "pk": pk_of(cuenta, external_reference),
            "sk": f"DECISION#{to_iso(now)}#{what}#{autor.solicitud}",
            "accion": what,
            "quien": autor.quien,
            "motivo": autor.motivo[:MOTIVO_MAX],
            "solicitud": autor.solicitud,
            "empezada": to_iso(now),
            "resultado": "Pedido",
            "vence": int((now + expires).timestamp()),
        }
        self._client.put_item(TableName=self._table, Item=to_values(line))

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
