"""Start the simulator as a process of its own, talk to its sandbox side, and always stop it."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import httpx

from tests.sandbox.simulator.respuesta import PREFIX

if TYPE_CHECKING:
    from types import TracebackType

_ROOT = Path(__file__).resolve().parents[3]
_START_SECONDS, _STOP_SECONDS = 30.0, 5.0


class Simulator:
    """A running simulator. `url` is its root, `api_url` what the provider's base URL is to be set to."""

    def __init__(self, config: dict[str, Any]) -> None:
        ports = ("--port", str(config.get("port", 0)), "--admin-port", str(config.get("admin_port", 0)))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.sandbox.simulator", *ports, "--config", "-"],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for whoever started it, who still wants the audit
        )
        try:
            announced = self._hand_over(config)
        except BaseException:
            self._end_process()
            raise
        self.url: str = announced["url"]
        self.api_url = f"{self.url}{PREFIX}"
        self._admin = httpx.Client(
            base_url=f"http://127.0.0.1:{announced['admin_port']}/_sim/", timeout=60, trust_env=False
        )

    def _hand_over(self, config: dict[str, Any]) -> dict[str, Any]:
        """Credentials go by the input, not by a file; its first line back tells the ports."""
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("the simulator was started without pipes")
        stdin.write(json.dumps(config, default=str) + "\n")
        stdin.flush()
        if not select.select([stdout], [], [], _START_SECONDS)[0]:
            raise TimeoutError("the simulator did not start")
        line = stdout.readline()
        if not line:
            raise RuntimeError("the simulator ended at its start; its reason is on the standard error")
        announced: dict[str, Any] = json.loads(line)
        return announced

    def audit(self) -> dict[str, Any]:
        return dict(self._ask("GET", "audit"))

    def summary(self) -> dict[str, Any]:
        return dict(self._ask("GET", "summary"))

    def plan(self, **changes: Any) -> dict[str, Any]:
        """Change fields of the Plan; gives the plan as it now is."""
        return dict(self._ask("POST", "plan", changes) if changes else self._ask("GET", "plan"))

    def web(self, operation: str, **arguments: Any) -> Any:
        """What a person does on the provider's web: `web("delete", alias=…, referencia=…)` calls `web_delete`."""
        return self._ask("POST", f"web/{operation}", arguments)

    def _ask(self, verb: str, path: str, value: dict[str, Any] | None = None) -> Any:
        content = None if value is None else json.dumps(value, default=str)
        answer = self._admin.request(verb, path, content=content)
        if answer.status_code != 200:
            raise ValueError(answer.json()["error"])
        return answer.json()

    def close(self) -> None:
        self._admin.close()
        self._end_process()

    def _end_process(self) -> None:
        """Its input ends, and so does it; if it does not, it is made to."""
        process = self._process
        if process.stdin is not None:
            with suppress(BrokenPipeError):  # it had ended already
                process.stdin.close()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def run_simulator(config: dict[str, Any]) -> Simulator:
    """Starts one, to be used in a `with`; `config` is what `__main__` describes."""
    return Simulator(config)
