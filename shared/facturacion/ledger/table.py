"""One conditional write at a time: how an item of the ledger is read and written. Alone knows DynamoDB's syntax."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from facturacion.asiento import SK_ESTADO, Asiento, Refused, asiento_from_item, pk_of
from facturacion.estado import Estado
from facturacion.tiempo import to_iso

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient

BATCH_GET_MAX = 100
_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


class Table:
    """`clock` gives the instants that are written; `name` is the table's name."""

    def __init__(self, client: DynamoDBClient, name: str, *, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._table = name
        self._clock = clock

    def get(self, cuenta: str, external_reference: str) -> Asiento | None:
        answer = self._client.get_item(
            TableName=self._table,
            Key=key_of(pk_of(cuenta, external_reference), SK_ESTADO),
            ConsistentRead=True,
        )
        return asiento_from_item(to_plain(answer["Item"])) if "Item" in answer else None

    def _get_items(self, keys: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Those that exist, in no particular order, with plain values."""
        left, found = list(keys), list[dict[str, Any]]()
        while left:
            chunk, left = left[:BATCH_GET_MAX], left[BATCH_GET_MAX:]
            answer = self._client.batch_get_item(RequestItems={self._table: {"Keys": chunk, "ConsistentRead": True}})
            found += [to_plain(item) for item in answer["Responses"].get(self._table, ())]
            # What DynamoDB did not get to is asked for again; a page of 100 small items is far below its limit.
            unread: Any = answer["UnprocessedKeys"].get(self._table, {"Keys": []})
            left += unread["Keys"]
        return found

    def _record(
        self,
        asiento: Asiento,
        condition: str,
        estados: Sequence[Estado],
        *,
        sets: Mapping[str, Any],
        removes: Sequence[str],
        add_hash: bool = False,
    ) -> Asiento | Refused:
        """A write of what our own POST brought: whatever happened since, the lote must still be ours."""
        values = {":l": asiento.lote_id, **{f":{e}": e for e in estados}}
        adds = {"rechazados": {asiento.datos.hash}} if add_hash else {}
        return self._write(self._update(asiento.pk, condition, values, sets=sets, removes=removes, adds=adds))

    def _on_version(
        self,
        asiento: Asiento,
        condition: str | None,
        values: Mapping[str, Any],
        *,
        sets: Mapping[str, Any],
        removes: Sequence[str] = (),
        adds: Mapping[str, Any] | None = None,
    ) -> Asiento | Refused:
        """A write of what was decided on the asiento as read: nothing at all may have happened since."""
        whole = "version = :v" + (f" AND {condition}" if condition else "")
        return self._write(
            self._update(asiento.pk, whole, {":v": asiento.version, **values}, sets=sets, removes=removes, adds=adds)
        )

    def _update(
        self,
        pk: str,
        condition: str,
        values: Mapping[str, Any],
        *,
        sets: Mapping[str, Any],
        defaults: Mapping[str, Any] | None = None,
        removes: Sequence[str] = (),
        adds: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """One UpdateItem. A None in `sets` removes; `defaults` are set only where nothing is."""
        sets = {**sets, "actualizado": to_iso(self._clock())}
        names = {f"#{name}": name for name in (*sets, *(defaults or {}), *removes, *(adds or {}), "version", "hash")}
        bound = {f":set_{name}": value for name, value in sets.items() if value is not None}
        bound |= {f":default_{name}": value for name, value in (defaults or {}).items()}
        bound |= {f":add_{name}": value for name, value in (adds or {}).items()}
        assignments = [f"#{name} = :set_{name}" for name, value in sets.items() if value is not None]
        assignments += [f"#{name} = if_not_exists(#{name}, :default_{name})" for name in defaults or {}]
        gone = [*removes, *(name for name, value in sets.items() if value is None)]
        expression = "SET " + ", ".join(assignments)
        if gone:
            expression += " REMOVE " + ", ".join(f"#{name}" for name in gone)
        expression += " ADD #version :uno" + "".join(f", #{name} :add_{name}" for name in adds or {})
        used = {name: value for name, value in names.items() if name in expression or name in condition}
        return {
            "TableName": self._table,
            "Key": key_of(pk, SK_ESTADO),
            "UpdateExpression": expression,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": used,
            "ExpressionAttributeValues": to_values({**bound, **values, ":uno": 1}),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def _write(self, update: dict[str, Any]) -> Asiento | Refused:
        try:
            answer = self._client.update_item(**update, ReturnValues="ALL_NEW")
        except self._client.exceptions.ConditionalCheckFailedException as error:
            item: Any = error.response.get("Item")
            return Refused(asiento_from_item(to_plain(item)) if item else None)
        return asiento_from_item(to_plain(answer["Attributes"]))


def key_of(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def to_values(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _serialize(str(v) if isinstance(v, Estado) else v) for name, v in values.items()}


def to_plain(item: Any) -> dict[str, Any]:
    return {name: _deserialize(value) for name, value in item.items()}
