"""Everything that is known at the end, and what must hold of it. Pure."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from jsonschema import Draft202012Validator

from tests.sandbox.demo.balance import (
    Fin,
    compare,
    compare_events,
    compare_rejected,
    seen_at_provider,
    seen_in_ledger,
    tally,
)
from tests.sandbox.demo.bodies import TESTS
from tests.sandbox.demo.script import WHOLE_REFUSAL, Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.sandbox.demo.balance import Json, Row
    from tests.sandbox.demo.leaks import Search
    from tests.sandbox.demo.play import Performed
    from tests.sandbox.demo.script import Script
    from tests.sandbox.demo.stage import Sent

SCHEMAS = TESTS.parent / "events" / "schemas"
ENDS = (Fin.EMITIDO, Fin.ELIMINADO, Fin.RECHAZADO_ALLA, Fin.RECHAZADO_AQUI, Fin.EN_REVISION, Fin.EN_VUELO)
SOURCES = {"sent": "the sender", "provider": "TusFacturas", "ledger": "the ledger"}


_TRACEBACK, _SIGNS = "Traceback (most recent call last)", ("Task timed out", "Runtime exited")


class Check(NamedTuple):
    """One thing that must hold; `faults` tells in what it does not."""

    name: str
    faults: list[str]


@dataclass(frozen=True)
class Evidence:
    """What was sent, and everything found afterwards."""

    script: Script
    performed: Performed
    sent: Sequence[Sent]
    audit: Json
    items: Sequence[Json]
    events: Sequence[Json]
    rejected: Sequence[Json]
    logs: Sequence[Json]
    search: Search

    @cached_property
    def rows(self) -> list[Row]:
        ledger = seen_in_ledger(item for item in self.items if item["sk"] == "ESTADO")
        return compare(self.script.expected, seen_at_provider(self.audit), ledger)

    @cached_property
    def checks(self) -> list[Check]:
        summary = self.audit["summary"]
        expected = {one.message_id: one.envio.codigo for one in self.sent if one.envio.codigo}
        stranger = [] if self.performed.forged == 403 else [f"answered {self.performed.forged}, not 403"]
        return [
            Check("everything is settled", self.performed.unsettled),
            Check(
                "what was sent, what TusFacturas has and what the ledger says agree, row by row", self._disagreements()
            ),
            Check("received = emitted + deleted + rejected + parked + in flight", self._unbalanced()),
            Check("nothing is issued twice", summary["issued_twice"]),
            Check("nothing is accepted twice", summary["accepted_twice"]),
            Check(
                "what cannot be understood is in the rejected queue, with its reason",
                compare_rejected(expected, self.rejected),
            ),
            Check("each comprobante had its event, by the published schemas", self._event_faults()),
            Check("every trouble happened", self._missing_troubles()),
            Check("a forged hook is refused", stranger),
            Check("no function failed", failures(self.logs)),
            Check("no secret is to be found anywhere", self.search.leaks),
        ]

    @property
    def holds(self) -> bool:
        return not any(check.faults for check in self.checks)

    def _disagreements(self) -> list[str]:
        return [f"{'#'.join(row.key)}: {row.fault}" for row in self.rows if row.fault]

    def _unbalanced(self) -> list[str]:
        """The same sum from each source; TusFacturas never saw what we refused."""
        faults = []
        for cuenta in sorted({envio.cuenta for envio in self.script.envios} - {""}):
            received = self.script.roles(cuenta)[Role.COMPROBANTE]
            unseen = tally(self.rows, "sent", cuenta)[Fin.RECHAZADO_AQUI]
            for source, name in SOURCES.items():
                counted = tally(self.rows, source, cuenta)
                total = sum(counted[fin] for fin in ENDS) + (unseen if source == "provider" else 0)
                if total != received:
                    faults.append(f"{cuenta}: {received} received, {name} accounts for {total}")
        messages = sum(self.script.roles(cuenta).total() for cuenta in {envio.cuenta for envio in self.script.envios})
        if messages != len(self.sent):
            faults.append(f"{messages} messages in the script, {len(self.sent)} sent")
        return faults

    def _event_faults(self) -> list[str]:
        invalid = Counter(fault for event in self.events for fault in schema_faults(event))
        return [f"{fault} ({times} times)" for fault, times in invalid.items()] + compare_events(self.events, self.rows)

    def _missing_troubles(self) -> list[str]:
        """Else the demo would show less than it says."""
        posts, hooks = self.audit["posts"], self.audit["summary"]["hooks"]
        ordered = {act.outcome for act in self.script.acts} - {WHOLE_REFUSAL}
        seen = {post["desenlace"] for post in posts}
        missing = [f"no lote ended as {outcome}" for outcome in sorted(ordered - seen)]
        if not any(post["aceptados"] and post["rechazados"] for post in posts):
            missing.append("no lote was taken in part")
        if not any(post["rechazo_total"] for post in posts):
            missing.append("no lote was refused whole")
        return missing + [f"no hook was {name}" for name in ("perdido", "duplicados") if not hooks[name]]


def failures(lines: Sequence[Json]) -> list[str]:
    """What the functions' logs tell of failures, each once. A traceback is told by the line that ends it."""
    found = []
    for n, line in enumerate(lines):
        text = line.get("text", "")
        if line.get("level") in {"ERROR", "CRITICAL"}:
            found.append(f"{line.get('service')}: {line.get('message')} {line.get('exception_name', '')}".strip())
        elif text.startswith(_TRACEBACK):
            rest = [*text.splitlines()[1:], *(after.get("text", "") for after in lines[n + 1 :])]
            found.append(next((one.strip() for one in rest if one and not one[0].isspace()), _TRACEBACK))
        elif any(sign in text for sign in _SIGNS):
            found.append(text.strip())
    return sorted(set(found))


@cache
def _validators() -> dict[str, Any]:
    return {
        path.name.partition(".")[0]: Draft202012Validator(json.loads(path.read_text(encoding="utf-8")))
        for path in SCHEMAS.glob("*.schema.json")
        if path.name != "mensaje.schema.json"
    }


def schema_faults(event: Json) -> list[str]:
    """In what an event breaks its published schema."""
    name = event["detail-type"]
    validator = _validators().get(name)
    if validator is None:
        return [f"{name} has no published schema"]
    return [
        f"{name} breaks its schema: {error.json_path} {error.message[:80]}" for error in validator.iter_errors(event)
    ]
