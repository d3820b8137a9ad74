"""Hooks: when each is delivered, by the documented table, and how it can go wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from tests.sandbox.simulator.answers import dumps, hook_headers, hook_payload
from tests.sandbox.simulator.plan import (
    FIRST_TIMEOUT,
    RETRY_SECONDS,
    RETRY_TIMEOUT,
    URL_DOWN_SECONDS,
    draw,
    next_outcome,
)

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence
    from datetime import datetime

    from tests.sandbox.simulator.agenda import Agenda
    from tests.sandbox.simulator.plan import CuentaSim, Plan


@dataclass
class Hook:
    """One notification. `clave` is ours and unique; `hook_id` is the provider's and may be shared by a double."""

    clave: int
    hook_id: str
    cuenta: str
    evento: str
    referencia: str
    msg: list[str]
    creado: datetime
    entregas: int = 0
    estado: str = "pendiente"  # pendiente, en_vuelo, entregado, perdido, agotado, ignorado


@dataclass(frozen=True, slots=True)
class Entrega:
    """One delivery that is due now. Whoever makes it finds the URL by `cuenta` and reports to `delivered`."""

    clave: int
    cuenta: str
    hook_id: str
    intento: int
    headers: dict[str, str]
    body: bytes
    timeout: float


@dataclass(frozen=True, slots=True)
class Entregada:
    """How a delivery ended: when, by the provider's clock, and after how many seconds with which status."""

    momento: datetime
    segundos: float
    status: int | None


@dataclass
class Mensajero:
    """Keeps the hooks, and puts those that are due into `salida`."""

    agenda: Agenda
    plan: Plan
    rng: random.Random
    cuentas: dict[str, CuentaSim]
    hooks: list[Hook] = field(default_factory=list)
    salida: list[Entrega] = field(default_factory=list)
    cuentas_ignoradas: set[str] = field(default_factory=set)
    conteo: Counter[str] = field(default_factory=Counter)
    entregadas: list[Entregada] = field(default_factory=list)
    retenidos_hasta: datetime | None = None
    _fallando_desde: dict[str, datetime] = field(default_factory=dict)

    def emit(
        self, cuenta: str, evento: str, referencia: str, msg: Sequence[str] = (), *, before_answer: bool = False
    ) -> None:
        """Make a hook and its first delivery due, unless the plan has something else for it."""
        outcome = next_outcome(self.plan.hooks, self.plan.hooks_prob, self.rng)
        hook = self._make(cuenta, evento, referencia, list(msg), self._new_id())
        if outcome == "lost":
            hook.estado = "perdido"
            return
        delay = 0.0 if before_answer else draw(self.plan.demora_hook, self.rng)
        if outcome == "late":
            delay += draw(self.plan.segundos_tarde, self.rng)
        self._schedule(hook, delay)
        if outcome in ("doubled", "doubled_new_id"):
            again = hook.hook_id if outcome == "doubled" else self._new_id()
            self.conteo["duplicados"] += 1
            self._schedule(self._make(cuenta, evento, referencia, list(msg), again), delay)

    def _make(self, cuenta: str, evento: str, referencia: str, msg: list[str], hook_id: str) -> Hook:
        hook = Hook(len(self.hooks), hook_id, cuenta, evento, referencia, msg, self.agenda.now)
        self.hooks.append(hook)
        return hook

    def _new_id(self) -> str:
        return f"{self.rng.getrandbits(64):016x}"

    def _schedule(self, hook: Hook, delay: float) -> None:
        shuffled = self.rng.uniform(0, self.plan.barajar_hooks) if self.plan.barajar_hooks else 0.0
        self.agenda.after(delay + shuffled, partial(self._leave, hook))

    def _leave(self, hook: Hook) -> None:
        """While hooks are held back they pile up, and then all leave at once."""
        if self.retenidos_hasta is not None and self.agenda.now < self.retenidos_hasta:
            self.agenda.at(self.retenidos_hasta, partial(self._due, hook))
        else:
            self._due(hook)

    def _due(self, hook: Hook) -> None:
        cuenta = self.cuentas[hook.cuenta]
        if cuenta.webhook_url is None or hook.cuenta in self.cuentas_ignoradas:
            hook.estado = "ignorado"
            return
        first = hook.entregas == 0
        hook.entregas += 1
        hook.estado = "en_vuelo"
        if self.plan.hook_id_por_intento and not first:
            hook.hook_id = self._new_id()
        self.conteo["entregas" if first else "reintentos"] += 1
        payload = hook_payload(
            creado=self.agenda.now if self.plan.creado_es_envio else hook.creado,
            evento=hook.evento,
            referencia=hook.referencia,
            intento=1 if self.plan.intento_cuenta == "siempre_1" else hook.entregas,
            msg=hook.msg,
            hook_id=hook.hook_id,
        )
        timeout = max(self.plan.piso_timeout, (FIRST_TIMEOUT if first else RETRY_TIMEOUT) * self.plan.escala)
        headers = hook_headers(cuenta.webhook_token)
        self.salida.append(
            Entrega(hook.clave, hook.cuenta, hook.hook_id, hook.entregas, headers, dumps(payload), timeout)
        )

    def delivered(self, entrega: Entrega, status: int | None, seconds: float = 0.0) -> None:
        """Contract §4: exactly 200 is a success; all else is retried by the table, and 24 h of it ends the URL."""
        hook = self.hooks[entrega.clave]
        self.entregadas.append(Entregada(self.agenda.now, seconds, status))
        if status == 200:
            hook.estado = "entregado"
            self._fallando_desde.pop(hook.cuenta, None)
            return
        self.conteo["fallidas"] += 1
        now = self.agenda.now
        since = self._fallando_desde.setdefault(hook.cuenta, now)
        if (now - since).total_seconds() >= URL_DOWN_SECONDS * self.plan.escala:
            self.cuentas_ignoradas.add(hook.cuenta)
        if hook.entregas > len(RETRY_SECONDS):
            hook.estado = "agotado"
            return
        hook.estado = "pendiente"
        self._schedule(hook, RETRY_SECONDS[hook.entregas - 1] * self.plan.escala)

    def forgive(self, cuenta: str) -> None:
        """A new URL was set: deliveries begin again, what was lost is not replayed."""
        self.cuentas_ignoradas.discard(cuenta)
        self._fallando_desde.pop(cuenta, None)
