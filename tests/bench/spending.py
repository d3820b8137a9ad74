"""The section of the dollars: `costs`, fed by this run's counts and CPU and by the template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.bench import costs
from tests.bench.costs import Cpu
from tests.bench.cpu import LOTE
from tests.bench.prices import PRICES, REGIONS
from tests.bench.table import Row, Section, at_most, told
from tests.template import template

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.counting import Bill

MOST_PER_MILLION = 15.0
SECRET_MOST = 0.40


def sections(healthy: Bill, with_errors: Bill, measured: dict[str, Any]) -> Iterator[Section]:
    cpu = Cpu(measured["lote"] / LOTE, measured["hook"], measured["follow"])
    bills = (healthy, with_errors)
    each = [costs.per_million(bill, cpu) for bill in bills]
    totals = [sum(one.values()) for one in each]
    regions = [factor for name, factor in REGIONS.items() if name != "us-east-1"]
    rows = [
        told(service, [*(one[service] for one in each), *(each[0][service] * f for f in regions)])
        for service in each[0]
    ]
    rows += [
        at_most("a million comprobantes, healthy", totals[:1], MOST_PER_MILLION),
        told("… with 2 % errors, and of São Paulo", ["", totals[1], *(totals[0] * f for f in regions)]),
        told("their PDFs, beside", [costs.pdfs_per_million(bill) for bill in bills]),
    ]
    yield Section(
        "Dollars for a million comprobantes",
        ("healthy", "2 % errors", *(name for name in REGIONS if name != "us-east-1")),
        tuple(rows),
        (
            f"us-east-1, no free tier; healthy: {healthy.comprobantes:,} of a cuenta at the provider's published pace",
            f"Lambda's duration is {cpu.of_a_life * 1000:.0f} ms of CPU for each; the rest waits for AWS (4 ms a call)",
            "and for the provider (2 to 10 s an answer)",
        ),
    )
    fixed = costs.per_month(
        alarms=_watched(),
        metrics=len(healthy.metrics | with_errors.metrics),
        dashboards=_resources("AWS::CloudWatch::Dashboard"),
    )
    secret = PRICES["secret"].dollars
    rows = [told(name, [dollars]) for name, dollars in fixed.items()]
    rows += [
        told("a month without a comprobante", [sum(fixed.values())]),
        Row("each cuenta's secret", (f"{secret:.2f}",), f"≤ {SECRET_MOST:.2f}", secret <= SECRET_MOST),
    ]
    yield Section("Dollars a month, whatever happens", ("us-east-1",), tuple(rows))
    yield Section(
        "Dollars more for a million, had it been built so",
        ("us-east-1",),
        tuple(told(f"+ {name}", [dollars]) for name, dollars in costs.alternatives(healthy).items()),
    )
    even = costs.break_even(totals[0], sum(fixed.values()))
    yield Section("Break-even", ("",), tuple(told(name, [_even(value)]) for name, value in even.items()))


def _even(value: float) -> str:
    return f"{value:.0%}" if value < 1 else f"{value:,.0f}"


def _watched() -> int:
    """Metrics that alarms watch: each is paid for, those of an expression too."""
    alarms = [r["Properties"] for r in template()["Resources"].values() if r["Type"] == "AWS::CloudWatch::Alarm"]
    return sum(sum("MetricStat" in metric for metric in a.get("Metrics", [])) or 1 for a in alarms)


def _resources(kind: str) -> int:
    return sum(resource["Type"] == kind for resource in template()["Resources"].values())
