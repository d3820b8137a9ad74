"""A rejected body without the credentials its sender put in it, so that people may read it."""

from __future__ import annotations

import json
import re
from typing import Final

from tusfacturas.payload import CREDENCIALES, codificable, es_credencial

_TACHADO: Final = "***"


def _escrito(letra: str) -> str:
    """A letter, or its escape in JSON, in a Python literal or in a URL."""
    codigos = "|".join(f"{ord(c):02x}" for c in (letra, letra.upper()))
    # The lookbehind keeps a body of nothing but backslashes from being read once for each of them.
    return rf"(?:{letra}|(?:(?<!\\)\\+(?:u00|x)|%(?:25)*)(?:{codigos}))"


_NOMBRE: Final = "|".join("".join(map(_escrito, nombre)) for nombre in sorted(CREDENCIALES))
# Quotes at any depth of escaping: in JSON within JSON, in a URL, in HTML.
_COMILLA: Final = r"(?:\\*[\"'`]|\\+(?:u00|x)2[27]|%(?:25)*2[27]|&(?:quot|apos|\#0*3[49]|\#x2[27]);)"
_BLANCO: Final = r"\s|\\+[nrt]|%(?:25)*(?:20|09|0a|0d)|&nbsp;"
_SEPARADOR: Final = (
    rf"(?:{_BLANCO}|[:=>,|\u201c\u201d\u2018\u2019\u00ab\u00bb]|%(?:25)*(?:3a|3d|3e)|\\+(?:u00|x)3[ade]|&gt;)"
)
_ABRE: Final = r"[\[{(]|%(?:25)*(?:5b|7b)"
_CIERRA: Final = rf"{_COMILLA}|\s|[,;&<>\[\](){{}}\u201c\u201d\u2018\u2019\u00ab\u00bb\\]|%(?:25)*(?:2c|26|5d|7d)"
_CREDENCIAL: Final = re.compile(
    rf"""
    (?P<antes>(?:{_NOMBRE}) {_COMILLA}? {_SEPARADOR}*)
    (?:
        (?:[bfru]{{1,2}}(?={_COMILLA}))?                    # b'...', as Python writes bytes
        (?P<comilla>{_COMILLA}) .*? (?:(?<!\\)(?P=comilla)|\Z)
      | (?:{_ABRE}) .*                                      # a list or an object: there is no telling where it ends
      | (?:(?!{_CIERRA}).)+
    )
    """,
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
_MENCION: Final = re.compile(_NOMBRE, re.IGNORECASE)


class _Numeral(str):
    """A number as it is written."""

    __slots__ = ()


class _Pares(list[tuple[str, object]]):
    """An object as it is written: in order, and with the keys that are repeated."""


def sin_credenciales(cuerpo: str) -> str:
    """`cuerpo` without `apikey`, `apitoken` and `usertoken`, at any level, and otherwise as it came.

    Where it is not JSON their values are struck out, rather too much than too little. JSON within a text of the JSON,
    as a topic wraps messages, is treated in the same way. Never raises.
    """
    try:
        valor = json.loads(
            cuerpo, parse_float=_Numeral, parse_int=_Numeral, parse_constant=_Numeral, object_pairs_hook=_Pares
        )
        limpio = _podar(valor)
        return cuerpo if limpio == valor else _escribir(limpio)
    except (ValueError, RecursionError):
        return _CREDENCIAL.sub(rf"\g<antes>{_TACHADO}", cuerpo)


def _podar(valor: object) -> object:
    if isinstance(valor, _Pares):
        return _Pares((_podar_texto(clave), _podar(v)) for clave, v in valor if not es_credencial(clave))
    if isinstance(valor, list):
        return [_podar(v) for v in valor]
    return _podar_texto(valor) if isinstance(valor, str) and not isinstance(valor, _Numeral) else valor


def _podar_texto(texto: str) -> str:
    return sin_credenciales(texto) if _MENCION.search(texto) else texto


def _escribir(valor: object) -> str:
    if isinstance(valor, _Numeral):
        return str(valor)
    if isinstance(valor, _Pares):
        return "{" + ", ".join(f"{_escribir(clave)}: {_escribir(v)}" for clave, v in valor) + "}"
    if isinstance(valor, list):
        return "[" + ", ".join(map(_escribir, valor)) + "]"
    # A lone surrogate is kept as the escape it was: the queue would not take it otherwise.
    return json.dumps(valor, ensure_ascii=isinstance(valor, str) and not codificable(valor))
