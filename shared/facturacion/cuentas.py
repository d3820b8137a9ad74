"""The cuentas: one Secrets Manager secret each, `{prefix}/{alias}`, never logged, never stored.

    {"apikey": "…", "apitoken": "…", "usertoken": "…", "webhook_tokens": ["…"], "llave": "…",
     "cuit": "30712293841", "punto_venta": 3, "modo": "lotes"}

`webhook_tokens` holds up to two, so that a token can be rotated without a gap; the provider makes them. `llave` we make
ourselves; it is a segment of a URL. `modo` is `lotes`, or `individual` for `nuevo_encola` one by one (the provider's
newer pages no longer list the lote method).
"""

from __future__ import annotations

import hmac
import json
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_secretsmanager import SecretsManagerClient

ALIAS = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
CACHED_FOR = timedelta(minutes=15)
ABSENT_FOR = timedelta(minutes=1)
"""A cuenta that was just onboarded must not be unknown for a quarter of an hour."""
REREAD_AFTER = timedelta(minutes=1)
"""A token that does not match re-reads the secret at most this often, per cuenta."""
ABSENT_MAX = 1_000
"""Unknown aliases kept as absent: anyone may knock with any alias."""
TOKENS_MAX = 2
LLAVE = re.compile(r"[A-Za-z0-9._~-]{12,255}")
"""What a URL carries as it is, and nobody guesses."""


class CuentaMalConfigurada(Exception):
    """The secret exists and cannot be used. Its text names the key at fault, never a value."""


@dataclass(frozen=True, slots=True)
class Cuenta:
    """An alias of one CUIT + punto de venta. Its repr shows no secret."""

    alias: str
    apikey: str = field(repr=False)
    apitoken: str = field(repr=False)
    usertoken: str = field(repr=False)
    webhook_tokens: tuple[str, ...] = field(repr=False)
    llave: str | None = field(repr=False)
    cuit: str
    punto_venta: int
    modo: Literal["lotes", "individual"]


class Cuentas:
    """Reads and caches. One instance lives as long as the process; `clock` decides what is stale."""

    def __init__(self, client: SecretsManagerClient, prefix: str, *, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._prefix = prefix.rstrip("/")
        self._clock = clock
        self._cached: dict[str, tuple[datetime, Cuenta]] = {}
        self._absent: dict[str, datetime] = {}
        self._broken: dict[str, tuple[datetime, str]] = {}
        self._knocked: dict[str, datetime] = {}

    def get(self, alias: str) -> Cuenta | None:
        """None: there is no such cuenta. Raises CuentaMalConfigurada, or botocore's ClientError when it cannot tell."""
        now = self._clock()
        if alias in self._cached and now - self._cached[alias][0] < CACHED_FOR:
            return self._cached[alias][1]
        if alias in self._absent and now - self._absent[alias] < ABSENT_FOR:
            return None
        if alias in self._broken and now - self._broken[alias][0] < ABSENT_FOR:
            raise CuentaMalConfigurada(self._broken[alias][1])
        return self._read(alias, now)

    def recognize(self, alias: str, is_it: Callable[[Cuenta | None], bool]) -> Cuenta | None:
        """The cuenta of which `is_it` is true; read anew where it is not: a token may have been rotated a moment ago.

        Who knocks in vain makes us read once a minute for each alias, whether there is such a cuenta or not, so that
        the time it takes does not tell. Raises as `get` does.
        """
        now, before = self._clock(), self._cached.get(alias)
        cuenta = self.get(alias)
        if is_it(cuenta):
            return cuenta
        # Read by the line above, or in the last minute: that it was rotated since is not worth another read.
        if cuenta is None or self._cached.get(alias) is not before:
            self._note_knock(alias, now)
            return None
        if alias in self._knocked and now - self._knocked[alias] < REREAD_AFTER:
            return None
        again = self._read(alias, now)
        self._note_knock(alias, now)
        return again if is_it(again) else None

    def _note_knock(self, alias: str, now: datetime) -> None:
        """Only of cuentas that there are: whoever makes names up fills no memory."""
        if alias in self._cached:
            self._knocked[alias] = now

    def _read(self, alias: str, now: datetime) -> Cuenta | None:
        if not ALIAS.fullmatch(alias):
            return None
        try:
            answer = self._client.get_secret_value(SecretId=f"{self._prefix}/{alias}")
        except self._client.exceptions.ResourceNotFoundException:
            self._cached.pop(alias, None)
            self._absent.pop(alias, None)
            while len(self._absent) >= ABSENT_MAX:
                del self._absent[next(iter(self._absent))]
            self._absent[alias] = now
            return None
        try:
            cuenta = cuenta_from_secret(alias, answer.get("SecretString", ""))
        except CuentaMalConfigurada as error:
            self._cached.pop(alias, None)
            self._broken[alias] = (now, str(error))
            raise
        self._broken.pop(alias, None)
        self._cached[alias] = (now, cuenta)
        self._absent.pop(alias, None)
        return cuenta


def huella(cuenta: Cuenta, token: str) -> str:
    """Which of its tokens a hook came with, for whoever knows the secret. Trying them tells nobody else."""
    return hmac.new(cuenta.apitoken.encode(), token.encode("utf-8", "surrogatepass"), "sha256").hexdigest()[:16]


def cuenta_from_secret(alias: str, secret: str) -> Cuenta:
    """Raises CuentaMalConfigurada without quoting anything of the secret."""
    try:
        raw = json.loads(secret)
    except ValueError:
        raise CuentaMalConfigurada(f"cuenta {alias}: el secreto no es JSON") from None
    if not isinstance(raw, dict):
        raise CuentaMalConfigurada(f"cuenta {alias}: el secreto no es un objeto JSON")
    tokens = raw.get("webhook_tokens", [])
    if (
        not isinstance(tokens, list)
        or len(tokens) > TOKENS_MAX
        or not all(isinstance(t, str) and t.strip() for t in tokens)
    ):
        raise CuentaMalConfigurada(f"cuenta {alias}: «webhook_tokens» debe ser una lista de hasta {TOKENS_MAX} textos")
    modo = raw.get("modo", "lotes")
    if modo not in ("lotes", "individual"):
        raise CuentaMalConfigurada(f"cuenta {alias}: «modo» debe ser «lotes» o «individual»")
    llave = raw.get("llave")
    if llave is not None and not (isinstance(llave, str) and LLAVE.fullmatch(llave)):
        raise CuentaMalConfigurada(f"cuenta {alias}: «llave» debe tener de 12 a 255 letras, dígitos o «._~-»")
    punto_venta = _text(alias, raw, "punto_venta")
    if not re.fullmatch(r"0*[1-9][0-9]{0,4}", punto_venta):
        raise CuentaMalConfigurada(f"cuenta {alias}: «punto_venta» debe ser un número")
    return Cuenta(
        alias=alias,
        apikey=_text(alias, raw, "apikey"),
        apitoken=_text(alias, raw, "apitoken"),
        usertoken=_text(alias, raw, "usertoken"),
        # No header keeps the spaces, or the end of line, that were pasted with it.
        webhook_tokens=tuple(token.strip() for token in tokens),
        llave=llave,
        cuit=_text(alias, raw, "cuit"),
        punto_venta=int(punto_venta),
        modo=modo,
    )


def _text(alias: str, raw: dict[str, Any], key: str) -> str:
    value = raw.get(key)
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise CuentaMalConfigurada(f"cuenta {alias}: falta «{key}»")
    return str(value).strip()
