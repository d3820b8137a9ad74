"""The run that resolves errors: it does what a careful clerk would, in order, and asks the provider first."""

from __future__ import annotations

import itertools
from contextlib import suppress
from datetime import date, timedelta

import pytest
from tests.integration import world
from tests.integration.around import Killed, Watched, aws_fails

from facturacion.accion import Accion, Autor
from facturacion.estado import Estado

house = world.house
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")

REENVIAR, CAMBIAR, ELIMINAR = (f"facturacion/{op}_encolado" for op in ("reenviar", "cambiar_fecha", "eliminar"))
SECONDS = {"settle": 60, "wait": 300, "quiet": 7200}


def in_error(house, *kinds, follow=True, **plan):
    """One comprobante `E-{n}` of each kind, sent, and in error at the provider; the hook told so."""
    house.plan.update(**plan)
    references = [f"E-{n}" for n, _ in enumerate(kinds)]
    for reference, kind in zip(references, kinds, strict=True):
        house.put(house.message(reference, comentario=f"SIM:ERROR={kind}"))
    assert house.pack() == []
    house.clock.advance(seconds=5)
    house.deliver()
    if follow:
        house.follow()
        assert house.estados(*references) == {"ERROR"}
    return references


def healed(house, *, steps=1, **step):
    """Every run to its end, and then what the schedule does in `steps`."""
    house.run_errors()
    house.settle()
    for _ in range(steps):
        house.clock.advance(**(step or {"minutes": 6}))
        house.settle()
        house.reconcile()
        house.run_errors()
    house.settle()
    house.reconcile()


def operations(house):
    """(operation, reference) of every one that reached the provider, in order."""
    return [(op.metodo.removesuffix("_encolado"), op.referencia) for op in house.proveedor.operaciones]


def minutes_between_resends(house):
    moments = [op.momento for op in house.proveedor.operaciones if op.metodo == "reenviar_encolado"]
    return [(b - a) / timedelta(minutes=1) for a, b in itertools.pairwise(moments)]


def actions(house, reference):
    return [i for i in house.items() if i["sk"]["S"].startswith("ACCION#") and i["pk"]["S"].endswith(f"#{reference}")]


def by_hand(house, reference, **fields):
    """What a person, or another system, enters on the provider's web."""
    body = house.message(reference, cuenta=None, **fields)
    return {"cliente": body["cliente"], "comprobante": body["comprobante"]}


# -- each class of error


@pytest.mark.parametrize("kind", ["AFIP*1", "AMBIGUO", "SIN_CAE", "10016*1", "10016*2"])
def test_what_may_be_authorised_or_passes_by_itself_is_resent_until_it_is_issued(house, kind):
    (reference,) = in_error(house, kind)
    healed(house, steps=3)
    assert house.estado(reference) == "EMITIDO"
    assert house.calls(REENVIAR) == (2 if kind == "10016*2" else 1)
    assert house.calls(CAMBIAR) == house.calls(ELIMINAR) == 0
    house.assert_nothing_twice()


def test_a_resend_waits_three_times_as_long_each_time(house):
    in_error(house, "AFIP*3")
    healed(house, steps=12, minutes=10)
    assert house.estado("E-0") == "EMITIDO"
    first, second = minutes_between_resends(house)
    assert 15 <= first < 18 and 45 <= second < 57


def test_an_error_that_stays_is_resent_five_times_and_then_a_person_is_asked(house):
    (reference,) = in_error(house, "AFIP*99")
    healed(house, steps=60, minutes=15)
    assert house.estado(reference) == "EN_REVISION"
    assert house.calls(REENVIAR) == 5
    assert house.details(reference, "RevisionRequerida")[-1]["causas"]


def test_a_date_that_arca_refuses_is_moved_with_its_vencimiento_and_resent(house):
    house.put(house.message("E-0", fecha="01/02/2026", vencimiento="11/02/2026"))
    house.plan.update(ventana_legal=True)
    house.pack()
    house.clock.advance(seconds=5)
    house.deliver()
    house.follow()
    assert house.estado("E-0") == "ERROR"
    healed(house)
    asiento = house.asiento("E-0")
    assert asiento.estado is Estado.EMITIDO
    assert (asiento.datos.fecha, asiento.datos.vencimiento) == (date(2026, 3, 2), date(2026, 3, 12))
    assert [op for op, _ in operations(house)] == ["cambiar_fecha", "reenviar"]


