"""The webhook of the deployed template, from outside: fuzzed from its own OpenAPI, and knocked at by hand.

`make fuzz` runs the same for longer: FUZZ_EXAMPLES for each operation and kind, FUZZ_SEED of what is tried.
"""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import os
from urllib.parse import parse_qsl, urlsplit

import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks
from tests.odd import ODD
from tests.sandbox.cuentas import WEBHOOK_HEADER
from tests.sandbox.demo.leaks import search_secrets
from tests.sandbox.demo.stage import log_lines
from tests.sandbox.demo.verdict import failures
from tests.template import TEMPLATE

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "25"))
SEED = int(os.environ.get("FUZZ_SEED", "7"))
DOCUMENT = schemathesis.openapi.from_path(TEMPLATE.parent / "events" / "webhook.openapi.yaml")
OPERATIONS = {
    operation.definition.raw["operationId"]: operation for operation in (r.ok() for r in DOCUMENT.get_all_operations())
}
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
"""Not `negative_data_rejection`: what is authentic is kept, whatever it is. Nor `unsupported_method`: API Gateway
answers 404, not 405, where there is no route."""
NOT_FOUND = {"message": "Not Found"}


class Door:
    """`base` and `query`: where the API of the stack's account is."""

    def __init__(self, stack):
        self.stack = stack
        self.base, _, query = stack.url_of("").partition("?")
        self.query = query
        self.params = dict(parse_qsl(query))

    def fuzz(self, operation, allowed, **fixed):
        """Every answer is one of the document's, and of `allowed`."""
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            self._fuzz(operation.as_strategy(generation_mode=mode, **fixed), allowed, fixed.get("headers"))

    def _fuzz(self, cases, allowed, headers):
        @seed(SEED)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        )
        @given(case=cases)
        def each(case):
            response = case.call(base_url=self.base.rstrip("/"), params=self.params, headers=headers)
            # What is no path of ours any more (an empty segment, a slash in one) API Gateway answers by itself.
            if response.status_code == 404 and response.json() == NOT_FOUND:
                return
            assert response.status_code in allowed
            case.validate_response(response, checks=CHECKS)

        each()

    def knock(self, method, path, headers=(), body=b""):
        """One request as it is written, headers in their order and as often as they come; status and answer."""
        parts = urlsplit(self.base)
        with contextlib.closing(http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)) as connection:
            connection.putrequest(method, f"{parts.path.rstrip('/')}{path}?{self.query}", skip_accept_encoding=True)
            for name, value in [*headers, ("Content-Length", str(len(body)))]:
                connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            return response.status, response.read()

    def stored(self):
        pages = self.stack.boto("dynamodb").get_paginator("scan").paginate(TableName=self.stack.table)
        return [item for page in pages for item in page["Items"]]

    def assert_nothing_shows(self):
        """No secret in any log or item, and no function that failed."""
        found = search_secrets(self.stack.account, self.stack.cuentas, ())
        assert found.leaks == [] and found.looked_at["log lines"]
        assert failures(log_lines(self.stack)) == []


@pytest.fixture
def door(stack):
    return Door(stack)


@pytest.fixture
def token(door):
    return door.stack.cuentas[0].webhook_token


def test_a_stranger_is_refused_whatever_he_sends_and_nothing_is_stored(door):
    for operation in OPERATIONS.values():
        door.fuzz(operation, {403})
        door.fuzz(operation, {403}, headers={WEBHOOK_HEADER: "x" * 40})
    for path in ("/hooks/demo-uno", "/hooks/nadie", "/hooks/demo-uno/llave0llave0", "/hooks/nadie/llave0llave0"):
        assert door.knock("POST", path, [(WEBHOOK_HEADER, "x" * 40)], b"{}") == (403, b"{}")
    assert door.stored() == []
    door.assert_nothing_shows()


def test_whatever_comes_with_the_token_is_stored_and_answered_200(door):
    cuenta = door.stack.cuentas[0]
    own = {"path_parameters": {"cuenta": cuenta.alias}}
    door.fuzz(OPERATIONS["hook"], {200}, headers={WEBHOOK_HEADER: cuenta.webhook_token}, **own)
    door.fuzz(OPERATIONS["hookConLlave"], {200}, path_parameters={"cuenta": cuenta.alias, "llave": cuenta.llave})
    stored = door.stored()
    hooks = [item for item in stored if item["sk"]["S"].startswith("HOOK#")]
    assert len(hooks) > EXAMPLES / 2 and all(item["pk"]["S"].startswith(f"{cuenta.alias}#") for item in hooks)
    door.assert_nothing_shows()


METHODS = ("GET", "PUT", "DELETE", "PATCH", "HEAD", "TRACE", "PROPFIND", "POSTS")
PATHS = (
    "/",
    "/hooks",
    "/hooks/",
    "/HOOKS/demo-uno",
    "/hooks/a/b/c",
    "/hooks/demo-uno/",
    "/hooks/demo-uno/hooks/demo-uno",
    "/hook/demo-uno",
    "/.env",
    "/hooks/%2e%2e/x/y",
)


