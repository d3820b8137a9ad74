"""What a person may decide about what, and what it costs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from facturacion.accion import Accion
from facturacion.asiento import Asiento, Datos
from facturacion.estado import Estado
from operate.decisions import judge, judge_fecha, judge_visto, requests_of

OURS = Datos("hash-1", "FACTURA B", date(2026, 3, 2), date(2026, 3, 12))
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
WAIT = (Estado.EN_REVISION, Estado.ERROR)


def asiento(estado=Estado.EN_REVISION, datos=OURS, *, en_cola=True, **more):
    return Asiento("norte", "A-1", estado, 3, datos, en_cola=en_cola, **more)


def code(refused):
    return refused.codigo if refused else None


@pytest.mark.parametrize("accion", Accion)
@pytest.mark.parametrize("estado", Estado)
def test_only_what_waits_for_a_person_or_is_in_error_may_be_decided_about(estado, accion):
    assert code(judge(asiento(estado), accion, None)) == (None if estado in WAIT else "NoEspera")


def test_a_reference_that_is_not_there_is_told():
    assert code(judge(None, Accion.REENVIAR, None)) == "NoExiste"


@pytest.mark.parametrize("accion", Accion)
def test_of_another_systems_reference_one_may_only_let_go(accion):
    """To resend or delete it at the provider would be to touch what is not ours."""
    refused = judge(asiento(datos=Datos("")), accion, None)
    assert code(refused) == (None if accion is Accion.DESISTIR else "DeOtroSistema")


def test_another_systems_reference_is_let_go_once():
    assert code(judge(asiento(datos=Datos(""), abierto=False), Accion.DESISTIR, None)) == "YaDecidido"


@pytest.mark.parametrize(("changed", "seen"), [(-1, True), (0, True), (1, False)])
def test_what_changed_after_it_was_seen_was_not_decided_about(changed, seen):
    one = asiento(actualizado=NOW + timedelta(milliseconds=changed))
    assert code(judge_visto(one, NOW)) == (None if seen else "CambioMientrasTanto")
    assert judge_visto(one, None) is None and judge_visto(None, NOW) is None


def test_letting_go_of_another_systems_reference_costs_no_request():
    assert requests_of(asiento(datos=Datos("")), Accion.DESISTIR) == 0


def test_what_was_decided_is_not_decided_again_and_may_be_decided_otherwise():
    decided = asiento(Estado.ERROR, decision="cambiar_fecha:2026-03-04")
    assert code(judge(decided, Accion.CAMBIAR_FECHA, date(2026, 3, 4))) == "YaDecidido"
    assert judge(decided, Accion.CAMBIAR_FECHA, date(2026, 3, 5)) is None
    assert judge(decided, Accion.ELIMINAR, None) is None


def test_what_the_provider_never_showed_has_no_date_there_to_change():
    assert code(judge(asiento(en_cola=False), Accion.CAMBIAR_FECHA, None)) == "NoEstaEnTusFacturas"
    assert judge(asiento(Estado.ERROR, en_cola=False), Accion.CAMBIAR_FECHA, None) is None
    assert judge(asiento(en_cola=False), Accion.REENVIAR, None) is None


@pytest.mark.parametrize(("accion", "cost"), list(zip(Accion, (1, 2, 1, 1), strict=True)))
def test_an_action_costs_one_request_of_the_plan_and_a_change_of_date_up_to_two(accion, cost):
    assert requests_of(asiento(), accion) == cost


@pytest.mark.parametrize("servicios", [False, True])
@pytest.mark.parametrize("side", [-1, 1])
def test_a_date_outside_the_legal_window_is_refused_with_the_days_and_today(side, servicios):
    days = 10 if servicios else 5
    last = date(2026, 3, 2) + side * timedelta(days=days)
    assert judge_fecha(last, servicios=servicios, now=NOW) is None
    refused = judge_fecha(last + side * timedelta(days=1), servicios=servicios, now=NOW)
    assert refused.codigo == "FechaFueraDeVentana"
    assert f"{days} días" in refused.motivo and "02/03/2026" in refused.motivo


def test_without_a_date_the_run_finds_one():
    assert judge_fecha(None, servicios=False, now=NOW) is None
