"""How far it goes: which of the published limits is used up first, at so many comprobantes a day of so many cuentas.

Arithmetic, on the template's own defaults; nothing here runs the product. `scale_page` writes the table and the
plots of docs/scale.md from it.

Sources, all of docs.aws.amazon.com: SQS "Amazon SQS message quotas" (120,000 messages in flight), Lambda "Lambda
quotas" (1,000 invocations at once, in a new account 10) and "Using Lambda with Amazon SQS" (MaximumConcurrency),
DynamoDB "Service quotas" (40,000 write units a second of a table) and "Partitions" (1,000 write and 3,000 read units a
second of each, 10 GB), "DynamoDB Streams" (a shard for a partition, read by one invocation), API Gateway quotas (10,000
requests a second), EventBridge quotas (10,000 entries a second in us-east-1), Secrets Manager quotas (500,000 secrets).
The provider: 600 to 900 comprobantes an hour and punto de venta, all points of sale in parallel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from tests.template import default

HOUR = 3600.0
PEAK = 3.0
"""The busiest minutes, by the mean of the day's ten hours of work."""
WORKING_HOURS = 10.0
PROVIDER_AN_HOUR = 750.0
POST_SECONDS, CLAIM_SECONDS, QUERY_SECONDS = 4.0, 0.008, 4.0
LOTE_MAX = 100
LAST_LOTE = 160.0
"""Of its 300 s an invocation begins lotes in the first 160: a worst POST must fit behind the last."""
HOOKS, HOOK_SECONDS, FOLD_SECONDS = 2, 0.02, 0.012
WRITES, ITEMS_BYTES = 9.2, 1_700
IN_FLIGHT_MAX, CONCURRENCY, TABLE_WRITES, PARTITION_WRITES, PARTITION_BYTES = 120_000, 1_000, 40_000, 1_000, 10e9
HTTP_MAX, EVENTS_MAX, SECRETS_MAX = 10_000, 10_000, 500_000
FIRST_PARTITIONS = 4
"""Of a new on-demand table, which takes 4,000 write units a second from the start."""
OUTAGE_HOURS = 24.0
"""A day without the provider: what is received waits invisibly, and counts as in flight."""
CLOSES_AT_ONCE = 5
"""Reconciliations that overlap: one a minute, each up to 300 s."""
CUENTA_WRITES_A_LOTE, CUENTA_WRITES_A_CONTRAST = 1, 3


class Size(NamedTuple):
    """Comprobantes a day, of so many cuentas alike."""

    a_day: int
    cuentas: int


class Settings(NamedTuple):
    """The parameters that move a limit."""

    batch: int
    window: float
    in_flight: int
    http: float
    due: float

    @staticmethod
    def of_the_template() -> Settings:
        names = ("BatchSize", "LoteWindowSeconds", "LotesInFlight", "HttpRateLimit", "ReconcileSeconds")
        return Settings(*(int(default(name)) for name in names))


class Limit(NamedTuple):
    """`used`: of the limit, at the peak; over 1 it does not suffice. `moves`: what is to be done then."""

    name: str
    used: float
    moves: str


