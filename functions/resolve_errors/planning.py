"""What is to be done about one error, and when. Pure: neither boto3 nor httpx.

    class of the error     what is done                                                       how often
    transitorio, ambiguo,  resent after a growing wait, in the original order                 5 times
    asociado
    numeracion (10016)     resent twice, then its date is changed and it is resent            then a person
    fecha                  its date is changed, then it is resent                             3 times
    datos                  deleted, if the words can only be of this attempt                  2 times
    cuenta                 parked: one incident of the cuenta, all are resent when it is mended
    revision, unknown      parked: nobody deletes, and nothing resends, what is not understood
    no words at all        resent once the words had time to come, twice; then parked

What is tried again waits as a resend does, three times as long each time.

An error may in truth be authorised at ARCA, so an ambiguous one is never deleted. What a person decided comes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, TypeAlias

from facturacion.accion import Accion
from facturacion.asiento import CAUSA_DESCONOCIDA, Causa
from resolve_errors.waits import RESENDS_MAX, next_wait
from tusfacturas.catalogue import Clase

if TYPE_CHECKING:
    from datetime import datetime

    from facturacion.asiento import Asiento
    from facturacion.ledger import Pendiente
    from tusfacturas.classify import Clasificacion

NUMERACION_REENVIOS = 2
CAMBIOS_MAX = 3
BORRADOS_MAX = 2
SIN_CAUSA_REENVIOS = 2


@dataclass(frozen=True, slots=True)
class Terms:
    """`resend_wait`: before the first resend. `quiet`: how long the words of an error may be on their way."""

    resend_wait: timedelta
    quiet: timedelta


@dataclass(frozen=True, slots=True)
class Hacer:
    """To be done now. `por_persona`: a person decided it; then nothing but the provider's own state holds it back."""

    accion: Accion
    causas: tuple[Causa, ...]
    por_persona: bool = False
    fecha: date | None = None

    @property
    def en_fila(self) -> bool:
        """Whether it waits for an earlier one that waits: a deletion overtakes nobody, a person decides for now."""
        return not self.por_persona and self.accion in {Accion.REENVIAR, Accion.CAMBIAR_FECHA}


@dataclass(frozen=True, slots=True)
class Aguardar:
    """To be done, and not before `hasta`."""

    hasta: datetime
    causas: tuple[Causa, ...]
    en_fila: bool = True


@dataclass(frozen=True, slots=True)
class Estacionar:
    """A person must decide. `incidente`: it is the cuenta that is to be mended, and told of once."""

    causas: tuple[Causa, ...]
    incidente: bool = False


Paso: TypeAlias = Hacer | Aguardar | Estacionar


def plan(
    asiento: Asiento,
    pendiente: Pendiente,
    clasificacion: Clasificacion | None,
    *,
    now: datetime,
    terms: Terms,
) -> Paso:
    """`clasificacion`: of the words of the hooks that were not accounted for yet; None when there are none."""
    paso = _wanted(asiento, pendiente, clasificacion, now, terms)
    if isinstance(paso, Hacer) and asiento.intentado and now < asiento.intentado + terms.resend_wait:
        # Something was done about it, and what became of that was never heard: it may still come about.
        return Aguardar(asiento.intentado + terms.resend_wait, paso.causas, en_fila=paso.en_fila)
    return paso


