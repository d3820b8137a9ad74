"""The watchdog with plain processes: whatever happens to who started it, nothing of the command is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from tests.sandbox import watchdog
from tests.sandbox.processes import alive, processes
from tests.sandbox.waiting import wait_until

# A command with a child of its own; both write their pid and then do nothing. `ignore` makes them deaf to SIGTERM.
COMMAND = """
import os, signal, subprocess, sys, time
if "ignore" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if "child" not in sys.argv:
    subprocess.Popen([sys.executable, __file__, *sys.argv[1:], "child"])
with open(os.path.join(os.path.dirname(__file__), "pids"), "a") as file:
    file.write(f"{os.getpid()}\\n")
if "end" in sys.argv and "child" not in sys.argv:
    time.sleep(0.5)
    sys.exit(7)
time.sleep(600)
"""


@pytest.fixture
def command(tmp_path):
    path = tmp_path / "command.py"
    path.write_text(COMMAND)
    (tmp_path / "own" / "deep").mkdir(parents=True)
    (tmp_path / "own" / "deep" / "file").write_text("x")

    def pids() -> list[int]:
        file = tmp_path / "pids"
        return [int(line) for line in file.read_text().splitlines()] if file.exists() else []

    def started() -> list[int]:
        return wait_until(lambda: found if len(found := pids()) == 2 else None, 30, "the command did not start")

    return path, started


def watched(path, *words: str) -> subprocess.Popen[bytes]:
    arguments = [sys.executable, "-I", watchdog.__file__, str(path.parent / "own"), sys.executable, str(path), *words]
    return subprocess.Popen(arguments, stdin=subprocess.PIPE, start_new_session=True)


def gone(pids: list[int]) -> None:
    wait_until(lambda: not alive(*pids), 30, lambda: f"still there: {alive(*pids)}")


def test_closing_the_pipe_ends_the_command_and_its_children(command):
    path, started = command
    process = watched(path)
    pids = started()
    process.stdin.close()
    process.wait(30)
    assert not alive(*pids)
    assert not (path.parent / "own").exists()


def test_what_ignores_sigterm_is_killed(command):
    path, started = command
    process = watched(path, "ignore")
    pids = started()
    process.stdin.close()
    process.wait(4 * watchdog.GRACE)
    assert not alive(*pids)


def test_the_death_of_the_starter_ends_the_command(command):
    path, started = command
    # The starter in between holds the pipe, and is killed without a chance to close it.
    text = (
        "import subprocess, sys\n"
        f"subprocess.Popen([sys.executable, '-I', {watchdog.__file__!r}, {str(path.parent / 'own')!r}, sys.executable,"
        f" {str(path)!r}],"
        " stdin=subprocess.PIPE, start_new_session=True).wait()\n"
    )
    starter = subprocess.Popen([sys.executable, "-c", text])
    pids = started()
    starter.kill()
    starter.wait(30)
    gone(pids)
    wait_until(lambda: not (path.parent / "own").exists(), 30, "its folder was not deleted")


@pytest.mark.skipif(sys.platform != "linux", reason="without prctl nothing can tell the command")
def test_the_death_of_the_watchdog_itself_ends_the_command(command):
    path, started = command
    process = watched(path)
    parents = {pid: processes()[pid].parent for pid in started()}
    (first,) = [pid for pid, parent in parents.items() if parent == process.pid]
    (child,) = set(parents) - {first}
    process.kill()
    process.wait(30)
    process.stdin.close()
    gone([first])
    os.kill(child, signal.SIGKILL)  # the emulator's workers end by themselves, their pipe being closed; this one sleeps


def test_the_end_of_the_command_is_the_end_of_its_children_and_its_status_is_told(command):
    path, started = command
    process = watched(path, "end")
    pids = started()
    assert process.wait(30) == 7
    process.stdin.close()
    assert not alive(*pids)


def test_a_command_that_was_killed_is_told_as_shells_do(command):
    path, started = command
    process = watched(path)
    parents = {pid: processes()[pid].parent for pid in started()}
    (first,) = [pid for pid, parent in parents.items() if parent == process.pid]
    os.kill(first, signal.SIGKILL)
    assert process.wait(30) == 128 + signal.SIGKILL
    process.stdin.close()
    assert not alive(*parents)
