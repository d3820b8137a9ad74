"""Serves the page on 127.0.0.1, and is the console's hands: it invokes what a widget's button asks for.

    GET  /                the page
    GET  /panel           the dashboards with their widgets and figures, and the alarms
    POST /invoke          {"endpoint", "event"} → the function's answer, through the emulator's Lambda API

Another site open in the same browser can neither read from it nor act through it: both are held against the address
that the page was loaded from, and an invocation must be JSON, which no form of another site can send unasked.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.sandbox.page.cleaning import clean
from tests.sandbox.page.figures import alarms, dashboards

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.stack import Stack

_STATIC = Path(__file__).with_name("static")
_FILES = {
    "/": ("page.html", "text/html"),
    "/page.js": ("page.js", "text/javascript"),
    "/page.css": ("page.css", "text/css"),
    "/favicon.ico": ("page.svg", "image/svg+xml"),
}
# A second wall behind the cleaning: whatever were left in a widget, no script but the page's own would run.
_POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; form-action 'none'"
_BODY_MAX = 1_000_000


class Refused(Exception):
    """The request is not the page's own, or not understood."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


@contextmanager
def serving_page(stack: Stack, port: int = 0) -> Iterator[str]:
    """The page's address, until the end of the `with`."""
    server = _Server(stack, port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def panel(stack: Stack) -> dict[str, Any]:
    """What the deployed dashboards would show."""
    cloudwatch = stack.boto("cloudwatch")
    return {
        "account": stack.account.account_id,
        "dashboards": dashboards(cloudwatch),
        "alarms": alarms(cloudwatch),
    }


def invoke(stack: Stack, endpoint: str, event: dict[str, Any]) -> dict[str, Any]:
    """As CloudWatch shows an answer: HTML cleaned, anything else as its JSON, a failure with its reason."""
    if endpoint.rpartition(":")[2] not in stack.functions.values():
        raise Refused(HTTPStatus.FORBIDDEN, "not a function of this stack")
    client = stack.boto("lambda", read_timeout=130, retries={"total_max_attempts": 1})
    answer = client.invoke(FunctionName=endpoint, Payload=json.dumps(event).encode())
    payload = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        return {"error": str(payload.get("errorMessage", payload))}
    return {"html": clean(payload)} if isinstance(payload, str) else {"json": payload}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, stack: Stack, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.stack = stack


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_POST(self) -> None:
        self._answer(self._post)

    def _answer(self, make: Any) -> None:
        try:
            self._check_origin()
            status, kind, body = make()
        except Refused as error:
            status, kind, body = error.status, "text/plain", str(error).encode()
        except (BotoCoreError, ClientError) as error:
            # The emulator ends before the page does.
            status, kind, body = HTTPStatus.BAD_GATEWAY, "text/plain", str(error).encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", _POLICY)
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def _check_origin(self) -> None:
        """Also against a name of somebody else's that was made to lead to this machine."""
        port = self.server.server_port
        hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        origin = self.headers.get("Origin")
        if self.headers.get("Host") not in hosts or (origin and origin not in {f"http://{h}" for h in hosts}):
            raise Refused(HTTPStatus.FORBIDDEN, "this page is for this machine alone")

    def _get(self) -> tuple[HTTPStatus, str, bytes]:
        if self.path == "/panel":
            return HTTPStatus.OK, "application/json", json.dumps(panel(self.server.stack)).encode()
        if self.path not in _FILES:
            raise Refused(HTTPStatus.NOT_FOUND, "no such page")
        name, kind = _FILES[self.path]
        return HTTPStatus.OK, kind, (_STATIC / name).read_bytes()

    def _post(self) -> tuple[HTTPStatus, str, bytes]:
        size = self.headers.get("Content-Length", "")
        if self.path != "/invoke" or self.headers.get_content_type() != "application/json":
            raise Refused(HTTPStatus.NOT_FOUND, "only JSON to /invoke")
        if not size.isdigit() or int(size) > _BODY_MAX:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "how long is it?")
        try:
            asked = json.loads(self.rfile.read(int(size)))
            endpoint, event = asked["endpoint"], asked["event"]
        except (ValueError, KeyError, TypeError):
            raise Refused(HTTPStatus.BAD_REQUEST, 'not {"endpoint", "event"}') from None
        return HTTPStatus.OK, "application/json", json.dumps(invoke(self.server.stack, endpoint, event)).encode()

    def log_message(self, *_: Any) -> None:
        """What the page asks for is no news."""
