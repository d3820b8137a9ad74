"""The section of the counts: per comprobante, from claim to CAE, of one cuenta's backlog at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.bench.counting import BURST, PUBLISHED, Bill, backlog, count
from tests.bench.table import Row, Section, at_most, exactly, no_growth, told

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

WRITES_MOST = 9.0
BEYOND_MOST = 0.02
FILL_LEAST = 0.99
READS_MOST = 8.0
"""One before the claim, one at the end, and what a contrast reads: two of the line, and of each hundred that are issued
those and the next few. Few comprobantes need less, however many not more.
"""
BACKLOG = 1_000
"""From this size on the budget of provider calls and of the fill is promised."""


class Run(NamedTuple):
    """`pace`: seconds per comprobante in the provider's queue."""

    comprobantes: int
    errors_percent: float
    pace: float


def runs(*, quick: bool) -> dict[str, list[Run]]:
    """By their kind, the largest first in time: they are what a run waits for."""
    sizes = (100, 1_000) if quick else (100, 1_000, 10_000)
    return {
        "healthy": [Run(n, 0.0, BURST) for n in sizes],
        "with 2 % errors": [Run(n, 2.0, BURST) for n in sizes],
        "at the published pace": [Run(n, 0.0, PUBLISHED) for n in sizes[:2]],
    }


def measure(run: Run) -> Bill:
    return count(backlog(run.comprobantes, errors_percent=run.errors_percent), pace=run.pace)


def section(kind: str, bills: Sequence[Bill]) -> Section:
    rows = [
        exactly("accepted twice by the provider", [b.accepted_twice for b in bills], 0),
        exactly("invariants of the explorer broken", [len(b.violations) for b in bills], 0),
        told("issued", [str(b.issued) for b in bills]),
        no_growth("DynamoDB write units", [b.writes for b in bills]),
        at_most("DynamoDB read units", [b.reads for b in bills], READS_MOST),
        no_growth("AWS calls", [b.aws_calls for b in bills]),
        no_growth("Lambda invocations", [b.invocations for b in bills]),
        told("submissions", [b.submissions for b in bills], form="{:.4f}"),
        told("provider calls beyond the submission", [b.beyond for b in bills], form="{:.4f}"),
        told("events", [b.events / b.comprobantes for b in bills]),
        told("bytes of log", [sum(b.log_bytes.values()) / b.comprobantes for b in bills], form="{:.0f}"),
        told("states of the error flow", [b.states / b.comprobantes for b in bills], form="{:.3f}"),
        told("hours from first to last", [b.elapsed.total_seconds() / 3600 for b in bills]),
    ]
    return Section(
        f"Per comprobante, {kind}",
        tuple(f"{b.comprobantes:,}" for b in bills),
        (*rows, *(() if bills[-1].in_error else _promised(bills))),
        (
            _by_function("write units", bills[-1].meter.writes, bills[-1]),
            _by_function("read units", bills[-1].meter.reads, bills[-1]),
        ),
    )


def _promised(bills: Sequence[Bill]) -> tuple[Row, ...]:
    """Of a healthy backlog."""
    large = [b for b in bills if b.comprobantes >= BACKLOG]
    fill = [b.fill for b in large]
    holds = all(f >= FILL_LEAST for f in fill)
    return (
        at_most("write units of its own items", [b.own_writes for b in bills], WRITES_MOST),
        at_most(f"provider calls beyond, from {BACKLOG:,} on", [b.beyond for b in large], BEYOND_MOST, form="{:.4f}"),
        Row(f"fill of the lotes, from {BACKLOG:,} on", tuple(f"{f:.1%}" for f in fill), f"≥ {FILL_LEAST:.0%}", holds),
    )


def _by_function(what: str, counted: Counter[str], bill: Bill) -> str:
    parts = [f"{function} {units / bill.comprobantes:.2f}" for function, units in counted.most_common()]
    return f"{what} by function: {', '.join(parts)}"
