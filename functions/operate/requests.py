"""What the function is asked for (`{"orden": …}`), read strictly: a typo must not decide about anything. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from facturacion.accion import Accion
from operate import fields
from operate.fields import PedidoInvalido

if TYPE_CHECKING:
    from collections.abc import Mapping

    from facturacion.asiento import Lugar

ORDENES = ("listar", "ver", "decidir", "pausar", "reanudar", "reproducir", "redirigir", "cuentas", "pruebas", "retirar")
ORIGENES = ("rechazados", "muertos")
_FILTRO = {"cuenta", "codigo", "prefijo", "mayor_de_horas", "con_errores"}


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
    """`cuenta`: None is all of them. `dura`: None is until somebody resumes it.

    `acortar`: also where a pause holds that ends later.
    """

    cuenta: str | None
    dura: timedelta | None
    motivo: str
    quien: str
    acortar: bool = False


@dataclass(frozen=True, slots=True)
class Reanudar:
    cuenta: str | None
    motivo: str
    quien: str


@dataclass(frozen=True, slots=True)
class Reproducir:
    """The hooks of `referencias` of one cuenta, of a period (from, until), or (neither) of what is open.

    `motivo`, `quien`: empty in a rehearsal, of these and of a `Redirigir`.
    `recorrer`: the whole table may be read for it. Where the last answer stopped: `hechas` of the references, `tras` of
    what is open, `lugar` in the table.
    """

    cuenta: str | None
    referencias: tuple[str, ...] | None
    periodo: tuple[datetime, datetime] | None
    recorrer: bool
    simulacro: bool
    motivo: str
    quien: str
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
    motivo: str
    quien: str
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


@dataclass(frozen=True, slots=True)
class Retirar:
    """`retirada`: whether the cuenta went, or is back."""

    cuenta: str
    retirada: bool


Pedido: TypeAlias = Listar | Ver | Decidir | Pausar | Reanudar | Reproducir | Redirigir | Cuentas | Pruebas | Retirar


def read_request(event: Mapping[str, Any]) -> Pedido:
    """Raises PedidoInvalido."""
    match event.get("orden"):
        case "listar":
            fields.only(event, _FILTRO | {"orden", "tras", "maximo"})
            return Listar(_filtro(event), fields.lugar(event), fields.maximo(event))
        case "ver":
            fields.only(event, {"orden", "cuenta", "referencia"})
            return Ver(fields.needed(event, "cuenta"), fields.needed(event, "referencia"))
        case "decidir":
            return _decidir(event)
        case "pausar":
            fields.only(event, {"orden", "cuenta", "todas", "horas", "motivo", "quien", "acortar"})
            return Pausar(
                fields.one_or_all(event),
                fields.dura(event),
                fields.motivo(event, needed=True),
                fields.quien(event),
                fields.flag(event, "acortar"),
            )
        case "reanudar":
            fields.only(event, {"orden", "cuenta", "todas", "motivo", "quien"})
            return Reanudar(fields.one_or_all(event), fields.motivo(event, needed=False), fields.quien(event))
        case "reproducir":
            return _reproducir(event)
        case "redirigir":
            return _redirigir(event)
        case "cuentas":
            fields.only(event, {"orden", "cuenta"})
            return Cuentas(fields.text(event, "cuenta") or None)
        case "retirar":
            fields.only(event, {"orden", "cuenta", "retirada"})
            return Retirar(fields.needed(event, "cuenta"), fields.flag(event, "retirada"))
        case "pruebas":
            fields.only(event, {"orden", "cuenta", "desde"})
            return Pruebas(fields.needed(event, "cuenta"), fields.instante(event, "desde"))
        case _:
            raise PedidoInvalido("OrdenDesconocida", f"La orden debe ser una de: {', '.join(ORDENES)}.")


def _decidir(event: Mapping[str, Any]) -> Decidir:
    of_it = {"orden", "accion", "fecha", "servicios", "motivo", "quien", "simulacro", "visto"}
    fields.only(event, of_it | {"referencias", "tras", "maximo"} | _FILTRO)
    accion = fields.accion(event)
    fecha = fields.fecha(event)
    if fecha and accion is not Accion.CAMBIAR_FECHA:
        raise PedidoInvalido("FechaSinCambio", "La fecha es solo para cambiar_fecha.")
    simulacro, motivo, quien = _rehearsal_or_why(event)
    filtro, referencias = _filtro(event), fields.referencias(event)
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
        servicios=fields.flag(event, "servicios"),
        motivo=motivo,
        quien=quien,
        simulacro=simulacro,
        visto=fields.instante(event, "visto"),
        filtro=filtro,
        referencias=referencias,
        tras=fields.lugar(event),
        maximo=fields.maximo(event),
    )


def _reproducir(event: Mapping[str, Any]) -> Reproducir:
    asked_for = {"orden", "cuenta", "referencias", "desde", "hasta", "recorrer"}
    fields.only(event, asked_for | {"simulacro", "motivo", "quien", "tras"})
    simulacro, motivo, quien = _rehearsal_or_why(event)
    cuenta, referencias = fields.text(event, "cuenta") or None, fields.referencias(event)
    periodo = fields.periodo(event)
    if referencias is not None and cuenta is None:
        raise PedidoInvalido("FaltaCuenta", "Las referencias son de una cuenta: hace falta decir cuál.")
    if referencias is not None and periodo:
        raise PedidoInvalido("ReferenciasOPeriodo", "O se nombran las referencias, o un período; las dos cosas no.")
    hechas, tras, lugar = 0, None, None
    if referencias is not None:
        hechas = fields.hechas(event)
    elif periodo:
        lugar = fields.behind(event)
    else:
        tras = fields.lugar(event)
    return Reproducir(
        cuenta=cuenta,
        referencias=referencias,
        periodo=periodo,
        recorrer=fields.flag(event, "recorrer"),
        simulacro=simulacro,
        motivo=motivo,
        quien=quien,
        hechas=hechas,
        tras=tras,
        lugar=lugar,
    )


def _redirigir(event: Mapping[str, Any]) -> Redirigir:
    fields.only(event, {"orden", "origen", "cuenta", "codigo", "todos", "simulacro", "motivo", "quien", "maximo"})
    origen, cuenta, codigo = (
        fields.text(event, "origen"),
        fields.text(event, "cuenta") or None,
        fields.text(event, "codigo") or None,
    )
    if origen not in ORIGENES:
        raise PedidoInvalido("OrigenDesconocido", f"El origen debe ser uno de: {', '.join(ORIGENES)}.")
    if codigo and origen != "rechazados":
        raise PedidoInvalido("CodigoSinRechazo", "Solo los rechazados llevan un código.")
    simulacro, motivo, quien = _rehearsal_or_why(event)
    everything, filtered = fields.flag(event, "todos"), bool(cuenta or codigo)
    # Where it only counts, leaving it out moves nobody.
    if (filtered and everything) or not (filtered or everything or simulacro):
        raise PedidoInvalido(
            "FaltaFiltro", "Hace falta decir cuáles (cuenta, código), o que son todos; no ambas cosas."
        )
    return Redirigir(origen, cuenta, codigo, simulacro, motivo, quien, fields.maximo(event))


def _rehearsal_or_why(event: Mapping[str, Any]) -> tuple[bool, str, str]:
    """Whether it is a rehearsal; what is done has a reason and somebody who wants it."""
    simulacro = fields.flag(event, "simulacro")
    return simulacro, fields.motivo(event, needed=not simulacro), "" if simulacro else fields.quien(event)


def _filtro(event: Mapping[str, Any]) -> Filtro:
    hours = event.get("mayor_de_horas") or 0
    if isinstance(hours, bool) or not isinstance(hours, int | float) or not 0 <= hours <= fields.HOURS_MAX:
        raise PedidoInvalido("HorasInvalidas", "mayor_de_horas debe ser un número de horas.")
    return Filtro(
        cuenta=fields.text(event, "cuenta") or None,
        codigo=fields.text(event, "codigo") or None,
        prefijo=fields.text(event, "prefijo"),
        mayor_de=timedelta(hours=hours),
        con_errores=fields.flag(event, "con_errores"),
    )
