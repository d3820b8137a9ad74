"""What `template.yaml` says, for tests: a resource is made from its own definition, never from a copy of it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from tests.sandbox.packaging import read_template

TEMPLATE = Path(__file__).resolve().parents[1] / "template.yaml"


@cache
def template() -> dict[str, Any]:
    """Every short form (`!Ref`, `!GetAtt` …) is written out, as `{"Ref": …}`, `{"Fn::GetAtt": […]}`."""
    return read_template(TEMPLATE)


def resource(logical_id: str) -> dict[str, Any]:
    return template()["Resources"][logical_id]


def properties(logical_id: str) -> dict[str, Any]:
    return resource(logical_id)["Properties"]


def of_type(kind: str) -> list[str]:
    """Logical ids."""
    return [name for name, r in template()["Resources"].items() if r["Type"] == kind]


def default(parameter: str) -> Any:
    return template()["Parameters"][parameter]["Default"]


def with_defaults(node: Any) -> Any:
    """`node` with each `Ref` to a parameter replaced by the parameter's default; other references stay."""
    match node:
        case {"Ref": name} if name in template()["Parameters"]:
            return default(name)
        case dict():
            return {key: with_defaults(value) for key, value in node.items()}
        case list():
            return [with_defaults(value) for value in node]
    return node


def table_request(logical_id: str, name: str) -> dict[str, Any]:
    """CreateTable's arguments for an `AWS::DynamoDB::Table`; what CreateTable does not take is left out."""
    declared = with_defaults(properties(logical_id))
    taken = ("AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes")
    request = {"TableName": name, **{key: declared[key] for key in taken if key in declared}}
    if stream := declared.get("StreamSpecification"):
        request["StreamSpecification"] = {"StreamEnabled": True, **stream}
    return request
