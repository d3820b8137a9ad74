"""What the template's roles grant, and what a call to AWS needs: both as an action on a resource by its logical id."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from tests.template import properties


class Grant(NamedTuple):
    """`dynamodb:Query` on `Ledger/index/abiertos`. A resource of the template is its logical id, others are the end
    of their ARN (`secret:facturacion/cuentas/*`); `*` stands for anything, as in IAM.
    """

    action: str
    resource: str

    def covers(self, needed: Grant) -> bool:
        return self.action == needed.action and fnmatchcase(needed.resource, self.resource)


def granted(role: str, policy: str | None = None) -> list[Grant]:
    """What an `AWS::IAM::Role` allows, by all of its policies or by one."""
    return [
        Grant(action, _resource(resource))
        for declared in properties(role)["Policies"]
        if policy in (None, declared["PolicyName"])
        for statement in declared["PolicyDocument"]["Statement"]
        for action in _list(statement["Action"])
        for resource in _list(statement["Resource"])
    ]


def role_of(resource: str) -> str:
    """The logical id of the role of a function or a state machine."""
    return properties(resource)["Role"]["Fn::GetAtt"][0]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _resource(value: Any) -> str:
    match value:
        case {"Fn::GetAtt": [name, "Arn"]}:
            return name
        case {"Fn::Sub": str(text)}:
            text = re.sub(r"\$\{(\w+)\.Arn\}", r"\1", text)
            text = re.sub(r"^arn:\$\{AWS::Partition\}:\w+:\$\{AWS::Region\}:\$\{AWS::AccountId\}:", "", text)
            return text.replace("${AWS::StackName}", "facturacion")
    raise ValueError(f"not a resource that is known here: {value}")


def needed(service: str, operation: str, params: dict[str, Any]) -> list[Grant]:
    """What a call needs, as the Service Authorization Reference has it.

    Only as far as the tests tell resources apart: their table, bucket, bus and state machine are the template's only
    ones, their secrets those of cuentas, and a queue's name tells which one it is.
    """
    action = f"{service}:{operation}"
    match service, operation:
        case "dynamodb", "TransactWriteItems":
            return [Grant(TRANSACTED[kind], "Ledger") for item in params["TransactItems"] for kind in item]
        case "dynamodb", _:
            return [Grant(action, f"Ledger/index/{params['IndexName']}" if "IndexName" in params else "Ledger")]
        case "events", "PutEvents":
            return [Grant(action, "Bus")]
        case "s3", _:
            return [Grant(action, "Pdfs/*")]
        case "secretsmanager", _:
            return [Grant(action, "secret:facturacion/cuentas/*")]
        case "sqs", _:
            return [Grant(action.removesuffix("Batch"), _queue(params["QueueUrl"]))]
        case "stepfunctions", "StartExecution":
            return [Grant("states:StartExecution", "stateMachine:facturacion-errores")]
        case "stepfunctions", "DescribeExecution":
            return [Grant("states:DescribeExecution", "execution:facturacion-errores:*")]
    raise ValueError(f"what {action} needs is not known here")


def _queue(url: str) -> str:
    name = url.rpartition("/")[2]
    return {"queue": "Queue", "dead": "DeadLetterQueue", "rejected": "RejectedQueue"}.get(name, name)


TRANSACTED = {
    "ConditionCheck": "dynamodb:ConditionCheckItem",
    "Delete": "dynamodb:DeleteItem",
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
}
