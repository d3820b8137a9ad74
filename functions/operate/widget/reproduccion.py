"""Whether the ledger says of one comprobante what its stored hooks amount to, and putting it right. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from operate.widget.decision import refusals
from operate.widget.markup import Html, el, foreign
from operate.widget.pieces import facts, notice, reason_field, refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from operate.widget.pieces import Frame

HOOKS_MAX = 20
"""Named of those that make the difference."""
_WHAT = (
    "Se vuelven a aplicar los hooks guardados. A TusFacturas no se le pide nada, y no cuesta ningún pedido del plan."
)


def as_replay_question(
    frame: Frame,
    asked: Mapping[str, Any],
    rehearsal: Mapping[str, Any],
    *,
    motivo: str,
    refused: Mapping[str, Any] | None = None,
) -> Html:
    """`rehearsal`: the differences as they are now. `refused`: why the last press did nothing."""
    if "error" in rehearsal:
        return frame.page(refusal(rehearsal), frame.back())
    which = {name: asked.get(name, "") for name in ("cuenta", "referencia")}
    same = notice("El libro dice lo mismo que sus hooks: no hay nada que corregir.", kind="bien")
    form = el(
        "form",
        reason_field("Motivo (queda escrito en su historia)", motivo),
        frame.button(
            "Reproducir",
            {"vista": "reproducir", **which},
            primary=True,
            confirmation="Su estado pasa a ser el que dicen sus hooks. ¿Seguro?",
        ),
    )
    found = rehearsal["diferencias"]
    return frame.page(
        _title(which),
        refusal(refused) if refused else None,
        [_difference(each) for each in found] or same,
        el("p", _WHAT) if found else None,
        form if found else None,
        _ways(frame, which),
    )


def as_replayed(frame: Frame, asked: Mapping[str, Any], answer: Mapping[str, Any], solicitud: str) -> Html:
    which = {name: asked.get(name, "") for name in ("cuenta", "referencia")}
    done = "Corregido: el libro dice lo que dicen sus hooks." if answer["cantidad"] else "No se hizo nada."
    return frame.page(
        _title(which),
        notice(done, kind="bien" if answer["cantidad"] else ""),
        refusals(answer["negados"]),
        el("p", f"Solicitud {solicitud}.", class_="suave"),
        _ways(frame, which),
    )


def _difference(difference: Mapping[str, Any]) -> Html:
    return facts(
        [
            ("En el libro", foreign(difference["en_libro"] or "nada")),
            ("Según sus hooks", el("strong", foreign(difference["segun_hooks"]))),
            ("Hooks", _hooks(difference["hooks"])),
        ]
    )


def _hooks(hooks: Sequence[Mapping[str, Any]]) -> list[Html]:
    told = [
        el("div", foreign(hook["evento"]), " ", el("span", foreign(hook["hook_id"]), class_="ref")) for hook in hooks
    ]
    left = len(told) - HOOKS_MAX
    return [*told[:HOOKS_MAX], *([el("div", f"y {left} más", class_="suave")] if left > 0 else [])]


def _title(which: Mapping[str, Any]) -> Html:
    return el(
        "h3",
        "Libro y hooks: ",
        el("span", foreign(which["referencia"]), class_="ref"),
        " de ",
        foreign(which["cuenta"]),
    )


def _ways(frame: Frame, which: Mapping[str, Any]) -> Html:
    return el("div", frame.button("Ver su historia", {"vista": "historia", **which}), frame.back(), class_="botones")
