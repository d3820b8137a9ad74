"""Around every call that the shipped code makes of AWS in the explorer's world: whose it is, and what it costs."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING, Any
from unittest import mock

from moto.dynamodb.models.dynamo_type import DynamoType

from tests.bench.capacity import query_units, read_units, size_of, write_units
from tests.explore import calls, dynamo, instrument
from tests.explore.instrument import TABLE
from tests.template import properties

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.explore.world import World

Answer = tuple[int, dict[str, Any]]
WRITES = ("PutItem", "UpdateItem", "DeleteItem")
OWN = ("ESTADO", "HOOK#")


@dataclass
class Meter:
    """By function (`pack`, `webhook` …). `own_writes`: units of a comprobante's own items, not of its cuenta's.

    `heard`: told of each call of DynamoDB, its answer and its units.
    """

    writes: Counter[str] = field(default_factory=Counter)
    reads: Counter[str] = field(default_factory=Counter)
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    own_writes: float = 0.0
    heard: Callable[[str, dict[str, Any], Answer, float], None] | None = None

    def meter(self, service: str, operation: str, params: dict[str, Any], do: Callable[..., Answer]) -> Answer:
        running = instrument.world().running
        function = running.function if running else "world"
        self.calls[function, f"{service}:{operation}"] += 1
        if service != "dynamodb":
            return do(service, operation, params)
        if operation in WRITES:
            answer, units = self._write(operation, params, do)
            self.writes[function] += units
        elif operation == "TransactWriteItems":
            answer, units = self._transact(params, do)
            self.writes[function] += units
        else:
            answer = do(service, operation, params)
            units = _read(operation, params, answer[1])
            self.reads[function] += units
        if self.heard:
            self.heard(operation, params, answer, units)
        return answer

    def _write(self, operation: str, params: dict[str, Any], do: Callable[..., Answer]) -> tuple[Answer, float]:
        key = params["Item"] if operation == "PutItem" else params["Key"]
        before = image(params["TableName"], key)
        answer = do("dynamodb", operation, params)
        after = image(params["TableName"], key) if answer[0] == 200 else before
        units = write_units(before, after, indexes() if params["TableName"] == TABLE else {})
        self.own_writes += units if "sk" in key and key["sk"]["S"].startswith(OWN) else 0
        return answer, units

    def _transact(self, params: dict[str, Any], do: Callable[..., Answer]) -> tuple[Answer, float]:
        written = [(w["TableName"], w["Key"]) for item in params["TransactItems"] for w in item.values()]
        before = [image(*w) for w in written]
        answer = do("dynamodb", "TransactWriteItems", params)
        after = [image(*w) for w in written]
        pairs = zip(before, after, strict=True)
        units = sum(write_units(old, new, indexes(), transaction=True) for old, new in pairs)
        self.own_writes += units
        return answer, units


@cache
def indexes() -> dict[str, tuple[str, ...]]:
    """Of the ledger, by the template; all of them project their keys alone."""
    found = {}
    for index in properties("Ledger")["GlobalSecondaryIndexes"]:
        assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}, "capacity.write_units counts no other"
        found[index["IndexName"]] = tuple(key["AttributeName"] for key in index["KeySchema"])
    return found


def image(table: str, key: dict[str, Any]) -> dict[str, Any] | None:
    of = dynamo.table(table)
    found = of.items.get(DynamoType(key[of.hash_key_attr]))
    if of.range_key_attr:
        found = (found or {}).get(DynamoType(key[of.range_key_attr]))
    return dynamo.typed_item(found) if found else None


def everything() -> Iterator[dict[str, Any]]:
    """Every item of the ledger."""
    for ranges in dynamo.table(TABLE).items.values():
        yield from (dynamo.typed_item(item) for item in ranges.values())


def _read(operation: str, params: dict[str, Any], answer: dict[str, Any]) -> float:
    match operation:
        case "GetItem":
            sizes = [size_of(answer["Item"]) if "Item" in answer else 0]
            return read_units(sizes, consistent=params.get("ConsistentRead", False))
        case "BatchGetItem":
            return sum(
                read_units(
                    [size_of(item) for item in answer["Responses"][table]] + [0] * _missing(asked, answer, table),
                    consistent=asked.get("ConsistentRead", False),
                )
                for table, asked in params["RequestItems"].items()
            )
        case "Query":
            return query_units(_queried(params, answer), consistent=params.get("ConsistentRead", False))
        case "DescribeTable":
            return 0.0
    raise AssertionError(f"what {operation} costs is not known here")


def _missing(asked: dict[str, Any], answer: dict[str, Any], table: str) -> int:
    return len(asked["Keys"]) - len(answer["Responses"][table])


def _queried(params: dict[str, Any], answer: dict[str, Any]) -> list[int]:
    """Sizes of what one page read: an index has its keys alone; of the table it is the whole items."""
    if "IndexName" in params:
        return [size_of(item) for item in answer["Items"]]
    assert "LastEvaluatedKey" not in answer and "ExclusiveStartKey" not in params, "one page is all that is read"
    values = [typed["S"] for typed in params["ExpressionAttributeValues"].values()]
    partition = dynamo.table(params["TableName"]).items.get(DynamoType({"S": values[0]}), {})
    prefix = values[1] if len(values) > 1 else ""
    return [size_of(dynamo.typed_item(i)) for i in partition.values() if i.range_key.value.startswith(prefix)]


@contextmanager
def metered(meter: Meter) -> Iterator[Meter]:
    """Every effect of the shipped code on AWS passes through the meter; inside `installing.exploring`."""
    real = calls._effect

    def effect(world: World, service: str, operation: str, params: dict[str, Any]) -> Answer:
        return meter.meter(service, operation, params, partial(real, world))

    with mock.patch.object(calls, "_effect", effect):
        yield meter