def test_where_a_change_of_date_queues_it_again_nothing_more_is_sent(house):
    in_error(house, "10036", cambio_fecha_reencola=True)
    healed(house)
    assert house.estado("E-0") == "EMITIDO"
    assert operations(house) == [("cambiar_fecha", "E-0")]


def test_what_arca_takes_for_out_of_order_is_resent_twice_and_then_its_date_is_moved(house):
    in_error(house, "10016")
    healed(house, steps=8, minutes=10)
    assert house.estado("E-0") == "EMITIDO"
    assert [op for op, _ in operations(house)] == ["reenviar", "reenviar", "cambiar_fecha", "reenviar"]


def test_a_date_is_never_before_the_last_issued_of_its_tipo(house):
    """Somebody issued one dated in three days by hand; the queue's may not be before it."""
    house.proveedor.web_submit("norte", by_hand(house, "W-1", fecha="05/03/2026", vencimiento="05/03/2026"))
    house.proveedor.web_issue("norte", "W-1")
    in_error(house, "FECHA")
    healed(house)
    assert house.asiento("E-0").datos.fecha == date(2026, 3, 5)


def test_wrong_data_is_deleted_and_its_sender_told_what_to_correct(house):
    (reference,) = in_error(house, "DATOS")
    healed(house)
    assert house.estado(reference) == "ELIMINADO" and not house.asiento(reference).abierto
    (event,) = house.details(reference, "ComprobanteEliminado")
    (causa,) = event["causas"]
    assert causa["codigo"] == event["codigo"] == "AFIP-10032" and "FchServDesde" in causa["mensaje"]
    house.send("E-0-r2", reemplaza="E-0")
    house.settle()
    assert house.asiento(reference).reemplazado_por == "E-0-r2"


def test_wrong_data_of_a_second_attempt_is_not_deleted(house, dynamodb):
    """The words may be of the attempt before: a person looks."""
    in_error(house, "DATOS")
    change(dynamodb, "E-0", previos=1)
    healed(house)
    assert house.estado("E-0") == "EN_REVISION" and house.calls(ELIMINAR) == 0


def test_a_text_nobody_has_seen_is_parked_and_left_alone_at_the_provider(house):
    (reference,) = in_error(house, "DESCONOCIDO")
    healed(house)
    assert house.estado(reference) == "EN_REVISION"
    assert operations(house) == []
    (event,) = house.details(reference, "RevisionRequerida")
    assert event["codigo"] == "AFIP-99731" and "padron federal" in event["causas"][0]["mensaje"]
    assert house.counts["ErroresDesconocidos"] == house.counts["Estacionados"] == 1


def test_what_is_wrong_with_the_cuenta_is_one_incident_whatever_it_holds_up(house):
    references = in_error(house, *["CONFIG"] * 5)
    healed(house)
    assert house.estados(*references) == {"EN_REVISION"}
    told = [reference for reference in references if house.details(reference, "RevisionRequerida")]
    assert told == [house.posts()[0][0]]
    assert operations(house) == []


def test_an_error_whose_words_were_lost_is_resent_once_they_had_time_to_come(house):
    house.plan.update(hooks_prob={"lost": 1.0})
    house.put(house.message("E-0", comentario="SIM:ERROR=AFIP*1"))
    house.pack()
    house.clock.advance(minutes=6)
    house.reconcile()
    assert house.estado("E-0") == "ERROR" and house.executions() == ["norte-1"]
    house.run_errors()
    assert operations(house) == []
    healed(house, steps=24, minutes=10)
    assert operations(house) == [("reenviar", "E-0")] and house.estado("E-0") == "EMITIDO"


