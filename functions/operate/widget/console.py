"""One showing of the widget: which orders it asks of the function's own answers, and what it makes of them.

To show something asks `listar`, `ver`, `cuentas` or a rehearsal, and writes nothing. Only what a button of
a confirmation sends acts: `hacer` and `redirigir`, about no more than was confirmed, `pausar`, `reanudar` and
`reproducir`. `cuenta` has no place here: it makes and changes secrets, with the rights of whoever types it, and neither
a widget's form nor this function ever has one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from facturacion.tiempo import to_iso
from operate import fields
from operate.fields import PAGINA_MAX, PedidoInvalido
from operate.widget.asked import (
    DICHO,
    filter_of,
    order_of,
    page_of,
    pause_of,
    read_panel,
    read_view,
    redrive_of,
    replay_of,
    said_in,
)
from operate.widget.colas import ORIGENES, as_queues, as_redriven
from operate.widget.decision import as_confirmation, as_result
from operate.widget.historia import as_story
from operate.widget.lista import as_list
from operate.widget.markup import Html, el, foreign
from operate.widget.pausa import as_cuentas, as_outcome, as_question
from operate.widget.pieces import Frame, notice, refusal
from operate.widget.reproduccion import as_replay_question, as_replayed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from operate.widget.asked import Panel

Ask: TypeAlias = "Callable[[dict[str, Any]], dict[str, Any]]"
"""An order → its answer: what any other caller of the function gets."""

DESCRIPTION = """## Consola de facturación

Lo que espera a una persona y lo que está en error, con motivos, importe y horas que quedan; la historia de un
comprobante; y qué se hace con ellos, después de decir cuánto cuesta y por qué. Mostrar no cambia nada.

Quien lo ve necesita `lambda:InvokeFunction` sobre esta función; quien lo tiene, también puede decidir.

### Parámetros (todos optativos)

parámetro | qué hace
---|---
**cuenta** | solo los de esta cuenta
**codigo** | solo los que tienen esta causa
**prefijo** | solo las referencias que empiezan así
**con_errores** | también los que están en error, resolviéndose solos (true)

