"""What we know of the effect of a call: the three-way split that everything turns on.

A call to the provider ends in a success value or in a `Problema`. There are exactly three kinds of problem, told
apart by what is known of the effect, because that alone decides what may follow:

    Problema
    ├── NoEnviado       certain that nothing was queued or changed        → may be sent again
    │   ├── SinConexion             the connection was never made
    │   ├── Limitado                429: over the provider's requests per second
    │   ├── EnMantenimiento         the maintenance body; `hasta` when the provider says until when
    │   ├── CredencialesRechazadas  401, 403
    │   ├── SinCupo                 the plan has no quota, or the subscription is not active
    │   ├── SinWebhook              the punto de venta has no valid webhook, so nothing of it may be queued
    │   ├── PeticionInvalida        400, 404, 405, 413: refused before it was read as a lote
    │   └── LoteRechazado           the provider refused the lote whole; `culpables` where it says which entry
    ├── Rechazado       certain, for one comprobante, that it was refused → tell the sender, never retry
    │   ├── ComprobanteRechazado    an entry of the lote, or a nuevo_encola, refused with its reasons
    │   └── NoEncontrado            reenviar, eliminar, cambiar_fecha: «No se han encontrado comprobantes.»
    └── Incierto        anything else                                     → never resend; ask, wait, ask again
        ├── TiempoAgotado           524, or no answer within our read timeout
        ├── ConexionCortada         the connection broke after the request may have left
        ├── ErrorDelServidor        any other 5xx
        ├── RespuestaIlegible       an answer that does not parse, or contradicts itself
        ├── SinMencion              sent in a lote, and nowhere in its answer
        └── BorradoParcial          eliminar_encolado said PARCIAL: several comprobantes with one reference

They are values, not exceptions: a caller matches on them, and the type checker sees to it that no case is left out.
`detalle` is plain Spanish for an operator. It never holds credentials, nor a payload.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime
    from decimal import Decimal
    from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class Falla:
    """One fault of a comprobante: a stable code, the path of the field (dotted, `detalle.0.cantidad`), Spanish text."""

    codigo: str
    campo: str
    mensaje: str


@dataclass(frozen=True, slots=True)
class Problema:
    """Root of everything that is not a success."""

    detalle: str

    @property
    def codigo(self) -> str:
        """The stable code: the leaf's name. The same string goes into logs, metrics, events and items."""
        return type(self).__name__


@dataclass(frozen=True, slots=True)
class NoEnviado(Problema):
    """Certain that nothing was queued or changed: it may be sent again."""


@dataclass(frozen=True, slots=True)
class SinConexion(NoEnviado):
    """The connection was never made (refused, no route, DNS, connect timeout): the request did not leave."""


@dataclass(frozen=True, slots=True)
class Limitado(NoEnviado):
    """HTTP 429. The figure is not published."""


@dataclass(frozen=True, slots=True)
class EnMantenimiento(NoEnviado):
    """`{"mantenimiento": 1, "mantenimiento_hasta": "dd/mm/aaaa hh:mm"}`; `hasta` in UTC, None when unreadable."""

    hasta: datetime | None = None


@dataclass(frozen=True, slots=True)
class CredencialesRechazadas(NoEnviado):
    """HTTP 401 or 403, or a refusal that names the credentials."""


@dataclass(frozen=True, slots=True)
class SinCupo(NoEnviado):
    """No quota left, or the subscription is not active: the provider accepts nothing of this cuenta."""


@dataclass(frozen=True, slots=True)
class SinWebhook(NoEnviado):
    """The punto de venta has no valid webhook URL: the provider queues nothing of it."""


@dataclass(frozen=True, slots=True)
class PeticionInvalida(NoEnviado):
    """HTTP 400, 404, 405 or 413: refused before the body was read as a lote."""


@dataclass(frozen=True, slots=True)
class Culpable:
    """The entry that made the provider refuse a whole lote: its position in `requests` (from 0) and why."""

    orden: int
    mensaje: str


@dataclass(frozen=True, slots=True)
class LoteRechazado(NoEnviado):
    """The lote was refused whole. With `culpables` the rest may be sent without them; without, it may be halved."""

    errores: tuple[str, ...] = ()
    culpables: tuple[Culpable, ...] = ()


