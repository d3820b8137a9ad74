"""receive_webhook behind the HTTP API: who may leave a hook, what is kept of it, and what it is answered."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.integration import world
from tests.integration.around import Context, aws_fails, calls_of, http_event
from tests.items import raw
from tests.odd import HOOK, ODD

from facturacion.ledger.hooks import HOOK_BODY_MAX
from receive_webhook import app

house = world.house
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")
TOKEN = {"tf-webhooktoken": "webhooktoken0of0norte"}


def hooks(house):
    """(pk, sk) of every stored hook."""
    return sorted((i["pk"]["S"], i["sk"]["S"]) for i in house.items() if i["sk"]["S"].startswith("HOOK#"))


# -- who knocks


@pytest.mark.parametrize(
    ("cuenta", "request_"),
    [
        ("norte", {}),
        ("norte", {"headers": {"tf-webhooktoken": ""}}),
        ("norte", {"headers": {"tf-webhooktoken": "wrong"}}),
        ("norte", {"headers": {"tf-webhooktoken": "webhooktoken0of0norte "}}),
        ("norte", {"headers": {"tf-webhooktoken": "x" * 32}}),
        ("norte", {"headers": {"tf-webhooktoken": "ñ\ud800"}}),
        ("norte", {"headers": {"authorization": "webhooktoken0of0norte"}}),
        ("norte", {"headers": {"tf-webhooktoken": "webhooktoken0of0sur"}}),
        ("norte", {"llave": "wrong"}),
        ("norte", {"llave": "wrong", "headers": TOKEN}),
        ("norte", {"llave": "webhooktoken0of0norte"}),
        ("norte", {"headers": {"tf-webhooktoken": "llave0of0norte"}}),
        ("sin-llave", {"llave": "x" * 32}),
        ("sin-llave", {"llave": "None"}),
        ("sin-token", {"headers": {"tf-webhooktoken": "x" * 32}}),
        ("sin-token", {"headers": {"tf-webhooktoken": ""}}),
        ("nadie", {"headers": TOKEN}),
        ("CUENTAS", {"headers": TOKEN}),
        ("../norte", {"headers": TOKEN}),
        ("", {"headers": TOKEN}),
    ],
)
def test_whoever_has_not_the_token_gets_a_403_and_leaves_nothing(house, cuenta, request_):
    """«Unauthentic: 403 and nothing stored.»"""
    house.add_cuenta("sur")
    house.add_cuenta("sin-llave", llave=None)
    house.add_cuenta("sin-token", webhook_tokens=[])
    assert house.post(cuenta, HOOK, **request_) == 403
    assert house.items() == []
    assert "wrong" not in house.log.getvalue()


@pytest.mark.parametrize("header", ["tf-webhooktoken", "TF-WebhookToken", "Tf-WebhookTOKEN"])
def test_the_header_is_known_by_its_name_in_any_case(house, header):
    assert house.post("norte", HOOK, headers={header: TOKEN["tf-webhooktoken"]}) == 200
    assert hooks(house) == [("norte#A-1", "HOOK#h-1")]


def test_the_secret_segment_of_the_url_is_as_good_as_the_token(house):
    """«For provider panels without a token, POST /hooks/{cuenta}/{llave} with a secret segment.»"""
    assert house.post("norte", HOOK, llave="llave0of0norte") == 200
    assert hooks(house) == [("norte#A-1", "HOOK#h-1")] and "llave0of0norte" not in house.log.getvalue()


def test_a_token_is_rotated_without_a_gap(house):
    """«Up to two valid webhook_tokens»; «a token mismatch re-reads at most once a minute per cuenta»."""
    old, new = TOKEN["tf-webhooktoken"], "the-new-token"
    assert house.post("norte", HOOK, headers=TOKEN) == 200
    house.put_secret("norte", webhook_tokens=[old, new])
    house.clock.advance(seconds=61)
    for n, token in enumerate((new, old, new)):
        assert house.post("norte", HOOK | {"hook_id": f"r-{n}"}, headers={"tf-webhooktoken": token}) == 200
    house.put_secret("norte", webhook_tokens=[new])
    house.clock.advance(minutes=16)
    assert house.post("norte", HOOK | {"hook_id": "r-3"}, headers={"tf-webhooktoken": old}) == 403
    assert house.post("norte", HOOK | {"hook_id": "r-3"}, headers={"tf-webhooktoken": new}) == 200


def test_whoever_guesses_does_not_make_us_read_the_secret_again_and_again(house, aws):
    house.post("norte", HOOK, headers=TOKEN)
    house.clock.advance(minutes=2)
    with calls_of(aws("secretsmanager"), aws("dynamodb")) as called:
        for n in range(20):
            assert house.post("norte", HOOK, headers={"tf-webhooktoken": f"guess-{n}"}) == 403
            assert house.post("nadie", HOOK, headers=TOKEN) == 403
    assert called == ["GetSecretValue"] * 2


# -- once, at once


def test_a_hook_posted_twenty_times_in_parallel_is_stored_once(house):
    house.post("norte", HOOK | {"hook_id": "warm"}, headers=TOKEN)
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: house.post("norte", HOOK, headers=TOKEN), range(20)))
    assert answers == [200] * 20
    assert hooks(house) == [("norte#A-1", "HOOK#h-1"), ("norte#A-1", "HOOK#warm")]
    assert house.counts["HooksRepetidos"] == 19 and house.counts["HooksIdReusado"] == 0


def test_a_warm_hook_costs_one_write_and_no_read(house, aws):
    """«Hook: 1 write (and no read when warm).»"""
    house.post("norte", HOOK | {"hook_id": "cold"}, headers=TOKEN)
    services = ("dynamodb", "secretsmanager", "events", "sqs", "s3")
    with calls_of(*map(aws, services)) as called:
        assert house.post("norte", HOOK, headers=TOKEN) == 200
        assert house.post("norte", HOOK, headers=TOKEN) == 200
    assert called == ["PutItem", "PutItem"]


def test_what_is_stored_is_the_hook_as_received_and_when_it_expires(house, dynamodb):
    body = json.dumps(HOOK)
    house.post("norte", body, headers=TOKEN)
    item = raw(dynamodb, "norte#A-1", "HOOK#h-1")
    assert bytes(item["cuerpo"]) == body.encode()
    assert (item["evento"], item["creado"], item["hook_id"], item["intento"]) == ("encolado", HOOK["creado"], "h-1", 1)
    assert item["vence"] == int((house.clock() + timedelta(days=400)).timestamp())


def test_a_reused_id_is_kept_beside_the_first_and_counted(house):
    """«Lost the put: different → kept under HOOK#{hook_id}#{evento}#{creado} and counted.»"""
    assert house.post("norte", HOOK, headers=TOKEN) == 200
    for _ in range(2):
        assert house.post("norte", HOOK | {"evento": "error"}, headers=TOKEN) == 200
    assert house.post("norte", HOOK | {"external_reference": "A-2"}, headers=TOKEN) == 200
    assert hooks(house) == [
        ("norte#A-1", "HOOK#h-1"),
        ("norte#A-1", "HOOK#h-1#error#18/03/2026 15:58:11"),
        ("norte#A-2", "HOOK#h-1"),
    ]
    assert (house.counts["HooksIdReusado"], house.counts["HooksRepetidos"]) == (1, 1)


