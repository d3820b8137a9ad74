"""The deployed state machine does what a careful clerk would: nothing is issued twice, and nothing sent for nothing."""

from __future__ import annotations

import json
import random

import pytest
from tests.e2e.company import Company
from tests.sandbox.waiting import wait_until

pytestmark = pytest.mark.timeout(300)
NEVER_BEFORE = {"ventana_legal": False, "demora_en_cola": 0.1}


def in_trouble(company, stack, **kinds):
    """`kinds`: reference → the marker of the simulator that says what befalls it."""
    company.send(company.message(ref, **today(), comentario=f"SIM:ERROR={kind}") for ref, kind in kinds.items())


def today():
    from datetime import UTC, datetime, timedelta

    day = (datetime.now(UTC) - timedelta(hours=3)).strftime("%d/%m/%Y")
    return {"fecha": day, "vencimiento": day}


def test_each_class_of_error_ends_as_it_should_though_a_third_of_the_hooks_is_lost(start_stack):
    seed = random.randrange(10**6)
    stack = start_stack(
        simulator={"seed": seed, "plan": {"hooks_prob": {"lost": 0.3}}}, ReconcileSeconds=2, ContrastSeconds=1
    )
    company = Company(stack)
    kinds = {"A": "10016*1", "B": "10016*2", "C": "10036", "D": "DATOS", "E": "AFIP_CAIDA"}
    references = {f"{kind}-{n}": text for kind, text in kinds.items() for n in range(3)}
    references |= {f"OK-{n}": "" for n in range(6)}
    company.send(
        company.message(ref, **today(), **({"comentario": f"SIM:ERROR={text}"} if text else {}))
        for ref, text in references.items()
    )
    issued = [r for r in references if r[0] != "D"]
    company.wait_for({"EMITIDO": len(issued), "ELIMINADO": 3}, timeout=200)
    summary = stack.simulator.summary()
    assert summary["issued_twice"] == summary["accepted_twice"] == [], seed
