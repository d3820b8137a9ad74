"""The OpenAPI of the webhook says what the template routes, what the code takes, and what it answers."""

from __future__ import annotations

import ast
import inspect
import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from tests.template import properties, template

from facturacion.cuentas import ALIAS, LLAVE
from receive_webhook import app
from tusfacturas.hooks import EVENTOS, ID_MAX, MENSAJES_MAX, read_hook

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = yaml.safe_load((ROOT / "events" / "webhook.openapi.yaml").read_text(encoding="utf-8"))
COMPONENTS = DOCUMENT["components"]
OPERATIONS = {(verb, path): op for path, verbs in DOCUMENT["paths"].items() for verb, op in verbs.items()}
SAMPLES = [
    *(json.loads(p.read_text("utf-8"))["body"] for p in (ROOT / "events").glob("receive_webhook.*.json")),
    *(
        p.read_text("utf-8")
        for p in (ROOT / "tests" / "provider_examples").glob("webhook.*.json")
        if p.name != "webhook.headers.json"
    ),
]


def schema_of(name):
    return {"$ref": f"#/components/schemas/{name}", "components": COMPONENTS}


def pattern_of(parameters, name):
    resolved = [COMPONENTS["parameters"][p["$ref"].rpartition("/")[2]] if "$ref" in p else p for p in parameters]
    (pattern,) = (p["schema"]["pattern"] for p in resolved if p["name"] == name)
    return pattern


def test_its_paths_are_the_routes_of_the_template():
    routes = [r["Properties"] for r in template()["Resources"].values() if r["Type"] == "AWS::ApiGatewayV2::Route"]
    assert {f"{verb.upper()} {path}" for verb, path in OPERATIONS} == {route["RouteKey"] for route in routes}
    assert properties("HookIntegration")["PayloadFormatVersion"] == "2.0"


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda op: op["operationId"])
def test_an_alias_a_llave_and_the_header_are_those_of_the_code(operation):
    assert pattern_of(operation["parameters"], "cuenta") == f"^{ALIAS.pattern}$"
    if operation["security"]:
        (scheme,) = (COMPONENTS["securitySchemes"][name] for one in operation["security"] for name in one)
        assert (scheme["in"], scheme["name"].lower()) == ("header", app.TOKEN_HEADER)
    else:
        assert pattern_of(operation["parameters"], "llave") == f"^{LLAVE.pattern}$"


def test_its_answers_are_those_of_the_function_and_of_api_gateway():
    """429 and 500 are API Gateway's own; the others the handler gives, each of them somewhere in its text."""
    calls = [node for node in ast.walk(ast.parse(inspect.getsource(app))) if isinstance(node, ast.Call)]
    ours = {str(c.args[0].value) for c in calls if isinstance(c.func, ast.Name) and c.func.id == "_answer"}
    for operation in OPERATIONS.values():
        assert set(operation["responses"]) == ours | {"429", "500"}
    assert json.loads(app._answer(403)["body"]) == {}
    jsonschema.validate({}, schema_of("Nothing"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"message": "no such cuenta"}, schema_of("Nothing"))


def test_its_limits_are_those_of_the_code():
    told = json.dumps(COMPONENTS)
    for limit in (
        f"At most {app.BODY_MAX // 1024} KB",
        f"{MENSAJES_MAX} of them are read",
        f"longer than {ID_MAX}",
    ):
        assert limit in told


@pytest.mark.parametrize("body", SAMPLES)
def test_what_the_provider_sends_satisfies_it_and_is_read_whole(body):
    raw = json.loads(body)
    jsonschema.validate(raw, schema_of("Hook"))
    hook = read_hook(body.encode())
    assert (hook.evento, hook.hook_id, hook.creado) == (raw["evento"], raw["hook_id"], raw["creado"])
    assert set(raw) == set(COMPONENTS["schemas"]["Hook"]["properties"])


def test_it_knows_every_evento():
    assert set(COMPONENTS["schemas"]["Hook"]["properties"]["evento"]["enum"]) == EVENTOS


def test_it_is_named_where_people_look():
    assert "webhook.openapi.yaml" in (ROOT / "events" / "README.md").read_text("utf-8")
    assert re.search(r"webhook\.openapi\.yaml", inspect.getdoc(app) or "")
