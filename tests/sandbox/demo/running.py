"""The demo from its beginning to its verdict."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from rich.markup import escape

from tests.sandbox.demo.leaks import search_secrets
from tests.sandbox.demo.play import Cast, perform
from tests.sandbox.demo.report import print_report
from tests.sandbox.demo.screen import on_screen
from tests.sandbox.demo.script import write_script
from tests.sandbox.demo.stage import staged
from tests.sandbox.demo.verdict import Evidence
from tests.sandbox.demo.watching import watching
from tests.sandbox.ministack import REGION
from tests.sandbox.page.server import serving_page
from tests.sandbox.simulator.agenda import ARGENTINA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

    from tests.sandbox.demo.play import Performed
    from tests.sandbox.demo.screen import Screen
    from tests.sandbox.demo.script import Script
    from tests.sandbox.demo.stage import Stage
    from tests.sandbox.demo.watching import Watch

BOUND = 110.0
"""Seconds. What is not settled by then is told, and the demo fails."""


def run(
    console: Console, *, seed: int, count: int, bound: float = BOUND, then: Callable[[Stage, str], None] | None = None
) -> Evidence:
    """The whole demo. `then` gets the stage while it still stands, and the page's address, after the report.

    Raises ValueError for a count that is too small.
    """
    begun = time.monotonic()
    console.print(
        f"Seed {seed}, {count} messages. Starting a local AWS with the template, and TusFacturas' simulator …"
    )
    with staged(seed) as stage, serving_page(stage.stack) as page:
        console.print(
            f"Look on at {page} (the console and the figures of CloudWatch), until the demo ends.", soft_wrap=True
        )
        today = datetime.now(ARGENTINA).date()
        script = write_script(stage.stack.cuentas, seed=seed, count=count, today=today)
        with (
            on_screen(console) as screen,
            watching(stage, script, screen, begun=begun) as watch,
            _warnings_on(screen, watch),
        ):
            shortened = "hours are seconds here, and `reconcile` is called every 3 s instead of every minute"
            screen.act(watch.elapsed, "Deployed", shortened)
            performed = perform(Cast(stage, script, screen, watch), until=bound)
        evidence = collect(stage, script, performed)
        print_report(evidence, console)
        ending, style = ("Everything holds", "bold green") if evidence.holds else ("Not everything holds", "bold red")
        console.print(f"\n{ending}: {time.monotonic() - begun:.0f} s, seed {seed}.", style=style)
        if then:
            then(stage, page)
        else:
            console.print("Everything is taken down, the page too; `make up` gives one that stays.", style="dim")
    return evidence


def collect(stage: Stage, script: Script, performed: Performed) -> Evidence:
    """Everything there is to be known, once nothing moves any more."""
    stage.listen()
    events = list(stage.events)
    return Evidence(
        script=script,
        performed=performed,
        sent=stage.sent,
        audit=stage.stack.simulator.audit(),
        items=stage.scan(),
        events=events,
        rejected=stage.rejected(),
        logs=stage.log_lines(),
        search=search_secrets(stage.stack.account, stage.stack.cuentas, map(str, events)),
    )


def keep(stage: Stage, page: str, console: Console) -> None:
    """Leave everything up until Ctrl-C, and tell where it is."""
    stack = stage.stack
    console.print("\nIt stays up until Ctrl-C:")
    for name, value in {
        "page": page,
        "AWS": f"{stack.account.endpoint_url} (region {REGION}, access key {stack.account.account_id}, secret test)",
        "queue": stack.queue_url,
        "rejected": stack.rejected_queue_url,
        "ledger": stack.table,
        "bus": f"{stack.bus}, heard by {stage.heard_url}",
        "webhooks": f"{stack.api_url}/hooks/{{cuenta}}",
        "TusFacturas": f"{stack.simulator.url}, its audit at {stack.simulator.url}/_sim/audit",
    }.items():
        console.print(f"  {name + ':':<13}{value}", soft_wrap=True)
    threading.Event().wait()


@contextmanager
def _warnings_on(screen: Screen, watch: Watch) -> Iterator[None]:
    """What the sandbox itself complains of is seen where it happens, and does not tear the bars."""

    class Noted(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            screen.note(watch.elapsed, f"[red]{escape(record.getMessage()[:300])}[/]")

    log, noted = logging.getLogger("tests.sandbox"), Noted(logging.WARNING)
    log.addHandler(noted)
    try:
        yield
    finally:
        log.removeHandler(noted)
