"""The message a sender puts on the queue: understood or not, and its content told apart from any other.

Three degrees. What cannot be understood is `Ininteligible`: there is nobody to answer. What is understood and breaks
the rules has faults (`revisar`): its sender is told. The rest is sent.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Final, NoReturn

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import GenerateJsonSchema

from facturacion.redaction import sin_credenciales
from tusfacturas.fallas import TEXTOS, falla
from tusfacturas.fields import EXTERNAL_REFERENCE, REFERENCIA, en_texto
from tusfacturas.models import Cliente, Comprobante, preparar
from tusfacturas.payload import depurar, depurar_objeto

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tusfacturas.models import ComprobanteListo, Reglas
    from tusfacturas.outcomes import Falla

__all__ = [
    "CUENTA_RE",
    "Ininteligible",
    "Mensaje",
    "content_hash",
    "esquema",
    "fallas_del_sobre",
    "leer",
    "revisar",
    "sin_credenciales",
]

CUENTA_RE: Final = r"^[a-z0-9][a-z0-9-]{0,31}$"

_CUENTA: Final = re.compile(CUENTA_RE)
# Who invoices, whom, what and how much. Of any other key that is repeated the last one counts, as JSON parsers do: the
# provider's own example repeats percepciones_*.
_SIN_REPETIR: Final = frozenset(
    {
        *("cuenta", "external_reference", "reemplaza", "cliente", "comprobante"),
        *("documento_tipo", "documento_nro", "condicion_iva"),
        *("tipo", "numero", "punto_venta", "fecha", "moneda", "cotizacion", "total"),
        *("detalle", "producto", "cantidad", "precio_unitario_sin_iva", "alicuota", "bonificacion", "tributos"),
    }
)
# Python turns no more digits into an int; a Decimal takes them all.
_DIGITOS_INT: Final = 4_000


@dataclass(frozen=True, slots=True)
class Mensaje:
    """A message that is understood. `cliente` and `comprobante` are as received, but without credentials.

    Numbers are int or Decimal. `external_reference` is its text, also where it came as a number. `hash` tells its
    content from any other's (`content_hash`). Personal data stays out of the repr.
    """

    cuenta: str
    external_reference: str
    cliente: object = field(repr=False)
    comprobante: Mapping[str, object] = field(repr=False)
    reemplaza: str | None
    hash: str


@dataclass(frozen=True, slots=True)
class Ininteligible:
    """A message that cannot be understood: a stable code, and Spanish for whoever looks into the rejected queue."""

    codigo: str
    mensaje: str


class _Repetida(ValueError):
    """A key of `_SIN_REPETIR` stands twice in an object, with different values."""


def leer(cuerpo: str, *, cuenta_por_defecto: str | None) -> Mensaje | Ininteligible:
    """Strict JSON of one object with a usable cuenta and a usable external_reference. Never raises.

    `cuenta_por_defecto` is for messages without `cuenta`; one that is there and malformed is never replaced by it, for
    that would invoice for another company. Whether the cuenta exists is for the caller to see.
    """
    try:
        datos = json.loads(
            cuerpo,
            parse_float=_numero,
            parse_int=_numero_entero,
            parse_constant=_no_es_json,
            object_pairs_hook=_objeto,
        )
    except _Repetida as repetida:
        return Ininteligible("clave_repetida", f"La clave {repetida} está repetida con valores distintos.")
    except RecursionError:
        return Ininteligible("anidado_en_exceso", TEXTOS["anidado_en_exceso"])
    except ValueError:
        return Ininteligible("json_invalido", "El cuerpo no es JSON válido.")
    if not isinstance(datos, dict):
        return Ininteligible("no_es_objeto", "El cuerpo debe ser un objeto JSON.")
    return _entender(datos, cuenta_por_defecto)


def _entender(datos: dict[str, object], cuenta_por_defecto: str | None) -> Mensaje | Ininteligible:
    cuenta = datos.get("cuenta")
    if cuenta is None:
        cuenta = cuenta_por_defecto
    if cuenta is None:
        return Ininteligible("falta_cuenta", "Falta la cuenta, y no hay una configurada por defecto.")
    if not isinstance(cuenta, str) or not _CUENTA.fullmatch(cuenta):
        return Ininteligible("cuenta_invalida", "La cuenta debe tener hasta 32 minúsculas, dígitos o guiones.")
    comprobante = datos.get("comprobante")
    if not isinstance(comprobante, dict):
        return Ininteligible("falta_comprobante", "Falta el objeto comprobante.")
    referencia = en_texto(comprobante.get("external_reference"))
    if referencia is None:
        return Ininteligible("falta_referencia", "Falta comprobante.external_reference.")
    if not isinstance(referencia, str) or not REFERENCIA.fullmatch(referencia):
        return Ininteligible("referencia_invalida", f"comprobante.external_reference: {TEXTOS['referencia_invalida']}")
    return _con_contenido(cuenta, referencia, comprobante, datos.get("cliente"), datos.get("reemplaza"))


def _con_contenido(
    cuenta: str, referencia: str, comprobante: dict[str, object], cliente: object, reemplaza: object
) -> Mensaje | Ininteligible:
    fallas: list[Falla] = []
    contenido = {"cliente": depurar(cliente, "cliente", fallas)}
    contenido["comprobante"] = comprobante = depurar_objeto(comprobante, "comprobante", fallas)
    if reemplaza is not None:
        contenido["reemplaza"] = depurar(reemplaza, "reemplaza", fallas)
    for encontrada in fallas:
        # Any other is a number that no field can hold: a fault of a comprobante that is understood.
        if encontrada.codigo in ("texto_invalido", "anidado_en_exceso"):
            return Ininteligible(encontrada.codigo, f"{encontrada.campo}: {encontrada.mensaje}")
    otra = en_texto(reemplaza)
    return Mensaje(
        cuenta=cuenta,
        external_reference=referencia,
        cliente=contenido["cliente"],
        comprobante=comprobante,
        # What is no text is as good as an empty one: understood, and at fault.
        reemplaza=otra if otra is None or isinstance(otra, str) else "",
        hash=content_hash(contenido),
    )


def revisar(mensaje: Mensaje, reglas: Reglas) -> ComprobanteListo | tuple[Falla, ...]:
    """What the provider is sent for the message, or every fault it has (at least one)."""
    listo = preparar(mensaje.cliente, mensaje.comprobante, reglas)
    return fallas_del_sobre(mensaje) + (listo if isinstance(listo, tuple) else ()) or listo


def fallas_del_sobre(mensaje: Mensaje) -> tuple[Falla, ...]:
    """The faults of what stands beside `cliente` and `comprobante`."""
    if mensaje.reemplaza is None:
        return ()
    if not REFERENCIA.fullmatch(mensaje.reemplaza):
        return (falla("referencia_invalida", "reemplaza"),)
    if mensaje.reemplaza == mensaje.external_reference:
        return (falla("reemplaza_a_si_mismo", "reemplaza"),)
    return ()


def _objeto(pares: list[tuple[str, object]]) -> dict[str, object]:
    objeto = dict(pares)
    if len(objeto) < len(pares):
        for clave, valor in pares:
            if clave in _SIN_REPETIR and objeto[clave] != valor:
                raise _Repetida(clave)
    return objeto


def _numero(texto: str) -> Decimal | str:
    """Exact. A number that no Decimal can hold stays text, which is refused wherever a number is due."""
    try:
        return Decimal(texto)
    except InvalidOperation:
        return texto


def _numero_entero(texto: str) -> int | Decimal | str:
    return int(texto) if len(texto) <= _DIGITOS_INT else _numero(texto)


def _no_es_json(constante: str) -> NoReturn:
    """NaN and Infinity, which Python's parser would take."""
    raise ValueError(constante)


