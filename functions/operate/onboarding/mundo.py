"""What onboarding is given: everything outside, and how it waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from facturacion.cuentas import huella
from operate.onboarding.datos import NoSePuede
from tusfacturas.outcomes import Consumo, CredencialesRechazadas

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from facturacion.cuentas import Cuenta
    from operate.onboarding.caja import Caja
    from tusfacturas.client import Cliente, Credenciales

HEADER = "TF-WebhookToken"
LOOKS_EVERY = 3.0
"""Seconds between two looks for a hook."""


@dataclass(frozen=True, slots=True)
class Mundo:
    """`ask`: the function. `connect`: the provider, with somebody's credentials. `url`: of a cuenta's webhook.

    `tell`: to the person who waits, at once. `monotonic`, `sleep`: seconds.
    """

    caja: Caja
    ask: Callable[[Mapping[str, Any]], dict[str, Any]]
    connect: Callable[[Credenciales], Cliente]
    url: Callable[[str], str]
    tell: Callable[[str], None]
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]

    def asked(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """What the function refuses is refused here as well."""
        answer = self.ask(event)
        if "error" in answer:
            raise NoSePuede(answer["error"]["codigo"], answer["error"]["mensaje"])
        return answer


def check_credentials(mundo: Mundo, credenciales: Credenciales) -> dict[str, int]:
    """What the plan has left; it is no request of the plan. Raises NoSePuede where they do not work, or nobody knows.

    It cannot tell whether they are of the CUIT and punto de venta that were named: only a comprobante does.
    """
    with mundo.connect(credenciales) as cliente:
        outcome = cliente.consumo()
    if isinstance(outcome, Consumo):
        return {"cupo": outcome.cupo, "generados": outcome.generados, "disponibles": outcome.disponibles}
    if isinstance(outcome, CredencialesRechazadas):
        raise NoSePuede("CredencialesRechazadas", f"TusFacturas no acepta esas credenciales. {outcome.detalle}")
    raise NoSePuede(
        "ProveedorSinRespuesta", f"TusFacturas no dijo si las credenciales sirven ({outcome.codigo}). {outcome.detalle}"
    )


def server_now(mundo: Mundo, alias: str) -> str:
    """The function's clock: hooks are dated by it, whatever the operator's says."""
    now: str = mundo.asked({"orden": "pruebas", "cuenta": alias})["ahora"]
    return now


def wait_for_hook(mundo: Mundo, cuenta: Cuenta, *, since: str, seconds: float, token: str | None) -> str | None:
    """When a test hook (with that token, if one is named) came; None where none did in that time."""
    wanted = huella(cuenta, token) if token else None
    until = mundo.monotonic() + seconds
    while True:
        hooks = mundo.asked({"orden": "pruebas", "cuenta": cuenta.alias, "desde": since})["hooks"]
        for hook in hooks:
            if wanted is None or hook["huella"] == wanted:
                received: str = hook["recibido"]
                return received
        if mundo.monotonic() >= until:
            return None
        mundo.sleep(LOOKS_EVERY)
