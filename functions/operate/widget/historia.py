"""The story of one comprobante. Pure: the answer of `ver` → HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from operate.widget.markup import Html, cut, el, foreign, join
from operate.widget.pieces import ACCIONES, day, facts, hours, local, money, notice, reason, table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from operate.widget.pieces import Frame

LINEAS_MAX = 100
"""The latest; the whole story is in `facturacion ver`."""
MENSAJES_MAX = 10
_TEXT_MAX = 500
_DECIDABLES = ("EN_REVISION", "ERROR")
_CLASES = {"hook": "Hook", "accion": "Acción", "decision": "Decisión"}


def as_story(frame: Frame, answer: Mapping[str, Any]) -> Html:
    asiento = answer["asiento"]
    lines = answer["historia"]
    older = len(lines) - LINEAS_MAX
    return frame.page(
        el("h3", el("span", foreign(answer["external_reference"]), class_="ref"), " de ", foreign(answer["cuenta"])),
        _facts(asiento) if asiento else notice("No hay ningún comprobante con esa referencia; solo hooks."),
        _buttons(frame, answer),
        el("h3", "Historia"),
        notice(f"Hay {older} anteriores: facturacion ver las muestra todas.") if older > 0 else None,
        table(("Cuándo", "Qué", "Detalle"), [_line(line) for line in lines[-LINEAS_MAX:]])
        if lines
        else el("p", "Todavía no hay nada escrito.", class_="suave"),
    )


def _facts(asiento: Mapping[str, Any]) -> Html:
    causas = [el("div", reason(causa, _TEXT_MAX)) for causa in asiento["causas"][:MENSAJES_MAX]]
    return facts(
        [
            ("Estado", el("strong", asiento["estado"])),
            ("Causas", causas or None),
            ("Decidido", asiento["decision"]),
            ("Tipo", asiento["tipo"]),
            ("Fecha", day(asiento["fecha"])),
            ("Vencimiento", day(asiento["vencimiento"])),
            ("Importe", money(asiento["total"])),
            ("Quedan", hours(asiento["horas"]) if asiento["estado"] in _DECIDABLES else None),
            ("Número", asiento["numero"]),
            ("CAE", asiento["cae"]),
            ("Enviado por primera vez", local(asiento["creado"])),
            ("Lote", asiento["lote_id"]),
            ("Reemplaza a", asiento["reemplaza"]),
            ("Reemplazado por", asiento["reemplazado_por"]),
        ]
    )


def _buttons(frame: Frame, answer: Mapping[str, Any]) -> Html:
    asiento = answer["asiento"] or {}
    which = {"cuenta": answer["cuenta"], "referencias": [answer["external_reference"]]}
    decidable = asiento.get("estado") in _DECIDABLES
    actions = ("desistir",) if asiento.get("de_otro_sistema") else tuple(ACCIONES)
    return el(
        "div",
        [frame.button(ACCIONES[a], {"vista": "preparar", "accion": a, **which}) for a in actions if decidable],
        frame.button("Comparar con sus hooks", {"vista": "reproduccion", **_one(answer)}),
        frame.back(),
        class_="botones",
    )


def _one(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {"cuenta": answer["cuenta"], "referencia": answer["external_reference"]}


def _line(line: Mapping[str, Any]) -> Html:
    when = el("td", local(line["instante"]), class_="hora")
    kind = _CLASES.get(line["clase"], line["clase"])
    if line["clase"] == "hook":
        words = [el("div", foreign(f"«{cut(m, _TEXT_MAX)}»")) for m in line["mensajes"][:MENSAJES_MAX]]
        created = el("span", "creado ", foreign(line["creado"]), class_="suave")
        return el("tr", when, el("td", f"{kind} ", foreign(line["evento"])), el("td", words, created))
    dated = f" al {day(line['fecha'])}" if "fecha" in line else None
    ended = line.get("resultado")
    detail = [": ", foreign(line["detalle"])] if line.get("detalle") else None
    asked = el("div", f"solicitud {line['solicitud']}", class_="suave") if "solicitud" in line else None
    return el(
        "tr",
        when,
        el("td", f"{kind}: ", _label(line["accion"]), dated),
        el(
            "td",
            el("div", foreign(f"«{line['motivo']}»"), " ", el("span", foreign(line["quien"]), class_="suave")),
            asked,
            el("div", "→ ", join(ended, detail)) if ended else el("div", "sin final anotado", class_="ojo"),
        ),
    )


def _label(accion: str) -> str:
    return ACCIONES.get(accion, accion).lower()