def _wanted(
    asiento: Asiento, pendiente: Pendiente, clasificacion: Clasificacion | None, now: datetime, terms: Terms
) -> Paso:
    if asiento.decision:
        return _paced(asiento, pendiente, decided(asiento.decision), now, terms)
    if clasificacion is None:
        return _without_words(asiento, pendiente, now, terms)
    causas = causas_of(clasificacion)
    match clasificacion.clase:
        case Clase.TRANSITORIO | Clase.AMBIGUO | Clase.ASOCIADO:
            return _resend(asiento, pendiente, causas, now, terms)
        case Clase.NUMERACION if asiento.reenvios < NUMERACION_REENVIOS:
            return _resend(asiento, pendiente, causas, now, terms)
        case Clase.NUMERACION if not asiento.cambios_fecha:
            return Hacer(Accion.CAMBIAR_FECHA, causas)
        case Clase.FECHA:
            return _paced(asiento, pendiente, Hacer(Accion.CAMBIAR_FECHA, causas), now, terms)
        case Clase.DATOS if not asiento.previos:
            return _paced(asiento, pendiente, Hacer(Accion.ELIMINAR, causas), now, terms)
        case Clase.CUENTA:
            return Estacionar(causas, incidente=True)
        case _:
            # Unknown, or only for a person; or of an earlier attempt: nothing is deleted on what may be its words.
            return Estacionar(causas)


def causas_of(clasificacion: Clasificacion) -> tuple[Causa, ...]:
    """Its reasons as the company is told them: what it means and what to correct, and the provider's own words."""
    return tuple(
        Causa(r.codigo, r.campo, f"{r.mensaje} TusFacturas dijo: «{r.texto}»" if r.texto else r.mensaje)
        for r in clasificacion.razones
    )


def decided(decision: str) -> Hacer:
    """`decision`: as the ledger keeps it, `eliminar` or `cambiar_fecha:2026-11-22`."""
    accion, _, fecha = decision.partition(":")
    return Hacer(Accion(accion), (), por_persona=True, fecha=date.fromisoformat(fecha) if fecha else None)


def _without_words(asiento: Asiento, pendiente: Pendiente, now: datetime, terms: Terms) -> Paso:
    if asiento.por_reenviar:
        return Hacer(Accion.REENVIAR, asiento.causas)
    if asiento.reenvios >= SIN_CAUSA_REENVIOS:
        return Estacionar((CAUSA_DESCONOCIDA,))
    due = _since(asiento, pendiente) + terms.quiet
    # A resend creates nothing, and its next error may bring the words that were lost.
    return Hacer(Accion.REENVIAR, (CAUSA_DESCONOCIDA,)) if now >= due else Aguardar(due, (CAUSA_DESCONOCIDA,))


def _resend(asiento: Asiento, pendiente: Pendiente, causas: tuple[Causa, ...], now: datetime, terms: Terms) -> Paso:
    wait = next_wait(terms.resend_wait, asiento.reenvios)
    if wait is None:
        return Estacionar(causas)
    due = _since(asiento, pendiente) + wait
    return Hacer(Accion.REENVIAR, causas) if now >= due else Aguardar(due, causas)


def _since(asiento: Asiento, pendiente: Pendiente) -> datetime:
    """When the waits of this error begin. A crash after a resend leaves the note of the error before it."""
    return max(pendiente.creado, asiento.error_desde or pendiente.creado)


def _paced(asiento: Asiento, pendiente: Pendiente, hacer: Hacer, now: datetime, terms: Terms) -> Paso:
    """At once the first time; again where it came to nothing, later each time; a person's in the end."""
    match hacer.accion:
        case Accion.REENVIAR:
            done, most = asiento.reenvios, RESENDS_MAX
        case Accion.CAMBIAR_FECHA:
            done, most = asiento.cambios_fecha, CAMBIOS_MAX
        case Accion.ELIMINAR | Accion.DESISTIR:
            done, most = asiento.borrados, BORRADOS_MAX
    wait = next_wait(terms.resend_wait, done - 1) if done else timedelta(0)
    if done >= most or wait is None:
        texto = f"Se intentó {done} veces («{hacer.accion}») y TusFacturas no lo hizo."
        return Estacionar((Causa("NoSePudo", "", texto), *(hacer.causas or asiento.causas)))
    due = _since(asiento, pendiente) + wait
    return hacer if not done or now >= due else Aguardar(due, hacer.causas, en_fila=hacer.en_fila)
