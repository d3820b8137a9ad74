"""What must hold of what is done about errors: at the provider's door, and where it left a comprobante.

What is promised of the order is this: among the errors that a run had noted when it planned, no resend by itself
overtakes an earlier one that is still waiting for its own. An error that comes later, or that a person decided about,
is not waited for.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from facturacion.esperas import WORTH_A_QUERY
from facturacion.tiempo import from_iso
from tests.explore import instrument
from tests.sandbox.simulator.cola import ELIMINADO
from tests.sandbox.simulator.fates import TEXTOS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from tests.explore.invoking import Invocation
    from tests.explore.world import World

RESEND, REDATE, DELETE = (f"facturacion/{name}_encolado" for name in ("reenviar", "cambiar_fecha", "eliminar"))
OPERATIONS = {RESEND, REDATE, DELETE}
OF_DATES = {"10016", "10036", "FECHA"}
NEVER_RESENT = {"DESCONOCIDO", "CONFIG", "DATOS"}
"""Whoever knows these words does not resend by himself."""
RESENDS_MAX, WORDLESS_MAX, DELETES_MAX = 5, 2, 2

LOOKED_WITHIN = timedelta(seconds=10)
"""After so long the shipped client holds a request back."""

UNASKED, UNLEASED, UNFIT = "done without asking", "done without the lease", "not what the error wants"
HURRIED, OVERTAKEN = "resent too soon", "resent out of order"


@dataclass(frozen=True)
class Done:
    """An operation that reached the provider's door. `errors`: how many its comprobante had had.

    `intended`: when that was written down, from which what comes to nothing waits; the request may have been held up.
    """

    at: datetime
    intended: datetime
    method: str
    errors: int


def kind_of(words: list[str]) -> str:
    return next((kind for kind, texts in TEXTOS.items() if list(texts) == words), "")


def note_seen(world: World, alias: str, reference: str, told: dict[str, Any]) -> None:
    """The answer to a question about one reference."""
    assert world.running is not None
    found = [c["comprobante"]["status"] for c in told.get("comprobantes") or ()]
    world.seen[f"{alias}#{reference}", world.running.number] = found


def note_plan(world: World, cuenta: str) -> None:
    """A plan was made: what of each error stands in its note, in their order."""
    world.plans[cuenta] = notes(cuenta)


def notes(cuenta: str) -> list[dict[str, Any]]:
    found = (i for i in instrument.of(f"RUN#{cuenta}") if i["sk"].startswith("PEND#"))
    return sorted(found, key=lambda note: str(note["sk"]))


def on_operation(world: World, alias: str, method: str, reference: str) -> Iterator[tuple[str, str, str]]:
    """At the provider's door, before anything is done: the invariants that it violates, of which comprobante, how."""
    invocation = world.running
    assert invocation is not None
    pk = f"{alias}#{reference}"
    row = instrument.peek(pk)
    decided = bool(row.get("decision"))
    if wrong := _unleased(world, invocation):
        yield UNLEASED, pk, f"{method}, and {wrong}"
    shown = world.seen.get((pk, invocation.number), [])
    fit = ["CON ERROR" in status or (decided and method == DELETE) for status in shown]
    if fit != [True]:
        yield UNASKED, pk, f"{method}, and the last answer about it was {shown or 'none'}"
    items = [i for i in world.proveedor.cola.named(alias, reference) if i.estado != ELIMINADO]
    kinds = [kind_of(i.errores[-1]) for i in items if i.errores]
    errors = sum(len(i.errores) for i in items)
    if not decided and items:  # else it went away since the ask: the call will find nothing
        yield from _fits(world, pk, row, method, kinds)
        if method == DELETE and any(i.authorised for i in items):
            yield UNFIT, pk, "a deletion of what ARCA authorised"
    if method == RESEND and not decided:
        yield from _in_time(world, pk, row, errors)
        yield from _in_order(world, alias, reference)
    intended = next((w.at for w in reversed(world.writes[pk]) if w.op == "intend"), world.now)
    world.done[pk].append(Done(world.now, intended, method, errors))


def _unleased(world: World, invocation: Invocation) -> str:
    """Why it should not act; empty where its last look at the lease was right before the call, and the lease its own.

    No call of the provider can be made conditional on an item of the ledger, so between the look and the request there
    is a moment in which the lease may go. The client itself makes it short: it holds back what was held up.
    """
    look, mine = invocation.looked, invocation.renewed
    if look is None or mine is None or world.now - look.at > LOOKED_WITHIN:
        return "the lease was not looked at right before"
    if look[1:] != mine[1:] or look.corrida != invocation.event.get("corrida"):
        return f"the lease is of task {look.tarea} of {look.corrida}, this is {mine.tarea} of {mine.corrida}"
    return ""


def _fits(world: World, pk: str, row: dict[str, Any], method: str, kinds: list[str]) -> Iterator[tuple[str, str, str]]:
    assert world.running is not None
    if method == DELETE and (kinds != ["DATOS"] or row.get("previos")):
        yield UNFIT, pk, f"a deletion, of {kinds}, after {row.get('previos', 0)} earlier attempts"
    if method == REDATE and not set(kinds) <= OF_DATES:
        yield UNFIT, pk, f"a change of date, of {kinds}"
    known = set(_unseen_kinds(pk, row, before=world.running.started))
    if method == RESEND and known and known <= NEVER_RESENT and not _redated(world, pk, row):
        yield UNFIT, pk, f"a resend, of what said {known}"


