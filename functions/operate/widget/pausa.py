"""Whether anything of a cuenta leaves: where each one stands, and the pause of one or of all. Pure: answers → HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from operate.widget.markup import Html, el, foreign, join
from operate.widget.pieces import field, local, notice, reason_field, refusal, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from operate.widget.pieces import Frame

_PAUSED = (
    "No sale ningún lote nuevo, y no se reenvía, cambia de fecha ni elimina nada; lo que ya salía termina solo. Los "
    "mensajes esperan en la cola y ninguno se pierde. No cuesta ningún pedido del plan."
)
_RESUMED = "Lo que espera sale a más tardar en media hora, o en lo que duró la pausa si fue menos."


def as_cuentas(frame: Frame, answer: Mapping[str, Any]) -> Html:
    general = [pausa for pausa in answer["pausas"] if pausa["cuenta"] is None]
    head = ("Cuenta", "Abiertos", "Qué la detiene", "")
    return frame.page(
        el("h3", "Cuentas"),
        pause_notices(general),
        table(head, [_row(frame, row) for row in answer["cuentas"]], ("Abiertos",)),
        el(
            "div",
            frame.button("Reanudar todas", {"vista": "reanudacion", "todas": True})
            if general
            else frame.button("Pausar todas", {"vista": "pausa", "todas": True}),
            frame.back(),
            class_="botones",
        ),
    )


def pause_notices(pausas: Sequence[Mapping[str, Any]]) -> Html:
    return join([notice("En pausa: ", _told(pausa), kind="mal") for pausa in pausas])


def as_question(
    frame: Frame, asked: Mapping[str, Any], said: Mapping[str, str], refused: Mapping[str, Any] | None = None
) -> Html:
    """Before a pause, or before its end. `asked`: which; `said`: what was filled in."""
    pausing = asked["vista"] in {"pausa", "pausar"}
    what = "Pausar" if pausing else "Reanudar"
    which = {name: asked[name] for name in ("cuenta", "todas") if name in asked}
    return frame.page(
        el("h3", f"{what}: ", _whose(asked)),
        refusal(refused) if refused else None,
        el("p", _PAUSED if pausing else _RESUMED),
        el(
            "form",
            field("Horas (vacío: hasta que alguien la reanude)", "horas", said["horas"], size="6") if pausing else None,
            reason_field("Motivo (se ve mientras dura)" if pausing else "Motivo", said["motivo"]),
            frame.button(
                what,
                {"vista": what.lower(), **which},
                primary=True,
                confirmation=f"{what} {asked.get('cuenta') or 'todas las cuentas'}. ¿Seguro?",
            ),
            frame.back(),
        ),
    )


def as_outcome(frame: Frame, answer: Mapping[str, Any], solicitud: str) -> Html:
    """Of `pausar`, which says whether the pause is new, or of `reanudar`, which says what still holds."""
    told = _told(answer["pausa"])
    left = answer.get("pausas", ())
    if "nueva" in answer:
        said = notice("En pausa: " if answer["nueva"] else "Ya estaba en pausa: ", told, kind="bien")
    else:
        said = notice("Reanudada: ", told, " ", _RESUMED, kind="bien")
    longer = notice("Ya estaba pedida hasta más tarde, y así queda. Para que termine antes, reanúdela.", kind="mal")
    unknown = notice("Esa cuenta todavía no envió nada: si el alias está mal escrito, reanúdela.", kind="mal")
    return frame.page(
        said,
        longer if answer.get("mas_larga") else None,
        unknown if not answer.get("conocida", True) else None,
        el("p", "Siguen en pausa:") if left else None,
        pause_notices(left),
        el("p", f"Solicitud {solicitud}.", class_="suave"),
        el("div", frame.button("Ver las cuentas", {"vista": "cuentas"}), frame.back(), class_="botones"),
    )


def _row(frame: Frame, row: Mapping[str, Any]) -> Html:
    pausa, which = row["pausa"], {"cuenta": row["cuenta"]}
    held = [el("span", "Pausa: ", _told(pausa), class_="ojo")] if pausa else []
    if row["puerta"]:
        until = f", hasta {local(row['hasta'])}" if row["hasta"] else None
        held.append(el("div", "No salen lotes: ", foreign(row["puerta"]), until))
    own = pausa and pausa["cuenta"] is not None
    button = (
        frame.link("Reanudar", {"vista": "reanudacion", **which})
        if own
        else frame.link("Pausar", {"vista": "pausa", **which})
    )
    return el(
        "tr",
        el("td", foreign(row["cuenta"]), class_="hora"),
        el("td", row["abiertos"], class_="n"),
        el(
            "td",
            held or (el("span", "de baja", class_="suave") if row["retirada"] else el("span", "nada", class_="bien")),
        ),
        el("td", button),
    )


def _told(pausa: Mapping[str, Any]) -> Html:
    until = f" hasta {local(pausa['hasta'])}" if pausa["hasta"] else None
    whose = foreign(pausa["cuenta"]) if pausa["cuenta"] else "todas las cuentas"
    why = [foreign(f"«{pausa['motivo']}»"), " ", foreign(pausa["quien"])]
    return join(whose, f", desde {local(pausa['desde'])}", until, ". ", why)


def _whose(asked: Mapping[str, Any]) -> Html | str:
    return foreign(asked["cuenta"]) if asked.get("cuenta") else "todas las cuentas"
