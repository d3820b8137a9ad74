"""The open door by property: whatever comes, a stranger learns and leaves nothing, and nobody makes it fail."""

from __future__ import annotations

import base64
import json
import string
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.integration import world
from tests.integration.around import Context, aws_fails, calls_of, http_event

from operate.cli.ver import story as as_told
from receive_webhook import app
from tusfacturas.hooks import REFERENCIA

house = world.house
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")
CONTEXT = Context(lambda: timedelta(seconds=10))
TOKEN = {"tf-webhooktoken": "webhooktoken0of0norte"}
MARK = "m4rk0of0a0str4nger"
ITEM_MAX, SORT_KEY_MAX = 400 * 1024, 1024
thorough = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def ask(event):
    """What the door answers: the status, and everything of it that is not the status."""
    answer = app.handler(event, CONTEXT)
    return answer.pop("statusCode"), answer


@pytest.fixture
def closed(house):
    """Cuentas of every kind that a stranger may ask for by name."""
    house.add_cuenta("sin-llave", llave=None)
    house.add_cuenta("sin-token", webhook_tokens=[])
    house.add_cuenta("rota", usertoken="")
    house.aws("secretsmanager").create_secret(Name=f"{world.PREFIX}/binaria", SecretBinary=b"{}")
    house.add_cuenta("borrada")
    house.aws("secretsmanager").delete_secret(SecretId=f"{world.PREFIX}/borrada")
    return house


# -- whoever has no token

