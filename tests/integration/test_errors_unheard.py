"""Tasks of a run that nobody hears any more: what they may still do, and what they leave to those that follow."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from botocore.exceptions import ClientError
from tests.integration import world
from tests.integration.around import Killed, aws_fails
from tests.integration.test_resolve_errors import REENVIAR, in_error, operations

house = world.house
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")


def planned(house, *kinds, **plan):
    """In error, and planned by the run `norte-1`; what is left is to act."""
    in_error(house, *kinds, **plan)
    assert house.task("tomar", "norte-1")["siguiente"] == "asentar"
    house.clock.advance(minutes=6)
    assert house.task("planear", "norte-1")["siguiente"] == "actuar"


def a_twin_begins_at_the_ask(house, status=200):
    """Step Functions takes the task for dead and begins it again, while the first one asks; it is answered `status`."""

    def asked(request, response):
        if request.url.path.endswith("consulta_avanzada") and not begun:
            begun.append(house.ledger.renew_lease("norte", "norte-1", house.clock() + timedelta(minutes=10)))
            return response if status == response.status_code else httpx.Response(status)
        return response

    begun: list[object] = []
    house.answer_with(asked)
    return begun


def test_of_two_tasks_of_one_run_only_the_later_one_acts(house):
    planned(house, "DATOS")
    begun = a_twin_begins_at_the_ask(house)
    assert house.task("actuar", "norte-1")["siguiente"] == "asentar"
    assert begun and operations(house) == []
    house.run_errors()
    assert operations(house) == [("eliminar", "E-0")] and house.estado("E-0") == "ELIMINADO"


def test_a_task_that_nobody_hears_any_more_does_not_end_the_run_of_the_one_beside_it(house):
    planned(house, "AFIP*1")
    begun = a_twin_begins_at_the_ask(house, status=524)
    assert house.task("actuar", "norte-1")["siguiente"] == "asentar"
    assert begun and house.ledger.arriendo("norte").corrida == "norte-1"


def test_what_the_provider_turned_away_waits_also_where_its_run_could_not_pause(house, aws):
    """A 429 to the resend, and AWS fails when the run is to be given back: the task is tried again a moment later."""
    planned(house, "AFIP*1", operaciones=["429"])
    gives_back = aws_fails(aws("dynamodb"), "UpdateItem", lambda params: "REMOVE corrida" in params["UpdateExpression"])
    with gives_back, pytest.raises(ClientError):
        house.task("actuar", "norte-1")
    for _ in range(3):
        house.clock.advance(seconds=60)
        house.task("planear", "norte-1")
        house.task("actuar", "norte-1")
    assert house.calls(REENVIAR) == 1 and house.asiento("E-0").reenvios == 0
    house.clock.advance(minutes=3)
    house.run_errors()
    house.settle()
    assert house.estado("E-0") in {"ENCOLADO", "EMITIDO"} and house.calls(REENVIAR) == 2


def test_an_error_after_a_resend_waits_from_its_own_instant_though_the_note_of_the_one_before_is_left(house):
    """It died when it had resent it and before it dropped the note."""
    planned(house, "AFIP*2")
    house.plan.update(demora_en_cola=1_800.0)

    def dies(_pendiente):
        raise Killed

    drop = house.ledger.drop
    house.monkeypatch.setattr(house.ledger, "drop", dies)
    with pytest.raises(Killed):
        house.task("actuar", "norte-1")
    house.monkeypatch.setattr(house.ledger, "drop", drop)
    house.end("norte-1")
    house.clock.advance(minutes=31)
    house.settle()
    assert house.estado("E-0") == "ERROR"
    house.task("tomar", "norte-2")
    house.clock.advance(minutes=14)
    assert house.task("planear", "norte-2")["siguiente"] == "soltar"
    house.clock.advance(minutes=2)
    assert house.task("planear", "norte-2")["siguiente"] == "actuar"


def test_an_error_that_a_contrast_wrote_twice_because_the_first_answer_was_lost_wakes_its_run(house):
    """boto3 repeats the write by itself, and the repeat is refused by its own condition."""
    in_error(house, "AFIP*1", follow=False)
    found = house.ledger.found

    def repeated(*args, **kwargs):
        found(*args, **kwargs)
        return found(*args, **kwargs)

    house.monkeypatch.setattr(house.ledger, "found", repeated)
    house.clock.advance(minutes=30)
    house.reconcile()
    assert house.estado("E-0") == "ERROR" and house.executions() == ["norte-1"]
