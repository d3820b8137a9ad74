"""One run: the stack, the company that sends, the provider that holds hooks back, the kills, and what is left of it."""

from __future__ import annotations

import os
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.load.harm import Harm
from tests.load.plan import PARAMETERS, provider_plan, write_schedule
from tests.sandbox.cuentas import make_cuentas
from tests.sandbox.demo.stage import Stage, hear
from tests.sandbox.ministack import Emulator
from tests.sandbox.simulator.agenda import ARGENTINA
from tests.sandbox.stack import running_stack
from tests.sandbox.waiting import wait_until

if TYPE_CHECKING:
    from concurrent.futures import Future
    from pathlib import Path

    from tests.load.plan import Due, Sizes
    from tests.sandbox.demo.balance import Json, Key
    from tests.sandbox.demo.script import Expected

TOLD_EVERY = 15.0
RECONCILED_EVERY = 15.0
LISTENED_EVERY = 2.0
WARM_UP_SECONDS = 300.0
MOST_AT_ONCE = 100
"""Messages that are put on the queue in one go."""


@dataclass(frozen=True)
class Outcome:
    """Everything that is known afterwards. `begun`: when the first message was sent. `unsettled`: what had not ended
    when time was up.
    """

    sizes: Sizes
    begun: datetime
    seconds: float
    sent_for: float
    unsettled: str
    expected: dict[Key, Expected]
    audit: Json
    asientos: list[Json]
    events: list[Json]
    logs: list[Json]
    rejected: list[Json]
    dead: int
    harm: Harm

    @property
    def answers(self) -> list[tuple[datetime, float, int | None]]:
        """Of each delivery: when it was answered, after how many seconds, with which status. Without the warming up."""
        found = ((datetime.fromisoformat(e["momento"]), e["segundos"], e["status"]) for e in self.audit["entregas"])
        return [answer for answer in found if answer[0] >= self.begun]


def run(sizes: Sizes, *, bound: float, log_path: Path | None = None) -> Outcome:
    """`bound`: seconds after which nothing more is waited for."""
    cuentas = make_cuentas([f"carga-{n:02d}" for n in range(sizes.cuentas)])
    schedule, expected = write_schedule(cuentas, sizes, datetime.now(ARGENTINA).date())
    parameters = PARAMETERS | {"GuardarPdf": str(sizes.pdf).lower()}
    simulator = {"plan": provider_plan(sizes), "seed": sizes.seed}
    with (
        Emulator.start(log_path=log_path) as emulator,
        running_stack(emulator, parameters=parameters, cuentas=cuentas, simulator=simulator) as stack,
    ):
        stage = Stage(emulator, stack, hear(stack))
        _warm_up(stage, sizes)
        harm = Harm(emulator.pid, stack.functions, sizes.kill_every, sizes.seed)
        begun = datetime.now(UTC)
        driver = _Driver(stage, sizes, harm, deque(schedule))
        harm.start()
        try:
            driver.drive(bound)
            seconds = driver.elapsed
            stage.listen()
            return Outcome(
                sizes=sizes,
                begun=begun,
                seconds=seconds,
                sent_for=driver.sent_for,
                unsettled=driver.unsettled(),
                expected=expected,
                audit=stack.simulator.audit(),
                asientos=stage.scan_asientos(),
                events=stage.events,
                logs=stage.log_lines(),
                rejected=stage.rejected(),
                dead=stage.queued(stack.dlq_url),
                harm=harm,
            )
        finally:
            harm.stop()
            driver.close()


def _warm_up(stage: Stage, sizes: Sizes) -> None:
    """As many test hooks as are delivered at once: a process for each is started, which takes a small machine long."""
    simulator = stage.stack.simulator
    for cuenta in stage.stack.cuentas:
        for _ in range(sizes.at_once):
            simulator.web("test_hook", alias=cuenta.alias)

    def answered() -> bool:
        hooks = simulator.summary()["hooks"]
        return not hooks["pendiente"] + hooks["en_vuelo"]

    wait_until(answered, WARM_UP_SECONDS, "the first hooks were never answered")


