"""`python -m tests.bench`: one table of ratios and counts from one run; 1 when a budget is broken."""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

_ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(_ROOT), str(_ROOT / "functions"), str(_ROOT / "shared")]

from tests.bench import jobs  # noqa: E402
from tests.bench.table import text  # noqa: E402

if TYPE_CHECKING:
    from tests.bench.table import Section


def main() -> int:
    told = _arguments()
    begun = time.monotonic()
    chosen = told.only.split(",") if told.only else list(jobs.SECTIONS)
    context = get_context("spawn")
    with ProcessPoolExecutor(told.jobs, context, initializer=jobs.settle_in) as pool:
        begun_ones = [(jobs.SECTIONS[name], jobs.SECTIONS[name].begin(pool, quick=told.quick)) for name in chosen]
        sections: list[Section] = []
        for kind, futures in begun_ones:
            for section in kind.end(futures):
                print(*text(section), sep="\n", flush=True)
                sections.append(section)
    broken = [f"{s.title}: {row.figure}" for s in sections for row in s.broken]
    kept = sum(row.holds is True for s in sections for row in s.rows)
    print(f"\n{kept} budgets hold, {len(broken)} are broken; {time.monotonic() - begun:.0f} s")
    for line in broken:
        print(f"  ✗ {line}")
    return 1 if broken else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="up to 1,000 comprobantes instead of 10,000")
    parser.add_argument("--only", help=f"sections, with commas: {', '.join(jobs.SECTIONS)}")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
