"""The entry (asiento) that the ledger keeps of a comprobante: item `sk = "ESTADO"`, under 1 KB unless its reference is
very long or its life was very troubled.

No payload and no personal data: until its effect is certain the message on the queue holds them, afterwards the
provider does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from facturacion.estado import Estado
from facturacion.tiempo import from_iso, to_iso

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SK_ESTADO = "ESTADO"
CAUSAS_MAX = 2
MOTIVOS_MAX = 3
CAUSA_TEXTO_MAX = 100


@dataclass(frozen=True, slots=True)
class Causa:
    """Why it is where it is: a stable code, a field path, Spanish text cut so that the item stays under 1 KB."""

    codigo: str
    campo: str
    mensaje: str


CAUSA_DESCONOCIDA = Causa("CausaDesconocida", "", "TusFacturas lo marca con error y ningún hook dijo por qué.")


DUPLICADA = "ReferenciaDuplicada"
"""The code of what may be a second invoice: more than one comprobante has the reference at the provider."""


@dataclass(frozen=True, slots=True)
class Datos:
    """What the ledger keeps of the content: enough for the accounts, the date pages and the legal window."""

    hash: str
    tipo: str | None = None
    fecha: date | None = None
    vencimiento: date | None = None
    total: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Asiento:
    """The ESTADO item.

    `lote_id`: the POST that owns it (a fresh id per POST; None when it was refused before any).
    `post_hasta`: the last instant at which that POST may still leave. `quieto_desde`: where the quiet period starts:
    `post_hasta` while ENVIANDO, the instant of the record once INCIERTO. `orden`: instant of the POST + position.
    `previos`: earlier attempts that may still send hooks. `ciclos`: how often this content was uncertain, then absent.
    `dudas`: how often it was refused alone in words that name nobody, and nothing proved that it was to blame.
    `vistos`: hooks accounted for by our own last record.
    `rechazados`: the hash of every content that was refused. `motivos`: why, for the last few that were corrected since
    (of the present content `causas` says it). `en_cola`: there was evidence of it in the provider's
    queue in this attempt. `borrado_pedido`: we intended to delete it. `ausente_desde`: a first believed absence.
    `evento_pendiente`: an event written together with the state and not yet known to be published.
    `reenvios`, `cambios_fecha`, `borrados`: how often that was tried about its error. `por_reenviar`: its date was
    changed, and a resend is to follow. `intentado`: when something was last done about it that came to nothing, or of
    which nothing was heard. `error_desde`: since when it is in error; known until it was resent.
    `sin_mensaje`: in review
    without evidence of the queue, and its message was acknowledged: nothing would send it again.
    `decision`: what a person decided (`eliminar`, `cambiar_fecha:2026-11-22`). `reconstruido`: found at the provider
    after a restore; what it holds nobody knows any more. `llegado`: when its message came to the queue.
    """

    cuenta: str
    external_reference: str
    estado: Estado
    version: int
    datos: Datos
    previos: int = 0
    ciclos: int = 0
    dudas: int = 0
    lote_id: str | None = None
    post_hasta: datetime | None = None
    quieto_desde: datetime | None = None
    orden: str | None = None
    vistos: frozenset[str] = frozenset()
    rechazados: frozenset[str] = frozenset()
    motivos: tuple[tuple[str, tuple[Causa, ...]], ...] = ()
    en_cola: bool = False
    borrado_pedido: bool = False
    sin_mensaje: bool = False
    ausente_desde: datetime | None = None
    evento_pendiente: str | None = None
    reenvios: int = 0
    cambios_fecha: int = 0
    borrados: int = 0
    por_reenviar: bool = False
    intentado: datetime | None = None
    error_desde: datetime | None = None
    reconstruido: bool = False
    decision: str | None = None
    causas: tuple[Causa, ...] = ()
    reemplaza: str | None = None
    reemplazado_por: str | None = None
    cae: str | None = None
    numero: int | None = None
    cae_vencimiento: date | None = None
    pdf: str | None = None
    sin_validez: bool = False
    llegado: datetime | None = None
    creado: datetime | None = None
    actualizado: datetime | None = None
    abierto: bool = field(default=True)

    @property
    def pk(self) -> str:
        return pk_of(self.cuenta, self.external_reference)

    @property
    def only_decided(self) -> bool:
        """In error because a person decided about it, and never shown by the provider: its message is all there is."""
        return self.estado is Estado.ERROR and self.decision is not None and not self.en_cola


@dataclass(frozen=True, slots=True)
class Refused:
    """The condition of a write did not hold: nothing was written. `stored` is what is there (None: no such asiento)."""

    stored: Asiento | None


@dataclass(frozen=True, slots=True)
class Lugar:
    """Where an open comprobante stands in the ledger's index of what is open."""

    cuenta: str
    orden: str
    external_reference: str


