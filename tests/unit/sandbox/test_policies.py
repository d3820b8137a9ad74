"""The sandbox changes the template's policies in two matters, and in nothing else."""

from __future__ import annotations

from tests.sandbox.policies import for_the_emulator

TLS = {"Effect": "Deny", "Action": "sqs:*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
SEND = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "q"}


def resources(**declared):
    return for_the_emulator({"Resources": declared})["Resources"]


def role(*statements):
    return {"Type": "AWS::IAM::Role", "Properties": {"Policies": [{"PolicyDocument": {"Statement": [*statements]}}]}}


def access(*statements):
    return {"Type": "AWS::SQS::QueuePolicy", "Properties": {"PolicyDocument": {"Statement": [*statements]}}}


def test_what_is_granted_for_one_message_is_granted_for_its_batch():
    batched = {**SEND, "Action": ["sqs:SendMessage", "sqs:SendMessageBatch"]}
    assert resources(role=role(SEND)) == {"role": role(batched)}


def test_what_is_not_batched_stays_as_it_is():
    get = {"Effect": "Allow", "Action": ["dynamodb:GetItem", "sqs:ReceiveMessage"], "Resource": "t"}
    assert resources(role=role(get)) == {"role": role(get)}


def test_only_the_demand_for_tls_is_dropped_and_a_policy_that_demands_nothing_else_with_it():
    assert resources(q=access(TLS, SEND), p=access(TLS)) == {"q": access(SEND)}
