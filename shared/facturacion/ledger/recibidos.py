"""What was received: the one source that the accounts have beside the ledger's own states and the provider's pages.

    pk = "DIA#{cuenta}#{day}"   sk = "{instant}#{message id}"   the comprobantes of one invocation of pack_lotes

`day` is the Argentine day on which the message was sent, the same whenever it comes again; `recibidos` is a set of
`{external_reference}:{mark of the content}`, and the instant says when they were last seen on the queue. Nothing else
is kept of them. It is written before anything is done about them: a crash can only have noted too much.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from facturacion.ledger.table import Table, to_plain, to_values
from facturacion.tiempo import from_iso, to_iso

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

RECIBIDOS_KEPT = timedelta(days=100)
"""From when they were seen; a day is closed for the last time long before."""
MARK = 8
"""Characters of a content's hash: enough to tell the few that ever have one reference."""


@dataclass(frozen=True, slots=True)
class Recibido:
    """A content (`marca`: how its hash begins) that came under a reference. `visto`: when it was last on the queue."""

    external_reference: str
    marca: str
    visto: datetime

    def is_of(self, content: str) -> bool:
        return content.startswith(self.marca)


class Recibidos(Table):
    """One item for each invocation, cuenta and day: 0.04 write units per comprobante in a lote of a hundred."""

    def note_received(
        self, cuenta: str, day: date, contents: Iterable[tuple[str, str]], *, first_message_id: str
    ) -> None:
        """`contents`: each reference with the hash of what came under it. Raises what DynamoDB raises."""
        now = self._clock()
        item = {
            "pk": _pk(cuenta, day),
            "sk": f"{to_iso(now)}#{first_message_id}",
            "recibidos": {f"{reference}:{content[:MARK]}" for reference, content in contents},
            "vence": int((now + RECIBIDOS_KEPT).timestamp()),
        }
        self._client.put_item(TableName=self._table, Item=to_values(item))

    def received(self, cuenta: str, day: date) -> list[Recibido]:
        """Each content once, by reference."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=to_values({":pk": _pk(cuenta, day)}),
        )
        # In the order of their instants, so that the last one stays.
        seen = {
            entry: from_iso(item["sk"].partition("#")[0])
            for page in pages
            for item in map(to_plain, page["Items"])
            for entry in item["recibidos"]
        }
        return [_recibido(entry, visto) for entry, visto in sorted(seen.items())]

    def received_after(self, cuenta: str, day: date, instant: datetime) -> bool:
        """Whether something of that day was seen on the queue since."""
        answer = self._client.query(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND sk > :since",
            ExpressionAttributeValues=to_values({":pk": _pk(cuenta, day), ":since": to_iso(instant)}),
            Select="COUNT",
            Limit=1,
        )
        return answer["Count"] > 0


def _recibido(entry: str, visto: datetime) -> Recibido:
    reference, _, marca = entry.partition(":")
    return Recibido(reference, marca, visto)


def _pk(cuenta: str, day: date) -> str:
    return f"DIA#{cuenta}#{day.isoformat()}"
