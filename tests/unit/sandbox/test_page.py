"""What stands in for CloudWatch: what it takes out of a widget, and how it reads a dashboard."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.sandbox.page.cleaning import clean
from tests.sandbox.page.figures import Metric, read_metrics
from tests.seen import Seen

from operate.widget.console import show

LIST = {
    "comprobantes": [
        {
            "cuenta": "norte",
            "external_reference": "A-1",
            "estado": "EN_REVISION",
            "desde": "2026-03-02T12:00:00.000Z",
            "tipo": "FACTURA B",
            "fecha": "2026-03-02",
            "total": "139.00",
            "horas": 30,
            "causas": [{"codigo": "X", "mensaje": "a < b"}],
            "de_otro_sistema": False,
            "decision": None,
            "espera": None,
            "hasta": None,
        }
    ],
    "incidentes": [],
    "pausas": [],
    "sigue": None,
}


@pytest.mark.parametrize(
    ("html", "left"),
    [
        ("<script>run()</script>a", "a"),
        ("<iframe src=x></iframe>a", "a"),
        ("<svg><use href='#x'/></svg>a", "a"),
        ('<img src="x" onerror="run()">', '<img src="x">'),
        ('<a href="javascript:run()">a</a>', "<a>a</a>"),
        ('<b onclick="run()">a</b>', "<b>a</b>"),
        ('<form action="http://evil.example">a</form>', "<form>a</form>"),
        ('<input formaction="javascript:run()" name="n">', '<input name="n">'),
    ],
)
def test_what_could_run_is_taken_out(html, left):
    assert clean(html) == left


def test_nothing_of_the_widget_is_taken_out():
    """All that it is made of is let through; also what its buttons send."""
    context = {"widgetContext": {"forms": {"all": {}}, "params": {}}}
    for asked in ({}, {"consola": {"vista": "preparar", "accion": "cambiar_fecha", "cuenta": "n", "codigo": "<&>"}}):
        answer = LIST | {"cantidad": 1, "total": "1.00", "pedidos": 2, "fuera_de_ventana": 1, "negados": []}
        html = show(
            context | asked,
            lambda _, a=answer: a,
            endpoint="arn",
            solicitud="s",
            clock=lambda: datetime(2026, 3, 2, tzinfo=UTC),
        )
        before, after = Seen(html), Seen(clean(html))
        assert before.tags == after.tags and before.text == after.text and before.buttons == after.buttons


def test_a_metric_may_repeat_what_the_one_before_it_has():
    metrics = [
        ["NS", "A", "Dim", "one", {"label": "a"}],
        [".", "B", ".", "."],
        ["...", "two", {"stat": "Sum"}],
        [{"expression": "m1/m2", "label": "c"}],
        ["NS", "Hidden", {"visible": False, "id": "m1"}],
    ]
    assert read_metrics({"metrics": metrics, "stat": "Maximum"}) == [
        Metric("a", "Maximum", "NS", "A", (("Dim", "one"),)),
        Metric("B", "Maximum", "NS", "B", (("Dim", "one"),)),
        Metric("B", "Sum", "NS", "B", (("Dim", "two"),)),
        Metric("c", "Maximum", expression="m1/m2"),
    ]
