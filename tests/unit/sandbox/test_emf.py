"""A log line in EMF becomes the metrics that CloudWatch makes of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from tests.sandbox.emf import data_of

from facturacion.metricas import Metrica
from facturacion.observability import Medidor


@pytest.fixture
def line(capsys, monkeypatch):
    """What a function writes that measures this."""
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Facturacion/prueba")

    def written(work):
        medidor = Medidor("reconcile")
        medidor.published(lambda _event, _context: work(medidor))({}, None)
        return capsys.readouterr().out.splitlines()[0]

    return written


def measured(medidor):
    medidor.measure(Metrica.SILENCIO, 12)
    medidor.count(Metrica.CONSULTAS, 3)
    medidor.count(Metrica.CONSULTAS, 4)


def test_each_value_of_each_metric_is_put_with_its_dimensions_and_its_unit(line):
    data = list(data_of(line(measured)))
    assert {namespace for namespace, _ in data} == {"Facturacion/prueba"}
    assert [(d["MetricName"], d["Unit"], d["Value"]) for _, d in data] == [
        ("Silencio", "Seconds", 12.0),
        ("Consultas", "Count", 3.0),
        ("Consultas", "Count", 4.0),
    ]
    assert all(d["Dimensions"] == [{"Name": "service", "Value": "reconcile"}] for _, d in data)
    assert all(abs((datetime.now(UTC) - d["Timestamp"]).total_seconds()) < 60 for _, d in data)


def test_each_set_of_dimensions_makes_a_metric_of_its_own():
    emf = {
        "_aws": {
            "Timestamp": 1_772_452_800_000,
            "CloudWatchMetrics": [
                {"Namespace": "N", "Dimensions": [["service"], ["service", "cuenta"]], "Metrics": [{"Name": "M"}]}
            ],
        },
        "service": "s",
        "cuenta": "norte",
        "M": 1,
    }
    data = [d for _, d in data_of(json.dumps(emf))]
    assert [[pair["Value"] for pair in d["Dimensions"]] for d in data] == [["s"], ["s", "norte"]]
    assert data[0]["Timestamp"] == datetime(2026, 3, 2, 12, 0, tzinfo=UTC) and data[0]["Unit"] == "None"


@pytest.mark.parametrize(
    "message",
    ["", "START RequestId: 1", '{"message": "hook"}', '{"_aws": 1}', 'text with "_aws" in it', '["_aws"]'],
)
def test_what_is_no_emf_makes_no_metric(message):
    assert list(data_of(message)) == []
