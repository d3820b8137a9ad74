"""The sandbox itself: what it deploys works as it would on AWS, and what it starts is ended whatever happens."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from tests.e2e.probe.driving import PROBE
from tests.sandbox.deploy import ROOT, DeployError, deploy, read_stack, undeploy
from tests.sandbox.ministack import Emulator, EmulatorError, free_port
from tests.sandbox.processes import alive, descendants, processes
from tests.sandbox.stack import DEFAULT_ACCOUNT, SHORT, Stack
from tests.sandbox.state import Folder
from tests.sandbox.waiting import wait_until


@pytest.fixture
def probe(account):
    yield lambda **parameters: deploy(account, "probe", parameters, PROBE)
    undeploy(account, "probe")


def as_stack(account, deployed) -> Stack:
    return Stack(account, deployed, {}, [], PROBE, None)


def test_an_api_a_layer_a_state_machine_and_an_included_file_are_deployed(probe, account):
    deployed = probe()
    answer = httpx.post(as_stack(account, deployed).url_of("/hooks/uno"), json={}, timeout=30)
    assert answer.json() == {"note": "first", "layer": "from the layer", "path": "/hooks/uno"}
    machine = account.boto("stepfunctions")
    run = machine.start_execution(stateMachineArn=deployed.outputs["StateMachineArn"], input="{}")["executionArn"]
    done = wait_until(
        lambda: found if (found := machine.describe_execution(executionArn=run))["status"] != "RUNNING" else None, 60
    )
    assert json.loads(done["output"])["note"] == "first"
    assert account.boto("cloudwatch").describe_alarms(AlarmNames=["probe-alarm"])["MetricAlarms"]


def test_a_stream_reaches_its_function_through_its_filter(probe, account):
    table, dynamodb = probe().outputs["TableName"], account.boto("dynamodb")
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "1"}, "kind": {"S": "leave-me"}})
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "2"}, "kind": {"S": "follow-me"}})
    wait_until(lambda: dynamodb.get_item(TableName=table, Key={"pk": {"S": "followed-2"}}).get("Item"), 60)
    assert not dynamodb.get_item(TableName=table, Key={"pk": {"S": "followed-1"}}).get("Item")


def test_handlers_run_in_the_account_of_their_stack(probe, account):
    deployed = probe()
    record = {"messageId": "1", "body": "{}", "eventSourceARN": "x", "attributes": {"ApproximateReceiveCount": "1"}}
    account.boto("lambda").invoke(
        FunctionName=deployed.functions["take_batch"], Payload=json.dumps({"Records": [record]})
    )
    (item,) = account.boto("dynamodb").scan(TableName=deployed.outputs["TableName"])["Items"]
    assert item["account"]["S"] == account.account_id


def test_accounts_see_nothing_of_each_other(probe, account, emulator):
    deployed = probe()
    other = emulator.account(str(int(account.account_id) + 500_000_000_000))
    assert deployed.outputs["TableName"] in account.boto("dynamodb").list_tables()["TableNames"]
    assert other.boto("dynamodb").list_tables()["TableNames"] == []
    assert other.boto("sqs").list_queues().get("QueueUrls", []) == []


def test_a_redeployment_changes_what_changed_and_keeps_the_rest(probe, account):
    first = probe()
    second = probe(Note="second", BatchSize="50")
    assert second.outputs == first.outputs
    answer = httpx.post(as_stack(account, second).url_of("/hooks/uno"), json={}, timeout=30)
    assert answer.json()["note"] == "second"
    mappings = account.boto("lambda").list_event_source_mappings(FunctionName=second.functions["take_batch"])
    assert sorted(found["BatchSize"] for found in mappings["EventSourceMappings"]) == [5, 50]


def test_a_redeployment_without_changes_is_none(probe, account):
    probe()
    before = account.boto("cloudformation").describe_stacks(StackName="probe")["Stacks"][0].get("LastUpdatedTime")
    probe()
    after = account.boto("cloudformation").describe_stacks(StackName="probe")["Stacks"][0].get("LastUpdatedTime")
    assert after == before


def test_new_code_is_what_runs_after_a_redeployment(account, tmp_path):
    def write(word: str) -> None:
        (tmp_path / "code").mkdir(exist_ok=True)
        (tmp_path / "code" / "app.py").write_text(f"def handler(event, context):\n    return {word!r}\n")
        (tmp_path / "template.yaml").write_text(
            "Transform: AWS::Serverless-2016-10-31\n"
            "Resources:\n"
            "  Says:\n"
            "    Type: AWS::Serverless::Function\n"
            "    Properties: { Runtime: python3.13, Handler: app.handler, CodeUri: code }\n"
        )

    for word in ("one", "two"):
        write(word)
        deployed = deploy(account, "says", {}, tmp_path / "template.yaml")
        said = account.boto("lambda").invoke(FunctionName=deployed.functions["says"])["Payload"].read()
        assert json.loads(said) == word
    undeploy(account, "says")


def test_a_stack_that_fails_tells_which_resource_and_why(account, tmp_path):
    template = tmp_path / "template.yaml"
    template.write_text(
        "Resources:\n"
        "  Good: { Type: 'AWS::SQS::Queue' }\n"
        "  Mapping:\n"
        "    Type: AWS::Lambda::EventInvokeConfig\n"
        "    Properties: { FunctionName: nobody, Qualifier: $LATEST }\n"
    )
    with pytest.raises(DeployError, match=r"(?s)Mapping \(AWS::Lambda::EventInvokeConfig\): .*nobody"):
        deploy(account, "broken", {}, template)


def test_a_template_that_cannot_be_transformed_is_a_deploy_error_and_not_a_wait(account, tmp_path):
    template = tmp_path / "template.yaml"
    template.write_text(
        "Transform: AWS::Serverless-2016-10-31\n"
        "Resources:\n"
        "  F: { Type: 'AWS::Serverless::Function', Properties: { NoSuchProperty: 1 } }\n"
    )
    with pytest.raises(DeployError, match="NoSuchProperty"):
        deploy(account, "broken", {}, template)


def test_the_projects_own_template_comes_up_with_its_simulator_and_its_source(stack):
    assert stack.functions["pack_lotes"].startswith("facturacion-")
    secrets = {found["Name"] for found in stack.boto("secretsmanager").list_secrets()["SecretList"]}
    assert secrets == {"facturacion/cuentas/demo-uno", "facturacion/cuentas/demo-dos"}
    variables = stack.boto("lambda").get_function_configuration(FunctionName=stack.functions["pack_lotes"])[
        "Environment"
    ]["Variables"]
    assert variables["PROVIDER_BASE_URL"] == stack.simulator.api_url
    assert variables["QUIET_PERIOD_SECONDS"] == SHORT["QuietPeriodSeconds"]
    assert stack.complaint() == ""


def test_a_message_that_cannot_be_understood_goes_all_the_way_to_the_rejected_queue(stack):
    sqs = stack.boto("sqs")
    sqs.send_message(QueueUrl=stack.queue_url, MessageBody="this is no JSON")
    rejected = wait_until(
        lambda: sqs.receive_message(QueueUrl=stack.rejected_queue_url, WaitTimeSeconds=1).get("Messages"), 60
    )
    assert "this is no JSON" in rejected[0]["Body"]
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    wait_until(
        lambda: (
            set(sqs.get_queue_attributes(QueueUrl=stack.queue_url, AttributeNames=names)["Attributes"].values())
            == {"0"}
        ),
        60,
        "the message was not deleted",
    )


def test_a_stack_can_be_redeployed_with_other_parameters(stack):
    stack.redeploy(RetryDelaySeconds="2")
    assert read_stack(stack.account, "facturacion").outputs == stack.deployed.outputs
    variables = stack.boto("lambda").get_function_configuration(FunctionName=stack.functions["pack_lotes"])[
        "Environment"
    ]["Variables"]
    assert variables["RETRY_DELAY_SECONDS"] == "2"
    assert variables["SETTLE_SECONDS"] == SHORT["SettleSeconds"]


def test_an_emulator_leaves_neither_processes_nor_files(tmp_path):
    with Emulator.start(log_path=tmp_path / "log") as emulator:
        account = emulator.account(DEFAULT_ACCOUNT)
        deployed = deploy(account, "probe", {}, PROBE)
        httpx.post(as_stack(account, deployed).url_of("/hooks/uno"), json={}, timeout=30)
        pids = descendants(emulator.pid)
        assert len(pids) == 3, "the watchdog, the emulator and a warm worker"
        assert emulator._directory.exists()
    assert not alive(*pids)
    assert not emulator._directory.exists()


def test_an_emulator_listens_on_the_loopback_alone(emulator):
    listening = subprocess.run(
        [sys.executable, "-c", "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)",
         own_address(), str(emulator.port)],
        capture_output=True, check=False,
    )  # fmt: skip
    if own_address().startswith("127."):
        pytest.skip("this machine has no other address")
    assert listening.returncode != 0


def test_a_port_that_is_taken_is_an_error_with_the_emulators_own_words(emulator):
    with pytest.raises(EmulatorError, match="already in use"):
        Emulator.start(emulator.port)


# --- up, down, status ---------------------------------------------------------------------------------------------


class Command:
    """`python -m tests.sandbox` with a folder of its own."""

    def __init__(self, path: Path) -> None:
        self.folder = Folder(path)

    def start(self, verb: str, *arguments: str) -> subprocess.Popen[str]:
        environment = {name: value for name, value in os.environ.items() if name not in ("PARAMS", "PROVIDER_URL")}
        return subprocess.Popen(
            [sys.executable, "-m", "tests.sandbox", verb, "--folder", str(self.folder.path), *arguments],
            cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,
        )  # fmt: skip

    def __call__(self, verb: str, *arguments: str) -> tuple[int, str]:
        process = self.start(verb, *arguments)
        told, _ = process.communicate(timeout=200)
        return process.returncode, told

    def pids(self) -> list[int]:
        """The daemon and everything under it."""
        return descendants(self.folder.holder())


@pytest.fixture
def sandbox(tmp_path):
    command = Command(tmp_path / "sandbox")
    yield command
    if command.folder.path.exists():
        command("down")


def test_up_leaves_a_sandbox_that_works_and_down_leaves_nothing(sandbox):
    port = free_port()
    code, told = sandbox("up", "--port", str(port), "--cuentas", "uno", "--params", "LoteWindowSeconds=2")
    assert code == 0, told
    outputs = sandbox.folder.read_outputs()
    assert outputs["endpoint_url"] == f"http://127.0.0.1:{port}"
    assert set(outputs) == {
        "endpoint_url", "region", "functions", "queue_url", "dlq_url", "rejected_queue_url", "table", "bus",
        "state_machine_arn", "api_url", "simulator_url", "account_id", "cuentas", "page_url",
        "webhook_url",
    }  # fmt: skip
    assert set(outputs["cuentas"]) == {"uno"}
    assert set(outputs["cuentas"]["uno"]) == {
        "webhook_url", "webhook_header", "webhook_token", "punto_venta", "apikey", "apitoken", "usertoken",
    }  # fmt: skip
    assert outputs["queue_url"] in told and outputs["page_url"] in told
    page = httpx.get(outputs["page_url"], trust_env=False)
    assert page.status_code == 200 and "Facturación" in page.text
    assert outputs["cuentas"]["uno"]["apitoken"] not in told

    assert sandbox("up", "--cuentas", "uno", "--params", "LoteWindowSeconds=2")[0] == 0
    code, told = sandbox("up", "--cuentas", "uno", "--params", "LoteWindowSeconds=3")
    assert code == 2
    assert "make down" in told
    assert "LoteWindowSeconds: runs with 2, asked 3" in told
    assert sandbox("status")[0] == 0

    pids = sandbox.pids()
    assert len(pids) >= 4, "the daemon, the watchdog, the emulator, the simulator"
    assert sandbox("down")[0] == 0
    assert not alive(*pids)
    assert not sandbox.folder.path.exists()
    code, told = sandbox("down")
    assert (code, told) == (0, "No sandbox runs.\n")
    assert sandbox("status")[0] == 1


def test_with_a_provider_of_ones_own_there_is_no_simulator(sandbox):
    code, told = sandbox("up", "--provider-url", "http://127.0.0.1:9/app/api/v2/")
    assert code == 0, told
    outputs = sandbox.folder.read_outputs()
    assert outputs["simulator_url"] is None
    assert "http://127.0.0.1:9/app/api/v2/" in told
    account = Emulator.account(_At(outputs["endpoint_url"]))
    configuration = account.boto("lambda").get_function_configuration(FunctionName=outputs["functions"]["pack_lotes"])
    assert configuration["Environment"]["Variables"]["PROVIDER_BASE_URL"] == "http://127.0.0.1:9/app/api/v2/"


class _At:
    def __init__(self, endpoint_url: str) -> None:
        self.endpoint_url = endpoint_url


def test_a_killed_daemon_takes_everything_with_it_and_up_starts_again(sandbox):
    assert sandbox("up")[0] == 0
    pids = sandbox.pids()
    (watchdog,) = [found.command for found in alive(*pids) if "watchdog.py" in found.command]
    directory = Path(watchdog.split()[3])
    assert directory.is_dir()
    os.kill(sandbox.folder.holder(), signal.SIGKILL)
    wait_until(lambda: not alive(*pids), 40, lambda: f"left: {alive(*pids)}")
    assert not directory.exists()
    assert sandbox("status") == (1, "The sandbox was killed.\n")
    code, told = sandbox("up")
    assert code == 0
    assert "was killed; starting another one" in told
    assert sandbox("status")[0] == 0


def test_a_part_that_dies_ends_the_sandbox_and_status_tells_which(sandbox):
    assert sandbox("up")[0] == 0
    pids = sandbox.pids()
    (emulator,) = [
        found.pid
        for found in alive(*pids)
        if found.command.endswith("-m ministack") and "watchdog" not in found.command
    ]
    os.kill(emulator, signal.SIGKILL)
    wait_until(lambda: not alive(*pids), 40, lambda: f"left: {alive(*pids)}")
    code, told = sandbox("status")
    assert code == 1
    assert "the emulator ended" in told
    assert not sandbox.folder.outputs_path.exists()
    code, told = sandbox("up")
    assert code == 0
    assert "The last sandbox died (the emulator ended" in told


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("when", ["at once", "with the emulator started"])
def test_an_interrupted_up_leaves_nothing(sandbox, number, when):
    process = sandbox.start("up")
    holder = wait_until(sandbox.folder.holder, 60, "the daemon did not start")
    if when == "with the emulator started":
        wait_until(lambda: len(sandbox.pids()) >= 3 or process.poll() is not None, 60, "no emulator")
    pids = sandbox.pids()
    os.kill(process.pid, number)
    process.communicate(timeout=60)
    wait_until(lambda: not alive(holder, *pids), 40, lambda: f"left: {alive(holder, *pids)}")
    assert sandbox.folder.holder() == 0
    assert sandbox("down")[0] == 0


def test_two_ups_at_once_start_one_sandbox(sandbox):
    both = [sandbox.start("up", "--cuentas", "uno") for _ in range(2)]
    told = [process.communicate(timeout=200)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    queue = sandbox.folder.read_outputs()["queue_url"]
    assert all(queue in each for each in told)
    mine = [found for found in processes().values() if str(sandbox.folder.path) in found.command]
    assert [found.pid for found in mine] == [sandbox.folder.holder()]


def test_a_sandbox_whose_folder_was_removed_ends_by_itself(sandbox):
    assert sandbox("up")[0] == 0
    pids = sandbox.pids()
    sandbox.folder.remove()
    wait_until(lambda: not alive(*pids), 60, lambda: f"left: {alive(*pids)}")
    assert not sandbox.folder.path.exists()


def test_up_on_a_port_that_is_taken_is_told_and_leaves_nothing(sandbox):
    with Emulator.start() as other:
        code, told = sandbox("up", "--port", str(other.port))
    assert code == 1
    assert "already in use" in told
    assert sandbox.folder.holder() == 0


def own_address() -> str:
    """An address of this machine that is not the loopback, if it has one; nothing is sent."""
    import socket  # noqa: PLC0415

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])
