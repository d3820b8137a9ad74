"""The probe stack from outside: what it is told, and what its function noted of every invocation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.sandbox.waiting import wait_until

if TYPE_CHECKING:
    from tests.sandbox.deploy import Deployed
    from tests.sandbox.ministack import Account

PROBE = Path(__file__).parent / "template.yaml"


class Probe:
    """The deployed probe, its queue, and what its function noted of every invocation."""

    def __init__(self, account: Account, deployed: Deployed) -> None:
        self.account, self.deployed = account, deployed
        self.sqs, self.dynamodb = account.boto("sqs"), account.boto("dynamodb")
        self.queue = deployed.outputs["QueueUrl"]

    def send(self, *orders: dict[str, Any], queue: str | None = None) -> list[str]:
        """Message ids, in the order of the orders."""
        sent = []
        for start in range(0, len(orders), 10):
            entries = [
                {"Id": str(number), "MessageBody": json.dumps(order)}
                for number, order in enumerate(orders[start : start + 10])
            ]
            answer = self.sqs.send_message_batch(QueueUrl=queue or self.queue, Entries=entries)
            sent += [entry["MessageId"] for entry in sorted(answer["Successful"], key=lambda entry: int(entry["Id"]))]
        return sent

    def batches(self) -> list[dict[str, Any]]:
        """One entry per invocation, by its start."""
        pages = self.dynamodb.get_paginator("scan").paginate(
            TableName=self.deployed.outputs["TableName"], ConsistentRead=True
        )
        items = [item for page in pages for item in page["Items"] if item["kind"]["S"] == "batch"]
        return sorted(
            (
                {
                    "ids": set(item["ids"]["SS"]),
                    "size": int(item["size"]["N"]),
                    "bytes": int(item["bytes"]["N"]),
                    "started": float(item["started"]["N"]),
                    "ended": float(item["ended"]["N"]) if "ended" in item else None,
                    "source": item["source"]["S"],
                    "first": json.loads(item["first"]["S"]),
                    "account": item["account"]["S"],
                }
                for item in items
            ),
            key=lambda batch: batch["started"],
        )

    def sizes(self) -> list[int]:
        return [batch["size"] for batch in self.batches()]

    def on_the_queue(self, queue: str | None = None) -> tuple[int, int]:
        """(visible, in flight)."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=queue or self.queue, AttributeNames=names)["Attributes"]
        return int(found[names[0]]), int(found[names[1]])

    def wait_until_empty(self, timeout: float = 60, queue: str | None = None) -> None:
        wait_until(
            lambda: self.on_the_queue(queue) == (0, 0),
            timeout,
            lambda: f"the queue still has {self.on_the_queue(queue)}; invocations so far {self.sizes()}",
        )
