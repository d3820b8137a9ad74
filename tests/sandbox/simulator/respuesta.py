"""What a caller gets: an answer, late or at once, or a broken connection."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from tests.sandbox.simulator.answers import dumps

PREFIX = "/app/api/v2/"

Effect: TypeAlias = Literal["", "reset", "cut", "hang", "refuse"]

_PAGES = {
    524: b"<html><head><title>524: A timeout occurred</title></head><body>cloudflare</body></html>",
    429: b"<html><head><title>429 Too Many Requests</title></head></html>",
}
_BROKEN = b"<html><body><h1>Ha ocurrido un error inesperado</h1></body></html>"


def _json_type() -> dict[str, str]:
    return {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Respuesta:
    """Sent after `demora` seconds. An `effect` instead of an answer: the connection is `reset` (TCP), `cut` (closed
    without a word), never answered (`hang`), or was never made (`refuse`).
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=_json_type)
    effect: Effect = ""
    demora: float = 0.0

    def json(self) -> Any:
        return json.loads(self.body, parse_float=Decimal)


def method_of(path: str) -> str:
    """`facturacion/lotes_encola`, with the real prefix or bare."""
    return path.removeprefix(PREFIX).strip("/")


def as_json(value: object, status: int = 200, *, demora: float = 0.0) -> Respuesta:
    return Respuesta(status, dumps(value), demora=demora)


def as_html(status: int, *, demora: float = 0.0) -> Respuesta:
    """A page where JSON was expected: what a proxy or a broken server sends (bodies of non-200 answers are [U])."""
    return Respuesta(status, _PAGES.get(status, _BROKEN), {"Content-Type": "text/html; charset=UTF-8"}, demora=demora)
