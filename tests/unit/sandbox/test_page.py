"""What stands in for CloudWatch: what it takes out of a widget, and how it reads a dashboard."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from moto import mock_aws
from tests.sandbox.page.cleaning import clean
from tests.sandbox.page.figures import Metric, dashboards, read_metrics
from tests.seen import Seen, a_row

from operate.widget.console import show

KEYS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
LIST = {"comprobantes": [a_row()], "incidentes": [], "pausas": [], "sigue": None}


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
        answer = LIST | {"cantidad": 1, "total": "1.00", "pedidos": 2, "fuera_de_ventana": 1}
        answer |= {"negados": [], "en_pausa": []}
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
        [{"expression": "m1/60", "label": "c"}],
        ["NS", "Hidden", {"visible": False, "id": "m1"}],
    ]
    assert read_metrics({"metrics": metrics, "stat": "Maximum"}) == [
        Metric("a", "Maximum", "NS", "A", (("Dim", "one"),)),
        Metric("B", "Maximum", "NS", "B", (("Dim", "one"),)),
        Metric("B", "Sum", "NS", "B", (("Dim", "two"),)),
        Metric("c", "Maximum", expression="m1/60"),
        Metric("Hidden", "Maximum", "NS", "Hidden", id="m1", visible=False),
    ]


def test_what_is_counted_is_added_up_and_of_the_rest_the_last_one_is_told():
    metrics = [
        ["NS", "Age", {"id": "age", "visible": False, "stat": "Maximum"}],
        [{"expression": "age/60", "label": "minutes"}],
        ["NS", "In", {"id": "in1"}],
        ["NS", "In2", {"id": "in2", "visible": False}],
        [{"expression": 'SUM(METRICS("in"))', "label": "all"}],
        [{"expression": "RATE(in1)", "label": "rate"}],
        ["NS", "Never"],
    ]
    with mock_aws():
        cloudwatch = boto3.client("cloudwatch", region_name="us-east-1", **KEYS)
        at = datetime.now(UTC) - timedelta(minutes=9)
        for minutes, data in ((0, {"Age": 600, "In": 3}), (5, {"Age": 120, "In": 4, "In2": 5})):
            when = at + timedelta(minutes=minutes)
            told = [{"MetricName": name, "Value": value, "Timestamp": when} for name, value in data.items()]
            cloudwatch.put_metric_data(Namespace="NS", MetricData=told)
        body = {"widgets": [{"type": "metric", "properties": {"metrics": metrics, "stat": "Sum", "title": "T"}}]}
        cloudwatch.put_dashboard(DashboardName="d", DashboardBody=json.dumps(body))
        ((widget,),) = (d["widgets"] for d in dashboards(cloudwatch))
    assert {s["label"]: s["value"] for s in widget["series"]} == {
        "minutes": 2.0,
        "In": 7.0,
        "all": 12.0,
        "rate": None,
        "Never": None,
    }
    assert [s["label"] for s in widget["series"] if not s["computable"]] == ["rate"]
