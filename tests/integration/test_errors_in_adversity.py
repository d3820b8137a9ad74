"""What could go wrong with an error: races with our own hooks, operations that are refused, duplicates, crashes."""

from __future__ import annotations

from datetime import date, timedelta

import httpx
import pytest
from tests.integration import world
from tests.integration.around import Killed
from tests.integration.test_resolve_errors import (
    ELIMINAR,
    REENVIAR,
    by_hand,
    decide,
    healed,
    in_error,
    minutes_between_resends,
    operations,
)

from facturacion.accion import Accion
from facturacion.estado import Estado

house = world.house
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")


def deliver_before(house, name, *, seconds=5):
    """The hooks of our own operation are folded between the call and its record `name`."""
    original = getattr(house.ledger, name)

    def late(*args, **kwargs):
        house.monkeypatch.setattr(house.ledger, name, original)
        house.clock.advance(seconds=seconds)
        house.deliver()
        house.follow()
        return original(*args, **kwargs)

    house.monkeypatch.setattr(house.ledger, name, late)


def test_a_deletion_that_the_provider_refuses_is_not_repeated_for_ever(house):
    in_error(house, "DATOS SIM:NO_BORRAR")
    house.run_errors(rounds=100)
    assert house.calls(ELIMINAR) <= 5, (house.calls(ELIMINAR), house.estado("E-0"))


def test_a_deletion_by_a_date_that_the_provider_does_not_know_is_not_repeated_for_ever(house):
    in_error(house, "DATOS", eliminar_por_fecha="original")
    house.proveedor.web_change_date("norte", "E-0", "04/03/2026", "04/03/2026")
    house.clock.advance(days=3)
    house.settle()
    house.run_errors(rounds=100)
    assert house.calls(ELIMINAR) <= 5, (house.calls(ELIMINAR), house.estado("E-0"))


def test_quota_exhausted_does_not_use_up_the_resends(house):
    in_error(house, "AFIP*1")
    house.plan.update(cupo_agotado=True)
    healed(house, steps=30, minutes=20)
    calls, estado = house.calls(REENVIAR), house.estado("E-0")
    house.plan.update(cupo_agotado=False)
    healed(house, steps=4, minutes=20)
    assert (estado, house.estado("E-0")) == ("ERROR", "EMITIDO"), (calls, estado, house.estado("E-0"))


def test_quota_exhausted_deletion_paces_itself(house):
    in_error(house, "DATOS", cupo_agotado=False)
    house.plan.update(cupo_agotado=True)
    for _ in range(6):
        house.run_errors(rounds=20)
        house.clock.advance(minutes=10)
        house.reconcile()
    n = house.calls(ELIMINAR)
    assert n <= 8, n


def test_an_error_that_was_noted_before_a_crash_is_not_forgotten(house):
    """The hook was lost; the contrast notes the error and dies before it asks for a run."""
    house.plan.update(hooks_prob={"lost": 1.0})
    house.put(house.message("E-0", comentario="SIM:ERROR=AFIP*1"))
    house.pack()
    house.clock.advance(minutes=6)
    ask = house.ledger.ask_for_run

    def dies(*_):
        raise Killed

    house.monkeypatch.setattr(house.ledger, "ask_for_run", dies)
    with pytest.raises(Killed):
        house.reconcile()
    house.monkeypatch.setattr(house.ledger, "ask_for_run", ask)
    healed(house, steps=40, minutes=20)
    assert house.executions("ABORTED") and house.estado("E-0") != "ERROR", house.estado("E-0")


def test_the_hook_of_our_own_change_of_date_does_not_make_us_change_it_again(house):
    in_error(house, "10036")
    deliver_before(house, "dated")
    healed(house, steps=4)
    assert [op for op, _ in operations(house)] == ["cambiar_fecha", "reenviar"], (
        operations(house),
        house.estado("E-0"),
    )


