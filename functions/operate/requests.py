"""What the function is asked for (`{"orden": …}`), read strictly: a typo must not decide about anything. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

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
_HOURS_MAX = 10 * 366 * 24
ORDENES = ("listar", "ver", "decidir", "pausar", "reanudar", "reproducir", "redirigir", "cuentas", "pruebas")
ORIGENES = ("rechazados", "muertos")
_FILTRO = {"cuenta", "codigo", "prefijo", "mayor_de_horas", "con_errores"}


class PedidoInvalido(Exception):
    """It cannot be done as it was asked. `codigo` is stable, the text plain Spanish."""

    def __init__(self, codigo: str, mensaje: str) -> None:
        super().__init__(mensaje)
        self.codigo = codigo


@dataclass(frozen=True, slots=True)
class Filtro:
    """Which of those that wait for a person; `con_errores`: also those in error, which the run is resolving.

    `mayor_de`: nothing happened to it for longer than that.
    """

    cuenta: str | None = None
    codigo: str | None = None
    prefijo: str = ""
    mayor_de: timedelta = timedelta(0)
    con_errores: bool = False


@dataclass(frozen=True, slots=True)
class Listar:
    """`tras`: where the answer before it stopped."""

    filtro: Filtro
    tras: Lugar | None
    maximo: int


@dataclass(frozen=True, slots=True)
class Ver:
    cuenta: str
    external_reference: str


@dataclass(frozen=True, slots=True)
class Decidir:
    """About `referencias` of one cuenta, or about what `filtro` finds. `simulacro`: only say what it would come to.

    `visto`: when the person saw it; what changed since is not what was decided about.
    """

    accion: Accion
    fecha: date | None
    servicios: bool
    motivo: str
    quien: str
    simulacro: bool
    visto: datetime | None
    filtro: Filtro
    referencias: tuple[str, ...] | None
    tras: Lugar | None
    maximo: int


@dataclass(frozen=True, slots=True)
class Pausar:
    """`cuenta`: None is all of them. `dura`: None is until somebody resumes it."""

    cuenta: str | None
    dura: timedelta | None
    motivo: str
    quien: str


@dataclass(frozen=True, slots=True)
class Reanudar:
    cuenta: str | None
    motivo: str
    quien: str


@dataclass(frozen=True, slots=True)
class Reproducir:
    """The hooks of `referencias` of one cuenta, of a period (from, until), or (neither) of what is open.

    `recorrer`: the whole table may be read for it. Where the last answer stopped: `hechas` of the references, `tras` of
    what is open, `lugar` in the table.
    """

    cuenta: str | None
    referencias: tuple[str, ...] | None
    periodo: tuple[datetime, datetime] | None
    recorrer: bool
    simulacro: bool
    hechas: int = 0
    tras: Lugar | None = None
    lugar: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Redirigir:
    """At most `maximo` messages of `origen` (`muertos`, `rechazados`) back to the queue, of a cuenta, of a code."""

    origen: str
    cuenta: str | None
    codigo: str | None
    simulacro: bool
    maximo: int


@dataclass(frozen=True, slots=True)
class Cuentas:
    """`cuenta`: only this one."""

    cuenta: str | None


@dataclass(frozen=True, slots=True)
class Pruebas:
    """The hooks of no comprobante of a cuenta since then; None: only what time it is."""

    cuenta: str
    desde: datetime | None


Pedido: TypeAlias = Listar | Ver | Decidir | Pausar | Reanudar | Reproducir | Redirigir | Cuentas | Pruebas


def read_request(event: Mapping[str, Any]) -> Pedido:
    """Raises PedidoInvalido."""
    match event.get("orden"):
        case "listar":
            _only(event, _FILTRO | {"orden", "tras", "maximo"})
            return Listar(_filtro(event), _lugar(event), _maximo(event))
        case "ver":
            _only(event, {"orden", "cuenta", "referencia"})
            return Ver(_needed(event, "cuenta"), _needed(event, "referencia"))
        case "decidir":
            return _decidir(event)
        case "pausar":
            _only(event, {"orden", "cuenta", "todas", "horas", "motivo", "quien"})
            return Pausar(_one_or_all(event), _dura(event), _motivo(event, needed=True), _quien(event))
        case "reanudar":
            _only(event, {"orden", "cuenta", "todas", "motivo", "quien"})
            return Reanudar(_one_or_all(event), _motivo(event, needed=False), _quien(event))
        case "reproducir":
            return _reproducir(event)
        case "redirigir":
            return _redirigir(event)
        case "cuentas":
            _only(event, {"orden", "cuenta"})
            return Cuentas(_text(event, "cuenta") or None)
        case "pruebas":
            _only(event, {"orden", "cuenta", "desde"})
            return Pruebas(_needed(event, "cuenta"), _instante(event, "desde"))
        case _:
            raise PedidoInvalido("OrdenDesconocida", f"La orden debe ser una de: {', '.join(ORDENES)}.")


def _decidir(event: Mapping[str, Any]) -> Decidir:
    of_it = {"orden", "accion", "fecha", "servicios", "motivo", "quien", "simulacro", "visto"}
    _only(event, of_it | {"referencias", "tras", "maximo"} | _FILTRO)
    accion = _accion(event)
    fecha = _fecha(event)
    if fecha and accion is not Accion.CAMBIAR_FECHA:
        raise PedidoInvalido("FechaSinCambio", "La fecha es solo para cambiar_fecha.")
    simulacro = _flag(event, "simulacro")
    motivo = _motivo(event, needed=not simulacro)
    quien = "" if simulacro else _quien(event)
    filtro, referencias = _filtro(event), _referencias(event)
    if referencias is not None:
        if filtro.cuenta is None:
            raise PedidoInvalido("FaltaCuenta", "Las referencias son de una cuenta: hace falta decir cuál.")
        if filtro != Filtro(cuenta=filtro.cuenta):
            raise PedidoInvalido("ReferenciasOFiltro", "O se nombran las referencias, o se filtra; las dos cosas no.")
    elif filtro == Filtro(con_errores=filtro.con_errores):
        raise PedidoInvalido(
            "FaltaFiltro", "Hace falta decir sobre cuáles: referencias, cuenta, código, prefijo o edad."
        )
    return Decidir(
        accion=accion,
        fecha=fecha,
        servicios=_flag(event, "servicios"),
        motivo=motivo,
        quien=quien,
        simulacro=simulacro,
        visto=_instante(event, "visto"),
        filtro=filtro,
        referencias=referencias,
        tras=_lugar(event),
        maximo=_maximo(event),
    )


def _reproducir(event: Mapping[str, Any]) -> Reproducir:
    _only(event, {"orden", "cuenta", "referencias", "desde", "hasta", "recorrer", "simulacro", "tras"})
    cuenta, referencias = _text(event, "cuenta") or None, _referencias(event)
    periodo = _periodo(event)
    if referencias is not None and cuenta is None:
        raise PedidoInvalido("FaltaCuenta", "Las referencias son de una cuenta: hace falta decir cuál.")
    if referencias is not None and periodo:
        raise PedidoInvalido("ReferenciasOPeriodo", "O se nombran las referencias, o un período; las dos cosas no.")
    hechas, tras, lugar = 0, None, None
    if referencias is not None:
        hechas = _hechas(event)
    elif periodo:
        lugar = _behind(event)
    else:
        tras = _lugar(event)
    return Reproducir(
        cuenta=cuenta,
        referencias=referencias,
        periodo=periodo,
        recorrer=_flag(event, "recorrer"),
        simulacro=_flag(event, "simulacro"),
        hechas=hechas,
        tras=tras,
        lugar=lugar,
    )


def _hechas(event: Mapping[str, Any]) -> int:
    value = event.get("tras")
    if value is None:
        return 0
    done = value.get("hechas") if isinstance(value, dict) and set(value) == {"hechas"} else None
    if isinstance(done, bool) or not isinstance(done, int) or done < 0:
        raise PedidoInvalido("LugarInvalido", "tras es el «sigue» de la respuesta anterior.")
    return done


def _behind(event: Mapping[str, Any]) -> dict[str, str] | None:
    value = event.get("tras")
    if value is None:
        return None
    if not isinstance(value, dict) or set(value) != {"pk", "sk"} or not all(isinstance(v, str) for v in value.values()):
        raise PedidoInvalido("LugarInvalido", "tras es el «sigue» de la respuesta anterior.")
    return value


def _periodo(event: Mapping[str, Any]) -> tuple[datetime, datetime] | None:
    desde, hasta = _instante(event, "desde"), _instante(event, "hasta")
    if desde is None and hasta is None:
        return None
    if desde is None or hasta is None or hasta <= desde:
        raise PedidoInvalido("PeriodoInvalido", "Un período tiene desde y hasta, y termina después de empezar.")
    return desde, hasta


def _instante(event: Mapping[str, Any], name: str) -> datetime | None:
    """In Argentina's time, where it says no other."""
    text = _text(event, name)
    try:
        instant = datetime.fromisoformat(text) if text else None
    except ValueError:
        raise PedidoInvalido("FechaInvalida", f"{name} se escribe AAAA-MM-DD o AAAA-MM-DDTHH:MM.") from None
    return instant if instant is None or instant.tzinfo else instant.replace(tzinfo=ARGENTINA)