def test_a_repeat_that_only_counts_its_attempts_is_the_same_hook(house):
    house.post("norte", HOOK, headers=TOKEN)
    assert house.post("norte", HOOK | {"intento": 2}, headers=TOKEN) == 200
    assert len(hooks(house)) == 1


# -- odd but authentic


@pytest.mark.parametrize("what", ODD)
def test_an_odd_but_authentic_hook_is_kept_and_answered_200(house, what):
    """«Empty, truncated, non-UTF-8, non-object bodies never get a 5xx.»"""
    assert house.post("norte", ODD[what], headers=TOKEN) == 200
    assert house.post("norte", ODD[what], headers=TOKEN) == 200
    ((pk, _),) = hooks(house)
    assert pk in {"norte#", "norte#A-1"}
    (item,) = house.items()
    assert bytes(item["cuerpo"]["B"]) == ODD[what][:HOOK_BODY_MAX]
    assert house.follow() == {"batchItemFailures": []}


@pytest.mark.parametrize("encoded", ["no es base64 ñ", "abc", "====", ""])
def test_base64_that_is_none_is_kept_as_it_came(house, encoded):
    event = http_event("norte", encoded, headers=TOKEN) | {"isBase64Encoded": True}
    assert app.handler(event, Context(lambda: timedelta(seconds=10)))["statusCode"] == 200
    assert len(hooks(house)) == 1


def test_a_body_in_base64_is_the_hook_that_it_carries(house):
    assert house.post("norte", json.dumps(HOOK).encode(), headers=TOKEN, encoded=True) == 200
    assert hooks(house) == [("norte#A-1", "HOOK#h-1")]


def test_a_request_without_a_body_headers_or_parameters_is_no_failure(house):
    for event in ({"body": None, "pathParameters": {"cuenta": "norte"}, "headers": TOKEN}, {}, {"headers": None}):
        status = app.handler(event, Context(lambda: timedelta(seconds=10)))["statusCode"]
        assert status == (200 if event.get("headers") else 403)


def test_ids_that_are_missing_or_not_plain_are_hashed_and_told_apart(house):
    """«No hook_id → hash of the body»; «ids too long or not plain are hashed»."""
    bodies = [HOOK | {"hook_id": odd} for odd in ("con espacio", "a#b", "i" * 65, "ñ", "", None)]
    bodies.append({k: v for k, v in HOOK.items() if k != "hook_id"})
    for body in [*bodies, *bodies]:
        assert house.post("norte", body, headers=TOKEN) == 200
    ids = [sk for _, sk in hooks(house)]
    assert len(ids) == len(bodies) == len(set(ids))
    assert all(sk.startswith("HOOK#~") and len(sk) < 70 for sk in ids)