def test_a_change_of_date_whose_hook_is_always_faster_ends_issued_all_the_same(house):
    in_error(house, "10036")
    original = house.ledger.dated

    def late(*args, **kwargs):
        house.clock.advance(seconds=5)
        house.deliver()
        house.follow()
        return original(*args, **kwargs)

    house.monkeypatch.setattr(house.ledger, "dated", late)
    healed(house, steps=10, minutes=10)
    assert house.estado("E-0") == "EMITIDO", (operations(house), house.estado("E-0"))


def test_a_repeated_hook_between_plan_and_act_lets_no_later_one_overtake(house):
    in_error(house, "AFIP*1", "AFIP*1")
    first = house.posts()[0][0]
    house.task("tomar", "norte-1")
    house.clock.advance(minutes=6)
    house.ledger.renew_lease("norte", "norte-1", house.clock() + timedelta(minutes=10))
    assert house.task("planear", "norte-1")["siguiente"] == "actuar"
    house.hook(
        first,
        "error",
        "again-1",
        "informa el siguiente error: javax.ejb.EJBTransactionRolledbackException: Transaction rolled back",
    )
    house.follow()
    for _ in range(8):
        house.task("actuar", "norte-1")
        house.clock.advance(seconds=61)
        house.settle()
        house.task("planear", "norte-1")
    assert [r for _, r in operations(house)] == house.posts()[0], operations(house)


def test_a_stream_repeat_between_plan_and_act_lets_no_later_one_overtake(house):
    in_error(house, "AFIP*1", "AFIP*1")
    first = house.posts()[0][0]
    house.task("tomar", "norte-1")
    house.clock.advance(minutes=6)
    house.ledger.renew_lease("norte", "norte-1", house.clock() + timedelta(minutes=10))
    assert house.task("planear", "norte-1")["siguiente"] == "actuar"
    house.corridas.wake([house.asiento(first)])
    for _ in range(8):
        house.task("actuar", "norte-1")
        house.clock.advance(seconds=61)
        house.settle()
        house.task("planear", "norte-1")
    assert [r for _, r in operations(house)] == house.posts()[0], operations(house)


def test_what_the_provider_never_shows_does_not_keep_a_run_turning(house):
    house.hook("X-9", "encolado", "h-1")
    house.follow()
    assert house.estado("X-9") == "EN_REVISION"
    decide(house, "X-9", Accion.DESISTIR)
    done = house.run_errors(rounds=150)
    assert house.estado("X-9") != "ERROR" or not house.executions(), (len(done), house.calls(), house.estado("X-9"))
    assert house.calls() < 20, house.calls()


def test_a_decided_one_deleted_by_hand_of_unknown_reference_reaches_an_end(house):
    house.hook("X-9", "encolado", "h-1")
    house.follow()
    decide(house, "X-9", Accion.ELIMINAR)
    for _ in range(20):
        house.run_errors(rounds=30)
        house.clock.advance(minutes=30)
        house.reconcile()
    assert house.estado("X-9") == "ELIMINADO", (house.estado("X-9"), house.calls())


def test_a_decision_does_not_outlive_the_error_it_was_about(house):
    in_error(house, "DESCONOCIDO*1 SIM:ERROR=DATOS")
    healed(house)
    assert house.estado("E-0") == "EN_REVISION"
    decide(house, "E-0", Accion.REENVIAR)
    # somebody resends it on the web first: it is queued again when the run asks
    item = house.proveedor
    cola = item._cola if hasattr(item, "_cola") else item.cola
    house.plan.update(demora_en_cola=600.0)
    cola.resend("norte", "E-0")
    house.settle()
    house.run_errors(rounds=5)
    a = house.asiento("E-0")
    assert a.estado is Estado.ENCOLADO and a.decision is None, (a.estado, a.decision)


