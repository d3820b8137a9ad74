"""What the views have in common: the frame with its style, buttons, notices, and how money and instants read. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from facturacion.accion import MOTIVO_MAX
from facturacion.asiento import CAUSA_TEXTO_MAX
from facturacion.tiempo import ARGENTINA, from_iso
from operate.widget.markup import Html, action, cut, el, foreign, join

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from operate.widget.markup import Node

ACCIONES = {
    "reenviar": "Reenviar",
    "cambiar_fecha": "Cambiar fecha",
    "eliminar": "Eliminar",
    "desistir": "Desistir",
}
_STYLE = Html("""<style>
.fac{--raya:#8883;--suave:#5f6b7a;--mal:#d13212;--ojo:#8d6605;--bien:#1d8102;--fondo:#8881;font-size:13px;line-height:1.45}
.fac.oscuro{--suave:#a9b4c2;--mal:#ff7a6b;--ojo:#f2c94c;--bien:#7fd37f}
.fac h3{font-size:14px;margin:14px 0 6px;font-weight:700}
.fac p{margin:6px 0}
.fac table{border-collapse:collapse;width:100%;background:none}
.fac th{text-align:left;font-weight:600;color:var(--suave);background:none}
.fac th,.fac td{padding:5px 8px;border-bottom:1px solid var(--raya);vertical-align:top}
.fac td{overflow-wrap:anywhere}
.fac .ref{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:12px}
.fac .n{text-align:right;white-space:nowrap;overflow-wrap:normal}
.fac .hora{white-space:nowrap}.fac .codigo{display:inline-block;max-width:100%}
.fac .suave{color:var(--suave)}.fac .mal{color:var(--mal);font-weight:600}
.fac .ojo{color:var(--ojo);font-weight:600}.fac .bien{color:var(--bien);font-weight:600}
.fac .botones{display:flex;flex-wrap:wrap;gap:4px 6px;align-items:center}
.fac a.chico{cursor:pointer;text-decoration:underline;white-space:nowrap}
.fac a.btn{cursor:pointer}
.fac .aviso{border-left:3px solid var(--suave);background:var(--fondo);padding:7px 10px;margin:8px 0}
.fac .aviso.mal{border-color:var(--mal);color:inherit;font-weight:400}
.fac .aviso.bien{border-color:var(--bien);color:inherit;font-weight:400}
.fac form{display:flex;flex-wrap:wrap;gap:6px 10px;align-items:flex-end;margin:8px 0}
.fac label{display:flex;flex-direction:column;gap:2px;color:var(--suave)}
.fac label.entero{flex-basis:100%}.fac label.entero textarea{max-width:640px}
.fac label.en-linea{flex-direction:row;align-items:center}
.fac input,.fac textarea{font:inherit;color:inherit;background:transparent}
.fac input,.fac textarea{border:1px solid var(--suave);border-radius:3px;padding:3px 6px}
.fac.oscuro input{color-scheme:dark}
.fac dl{display:grid;grid-template-columns:max-content 1fr;gap:3px 14px;margin:6px 0}
.fac dt{color:var(--suave)}.fac dd{margin:0;overflow-wrap:anywhere}
</style>""")


@dataclass(frozen=True, slots=True)
class Frame:
    """`endpoint`: the function's ARN, for the buttons."""

    endpoint: str
    dark: bool

    def page(self, *parts: Node) -> Html:
        return join(_STYLE, el("div", *parts, class_="fac oscuro" if self.dark else "fac"))

    def button(
        self, label: str, consola: Mapping[str, Any], *, primary: bool = False, confirmation: str | None = None
    ) -> Html:
        """`btn` is CloudWatch's own class."""
        return self._clickable(label, consola, "btn btn-primary" if primary else "btn", confirmation)

    def link(self, label: str, consola: Mapping[str, Any], title: str | None = None) -> Html:
        return self._clickable(label, consola, "chico", None, title)

    def back(self) -> Html:
        return self.button("Volver a la lista", {"vista": "lista"})

    def _clickable(
        self,
        label: str,
        consola: Mapping[str, Any],
        class_: str,
        confirmation: str | None,
        title: str | None = None,
    ) -> Html:
        clicked = el("a", label, class_=class_, title=title)
        return join(clicked, action({"consola": dict(consola)}, self.endpoint, confirmation))


def notice(*parts: Node, kind: str = "") -> Html:
    """`kind`: `mal`, `bien`, or neither."""
    return el("div", *parts, class_=f"aviso {kind}".strip())


def refusal(answer: Mapping[str, Any]) -> Html:
    """Of an answer that is an `error`."""
    error = answer["error"]
    return notice(error["mensaje"], " ", el("span", f"[{error['codigo']}]", class_="suave"), kind="mal")


def table(head: Sequence[str], rows: Sequence[Html], numeric: Sequence[str] = ()) -> Html:
    """`rows`: each a `tr`."""
    heads = [el("th", name, class_="n" if name in numeric else None) for name in head]
    return el("table", el("thead", el("tr", heads)), el("tbody", rows))


def facts(pairs: Sequence[tuple[str, Node]]) -> Html:
    """Names and values; those without a value are left out."""
    return el("dl", [join(el("dt", name), el("dd", value)) for name, value in pairs if value not in (None, "")])


def field(label: str, name: str, value: str = "", **attributes: str | None) -> Html:
    return el("label", label, el("input", name=name, value=value, **attributes))


def reason_field(label: str, value: str, name: str = "motivo") -> Html:
    area = el("textarea", value, name=name, rows="2", cols="60", maxlength=str(MOTIVO_MAX))
    return el("label", label, area, class_="entero")


def causa_of(causas: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The first is the one by which it was parked."""
    return causas[0] if causas else {"codigo": "", "mensaje": ""}


def reason(causa: Mapping[str, Any], longest: int) -> Html:
    """What the ledger keeps of a message may be cut, and is shown to be; the whole of it is in the history."""
    codigo = el("span", f"[{causa['codigo']}]", class_="suave codigo") if causa["codigo"] else None
    more = "…" if len(causa["mensaje"]) == CAUSA_TEXTO_MAX else ""
    return join(foreign(cut(causa["mensaje"] + more, longest)), " ", codigo)


def money(amount: str | None) -> str:
    """As it is written in Argentina: 1.234,50."""
    if amount is None:
        return ""
    return f"{Decimal(amount):,.2f}".translate(str.maketrans(",.", ".,"))


def local(instant: str | None) -> str:
    """In Buenos Aires, to the minute."""
    return f"{from_iso(instant).astimezone(ARGENTINA):%d/%m/%Y %H:%M}" if instant else ""


def day(fecha: str | None) -> str:
    """2026-03-02 as 02/03/2026."""
    return "/".join(reversed(fecha.split("-"))) if fecha else ""


def hours(left: int | None) -> Html | None:
    """What is left of the legal window; the last day stands out."""
    if left is None:
        return None
    if left == 0:
        return el("span", "vencida", class_="mal", title="ARCA ya no toma su fecha: hay que cambiarla")
    return el("span", f"{left} h", class_="ojo" if left <= 24 else None)


def many(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"
