"""What our own POSTs and questions brought, and what was told of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from facturacion.asiento import DUPLICADA, Refused, causas_to_item, datos_to_item, motivos_to_item, pk_of
from facturacion.estado import Estado
from facturacion.events import tipo_for
from facturacion.ledger.table import Table
from facturacion.tiempo import to_iso

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from facturacion.asiento import Asiento, Causa, Datos


@dataclass(frozen=True, slots=True)
class Emision:
    """What an issued comprobante brought. `pdf`: the key in the bucket. `sin_validez`: a DEV plan gives no CAE.

    `datos`: its tipo, fecha and total as they were issued, which may have been changed at the provider.
    """

    cae: str | None
    numero: int | None
    cae_vencimiento: date | None
    pdf: str | None
    sin_validez: bool
    datos: Datos


class Answers(Table):
    """Writes of what a POST brought: whatever happened since, the lote must still be ours."""

    def accepted(self, asiento: Asiento) -> Asiento | Refused:
        """The provider accepted it in its answer → ENVIADO, with evidence of the queue."""
        return self._record(
            asiento,
            "lote_id = :l AND estado IN (:ENVIANDO, :INCIERTO)",
            (Estado.ENVIANDO, Estado.INCIERTO),
            sets={"estado": Estado.ENVIADO, "en_cola": True},
            removes=("ausente_desde",),
        )

    def evidence(self, asiento: Asiento) -> Asiento | Refused:
        """A hook was faster than our record of the acceptance: the state stays, the evidence is kept."""
        return self._record(
            asiento, "lote_id = :l AND attribute_not_exists(en_cola)", (), sets={"en_cola": True}, removes=()
        )

    def refused(self, asiento: Asiento, causas: Sequence[Causa]) -> Asiento | Refused:
        """The provider refused it → RECHAZADO; its content is never posted again. The event is owed."""
        return self._record(
            asiento,
            "lote_id = :l AND estado IN (:ENVIANDO, :INCIERTO, :ERROR)",
            (Estado.ENVIANDO, Estado.INCIERTO, Estado.ERROR),
            sets={
                "estado": Estado.RECHAZADO,
                "causas": causas_to_item(causas),
                "evento_pendiente": "ComprobanteRechazado",
            },
            removes=("ausente_desde",),
            add_hash=True,
        )

    def not_sent(self, asiento: Asiento, *, dudoso: bool = False) -> Asiento | Refused:
        """Nothing left, or nothing was queued → PENDIENTE: the queue will bring it again.

        `dudoso`: it was refused alone, perhaps by its own fault: from now on it has its turn behind others.
        """
        return self._record(
            asiento,
            "lote_id = :l AND estado = :ENVIANDO",
            (Estado.ENVIANDO,),
            sets={"estado": Estado.PENDIENTE} | ({"dudas": asiento.dudas + 1} if dudoso else {}),
            removes=("ausente_desde",),
        )

    def uncertain(self, asiento: Asiento) -> Asiento | Refused:
        """No trustworthy answer → INCIERTO; the quiet period starts now."""
        return self._record(
            asiento,
            "lote_id = :l AND estado = :ENVIANDO",
            (Estado.ENVIANDO,),
            sets={"estado": Estado.INCIERTO, "quieto_desde": to_iso(self._clock())},
            removes=("ausente_desde",),
        )

    def refuse_unsent(
        self,
        cuenta: str,
        external_reference: str,
        datos: Datos,
        causas: Sequence[Causa],
        *,
        stored: Asiento | None = None,
    ) -> Asiento | Refused:
        """It breaks the provider's rules, so it is never posted → RECHAZADO. The event is owed.

        `stored`: what was read before, and its hooks with it: another content that was refused, or this one, which
        waits to be sent again while the rules became stricter. None: the reference is new.
        """
        now = to_iso(self._clock())
        condition, values = "attribute_not_exists(pk)", {}
        if stored:
            condition = (
                "version = :v AND ((estado = :RECHAZADO AND NOT contains(rechazados, :hash))"
                " OR (estado = :PENDIENTE AND #hash = :hash))"
            )
            values = {
                ":v": stored.version,
                ":RECHAZADO": Estado.RECHAZADO,
                ":PENDIENTE": Estado.PENDIENTE,
                ":hash": datos.hash,
            }
        return self._write(
            self._update(
                pk_of(cuenta, external_reference),
                condition,
                values,
                sets={
                    "cuenta": cuenta,
                    "external_reference": external_reference,
                    "estado": Estado.RECHAZADO,
                    "orden": now,
                    "abierto": cuenta,
                    "causas": causas_to_item(causas),
                    "evento_pendiente": "ComprobanteRechazado",
                    # Nothing of a content that was here before.
                    "tipo": None,
                    "fecha": None,
                    "vencimiento": None,
                    "total": None,
                    **datos_to_item(datos),
                    **(
                        {"motivos": motivos_to_item(stored) or None}
                        if stored and stored.estado is Estado.RECHAZADO
                        else {}
                    ),
                },
                defaults={"creado": now, "previos": 0},
                adds={"rechazados": {datos.hash}},
            ),
        )


class Asks(Table):
    """Writes of what was decided on an asiento as read: nothing at all may have happened since."""

    def found(
        self,
        asiento: Asiento,
        estado: Estado,
        *,
        vistos: frozenset[str] | None,
        causas: Sequence[Causa] = (),
    ) -> Asiento | Refused:
        """The provider has it. `vistos`: the hooks read before the ask; None keeps live those that were."""
        sets: dict[str, Any] = {"estado": estado, "en_cola": True, "evento_pendiente": tipo_for(estado)}
        if vistos:
            sets["vistos"] = set(vistos)
        if causas and not asiento.causas:
            sets["causas"] = causas_to_item(causas)
        if estado is Estado.ERROR:
            sets["error_desde"] = to_iso(asiento.error_desde or self._clock())
        # What a person decided about an error has nothing left to be done about once it is none.
        of_an_error = ("decision", "por_reenviar", "intentado", "error_desde", "causas")
        overtaken = () if estado is Estado.ERROR else of_an_error
        condition, values = _its_lote(asiento)
        return self._on_version(asiento, condition, values, sets=sets, removes=("ausente_desde", *overtaken))

    def absent_first(self, asiento: Asiento) -> Asiento | Refused:
        """A first believed absence: noted, nothing else. An ask at least SettleSeconds later decides.

        Noted as of now and not of when it was asked: the provider may have looked at the very end of a slow answer, and
        what is nowhere for a moment must have been through it before the second look.
        """
        condition, values = _its_lote(asiento)
        return self._on_version(
            asiento,
            f"{condition} AND attribute_not_exists(ausente_desde)",
            values,
            sets={"ausente_desde": to_iso(self._clock())},
        )

    def seen_again(self, asiento: Asiento) -> Asiento | Refused:
        """It was there after all, or the provider stopped answering: an absence noted before counts no more."""
        return self._on_version(asiento, None, {}, sets={}, removes=("ausente_desde",))

    def absent_again(self, asiento: Asiento, *, noted_before: datetime) -> Asiento | Refused:
        """The second absence of something in flight → PENDIENTE; its POST counts among `previos`."""
        return self._on_version(
            asiento,
            "lote_id = :l AND estado IN (:ENVIANDO, :INCIERTO) AND ausente_desde <= :settled",
            {
                ":l": asiento.lote_id,
                ":ENVIANDO": Estado.ENVIANDO,
                ":INCIERTO": Estado.INCIERTO,
                ":settled": to_iso(noted_before),
            },
            sets={"estado": Estado.PENDIENTE, "previos": asiento.previos + 1, "ciclos": asiento.ciclos + 1},
            removes=("ausente_desde",),
        )

    def gone(self, asiento: Asiento, *, noted_before: datetime) -> Asiento | Refused:
        """The second absence of something that the provider had acknowledged → ELIMINADO; the event is owed.

        In error with no evidence of the queue and no intent of ours to delete it, it never entered → RECHAZADO. In
        review only with that evidence: of anything else the message may still be there.
        """
        never = asiento.estado is Estado.ERROR and not asiento.en_cola and not asiento.borrado_pedido
        estado = Estado.RECHAZADO if never else Estado.ELIMINADO
        its_lote, values = _its_lote(asiento)
        return self._on_version(
            asiento,
            f"{its_lote} AND (estado IN (:ENVIADO, :ENCOLADO, :ERROR)"
            " OR (estado = :EN_REVISION AND attribute_exists(en_cola))) AND ausente_desde <= :settled",
            {
                **values,
                ":EN_REVISION": Estado.EN_REVISION,
                ":ENVIADO": Estado.ENVIADO,
                ":ENCOLADO": Estado.ENCOLADO,
                ":ERROR": Estado.ERROR,
                ":settled": to_iso(noted_before),
            },
            sets={"estado": estado, "evento_pendiente": tipo_for(estado)},
            removes=("ausente_desde",),
            adds={"rechazados": {asiento.datos.hash}} if never else {},
        )

    def attended(self, asiento: Asiento, vistos: frozenset[str]) -> Asiento | Refused:
        """Not at the provider, a hook said otherwise, and twice it was not there: its hooks are accounted for."""
        condition, values = _its_lote(asiento)
        return self._on_version(
            asiento,
            f"{condition} AND estado IN (:PENDIENTE, :RECHAZADO)",
            {**values, ":PENDIENTE": Estado.PENDIENTE, ":RECHAZADO": Estado.RECHAZADO},
            sets={"vistos": set(vistos)},
            removes=("ausente_desde",),
        )

    def to_review(self, asiento: Asiento, causa: Causa, *, en_cola: bool) -> Asiento | Refused:
        """A person must decide → EN_REVISION; the event is owed."""
        sets: dict[str, Any] = {
            "estado": Estado.EN_REVISION,
            "causas": causas_to_item((causa,)),
            "evento_pendiente": "RevisionRequerida",
        }
        if en_cola:
            sets["en_cola"] = True
        elif asiento.estado in {Estado.ERROR, Estado.RECHAZADO} and not asiento.en_cola:
            # Its hook, or its refusal, made the message known, and that is gone: what is decided has to do without.
            sets["sin_mensaje"] = True
        if causa.codigo == DUPLICADA:
            # The others may send hooks under the same reference: none of them is taken for its own from now on.
            sets["previos"] = asiento.previos + 1
        return self._on_version(asiento, None, {}, sets=sets, removes=("ausente_desde", "decision", "por_reenviar"))

    def published(self, asiento: Asiento, *, closes: bool) -> Asiento | Refused:
        """The owed event is out. `closes`: nothing more will happen, so it leaves the index of what is open.

        On `version`: a state that moved meanwhile owes an event of its own.
        """
        removes = ("evento_pendiente", "abierto") if closes else ("evento_pendiente",)
        return self._on_version(asiento, None, {}, sets={}, removes=removes)

    def finished(self, asiento: Asiento, emision: Emision) -> Asiento | Refused:
        """Issued, told, and nothing more to come: it leaves the index of what is open."""
        return self._on_version(
            asiento,
            None,
            {},
            sets={
                "estado": Estado.EMITIDO,
                "en_cola": True,
                "cae": emision.cae,
                "numero": emision.numero,
                "cae_vencimiento": emision.cae_vencimiento.isoformat() if emision.cae_vencimiento else None,
                "pdf": emision.pdf,
                **datos_to_item(emision.datos),
                "sin_validez": True if emision.sin_validez else None,
            },
            removes=("evento_pendiente", "abierto", "ausente_desde", "causas"),
        )


def _its_lote(asiento: Asiento) -> tuple[str, dict[str, Any]]:
    """The lote as read; what was refused before any POST has none."""
    if asiento.lote_id is None:
        return "attribute_not_exists(lote_id)", {}
    return "lote_id = :l", {":l": asiento.lote_id}
