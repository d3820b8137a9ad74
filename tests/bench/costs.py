"""Dollars: what a million comprobantes cost, what a month costs without any, and what other designs would. Pure.

Fed by a `Bill` of the counts, the CPU of `cpu` and the template. Free tiers are left out: this is what one more costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench.prices import PRICES
from tests.explore.functions import FUNCTIONS
from tests.template import properties

if TYPE_CHECKING:
    from tests.bench.counting import Bill

MILLION = 1_000_000
GB = 1_000_000_000
MEMORY_GB = 0.5
MINUTES = 60 * 24 * 30
VCPU_MB, MEMORY_MB = 1769, 512
"""Lambda gives one processor at 1,769 MB, and of it what the memory is of that."""
PLATFORM_LOG = 500
"""Bytes that Lambda itself logs of an invocation in JSON, `platform.start` and `platform.report` each."""
ACCESS_LOG = 260
"""Bytes of a line of the HTTP API's access log, by the template's format, and what CloudWatch adds."""
RECEIVED_TOGETHER = 10
"""The most that Lambda's poller receives, and deletes, with one request."""
POLLERS, LONG_POLL = 5, 20.0
"""Lambda polls an idle queue with five connections, each request waiting for twenty seconds."""
WORKFLOW_STATES = 6
"""Of a workflow for each comprobante at its plainest: claim, submit, wait, ask, record, end."""
STATE_CHANGES = 4
"""ENVIANDO, ENVIADO, ENCOLADO, EMITIDO: an index on the state is entered once, and each change moves within it."""
SENT_BYTES = 2_500
"""Of a comprobante's share of a POST."""


@dataclass(frozen=True)
class Cpu:
    """Seconds of a whole processor, of the machine that measured them: a comprobante in a lote, a hook, a fold."""

    lote: float
    hook: float
    follow: float

    @property
    def of_a_life(self) -> float:
        """Two hooks, each received and folded; in seconds of a 512 MB Lambda."""
        return (self.lote + 2 * self.hook + 2 * self.follow) * VCPU_MB / MEMORY_MB


def per_million(bill: Bill, cpu: Cpu) -> dict[str, float]:
    """Dollars by service, PDFs apart. The schedule's own invocations are of the month, not of a comprobante."""
    per = {name: price.dollars * MILLION for name, price in PRICES.items()}
    n = bill.comprobantes
    invoked = sum(bill.invoked.values()) - bill.invoked["reconcile"]
    seconds = sum(bill.seconds.values()) / n + cpu.of_a_life
    asked = sum(count for (_, call), count in bill.meter.calls.items() if call.startswith("sqs:Change"))
    secrets = sum(count for (_, call), count in bill.meter.calls.items() if call.endswith("GetSecretValue"))
    reported = sum(count for name, count in bill.invoked.items() if name != "reconcile" and _tells_all(name))
    logged = sum(bill.log_bytes.values()) + PLATFORM_LOG * reported + ACCESS_LOG * bill.invoked["webhook"]
    return {
        "DynamoDB writes": bill.writes * per["write unit"],
        "DynamoDB reads": bill.reads * per["read unit"],
        "DynamoDB storage, a month": bill.stored_bytes / n / GB * per["table storage"],
        "HTTP API": bill.invoked["webhook"] / n * per["HTTP request"],
        "Lambda requests": invoked / n * per["invocation"],
        "Lambda duration": seconds * MEMORY_GB * per["GB-second"],
        "SQS": (1 + 2 / RECEIVED_TOGETHER + asked / n) * per["SQS request"],
        "EventBridge": bill.events / n * per["event"],
        "Step Functions": bill.states / n * per["state"],
        "logs": logged / n / GB * per["log"],
        "secret reads": secrets / n * per["secret read"],
        "traffic": SENT_BYTES / GB * per["traffic"],
    }


def _tells_all(function: str) -> bool:
    """Whether Lambda's own lines of an invocation that went well are kept."""
    return properties(FUNCTIONS[function].logical_id)["LoggingConfig"].get("SystemLogLevel") != "WARN"


def pdfs_per_million(bill: Bill) -> float:
    puts = sum(count for (_, call), count in bill.meter.calls.items() if call == "s3:PutObject")
    return puts / bill.comprobantes * PRICES["S3 PUT"].dollars * MILLION


def per_month(*, alarms: int, metrics: int, dashboards: int) -> dict[str, float]:
    """Dollars of a month in which nothing happens, secrets of cuentas apart."""
    polls = POLLERS * MINUTES * 60 / LONG_POLL
    idle = (
        PRICES["invocation"].dollars + 0.1 * MEMORY_GB * PRICES["GB-second"].dollars + 2 * PRICES["read unit"].dollars
    )
    return {
        "alarms": alarms * PRICES["alarm"].dollars,
        "metrics": metrics * PRICES["metric"].dollars,
        "dashboards": dashboards * PRICES["dashboard"].dollars,
        "the queue polled while it is empty": (polls + MINUTES) * PRICES["SQS request"].dollars,
        "the reconciliation, each minute": MINUTES * (idle + PRICES["schedule"].dollars),
    }


def alternatives(bill: Bill) -> dict[str, float]:
    """Dollars more per million, had it been built so."""
    per = {name: price.dollars * MILLION for name, price in PRICES.items()}
    hooks = bill.invoked["webhook"] / bill.comprobantes
    waited = bill.seconds["pack"] / max(1, bill.provider["provider:facturacion/lotes_encola"])
    return {
        "a REST API for the hooks": hooks * (per["REST request"] - per["HTTP request"]),
        "every write in a transaction": bill.own_writes * per["write unit"],
        "an index on the state": (1 + 2 * (STATE_CHANGES - 1)) * per["write unit"],
        "a standard workflow for each comprobante": WORKFLOW_STATES * per["state"],
        "one submission for each comprobante": waited * MEMORY_GB * per["GB-second"],
    }


def break_even(per_million_dollars: float, fixed: float) -> dict[str, float]:
    """Comprobantes a month at which two designs or two parts of the bill are equal; a share where it says so."""
    each = per_million_dollars / MILLION
    return {
        "a cuenta's secret is its smaller part from (a month)": PRICES["secret"].dollars / each,
        "the fixed part is the smaller one from (a month)": fixed / each,
        "provisioned writes pay from (share of the time in use)": PRICES["provisioned write"].dollars
        / PRICES["write unit"].dollars,
    }
