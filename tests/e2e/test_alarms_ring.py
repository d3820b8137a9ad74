"""What people are told, on the deployed stack: the alarms fire and clear, the dashboards are there to be looked at."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from tests.e2e.company import Company
from tests.sandbox.deploy import is_on_metric_math
from tests.sandbox.waiting import wait_until
from tests.template import of_type, properties, resource

pytestmark = pytest.mark.timeout(300)
SOON = {"ReconcileSeconds": 2, "ContrastSeconds": 1, "AlarmPeriodSeconds": 10}
SILENCIO = "facturacion-silencio-aviso"


def state(stack, name):
    (alarm,) = stack.boto("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return alarm["StateValue"]


class Heard:
    """A queue that gets what one of the topics says."""

    def __init__(self, stack, logical_id):
        self.sqs = stack.boto("sqs")
        self.url = self.sqs.create_queue(QueueName=f"heard-{logical_id}")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        allowed = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
        policy = {"Version": "2012-10-17", "Statement": [{**allowed, "Resource": arn}]}
        self.sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": json.dumps(policy)})
        topic = stack.deployed.physical_id(logical_id)
        stack.boto("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        self.said = []

    def states_of(self, name):
        """Of one alarm, in the order in which they were said."""
        answer = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            told = json.loads(json.loads(message["Body"])["Message"])
            self.said.append((told["AlarmName"], told["NewStateValue"], told["AlarmDescription"]))
            self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return [new for alarm, new, _ in self.said if alarm == name]


def test_when_the_hooks_stop_the_silence_alarm_fires_and_when_they_come_back_it_clears(start_stack):
    stack = start_stack(metrics=True, SilencioAvisoSeconds=4, SilencioCriticoSeconds=3600, **SOON)
    company, warnings, critical = Company(stack), Heard(stack, "Warnings"), Heard(stack, "Alarms")
    day = f"{datetime.now(UTC) - timedelta(hours=3):%d/%m/%Y}"

    def send(reference):
        company.send([company.message(reference, fecha=day, vencimiento=day)])

    send("A-1")
    company.wait_for({"EMITIDO": 1})

    def after_a_reconciliation(expected):
        company.reconcile()
        return state(stack, SILENCIO) == expected

    wait_until(lambda: after_a_reconciliation("OK"), 60, "nothing was ever measured")
    stack.simulator.plan(hooks_prob={"lost": 1.0})
    send("A-2")
    wait_until(lambda: after_a_reconciliation("ALARM"), 90, "nobody said that no hooks come")
    assert "A-2" in company.asientos(), "and not because of what was told"
    company.wait_for({"EMITIDO": 2})
    stack.simulator.plan(hooks_prob={})
    send("A-3")
    wait_until(lambda: after_a_reconciliation("OK"), 90, "nobody said that hooks come again")
    wait_until(
        lambda: warnings.states_of(SILENCIO)[-2:] == ["ALARM", "OK"], 30, lambda: f"the topic said {warnings.said}"
    )
    assert any("Ver RUNBOOK.md#silencio" in text for name, _, text in warnings.said if name == SILENCIO)
    assert critical.states_of("facturacion-silencio-critica")[-1:] in ([], ["OK"])


def test_dashboards_and_alarms_are_what_the_template_says(stack):
    cloudwatch = stack.boto("cloudwatch")
    pages = cloudwatch.get_paginator("describe_alarms").paginate()
    deployed = {alarm["AlarmName"]: alarm for page in pages for alarm in page["MetricAlarms"]}
    declared = [name for name in of_type("AWS::CloudWatch::Alarm") if not is_on_metric_math(resource(name))]
    names = {properties(name)["AlarmName"]["Fn::Sub"].replace("${AWS::StackName}", "facturacion") for name in declared}
    assert set(deployed) == names
    topics = {stack.deployed.physical_id(name) for name in ("Alarms", "Warnings")}
    for alarm in deployed.values():
        assert set(alarm["AlarmActions"]) <= topics
        once = "-duplicados-" in alarm["AlarmName"]
        assert alarm["OKActions"] == ([] if once else alarm["AlarmActions"])
        assert "${" not in alarm["AlarmDescription"] and "RUNBOOK.md#" in alarm["AlarmDescription"]
    entries = {e["DashboardName"] for e in cloudwatch.list_dashboards()["DashboardEntries"]}
    assert entries == {"facturacion-negocio", "facturacion-maquina"}
    for name in entries:
        body = json.loads(cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"])
        drawn = [w["properties"] for w in body["widgets"] if w["type"] == "metric"]
        assert {p["region"] for p in drawn} == {"us-east-1"}
        spaces = {line[0] for p in drawn for line in p["metrics"] if isinstance(line[0], str)}
        assert "Facturacion/facturacion" in spaces
        assert "Fn::" not in json.dumps([w for w in body["widgets"] if w["type"] != "alarm"])
    ((custom,),) = [
        [w["properties"]["endpoint"] for w in json.loads(b)["widgets"] if w["type"] == "custom"]
        for b in [cloudwatch.get_dashboard(DashboardName="facturacion-negocio")["DashboardBody"]]
    ]
    assert custom.endswith(f":function:{stack.functions['operate']}")
