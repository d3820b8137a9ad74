"""Before and after a decision: what it would come to, and what it came to. Pure: the answer of `decidir` → HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from operate.widget.asked import SOBRE
from operate.widget.markup import Html, cut, el, foreign
from operate.widget.pieces import ACCIONES, facts, field, many, money, notice, reason_field, refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from operate.widget.pieces import Frame

_NAMED = 5
"""References named of those that are refused for one reason."""
_REFERENCE_MAX = 60
_WHAT = {
    "reenviar": "Se reenvía a TusFacturas, en su orden. Lo que nunca se vio ahí se manda otra vez, si no está.",
    "cambiar_fecha": "Se cambia su fecha (la que usted diga, o una que sirva) y, si hace falta, se reenvía.",
    "eliminar": "Se borra de la cola de TusFacturas. Una corrección lleva otra referencia, con «reemplaza».",
    "desistir": "No se va a emitir: se borra de la cola de TusFacturas. Lo de otro sistema solo sale de esta lista.",
}
_ASKED_FIRST = "Antes de hacerlo se le pregunta a TusFacturas: lo que ya se emitió o se borró a mano queda como está."


def as_confirmation(
    frame: Frame,
    asked: Mapping[str, Any],
    rehearsal: Mapping[str, Any],
    *,
    visto: str,
    said: Mapping[str, str],
    refused: Mapping[str, Any] | None = None,
) -> Html:
    """`visto`: when what is shown was read. `said`: what was filled in. `refused`: why the last press did nothing."""
    accion = str(asked.get("accion", ""))
    if "error" in rehearsal:
        return frame.page(refusal(rehearsal), _only_back(frame))
    count = rehearsal["cantidad"]
    which = {name: asked[name] for name in SOBRE if name in asked}
    return frame.page(
        el("h3", f"{ACCIONES[accion]}: ", _which(asked)),
        refusal(refused) if refused else None,
        facts(
            [
                ("Comprobantes", _how_many(rehearsal)),
                ("Importe", f"{money(rehearsal['total'])} (cada uno en su moneda)"),
                ("Pedidos del plan", f"hasta {rehearsal['pedidos']}"),
                ("Qué se hace", f"{_WHAT[accion]} {_ASKED_FIRST}"),
            ]
        ),
        _late(rehearsal),
        _paused(rehearsal),
        refusals(rehearsal["negados"]),
        _form(frame, {**which, **_place(asked)}, rehearsal, visto, said)
        if count
        else el("div", _go_on(frame, {**which, "dicho": dict(said)}, rehearsal), frame.back(), class_="botones"),
    )


def as_result(frame: Frame, asked: Mapping[str, Any], answer: Mapping[str, Any], solicitud: str) -> Html:
    """`solicitud`: the request id, by which CloudTrail knows who it was."""
    count = answer["cantidad"]
    said = [
        el("strong", f"{ACCIONES[answer['accion']]}: {many(count, 'decidido', 'decididos')}"),
        f", por {money(answer['total'])}, hasta {many(answer['pedidos'], 'pedido', 'pedidos')} del plan.",
        " Se hace enseguida; la historia de cada uno dice cómo sigue.",
    ]
    nothing = "No se hizo nada." if answer["negados"] else "No se hizo nada: ya no hay ninguno que espere."
    closed = [f"Incidente cerrado: {i['codigo']} de {i['cuenta']}. " for i in answer["incidentes_cerrados"]]
    later = ", ".join(sorted(set(answer["sin_corrida"])))
    return frame.page(
        el("h3", _which(asked)),
        notice(said if count else nothing, kind="bien" if count else ""),
        refusals(answer["negados"]),
        el("p", closed) if closed else None,
        notice(f"Se hará con la próxima conciliación: {later}.") if later else None,
        _paused(answer),
        el("p", f"Solicitud {solicitud}.", class_="suave"),
        el("div", _go_on(frame, asked, answer), _its_story(frame, asked), frame.back(), class_="botones"),
    )


def _how_many(rehearsal: Mapping[str, Any]) -> str:
    """Of those that the next press decides about."""
    count = rehearsal["cantidad"]
    return (
        f"{count}; hay más, que se deciden después de estos, con otra confirmación"
        if rehearsal["sigue"]
        else str(count)
    )


def _place(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Where the press before it stopped."""
    return {"tras": asked["tras"]} if asked.get("tras") else {}


