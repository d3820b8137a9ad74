"""moto's DynamoDB, doing the same in less time.

moto parses, validates and copies the same few expressions anew for every call, which is most of what a schedule costs.
So the first request of a form goes through moto whole, validation and all; of later ones of that form only the values
differ, and they are applied to moto's own items by what moto's own parser made of the first. What has no quick way
(an unusual clause) always goes through moto. `test_explore` holds both against each other.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from botocore import xform_name
from moto.dynamodb.comparisons import AttributeValue, create_condition_expression_parser
from moto.dynamodb.exceptions import DynamodbException
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.parsing import ast_nodes as ast
from moto.dynamodb.parsing.expressions import UpdateExpressionParser
from moto.dynamodb.parsing.key_condition_expression import parse_expression
from moto.dynamodb.responses import DynamoHandler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REGION, ACCOUNT = "us-east-1", "123456789012"
PAGE_BYTES = 1_000_000
"""A page of a query, as moto counts it."""

_INSTANT = "__instant__"
"""How an instant passes through JSON."""

Answer: TypeAlias = "tuple[int, dict[str, Any]]"
Values: TypeAlias = "dict[str, dict[str, Any]]"
_REFUSED = {"Code": "ConditionalCheckFailedException", "Message": "The conditional request failed"}


def table(name: str) -> Any:
    """Not to be kept: a transaction that moto takes back leaves another one."""
    return dynamodb_backends[ACCOUNT][REGION].tables[name]


def exists(name: str) -> bool:
    return name in dynamodb_backends[ACCOUNT][REGION].tables


def clear() -> None:
    """Every item of every table goes."""
    for made in dynamodb_backends[ACCOUNT][REGION].tables.values():
        made.items.clear()


def call(operation: str, params: dict[str, Any]) -> Answer:
    if "TableName" in params and table(params["TableName"]).range_key_attr != "sk":
        return by_moto(operation, params)
    match operation:
        case "GetItem":
            return 200, _get(params)
        case "BatchGetItem":
            return 200, _get_many(params)
        case "TransactWriteItems":
            return _transact(params)
        case "PutItem" | "UpdateItem" | "DeleteItem" | "Query":
            form = _form_of(operation, params)
            quick = _quick.get(form)
            if quick is not None:
                return quick(params)
            answer = by_moto(operation, params)
            if answer[0] == 200:
                # Only now has moto validated all of it: a refused condition hides what stands behind it.
                _quick[form] = _learn(operation, params) or _slowly(operation)
            return answer
    return by_moto(operation, params)


def by_moto(operation: str, params: dict[str, Any]) -> Answer:
    """Moto's own action, without its HTTP dress."""
    handler = DynamoHandler()
    handler.region, handler.current_account = REGION, ACCOUNT
    handler.body = json.loads(json.dumps(params, default=lambda raw: base64.b64encode(raw).decode()))
    try:
        result = getattr(handler, xform_name(operation))().result
        found = json.loads(json.dumps(result, default=_as_json), object_hook=_with_instants)
    except DynamodbException as error:
        told = json.loads(str(error.description))
        code = told.pop("__type").rpartition("#")[2]
        told = {"Error": {"Code": code, "Message": str(told.get("message", told.get("Message", "")))}, **told}
        return 400, _without_base64(told)
    return 200, _without_base64(found)


