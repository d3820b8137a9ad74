"""The deployed state machine does what a careful clerk would: nothing is issued twice, and nothing sent for nothing."""

from __future__ import annotations

import os
import random
from datetime import UTC, datetime, timedelta

import pytest
from tests.e2e.company import Company
from tests.sandbox.waiting import wait_until

BURST = int(os.environ.get("BURST", "40"))
"""Errors in a burst of one cuenta; 500 of them with `BURST=500 … pytest tests/e2e/test_errors.py -k burst`."""
pytestmark = pytest.mark.timeout(300 + 2 * BURST)
OFTEN = {"ReconcileSeconds": 2, "ContrastSeconds": 1}
"""What the hooks do not tell is looked for at the pace of everything else here."""


def in_trouble(company, kinds, *, each=1):
    """`each` comprobantes of today of every marker (of the simulator) that says what befalls it; by reference."""
    day = f"{datetime.now(UTC) - timedelta(hours=3):%d/%m/%Y}"
    made = {f"{name}-{n:03d}": marker for name, marker in kinds.items() for n in range(each)}
    company.send(
        company.message(reference, fecha=day, vencimiento=day, comentario=f"SIM:ERROR={marker}")
        for reference, marker in made.items()
    )
    return list(made)


def operations(stack):
    return [
        (op["metodo"].removesuffix("_encolado"), op["external_reference"])
        for op in stack.simulator.audit()["operaciones"]
    ]


def test_each_class_of_error_ends_as_it_should(start_stack):
    """10016 once and twice, 10036 until the date is moved, AFIP down alone: issued. Wrong data: deleted. Never seen:
    parked, and untouched at the provider. Nothing twice, and no operation for nothing.
    """
    stack = start_stack(**OFTEN)
    company = Company(stack)
    healed = {"A": "10016*1", "B": "10016*2", "C": "10036", "D": "AFIP_CAIDA"}
    in_trouble(company, {**healed, "E": "DATOS", "F": "DESCONOCIDO"})
    company.wait_for({"EMITIDO": 4, "ELIMINADO": 1, "EN_REVISION": 1}, timeout=120)
    assert sorted(operations(stack)) == sorted(
        [
            ("reenviar", "A-000"),
            ("reenviar", "B-000"),
            ("reenviar", "B-000"),
            ("cambiar_fecha", "C-000"),
            ("reenviar", "C-000"),
            ("reenviar", "D-000"),
            ("eliminar", "E-000"),
        ]
    )
    summary = stack.simulator.summary()
    assert summary["issued_twice"] == summary["accepted_twice"] == []


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_with_hooks_lost_everything_still_reaches_its_true_state(start_stack, share):
    seed = random.randrange(10**6)
    stack = start_stack(simulator={"seed": seed, "plan": {"hooks_prob": {"lost": share}}}, **OFTEN)
    company = Company(stack)
    in_trouble(company, {"A": "10016*1", "B": "AFIP_CAIDA*2", "C": "AMBIGUO"}, each=3)
    company.wait_for({"EMITIDO": 9}, timeout=150)
    summary = stack.simulator.summary()
    assert summary["issued_twice"] == summary["accepted_twice"] == [], seed


def test_a_burst_of_errors_makes_one_run_and_resends_leave_in_the_original_order(start_stack):
    stack = start_stack(SettleSeconds=12, ResendWaitSeconds=4, **OFTEN)
    company = Company(stack)
    references = in_trouble(company, {"A": "AFIP*1"}, each=BURST)
    company.wait_for({"EMITIDO": len(references)}, timeout=120 + 2 * BURST)
    # Two lotes may be under way at once, and be accepted the other way round: the order is that of the claims.
    asientos = company.asientos()
    posted = sorted(references, key=lambda reference: asientos[reference]["orden"]["S"])
    resent = [reference for _, reference in operations(stack)]
    assert sorted(resent) == sorted(references)
    assert resent == posted
    runs = stack.boto("stepfunctions").list_executions(stateMachineArn=stack.state_machine_arn)["executions"]
    wait_until(lambda: all(run["status"] != "RUNNING" for run in _runs(stack)), 60, "a run never ended")
    assert [run["status"] for run in _runs(stack)] == ["SUCCEEDED"] * len(runs)


def _runs(stack):
    return stack.boto("stepfunctions").list_executions(stateMachineArn=stack.state_machine_arn)["executions"]
