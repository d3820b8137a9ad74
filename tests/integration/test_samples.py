"""The samples in `events/`: what each trigger really hands over, and what the handlers make of it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from tests.integration import world
from tests.integration.around import Context

from follow_hooks import app as follow_hooks
from pack_lotes.inbox import registros
from pack_lotes.sending import send
from receive_webhook import app as receive_webhook
from reconcile import app as reconcile

house = world.house
EVENTS = Path(__file__).parents[2] / "events"
CUENTA, TOKEN = "sucursal-centro", "el-token-del-pdv"
CONTEXT = Context(lambda: timedelta(minutes=2))
HOOKS = sorted(path.stem.removeprefix("receive_webhook.") for path in EVENTS.glob("receive_webhook.*.json"))


def sample(name):
    return json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture
def branch(house):
    """The cuenta of the samples."""
    house.add_cuenta(CUENTA, webhook_tokens=[TOKEN])
    return house


def stored(house):
    return [item for item in house.items() if item["sk"]["S"].startswith("HOOK#")]


@pytest.mark.parametrize("kind", HOOKS)
def test_a_hook_of_each_kind_is_stored_as_it_came(branch, kind):
    event = sample(f"receive_webhook.{kind}")
    assert receive_webhook.handler(event, CONTEXT)["statusCode"] == 200
    (item,) = stored(branch)
    assert item["cuerpo"]["B"] == event["body"].encode()
    assert item["evento"]["S"] == json.loads(event["body"])["evento"]


def test_the_batch_of_the_queue_leaves_as_one_lote(branch):
    branch.plan.update(exige_punto_venta=False)
    again = send(registros(sample("pack_lotes.sqs")), branch.outside(), branch.settings)
    assert again == []
    assert branch.posts() == [["VTA-2026-000181", "VTA-2026-000182", "VTA-2026-000183"]]


def test_the_stream_folds_the_hooks_of_the_samples_into_the_state_they_amount_to(branch):
    send(registros(sample("pack_lotes.sqs")), branch.outside(), branch.settings)
    assert follow_hooks.handler(sample("follow_hooks.stream"), CONTEXT) == {"batchItemFailures": []}
    assert branch.estado("VTA-2026-000181", CUENTA) == "EMITIDO"


def test_the_samples_of_hooks_are_of_every_evento_that_the_provider_documents():
    eventos = {json.loads(sample(f"receive_webhook.{kind}")["body"])["evento"] for kind in HOOKS}
    assert eventos == {"encolado", "emitido", "error", "eliminado", "cambio_fecha", "test"}


def test_the_schedule_brings_nothing_and_that_is_enough(branch):
    assert reconcile.handler(sample("reconcile.schedule"), CONTEXT)["devueltos"] == 0