def _which(asked: Mapping[str, Any]) -> list[Html | str]:
    cuenta = foreign(asked.get("cuenta", ""))
    named = asked.get("referencias") or []
    if named:
        return [el("span", foreign(cut(", ".join(map(str, named)), 300)), class_="ref"), " de ", cuenta]
    begin = [" que empiezan con ", foreign(asked["prefijo"])] if asked.get("prefijo") else []
    return ["todos los de ", cuenta, " por ", foreign(asked.get("codigo", "")), *begin]


def _form(
    frame: Frame, which: Mapping[str, Any], rehearsal: Mapping[str, Any], visto: str, said: Mapping[str, str]
) -> Html:
    accion, count = str(which["accion"]), rehearsal["cantidad"]
    question = (
        f"{ACCIONES[accion]}: {many(count, 'comprobante', 'comprobantes')} por {money(rehearsal['total'])}, hasta "
        f"{many(rehearsal['pedidos'], 'pedido', 'pedidos')} del plan. ¿Seguro?"
    )
    services = said["concepto"] == "servicios"
    dates = [
        field("Fecha nueva (vacía: una que sirva)", "fecha", said["fecha"], type="date"),
        _radio("Productos: hasta 5 días de hoy", "productos", checked=not services),
        _radio("Servicios: hasta 10 días de hoy", "servicios", checked=services),
    ]
    return el(
        "form",
        dates if accion == "cambiar_fecha" else None,
        reason_field("Motivo (queda escrito en la historia de cada uno)", said["motivo"]),
        frame.button(
            ACCIONES[accion],
            {"vista": "hacer", **which, "visto": visto, "maximo": count + len(rehearsal["negados"])},
            primary=True,
            confirmation=question,
        ),
        frame.back(),
    )


def _radio(label: str, value: str, *, checked: bool) -> Html:
    ticked = {"checked": "checked"} if checked else {}
    return el("label", el("input", type="radio", name="concepto", value=value, **ticked), label, class_="en-linea")


def _late(rehearsal: Mapping[str, Any]) -> Html | None:
    late = rehearsal["fuera_de_ventana"]
    if not late:
        return None
    said = many(late, "tiene una fecha que ARCA ya no toma", "tienen una fecha que ARCA ya no toma")
    return notice(f"{said}: conviene cambiar la fecha.", kind="mal")


def _paused(answer: Mapping[str, Any]) -> Html | None:
    paused = ", ".join(answer["en_pausa"])
    return notice(f"En pausa, y se hará cuando se reanude: {paused}.", kind="mal") if paused else None


def refusals(refused: Sequence[Mapping[str, Any]]) -> Html | None:
    """By reason, with some of their references."""
    by_code: dict[str, list[Mapping[str, Any]]] = {}
    for one in refused:
        by_code.setdefault(one["codigo"], []).append(one)
    if not by_code:
        return None
    return notice(
        [
            el(
                "div",
                f"No: {len(group)}. {group[0]['motivo']} ",
                el("span", f"[{codigo}] ", class_="suave"),
                foreign(
                    ", ".join(
                        cut(one["external_reference"] or one.get("message_id", ""), _REFERENCE_MAX)
                        for one in group[:_NAMED]
                    )
                ),
                "…" if len(group) > _NAMED else None,
            )
            for codigo, group in by_code.items()
        ],
        kind="mal",
    )


def _go_on(frame: Frame, asked: Mapping[str, Any], answer: Mapping[str, Any]) -> Html | None:
    """One press decides about so many. To the confirmation of the next ones, with the reason that was given."""
    if not answer["sigue"]:
        return None
    which = {name: asked[name] for name in (*SOBRE, "dicho") if name in asked}
    return frame.button(
        "Seguir con los que faltan", {"vista": "preparar", **which, "tras": answer["sigue"]}, primary=True
    )


def _its_story(frame: Frame, asked: Mapping[str, Any]) -> Html | None:
    named = asked.get("referencias") or []
    if len(named) != 1:
        return None
    return frame.button(
        "Ver su historia", {"vista": "historia", "cuenta": asked.get("cuenta", ""), "referencia": named[0]}
    )


def _only_back(frame: Frame) -> Html:
    return el("div", frame.back(), class_="botones")
