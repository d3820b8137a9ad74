"""What the template promises, beyond what the linter checks."""

from __future__ import annotations

import importlib
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from tests.permissions import granted
from tests.template import TEMPLATE, default, of_type, properties, resource, template

from facturacion.environment import EnvironmentRefused
from facturacion.ledger.pausas import SEGURA
from pack_lotes.packing import DELAY_MAX_SECONDS, DELAY_SPREAD, delay_seconds, next_look

FUNCTIONS = of_type("AWS::Serverless::Function")
QUEUES = of_type("AWS::SQS::Queue")


def module_of(function):
    return importlib.import_module(properties(function)["Handler"].removesuffix(".handler"))


def variables_of(function):
    of_all = template()["Globals"]["Function"]["Environment"]["Variables"]
    own = properties(function).get("Environment", {}).get("Variables", {})
    return {*of_all, *own}


OF_OBSERVABILITY = {"POWERTOOLS_LOG_LEVEL", "POWERTOOLS_METRICS_NAMESPACE", "METRICS_POR_CUENTA"}
"""Read by Powertools and by `facturacion.observability`, where a log line or a metric is written."""
OPTIONAL = {"DEFAULT_CUENTA", "PDF_BUCKET", "ERROR_CATALOGUE"}


class Recorder(dict):
    """An environment that notes what is asked of it, and has a value for everything."""

    def __init__(self):
        super().__init__()
        self.asked = set()

    def get(self, name, default=None):
        self.asked.add(name)
        if name.endswith(("SECONDS", "DAYS", "TOLERANCE")):
            return "300" if name == "PACK_TIMEOUT_SECONDS" else "30"
        return "" if name in OPTIONAL else "true"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_gets_exactly_the_variables_that_it_reads(function):
    environment = Recorder()
    module_of(function).Environment.from_env(environment)
    assert variables_of(function) - OF_OBSERVABILITY == environment.asked


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_without_its_variables_says_which_are_missing(function):
    with pytest.raises(EnvironmentRefused) as refused:
        module_of(function).Environment.from_env({})
    needed = variables_of(function) - OF_OBSERVABILITY - OPTIONAL
    assert {name for name in needed if name not in str(refused.value)} == set()


