"""How one value of a comprobante is read, and what is said when it cannot be.

Every reader takes any JSON value and gives the value the provider is sent, or raises one of the codes of `fallas`.
They are lenient where the provider is: numbers may be JSON numbers or numeric text, codes may be numbers or text,
texts may have spaces around them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from pydantic_core import core_schema

from tusfacturas.fallas import mal
from tusfacturas.payload import BITS
from tusfacturas.tables import ALICUOTAS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue

T = TypeVar("T")

REFERENCIA: Final = re.compile(r"[A-Za-z0-9_-]{1,255}")
_FECHA: Final = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{4})")
_DIGITOS: Final = re.compile(r"[0-9]{1,11}")
_MES: Final = re.compile(r"(0[1-9]|1[0-2])/[0-9]{4}")
_SALTO: Final = re.compile(r"\r\n|\r|\n")
_NUMERAL: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,6})?")
# ARCA's amounts have 13 integer digits; the provider documents no bound. Also what makes 1E400 cheap to refuse.
_ENTEROS: Final = 13
# 114.88000000000001 is how some languages write 114.88; a decimal that somebody meant is larger than this.
_RUIDO: Final = Decimal("1E-6")
_CONTEXTO: Final = Context(prec=60, rounding=ROUND_HALF_EVEN)

_TEXTO_NUMERICO: Final = {"type": "string", "pattern": rf"^{_NUMERAL.pattern}$"}
_TEXTO_ENTERO: Final = {"type": "string", "pattern": "^[0-9]+$"}


@dataclass(frozen=True, slots=True, eq=False)
class Lee(Generic[T]):
    """How a field is read, for `Annotated`, and the JSON Schema of what a sender should send.

    The schema is what is documented; `leer` forgives more.
    """

    leer: Callable[[object], T]
    esquema: Mapping[str, object]

    def __get_pydantic_core_schema__(self, _tipo: object, _handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.leer)

    def __get_pydantic_json_schema__(
        self, _esquema: core_schema.CoreSchema, _handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return dict(self.esquema)


def leer_decimal(valor: object) -> Decimal:
    """The exact number. Raises no_es_numero, numero_no_finito, numero_fuera_de_rango."""
    if isinstance(valor, str):
        valor = valor.strip()
        if not _NUMERAL.fullmatch(valor):
            raise mal("no_es_numero")
        leido = Decimal(valor)
    elif isinstance(valor, Decimal):
        leido = valor
    elif isinstance(valor, int) and not isinstance(valor, bool):
        if valor.bit_length() > BITS:
            raise mal("numero_fuera_de_rango")
        leido = Decimal(valor)
    else:
        raise mal("no_es_numero")
    if not leido.is_finite():
        raise mal("numero_no_finito")
    if not leido:
        return Decimal(0)
    if leido.adjusted() >= _ENTEROS:
        raise mal("numero_fuera_de_rango")
    return leido


def redondear(numero: Decimal, decimales: int) -> Decimal:
    """Half-even, as the provider rounds."""
    return numero.quantize(Decimal(1).scaleb(-decimales), context=_CONTEXTO)


def importe(decimales: int, *, positivo: bool = False, maximo: int | None = None) -> Lee[Decimal]:
    """A number ≥ 0 (> 0 if `positivo`) of so many decimals, in plain notation. Binary noise beyond them is rounded."""

    def leer(valor: object) -> Decimal:
        leido = leer_decimal(valor)
        if leido < 0:
            raise mal("numero_negativo")
        exponente = leido.as_tuple().exponent
        if not (isinstance(exponente, int) and -decimales <= exponente <= 0):
            redondo = redondear(leido, decimales)
            if abs(leido - redondo) > _RUIDO:
                raise mal("decimales_de_mas", decimales=decimales)
            leido = redondo
        if positivo and not leido:
            raise mal("numero_no_positivo")
        if maximo is not None and leido > maximo:
            raise mal("numero_fuera_de_rango")
        return leido

    limites = {"exclusiveMinimum" if positivo else "minimum": 0} | ({} if maximo is None else {"maximum": maximo})
    return Lee(leer, {"anyOf": [{"type": "number", **limites}, _TEXTO_NUMERICO]})


def leer_total(valor: object) -> Decimal:
    """A number > 0 of up to 6 decimals: it is rounded to 2 once it was found to be the sum of its lines."""
    leido = leer_decimal(valor)
    exponente = leido.as_tuple().exponent
    if isinstance(exponente, int) and exponente < -6:
        leido = redondear(leido, 6)
    if leido <= 0:
        raise mal("numero_no_positivo")
    return leido


TOTAL: Final = Lee(leer_total, {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, _TEXTO_NUMERICO]})


def leer_alicuota(valor: object) -> Decimal:
    leido = leer_decimal(valor)
    if leido not in ALICUOTAS:
        raise mal("fuera_de_tabla", admitidos=", ".join(map(str, ALICUOTAS)))
    return leido


ALICUOTA: Final = Lee(
    leer_alicuota,
    {"anyOf": [{"enum": [int(a) if a == int(a) else float(a) for a in ALICUOTAS]}, _TEXTO_NUMERICO]},
)


def leer_entero(valor: object) -> int:
    """An integer ≥ 0: 3, "0003", 3.0."""
    leido = leer_decimal(valor)
    if leido < 0:
        raise mal("numero_negativo")
    if leido != leido.to_integral_value():
        raise mal("no_es_entero")
    return int(leido)


def entero(minimo: int, maximo: int) -> Lee[int]:
    def leer(valor: object) -> int:
        leido = leer_entero(valor)
        if not minimo <= leido <= maximo:
            raise mal("numero_fuera_de_rango")
        return leido

    return Lee(leer, {"anyOf": [{"type": "integer", "minimum": minimo, "maximum": maximo}, _TEXTO_ENTERO]})


def leer_numero_cero(valor: object) -> int:
    if leer_entero(valor):
        raise mal("numero_no_cero")
    return 0


NUMERO_CERO: Final = Lee(leer_numero_cero, {"anyOf": [{"const": 0}, {"type": "string", "pattern": "^0+$"}]})


def leer_operacion(valor: object) -> str:
    if not isinstance(valor, str) or valor.strip() != "V":
        raise mal("operacion_no_admitida")
    return "V"


OPERACION: Final = Lee(leer_operacion, {"const": "V"})


def _nombres(tabla: Mapping[str, str]) -> str:
    return ", ".join(f"{codigo} ({nombre})" if nombre else codigo for codigo, nombre in tabla.items())


def codigo(tabla: Mapping[str, str]) -> Lee[str]:
    """A code that is text: "PES", "060" (60 is another one, or none). `tabla` has its names."""
    admitidos = ", ".join(tabla)

    def leer(valor: object) -> str:
        leido = _sin_espacios(valor)
        if leido not in tabla:
            raise mal("fuera_de_tabla", admitidos=admitidos)
        return leido

    return Lee(leer, {"enum": list(tabla), "description": _nombres(tabla)})


def codigo_entero(tabla: Mapping[str, str]) -> Lee[int]:
    """A code that is a number: 7, "7", "07". Gives the number."""
    admitidos = ", ".join(tabla)

    def leer(valor: object) -> int:
        leido = leer_entero(valor)
        if str(leido) not in tabla:
            raise mal("fuera_de_tabla", admitidos=admitidos)
        return leido

    return Lee(leer, {"enum": [*map(int, tabla), *tabla], "description": _nombres(tabla)})


def codigo_numerico(tabla: Mapping[str, str]) -> Lee[str]:
    """As `codigo_entero`, but gives the text: so the provider's examples send provincia and condicion_pago."""
    leido = codigo_entero(tabla)
    return Lee(lambda valor: str(leido.leer(valor)), leido.esquema)