@dataclass(frozen=True, slots=True)
class Rechazado(Problema):
    """Certain, for one comprobante, that it was refused: never retried."""

    errores: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ComprobanteRechazado(Rechazado):
    """The provider's validation refused it: it is not in the queue."""


@dataclass(frozen=True, slots=True)
class NoEncontrado(Rechazado):
    """The queue operation found nothing: issued already, deleted, another fecha, another punto de venta."""


@dataclass(frozen=True, slots=True)
class Incierto(Problema):
    """The effect is unknown: never resend; ask with `consulta_avanzada`, wait, ask again."""


@dataclass(frozen=True, slots=True)
class TiempoAgotado(Incierto):
    """524, or our read timeout: the provider goes on in the background."""


@dataclass(frozen=True, slots=True)
class ConexionCortada(Incierto):
    """The connection broke while writing or reading."""


@dataclass(frozen=True, slots=True)
class ErrorDelServidor(Incierto):
    """5xx other than 524, and every status the contract does not list."""


@dataclass(frozen=True, slots=True)
class RespuestaIlegible(Incierto):
    """Not JSON (HTML with 200), not the documented shape, or an answer that contradicts itself."""


@dataclass(frozen=True, slots=True)
class SinMencion(Incierto):
    """The reference was sent and appears nowhere in the answer."""


@dataclass(frozen=True, slots=True)
class BorradoParcial(Incierto):
    """`error: "PARCIAL"`: several comprobantes carry the reference, some were deleted. Never acted on blindly."""

    procesados: tuple[str, ...] = ()
    errores: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Aceptado:
    """The provider queued the comprobante."""

    external_reference: str


@dataclass(frozen=True, slots=True)
class LoteProcesado:
    """The provider read the lote: one outcome for every reference that was sent, by reference, never by position.

    An entry may be `NoEnviado`: refused for a reason of the cuenta (its quota, its webhook), not of the comprobante.
    """

    resultados: dict[str, Aceptado | Rechazado | NoEnviado | Incierto]


@dataclass(frozen=True, slots=True)
class Hecho:
    """A queue operation (reenviar, eliminar, cambiar_fecha) did what was asked, to exactly one comprobante."""


@dataclass(frozen=True, slots=True)
class Encontrado:
    """A comprobante as `consulta_avanzada` shows it.

    `situacion` is the provider's `status` in our words: EMITIDO, EN_COLA (both queued forms), CON_ERROR; None for a
    text the contract does not know. `cae`, `numero` and `cae_vencimiento` are None until issued, and the CAE stays
    None on a DEV plan. `pdf_url` is valid the same day only.
    """

    external_reference: str
    situacion: Literal["EMITIDO", "EN_COLA", "CON_ERROR"] | None
    status: str
    tipo: str
    punto_venta: int | None
    fecha: date | None
    total: Decimal | None
    numero: int | None = None
    cae: str | None = None
    cae_vencimiento: date | None = None
    pdf_url: str | None = None


@dataclass(frozen=True, slots=True)
class Consulta:
    """An answered query. `total` is the provider's count and ignores paging; newest first.

    Only `total == 0` means absent (`ausente`): a `total` without an equal reference proves nothing.
    """

    total: int
    comprobantes: tuple[Encontrado, ...]

    @property
    def ausente(self) -> bool:
        return self.total == 0 and not self.comprobantes

    def con_referencia(self, external_reference: str) -> tuple[Encontrado, ...]:
        """Those whose reference is equal: whether EXT_REF matches exactly or partially is not documented."""
        return tuple(c for c in self.comprobantes if c.external_reference == external_reference)


@dataclass(frozen=True, slots=True)
class Servicios:
    """`estado_servicios/alertas`: `operativo` when the provider says OK; `alerta` is its text otherwise."""

    operativo: bool
    alerta: str
    mantenimientos: tuple[tuple[datetime, datetime], ...] = ()


@dataclass(frozen=True, slots=True)
class Consumo:
    """`micuenta/consumo`: comprobantes of the plan in the subscription period, as the provider gives them."""

    cupo: int
    generados: int
    disponibles: int
    abonos_pendientes: int


NoRespondida: TypeAlias = NoEnviado | Rechazado | Incierto
"""A query that brought no answer: it proves nothing, whatever the reason."""
