"""A hook, and bodies that are none: what the webhook is sent by the tests on moto and by those on the running stack."""

from __future__ import annotations

import json

HOOK = {
    "creado": "18/03/2026 15:58:11",
    "evento": "encolado",
    "recurso": "facturacion",
    "external_reference": "A-1",
    "intento": 1,
    "msg": [],
    "hook_id": "h-1",
}

ODD = {
    "empty": b"",
    "truncated": json.dumps(HOOK)[:40].encode(),
    "not utf-8": b'{"evento": "\xff\xfe", "hook_id": "h-1"}',
    "utf-16": json.dumps(HOOK).encode("utf-16"),
    "bom": b"\xef\xbb\xbf" + json.dumps(HOOK).encode(),
    "a list": b"[1, 2]",
    "a text": b'"hola"',
    "null": b"null",
    "nan": b"NaN",
    "deep": b'{"msg":' * 20_000 + b"1" + b"}" * 20_000,
    "deep list": b"[" * 100_000,
    "a huge number": b'{"hook_id": 1' + b"0" * 6_000 + b', "evento": "emitido"}',
    "a huge exponent": b'{"hook_id": 1e999999, "intento": 1e999999, "evento": "emitido"}',
    "repeated keys": b'{"hook_id": "a", "hook_id": "b", "evento": "test", "evento": "error"}',
    "a lone surrogate": b'{"hook_id": "\\ud800", "evento": "\\udfff", "creado": "\\ud800", "msg": "\\ud800"}',
    "nul": b'{"hook_id": "\\u0000", "external_reference": "\\u0000", "evento": "\\u0000"}',
    "other types": b'{"hook_id": {}, "evento": [], "external_reference": {"a": 1}, "msg": {"a": 1}, "intento": true}',
    "too long": json.dumps(HOOK | {"hook_id": "i" * 5_000, "evento": "e" * 5_000, "creado": "c" * 5_000}).encode(),
    "a long reference": json.dumps(HOOK | {"external_reference": "r" * 256}).encode(),
    "extra fields": json.dumps(HOOK | {"nuevo": {"a": [1]}}).encode(),
    "an unknown evento": json.dumps(HOOK | {"evento": "archivado"}).encode(),
    "html": b"<html>\x00</html>",
    "a text of a lone surrogate": b'{"hook_id": "h-1", "msg": "\xed\xa0\x80"}',
    "infinite": b'{"hook_id": -Infinity, "evento": Infinity, "intento": -1e999999, "msg": [NaN]}',
    "huge beside": b'{"hook_id": "h-1", "intento": -' + b"9" * 100_000 + b', "msg": [' + b"9" * 5_000 + b".5]}",
    "thousands of a key": b"{" + b'"hook_id": "h-1", ' * 5_000 + b'"hook_id": ""}',
    "as large as may be": json.dumps(HOOK | {"evento": "error", "msg": ["x" * 261_900]}).encode(),
}
"""By what is odd about it. All of them are authentic where they come with the token: kept, and answered 200."""
