"""Between the shipped code and the outside: each call of AWS and of the provider is a point at which the world may act.

botocore's own events are where an AWS call is met: `provide-client-params` shows its parameters, `before-call` answers
it. So no list of calls is kept by hand. SQS and EventBridge are answered by the world; the rest by moto, DynamoDB
straight by moto's own actions, because its HTTP dress costs three times as much as the work.
"""

from __future__ import annotations

import json
import os
import random
import sys
import uuid
import warnings
from contextlib import contextmanager
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest import mock

import boto3
import httpx
from botocore.config import Config
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.dynamodb.exceptions import DynamodbException
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.responses import DynamoHandler

from tests.explore.quicker import quicker
from tests.template import properties, table_request, template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.explore.world import World

REGION, ACCOUNT = "us-east-1", "123456789012"
TABLE, BUS, BUCKET, PREFIX = "ledger", "facturacion", "pdfs", "facturacion/cuentas"
QUEUE, DLQ, REJECTED = (f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{n}" for n in ("queue", "dead", "rejected"))
PROVIDER = "https://proveedor.test/app/api/v2/"
FUNCTIONS = {
    "pack": "PackLotes",
    "webhook": "ReceiveWebhook",
    "follow": "FollowHooks",
    "reconcile": "Reconcile",
}
_STRAIGHT = {"UpdateItem", "GetItem", "Query", "BatchGetItem", "TransactWriteItems"}
_SNAKE = {
    "UpdateItem": "update_item",
    "GetItem": "get_item",
    "Query": "query",
    "BatchGetItem": "batch_get_item",
    "TransactWriteItems": "transact_write_items",
}
_active: list[World] = []


class Death(BaseException):
    """Lambda died here. No `except` in shipped code catches it, nor may one."""


def world() -> World:
    return _active[-1]


# -- AWS ----------------------------------------------------------------------------------------------------------


@cache
def plain_client(service: str) -> Any:
    """Moto with nobody in between."""
    config = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
    session = boto3.session.Session(region_name=REGION, aws_access_key_id="testing", aws_secret_access_key="testing")
    return session.client(service, config=config)


@cache
def watched_client(service: str, *_: Any, **__: Any) -> Any:
    """What the shipped code gets for `boto3.client`: botocore's retries are the world's to play."""
    config = Config(retries={"total_max_attempts": 1})
    session = boto3.session.Session(region_name=REGION, aws_access_key_id="testing", aws_secret_access_key="testing")
    client = session.client(service, config=config)
    client.meta.events.register("provide-client-params", _keep_params)
    client.meta.events.register("before-call", _answer)
    return client


def _keep_params(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    context["explored"] = params


def _answer(model: Any, context: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
    service = model.service_model.service_name
    status, parsed = world().aws_call(service, model.name, context["explored"])
    parsed.setdefault("ResponseMetadata", {"HTTPStatusCode": status})
    return SimpleNamespace(status_code=status, headers={}, content=b""), parsed


def by_moto(service: str, operation: str, params: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """The effect itself: HTTP status and parsed answer."""
    if service == "dynamodb" and operation in _STRAIGHT:
        return _straight(operation, params)
    client = plain_client(service)
    try:
        method = client.meta.method_to_api_mapping
        name = next(n for n, o in method.items() if o == operation)
        return 200, getattr(client, name)(**params)
    except ClientError as error:
        return 400, error.response


def _straight(operation: str, params: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    handler = DynamoHandler()
    handler.region = REGION
    handler.current_account = ACCOUNT
    handler.body = json.loads(json.dumps(params))
    try:
        return 200, dict(getattr(handler, _SNAKE[operation])().result)
    except DynamodbException as error:
        told = json.loads(str(error.description))
        code = told.pop("__type").rpartition("#")[2]
        return 400, {"Error": {"Code": code, "Message": str(told.get("message", ""))}, **told}


def ledger_table() -> Any:
    return dynamodb_backends[ACCOUNT][REGION].tables[TABLE]


def peek(pk: str, sk: str = "ESTADO") -> dict[str, Any]:
    """An item as it lies there, in plain values, behind everybody's back; {} where there is none."""
    item = ledger_table().items.get(DynamoType({"S": pk}), {}).get(DynamoType({"S": sk}))
    return _plain(item) if item is not None else {}


def everything() -> list[dict[str, Any]]:
    return [_plain(item) for ranges in ledger_table().items.values() for item in ranges.values()]


def _plain(item: Any) -> dict[str, Any]:
    return {name: _value(value.to_regular_json()) for name, value in item.attrs.items()}


def _value(typed: dict[str, Any]) -> Any:
    ((kind, value),) = typed.items()
    match kind:
        case "N":
            return int(value)
        case "SS":
            return set(value)
        case "L":
            return [_value(v) for v in value]
        case _:
            return value


def make_resources(secrets: dict[str, dict[str, Any]]) -> None:
    """Once per process, inside `mock_aws`: the table by its own template, the bucket, the secrets of the cuentas."""
    plain_client("dynamodb").create_table(
        **{k: v for k, v in table_request("Ledger", TABLE).items() if k != "StreamSpecification"}
    )
    plain_client("s3").create_bucket(Bucket=BUCKET)
    for alias, secret in secrets.items():
        plain_client("secretsmanager").create_secret(Name=f"{PREFIX}/{alias}", SecretString=json.dumps(secret))


# -- what the shipped code finds around itself ----------------------------------------------------------------------


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
    variables += [properties(name)["Environment"]["Variables"] for name in FUNCTIONS.values()]
    for name, value in ((n, v) for some in variables for n, v in some.items()):
        match value:
            case {"Ref": ref}:
                found[name] = parameters.get(ref) or known.get(ref) or str(template()["Parameters"][ref]["Default"])
            case {"Fn::If": [_, {"Ref": ref}, _]}:
                found[name] = known[ref]
            case {"Fn::Sub": _}:
                found[name] = PREFIX
            case _:
                found[name] = str(value)
    return found


class Road(httpx.BaseTransport):
    """The shipped client's way to the provider."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        return world().provider_call(request)


class Log:
    """Standard output of the functions."""

    def write(self, text: str) -> None:
        if _active:
            world().logged(text)

    def flush(self) -> None: ...


@contextmanager
def installed(parameters: dict[str, str]) -> Iterator[None]:
    """The shipped modules, with the world's clock, ids, chance, clients and road. Undone at the end."""
    with mock.patch.dict(os.environ, environment(**parameters) | {"POWERTOOLS_METRICS_NAMESPACE": "Facturacion"}):
        from aws_lambda_powertools.metrics.provider.cloudwatch_emf import cloudwatch  # noqa: PLC0415

        import facturacion.contraster  # noqa: PLC0415 - not before the environment
        import follow_hooks.app  # noqa: PLC0415
        import pack_lotes.app  # noqa: PLC0415
        import receive_webhook.app  # noqa: PLC0415
        import reconcile.app  # noqa: PLC0415
        import tusfacturas.client  # noqa: PLC0415
        from facturacion import tiempo  # noqa: PLC0415

        real = tiempo.now
        clock: Callable[[], Any] = lambda: world().now  # noqa: E731
        holders = [m for n, m in list(sys.modules.items()) if m and getattr(m, "now", None) is real and "." in n]
        log = Log()
        with (
            quicker(),
            _patched((m, "now", clock) for m in holders),
            _patched(
                [
                    (boto3, "client", watched_client),
                    (pack_lotes.app, "random", SimpleNamespace(SystemRandom=lambda: world().rng)),
                    (
                        pack_lotes.app,
                        "uuid",
                        SimpleNamespace(uuid4=lambda: uuid.UUID(int=world().rng.getrandbits(128))),
                    ),
                    (facturacion.contraster, "httpx", SimpleNamespace(Client=lambda: httpx.Client(transport=Road()))),
                    (tusfacturas.client, "_transport", lambda _: Road()),
                    (cloudwatch, "print", log.write),
                ]
            ),
        ):
            for module in (pack_lotes.app, receive_webhook.app, follow_hooks.app, reconcile.app):
                for handler in module.logger._logger.handlers:
                    handler.stream = log
            yield


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


def fresh_process(function: str) -> None:
    """The next invocation of this function starts a new process: nothing is cached."""
    import follow_hooks.app  # noqa: PLC0415
    import pack_lotes.app  # noqa: PLC0415
    import receive_webhook.app  # noqa: PLC0415
    import reconcile.app  # noqa: PLC0415

    {
        "pack": pack_lotes.app._process,
        "webhook": receive_webhook.app._process,
        "follow": follow_hooks.app._contraster,
        "reconcile": reconcile.app._process,
    }[function].cache_clear()


def handler_of(function: str) -> Any:
    import follow_hooks.app  # noqa: PLC0415
    import pack_lotes.app  # noqa: PLC0415
    import receive_webhook.app  # noqa: PLC0415
    import reconcile.app  # noqa: PLC0415

    return {
        "pack": pack_lotes.app.handler,
        "webhook": receive_webhook.app.handler,
        "follow": follow_hooks.app.handler,
        "reconcile": reconcile.app.handler,
    }[function]


def writer() -> str:
    """Which of the ledger's writes is under way, by its name: for the trace, and to tell folds from our own records."""
    frame = sys._getframe(2)
    found = ""
    while frame is not None:
        name = frame.f_code.co_filename
        if "/ledger/" in name and not frame.f_code.co_name.startswith(("_", "<")):
            found = frame.f_code.co_name
        elif found:
            break
        frame = frame.f_back  # type: ignore[assignment] # ends at None
    return found


def seeded(seed: object) -> random.Random:
    return random.Random(f"{seed}")
