"""One hook over one connection, as the provider sends it: no redirect is followed, only the status counts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import h11

if TYPE_CHECKING:
    from tests.sandbox.simulator.hooks import Entrega


async def deliver(entrega: Entrega, url: str) -> int | None:
    """The status of the answer; None when it did not come within the delivery's patience, or at all."""
    try:
        async with asyncio.timeout(entrega.timeout):
            return await _post(url, entrega.headers, entrega.body)
    except (TimeoutError, OSError, ValueError, h11.RemoteProtocolError):
        return None


async def _post(url: str, headers: dict[str, str], body: bytes) -> int:
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=secure or None)
    try:
        wire = h11.Connection(h11.CLIENT)
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        own = {"Host": parts.netloc, "Content-Length": str(len(body)), "Connection": "close"}
        request = h11.Request(method="POST", target=target, headers=[*own.items(), *headers.items()])
        for event in (request, h11.Data(data=body), h11.EndOfMessage()):
            writer.write(wire.send(event) or b"")
        await writer.drain()
        return await _status(wire, reader)
    finally:
        writer.close()


async def _status(wire: h11.Connection, reader: asyncio.StreamReader) -> int:
    """Read the answer to its end, so that the receiver is not cut off while it writes."""
    status = 0
    while True:
        event = wire.next_event()
        if event is h11.NEED_DATA:
            wire.receive_data(await reader.read(65536))
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.EndOfMessage):
            return status
