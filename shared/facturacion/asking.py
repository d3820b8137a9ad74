"""Asking the provider about one comprobante, and what its answer permits. `decide` is pure; `ask` does it.

Rules, each of which an exhaustive model of one reference showed to be needed:

- An absent answer counts only if the ask *began* after the quiet period, because the provider may go on with a request
  whose answer we lost, and we may be slow to write what we heard.
- Absent is believed at the second absent answer, at least SettleSeconds after a first one that was noted in the ledger,
  with nothing seen between: an item is invisible for a moment between queue and issued.
- Absent means `total` = 0 by EXT_REF. `total` > 0 with no equal reference proves nothing: a person decides.
- More than one equal reference is a duplicate: never acted on blindly.
- What is written was decided on a `version`; if anything happened since, nothing is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

from facturacion.asiento import DUPLICADA, Causa, Refused
from facturacion.estado import EN_VUELO, Estado, speaks
from tusfacturas.outcomes import Consulta, Encontrado

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from facturacion.asiento import Asiento
    from facturacion.estado import Hook
    from facturacion.ledger import Ledger
    from tusfacturas.client import Cliente

CICLOS_MAX = 3
"""How often an uncertain comprobante may turn out absent and be sent again before a person looks at it."""

SENDER_MARGIN = timedelta(seconds=5)
"""What a sender may need, after its read timeout, to write what it heard."""

UNKNOWN_REFERENCE = Causa(
    "ReferenciaAjena",
    "external_reference",
    "TusFacturas avisó de una referencia que nadie pidió emitir por aquí: puede ser de otro sistema.",
)
REFUSED_YET_PRESENT = Causa("RechazadoPeroPresente", "", "Fue rechazado, y sin embargo está en TusFacturas.")
_MOVED_BY_HOOKS = frozenset({Estado.ENVIANDO, Estado.INCIERTO, Estado.PENDIENTE})
"""In flight, a first attempt's hook is about to move it: the stream is only behind."""
_ESTADO = {"EMITIDO": Estado.EMITIDO, "EN_COLA": Estado.ENCOLADO, "CON_ERROR": Estado.ERROR}


@dataclass(frozen=True, slots=True)
class Hallado:
    """The provider has it, in this state."""

    estado: Estado
    comprobante: Encontrado


@dataclass(frozen=True, slots=True)
class AnotarAusencia:
    """A first believed absence: to be noted."""


@dataclass(frozen=True, slots=True)
class Ausente:
    """A second believed absence: it is not there."""


@dataclass(frozen=True, slots=True)
class Revisar:
    """A person must look. `en_cola`: whether the provider certainly has something under this reference."""

    causa: Causa
    en_cola: bool


@dataclass(frozen=True, slots=True)
class Esperar:
    """Nothing can be concluded yet."""

    motivo: str


Decision: TypeAlias = Hallado | AnotarAusencia | Ausente | Revisar | Esperar


def decide(
    asiento: Asiento,
    hooks: Sequence[Hook],
    consulta: Consulta,
    *,
    asked_at: datetime,
    quiet: timedelta,
    settle: timedelta,
) -> Decision:
    """What an answered query permits. `hooks` were read before the ask, which began at `asked_at`."""
    iguales = consulta.con_referencia(asiento.external_reference)
    if iguales:
        return read_present(iguales)
    # What we refused has no POST behind it that could still be under way; of anything else one must be known.
    never_posted = asiento.estado is Estado.RECHAZADO and asiento.quieto_desde is None
    if not never_posted and (asiento.quieto_desde is None or asked_at < asiento.quieto_desde + quiet):
        return Esperar("no figura, pero TusFacturas todavía puede estar procesando el lote")
    if not consulta.ausente:
        texto = "TusFacturas dice tener comprobantes para esta referencia, pero ninguno con la referencia exacta."
        return Revisar(Causa("ReferenciaNoCoincide", "comprobante.external_reference", texto), en_cola=False)
    unseen = any(speaks(h) and h.hook_id not in asiento.vistos for h in hooks)
    if unseen and asiento.estado in _MOVED_BY_HOOKS and not asiento.previos:
        return Esperar("no figura, pero llegó un hook suyo que todavía no se aplicó")
    if asiento.ausente_desde is None:
        return AnotarAusencia()
    if asked_at < asiento.ausente_desde + settle:
        return Esperar("no figura; se confirma con una segunda consulta")
    if asiento.estado in EN_VUELO and asiento.ciclos + 1 > CICLOS_MAX:
        texto = f"Se envió {asiento.ciclos + 1} veces sin respuesta confiable y TusFacturas no lo tiene."
        return Revisar(Causa("EnviosAgotados", "", texto), en_cola=False)
    return Ausente()