def test_a_numeric_id_and_a_numeric_reference_are_their_digits(house):
    assert house.post("norte", HOOK | {"hook_id": 17032, "external_reference": 42}, headers=TOKEN) == 200
    assert hooks(house) == [("norte#42", "HOOK#17032")]


def test_the_message_of_an_error_may_be_a_single_text(house):
    """«msg as a string» is kept, and what follows reads it."""
    house.plan.update(demora_en_cola=86_400)
    house.send("A-1")
    house.pack()
    body = HOOK | {"evento": "error", "msg": "Cod. Error: #6661145.10016 - El numero o fecha"}
    assert house.post("norte", body, headers=TOKEN) == 200
    house.follow()
    assert house.asiento("A-1").causas[0].codigo == "AFIP-10016"


def test_a_test_hook_without_reference_is_kept_under_the_cuenta_alone(house):
    house.proveedor.web_test_hook("norte")
    house.clock.advance(seconds=1)
    assert house.deliver() == 1
    ((pk, _),) = hooks(house)
    assert pk == "norte#" and house.follow() == {"batchItemFailures": []}
    assert house.proveedor.mensajero.hooks[0].estado == "entregado"


def test_what_is_kept_of_a_body_is_cut_at_64_kb_and_over_256_kb_is_refused(house):
    """«The body is stored as bytes, cut at 64 KB; over 256 KB: 413.»"""
    padding = "x" * (256 * 1024 - len(json.dumps(HOOK | {"z": ""})))
    largest = json.dumps(HOOK | {"z": padding}).encode()
    assert house.post("norte", largest + b" ", headers=TOKEN) == 413
    assert house.post("norte", base64.b64encode(largest + b" ").decode(), headers=TOKEN, encoded=True) == 413
    assert house.items() == []
    assert house.post("norte", largest, headers=TOKEN) == 200
    (item,) = house.items()
    assert (item["pk"]["S"], item["sk"]["S"]) == ("norte#A-1", "HOOK#h-1")
    assert bytes(item["cuerpo"]["B"]) == largest[:HOOK_BODY_MAX] and item["cortado"]["BOOL"]


@pytest.mark.parametrize("size", [100, 60 * 1024, 200 * 1024])
def test_an_error_tells_its_reasons_however_large_its_hook_is(house, size):
    """A body that is cut is no JSON any more: what it says is read before."""
    house.send("A-1")
    house.pack()
    reasons = ["El campo fecha no es correcto. (#6661145.10016)", "x" * size]
    body = HOOK | {"evento": "error", "msg": reasons, "external_reference": "A-1"}
    assert house.post("norte", body, headers=TOKEN) == 200
    house.follow()
    (event,) = house.details("A-1", "ComprobanteConError")
    assert event["codigo"] == "AFIP-10016" and len(event["causas"]) == 2


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
BODIES = st.binary(max_size=64) | st.dictionaries(st.sampled_from(sorted(HOOK)), json_values).map(
    lambda changes: json.dumps(HOOK | changes).encode()
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=BODIES)
def test_no_body_of_whoever_has_the_token_is_answered_with_anything_but_200(house, body):
    assert house.post("norte", body, headers=TOKEN) == 200
    repeats = house.counts["HooksRepetidos"]
    assert house.post("norte", body, headers=TOKEN) == 200
    assert house.counts["HooksRepetidos"] == repeats + 1


# -- storage fails


@pytest.mark.parametrize(("service", "operation"), [("dynamodb", "PutItem"), ("secretsmanager", "GetSecretValue")])
def test_only_a_failure_of_our_own_is_answered_with_a_5xx_so_that_the_hook_comes_again(house, aws, service, operation):
    """«5xx only when storage fails, so that it comes again.»"""
    house.plan.update(demora_en_cola=86_400)
    house.send("A-1")
    house.pack()
    house.clock.advance(minutes=20)
    with aws_fails(aws(service), operation):
        assert house.deliver() == 1
    (hook,) = house.proveedor.mensajero.hooks
    assert hook.estado == "pendiente" and hooks(house) == [] and house.counts["HooksFallidos"] == 1
    house.clock.advance(minutes=5, seconds=1)
    assert house.deliver() == 1 and hook.estado == "entregado" and len(hooks(house)) == 1


def test_the_handler_reads_its_environment(house, monkeypatch):
    for name, value in {"TABLE": world.TABLE, "CUENTAS_PREFIX": world.PREFIX, "HOOK_RETENTION_DAYS": "400"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(app, "_process", house.deployed["receive_webhook"])
    app._process.cache_clear()
    try:
        assert house.post("norte", HOOK, headers=TOKEN) == 200
    finally:
        app._process.cache_clear()
    assert hooks(house) == [("norte#A-1", "HOOK#h-1")]