any_text = st.text(st.characters(exclude_categories=()), max_size=40)
"""Lone surrogates too: the JSON of an event may bring them."""
aliases = any_text | st.sampled_from(
    ["norte", "sin-llave", "sin-token", "rota", "binaria", "borrada", "nadie", "a" * 33, "a" * 10_000, "norte/../sur"]
)
# Never one of the real ones: each of those begins otherwise.
wrong = any_text.map(lambda text: f"{MARK}{text}") | st.sampled_from(["", " ", "x" * 32, "x" * 9_000, "None"])
header_names = st.sampled_from(["tf-webhooktoken", "TF-WebhookToken", "authorization", "x-api-key", "cookie", ""])
HUGE = "9" * 5_000
json_leaves = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(float("inf"))
    | st.text(st.characters(categories=["Cs", "Cc", "Co", "Cn"]), max_size=4)
)  # fmt: skip
json_values = st.recursive(
    json_leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("creado", "evento", "recurso", "external_reference", "intento", "msg", "hook_id", "cuerpo", "pk")
pairs = st.lists(
    st.tuples(
        st.sampled_from(FIELDS),
        json_values.map(json.dumps) | st.sampled_from([HUGE, f"-{HUGE}", "1e999999", "NaN", '"A-1"', '"error"']),
    ),
    max_size=8,
)
# Written by hand, so that keys may come twice and numbers be longer than Python takes.
objects = pairs.map(lambda found: "{" + ", ".join(f"{json.dumps(k)}: {v}" for k, v in found) + "}")
nested = st.builds(
    lambda deep, pair: pair[0] * deep + pair[1] * deep,
    st.integers(0, 50_000),
    st.sampled_from(["[]", ('{"msg":', "}")]),
)
encodings = st.sampled_from(["utf-8", "utf-16", "utf-32", "utf-16-le", "utf-8-sig"])
bodies = (
    st.binary(max_size=200)
    | st.builds(lambda text, how: text.encode(how), objects, encodings)
    | nested.map(str.encode)
    | st.builds(lambda text, size: text.encode() + b" " * size, objects, st.sampled_from([0, 65_536, 262_144, 300_000]))
)


@thorough
@given(
    alias=aliases,
    llave=st.none() | wrong,
    headers=st.dictionaries(header_names, wrong, max_size=3),
    body=bodies | any_text,
    encoded=st.booleans(),
    more=st.dictionaries(st.sampled_from(["routeKey", "requestContext", "isBase64Encoded", "cookies"]), json_leaves),
)
@example(
    alias="norte",
    llave=None,
    headers={"tf-webhooktoken": f"{MARK},webhooktoken0of0norte"},
    body=b"",
    encoded=False,
    more={},
)
@example(alias="norte", llave="", headers=TOKEN, body=b"", encoded=False, more={})
def test_a_stranger_is_answered_the_same_whatever_he_sends_and_leaves_nothing(
    closed, *, alias, llave, headers, body, encoded, more
):
    event = http_event(alias, body, headers=headers, encoded=encoded) | more
    if llave is not None:
        event["pathParameters"]["llave"] = llave
    assert ask(event) == (403, {"headers": {"content-type": "application/json"}, "body": "{}"})
    assert closed.items() == []
    assert MARK not in closed.log.getvalue()


@pytest.mark.parametrize("by_llave", [False, True])
def test_the_work_does_not_tell_either_which_cuentas_there_are(closed, aws, by_llave):
    """As many calls of AWS for each: the first time that somebody knocks there, and in the minute after it."""
    for warm in (False, True):
        if warm:
            closed.clock.advance(minutes=2)
            assert closed.post("norte", b"{}", headers=TOKEN) == 200
            closed.clock.advance(seconds=10)
        work = {}
        for alias in ("norte", "sin-llave", "sin-token", "rota", "binaria", "nadie"):
            offered = {"llave": MARK} if by_llave else {"headers": {"tf-webhooktoken": MARK}}
            with calls_of(aws("secretsmanager"), aws("dynamodb")) as called:
                assert [closed.post(alias, b"{}", **offered) for _ in range(3)] == [403] * 3
            work[alias] = called
        assert set(map(tuple, work.values())) == {("GetSecretValue",)}, work


@pytest.mark.parametrize("alias", ["norte", "rota", "nadie", "NADIE"])
def test_who_brings_no_token_makes_us_ask_nobody(closed, aws, alias):
    with calls_of(aws("secretsmanager"), aws("dynamodb")) as called:
        assert closed.post(alias, b"{}") == 403
        assert closed.post(alias, b"{}", headers={"tf-webhooktoken": ""}) == 403
    assert called == []


def test_a_cuenta_that_cannot_be_read_is_answered_as_a_stranger_and_told_to_us(closed, aws):
    """A 503 would tell that there is such a cuenta; after a 403 the provider delivers again as well."""
    right = {"tf-webhooktoken": "webhooktoken0of0rota"}
    assert ask(http_event("rota", b"{}", headers=right)) == ask(http_event("nadie", b"{}", headers=right))
    with aws_fails(aws("secretsmanager"), "GetSecretValue"):
        assert closed.post("norte", b"{}", headers=TOKEN) == closed.post("nunca-vista", b"{}", headers=TOKEN) == 403
    log = closed.log.getvalue()
    assert closed.counts["HooksFallidos"] == 3 and closed.items() == []
    assert "usertoken" in log and "webhooktoken0of0" not in log
    assert closed.post("norte", b"{}", headers=TOKEN) == 200, "once AWS answers again"


def test_a_name_that_a_stranger_says_becomes_no_metric(closed, aws, monkeypatch, capsys):
    """Each cuenta of a metric is one more to pay for, where they are kept by cuenta: only an authenticated one is."""
    monkeypatch.setenv("METRICS_POR_CUENTA", "true")
    monkeypatch.setattr(app, "count", app.medidor.count)
    monkeypatch.setattr(app, "measure", app.medidor.measure)

    def metrics():
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
        return {(line.get("cuenta"), name) for line in lines for name in line if name.startswith("Hooks")}

    with aws_fails(aws("secretsmanager"), "GetSecretValue"):
        assert [closed.post(alias, b"{}", headers=TOKEN) for alias in ("norte", "nunca-vista")] == [403] * 2
    assert [closed.post(alias, b"{}", headers=TOKEN) for alias in ("rota", "binaria")] == [403] * 2
    assert metrics() == {(None, "HooksFallidos")}
    with aws_fails(aws("dynamodb"), "PutItem"):
        assert closed.post("norte", b"{}", headers=TOKEN) == 503
    assert metrics() == {(None, "HooksFallidos"), ("norte", "HooksFallidos")}


@given(other=st.sampled_from(["sur", "sin-llave"]), by_llave=st.booleans())
@thorough
def test_the_token_of_one_cuenta_opens_no_other(closed, other, by_llave):
    if other == "sur" and "sur" not in closed.proveedor.cuentas:
        closed.add_cuenta("sur")
    offered = {"llave": "llave0of0norte"} if by_llave else {"headers": TOKEN}
    assert closed.post(other, b"{}", **offered) == 403
    assert closed.items() == []


# -- whoever has it


@thorough
@given(body=bodies | any_text)
def test_whatever_the_provider_sends_is_stored_under_its_cuenta_and_nowhere_else(house, body):
    """And can be folded, told and printed: what was sent moves no cursor."""
    before = {(i["pk"]["S"], i["sk"]["S"]) for i in house.items()}
    status = house.post("norte", body, headers=TOKEN)
    assert status == (413 if len(body) > app.BODY_MAX else 200)
    new = [i for i in house.items() if (i["pk"]["S"], i["sk"]["S"]) not in before]
    assert len(new) <= (status == 200)
    for item in new:
        pk, sk = item["pk"]["S"], item["sk"]["S"]
        alias, _, reference = pk.partition("#")
        assert alias == "norte" and (reference == "" or REFERENCIA.fullmatch(reference))
        assert sk.startswith("HOOK#") and len(sk.encode()) < SORT_KEY_MAX
        assert set(sk) <= set(string.ascii_letters + string.digits + "#~_.:-/ ")
        assert len(json.dumps(item, default=lambda raw: "x" * len(raw))) < ITEM_MAX
    assert house.follow() == {"batchItemFailures": []}
    for item in new:
        reference = item["pk"]["S"].partition("#")[2]
        if reference:
            story = house.operate("ver", cuenta="norte", referencia=reference)
            assert story["historia"], story
            told = as_told(story)
            assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in told.replace("\n", ""))