def test_an_error_whose_words_never_come_is_a_persons_in_the_end(house):
    house.plan.update(hooks_prob={"lost": 1.0})
    house.put(house.message("E-0", comentario="SIM:ERROR=DATOS"))
    house.pack()
    healed(house, steps=60, minutes=10)
    assert house.estado("E-0") == "EN_REVISION" and house.calls(REENVIAR) == 2
    (event,) = house.details("E-0", "RevisionRequerida")
    assert event["codigo"] == "CausaDesconocida"


# -- the provider first


def test_what_was_issued_by_hand_is_accepted_as_the_truth(house):
    in_error(house, "DATOS")
    house.proveedor.web_issue("norte", "E-0")
    healed(house)
    assert house.estado("E-0") == "EMITIDO" and operations(house) == []


def test_what_was_deleted_by_hand_is_eliminado_once_its_absence_is_believed(house):
    in_error(house, "AFIP*9", hooks_prob={})
    house.plan.update(hooks_prob={"lost": 1.0})
    house.proveedor.web_delete("norte", "E-0")
    healed(house, steps=20, minutes=10)
    assert house.estado("E-0") == "ELIMINADO" and operations(house) == []
    assert house.events("E-0")[-1] == "ComprobanteEliminado"


def test_more_than_one_with_the_reference_is_never_acted_on(house):
    in_error(house, "DATOS")
    house.proveedor.web_submit("norte", by_hand(house, "E-0", comentario="SIM:APROBACION"))
    healed(house)
    assert house.estado("E-0") == "EN_REVISION" and operations(house) == []
    assert house.details("E-0", "RevisionRequerida")[0]["codigo"] == "ReferenciaDuplicada"


def test_while_the_provider_reports_an_outage_nothing_is_resent_and_the_note_says_so(house):
    in_error(house, "AFIP*1")
    house.plan.update(afip_caida=True)
    for _ in range(6):
        house.clock.advance(minutes=5)
        house.reconcile()
        house.run_errors(rounds=12)
    assert operations(house) == [] and house.counts["ReenviosEnEspera"]
    house.plan.update(afip_caida=False)
    healed(house, steps=3)
    assert house.estado("E-0") == "EMITIDO" and house.calls(REENVIAR) == 1


@pytest.mark.parametrize("fault", ["maintenance", "429", "524_accepted", "524_dropped", "reset_accepted", "500_before"])
def test_an_operation_that_fails_is_asked_about_and_never_blindly_repeated(house, fault):
    in_error(house, "DATOS", "AFIP*1")
    house.plan.update(operaciones=[fault])
    healed(house, steps=6)
    assert house.estado("E-0") == "ELIMINADO" and house.estado("E-1") == "EMITIDO"
    house.assert_nothing_twice()


def test_what_the_provider_turned_away_waits_from_its_answer_however_slow_the_way_there_was(house):
    in_error(house, "AFIP*1")
    house.clock.advance(minutes=10)
    begin = house.ledger._begin

    def slowly(*args, **kwargs):
        line = begin(*args, **kwargs)
        house.clock.advance(minutes=1)
        return line

    house.monkeypatch.setattr(house.ledger, "_begin", slowly)
    house.plan.update(operaciones=["429"])
    for task in ("tomar", "planear", "actuar"):
        house.task(task, "norte-1")
    assert house.calls(REENVIAR) == 1
    assert house.ledger.get("norte", "E-0").intentado == house.clock()


# -- order, and one run at a time


def test_a_burst_of_errors_makes_one_run_and_resends_leave_in_the_original_order(house):
    references = [f"E-{n:02d}" for n in range(12)]
    for reference in references:
        house.put(house.message(reference, comentario="SIM:ERROR=AFIP*1"))
    house.pack()
    house.clock.advance(seconds=5)
    house.deliver()
    house.follow()
    assert house.executions() == ["norte-1"]
    healed(house)
    assert [reference for _, reference in operations(house)] == house.posts()[0]
    assert house.executions("ABORTED") == ["norte-1"] and house.estados(*references) == {"EMITIDO"}


def test_a_resend_does_not_overtake_an_earlier_one_that_still_waits(house):
    in_error(house, "AFIP*2")
    house.clock.advance(minutes=20)
    house.run_errors(rounds=12)
    house.settle()
    house.put(house.message("Z-9", comentario="SIM:ERROR=AFIP*1"))
    house.settle()
    healed(house, steps=20, minutes=3)
    assert [r for _, r in operations(house)] == ["E-0", "E-0", "Z-9"]


