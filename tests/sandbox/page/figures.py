"""The figures of the deployed dashboards: their bodies and metrics as the emulator's API returns them.

A metric widget's entry is `[namespace, name, dimension, value, …, {options}]`, where `.` repeats what the entry before
has at that place, and `...` all of it but what follows (CloudWatch, Dashboard Body Structure and Syntax). An expression
is CloudWatch's to compute: the emulator has none.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

SPAN = timedelta(hours=1)
PERIOD = 60
"""Seconds. A dashboard's own is for days; here an hour is long."""
_QUERIES_MAX = 100


@dataclass(frozen=True, slots=True)
class Metric:
    """One line of a widget. `expression`: what CloudWatch would compute; then there is no metric."""

    label: str
    stat: str
    namespace: str = ""
    name: str = ""
    dimensions: tuple[tuple[str, str], ...] = ()
    expression: str = ""


def dashboards(cloudwatch: Any) -> list[dict[str, Any]]:
    """Each with its widgets, in the order in which one reads them."""
    names = [d["DashboardName"] for d in cloudwatch.list_dashboards()["DashboardEntries"]]
    found = []
    for name in sorted(names):
        body = json.loads(cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"])
        widgets = sorted(body["widgets"], key=lambda w: (w.get("y", 0), w.get("x", 0)))
        found.append({"name": name, "widgets": [_widget(cloudwatch, w) for w in widgets]})
    return found


def alarms(cloudwatch: Any) -> list[dict[str, str]]:
    """What rings first, then by name."""
    pages = cloudwatch.get_paginator("describe_alarms").paginate()
    found = [alarm for page in pages for alarm in page["MetricAlarms"]]
    rows = [
        {"name": a["AlarmName"], "state": a["StateValue"], "description": a.get("AlarmDescription", "")} for a in found
    ]
    return sorted(rows, key=lambda row: (row["state"] != "ALARM", row["name"]))


def _widget(cloudwatch: Any, widget: dict[str, Any]) -> dict[str, Any]:
    properties = widget.get("properties", {})
    shown = {"type": widget["type"], "title": properties.get("title", "")}
    match widget["type"]:
        case "metric":
            return {**shown, "series": _series(cloudwatch, read_metrics(properties))}
        case "text":
            return {**shown, "markdown": properties.get("markdown", "")}
        case "custom":
            return {**shown, "endpoint": properties["endpoint"], "params": properties.get("params", {})}
        case _:
            return shown


def read_metrics(properties: dict[str, Any]) -> list[Metric]:
    """The visible lines of a metric widget."""
    found: list[Metric] = []
    before: list[str] = []
    for entry in properties.get("metrics", []):
        options = entry[-1] if isinstance(entry[-1], dict) else {}
        names = _written_out([part for part in entry if isinstance(part, str)], before)
        stat = options.get("stat", properties.get("stat", "Average"))
        if "expression" in options:
            line = Metric(options.get("label", options["expression"]), stat, expression=options["expression"])
        else:
            before = names
            dimensions = tuple(zip(names[2::2], names[3::2], strict=True))
            line = Metric(options.get("label", names[1]), stat, names[0], names[1], dimensions)
        if options.get("visible", True):
            found.append(line)
    return found


def _written_out(names: list[str], before: list[str]) -> list[str]:
    if names[:1] == ["..."]:
        rest = names[1:]
        names = before[: len(before) - len(rest)] + rest
    return [before[place] if name == "." else name for place, name in enumerate(names)]


def _series(cloudwatch: Any, metrics: list[Metric]) -> list[dict[str, Any]]:
    """`value`: the sum of the span for what is counted, else what was last told. None without data."""
    asked = {f"m{n}": m for n, m in enumerate(metrics[:_QUERIES_MAX]) if not m.expression}
    now = datetime.now(UTC)
    values: dict[str, list[float]] = {}
    if asked:
        answer = cloudwatch.get_metric_data(
            MetricDataQueries=[_query(key, metric) for key, metric in asked.items()],
            StartTime=now - SPAN,
            EndTime=now + timedelta(seconds=PERIOD),
            ScanBy="TimestampAscending",
        )
        values = {result["Id"]: result["Values"] for result in answer["MetricDataResults"]}
    return [_line(metric, values.get(f"m{n}", [])) for n, metric in enumerate(metrics[:_QUERIES_MAX])]


def _query(key: str, metric: Metric) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in metric.dimensions]
    named = {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions}
    return {"Id": key, "MetricStat": {"Metric": named, "Period": PERIOD, "Stat": metric.stat}}


def _line(metric: Metric, values: list[float]) -> dict[str, Any]:
    counted = metric.stat in {"Sum", "SampleCount"}
    value = (sum(values) if counted else values[-1]) if values else None
    return {"label": metric.label, "values": values, "value": value, "expression": metric.expression}
