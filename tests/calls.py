"""What each function asks of AWS while its tests run on moto, kept in `integration/aws_calls.json`.

A call that is not in the file fails its test; one in the file that was not made fails the session in which all the
tests of the handlers passed. `pytest tests/integration --record-aws-calls` writes the file anew, whatever was run.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.client import BaseClient

from tests.permissions import Grant, needed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

TESTS = Path(__file__).parent
RECORD = TESTS / "integration/aws_calls.json"
FUNCTIONS = f"{TESTS.parent}/functions/"
OURS = (FUNCTIONS, f"{TESTS.parent}/shared/")
# The command line calls AWS with the rights of whoever types it.
BY_HAND = tuple(f"{FUNCTIONS}operate/{room}" for room in ("cli/", "onboarding/", "upstream/", "__main__.py"))

Calls = dict[str, set[Grant]]
"""By function."""


def recorded() -> Calls:
    found = json.loads(RECORD.read_text(encoding="utf-8"))
    return {function: {Grant(*call.split(" ")) for call in calls} for function, calls in found.items()}


def write(calls: Calls) -> None:
    lines = {function: sorted(" ".join(call) for call in calls[function]) for function in sorted(calls)}
    RECORD.write_text(json.dumps(lines, indent=2) + "\n", encoding="utf-8")


def calling_function() -> str | None:
    """Whose code makes the AWS call that is under way; None where it is a test's, or the command line's."""
    frame = sys._getframe(2)
    sources = []
    while frame is not None:
        sources.append(frame.f_code.co_filename)
        frame = frame.f_back  # type: ignore[assignment] # ends at None
    ours = [source for source in sources if source.startswith((*OURS, f"{TESTS}/")) and source != AROUND]
    if not ours or not ours[0].startswith(OURS):
        return None
    innermost = next((source for source in ours if source.startswith(FUNCTIONS)), None)
    if innermost is None or innermost.startswith(BY_HAND):
        return None
    return innermost.removeprefix(FUNCTIONS).partition("/")[0]


# It stands between the functions and their clients.
AROUND = f"{TESTS}/integration/around.py"


def watch(seen: Callable[[str, Grant], None]) -> pytest.MonkeyPatch:
    """From now on, `seen` is told of every call that a function makes and of what it needs, before it is made."""
    patch = pytest.MonkeyPatch()
    make = BaseClient._make_api_call

    def watched(self: BaseClient, operation: str, params: dict[str, Any]) -> Any:
        function = calling_function()
        if function:
            for grant in needed(self.meta.service_model.service_name, operation, params):
                seen(function, grant)
        return make(self, operation, params)

    patch.setattr(BaseClient, "_make_api_call", watched)
    return patch


class Recorder:
    """The plugin: it watches where the tests run, and compares where all that was seen comes together."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.recording = config.getoption("--record-aws-calls")
        self.known = recorded()
        self.seen: Calls = {}
        self.modules: set[str] = set()
        self.problem = ""
        self.of_a_handler = False
        self.patch: pytest.MonkeyPatch | None = None

    def note(self, function: str, grant: Grant) -> None:
        if not self.of_a_handler:
            return
        self.seen.setdefault(function, set()).add(grant)
        if not self.recording and grant not in self.known.get(function, ()):
            # Not an error of AWS: nothing may take it for one, and go on.
            pytest.fail(
                f"{function} calls {grant.action} on {grant.resource}, which is not in {RECORD.name}: "
                "grant it in template.yaml, then run pytest tests/integration --record-aws-calls"
            )

    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        # In a worker of xdist other tests come after those of the handlers.
        self.of_a_handler = item.path.parent == RECORD.parent
        if self.of_a_handler:
            self.modules.add(item.path.name)
            if self.patch is None:
                self.patch = watch(self.note)

    def pytest_testnodedown(self, node: Any) -> None:
        """A worker of xdist has ended, and hands over what it saw."""
        modules, seen = getattr(node, "workeroutput", {}).get("aws_calls", ((), {}))
        self.modules |= set(modules)
        for function, calls in seen.items():
            self.seen.setdefault(function, set()).update(Grant(*call) for call in calls)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if self.patch:
            self.patch.undo()
        if hasattr(self.config, "workeroutput"):
            plain = {function: [tuple(call) for call in calls] for function, calls in self.seen.items()}
            self.config.workeroutput["aws_calls"] = (sorted(self.modules), plain)
        elif self.recording:
            write(self.seen)
        elif exitstatus == pytest.ExitCode.OK and self._ran_everything(session.config.args):
            unseen = sorted(_pairs(self.known) - _pairs(self.seen))
            self.problem = "\n".join(f"no test calls as {name} any more: {' '.join(grant)}" for name, grant in unseen)
            session.exitstatus = pytest.ExitCode.TESTS_FAILED if unseen else exitstatus

    def _ran_everything(self, arguments: Iterable[str]) -> bool:
        chosen = self.config.option.keyword or self.config.option.markexpr or self.config.option.deselect
        if chosen or any("::" in argument for argument in arguments):
            return False
        return self.modules == {path.name for path in RECORD.parent.glob("test_*.py")}

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self.problem:
            terminalreporter.write_line(self.problem, red=True)


def _pairs(calls: Calls) -> set[tuple[str, Grant]]:
    return {(function, call) for function, found in calls.items() for call in found}
