"""The folder `.sandbox/`: who runs, with which settings, since when, and what it answers to.

lock          held (flock) by the daemon as long as it lives; its pid inside. A lock dies with its holder, so there
              is no stale one, and no other process with a pid used again is ever taken for the daemon
state.json    phase (starting, ready, failed), settings, reason of a failure
outputs.json  what is deployed, for people and programs; only while the sandbox is ready
*.log         of the daemon and the emulator
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.sandbox.cuentas import DEMO
from tests.sandbox.waiting import wait_until

FOLDER = Path(__file__).resolve().parents[2] / ".sandbox"


@dataclass(frozen=True)
class Settings:
    """What `up` was asked for."""

    provider_url: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    port: int = 0
    cuentas: tuple[str, ...] = DEMO

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Settings:
        raw = json.loads(text)
        return cls(raw["provider_url"], raw["parameters"], raw["port"], tuple(raw["cuentas"]))


@dataclass(frozen=True)
class State:
    phase: str
    settings: Settings
    reason: str = ""


def write_private(path: Path, text: str) -> None:
    """Readable by nobody else, and never half written for a reader."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


@dataclass(frozen=True)
class Folder:
    """`.sandbox/` of the project, or another one in tests."""

    path: Path = FOLDER

    @property
    def daemon_log(self) -> Path:
        return self.path / "daemon.log"

    @property
    def emulator_log(self) -> Path:
        return self.path / "emulator.log"

    @property
    def outputs_path(self) -> Path:
        return self.path / "outputs.json"

    def make(self) -> None:
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)

    def write_state(self, state: State) -> None:
        write_private(self.path / "state.json", json.dumps(asdict(state)))

    def read_state(self) -> State | None:
        """None if there is none."""
        try:
            raw = json.loads((self.path / "state.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return State(raw["phase"], Settings.from_json(json.dumps(raw["settings"])), raw["reason"])

    def write_outputs(self, outputs: dict[str, Any]) -> None:
        write_private(self.outputs_path, json.dumps(outputs, indent=2) + "\n")

    def read_outputs(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.outputs_path.read_text(encoding="utf-8"))
        return found

    def forget(self) -> None:
        """Leave the logs, take away what claims that something runs."""
        for name in ("state.json", "outputs.json"):
            (self.path / name).unlink(missing_ok=True)

    def lock(self, timeout: float = 0.0) -> int | None:
        """Try for `timeout` seconds to take the lock. A file descriptor: to close it gives the lock back."""
        with contextlib.suppress(TimeoutError):
            return wait_until(self._take, timeout)
        return None

    def _take(self) -> int | None:
        self.make()
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        # `down` may have removed the folder between our open and our lock: then we hold what nobody else sees.
        if _flock(lock, fcntl.LOCK_EX) and self.keeps(lock):
            os.truncate(lock, 0)
            os.write(lock, str(os.getpid()).encode())
            return lock
        os.close(lock)
        return None

    def keeps(self, lock: int) -> bool:
        """False once the folder has been removed from under the holder of the lock."""
        path = self.path / "lock"
        return path.exists() and path.stat().st_ino == os.fstat(lock).st_ino

    def holder(self) -> int:
        """The pid of who holds the lock, 0 if nobody does."""
        with contextlib.suppress(FileNotFoundError), (self.path / "lock").open(encoding="utf-8") as file:
            if not _flock(file.fileno(), fcntl.LOCK_SH):
                return wait_until(lambda: file.seek(0) or int(file.read() or 0), 5, "the lock's holder tells no pid")
        return 0


def _flock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