def content_hash(contenido: object) -> str:
    """SHA-256, in hex, of the canonical JSON of what was received: `cliente`, `comprobante`, and `reemplaza` if given.

    Without credentials, keys in order of code points, no spaces, numbers by their value (139, 139.00 and 1.39E2 are the
    same, "139" is another thing). Text is taken as received: a default that is added to a model changes no hash, nor
    does a reader that grows more lenient.
    """
    return sha256(_canonico(contenido).encode()).hexdigest()


def _canonico(valor: object) -> str:
    if isinstance(valor, dict):
        return "{" + ",".join(f"{_texto(clave)}:{_canonico(valor[clave])}" for clave in sorted(valor)) + "}"
    if isinstance(valor, list):
        return "[" + ",".join(map(_canonico, valor)) + "]"
    if isinstance(valor, (int, Decimal)) and not isinstance(valor, bool):
        return _numeral(Decimal(valor))
    return _texto(valor)


def _texto(valor: object) -> str:
    return json.dumps(valor, ensure_ascii=False)


def _numeral(numero: Decimal) -> str:
    """Significant digits and exponent, `139E0`: exact whatever the context, and 1E999999 is no longer than 1."""
    signo, digitos, exponente = numero.as_tuple()
    cifras = "".join(map(str, digitos))
    significativas = cifras.rstrip("0")
    if not significativas or not isinstance(exponente, int):
        return "0"
    return f"{'-' * signo}{significativas}E{exponente + len(cifras) - len(significativas)}"


class _Sobre(BaseModel):
    model_config = ConfigDict(
        title="Mensaje",
        defer_build=True,
        extra="allow",
        json_schema_extra={
            "description": (
                "Un comprobante a emitir. Lo que el esquema no nombra se le pasa al proveedor tal como viene, salvo "
                "apikey, apitoken y usertoken, que se descartan. Los números pueden ir como número o como texto."
            )
        },
    )

    cuenta: Annotated[str, Field(pattern=CUENTA_RE)] | None = Field(
        default=None, description="Alias de CUIT y punto de venta. Puede faltar si hay una cuenta por defecto."
    )
    cliente: Cliente
    comprobante: Comprobante
    reemplaza: Annotated[str, EXTERNAL_REFERENCE] | None = Field(
        default=None, description="La external_reference del comprobante eliminado que este corrige."
    )


class _SinTitulos(GenerateJsonSchema):
    def field_title_should_be_set(self, _schema: object) -> bool:
        return False


def esquema() -> dict[str, object]:
    """The JSON Schema of the message, as senders should write it; `leer` and `preparar` forgive more."""
    generado = _Sobre.model_json_schema(schema_generator=_SinTitulos)
    return {"$schema": GenerateJsonSchema.schema_dialect, **generado}
