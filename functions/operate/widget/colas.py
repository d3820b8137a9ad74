"""Messages that were rejected, or that died: how many, why, and back to the queue. Pure: answers → HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from operate.widget.decision import refusals
from operate.widget.markup import Html, el, foreign, join
from operate.widget.pieces import many, notice, reason_field, refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from operate.widget.pieces import Frame

ORIGENES = {"rechazados": "Mensajes rechazados", "muertos": "Mensajes muertos"}
_WHAT = (
    "Conviene devolverlos cuando se arregló lo que los detuvo. Vuelven a pasar por todas las revisiones, nada se emite "
    "dos veces, y devolverlos no cuesta ningún pedido del plan."
)


def as_queues(
    frame: Frame,
    rehearsals: Mapping[str, Mapping[str, Any]],
    form: Mapping[str, str],
    refused: Mapping[str, Any] | None = None,
) -> Html:
    """`rehearsals`: by where they are. `form`: what was filled in when the last press was `refused`."""
    parts = [
        join(el("h3", ORIGENES[origen]), _queue(frame, origen, answer, form.get(f"motivo_{origen}", "")))
        for origen, answer in rehearsals.items()
    ]
    said = refusal(refused) if refused else None
    return frame.page(said, parts, el("p", _WHAT, class_="suave"), el("div", frame.back(), class_="botones"))


def as_redriven(frame: Frame, answer: Mapping[str, Any], solicitud: str) -> Html:
    if "error" in answer:
        return frame.page(refusal(answer), frame.back())
    count = answer["cantidad"]
    more = "Puede haber más: vea las colas." if not answer["terminado"] else None
    return frame.page(
        el("h3", ORIGENES[answer["origen"]]),
        notice(f"{many(count, 'volvió', 'volvieron')} a la cola. ", more, kind="bien" if count else ""),
        refusals(answer["negados"]),
        el("p", f"Solicitud {solicitud}.", class_="suave"),
        el("div", frame.button("Ver las colas", {"vista": "colas"}), frame.back(), class_="botones"),
    )


def _queue(frame: Frame, origen: str, answer: Mapping[str, Any], motivo: str) -> Html:
    if "error" in answer:
        return refusal(answer)
    count = answer["cantidad"]
    if not count and not answer["negados"]:
        return el("p", "No hay ninguno.", class_="suave")
    codes = [el("li", foreign(codigo), f": {n}") for codigo, n in answer["por_codigo"].items()]
    return join(
        el("p", f"{many(count, 'volvería', 'volverían')} a la cola", None if answer["terminado"] else " al menos", "."),
        el("ul", codes) if codes else None,
        refusals(answer["negados"]),
        el(
            "form",
            reason_field("Motivo (queda escrito en la historia de cada uno)", motivo, f"motivo_{origen}"),
            frame.button(
                "Devolver a la cola",
                {"vista": "redirigir", "origen": origen, "maximo": count},
                confirmation=f"{ORIGENES[origen]}: {many(count, 'vuelve', 'vuelven')} a la cola. ¿Seguro?",
            ),
        )
        if count
        else None,
    )
