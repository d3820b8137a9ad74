"""An alarm is a sentence that says what it means and what to do, on a metric that somebody emits, with its runbook."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path

import pytest
from tests.template import TEMPLATE, default, of_type, properties

from facturacion.metricas import Metrica
from operate.__main__ import main

ROOT = TEMPLATE.parent
RUNBOOK = ROOT / "RUNBOOK.md"
ALARMS = of_type("AWS::CloudWatch::Alarm")
OURS = {"Fn::Sub": "Facturacion/${AWS::StackName}"}
OF_AWS = {
    "AWS/SQS": {"QueueName": {"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"}},
    "AWS/ApiGateway": {"ApiId": {"5xx", "4xx", "Count", "Latency", "IntegrationLatency"}},
    "AWS/Lambda": {"FunctionName": {"Invocations", "Errors", "Throttles", "Duration", "IteratorAge"}},
    "AWS/States": {"StateMachineArn": {"ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"}},
    "AWS/DynamoDB": {"TableName": {"ReadThrottleEvents", "WriteThrottleEvents"}},
}
"""What the alarms watch of AWS's own, by the dimension under which AWS publishes it."""
PARTS = ("How to look:", "What to do:", "What not to do:")
SEVERITIES = {"aviso": "Warnings", "critica": "Alarms"}


def watched(alarm):
    """Namespace, name and dimensions of each metric of an alarm."""
    declared = properties(alarm)
    several = [row["MetricStat"]["Metric"] for row in declared.get("Metrics", ()) if "MetricStat" in row]
    for metric in several or [declared]:
        yield metric["Namespace"], metric["MetricName"], {d["Name"]: d["Value"] for d in metric["Dimensions"]}


def text_of(alarm):
    return properties(alarm)["AlarmDescription"]["Fn::Sub"]


def name_of(alarm):
    """Without the stack: `silencio-aviso`."""
    return properties(alarm)["AlarmName"]["Fn::Sub"].removeprefix("${AWS::StackName}-")


