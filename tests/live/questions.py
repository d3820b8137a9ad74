"""What the provider's documents leave open, asked of the provider: one function a question.

Every comprobante that a question makes is dated in the future, so that it waits in the provider's queue, and is deleted
at the end. What becomes one of today is only what has to fail or to be issued.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.live.site import Spent
from tusfacturas.outcomes import Hecho

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.live.listener import Delivery
    from tests.live.site import Site
    from tusfacturas.outcomes import Encontrado

AHEAD = timedelta(days=5)


@dataclass(frozen=True)
class Answer:
    """One row of the report. `answered`: False where this run could not tell, and `said` says why."""

    question: str
    said: str
    evidence: str = ""
    answered: bool = True


def unanswered(question: str, why: str) -> Answer:
    return Answer(question, why, answered=False)


def ask_all(site: Site) -> list[Answer]:
    """Every question in turn; one that fails or is too dear is a row that says so, and stops no other."""
    answers: list[Answer] = []
    for question in QUESTIONS:
        site.tell(f"{question.__name__.replace('_', ' ')} …")
        try:
            answers += question(site)
        except Spent as spent:
            answers.append(unanswered(question.__name__.replace("_", " "), f"not asked: {spent}"))
    return answers


# -- the questions -----------------------------------------------------------------------------------------------------


def are_queries_counted(site: Site) -> Iterator[Answer]:
    """Contract: queries count nothing against the plan."""
    before = _requests_made(site)
    for _ in range(3):
        site.cliente.consulta_por_referencia(site.reference("nothing"))
    after = _requests_made(site)
    question = "Do queries count against the plan?"
    if before is None or after is None:
        yield unanswered(question, "micuenta/consumo did not say")
    else:
        yield Answer(question, "no" if before == after else f"yes: {after - before} for 3", str(after))


def when_is_it_visible(site: Site) -> Iterator[Answer]:
    """How long after it was accepted a query shows it; and what EXT_REF matches."""
    reference = site.queue("visible", site.today() + AHEAD)
    begun = site.wait(lambda: _found(site, reference))
    question = "When does a query show what was accepted?"
    if begun is None:
        yield unanswered(question, f"never within {site.patience:g} s")
        return
    accepted, asked = _times(site, reference)
    yield Answer(question, f"at query number {asked}", f"nuevo_encola answered {accepted}")
    for name, other in (("a part of the reference", reference[:-1]), ("another case", reference.swapcase())):
        matched = [e.external_reference for e in site.shown(other)]
        yield Answer(f"Does EXT_REF match {name}?", "yes" if matched else "no", ", ".join(matched))


def what_a_retry_of_a_hook_is_like(site: Site) -> Iterator[Answer]:
    """The first delivery is answered 500, the second 204, which the documents do not name, the third 200."""
    reference = site.reference("retry")
    site.listener.answer(reference, "encolado", 500, 204)
    site.queue("retry", site.today() + AHEAD)
    question = "How does a retried hook differ from the first delivery?"
    deliveries = site.wait(lambda: _at_least(site.listener.heard(reference, "encolado"), 2))
    if deliveries is None:
        yield unanswered(question, f"no second delivery within {site.patience:g} s")
        return
    first, second = deliveries[:2]
    for key in ("hook_id", "creado", "intento"):
        one, two = first.hook.get(key), second.hook.get(key)
        yield Answer(f"`{key}` in the retry", "the same" if one == two else "another", f"{one} → {two}")
    waited = (second.at - first.at).total_seconds()
    yield Answer("How long after the failed delivery is the retry?", f"{waited:.0f} s", "documented: 300 s")
    third = site.wait(lambda: _at_least(site.listener.heard(reference, "encolado"), 3))
    question = "Is a 204 an acknowledgement?"
    if third:
        yield Answer(question, "no: it was delivered again")
    else:
        yield Answer(question, f"no retry within {site.patience:g} s", "the next would be due 30 minutes later")


def is_a_reference_unique(site: Site) -> Iterator[Answer]:
    """Two with one reference, both in the future; and what deleting by it does."""
    fecha = site.today() + AHEAD
    reference = site.queue("twice", fecha)
    site.wait(lambda: _found(site, reference))
    site.queue("twice", fecha)
    both = site.wait(lambda: _at_least(site.shown(reference), 2))
    yield Answer("Is a second comprobante of a reference refused?", "no" if both else "yes", f"{len(both or [])} shown")
    site.spend(1)
    outcome = site.cliente.eliminar_encolado(reference, fecha)
    gone = site.wait(lambda: not site.shown(reference) or None)
    answer = site.last("facturacion/eliminar_encolado").answer
    yield Answer(
        "Does deleting by it delete both?",
        "yes" if gone else f"{len(site.shown(reference))} left",
        f"{type(outcome).__name__}: error {_of(answer, 'error')}, procesados_cant {_of(answer, 'procesados_cant')}",
    )
    hooks = site.wait(lambda: _at_least(site.listener.heard(reference, "eliminado"), 2), _a_while(site))
    heard = len(hooks or site.listener.heard(reference, "eliminado"))
    yield Answer("How many `eliminado` hooks does that bring?", str(heard))
    if gone:
        site.left_behind.pop(reference, None)


def what_a_change_of_date_does_in_the_queue(site: Site) -> Iterator[Answer]:
    """And which fecha the deletion wants afterwards."""
    fecha = site.today() + AHEAD
    moved = fecha + timedelta(days=1)
    reference = site.queue("date", fecha)
    site.wait(lambda: _found(site, reference))
    site.spend(1)
    outcome = site.cliente.cambiar_fecha_encolado(reference, moved, moved + timedelta(days=10))
    question = "Does cambiar_fecha_encolado move one that waits?"
    if not isinstance(outcome, Hecho):
        yield Answer(question, "no", str(site.last("facturacion/cambiar_fecha_encolado").answer))
        return
    site.left_behind[reference] = moved
    shown = site.wait(lambda: _first(e for e in site.shown(reference) if e.fecha == moved))
    yield Answer(question, "yes" if shown else "its answer says so, the query does not", shown.status if shown else "")
    hook = site.wait(lambda: site.listener.heard(reference, "cambio_fecha") or None, _a_while(site))
    yield Answer("Does it bring a `cambio_fecha` hook?", "yes" if hook else "not seen")
    site.spend(1)
    by_old = site.cliente.eliminar_encolado(reference, fecha)
    question = "Which fecha does eliminar_encolado want after a change of date?"
    if isinstance(by_old, Hecho):
        gone = site.wait(lambda: not site.shown(reference) or None, _a_while(site))
        yield Answer(question, "the old one is taken" if gone else "the old one is taken, and nothing is deleted")
        if gone:
            del site.left_behind[reference]
    else:
        yield Answer(question, "the old one is refused", str(site.last("facturacion/eliminar_encolado").answer))


def how_a_refusal_reads(site: Site) -> Iterator[Answer]:
    """A lote of a good one, whose reference is a number, and of one whose document is none."""
    fecha = site.today() + AHEAD
    number = "".join(c for c in site.prefix if c.isdigit()) + "7"
    bad = site.reference("refused")
    good = site.peticion(site.comprobante(number, fecha))
    broken = site.peticion(site.comprobante(bad, fecha))
    cliente = broken["cliente"]
    assert isinstance(cliente, dict)
    cliente["documento_nro"] = "sin-documento"
    site.spend(2)
    site.cliente.lotes_encola([broken, good])
    site.left_behind[number] = fecha
    exchange = site.last("facturacion/lotes_encola")
    entries = _of(exchange.answer, "response") or []
    yield Answer(
        "How does a lote with one bad entry answer?",
        f"HTTP {exchange.status}, error {_of(exchange.answer, 'error')}, {len(entries)} entries",
        str(_of(exchange.answer, "errores")),
    )
    order = [str(_of(e, "external_reference")) for e in entries]
    yield Answer("In which order are its entries?", "as sent" if order == [bad, number] else ", ".join(order) or "none")
    refused = [e for e in entries if str(_of(e, "external_reference")) == bad]
    yield Answer(
        "Is the refused one listed?", "yes" if refused else "no", str(_of(refused[0], "errores")) if refused else ""
    )
    written = next((_of(e, "external_reference") for e in entries if str(_of(e, "external_reference")) == number), None)
    if written is not None:
        yield Answer("How does a numeric reference come back?", f"as {type(written).__name__}", repr(written))
    hook = site.wait(lambda: site.listener.heard(bad, "error") or None, _a_while(site))
    yield Answer("Does the refused one bring an `error` hook?", "yes" if hook else "not seen", _messages(hook))


def what_a_change_of_date_does_to_one_in_error(site: Site) -> Iterator[Answer]:
    """A fecha long past has to fail at ARCA; a plan without ARCA may issue it, and then there is no answer."""
    question = "Does cambiar_fecha_encolado requeue one in error?"
    reference = site.queue("error", site.today() - timedelta(days=30))
    ended = site.wait(lambda: _first(e for e in site.shown(reference) if e.situacion in {"CON_ERROR", "EMITIDO"}))
    if ended is None or ended.situacion != "CON_ERROR":
        if ended:
            site.left_behind.pop(reference)
        yield unanswered(question, "it was issued" if ended else f"neither issued nor in error in {site.patience:g} s")
        return
    hook = site.wait(lambda: site.listener.heard(reference, "error") or None, _a_while(site))
    yield Answer("What does ARCA's refusal of an old fecha read like?", ended.status, _messages(hook))
    moved = site.today() + AHEAD
    site.spend(1)
    if isinstance(site.cliente.cambiar_fecha_encolado(reference, moved, moved + timedelta(days=10)), Hecho):
        site.left_behind[reference] = moved
    shown = site.wait(lambda: _first(e for e in site.shown(reference) if e.situacion == "EN_COLA"), _a_while(site))
    if shown:
        yield Answer(question, "yes", shown.status)
        return
    site.spend(1)
    site.cliente.reenviar_encolado(reference)
    back = site.wait(lambda: _first(e for e in site.shown(reference) if e.situacion == "EN_COLA"), _a_while(site))
    yield Answer(question, "no: reenviar_encolado does" if back else "no, nor does reenviar_encolado")


QUESTIONS: tuple[Callable[[Site], Iterator[Answer]], ...] = (
    are_queries_counted,
    when_is_it_visible,
    is_a_reference_unique,
    what_a_change_of_date_does_in_the_queue,
    how_a_refusal_reads,
    what_a_change_of_date_does_to_one_in_error,
    # The last: its retries are minutes apart.
    what_a_retry_of_a_hook_is_like,
)


def clean_up(site: Site) -> dict[str, str]:
    """Deletes what this run queued by itself; what could not be deleted, and why.

    Beyond the budget: nothing of this run may stay to be issued.
    """
    left: dict[str, str] = {}
    for reference, fecha in site.left_behind.items():
        if not site.shown(reference):
            continue
        site.spent += 1
        outcome = site.cliente.eliminar_encolado(reference, fecha)
        if not isinstance(outcome, Hecho):
            left[reference] = outcome.detalle
    return left


# -- looking -----------------------------------------------------------------------------------------------------------


def _found(site: Site, reference: str) -> Encontrado | None:
    return _first(site.shown(reference))


def _times(site: Site, reference: str) -> tuple[str, int]:
    """How the submission was answered, and how many queries followed it."""
    methods = [e.method for e in site.recorder.exchanges]
    sent = len(methods) - 1 - methods[::-1].index("facturacion/nuevo_encola")
    return f"error {_of(site.recorder.exchanges[sent].answer, 'error')}", len(methods) - 1 - sent


def _requests_made(site: Site) -> int | None:
    consumo = site.cliente.consumo()
    return getattr(consumo, "disponibles", None)


def _a_while(site: Site) -> float:
    """For what comes at once or not at all."""
    return min(site.patience, 60.0)


def _first(found: Any) -> Any:
    return next(iter(found), None)


def _at_least(found: list[Any], count: int) -> list[Any] | None:
    return found if len(found) >= count else None


def _of(value: object, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _messages(deliveries: list[Delivery] | None) -> str:
    return str(deliveries[0].hook.get("msg")) if deliveries else ""
