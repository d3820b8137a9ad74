"""One place for logs and metrics: structured lines with `cuenta`, `external_reference`, `lote_id`; EMF metrics.

No payload, no personal data and no secret ever goes into a field. A metric has no dimension per cuenta: that bill
grows with the customers; the cuenta is a field of the log line.
"""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

if TYPE_CHECKING:
    from collections.abc import Callable

NAMESPACE = "Facturacion"


def logger_for(service: str) -> Logger:
    """JSON lines on standard output; level from POWERTOOLS_LOG_LEVEL. httpx would log every address it asks."""
    logging.getLogger("httpx").setLevel(logging.WARNING)
    return Logger(service=service, utc=True, log_uncaught_exceptions=True)


def metrics_for(service: str) -> Metrics:
    """An invocation that counted nothing is no matter for a warning."""
    warnings.filterwarnings("ignore", message="No application metrics to publish")
    return Metrics(namespace=NAMESPACE, service=service)


def counter(metrics: Metrics) -> Callable[[str, int], None]:
    """Adds to a metric that counts; a zero is not worth a data point."""

    def count(name: str, value: int) -> None:
        if value:
            metrics.add_metric(name, MetricUnit.Count, value)

    return count