class _Driver:
    """Sends what is due, makes the provider hold hooks back, keeps the schedule of the reconciliation, and tells."""

    def __init__(self, stage: Stage, sizes: Sizes, harm: Harm, schedule: deque[Due]) -> None:
        self.stage, self.sizes, self.harm, self.schedule = stage, sizes, harm, schedule
        self.begun = time.monotonic()
        self.sent_for = 0.0
        self._pool = ThreadPoolExecutor(1, "reconcile")
        self._reconciling: Future[None] | None = None
        self._due = dict.fromkeys(("tell", "reconcile", "listen", "settled"), 0.0) | {"burst": sizes.burst_every}
        self._told = (0.0, self._deliveries(stage.stack.simulator.summary()))
        self._dynamodb = stage.stack.boto("dynamodb")

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.begun

    def drive(self, bound: float) -> None:
        while self.elapsed < bound:
            self._send()
            if self.schedule and self.sizes.burst and self._is_time("burst", self.sizes.burst_every):
                # So many come together meanwhile, and leave at once.
                self.stage.stack.simulator.web("hold_hooks", seconds=self.sizes.burst / self.sizes.rate)
            if self._is_time("reconcile", RECONCILED_EVERY):
                self._reconcile()
            if self._is_time("listen", LISTENED_EVERY):
                self.stage.listen()
                self.harm.worked(len(self.stage.events))
            if self._is_time("tell", TOLD_EVERY):
                self._tell()
            if not self.schedule and self._is_time("settled", TOLD_EVERY / 3) and self._settle():
                return
            time.sleep(0.05)

    def _is_time(self, what: str, every: float) -> bool:
        now = self.elapsed
        if now < self._due[what]:
            return False
        self._due[what] = now + every
        return True

    def _send(self) -> None:
        envios = []
        while self.schedule and self.schedule[0].at <= self.elapsed and len(envios) < MOST_AT_ONCE:
            envios.append(self.schedule.popleft().envio)
        if envios:
            self.stage.send(envios)
            self.sent_for = self.elapsed

    def _reconcile(self) -> None:
        """What the schedule does each minute; a kill, or a timeout on a busy machine, is no matter: it comes again."""
        if self._reconciling and not self._reconciling.done():
            return

        def once() -> None:
            try:
                self.stage.reconcile()
            except (BotoCoreError, ClientError) as error:
                print(f"reconcile was not answered: {type(error).__name__}", flush=True)

        self._reconciling = self._pool.submit(once)

    def _settle(self) -> bool:
        """The kills end when everything is issued; the rest is waited for in peace."""
        if self._issued(self.stage.stack.simulator.summary()) >= self.sizes.count:
            self.harm.spare()
        return not self.unsettled()

    def unsettled(self) -> str:
        """What is still to come, "" when nothing is."""
        summary = self.stage.stack.simulator.summary()
        waiting = {
            "messages to be sent": len(self.schedule),
            "messages on the queue": self.stage.queued(self.stage.stack.queue_url),
            "comprobantes not issued": self.sizes.count - self._issued(summary),
            "hooks to be delivered": summary["hooks"]["pendiente"] + summary["hooks"]["en_vuelo"],
            "comprobantes open in the ledger": self._open(),
        }
        return ", ".join(f"{n} {what}" for what, n in waiting.items() if n)

    @staticmethod
    def _issued(summary: Json) -> int:
        return int(summary["estados"]["EMITIDO"])

    @staticmethod
    def _deliveries(summary: Json) -> int:
        return int(summary["hooks"]["entregas"] + summary["hooks"]["reintentos"])

    def _open(self) -> int:
        return sum(
            page["Count"]
            for cuenta in self.stage.stack.cuentas
            for page in self._dynamodb.get_paginator("query").paginate(
                TableName=self.stage.stack.table,
                IndexName="abiertos",
                Select="COUNT",
                KeyConditionExpression="abierto = :cuenta",
                ExpressionAttributeValues={":cuenta": {"S": cuenta.alias}},
            )
        )

    def _tell(self) -> None:
        if complaint := self.stage.stack.complaint():
            raise RuntimeError(complaint)
        summary: dict[str, Any] = self.stage.stack.simulator.summary()
        hooks, now, answered = summary["hooks"], self.elapsed, self._deliveries(summary)
        pace = (answered - self._told[1]) / max(now - self._told[0], 1e-9)
        self._told = (now, answered)
        print(
            f"{now:6.0f} s  sent {len(self.stage.sent)}, issued {self._issued(summary)}, open {self._open()}; "
            f"hooks {answered} ({pace:.0f}/s), {hooks['pendiente'] + hooks['en_vuelo']} to come; "
            f"killed {sum(self.harm.killed.values())}; load {os.getloadavg()[0]:.1f}",
            flush=True,
        )

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