@cache
def sections(path=RUNBOOK):
    """The sections of the runbook by their anchor."""
    parts = re.split(r"^## (.+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def plain(text):
    return re.sub(r"\s+", " ", text.replace("\n> ", " "))


def faults_of_runbook(found):
    """What the runbook lacks: the section that an alarm names, its sentence there, or one of the section's parts."""
    faults = []
    for alarm in ALARMS:
        sentence, _, anchor = text_of(alarm).rpartition(" Ver ${RunbookUrl}#")
        section = found.get(anchor)
        if section is None:
            faults.append(f"{anchor}: no such section")
        elif f"`{name_of(alarm)}`: «{sentence}»" not in plain(section):
            faults.append(f"{anchor}: does not quote {name_of(alarm)}")
    for anchor, section in found.items():
        if "`: «" in section:
            faults += [f"{anchor}: no «{part}»" for part in PARTS if part not in section]
    return faults


def test_every_alarm_has_its_section_of_the_runbook_with_its_sentence_as_it_is():
    assert faults_of_runbook(sections()) == []


@pytest.mark.parametrize("anchor", sorted({text_of(a).rpartition("#")[2] for a in ALARMS}))
def test_a_section_that_is_removed_is_missed(anchor):
    rest = {name: section for name, section in sections().items() if name != anchor}
    assert f"{anchor}: no such section" in faults_of_runbook(rest)


def test_the_runbook_has_no_section_of_an_alarm_that_is_gone():
    named = {text_of(alarm).rpartition("#")[2] for alarm in ALARMS}
    assert set(sections()) - named == {"Before you begin", "Who did it"}


def test_links_within_the_runbook_lead_somewhere():
    links = set(re.findall(r"\]\(#([a-z-]+)\)", RUNBOOK.read_text(encoding="utf-8")))
    assert links and links <= set(sections())


def test_where_it_sends_people_in_other_documents_there_is_such_a_section():
    text = RUNBOOK.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([\w/.-]+)#([\w-]+)\)", text)
    for path, anchor in links:
        heads = re.findall(r"^#+ (.+)$", (ROOT / path).read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert anchor in {re.sub(r"[^\w-]", "", head.lower().replace(" ", "-")) for head in heads}
    assert links and "README" not in text


def test_what_it_says_to_type_is_understood_on_every_system():
    """BSD's date, on a Mac, knows no -d."""
    assert [line for line in shell_lines() if re.search(r"\bdate\b[^)]* (-d|--date)\b", line)] == []


@pytest.mark.parametrize("alarm", ALARMS)
def test_an_alarm_is_a_spanish_sentence_with_its_section_and_tells_both_when_it_begins_and_when_it_is_over(alarm):
    sentence, _, anchor = text_of(alarm).rpartition(" Ver ${RunbookUrl}#")
    assert 60 < len(sentence) < 400 and sentence.endswith(".")
    assert re.search(r"\b(de|la|el|que|y)\b", sentence) and not re.search(r"\b(the|of|is)\b", sentence)
    severity = name_of(alarm).rpartition("-")[2]
    assert re.fullmatch(r"[a-z-]+", anchor)
    to = [{"Ref": SEVERITIES[severity]}]
    assert properties(alarm)["AlarmActions"] == to
    # That it is not seen again mends no duplicate: a person does, and no metric can tell.
    assert properties(alarm).get("OKActions") == (None if anchor == "duplicados" else to)


def test_alarms_are_told_apart_by_their_names():
    assert len({name_of(alarm) for alarm in ALARMS}) == len(ALARMS)


@pytest.mark.parametrize("alarm", ALARMS)
def test_an_alarm_watches_a_metric_that_somebody_emits_under_that_dimension(alarm):
    known = {(m.nombre, service) for m in Metrica for service in m.servicios}
    for namespace, name, dimensions in watched(alarm):
        ((dimension, value),) = dimensions.items()
        if namespace == OURS:
            assert dimension == "service" and (name, value) in known
        else:
            assert name in OF_AWS[namespace][dimension]


@pytest.mark.parametrize("alarm", ALARMS)
def test_what_is_missing_is_read_as_what_it_means(alarm):
    """A counter that is not there counted nothing. What reconcile says each minute is unknown while it says nothing.
    A reconcile that is not invoked emits nothing at all.
    """
    treated = properties(alarm)["TreatMissingData"]
    period = properties(alarm).get("Period")
    if alarm == "ReconcileStoppedAlarm":
        assert treated == "breaching"
    elif period == {"Ref": "AlarmPeriodSeconds"}:
        assert treated == "ignore" and all(d == {"service": "reconcile"} for _, _, d in watched(alarm))
    else:
        assert treated == "notBreaching"


@pytest.mark.parametrize("alarm", [a for a in ALARMS if "Metrics" in properties(a)])
def test_an_alarm_on_an_expression_keeps_within_what_cloudwatch_takes(alarm):
    """Ten metrics at most; one of the rows is what is compared; an expression names rows of its own."""
    rows = properties(alarm)["Metrics"]
    assert sum("MetricStat" in row for row in rows) <= 10
    assert sum(row["ReturnData"] for row in rows) == 1
    ids = {row["Id"] for row in rows}
    assert len(ids) == len(rows) and all(re.fullmatch(r"[a-z][a-zA-Z0-9_]*", name) for name in ids)
    for row in rows:
        if "Expression" in row:
            words = set(re.findall(r"\b[a-z][a-z0-9_]*\b", re.sub(r'"[a-z]+"', "", row["Expression"])))
            assert words <= ids, row
            for part in re.findall(r'METRICS\("([a-z]+)"\)', row["Expression"]):
                assert any(part in name for name in ids)


# -- what an alarm on an expression makes of its metrics


def breaches(alarm, **values):
    """Whether one period with these values (by MetricName) is over the threshold; what was not emitted is not there.

    The expressions are of four functions and arithmetic, and mean in Python what CloudWatch's guide says of them.
    """
    rows = properties(alarm)["Metrics"]
    known = {row["Id"]: values.get(row["MetricStat"]["Metric"]["MetricName"]) for row in rows if "MetricStat" in row}
    for row in rows:
        if "Expression" in row:
            text = re.sub(r"\bAND\b", "and", row["Expression"])
            fill = {"FILL": lambda value, other: other if value is None else value}
            choose = {"IF": lambda condition, one, other: one if condition else other}
            try:
                known[row["Id"]] = eval(text, {"__builtins__": {}}, {**known, **fill, **choose})
            except ZeroDivisionError:
                known[row["Id"]] = 0
    (shown,) = [row["Id"] for row in rows if row["ReturnData"]]
    return known[shown] > properties(alarm)["Threshold"]


def test_what_we_refuse_ourselves_hides_no_provider_that_does_not_answer():
    sent = {"Inciertos": 15, "Aceptados": 15}
    assert breaches("InciertosAlarm", **sent, Rechazados=0)
    assert breaches("InciertosAlarm", **sent, Rechazados=1_000, RechazadosAqui=1_000)
    assert not breaches("InciertosAlarm", **sent, Rechazados=100, RechazadosAqui=0), "it answered these"
    assert not breaches("InciertosAlarm", Inciertos=3, Aceptados=2, Rechazados=90, RechazadosAqui=90), "too few"


def test_a_stranger_at_night_calls_nobody_and_a_token_that_does_not_match_does():
    alarm = "HooksNingunoAutenticoAlarm"
    assert not breaches(alarm, HooksNoAutenticos=50_000, HooksRecibidos=0, Silencio=0)
    assert not breaches(alarm, HooksNoAutenticos=50_000, HooksRecibidos=3, Silencio=300), "a hook is a little late"
    assert breaches(alarm, HooksNoAutenticos=12, HooksRecibidos=0, Silencio=3_000)
    assert not breaches(alarm, HooksNoAutenticos=12, HooksRecibidos=400, Silencio=3_000), "they are not the provider's"


@pytest.mark.parametrize("alarm", ALARMS)
def test_an_alarm_looks_back_no_further_than_cloudwatch_does(alarm):
    """Periods and evaluations: a day in all, where the period is less than an hour; a week from there on."""
    declared = properties(alarm)
    periods = [declared.get("Period")] + [
        row["MetricStat"]["Period"] for row in declared.get("Metrics", ()) if "MetricStat" in row
    ]
    for period in filter(None, periods):
        seconds = default(period["Ref"]) if isinstance(period, dict) else period
        assert seconds * declared["EvaluationPeriods"] <= (7 * 86_400 if seconds >= 3_600 else 86_400)
    assert declared.get("DatapointsToAlarm", 1) <= declared["EvaluationPeriods"]


def test_silence_is_told_well_before_the_provider_drops_the_url():
    """The provider drops a URL that fails for 24 hours, and repeats a hook for 35 minutes before it waits longer."""
    warning, critical = default("SilencioAvisoSeconds"), default("SilencioCriticoSeconds")
    assert 35 * 60 < warning < critical <= 12 * 3600


# -- what the runbook tells people to type


def shell_lines():
    """The lines of its blocks, continued lines joined."""
    blocks = re.findall(r"^```\n(.*?)^```", RUNBOOK.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]


def orders():
    """Every `facturacion …` of the runbook: of its blocks and of its sentences."""
    inline = re.findall(r"`(facturacion [^`]+)`", RUNBOOK.read_text(encoding="utf-8").replace("\n", " "))
    typed = [line.partition("#")[0].strip() for line in shell_lines() if line.startswith("facturacion ")]
    whole = [order for order in typed + inline if " " in order and not re.fullmatch(r"facturacion \w+", order)]
    return sorted({order.replace("reenviar|cambiar-fecha|eliminar|desistir", "reenviar") for order in whole})


class Typed(Exception):
    """The command line understood what was typed, and would now ask."""


def understood(*_args, **_kwargs):
    raise Typed


@pytest.mark.parametrize("order", orders())
def test_what_it_says_to_type_the_command_line_understands(order, monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    argv = [word.replace("DAY-OF-THE-BACKUP", "2026-11-01") for word in shlex.split(order)[1:]]
    with pytest.raises(Typed):
        main(argv, understood)


def test_the_log_lines_it_looks_for_are_written():
    written = {
        match
        for folder in ("functions", "shared")
        for path in (ROOT / folder).rglob("*.py")
        for match in re.findall(r'"([a-z_]+)"', Path(path).read_text(encoding="utf-8"))
    }
    patterns = [line for line in shell_lines() if "--filter-pattern" in line]
    looked_for = {m for line in patterns for m in re.findall(r'\$\.message = "([a-z_]+)"', line)}
    looked_for |= {m for line in patterns for m in re.findall(r"--filter-pattern ([a-z_]+)", line)}
    assert looked_for and looked_for <= written


def test_the_log_groups_it_looks_into_exist():
    groups = {properties(g)["LogGroupName"]["Fn::Sub"] for g in of_type("AWS::Logs::LogGroup")}
    path = re.compile(r"(/aws/(?:lambda/\$STACK/[a-z_]+|apigateway/\$STACK))")
    named = {found for line in shell_lines() for found in path.findall(line)}
    assert named and {n.replace("$STACK", "${AWS::StackName}") for n in named} <= groups