def en_texto(valor: object) -> object:
    """An integer as its decimal text; anything else as it is."""
    es_entero = isinstance(valor, int) and not isinstance(valor, bool) and valor.bit_length() <= BITS
    return str(valor) if es_entero else valor


def _sin_espacios(valor: object) -> str:
    if not isinstance(valor, str):
        raise mal("no_es_texto")
    return valor.strip()


def texto(maximo: int, minimo: int = 0) -> Lee[str]:
    def leer(valor: object) -> str:
        leido = _sin_espacios(valor)
        if len(leido) > maximo:
            raise mal("texto_largo", maximo=maximo)
        if len(leido) < minimo:
            raise mal("texto_corto", minimo=minimo)
        return leido

    return Lee(leer, {"type": "string", "maxLength": maximo} | ({"minLength": minimo} if minimo else {}))


def texto_impreso(maximo: int, minimo: int = 0) -> Lee[str]:
    """Text for the PDF, where the provider wants line breaks written `#@#` and percent signs `#&#`.

    The documents do not say whether the escapes count for the length: they do not here, the laxer reading.
    """
    sin_escapar = texto(maximo, minimo)

    def leer(valor: object) -> str:
        return _SALTO.sub("#@#", sin_escapar.leer(valor)).replace("%", "#&#")

    return Lee(leer, sin_escapar.esquema)


