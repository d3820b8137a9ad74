"""What is declared of metrics is what the code emits, and nothing is emitted that is not declared."""

from __future__ import annotations

import ast
import json
from functools import cache
from pathlib import Path

import pytest
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.constants import MAX_METRIC_NAME_LENGTH

from facturacion import metricas
from facturacion.metricas import DE_ACCION, DE_CLASE, DE_EVENTO, Metrica
from facturacion.observability import Medidor
from tusfacturas.catalogue import Clase
from tusfacturas.hooks import EVENTOS

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("pack_lotes", "receive_webhook", "follow_hooks", "resolve_errors", "operate", "reconcile")
TABLES = {"DE_EVENTO": DE_EVENTO, "DE_CLASE": DE_CLASE, "DE_ACCION": DE_ACCION}


@cache
def sources():
    """Module name → tree, of everything that is shipped."""
    trees = {}
    for floor in ("functions", "shared"):
        for path in (ROOT / floor).rglob("*.py"):
            name = ".".join(path.relative_to(ROOT / floor).with_suffix("").parts).removesuffix(".__init__")
            trees[name] = ast.parse(path.read_text(encoding="utf-8"))
    return trees


def used_in(module):
    """The metrics that a module names, those of a table that it names included."""
    if module == metricas.__name__:
        return set()
    found = set()
    for node in ast.walk(sources()[module]):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Metrica":
            found.add(Metrica[node.attr])
        if isinstance(node, ast.Name) and node.id in TABLES:
            found |= set(TABLES[node.id].values())
    return found


def reached_from(service):
    """The modules that a function's handler imports, and those import."""
    reached, left = set(), [f"{service}.app"]
    while left:
        module = left.pop()
        if module in reached or module not in sources():
            continue
        reached.add(module)
        for node in ast.walk(sources()[module]):
            if isinstance(node, ast.ImportFrom) and node.module:
                left += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return reached


@cache
def emitted_by(service):
    return set().union(*(used_in(module) for module in reached_from(service)))


@pytest.mark.parametrize("metrica", Metrica)
def test_every_metric_that_is_declared_is_emitted_by_those_who_are_said_to(metrica):
    assert metrica.servicios and set(metrica.servicios) <= set(SERVICES)
    assert [service for service in metrica.servicios if metrica not in emitted_by(service)] == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_function_emits_in_its_own_folder_only_what_is_declared_of_it(service):
    own = set().union(*(used_in(module) for module in sources() if module.split(".")[0] == service))
    assert [m.nombre for m in own if service not in m.servicios] == []


def test_names_are_told_apart_and_say_what_they_mean():
    assert len({m.nombre for m in Metrica}) == len(Metrica)
    for metrica in Metrica:
        assert metrica.nombre.isascii() and metrica.nombre.isalpha() and len(metrica.nombre) < MAX_METRIC_NAME_LENGTH
        assert metrica.que.endswith(".")


def test_every_evento_class_and_action_has_its_metric():
    assert set(DE_EVENTO) == EVENTOS
    assert set(DE_CLASE) == {*Clase, None}
    assert len(set(DE_EVENTO.values())) == len(DE_EVENTO) and len(set(DE_CLASE.values())) == len(DE_CLASE)


# -- how they are written


@pytest.fixture
def written(capsys):
    def lines():
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return lines


def emit(medidor, work):
    """An invocation of a function that does `work`."""

    @medidor.published
    def handler(event, context):
        work()
        return {}

    return handler({}, None)


def test_an_invocation_writes_one_line_with_what_it_gathered(written, monkeypatch):
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Facturacion/prueba")
    medidor = Medidor("pack_lotes")

    def work():
        medidor.count(Metrica.ACEPTADOS, 40, cuenta="norte")
        medidor.count(Metrica.ACEPTADOS, 2, cuenta="sur")
        medidor.measure(Metrica.LLENADO, 42.0)

    emit(medidor, work)
    (line,) = written()
    (declared,) = line["_aws"]["CloudWatchMetrics"]
    assert declared["Namespace"] == "Facturacion/prueba" and declared["Dimensions"] == [["service"]]
    assert declared["Metrics"] == [
        {"Name": "Aceptados", "Unit": "Count"},
        {"Name": "LlenadoLote", "Unit": "Percent"},
    ]
    assert (line["service"], line["Aceptados"], line["LlenadoLote"]) == ("pack_lotes", [40.0, 2.0], [42.0])
    assert "norte" not in json.dumps(line)


def test_a_zero_is_a_value_of_a_measure_and_none_of_a_count(written):
    medidor = Medidor("reconcile")
    emit(medidor, lambda: medidor.count(Metrica.CORREGIDOS, 0))
    assert written() == []
    emit(medidor, lambda: medidor.measure(Metrica.SILENCIO, 0))
    assert [line["Silencio"] for line in written()] == [[0.0]]


def test_what_was_gathered_is_written_although_the_handler_fails_and_never_twice(written):
    medidor = Medidor("reconcile")

    def work():
        medidor.count(Metrica.CONSULTAS, 3)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        emit(medidor, work)
    assert [line["Consultas"] for line in written()] == [[3.0]]
    emit(medidor, lambda: None)
    assert written() == []


def test_a_setting_keeps_each_metric_of_a_cuenta_a_second_time_by_cuenta(written, monkeypatch):
    monkeypatch.setenv("METRICS_POR_CUENTA", "true")
    medidor = Medidor("pack_lotes")

    def work():
        medidor.count(Metrica.ACEPTADOS, 40, cuenta="norte")
        medidor.count(Metrica.ACEPTADOS, 2, cuenta="sur")
        medidor.measure_cuenta(Metrica.ABIERTOS, 7, "sur")

    emit(medidor, work)
    by_cuenta = {line.get("cuenta"): line for line in written()}
    assert [by_cuenta[alias]["Aceptados"] for alias in (None, "norte", "sur")] == [[40.0, 2.0], [40.0], [2.0]]
    assert by_cuenta["sur"]["Abiertos"] == [7.0] and "Abiertos" not in by_cuenta[None]
    dimensions = by_cuenta["sur"]["_aws"]["CloudWatchMetrics"][0]["Dimensions"]
    assert [set(one) for one in dimensions] == [{"service", "cuenta"}]


def test_more_values_than_a_line_holds_go_into_several(written):
    medidor = Medidor("follow_hooks")
    emit(medidor, lambda: [medidor.measure(Metrica.HASTA_EMITIDO, n) for n in range(250)])
    values = [value for line in written() for value in line["SegundosHastaEmitido"]]
    assert values == [float(n) for n in range(250)]
