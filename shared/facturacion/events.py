"""The six events that tell the company how each comprobante ended, on the EventBridge bus, source `facturacion`.

At least once: `evento_id` is stable for one thing that happened, so that a consumer can drop repeats. An event is
built from the asiento alone (plus what that step happens to know), so that whoever meets a message or a hook again
can publish the very same event again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from facturacion.asiento import Causa  # noqa: TC001 - the schemas are made from the annotations
from facturacion.estado import Estado

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from mypy_boto3_events import EventBridgeClient

    from facturacion.asiento import Asiento

SOURCE = "facturacion"
ENTRIES_MAX = 10
"""PutEvents takes ten entries at a time."""
REQUEST_MAX_BYTES = 240_000
"""PutEvents takes 256 KB at a time (the older of AWS's limits); what is left is for the envelope."""
CAUSAS_MAX = 50
"""Faults told in one event; 130 lines of detalle can hold thousands."""

_TIPO_POR_ESTADO = {
    Estado.ENVIADO: "ComprobanteEncolado",
    Estado.ENCOLADO: "ComprobanteEncolado",
    Estado.EMITIDO: "ComprobanteEmitido",
    Estado.ERROR: "ComprobanteConError",
    Estado.RECHAZADO: "ComprobanteRechazado",
    Estado.ELIMINADO: "ComprobanteEliminado",
    Estado.EN_REVISION: "RevisionRequerida",
}

TIPOS = tuple(dict.fromkeys(_TIPO_POR_ESTADO.values()))
FINALES = frozenset({Estado.EMITIDO, Estado.RECHAZADO, Estado.ELIMINADO})
"""After the event of one of these nothing more happens by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detalle:
    """The `detail` of an event. What is not known, or does not apply, is left out.

    evento_id: stable for what happened; the same event may come more than once, always with the same one.
    estado: where the comprobante is now.
    lote_id: the POST that took it to the provider.
    fecha, vencimiento, cae_vencimiento: ISO dates.
    total: pesos, or the currency of the comprobante, as text.
    pdf: key in the bucket of the PDFs.
    sin_validez: the provider issued it without CAE (a DEV plan): it is no legal invoice.
    codigo: the stable code of the first cause.
    causas: stable code, path of the field (empty where it is of no field), Spanish text.
    causas_total: how many there are, when they are more than are told.
    """

    evento_id: str
    cuenta: str
    external_reference: str
    estado: Estado
    lote_id: str | None = None
    tipo: str | None = None
    fecha: str | None = None
    vencimiento: str | None = None
    total: str | None = None
    reemplaza: str | None = None
    cae: str | None = None
    cae_vencimiento: str | None = None
    numero: int | None = None
    pdf: str | None = None
    sin_validez: bool | None = None
    codigo: str | None = None
    causas: list[Causa] | None = None
    causas_total: int | None = None


@dataclass(frozen=True, slots=True)
class Evento:
    """One event, as it goes on the bus."""

    tipo: str
    detail: dict[str, Any]


def tipo_for(estado: Estado) -> str | None:
    """The event that tells this state; None for the states that tell nobody anything yet."""
    return _TIPO_POR_ESTADO.get(estado)


def estados_of(tipo: str) -> list[Estado]:
    """The states that an event of this kind tells."""
    return [estado for estado, its in _TIPO_POR_ESTADO.items() if its == tipo]


def evento_id(asiento: Asiento, tipo: str) -> str:
    """Stable for what happened: the same comprobante, the same kind of event, the same attempt.

    An attempt is a lote; a content that never left is its hash. Errors of one attempt that differ in their reasons
    are different events, and so is the same error after the comprobante was found in the queue again: the hooks that
    were accounted for then (`vistos`) tell them apart, and stay what they are while it is in error, so that a repeat
    of either is one. A comprobante is issued once, whichever attempt it was.
    """
    attempt = "" if tipo == "ComprobanteEmitido" else asiento.lote_id or ""
    if tipo == "ComprobanteRechazado":
        attempt = asiento.datos.hash
    elif tipo in {"ComprobanteConError", "RevisionRequerida"}:
        attempt += "".join(c.codigo for c in asiento.causas)
    if tipo in {"ComprobanteConError", "RevisionRequerida"}:
        attempt += "".join(sorted(asiento.vistos))
    return hashlib.sha256(f"{asiento.pk}|{tipo}|{attempt}".encode()).hexdigest()[:32]


def event_for(asiento: Asiento, causas: Sequence[Causa] | None = None) -> Evento | None:
    """The event of the asiento's present state; None when there is nothing to tell.

    An issued comprobante is told with its CAE, so not before it is known (or known to be without validity).
    `causas` replaces the asiento's own, which are cut, where the step knows them whole.
    """
    tipo = tipo_for(asiento.estado)
    if tipo is None or (tipo == "ComprobanteEmitido" and asiento.cae is None and not asiento.sin_validez):
        return None
    datos = asiento.datos
    whole = tuple(asiento.causas if causas is None else causas)
    detalle = Detalle(
        evento_id=evento_id(asiento, tipo),
        cuenta=asiento.cuenta,
        external_reference=asiento.external_reference,
        estado=asiento.estado,
        # A content that we refused never left: the lote is of the one before.
        lote_id=asiento.lote_id if datos.tipo or asiento.estado is not Estado.RECHAZADO else None,
        tipo=datos.tipo,
        fecha=datos.fecha.isoformat() if datos.fecha else None,
        vencimiento=datos.vencimiento.isoformat() if datos.vencimiento else None,
        total=str(datos.total) if datos.total is not None else None,
        reemplaza=asiento.reemplaza,
        cae=asiento.cae,
        cae_vencimiento=asiento.cae_vencimiento.isoformat() if asiento.cae_vencimiento else None,
        numero=asiento.numero,
        pdf=asiento.pdf,
        sin_validez=True if asiento.sin_validez else None,
        codigo=whole[0].codigo if whole else None,
        causas=list(whole[:CAUSAS_MAX]) or None,
        causas_total=len(whole) if len(whole) > CAUSAS_MAX else None,
    )
    return Evento(tipo, {name: value for name, value in asdict(detalle).items() if value is not None})


class Bus:
    """Publishes on one bus."""

    def __init__(self, client: EventBridgeClient, name: str) -> None:
        self._client = client
        self._name = name

    def publish(self, eventos: Sequence[Evento], *, at: datetime) -> list[bool]:
        """Whether each was taken, in order. A `FailedEntryCount` above 0 is a failure of those entries.

        A crash in the middle leaves some of them published: they are published again, with the same `evento_id`.
        """
        taken: list[bool] = []
        for chunk in _chunks(eventos):
            answer = self._client.put_events(
                Entries=[
                    {
                        "Time": at,
                        "Source": SOURCE,
                        "DetailType": evento.tipo,
                        "Detail": body,
                        "EventBusName": self._name,
                    }
                    for evento, body in chunk
                ],
            )
            taken += ["ErrorCode" not in entry for entry in answer["Entries"]]
        return taken


def _chunks(eventos: Sequence[Evento]) -> list[list[tuple[Evento, str]]]:
    chunks: list[list[tuple[Evento, str]]] = []
    size = 0
    for evento in eventos:
        body = json.dumps(evento.detail, ensure_ascii=False)
        weight = len(body.encode()) + 200
        if not chunks or len(chunks[-1]) == ENTRIES_MAX or size + weight > REQUEST_MAX_BYTES:
            chunks.append([])
            size = 0
        chunks[-1].append((evento, body))
        size += weight
    return chunks
