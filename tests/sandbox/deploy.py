"""Deploys a SAM template on the emulator as it would be on AWS: package to S3, change set, execute, wait."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from botocore.exceptions import ClientError

from tests.sandbox.packaging import digest, package, read_template
from tests.sandbox.policies import for_the_emulator
from tests.sandbox.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.sandbox.ministack import Account

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "template.yaml"
TIMEOUT = 180.0
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
# CloudFormation's words for "there was nothing to do", with and without a SAM transform.
NOTHING_CHANGED = ("didn't contain changes", "No updates are to be performed")


class DeployError(RuntimeError):
    """The stack did not come up; the message tells which resources failed and why."""


class UnknownParameterError(ValueError):
    """A parameter that the template does not have; the message lists those it has."""


@dataclass(frozen=True)
class Resource:
    type: str
    physical_id: str


@dataclass(frozen=True)
class Deployed:
    """A deployed stack: its outputs and, by logical id, its resources."""

    name: str
    outputs: Mapping[str, str]
    resources: Mapping[str, Resource]

    def physical_id(self, logical_id: str) -> str:
        return self.resources[logical_id].physical_id

    def of_type(self, resource_type: str) -> dict[str, str]:
        """Physical ids by logical id."""
        return {name: found.physical_id for name, found in self.resources.items() if found.type == resource_type}

    @property
    def functions(self) -> dict[str, str]:
        """Deployed names by the logical id in snake_case, without a `Function` at its end: `pack_lotes`."""
        return {snake_case(name): deployed for name, deployed in self.of_type("AWS::Lambda::Function").items()}


def snake_case(logical_id: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", logical_id.removesuffix("Function")).lower()


def known_parameters(template: Path = TEMPLATE) -> dict[str, str]:
    """The template's parameters and their defaults ("" where there is none)."""
    declared = read_template(template).get("Parameters", {})
    return {name: str(parameter.get("Default", "")) for name, parameter in declared.items()}


def check_parameters(parameters: Mapping[str, str], template: Path = TEMPLATE) -> None:
    """Raise UnknownParameterError unless the template has them all."""
    known = known_parameters(template)
    if unknown := sorted(set(parameters) - set(known)):
        raise UnknownParameterError(
            f"the template has no parameter {', '.join(unknown)}; it has: {', '.join(sorted(known))}"
        )


def deploy(
    account: Account, stack_name: str, parameters: Mapping[str, str] | None = None, template: Path = TEMPLATE
) -> Deployed:
    """Create the stack, or bring it to this template and these parameters (the template's defaults for the others).

    Raises UnknownParameterError before anything is done, DeployError when CloudFormation gives up.
    """
    parameters = dict(parameters or {})
    check_parameters(parameters, template)
    cloudformation, s3 = account.boto("cloudformation"), account.boto("s3")
    bucket = f"sandbox-packages-{account.account_id}"
    s3.create_bucket(Bucket=bucket)

    def put(name: str, content: bytes) -> str:
        s3.put_object(Bucket=bucket, Key=name, Body=content)
        return f"s3://{bucket}/{name}"

    ours = without_metric_math(for_the_emulator(read_template(template)))
    body = json.dumps(package(ours, template.parent, put)).encode()
    # By its address, not in the request, which takes 51,200 bytes at most.
    address = put(f"{digest(body)}.template.json", body)
    try:
        change_set = cloudformation.create_change_set(
            StackName=stack_name,
            ChangeSetName=f"sandbox-{uuid4().hex[:12]}",
            ChangeSetType="UPDATE" if _status(cloudformation, stack_name) else "CREATE",
            Capabilities=CAPABILITIES,
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
            TemplateURL=address.replace("s3:/", account.endpoint_url, 1),
        )["Id"]
    except ClientError as error:
        raise DeployError(f"CloudFormation refused the template: {error}") from error
    ready = wait_until(
        lambda: _prepared(cloudformation.describe_change_set(ChangeSetName=change_set)),
        TIMEOUT,
        f"the change set of {stack_name} was never ready",
    )
    if ready == "CHANGES":
        cloudformation.execute_change_set(ChangeSetName=change_set)
        wait_until(
            lambda: _settled(cloudformation, stack_name),
            TIMEOUT,
            lambda: f"{stack_name} is still {_status(cloudformation, stack_name)}",
        )
    return read_stack(account, stack_name)


def without_metric_math(template: dict[str, Any]) -> dict[str, Any]:
    """Without the alarms on metric math: the emulator refuses a template that has one."""
    resources = {name: r for name, r in template["Resources"].items() if not is_on_metric_math(r)}
    return {**template, "Resources": resources}


def is_on_metric_math(resource: Mapping[str, Any]) -> bool:
    return resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"]


def read_stack(account: Account, stack_name: str) -> Deployed:
    """What is deployed under that name."""
    cloudformation = account.boto("cloudformation")
    (stack,) = cloudformation.describe_stacks(StackName=stack_name)["Stacks"]
    resources = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack_name)
    return Deployed(
        stack_name,
        {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])},
        {
            summary["LogicalResourceId"]: Resource(summary["ResourceType"], summary["PhysicalResourceId"])
            for page in resources
            for summary in page["StackResourceSummaries"]
            if summary.get("PhysicalResourceId")
        },
    )


def undeploy(account: Account, stack_name: str) -> None:
    """Delete the stack and wait: its functions' workers end with it."""
    cloudformation = account.boto("cloudformation")
    cloudformation.delete_stack(StackName=stack_name)
    wait_until(
        lambda: _status(cloudformation, stack_name) in ("", "DELETE_COMPLETE"),
        TIMEOUT,
        lambda: f"{stack_name} is still {_status(cloudformation, stack_name)}",
    )


def _prepared(change_set: dict[str, Any]) -> str:
    """`CHANGES`, `NOTHING`, or "" while it is being prepared."""
    reason = change_set.get("StatusReason", "")
    if change_set["Status"] == "FAILED":
        if any(words in reason for words in NOTHING_CHANGED):
            return "NOTHING"
        raise DeployError(f"CloudFormation refused the change set: {reason}")
    return "CHANGES" if change_set["Status"] == "CREATE_COMPLETE" else ""


def _settled(cloudformation: Any, stack_name: str) -> bool:
    """True once created or updated. Raises DeployError on any other end, with what the events say."""
    status = _status(cloudformation, stack_name)
    if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        return True
    if not status or status.endswith(("_FAILED", "ROLLBACK_COMPLETE", "DELETE_COMPLETE")):
        raise DeployError(f"{stack_name} ended as {status or 'deleted'}\n{_failures(cloudformation, stack_name)}")
    return False


def _status(cloudformation: Any, stack_name: str) -> str:
    """The stack's status, "" if there is none (a stack that was only announced by a change set counts as none)."""
    try:
        status = cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]["StackStatus"]
    except ClientError as error:
        if "does not exist" in str(error):
            return ""
        raise
    return "" if status == "REVIEW_IN_PROGRESS" else str(status)


def _failures(cloudformation: Any, stack_name: str) -> str:
    try:
        events = cloudformation.describe_stack_events(StackName=stack_name)["StackEvents"]
    except ClientError as error:
        return f"(no events: {error})"
    return "\n".join(
        f"  {event['LogicalResourceId']} ({event['ResourceType']}): {event.get('ResourceStatusReason', 'no reason')}"
        for event in reversed(events)
        if event["ResourceStatus"].endswith("_FAILED")
    )
