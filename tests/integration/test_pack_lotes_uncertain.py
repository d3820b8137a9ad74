"""pack_lotes where the effect of a POST is not known: nothing is sent twice that the provider has, nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.integration import world
from tests.integration.around import Killed, Watched, aws_fails
from tests.sandbox.simulator.plan import OUTCOMES

from facturacion.asking import CICLOS_MAX, SENDER_MARGIN
from facturacion.tiempo import to_iso
from pack_lotes.inbox import registros
from pack_lotes.sending import send

house = world.house
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")
LOST = {"hooks_prob": {"lost": 1.0}}
QUIET = timedelta(hours=2)
ENDINGS = sorted(
    name for name, ending in OUTCOMES.items() if ending.vista in {"524", "500", "html_200", "reset", "cut", "hang"}
)


def wait(house, **by):
    """Time passes, and whatever message can be seen gets its turn."""
    house.clock.advance(**by)
    house.pack()


def uncertain(house, *references, ending="524_dropped"):
    """References whose POST ended without a trustworthy answer, every hook of them lost."""
    house.plan.update(lotes=[ending], **LOST)
    house.send(*references)
    assert len(house.pack()) == len(references)
    assert house.estados(*references) == {"INCIERTO"}


# -- the ways in which a POST ends


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_post_without_a_trustworthy_answer_is_never_repeated_blindly(house, ending):
    """«Nothing is sent twice that it has, and everything is there once the quiet period is over.»"""
    uncertain(house, "A-1", ending=ending)
    wait(house, minutes=1)
    wait(house, minutes=118 - (house.clock() - house.asiento("A-1").quieto_desde) / timedelta(minutes=1))
    has_it = ending.endswith("accepted")
    assert house.posts() == [["A-1"]], "no resend within the quiet period"
    assert house.estado("A-1") == ("EMITIDO" if has_it else "INCIERTO")
    for _ in range(5):
        wait(house, minutes=31)
    assert len(house.posts()) == (1 if has_it else 2)
    assert [item.referencia for item in house.proveedor.cola.items] == ["A-1"]
    assert house.estado("A-1") in {"ENVIADO", "EMITIDO"} and house.waiting() == 0


def test_an_unanswered_reference_is_uncertain_and_the_others_are_accepted(house):
    """«A reference that was sent and appears nowhere in the answer is Incierto.»"""
    house.plan.update(lotes=["mention_missing"], demora_en_cola=86_400, **LOST)
    house.send("A-1", "A-2", "A-3")
    assert len(house.pack()) == 1
    assert sorted(house.estado(reference) for reference in ("A-1", "A-2", "A-3")) == ["ENVIADO", "ENVIADO", "INCIERTO"]
    wait(house, minutes=1)
    assert house.estados("A-1", "A-2", "A-3") == {"ENVIADO", "ENCOLADO"}
    assert house.waiting() == 0 and len(house.posts()) == 1


def test_absence_is_believed_at_the_second_answer_a_settle_after_the_first(house):
    """«Absent is believed at the second absent answer, at least SettleSeconds after a first one noted.»"""
    uncertain(house, "A-1")
    quiet_from = house.asiento("A-1").quieto_desde
    wait(house, minutes=60)
    wait(house, minutes=59)
    assert house.asiento("A-1").ausente_desde is None, "asked within the quiet period, absence proves nothing"
    wait(house, minutes=30)
    first = house.asiento("A-1").ausente_desde
    assert first is not None and first >= quiet_from + QUIET
    wait(house, seconds=40)
    assert (house.estado("A-1"), house.asiento("A-1").ausente_desde) == ("INCIERTO", first), "too early for a second"
    wait(house, seconds=40)
    assert (house.estado("A-1"), house.asiento("A-1").previos, house.posts()) == ("PENDIENTE", 1, [["A-1"]])
    wait(house, seconds=40)
    assert (house.estado("A-1"), house.posts()) == ("ENVIADO", [["A-1"], ["A-1"]])


def test_a_provider_that_queues_it_late_in_the_quiet_period_is_not_sent_it_again(house):
    house.plan.update(demora_fondo=7_100.0)
    uncertain(house, "A-1", ending="524_accepted")
    for _ in range(8):
        wait(house, minutes=31)
    assert (house.posts(), house.estado("A-1"), house.waiting()) == ([["A-1"]], "EMITIDO", 0)


def test_one_that_hides_for_a_moment_between_queue_and_issued_is_not_sent_again(house):
    """«An item is invisible for a moment between queue and issued»: the first absent answer decides nothing."""
    house.plan.update(demora_en_cola=7_500.0, hueco_emision=50.0)
    begun = house.clock()
    uncertain(house, "A-1", ending="524_accepted")
    house.clock.now = begun + timedelta(seconds=7_510)
    house.pack()
    assert house.asiento("A-1").ausente_desde is not None
    for _ in range(3):
        wait(house, minutes=31)
    assert (house.posts(), house.estado("A-1"), house.waiting()) == ([["A-1"]], "EMITIDO", 0)


def test_time_in_which_the_provider_does_not_answer_does_not_count(house):
    uncertain(house, "A-1")
    house.plan.update(consultas_prob={"524": 1.0})
    for _ in range(6):
        wait(house, minutes=31)
    assert (house.estado("A-1"), house.asiento("A-1").ausente_desde, house.posts()) == ("INCIERTO", None, [["A-1"]])


def test_a_hook_that_comes_while_it_is_uncertain_settles_it(house):
    uncertain(house, "A-1", ending="524_dropped")
    house.hook("A-1", "encolado", "h-1")
    house.follow()
    wait(house, minutes=1)
    assert (house.estado("A-1"), house.waiting(), house.events("A-1")) == ("ENCOLADO", 0, ["ComprobanteEncolado"])


def test_one_that_the_provider_refuses_after_the_answer_was_lost_is_told_so(house):
    """In the background its error hook is the only answer; absent ever after, with no evidence of the queue."""
    house.plan.update(lotes=["524_accepted"])
    house.send("A-1", comentario="SIM:RECHAZAR")
    house.pack()
    house.clock.advance(seconds=1)
    house.deliver()
    house.follow()
    assert house.estado("A-1") == "ERROR"
    house.run(steps=8, minutes=20)
    assert (house.estado("A-1"), house.waiting(), house.posts()) == ("RECHAZADO", 0, [["A-1"]])
    assert house.details("A-1", "ComprobanteRechazado")[0]["causas"]


def test_one_that_gets_lost_each_time_is_given_to_a_person_in_the_end(house):
    """«Cycles INCIERTO → PENDIENTE are bounded, then EN_REVISION.»"""
    house.plan.update(lotes=["524_dropped"] * 9, **LOST)
    house.send("A-1")
    house.pack()
    for _ in range(CICLOS_MAX + 1):
        wait(house, minutes=150)
        wait(house, minutes=31)
        wait(house, minutes=31)
    assert (len(house.posts()), house.estado("A-1")) == (CICLOS_MAX + 1, "EN_REVISION")
    assert house.waiting() == 1, "the message may be all that is left of the comprobante"
    house.reconcile()
    assert house.details("A-1", "RevisionRequerida")[0]["codigo"] == "EnviosAgotados"


def test_a_second_comprobante_under_the_reference_is_a_persons(house):
    """«More than one equal reference is a duplicate: never acted on blindly.»"""
    house.plan.update(demora_en_cola=86_400)
    uncertain(house, "A-1", ending="524_accepted")
    house.proveedor.web_submit("norte", house.message("A-1", cuenta=None))
    wait(house, minutes=1)
    assert (house.estado("A-1"), house.waiting()) == ("EN_REVISION", 0)
    assert house.details("A-1", "RevisionRequerida")[0]["codigo"] == "ReferenciaDuplicada"


def test_a_total_without_an_equal_reference_is_a_persons(house):
    """«total > 0 with no equal reference is uncertain → a person.»"""
    house.plan.update(ext_ref="parcial", demora_en_cola=86_400)
    house.send("A-11")
    house.pack()
    uncertain(house, "A-1")
    wait(house, minutes=31)
    assert house.estado("A-1") == "INCIERTO", "while the provider may still queue it, it is only early"
    for _ in range(5):
        wait(house, minutes=31)
    assert (house.estado("A-1"), house.posts().count(["A-1"]), house.waiting()) == ("EN_REVISION", 1, 1)


# -- deaths


def steps_of_a_lote(house):
    """(part of the world, method) in the order in which one comprobante's invocation calls them."""
    called = []
    parts = {"ledger": house.ledger, "bus": house.bus, "sqs": house.aws("sqs")}
    watched = {n: Watched(t, before=lambda method, n=n: called.append((n, method))) for n, t in parts.items()}

    def connect(cuenta):
        return Watched(house.connect(cuenta), before=lambda method: called.append(("cliente", method)))

    house.send("FIRST")
    house.pack(connect=connect, **watched)
    assert house.estado("FIRST") == "ENVIADO"
    return called


