"""What we do about an error, and what people decide: on the asiento, and on its timeline.

    pk = "{cuenta}#{external_reference}"   sk = "ACCION#{instant}#{accion}"   before it is done, and then how it ended
                                           sk = "DECISION#{instant}#{accion}#{solicitud}"   what a person decided

Before a call: its line of the timeline, then the intent on the asiento. A crash between leaves a line without an end,
and nothing was done. A crash after the intent leaves an asiento in error whose `version` moved on: nothing that was
planned before is done, and the next plan asks the provider first, so that whatever the call did is seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from facturacion.accion import MOTIVO_MAX, Accion, write_decision
from facturacion.asiento import Causa, Refused, causas_to_item
from facturacion.estado import Estado
from facturacion.events import CAUSAS_MAX, tipo_for
from facturacion.ledger.hooks import MENSAJE_MAX
from facturacion.ledger.table import Table, key_of, to_plain, to_values
from facturacion.tiempo import to_iso

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, timedelta

    from facturacion.accion import Autor
    from facturacion.asiento import Asiento

_ERROR = {":ERROR": Estado.ERROR}
CHANGED = ("NoEscrito", "cambió mientras tanto: no se hizo nada")


@dataclass(frozen=True, slots=True)
class Intento:
    """An action about to be done: its line of the timeline."""

    asiento: Asiento
    sk: str


class Acciones(Table):
    """Every write is conditional on `version`: nothing at all may have happened since the asiento was read."""

    def intend(
        self,
        asiento: Asiento,
        accion: Accion,
        autor: Autor,
        *,
        expires: timedelta,
        fecha: date | None = None,
        vencimiento: date | None = None,
        causas: Sequence[Causa] = (),
    ) -> Intento | Refused:
        """Written before the call: it is counted, and a deletion is noted as ours, with its reasons.

        Should its hook be faster than our record, or the record never be written, the reasons are there.
        """
        # Whoever acts has just seen it at the provider.
        sets: dict[str, Any] = {"en_cola": True}
        removes: tuple[str, ...] = ()
        match accion:
            case Accion.REENVIAR:
                sets["reenvios"] = asiento.reenvios + 1
                removes = ("por_reenviar",)
            case Accion.CAMBIAR_FECHA:
                sets["cambios_fecha"] = asiento.cambios_fecha + 1
            case Accion.ELIMINAR | Accion.DESISTIR:
                sets |= {"borrado_pedido": True, "borrados": asiento.borrados + 1}
                if causas:
                    sets["causas"] = causas_to_item(causas)
        sk = self._begin(
            "ACCION", asiento, accion, autor, expires=expires, fecha=fecha, vencimiento=vencimiento, causas=causas
        )
        # What is not heard of, or came to nothing, is not tried again at once: `intentado` goes with the record of
        # what was done. The line may have taken its time.
        written = self._in_error(asiento, sets | {"intentado": to_iso(self._clock())}, removes)
        if isinstance(written, Refused):
            self._end(asiento, sk, *CHANGED)
            return written
        return Intento(written, sk)

    def ended(self, intento: Intento, codigo: str, detalle: str) -> None:
        """How the call ended, on its line. A crash before it leaves a line without an end: the effect is asked for."""
        self._end(intento.asiento, intento.sk, codigo, detalle)

    def not_done(self, asiento: Asiento, accion: Accion, before: Asiento) -> Asiento | Refused:
        """The call certainly had no effect: it does not count. `before`: as it was before the intent.

        `intentado` stays, and is now: if the run cannot even pause itself, this is not tried again at once.
        """
        sets: dict[str, Any]
        match accion:
            case Accion.REENVIAR:
                sets = {"reenvios": before.reenvios, "por_reenviar": before.por_reenviar or None}
            case Accion.CAMBIAR_FECHA:
                sets = {"cambios_fecha": before.cambios_fecha}
            case Accion.ELIMINAR | Accion.DESISTIR:
                sets = {"borrados": before.borrados}
        return self._in_error(asiento, sets | {"intentado": to_iso(self._clock())}, ())

    def resent(self, asiento: Asiento, estado: Estado, vistos: frozenset[str]) -> Asiento | Refused:
        """Back in the provider's queue. `estado`: what the fold makes of ENCOLADO and the hooks not in `vistos`."""
        sets: dict[str, Any] = {
            "estado": estado,
            "evento_pendiente": tipo_for(estado),
            "vistos": set(vistos) or None,
            "error_desde": to_iso(self._clock()) if estado is Estado.ERROR else None,
        }
        removes = (
            "ausente_desde",
            "por_reenviar",
            "intentado",
            "decision",
            *(("causas",) if estado is Estado.ENCOLADO else ()),
        )
        return self._in_error(asiento, sets, removes)

    def dated(self, asiento: Asiento, fecha: date, vencimiento: date, vistos: frozenset[str]) -> Asiento | Refused:
        """Its date was changed at the provider. Whether that also queued it again, the next ask tells."""
        sets: dict[str, Any] = {
            "fecha": fecha.isoformat(),
            "vencimiento": vencimiento.isoformat(),
            "vistos": set(vistos) or None,
            "por_reenviar": True,
        }
        return self._in_error(asiento, sets, ("ausente_desde", "intentado", "decision"))

    def deleted(self, asiento: Asiento, causas: Sequence[Causa]) -> Asiento | Refused:
        """Deleted from the provider's queue → ELIMINADO. Terminal; the event is owed."""
        sets: dict[str, Any] = {
            "estado": Estado.ELIMINADO,
            "causas": causas_to_item(causas) or None,
            "evento_pendiente": tipo_for(Estado.ELIMINADO),
        }
        return self._in_error(asiento, sets, ("ausente_desde", "intentado", "decision"))

    def park(self, asiento: Asiento, causas: Sequence[Causa], *, tell: bool) -> Asiento | Refused:
        """Nothing more is done by itself → EN_REVISION. `tell`: each comprobante by itself, not as one incident."""
        sets: dict[str, Any] = {
            "estado": Estado.EN_REVISION,
            "en_cola": True,
            "causas": causas_to_item(causas),
            "evento_pendiente": tipo_for(Estado.EN_REVISION) if tell else None,
        }
        return self._in_error(asiento, sets, ("ausente_desde", "decision"))

    def suspect(self, asiento: Asiento, causa: Causa) -> Asiento | Refused:
        """Several comprobantes had this reference, and one is gone → EN_REVISION, also when its hook was faster.

        The others may send hooks under the same reference: from now on none of them is taken for its own (`previos`).
        """
        return self._on_version(
            asiento,
            "estado IN (:ERROR, :ELIMINADO) AND attribute_not_exists(reemplazado_por)",
            {**_ERROR, ":ELIMINADO": Estado.ELIMINADO},
            sets={
                "estado": Estado.EN_REVISION,
                "en_cola": True,
                "abierto": asiento.cuenta,
                "previos": asiento.previos + 1,
                "causas": causas_to_item((causa,)),
                "evento_pendiente": tipo_for(Estado.EN_REVISION),
            },
            removes=("ausente_desde", "decision", "por_reenviar"),
        )

    def reasons_of_deletion(self, asiento: Asiento) -> tuple[Causa, ...]:
        """Of the last deletion that was begun, whole; none where there was none of ours."""
        answer = self._client.query(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :accion)",
            ExpressionAttributeValues=to_values({":pk": asiento.pk, ":accion": "ACCION#"}),
            ScanIndexForward=False,
        )
        lines = (to_plain(item) for item in answer["Items"])
        deletion = next((x for x in lines if x["accion"] in {Accion.ELIMINAR, Accion.DESISTIR}), {})
        return tuple(Causa(*causa) for causa in deletion.get("causas", ()))

    def decide(
        self,
        asiento: Asiento,
        accion: Accion,
        autor: Autor,
        *,
        expires: timedelta,
        fecha: date | None = None,
    ) -> Asiento | Refused:
        """A person decided about what waits for one, or is in error: in error, with what is to be done about it.

        The counts begin anew: a person may know that the cause is gone. The run does it, and asks the provider first.
        What the provider never showed us is not resent but sent again: uncertain once more, its message on the queue
        asks, under the conditions that absence has. Where that message is gone (`sin_mensaje`), the run asks: absent,
        it is refused, and told; there, it is resent.

        Of what is in error already the run may be about to do something else. On `version`: before its intent, the
        intent is refused and it plans anew; after it, the record of its call is refused, and the decision stands over
        whatever the next ask finds. An error whose message was acknowledged is never made uncertain: nothing on the
        queue would send it again.
        """
        in_review = asiento.estado is Estado.EN_REVISION
        again = in_review and accion is Accion.REENVIAR and not (asiento.en_cola or asiento.sin_mensaje)
        # What is still owed of an error remains true; what was owed of a review is answered.
        answered = ("evento_pendiente",) if in_review else ()
        estado, decision = (Estado.INCIERTO, None) if again else (Estado.ERROR, write_decision(accion, fecha))
        sk = self._begin("DECISION", asiento, accion, autor, expires=expires, fecha=fecha)
        written = self._on_version(
            asiento,
            "estado IN (:EN_REVISION, :ERROR)",
            {":EN_REVISION": Estado.EN_REVISION, **_ERROR},
            sets={
                "estado": estado,
                "decision": decision,
                "abierto": asiento.cuenta,
                # What was never posted by us has no quiet period of its own: its absence counts from now.
                "quieto_desde": to_iso(asiento.quieto_desde or self._clock()),
            },
            removes=(
                *("ciclos", "reenvios", "cambios_fecha", "borrados"),
                *("intentado", "ausente_desde", "sin_mensaje", *answered),
            ),
        )
        if isinstance(written, Refused) and (stored := written.stored):
            # boto3 repeats a write whose answer was lost, and the repeat is refused by what it wrote itself.
            made = (asiento.version + 1, estado, decision)
            new = (asiento.estado, asiento.decision) != (estado, decision)
            written = stored if new and (stored.version, stored.estado, stored.decision) == made else written
        self._end(asiento, sk, *(CHANGED if isinstance(written, Refused) else ("Decidido", "")))
        return written

    def dismiss(self, asiento: Asiento, autor: Autor, *, expires: timedelta) -> Asiento | Refused:
        """A person has seen a reference of which nothing is ours: it stays guarded, and leaves what is open."""
        sk = self._begin("DECISION", asiento, Accion.DESISTIR, autor, expires=expires)
        written = self._on_version(
            asiento,
            "estado = :EN_REVISION AND attribute_not_exists(#hash)",
            {":EN_REVISION": Estado.EN_REVISION},
            sets={},
            removes=("abierto", "evento_pendiente"),
        )
        self._end(asiento, sk, *(CHANGED if isinstance(written, Refused) else ("Decidido", "")))
        return written

    def _in_error(self, asiento: Asiento, sets: dict[str, Any], removes: Sequence[str]) -> Asiento | Refused:
        return self._on_version(asiento, "estado = :ERROR", _ERROR, sets=sets, removes=removes)

    def _begin(
        self,
        kind: str,
        asiento: Asiento,
        accion: Accion,
        autor: Autor,
        *,
        expires: timedelta,
        fecha: date | None = None,
        vencimiento: date | None = None,
        causas: Sequence[Causa] = (),
    ) -> str:
        """A line of the timeline, before anything is done; its sk."""
        now = self._clock()
        line = {
            "pk": asiento.pk,
            "sk": f"{kind}#{to_iso(now)}#{accion}" + (f"#{autor.solicitud}" if autor.solicitud else ""),
            "accion": str(accion),
            "quien": autor.quien,
            "motivo": autor.motivo[:MOTIVO_MAX],
            "empezada": to_iso(now),
            "vence": int((now + expires).timestamp()),
        }
        if autor.solicitud:
            line["solicitud"] = autor.solicitud
        if causas:
            # Whole, where the asiento keeps them cut: should its hook be what tells of a deletion, they are here.
            line["causas"] = [[c.codigo, c.campo, c.mensaje[:MENSAJE_MAX]] for c in causas[:CAUSAS_MAX]]
        if fecha:
            line["fecha"] = fecha.isoformat()
        if vencimiento:
            line["vencimiento"] = vencimiento.isoformat()
        self._client.put_item(TableName=self._table, Item=to_values(line))
        return str(line["sk"])

    def _end(self, asiento: Asiento, sk: str, codigo: str, detalle: str) -> None:
        self._client.update_item(
            TableName=self._table,
            Key=key_of(asiento.pk, sk),
            UpdateExpression="SET resultado = :codigo, detalle = :detalle, terminada = :now",
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeValues=to_values(
                {":codigo": codigo, ":detalle": detalle[:MOTIVO_MAX], ":now": to_iso(self._clock())}
            ),
        )
