"""What an issued comprobante needs before it is finished: CAE and number from the provider, the PDF in S3, the event.

Steps for each, and what a crash right after leaves:

1. PDF to S3 (same key always)      it is put again
2. ComprobanteEmitido               it is published again, with the same `evento_id`
3. the record, which closes it      nothing is left

Until the record the comprobante stays in the index of what is open, and the reconciliation finishes it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
from botocore.exceptions import BotoCoreError, ClientError

from facturacion.asiento import Asiento
from facturacion.estado import Estado
from facturacion.events import event_for
from facturacion.ledger import Emision
from facturacion.metricas import Metrica

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from aws_lambda_powertools import Logger
    from mypy_boto3_s3 import S3Client

    from facturacion.asiento import Datos
    from facturacion.events import Bus, Evento
    from facturacion.ledger import Ledger
    from facturacion.observability import Anotar
    from tusfacturas.outcomes import Encontrado

AT_A_TIME = 10
"""As many as PutEvents takes at once."""
PDF_MAX = 10 * 1024 * 1024
PDF_TIMEOUT = 10.0
PDF_TRIED_FOR = timedelta(hours=1)
"""A PDF that cannot be had holds the event back no longer than this; its link is good for the day only."""


@dataclass(frozen=True, slots=True)
class Pdfs:
    """Where PDFs go. `http` fetches them: the link carries no credentials."""

    s3: S3Client
    bucket: str
    http: httpx.Client


@dataclass(frozen=True, slots=True)
class Finishing:
    """What finishing needs. `settle`: how long an issued comprobante may be without CAE before that is believed."""

    ledger: Ledger
    bus: Bus
    pdfs: Pdfs | None
    clock: Callable[[], datetime]
    settle: timedelta
    logger: Logger
    count: Anotar
    measure: Anotar


def finish(
    issued: Sequence[tuple[Asiento, Encontrado]], f: Finishing, *, may_go_on: Callable[[], bool]
) -> list[Asiento]:
    """Those that were finished. The others (no CAE yet, PDF not to be had now, event not taken) stay open.

    A few at a time, each few whole, while `may_go_on`: an invocation that ends in the middle has done something.

    On the provider's DEV plan an issued comprobante never gets a CAE. It is closed without one, and flagged
    `sin_validez`, only when a later look finds none again: on a real plan the CAE may be a moment behind.
    """
    finished: list[Asiento] = []
    pdfs = _Pdfs(f)
    for start in range(0, len(issued), AT_A_TIME):
        if not may_go_on():
            break
        finished += _finish_few(issued[start : start + AT_A_TIME], f, pdfs, may_go_on)
    if finished:
        f.count(Metrica.EMITIDOS, len(finished), cuenta=finished[0].cuenta)
    return finished


def _finish_few(
    few: Sequence[tuple[Asiento, Encontrado]], f: Finishing, pdfs: _Pdfs, may_go_on: Callable[[], bool]
) -> list[Asiento]:
    ready: list[tuple[Asiento, Emision, Evento]] = []
    found = {asiento.external_reference: encontrado for asiento, encontrado in few}
    # Read again: since they were looked for, another contrast may have finished some, or a hook moved them.
    for asiento in f.ledger.get_many(few[0][0].cuenta, list(found)):
        encontrado = found[asiento.external_reference]
        if asiento.estado is Estado.EMITIDO and not asiento.abierto:
            continue
        if not may_go_on():
            break
        if encontrado.cae is None and not _settled_without_cae(asiento, f):
            _note_issued(asiento, f)
            continue
        pdf, final = pdfs.keep(asiento, encontrado)
        if not final:
            _note_issued(asiento, f)
            continue
        emision = Emision(
            cae=encontrado.cae,
            numero=encontrado.numero,
            cae_vencimiento=encontrado.cae_vencimiento,
            pdf=pdf,
            sin_validez=encontrado.cae is None,
            datos=_as_issued(asiento.datos, encontrado),
        )
        evento = event_for(_as_told(asiento, emision))
        if evento:
            ready.append((asiento, emision, evento))
    taken = f.bus.publish([evento for _, _, evento in ready], at=f.clock())
    finished = []
    for (asiento, emision, _), out in zip(ready, taken, strict=True):
        # Refused when something moved meanwhile: it stays open, and is finished on what it is then.
        if out and isinstance(written := f.ledger.finished(asiento, emision), Asiento):
            finished.append(written)
            if asiento.llegado:
                took = (f.clock() - asiento.llegado).total_seconds()
                f.measure(Metrica.HASTA_EMITIDO, took, cuenta=asiento.cuenta)
            f.logger.info("emitido", extra=_fields(asiento, cae=emision.cae, numero=emision.numero))
    return finished


def _settled_without_cae(asiento: Asiento, f: Finishing) -> bool:
    since = asiento.actualizado
    return asiento.estado is Estado.EMITIDO and since is not None and f.clock() - since >= f.settle


def _note_issued(asiento: Asiento, f: Finishing) -> None:
    """Issued, and not finished: from now on it is EMITIDO, whatever else is missing."""
    if asiento.estado is not Estado.EMITIDO:
        f.ledger.fold_emitido(asiento.cuenta, asiento.external_reference)


def _as_issued(datos: Datos, encontrado: Encontrado) -> Datos:
    """What was issued is the provider's: its fecha may have been moved there."""
    return replace(
        datos,
        tipo=encontrado.tipo or datos.tipo,
        fecha=encontrado.fecha or datos.fecha,
        total=datos.total if encontrado.total is None else encontrado.total,
    )


