"""`python -m tests.load`: exit status 0 if everything holds, 1 if not."""

from __future__ import annotations

import argparse
import random
import signal
import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from tests.load.plan import Sizes
from tests.load.running import run
from tests.load.verdict import Verdict, figures

if TYPE_CHECKING:
    from collections.abc import Sequence

FAULTS_TOLD = 10


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    usual = Sizes()
    parser.add_argument("--count", type=int, default=usual.count, help="comprobantes (%(default)s)")
    parser.add_argument("--cuentas", type=int, default=usual.cuentas, help="(%(default)s)")
    parser.add_argument("--rate", type=float, default=usual.rate, help="hooks a second (%(default)s)")
    parser.add_argument("--burst", type=int, default=usual.burst, help="hooks that leave at once (%(default)s)")
    parser.add_argument("--burst-every", type=float, default=usual.burst_every, help="seconds (%(default)s)")
    parser.add_argument("--kill-every", type=float, default=usual.kill_every, help="events on the bus (%(default)s)")
    parser.add_argument("--at-once", type=int, default=usual.at_once, help="deliveries of one cuenta (%(default)s)")
    parser.add_argument("--pdf", action="store_true", help="fetch and keep PDFs too")
    parser.add_argument("--seed", type=int, default=random.randrange(10_000), help="of everything (random)")
    parser.add_argument("--bound", type=float, help="seconds until it gives up (three times the sending, and 600)")
    parser.add_argument("--log", type=Path, help="where the emulator's log goes")
    told = parser.parse_args(arguments)
    sizes = Sizes(**{field.name: getattr(told, field.name) for field in fields(Sizes)})
    bound = told.bound or 3 * sizes.seconds + 600
    print(f"{sizes}; about {sizes.seconds:.0f} s of sending, given up after {bound:.0f} s", flush=True)
    verdict = Verdict(run(sizes, bound=bound, log_path=told.log))
    print()
    for name, figure in figures(verdict.outcome):
        print(f"  {name:<24} {figure}")
    print()
    for check in verdict.checks:
        print(f"  {'✗' if check.faults else '✓'} {check.name}")
        for fault in check.faults[:FAULTS_TOLD]:
            print(f"      {fault}")
        if len(check.faults) > FAULTS_TOLD:
            print(f"      and {len(check.faults) - FAULTS_TOLD} more")
    print(f"\n{'Everything holds' if verdict.holds else 'Not everything holds'}; seed {sizes.seed}.")
    return 0 if verdict.holds else 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main(sys.argv[1:]))
