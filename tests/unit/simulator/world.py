"""A provider with a virtual clock, somebody who receives its hooks, and comprobantes to give it."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.sandbox.simulator.plan import CuentaSim, Plan
from tests.sandbox.simulator.provider import Proveedor

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.simulator.hooks import Entrega
    from tests.sandbox.simulator.respuesta import Respuesta

NOON = datetime(2026, 11, 20, 15, tzinfo=UTC)
"""12:00 in Buenos Aires."""
TODAY, YESTERDAY, TOMORROW = "20/11/2026", "19/11/2026", "21/11/2026"
_EXAMPLES = Path(__file__).resolve().parents[2] / "provider_examples"


def example(name: str) -> Any:
    return json.loads((_EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))


def entrada(reference: Any, *, comentario: str = "", cliente: dict[str, Any] | None = None, **fields: Any) -> Any:
    """A request of a lote: the provider's own FACTURA B of 139.00, dated today."""
    sent = example("comprobante.factura_b")
    sent["cliente"] |= cliente or {}
    sent["comprobante"] |= {"fecha": TODAY, "vencimiento": TODAY, "comentario": comentario, **fields}
    sent["comprobante"]["external_reference"] = reference
    return sent


def cuenta(alias: str = "sucursal", **changes: Any) -> CuentaSim:
    fields: dict[str, Any] = {
        "apikey": "1134",
        "apitoken": f"apitoken-{alias}",
        "usertoken": f"usertoken-{alias}",
        "punto_venta": 3,
        "webhook_url": "http://127.0.0.1:9/hooks",
        "webhook_token": "un-token",
    }
    return CuentaSim(alias=alias, **{**fields, **changes})


@dataclass
class World:
    """`receive` answers each delivery with a status, None for no answer in time."""

    plan: Plan = field(default_factory=Plan)
    cuentas: list[CuentaSim] = field(default_factory=lambda: [cuenta()])
    receive: Callable[[Entrega], int | None] = lambda _: 200
    seed: int = 1
    now: datetime = NOON
    hooks: list[dict[str, Any]] = field(default_factory=list)
    deliveries: list[tuple[datetime, Entrega]] = field(default_factory=list)
    proveedor: Proveedor = field(init=False)

    def __post_init__(self) -> None:
        self.proveedor = Proveedor(
            clock=lambda: self.now, rng=random.Random(self.seed), cuentas=self.cuentas, plan=self.plan
        )

    def call(self, metodo: str, alias: str | None = None, **body: Any) -> Respuesta:
        who = self.proveedor.cuentas[alias or self.cuentas[0].alias]
        credentials = {"apikey": who.apikey, "apitoken": who.apitoken, "usertoken": who.usertoken}
        return self.proveedor.handle(metodo, {**credentials, **body})

    def lote(self, *entradas: Any, alias: str | None = None) -> Respuesta:
        return self.call("facturacion/lotes_encola", alias, requests=list(entradas))

    def ask(self, reference: str, alias: str | None = None, **paging: Any) -> Any:
        asked = {"external_reference": reference, "operacion": "V"}
        body = {"busqueda_tipo": "EXT_REF", "pagina": 0, "limite": 100, **paging, "comprobante": asked}
        return self.call("facturacion/consulta_avanzada", alias, **body).json()

    def status(self, reference: str) -> str:
        """The status that a query shows, «» where nothing is found."""
        found = self.ask(reference)["comprobantes"]
        return found[0]["comprobante"]["status"] if found else ""

    def run(self, seconds: float = 3600.0) -> None:
        """Let time pass, from event to event, delivering every hook when it is due."""
        end = self.now + timedelta(seconds=seconds)
        while True:
            for entrega in self.proveedor.advance():
                self.deliveries.append((self.now, entrega))
                status = self.receive(entrega)
                if status == 200:
                    self.hooks.append(json.loads(entrega.body))
                self.proveedor.delivered(entrega, status)
            due = self.proveedor.next_due()
            if due is None or due > end:
                break
            self.now = max(self.now, due)
        self.now = end

    def eventos(self, reference: str) -> list[str]:
        """What was told of a reference, in the order of arrival."""
        return [hook["evento"] for hook in self.hooks if hook["external_reference"] == reference]

    def summary(self) -> Any:
        return self.proveedor.summary()