def _as_told(asiento: Asiento, emision: Emision) -> Asiento:
    """The asiento as it will be once recorded."""
    return replace(
        asiento,
        estado=Estado.EMITIDO,
        datos=emision.datos,
        cae=emision.cae,
        numero=emision.numero,
        cae_vencimiento=emision.cae_vencimiento,
        pdf=emision.pdf,
        sin_validez=emision.sin_validez,
        causas=(),
    )


class _Pdfs:
    """Keeps PDFs. Once nobody answered, the others are not tried for now: each may cost ten seconds."""

    def __init__(self, f: Finishing) -> None:
        self._f = f
        self._unreachable = False

    def keep(self, asiento: Asiento, encontrado: Encontrado) -> tuple[str | None, bool]:
        """The key in the bucket, and whether that is the last word. A comprobante without a link is fine."""
        f = self._f
        if f.pdfs is None or not encontrado.pdf_url:
            return None, True
        key = f"{asiento.cuenta}/{asiento.external_reference}.pdf"
        content = None
        if not self._unreachable:
            try:
                content = _download(f.pdfs.http, encontrado.pdf_url)
            except httpx.TransportError:
                self._unreachable = True
        if content is not None:
            try:
                f.pdfs.s3.put_object(Bucket=f.pdfs.bucket, Key=key, Body=content, ContentType="application/pdf")
            except (ClientError, BotoCoreError) as error:
                f.logger.warning("pdf_no_guardado", extra=_fields(asiento, codigo=type(error).__name__))
            else:
                return key, True
        f.logger.warning("pdf_no_disponible", extra=_fields(asiento))
        f.count(Metrica.PDF_NO_DISPONIBLE, 1, cuenta=asiento.cuenta)
        issued_at = asiento.actualizado if asiento.estado is Estado.EMITIDO else None
        return None, issued_at is not None and f.clock() - issued_at >= PDF_TRIED_FOR


def _download(http: httpx.Client, url: str) -> bytes | None:
    """The bytes of the PDF; None when this is none. Raises httpx.TransportError when nobody answers."""
    try:
        with http.stream("GET", url, timeout=PDF_TIMEOUT, follow_redirects=True) as response:
            if response.status_code != httpx.codes.OK:
                return None
            content = b""
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > PDF_MAX:
                    return None
            # A page that says that the session is over is no PDF.
            return content if content.startswith(b"%PDF") else None
    except (httpx.TooManyRedirects, httpx.DecodingError, httpx.InvalidURL, httpx.UnsupportedProtocol):
        return None


def _fields(asiento: Asiento, **more: object) -> dict[str, object]:
    return {
        "cuenta": asiento.cuenta,
        "external_reference": asiento.external_reference,
        "lote_id": asiento.lote_id,
        **more,
    }
