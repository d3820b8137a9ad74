"""One stored hook folded into the state of its comprobante.

The stream repeats and retries, so every fold is idempotent: its condition is the row of `estado.fold` that it writes,
and a hook that was folded already finds its own result. What is told to the company is told after the state is
written; a crash between leaves `evento_pendiente`, the stream repeats the record, and the fold finds what it owes.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, NamedTuple

from facturacion.asiento import Asiento, Causa
from facturacion.asking import UNKNOWN_REFERENCE
from facturacion.estado import Estado
from facturacion.ledger import Refused
from facturacion.telling import tell
from tusfacturas.catalogue import read_lines
from tusfacturas.hooks import read_hook

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from typing import Any

    from facturacion.events import Bus
    from facturacion.ledger import Ledger


class Stored(NamedTuple):
    """A stored hook, from its image in the stream. `external_reference` is empty where it has none of ours."""

    cuenta: str
    external_reference: str
    hook_id: str
    evento: str
    causas: tuple[Causa, ...]


def stored_hook(image: Mapping[str, Any]) -> Stored:
    """`image`: the NewImage of a `HOOK#` item, as the stream's event has it: typed, and binary as base64."""
    cuenta, _, reference = image["pk"]["S"].partition("#")
    body = base64.b64decode(image["cuerpo"]["B"])
    kept = image.get("mensajes")
    words = [text["S"] for text in kept["L"]] if kept else read_hook(body).mensajes
    return Stored(cuenta, reference, image["hook_id"]["S"], image["evento"]["S"], causas_of(words))


def causas_of(words: Iterable[str]) -> tuple[Causa, ...]:
    """What the words of an error say."""
    return tuple(Causa(line.codigo, "", line.texto) for line in read_lines(words))


def fold_and_tell(hook: Stored, *, ledger: Ledger, bus: Bus, at: datetime) -> Asiento | None:
    """The asiento after the hook, its event published. Issued, it is told with its CAE, by whoever fetches that.

    A hook that meets no asiento opens a review, which is told first; one that says how it ended then moves it.
    """
    asiento = _fold_and_tell(hook, ledger, bus, at)
    if asiento and asiento.estado is Estado.EN_REVISION and hook.evento in {"emitido", "eliminado"}:
        asiento = _fold_and_tell(hook, ledger, bus, at)
    return asiento


def _fold_and_tell(hook: Stored, ledger: Ledger, bus: Bus, at: datetime) -> Asiento | None:
    asiento = fold(hook, ledger)
    if asiento and asiento.evento_pendiente and asiento.estado is not Estado.EMITIDO and not _of_our_deletion(asiento):
        # The asiento keeps the causes cut; the event has them whole.
        whole = hook.causas if asiento.estado is Estado.ERROR and hook.causas else None
        tell([(asiento, whole)], ledger=ledger, bus=bus, at=at)
    return asiento


def _of_our_deletion(asiento: Asiento) -> bool:
    """Whoever deleted it knows the reasons whole, and tells it; after a crash the reconciliation does."""
    return asiento.estado is Estado.ELIMINADO and asiento.borrado_pedido


def fold(hook: Stored, ledger: Ledger) -> Asiento | None:
    """The asiento after the hook; None where there is nothing to fold it into."""
    if not hook.external_reference:
        return None
    written = _transition(hook, ledger)
    if written is None:
        # An evento of which the documentation does not speak: kept, and it moves nothing.
        return ledger.get(hook.cuenta, hook.external_reference)
    if isinstance(written, Asiento):
        return written
    stored = written.stored
    if stored is None:
        # Noted first, so that its event is told even if nothing else of this cuenta ever happens.
        ledger.owe_contrast(hook.cuenta)
        created = ledger.unknown_reference(hook.cuenta, hook.external_reference, UNKNOWN_REFERENCE)
        # Claimed in the same moment: then the stream's repeat of this record finds the claim. It cannot be dropped.
        return created if isinstance(created, Asiento) else fold(hook, ledger)
    return _unmoved(hook, stored, ledger)


def _transition(hook: Stored, ledger: Ledger) -> Asiento | Refused | None:
    cuenta, reference, hook_id = hook.cuenta, hook.external_reference, hook.hook_id
    match hook.evento:
        case "emitido":
            return ledger.fold_emitido(cuenta, reference)
        case "error":
            return ledger.fold_error(cuenta, reference, hook_id, hook.causas)
        case "encolado" | "cambio_fecha":
            return ledger.fold_encolado(cuenta, reference, hook_id)
        case "eliminado":
            written = ledger.fold_eliminado(cuenta, reference, hook_id)
            if isinstance(written, Refused) and written.stored and written.stored.previos:
                return ledger.fold_deletion_in_doubt(cuenta, reference, hook_id)
            return written
        case _:
            return None


def _unmoved(hook: Stored, stored: Asiento, ledger: Ledger) -> Asiento:
    """The hook moves no state. If it was not accounted for yet, `version` is raised all the same."""
    absorbed = stored.estado in {Estado.EMITIDO, Estado.ELIMINADO}
    if absorbed or hook.hook_id in stored.vistos:
        return stored
    contradicts = stored.estado is Estado.RECHAZADO and hook.evento != "error"
    evidence = not stored.previos and hook.evento in {"encolado", "cambio_fecha"} and not contradicts
    written = ledger.fold_nothing(stored, hook.hook_id, evidence=evidence, reopen=contradicts)
    return written if isinstance(written, Asiento) else written.stored or stored
