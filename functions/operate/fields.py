"""The fields of a request, each read strictly: what is not plainly meant is refused, with its code. Pure."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from facturacion.accion import MOTIVO_MAX, Accion
from facturacion.asiento import Lugar
from facturacion.cuentas import ALIAS
from facturacion.tiempo import ARGENTINA

if TYPE_CHECKING:
    from collections.abc import Mapping

QUIEN_MAX = 300
REFERENCIAS_MAX = 1_000
"""Named one by one in one request; the command line asks again for more."""
PAGINA_MAX = 1_000
"""Comprobantes in one answer, which Lambda bounds at 6 MB."""
DECISIONS_MAX = 200
"""In one invocation: some six writes each."""
HOURS_MAX = 10 * 366 * 24


class PedidoInvalido(Exception):
    """It cannot be done as it was asked. `codigo` is stable, the text plain Spanish."""

    def __init__(self, codigo: str, mensaje: str) -> None:
        super().__init__(mensaje)
        self.codigo = codigo


def hechas(event: Mapping[str, Any]) -> int:
    value = event.get("tras")
    if value is None:
        return 0
    done = value.get("hechas") if isinstance(value, dict) and set(value) == {"hechas"} else None
    if isinstance(done, bool) or not isinstance(done, int) or done < 0:
        raise PedidoInvalido("LugarInvalido", "tras es el «sigue» de la respuesta anterior.")
    return done


def behind(event: Mapping[str, Any]) -> dict[str, str] | None:
    value = event.get("tras")
    if value is None:
        return None
    if not isinstance(value, dict) or set(value) != {"pk", "sk"} or not all(isinstance(v, str) for v in value.values()):
        raise PedidoInvalido("LugarInvalido", "tras es el «sigue» de la respuesta anterior.")
    return value


def periodo(event: Mapping[str, Any]) -> tuple[datetime, datetime] | None:
    desde, hasta = instante(event, "desde"), instante(event, "hasta")
    if desde is None and hasta is None:
        return None
    if desde is None or hasta is None or hasta <= desde:
        raise PedidoInvalido("PeriodoInvalido", "Un período tiene desde y hasta, y termina después de empezar.")
    return desde, hasta


def instante(event: Mapping[str, Any], name: str) -> datetime | None:
    """In Argentina's time, where it says no other."""
    said = text(event, name)
    try:
        instant = datetime.fromisoformat(said) if said else None
    except ValueError:
        raise PedidoInvalido("FechaInvalida", f"{name} se escribe AAAA-MM-DD o AAAA-MM-DDTHH:MM.") from None
    return instant if instant is None or instant.tzinfo else instant.replace(tzinfo=ARGENTINA)


def motivo(event: Mapping[str, Any], *, needed: bool) -> str:
    motivo = text(event, "motivo")
    if needed and not motivo:
        raise PedidoInvalido("FaltaMotivo", "Hace falta un motivo: queda escrito con quién lo pidió.")
    if len(motivo) > MOTIVO_MAX:
        raise PedidoInvalido("MotivoLargo", f"El motivo puede tener hasta {MOTIVO_MAX} caracteres.")
    return motivo


def quien(event: Mapping[str, Any]) -> str:
    quien = text(event, "quien")
    if not 0 < len(quien) <= QUIEN_MAX:
        raise PedidoInvalido("FaltaQuien", "Falta decir quién decide (el ARN de quien llama).")
    return quien


def one_or_all(event: Mapping[str, Any]) -> str | None:
    """Named, or said to be all: neither by leaving something out."""
    cuenta = text(event, "cuenta")
    if bool(cuenta) is flag(event, "todas"):
        raise PedidoInvalido("CuentaOTodas", "Hace falta decir cuál cuenta, o que son todas; las dos cosas no.")
    if cuenta and not ALIAS.fullmatch(cuenta):
        raise PedidoInvalido("AliasInvalido", "El alias de una cuenta tiene hasta 32 minúsculas, dígitos y guiones.")
    return cuenta or None


def dura(event: Mapping[str, Any]) -> timedelta | None:
    hours = event.get("horas")
    if hours is None:
        return None
    if isinstance(hours, bool) or not isinstance(hours, int | float) or not 0 < hours <= HOURS_MAX:
        raise PedidoInvalido("HorasInvalidas", "horas debe ser un número de horas.")
    return timedelta(hours=hours)


def accion(event: Mapping[str, Any]) -> Accion:
    try:
        return Accion(text(event, "accion"))
    except ValueError:
        names = ", ".join(Accion)
        raise PedidoInvalido("AccionDesconocida", f"La acción debe ser una de: {names}.") from None


def fecha(event: Mapping[str, Any]) -> date | None:
    said = text(event, "fecha")
    try:
        return date.fromisoformat(said) if said else None
    except ValueError:
        raise PedidoInvalido("FechaInvalida", "La fecha se escribe AAAA-MM-DD.") from None


def referencias(event: Mapping[str, Any]) -> tuple[str, ...] | None:
    value = event.get("referencias")
    if value is None:
        return None
    if not isinstance(value, list) or not 0 < len(value) <= REFERENCIAS_MAX:
        raise PedidoInvalido("ReferenciasInvalidas", f"referencias es una lista de 1 a {REFERENCIAS_MAX}.")
    if not all(isinstance(v, str) and v for v in value):
        raise PedidoInvalido("ReferenciasInvalidas", "Cada referencia es un texto.")
    return tuple(dict.fromkeys(value))


def lugar(event: Mapping[str, Any]) -> Lugar | None:
    value = event.get("tras")
    if value is None:
        return None
    names = ("cuenta", "orden", "external_reference")
    if not isinstance(value, dict) or set(value) != set(names) or not all(isinstance(v, str) for v in value.values()):
        raise PedidoInvalido("LugarInvalido", "tras es el «sigue» de la respuesta anterior.")
    return Lugar(*(value[name] for name in names))


def maximo(event: Mapping[str, Any]) -> int:
    value = event.get("maximo", PAGINA_MAX)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= PAGINA_MAX:
        raise PedidoInvalido("MaximoInvalido", f"maximo es un número de 1 a {PAGINA_MAX}.")
    return value


def only(event: Mapping[str, Any], known: set[str]) -> None:
    """A filter that is misspelt would let through what it should have kept out."""
    if unknown := sorted(set(event) - known):
        raise PedidoInvalido("CampoDesconocido", f"No se conoce: {', '.join(unknown)}.")


def text(event: Mapping[str, Any], name: str) -> str:
    value = event.get(name) or ""
    if not isinstance(value, str):
        raise PedidoInvalido("CampoInvalido", f"{name} debe ser un texto.")
    return value.strip()


def needed(event: Mapping[str, Any], name: str) -> str:
    value = text(event, name)
    if not value:
        raise PedidoInvalido("CampoInvalido", f"Falta {name}.")
    return value


def flag(event: Mapping[str, Any], name: str) -> bool:
    value = event.get(name, False)
    if not isinstance(value, bool):
        raise PedidoInvalido("CampoInvalido", f"{name} debe ser verdadero o falso.")
    return value
