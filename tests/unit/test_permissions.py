"""Least privilege: each function has a role of its own, which grants exactly what the function does."""

from __future__ import annotations

import json
import re

import pytest
from tests.calls import recorded
from tests.permissions import Grant, granted, role_of
from tests.template import TEMPLATE, properties, template

FLOW = TEMPLATE.parent / "functions/resolve_errors/flow.asl.json"
# What Lambda itself does with the role of a function, by the type of its event source (Lambda's developer guide).
OF_A_SOURCE = {
    "SQS": {"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"},
    "DynamoDB": {
        "dynamodb:DescribeStream",
        "dynamodb:GetRecords",
        "dynamodb:GetShardIterator",
        "dynamodb:ListStreams",
    },
}


def of_type(kind):
    return [name for name, r in template()["Resources"].items() if r["Type"] == kind]


FUNCTIONS = of_type("AWS::Serverless::Function")
ROLES = of_type("AWS::IAM::Role")


def own_policy(function):
    """Named as its folder."""
    return properties(function)["Handler"].partition(".")[0]


def allows(grants, call):
    return any(grant.covers(call) for grant in grants)


def test_each_function_has_a_role_that_nothing_else_has_and_no_policy_but_ours():
    assert len({role_of(name) for name in FUNCTIONS}) == len(FUNCTIONS)
    for role in ROLES:
        assert set(properties(role)) == {"AssumeRolePolicyDocument", "Policies"}
    for name in (*FUNCTIONS, *of_type("AWS::Serverless::StateMachine")):
        assert "Policies" not in properties(name)


@pytest.mark.parametrize("role", ROLES)
def test_no_role_grants_more_actions_or_resources_than_it_names(role):
    for grant in granted(role):
        assert "*" not in grant.action
        assert re.match(r"[\w:/-]+", grant.resource)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_whatever_a_function_asks_of_aws_is_granted_by_its_own_policy(function):
    grants = granted(role_of(function), own_policy(function))
    assert [call for call in recorded()[own_policy(function)] if not allows(grants, call)] == []


@pytest.mark.parametrize(("function", "grant"), [(f, g) for f in FUNCTIONS for g in granted(role_of(f), own_policy(f))])
def test_without_any_one_of_its_grants_a_function_could_not_do_what_it_does(function, grant):
    others = [other for other in granted(role_of(function), own_policy(function)) if other != grant]
    assert [call for call in recorded()[own_policy(function)] if not allows(others, call)] != []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_lambda_itself_may_do_what_the_log_and_the_event_source_of_a_function_need_and_no_more(function):
    needed = {Grant(action, f"{function}Logs") for action in ("logs:CreateLogStream", "logs:PutLogEvents")}
    for event in properties(function).get("Events", {}).values():
        source = event["Properties"].get("Queue") or event["Properties"].get("Stream")
        if source:
            name = source["Fn::GetAtt"][0]
            resource = f"{name}/stream/*" if event["Type"] == "DynamoDB" else name
            needed |= {Grant(action, resource) for action in OF_A_SOURCE[event["Type"]]}
        if failures := event["Properties"].get("DestinationConfig"):
            needed.add(Grant("sqs:SendMessage", failures["OnFailure"]["Destination"]["Fn::GetAtt"][0]))
    assert set(granted(role_of(function), "lambda")) == needed


def test_the_state_machine_may_invoke_the_functions_that_its_tasks_name_and_no_more():
    flow = json.loads(FLOW.read_text(encoding="utf-8"))
    tasks = [state for state in flow["States"].values() if state["Type"] == "Task"]
    assert {task["Resource"] for task in tasks} == {"arn:${Partition}:states:::lambda:invoke"}
    named = {task["Parameters"]["FunctionName"].strip("${}") for task in tasks}
    assert set(granted(role_of("Errores"))) == {Grant("lambda:InvokeFunction", name) for name in named}


def test_the_schedule_may_invoke_its_function_and_no_more():
    (event,) = properties("Reconcile")["Events"].values()
    role = event["Properties"]["RoleArn"]["Fn::GetAtt"][0]
    assert granted(role) == [Grant("lambda:InvokeFunction", "Reconcile")]


def test_only_the_service_that_uses_a_role_may_assume_it_and_on_behalf_of_this_account():
    used = {role_of(name): "lambda" for name in FUNCTIONS} | {
        role_of("Errores"): "states",
        "ReconcileScheduleRole": "scheduler",
    }
    assert set(used) == set(ROLES)
    for role, service in used.items():
        (trust,) = properties(role)["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Action"] == "sts:AssumeRole"
        assert trust["Principal"] == {"Service": f"{service}.amazonaws.com"}
        if service != "lambda":  # which takes only roles of its function's account, and tells no source
            assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


HOLDERS = {
    "AWS::SQS::Queue": ("AWS::SQS::QueuePolicy", "Queues", "sqs:*"),
    "AWS::SNS::Topic": ("AWS::SNS::TopicPolicy", "Topics", "sns:Publish"),
    "AWS::S3::Bucket": ("AWS::S3::BucketPolicy", "Bucket", "s3:*"),
}


def policy_of(name):
    kind, key, _ = HOLDERS[template()["Resources"][name]["Type"]]
    (found,) = (p for p in map(properties, of_type(kind)) if p[key] in ([{"Ref": name}], {"Ref": name}))
    return [s for s in found["PolicyDocument"]["Statement"] if "Sid" in s]


@pytest.mark.parametrize("name", [name for kind in HOLDERS for name in of_type(kind)])
def test_a_queue_a_topic_and_a_bucket_are_reached_over_tls_only(name):
    kind = template()["Resources"][name]["Type"]
    whole = {
        "AWS::SQS::Queue": {"Fn::GetAtt": [name, "Arn"]},
        "AWS::SNS::Topic": {"Ref": name},
        "AWS::S3::Bucket": [{"Fn::GetAtt": [name, "Arn"]}, {"Fn::Sub": f"${{{name}.Arn}}/*"}],
    }[kind]
    (tls,) = (s for s in policy_of(name) if s["Effect"] == "Deny")
    assert tls == {
        "Sid": "OnlyOverTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": HOLDERS[kind][2],
        "Resource": whole,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


@pytest.mark.parametrize("topic", of_type("AWS::SNS::Topic"))
def test_the_alarms_of_this_account_may_publish_on_a_topic_and_no_other_service(topic):
    (allowed,) = (s for s in policy_of(topic) if s["Effect"] == "Allow")
    assert (allowed["Principal"], allowed["Action"]) == ({"Service": "cloudwatch.amazonaws.com"}, "sns:Publish")
    assert allowed["Condition"] == {
        "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
        "ArnLike": {
            "aws:SourceArn": {"Fn::Sub": "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:*"}
        },
    }
