"""Who may POST a comprobante: the claim, and its renewal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from facturacion.asiento import Datos, Refused, datos_to_item, motivos_to_item, pk_of
from facturacion.estado import Estado
from facturacion.ledger.table import Table
from facturacion.tiempo import to_iso

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from facturacion.asiento import Asiento

_OF_AN_ATTEMPT = (
    "en_cola",
    "borrado_pedido",
    "sin_mensaje",
    "ausente_desde",
    "evento_pendiente",
    "causas",
    "reenvios",
    "cambios_fecha",
    "borrados",
    "por_reenviar",
    "intentado",
    "error_desde",
    "decision",
)
"""What a new attempt does not inherit."""


@dataclass(frozen=True, slots=True)
class Reclamo:
    """A claim: this POST (`lote_id`) takes this comprobante, and may leave until `post_hasta`.

    `llegado`: when its message came to the queue.
    """

    cuenta: str
    external_reference: str
    datos: Datos
    lote_id: str
    post_hasta: datetime
    orden: str
    reemplaza: str | None = None
    llegado: datetime | None = None


class Claims(Table):
    """Each claim is one conditional write (two in one transaction when it replaces another comprobante)."""

    def claim(self, reclamo: Reclamo) -> Asiento | Refused:
        """New, or PENDIENTE with nothing behind it → ENVIANDO.

        A crash after it leaves an ENVIANDO whose POST may or may not have left: whoever meets it later asks the
        provider, never earlier than `post_hasta` + the quiet period.
        """
        return self._claim(
            reclamo,
            "attribute_not_exists(pk) OR (estado = :PENDIENTE AND #hash = :hash AND previos = :cero)",
            {":PENDIENTE": Estado.PENDIENTE, ":cero": 0},
        )

    def claim_again(self, reclamo: Reclamo, stored: Asiento, vistos: frozenset[str]) -> Asiento | Refused:
        """What was read before is claimed again: RECHAZADO with corrected content, or PENDIENTE after an earlier POST.

        `vistos`: the hooks stored until now. They belong to earlier attempts, and must never speak for this one.
        """
        if stored.estado not in {Estado.PENDIENTE, Estado.RECHAZADO}:
            return Refused(stored)
        corrected = stored.estado is Estado.RECHAZADO
        condition = "version = :v AND " + (
            "estado = :antes AND NOT contains(rechazados, :hash)" if corrected else "estado = :antes AND #hash = :hash"
        )
        previos = stored.previos + (1 if corrected and stored.lote_id else 0)
        return self._claim(
            reclamo,
            condition,
            {":antes": stored.estado, ":v": stored.version},
            also={"previos": previos, "vistos": set(vistos) or None} | (_forgotten(stored) if corrected else {}),
        )

    def renew(self, asiento: Asiento, post_hasta: datetime) -> Asiento | Refused:
        """Before a further POST of a claim that is still ours, after a refusal that certainly had no effect."""
        return self._record(
            asiento,
            "lote_id = :l AND estado = :ENVIANDO",
            (Estado.ENVIANDO,),
            sets={"post_hasta": to_iso(post_hasta), "quieto_desde": to_iso(post_hasta)},
            removes=("ausente_desde",),
        )

    def _claim(
        self,
        reclamo: Reclamo,
        condition: str,
        values: dict[str, Any],
        also: Mapping[str, Any] | None = None,
    ) -> Asiento | Refused:
        update = self._update(
            pk_of(reclamo.cuenta, reclamo.external_reference),
            condition,
            values | {":hash": reclamo.datos.hash},
            sets={
                "cuenta": reclamo.cuenta,
                "external_reference": reclamo.external_reference,
                "estado": Estado.ENVIANDO,
                "lote_id": reclamo.lote_id,
                "post_hasta": to_iso(reclamo.post_hasta),
                "quieto_desde": to_iso(reclamo.post_hasta),
                "orden": reclamo.orden,
                "abierto": reclamo.cuenta,
                "reemplaza": reclamo.reemplaza,
                **datos_to_item(reclamo.datos),
                **(also or {}),
            },
            defaults=self._first(reclamo) if also is None else {},
            removes=_OF_AN_ATTEMPT,
        )
        written = self._replace(reclamo, update) if reclamo.reemplaza else self._write(update)
        if isinstance(written, Refused) and written.stored and written.stored.lote_id == reclamo.lote_id:
            return written.stored
        return written

    def _first(self, reclamo: Reclamo) -> dict[str, Any]:
        """What only the first claim of a reference writes. Seconds, for they are short."""
        first: dict[str, Any] = {"creado": to_iso(self._clock()), "previos": 0}
        return first | ({"llegado": int(reclamo.llegado.timestamp())} if reclamo.llegado else {})

    def _replace(self, reclamo: Reclamo, update: dict[str, Any]) -> Asiento | Refused:
        """The claim, and the deleted comprobante that it replaces, in one transaction: else two invoices for a sale."""
        assert reclamo.reemplaza is not None  # noqa: S101 - the caller asked
        old = self._update(
            pk_of(reclamo.cuenta, reclamo.reemplaza),
            "estado = :ELIMINADO AND (attribute_not_exists(reemplazado_por) OR reemplazado_por = :nuevo)",
            {":ELIMINADO": Estado.ELIMINADO, ":nuevo": reclamo.external_reference},
            sets={"reemplazado_por": reclamo.external_reference},
        )
        try:
            items: Any = [{"Update": update}, {"Update": old}]
            self._client.transact_write_items(TransactItems=items)
        except self._client.exceptions.TransactionCanceledException as error:
            reasons = error.response["CancellationReasons"]
            if any(r["Code"] not in {"None", "ConditionalCheckFailed"} for r in reasons):
                raise
            return Refused(self.get(reclamo.cuenta, reclamo.external_reference))
        stored = self.get(reclamo.cuenta, reclamo.external_reference)
        return stored if stored and stored.lote_id == reclamo.lote_id else Refused(stored)


def _forgotten(refused: Asiento) -> dict[str, Any]:
    """What was of the refused content alone; why it was refused is kept for its late repeats."""
    return {"ciclos": None, "dudas": None, "motivos": motivos_to_item(refused) or None}
