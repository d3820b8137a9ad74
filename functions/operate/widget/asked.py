"""What CloudWatch invokes the function with, for its widget: read strictly where it acts, kindly where it looks. Pure.

    {"consola": {…}, "widgetContext": {"dashboardName", "accountId", "theme", "params", "forms": {"all": {…}}, …}}

`consola` is what our own buttons send. Where there is none, the dashboard shows the widget: the list, by its `params`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from operate.fields import QUIEN_MAX, PedidoInvalido

if TYPE_CHECKING:
    from collections.abc import Mapping

VISTAS = (
    "lista",
    "buscar",
    "historia",
    "preparar",
    "hacer",
    "cuentas",
    "pausa",
    "reanudacion",
    "pausar",
    "reanudar",
    "colas",
    "redirigir",
    "reproduccion",
    "reproducir",
)
_FILTRO = ("cuenta", "codigo", "prefijo", "con_errores")
SOBRE = ("accion", "cuenta", "codigo", "prefijo", "referencias")
"""What a decision is about, and what it is."""
DICHO = ("motivo", "fecha", "concepto", "horas")


@dataclass(frozen=True, slots=True)
class Panel:
    """Where it is shown, as the caller says: who it really was, CloudTrail knows for the request id.

    `form`: every field of the widget that was filled in, by its name.
    """

    nombre: str
    cuenta_aws: str
    dark: bool
    params: Mapping[str, Any]
    form: Mapping[str, str]

    @property
    def quien(self) -> str:
        """For the timeline."""
        return f"CloudWatch, panel {self.nombre}, cuenta de AWS {self.cuenta_aws}"[:QUIEN_MAX]


def is_for_widget(event: Mapping[str, Any]) -> bool:
    return "widgetContext" in event or "describe" in event


def read_panel(event: Mapping[str, Any]) -> Panel:
    """Whatever is missing, or is not what it should be, is as if it were empty: nothing of it decides."""
    context = _mapping(event, "widgetContext")
    form = _mapping(_mapping(context, "forms"), "all")
    return Panel(
        nombre=_text(context, "dashboardName") or "sin nombre",
        cuenta_aws=_text(context, "accountId") or "desconocida",
        dark=context.get("theme") == "dark",
        params=_mapping(context, "params"),
        form={name: value.strip() for name, value in form.items() if isinstance(value, str)},
    )


def read_view(event: Mapping[str, Any], panel: Panel) -> tuple[str, dict[str, Any]]:
    """Its name and what was asked of it. Raises PedidoInvalido.

    What acts comes from a button alone. In the parameters of a widget it would act each time that it is shown.
    """
    if "consola" in panel.params:
        raise PedidoInvalido(
            "ConsolaEnElPanel", "Los parámetros del panel no pueden llevar «consola»: mostrarlo no decide nada."
        )
    asked = _mapping(event, "consola")
    vista = asked.get("vista", "lista")
    if vista not in VISTAS:
        raise PedidoInvalido("VistaDesconocida", "La consola no conoce esa vista. Vuelva a la lista.")
    return str(vista), dict(asked)


def filter_of(asked: Mapping[str, Any], panel: Panel) -> dict[str, Any]:
    """Of the list: what its form says, else what its button says, else the widget's own parameters."""
    if asked.get("del_formulario"):
        typed = {name: panel.form.get(f"f_{name}", "") for name in _FILTRO[:-1]}
        return {**typed, "con_errores": asked.get("con_errores", True)}
    given = _mapping(asked, "filtro") or panel.params
    return {"con_errores": True, **given}


def said_in(asked: Mapping[str, Any], panel: Panel) -> dict[str, str]:
    """What was filled in about a decision: what a button carries on from an earlier press, else the form."""
    carried = _mapping(asked, "dicho")
    return {name: _text(carried, name) or ("" if carried else panel.form.get(name, "")) for name in DICHO}


def order_of(asked: Mapping[str, Any], said: Mapping[str, str]) -> dict[str, Any]:
    """The `decidir` that a button asks for, but for who decides and whether it is only rehearsed."""
    which = {name: asked[name] for name in SOBRE if name in asked}
    dated = {"fecha": said["fecha"] or None, "servicios": said["concepto"] == "servicios"}
    return {"orden": "decidir", **which, **(dated if asked.get("accion") == "cambiar_fecha" else {})}


def pause_of(asked: Mapping[str, Any], said: Mapping[str, str], quien: str) -> dict[str, Any]:
    """The `pausar` or `reanudar` that a button asks for."""
    order = {"orden": asked["vista"], "motivo": said["motivo"], "quien": quien}
    order |= {name: asked[name] for name in ("cuenta", "todas") if name in asked}
    return order | {"horas": _hours(said["horas"])} if asked["vista"] == "pausar" else order


def redrive_of(asked: Mapping[str, Any], panel: Panel) -> dict[str, Any]:
    """The `redirigir` that a button asks for: no more than were counted. Each queue has a reason of its own."""
    origen = asked.get("origen")
    why = {"motivo": panel.form.get(f"motivo_{origen}", ""), "quien": panel.quien}
    return {"orden": "redirigir", "origen": origen, "todos": True, "maximo": asked.get("maximo"), **why}


def replay_of(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The `reproducir` of one reference, but for who wants it and whether it is only rehearsed."""
    return {"orden": "reproducir", "cuenta": asked.get("cuenta", ""), "referencias": [asked.get("referencia", "")]}


def _hours(text: str) -> float | str | None:
    """What is no number stays as it is, and is refused as such."""
    try:
        return float(text.replace(",", ".")) if text else None
    except ValueError:
        return text


def page_of(asked: Mapping[str, Any]) -> int:
    """Counted from 1."""
    page = asked.get("pagina", 1)
    return page if isinstance(page, int) and page > 0 else 1


def _mapping(event: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = event.get(name)
    return value if isinstance(value, dict) else {}


def _text(event: Mapping[str, Any], name: str) -> str:
    value = event.get(name)
    return value if isinstance(value, str) else ""
