"""The figures of the deployed dashboards: their bodies and metrics as the emulator's API returns them.

A metric widget's entry is `[namespace, name, dimension, value, …, {options}]`, where `.` repeats what the entry before
has at that place, and `...` all of it but what follows (CloudWatch, Dashboard Body Structure and Syntax). The emulator
computes no expression: the two forms that a dashboard of ours needs are computed here.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

SPAN = timedelta(hours=1)
PERIOD = 60
"""Seconds. A dashboard's own is for days; here an hour is long."""
_QUERIES_MAX = 100


_DIVIDED = re.compile(r"(\w+) ?/ ?(\d+)")
_SUMMED = re.compile(r'SUM\(METRICS\("(\w+)"\)\)')


@dataclass(frozen=True, slots=True)
class Metric:
    """One line of a widget. `expression`: what is computed of the others, by their `id`; then there is no metric."""

    label: str
    stat: str
    namespace: str = ""
    name: str = ""
    dimensions: tuple[tuple[str, str], ...] = ()
    expression: str = ""
    id: str = ""
    visible: bool = True

    @property
    def counted(self) -> bool:
        """What is counted is added up; of the rest the last one told is what holds."""
        return self.stat in {"Sum", "SampleCount"}


Points: TypeAlias = dict[datetime, float]


def dashboards(cloudwatch: Any) -> list[dict[str, Any]]:
    """Each with its widgets, in the order in which one reads them; first the one that has the console."""
    names = [d["DashboardName"] for d in cloudwatch.list_dashboards()["DashboardEntries"]]
    found = []
    for name in sorted(names):
        body = json.loads(cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"])
        widgets = sorted(body["widgets"], key=lambda w: (w.get("y", 0), w.get("x", 0)))
        found.append({"name": name, "widgets": [_widget(cloudwatch, w) for w in widgets]})
    return sorted(found, key=lambda d: all(w["type"] != "custom" for w in d["widgets"]))


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
    """The lines of a metric widget, also those that only an expression uses."""
    found: list[Metric] = []
    before: list[str] = []
    for entry in properties.get("metrics", []):
        options = entry[-1] if isinstance(entry[-1], dict) else {}
        names = _written_out([part for part in entry if isinstance(part, str)], before)
        told = {"stat": options.get("stat", properties.get("stat", "Average"))}
        told |= {"id": options.get("id", ""), "visible": options.get("visible", True)}
        if "expression" in options:
            expression = options["expression"]
            found.append(Metric(options.get("label", expression), expression=expression, **told))
        else:
            before = names
            dimensions = tuple(zip(names[2::2], names[3::2], strict=True))
            found.append(
                Metric(options.get("label", names[1]), told.pop("stat"), names[0], names[1], dimensions, **told)
            )
    return found


def _written_out(names: list[str], before: list[str]) -> list[str]:
    if names[:1] == ["..."]:
        rest = names[1:]
        names = before[: len(before) - len(rest)] + rest
    return [before[place] if name == "." else name for place, name in enumerate(names)]


def _series(cloudwatch: Any, metrics: list[Metric]) -> list[dict[str, Any]]:
    """The visible ones, each with its `value` of the span: None without data, or where it cannot be computed."""
    points = _points(cloudwatch, metrics)
    return [_line(metric, *_computed(metric, metrics, points)) for metric in metrics if metric.visible]


def _points(cloudwatch: Any, metrics: list[Metric]) -> dict[Metric, Points]:
    asked = {f"m{n}": metric for n, metric in enumerate(metrics[:_QUERIES_MAX]) if not metric.expression}
    if not asked:
        return {}
    now = datetime.now(UTC)
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=[_query(key, metric) for key, metric in asked.items()],
        StartTime=now - SPAN,
        EndTime=now + timedelta(seconds=PERIOD),
    )
    told = {
        result["Id"]: zip(result["Timestamps"], result["Values"], strict=True) for result in answer["MetricDataResults"]
    }
    return {metric: dict(sorted(told.get(key, ()))) for key, metric in asked.items()}


def _query(key: str, metric: Metric) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in metric.dimensions]
    named = {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions}
    return {"Id": key, "MetricStat": {"Metric": named, "Period": PERIOD, "Stat": metric.stat}}


def _computed(metric: Metric, metrics: list[Metric], points: dict[Metric, Points]) -> tuple[Points | None, bool]:
    """Its points, and whether they are counted. No points at all: an expression of another form."""
    if not metric.expression:
        return points[metric], metric.counted
    if divided := _DIVIDED.fullmatch(metric.expression):
        of = next(m for m in metrics if m.id == divided[1])
        return {at: value / int(divided[2]) for at, value in points[of].items()}, of.counted
    if summed := _SUMMED.fullmatch(metric.expression):
        parts = [points[m] for m in metrics if m.id.startswith(summed[1]) and not m.expression]
        every = sorted({at for part in parts for at in part})
        return {at: sum(part.get(at, 0.0) for part in parts) for at in every}, True
    return None, False


def _line(metric: Metric, points: Points | None, counted: bool) -> dict[str, Any]:  # noqa: FBT001 - of _computed
    values = list((points or {}).values())
    value = (sum(values) if counted else values[-1]) if values else None
    return {"label": metric.label, "values": values, "value": value, "computable": points is not None}
