"""The provider in process, as an httpx transport: connections break as they would on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from tests.sandbox.simulator.respuesta import method_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.simulator.hooks import Entrega
    from tests.sandbox.simulator.provider import Proveedor

_BROKEN: dict[str, type[httpx.TransportError]] = {
    "refuse": httpx.ConnectError,
    "reset": httpx.ReadError,
    "cut": httpx.RemoteProtocolError,
}


def as_transport(
    proveedor: Proveedor,
    *,
    dormir: Callable[[float], None] | None = None,
    entregar: Callable[[Entrega], int | None] | None = None,
) -> httpx.MockTransport:
    """A transport that answers from `proveedor`.

    `dormir` lets time pass (it advances a virtual clock): for an answer's delay, and for the caller's read timeout
    where none comes. Without it no time passes, yet a delay beyond the read timeout still times out. `entregar` makes
    the deliveries that fall due while the caller waits: hooks then overtake the answer.
    """

    def wait(seconds: float) -> None:
        if dormir is not None:
            dormir(seconds)
        if entregar is not None:
            for entrega in proveedor.advance():
                proveedor.delivered(entrega, entregar(entrega))

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method != "POST":
            return _get(proveedor, request)
        respuesta = proveedor.handle(method_of(request.url.path), request.read())
        if respuesta.effect not in ("", "hang"):
            raise _BROKEN[respuesta.effect](f"simulated: {respuesta.effect}", request=request)
        patience = request.extensions.get("timeout", {}).get("read")
        too_late = respuesta.effect == "hang" or (patience is not None and respuesta.demora > patience)
        if waited := (patience or 0.0) if too_late else respuesta.demora:
            wait(waited)
        if too_late:
            raise httpx.ReadTimeout("simulated: no answer in time", request=request)
        return httpx.Response(respuesta.status, headers=respuesta.headers, content=respuesta.body)

    return httpx.MockTransport(answer)


def _get(proveedor: Proveedor, request: httpx.Request) -> httpx.Response:
    """Only PDFs are fetched; the API's methods answer 405 to anything but POST."""
    path = request.url.path
    if not path.startswith("/pdf/"):
        return httpx.Response(405)
    found = proveedor.pdf(path.removeprefix("/pdf/").removesuffix(".pdf"))
    return httpx.Response(404) if found is None else httpx.Response(200, content=found)
