"""Waking the run that resolves a cuenta's errors: at most one at a time, and no wake-up is lost.

Steps, and what a crash right after leaves:

1. the error is noted                   the stream repeats the hook; the reconciliation notes every error it meets
2. one more wake-up (`pedidos`)         the reconciliation starts a run of every cuenta that one is due for
3. the execution is started             nothing is left: it reads what was noted
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from mypy_boto3_stepfunctions import SFNClient

    from facturacion.asiento import Asiento
    from facturacion.ledger import Arriendo, Ledger

NUMBERS_TRIED = 3
"""Names used up by executions that ended before they took the lease."""


class Corridas:
    """`arn`: of the state machine. `new_id` marks each note, so that a run drops none that it has not read."""

    def __init__(
        self,
        client: SFNClient,
        arn: str,
        *,
        ledger: Ledger,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._client = client
        self._arn = arn
        self._ledger = ledger
        self._clock = clock
        self._new_id = new_id

    def wake(self, asientos: Sequence[Asiento]) -> None:
        """Errors of one cuenta: noted in their order, then its run."""
        if asientos:
            for asiento in asientos:
                self._ledger.note_error(asiento, self._new_id())
            self.start(self._ledger.ask_for_run(asientos[0].cuenta))

    def start(self, arriendo: Arriendo) -> None:
        """Unless one holds the lease: that one cannot give it back without having read what was noted.

        Its name is the cuenta and the number of the run, so that two who start it at once start one. A name is used up
        where an execution failed before it took the lease: then the next number.
        """
        numero = arriendo.numero
        if not arriendo.is_free(self._clock()):
            return
        for _ in range(NUMBERS_TRIED):
            numero += 1
            name = f"{arriendo.cuenta}-{numero}"
            try:
                self._client.start_execution(
                    stateMachineArn=self._arn, name=name, input=f'{{"cuenta": "{arriendo.cuenta}", "vuelta": 0}}'
                )
            except self._client.exceptions.ExecutionAlreadyExists:
                if self._is_running(name) or self._ledger.arriendo(arriendo.cuenta).numero != numero - 1:
                    return
                self._ledger.skip_number(arriendo.cuenta, numero)
            else:
                return

    def _is_running(self, name: str) -> bool:
        arn = self._arn.replace(":stateMachine:", ":execution:") + f":{name}"
        return self._client.describe_execution(executionArn=arn)["status"] == "RUNNING"
