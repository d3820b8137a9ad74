"""The provider as a value: what it does depends on a clock, a seed, and the calls it gets; nothing else."""

from __future__ import annotations

import json
import random
from collections import Counter, deque
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.sandbox.simulator import answers, buscar, consulta, puerta
from tests.sandbox.simulator.agenda import Agenda
from tests.sandbox.simulator.audit import audit, summary
from tests.sandbox.simulator.cola import Cola
from tests.sandbox.simulator.hooks import Mensajero
from tests.sandbox.simulator.plan import Plan, draw
from tests.sandbox.simulator.respuesta import Respuesta, as_html, as_json
from tests.sandbox.simulator.rules import faults, parse_date

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tests.sandbox.simulator.cola import Item
    from tests.sandbox.simulator.hooks import Entrega
    from tests.sandbox.simulator.plan import CuentaSim, Desenlace

Json = dict[str, Any]

METHODS: dict[str, Callable[[Proveedor, CuentaSim, Json], Respuesta]] = {
    "facturacion/lotes_encola": puerta.lote,
    "facturacion/nuevo_encola": puerta.single,
    "facturacion/reenviar_encolado": puerta.resend,
    "facturacion/eliminar_encolado": puerta.delete,
    "facturacion/cambiar_fecha_encolado": puerta.change_date,
    "facturacion/consulta_avanzada": buscar.search,
    "facturacion/consulta": buscar.search_one,
    "facturacion/numeracion": buscar.numbering,
    "estado_servicios/alertas": buscar.services,
    "micuenta/consumo": buscar.consumption,
}


