"""A running stack is updated and rolled back while messages and hooks come in: nothing is lost, nothing is sent twice.

`make drill` runs it, for it takes minutes. What it is updated from, and rolled back to, is the git ref in UPDATE_FROM
(`make drill REF=…`); without one it is a variant of the tree in which every function, the layer, the roles and the
state machine differ.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from typing import TYPE_CHECKING, Self

import pytest
from tests.e2e.company import OLD_DATES, Company, assert_issued_once_each
from tests.sandbox.deploy import ROOT, TEMPLATE, deploy
from tests.sandbox.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif("UPDATE_FROM" not in os.environ, reason="make drill")

PACE = 0.25
"""Seconds between two messages."""
BETWEEN = 10
"""Issued before each change, and after the last one."""


class Traffic:
    """One message after the other, until it is stopped."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.references: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._stop.wait(PACE):
            reference = f"VTA-{len(self.references):04d}"
            self.company.send([self.company.message(reference)])
            self.references.append(reference)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


@pytest.fixture
def previous(tmp_path: Path) -> Path:
    """The template of what runs before the update, with its folders beside it."""
    if ref := os.environ.get("UPDATE_FROM"):
        archived = subprocess.run(["git", "archive", ref], cwd=ROOT, capture_output=True, check=True).stdout
        subprocess.run(["tar", "-x", "-C", tmp_path], input=archived, check=True)
        return tmp_path / TEMPLATE.name
    for folder in ("functions", "shared"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(TEMPLATE, tmp_path)
    for source in (*tmp_path.glob("functions/*/app.py"), tmp_path / "shared/facturacion/__init__.py"):
        with source.open("a", encoding="utf-8") as end:
            end.write("\n# The release before.\n")
    replace(tmp_path / "functions/resolve_errors/flow.asl.json", '"Comment": "', '"Comment": "Antes: ')
    replace(tmp_path / TEMPLATE.name, "MemorySize: 512", "MemorySize: 256")
    replace(tmp_path / TEMPLATE.name, "PolicyName: lambda", "PolicyName: service")
    return tmp_path / TEMPLATE.name


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def change_to(stack, template, **parameters):
    """As `sam deploy` does it; the event source and the hooks go on meanwhile."""
    stack.template, stack.parameters = template, stack.parameters | parameters
    stack.deployed = deploy(stack.account, stack.deployed.name, stack.parameters, template)


def code_of(stack):
    lambda_ = stack.boto("lambda")
    return {
        name: lambda_.get_function_configuration(FunctionName=deployed)["CodeSha256"]
        for name, deployed in stack.functions.items()
    }


def issued(stack):
    return stack.simulator.summary()["estados"].get("EMITIDO", 0)


def stored_hooks(company):
    keys = [item["sk"]["S"].split("#") for item in company.items()]
    return {key[1] for key in keys if key[0] == "HOOK"}


def wait_for_more(stack):
    enough = issued(stack) + BETWEEN
    wait_until(lambda: issued(stack) >= enough, 90, lambda: f"{issued(stack)} of {enough} are issued")


def test_an_update_and_its_rollback_under_traffic_lose_no_message_and_no_hook(start_stack, previous):
    # A hook that fails comes again after 3 seconds, then 18, where the provider takes 5 minutes, then 30.
    plan = {**OLD_DATES, "hooks_prob": {"doubled": 0.2, "late": 0.1}, "segundos_tarde": 2.0, "escala": 0.01}
    # The emulator, unlike AWS, kills what runs when its code changes: those messages come again after their visibility.
    quick = {"ContrastSeconds": 1, "ReconcileSeconds": 1, "ProviderTimeoutSeconds": 10}
    quick |= {"PackTimeoutSeconds": 30, "VisibilitySeconds": 30}
    stack = start_stack(simulator={"plan": plan}, template=previous, **quick)
    company, before = Company(stack), code_of(stack)
    with Traffic(company) as traffic:
        wait_for_more(stack)
        change_to(stack, TEMPLATE, ResendWaitSeconds="2")
        after = code_of(stack)
        wait_for_more(stack)
        change_to(stack, previous, ResendWaitSeconds="1")
        wait_for_more(stack)
    assert code_of(stack) == before
    assert not set(before.items()) & set(after.items())
    company.wait_for({"EMITIDO": len(traffic.references)}, timeout=180)
    assert_issued_once_each(stack, traffic.references)
    sent = {str(hook["hook_id"]) for hook in stack.simulator.audit()["hooks"]}
    assert len(sent) >= len(traffic.references)
    wait_until(lambda: stored_hooks(company) == sent, 60, lambda: f"not stored: {sent ^ stored_hooks(company)}")
    for queue in (stack.dlq_url, stack.rejected_queue_url):
        assert company.drain(queue, 0) == []
