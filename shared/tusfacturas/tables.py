"""The provider's code tables, read once from `data/tablas.json`.

Keys are the codes as text, because that is what every table has in common ("060" is not 60). The names are there for
people: the published schema and the faults show them. Codes the documents mention outside their tables (LE, LC, the
liquidaciones) are left out: how they are written is not documented.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Tipo:
    """A comprobante's `tipo`.

    `clase` is FACTURA, ND, NC, RECIBO or NO_FISCAL; `letra` is None for what is not fiscal. `encolable`: the queue
    takes it. Of FCE the documents contradict each other (the lote page takes them, the tables of 2025 do not), so
    they are `encolable` here and `Reglas.permite_fce` has the last word.
    """

    texto: str
    letra: str | None
    clase: str
    fce: bool
    encolable: bool


@dataclass(frozen=True, slots=True)
class CondicionPago:
    """`dias` from `fecha` to `vencimiento`."""

    nombre: str
    dias: int


@dataclass(frozen=True, slots=True)
class Tributo:
    """A kind of tributo and its regímenes: code → name."""

    nombre: str
    regimenes: Mapping[str, str]


_DATOS: Final[dict[str, dict[str, Any]]] = json.loads(
    files("tusfacturas").joinpath("data", "tablas.json").read_text(encoding="utf-8")
)


def _nombres(tabla: str) -> Mapping[str, str]:
    return MappingProxyType(_DATOS[tabla])


TIPOS: Final[Mapping[str, Tipo]] = MappingProxyType({t: Tipo(t, **fila) for t, fila in _DATOS["tipos"].items()})
CONDICIONES_IVA: Final = _nombres("condiciones_iva")
DOCUMENTOS: Final[Mapping[str, int | None]] = MappingProxyType(_DATOS["documentos"])
"""documento_tipo → how many digits it has exactly, None where only the maximum of 11 holds."""
PROVINCIAS: Final = _nombres("provincias")
CONDICIONES_PAGO: Final[Mapping[str, CondicionPago]] = MappingProxyType(
    {codigo: CondicionPago(**fila) for codigo, fila in _DATOS["condiciones_pago"].items()}
)
MONEDAS: Final = _nombres("monedas")
ALICUOTAS: Final[Mapping[Decimal, str]] = MappingProxyType({Decimal(c): n for c, n in _DATOS["alicuotas"].items()})
"""Rate in percent → what it is; -1 exento and -2 no gravado are codes, not rates."""
UNIDADES_MEDIDA: Final = _nombres("unidades_medida")
IDIOMAS: Final = _nombres("idiomas")
TRIBUTOS: Final[Mapping[str, Tributo]] = MappingProxyType(
    {codigo: Tributo(**fila) for codigo, fila in _DATOS["tributos"].items()}
)