def _redirigir(event: Mapping[str, Any]) -> Redirigir:
    _only(event, {"orden", "origen", "cuenta", "codigo", "todos", "simulacro", "maximo"})
    origen, cuenta, codigo = _text(event, "origen"), _text(event, "cuenta") or None, _text(event, "codigo") or None
    if origen not in ORIGENES:
        raise PedidoInvalido("OrigenDesconocido", f"El origen debe ser uno de: {', '.join(ORIGENES)}.")
    if codigo and origen != "rechazados":
        raise PedidoInvalido("CodigoSinRechazo", "Solo los rechazados llevan un código.")
    simulacro, everything, filtered = _flag(event, "simulacro"), _flag(event, "todos"), bool(cuenta or codigo)
    # Where it only counts, leaving it out moves nobody.
    if (filtered and everything) or not (filtered or everything or simulacro):
        raise PedidoInvalido(
            "FaltaFiltro", "Hace falta decir cuáles (cuenta, código), o que son todos; no ambas cosas."
        )
    return Redirigir(origen, cuenta, codigo, simulacro, _maximo(event))


def _filtro(event: Mapping[str, Any]) -> Filtro:
    hours = event.get("mayor_de_horas") or 0
    if isinstance(hours, bool) or not isinstance(hours, int | float) or not 0 <= hours <= _HOURS_MAX:
        raise PedidoInvalido("HorasInvalidas", "mayor_de_horas debe ser un número de horas.")
    return Filtro(
        cuenta=_text(event, "cuenta") or None,
        codigo=_text(event, "codigo") or None,
        prefijo=_text(event, "prefijo"),
        mayor_de=timedelta(hours=hours),
        con_errores=_flag(event, "con_errores"),
    )


