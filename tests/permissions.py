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

    The resources are those of the tests: their only table, bucket and bus are the template's; a queue, there, bears
    the logical id as its name.
    """
    match service, operation:
        case "dynamodb", "TransactWriteItems":
            return [Grant(TRANSACTED[kind], "Ledger") for item in params["TransactItems"] for kind in item]
        case "dynamodb", _:
            index = f"/index/{params['IndexName']}" if "IndexName" in params else ""
            return [Grant(f"dynamodb:{operation}", f"Ledger{index}")]
        case "events", "PutEvents":
            return [Grant("events:PutEvents", "Bus")]
        case "s3", _:
            return [Grant(f"s3:{operation}", f"Pdfs/{params['Key']}")]
        case "secretsmanager", _:
            return [Grant(f"secretsmanager:{operation}", f"secret:{params['SecretId']}")]
        case "sqs", _:
            return [Grant(f"sqs:{operation.removesuffix('Batch')}", params["QueueUrl"].rpartition("/")[2])]
        case "stepfunctions", _:
            (arn,) = (value for name, value in params.items() if name.endswith("Arn"))
            return [Grant(f"states:{operation}", arn.split(":", 5)[5])]
    raise ValueError(f"what {service}:{operation} needs is not known here")


TRANSACTED = {
    "ConditionCheck": "dynamodb:ConditionCheckItem",
    "Delete": "dynamodb:DeleteItem",
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
}