def test_whatever_call_is_the_last_of_an_invocation_the_comprobante_is_sent_once(house):
    """Lambda dies right before and right after each call to AWS and to the provider; what is left is healed."""
    house.plan.update(demora_en_cola=86_400, **LOST)
    steps = steps_of_a_lote(house)
    assert ("cliente", "lotes_encola") in steps and ("ledger", "claim") in steps and ("bus", "publish") in steps
    references = []
    for n, (part, method) in enumerate(steps):
        for side in ("before", "after"):
            references.append(f"D-{n:02d}-{side}")
            house.clock.advance(seconds=1)
            house.send(references[-1])
            die_at(house, part, method, side)
    assert "ENVIANDO" in house.estados(*references)
    for _ in range(10):
        wait(house, minutes=31)
    house.assert_nothing_twice()
    assert sorted(i.referencia for i in house.proveedor.cola.items) == sorted(["FIRST", *references])
    assert house.estados(*references) <= {"ENVIADO", "ENCOLADO"} and house.waiting() == 0
    assert all("ComprobanteEncolado" in house.events(reference) for reference in references)


def die_at(house, part, method, side):
    def die(called):
        if called == method:
            raise Killed

    def watch(target):
        return Watched(target, **{side: die})

    parts = {"ledger": house.ledger, "bus": house.bus, "sqs": house.aws("sqs"), "connect": house.connect}
    dying = {part: watch(parts[part])} if part != "cliente" else {"connect": lambda c: watch(house.connect(c))}
    with pytest.raises(Killed):
        house.pack(**dying)