def test_a_deletion_waits_for_nobody(house):
    in_error(house, "AFIP*1", "DATOS")
    house.task("tomar", "norte-1")
    house.task("planear", "norte-1")
    house.task("actuar", "norte-1")
    assert operations(house) == [("eliminar", "E-1")]


def test_a_second_run_of_a_cuenta_does_nothing(house):
    in_error(house, "DATOS")
    assert house.task("tomar", "norte-1")["siguiente"] == "asentar"
    assert house.task("tomar", "norte-2")["siguiente"] == "fin"
    assert house.task("planear", "norte-2")["siguiente"] == "fin"


def test_a_run_that_lost_its_lease_sends_nothing_more(house):
    in_error(house, "DATOS")
    house.task("tomar", "norte-1")
    house.task("planear", "norte-1")
    house.clock.advance(hours=1)
    assert house.task("tomar", "norte-2")["siguiente"] == "asentar"
    assert house.task("actuar", "norte-1")["siguiente"] == "fin"
    assert operations(house) == []


def test_an_error_that_races_the_release_is_not_lost(house):
    """«Lost wake-ups impossible»: the release is refused, and the same run looks again."""
    in_error(house, "DATOS")
    house.task("tomar", "norte-1")
    house.task("planear", "norte-1")
    house.task("actuar", "norte-1")
    assert house.estado("E-0") == "ELIMINADO"
    release = house.ledger.release

    def after_another_error(*args, **kwargs):
        house.put(house.message("Z-1", comentario="SIM:ERROR=DATOS"))
        house.pack()
        house.clock.advance(seconds=5)
        house.deliver()
        house.follow()
        return release(*args, **kwargs)

    house.monkeypatch.setattr(house.ledger, "release", after_another_error)
    house.task("planear", "norte-1")
    assert house.task("soltar", "norte-1")["siguiente"] == "asentar"
    house.monkeypatch.undo_release = None
    house.monkeypatch.setattr(house.ledger, "release", release)
    assert house.executions() == ["norte-1"]
    house.run_errors()
    assert house.estado("Z-1") == "ELIMINADO"


def test_an_error_that_comes_during_our_own_resend_is_not_swallowed(house):
    """It is stored, and folded, between the call and its record."""
    in_error(house, "AFIP*2")
    resent = house.ledger.resent

    def after_the_next_error(*args, **kwargs):
        house.monkeypatch.setattr(house.ledger, "resent", resent)
        house.clock.advance(seconds=5)
        house.deliver()
        house.follow()
        return resent(*args, **kwargs)

    house.monkeypatch.setattr(house.ledger, "resent", after_the_next_error)
    house.run_errors(rounds=14)
    assert house.estado("E-0") in {"ERROR", "EMITIDO"} and house.calls(REENVIAR) == 1
    healed(house, steps=6)
    assert house.estado("E-0") == "EMITIDO"


def test_a_run_whose_execution_died_is_started_again_when_its_lease_has_expired(house):
    in_error(house, "DATOS")
    house.task("tomar", "norte-1")
    house.end("norte-1")
    house.reconcile()
    assert house.executions() == []
    house.clock.advance(minutes=10)
    house.reconcile()
    assert house.executions() == ["norte-2"]
    healed(house)
    assert house.estado("E-0") == "ELIMINADO"


def test_the_name_of_an_execution_that_never_took_the_lease_holds_nobody_up(house):
    in_error(house, "DATOS")
    house.end("norte-1")
    house.reconcile()
    assert house.executions() == ["norte-2"]


def test_a_cuenta_without_secret_pauses_its_run_instead_of_turning(house, aws):
    in_error(house, "DATOS")
    aws("secretsmanager").delete_secret(SecretId="facturacion/cuentas/norte", ForceDeleteWithoutRecovery=True)
    house.clock.advance(minutes=16)
    assert house.run_errors(rounds=5) == ["tomar", "planear"]
    assert house.ledger.arriendo("norte").debida > house.clock()


