"""The sandbox's cuentas: made-up credentials, in Secrets Manager where the functions look for them."""

from __future__ import annotations

import json
import secrets
import string
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

DEMO = ("demo-uno", "demo-dos")
WEBHOOK_HEADER = "TF-WebhookToken"
_ALPHANUMERIC = string.ascii_lowercase + string.digits


@dataclass(frozen=True)
class SandboxCuenta:
    """One CUIT + punto de venta at the (simulated) provider, with the secrets both sides know."""

    alias: str
    cuit: str
    punto_venta: int
    apikey: str = field(repr=False)
    apitoken: str = field(repr=False)
    usertoken: str = field(repr=False)
    webhook_token: str = field(repr=False)
    llave: str = field(repr=False)
    modo: str = "lotes"

    def secret(self) -> str:
        """The value of the cuenta's secret, as facturacion.cuentas reads it."""
        return json.dumps(
            {
                "apikey": self.apikey,
                "apitoken": self.apitoken,
                "usertoken": self.usertoken,
                "webhook_tokens": [self.webhook_token],
                "llave": self.llave,
                "cuit": self.cuit,
                "punto_venta": self.punto_venta,
                "modo": self.modo,
            }
        )


def make_cuentas(aliases: Sequence[str] = DEMO) -> list[SandboxCuenta]:
    """Cuentas with fresh random credentials in the provider's formats; punto de venta 3, 10, 11, …"""
    return [
        SandboxCuenta(
            alias=alias,
            cuit=make_cuit(71_229_384 + number),
            punto_venta=3 if number == 0 else 9 + number,
            # A number, as the provider's are, but one that is found nowhere by chance.
            apikey=str(10**17 + secrets.randbelow(9 * 10**17)),
            apitoken=_random(33),
            usertoken=_random(32),
            webhook_token=_random(40),
            llave=_random(32),
        )
        for number, alias in enumerate(aliases)
    ]


def create_secrets(client: Any, stack_name: str, cuentas: Sequence[SandboxCuenta]) -> None:
    """Create the secret `{stack}/cuentas/{alias}` of each, or give it its new value."""
    for cuenta in cuentas:
        name = f"{stack_name}/cuentas/{cuenta.alias}"
        try:
            client.create_secret(Name=name, SecretString=cuenta.secret())
        except client.exceptions.ResourceExistsException:
            client.put_secret_value(SecretId=name, SecretString=cuenta.secret())


def make_cuit(number: int) -> str:
    """A company's CUIT (30-…) with its right check digit."""
    digits = f"30{number:08d}"
    weighed = sum(int(digit) * weight for digit, weight in zip(digits, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2), strict=True))
    check = 11 - weighed % 11
    # 10 is never given to a company under 30; the next number is as good.
    return make_cuit(number + 1) if check == 10 else f"{digits}{0 if check == 11 else check}"


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHANUMERIC) for _ in range(length))
