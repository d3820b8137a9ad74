"""The demo, smaller: it holds, it balances, it leaks nothing; and its search for secrets finds those that are there."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys

import pytest
from tests.sandbox.demo.balance import Fin
from tests.sandbox.demo.leaks import search_secrets
from tests.sandbox.demo.running import run
from tests.sandbox.demo.screen import make_console
from tests.sandbox.demo.script import COUNT_MIN
from tests.sandbox.deploy import ROOT
from tests.sandbox.processes import alive, descendants
from tests.sandbox.waiting import wait_until

SEED = 11


def test_the_demo_balances_nothing_is_issued_twice_and_no_secret_is_found_anywhere():
    console = make_console(io.StringIO())
    evidence = run(console, seed=SEED, count=COUNT_MIN)
    told = console.file.getvalue()
    assert {check.name: check.faults for check in evidence.checks if check.faults} == {}
    assert evidence.holds and f"seed {SEED}" in told
    assert "issued twice: 0" in told and "accepted twice: 0" in told
    assert [row for row in evidence.rows if row.fault] == []
    fins = {row.ledger.fin for row in evidence.rows}
    assert fins == set(Fin) - {Fin.DOS_VECES}
    assert set(evidence.search.looked_at) > {"log lines", "items", "events", "S3 objects", "queued messages"}
    assert all(evidence.search.looked_at[kind] for kind in evidence.search.looked_at if kind != "execution events")
    assert evidence.search.leaks == []


def test_a_planted_secret_is_found_wherever_it_lies(stack):
    account, (cuenta, other) = stack.account, stack.cuentas

    def leaks(*events):
        return search_secrets(account, stack.cuentas, events).leaks

    assert leaks("nothing") == []
    logs, group = account.boto("logs"), f"/aws/lambda/{stack.deployed.name}/pack_lotes"
    logs.create_log_stream(logGroupName=group, logStreamName="planted")
    line = {"timestamp": 1_800_000_000_000, "message": f"POST … {cuenta.apikey} …"}
    logs.put_log_events(logGroupName=group, logStreamName="planted", logEvents=[line])
    body = json.dumps({"hook_id": "1", "x": cuenta.webhook_token}).encode()
    key = {"pk": {"S": "demo-uno#A"}, "sk": {"S": "HOOK#1"}}
    account.boto("dynamodb").put_item(TableName=stack.table, Item={**key, "cuerpo": {"B": body}})
    bucket = stack.deployed.outputs["PdfBucket"]
    account.boto("s3").put_object(Bucket=bucket, Key="a.pdf", Body=b"%PDF " + other.apitoken.encode())
    attribute = {"motivo": {"DataType": "String", "StringValue": other.llave}}
    account.boto("sqs").send_message(QueueUrl=stack.rejected_queue_url, MessageBody="{}", MessageAttributes=attribute)
    machine = _machine(account, stack.state_machine_arn)
    account.boto("stepfunctions").start_execution(stateMachineArn=machine, input=json.dumps({"t": cuenta.usertoken}))
    expected = {
        f"apikey of demo-uno in log group {group}",
        f"webhook_token of demo-uno in table {stack.table}, item demo-uno#A/HOOK#1",
        f"apitoken of demo-dos in s3://{bucket}/a.pdf",
        f"llave of demo-dos in queue {stack.rejected_queue_url.rsplit('/', 1)[1]}",
        "usertoken of demo-dos in event 1",
    }
    found = leaks("nothing", f"… {other.usertoken} …")
    executions = [leak for leak in found if leak.startswith("usertoken of demo-uno in execution")]
    assert executions and set(found) - set(executions) == expected
    account.boto("stepfunctions").delete_state_machine(stateMachineArn=machine)


def _machine(account, beside):
    """Another one, with the role of the stack's own."""
    stepfunctions = account.boto("stepfunctions")
    role = stepfunctions.describe_state_machine(stateMachineArn=beside)["roleArn"]
    definition = {"StartAt": "Nothing", "States": {"Nothing": {"Type": "Succeed"}}}
    made = stepfunctions.create_state_machine(name="planted", definition=json.dumps(definition), roleArn=role)
    return made["stateMachineArn"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_nothing_running(number):
    demo = subprocess.Popen(
        [sys.executable, "-m", "tests.sandbox.demo", "--seed", str(SEED)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    for line in demo.stdout:
        if "An ordinary morning" in line:
            break
    pids = wait_until(lambda: found if len(found := descendants(demo.pid)) >= 4 else None, 60, "nothing was started")
    demo.send_signal(number)
    told, _ = demo.communicate(timeout=60)
    assert demo.returncode == 128 + number and "Traceback" not in told
    wait_until(lambda: not alive(*pids), 20, lambda: f"left: {alive(*pids)}")
