"""A file of messages as the texts of its messages. Pure.

Each text is taken as it stands, so that what is judged of it is what the queue will carry: numbers with all their
digits, keys in their order, and repeated ones too. A file holds one of

- one message; or a list of them;
- one message a line (JSON Lines);
- the body of a lote as the provider takes it: an object with `requests`.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)
_BLANK = re.compile(r"[ \t\r\n]*")


class ArchivoIlegible(ValueError):
    """There is no telling where its messages begin and end; the text says where it stopped making sense."""


class Texto(NamedTuple):
    """One message. `lugar`: where in the file, for people: `línea 12`, `entrada 3`."""

    lugar: str
    texto: str


def split(content: str) -> list[Texto]:
    """The messages of a file. Raises ArchivoIlegible where it is neither JSON nor JSON Lines."""
    content = content.removeprefix("\ufeff")
    start = _skip(content, 0)
    if start == len(content):
        raise ArchivoIlegible("El archivo está vacío.")
    if content[start] == "[":
        entries, end = _entries(content, start)
        if (rest := _skip(content, end)) < len(content):
            raise _not_json(content, rest)
        return entries
    try:
        end = _end_of(content, start)
    except ArchivoIlegible as broken:
        return _lines(content, broken)
    if (rest := _skip(content, end)) < len(content):
        return _lines(content, _not_json(content, rest))
    return _requests(content, start) or [Texto("entrada 1", content[start:end])]


def _lines(content: str, broken: ArchivoIlegible) -> list[Texto]:
    """What is no JSON within a line is that line's fault, and told beside its number."""
    lines = [Texto(f"línea {n}", line.strip()) for n, line in enumerate(content.split("\n"), 1) if line.strip()]
    first = lines[0].texto
    if len(lines) == 1 or not (first.startswith("{") and first.endswith("}")):
        raise broken
    return lines


def _requests(content: str, start: int) -> list[Texto]:
    """The entries of a lote's body; none where the object has no list of `requests`."""
    if content[start] != "{":
        return []
    at = _skip(content, start + 1)
    while content[at] != "}":
        key, at = _DECODER.raw_decode(content, at)
        at = _skip(content, _skip(content, at) + 1)
        end = _end_of(content, at)
        if key == "requests" and content[at] == "[":
            return _entries(content, at)[0]
        at = _skip(content, end)
        at = _skip(content, at + 1) if content[at] == "," else at
    return []


def _entries(content: str, start: int) -> tuple[list[Texto], int]:
    """The values of the list that begins at `start`, and where it ends."""
    entries: list[Texto] = []
    at = _skip(content, start + 1)
    while content[at : at + 1] != "]":
        end = _end_of(content, at)
        entries.append(Texto(f"entrada {len(entries) + 1}", content[at:end]))
        at = _skip(content, end)
        if content[at : at + 1] == ",":
            at = _skip(content, at + 1)
            if content[at : at + 1] == "]":
                raise _not_json(content, at)
        elif content[at : at + 1] != "]":
            raise _not_json(content, at)
    return entries, at + 1


def _end_of(content: str, at: int) -> int:
    try:
        return _DECODER.raw_decode(content, at)[1]
    except RecursionError:
        raise ArchivoIlegible("El archivo tiene demasiados niveles anidados.") from None
    except json.JSONDecodeError as error:
        raise _not_json(content, error.pos) from None


def _not_json(content: str, at: int) -> ArchivoIlegible:
    line = content.count("\n", 0, at) + 1
    column = at - content.rfind("\n", 0, at)
    return ArchivoIlegible(f"El archivo no es JSON a partir de la línea {line}, columna {column}.")


def _skip(content: str, at: int) -> int:
    """Past white space."""
    blank = _BLANK.match(content, at)
    return blank.end() if blank else at
