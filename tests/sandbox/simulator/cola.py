"""The queue and AFIP behind it: what becomes of a comprobante that the door let in (contract §7)."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.sandbox.simulator.answers import date_text
from tests.sandbox.simulator.fates import AUTHORISED, AWAIT_APPROVAL, TEXTOS, UNDELETABLE, Fate, fates_of
from tests.sandbox.simulator.plan import draw
from tests.sandbox.simulator.rules import parse_date, parse_number

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator
    from datetime import date, datetime

    from tests.sandbox.simulator.agenda import Agenda
    from tests.sandbox.simulator.hooks import Mensajero
    from tests.sandbox.simulator.plan import CuentaSim, Plan

EN_COLA, CON_ERROR, EMITIDO, ELIMINADO = "EN_COLA", "CON_ERROR", "EMITIDO", "ELIMINADO"
_WINDOW_DAYS = 10
_CAE_DAYS = 10


@dataclass
class Item:
    """One comprobante that was accepted. The same reference accepted twice is two of these: nothing is unique here."""

    id: int
    cuenta: str
    referencia: str
    post: int | None
    entrada: dict[str, Any]
    tipo: str
    punto_venta: int
    fecha: date
    vencimiento: date
    total: Decimal
    aceptado: datetime
    visible_desde: datetime
    fates: list[Fate]
    fecha_original: date
    estado: str = EN_COLA
    espera_aprobacion: bool = False
    en_proceso: bool = False
    oculto_hasta: datetime | None = None
    turno: int = 0
    intentos: int = 0
    numero: int = 0
    cae: str = ""
    cae_vencimiento: date | None = None
    emitido: datetime | None = None
    errores: list[list[str]] = field(default_factory=list)
    cambios_fecha: list[str] = field(default_factory=list)
    reenvios: int = 0

    @property
    def status(self) -> str:
        """The four texts of consulta_avanzada (contract §6)."""
        if self.estado == EMITIDO:
            return "EMITIDO"
        if self.estado == CON_ERROR:
            return "ENVIADO A PROCESAR - CON ERROR"
        if self.espera_aprobacion:
            return "EN COLA, ESPERANDO APROBACION"
        return f"APROBADO Y EN COLA. SE EMITE EL {date_text(self.fecha)}"

    @property
    def in_queue(self) -> bool:
        return self.estado in (EN_COLA, CON_ERROR)

    @property
    def authorised(self) -> bool:
        """A legal comprobante exists, whatever the provider shows."""
        return self.numero > 0


@dataclass
class Last:
    """The last number and fecha issued of one PDV and tipo."""

    numero: int
    fecha: date


@dataclass
class Cola:
    """Each PDV issues one at a time, in parallel with the others."""

    agenda: Agenda
    plan: Plan
    rng: random.Random
    cuentas: dict[str, CuentaSim]
    mensajero: Mensajero
    items: list[Item] = field(default_factory=list)
    lasts: dict[tuple[str, str], Last] = field(default_factory=dict)
    _by_cuenta: dict[str, list[Item]] = field(default_factory=dict)
    _by_reference: dict[tuple[str, str], list[Item]] = field(default_factory=dict)
    _ready: dict[str, list[tuple[datetime, int, int]]] = field(default_factory=dict)
    _busy: set[str] = field(default_factory=set)
    _ticks: dict[str, datetime] = field(default_factory=dict)
    _out_of_step: set[tuple[str, str]] = field(default_factory=set)
    _caes: set[str] = field(default_factory=set)

    def accept(self, cuenta: CuentaSim, entrada: dict[str, Any], post: int | None, *, before_answer: bool) -> Item:
        """Put a validated comprobante into the queue, and tell by hook."""
        sent = entrada["comprobante"]
        comentario = str(sent.get("comentario", ""))
        fecha = parse_date(sent["fecha"])
        if fecha is None:
            raise ValueError("the door let in a comprobante without fecha")
        now = self.agenda.now
        item = Item(
            id=len(self.items) + 1,
            cuenta=cuenta.alias,
            referencia=str(sent["external_reference"]),
            post=post,
            entrada=entrada,
            tipo=sent["tipo"],
            punto_venta=cuenta.punto_venta,
            fecha=fecha,
            fecha_original=fecha,
            vencimiento=parse_date(sent.get("vencimiento")) or fecha,
            total=parse_number(sent["total"]) or Decimal(0),
            aceptado=now,
            visible_desde=now + timedelta(seconds=draw(self.plan.demora_visible, self.rng)),
            fates=fates_of(comentario),
            espera_aprobacion=AWAIT_APPROVAL in comentario,
        )
        self.items.append(item)
        self._by_cuenta.setdefault(item.cuenta, []).append(item)
        self._by_reference.setdefault((item.cuenta, item.referencia), []).append(item)
        self.mensajero.emit(item.cuenta, "encolado", item.referencia, before_answer=before_answer)
        self._line_up(item)
        return item

    def visible(self, cuenta: str, referencia: str | None = None) -> Iterator[Item]:
        """What a query may show of a cuenta, or of one reference in it, newest first."""
        items = self._by_cuenta.get(cuenta, []) if referencia is None else self.named(cuenta, referencia)
        now = self.agenda.now
        for item in reversed(items):
            hidden = item.oculto_hasta is not None and now < item.oculto_hasta
            if item.estado != ELIMINADO and now >= item.visible_desde and not hidden:
                yield item

    def named(self, cuenta: str, referencia: str) -> list[Item]:
        return self._by_reference.get((cuenta, referencia), [])

    def delete(
        self, cuenta: str, referencia: str, fecha: date | None, *, notify: bool = True
    ) -> tuple[list[Item], list[Item]]:
        """Contract §5: ALL of that reference and fecha. Gives those deleted, and those that could not be."""
        which = self.plan.eliminar_por_fecha
        matching = [
            item
            for item in self.named(cuenta, referencia)
            if item.in_queue
            and (which == "cualquiera" or fecha == (item.fecha_original if which == "original" else item.fecha))
        ]
        kept = [
            i for i in matching if i.en_proceso or UNDELETABLE in str(i.entrada["comprobante"].get("comentario", ""))
        ]
        deleted = [item for item in matching if item not in kept]
        for item in deleted:
            item.estado = ELIMINADO
            item.turno += 1
            if notify:
                self.mensajero.emit(cuenta, "eliminado", referencia)
        return deleted, kept

    def change_date(
        self, cuenta: str, referencia: str, fecha: date, vencimiento: date | None, *, notify: bool = True
    ) -> Item | None:
        """Contract §5: the first found. None where there is none."""
        item = self._first(cuenta, referencia, EN_COLA, CON_ERROR)
        if item is None:
            return None
        item.fecha, item.vencimiento = fecha, vencimiento or item.vencimiento
        item.cambios_fecha.append(date_text(fecha))
        item.fates = [fate for fate in item.fates if fate.hasta != "fecha"]
        if notify:
            self.mensajero.emit(cuenta, "cambio_fecha", referencia)
        if item.estado == CON_ERROR and self.plan.cambio_fecha_reencola:
            item.estado, item.intentos = EN_COLA, 0
        if item.estado == EN_COLA:
            self._line_up(item)
        return item

    def resend(self, cuenta: str, referencia: str, *, notify: bool = True) -> Item | None:
        """Contract §5: the first found in error goes back to the queue, its attempts counted anew."""
        item = self._first(cuenta, referencia, CON_ERROR)
        if item is None:
            return None
        item.estado, item.intentos = EN_COLA, 0
        item.reenvios += 1
        if notify:
            self.mensajero.emit(cuenta, "encolado", referencia)
        self._line_up(item)
        return item

    def approve(self, item: Item) -> None:
        item.espera_aprobacion = False
        self._line_up(item)

    def fix_account(self, cuenta: str) -> None:
        """A person mended the set-up; what is in error stays there until it is resent."""
        for item in self._by_cuenta.get(cuenta, []):
            item.fates = [fate for fate in item.fates if fate.hasta != "cuenta"]

    def recover_numbering(self, cuenta: str) -> None:
        """«Recuperar numeracion desde AFIP/ARCA» on the web."""
        self._out_of_step = {key for key in self._out_of_step if key[0] != cuenta}

    def issue(self, item: Item) -> None:
        if item.authorised:
            self._out_of_step.discard((item.cuenta, item.tipo))
        else:
            self._authorise(item)
        item.estado, item.emitido, item.espera_aprobacion = EMITIDO, self.agenda.now, False
        item.turno += 1
        if gap := draw(self.plan.hueco_emision, self.rng):
            item.oculto_hasta = self.agenda.now + timedelta(seconds=gap)
        self.mensajero.emit(item.cuenta, "emitido", item.referencia)

    def poke(self) -> None:
        """Let every PDV look again: the plan may have changed."""
        for cuenta in self._ready:
            self._plan_tick(cuenta)

    def _first(self, cuenta: str, referencia: str, *states: str) -> Item | None:
        named = self.named(cuenta, referencia)
        return next((i for i in named if i.estado in states and not i.en_proceso), None)

    def _line_up(self, item: Item, delay: float | None = None) -> None:
        """A future fecha waits for that day in Argentina (contract §3.3)."""
        if item.espera_aprobacion:
            return
        wait = draw(self.plan.demora_en_cola, self.rng) if delay is None else delay
        item.turno += 1
        due = max(self.agenda.now + timedelta(seconds=wait), self.agenda.start_of(item.fecha))
        heapq.heappush(self._ready.setdefault(item.cuenta, []), (due, item.id, item.turno))
        self._plan_tick(item.cuenta)

    def _plan_tick(self, cuenta: str) -> None:
        if cuenta in self._busy:
            return
        line = self._ready[cuenta]
        while line and not self._stands(line[0]):
            heapq.heappop(line)
        if not line:
            return
        when = max(self.agenda.now, line[0][0], self.plan.mantenimiento_hasta or self.agenda.now)
        planned = self._ticks.get(cuenta)
        if planned is None or when < planned:
            self._ticks[cuenta] = when
            self.agenda.at(when, partial(self._tick, cuenta, when))

    def _stands(self, entry: tuple[datetime, int, int]) -> bool:
        item = self.items[entry[1] - 1]
        return item.estado == EN_COLA and item.turno == entry[2]

    def _tick(self, cuenta: str, when: datetime) -> None:
        if self._ticks.get(cuenta) == when:
            del self._ticks[cuenta]
        if cuenta in self._busy:
            return
        item = None if self._held() else self._take(cuenta)
        if item is None:
            self._plan_tick(cuenta)
            return
        self._busy.add(cuenta)
        item.en_proceso = True
        self.agenda.after(self.plan.segundos_por_comprobante, partial(self._attempt, item))

    def _held(self) -> bool:
        until = self.plan.mantenimiento_hasta
        return until is not None and self.agenda.now < until

    def _take(self, cuenta: str) -> Item | None:
        line = self._ready[cuenta]
        while line and not self._stands(line[0]):
            heapq.heappop(line)
        if not line or line[0][0] > self.agenda.now:
            return None
        if self.plan.orden_seleccion == "llegada":
            chosen = heapq.heappop(line)
        else:
            chosen = self.rng.choice([e for e in line if e[0] <= self.agenda.now and self._stands(e)])
            line.remove(chosen)
            heapq.heapify(line)
        return self.items[chosen[1] - 1]

    def _attempt(self, item: Item) -> None:
        self._busy.discard(item.cuenta)
        item.en_proceso = False
        if item.estado == EN_COLA:
            self._judge(item)
        self._plan_tick(item.cuenta)

    def _judge(self, item: Item) -> None:
        """Recoverable impediments are retried up to 100 times, others mark it at once (contract §7)."""
        item.intentos += 1
        if self.plan.afip_caida:
            if item.intentos >= self.plan.intentos_maximos:
                self._fail(item, "AFIP_CAIDA")
            else:
                self._line_up(item, self.plan.segundos_entre_intentos)
            return
        kind = self._impediment(item)
        if kind is None:
            self.issue(item)
        else:
            self._fail(item, kind)

    def _impediment(self, item: Item) -> str | None:
        """An ordered fate first; then what AFIP checks by itself, which is nothing on a DEV plan (contract §1)."""
        if item.fates:
            return self._ordered(item)
        if self.cuentas[item.cuenta].dev or item.authorised:
            return None
        last = self.lasts.get((item.cuenta, item.tipo))
        sent = item.entrada["comprobante"]
        since, until = (parse_date(sent.get(f"periodo_facturado_{end}")) for end in ("desde", "hasta"))
        if (item.cuenta, item.tipo) in self._out_of_step or (last is not None and item.fecha < last.fecha):
            return "10016"
        if item.vencimiento < item.fecha:
            return "10036"
        if since is not None and until is not None and since > until:
            return "DATOS"
        if self.plan.ventana_legal and abs((item.fecha - self.agenda.today()).days) > _WINDOW_DAYS:
            return "FECHA"
        return None

    def _ordered(self, item: Item) -> str:
        fate = item.fates[0]
        if fate.kind in AUTHORISED and not item.authorised:
            self._authorise(item)
            if self.plan.desincroniza:
                self._out_of_step.add((item.cuenta, item.tipo))
        if fate.hasta == "veces":
            fate.veces -= 1
            if fate.veces <= 0:
                item.fates.pop(0)
        return fate.kind

    def _authorise(self, item: Item) -> None:
        """Numbers are correlative per PDV and tipo and given at emission (contract §7)."""
        last = self.lasts.get((item.cuenta, item.tipo))
        item.numero = last.numero + 1 if last else 1
        fecha = max(item.fecha, last.fecha) if last else item.fecha
        self.lasts[item.cuenta, item.tipo] = Last(item.numero, fecha)
        if self.cuentas[item.cuenta].dev:
            return
        item.cae_vencimiento = self.agenda.today() + timedelta(days=_CAE_DAYS)
        while not item.cae or item.cae in self._caes:
            item.cae = f"7{self.rng.randrange(10**13):013d}"
        self._caes.add(item.cae)

    def _fail(self, item: Item, kind: str) -> None:
        item.estado = CON_ERROR
        item.errores.append(list(TEXTOS[kind]))
        self.mensajero.emit(item.cuenta, "error", item.referencia, TEXTOS[kind])