def test_a_hook_starts_its_run_under_the_next_name_where_one_was_used_up(house):
    in_error(house, "DATOS", follow=False)
    house.use_up("norte-1")
    house.follow()
    assert house.executions() == ["norte-2"]


def test_a_successor_takes_the_next_name_where_one_was_used_up(house):
    in_error(house, "DATOS")
    house.task("tomar", "norte-1")
    house.use_up("norte-2")
    assert house.task("planear", "norte-1", vuelta=200)["siguiente"] == "fin"
    assert house.executions() == ["norte-1", "norte-3"]


def test_after_two_hundred_rounds_a_successor_goes_on(house):
    in_error(house, "DATOS")
    house.task("tomar", "norte-1")
    assert house.task("planear", "norte-1", vuelta=200)["siguiente"] == "fin"
    assert "norte-2" in house.executions()


def test_a_slice_ends_with_time_left_and_the_next_one_goes_on(house):
    in_error(house, "DATOS", "DATOS", "DATOS")
    house.task("tomar", "norte-1")
    house.task("planear", "norte-1")
    assert house.task("actuar", "norte-1", seconds=80)["siguiente"] == "actuar"
    assert operations(house) == []
    house.task("actuar", "norte-1")
    assert len(operations(house)) == 3


# -- the timeline, and crashes


def test_every_action_is_on_the_timeline_before_and_after(house):
    in_error(house, "DATOS")
    house.run_errors()
    (line,) = actions(house, "E-0")
    assert line["accion"]["S"] == "eliminar" and line["quien"]["S"] == "norte-1"
    assert line["resultado"]["S"] == "Hecho" and line["motivo"]["S"] == "AFIP-10032"


