"""The state machine of the errors: its shape, and what follows what by a second interpreter of the language."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path

import pytest
from moto import mock_aws
from moto.awslambda_simple.models import lambda_simple_backends
from tests.sandbox.waiting import wait_until
from tests.template import properties

ROOT = Path(__file__).resolve().parents[2]
FLOW = ROOT / properties("Errores")["DefinitionUri"]
RUNNING = (ROOT / "functions/resolve_errors/running.py").read_text(encoding="utf-8")
ARN = "arn:aws:lambda:us-east-1:123456789012:function:resolve"
STATES = json.loads(FLOW.read_text(encoding="utf-8"))["States"]
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}


def definition() -> str:
    text = FLOW.read_text(encoding="utf-8")
    assert set(re.findall(r"\$\{(\w+)\}", text)) == set(properties("Errores")["DefinitionSubstitutions"])
    return text.replace("${Partition}", "aws").replace("${ResolveErrors}", ARN)


# -- its shape


@pytest.mark.parametrize("name", TASKS)
def test_every_task_is_retried_and_its_failure_gives_the_lease_back(name):
    task = TASKS[name]
    retried = [error for retry in task["Retry"] for error in retry["ErrorEquals"]]
    assert "Lambda.TooManyRequestsException" in retried and retried[-1] == "States.ALL"
    if task["Parameters"]["Payload"]["paso"] == "abandonar":
        assert task["Next"] == "Falló"
    else:
        (catch,) = task["Catch"]
        assert catch == {"ErrorEquals": ["States.ALL"], "ResultPath": "$.fallo", "Next": "No se pudo seguir"}


def test_the_tasks_of_the_machine_are_those_of_the_function():
    called = {task["Parameters"]["Payload"]["paso"] for task in TASKS.values()}
    assert called == set(re.findall(r'^        case "(\w+)":', RUNNING, re.MULTILINE))


def test_whatever_a_task_answers_leads_somewhere():
    choices = {c["StringEquals"]: c["Next"] for c in STATES["¿Qué sigue?"]["Choices"]}
    answered = set(re.findall(r'_next\(corrida, "(\w+)"', RUNNING))
    assert answered - {"fin"} == set(choices) and STATES["¿Qué sigue?"]["Default"] == "Fin"
    assert set(choices.values()) <= set(STATES)


def test_its_state_holds_nothing_of_a_comprobante():
    """The plan is in the ledger: an execution's history is kept for 90 days, and shows only the cuenta."""
    for task in TASKS.values():
        payload = task["Parameters"]["Payload"]
        assert set(payload) == {"paso", "cuenta.$", "vuelta.$", "corrida.$"}
        assert payload["corrida.$"] == "$$.Execution.Name"


# -- moto's interpreter


@pytest.fixture
def _aws_is_moto(monkeypatch):
    """Step Functions is interpreted; a Lambda answers what it is told to."""
    for name, value in {"DEFAULT_REGION": "us-east-1", "ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "x"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    config = {"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": False}}
    with mock_aws(config=config):
        yield


def run(aws, *answers):
    """The names of the states that an execution goes through when its tasks answer so, and its status."""
    role = aws("iam").create_role(RoleName="flow", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.py", "")
    code = {"ZipFile": packed.getvalue()}
    aws("lambda").create_function(FunctionName="resolve", Runtime="python3.13", Role=role, Handler="a.h", Code=code)
    backend = lambda_simple_backends["123456789012"]["us-east-1"]
    backend.lambda_simple_results_queue = [json.dumps({"cuenta": "norte", "vuelta": 1, **a}) for a in answers]
    sfn = aws("stepfunctions")
    machine = sfn.create_state_machine(name="errores", definition=definition(), roleArn=role)["stateMachineArn"]
    started = sfn.start_execution(
        stateMachineArn=machine, name="norte-1", input=json.dumps({"cuenta": "norte", "vuelta": 0})
    )["executionArn"]
    status = lambda: sfn.describe_execution(executionArn=started)["status"]  # noqa: E731
    wait_until(lambda: status() != "RUNNING", 30, "the execution never ended")
    history = sfn.get_execution_history(executionArn=started)["events"]
    entered = [e["stateEnteredEventDetails"]["name"] for e in history if "stateEnteredEventDetails" in e]
    return [name for name in entered if name != "¿Qué sigue?"], status()


def says(siguiente, segundos=1):
    return {"siguiente": siguiente, "segundos": segundos}


@pytest.mark.usefixtures("_aws_is_moto")
def test_a_run_settles_plans_acts_settles_and_gives_the_lease_back(aws):
    names, status = run(
        aws, says("asentar"), says("actuar"), says("actuar"), says("asentar"), says("soltar"), says("fin")
    )
    assert names == [
        "Tomar el arriendo",
        "Asentar",
        "Planear",
        "Actuar en orden",
        "Actuar en orden",
        "Asentar",
        "Planear",
        "Soltar el arriendo",
        "Fin",
    ]
    assert status == "SUCCEEDED"


@pytest.mark.usefixtures("_aws_is_moto")
def test_a_release_that_is_refused_looks_again(aws):
    names, _ = run(aws, says("asentar"), says("soltar"), says("asentar"), says("soltar"), says("fin"))
    assert names[3:] == ["Soltar el arriendo", "Asentar", "Planear", "Soltar el arriendo", "Fin"]


@pytest.mark.usefixtures("_aws_is_moto")
def test_a_second_run_ends_at_once(aws):
    assert run(aws, says("fin")) == (["Tomar el arriendo", "Fin"], "SUCCEEDED")
