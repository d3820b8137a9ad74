"""What CloudWatch does with the metrics in log lines (EMF), and the emulator does not: they become metrics.

Only through the emulator's public API: the lines are read from CloudWatch Logs and put with PutMetricData, after which
the emulator evaluates the alarms. AWS's own metrics are left out: PutMetricData takes no namespace of AWS's, and the
emulator's alarms look at a metric's name without its dimensions, so that one queue would ring for another.
"""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.sandbox.ministack import Account

EVERY = 1.0
LATE_MS = 20_000
"""How far behind a later line of its log group a line may come."""
DATA_MAX = 150
"""Data of one request. AWS takes a thousand, in a megabyte."""


def data_of(message: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Namespace and MetricDatum of each value in a log line; nothing where it is no EMF.

    Of the specification: each set of dimensions makes a metric of its own; a metric's value is a number or a list.
    """
    if '"_aws"' not in message:
        return
    try:
        line = json.loads(message)
        directives, at = line["_aws"]["CloudWatchMetrics"], line["_aws"]["Timestamp"]
    except (ValueError, KeyError, TypeError):
        return
    for directive in directives:
        for names in directive["Dimensions"]:
            dimensions = [{"Name": name, "Value": str(line[name])} for name in names]
            for metric in directive["Metrics"]:
                value = line[metric["Name"]]
                for one in value if isinstance(value, list) else [value]:
                    yield (
                        directive["Namespace"],
                        {
                            "MetricName": metric["Name"],
                            "Dimensions": dimensions,
                            "Timestamp": datetime.fromtimestamp(at / 1000, UTC),
                            "Unit": metric.get("Unit", "None"),
                            "Value": float(one),
                        },
                    )


class EmfForwarder:
    """Forwards what the log groups get, from the start on, until it is stopped."""

    def __init__(self, account: Account, groups: Sequence[str]) -> None:
        self._logs = account.boto("logs")
        self._cloudwatch = account.boto("cloudwatch")
        self._seen: dict[str, set[tuple[str, int, str]]] = {group: set() for group in groups}
        self._latest = dict.fromkeys(groups, 0)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def healthy(self) -> bool:
        return self._thread.is_alive() or self._stopped.is_set()

    def stop(self) -> None:
        """What was logged until now is forwarded before it ends."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        stopped = False
        while not stopped:
            stopped = self._stopped.wait(EVERY)
            self.forward()

    def forward(self) -> int:
        """Everything that was logged since the last time; how many values that were."""
        found = [datum for group in self._seen for message in self._new(group) for datum in data_of(message)]
        found.sort(key=lambda datum: datum[0])
        for namespace, several in groupby(found, key=lambda datum: datum[0]):
            self._put(namespace, [datum for _, datum in several])
        return len(found)

    def _put(self, namespace: str, data: list[dict[str, Any]]) -> None:
        for start in range(0, len(data), DATA_MAX):
            self._cloudwatch.put_metric_data(Namespace=namespace, MetricData=data[start : start + DATA_MAX])

    def _new(self, group: str) -> list[str]:
        """Lines of one invocation may come after later ones of another: the last few seconds are read again."""
        seen = self._seen[group]
        pages = self._logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, startTime=max(0, self._latest[group] - LATE_MS)
        )
        # The emulator gives the lines of a function no id.
        events = {(e["logStreamName"], e["timestamp"], e["message"]): e for page in pages for e in page["events"]}
        new = [event for key, event in events.items() if key not in seen]
        seen.update(events)
        self._latest[group] = max([self._latest[group], *(event["timestamp"] for event in new)])
        return [event["message"] for event in new]
