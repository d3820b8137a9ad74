"""Which processes there are, for the tests that nothing is left behind: from /proc, else from `ps`."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    pid: int
    parent: int
    command: str


def processes() -> dict[int, Process]:
    """By pid, without the dead whom nobody has collected yet (zombies)."""
    found = _from_proc() if (PROC / "self" / "stat").exists() else _from_ps()
    return {process.pid: process for process in found}


def _from_proc() -> list[Process]:
    found = []
    for folder in PROC.glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            # The name in brackets may hold anything; the fields after it are plain.
            state, parent = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[:2]
            command = (folder / "cmdline").read_text(errors="replace").replace("\0", " ").strip()
            if state not in "ZX":
                found.append(Process(int(folder.name), int(parent), command))
    return found


def _from_ps() -> list[Process]:
    shown = subprocess.run(["ps", "-axo", "pid=,ppid=,stat=,args="], capture_output=True, text=True, check=True)
    rows = [line.split(None, 3) for line in shown.stdout.splitlines()]
    return [Process(int(row[0]), int(row[1]), row[3]) for row in rows if len(row) == 4 and not row[2].startswith("Z")]


def alive(*pids: int) -> list[Process]:
    """Those that still live."""
    now = processes()
    return [now[pid] for pid in pids if pid in now]


def descendants(pid: int) -> list[int]:
    """The process and all under it."""
    now = processes()
    found = [pid]
    for each in found:
        found += [process.pid for process in now.values() if process.parent == each]
    return found