@dataclass(frozen=True)
class Load:
    """What a size means, second by second at the peak and over the day."""

    size: Size
    settings: Settings

    @property
    def peak(self) -> float:
        """Messages a second."""
        return PEAK * self.size.a_day / (WORKING_HOURS * HOUR)

    @property
    def batch(self) -> float:
        """Messages of a batch: what its window gathers, shared out among those in flight."""
        gathered = self.peak * self.settings.window / self.settings.in_flight
        return min(self.settings.batch, max(1.0, gathered))

    def lotes_of(self, batch: float) -> float:
        """Of a batch: for each cuenta that is in it as many as it has hundreds there, begun ones too."""
        cuentas = self.size.cuentas
        if cuentas == 1:
            return float(math.ceil(batch / LOTE_MAX))
        mean = batch / cuentas
        chance, expected = math.exp(-mean), 0.0
        for messages in range(1, math.ceil(mean + 12 * math.sqrt(mean)) + 12):
            chance *= mean / messages
            expected += chance * math.ceil(messages / LOTE_MAX)
        return cuentas * expected

    @property
    def fill(self) -> float:
        return self.batch / (LOTE_MAX * self.lotes_of(self.batch))

    @property
    def packs_a_second(self) -> float:
        """Messages that full batches get away with, however many wait."""
        batch = float(self.settings.batch)
        lotes = self.lotes_of(batch)
        needed = lotes * POST_SECONDS + batch * CLAIM_SECONDS
        done = min(1.0, LAST_LOTE / needed)
        return self.settings.in_flight * batch * done / (needed * done)

    @property
    def hooks_a_second(self) -> float:
        """The provider tells of what it takes at our pace, and of what it issues at its own."""
        issues = min(self.peak, self.size.cuentas * PROVIDER_AN_HOUR / HOUR)
        return self.peak + issues

    @property
    def partitions(self) -> int:
        """Of the table after a year: by writes, by bytes, and no fewer than at first."""
        by_writes = self.peak * WRITES / PARTITION_WRITES
        by_bytes = 365 * self.size.a_day * ITEMS_BYTES / PARTITION_BYTES
        return max(FIRST_PARTITIONS, math.ceil(by_writes), math.ceil(by_bytes))

    @property
    def issued_after_hours(self) -> float:
        """From the first of the day's message to the last one's number; infinite where each day adds to the line."""
        its_line = self.size.a_day / self.size.cuentas / PROVIDER_AN_HOUR
        return math.inf if its_line > 24 else max(WORKING_HOURS, its_line)

    def limits(self) -> list[Limit]:
        """The most used first."""
        s, size = self.settings, self.size
        lotes = self.peak / (LOTE_MAX * self.fill)
        webhooks = self.hooks_a_second * HOOK_SECONDS
        contrasts = min(size.cuentas / s.due, size.a_day / (WORKING_HOURS * HOUR))
        cuenta_writes = lotes * CUENTA_WRITES_A_LOTE + contrasts * CUENTA_WRITES_A_CONTRAST
        waiting = size.a_day * OUTAGE_HOURS / 24
        found = [
            Limit("the provider's pace", size.a_day / size.cuentas / (24 * PROVIDER_AN_HOUR), "more puntos de venta"),
            Limit("lotes at a time", self.peak / self.packs_a_second, "BatchSize, then LotesInFlight"),
            Limit(
                "messages in flight, a day of outage", waiting / IN_FLIGHT_MAX, "a stack for each part of the cuentas"
            ),
            Limit("reconciliations", contrasts * QUERY_SECONDS / CLOSES_AT_ONCE, "ReconcileSeconds"),
            Limit("Lambda's concurrency", (webhooks + s.in_flight + self.partitions) / CONCURRENCY, "AWS's quota"),
            Limit("hooks a second", self.hooks_a_second / s.http, "HttpRateLimit"),
            Limit(
                "hooks folded by the stream's shards", self.hooks_a_second * FOLD_SECONDS / self.partitions, "it grows"
            ),
            Limit("write units of the table", self.peak * WRITES / TABLE_WRITES, "AWS's quota"),
            Limit("the partition of the cuentas' own items", cuenta_writes / PARTITION_WRITES, "a stack for each part"),
            Limit("events a second", 2 * self.peak / EVENTS_MAX, "AWS's quota"),
            Limit("secrets", size.cuentas / SECRETS_MAX, "AWS's quota"),
        ]
        return sorted(found, key=lambda limit: -limit.used)


DAYS = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
CUENTAS = (1, 10, 100, 1_000, 10_000)


def loads(settings: Settings | None = None) -> list[Load]:
    """Where each cuenta has at least one comprobante a day."""
    its = settings or Settings.of_the_template()
    return [Load(Size(day, cuentas), its) for day in DAYS for cuentas in CUENTAS if cuentas <= day]


def suffices(size: Size) -> Settings:
    """The least change of BatchSize and LotesInFlight with which the lotes get away at the peak."""
    settings = Settings.of_the_template()
    load = Load(size, settings)
    if load.peak > load.packs_a_second:
        settings = settings._replace(batch=1_000)
    while Load(size, settings).peak > Load(size, settings).packs_a_second and settings.in_flight < CONCURRENCY:
        settings = settings._replace(in_flight=settings.in_flight + 1)
    return settings
