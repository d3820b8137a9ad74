"""Where the stack is: on AWS, found by its name, or the local AWS that `make up` leaves, told by its outputs.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from collections.abc import Mapping

OUTPUTS = Path(__file__).resolve().parents[3] / ".sandbox" / "outputs.json"
LOGICAL_IDS = {"operate": "Operate", "reconcile": "Reconcile"}
OUTPUT_NAMES = {"QueueUrl": "queue_url"}
"""Outputs of the template by their names in outputs.json."""


class SinRespuesta(Exception):
    """The function is not there, or it failed; its text is for the person who asked."""


@dataclass(frozen=True, slots=True)
class Place:
    """`outputs`: of the sandbox; None on AWS."""

    session: boto3.session.Session
    stack: str
    outputs: Mapping[str, Any] | None = None

    def boto(self, service: str, **more: Any) -> Any:
        """A client of it."""
        endpoint = self.outputs["endpoint_url"] if self.outputs else None
        return self.session.client(service, endpoint_url=endpoint, **more)  # type: ignore[call-overload]

    def function(self, name: str) -> str:
        """Its deployed name."""
        if self.outputs:
            return str(self.outputs["functions"][name])
        asked = {"StackName": self.stack, "LogicalResourceId": LOGICAL_IDS[name]}
        return str(
            self.boto("cloudformation").describe_stack_resource(**asked)["StackResourceDetail"]["PhysicalResourceId"]
        )

    def output(self, name: str) -> str:
        """Of the stack, by its name in the template."""
        if self.outputs:
            return str(self.outputs[OUTPUT_NAMES[name]])
        return self._described("Outputs", "Output", name)

    def parameter(self, name: str) -> str:
        return self._described("Parameters", "Parameter", name)

    def webhook_url(self, alias: str) -> str:
        """What the provider is to be told for that cuenta."""
        if self.outputs:
            return str(self.outputs["webhook_url"]).replace("{cuenta}", alias)
        return f"{self.output('ApiUrl')}/hooks/{alias}"

    def _described(self, kind: str, one: str, name: str) -> str:
        (described,) = self.boto("cloudformation").describe_stacks(StackName=self.stack)["Stacks"]
        found = {each[f"{one}Key"]: each[f"{one}Value"] for each in described.get(kind, [])}
        if name not in found:
            raise SinRespuesta(f"el stack {self.stack} no tiene {name} entre sus {kind}")
        return str(found[name])


def on_aws(stack: str, region: str | None) -> Place:
    return Place(boto3.session.Session(region_name=region), stack)


def in_sandbox(stack: str, path: Path) -> Place:
    """Raises SinRespuesta where none runs. Whatever credentials this machine has are none of its business."""
    try:
        outputs: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SinRespuesta(f"no está {path}: el AWS local no está en marcha (make up)") from None
    session = boto3.session.Session(
        region_name=outputs["region"],
        # There the key is the account.
        aws_access_key_id=outputs["account_id"],
        aws_secret_access_key="sandbox",  # noqa: S106 - a local AWS asks for one, and looks at none
    )
    return Place(session, stack, outputs)
