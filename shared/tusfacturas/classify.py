"""From the lines of an error to the class that decides. Pure: lines and a catalogue in, a class and its reasons out.

Lines decide by what they are, not by their order. A line that only accompanies decides when nothing specific is there.
Where several decide, the first row that holds:

| those that decide | class | why |
|---|---|---|
| none | desconocido | in error, and no text that tells why: nothing may be inferred |
| one unknown among them | desconocido | what is not understood may change what the others mean |
| one of `revision` | revision | a person must look anyway, and nothing that is done before helps |
| one of `cuenta` | cuenta | every action would fail until the cuenta is mended; waiting harms nothing |
| one of `ambiguo` | ambiguo | it may be authorised: deleting or moving its date could make a second one |
| one of `transitorio` | transitorio | ARCA was not itself: what else it said is asked again by a resend |
| all of one class | that class | they ask for the same |
| `numeracion` and `fecha` | numeracion | both end in another date, and the one that first resends can do less harm |
| any other mixture | revision | what one asks for does not heal the other, and not all of it permits deleting |

So it is deleted only if every line that decides is `datos`, and its date is moved only if every one asks for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from tusfacturas.catalogue import ACCIONES, SIN_CODIGO, Clase, built_in, codes_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tusfacturas.catalogue import Accion, Catalogo, Entrada, Linea

_OVERRULES: Final = (Clase.DESCONOCIDO, Clase.REVISION, Clase.CUENTA, Clase.AMBIGUO, Clase.TRANSITORIO)
"""One line of these is enough, the first of them first."""
_MOVES_DATE: Final = {Clase.NUMERACION, Clase.FECHA}

_FOLLOWS: Final[Mapping[Clase, str]] = {
    Clase.TRANSITORIO: "Se reenvía solo, en el orden original.",
    Clase.AMBIGUO: "Se consulta y se reenvía solo, en el orden original; nunca se elimina.",
    Clase.NUMERACION: "Se reenvía solo, en el orden original, y si se repite se le cambia la fecha.",
    Clase.FECHA: "Se le cambian solos la fecha y el vencimiento.",
    Clase.ASOCIADO: "Se reenvía solo por un tiempo; si sigue igual, una persona debe decidir.",
    Clase.DATOS: "Se elimina de la cola: corríjalo y envíelo con otra referencia.",
    Clase.CUENTA: "Queda en espera: corrija la cuenta y ordene su reenvío.",
    Clase.REVISION: "Una persona debe decidir.",
    Clase.DESCONOCIDO: "No se toca: una persona debe decidir.",
}
_NO_LINES: Final = "Está con error en TusFacturas y ningún aviso dijo por qué."
_MIXED: Final = "Sus errores piden remedios distintos."


class Razon(NamedTuple):
    """One line that decides. `codigo` is stable, `texto` the provider's, `mensaje` plain Spanish for a person."""

    codigo: str
    clase: Clase
    campo: str
    texto: str
    mensaje: str


@dataclass(frozen=True, slots=True)
class Clasificacion:
    """The class that decides, and for which reasons, in an order that does not depend on that of the lines."""

    clase: Clase
    razones: tuple[Razon, ...]

    @property
    def accion(self) -> Accion:
        return ACCIONES[self.clase]

    @property
    def desconocidas(self) -> tuple[Razon, ...]:
        """Of which the catalogue knows nothing: to be counted, shown, and added to it."""
        return tuple(razon for razon in self.razones if razon.clase is Clase.DESCONOCIDO)

    @property
    def explicacion(self) -> str:
        """What happened, what to correct and what is done about it, in plain Spanish."""
        frases = dict.fromkeys(razon.mensaje for razon in self.razones) or {_NO_LINES: None}
        mixed = [_MIXED] if self.razones and self.clase not in {razon.clase for razon in self.razones} else []
        return " ".join((*frases, *mixed, _FOLLOWS[self.clase]))


def classify(lineas: Iterable[Linea], catalogo: Catalogo | None = None) -> Clasificacion:
    """`lineas`: all of them, whole, as `read_lines` gives them. Without `catalogo`, the built-in one."""
    leidas = [leida for linea in lineas for leida in _read(linea, catalogo or built_in())]
    specific = {razon for razon, acompana in leidas if not acompana}
    razones = tuple(sorted(specific or {razon for razon, _ in leidas}))
    return Clasificacion(_decide({razon.clase for razon in razones}), razones)


def _decide(clases: set[Clase]) -> Clase:
    """The table above."""
    if not clases:
        return Clase.DESCONOCIDO
    for clase in _OVERRULES:
        if clase in clases:
            return clase
    if len(clases) == 1:
        return next(iter(clases))
    return Clase.NUMERACION if clases == _MOVES_DATE else Clase.REVISION


def _read(linea: Linea, catalogo: Catalogo) -> Iterator[tuple[Razon, bool]]:
    """What one line says, and whether that only accompanies.

    Usually it is one thing; a `msg` that came as a single text may hold several codes. What its words say counts
    beside its code, unless they only accompany. A code that is in no entry is known by its words when it is the only
    one: the documentation quotes many of ARCA's texts without their code.
    """
    codigos = [codigo for codigo in dict.fromkeys((linea.codigo, *codes_in(linea.texto))) if codigo != SIN_CODIGO]
    por_codigo = {codigo: catalogo.by_codigo(codigo) for codigo in codigos}
    por_texto = [entrada for entrada in catalogo.by_text(linea.texto) if not (entrada.acompana and codigos)]
    specific = [codigo for codigo, entrada in por_codigo.items() if entrada is None or not entrada.acompana]
    by_words = len(specific) == 1 and bool(por_texto)
    unknown = [codigo for codigo, entrada in por_codigo.items() if entrada is None and not by_words]
    known = dict.fromkeys((*filter(None, por_codigo.values()), *por_texto))
    for entrada in known:
        yield _razon(entrada, linea), entrada.acompana
    for codigo in unknown or ([] if known else [linea.codigo]):
        yield _unknown(codigo, linea), False


def _razon(entrada: Entrada, linea: Linea) -> Razon:
    return Razon(entrada.codigo, entrada.clase, entrada.campo, linea.texto, entrada.mensaje)


def _unknown(codigo: str, linea: Linea) -> Razon:
    cita = linea.texto if len(linea.texto) <= 200 else f"{linea.texto[:199]}…"
    return Razon(codigo, Clase.DESCONOCIDO, "", linea.texto, f"TusFacturas informó algo que no se conoce: «{cita}».")
