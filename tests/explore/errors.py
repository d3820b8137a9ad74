"""Comprobantes in error, of each class and in each kind of trouble: small ones, to be cut everywhere."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from facturacion.accion import Accion, Autor
from tests.explore.functions import app_of
from tests.explore.instrument import TABLE, by_moto
from tests.explore.scenarios import Scenario, message
from tests.sandbox.simulator.cola import CON_ERROR

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.explore.world import World

FATES = {
    "transient": "SIM:ERROR=AFIP*1",
    "numbering": "SIM:ERROR=10016*1",
    "numbering_until_dated": "SIM:ERROR=10016",
    "dates": "SIM:ERROR=10036",
    "data": "SIM:ERROR=DATOS",
    "unknown": "SIM:ERROR=DESCONOCIDO",
    "account": "SIM:ERROR=CONFIG",
    "ambiguous": "SIM:ERROR=AMBIGUO",
    "no_cae": "SIM:ERROR=SIN_CAE",
    "arca_down": "SIM:ERROR=AFIP_CAIDA",
    "two_kinds": "SIM:ERROR=AFIP*1 SIM:ERROR=DATOS",
}


def _fated(name: str, comentario: str, **plan: Any) -> Scenario:
    return Scenario(name, [message("A-1", comentario=comentario)], {"demora_en_cola": 5.0, **plan})


def resent_without_answer(how: str) -> Scenario:
    """The resend has no answer, with or without effect."""
    return _fated(f"resend {how}", FATES["transient"], operaciones=[how], segundos_524=100.0)


def deletion_without_answer(how: str) -> Scenario:
    return _fated(f"deletion {how}", FATES["data"], operaciones=[how], segundos_524=100.0)


def change_without_answer() -> Scenario:
    return _fated("change reset_accepted", FATES["dates"], operaciones=["reset_accepted"])


def error_while_resent() -> Scenario:
    """The next error comes before the answer to the resend."""
    return _fated("error_while_resent", "SIM:ERROR=AFIP*2", operaciones=["slow"], segundos_lenta=25.0, demora_hook=0.1)


def error_again() -> Scenario:
    """The next error comes soon after the resend."""
    return _fated("error_again", "SIM:ERROR=AFIP*2")


def two_in_order() -> Scenario:
    """Two errors of a cuenta; the one that was sent later comes first."""
    return Scenario(
        "two_in_order",
        [
            message("A-1", comentario="SIM:ERROR=AFIP*2"),
            message("A-2", comentario=FATES["numbering"]),
        ],
        {"demora_en_cola": 5.0, "barajar_hooks": 60.0},
    )


def error_at_release() -> Scenario:
    """The second error comes about when the run of the first has nothing left to do."""
    return Scenario(
        "error_at_release",
        [message("A-1", comentario=FATES["data"]), message("A-2", at=130.0, comentario=FATES["data"])],
        {"demora_en_cola": 5.0},
    )


def wordless() -> Scenario:
    """No hook ever comes: what is in error is seen by asking, and its words never."""
    return _fated("wordless", FATES["transient"], hooks_prob={"lost": 1.0})


def wordless_data() -> Scenario:
    return _fated("wordless_data", FATES["data"], hooks_prob={"lost": 1.0})


def not_shown_yet() -> Scenario:
    """Its error is told before any query shows the comprobante, and our POST had no answer."""
    return _fated("not_shown_yet", FATES["transient"], lotes=["reset_accepted"], demora_visible=700.0, demora_hook=1.0)


def blinking_in_error() -> Scenario:
    """It is nowhere for a moment, just when it is asked about and absence would count."""
    scenario = _fated("blinking_in_error", "SIM:ERROR=AFIP*4")
    scenario.asked = partial(_blink, hidden=[])
    return scenario


def _blink(world: World, alias: str, reference: str, *, hidden: list[bool]) -> None:
    for item in world.proveedor.cola.named(alias, reference):
        if not hidden and world.now >= item.aceptado + world.quiet:
            hidden.append(True)
            item.oculto_hasta = world.now + timedelta(seconds=20)
            world.note("provider", "it is nowhere for a moment", reference)


def deleted_on_the_web() -> Scenario:
    scenario = _fated("deleted_on_the_web", "SIM:ERROR=AFIP*3")
    scenario.timed = [(130.0, lambda w: w.proveedor.web_delete("norte", "A-1"))]
    return scenario


def deleted_silently() -> Scenario:
    """Deleted on the web, and no hook tells."""
    scenario = _fated("deleted_silently", "SIM:ERROR=AFIP*3")
    scenario.timed = [(130.0, lambda w: w.proveedor.web_delete("norte", "A-1", notify=False))]
    return scenario


def refused_then_data() -> Scenario:
    """Refused, corrected, and then in error for its data: the words may be of the first."""
    fixed = message("A-1", version=2, comentario=FATES["data"])
    return Scenario("refused_then_data", [message("A-1", fate="refused", correction=fixed)], {"demora_hook": 30.0})


def run_is_stopped() -> Scenario:
    """Somebody stops the execution; its lease expires, and the reconciliation starts another."""
    scenario = _fated("run_is_stopped", FATES["transient"])
    scenario.timed = [(60.0, lambda w: w.steps.abort("norte"))]
    return scenario


def lost_lease() -> Scenario:
    """A run has lost its lease to another one while it was about to act."""
    scenario = _fated("lost_lease", FATES["transient"])
    scenario.asked = partial(_lose_lease, lost=[])
    return scenario


def _lose_lease(world: World, alias: str, reference: str, *, lost: list[bool]) -> None:
    """Between two of its calls: a task of the same execution of which nobody heard gave it back, and another began."""
    assert world.running is not None
    if world.running.event.get("paso") == "actuar" and not lost:
        lost.append(True)
        key = {"pk": {"S": "CUENTAS"}, "sk": {"S": alias}}
        given = {":other": {"S": f"{alias}-2"}, ":two": {"N": "2"}}
        update = {"TableName": TABLE, "Key": key, "UpdateExpression": "SET corrida = :other, corrida_numero = :two"}
        by_moto("dynamodb", "UpdateItem", update | {"ExpressionAttributeValues": given})
        world.note("world", "another run has the lease", reference)


def note_is_left() -> Scenario:
    """Its run is stopped when it has just resent it; the next error comes when nobody has looked since."""
    scenario = _fated("note_is_left", "SIM:ERROR=AFIP*2")
    scenario.timed = [
        (60.0, lambda w: w.plan.update(demora_en_cola=430.0)),
        (150.0, lambda w: w.steps.abort("norte")),
    ]
    return scenario


def turned_away() -> Scenario:
    """The provider takes no resend just now, and says so."""
    return _fated("turned_away", FATES["transient"], operaciones=["429"])


def resent_on_the_web() -> Scenario:
    """Somebody resends it there, and it stays in that queue for four days."""
    scenario = _fated("resent_on_the_web", FATES["transient"])
    scenario.timed = [(40.0, _resend_on_the_web)]
    return scenario


def _resend_on_the_web(world: World, tries: int = 100) -> None:
    """As soon as it is there in error; nobody does if it was resent from here before."""
    if any(item.estado == CON_ERROR for item in world.proveedor.cola.named("norte", "A-1")):
        world.plan.update(demora_en_cola=4 * 86_400.0)
        world.proveedor.cola.resend("norte", "A-1")
        world.note("a person", "resends it on the web", "A-1")
    elif tries:
        world.later(20.0, partial(_resend_on_the_web, tries=tries - 1))


def twin_tasks() -> Scenario:
    """Each task of a run is taken for dead, and begun again while it is still asking."""
    scenario = _fated("twin_tasks", FATES["transient"], consultas_prob={"slow": 1.0}, segundos_lenta=9.0)
    scenario.twins = ["tomar", "planear", "actuar", "soltar"]
    return scenario


def twin_without_answer() -> Scenario:
    """One of two tasks is not answered, and pauses the run while the other is at work."""
    scenario = _fated("twin_without_answer", FATES["transient"], consultas=["ok", "ok", "hang"])
    scenario.twins = ["actuar"]
    return scenario


def succession() -> Scenario:
    """Its run has gone on for so long that a successor must take over, with something left to do."""
    scenario = _fated("succession", "SIM:ERROR=AFIP*2")
    scenario.first_run = {"vuelta": 199}
    return scenario


def decided(accion: Accion, comentario: str, name: str) -> Scenario:
    """Left to a person, who decides."""
    scenario = _fated(f"decided {name}", comentario)
    scenario.timed = [(900.0, partial(a_person_decides, reference="A-1", accion=accion))]
    return scenario


def given_up() -> Scenario:
    """It never came to be at the provider. A person gives it up a moment before its message comes again."""
    scenario = Scenario("given_up", [message("A-1")], {"lotes_prob": {"reset_dropped": 1.0}})
    scenario.timed = [(11_190.0, partial(a_person_decides, reference="A-1", accion=Accion.ELIMINAR))]
    return scenario


def a_person_decides(world: World, *, reference: str, accion: Accion, alias: str = "norte") -> None:
    """As the console does it: the decision in the ledger, then a run. A death between is reconcile's to heal."""

    def decide(_event: Any, _context: Any) -> None:
        contraster = app_of("follow")._contraster()
        asiento = contraster.finishing.ledger.get(alias, reference)
        if asiento is None or asiento.estado != "EN_REVISION":
            return
        if accion is Accion.REENVIAR:
            world.proveedor.web_fix_account(alias)
        written = contraster.finishing.ledger.decide(
            asiento,
            accion,
            Autor("ana", "así lo quiere"),
            expires=timedelta(days=1),
            fecha=world.start.date() if accion is Accion.CAMBIAR_FECHA else None,
        )
        if not hasattr(written, "stored"):
            contraster.corridas.wake([written])

    world.note("a person", f"decides: {accion}", reference)
    world.invoke("follow", {}, lambda _: None, decide)


ONE_OF_EACH: tuple[Callable[[], Scenario], ...] = tuple(partial(_fated, name, fate) for name, fate in FATES.items())
UNANSWERED: tuple[Callable[[], Scenario], ...] = (
    *(
        partial(resent_without_answer, how)
        for how in ("524_accepted", "524_dropped", "reset_accepted", "reset_dropped")
    ),
    *(partial(deletion_without_answer, how) for how in ("524_accepted", "reset_dropped")),
    change_without_answer,
)
TROUBLED: tuple[Callable[[], Scenario], ...] = (
    error_while_resent,
    error_again,
    two_in_order,
    error_at_release,
    wordless,
    wordless_data,
    not_shown_yet,
    blinking_in_error,
    deleted_on_the_web,
    deleted_silently,
    refused_then_data,
    run_is_stopped,
    lost_lease,
    given_up,
    turned_away,
    note_is_left,
    resent_on_the_web,
    twin_tasks,
    twin_without_answer,
    succession,
    partial(decided, Accion.REENVIAR, FATES["account"], "to resend"),
    partial(decided, Accion.ELIMINAR, FATES["unknown"], "to delete"),
)
ERRORS = (*ONE_OF_EACH, *UNANSWERED, *TROUBLED)
