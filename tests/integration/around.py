"""What stands around a handler: what AWS hands it, and ways of making AWS, or Lambda itself, fail."""

from __future__ import annotations

import base64
import json
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Self

THROTTLED = {"Error": {"Code": "ProvisionedThroughputExceededException", "Message": "simulated"}}


class Killed(BaseException):
    """Lambda is gone, at once: nothing that the code has to say about it is heard."""


@dataclass
class Context:
    """What Lambda hands over; the time left is the house's."""

    remaining: Callable[[], timedelta]
    aws_request_id: str = "solicitud-1"
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:the-one"

    def get_remaining_time_in_millis(self) -> int:
        return int(self.remaining() / timedelta(milliseconds=1))


def http_event(
    cuenta: str,
    body: bytes | str | dict[str, Any],
    *,
    headers: dict[str, str] | None = None,
    llave: str | None = None,
    encoded: bool | None = None,
) -> dict[str, Any]:
    """A POST as an HTTP API hands it over (payload 2.0): text that is not UTF-8 comes as base64."""
    raw = json.dumps(body).encode() if isinstance(body, dict) else body
    if isinstance(raw, bytes) and encoded is None:
        try:
            raw = raw.decode()
        except UnicodeDecodeError:
            encoded = True
    if encoded and isinstance(raw, bytes):
        raw = base64.b64encode(raw).decode()
    route = "POST /hooks/{cuenta}" + ("/{llave}" if llave else "")
    parameters = {"cuenta": cuenta} | ({"llave": llave} if llave else {})
    return {
        "version": "2.0",
        "routeKey": route,
        "rawPath": "/hooks/" + "/".join(parameters.values()),
        "headers": headers or {},
        "pathParameters": parameters,
        "requestContext": {"http": {"method": "POST"}, "routeKey": route},
        "body": raw,
        "isBase64Encoded": bool(encoded),
    }


def is_hook(record: dict[str, Any]) -> bool:
    """The filter of the template."""
    return record["eventName"] == "INSERT" and record["dynamodb"]["Keys"]["sk"]["S"].startswith("HOOK#")


def as_lambda_has_it(record: dict[str, Any]) -> dict[str, Any]:
    """Through JSON, as the event comes: bytes in base64, an instant as seconds."""

    def plain(value: Any) -> object:
        return base64.b64encode(value).decode() if isinstance(value, bytes) else value.timestamp()

    return json.loads(json.dumps(record, default=plain))


@contextmanager
def aws_fails(client: Any, operation: str, when: Callable[[dict[str, Any]], bool] = lambda _: True) -> Iterator[list]:
    """Calls of `operation` whose parameters are so end in a ClientError; gives those that did."""
    failed: list[dict[str, Any]] = []

    def fail(params: dict[str, Any], **_: Any) -> None:
        if when(params):
            failed.append(params)
            raise ClientError(THROTTLED, operation)

    name = f"provide-client-params.{client.meta.service_model.service_name}.{operation}"
    client.meta.events.register(name, fail)
    try:
        yield failed
    finally:
        client.meta.events.unregister(name, fail)


@contextmanager
def calls_of(*clients: Any) -> Iterator[list[str]]:
    """The names of the AWS operations that were called."""
    called: list[str] = []

    def note(model: Any, **_: Any) -> None:
        called.append(model.name)

    for client in clients:
        client.meta.events.register("before-call", note)
    try:
        yield called
    finally:
        for client in clients:
            client.meta.events.unregister("before-call", note)


@dataclass
class Watched:
    """Stands before `target`: `before` and `after` are told the name of each method that is called, and may raise."""

    target: Any
    before: Callable[[str], None] = lambda _: None
    after: Callable[[str], None] = lambda _: None

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.target, name)
        if not callable(found) or name == "exceptions":
            return found

        def called(*args: Any, **kwargs: Any) -> Any:
            self.before(name)
            result = found(*args, **kwargs)
            self.after(name)
            return result

        return called

    def __enter__(self) -> Self:
        self.target.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self.target.__exit__(*exc)
