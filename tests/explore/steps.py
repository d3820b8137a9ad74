"""Step Functions as the world plays it: `flow.asl.json` itself, each of its tasks one invocation of resolve_errors."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.explore import invariants
from tests.template import properties

if TYPE_CHECKING:
    from tests.explore.invoking import Invocation
    from tests.explore.world import World

RUNNING, SUCCEEDED, FAILED, ABORTED = "RUNNING", "SUCCEEDED", "FAILED", "ABORTED"
STATES_MAX = 3_000
"""States that an execution may pass through: AWS ends one of 25,000 events, and a task makes five or more."""
THROTTLED, UNHEARD, BROKEN = "Lambda.TooManyRequestsException", "Lambda.SdkClientException", "States.TaskFailed"
"""Why a task fails: Lambda did not begin it; it began, and its answer never came; it ended badly."""


@cache
def flow() -> dict[str, Any]:
    path = Path(__file__).resolve().parents[2] / properties("Errores")["DefinitionUri"]
    read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return read


@dataclass
class Execution:
    """`wake`: when its state is entered, or tried again; None while its task is under way."""

    name: str
    given: str
    data: dict[str, Any]
    state: str
    wake: datetime | None
    status: str = RUNNING
    entered: int = 0
    tried: Counter[int] = field(default_factory=Counter)

    @property
    def cuenta(self) -> str:
        return self.name.rpartition("-")[0]


class Steps:
    """The executions of the state machine."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.executions: dict[str, Execution] = {}

    # -- what the shipped code asks for ----------------------------------------------------------------------------

    def call(self, operation: str, params: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        match operation:
            case "StartExecution":
                return self._start(params["name"], params["input"])
            case "DescribeExecution":
                found = self.executions.get(params["executionArn"].rpartition(":")[2])
                if found is None:
                    return 400, {"Error": {"Code": "ExecutionDoesNotExist", "Message": params["executionArn"]}}
                return 200, {"executionArn": params["executionArn"], "status": found.status}
        raise AssertionError(f"the world knows no stepfunctions:{operation}")

    def _start(self, name: str, given: str) -> tuple[int, dict[str, Any]]:
        """The same name and input once more while it runs is the same execution; once it ended the name is used up."""
        world = self._world
        found = self.executions.get(name)
        if found is None:
            data = json.loads(given) | ({} if self.executions else world.scenario.first_run)
            self.executions[name] = Execution(name, given, data, flow()["StartAt"], world.now)
            world.note(world.who(), f"execution {name} begins")
        elif found.status != RUNNING or found.given != given:
            world.note(world.who(), f"execution {name} exists already, {found.status}")
            return 400, {"Error": {"Code": "ExecutionAlreadyExists", "Message": f"Execution Already Exists: '{name}'"}}
        return 200, {"executionArn": name}

    # -- what happens ------------------------------------------------------------------------------------------------

    def running(self) -> list[Execution]:
        return [e for e in self.executions.values() if e.status == RUNNING]

    def due(self) -> list[Execution]:
        return [e for e in self.running() if e.wake is not None and e.wake <= self._world.now]

    def next_due(self) -> datetime | None:
        return min((e.wake for e in self.running() if e.wake is not None), default=None)

    def abort(self, cuenta: str) -> None:
        """Somebody stops every execution of a cuenta; what its Lambda is doing goes on to its end, unheard."""
        self._world.broken = True
        for execution in self.running():
            if execution.cuenta == cuenta:
                execution.status = ABORTED
                self._world.note("world", f"execution {execution.name} is stopped")

    def step(self, execution: Execution) -> None:
        """What is in its state, until it waits, works or ends."""
        while execution.status == RUNNING and execution.wake is not None and execution.wake <= self._world.now:
            state = flow()["States"][execution.state]
            match state["Type"]:
                case "Task":
                    self._task(execution, state)
                case "Wait":
                    execution.wake = self._world.now + timedelta(seconds=_at(execution.data, state["SecondsPath"]))
                    self._enter(execution, state["Next"], execution.wake)
                case "Choice":
                    chosen = (
                        c["Next"] for c in state["Choices"] if _at(execution.data, c["Variable"]) == c["StringEquals"]
                    )
                    self._enter(execution, next(chosen, state["Default"]), self._world.now)
                case "Succeed":
                    self._end(execution, SUCCEEDED)
                case "Fail":
                    self._end(execution, FAILED)

    def _enter(self, execution: Execution, state: str, when: datetime) -> None:
        execution.state, execution.wake = state, when
        execution.tried.clear()
        execution.entered += 1
        if execution.entered > STATES_MAX:
            invariants.endless(self._world, execution.cuenta, execution.name)

    def _end(self, execution: Execution, status: str) -> None:
        execution.status, execution.wake = status, None
        self._world.note("world", f"execution {execution.name}: {status}")

    def _task(self, execution: Execution, state: dict[str, Any]) -> None:
        world = self._world
        payload = {
            name.removesuffix(".$"): self._given(execution, value) if name.endswith(".$") else value
            for name, value in state["Parameters"]["Payload"].items()
        }
        begun = execution.entered
        execution.wake = None

        def ended(invocation: Invocation) -> None:
            if execution.status != RUNNING or execution.entered != begun or execution.wake is not None:
                return
            if invocation.died or invocation.error is not None:
                self._failed(execution, state, BROKEN)
            else:
                assert state["OutputPath"] == "$.Payload", state
                execution.data = invocation.result
                self._enter(execution, state["Next"], world.now)

        if world.happens("throttled"):
            world.note("world", f"execution {execution.name}: Lambda has no room for {payload['paso']}")
            self._failed(execution, state, THROTTLED)
            return
        world.note("world", f"execution {execution.name}: {payload['paso']} is resolve {world.numbers + 1}")
        if world.happens("unheard") or world.scenario.unheard(payload["paso"]):
            # It never hears of this invocation, which goes on to its end: the task is tried again beside it.
            world.invoke("resolve", payload, lambda _: None)
            self._failed(execution, state, UNHEARD)
        else:
            world.invoke("resolve", payload, ended)

    def _given(self, execution: Execution, path: str) -> Any:
        return execution.name if path == "$$.Execution.Name" else _at(execution.data, path)

    def _failed(self, execution: Execution, state: dict[str, Any], error: str) -> None:
        """Tried again by the first rule that names its error, each with a count of its own; then caught."""
        if execution.status != RUNNING:
            return
        number, rule = next((n, r) for n, r in enumerate(state["Retry"]) if {error, "States.ALL"} & {*r["ErrorEquals"]})
        done = execution.tried[number]
        if done < rule["MaxAttempts"]:
            execution.tried[number] += 1
            wait = rule["IntervalSeconds"] * rule["BackoffRate"] ** done
            execution.wake = self._world.now + timedelta(seconds=wait)
        elif "Catch" in state:
            self._world.note("world", f"execution {execution.name}: {execution.state} is given up")
            (caught,) = state["Catch"]
            self._enter(execution, caught["Next"], self._world.now)
        else:
            self._end(execution, FAILED)


def _at(data: dict[str, Any], path: str) -> Any:
    return data[path.removeprefix("$.")]
