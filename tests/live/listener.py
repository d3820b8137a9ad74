"""The webhook of the run: hears every hook, hands the stack's own on to the stack, and fails some on purpose."""

from __future__ import annotations

import hmac
import json
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self

HEADER = "TF-WebhookToken"
BODY_MAX = 256 * 1024


@dataclass(frozen=True)
class Delivery:
    """One delivery of a hook. `status`: what it was answered."""

    at: datetime
    status: int
    hook: dict[str, Any]

    @property
    def reference(self) -> str:
        return str(self.hook.get("external_reference", ""))


@dataclass
class Listener:
    """`tokens`: those the provider may come with; any other is answered 403 and not kept.

    `forward_to`: the webhook of the stack. A reference that begins with `own` is a question of this run's, of which the
    stack knows nothing: its hooks go no further.
    """

    port: int
    tokens: Sequence[str]
    forward_to: str
    own: str
    deliveries: list[Delivery] = field(default_factory=list)
    _scripted: dict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, reference: str, evento: str, *statuses: int) -> None:
        """What the next deliveries of this hook are answered; after them, 200."""
        with self._lock:
            self._scripted[reference, evento] += statuses

    def heard(self, reference: str, evento: str | None = None) -> list[Delivery]:
        with self._lock:
            return [d for d in self.deliveries if d.reference == reference and evento in {None, d.hook.get("evento")}]

    def is_authentic(self, given: str) -> bool:
        equal = [hmac.compare_digest(given.encode(), token.encode()) for token in self.tokens]
        return any(equal)

    def take(self, body: bytes, token: str) -> int:
        """Keeps one delivery; the status to answer it with."""
        at = datetime.now(UTC)
        try:
            hook = json.loads(body)
        except ValueError:
            hook = None
        hook = hook if isinstance(hook, dict) else {"cuerpo": body[:200].decode(errors="replace")}
        reference = str(hook.get("external_reference", ""))
        with self._lock:
            scripted = self._scripted.get((reference, str(hook.get("evento"))))
            status = scripted.pop(0) if scripted else None
        if status is None:
            status = 200 if reference.startswith(self.own) else self._forward(body, token)
        with self._lock:
            self.deliveries.append(Delivery(at, status, hook))
        return status

    def _forward(self, body: bytes, token: str) -> int:
        headers = {HEADER: token, "Content-Type": "application/json"}
        try:
            return httpx.post(self.forward_to, content=body, headers=headers, timeout=15, trust_env=False).status_code
        except httpx.HTTPError:
            return 502

    def __enter__(self) -> Self:
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                token = self.headers.get(HEADER) or ""
                authentic = length <= BODY_MAX and listener.is_authentic(token)
                status = listener.take(self.rfile.read(length), token) if authentic else 403
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """A line for each request would only show the address of a tunnel."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