def _motivo(event: Mapping[str, Any], *, needed: bool) -> str:
    motivo = _text(event, "motivo")
    if needed and not motivo:
        raise PedidoInvalido("FaltaMotivo", "Hace falta un motivo: queda escrito con quién lo pidió.")
    if len(motivo) > MOTIVO_MAX:
        raise PedidoInvalido("MotivoLargo", f"El motivo puede tener hasta {MOTIVO_MAX} caracteres.")
    return motivo


def _quien(event: Mapping[str, Any]) -> str:
    quien = _text(event, "quien")
    if not 0 < len(quien) <= QUIEN_MAX:
        raise PedidoInvalido("FaltaQuien", "Falta decir quién decide (el ARN de quien llama).")
    return quien


def _one_or_all(event: Mapping[str, Any]) -> str | None:
    """Named, or said to be all: neither by leaving something out."""
    cuenta = _text(event, "cuenta")
    if bool(cuenta) is _flag(event, "todas"):
        raise PedidoInvalido("CuentaOTodas", "Hace falta decir cuál cuenta, o que son todas; las dos cosas no.")
    if cuenta and not ALIAS.fullmatch(cuenta):
        raise PedidoInvalido("AliasInvalido", "El alias de una cuenta tiene hasta 32 minúsculas, dígitos y guiones.")
    return cuenta or None


