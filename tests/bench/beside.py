"""The reference in the explorer's world: the same messages, provider and faults as ours, counted by the same meter."""

from __future__ import annotations

import datetime as dt
import importlib
import os
from contextlib import ExitStack, contextmanager
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest import mock

import httpx

from tests.bench.counting import Counted
from tests.bench.metering import Meter, metered
from tests.explore import dynamo, instrument, invariants
from tests.explore.installing import PROVIDER, Road

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.explore.invoking import Invocation

PACKAGE = "tests.bench.reference"
FUNCTIONS = {"pack": f"{PACKAGE}.encolar", "webhook": f"{PACKAGE}.recibir"}
TABLES = {"IDEMPOTENCY_TABLE": "idempotencia", "COMPROBANTES_TABLE": "comprobantes"}
PARAMETERS = {"BatchSize": "10", "LoteWindowSeconds": "0"}
"""What an event source has where nobody says otherwise."""
OURS = ("on_post", "on_operation", "on_delete", "on_write", "on_event", "on_log", "unexpected", "at_the_end")
"""Invariants of our ledger; the reference has none."""


class Beside(Counted):
    """The world with the reference in it: its two handlers, no stream, no reconciliation, no error flow."""

    def invoke(
        self,
        function: str,
        event: dict[str, Any],
        ended: Callable[[Invocation], None],
        handler: Callable[..., Any] | None = None,
    ) -> None:
        if function == "webhook":
            path = f"/hooks/{event['pathParameters']['cuenta']}"
            event |= {"version": "2.0", "rawPath": path, "rawQueryString": ""}
            event["requestContext"] = {"http": {"method": "POST", "path": path}, "stage": "$default"}
        handler = importlib.import_module(FUNCTIONS[function]).handler
        super().invoke(function, event, ended, handler)

    def _reconcile(self) -> None:
        self._tick = self.now + dt.timedelta(minutes=1)
        if self.idle() and not self.sqs.waiting():
            self.ended = "quiet"
        elif self._is_stuck():
            self.ended = "stuck"


@cache
def _make_tables() -> None:
    for name in TABLES.values():
        instrument.plain_client("dynamodb").create_table(
            TableName=name,
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )


@contextmanager
def beside() -> Iterator[Meter]:
    """Inside `installing.exploring`: the reference's tables, variables, clock and road to the provider."""
    _make_tables()
    with ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, TABLES | {"PROVIDER_BASE_URL": PROVIDER}))
        modules = [importlib.import_module(name) for name in FUNCTIONS.values()]
        for module in modules:
            road = httpx.Client(base_url=PROVIDER, transport=Road())
            stack.enter_context(mock.patch.object(module, "http", road))
            module.logger.setLevel("ERROR")
        for name in ("base", "persistence.base", "persistence.datarecord", "persistence.dynamodb"):
            its = importlib.import_module(f"aws_lambda_powertools.utilities.idempotency.{name}")
            stack.enter_context(mock.patch.object(its, "dt", _virtual_datetime()))
        for name in OURS:
            stack.enter_context(mock.patch.object(invariants, name))
        yield stack.enter_context(metered(Meter()))
    for name in TABLES.values():
        dynamo.table(name).items.clear()


def _virtual_datetime() -> Any:
    class Virtual(dt.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            now = instrument.world().now
            return now.astimezone(tz) if tz else dt.datetime.fromtimestamp(now.timestamp())  # noqa: DTZ006

    return SimpleNamespace(**{**vars(dt), "datetime": Virtual})
