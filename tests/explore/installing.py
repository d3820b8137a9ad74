"""What the shipped code finds around itself while it is explored: variables, clients, clock, ids, chance."""

from __future__ import annotations

import json
import os
import re
import sys
import uuid
import warnings
from contextlib import contextmanager, nullcontext
from functools import lru_cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest import mock

import boto3
import httpx
from botocore.client import BaseClient
from moto import mock_aws

from tests.explore.calls import provider_call, watched
from tests.explore.dynamo import ACCOUNT, REGION
from tests.explore.functions import FUNCTIONS, app_of
from tests.explore.instrument import (
    BUCKET,
    BUS,
    DLQ,
    PREFIX,
    QUEUE,
    REJECTED,
    STACK,
    TABLE,
    active,
    plain_client,
    watched_client,
    world,
)
from tests.template import properties, table_request, template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROVIDER = "https://proveedor.test/app/api/v2/"
READ_MOST = 8_192
"""Messages of which it is remembered what reading them came to."""


def make_resources(secrets: dict[str, dict[str, Any]]) -> None:
    """Once per process, inside `mock_aws`: the table by its own template, the bucket, the secrets of the cuentas."""
    plain_client("dynamodb").create_table(
        **{k: v for k, v in table_request("Ledger", TABLE).items() if k != "StreamSpecification"}
    )
    plain_client("s3").create_bucket(Bucket=BUCKET)
    for alias, secret in secrets.items():
        plain_client("secretsmanager").create_secret(Name=f"{PREFIX}/{alias}", SecretString=json.dumps(secret))


def environment(**parameters: str) -> dict[str, str]:
    """The variables of all functions as the template gives them, `parameters` instead of its defaults."""
    known = {
        "Ledger": TABLE,
        "Bus": BUS,
        "Queue": QUEUE,
        "DeadLetterQueue": DLQ,
        "RejectedQueue": REJECTED,
        "Pdfs": BUCKET,
        "ProviderBaseUrl": PROVIDER,
    }
    found: dict[str, str] = {}
    variables = [template()["Globals"]["Function"]["Environment"]["Variables"]]
    variables += [properties(f.logical_id)["Environment"]["Variables"] for f in FUNCTIONS.values()]
    for name, value in ((n, v) for some in variables for n, v in some.items()):
        match value:
            case {"Ref": ref}:
                found[name] = parameters.get(ref) or known.get(ref) or str(template()["Parameters"][ref]["Default"])
            case {"Fn::If": [_, {"Ref": ref}, _]}:
                found[name] = known[ref]
            case {"Fn::Sub": text}:
                found[name] = _substituted(text)
            case _:
                found[name] = str(value)
    return found


def _substituted(text: str) -> str:
    """`Fn::Sub` of what AWS knows by itself."""
    known = {"Partition": "aws", "Region": REGION, "AccountId": ACCOUNT, "StackName": STACK}
    return re.sub(r"\$\{AWS::(\w+)\}", lambda found: known[found[1]], text)


class Road(httpx.BaseTransport):
    """The shipped client's way to the provider."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        return provider_call(world(), request)


class Log:
    """Standard output of the functions."""

    def write(self, text: str) -> None:
        if active:
            world().logged(text)

    def flush(self) -> None: ...


@contextmanager
def installed(parameters: dict[str, str]) -> Iterator[None]:
    """The shipped modules, with the world's clock, ids, chance, clients and road. Undone at the end."""
    with mock.patch.dict(os.environ, environment(**parameters) | {"POWERTOOLS_METRICS_NAMESPACE": "Facturacion"}):
        from aws_lambda_powertools.metrics.provider.cloudwatch_emf import cloudwatch  # noqa: PLC0415

        apps = [app_of(function) for function in FUNCTIONS]
        import facturacion.contraster  # noqa: PLC0415 - not before the environment
        import pack_lotes.app  # noqa: PLC0415
        import resolve_errors.app  # noqa: PLC0415
        import tusfacturas.client  # noqa: PLC0415
        import tusfacturas.models  # noqa: PLC0415
        from facturacion import mensaje, tiempo  # noqa: PLC0415

        log = Log()
        ids = SimpleNamespace(uuid4=lambda: uuid.UUID(int=world().rng.getrandbits(128)))
        with (
            _patched(_everywhere(tiempo.now, lambda: world().now)),
            _patched(_everywhere(mensaje.leer, lru_cache(READ_MOST)(mensaje.leer))),
            _patched(_everywhere(tusfacturas.models.preparar, _prepared())),
            _patched(
                [
                    (boto3, "client", watched_client),
                    (BaseClient, "_make_api_call", watched),
                    (pack_lotes.app, "random", SimpleNamespace(SystemRandom=lambda: world().rng)),
                    # One thread runs at a time, and what comes first is the schedule's to say.
                    (pack_lotes.app, "several_at_once", lambda: nullcontext(map)),
                    *((module, "uuid", ids) for module in (pack_lotes.app, resolve_errors.app, facturacion.contraster)),
                    (facturacion.contraster, "httpx", SimpleNamespace(Client=lambda: httpx.Client(transport=Road()))),
                    (tusfacturas.client, "_transport", lambda _: Road()),
                    (cloudwatch, "print", log.write),
                ]
            ),
        ):
            for app in apps:
                for handler in app.logger._logger.handlers:
                    handler.stream = log
            yield


def _everywhere(real: Callable[..., Any], instead: Callable[..., Any]) -> list[tuple[Any, str, Any]]:
    """The patches of a function of the shipped code wherever it was imported by its name."""
    name = real.__name__
    holders = [m for n, m in list(sys.modules.items()) if m and getattr(m, name, None) is real and "." in n]
    return [(holder, name, instead) for holder in holders]


def _prepared() -> Callable[..., Any]:
    """`preparar`, done once for each message that was read: the same content gives the same, and a message that comes
    a hundred times is most of what a day of outage costs.
    """
    from tusfacturas.models import preparar  # noqa: PLC0415

    done: dict[tuple[int, int, Any], tuple[Any, Any, Any]] = {}

    def prepared(cliente: Any, comprobante: Any, reglas: Any) -> Any:
        key = (id(cliente), id(comprobante), reglas)
        if key not in done:
            if len(done) > READ_MOST:
                done.clear()
            # What was read is kept, so that no other content gets its place in memory.
            done[key] = (cliente, comprobante, preparar(cliente, comprobante, reglas))
        return done[key][2]

    return prepared


@contextmanager
def exploring(parameters: dict[str, str], secrets: dict[str, dict[str, Any]]) -> Iterator[None]:
    """Everything a schedule needs, made once for many of them."""
    credentials = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": REGION}
    with mock.patch.dict(os.environ, credentials), mock_aws(), warnings.catch_warnings():
        # Powertools warns of an invocation that counted nothing.
        warnings.simplefilter("ignore", UserWarning)
        make_resources(secrets)
        with installed(parameters):
            yield


@contextmanager
def _patched(changes: Any) -> Iterator[None]:
    before = [(m, n, getattr(m, n, mock.DEFAULT), v) for m, n, v in changes]
    for module, name, _, value in before:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, name, old, _ in before:
            if old is mock.DEFAULT:
                delattr(module, name)
            else:
                setattr(module, name, old)