def codigo_propio(maximo: int) -> Lee[str]:
    """The sender's own code of a client or a product: text or number."""
    como_texto = texto(maximo)
    return Lee(
        lambda valor: como_texto.leer(en_texto(valor)),
        {"anyOf": [como_texto.esquema, {"type": "integer"}]},
    )


def leer_si_no(valor: object) -> str:
    if not isinstance(valor, str) or valor.strip() not in ("S", "N"):
        raise mal("no_es_si_no")
    return valor.strip()


SI_NO: Final = Lee(leer_si_no, {"enum": ["S", "N"]})


def leer_fecha(valor: object) -> date:
    partes = _FECHA.fullmatch(valor.strip()) if isinstance(valor, str) else None
    if partes is None:
        raise mal("fecha_invalida")
    dia, mes, anio = map(int, partes.groups())
    try:
        return date(anio, mes, dia)
    except ValueError:
        raise mal("fecha_invalida") from None


FECHA: Final = Lee(leer_fecha, {"type": "string", "pattern": "^[0-9]{2}/[0-9]{2}/[0-9]{4}$"})


def leer_mes(valor: object) -> str:
    if not isinstance(valor, str) or not _MES.fullmatch(valor.strip()):
        raise mal("mes_invalido")
    return valor.strip()


MES: Final = Lee(leer_mes, {"type": "string", "pattern": "^(0[1-9]|1[0-2])/[0-9]{4}$"})


def leer_digitos(valor: object) -> str:
    """A document number as text: digits only, at most 11."""
    leido = en_texto(valor)
    if not isinstance(leido, str) or not _DIGITOS.fullmatch(leido.strip()):
        raise mal("documento_invalido", digitos="hasta 11")
    return leido.strip()


DIGITOS: Final = Lee(
    leer_digitos,
    {
        "anyOf": [
            {"type": "string", "pattern": "^[0-9]{1,11}$"},
            {"type": "integer", "minimum": 0, "maximum": 10**11 - 1},
        ]
    },
)


def leer_cuit(valor: object) -> int:
    leido = leer_digitos(valor)
    if len(leido) != 11:
        raise mal("documento_invalido", digitos="11")
    return int(leido)


CUIT: Final = Lee(
    leer_cuit,
    {
        "anyOf": [
            {"type": "string", "pattern": "^[0-9]{11}$"},
            {"type": "integer", "minimum": 10**10, "maximum": 10**11 - 1},
        ]
    },
)


def leer_emails(valor: object) -> str:
    """Up to 15 addresses separated by commas, 255 characters in all. Their form is the provider's business."""
    direcciones = [parte.strip() for parte in _EMAIL.leer(valor).split(",") if parte.strip()]
    if len(direcciones) > 15:
        raise mal("emails_de_mas", maximo=15)
    return ",".join(direcciones)


_EMAIL: Final = texto(255)
EMAILS: Final = Lee(leer_emails, _EMAIL.esquema)


def leer_referencia(valor: object) -> str:
    """An external_reference. A number is its decimal text: that is how it comes back from the provider anyway.

    Spaces around it are not forgiven: it is the comprobante's identity, here and there.
    """
    leido = en_texto(valor)
    if not isinstance(leido, str) or not REFERENCIA.fullmatch(leido):
        raise mal("referencia_invalida")
    return leido


EXTERNAL_REFERENCE: Final = Lee(
    leer_referencia, {"anyOf": [{"type": "string", "pattern": f"^{REFERENCIA.pattern}$"}, {"type": "integer"}]}
)
