"""What a person says of a cuenta, checked before anything is done with it. Pure."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from facturacion.cuentas import ALIAS, Cuenta, CuentaMalConfigurada, cuenta_from_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

CREDENTIALS = ("apikey", "apitoken", "usertoken")
TOKEN = "webhook_token"  # noqa: S105 - a name
_WEIGHTS = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
_TOKEN = re.compile(r"[\x21-\x7e]{16,255}")


class NoSePuede(Exception):
    """It cannot be done as it was asked, and why. `codigo` is stable, the text plain Spanish, without any secret."""

    def __init__(self, codigo: str, mensaje: str) -> None:
        super().__init__(mensaje)
        self.codigo = codigo


@dataclass(frozen=True, slots=True)
class Secretos:
    """What only the operator knows. `webhook_token`: the one that the provider's panel shows, where it shows one."""

    apikey: str = field(repr=False)
    apitoken: str = field(repr=False)
    usertoken: str = field(repr=False)
    webhook_token: str | None = field(default=None, repr=False)


def check_alias(alias: str) -> str:
    if not ALIAS.fullmatch(alias):
        raise NoSePuede(
            "AliasInvalido", "El alias tiene hasta 32 minúsculas, dígitos y guiones, y no empieza con guion."
        )
    return alias


def check_cuit(text: str) -> str:
    """Eleven digits, with dashes or without, the last one right."""
    digits = re.sub(r"[-. ]", "", text)
    if not re.fullmatch(r"[0-9]{11}", digits):
        raise NoSePuede("CuitInvalido", "La CUIT tiene 11 dígitos.")
    rest = sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=False)) % 11
    # A rest of 1 would need the digit 10: no CUIT has it.
    if int(digits[-1]) != (0 if rest == 0 else 11 - rest):
        raise NoSePuede("CuitInvalido", f"El dígito verificador de la CUIT {digits} no corresponde: está mal escrita.")
    return digits


def check_punto_venta(text: str) -> int:
    if not re.fullmatch(r"0*[1-9][0-9]{0,4}", text):
        raise NoSePuede("PuntoVentaInvalido", "El punto de venta es un número de 1 a 99999.")
    return int(text)


def read_secretos(given: Mapping[str, Any]) -> Secretos:
    """From an object with the three credentials, and perhaps the token."""
    values = {name: _text(given.get(name)) for name in (*CREDENTIALS, TOKEN)}
    if missing := [name for name in CREDENTIALS if not values[name]]:
        raise NoSePuede("FaltanCredenciales", f"Falta: {', '.join(missing)}.")
    token = values.pop(TOKEN)
    return Secretos(**values, webhook_token=check_token(token) if token else None)


def check_token(token: str) -> str:
    if not _TOKEN.fullmatch(token):
        raise NoSePuede(
            "TokenInvalido", "El token de webhook tiene de 16 a 255 letras, dígitos o signos, sin espacios."
        )
    return token


def new_token() -> str:
    """256 bits, of characters that need no quoting in a header or a URL."""
    return secrets.token_urlsafe(32)


def new_secret(secretos: Secretos, *, alias: str, cuit: str, punto_venta: int, modo: str, llave: str) -> str:
    """The value of the secret; what the functions could not use is refused here."""
    value = {
        "apikey": secretos.apikey,
        "apitoken": secretos.apitoken,
        "usertoken": secretos.usertoken,
        "webhook_tokens": [secretos.webhook_token or new_token()],
        "llave": llave,
        "cuit": cuit,
        "punto_venta": punto_venta,
        "modo": modo,
    }
    text = json.dumps(value)
    usable(alias, text)
    return text


def with_tokens(secret: str, tokens: list[str]) -> str:
    """The same secret, whatever else is in it, with these tokens."""
    return json.dumps({**json.loads(secret), "webhook_tokens": tokens})


def with_credentials(secret: str, secretos: Secretos) -> str:
    """The same secret with these credentials."""
    return json.dumps({**json.loads(secret), **{name: getattr(secretos, name) for name in CREDENTIALS}})


def usable(alias: str, secret: str) -> Cuenta:
    try:
        return cuenta_from_secret(alias, secret)
    except CuentaMalConfigurada as error:
        raise NoSePuede("SecretoInvalido", f"El secreto no sirve. {error}.") from None


def _text(value: object) -> str:
    """A number is as good: the provider's apikey is one."""
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
