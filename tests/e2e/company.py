"""The company at the ends of the house: it puts messages on the queue, and looks at what became of them."""

from __future__ import annotations

import copy
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.sandbox.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.sandbox.stack import Stack

EXAMPLES = Path(__file__).parents[1] / "provider_examples"
# The provider's examples are of 2022: their window has closed long ago.
OLD_DATES = {"ventana_legal": False}


def example(name: str = "comprobante.factura_b") -> dict[str, Any]:
    return json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))


class Company:
    """`stack`: where it is a customer; `cuenta`: the alias it invoices with."""

    def __init__(self, stack: Stack, alias: str | None = None) -> None:
        self.stack = stack
        self.cuenta = stack.cuenta(alias) if alias else stack.cuentas[0]

    def message(self, reference: str, **comprobante: Any) -> dict[str, Any]:
        message = copy.deepcopy(example())
        message["cuenta"] = self.cuenta.alias
        message["comprobante"] |= {"external_reference": reference, "punto_venta": self.cuenta.punto_venta}
        message["comprobante"] |= comprobante
        return message

    def send(self, messages: Iterable[dict[str, Any] | str]) -> None:
        bodies = [m if isinstance(m, str) else json.dumps(m) for m in messages]
        sqs = self.stack.boto("sqs")
        for start in range(0, len(bodies), 10):
            entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies[start : start + 10])]
            answer = sqs.send_message_batch(QueueUrl=self.stack.queue_url, Entries=entries)
            assert not answer.get("Failed"), answer["Failed"]

    def items(self) -> list[dict[str, Any]]:
        pages = self.stack.boto("dynamodb").get_paginator("scan").paginate(TableName=self.stack.table)
        return [item for page in pages for item in page["Items"]]

    def asientos(self) -> dict[str, dict[str, Any]]:
        """By external_reference, of every cuenta."""
        return {i["external_reference"]["S"]: i for i in self.items() if i["sk"]["S"] == "ESTADO"}

    def states(self) -> Counter[str]:
        return Counter(asiento["estado"]["S"] for asiento in self.asientos().values())

    def open_references(self) -> set[str]:
        return {reference for reference, asiento in self.asientos().items() if "abierto" in asiento}

    def reconcile(self) -> dict[str, Any]:
        """What the schedule does each minute."""
        name = self.stack.functions["reconcile"]
        answer = self.stack.boto("lambda").invoke(FunctionName=name)
        result = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, result
        return result

    def wait_for(self, states: dict[str, int], *, timeout: float = 90, reconciling: bool = True) -> None:
        """Until the ledger holds exactly these states and nothing else is open, as the schedule goes on."""

        def reached() -> bool:
            if self.states() == Counter(states) and not (self.open_references() - self._not_final()):
                return True
            if reconciling:
                self.reconcile()
            return False

        wait_until(
            reached, timeout, lambda: f"the ledger has {self.states()}, open: {sorted(self.open_references())[:5]}"
        )

    def wait_for_issued(self, many: int, *, timeout: float) -> None:
        """Whatever else is still on its way."""

        def reached() -> bool:
            self.reconcile()
            return self.states()["EMITIDO"] == many

        wait_until(reached, timeout, lambda: f"the ledger has {self.states()}")

    def _not_final(self) -> set[str]:
        final = {"EMITIDO", "RECHAZADO", "ELIMINADO"}
        return {r for r, asiento in self.asientos().items() if asiento["estado"]["S"] not in final}

    def drain(self, queue_url: str, expected: int, *, timeout: float = 60) -> list[dict[str, Any]]:
        """The messages of a queue, once there are as many as expected."""
        sqs = self.stack.boto("sqs")
        got: dict[str, dict[str, Any]] = {}

        def enough() -> bool:
            answer = sqs.receive_message(
                QueueUrl=queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=300
            )
            got.update({message["MessageId"]: message for message in answer.get("Messages", [])})
            return len(got) >= expected

        wait_until(enough, timeout, lambda: f"{len(got)} messages of {expected} on {queue_url}")
        return list(got.values())


def assert_issued_once_each(stack: Stack, references: Sequence[str]) -> dict[str, Any]:
    """By the provider's own books, which nobody here writes."""
    summary = stack.simulator.summary()
    assert summary["issued_twice"] == []
    assert summary["accepted_twice"] == []
    assert summary["estados"]["EMITIDO"] == len(references)
    issued = {c["external_reference"] for c in stack.simulator.audit()["comprobantes"] if c["estado"] == "EMITIDO"}
    assert issued == set(references)
    return summary
