"""A JSON value from outside, before anybody reads its fields."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from tusfacturas.fallas import falla

if TYPE_CHECKING:
    from tusfacturas.outcomes import Falla

CREDENCIALES: Final = frozenset({"apikey", "apitoken", "usertoken"})
# A comprobante has six levels. What is nested deeper would only exhaust the stack of whoever reads it later.
_NIVELES: Final = 24
# The longest reference is an integer of 255 digits. No number needs more, and 1E999999 written out is a megabyte.
_CIFRAS: Final = 255
BITS: Final = 848


def es_credencial(clave: str) -> bool:
    return clave.strip().lower() in CREDENCIALES


def vacio(valor: object) -> bool:
    """null, blank text, [] and {}: ways of sending nothing."""
    return not valor.strip() if isinstance(valor, str) else valor is None or valor in ([], {})


def depurar(valor: object, campo: str, fallas: list[Falla], nivel: int = 0) -> object:
    """A copy of a JSON value without credentials, at any level, and with Decimal for float. It shares nothing with it.

    Adds to `fallas` what no field can hold: a number that is not finite or beyond all measure, text that is not
    Unicode, too many levels, what is not JSON.
    """
    if valor is None or isinstance(valor, bool):
        return valor
    if isinstance(valor, str):
        if not valor.isascii() and not codificable(valor):
            fallas.append(falla("texto_invalido", campo))
        return valor
    if isinstance(valor, (int, float, Decimal)):
        return _numero(valor, campo, fallas)
    if nivel == _NIVELES:
        fallas.append(falla("anidado_en_exceso", campo))
    elif isinstance(valor, list):
        return [depurar(v, f"{campo}.{i}", fallas, nivel + 1) for i, v in enumerate(valor)]
    elif isinstance(valor, Mapping):
        return depurar_objeto(valor, campo, fallas, nivel)
    else:
        fallas.append(falla("valor_invalido", campo))
    return None


def _numero(valor: float | Decimal, campo: str, fallas: list[Falla]) -> object:
    if isinstance(valor, int):
        if valor.bit_length() > BITS:
            fallas.append(falla("numero_fuera_de_rango", campo))
        return valor
    numero = Decimal(repr(valor)) if isinstance(valor, float) else valor
    if not numero.is_finite():
        fallas.append(falla("numero_no_finito", campo))
    elif not numero:
        return Decimal(0)
    elif abs(numero.adjusted()) > _CIFRAS:
        fallas.append(falla("numero_fuera_de_rango", campo))
    return numero


def depurar_objeto(valor: Mapping[Any, object], campo: str, fallas: list[Falla], nivel: int = 0) -> dict[str, object]:
    """As `depurar`, of an object."""
    limpio: dict[str, object] = {}
    for clave, contenido in valor.items():
        if not isinstance(clave, str) or not codificable(clave):
            fallas.append(falla("texto_invalido", campo))
        elif not es_credencial(clave):
            # A sender's own key may be of any length and content: it is no part of a path.
            visible = clave if clave.isidentifier() and len(clave) <= 64 else "?"
            limpio[clave] = depurar(contenido, f"{campo}.{visible}", fallas, nivel + 1)
    return limpio


def codificable(texto: str) -> bool:
    """False for lone surrogates, which JSON can spell and UTF-8 cannot."""
    try:
        texto.encode()
    except UnicodeEncodeError:
        return False
    return True