def test_what_a_change_of_date_left_to_do_ends_with_it(house):
    house.put(house.message("E-0", comentario="SIM:ERROR=10036"))
    house.plan.update(cambio_fecha_reencola=True)
    house.pack()
    house.clock.advance(seconds=5)
    house.deliver()
    house.follow()
    house.plan.update(demora_en_cola=600.0)
    house.run_errors(rounds=6)
    a = house.asiento("E-0")
    assert a.estado is Estado.ENCOLADO and not a.por_reenviar, (a.estado, a.por_reenviar)


def test_where_the_last_issued_is_not_known_no_date_is_chosen(house):
    house.proveedor.web_submit("norte", by_hand(house, "W-1", fecha="05/03/2026", vencimiento="05/03/2026"))
    house.proveedor.web_issue("norte", "W-1")
    in_error(house, "FECHA")

    def no_day(request, response):
        if request.url.path.endswith("consulta_avanzada") and "05/03/2026" in request.content.decode():
            return httpx.Response(524)
        return response

    before = house.transport
    house.answer_with(no_day)
    house.run_errors(rounds=3)
    house.transport = before
    asked = [op for op, _ in operations(house)]
    datos = house.asiento("E-0").datos
    assert "cambiar_fecha" not in asked or datos.fecha == date(2026, 3, 5), (asked, datos.fecha)


def test_a_second_review_for_the_same_cause_is_another_event(house):
    in_error(house, "DESCONOCIDO")
    healed(house)
    decide(house, "E-0", Accion.REENVIAR)
    healed(house, steps=3)
    assert house.estado("E-0") == "EN_REVISION" and house.calls(REENVIAR) == 1
    told = house.details("E-0", "RevisionRequerida")
    assert len({e["evento_id"] for e in told}) == 2, [e["evento_id"] for e in told]


def test_an_incident_that_was_mended_is_told_again_when_it_comes_back(house):
    in_error(house, "CONFIG")
    healed(house)
    house.proveedor.web_fix_account("norte")
    decide(house, "E-0", Accion.REENVIAR)
    healed(house, steps=2)
    assert house.estado("E-0") == "EMITIDO"
    house.clock.advance(days=2)
    house.put(house.message("Z-1", comentario="SIM:ERROR=CONFIG"))
    house.settle()
    house.clock.advance(seconds=5)
    house.settle()
    healed(house)
    assert house.estado("Z-1") == "EN_REVISION"
    assert house.details("Z-1", "RevisionRequerida"), "nobody is told"


@pytest.mark.parametrize("hook_first", [False, True])
def test_what_was_deleted_in_part_stays_a_persons(house, hook_first):
    """A second one of the reference, not shown yet when we ask (demora_visible), which cannot be deleted."""
    in_error(house, "DATOS")
    house.plan.update(demora_visible=600.0)
    house.proveedor.web_submit("norte", by_hand(house, "E-0", comentario="SIM:NO_BORRAR SIM:APROBACION"))
    if hook_first:
        deliver_before(house, "park")
    healed(house, steps=3)
    assert house.estado("E-0") == "EN_REVISION", (house.estado("E-0"), house.events("E-0"))
    assert "ComprobanteEliminado" not in house.events("E-0"), house.events("E-0")


def test_a_look_that_runs_out_of_time_makes_headway(house):
    in_error(house, *["DATOS"] * 6)
    read = house.ledger.hooks_with_words

    def slow(*args):
        house.clock.advance(seconds=60)
        return read(*args)

    house.monkeypatch.setattr(house.ledger, "hooks_with_words", slow)
    house.task("tomar", "norte-1")
    said = [house.task("planear", "norte-1")["siguiente"] for _ in range(10)]
    assert "actuar" in said, said


def test_the_hook_of_our_own_deletion_does_not_take_the_reasons_away(house):
    in_error(house, "DATOS")
    deliver_before(house, "deleted")
    healed(house)
    event = house.details("E-0", "ComprobanteEliminado")[0]
    assert event["causas"][0]["codigo"] == "AFIP-10032" and "TusFacturas dijo" in event["causas"][0]["mensaje"], event


