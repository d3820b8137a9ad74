"""What the function answered, as text for a terminal. Pure."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from facturacion.tiempo import ARGENTINA, from_iso

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WIDEST = 70
"""Of a cell; the whole text is in `ver` and in --json."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_WHAT = {
    "reenviar": "Para reenviar",
    "cambiar_fecha": "Para cambiar de fecha",
    "eliminar": "Para eliminar",
    "desistir": "Para desistir",
}


def as_text(orden: str, answer: Mapping[str, Any]) -> str:
    if "error" in answer:
        said = f"{answer['error']['mensaje']} [{answer['error']['codigo']}]"
        done = answer.get("cantidad")
        return said + (f"\nAntes de eso: {done}." if done else "")
    match orden:
        case "listar":
            return _listing(answer)
        case "ver":
            return _story(answer)
        case "decidir":
            return _decision(answer)
        case _:
            return "\n".join(f"{name}: {value}" for name, value in answer.items())


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns as wide as their widest cell. What others wrote may move no cursor and start no line."""
    cells = [[_cut(plain(cell)) for cell in line] for line in [head, *rows]]
    widths = [max(len(line[n]) for line in cells) for n in range(len(head))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in cells)


def plain(cell: object) -> str:
    return "" if cell is None else _CONTROL.sub(" ", str(cell)).strip()


def _cut(text: str) -> str:
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"


def _local(instant: str | None) -> str:
    """In Buenos Aires, to the minute."""
    return f"{from_iso(instant).astimezone(ARGENTINA):%d/%m/%Y %H:%M}" if instant else ""


def _listing(answer: Mapping[str, Any]) -> str:
    parts = [
        f"Incidente de {i['cuenta']}: {plain(i['mensaje'])} [{i['codigo']}] Desde {_local(i['desde'])}; "
        f"retiene {i['retenidos']}."
        for i in answer["incidentes"]
    ]
    if not answer["comprobantes"]:
        return "\n".join([*parts, "Nada espera a una persona."])
    head = ("CUENTA", "REFERENCIA", "ESTADO", "DESDE", "TOTAL", "HORAS", "CODIGO", "MOTIVO")
    parts.append(table(head, [_row(c) for c in answer["comprobantes"]]))
    codes = ", ".join(f"{codigo or 'sin código'} {n}" for codigo, n in answer["por_codigo"].items())
    parts.append(f"\n{answer['cantidad']} comprobantes, total {answer['total']} (cada uno en su moneda). {codes}.")
    parts.append("HORAS: las que ARCA todavía toma su fecha, contadas como para productos; 0 es que ya no.")
    return "\n".join(parts)


def _row(c: Mapping[str, Any]) -> tuple[object, ...]:
    causa = c["causas"][0] if c["causas"] else {"codigo": "", "mensaje": ""}
    motivo = causa["mensaje"]
    if c["decision"]:
        motivo = f"(decidido: {c['decision']}) {motivo}"
    elif c["espera"]:
        motivo = f"({c['espera']}, hasta {_local(c['hasta'])}) {motivo}"
    hours = "" if c["horas"] is None else c["horas"]
    return (
        c["cuenta"],
        c["external_reference"],
        c["estado"],
        _local(c["desde"]),
        c["total"],
        hours,
        causa["codigo"],
        motivo,
    )


def _story(answer: Mapping[str, Any]) -> str:
    parts = [f"{answer['external_reference']} de {answer['cuenta']}"]
    asiento = answer["asiento"] or {}
    shown = (
        "estado",
        "tipo",
        "fecha",
        "vencimiento",
        "total",
        "horas",
        "numero",
        "cae",
        "creado",
        "lote_id",
        "decision",
    )
    for name in shown:
        if asiento.get(name) is not None:
            value = _local(asiento[name]) if name == "creado" else asiento[name]
            parts.append(f"  {name}: {plain(value)}")
    parts += [f"  causa: {plain(causa['mensaje'])} [{causa['codigo']}]" for causa in asiento.get("causas", ())]
    parts += ["", *(_line(linea) for linea in answer["historia"])]
    return "\n".join(parts).rstrip()


def _line(linea: Mapping[str, Any]) -> str:
    when = _local(linea["instante"])
    if linea["clase"] == "hook":
        words = "".join(f"\n{'':18}«{plain(texto)}»" for texto in linea["mensajes"])
        return f"{when}  hook {linea['evento']} (creado {linea['creado']}){words}"
    dated = f" al {linea['fecha']}" if "fecha" in linea else ""
    ended = linea.get("resultado", "sin final anotado")
    detail = f": {plain(linea['detalle'])}" if linea.get("detalle") else ""
    request = f" [solicitud {linea['solicitud']}]" if "solicitud" in linea else ""
    what = f"{linea['clase']} {linea['accion']}{dated}, {plain(linea['quien'])}, «{plain(linea['motivo'])}»"
    return f"{when}  {what}{request} → {ended}{detail}"


def _decision(answer: Mapping[str, Any]) -> str:
    first = (
        f"{'Simulacro. ' if answer['simulacro'] else ''}{_WHAT[answer['accion']]}: {answer['cantidad']}, "
        f"total {answer['total']} (cada uno en su moneda), hasta {answer['pedidos']} pedidos del plan."
    )
    parts = [first]
    if answer["fuera_de_ventana"]:
        parts.append(f"{answer['fuera_de_ventana']} tienen una fecha que ARCA ya no toma: les conviene cambiar-fecha.")
    counted = Counter(n["codigo"] for n in answer["negados"])
    motivos = {n["codigo"]: n["motivo"] for n in answer["negados"]}
    for codigo, n in counted.most_common():
        some = [r["external_reference"] for r in answer["negados"] if r["codigo"] == codigo][:5]
        parts.append(f"No: {n} por {codigo}. {motivos[codigo]} ({', '.join(some)}{', …' if n > len(some) else ''})")
    parts += [f"Incidente cerrado: {i['codigo']} de {i['cuenta']}." for i in answer["incidentes_cerrados"]]
    if answer["sin_corrida"]:
        parts.append(f"Se hará con la próxima conciliación: {', '.join(sorted(set(answer['sin_corrida'])))}.")
    return "\n".join(parts)
