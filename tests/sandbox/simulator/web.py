"""The provider over HTTP on 127.0.0.1: plain asyncio and h11, so that a reset is a reset and a hang never answers.

    POST /app/api/v2/<metodo>   or bare  /<metodo>       the provider
    GET  /pdf/<token>.pdf                                a comprobante's PDF, until the end of the day
    GET  /_sim/audit  /_sim/summary  /_sim/plan          what it has, and what it does
    POST /_sim/plan {field: value}                       change the plan while it runs
    POST /_sim/web/<operation> {argument: value}         what a person does on its web: a `web_*` of Proveedor

A second port serves the same and stays open while the first refuses connections (`caida: "sin_conexion"`).
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import h11

from tests.sandbox.simulator.delivery import deliver
from tests.sandbox.simulator.plan import CuentaSim
from tests.sandbox.simulator.respuesta import method_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from tests.sandbox.simulator.hooks import Entrega
    from tests.sandbox.simulator.provider import Proveedor

_HOST = "127.0.0.1"
_JSON = {"Content-Type": "application/json"}
_RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Request:
    verb: str
    path: str
    body: bytes


@dataclass
class Shell:
    """One Proveedor behind sockets, with the real clock."""

    proveedor: Proveedor
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    _slots: dict[str, asyncio.Semaphore] = field(default_factory=dict)
    _held: socket.socket | None = None
    _server: asyncio.Server | None = None

    async def run(self, port: int, admin_port: int, ready: Callable[[int, int], None], stop: asyncio.Event) -> None:
        self._held = _bound(port)
        port = self._held.getsockname()[1]
        await self._follow_outage()
        admin = await asyncio.start_server(self._admin_connection, sock=_bound(admin_port))
        self.proveedor.base_url = f"http://{_HOST}:{port}"
        self._spawn(self._pump())
        ready(port, admin.sockets[0].getsockname()[1])
        await stop.wait()
        admin.close()
        self._close_door()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._held is not None:
            self._held.close()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _follow_outage(self) -> None:
        """Open or close the provider's port as the plan says. While closed it is bound and not listened to, so that
        connections are refused and nobody else takes it.
        """
        down = self.proveedor.plan.caida == "sin_conexion"
        if down and self._server is not None:
            port = self._server.sockets[0].getsockname()[1]
            self._close_door()
            self._held = _bound(port)
        elif not down and self._held is not None:
            self._server = await asyncio.start_server(self._connection, sock=self._held)
            self._held = None

    def _close_door(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._open):
            _reset(writer)

    async def _pump(self) -> None:
        """Let the provider do what is due, and make its deliveries."""
        while True:
            self._wake.clear()
            for entrega in self.proveedor.advance():
                self._spawn(self._deliver(entrega))
            due = self.proveedor.next_due()
            wait = None if due is None else max((due - datetime.now(UTC)).total_seconds(), 0.001)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), wait)

    async def _deliver(self, entrega: Entrega) -> None:
        at_once = self.proveedor.plan.entregas_simultaneas
        async with self._slots.setdefault(entrega.cuenta, asyncio.Semaphore(at_once)):
            url = self.proveedor.cuentas[entrega.cuenta].webhook_url or ""
            begun = time.monotonic()
            status = await deliver(entrega, url)
            seconds = time.monotonic() - begun
        self.proveedor.delivered(entrega, status, seconds)
        self._wake.set()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        await self._converse(reader, writer)
        self._open.discard(writer)

    async def _admin_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._converse(reader, writer)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, any number of requests."""
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        wire = h11.Connection(h11.SERVER)
        try:
            while (request := await _next_request(wire, reader)) is not None:
                if not await self._answer(wire, reader, writer, request) or wire.our_state is h11.MUST_CLOSE:
                    return
                wire.start_next_cycle()
        except (ConnectionError, h11.RemoteProtocolError, asyncio.CancelledError):
            return  # the client went away, or the simulator ends: nobody is left to tell
        finally:
            writer.close()

    async def _answer(
        self, wire: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: Request
    ) -> bool:
        """False when the connection ended instead."""
        if request.path.startswith("/_sim/"):
            status, value = admin(self.proveedor, request)
            await self._follow_outage()
            self._wake.set()
            return await _send(wire, writer, status, _JSON, json.dumps(value, default=str).encode())
        if request.verb == "GET" and request.path.startswith("/pdf/"):
            pdf = self.proveedor.pdf(request.path.removeprefix("/pdf/").removesuffix(".pdf"))
            return await _send(
                wire, writer, 404 if pdf is None else 200, {"Content-Type": "application/pdf"}, pdf or b""
            )
        if request.verb != "POST":
            return await _send(wire, writer, 405, {"Allow": "POST"}, b"")
        respuesta = self.proveedor.handle(method_of(request.path), request.body)
        self._wake.set()
        match respuesta.effect:
            case "reset" | "refuse":
                _reset(writer)
                return False
            case "cut":
                return False
            case "hang":
                while await reader.read(65536):
                    pass
                return False
            case _:
                await asyncio.sleep(respuesta.demora)
                return await _send(wire, writer, respuesta.status, respuesta.headers, respuesta.body)


