"""What the provider's error texts mean: the catalogue (`data/catalogo.json`) and how a text is read.

Messages come as list items, with leading spaces and a help suffix («Si necesitas ayuda…»), often without accents.
`#6661145.<n>` wraps the code that AFIP/ARCA gave; `.0` and the `#6661141.S…` lines only accompany a specific one.
Errors of the HTTP exchange itself (524, 429, no quota) are no lines of an error: `answers` reads those.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tusfacturas.respuesta import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

SIN_CODIGO: Final = "SIN_CODIGO"
CODIGO = re.compile(r"AFIP-\d{1,6}|TF-S\d{1,6}|TFC-\d{1,6}")
"""The codes that a line can carry. An entry of any other name is found by its texts only."""

_CODES = re.compile(
    r"#6661145\.(?P<afip>\d+)|\bCod: (?P<cod>\d+)\b|\[ ?codigo: (?P<obs>\d+) ?\]"
    r"|#6661141\.(?P<tf>S\d+)|\b(?P<tfc>TFC-\d+)\b"
)
_HELP = re.compile(r"\s*Si necesitas ayuda")
_CONTACT = re.compile(r",? cont[aá]ctanos(?: en \S+)?")
_COMPANIONS = frozenset({"AFIP-0", "TF-S1254", "TF-S1278"})


class Linea(NamedTuple):
    """One text of an error. `codigo`: `AFIP-10016`, `TF-S1254`, `TFC-8002`, or SIN_CODIGO."""

    codigo: str
    texto: str

    @property
    def acompana(self) -> bool:
        """It only accompanies a specific one, and decides nothing while that is there."""
        return self.codigo in _COMPANIONS


class Clase(StrEnum):
    """What an error asks for.

    transitorio: the moment's fault: resend. ambiguo: ARCA may have authorised it: ask, and resend in order, never
    delete. numeracion: number or date not the next one: resend in order, then change the date. fecha: change the
    date. asociado: what it refers to may still be on its way: resend, then a person. datos: definitely refused for
    what it says: delete, its sender corrects it. cuenta: the cuenta's set-up: a person, once for all of the cuenta.
    revision: understood, and only a person can act on it. desconocido: nobody has seen it: a person, and an entry.
    """

    TRANSITORIO = "transitorio"
    AMBIGUO = "ambiguo"
    NUMERACION = "numeracion"
    FECHA = "fecha"
    ASOCIADO = "asociado"
    DATOS = "datos"
    CUENTA = "cuenta"
    REVISION = "revision"
    DESCONOCIDO = "desconocido"


class Accion(StrEnum):
    """What may be done about an error without asking anybody; `revisar` is nothing."""

    REENVIAR = "reenviar"
    REENVIAR_Y_CAMBIAR_FECHA = "reenviar_y_cambiar_fecha"
    CAMBIAR_FECHA = "cambiar_fecha"
    ELIMINAR = "eliminar"
    REVISAR = "revisar"


ACCIONES: Final[Mapping[Clase, Accion]] = MappingProxyType(
    {
        Clase.TRANSITORIO: Accion.REENVIAR,
        Clase.AMBIGUO: Accion.REENVIAR,
        Clase.NUMERACION: Accion.REENVIAR_Y_CAMBIAR_FECHA,
        Clase.FECHA: Accion.CAMBIAR_FECHA,
        Clase.ASOCIADO: Accion.REENVIAR,
        Clase.DATOS: Accion.ELIMINAR,
        Clase.CUENTA: Accion.REVISAR,
        Clase.REVISION: Accion.REVISAR,
        Clase.DESCONOCIDO: Accion.REVISAR,
    }
)


@dataclass(frozen=True, slots=True)
class Entrada:
    """One known error.

    `codigo`: the line's own, or our name for what is known by its words alone (SIN_CODIGO where a company gave it no
    name). `textos`: what it says, folded; `*` stands for anything. `acompana`: it decides nothing while a specific
    one is there, and by its `clase` when it is alone. `mensaje`: what it means and what to correct, for a person.
    `campo`: where, as a path of the message; empty where it is of no field. `fuente`: the page that tells it.
    """

    codigo: str
    clase: Clase
    mensaje: str
    fuente: str
    textos: tuple[str, ...] = ()
    campo: str = ""
    acompana: bool = False

    @property
    def accion(self) -> Accion:
        return ACCIONES[self.clase]

    def says(self, folded: str) -> bool:
        return any(_found(texto, folded) for texto in self.textos)


@dataclass(frozen=True, slots=True)
class Catalogo:
    """The known errors; of one codigo, other than SIN_CODIGO, there is one."""

    entradas: tuple[Entrada, ...]

    def by_codigo(self, codigo: str) -> Entrada | None:
        if codigo == SIN_CODIGO:
            return None
        return next((entrada for entrada in self.entradas if entrada.codigo == codigo), None)

    def by_text(self, texto: str) -> tuple[Entrada, ...]:
        """All that say what `texto` says: which of them stands first must not matter."""
        folded = fold(texto)
        return tuple(entrada for entrada in self.entradas if entrada.says(folded))


@cache
def built_in() -> Catalogo:
    """What the provider's documentation, and ARCA's, tell."""
    filas = json.loads(files("tusfacturas").joinpath("data", "catalogo.json").read_text(encoding="utf-8"))
    return Catalogo(tuple(_entrada(**fila) for fila in filas))


def read_lines(mensajes: Iterable[str]) -> list[Linea]:
    """The specific ones first, each without the help suffix."""
    lineas = [Linea(_codigo(texto), texto) for mensaje in mensajes for texto in _split(mensaje)]
    return sorted(lineas, key=lambda linea: linea.acompana)


def codes_in(texto: str) -> tuple[str, ...]:
    """Every code in one text, in its order."""
    return tuple(dict.fromkeys(_code(hallado) for hallado in _CODES.finditer(texto)))


def _split(mensaje: str) -> Iterator[str]:
    """One text, or several where `msg` came as one: behind the help suffix of one the next begins, by its code."""
    primero, *colas = _HELP.split(mensaje)
    if primero.strip():
        yield primero.strip()
    for cola in colas:
        resto = _CONTACT.sub("", cola, count=1).strip()
        if _CODES.search(resto):
            yield resto


def _codigo(texto: str) -> str:
    codigos = codes_in(texto)
    especificos = [codigo for codigo in codigos if codigo not in _COMPANIONS]
    return next(iter(especificos or codigos), SIN_CODIGO)


def _code(hallado: re.Match[str]) -> str:
    if tf := hallado["tf"]:
        return f"TF-{tf}"
    return hallado["tfc"] or f"AFIP-{hallado['afip'] or hallado['cod'] or hallado['obs']}"


def _found(patron: str, folded: str) -> bool:
    """The pieces between the `*`, in their order: one pass over a text that came from outside."""
    desde = 0
    for trozo in patron.split("*"):
        hallado = folded.find(trozo.strip(), desde)
        if hallado < 0:
            return False
        desde = hallado + len(trozo.strip())
    return True


def _entrada(*, clase: str, textos: Iterable[str] = (), **campos: Any) -> Entrada:
    return Entrada(clase=Clase(clase), textos=tuple(textos), **campos)
