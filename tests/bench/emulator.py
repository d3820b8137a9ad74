"""What the meter says, held against MiniStack: each call of a small run is made there again, and it tells its units."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MethodType
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from tests.bench.counting import backlog, count
from tests.bench.metering import WRITES, Meter
from tests.bench.table import Row, Section
from tests.explore.instrument import TABLE, _make_api_call
from tests.sandbox.ministack import Emulator
from tests.template import table_request

if TYPE_CHECKING:
    from tests.bench.metering import Answer

COMPROBANTES = 100
NAMES = {"PutItem": "put_item", "UpdateItem": "update_item", "DeleteItem": "delete_item"}


@dataclass
class Mirror:
    """`differ`: calls whose outcome or units there were other than here."""

    client: Any
    calls: int = 0
    writes: int = 0
    units: float = 0.0
    differ: list[str] = field(default_factory=list)

    def heard(self, operation: str, params: dict[str, Any], answer: Answer, units: float) -> None:
        if operation not in WRITES:
            return
        self.calls += 1
        try:
            there = getattr(self.client, NAMES[operation])(**params, ReturnConsumedCapacity="INDEXES")
        except ClientError as error:
            if answer[0] == 200:
                self.differ.append(f"{operation}: done here, there {error.response['Error']['Code']}")
            return
        consumed = there["ConsumedCapacity"]["CapacityUnits"]
        self.writes += 1
        self.units += consumed
        if answer[0] != 200 or consumed != units:
            self.differ.append(
                f"{operation} {params.get('Key') or params['Item']['pk']}: {units} here, {consumed} there"
            )


def section(comprobantes: int = COMPROBANTES) -> Section:
    """Inside `installing.exploring`."""
    with Emulator.start() as emulator:
        client = emulator.account().boto("dynamodb")
        client._make_api_call = MethodType(_make_api_call, client)
        client.create_table(**table_request("Ledger", TABLE))
        mirror = Mirror(client)
        bill = count(backlog(comprobantes, errors_percent=2.0), meter=Meter(heard=mirror.heard))
    agree = Row("calls that differ", (str(len(mirror.differ)),), "= 0", not mirror.differ)
    rows = (
        Row("writes made on both", (str(mirror.calls),), "> 0", mirror.calls > 0),
        Row("write units per comprobante there", (f"{mirror.units / bill.comprobantes:.2f}",)),
        Row("… here, refused ones too", (f"{bill.writes:.2f}",)),
        agree,
    )
    notes = ("a write whose condition is not met consumes units on AWS as well; the emulator does not tell them",)
    return Section(
        f"The meter against the emulator's ConsumedCapacity, {comprobantes} comprobantes, 2 % errors",
        ("",),
        rows,
        (*notes, *mirror.differ[:5]),
    )
