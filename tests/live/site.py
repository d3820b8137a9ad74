"""What a run works with: the cuenta at the provider, the stack around it, and the requests it may spend."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx

from facturacion.mensaje import Mensaje, leer, revisar
from facturacion.tiempo import ARGENTINA
from tests.sandbox.waiting import wait_until
from tusfacturas.fechas import format_fecha
from tusfacturas.models import Reglas
from tusfacturas.outcomes import Consulta

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeVar

    from tests.live.listener import Listener
    from tusfacturas.client import Cliente
    from tusfacturas.outcomes import Encontrado

    T = TypeVar("T")

_CREDENTIALS = {"apikey", "apitoken", "usertoken"}


class Spent(Exception):
    """The budget of requests does not allow what was to be asked."""


@dataclass(frozen=True)
class Exchange:
    """One call as it went over the wire, without credentials. `answer`: its JSON, or the text that is none."""

    method: str
    status: int
    answer: Any


class Recorder(httpx.BaseTransport):
    """The shipped client's transport, which also keeps what was answered: the client tells only what it means."""

    def __init__(self) -> None:
        self._transport = httpx.HTTPTransport()
        self.exchanges: list[Exchange] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._transport.handle_request(request)
        body = response.read()
        try:
            answer = json.loads(body)
        except ValueError:
            answer = body[:500].decode(errors="replace")
        self.exchanges.append(Exchange(request.url.path.rpartition("v2/")[2], response.status_code, answer))
        return httpx.Response(response.status_code, headers=response.headers, content=body)

    def close(self) -> None:
        self._transport.close()


@dataclass
class Site:
    """`prefix`: of every reference of this run. `tell`: prints a line for whoever watches.

    `send` puts a message on the stack's queue; `look` gives what the stack knows of a reference, None if nothing.
    """

    cuenta: str
    punto_venta: int
    tipo: str
    prefix: str
    cliente: Cliente
    recorder: Recorder
    listener: Listener
    send: Callable[[Mapping[str, Any]], None]
    look: Callable[[str], dict[str, Any] | None]
    tell: Callable[[str], None]
    budget: int
    patience: float
    spent: int = 0
    left_behind: dict[str, date] = field(default_factory=dict)
    """What this run queued by itself and has not deleted: reference → fecha."""

    def today(self) -> date:
        return datetime.now(ARGENTINA).date()

    def reference(self, name: str) -> str:
        """Of a question of this run's: the stack does not know it."""
        return f"{self.prefix}q-{name}"

    def spend(self, requests: int) -> None:
        """Raises Spent before the call that would pass the budget."""
        if self.spent + requests > self.budget:
            raise Spent(f"{self.spent + requests} requests would be needed, and the budget is {self.budget}")
        self.spent += requests

    def comprobante(self, reference: str, fecha: date, **changes: Any) -> dict[str, Any]:
        """A message of the smallest amount that the provider takes without a special rule."""
        letter = self.tipo.rsplit(maxsplit=1)[-1]
        alicuota, total = ("0", "100.00") if letter == "C" else ("21", "121.00")
        message = copy.deepcopy(_MESSAGE)
        message["cuenta"] = self.cuenta
        message["comprobante"] |= {
            "external_reference": reference,
            "tipo": self.tipo,
            "fecha": format_fecha(fecha),
            "vencimiento": format_fecha(fecha + timedelta(days=10)),
            "punto_venta": self.punto_venta,
            "total": total,
            **changes,
        }
        message["comprobante"]["detalle"][0]["producto"]["alicuota"] = alicuota
        return message

    def peticion(self, message: Mapping[str, Any]) -> dict[str, object]:
        """As pack_lotes would send it."""
        mensaje = leer(json.dumps(message), cuenta_por_defecto=None)
        assert isinstance(mensaje, Mensaje), mensaje
        listo = revisar(mensaje, Reglas(self.punto_venta, tolerancia_total=Decimal("0.01")))
        assert not isinstance(listo, tuple), listo
        return listo.peticion

    def queue(self, name: str, fecha: date, **changes: Any) -> str:
        """Queues one at the provider, not through the stack; its reference. Raises Spent."""
        reference = self.reference(name)
        self.spend(1)
        outcome = self.cliente.nuevo_encola(self.peticion(self.comprobante(reference, fecha, **changes)))
        self.tell(f"  {reference}: {type(outcome).__name__}")
        self.left_behind[reference] = fecha
        return reference

    def shown(self, reference: str) -> list[Encontrado]:
        """What the provider shows under a reference; nothing where it does not answer."""
        consulta = self.cliente.consulta_por_referencia(reference)
        return list(consulta.comprobantes) if isinstance(consulta, Consulta) else []

    def last(self, method: str) -> Exchange:
        return next(e for e in reversed(self.recorder.exchanges) if e.method == method)

    def wait(self, condition: Callable[[], T | None], patience: float | None = None) -> T | None:
        """The first true value, or None when the patience is over."""
        try:
            return wait_until(condition, self.patience if patience is None else patience, interval=0.2)
        except TimeoutError:
            return None


_MESSAGE: dict[str, Any] = {
    "cliente": {
        "documento_tipo": "DNI",
        "documento_nro": "11222333",
        "razon_social": "PRUEBA DE ACEPTACION",
        "domicilio": "AV LIBERTADOR 571",
        "provincia": "2",
        "condicion_pago": "211",
        "condicion_iva": "CF",
        "envia_por_mail": "N",
        "reclama_deuda": "N",
    },
    "comprobante": {
        "detalle": [
            {"cantidad": 1, "producto": {"descripcion": "Prueba de aceptación", "precio_unitario_sin_iva": 100}}
        ]
    },
}
