"""What is parked and in error: by cause, and one by one. Pure: the answer of `listar` → HTML."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from operate.widget.markup import Html, cut, el, foreign, join
from operate.widget.pausa import pause_notices
from operate.widget.pieces import ACCIONES, causa_of, day, field, hours, local, many, money, notice, reason, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from operate.widget.pieces import Frame

POR_PAGINA = 25
CAUSAS_MAX = 20
"""Of causes told apart; what is left is in the list below them."""
_REASON_MAX = 160
_REFERENCE_MAX = 60


def as_list(frame: Frame, answer: Mapping[str, Any], filtro: Mapping[str, Any], page: int) -> Html:
    rows = answer["comprobantes"]
    pages = max(1, -(-len(rows) // POR_PAGINA))
    page = min(page, pages)
    shown = rows[(page - 1) * POR_PAGINA : page * POR_PAGINA]
    return frame.page(
        _summary(answer),
        pause_notices(answer["pausas"]),
        _search(frame, filtro),
        _by_cause(frame, answer, _as_typed(filtro.get("prefijo"))) if page == 1 else None,
        el("h3", "Uno por uno") if rows else None,
        _table(frame, shown) if shown else None,
        _pager(frame, filtro, page, pages),
        el(
            "p",
            "Horas: las que ARCA todavía toma su fecha, contadas como para productos. Importes: cada uno en su moneda.",
            class_="suave",
        )
        if rows
        else None,
    )


def _summary(answer: Mapping[str, Any]) -> Html:
    waiting = [c for c in answer["comprobantes"] if c["estado"] == "EN_REVISION"]
    resolving = len(answer["comprobantes"]) - len(waiting)
    if not answer["comprobantes"] and not answer["incidentes"]:
        said: Html = notice("Nada espera a una persona, y nada está en error.", kind="bien")
    else:
        total = sum((Decimal(c["total"]) for c in waiting if c["total"]), Decimal(0))
        one = many(len(waiting), "espera a una persona", "esperan a una persona")
        error = many(resolving, "está en error y se resuelve solo", "están en error y se resuelven solos")
        said = el("p", el("strong", one), f", por {money(str(total))}; {error}.")
    more = (
        "Hay más de lo que se pudo mirar: filtre por cuenta, o use la línea de comandos." if answer["sigue"] else None
    )
    return join(said, notice(more) if more else None)


def _search(frame: Frame, filtro: Mapping[str, Any]) -> Html:
    """Which to list, and whose history to see."""
    with_errors = bool(filtro.get("con_errores"))
    typed = {name: _as_typed(filtro.get(name)) for name in ("cuenta", "codigo", "prefijo")}
    other = {"vista": "lista", "filtro": {**{k: v for k, v in typed.items() if v}, "con_errores": not with_errors}}
    filters = el(
        "form",
        field("Cuenta", "f_cuenta", typed["cuenta"], size="12"),
        field("Código", "f_codigo", typed["codigo"], size="12"),
        field("Referencia empieza con", "f_prefijo", typed["prefijo"], size="14"),
        frame.button("Filtrar", {"vista": "lista", "del_formulario": True, "con_errores": with_errors}),
        frame.button("Actualizar", {"vista": "lista", "filtro": dict(filtro)}),
        frame.link("sin los que están en error" if with_errors else "también los que están en error", other),
    )
    story = el(
        "form",
        field("Cuenta", "h_cuenta", typed["cuenta"], size="12"),
        field("Referencia", "h_referencia", size="29"),
        frame.button("Ver historia", {"vista": "buscar"}),
        frame.button("Cuentas y pausas", {"vista": "cuentas"}),
        frame.button("Mensajes detenidos", {"vista": "colas"}),
    )
    return join(filters, story)


def _as_typed(value: object) -> str:
    return value if isinstance(value, str) else ""


def _by_cause(frame: Frame, answer: Mapping[str, Any], prefijo: str) -> Html | None:
    """Those that wait for a person by cuenta and cause: decided about together, as one incident is mended once.

    `prefijo`: what is listed begins with it, and so does what is decided about.
    """
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in answer["comprobantes"]:
        if row["estado"] == "EN_REVISION":
            groups[row["cuenta"], causa_of(row["causas"])["codigo"]].append(row)
    incidents = {(i["cuenta"], i["codigo"]): i for i in answer["incidentes"]}
    keys = sorted({*groups, *incidents}, key=lambda key: (key not in incidents, -len(groups[key]), key))
    if not keys:
        return None
    head = ("Cuenta", "Causa", "Cuántos", "Importe", "Horas", "Qué hacer con todos")
    rows = [_cause(frame, key, groups[key], incidents.get(key), prefijo) for key in keys[:CAUSAS_MAX]]
    left = len(keys) - CAUSAS_MAX
    return join(
        el("h3", "Por causa"),
        table(head, rows, ("Cuántos", "Importe", "Horas")),
        el("p", f"y {many(left, 'causa', 'causas')} más.", class_="suave") if left > 0 else None,
    )


def _cause(
    frame: Frame,
    key: tuple[str, str],
    rows: Sequence[Mapping[str, Any]],
    incident: Mapping[str, Any] | None,
    prefijo: str,
) -> Html:
    cuenta, codigo = key
    causa = {"codigo": codigo, "mensaje": incident["mensaje"] if incident else causa_of(rows[0]["causas"])["mensaje"]}
    since = el("div", f"Incidente de la cuenta desde {local(incident['desde'])}", class_="ojo") if incident else None
    # An incident holds up what is not listed as well; its buttons are about what is.
    count = incident["retenidos"] if incident and not prefijo else len(rows)
    which = {"cuenta": cuenta, "codigo": codigo, **({"prefijo": prefijo} if prefijo else {})}
    total = sum((Decimal(c["total"]) for c in rows if c["total"]), Decimal(0))
    left = [c["horas"] for c in rows if c["horas"] is not None]
    # Without a code there is no saying which: each by itself.
    actions = _actions(rows) if codigo and rows else ()
    buttons = [_decide(frame, a, which) for a in actions]
    return el(
        "tr",
        el("td", foreign(cuenta), class_="hora"),
        el("td", reason(causa, _REASON_MAX), since),
        el("td", count, class_="n"),
        el("td", money(str(total)), class_="n"),
        el("td", hours(min(left)) if left else None, class_="n"),
        el("td", el("div", buttons, class_="botones")),
    )


def _table(frame: Frame, rows: Sequence[Mapping[str, Any]]) -> Html:
    head = ("Cuenta y referencia", "Estado", "Fecha", "Importe", "Horas", "Motivo", "Qué hacer")
    return table(head, [_row(frame, row) for row in rows], ("Importe", "Horas"))


def _row(frame: Frame, row: Mapping[str, Any]) -> Html:
    reference, cuenta = row["external_reference"], row["cuenta"]
    which = {"cuenta": cuenta, "referencias": [reference]}
    told = frame.link(cut(reference, _REFERENCE_MAX), {"vista": "historia", "cuenta": cuenta, "referencia": reference})
    return el(
        "tr",
        el("td", el("div", el("bdi", told), class_="ref"), el("div", foreign(cuenta), class_="suave")),
        el("td", row["estado"], el("div", local(row["desde"]), class_="suave hora")),
        el("td", day(row["fecha"]), el("div", foreign(row["tipo"] or ""), class_="suave"), class_="hora"),
        el("td", money(row["total"]), class_="n"),
        el("td", hours(row["horas"]), class_="n"),
        el("td", reason(causa_of(row["causas"]), _REASON_MAX), _what_now(row)),
        el("td", el("div", [_decide(frame, a, which) for a in _actions([row])], class_="botones")),
    )


def _actions(rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """What another system sent is only let go."""
    return ("desistir",) if all(row["de_otro_sistema"] for row in rows) else tuple(ACCIONES)


def _what_now(row: Mapping[str, Any]) -> Html | None:
    """What was decided about it, or what it waits for."""
    if row["decision"]:
        return el("div", "Decidido: ", foreign(row["decision"]), class_="bien")
    if row["espera"]:
        return el(
            "div", foreign(row["espera"]), f", hasta {local(row['hasta'])}" if row["hasta"] else None, class_="suave"
        )
    return None


def _decide(frame: Frame, accion: str, which: Mapping[str, Any]) -> Html:
    return frame.link(ACCIONES[accion], {"vista": "preparar", "accion": accion, **which})


def _pager(frame: Frame, filtro: Mapping[str, Any], page: int, pages: int) -> Html | None:
    if pages == 1:
        return None
    to = {"vista": "lista", "filtro": dict(filtro)}
    return el(
        "div",
        frame.button("Anteriores", {**to, "pagina": page - 1}) if page > 1 else None,
        el("span", f"Página {page} de {pages}"),
        frame.button("Siguientes", {**to, "pagina": page + 1}) if page < pages else None,
        class_="botones",
    )
