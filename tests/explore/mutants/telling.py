"""Faults of events, of the stream and of the dead-letter queue."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import boto3

from facturacion import contrast, folding, telling
from facturacion.estado import Estado
from facturacion.events import Bus, event_for
from facturacion.ledger.table import Table
from follow_hooks import app as follow_app
from pack_lotes import door, refusing
from reconcile import app as reconcile_app
from reconcile import redriving
from tests.explore import directed, scenarios
from tests.explore.instrument import BUS
from tests.explore.mutants.mutant import Mutant
from tests.explore.mutants.patching import update as _update

if TYPE_CHECKING:
    from tests.explore.mutants.mutant import Patch


def _dlq_unread() -> list[Patch]:
    return [(reconcile_app, "redrive", lambda _q, _f: (0, 0))]


def _dlq_dropped() -> list[Patch]:
    """The dead-letter queue is emptied by whoever reads it."""
    return [(redriving, "_is_settled", lambda _mensaje, _f: True)]


def _event_without_debt() -> list[Patch]:
    """The event goes out after the state, and nothing remembers that it is owed."""

    def careless(self: Any, pk: str, condition: str, values: Any, *, sets: Any, **more: Any) -> Any:
        kept = {n: v for n, v in sets.items() if n != "evento_pendiente"}
        return _update(self, pk, condition, values, sets=kept, **more)

    def tell_now(asientos: Any, *, ledger: Any, bus: Any, at: Any) -> Any:
        told = telling.tell(asientos, ledger=ledger, bus=bus, at=at)
        for asiento, _ in asientos:
            if asiento.estado in {Estado.RECHAZADO, Estado.ELIMINADO}:
                ledger.published(asiento, closes=True)
        return told

    def follow(hook: Any, contraster: Any) -> Any:
        f = contraster.finishing
        before = f.ledger.get(hook.cuenta, hook.external_reference)
        asiento = folding.fold(hook, f.ledger)
        if asiento and before and asiento.estado is not before.estado:
            tell_now([(asiento, None)], ledger=f.ledger, bus=f.bus, at=f.clock())
        return asiento

    return [
        (Table, "_update", careless),
        (follow_app, "_follow", follow),
        (contrast, "tell", tell_now),
        (door, "tell", tell_now),
        (refusing, "tell", tell_now),
    ]


def _event_before_state() -> list[Patch]:
    """The event goes out when the state is about to be written; it is owed by nobody, and never repeated."""

    def careless(self: Any, pk: str, condition: str, values: Any, *, sets: Any, **more: Any) -> Any:
        tipo = sets.get("evento_pendiente")
        cuenta, _, reference = pk.partition("#")
        stored = self.get(cuenta, reference) if tipo and tipo != "ComprobanteEmitido" else None
        if stored:
            told = replace(stored, estado=Estado(sets["estado"]), evento_pendiente=tipo, version=stored.version + 1)
            Bus(boto3.client("events"), BUS).publish([event_for(told, None)], at=self._clock())
            sets = {n: v for n, v in sets.items() if n != "evento_pendiente"}
        return _update(self, pk, condition, values, sets=sets, **more)

    return [(Table, "_update", careless)]


def _issued_without_cae_is_done() -> list[Patch]:
    """What an `emitido` told is issued, and that is the end of it."""

    def done(self: Any, pk: str, condition: str, values: Any, *, sets: Any, removes: Any = (), **more: Any) -> Any:
        if sets.get("estado") is Estado.EMITIDO and "cae" not in sets:
            sets = {n: v for n, v in sets.items() if n not in {"evento_pendiente", "abierto"}}
            removes = (*removes, "abierto")
        return _update(self, pk, condition, values, sets=sets, removes=removes, **more)

    return [(Table, "_update", done)]


def _dead_for_ever() -> list[Patch]:
    """What is dead goes back to the queue as often as it dies."""
    return [(redriving, "TURNS_MAX", 10**6)]


def _published_not_noted() -> list[Patch]:
    """It leaves the index before its event is out."""
    update = _update

    def closed(self: Any, pk: str, condition: str, values: Any, *, sets: Any, removes: Any = (), **more: Any) -> Any:
        if sets.get("estado") in {Estado.RECHAZADO, Estado.ELIMINADO}:
            sets = {n: v for n, v in sets.items() if n not in {"evento_pendiente", "abierto"}}
            removes = (*removes, "abierto")
        return update(self, pk, condition, values, sets=sets, removes=removes, **more)

    return [(Table, "_update", closed)]


def _stream_drops() -> list[Patch]:
    """What could not be folded is logged, and the stream goes on."""
    handler = follow_app.handler

    def swallow(event: Any, context: Any) -> Any:
        handler(event, context)
        return {"batchItemFailures": []}

    return [(follow_app, "handler", swallow)]


def _failed_entries_ignored() -> list[Patch]:
    publish = Bus.publish

    def sure(self: Any, eventos: Any, *, at: Any) -> list[bool]:
        return [True for _ in publish(self, eventos, at=at)]

    return [(Bus, "publish", sure)]


MUTANTS = (
    Mutant("dead-letter queue not read", "11", _dlq_unread, (directed.refused_unnamed,), 200),
    Mutant("dead-letter queue dropped", "11", _dlq_dropped, (directed.refused_unnamed,), 200, quick=True),
    Mutant(
        "event after the state, not owed",
        "13",
        _event_without_debt,
        (scenarios.refused_then_corrected, scenarios.deleted_and_replaced),
    ),
    Mutant("event before the state, no repeat", "plain", _event_before_state, (scenarios.deleted_and_replaced,), 100),
    Mutant("issued without CAE is done", "13", _issued_without_cae_is_done, (scenarios.one,), 0),
    Mutant("the dead go round for ever", "11", _dead_for_ever, (directed.refused_unnamed,), 0),
    Mutant("closed before its event is out", "13", _published_not_noted, (scenarios.deleted_and_replaced,)),
    Mutant("FailedEntryCount ignored", "plain", _failed_entries_ignored, (scenarios.refused_then_corrected,), 100),
    Mutant("the stream goes on after a failure", "plain", _stream_drops, (directed.foreign_first,), 0),
)