def test_a_message_that_two_invocations_have_at_once_is_posted_once(house):
    """«SQS delivers at least once»: the second has its turn at each step of the first."""
    house.plan.update(demora_en_cola=86_400, **LOST)
    steps = steps_of_a_lote(house)
    references = []
    for n, (part, method) in enumerate(steps):
        references.append(f"T-{n:02d}")
        house.clock.advance(seconds=1)
        house.send(references[-1])
        event = house.receive()
        parts = {"ledger": house.ledger, "bus": house.bus, "sqs": house.aws("sqs"), "connect": house.connect}
        target = parts.get(part)
        turns = []

        def second(called, method=method, event=event, turns=turns):
            if called == method and not turns:
                turns.append(send(registros(event), house.outside(), house.settings))

        def watched(cuenta, second=second):
            return Watched(house.connect(cuenta), before=second)

        seams = {part: Watched(target, before=second)} if target else {"connect": watched}
        send(registros(event), replace(house.outside(), **seams), house.settings)
        assert turns, (part, method)
    assert house.estados(*references) <= {"ENVIADO", "ENCOLADO"}
    assert sorted(r for post in house.posts() for r in post) == sorted(["FIRST", *references])


def test_an_enviando_that_is_somebodys_is_left_alone(house):
    """«ENVIANDO before post_hasta + the provider's timeout + 5 s → it is somebody's, leave it.»"""
    house.plan.update(**LOST)
    house.send("A-1")
    with pytest.raises(Killed):
        house.pack(connect=lambda c: Watched(house.connect(c), before=die_on_post))
    claimed = house.asiento("A-1")
    alive_until = claimed.post_hasta + house.settings.provider_timeout + SENDER_MARGIN
    house.send("A-1")
    house.clock.now = alive_until - timedelta(seconds=1)
    assert len(house.pack()) == 1
    assert house.asiento("A-1") == claimed and house.calls() == 0 and house.posts() == []
    house.clock.now = alive_until + timedelta(seconds=60)
    assert len(house.pack()) == 1
    assert house.calls() == 1 and house.posts() == [] and house.asiento("A-1") == claimed