### Ejemplo
``` yaml
cuenta: sucursal-centro
con_errores: false
```
Conviene que el widget no se actualice solo: lo que se está escribiendo se perdería.
"""


@dataclass(frozen=True, slots=True)
class Showing:
    """One showing. `asked`: what the button sent; `solicitud`: the request id."""

    frame: Frame
    panel: Panel
    asked: Mapping[str, Any]
    ask: Ask
    solicitud: str
    clock: Callable[[], datetime]


def show(event: Mapping[str, Any], ask: Ask, *, endpoint: str, solicitud: str, clock: Callable[[], datetime]) -> str:
    """HTML, or for `{"describe": true}` the Markdown that CloudWatch shows to who adds it to a dashboard."""
    if event.get("describe"):
        return DESCRIPTION
    panel = read_panel(event)
    frame = Frame(endpoint, panel.dark)
    try:
        vista, asked = read_view(event, panel)
    except PedidoInvalido as error:
        return frame.page(notice(str(error), f" [{error.codigo}]", kind="mal"))
    showing = Showing(frame, panel, asked, ask, solicitud, clock)
    return _VIEWS[vista](showing)


def _queues(showing: Showing, refused: Mapping[str, Any] | None = None) -> Html:
    orders = {o: {"orden": "redirigir", "origen": o, "simulacro": True} for o in ORIGENES}
    answers = {o: showing.ask(order) for o, order in orders.items()}
    return as_queues(showing.frame, answers, showing.panel.form, refused)


def _replay_question(showing: Showing, refused: Mapping[str, Any] | None = None) -> Html:
    rehearsal = showing.ask(replay_of(showing.asked) | {"simulacro": True})
    motivo = showing.panel.form.get("motivo", "") if refused else ""
    return as_replay_question(showing.frame, showing.asked, rehearsal, motivo=motivo, refused=refused)


def _cuentas(showing: Showing) -> Html:
    answer = showing.ask({"orden": "cuentas"})
    return as_cuentas(showing.frame, answer)


def _redriven(showing: Showing) -> Html:
    answer = showing.ask(redrive_of(showing.asked, showing.panel))
    if "error" in answer:
        return _queues(showing, answer)
    return as_redriven(showing.frame, answer, showing.solicitud)


def _replayed(showing: Showing) -> Html:
    why = {"motivo": showing.panel.form.get("motivo", ""), "quien": showing.panel.quien}
    answer = showing.ask(replay_of(showing.asked) | why)
    if "error" in answer:
        return _replay_question(showing, answer)
    return as_replayed(showing.frame, showing.asked, answer, showing.solicitud)


def _pause_question(showing: Showing) -> Html:
    return as_question(showing.frame, showing.asked, dict.fromkeys(DICHO, ""))


def _pause(showing: Showing) -> Html:
    said = said_in(showing.asked, showing.panel)
    answer = showing.ask(pause_of(showing.asked, said, showing.panel.quien))
    if "error" in answer:
        return as_question(showing.frame, showing.asked, said, answer)
    return as_outcome(showing.frame, answer, showing.solicitud)


def _list(showing: Showing) -> Html:
    filtro = filter_of(showing.asked, showing.panel)
    answer = showing.ask({**filtro, "orden": "listar", "maximo": PAGINA_MAX})
    if "error" in answer:
        return showing.frame.page(refusal(answer), showing.frame.back())
    return as_list(showing.frame, answer, filtro, page_of(showing.asked))


def _sought(showing: Showing) -> Html:
    form = showing.panel.form
    return _story(showing, form.get("h_cuenta", ""), form.get("h_referencia", ""))


def _named(showing: Showing) -> Html:
    return _story(showing, showing.asked.get("cuenta", ""), showing.asked.get("referencia", ""))


def _story(showing: Showing, cuenta: object, referencia: object) -> Html:
    answer = showing.ask({"orden": "ver", "cuenta": cuenta, "referencia": referencia})
    if "error" in answer:
        sought = el("p", foreign(referencia), " de ", foreign(cuenta), class_="ref") if cuenta and referencia else None
        return showing.frame.page(refusal(answer), sought, showing.frame.back())
    return as_story(showing.frame, answer)


def _prepared(showing: Showing) -> Html:
    # A button that goes on carries the reason of the press before it.
    return _confirmation(showing, said_in({"dicho": {}, **showing.asked}, showing.panel))


def _confirmation(showing: Showing, said: Mapping[str, str], refused: Mapping[str, Any] | None = None) -> Html:
    # Before it is read: what changes while it is read was not seen.
    visto = to_iso(showing.clock())
    # Whether ARCA would take the date is said when it is known.
    order = order_of(showing.asked, said) | {"simulacro": True, "fecha": None}
    # As many as one press decides about, so that it says what that press costs.
    order |= {"maximo": fields.DECISIONS_MAX, "tras": showing.asked.get("tras")}
    return as_confirmation(showing.frame, showing.asked, showing.ask(order), visto=visto, said=said, refused=refused)


def _done(showing: Showing) -> Html:
    """What was refused as it was asked (no reason, a date that ARCA would not take) may be asked again, corrected."""
    asked, said = showing.asked, said_in(showing.asked, showing.panel)
    why = {
        "motivo": said["motivo"],
        "quien": showing.panel.quien,
        "visto": asked.get("visto"),
        "tras": asked.get("tras"),
        "maximo": asked.get("maximo", fields.DECISIONS_MAX),
    }
    answer = showing.ask(order_of(asked, said) | why)
    if "error" in answer:
        return _confirmation(showing, said, answer)
    return as_result(showing.frame, {**asked, "dicho": said}, answer, showing.solicitud)


_VIEWS: Mapping[str, Callable[[Showing], Html]] = {
    "lista": _list,
    "buscar": _sought,
    "historia": _named,
    "preparar": _prepared,
    "hacer": _done,
    "cuentas": _cuentas,
    "pausa": _pause_question,
    "reanudacion": _pause_question,
    "pausar": _pause,
    "reanudar": _pause,
    "colas": _queues,
    "redirigir": _redriven,
    "reproduccion": _replay_question,
    "reproducir": _replayed,
}
"""Each of `VISTAS`."""
