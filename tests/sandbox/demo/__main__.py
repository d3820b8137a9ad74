"""`python -m tests.sandbox.demo`: exit status 0 if everything holds, 1 if not, 130 after Ctrl-C."""

from __future__ import annotations

import argparse
import random
import signal
import sys
from functools import partial
from typing import TYPE_CHECKING

from tests.sandbox.demo.running import BOUND, keep, run
from tests.sandbox.demo.screen import make_console
from tests.sandbox.demo.script import COUNT, COUNT_MIN

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.sandbox.demo", description=__doc__)
    parser.add_argument("--seed", type=int, help="of what is sent and of what goes wrong (random if not given)")
    parser.add_argument("--count", type=int, default=COUNT, help=f"messages (default {COUNT}, least {COUNT_MIN})")
    parser.add_argument("--keep", action="store_true", help="leave it up until Ctrl-C")
    parser.add_argument("--bound", type=float, default=BOUND, help=f"seconds until it gives up (default {BOUND:.0f})")
    options = parser.parse_args(arguments)
    if options.count < COUNT_MIN:
        parser.error(f"--count: at least {COUNT_MIN} messages are needed for every kind of trouble")
    evidence = run(
        console := make_console(),
        seed=random.randrange(10_000) if options.seed is None else options.seed,
        count=options.count,
        bound=options.bound,
        then=partial(keep, console=console) if options.keep else None,
    )
    return 0 if evidence.holds else 1


def _end(number: int, _frame: object) -> None:
    """The first Ctrl-C or SIGTERM ends everything; another one must not interrupt that."""
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_IGN)
    print("\nEnding everything …", file=sys.stderr)
    sys.exit(128 + number)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    sys.exit(main(sys.argv[1:]))