class Proveedor:
    """The provider. Deterministic for a clock, a seed and a sequence of calls; not thread-safe.

    `handle` answers a call; `advance` does what has become due and gives the hooks to deliver now, whose fate is
    reported to `delivered`; `next_due` says when to come back. `web_*` is what people do on the provider's web.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        rng: random.Random,
        cuentas: list[CuentaSim],
        plan: Plan | None = None,
        base_url: str = "https://www.tusfacturas.app",
    ) -> None:
        self.plan = plan or Plan()
        self.base_url = base_url
        self.cuentas = {cuenta.alias: cuenta for cuenta in cuentas}
        self.rng, hooks_rng, queue_rng = (random.Random(rng.getrandbits(64)) for _ in range(3))
        self.agenda = Agenda(clock())
        self.mensajero = Mensajero(self.agenda, self.plan, hooks_rng, self.cuentas)
        self.cola = Cola(self.agenda, self.plan, queue_rng, self.cuentas, self.mensajero)
        self.posts: list[puerta.Post] = []
        self.operaciones: list[puerta.Operacion] = []
        self.llamadas: Counter[str] = Counter()
        self.consumo: dict[str, Counter[str]] = {}
        self._clock = clock
        self._recent: dict[str, deque[datetime]] = {}
        self._pdfs: dict[str, tuple[Item, datetime]] = {}

    def handle(self, metodo: str, body: bytes | Json) -> Respuesta:
        """Answer a POST to `metodo`, such as `facturacion/lotes_encola`."""
        self._catch_up()
        self.llamadas[metodo] += 1
        if self.plan.caida:
            return Respuesta(effect="refuse") if self.plan.caida == "sin_conexion" else as_html(503)
        if metodo not in METHODS:
            return as_json(answers.failed("El metodo solicitado no existe."), 404)
        if self._in_maintenance():
            return self._maintenance()
        try:
            datos = json.loads(body if isinstance(body, bytes) else answers.dumps(body), parse_float=Decimal)
        except ValueError:
            datos = None
        if not isinstance(datos, dict):
            return as_json(answers.failed("El formato enviado no es valido."), 400)
        cuenta = self._who(datos)
        if cuenta is None:
            return as_json(answers.failed("Las credenciales enviadas no son validas."), self.plan.credenciales_status)
        if self._too_fast(cuenta):
            return as_html(429)
        return METHODS[metodo](self, cuenta, datos)

    def advance(self) -> list[Entrega]:
        """Do what is due by now; gives the deliveries to make now, each of which must be reported to `delivered`."""
        self._catch_up()
        due = list(self.mensajero.salida)
        self.mensajero.salida.clear()
        return due

    def next_due(self) -> datetime | None:
        """When `advance` has something to do next; None when nothing will happen by itself."""
        self.cola.poke()
        return self.agenda.now if self.mensajero.salida else self.agenda.next_due()

    def delivered(self, entrega: Entrega, status: int | None, seconds: float = 0.0) -> None:
        """How a delivery ended, and after how long: its HTTP status, None for a timeout or an unreachable URL."""
        self._catch_up()
        self.mensajero.delivered(entrega, status, seconds)

    def audit(self) -> Json:
        """Everything the provider really has, JSON-serialisable; `summary` is its digest."""
        self._catch_up()
        return audit(self)

    def summary(self) -> Json:
        self._catch_up()
        return summary(self)

    def pdf(self, token: str) -> bytes | None:
        """The PDF behind a `comprobante_pdf_url`: the link dies with the Argentine day (contract §6)."""
        self._catch_up()
        item, until = self._pdfs.get(token, (None, self.agenda.now))
        return consulta.pdf(item) if item is not None and self.agenda.now < until else None

    def pdf_url(self, item: Item) -> str:
        """A link that holds for today."""
        today = self.agenda.today()
        token = f"{random.Random(f'{item.cae}-{item.id}-{today}').getrandbits(96):024x}"
        self._pdfs[token] = (item, self.agenda.start_of(today + timedelta(days=1)))
        return f"{self.base_url}/pdf/{token}.pdf"

    def call(self, desenlace: Desenlace, work: Callable[[Desenlace], Json]) -> Respuesta:
        """Do the work if the outcome says so, and show the caller what it says."""
        if desenlace.trabaja and not desenlace.en_fondo:
            slow = desenlace.vista in ("lenta", "hooks_antes")
            delay = self.plan.segundos_lenta if slow else draw(self.plan.demora_respuesta, self.rng)
            return as_json(work(desenlace), demora=delay)
        if desenlace.en_fondo:
            delay = draw(self.plan.demora_fondo, self.rng)
            if delay:
                self.agenda.after(delay, partial(work, desenlace))
            else:
                work(desenlace)
        match desenlace.vista:
            case "reset" | "cut" | "hang":
                return Respuesta(effect=desenlace.vista)
            case "524":
                return as_html(524, demora=self.plan.segundos_524)
            case "429":
                return as_html(429)
            case "maintenance":
                return self._maintenance()
            case "ilegible":
                return as_json(answers.unreadable_refusal())
            case "html_200":
                return as_html(200)
            case _:
                return as_html(500)

    def used(self, cuenta: CuentaSim, metodo: str) -> int:
        return self.consumo.setdefault(cuenta.alias, Counter())[metodo]

    def has_quota(self, cuenta: CuentaSim, metodo: str, cantidad: int) -> bool:
        """Each method has its own counter up to the plan's comprobantes; both queue modes share one (contract §1)."""
        return not self.plan.cupo_agotado and self.used(cuenta, metodo) + cantidad <= cuenta.cupo

    def spend(self, cuenta: CuentaSim, metodo: str, cantidad: int) -> bool:
        if not self.has_quota(cuenta, metodo, cantidad):
            return False
        self.consumo[cuenta.alias][metodo] += cantidad
        return True

    def web_delete(self, alias: str, referencia: str, *, notify: bool = True) -> int:
        """All that wait under the reference, whatever their fecha; gives how many. Whether it notifies is [U]."""
        self._catch_up()
        days = {item.fecha for item in self.cola.named(alias, referencia)}
        return sum(len(self.cola.delete(alias, referencia, day, notify=notify)[0]) for day in days)

    def web_change_date(
        self, alias: str, referencia: str, fecha: str, vencimiento: str, *, notify: bool = True
    ) -> bool:
        self._catch_up()
        day, due = parse_date(fecha), parse_date(vencimiento)
        if day is None:
            raise ValueError("fecha is dd/mm/aaaa")
        return self.cola.change_date(alias, referencia, day, due, notify=notify) is not None

    def web_issue(self, alias: str, referencia: str) -> bool:
        """The first that waits is issued now, whatever its markers say."""
        self._catch_up()
        item = next((i for i in self.cola.named(alias, referencia) if i.in_queue), None)
        if item is not None:
            self.cola.issue(item)
        return item is not None

    def web_approve(self, alias: str, referencia: str) -> int:
        self._catch_up()
        waiting = [item for item in self.cola.named(alias, referencia) if item.espera_aprobacion and item.in_queue]
        for item in waiting:
            self.cola.approve(item)
        return len(waiting)

    def web_submit(self, alias: str, entrada: Json) -> int:
        """A person, or another system, submits under a reference of its own choosing; gives the item's id."""
        self._catch_up()
        cuenta, read = self.cuentas[alias], json.loads(answers.dumps(entrada), parse_float=Decimal)
        if found := faults(read, cuenta, self.plan):
            raise ValueError(found[0].texto)
        return self.cola.accept(cuenta, read, None, before_answer=False).id

    def web_fix_account(self, alias: str) -> None:
        self._catch_up()
        self.cola.fix_account(alias)

    def web_recover_numbering(self, alias: str) -> None:
        self._catch_up()
        self.cola.recover_numbering(alias)

    def web_set_webhook(self, alias: str, url: str | None, token: str | None = None) -> None:
        """A new URL also ends the ignoring of one that was down for 24 h (contract §4)."""
        self._catch_up()
        self.cuentas[alias].webhook_url, self.cuentas[alias].webhook_token = url, token
        self.mensajero.forgive(alias)

    def web_hold_hooks(self, seconds: float) -> None:
        """No hook leaves for so long; those of that time then leave at once, as after a pause of the provider."""
        self._catch_up()
        self.mensajero.retenidos_hasta = self.agenda.now + timedelta(seconds=seconds)

    def web_test_hook(self, alias: str) -> None:
        self._catch_up()
        self.mensajero.emit(alias, "test", "")

    def web_add_cuenta(self, cuenta: CuentaSim) -> None:
        self.cuentas[cuenta.alias] = cuenta

    def web_maintenance(self, seconds: float) -> None:
        """From now and for so long; 0 ends it."""
        self._catch_up()
        self.plan.mantenimiento_hasta = self.agenda.now + timedelta(seconds=seconds) if seconds else None

    def _catch_up(self) -> None:
        self.cola.poke()
        self.agenda.run(self._clock())

    def _in_maintenance(self) -> bool:
        until = self.plan.mantenimiento_hasta
        return until is not None and self.agenda.now < until

    def _maintenance(self) -> Respuesta:
        until = self.plan.mantenimiento_hasta or self.agenda.now + timedelta(minutes=5)
        return as_json(answers.maintenance(until), self.plan.mantenimiento_status)

    def _who(self, datos: Json) -> CuentaSim | None:
        """The three credentials decide which PDV is seen; apikey may come as a number (contract §1)."""
        sent = tuple(str(datos.get(name)) for name in ("apikey", "apitoken", "usertoken"))
        return next((c for c in self.cuentas.values() if (c.apikey, c.apitoken, c.usertoken) == sent), None)

    def _too_fast(self, cuenta: CuentaSim) -> bool:
        most = self.plan.maximo_por_segundo
        recent = self._recent.setdefault(cuenta.alias, deque())
        while recent and self.agenda.now - recent[0] >= timedelta(seconds=1):
            recent.popleft()
        if most and len(recent) >= most:
            return True
        recent.append(self.agenda.now)
        return False