@given(body=bodies, encoded=st.booleans())
@thorough
def test_the_same_body_is_the_same_hook_however_the_api_hands_it_over(house, body, encoded):
    """Text or base64: which of them depends on the content type, and AWS does not say how."""
    if len(body) > app.BODY_MAX:
        return
    house.post("norte", base64.b64encode(body).decode(), headers=TOKEN, encoded=True)
    stored = house.items()
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return
    assert house.post("norte", text, headers=TOKEN, encoded=False) == 200
    assert house.items() == stored


def test_a_number_that_python_does_not_take_spoils_nothing_that_stands_beside_it(house):
    body = f'{{"evento": "emitido", "external_reference": "A-1", "hook_id": "h-1", "intento": {HUGE}, "x": -{HUGE}}}'
    assert house.post("norte", body, headers=TOKEN) == 200
    ((pk, sk),) = {(i["pk"]["S"], i["sk"]["S"]) for i in house.items()}
    assert (pk, sk) == ("norte#A-1", "HOOK#h-1")


def test_no_hook_of_ours_has_a_key_that_means_something_else(house):
    """Ids and references that look like our own keys, or like those of another hook."""
    ids = ["ESTADO", "h-1#error#x", "~" + "0" * 40, "HOOK#h-1", "", "#", "PEND#1", "h-1\u0000"]
    references = ["", "norte#A-1", "RUN#norte", "CUENTAS", "TABLA", "CIERRE#norte", "../sur", "A-1#"]
    for hook_id in ids:
        for reference in references:
            body = {"hook_id": hook_id, "external_reference": reference, "evento": "error", "creado": "x"}
            assert house.post("norte", body, headers=TOKEN) == 200
    stored = {(i["pk"]["S"], i["sk"]["S"]) for i in house.items()}
    assert {pk for pk, _ in stored} == {"norte#", "norte#CUENTAS", "norte#TABLA"}
    assert all(sk.startswith("HOOK#") for _, sk in stored)
    assert {sk for _, sk in stored if "~" not in sk} == {"HOOK#ESTADO"}


def test_the_words_of_a_hook_that_was_cut_are_still_told(house):
    house.send("A-1")
    house.pack()
    reasons = ["El campo fecha no es correcto.", "\u202e\x1b[2Jx" * 10_000]
    body = {"evento": "error", "external_reference": "A-1", "hook_id": "h-1", "creado": "", "msg": reasons}
    assert house.post("norte", body, headers=TOKEN) == 200
    story = house.operate("ver", cuenta="norte", referencia="A-1")
    (hook,) = (line for line in story["historia"] if line["clase"] == "hook")
    assert hook["mensajes"][0] == reasons[0] and len(hook["mensajes"]) == 2
    told = as_told(story)
    assert reasons[0] in told and "\x1b" not in told and "\u202e" not in told
