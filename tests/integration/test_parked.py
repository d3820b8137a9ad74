"""What waits for a person, and what becomes of it meanwhile: nobody is left waiting for what will never come."""

from __future__ import annotations

import json

import httpx
import pytest
from tests.integration import world
from tests.integration.test_resolve_errors import change, decide, forget, healed, in_error, operations

from facturacion.accion import Accion

house = world.house
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")


def days(house, count, *, steps=4):
    for _ in range(count * steps):
        house.clock.advance(hours=24 / steps)
        house.settle()
        house.reconcile()
        house.clock.advance(minutes=6)
        house.reconcile()


# -- an error whose message was acknowledged, and of which the provider never showed its own comprobante


def shows_others(house):
    """The provider counts comprobantes under a reference, and none of them has exactly that one."""

    def answer(request, response):
        body = json.loads(response.content)
        for found in body.get("comprobantes", []) if "consulta_avanzada" in request.url.path else []:
            found["comprobante"]["external_reference"] = "OTRA"
        return httpx.Response(response.status_code, json=body)

    house.answer_with(answer)


def parked_without_message(house, dynamodb):
    """In error by a hook alone, its message acknowledged for that; then the provider shows nothing that is its."""
    in_error(house, "AFIP*9")
    forget(dynamodb, "E-0", "en_cola")
    true_road = house.transport
    shows_others(house)
    house.clock.advance(hours=3)
    house.run_errors(rounds=3)
    asiento = house.asiento("E-0")
    assert (str(asiento.estado), asiento.causas[0].codigo) == ("EN_REVISION", "ReferenciaNoCoincide")
    assert not asiento.en_cola and asiento.sin_mensaje and house.waiting() == 0
    return true_road


def test_a_resend_of_what_lost_its_message_and_is_not_there_ends_as_a_refusal_that_is_told(house, dynamodb):
    house.transport = parked_without_message(house, dynamodb)
    (item,) = house.proveedor.cola.named("norte", "E-0")
    item.estado = "ELIMINADO"
    assert str(decide(house, "E-0", Accion.REENVIAR).estado) == "ERROR"
    for _ in range(4):
        healed(house, steps=2)
    assert (house.estado("E-0"), house.asiento("E-0").abierto) == ("RECHAZADO", False)
    assert house.events("E-0")[-1] == "ComprobanteRechazado" and operations(house) == []


def test_a_resend_of_what_lost_its_message_and_is_there_after_all_is_done(house, dynamodb):
    house.transport = parked_without_message(house, dynamodb)
    decide(house, "E-0", Accion.REENVIAR)
    house.run_errors(rounds=4)
    assert operations(house) == [("reenviar", "E-0")]


def test_a_resend_of_what_lost_its_message_comes_back_to_the_person_while_nothing_can_be_said(house, dynamodb):
    parked_without_message(house, dynamodb)
    decide(house, "E-0", Accion.REENVIAR)
    house.run_errors(rounds=4)
    assert house.estado("E-0") == "EN_REVISION" and house.asiento("E-0").sin_mensaje and operations(house) == []


# -- deleted on the provider's web while it was parked


@pytest.mark.parametrize("previos", [0, 1])
@pytest.mark.parametrize("heard", [False, True], ids=["its hook lost", "its hook came"])
def test_what_was_deleted_on_the_web_while_it_was_parked_is_eliminado(house, dynamodb, previos, heard):
    """With an earlier attempt its hook decides nothing: the provider is asked, twice, as rarely as the parked are."""
    in_error(house, "DESCONOCIDO")
    change(dynamodb, "E-0", previos=previos)
    healed(house)
    assert house.estado("E-0") == "EN_REVISION"
    house.hooks_reach_us = heard
    house.proveedor.web_delete("norte", "E-0")
    days(house, 3)
    assert (house.estado("E-0"), house.asiento("E-0").abierto) == ("ELIMINADO", False)
    assert house.events("E-0").count("ComprobanteEliminado") == 1


def test_one_absent_answer_takes_nothing_from_a_person(house):
    in_error(house, "DESCONOCIDO")
    healed(house)
    (item,) = house.proveedor.cola.named("norte", "E-0")
    house.clock.advance(days=1)
    before, item.estado = item.estado, "ELIMINADO"
    house.reconcile()
    assert house.asiento("E-0").ausente_desde == house.clock()
    item.estado = before
    house.clock.advance(minutes=6)
    house.reconcile()
    assert house.estado("E-0") == "EN_REVISION" and house.asiento("E-0").ausente_desde is None


def test_what_was_never_seen_in_the_queue_stays_a_persons_however_absent_it_is(house, dynamodb):
    """Its message may be all that is left of it."""
    in_error(house, "DESCONOCIDO")
    healed(house)
    forget(dynamodb, "E-0", "en_cola")
    house.hooks_reach_us = False
    house.proveedor.web_delete("norte", "E-0")
    days(house, 3)
    assert house.estado("E-0") == "EN_REVISION" and house.asiento("E-0").ausente_desde is None


# -- the reasons of a deletion of which nobody heard but by its hook


def test_a_deletion_whose_answer_was_lost_is_told_with_its_reasons_whole(house):
    in_error(house, "DATOS", operaciones=["reset_accepted"])
    house.run_errors(rounds=6)
    assert house.estado("E-0") == "ERROR"
    house.clock.advance(seconds=10)
    house.deliver()
    house.follow()
    assert house.estado("E-0") == "ELIMINADO"
    house.clock.advance(minutes=6)
    house.reconcile()
    (causa,) = house.details("E-0", "ComprobanteEliminado")[0]["causas"]
    assert len(causa["mensaje"]) > 100 and "TusFacturas dijo: «" in causa["mensaje"]
    assert len(house.asiento("E-0").causas[0].mensaje) == 100


def test_a_deletion_that_only_the_reconciliation_tells_has_its_reasons_whole_too(house):
    in_error(house, "DATOS")
    bus, house.bus = house.bus, house.bus_without("E-0")
    house.run_errors()
    assert house.estado("E-0") == "ELIMINADO" and house.details("E-0", "ComprobanteEliminado") == []
    house.bus = bus
    house.clock.advance(minutes=6)
    house.reconcile()
    (event,) = house.details("E-0", "ComprobanteEliminado")
    assert len(event["causas"][0]["mensaje"]) > 100