def test_a_pack_lotes_too_short_for_one_lote_does_not_start():
    environment = Recorder()
    short = {**{n: environment.get(n) for n in variables_of("PackLotes")}, "PACK_TIMEOUT_SECONDS": "20"}
    with pytest.raises(EnvironmentRefused, match="PACK_TIMEOUT_SECONDS"):
        module_of("PackLotes").Environment.from_env(short)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_has_a_log_group_of_its_own_with_retention(function):
    group = properties(function)["LoggingConfig"]["LogGroup"]["Ref"]
    assert properties(group)["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_no_log_is_kept_for_ever():
    assert all(
        properties(name)["RetentionInDays"] == {"Ref": "LogRetentionDays"} for name in of_type("AWS::Logs::LogGroup")
    )


@pytest.mark.parametrize("file", ["template.yaml", "functions/resolve_errors/flow.asl.json", "samconfig.toml"])
def test_it_is_deployed_to_any_account_region_and_partition(file):
    text = (TEMPLATE.parent / file).read_text(encoding="utf-8")
    assert re.findall(r"arn:aws[\w-]*:|\b[a-z]{2}(?:-[a-z]+)+-\d\b|\b\d{12}\b", text) == []


def test_a_handler_is_where_the_template_says():
    for function in FUNCTIONS:
        assert callable(module_of(function).handler)


def test_every_source_has_somewhere_to_put_what_fails():
    assert properties("Queue")["RedrivePolicy"]["deadLetterTargetArn"]
    for function in FUNCTIONS:
        for event in properties(function).get("Events", {}).values():
            if event["Type"] == "DynamoDB":
                assert event["Properties"]["DestinationConfig"]["OnFailure"]["Destination"]
            if event["Type"] in {"SQS", "DynamoDB"}:
                assert event["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_the_visibility_of_the_queue_is_six_times_the_timeout_and_the_window_and_more():
    needed = 6 * default("PackTimeoutSeconds") + default("LoteWindowSeconds") + 10
    assert default("VisibilitySeconds") >= needed


def test_a_waiting_message_neither_dies_within_four_days_nor_expires_unseen():
    class Low:
        def uniform(self, low, high):
            return low

    class High:
        def uniform(self, low, high):
            return high

    receives = properties("Queue")["RedrivePolicy"]["maxReceiveCount"]
    base, day = default("RetryDelaySeconds"), 86_400
    soonest = sum(delay_seconds(n, base=base, rng=Low()) for n in range(1, receives + 1))
    assert soonest > 4 * day
    slowest = receives * max(DELAY_MAX_SECONDS, default("VisibilitySeconds"))
    assert slowest < properties("Queue")["MessageRetentionPeriod"] / 2
    assert delay_seconds(99, base=base, rng=High()) == DELAY_MAX_SECONDS
    assert 0 < DELAY_SPREAD < 1


def test_a_pause_of_three_days_costs_a_message_half_of_its_receives():
    begun = now = datetime(2026, 3, 2, tzinfo=UTC)
    receives = 0
    while now < begun + SEGURA:
        receives += 1
        now = next_look(begun, now, first=timedelta(seconds=default("RetryDelaySeconds")))
    assert receives <= properties("Queue")["RedrivePolicy"]["maxReceiveCount"] / 2


@pytest.mark.parametrize("queue", QUEUES)
def test_what_a_queue_holds_is_kept_for_two_weeks_encrypted_and_survives_the_stack(queue):
    assert properties(queue)["MessageRetentionPeriod"] == 14 * 86_400
    assert properties(queue)["SqsManagedSseEnabled"] is True
    assert resource(queue)["DeletionPolicy"] == resource(queue)["UpdateReplacePolicy"] == "Retain"


def test_the_ledger_and_the_pdfs_survive_the_stack_and_can_be_restored():
    for name in ("Ledger", "Pdfs"):
        assert resource(name)["DeletionPolicy"] == resource(name)["UpdateReplacePolicy"] == "Retain"
    assert properties("Ledger")["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert properties("Ledger")["DeletionProtectionEnabled"] is True
    assert properties("Pdfs")["VersioningConfiguration"] == {"Status": "Enabled"}


def test_nothing_but_a_caller_with_the_right_invokes_the_function_that_decides():
    assert "Events" not in properties("Operate") and "FunctionUrlConfig" not in properties("Operate")
    allowed = [properties(name)["FunctionName"] for name in of_type("AWS::Lambda::Permission")]
    assert {"Ref": "Operate"} not in allowed
    used = [g for role in of_type("AWS::IAM::Role") for g in granted(role) if g.action == "lambda:InvokeFunction"]
    assert {grant.resource for grant in used} == {"Reconcile", "ResolveErrors"}


def test_the_access_log_never_carries_the_path():
    assert "path" not in properties("HttpStage")["AccessLogSettings"]["Format"].lower()
    assert {properties(r)["RouteKey"] for r in of_type("AWS::ApiGatewayV2::Route")} == {
        "POST /hooks/{cuenta}",
        "POST /hooks/{cuenta}/{llave}",
    }


def test_the_http_api_is_throttled_above_the_providers_pace():
    throttle = properties("HttpStage")["DefaultRouteSettings"]
    assert throttle == {
        "ThrottlingRateLimit": {"Ref": "HttpRateLimit"},
        "ThrottlingBurstLimit": {"Ref": "HttpBurstLimit"},
    }
    assert (default("HttpRateLimit"), default("HttpBurstLimit")) == (300, 1000)


def test_other_accounts_may_only_send_and_only_where_they_are_named():
    tls, others = properties("QueueAccess")["PolicyDocument"]["Statement"]
    assert (tls["Effect"], tls["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    condition, allowed, nothing = others["Fn::If"]
    assert (condition, allowed["Action"], nothing) == ("OthersSend", "sqs:SendMessage", {"Ref": "AWS::NoValue"})
    assert default("SenderAccounts") == ""


def test_the_stream_brings_only_inserted_hooks():
    (pattern,) = properties("FollowHooks")["Events"]["Hooks"]["Properties"]["FilterCriteria"]["Filters"]
    assert '"eventName":["INSERT"]' in pattern["Pattern"]
    assert '"prefix":"HOOK#"' in pattern["Pattern"]


def test_cloudformation_takes_no_yaml_aliases():
    text = TEMPLATE.read_text(encoding="utf-8")
    assert not re.search(r"^\s*[\w<]+:\s+[&*]\w", text, re.MULTILINE)


@pytest.mark.parametrize("parameter", sorted(template()["Parameters"]))
def test_every_parameter_has_a_default_and_says_why(parameter):
    declared = template()["Parameters"][parameter]
    assert "Default" in declared
    assert len(declared["Description"]) > 20


def test_every_parameter_is_used():
    text = TEMPLATE.read_text(encoding="utf-8")
    unused = [p for p in template()["Parameters"] if not re.search(rf"!Ref {p}\b|\$\{{{p}\}}|\[!Ref {p},", text)]
    assert unused == []


def test_a_schedule_has_the_name_of_its_stack_in_its_own():
    """All schedules of an account and a region share one group: two stacks would claim the same name."""
    schedules = [
        e["Properties"]
        for f in FUNCTIONS
        for e in properties(f).get("Events", {}).values()
        if e["Type"] == "ScheduleV2"
    ]
    assert schedules
    assert all("AWS::StackName" in json.dumps(s["Name"]) for s in schedules)