def test_a_deletion_whose_answer_was_lost_tells_its_reasons(house):
    in_error(house, "DATOS", operaciones=["524_accepted"])
    healed(house, steps=3)
    event = house.details("E-0", "ComprobanteEliminado")[0]
    assert event["codigo"] == "AFIP-10032", event
    assert "período" in event["causas"][0]["mensaje"] or "servicio" in event["causas"][0]["mensaje"], event


def test_more_than_one_match_raises_the_duplicate_alarm(house):
    in_error(house, "DATOS")
    house.proveedor.web_submit("norte", by_hand(house, "E-0", comentario="SIM:APROBACION"))
    healed(house)
    assert house.estado("E-0") == "EN_REVISION" and house.counts["Duplicados"], dict(house.counts)


def test_a_persons_resend_does_not_wait_behind_an_automatic_one(house):
    in_error(house, "AFIP*9", "DESCONOCIDO*1")
    healed(house, steps=8, minutes=10)
    house.run_errors(rounds=10)
    decide(house, "E-1", Accion.REENVIAR)
    healed(house, steps=2, minutes=10)
    assert house.estado("E-1") == "EMITIDO", (
        house.estado("E-1"),
        [i for i in house.items() if i["sk"]["S"].startswith("PEND#")],
    )


@pytest.mark.parametrize("kind", ["DATOS", "AFIP*1", "10036"])
def test_an_operation_that_takes_effect_late_is_not_harmful(house, kind):
    in_error(house, kind, operaciones=["524_accepted", "524_accepted"], demora_fondo=900.0)
    healed(house, steps=20, minutes=10)
    assert house.estado("E-0") == ("ELIMINADO" if kind == "DATOS" else "EMITIDO"), (
        house.estado("E-0"),
        operations(house),
    )
    house.assert_nothing_twice()


def test_the_wait_of_an_error_that_came_during_our_resend_is_its_own(house):
    in_error(house, "AFIP*3")
    deliver_before(house, "resent", seconds=1)
    healed(house, steps=12, minutes=10)
    first, second = minutes_between_resends(house)
    assert first >= 15 and second >= 45, (first, second)


@pytest.mark.parametrize("ext_ref", ["parcial", "sin_mayusculas"])
def test_a_provider_that_finds_more_than_the_reference_makes_us_act_on_no_other(house, ext_ref):
    in_error(house, "DATOS", "AFIP*1", ext_ref=ext_ref)
    house.send("E-01", "e-0", "E-11")
    house.settle()
    house.clock.advance(seconds=5)
    house.settle()
    healed(house, steps=4)
    assert [house.estado(r) for r in ("E-0", "E-1", "E-01", "E-11")] == ["ELIMINADO", "EMITIDO", "EMITIDO", "EMITIDO"]


def test_a_resend_whose_answers_never_come_is_bounded_after_a_change_of_date(house):
    in_error(house, "10036")
    house.plan.update(operaciones=["ok"] + ["524_dropped"] * 60)
    healed(house, steps=60, minutes=10)
    assert house.calls(REENVIAR) <= 6, (house.calls(REENVIAR), house.estado("E-0"))


def test_bad_credentials_cost_few_calls_and_lose_nothing(house):
    in_error(house, "DATOS")
    house.secret("norte", apitoken="otro")
    house.clock.advance(minutes=20)
    for _ in range(12):
        house.run_errors(rounds=5)
        house.clock.advance(minutes=5)
        house.reconcile()
    n = sum(house.proveedor.llamadas.values())
    house.secret("norte")
    house.clock.advance(minutes=20)
    healed(house, steps=3)
    assert house.estado("E-0") == "ELIMINADO", n


