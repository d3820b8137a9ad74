"""An answer as it came, and the lenient reading of its pieces: the provider's JSON is PHP's, and its shapes vary."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

Objeto: TypeAlias = "dict[str, object]"


@dataclass(frozen=True, slots=True)
class Respuesta:
    """An HTTP answer as it came. No text made from it shows one of `secretos`, should the provider echo them."""

    status: int
    cuerpo: bytes = field(repr=False)
    secretos: tuple[str, ...] = field(default=(), repr=False)

    def clean(self, texto: str, largo: int = 1000) -> str:
        """`clean` with the secrets of this answer's cuenta."""
        return clean(texto, self.secretos, largo)

    def say(self, frase: str, textos: Iterable[str] = ()) -> str:
        """The `detalle` of an outcome: our sentence, the HTTP status, and at most 200 characters of the provider's."""
        cita = self.clean(" ".join(" | ".join(textos).split()), 200)
        return f"{frase} (HTTP {self.status}){': ' if cita else '.'}{cita}"


def clean(texto: str, secretos: Iterable[str], largo: int = 1000) -> str:
    """`texto` without secrets nor halves of surrogate pairs, cut at `largo` only after that."""
    # A short secret is the numeric apikey: only as a whole word, else it would blot out parts of other numbers.
    formas = [
        re.escape(s) if len(s) >= 8 else rf"(?<!\w){re.escape(s)}(?!\w)"
        for s in sorted(secretos, key=len, reverse=True)
        if s
    ]
    if formas:
        texto = re.sub("|".join(formas), "***", texto, flags=re.IGNORECASE)
    texto = _whole(texto)
    return texto if len(texto) <= largo else texto[: largo - 1] + "…"


def fold(texto: str) -> str:
    """Lower case, no accents, single spaces: the provider's accents are often absent."""
    return " ".join(unicodedata.normalize("NFKD", texto).encode("ascii", "ignore").decode().lower().split())


def read_object(cuerpo: bytes) -> Objeto | None:
    """The JSON object in `cuerpo`, its numbers with a point as Decimal; None for whatever else it is."""
    try:
        leido = json.loads(decode(cuerpo), parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, ArithmeticError, RecursionError):  # ArithmeticError: an exponent beyond Decimal's
        return None
    return leido if isinstance(leido, dict) else None


def decode(cuerpo: bytes) -> str:
    # A byte that is not UTF-8 (the documents say UTF-8) costs one letter of a text, not the outcome of a lote.
    return cuerpo.decode("utf-8-sig", "replace")


def _whole(texto: str) -> str:
    # JSON may carry half a surrogate pair, which no log, event or item can be written with.
    return texto.encode("utf-8", "replace").decode("utf-8")


def _no_constant(nombre: str) -> None:
    raise ValueError(f"{nombre} is not JSON")


def items(valor: object) -> list[object] | None:
    """A list; also PHP's, which becomes an object keyed by number when it has gaps. [] for none, None for else."""
    if isinstance(valor, dict) and all(clave.isdecimal() for clave in valor):
        return list(valor.values())
    return valor if isinstance(valor, list) else None if valor else []


def texts(valor: object) -> list[str]:
    """`errores` as it may come: a list, `[""]` on success, a bare string, null."""
    textos = [valor] if isinstance(valor, str) else items(valor) or []
    return list(dict.fromkeys(t.strip() for t in textos if isinstance(t, str) and t.strip()))


def _details(cuerpo: Objeto) -> dict[str, str]:
    """`error_details`, text → code. Incomplete by the provider's own examples: it only adds codes to `errores`."""
    return {
        texto.strip(): codigo.strip()
        for detalle in items(cuerpo.get("error_details")) or []
        if isinstance(detalle, dict)
        and isinstance(texto := detalle.get("text"), str)
        and isinstance(codigo := detalle.get("code"), str)
    }


def errores_of(r: Respuesta, cuerpo: Objeto) -> tuple[str, ...]:
    """The reasons: `errores` is the authority; a text that `error_details` lists too gets its code in front."""
    codigos = _details(cuerpo)
    textos = texts(cuerpo.get("errores")) or [t for t in codigos if t]
    con_codigo = (f"{c}: {t}" if (c := codigos.get(t)) and c not in t else t for t in textos[:200])
    return tuple(r.clean(texto) for texto in con_codigo)


def all_texts(cuerpo: Objeto) -> list[str]:
    """Everything the provider says in words, secrets included: to be matched, never shown as it is."""
    textos = [*texts(cuerpo.get("errores")), *_details(cuerpo), *texts(cuerpo.get("rta"))]
    return list(dict.fromkeys(texto for texto in textos if texto))


def reference(valor: object) -> str:
    """A reference, a CAE or a URL: text, or the number that the provider made of it; "" where there is none."""
    return "" if valor is None or isinstance(valor, (bool, dict, list)) else _whole(str(valor)).strip()


def integer(valor: object) -> int | None:
    """The same, where it has no fraction."""
    numero = decimal(valor)
    return int(numero) if numero is not None and numero == numero.to_integral_value() else None


def decimal(valor: object) -> Decimal | None:
    """A number, or a numeric string, of a sane size: an exponent may not make us write out a million digits."""
    if isinstance(valor, str) and re.fullmatch(r"-?\d{1,15}(\.\d{1,6})?", valor.strip(), re.ASCII):
        return Decimal(valor.strip())
    if isinstance(valor, (int, Decimal)) and not isinstance(valor, bool):
        numero = Decimal(valor)
        return numero if abs(numero.adjusted()) < 15 else None
    return None
