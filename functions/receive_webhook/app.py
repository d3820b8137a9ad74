"""Lambda handler of the only public door: authenticate, store once, answer.

The provider waits 20 s for the first delivery and 5 s for a retry, and drops a URL for good that fails for 24 h. So
nothing else happens here: one write, and everything that follows from the hook is for the table's stream. Only a
failure of our own storage is answered with a 5xx, so that the hook comes again. Whoever cannot show that he is the
provider gets one answer, whatever the reason; `events/webhook.openapi.yaml` has them all.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from facturacion.cuentas import CuentaMalConfigurada, Cuentas, huella
from facturacion.environment import Reader
from facturacion.ledger import Guardado, Ledger
from facturacion.metricas import DE_EVENTO, Metrica
from facturacion.observability import Medidor, logger_for
from facturacion.tiempo import now
from tusfacturas.hooks import EVENTOS, read_hook

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from facturacion.cuentas import Cuenta

BODY_MAX = 256 * 1024
"""A hook is well under 2 KB."""
TOKEN_HEADER = "tf-webhooktoken"  # noqa: S105 - its name; HTTP APIs hand headers over in lower case

logger = logger_for("receive_webhook")
medidor = Medidor("receive_webhook")
count, measure = medidor.count, medidor.measure


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables of this function."""

    table: str
    cuentas_prefix: str
    hook_retention: timedelta

    @staticmethod
    def from_env(env: Mapping[str, str]) -> Environment:
        read = Reader(env)
        environment = Environment(
            table=read.text("TABLE"),
            cuentas_prefix=read.text("CUENTAS_PREFIX"),
            hook_retention=timedelta(days=int(read.decimal("HOOK_RETENTION_DAYS"))),
        )
        read.done()
        return environment


@dataclass(frozen=True, slots=True)
class _Process:
    environment: Environment
    ledger: Ledger
    cuentas: Cuentas


@cache
def _process() -> _Process:
    environment = Environment.from_env(os.environ)
    return _Process(
        environment=environment,
        ledger=Ledger(boto3.client("dynamodb"), environment.table, clock=now),
        cuentas=Cuentas(boto3.client("secretsmanager"), environment.cuentas_prefix, clock=now),
    )


@medidor.published
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    process = _process()
    parameters = event.get("pathParameters") or {}
    alias = parameters.get("cuenta", "")
    try:
        cuenta = _authenticated(process.cuentas, alias, parameters.get("llave"), event.get("headers") or {})
    except (ClientError, BotoCoreError, CuentaMalConfigurada) as error:
        # As to any stranger: a 503 would tell that there is such a cuenta. After a 403 the hook comes again as well.
        _failed("hook_sin_autenticar", alias, error)
        # Of no cuenta: whoever knocks could say any, and each would be a metric that is paid for.
        count(Metrica.HOOKS_FALLIDOS, 1)
        return _answer(403)
    if cuenta is None:
        # With a zero of the others: what share of them is not ours is watched, whenever one is not.
        measure(Metrica.HOOKS_NO_AUTENTICOS, 1)
        measure(Metrica.HOOKS_RECIBIDOS, 0)
        logger.warning("hook_no_autentico", extra={"route": event.get("routeKey")})
        return _answer(403)
    body = _body(event)
    if len(body) > BODY_MAX:
        logger.warning("hook_demasiado_grande", extra={"cuenta": alias, "bytes": len(body)})
        return _answer(413)
    hook = read_hook(body)
    try:
        expires = now() + process.environment.hook_retention
        # A hook of nobody's reference (a test) is what shows a person which token the provider uses by now.
        offered = _offered(parameters.get("llave"), event.get("headers") or {})
        which = None if hook.external_reference else huella(cuenta, offered)
        guardado = process.ledger.store_hook(alias, hook, body, expires=expires, huella=which)
    except (ClientError, BotoCoreError) as error:
        _failed("hook_no_guardado", alias, error)
        count(Metrica.HOOKS_FALLIDOS, 1, cuenta=alias)
        return _answer(503)
    measure(Metrica.HOOKS_RECIBIDOS, 1, cuenta=alias)
    count(DE_EVENTO.get(hook.evento, Metrica.HOOKS_DESCONOCIDO), 1, cuenta=alias)
    if guardado is not Guardado.NUEVO:
        # A new one has its line when it is applied: one for each hook is enough, and most of what the logs cost.
        repeated = guardado is Guardado.REPETIDO
        count(Metrica.HOOKS_REPETIDOS if repeated else Metrica.HOOKS_ID_REUSADO, 1, cuenta=alias)
        logger.info(
            "hook",
            extra={
                "cuenta": alias,
                "external_reference": hook.external_reference,
                "hook_id": hook.hook_id,
                "evento": hook.evento if hook.evento in EVENTOS else "desconocido",
                "guardado": guardado.value,
            },
        )
    return _answer(200)


def _failed(what: str, alias: str, error: Exception) -> None:
    """The text of these errors names operations, resources and keys, never a value of ours."""
    logger.error(what, exc_info=error, extra={"cuenta": alias, "codigo": type(error).__name__})


def _authenticated(cuentas: Cuentas, alias: str, llave: str | None, headers: Mapping[str, str]) -> Cuenta | None:
    """The cuenta whose token (or secret segment) this is. Whatever is wrong, the same is done about it."""
    offered = _offered(llave, headers)
    if not offered:
        return None
    return cuentas.recognize(alias, lambda cuenta: _opens(cuenta, offered, by_llave=llave is not None))


def _offered(llave: str | None, headers: Mapping[str, str]) -> str:
    return llave if llave is not None else _header(headers)


def _header(headers: Mapping[str, str]) -> str:
    """An HTTP API joins the values of a header that comes twice with a comma: then it is nobody's token."""
    return next((value for name, value in headers.items() if name.lower() == TOKEN_HEADER), "")


def _opens(cuenta: Cuenta | None, offered: str, *, by_llave: bool) -> bool:
    """Takes the same time whatever is wrong, and however long the right one is."""
    valid = () if cuenta is None else ((cuenta.llave,) if by_llave else cuenta.webhook_tokens)
    given = _digest(offered)
    # Nothing has the digest that stands in where there is none.
    right = [_digest(secret) for secret in valid if secret] or [bytes(32)]
    # Every one is compared, so that the time does not tell which.
    return sum(hmac.compare_digest(given, digest) for digest in right) > 0


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _body(event: Mapping[str, Any]) -> bytes:
    text: str = event.get("body") or ""
    if event.get("isBase64Encoded"):
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            pass
    return text.encode("utf-8", "surrogatepass")


def _answer(status: int) -> dict[str, Any]:
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": json.dumps({})}