def _dura(event: Mapping[str, Any]) -> timedelta | None:
    hours = event.get("horas")
    if hours is None:
        return None
    if isinstance(hours, bool) or not isinstance(hours, int | float) or not 0 < hours <= _HOURS_MAX:
        raise PedidoInvalido("HorasInvalidas", "horas debe ser un número de horas.")
    return timedelta(hours=hours)


def _accion(event: Mapping[str, Any]) -> Accion:
    try:
        return Accion(_text(event, "accion"))
    except ValueError:
        names = ", ".join(Accion)
        raise PedidoInvalido("AccionDesconocida", f"La acción debe ser una de: {names}.") from None


def _fecha(event: Mapping[str, Any]) -> date | None:
    text = _text(event, "fecha")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise PedidoInvalido("FechaInvalida", "La fecha se escribe AAAA-MM-DD.") from None


def _referencias(event: Mapping[str, Any]) -> tuple[str, ...] | None:
    value = event.get("referencias")
    if value is None:
        return None
    if not isinstance(value, list) or not 0 < len(value) <= REFERENCIAS_MAX:
        raise PedidoInvalido("ReferenciasInvalidas", f"referencias es una lista de 1 a {REFERENCIAS_MAX}.")
    if not all(isinstance(v, str) and v for v in value):
        raise PedidoInvalido("ReferenciasInvalidas", "Cada referencia es un texto.")
    return tuple(dict.fromkeys(value))


def _lugar(event: Mapping[str, Any]) -> Lugar | None:
    value = event.get("tras")
    if value is None:
        return None
    names = ("cuenta", "orden", "external_reference")
    if not isinstance(value, dict) or set(value) != set(names) or not all(isinstance(v, str) for v in value.values()):
        raise PedidoInvalido("LugarInvalido", "tras es el «sigue» de la respuesta anterior.")
    return Lugar(*(value[name] for name in names))


def _maximo(event: Mapping[str, Any]) -> int:
    value = event.get("maximo", PAGINA_MAX)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= PAGINA_MAX:
        raise PedidoInvalido("MaximoInvalido", f"maximo es un número de 1 a {PAGINA_MAX}.")
    return value


def _only(event: Mapping[str, Any], known: set[str]) -> None:
    """A filter that is misspelt would let through what it should have kept out."""
    if unknown := sorted(set(event) - known):
        raise PedidoInvalido("CampoDesconocido", f"No se conoce: {', '.join(unknown)}.")


def _text(event: Mapping[str, Any], name: str) -> str:
    value = event.get(name) or ""
    if not isinstance(value, str):
        raise PedidoInvalido("CampoInvalido", f"{name} debe ser un texto.")
    return value.strip()


def _needed(event: Mapping[str, Any], name: str) -> str:
    value = _text(event, name)
    if not value:
        raise PedidoInvalido("CampoInvalido", f"Falta {name}.")
    return value


def _flag(event: Mapping[str, Any], name: str) -> bool:
    value = event.get(name, False)
    if not isinstance(value, bool):
        raise PedidoInvalido("CampoInvalido", f"{name} debe ser verdadero o falso.")
    return value