def test_other_methods_and_paths_are_not_there(door, token):
    nothing = {(404, json.dumps(NOT_FOUND, separators=(",", ":")).encode()), (404, b"")}
    for path in ("/hooks/demo-uno", f"/hooks/demo-uno/{door.stack.cuentas[0].llave}"):
        for method in METHODS:
            assert door.knock(method, path, [(WEBHOOK_HEADER, token)], b"{}") in nothing, (method, path)
        # Without CORS an HTTP API answers 404 here as well; the local one says 403, by itself.
        assert door.knock("OPTIONS", path, [("Origin", "https://a.test"), (WEBHOOK_HEADER, token)])[0] in {403, 404}
    for path in PATHS:
        status, _ = door.knock("POST", path, [(WEBHOOK_HEADER, token)], b"{}")
        assert status == 404, path
    for path in ("/hooks/%64emo-un%6F%00", "/hooks/demo-uno%2F..", "/hooks/demo-uno%20", "/hooks/demo%2Duno%0a"):
        status, _ = door.knock("POST", path, [(WEBHOOK_HEADER, token)], b"{}")
        assert status in {403, 404}, path
    for path in (f"/hooks/{'a' * 2_000}", f"/hooks/demo-uno/{'a' * 2_000}", "/hooks/%ED%A0%80", "/hooks/%FF%FE"):
        assert door.knock("POST", path, [(WEBHOOK_HEADER, token)], b"{}") == (403, b"{}"), path
    assert door.stored() == []


def test_what_is_done_with_headers_opens_nothing(door, token):
    def status(*headers, path="/hooks/demo-uno"):
        return door.knock("POST", path, headers, b"{}")[0]

    other = door.stack.cuentas[1].webhook_token
    assert status((WEBHOOK_HEADER, "x" * 8_000)) == 403
    assert status((WEBHOOK_HEADER, "ñandú".encode())) == status((WEBHOOK_HEADER, b"\xff\xfe")) == 403
    assert status((WEBHOOK_HEADER, "")) == status((WEBHOOK_HEADER, f"{token},")) == 403
    assert status((WEBHOOK_HEADER, f"{token}, {token}")) == status((WEBHOOK_HEADER, other)) == 403
    assert status(("Authorization", token)) == status(("X-TF-WebhookToken", token)) == 403
    assert status(("Cookie", f"{WEBHOOK_HEADER}={token}")) == 403
    assert status((WEBHOOK_HEADER, token), path="/hooks/demo-dos") == 403
    assert status((WEBHOOK_HEADER, token), path=f"/hooks/demo-uno/{token}") == 403
    assert door.stored() == []
    for n, name in enumerate((WEBHOOK_HEADER.lower(), WEBHOOK_HEADER.upper(), "tf-WebHookToken")):
        assert door.knock("POST", "/hooks/demo-uno", [(name, token)], b'{"hook_id": %d}' % n) == (200, b"{}")
    assert len(door.stored()) == 3
    door.assert_nothing_shows()


def test_a_body_is_the_same_hook_in_every_content_type_and_too_large_a_one_is_refused(door, token):
    """Which of them an HTTP API hands over in base64 AWS does not document."""
    body = b'{"hook_id": "h-1", "evento": "test", "creado": "18/03/2026 15:58:11"}'
    kinds = (
        None,
        "application/json",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
        "application/json; charset=utf-16",
        "multipart/form-data; boundary=h-1",
        "text/plain",
        "x",
        "x" * 4_000,
        "",
    )
    for kind in kinds:
        headers = [(WEBHOOK_HEADER, token), *([("Content-Type", kind)] if kind is not None else [])]
        assert door.knock("POST", "/hooks/demo-uno", headers, body) == (200, b"{}"), kind
    (item,) = door.stored()
    assert (item["sk"]["S"], item["cuerpo"]["B"]) == ("HOOK#h-1", body)
    packed = [(WEBHOOK_HEADER, token), ("Content-Encoding", "gzip")]
    assert door.knock("POST", "/hooks/demo-uno", packed, gzip.compress(body)) == (200, b"{}")
    assert len(door.stored()) == 2
    huge = b"[" * 10_000_000
    assert door.knock("POST", "/hooks/demo-uno", [(WEBHOOK_HEADER, token)], huge) == (413, b"{}")
    assert door.knock("POST", "/hooks/demo-uno", [(WEBHOOK_HEADER, "x")], huge) == (403, b"{}")
    assert len(door.stored()) == 2
    door.assert_nothing_shows()


def test_the_same_oddities_as_in_process_reach_the_function_through_the_api(door, token):
    """Depth, encodings, lone surrogates, huge numbers, repeated keys, long ids; of a stranger and with the token."""
    for what, body in ODD.items():
        assert door.knock("POST", "/hooks/demo-uno", [(WEBHOOK_HEADER, "x" * 40)], body) == (403, b"{}"), what
    assert door.stored() == []
    for what, body in ODD.items():
        assert door.knock("POST", "/hooks/demo-uno", [(WEBHOOK_HEADER, token)], body) == (200, b"{}"), what
    assert {item["pk"]["S"] for item in door.stored()} == {"demo-uno#", "demo-uno#A-1"}
    door.assert_nothing_shows()
