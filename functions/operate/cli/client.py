"""The way from the command line to the functions: of a stack on AWS, or of the local AWS that `make up` leaves."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.config import Config

from operate.cli.place import OUTPUTS, SinRespuesta, in_sandbox, on_aws

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

READ_TIMEOUT_SECONDS = 310
"""Longer than any function may take."""


@dataclass(frozen=True, slots=True)
class Cliente:
    """`invoke`: a function's name (`operate`, `reconcile`) and its event → its answer. `who`: the ARN of the caller.

    `boto`: a service's name → its boto3 client, there. `output`: an output of the stack, by its name in the template;
    `parameter`: a parameter. `stack`: its name. `webhook_url`: of the cuenta with that alias.
    """

    invoke: Callable[[str, Mapping[str, Any]], dict[str, Any]]
    who: Callable[[], str]
    boto: Callable[..., Any]
    output: Callable[[str], str]
    parameter: Callable[[str], str] = str
    webhook_url: Callable[[str], str] = str
    stack: str = "facturacion"

    def ask(self, event: Mapping[str, Any], function: str = "operate") -> dict[str, Any]:
        return self.invoke(function, event)

    def ask_all(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Again from where each answer stopped, until it has all; an error ends it, after what was done before."""
        whole = self.ask(event)
        while whole.get("sigue"):
            more = self.ask({**event, "tras": whole["sigue"]})
            if "error" in more:
                return {**whole, **more}
            whole = merge(whole, more)
        return whole


def merge(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Two answers as one: lists one after the other, numbers and money added, counts added key by key."""
    merged: dict[str, Any] = {}
    for name, value in other.items():
        before = one.get(name)
        if name == "total":
            merged[name] = str(Decimal(str(before)) + Decimal(value))
        elif name == "incidentes":
            merged[name] = _same_incidents([*(before or []), *value])
        elif isinstance(value, bool) or before is None or value is None or isinstance(value, str):
            merged[name] = value
        elif isinstance(value, dict):
            merged[name] = value if name == "sigue" else _added(before, value)
        else:
            merged[name] = before + value
    return merged


def _added(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {key: one.get(key, 0) + other.get(key, 0) for key in dict.fromkeys([*one, *other])}


def _same_incidents(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each once: how many it holds up is told part by part."""
    merged: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        key = row["cuenta"], row["codigo"]
        held = merged[key]["retenidos"] if key in merged else 0
        merged[key] = {**row, "retenidos": held + row["retenidos"]}
    return list(merged.values())


def connect(*, stack: str, region: str | None, sandbox: str | None) -> Cliente:
    """`sandbox`: its outputs.json, "" for the usual place, None for AWS. Raises SinRespuesta."""
    place = on_aws(stack, region) if sandbox is None else in_sandbox(stack, Path(sandbox) if sandbox else OUTPUTS)
    # Once: a repeated request would be harmless, but its answer would say that all is decided already.
    config = Config(read_timeout=READ_TIMEOUT_SECONDS, retries={"total_max_attempts": 1})
    aws_lambda = place.boto("lambda", config=config)
    names: dict[str, str] = {}

    def invoke(function: str, event: Mapping[str, Any]) -> dict[str, Any]:
        if function not in names:
            names[function] = place.function(function)
        answer = aws_lambda.invoke(FunctionName=names[function], Payload=json.dumps(event).encode())
        payload = json.loads(answer["Payload"].read())
        if "FunctionError" in answer or not isinstance(payload, dict):
            raise SinRespuesta(f"la función {names[function]} falló: {_reason(payload)}")
        return payload

    def who() -> str:
        arn: str = place.boto("sts").get_caller_identity()["Arn"]
        return arn

    return Cliente(invoke, who, place.boto, place.output, place.parameter, place.webhook_url, stack)


def _reason(payload: object) -> str:
    return str(payload.get("errorMessage") or payload) if isinstance(payload, dict) else str(payload)
