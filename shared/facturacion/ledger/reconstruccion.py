"""A table that was restored from a backup has forgotten: noticing it, and writing again what the provider shows.

    pk = "TABLA"     sk = "TABLA"      which table this ledger was begun in, and since when it is known to be another

A restored (or copied) table is a new table that carries the old one's note: its instant of creation is not the noted
one. Until a cuenta was rebuilt in it (`reconstruida`, on the cuenta's item), no lote of it leaves: what was sent after
the backup would be sent again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from facturacion.asiento import causas_to_item, pk_of
from facturacion.estado import Estado
from facturacion.events import tipo_for
from facturacion.ledger.table import Table, key_of, to_plain, to_values
from facturacion.tiempo import from_iso, to_iso

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date, datetime
    from decimal import Decimal

    from mypy_boto3_dynamodb import DynamoDBClient

    from facturacion.asiento import Asiento, Causa, Refused

TABLA = "TABLA"
LOOK_AGAIN = timedelta(minutes=1)
"""A process may outlive its table: deleting one and restoring another under its name takes longer than this."""


@dataclass(frozen=True, slots=True)
class Restaurada:
    """The table is not the one that the ledger was begun in. `desde`: when that was first seen."""

    identidad: str
    desde: datetime


@dataclass(frozen=True, slots=True)
class Mostrado:
    """What the provider shows under one reference, as far as the ledger keeps it."""

    estado: Estado
    causas: tuple[Causa, ...]
    tipo: str | None
    fecha: date | None
    total: Decimal | None


class Restauracion(Table):
    """Whether the table was restored; looked up at most once a minute."""

    def __init__(self, client: DynamoDBClient, name: str, *, clock: Callable[[], datetime]) -> None:
        super().__init__(client, name, clock=clock)
        self._looked: tuple[datetime, Restaurada | None] | None = None

    def restaurada(self) -> Restaurada | None:
        now = self._clock()
        if self._looked is None or now - self._looked[0] >= LOOK_AGAIN:
            self._looked = (now, self._look())
        return self._looked[1]

    def _is_paused(self, item: Mapping[str, Any]) -> bool:
        """`item`: the cuenta's own, in plain values."""
        restaurada = self.restaurada()
        return restaurada is not None and item.get("reconstruida") != restaurada.identidad

    def _look(self) -> Restaurada | None:
        table = self._client.describe_table(TableName=self._table)["Table"]
        identidad = to_iso(table["CreationDateTime"])
        if "RestoreSummary" not in table:
            # The first to look notes it; the note of a ledger that was restored is older than its table.
            self._note("attribute_not_exists(pk)", {"identidad": identidad})
        note = self._note_of_table()
        if note.get("identidad") == identidad:
            return None
        if note.get("restaurada") != identidad:
            changed = "attribute_not_exists(restaurada) OR restaurada <> :restaurada"
            self._note(changed, {"restaurada": identidad, "restaurada_desde": to_iso(self._clock())})
            note = self._note_of_table()
        return Restaurada(identidad, from_iso(note["restaurada_desde"]))

    def _note_of_table(self) -> dict[str, Any]:
        answer = self._client.get_item(TableName=self._table, Key=key_of(TABLA, TABLA), ConsistentRead=True)
        return to_plain(answer.get("Item", {}))

    def _note(self, condition: str, sets: dict[str, str]) -> None:
        """Unless another process was first, which noted the same."""
        try:
            self._client.update_item(
                TableName=self._table,
                Key=key_of(TABLA, TABLA),
                UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in sets),
                ConditionExpression=condition,
                ExpressionAttributeValues=to_values({f":{name}": value for name, value in sets.items()}),
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return


class Reconstruccion(Table):
    """Conditional writes of what the provider shows, without its content: the hash of it nobody knows any more.

    An attempt that was forgotten may still send hooks, so `previos` counts it: nothing is deleted by itself.
    """

    def remember(
        self, cuenta: str, external_reference: str, shown: Mostrado, lote_id: str, n: int
    ) -> Asiento | Refused:
        """A comprobante that the ledger does not know. `n`: its place among those that were found with it."""
        now = to_iso(self._clock())
        new = {"cuenta": cuenta, "external_reference": external_reference, "creado": now, "previos": 1}
        sets = {**new, **self._as_shown(cuenta, shown, lote_id), "orden": f"{now}#{lote_id[:8]}#{n:04d}"}
        return self._write(self._update(pk_of(cuenta, external_reference), "attribute_not_exists(pk)", {}, sets=sets))

    def correct(self, asiento: Asiento, shown: Mostrado, lote_id: str) -> Asiento | Refused:
        """One that the ledger knows in an older state; what was refused is not what the provider shows."""
        sets = {**self._as_shown(asiento.cuenta, shown, lote_id), "previos": asiento.previos + 1}
        if asiento.estado is Estado.RECHAZADO:
            sets["hash"] = None
        return self._on_version(asiento, None, {}, sets=sets, removes=("ausente_desde", "ciclos"))

    def _as_shown(self, cuenta: str, shown: Mostrado, lote_id: str) -> dict[str, Any]:
        return {
            "estado": shown.estado,
            "en_cola": True,
            "reconstruido": True,
            "abierto": cuenta,
            # A lote of its own, so that no POST from before the restore has a say in it.
            "lote_id": lote_id,
            "quieto_desde": to_iso(self._clock()),
            "tipo": shown.tipo,
            "fecha": shown.fecha.isoformat() if shown.fecha else None,
            "total": str(shown.total) if shown.total is not None else None,
            "causas": causas_to_item(shown.causas) or None,
            "evento_pendiente": tipo_for(shown.estado),
        }