def test_a_late_repeat_with_a_new_id_of_refused_words_does_not_delete_a_resent_one(house):
    """A person resent it after DATOS; then ARCA is down; the late repeat of the old words arrives."""
    in_error(house, "DESCONOCIDO*1 SIM:ERROR=AFIP*9")
    healed(house)
    decide(house, "E-0", Accion.REENVIAR)
    healed(house)
    assert house.estado("E-0") in {"ERROR", "EN_REVISION"}


def test_a_stale_decision_does_not_change_the_date_of_a_later_error(house):
    in_error(house, "DESCONOCIDO*1 SIM:ERROR=AFIP*1")
    healed(house)
    decide(house, "E-0", Accion.CAMBIAR_FECHA, fecha=date(2026, 3, 4))
    house.plan.update(demora_en_cola=600.0)
    house.proveedor.cola.resend("norte", "E-0")  # somebody resends it on the web before the run looks
    house.settle()
    house.run_errors(rounds=5)
    assert house.estado("E-0") == "ENCOLADO" and operations(house) == []
    house.clock.advance(days=5)  # past the date decided then
    healed(house, steps=4)
    assert "cambiar_fecha" not in [op for op, _ in operations(house)], (
        operations(house),
        house.asiento("E-0").datos.fecha,
    )


def test_a_persons_deletion_that_is_refused_is_told_and_not_repeated_for_ever(house):
    in_error(house, "DESCONOCIDO SIM:NO_BORRAR")
    healed(house)
    decide(house, "E-0", Accion.ELIMINAR)
    house.run_errors(rounds=60)
    assert house.calls(ELIMINAR) <= 5 and house.estado("E-0") == "EN_REVISION", (
        house.calls(ELIMINAR),
        house.estado("E-0"),
    )


def test_a_deletion_in_part_makes_no_second_invoice(house):
    """The sender corrects what we said was deleted; the one that survived is issued as well."""
    in_error(house, "DATOS")
    house.plan.update(demora_visible=600.0)
    house.proveedor.web_submit("norte", by_hand(house, "E-0", comentario="SIM:NO_BORRAR SIM:APROBACION"))
    healed(house)
    house.plan.update(demora_visible=0.0)
    house.send("E-0-r2", reemplaza="E-0")
    house.settle()
    house.clock.advance(minutes=15)
    house.proveedor.web_approve("norte", "E-0")
    healed(house, steps=2)
    shown = [i.referencia for i in house.proveedor.cola.items if i.estado == "EMITIDO"]
    assert len(shown) == 1, (shown, house.events("E-0"), house.asiento("E-0").reemplazado_por)


def test_a_duplicate_deleted_on_the_web_does_not_close_the_one_that_is_left(house):
    """Two of the reference: parked. A person deletes one of them there; the other is still queued."""
    in_error(house, "DATOS")
    house.proveedor.web_submit("norte", by_hand(house, "E-0", comentario="SIM:NO_BORRAR SIM:APROBACION"))
    healed(house)
    assert house.estado("E-0") == "EN_REVISION"
    assert house.proveedor.web_delete("norte", "E-0") == 1
    house.clock.advance(seconds=5)
    house.settle()
    assert house.estado("E-0") == "EN_REVISION", (house.estado("E-0"), house.events("E-0"))


def test_an_error_that_the_queue_found_out_by_asking_wakes_its_run_at_the_next_reconciliation(house):
    """No hook tells of it, its message is acknowledged, and the cuenta was looked at a moment before."""
    house.plan.update(hooks_prob={"lost": 1.0}, lotes=["524_accepted"], demora_visible=1_800.0)
    house.put(house.message("E-0", comentario="SIM:ERROR=AFIP*1"))
    house.pack()
    house.clock.advance(seconds=1_790)
    house.reconcile()
    house.clock.advance(seconds=20)
    house.pack()
    assert house.estado("E-0") == "ERROR" and house.waiting() == 0
    house.clock.advance(seconds=60)
    house.reconcile()
    assert house.executions() == ["norte-1"]
