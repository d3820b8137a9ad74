"""What goes with what, in which order, and what a claim that was lost means. Pure: neither boto3 nor httpx."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from itertools import groupby
from typing import TYPE_CHECKING

from facturacion.asiento import Asiento
from facturacion.asking import is_alive
from facturacion.estado import CONOCIDO, EN_VUELO, Estado, speaks
from facturacion.tiempo import ARGENTINA
from tusfacturas.outcomes import Aceptado, Falla, LoteRechazado, NoEnviado, TiempoAgotado

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from facturacion.estado import Hook
    from facturacion.ledger import Puerta
    from facturacion.mensaje import Mensaje
    from tusfacturas.models import ComprobanteListo
    from tusfacturas.outcomes import Incierto, Rechazado

LOTE_MAX = 100
"""Requests in one lote (the provider's limit)."""
LOTE_LEAST = 4
"""A refusal that names nobody makes the next lote smaller, and never so small that one bad entry is always alone."""
LOTE_STEP = 10
"""How much a lote may grow again after each success."""
DELAY_MAX_SECONDS = 1_800
"""The slowest redelivery: 300 receives of it stay below half of the queue's retention."""
DELAY_SPREAD = 0.2
DOUBT_LASTS = timedelta(seconds=2 * DELAY_MAX_SECONDS)
"""Whatever waits comes at least once in that time: if nothing doubtful did, there is nothing doubtful."""


@dataclass(frozen=True, slots=True)
class Registro:
    """A message as SQS handed it over. `sent_at`: SentTimestamp, milliseconds."""

    message_id: str
    receipt_handle: str
    body: str
    receive_count: int
    sent_at: int

    @property
    def dia(self) -> date:
        """The Argentine day on which it was put on the queue: the same each time that it comes."""
        return datetime.fromtimestamp(self.sent_at / 1000, ARGENTINA).date()

    @property
    def came(self) -> datetime:
        return datetime.fromtimestamp(self.sent_at / 1000, UTC)


@dataclass(frozen=True, slots=True)
class Pedido:
    """A message that was understood and breaks no rule."""

    registro: Registro
    mensaje: Mensaje
    listo: ComprobanteListo

    @property
    def external_reference(self) -> str:
        return self.mensaje.external_reference

    @property
    def orden(self) -> tuple[date, int, str]:
        """By fecha first: a later date issued first makes the earlier ones of that punto de venta fail (10016)."""
        return (self.listo.fecha, self.registro.sent_at, self.registro.message_id)


def by_cuenta(pedidos: Iterable[Pedido]) -> list[tuple[str, list[Pedido]]]:
    """The pedidos of each cuenta in the order in which they should be issued; the longest waiting cuenta first."""
    alias = sorted(pedidos, key=lambda p: p.mensaje.cuenta)
    groups = [
        (cuenta, sorted(group, key=lambda p: p.orden)) for cuenta, group in groupby(alias, lambda p: p.mensaje.cuenta)
    ]
    return sorted(groups, key=lambda g: min(p.registro.sent_at for p in g[1]))


def in_turn(pedidos: Iterable[Pedido], dudas: Mapping[str, int]) -> list[Pedido]:
    """The pedidos of a cuenta, the doubted behind the others: by how often each was refused alone, then in order."""
    return sorted(pedidos, key=lambda p: (dudas.get(p.external_reference, 0), p.orden))


def without_repeats(pedidos: Iterable[Pedido]) -> tuple[list[Pedido], list[Pedido]]:
    """The first message of each reference, and the later ones: they wait until the first has had its turn."""
    seen: set[tuple[str, str]] = set()
    first: list[Pedido] = []
    later: list[Pedido] = []
    for pedido in sorted(pedidos, key=lambda p: (p.registro.sent_at, p.registro.message_id)):
        key = (pedido.mensaje.cuenta, pedido.external_reference)
        (later if key in seen else first).append(pedido)
        seen.add(key)
    return first, later


def delay_seconds(receive_count: int, *, base: int, rng: random.Random) -> int:
    """How long a message waits before it comes again: doubling, spread by a fifth so that they do not come in step."""
    grown = min(base * (1 << min(receive_count - 1, 20)), DELAY_MAX_SECONDS)
    return max(1, min(round(grown * rng.uniform(1 - DELAY_SPREAD, 1 + DELAY_SPREAD)), DELAY_MAX_SECONDS))


def next_look(since: datetime, now: datetime, *, first: timedelta) -> datetime:
    """When what waits at a door that is paused since then looks again.

    After `first`, twice that, four times that …, then each half hour: no later than the pause has lasted already, and
    at the same instants for all that wait, so that they leave in full lotes. A day of it
    costs a message some fifty of its receives.
    """
    slowest, lasted = timedelta(seconds=DELAY_MAX_SECONDS), max(now - since, timedelta(0))
    if lasted >= slowest:
        return since + (lasted // slowest + 1) * slowest
    wait = first
    while wait <= lasted:
        wait *= 2
    return since + min(wait, slowest)


class Veredicto(Enum):
    """What a claim that was lost means for the message."""

    CONOCIDO = auto()
    """Its effect is certain: tell it again and acknowledge."""
    RECHAZO_REPETIDO = auto()
    """This very content was refused before: tell that again and acknowledge."""
    CONFLICTO = auto()
    """The reference belongs to another content: reject loudly."""
    RECLAMAR = auto()
    """It may be claimed on what was read (corrected after a refusal, or known not to be at the provider)."""
    PREGUNTAR = auto()
    """Its effect is unknown: ask the provider."""
    DEJAR = auto()
    """It is somebody's, or a person's: leave it on the queue."""


def judge(stored: Asiento, content: str, now: datetime, *, provider_timeout: timedelta) -> Veredicto:
    """`content`: the hash of the message at hand; `stored`: the asiento that kept it from being claimed."""
    if stored.datos.hash != content:
        if content in stored.rechazados:
            return Veredicto.RECHAZO_REPETIDO
        if stored.estado is Estado.RECHAZADO:
            return Veredicto.RECLAMAR
        if stored.reconstruido and stored.estado in CONOCIDO:
            # The provider has it; that this is its content was forgotten with the table.
            return Veredicto.CONOCIDO
        # A review with no content of its own is of a reference that the provider knew before we did.
        in_review = stored.estado is Estado.EN_REVISION and not stored.datos.hash
        return Veredicto.DEJAR if in_review else Veredicto.CONFLICTO
    match stored.estado:
        case Estado.PENDIENTE:
            return Veredicto.RECLAMAR
        case Estado.ENVIANDO if is_alive(stored, now, provider_timeout=provider_timeout):
            return Veredicto.DEJAR
        case estado if estado in EN_VUELO:
            return Veredicto.PREGUNTAR
        case Estado.ERROR if stored.only_decided:
            # Its run has not asked yet.
            return Veredicto.DEJAR
        case Estado.EN_REVISION if not stored.en_cola:
            # The message may be all that is left of the comprobante.
            return Veredicto.DEJAR
        case _:
            return Veredicto.CONOCIDO


def worth_returning_soon(before: Asiento, after: Asiento, now: datetime, *, settle: timedelta) -> bool:
    """After an answered ask: whether what the message waits for is a moment away.

    It may be claimed now, or a second absence may confirm the first as soon as SettleSeconds are over. Where that is
    over and decided nothing (a hook that nobody has folded yet), it waits the longer each time, as any other.
    """
    if after.version != before.version and (after.estado is Estado.PENDIENTE or after.ausente_desde):
        return True
    return after.ausente_desde is not None and now < after.ausente_desde + settle


def contradicted(stored: Asiento, hooks: Iterable[Hook]) -> bool:
    """Whether a hook not accounted for says that what we believe not to be at the provider is: a reason to ask first.

    PENDIENTE: any hook. RECHAZADO: any but an error, which the provider may send for what it refused.
    """
    expected = {"error"} if stored.estado is Estado.RECHAZADO else set()
    return any(speaks(h) and h.evento not in expected and h.hook_id not in stored.vistos for h in hooks)


def replacement_fault(old: Asiento | None, reemplaza: str, external_reference: str) -> Falla | None:
    """Why `old` cannot be replaced by this reference; None while it still may be (deleted, or not decided yet)."""
    match old:
        case None:
            codigo, texto = "reemplaza_desconocido", f"No hay ningún comprobante «{reemplaza}» en esta cuenta."
        case Asiento(estado=Estado.ELIMINADO, reemplazado_por=other) if other and other != external_reference:
            codigo, texto = "reemplaza_repetido", f"El comprobante «{reemplaza}» ya fue reemplazado por «{other}»."
        case Asiento(estado=Estado.EMITIDO):
            codigo, texto = "reemplaza_emitido", f"El comprobante «{reemplaza}» fue emitido: corresponde una nota."
        case Asiento(estado=Estado.RECHAZADO):
            codigo = "reemplaza_rechazado"
            texto = f"El comprobante «{reemplaza}» nunca entró a la cola: se corrige con su misma referencia."
        case _:
            return None
    return Falla(codigo, "reemplaza", texto)


def lote_limit(puerta: Puerta, *, individual: bool) -> int:
    return 1 if individual else min(puerta.limite or LOTE_MAX, LOTE_MAX)


def held_by(outcomes: Sequence[Aceptado | Rechazado | Incierto | NoEnviado]) -> NoEnviado | None:
    """What keeps the cuenta from sending more; None when nothing does.

    A refusal that names nobody, beside what was accepted, is one comprobante's: it closes no door to the others.
    """
    not_sent = [o for o in outcomes if isinstance(o, NoEnviado)]
    outage = next((o for o in not_sent if not isinstance(o, LoteRechazado) and type(o) is not NoEnviado), None)
    works = any(isinstance(o, Aceptado) for o in outcomes)
    return outage or (None if works else next(iter(not_sent), None))


def after_doubt(puerta: Puerta, now: datetime) -> Puerta:
    """Something was refused alone, and may be to blame for it: it has its turn behind the others."""
    return replace(puerta, dudas_hasta=now + DOUBT_LASTS)


def after_success(puerta: Puerta) -> Puerta:
    """A lote was answered: the next may be larger, and nothing holds the door."""
    limite = None if puerta.limite is None or puerta.limite + LOTE_STEP >= LOTE_MAX else puerta.limite + LOTE_STEP
    return replace(puerta, limite=limite, cerrada_hasta=None, golpes=0, motivo=None)


def after_uncertain(puerta: Puerta, external_reference: str, problema: Incierto) -> Puerta:
    """No new lote before a query was answered; half as large where the provider ran out of time on this one."""
    limite = _half(puerta) if isinstance(problema, TiempoAgotado) else puerta.limite
    return replace(puerta, limite=limite, incierta=external_reference, motivo=problema.codigo)


def after_not_sent(puerta: Puerta, problema: NoEnviado, until: datetime) -> Puerta:
    """The provider takes nothing of this cuenta: knock again at `until`.

    A lote refused whole for a reason that names nobody is tried smaller, so that a knock costs little; an outage or a
    maintenance says nothing about the size, and what it held back should leave in full lotes.
    """
    limite = max(LOTE_LEAST, _half(puerta)) if isinstance(problema, LoteRechazado) else puerta.limite
    return replace(puerta, limite=limite, cerrada_hasta=until, golpes=puerta.golpes + 1, motivo=problema.codigo)


def after_silence(puerta: Puerta, until: datetime) -> Puerta:
    """Not even a query was answered: knock again at `until`."""
    return replace(puerta, cerrada_hasta=until, golpes=puerta.golpes + 1)


def _half(puerta: Puerta) -> int:
    return max(1, (puerta.limite or LOTE_MAX) // 2)
