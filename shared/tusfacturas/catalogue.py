"""Reading the texts of an error: the code that each carries, and which of them say something.

Messages come as list items, with leading spaces and a help suffix («Si necesitas ayuda…»), often without accents.
`#6661145.<n>` wraps the code that AFIP/ARCA gave; `.0` and the `#6661141.S…` lines only accompany a specific one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_AFIP = re.compile(r"#6661145\.(\d+)|\bCod: (\d+)\b")
_TF = re.compile(r"#6661141\.(S\d+)")
_TFC = re.compile(r"\b(TFC-\d+)\b")
_HELP = re.compile(r"\s*Si necesitas ayuda.*$", re.DOTALL)
_COMPANIONS = frozenset({"AFIP-0", "TF-S1254", "TF-S1278"})


class Linea(NamedTuple):
    """One text of an error. `codigo`: `AFIP-10016`, `TF-S1254`, `TFC-8002`, or SIN_CODIGO."""

    codigo: str
    texto: str

    @property
    def acompana(self) -> bool:
        """It only accompanies a specific one, and decides nothing while that is there."""
        return self.codigo in _COMPANIONS


def read_lines(mensajes: Iterable[str]) -> list[Linea]:
    """The specific ones first, each without the help suffix."""
    lineas = [Linea(_codigo(texto), _HELP.sub("", texto).strip()) for texto in mensajes if texto.strip()]
    return sorted(lineas, key=lambda linea: linea.acompana)


def _codigo(texto: str) -> str:
    if afip := _AFIP.search(texto):
        return f"AFIP-{afip[1] or afip[2]}"
    if tf := _TF.search(texto):
        return f"TF-{tf[1]}"
    if tfc := _TFC.search(texto):
        return tfc[1]
    return "SIN_CODIGO"