def _redated(world: World, pk: str, row: dict[str, Any]) -> bool:
    """Whether its date was changed and the resend is to follow; the intent of that resend takes the mark away."""
    written = world.writes[pk]
    return bool(row.get("por_reenviar") or (written and written[-1].before.get("por_reenviar")))


def _unseen_kinds(pk: str, row: dict[str, Any], *, before: datetime) -> Iterator[str]:
    """Of the errors whose words are there and not accounted for."""
    for item in instrument.of(pk):
        if item.get("evento") != "error" or item["hook_id"] in row.get("vistos", ()):
            continue
        if from_iso(item["recibido"]) < before:
            yield kind_of(json.loads(base64.b64decode(item["cuerpo"]))["msg"])


def _in_time(world: World, pk: str, row: dict[str, Any], errors: int) -> Iterator[tuple[str, str, str]]:
    """An error is resent after its wait, and once: unless that had no effect, and then not at once."""
    earlier = [d for d in world.done[pk] if d.method == RESEND and d.errors == errors]
    if earlier and world.now - earlier[-1].intended < world.resend_wait:
        yield HURRIED, pk, f"resent at {earlier[-1].at:%H:%M:%S} as well, for the same error"
    if _redated(world, pk, row):
        return
    begun = [w.at for w in world.writes[pk] if w.after["estado"] == "ERROR" and w.before.get("estado") != "ERROR"]
    if begun and world.now - begun[-1] < world.resend_wait:
        yield HURRIED, pk, f"in error only since {begun[-1]:%H:%M:%S}"


def _in_order(world: World, alias: str, reference: str) -> Iterator[tuple[str, str, str]]:
    plan = world.plans.get(alias, [])
    mine = next((n for n, note in enumerate(plan) if note["external_reference"] == reference), None)
    for note in plan[:mine]:
        other = f"{alias}#{note['external_reference']}"
        waits = note.get("en_fila") and from_iso(note["desde"]) > world.now
        if waits and instrument.peek(other).get("estado") == "ERROR":
            yield OVERTAKEN, f"{alias}#{reference}", f"{other} comes before it, and waits until {note['desde']}"


# -- where it ends ---------------------------------------------------------------------------------------------------


def wrongly_parked(world: World, row: dict[str, Any]) -> str:
    """Why it should not have been left to a person; empty where it should."""
    codes = {causa[0] for causa in row.get("causas", [])}
    alias, _, reference = row["pk"].partition("#")
    kinds = {kind_of(words) for i in world.proveedor.cola.named(alias, reference) for words in i.errores}
    resends = sum(d.method == RESEND for d in world.done[row["pk"]])
    tried = max(resends, row.get("reenvios", 0))
    if codes == {"ReferenciaNoCoincide"} and world.plan.referencias == "json_numeric_check" and reference[0] == "0":
        return ""  # it is there, and not under its own reference: nothing but a person can tell
    if codes == {"EnviosAgotados"} or kinds & {"DESCONOCIDO", "CONFIG"}:
        return ""
    if codes == {"CausaDesconocida"} and tried >= WORDLESS_MAX:
        return ""
    if "DATOS" in kinds and row.get("previos"):
        return ""
    if "NoSePudo" in codes and row.get("borrados", 0) >= DELETES_MAX and (world.done[row["pk"]] or world.broken):
        # What became of its deletions was not recorded: an answer that said nothing, or a death after the intent. The
        # ledger cannot tell one before the call from one after it, so each counts, and after two a person looks.
        return ""
    if tried >= RESENDS_MAX or (kinds & OF_DATES and row.get("cambios_fecha")):
        return ""
    return f"parked for {codes}, its errors were {sorted(kinds)}, it was resent {tried} times"


def told_as_incident(row: dict[str, Any]) -> bool:
    """What is wrong with the cuenta is told once, of whichever comprobante met it first."""
    incidents = {i["sk"] for i in instrument.of(f"RUN#{row['cuenta']}")}
    return any(f"INCIDENTE#{causa[0]}" in incidents for causa in row.get("causas", ()))


def forgotten(world: World, cuenta: str) -> bool:
    """Whether there is an error of which no run will ever hear: none is there, and none due, or it is not noted.

    What an ask of pack_lotes found in error it notes itself nowhere: it marks the cuenta (`esperan`), and the very next
    reconciliation contrasts it, notes the error and starts the run. That wake-up is owed, not lost.
    """
    if any(e.cuenta == cuenta for e in world.steps.running()) or not world.stream.empty():
        return False
    if instrument.peek("CUENTAS", cuenta).get("esperan", 0) >= WORTH_A_QUERY:
        return False
    noted = {note["external_reference"] for note in notes(cuenta)}
    rows = (instrument.peek(pk) for pk in world.open if pk.startswith(f"{cuenta}#"))
    unnoted = {row["external_reference"] for row in rows if row["estado"] == "ERROR"} - noted
    return bool(unnoted) or (bool(noted) and "corrida_debida" not in instrument.peek("CUENTAS", cuenta))


def waits_for_nobody(world: World, row: dict[str, Any]) -> str:
    """Why nobody would come to an asiento in error; empty where somebody will.

    Who may come: a run that is there, the reconciliation by what is open, or by when a run is due.
    """
    assert row["estado"] == "ERROR", row
    cuenta = instrument.peek("CUENTAS", row["cuenta"])
    alive = any(e.cuenta == row["cuenta"] for e in world.steps.running())
    noted = any(n["external_reference"] == row["external_reference"] for n in notes(row["cuenta"]))
    if alive or "corrida_debida" in cuenta or "abierto" in row:
        return ""
    return f"in error, {'noted, ' if noted else ''}and neither a run nor the reconciliation knows of it"
