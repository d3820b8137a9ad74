"""Runs a command and ends everything it started as soon as the starter goes away, however it goes.

`python watchdog.py FOLDER COMMAND...` with standard input a pipe that the starter keeps open and never writes to. It
closes when the starter closes it, ends or is killed (SIGKILL too), on every Unix. PR_SET_PDEATHSIG alone would not do:
it is Linux only, fires when the starting *thread* ends, and does not reach the command's own children.

The command gets a process group of its own: first SIGTERM to all of it, after `GRACE` seconds SIGKILL. On Linux orphans
of the group come to us (subreaper) and are collected, so that the end of this process means that none is left. Last,
FOLDER is deleted: the command's own, where it keeps what nobody needs afterwards.
Exit status: the command's; 128 + signal where a signal ended it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

GRACE = 5.0
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def signal_group(group: int, number: signal.Signals) -> None:
    # macOS answers EPERM where only zombies are left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def collect(deadline: float) -> bool:
    """Reap whatever has ended; true when there is nothing left to wait for."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return True
        if pid == 0:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.02)


def main(folder: str, command: list[str]) -> int:
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: over.set())
    # Should this very process be killed, the kernel ends the command, and its workers find their pipes closed.
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        process_group=0,
        preexec_fn=lambda: prctl(PR_SET_PDEATHSIG, signal.SIGKILL),  # noqa: PLW1509 - no thread runs yet
    )

    def starter_gone() -> None:
        while os.read(0, 1024):
            pass
        over.set()

    threading.Thread(target=starter_gone, daemon=True).start()
    while child.poll() is None and not over.wait(0.1):
        pass
    status = child.poll()
    signal_group(child.pid, signal.SIGTERM)
    if status is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = child.wait(GRACE)
    signal_group(child.pid, signal.SIGKILL)
    if status is None:
        status = child.wait()
    collect(time.monotonic() + GRACE)
    shutil.rmtree(folder, ignore_errors=True)
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