def _as_json(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        return {_INSTANT: value.isoformat()}
    return value.to_json() if hasattr(value, "to_json") else dict(value)


def _with_instants(told: dict[str, Any]) -> Any:
    return datetime.fromisoformat(told[_INSTANT]) if _INSTANT in told else told


def _without_base64(told: Any) -> Any:
    match told:
        case {"B": str() as text} if len(told) == 1:
            return {"B": base64.b64decode(text)}
        case dict():
            return {name: _without_base64(value) for name, value in told.items()}
        case list():
            return [_without_base64(value) for value in told]
    return told


# -- forms ---------------------------------------------------------------------------------------------------------

_quick: dict[Any, Callable[[dict[str, Any]], Answer]] = {}


def _slowly(operation: str) -> Callable[[dict[str, Any]], Answer]:
    return lambda params: by_moto(operation, params)


def _form_of(operation: str, params: dict[str, Any]) -> Any:
    """Everything of a request but its values."""
    values = params.get("ExpressionAttributeValues", {})
    rest = tuple((name, value) for name, value in params.items() if isinstance(value, str | int))
    names = params.get("ExpressionAttributeNames", {})
    return operation, rest, tuple(params), tuple(names.items()), tuple((n, *v) for n, v in values.items())


def _transact(params: dict[str, Any]) -> Answer:
    """Updates, as one: moto copies the whole table for it. Each form must have been through moto once."""
    updates = [item["Update"] for item in params["TransactItems"] if item.keys() == {"Update"}]
    forms = [_form_of("TransactWriteItems", update) for update in updates]
    if len(updates) < len(params["TransactItems"]) or not all(form in _in_transactions for form in forms):
        answer = by_moto("TransactWriteItems", params)
        if answer[0] == 200:
            _in_transactions.update({f: _learn_update(u) for f, u in zip(forms, updates, strict=True)})
        return answer
    learned = [_in_transactions[form] for form in forms]
    if None in learned:
        return by_moto("TransactWriteItems", params)
    found = [find(update["TableName"], update["Key"]) for update in updates]
    held = [one[0].holds(u, item) for one, u, item in zip(learned, updates, found, strict=True)]
    if all(held):
        for (_, actions), update in zip(learned, updates, strict=True):
            _apply(update, actions)
        return 200, {}
    reasons: list[dict[str, Any]] = []
    for ok, update, item in zip(held, updates, found, strict=True):
        told = {"Code": "None"} if ok else {"Code": "ConditionalCheckFailed", "Message": _REFUSED["Message"]}
        if not ok and item is not None and update.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD":
            told["Item"] = typed_item(item)
        reasons.append(told)
    codes = ", ".join(reason["Code"] for reason in reasons)
    message = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
    error = {"Code": "TransactionCanceledException", "Message": message}
    return 400, {"Error": error, "CancellationReasons": reasons}


_in_transactions: dict[Any, tuple[_Condition, list[_Action]] | None] = {}


def _learn_update(params: dict[str, Any]) -> tuple[_Condition, list[_Action]] | None:
    actions = [_action(node, params) for node in _actions(UpdateExpressionParser.make(params["UpdateExpression"]))]
    return None if None in actions else (_Condition(params), actions)


def _learn(operation: str, params: dict[str, Any]) -> Callable[[dict[str, Any]], Answer] | None:
    match operation:
        case "PutItem":
            return partial(_put, condition=_Condition(params))
        case "DeleteItem":
            return partial(_delete, condition=_Condition(params))
        case "Query":
            return _learn_query(params)
    learned = _learn_update(params)
    return partial(_update, condition=learned[0], actions=learned[1]) if learned else None


class _Condition:
    """moto's own evaluator of a condition, parsed once; the values are put in anew for each request."""

    def __init__(self, params: dict[str, Any]) -> None:
        names = params.get("ExpressionAttributeNames", {})
        marked = {
            name: dict.fromkeys(typed, name) for name, typed in params.get("ExpressionAttributeValues", {}).items()
        }
        self._op = create_condition_expression_parser(params.get("ConditionExpression"), names, marked).parse()
        self._values = list(_values_in(self._op))
        self._names = [value.value for value in self._values]

    def holds(self, params: dict[str, Any], item: Item | None) -> bool:
        given = params.get("ExpressionAttributeValues", {})
        for value, name in zip(self._values, self._names, strict=True):
            value.value = given[name][value.type]
        return bool(self._op.expr(item))


def _values_in(op: Any) -> Iterator[AttributeValue]:
    if isinstance(op, AttributeValue):
        yield op
    for part in vars(op).values() if hasattr(op, "__dict__") else ():
        for inner in part if isinstance(part, list | tuple) else (part,):
            if hasattr(inner, "expr"):
                yield from _values_in(inner)


# -- behind everybody's back ---------------------------------------------------------------------------------------


def peek(name: str, pk: str, sk: str) -> dict[str, Any]:
    """An item as it lies there, in plain values; {} where there is none."""
    item = find(name, {"pk": {"S": pk}, "sk": {"S": sk}})
    return {} if item is None else plain(item)


def partition(name: str, pk: str) -> list[dict[str, Any]]:
    return [plain(item) for item in table(name).items.get(DynamoType({"S": pk}), {}).values()]


def plain(item: Item) -> dict[str, Any]:
    return {name: _plain(value) for name, value in item.attrs.items()}


def _plain(value: DynamoType) -> Any:
    match value.type:
        case "N":
            return int(value.value)
        case "SS":
            return set(value.value)
        case "L":
            return [_plain(v) for v in value.value]
    return value.value


# -- reads ---------------------------------------------------------------------------------------------------------


def _typed(value: DynamoType) -> dict[str, Any]:
    kind, held = value.type, value.value
    if kind == "L":
        return {kind: [_typed(v) for v in held]}
    if kind == "M":
        return {kind: {name: _typed(v) for name, v in held.items()}}
    if kind == "B":
        return {kind: base64.b64decode(held) if isinstance(held, str) else held}
    return {kind: list(held) if isinstance(held, list) else held}


def typed_item(item: Item) -> dict[str, Any]:
    return {name: _typed(value) for name, value in item.attrs.items()}


def find(table_name: str, key: dict[str, Any]) -> Item | None:
    found: Item | None = table(table_name).items.get(DynamoType(key["pk"]), {}).get(DynamoType(key["sk"]))
    return found


def _get(params: dict[str, Any]) -> dict[str, Any]:
    assert params.keys() <= {"TableName", "Key", "ConsistentRead"}, params
    item = find(params["TableName"], params["Key"])
    return {} if item is None else {"Item": typed_item(item)}


def _get_many(params: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {"Responses": {}, "UnprocessedKeys": {}}
    for name, asked in params["RequestItems"].items():
        assert asked.keys() <= {"Keys", "ConsistentRead"}, asked
        assert len(asked["Keys"]) <= 100, "BatchGetItem takes a hundred keys"
        found = (find(name, key) for key in asked["Keys"])
        answer["Responses"][name] = [typed_item(item) for item in found if item is not None]
    return answer


def _learn_query(params: dict[str, Any]) -> Callable[[dict[str, Any]], Answer] | None:
    index = params.get("IndexName")
    of = table(params["TableName"])
    hashes, ranges, _ = parse_expression(
        key_condition_expression=params["KeyConditionExpression"],
        expression_attribute_names=params.get("ExpressionAttributeNames", {}),
        expression_attribute_values={n: dict.fromkeys(v, n) for n, v in params["ExpressionAttributeValues"].items()},
        schema=of.get_index(index).schema if index else of.schema,
    )
    if len(hashes) != 1 or len(ranges) > 1 or params.keys() & {"FilterExpression", "Limit", "ScanIndexForward"}:
        return None
    by, hash_value = hashes[0][0], _only(hashes[0][1])
    keys = [k["AttributeName"] for k in of.get_index(index).schema if k["KeyType"] == "RANGE"] if index else []
    projected = {name.strip() for name in params.get("ProjectionExpression", "").split(",") if name.strip()}
    if index:
        projected = {"pk", "sk", by, *keys}
    prefix = None
    if ranges:
        attribute, comparison, values = ranges[0]
        if (attribute, comparison.upper()) != ("sk", "BEGINS_WITH"):
            return None
        prefix = _only(values[0])

    def query(params: dict[str, Any]) -> Answer:
        given = params["ExpressionAttributeValues"]
        wanted = given[hash_value]["S"]
        begins = given[prefix]["S"] if prefix else ""
        of = table(params["TableName"])
        if index:
            rows = [row for row in _rows(of) if by in row.attrs and row.attrs[by].value == wanted]
            rows = [row for row in rows if all(k in row.attrs for k in keys)]
            rows.sort(key=lambda row: (*(row.attrs[k].value for k in keys), row.hash_key.value, row.range_key.value))
        else:
            rows = list(of.items.get(DynamoType({"S": wanted}), {}).values())
            rows = [row for row in rows if row.range_key.value.startswith(begins)]
            rows.sort(key=lambda row: row.range_key.value)
        return 200, _page(
            rows, projected, params.get("ExclusiveStartKey"), ["pk", "sk", *([by, *keys] if index else [])]
        )

    return query


def _only(typed: dict[str, Any]) -> str:
    (value,) = typed.values()
    return str(value)


def _rows(of: Any) -> Iterator[Item]:
    for ranges in of.items.values():
        yield from ranges.values()


def _page(rows: list[Item], projected: set[str], start: dict[str, Any] | None, keys: list[str]) -> dict[str, Any]:
    """From after `start` on, until the page is full."""
    first = 0
    if start:
        last = (start["pk"]["S"], start["sk"]["S"])
        first = 1 + next(n for n, row in enumerate(rows) if (row.hash_key.value, row.range_key.value) == last)
    items: list[dict[str, Any]] = []
    size = 0
    for row in rows[first:]:
        item = {name: _typed(value) for name, value in row.attrs.items() if not projected or name in projected}
        size += sum(len(name) + len(str(value)) for name, value in item.items())
        if size > PAGE_BYTES:
            after = rows[first + len(items) - 1].attrs
            return {"Items": items, "Count": len(items), "LastEvaluatedKey": {k: _typed(after[k]) for k in keys}}
        items.append(item)
    return {"Items": items, "Count": len(items)}


# -- writes --------------------------------------------------------------------------------------------------------


def _refusal(params: dict[str, Any], item: Item | None) -> Answer:
    told: dict[str, Any] = {"Error": _REFUSED, "message": _REFUSED["Message"]}
    if item is not None and params.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD":
        told["Item"] = typed_item(item)
    return 400, told


def _put(params: dict[str, Any], condition: _Condition) -> Answer:
    given = params["Item"]
    item = find(params["TableName"], given)
    if not condition.holds(params, item):
        return _refusal(params, item)
    hash_key, range_key = DynamoType(given["pk"]), DynamoType(given["sk"])
    new = Item(hash_key, range_key, {})
    for name, typed in given.items():
        stored = {"B": base64.b64encode(typed["B"]).decode()} if "B" in typed else typed
        dict.__setitem__(new.attrs, name, DynamoType(stored))
    table(params["TableName"]).items[hash_key][range_key] = new
    return 200, {}


def _delete(params: dict[str, Any], condition: _Condition) -> Answer:
    key = params["Key"]
    item = find(params["TableName"], key)
    if not condition.holds(params, item):
        return _refusal(params, item)
    table(params["TableName"]).items.get(DynamoType(key["pk"]), {}).pop(DynamoType(key["sk"]), None)
    return 200, {}


@dataclass(frozen=True)
class _Action:
    """One clause. `default`: for an absent attribute only. `value` is None where it removes."""

    attribute: str
    value: str | None
    default: bool = False
    adds: bool = False

    def do(self, attrs: dict[str, DynamoType], given: Values) -> None:
        held = attrs.get(self.attribute)
        if self.value is None:
            attrs.pop(self.attribute, None)
        elif not self.default or held is None:
            new = DynamoType(given[self.value])
            if self.adds and held is not None:
                new = held + new if new.type == "N" else _union(held, new)
            dict.__setitem__(attrs, self.attribute, new)


def _union(held: DynamoType, more: DynamoType) -> DynamoType:
    assert held.type == more.type, (held, more)
    return DynamoType({held.type: [*held.value, *(v for v in more.value if v not in held.value)]})


def _update(params: dict[str, Any], condition: _Condition, actions: list[_Action]) -> Answer:
    item = find(params["TableName"], params["Key"])
    if not condition.holds(params, item):
        return _refusal(params, item)
    item = _apply(params, actions)
    return 200, {"Attributes": typed_item(item)} if params.get("ReturnValues") == "ALL_NEW" else {}


def _apply(params: dict[str, Any], actions: list[_Action]) -> Item:
    key, given = params["Key"], params.get("ExpressionAttributeValues", {})
    item = find(params["TableName"], key)
    if item is None:
        hash_key, range_key = DynamoType(key["pk"]), DynamoType(key["sk"])
        item = Item(hash_key, range_key, {"pk": key["pk"], "sk": key["sk"]})
        table(params["TableName"]).items[hash_key][range_key] = item
    for action in actions:
        action.do(item.attrs, given)
    return item


def _actions(node: Any) -> Iterator[Any]:
    kinds = (
        ast.UpdateExpressionSetAction,
        ast.UpdateExpressionRemoveAction,
        ast.UpdateExpressionAddAction,
        ast.UpdateExpressionDeleteAction,
    )
    if isinstance(node, kinds):
        yield node
        return
    for child in node.children or ():
        if isinstance(child, ast.Node):
            yield from _actions(child)


def _action(node: Any, params: dict[str, Any]) -> _Action | None:
    """None where there is no quick way."""
    attribute = _attribute(node.children[0], params)
    if attribute is None or params.get("ReturnValues", "NONE") not in {"NONE", "ALL_NEW"}:
        return None
    match node:
        case ast.UpdateExpressionRemoveAction():
            return _Action(attribute, None)
        case ast.UpdateExpressionAddAction(children=[_, ast.ExpressionAttributeValue() as value]):
            return _Action(attribute, value.get_value_name(), adds=True)
        case ast.UpdateExpressionSetAction(children=[_, ast.UpdateExpressionValue(children=[what])]):
            match what:
                case ast.ExpressionAttributeValue():
                    return _Action(attribute, what.get_value_name())
                case ast.UpdateExpressionFunction(
                    children=["if_not_exists", path, ast.ExpressionAttributeValue() as value]
                ) if _attribute(path, params) == attribute:
                    return _Action(attribute, value.get_value_name(), default=True)
    return None


def _attribute(path: Any, params: dict[str, Any]) -> str | None:
    match path.children:
        case [ast.ExpressionAttributeName() as placeholder]:
            return str(params["ExpressionAttributeNames"][placeholder.get_attribute_name_placeholder()])
        case [ast.ExpressionAttribute() as name]:
            return str(name.get_attribute_name())
    return None