def die_on_post(method):
    if method == "lotes_encola":
        raise Killed


def test_a_post_that_is_past_its_deadline_is_given_back_unsent(house):
    """«The sender checks the clock just before the POST and gives the claim back unsent if it is past.»"""
    slow = Watched(house.ledger, after=lambda method: method == "claim" and house.clock.advance(seconds=25))
    house.send("A-1")
    assert len(house.pack(ledger=slow)) == 1
    assert (house.estado("A-1"), house.posts()) == ("PENDIENTE", [])
    house.clock.advance(hours=1)
    assert house.pack() == [] and house.posts() == [["A-1"]]


def test_a_lote_that_is_slow_to_claim_leaves_with_what_it_has(house):
    slow = Watched(house.ledger, after=lambda method: method == "claim" and house.clock.advance(seconds=6))
    house.send("A-1", "A-2", "A-3")
    assert house.pack(ledger=slow) == []
    assert sorted(len(post) for post in house.posts()) == [1, 2]


def test_the_post_leaves_within_the_deadline_that_the_claim_wrote(house):
    claims = []
    watched = Watched(house.ledger, after=lambda method: method == "claim" and claims.append(house.asiento("A-1")))
    house.send("A-1")
    house.pack(ledger=watched)
    (claim,) = claims
    (post,) = house.proveedor.posts
    assert claim.estado == "ENVIANDO" and post.momento <= claim.post_hasta == claim.quieto_desde
    assert claim.orden.startswith(to_iso(house.clock()))


def test_a_ledger_that_fails_after_the_post_leaves_it_to_be_asked_about(house, aws):
    house.plan.update(demora_en_cola=86_400, **LOST)
    house.send("A-1")

    def is_the_record(params):
        return params["ExpressionAttributeValues"].get(":set_estado") == {"S": "ENVIADO"}

    with aws_fails(aws("dynamodb"), "UpdateItem", is_the_record):
        assert len(house.pack()) == 1
    assert house.estado("A-1") == "ENVIANDO"
    wait(house, minutes=10)
    assert (house.estado("A-1"), house.posts(), house.waiting()) == ("ENCOLADO", [["A-1"]], 0)


def test_a_hook_that_overtakes_the_providers_answer_is_not_overwritten(house):
    """«A hook was faster than our record of the acceptance: the state stays, the evidence is kept.»"""
    house.plan.update(lotes=["hook_first"], segundos_lenta=2.0, demora_en_cola=1.0)
    fold_at_once(house)
    house.send("A-1")
    assert house.pack() == []
    asiento = house.asiento("A-1")
    assert (asiento.estado, asiento.en_cola, house.posts()) == ("EMITIDO", True, [["A-1"]])


def test_an_error_that_overtakes_our_record_keeps_the_evidence_of_the_acceptance(house):
    """Without it, an error that is absent later would pass for one that never entered the queue."""
    house.plan.update(demora_en_cola=86_400, **LOST)

    def error_first(method):
        if method == "lotes_encola":
            house.hook("A-1", "error", "h-1", "Cod. Error: #6661145.10016 - x")
            house.follow()

    house.send("A-1")
    assert house.pack(connect=lambda cuenta: Watched(house.connect(cuenta), after=error_first)) == []
    asiento = house.asiento("A-1")
    assert (asiento.estado, asiento.en_cola, house.waiting()) == ("ERROR", True, 0)


def fold_at_once(house):
    """The stream keeps up with the hooks while the provider still thinks."""
    deliver = house._deliver

    def deliver_and_follow(entrega):
        status = deliver(entrega)
        house.follow()
        return status

    house.transport = world.as_transport(house.proveedor, dormir=house._sleep, entregar=deliver_and_follow)