def admin(proveedor: Proveedor, request: Request) -> tuple[int, Any]:
    """The sandbox's own side: status and a JSON value. What cannot be done is a 400 with the reason."""
    name = request.path.removeprefix("/_sim/")
    asked: dict[str, Callable[[], Any]] = {
        "audit": proveedor.audit,
        "summary": proveedor.summary,
        "plan": lambda: asdict(proveedor.plan),
    }
    if request.verb == "GET":
        return (200, asked[name]()) if name in asked else (404, {"error": f"no such page: {name}"})
    try:
        arguments = json.loads(request.body or b"{}")
        if name == "plan":
            proveedor.plan.update(**arguments)
            return 200, asdict(proveedor.plan)
        if name == "web/add_cuenta":
            proveedor.web_add_cuenta(CuentaSim(**arguments))
            return 200, None
        operation = getattr(proveedor, f"web_{name.removeprefix('web/')}", None) if name.startswith("web/") else None
        return (404, {"error": f"no such operation: {name}"}) if operation is None else (200, operation(**arguments))
    except (KeyError, TypeError, ValueError) as reason:
        return 400, {"error": f"{type(reason).__name__}: {reason}"}


def _bound(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((_HOST, port))
    return sock


def _reset(writer: asyncio.StreamWriter) -> None:
    """A TCP reset: closing without lingering sends RST instead of FIN."""
    sock = writer.get_extra_info("socket")
    if sock is not None and sock.fileno() >= 0:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()


async def _next_request(wire: h11.Connection, reader: asyncio.StreamReader) -> Request | None:
    verb, path, body = "", "", bytearray()
    while True:
        event = wire.next_event()
        if event is h11.NEED_DATA:
            wire.receive_data(await reader.read(65536))
        elif isinstance(event, h11.Request):
            verb, path = event.method.decode(), event.target.decode().partition("?")[0]
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            return Request(verb, path, bytes(body))
        else:
            return None


async def _send(
    wire: h11.Connection, writer: asyncio.StreamWriter, status: int, headers: dict[str, str], body: bytes
) -> bool:
    lines = [*headers.items(), ("Content-Length", str(len(body)))]
    out = wire.send(h11.Response(status_code=status, headers=lines)) or b""
    out += (wire.send(h11.Data(data=body)) or b"") + (wire.send(h11.EndOfMessage()) or b"")
    writer.write(out)
    await writer.drain()
    return True


async def serve(
    proveedor: Proveedor, *, port: int, admin_port: int, ready: Callable[[int, int], None], stop: asyncio.Event
) -> None:
    """Serve `proveedor` until `stop`; 0 takes a free port, and `ready` gets the two."""
    await Shell(proveedor).run(port, admin_port, ready, stop)
