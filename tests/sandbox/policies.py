"""The template's policies as the emulator understands them: in two matters it is not AWS.

It speaks plain HTTP, so a statement that denies everything but TLS would deny everything. And it asks for
`sqs:SendMessageBatch` where AWS, which knows no such action, asks for `sqs:SendMessage`: so with the other batches.
"""

from __future__ import annotations

import json
from typing import Any

BATCHED = ("sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:SendMessage")
ONLY_OVER_TLS = {"Bool": {"aws:SecureTransport": "false"}}


def for_the_emulator(template: dict[str, Any]) -> dict[str, Any]:
    """A copy of `template` that grants and denies on the emulator what the original does on AWS."""
    template = json.loads(json.dumps(template))
    resources = template["Resources"]
    for name, resource in list(resources.items()):
        properties = resource.get("Properties", {})
        documents = [
            policy["PolicyDocument"] for policy in properties.get("Policies", ()) if "PolicyDocument" in policy
        ]
        for document in documents:
            for statement in document["Statement"]:
                statement["Action"] = _with_batches(statement["Action"])
        if "PolicyDocument" in properties:
            document = properties["PolicyDocument"]
            document["Statement"] = [s for s in document["Statement"] if s.get("Condition") != ONLY_OVER_TLS]
            if not document["Statement"]:
                del resources[name]
    return template


def _with_batches(action: str | list[str]) -> list[str]:
    actions = action if isinstance(action, list) else [action]
    return [*actions, *(f"{name}Batch" for name in actions if name in BATCHED)]
