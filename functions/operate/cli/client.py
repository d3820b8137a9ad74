"""The way from the command line to the functions: of a stack on AWS, or of the local AWS that `make up` leaves."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

OUTPUTS = Path(__file__).resolve().parents[3] / ".sandbox" / "outputs.json"
READ_TIMEOUT_SECONDS = 310
"""Longer than any function may take."""
LOGICAL_IDS = {"operate": "Operate", "reconcile": "Reconcile"}
OUTPUT_NAMES = {"QueueUrl": "queue_url"}
"""Outputs of the template by their names in outputs.json."""


class SinRespuesta(Exception):
    """The function is not there, or it failed; its text is for the person who asked."""


@dataclass(frozen=True, slots=True)
class Cliente:
    """`invoke`: a function's name (`operate`, `reconcile`) and its event → its answer. `who`: the ARN of the caller.

    `boto`: a service's name → its boto3 client, there. `output`: an output of the stack, by its name in the template.
    """

    invoke: Callable[[str, Mapping[str, Any]], dict[str, Any]]
    who: Callable[[], str]
    boto: Callable[[str], Any]
    output: Callable[[str], str]

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
    if sandbox is None:
        session = boto3.session.Session(region_name=region)
        endpoint = None
        outputs: dict[str, Any] = {}
    else:
        outputs = _read_outputs(Path(sandbox) if sandbox else OUTPUTS)
        # Whatever credentials this machine has are none of its business: there the key is the account.
        session = boto3.session.Session(
            region_name=outputs["region"],
            aws_access_key_id=outputs["account_id"],
            aws_secret_access_key="sandbox",  # noqa: S106 - a local AWS asks for one, and looks at none
        )
        endpoint = outputs["endpoint_url"]
    # Once: a repeated request would be harmless, but its answer would say that all is decided already.
    config = Config(read_timeout=READ_TIMEOUT_SECONDS, retries={"total_max_attempts": 1})
    aws_lambda = session.client("lambda", endpoint_url=endpoint, config=config)

    def name_of(function: str) -> str:
        if sandbox is not None:
            return str(outputs["functions"][function])
        cloudformation = session.client("cloudformation")
        answer = cloudformation.describe_stack_resource(StackName=stack, LogicalResourceId=LOGICAL_IDS[function])
        return answer["StackResourceDetail"]["PhysicalResourceId"]

    names: dict[str, str] = {}

    def invoke(function: str, event: Mapping[str, Any]) -> dict[str, Any]:
        if function not in names:
            names[function] = name_of(function)
        answer = aws_lambda.invoke(FunctionName=names[function], Payload=json.dumps(event).encode())
        payload = json.loads(answer["Payload"].read())
        if "FunctionError" in answer or not isinstance(payload, dict):
            raise SinRespuesta(f"la función {names[function]} falló: {_reason(payload)}")
        return payload

    def who() -> str:
        arn: str = session.client("sts", endpoint_url=endpoint).get_caller_identity()["Arn"]
        return arn

    def output(name: str) -> str:
        if sandbox is not None:
            return str(outputs[OUTPUT_NAMES[name]])
        (described,) = session.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        found = {o["OutputKey"]: o["OutputValue"] for o in described.get("Outputs", [])}
        if name not in found:
            raise SinRespuesta(f"el stack {stack} no tiene la salida {name}")
        return found[name]

    def boto(service: str) -> Any:
        return session.client(service, endpoint_url=endpoint)  # type: ignore[call-overload]

    return Cliente(invoke, who, boto, output)


def _read_outputs(path: Path) -> dict[str, Any]:
    try:
        outputs: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SinRespuesta(f"no está {path}: el AWS local no está en marcha (make up)") from None
    return outputs


def _reason(payload: object) -> str:
    return str(payload.get("errorMessage") or payload) if isinstance(payload, dict) else str(payload)
