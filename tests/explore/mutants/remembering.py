"""Rules of what is remembered of hooks and of earlier attempts, left out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from unittest import mock

from facturacion import folding
from facturacion.asiento import Asiento, Datos
from facturacion.estado import Estado
from facturacion.events import tipo_for
from facturacion.ledger import Ledger, Refused
from pack_lotes import packing
from tests.explore import directed, scenarios
from tests.explore.mutants.mutant import Mutant
from tests.explore.mutants.patching import conditions, instead

if TYPE_CHECKING:
    from tests.explore.mutants.mutant import Patch

_judge = packing.judge


def _previos_ignored() -> list[Patch]:
    """Earlier attempts are not counted: their late hooks speak for this one."""
    claim_again, absent_again = Ledger.claim_again, Ledger.absent_again

    def forget(self: Any, reclamo: Any, stored: Any, vistos: Any) -> Any:
        return claim_again(
            self, reclamo, replace(stored, previos=-1 if stored.estado is Estado.RECHAZADO else 0), vistos
        )

    def forget_too(self: Any, asiento: Any, **named: Any) -> Any:
        return absent_again(self, replace(asiento, previos=-1), **named)

    return [(Ledger, "claim_again", forget), (Ledger, "absent_again", forget_too)]


def _vistos_ignored() -> list[Patch]:
    """The hooks of earlier attempts are not remembered: folded again, they count again."""
    return conditions(
        lambda c: c.replace("NOT contains(vistos, :id) AND ", "").replace(" AND NOT contains(vistos, :id)", "")
    )


def _version_not_raised() -> list[Patch]:
    """An unseen hook that moves no state leaves no mark."""
    return [(Ledger, "fold_nothing", lambda _self, asiento, _hook, **_: asiento)]


def _only_last_refusal() -> list[Patch]:
    """Only the present content is compared, not every one that was ever refused."""

    def forgetful(stored: Asiento, content: str, now: Any, *, provider_timeout: Any) -> Any:
        return _judge(replace(stored, rechazados=frozenset()), content, now, provider_timeout=provider_timeout)

    return [
        (packing, "judge", forgetful),
        *conditions(lambda c: c.replace(" AND NOT contains(rechazados, :hash)", "")),
    ]


def _own_retry_unknown() -> list[Patch]:
    """A claim whose first answer was lost meets its own row, and takes it for somebody else's."""
    claim = Ledger._claim

    def stranger(self: Any, reclamo: Any, condition: str, values: Any, also: Any = None) -> Any:
        write = self._write

        def masked(update: Any) -> Any:
            written = write(update)
            if isinstance(written, Refused) and written.stored:
                return Refused(replace(written.stored, lote_id="another"))
            return written

        with mock.patch.object(self, "_write", masked):
            return claim(self, reclamo, condition, values, also)

    return [(Ledger, "_claim", stranger)]


def _replaced_without_condition() -> list[Patch]:
    def two_writes(self: Any, reclamo: Any, update: Any) -> Any:
        del reclamo
        return self._write(update)

    return [(Ledger, "_replace", two_writes)]


def _foreign_hook_ignored() -> list[Patch]:
    """A hook of a reference that nobody claimed is nobody's business."""

    def unwritten(_self: Any, cuenta: str, reference: str, causa: Any) -> Asiento:
        return Asiento(cuenta, reference, Estado.EN_REVISION, 1, Datos(hash=""), causas=(causa,))

    return [(Ledger, "unknown_reference", unwritten)]


def _arrival_order() -> list[Patch]:
    """The last hook to arrive decides, as if they came in order."""
    states = {
        "encolado": Estado.ENCOLADO,
        "cambio_fecha": Estado.ENCOLADO,
        "error": Estado.ERROR,
        "eliminado": Estado.ELIMINADO,
        "emitido": Estado.EMITIDO,
    }

    def last_wins(hook: Any, ledger: Any) -> Any:
        estado = states.get(hook.evento)
        if estado is None:
            return None
        sets = {"estado": estado, "abierto": hook.cuenta, "evento_pendiente": tipo_for(estado)}
        pk = f"{hook.cuenta}#{hook.external_reference}"
        return ledger._write(ledger._update(pk, "attribute_exists(pk)", {}, sets=sets))

    return [(folding, "_transition", last_wins)]


def _not_noted() -> list[Patch]:
    """The daily close is never told what came."""
    return [(Ledger, "note_received", lambda *_, **__: None)]


MUTANTS = (
    Mutant(
        "earlier attempts not counted",
        "6",
        _previos_ignored,
        (directed.late_refusal, scenarios.refused_then_corrected),
        150,
    ),
    Mutant("vistos ignored", "6", _vistos_ignored, (directed.stream_repeats,), 0, quick=True),
    Mutant("an unseen hook leaves no mark", "8", _version_not_raised, directed.BLINKS, 0, quick=True),
    Mutant(
        "a deletion of an earlier attempt deletes",
        "9",
        instead("previos = :cero AND NOT estado IN (:EMITIDO", "NOT estado IN (:EMITIDO"),
        (directed.deleted_while_uncertain,),
        quick=True,
    ),
    Mutant("only the last refusal remembered", "10", _only_last_refusal, (directed.refused_again,), 0, quick=True),
    Mutant(
        "own retry not recognized",
        "10",
        _own_retry_unknown,
        seeds=20,
        unseen="the row is asked about after the quiet period and sent then: late, and nothing else",
    ),
    Mutant("what was received is not noted", "plain", _not_noted, (directed.refused_again,), 0, quick=True),
    Mutant("reemplaza without its condition", "14", _replaced_without_condition, (scenarios.deleted_and_replaced,)),
    Mutant("a hook of an unknown reference ignored", "14", _foreign_hook_ignored, (directed.foreign_first,), 0),
    Mutant("fold by arrival order", "plain", _arrival_order, seeds=100),
)
