"""What it takes to start: CPU, modules and memory of a fresh interpreter with each handler, beside boto3 alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.bench.table import Row, Section

ROUNDS = 5
ROOT = Path(__file__).resolve().parents[2]
HANDLERS = ("pack_lotes", "receive_webhook", "follow_hooks", "resolve_errors", "reconcile", "operate")
BARE, BOTO3 = "a bare interpreter", "boto3 alone"
FORBIDDEN = ("httpx", "requests", "pydantic", "aws_xray_sdk", "aws_lambda_powertools.utilities.parameters")
"""What receive_webhook must not import: the provider waits for it, cold start included."""
CHILD = """
import json, sys, time
begun = time.process_time()
for name in sys.argv[1:]:
    __import__(name)
spent = time.process_time() - begun
with open("/proc/self/status") as status:
    (memory,) = (int(line.split()[1]) for line in status if line.startswith("VmRSS"))
print(json.dumps([spent, sorted(sys.modules), memory]))
"""
VARIABLES = {
    "IDEMPOTENCY_TABLE": "t",
    "COMPROBANTES_TABLE": "t",
    "PROVIDER_BASE_URL": "https://proveedor.test/",
    "AWS_DEFAULT_REGION": "us-east-1",
}


class Started(NamedTuple):
    """Medians. `cpu`: seconds of the imports. `memory`: MB."""

    cpu: float
    modules: frozenset[str]
    memory: float


def cases() -> dict[str, tuple[str, ...]]:
    ours = {f"ours: {name}": (f"{name}.app",) for name in HANDLERS}
    theirs = {f"reference: {name}": (f"tests.bench.reference.{name}",) for name in ("encolar", "recibir")}
    return {BARE: (), BOTO3: ("boto3",), **ours, **theirs}


def measure(rounds: int = ROUNDS) -> dict[str, Started]:
    """Round by round, so that what else the machine does meets all of them alike. The first round warms the files."""
    found: dict[str, list[Started]] = {name: [] for name in cases()}
    for turn in range(rounds + 1):
        for name, modules in cases().items():
            started = _start(modules)
            if turn:
                found[name].append(started)
    return {
        name: Started(median(s.cpu for s in some), some[0].modules, median(s.memory for s in some))
        for name, some in found.items()
    }


def _start(modules: tuple[str, ...]) -> Started:
    path = os.pathsep.join(str(ROOT / folder) for folder in ("functions", "shared", "."))
    run = subprocess.run(
        [sys.executable, "-c", CHILD, *modules],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": path, **VARIABLES},
        capture_output=True,
        text=True,
        check=True,
    )
    cpu, names, kilobytes = json.loads(run.stdout)
    return Started(cpu, frozenset(names), kilobytes / 1024)


def section(rounds: int = ROUNDS) -> Section:
    started = measure(rounds)
    boto3, bare = started[BOTO3], started[BARE]
    rows = [
        Row(
            name,
            (
                f"{s.cpu / boto3.cpu:.2f}",
                str(len(s.modules) - len(bare.modules)),
                f"{s.memory / bare.memory:.2f}",
                f"{s.memory:.0f}",
            ),
        )
        for name, s in started.items()
    ]
    theirs, ours = started["reference: recibir"], started["ours: receive_webhook"]
    heavy = sorted(m for m in ours.modules if any(m == f or m.startswith(f"{f}.") for f in FORBIDDEN))
    rows += [
        Row("receive_webhook imports what it must not", (str(len(heavy)),), "= 0", not heavy),
        Row(
            "receive_webhook, of the reference's CPU",
            (f"{ours.cpu / theirs.cpu:.2f}",),
            "≤ 0.80",
            ours.cpu <= 0.8 * theirs.cpu,
        ),
    ]
    return Section(
        f"To start: imports, medians of {rounds} rounds",
        ("CPU / boto3", "modules more", "memory / bare", "MB"),
        tuple(rows),
        ("the reference makes its clients at import, as the guides do; ours makes them in its first invocation",),
    )
