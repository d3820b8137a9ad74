"""Reading a hook: whatever its body, something that can be stored comes out. Never raises.

The contract (Webhooks): `{"creado": "dd/mm/aaaa HH:MM:SS", "evento": …, "recurso": …, "external_reference": …,
"intento": 1, "msg": […], "hook_id": …}`. `msg` is a list of texts, empty except in `error`. It carries no CAE, no
number, no lote. That `hook_id` is unique, or stable across retries, is not documented.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass

EVENTOS = frozenset({"encolado", "emitido", "error", "eliminado", "cambio_fecha", "test"})
"""The complete list of the documentation; others are kept and move nothing."""
REFERENCIA = re.compile(r"[A-Za-z0-9_-]{1,255}")
ID_MAX = 64
"""Characters of an id that is kept as it is."""
_PLAIN = re.compile(rf"[A-Za-z0-9_.:-]{{1,{ID_MAX}}}")
MENSAJES_MAX = 50


@dataclass(frozen=True, slots=True)
class HookRecibido:
    """A hook as received.

    `hook_id` is plain and at most 65 characters: an id that is not, or that is missing, is hashed (`~…`).
    `external_reference` is None where there is none that could be ours. `evento` and `creado` are plain texts, empty
    where they are missing. `mensajes` are the texts of `msg`.
    """

    hook_id: str
    evento: str
    recurso: str
    external_reference: str | None
    creado: str
    intento: int | None
    mensajes: tuple[str, ...]


def read_hook(body: bytes) -> HookRecibido:
    """`body`: the bytes of the request. Not JSON, not an object: a hook of no evento, known by its hash."""
    try:
        raw = json.loads(body, parse_int=_int)
    except (ValueError, RecursionError):
        raw = {}
    if not isinstance(raw, dict):
        raw = {}
    reference = _text(raw.get("external_reference"))
    intento = raw.get("intento")
    return HookRecibido(
        hook_id=_plain(_text(raw.get("hook_id"))) or _hashed(body),
        evento=_plain(_text(raw.get("evento"))),
        recurso=_plain(_text(raw.get("recurso"))),
        external_reference=reference if REFERENCIA.fullmatch(reference) else None,
        creado=_creado(_text(raw.get("creado"))),
        intento=intento if isinstance(intento, int) and abs(intento) < 1_000_000 else None,
        mensajes=_mensajes(raw.get("msg")),
    )


def _text(value: object) -> str:
    """References and ids that look numeric may come as numbers."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return ""


def _int(digits: str) -> int | None:
    """A longer number is none of ours; Python would refuse it, and with it all that stands beside it."""
    return int(digits) if len(digits) <= ID_MAX else None


def _plain(text: str) -> str:
    if not text or _PLAIN.fullmatch(text):
        return text
    return _hashed(text.encode("utf-8", "surrogatepass"))


def _creado(text: str) -> str:
    """Kept to be shown and to tell a repeat from a reused id; nothing is ever decided by it."""
    return text if re.fullmatch(r"[0-9/: -]{0,32}", text) else _plain(text)


def _hashed(raw: bytes) -> str:
    return "~" + hashlib.sha256(raw).hexdigest()[:40]


def _mensajes(value: object) -> tuple[str, ...]:
    """A list of texts by the contract; one client in the wild met a single text."""
    values = value if isinstance(value, list) else [value]
    texts = (v.encode("utf-8", "replace").decode().strip() for v in values if isinstance(v, str))
    return tuple(text for text in texts if text)[:MENSAJES_MAX]