@pytest.mark.parametrize("step", ["intend", "deleted", "ended", "set_plan", "drop"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_crash_at_any_step_of_a_deletion_deletes_once_and_loses_nothing(house, step, moment):
    in_error(house, "DATOS")
    killed = []

    def die(name):
        if name == step and not killed:
            killed.append(name)
            raise Killed

    ledger = house.ledger
    watched = Watched(ledger, **{moment: die})
    house.ledger = watched
    with suppress(Killed):
        house.run_errors()
    house.ledger = ledger
    house.end("norte-1")
    house.clock.advance(minutes=10)
    healed(house, steps=30, minutes=10)
    assert killed == [step] and house.estado("E-0") == "ELIMINADO"
    assert [op for op, _ in operations(house)].count("eliminar") == 1
    assert "ComprobanteEliminado" in house.events("E-0")


def test_a_wake_up_that_aws_refuses_brings_the_hook_again(house, aws):
    in_error(house, "DATOS", follow=False)
    with aws_fails(aws("stepfunctions"), "StartExecution"):
        assert house.follow()["batchItemFailures"]
    assert house.follow()["batchItemFailures"] == [] and house.executions() == ["norte-1"]


# -- what a person decided


def decide(house, reference, accion, **more):
    autor = Autor("arn:aws:iam::123456789012:user/ana", "se habló con el cliente")
    asiento = house.ledger.decide(house.asiento(reference), accion, autor, expires=timedelta(days=400), **more)
    house.corridas.wake([asiento])
    return asiento


def test_a_parked_comprobante_is_resent_when_a_person_says_so(house):
    in_error(house, "CONFIG")
    healed(house)
    house.proveedor.web_fix_account("norte")
    decide(house, "E-0", Accion.REENVIAR)
    healed(house)
    assert house.estado("E-0") == "EMITIDO"
    (line,) = [i for i in house.items() if i["sk"]["S"].startswith("DECISION#")]
    assert line["quien"]["S"].endswith("user/ana") and line["motivo"]["S"] == "se habló con el cliente"


def test_a_person_may_delete_change_the_date_or_give_up(house):
    references = in_error(house, "DESCONOCIDO", "DESCONOCIDO*1", "DESCONOCIDO")
    healed(house)
    decide(house, references[0], Accion.ELIMINAR)
    decide(house, references[1], Accion.CAMBIAR_FECHA, fecha=date(2026, 3, 3))
    decide(house, references[2], Accion.DESISTIR)
    healed(house)
    house.clock.advance(hours=24)
    healed(house)
    assert [house.estado(r) for r in references] == ["ELIMINADO", "EMITIDO", "ELIMINADO"]
    assert house.asiento(references[1]).datos.fecha == date(2026, 3, 3)


def test_a_decision_about_what_was_issued_meanwhile_is_not_done(house):
    in_error(house, "DESCONOCIDO")
    healed(house)
    house.proveedor.web_issue("norte", "E-0")
    decide(house, "E-0", Accion.ELIMINAR)
    healed(house)
    assert house.estado("E-0") == "EMITIDO" and operations(house) == []


def test_an_error_that_waits_for_its_resend_may_be_decided_about_too(house):
    in_error(house, "AFIP*9")
    house.run_errors(rounds=4)
    assert house.estado("E-0") == "ERROR" and operations(house) == []
    decide(house, "E-0", Accion.ELIMINAR)
    healed(house)
    assert house.estado("E-0") == "ELIMINADO" and operations(house) == [("eliminar", "E-0")]


def test_what_a_person_decides_about_an_error_during_our_own_resend_is_not_swallowed(house):
    in_error(house, "AFIP*9")
    resent = house.ledger.resent

    def after_a_decision(*args, **kwargs):
        house.monkeypatch.setattr(house.ledger, "resent", resent)
        decide(house, "E-0", Accion.ELIMINAR)
        return resent(*args, **kwargs)

    house.monkeypatch.setattr(house.ledger, "resent", after_a_decision)
    healed(house, steps=3)
    assert house.estado("E-0") == "ELIMINADO"
    assert operations(house) == [("reenviar", "E-0"), ("eliminar", "E-0")]


def test_the_date_that_a_person_gives_wins_over_the_one_that_was_planned(house):
    in_error(house, "FECHA")
    house.task("tomar", "norte-1")
    house.task("planear", "norte-1")
    asiento = house.asiento("E-0")
    autor = Autor("arn:aws:iam::123456789012:user/ana", "la pidió el cliente")
    house.ledger.decide(asiento, Accion.CAMBIAR_FECHA, autor, expires=timedelta(days=400), fecha=date(2026, 3, 5))
    house.task("actuar", "norte-1")
    assert operations(house) == []
    house.run_errors()
    assert house.asiento("E-0").datos.fecha == date(2026, 3, 5)


def test_an_error_that_nobody_has_seen_in_the_queue_stays_one_when_a_person_resends_it(house, dynamodb):
    """Its message was acknowledged: as uncertain, nothing would ever send it again."""
    in_error(house, "AFIP*9")
    assert not house.asiento("E-0").en_cola or forget(dynamodb, "E-0", "en_cola")
    assert decide(house, "E-0", Accion.REENVIAR).estado is Estado.ERROR


def test_a_decision_that_the_truth_overtook_is_not_done_to_the_next_error(house):
    in_error(house, "DESCONOCIDO*1")
    healed(house)
    decide(house, "E-0", Accion.CAMBIAR_FECHA, fecha=date(2026, 3, 3))
    with house.connect(house.cuentas.get("norte")) as by_another_hand:
        by_another_hand.reenviar_encolado("E-0")
    (run,) = house.executions()
    house.task("tomar", run)
    house.task("planear", run)
    assert house.estado("E-0") == "ENCOLADO" and house.asiento("E-0").decision is None


def forget(dynamodb, reference, name):
    dynamodb.update_item(
        TableName="ledger",
        Key={"pk": {"S": f"norte#{reference}"}, "sk": {"S": "ESTADO"}},
        UpdateExpression=f"REMOVE {name}",
    )
    return True


def change(dynamodb, reference, **attributes):
    for name, value in attributes.items():
        dynamodb.update_item(
            TableName="ledger",
            Key={"pk": {"S": f"norte#{reference}"}, "sk": {"S": "ESTADO"}},
            UpdateExpression=f"SET {name} = :v",
            ExpressionAttributeValues={":v": {"N": str(value)}},
        )
