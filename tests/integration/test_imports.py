"""What importing a module brings with it, and which way the arrows point."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = ("pack_lotes", "receive_webhook", "follow_hooks", "resolve_errors", "reconcile", "operate")
SHARED = ("facturacion", "tusfacturas")
PURE = (
    "pack_lotes.packing",
    "operate.decisions",
    "operate.fields",
    "operate.requests",
    "operate.widget.console",
    "pack_lotes.posting",
    "resolve_errors.dates",
    "resolve_errors.planning",
    "resolve_errors.waits",
    "facturacion.accion",
    "facturacion.asking",
    "facturacion.estado",
    "facturacion.asiento",
    "facturacion.events",
    "facturacion.mensaje",
    "facturacion.redaction",
    "facturacion.tiempo",
    "facturacion.ventana",
    "tusfacturas.answers",
    "tusfacturas.catalogue",
    "tusfacturas.classify",
    "tusfacturas.hooks",
    "tusfacturas.models",
    "tusfacturas.outcomes",
    "tusfacturas.overrides",
    "tusfacturas.totals",
)
SPY = """
import json, os, sys
read, made = [], []
ours = tuple(f"{sys.argv[2]}/{folder}/" for folder in ("functions", "shared"))

class Spied(dict):
    def __getitem__(self, key):
        self._note(key)
        return dict.__getitem__(self, key)

    def get(self, key, default=None):
        self._note(key)
        return dict.get(self, key, default)

    def _note(self, key):
        if sys._getframe(2).f_code.co_filename.startswith(ours):
            read.append(key)

os.environ = Spied(os.environ)
import botocore.session
botocore.session.Session.create_client = lambda *a, **k: made.append(a[1])
for module in sys.argv[1].split():
    __import__(module)
print(json.dumps({"modules": sorted(sys.modules), "read": read, "made": made}))
"""


@cache
def imported(*modules):
    """What a fresh interpreter holds after the imports, the variables that our code read, and the clients it made."""
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT / 'functions'}{os.pathsep}{ROOT / 'shared'}"}
    run = subprocess.run(
        [sys.executable, "-c", SPY, " ".join(modules), str(ROOT)], env=env, capture_output=True, text=True, check=True
    )
    return json.loads(run.stdout)


def is_of(module, packages):
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def test_receive_webhook_imports_nothing_that_would_slow_its_start():
    """The provider waits 20 s for the first delivery of a hook, cold start included."""
    heavy = ("httpx", "requests", "pydantic", "aws_xray_sdk", "aws_lambda_powertools.utilities.parameters")
    modules = imported("receive_webhook.app")["modules"]
    assert "receive_webhook.app" in modules and [m for m in modules if is_of(m, heavy)] == []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_handler_reads_no_variable_and_makes_no_client_at_import(function):
    seen = imported(f"{function}.app")
    assert (seen["read"], seen["made"]) == ([], [])


def test_the_pure_modules_import_neither_aws_nor_http():
    """«Pure decisions import neither boto3 nor httpx.»"""
    modules = imported(*PURE)["modules"]
    assert set(PURE) <= set(modules) and [m for m in modules if is_of(m, ("boto3", "httpx"))] == []


# -- the source


@cache
def sources():
    """Path → tree, of everything that is shipped."""
    paths = [path for folder in ("functions", "shared") for path in sorted((ROOT / folder).rglob("*.py"))]
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def imports(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def offences(folder, forbidden):
    files = {path: tree for path, tree in sources().items() if folder in path.parents}
    assert files
    return [(path.name, m) for path, tree in files.items() for m in imports(tree) if is_of(m, forbidden)]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_function_imports_another_functions_folder(function):
    """«What one function does lives in its folder.»"""
    assert offences(ROOT / "functions" / function, tuple(set(FUNCTIONS) - {function})) == []


@pytest.mark.parametrize("package", SHARED)
def test_what_is_shared_imports_no_function(package):
    """«Two floors, arrows only downwards.»"""
    assert offences(ROOT / "shared" / package, FUNCTIONS) == []


def test_the_provider_client_knows_nothing_of_aws_nor_of_our_business():
    assert (
        offences(ROOT / "shared" / "tusfacturas", ("facturacion", "boto3", "botocore", "aws_lambda_powertools")) == []
    )


def test_nothing_imports_the_tests():
    assert offences(ROOT / "functions", ("tests",)) == offences(ROOT / "shared", ("tests",)) == []


def test_only_the_ledger_speaks_to_dynamodb():
    """«ledger (alone knows DynamoDB)»: elsewhere at most a client of it is made, to be handed over."""
    words = ("update_item", "put_item", "get_item", "batch_get_item", "transact_write_items", "query", "get_paginator")
    calls = [
        (path.name, node.attr)
        for path, tree in sources().items()
        if "ledger" not in path.parts
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in words
    ]
    assert calls == []


def test_no_boto3_resource_is_made():
    made = [
        path.name
        for path, tree in sources().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "resource" and getattr(node.value, "id", "") == "boto3"
    ]
    assert made == []
