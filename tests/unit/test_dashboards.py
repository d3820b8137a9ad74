"""What the dashboards draw is what somebody emits, and what is emitted is drawn for somebody."""

from __future__ import annotations

import json
import re

import pytest
from tests.template import TEMPLATE, of_type, properties, resource, template

from facturacion.metricas import Metrica

OURS = {"Fn::Sub": "Facturacion/${AWS::StackName}"}
OF_AWS = {
    "AWS/SQS": (
        "QueueName",
        "AWS::SQS::Queue",
        {
            "ApproximateNumberOfMessagesVisible",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateAgeOfOldestMessage",
        },
    ),
    "AWS/Lambda": (
        "FunctionName",
        "AWS::Serverless::Function",
        {"Invocations", "Errors", "Throttles", "Duration", "IteratorAge"},
    ),
    "AWS/ApiGateway": ("ApiId", "AWS::ApiGatewayV2::Api", {"Count", "4xx", "5xx", "Latency", "IntegrationLatency"}),
    "AWS/DynamoDB": (
        "TableName",
        "AWS::DynamoDB::Table",
        {"ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits", "ReadThrottleEvents", "WriteThrottleEvents"},
    ),
    "AWS/States": (
        "StateMachineArn",
        "AWS::Serverless::StateMachine",
        {"ExecutionsStarted", "ExecutionsSucceeded", "ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"},
    ),
}
"""AWS's own metrics that are drawn: the dimension under which AWS publishes them, and of which resource."""
IDENTITY = {"AWS::SQS::Queue": lambda name: {"Fn::GetAtt": [name, "QueueName"]}}


def bodies():
    """Each dashboard's body by its logical id, from the file that the template includes."""
    found = {}
    for name in of_type("AWS::CloudWatch::Dashboard"):
        include = properties(name)["DashboardBody"]["Fn::ToJsonString"]["Fn::Transform"]
        assert include["Name"] == "AWS::Include"
        path = TEMPLATE.parent / include["Parameters"]["Location"]
        found[name] = json.loads(path.read_text(encoding="utf-8"))
    return found


def widgets(kind):
    return [(name, w) for name, body in bodies().items() for w in body["widgets"] if w["type"] == kind]


def drawn():
    """Every metric that is drawn: its namespace, name and dimensions, with the options of its line."""
    for _, widget in widgets("metric"):
        for line in widget["properties"]["metrics"]:
            *names, options = line
            if names:
                namespace, name, *pairs = names
                yield namespace, name, dict(zip(pairs[::2], pairs[1::2], strict=True)), options


def emitted():
    return {(m.nombre, service) for m in Metrica for service in m.servicios}


def faults_of(lines):
    """What is drawn that nobody emits, or under a dimension that AWS does not publish it under."""
    faults = []
    for namespace, name, dimensions, _ in lines:
        if namespace == OURS:
            if list(dimensions) != ["service"] or (name, dimensions["service"]) not in emitted():
                faults.append((name, dimensions))
            continue
        dimension, kind, known = OF_AWS[namespace]
        identity = IDENTITY.get(kind, lambda logical_id: {"Ref": logical_id})
        mine = [identity(logical_id) for logical_id in of_type(kind)]
        if name not in known or list(dimensions) != [dimension] or dimensions[dimension] not in mine:
            faults.append((name, dimensions))
    return faults


def test_everything_that_is_drawn_is_emitted_by_somebody():
    assert len(list(drawn())) > 100
    assert faults_of(drawn()) == []


@pytest.mark.parametrize(
    ("name", "service"), [("Recibidoz", "pack_lotes"), ("Recibidos", "reconcile")], ids=["no such name", "not its"]
)
def test_a_metric_that_nobody_emits_would_be_found(name, service):
    assert faults_of([(OURS, name, {"service": service}, {})]) == [(name, {"service": service})]


def test_everything_that_is_emitted_is_drawn():
    assert emitted() - {(name, d.get("service")) for _, name, d, _ in drawn()} == set()


def test_the_two_dashboards_are_named_after_the_stack():
    names = {properties(name)["DashboardName"]["Fn::Sub"] for name in bodies()}
    assert names == {"${AWS::StackName}-negocio", "${AWS::StackName}-maquina"}


def test_nothing_of_a_region_or_an_account_is_written_into_a_body():
    for _, widget in widgets("metric"):
        assert widget["properties"]["region"] == {"Fn::Sub": "${AWS::Region}"}
    for body in bodies().values():
        assert not re.search(r"[a-z]{2}-[a-z]+-\d|\d{12}|arn:aws", json.dumps(body))


def test_every_reference_of_a_body_leads_to_a_resource():
    def refer(node):
        match node:
            case {"Ref": name}:
                yield name
            case {"Fn::GetAtt": [name, _]}:
                yield name
            case dict():
                for value in node.values():
                    yield from refer(value)
            case list():
                for value in node:
                    yield from refer(value)

    named = {name for body in bodies().values() for name in refer(body)}
    assert named and named <= set(template()["Resources"])


def test_an_expression_names_lines_of_its_own_widget():
    for _, widget in widgets("metric"):
        options = [line[-1] for line in widget["properties"]["metrics"]]
        ids = [o["id"] for o in options if "id" in o]
        assert len(ids) == len(set(ids)) and all(re.fullmatch(r"[a-z][a-zA-Z0-9_]*", name) for name in ids)
        for expression in (o["expression"] for o in options if "expression" in o):
            quoted = re.findall(r'METRICS\("([a-z]+)"\)', expression)
            assert all(any(part in name for name in ids) for part in quoted)
            words = set(re.findall(r"\b[a-z][a-z0-9_]*\b", re.sub(r'"[a-z]+"', "", expression)))
            assert words <= set(ids), expression
        hidden = {o["id"] for o in options if o.get("visible") is False}
        used = " ".join(o["expression"] for o in options if "expression" in o)
        assert all(name in used or any(part in name for part in re.findall(r'"([a-z]+)"', used)) for name in hidden)


def test_every_line_that_is_shown_says_in_words_what_it_is():
    for _, widget in widgets("metric"):
        for line in widget["properties"]["metrics"]:
            assert line[-1].get("label") or line[-1].get("visible") is False, line


def test_widgets_fit_the_grid_and_do_not_overlap():
    for body in bodies().values():
        taken = set()
        for w in body["widgets"]:
            cells = {(x, y) for x in range(w["x"], w["x"] + w["width"]) for y in range(w["y"], w["y"] + w["height"])}
            assert max(x for x, _ in cells) < 24 and not cells & taken, w["properties"].get("title")
            taken |= cells


def test_the_business_shows_what_waits_for_a_person_with_the_console_itself():
    ((name, widget),) = widgets("custom")
    assert name == "Negocio"
    assert widget["properties"]["endpoint"] == {"Fn::GetAtt": ["Operate", "Arn"]}
    # It would take away what somebody is writing in it; its list has a button for that.
    assert not any(widget["properties"]["updateOn"].values())


def test_the_alarms_that_a_dashboard_shows_are_alarms():
    shown = [alarm for _, w in widgets("alarm") for alarm in w["properties"]["alarms"]]
    assert len(shown) > 10
    for alarm in shown:
        logical_id, attribute = alarm["Fn::GetAtt"]
        assert (resource(logical_id)["Type"], attribute) == ("AWS::CloudWatch::Alarm", "Arn")


def test_the_language_extensions_come_before_sam():
    """«The AWS::LanguageExtensions transform must come before the AWS::Serverless transform in the list.»"""
    assert template()["Transform"] == ["AWS::LanguageExtensions", "AWS::Serverless-2016-10-31"]