def pk_of(cuenta: str, external_reference: str) -> str:
    return f"{cuenta}#{external_reference}"


def _instant(value: str | None) -> datetime | None:
    return from_iso(value) if value else None


def _date(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None


def asiento_from_item(item: Mapping[str, Any]) -> Asiento:
    """`item` with plain Python values (numbers Decimal, string sets as sets)."""
    return Asiento(
        cuenta=item["cuenta"],
        external_reference=item["external_reference"],
        estado=Estado(item["estado"]),
        version=int(item["version"]),
        datos=Datos(
            hash=item.get("hash", ""),
            tipo=item.get("tipo"),
            fecha=_date(item.get("fecha")),
            vencimiento=_date(item.get("vencimiento")),
            total=Decimal(item["total"]) if "total" in item else None,
        ),
        previos=int(item.get("previos", 0)),
        ciclos=int(item.get("ciclos", 0)),
        dudas=int(item.get("dudas", 0)),
        lote_id=item.get("lote_id"),
        post_hasta=_instant(item.get("post_hasta")),
        quieto_desde=_instant(item.get("quieto_desde")),
        orden=item.get("orden"),
        vistos=frozenset(item.get("vistos", ())),
        rechazados=frozenset(item.get("rechazados", ())),
        motivos=tuple((content, tuple(Causa(*c) for c in causas)) for content, causas in item.get("motivos", ())),
        en_cola="en_cola" in item,
        borrado_pedido="borrado_pedido" in item,
        sin_mensaje="sin_mensaje" in item,
        ausente_desde=_instant(item.get("ausente_desde")),
        evento_pendiente=item.get("evento_pendiente"),
        reenvios=int(item.get("reenvios", 0)),
        cambios_fecha=int(item.get("cambios_fecha", 0)),
        borrados=int(item.get("borrados", 0)),
        por_reenviar="por_reenviar" in item,
        intentado=_instant(item.get("intentado")),
        error_desde=_instant(item.get("error_desde")),
        reconstruido="reconstruido" in item,
        decision=item.get("decision"),
        causas=tuple(Causa(*c) for c in item.get("causas", ())),
        reemplaza=item.get("reemplaza"),
        reemplazado_por=item.get("reemplazado_por"),
        cae=item.get("cae"),
        numero=int(item["numero"]) if "numero" in item else None,
        cae_vencimiento=_date(item.get("cae_vencimiento")),
        pdf=item.get("pdf"),
        sin_validez="sin_validez" in item,
        llegado=datetime.fromtimestamp(int(item["llegado"]), UTC) if "llegado" in item else None,
        creado=_instant(item.get("creado")),
        actualizado=_instant(item.get("actualizado")),
        abierto="abierto" in item,
    )


def datos_to_item(datos: Datos) -> dict[str, Any]:
    """Only what is known; money as text, so that its scale survives."""
    item: dict[str, Any] = {"hash": datos.hash}
    if datos.tipo is not None:
        item["tipo"] = datos.tipo
    if datos.fecha is not None:
        item["fecha"] = datos.fecha.isoformat()
    if datos.vencimiento is not None:
        item["vencimiento"] = datos.vencimiento.isoformat()
    if datos.total is not None:
        item["total"] = str(datos.total)
    return item


def causas_to_item(causas: Sequence[Causa]) -> list[list[str]]:
    """The first few, cut: the event carries them whole, the item only reminds."""
    return [[c.codigo, c.campo[:50], c.mensaje[:CAUSA_TEXTO_MAX]] for c in causas[:CAUSAS_MAX]]


def motivos_to_item(refused: Asiento) -> list[list[Any]]:
    """What a corrected content leaves behind: the reasons of the last few that were refused, this one's last."""
    motivos = [*refused.motivos, *([(refused.datos.hash, refused.causas)] if refused.causas else [])]
    return [[content, causas_to_item(causas)] for content, causas in motivos[-MOTIVOS_MAX:]]


def instants_to_item(**instants: datetime) -> dict[str, str]:
    return {name: to_iso(instant) for name, instant in instants.items()}
