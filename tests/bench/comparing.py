"""The section of the reference: side by side, healthy and under the same faults."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from tests.bench.beside import PARAMETERS, Beside, beside
from tests.bench.counting import SUBMISSIONS, Counted, backlog, bill_of
from tests.bench.metering import Meter, metered
from tests.bench.table import Row, Section, told
from tests.explore.scenarios import Scenario
from tests.explore.schedule import AFTER, Chaos, Odds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.counting import Bill

COMPROBANTES = 500
LATENCY = 2.0
"""Seconds that the provider takes for every call, whatever it holds."""
EACH = 10
FAULTS_FOR = 4 * 3600.0
"""Seconds; from then on nothing goes wrong any more."""


class Fault(NamedTuple):
    """`struck`: what becomes of the first POST and each tenth after it. `crash`: Lambda dies after those instead."""

    name: str
    struck: str = "ok"
    crash: bool = False
    odds: Odds | None = None


HEALTHY = Fault("healthy")
FAULTS = (
    Fault("524, but accepted: each tenth POST", struck="524_accepted"),
    Fault("a crash between POST and save: each tenth POST", crash=True),
    Fault("delivered at least once: many messages come again", odds=Odds(repeat=0.3, undelete=0.1)),
)


class Unlucky(Chaos):
    """Repeats by seed, deaths by count."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(0, fault.odds or Odds())
        self._crash = fault.crash
        self._posts = 0
        self.effects: list[str] = []

    def dies(self, index: int, when: str) -> bool:
        if when != AFTER or self.effects[index] not in SUBMISSIONS:
            return False
        self._posts += 1
        return self._crash and self._posts % EACH == 1

    def calm(self) -> None:
        super().calm()
        self._crash = False


class Outcome(NamedTuple):
    """`struck`: POSTs, or deliveries of a message, that met the fault. `duplicates`: legal invoices too many.

    `missing`: never issued. `accepted_in`: seconds until the last one was accepted.
    """

    bill: Bill
    struck: int
    duplicates: int
    missing: int
    accepted_in: float


def measure(fault: Fault, *, ours: bool, comprobantes: int = COMPROBANTES) -> Outcome:
    """Inside `installing.exploring`."""
    scenario = Scenario(
        fault.name,
        backlog(comprobantes),
        {
            "segundos_por_comprobante": 0.1,
            "demora_respuesta": LATENCY,
            "segundos_524": 100.0,
            "lotes": [fault.struck, *["ok"] * (EACH - 1)] * (comprobantes // EACH),
        },
        parameters={} if ours else PARAMETERS,
        calm_after=FAULTS_FOR,
        max_receives=300 if ours else 5,
    )
    with metered(Meter()) if ours else beside() as meter:
        unlucky = Unlucky(fault)
        world = (Counted if ours else Beside)(scenario, unlucky)
        unlucky.effects = world.effects
        world.run()
    items = world.proveedor.cola.items
    issued = Counter(item.referencia for item in items if item.estado == "EMITIDO")
    return Outcome(
        bill_of(world, meter),
        struck=world.counts["deaths"]
        + sum(post.desenlace != "ok" for post in world.proveedor.posts)
        + (sum(m.receives - 1 for m in world.sqs.messages) if fault.odds else 0),
        duplicates=sum(n - 1 for n in issued.values()),
        missing=len({s.reference for s in world.sent} - issued.keys()),
        accepted_in=max((item.aceptado - world.start).total_seconds() for item in items),
    )


def sections(outcomes: dict[tuple[str, bool], Outcome]) -> Iterator[Section]:
    ours, theirs = outcomes[HEALTHY.name, True], outcomes[HEALTHY.name, False]
    both = (ours.bill, theirs.bill)
    yield Section(
        f"Beside the way of AWS's guides: per comprobante, {COMPROBANTES} of a cuenta, {LATENCY:.0f} s for each call",
        ("ours", "reference", "ratio"),
        (
            _compared("submissions to the provider", *(b.submissions for b in both), form="{:.3f}"),
            _compared("other calls of the provider", *(b.beyond for b in both), form="{:.3f}"),
            _compared("DynamoDB write units", *(b.writes for b in both)),
            _compared("DynamoDB read units", *(b.reads for b in both)),
            _compared("AWS calls, PDFs not counted", *(_without_pdfs(b) for b in both)),
            _compared("Lambda invocations", *(b.invocations for b in both)),
            _compared("seconds of Lambda, all functions", *(_seconds(b) for b in both)),
            _compared("minutes until the last is accepted", ours.accepted_in / 60, theirs.accepted_in / 60),
        ),
        (
            "reference: BatchProcessor and Idempotency around one nuevo_encola for each message, ten messages a batch,",
            "two batches at once; a resolver and Idempotency for the hooks, which ask for the CAE. It keeps no PDFs,",
            "tells no error apart, resolves none, closes no day and finds no hook that was lost.",
        ),
    )
    rows = []
    for fault in FAULTS:
        ours, theirs = outcomes[fault.name, True], outcomes[fault.name, False]
        values = (str(ours.duplicates), str(theirs.duplicates), str(ours.missing), str(theirs.missing))
        struck = (str(ours.struck), str(theirs.struck))
        holds = ours.duplicates == ours.missing == 0 < ours.struck
        rows.append(Row(fault.name, (*struck, *values), "0 of ours", holds))
    yield Section(
        f"Under the same faults, {COMPROBANTES} comprobantes: second invoices, comprobantes never issued",
        ("struck", "reference", "twice", "reference", "missing", "reference"),
        tuple(rows),
        ("one of our POSTs holds a hundred: struck, it leaves a hundred uncertain",),
    )


def _compared(figure: str, ours: float, theirs: float, *, form: str = "{:.2f}") -> Row:
    return told(figure, [form.format(ours), form.format(theirs), f"{theirs / ours:.2f}" if ours else "-"])


def _without_pdfs(bill: Bill) -> float:
    return sum(n for (_, call), n in bill.meter.calls.items() if not call.startswith("s3:")) / bill.comprobantes


def _seconds(bill: Bill) -> float:
    return sum(bill.seconds.values()) / bill.comprobantes
