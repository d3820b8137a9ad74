"""Between the shipped code and the outside: each call of AWS and of the provider is a point at which the world may act.

An AWS call is met in botocore, where all of them pass (`BaseClient._make_api_call`), so no list of calls is kept by
hand. SQS and EventBridge are answered by the world; the rest by moto, without an HTTP that nobody here is testing.
"""

from __future__ import annotations

import random
import sys
from functools import cache
from types import MethodType
from typing import TYPE_CHECKING, Any

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.s3.models import s3_backends

from tests.explore import dynamo
from tests.explore.dynamo import ACCOUNT, REGION

if TYPE_CHECKING:
    from tests.explore.world import World

STACK = "facturacion"
TABLE, BUS, BUCKET, PREFIX = "ledger", "facturacion", "pdfs", f"{STACK}/cuentas"
QUEUE, DLQ, REJECTED = (f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{n}" for n in ("queue", "dead", "rejected"))
active: list[World] = []
_make_api_call = BaseClient._make_api_call


class Death(BaseException):
    """Lambda died here. No `except` in shipped code catches it, nor may one."""


def world() -> World:
    return active[-1]


# -- AWS ----------------------------------------------------------------------------------------------------------


@cache
def plain_client(service: str) -> Any:
    """Moto with nobody in between."""
    config = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
    session = boto3.session.Session(region_name=REGION, aws_access_key_id="testing", aws_secret_access_key="testing")
    client = session.client(service, config=config)
    client._make_api_call = MethodType(_make_api_call, client)
    return client


@cache
def watched_client(service: str, *_: Any, **__: Any) -> Any:
    """What the shipped code gets for `boto3.client`: made once, because making one costs a tenth of a second."""
    session = boto3.session.Session(region_name=REGION, aws_access_key_id="testing", aws_secret_access_key="testing")
    return session.client(service, config=Config(retries={"total_max_attempts": 1}))


def by_moto(service: str, operation: str, params: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """The effect itself: HTTP status and parsed answer."""
    if service == "dynamodb":
        return dynamo.call(operation, params) if operation != "DescribeTable" else _table(params["TableName"])
    if (service, operation) == ("secretsmanager", "GetSecretValue"):
        return _secret(params["SecretId"])
    if (service, operation) == ("s3", "PutObject"):
        s3_backends[ACCOUNT]["aws"].put_object(params["Bucket"], params["Key"], params["Body"])
        return 200, {}
    return _over_http(service, operation, params)


@cache
def _secret(name: str) -> tuple[int, dict[str, Any]]:
    """No schedule changes a secret."""
    return _over_http("secretsmanager", "GetSecretValue", {"SecretId": name})


@cache
def _table(name: str) -> tuple[int, dict[str, Any]]:
    """Nor makes or restores a table."""
    return dynamo.call("DescribeTable", {"TableName": name})


def _over_http(service: str, operation: str, params: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    client = plain_client(service)
    name = next(n for n, o in client.meta.method_to_api_mapping.items() if o == operation)
    try:
        return 200, getattr(client, name)(**params)
    except ClientError as error:
        return 400, error.response


def peek(pk: str, sk: str = "ESTADO") -> dict[str, Any]:
    """An item as it lies there, behind everybody's back; {} where there is none."""
    return dynamo.peek(TABLE, pk, sk)


def of(pk: str) -> list[dict[str, Any]]:
    """The items of one partition."""
    return dynamo.partition(TABLE, pk)


def everything() -> list[dict[str, Any]]:
    return [dynamo.plain(item) for ranges in dynamo.table(TABLE).items.values() for item in ranges.values()]


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


def hook_of_fold() -> str:
    """The id of the error hook that is being folded."""
    frame = sys._getframe(1)
    while frame.f_code.co_name != "fold_error":
        frame = frame.f_back  # type: ignore[assignment] # the fold is under way
    return str(frame.f_locals["hook_id"])


def seeded(seed: object) -> random.Random:
    return random.Random(f"{seed}")
