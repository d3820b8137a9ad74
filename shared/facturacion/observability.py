"""One place for logs and metrics: structured lines with `cuenta`, `external_reference`, `lote_id`; EMF metrics.

No payload, no personal data and no secret ever goes into a field. By default a metric has no dimension per cuenta:
that bill grows with the customers; the cuenta is a field of the log line.
"""

from __future__ import annotations

import logging
import os
from functools import wraps
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from facturacion.metricas import Metrica

T = TypeVar("T")
NAMESPACE = "Facturacion"
"""Where a function is not told a stack's own (POWERTOOLS_METRICS_NAMESPACE)."""


def logger_for(service: str) -> Logger:
    """JSON lines on standard output; level from POWERTOOLS_LOG_LEVEL. httpx would log every address it asks.

    A line's message says where it is from: the place in the code is paid for with each, and a traceback has it.
    """
    logging.getLogger("httpx").setLevel(logging.WARNING)
    return Logger(service=service, utc=True, location=None, log_uncaught_exceptions=True)


class Anotar(Protocol):
    """Takes a value of a metric, of a cuenta where it is one's own."""

    def __call__(self, metrica: Metrica, valor: float, *, cuenta: str | None = None) -> None: ...


class Medidor:
    """The metrics of one function: gathered during an invocation, written as EMF lines at its end, however it ends.

    With METRICS_POR_CUENTA each value that is of one cuenta is written a second time, with a dimension `cuenta`.
    """

    def __init__(self, service: str) -> None:
        self._service = service
        self._gathered: dict[str | None, EphemeralMetrics] = {}

    def count(self, metrica: Metrica, valor: float, *, cuenta: str | None = None) -> None:
        """Adds to what is summed; a zero is not worth a data point."""
        if valor:
            self.measure(metrica, valor, cuenta=cuenta)

    def measure(self, metrica: Metrica, valor: float, *, cuenta: str | None = None) -> None:
        """One value of what is not summed; a zero says something."""
        self._of(None).add_metric(metrica.nombre, metrica.unidad, valor)
        if cuenta:
            self.measure_cuenta(metrica, valor, cuenta)

    def measure_cuenta(self, metrica: Metrica, valor: float, cuenta: str) -> None:
        """A value of the cuenta alone, where those are wanted."""
        if os.environ.get("METRICS_POR_CUENTA") == "true":
            self._of(cuenta).add_metric(metrica.nombre, metrica.unidad, valor)

    def published(self, handler: Callable[[dict[str, Any], LambdaContext], T]) -> Callable[..., T]:
        """The handler, which writes what was gathered."""

        @wraps(handler)
        def publishing(event: dict[str, Any], context: LambdaContext) -> T:
            try:
                return handler(event, context)
            finally:
                self._publish()

        return publishing

    def _of(self, cuenta: str | None) -> EphemeralMetrics:
        if cuenta not in self._gathered:
            namespace = os.environ.get("POWERTOOLS_METRICS_NAMESPACE", NAMESPACE)
            self._gathered[cuenta] = EphemeralMetrics(namespace=namespace, service=self._service)
            if cuenta:
                self._gathered[cuenta].add_dimension("cuenta", cuenta)
        return self._gathered[cuenta]

    def _publish(self) -> None:
        gathered, self._gathered = self._gathered, {}
        for metrics in gathered.values():
            # One that was full has written itself meanwhile.
            if metrics.metric_set:
                metrics.flush_metrics()