def read_present(iguales: Sequence[Encontrado]) -> Hallado | Revisar:
    """What the provider has under one reference: more than one comprobante may be a second invoice."""
    if len(iguales) > 1:
        texto = f"TusFacturas tiene {len(iguales)} comprobantes con esta referencia: puede haber una factura duplicada."
        return Revisar(Causa(DUPLICADA, "comprobante.external_reference", texto), en_cola=True)
    comprobante = iguales[0]
    if comprobante.situacion is None:
        texto = f"TusFacturas lo tiene, con un estado desconocido: «{comprobante.status[:60]}»."
        return Revisar(Causa("EstadoDesconocido", "", texto), en_cola=True)
    return Hallado(_ESTADO[comprobante.situacion], comprobante)


@dataclass(frozen=True, slots=True)
class Preguntado:
    """What an ask came to. `answered`: the provider answered at all, so it is alive. `asiento`: as it stands now."""

    answered: bool
    asiento: Asiento
    motivo: str


def ask(
    asiento: Asiento,
    *,
    ledger: Ledger,
    cliente: Cliente,
    clock: Callable[[], datetime],
    quiet: timedelta,
    settle: timedelta,
) -> Preguntado:
    """Ask about a comprobante that is open, and write what the answer proves.

    For an ENVIANDO the caller has seen to it that its POST cannot be under way any more (`is_alive`).

    Steps: read the hooks, ask, write on `version`. A crash before the write leaves everything as it was, and whoever
    comes next asks again; a write refused because something happened meanwhile changes nothing and is left to the next.
    """
    hooks = ledger.hooks(asiento.cuenta, asiento.external_reference)
    asked_at = clock()
    answer = cliente.consulta_por_referencia(asiento.external_reference)
    if not isinstance(answer, Consulta):
        return Preguntado(answered=False, asiento=forget_absence(asiento, ledger), motivo=answer.detalle)
    return conclude(asiento, hooks, answer, ledger=ledger, asked_at=asked_at, quiet=quiet, settle=settle)


def forget_absence(asiento: Asiento, ledger: Ledger) -> Asiento:
    """Time in which the provider does not answer, or shows the comprobante, does not count towards its absence."""
    if asiento.ausente_desde is None:
        return asiento
    written = ledger.seen_again(asiento)
    return written if not isinstance(written, Refused) else written.stored or asiento


def conclude(
    asiento: Asiento,
    hooks: Sequence[Hook],
    answer: Consulta,
    *,
    ledger: Ledger,
    asked_at: datetime,
    quiet: timedelta,
    settle: timedelta,
) -> Preguntado:
    """Write what an answer to an ask that began at `asked_at`, after `hooks` were read, proves."""
    decision = decide(asiento, hooks, answer, asked_at=asked_at, quiet=quiet, settle=settle)
    motivo = ""
    written: Asiento | Refused
    match decision:
        case Esperar():
            return Preguntado(answered=True, asiento=asiento, motivo=decision.motivo)
        case Hallado() if asiento.estado is Estado.RECHAZADO and decision.estado is not Estado.EMITIDO:
            written = ledger.to_review(asiento, REFUSED_YET_PRESENT, en_cola=True)
            motivo = REFUSED_YET_PRESENT.mensaje
        case Hallado():
            # An error keeps its hooks live: they are what will classify it.
            vistos = None if decision.estado is Estado.ERROR else frozenset(h.hook_id for h in hooks)
            written = ledger.found(asiento, decision.estado, vistos=vistos)
            motivo = "TusFacturas lo tiene"
        case AnotarAusencia():
            written = ledger.absent_first(asiento)
            motivo = "no figura; se confirma con una segunda consulta"
        case Ausente() if asiento.estado in {Estado.PENDIENTE, Estado.RECHAZADO}:
            written = ledger.attended(asiento, frozenset(h.hook_id for h in hooks))
            motivo = "no figura: los hooks eran de un envío anterior"
        case Ausente() if asiento.estado in EN_VUELO:
            written = ledger.absent_again(asiento, noted_before=asked_at - settle)
            motivo = "no figura, ya no puede aparecer: se envía de nuevo"
        case Ausente():
            written = ledger.gone(asiento, noted_before=asked_at - settle)
            motivo = "estuvo en la cola de TusFacturas y ya no está"
        case Revisar():
            written = ledger.to_review(asiento, decision.causa, en_cola=decision.en_cola)
            motivo = decision.causa.mensaje
    if isinstance(written, Refused):
        return Preguntado(answered=True, asiento=written.stored or asiento, motivo="cambió mientras se consultaba")
    return Preguntado(answered=True, asiento=written, motivo=motivo)


def is_alive(asiento: Asiento, now: datetime, *, provider_timeout: timedelta) -> bool:
    """Whether the POST of an ENVIANDO may still be somebody's: its sender may wait for the answer until then."""
    if asiento.estado is not Estado.ENVIANDO:
        return False
    assert asiento.post_hasta is not None  # noqa: S101 - every claim writes it
    return now < asiento.post_hasta + provider_timeout + SENDER_MARGIN
