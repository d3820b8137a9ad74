"""What is sent when, and how fast the provider works: values, from a few sizes and a seed."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.sandbox.demo import bodies
from tests.sandbox.demo.balance import Fin
from tests.sandbox.demo.script import Envio, Expected, Role
from tests.sandbox.stack import SHORT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from tests.sandbox.cuentas import SandboxCuenta
    from tests.sandbox.demo.balance import Key

HOOKS_EACH = 2
"""`encolado` and `emitido`; what is doubled and what is delivered again comes on top."""
REPEATED = 0.02
"""Of the messages are put on the queue a second time, up to a minute later."""
PARAMETERS = SHORT | {
    "QuietPeriodSeconds": "20",
    "SettleSeconds": "2",
    "LoteWindowSeconds": "5",
    "ProviderTimeoutSeconds": "5",
    "PackTimeoutSeconds": "30",
    "VisibilitySeconds": "195",
    "ContrastSeconds": "30",
    "ReconcileSeconds": "30",
}
"""Hours are seconds; windows and timeouts are nearer to their defaults than in the demo."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """`rate`: hooks a second. `burst`: so many leave at once, every `burst_every` seconds; the provider held them back.

    `kill_every`: events on the bus between two kills, on average; a comprobante brings two or three. `at_once`:
    deliveries of one cuenta under way at once.
    """

    count: int = 20_000
    cuentas: int = 10
    rate: float = 40.0
    burst: int = 300
    burst_every: float = 60.0
    kill_every: float = 400.0
    at_once: int = 2
    pdf: bool = False
    seed: int = 0

    @property
    def seconds(self) -> float:
        """For how long it is sent."""
        return self.count * HOOKS_EACH / self.rate


@dataclass(frozen=True, slots=True)
class Due:
    """A message that is put on the queue so many seconds after the beginning."""

    at: float
    envio: Envio


def provider_plan(sizes: Sizes) -> dict[str, Any]:
    """The retry table is the documented one, scaled to a fiftieth; how long the provider waits for an answer is not.

    It issues a quarter faster than it is sent to, so that it catches up with what a kill held up.
    """
    return {
        "segundos_por_comprobante": sizes.cuentas / (sizes.rate / HOOKS_EACH) / 1.25,
        "demora_en_cola": [0.5, 2.0],
        "demora_visible": [0.0, 0.5],
        "hueco_emision": [0.0, 0.4],
        "demora_hook": [0.02, 0.2],
        "barajar_hooks": 0.5,
        "hooks_prob": {"doubled": 0.05, "doubled_new_id": 0.03, "lost": 0.005, "late": 0.02},
        "segundos_tarde": [5.0, 60.0],
        "entregas_simultaneas": sizes.at_once,
        "escala": 0.02,
        "piso_timeout": 20.0,
    }


def write_schedule(
    cuentas: Sequence[SandboxCuenta], sizes: Sizes, today: date
) -> tuple[list[Due], dict[Key, Expected]]:
    """Everything that is sent, in its order, and how each comprobante must end: nothing is wrong with any of them."""
    rng = random.Random(sizes.seed)
    expected: dict[Key, Expected] = {}
    found: list[Due] = []
    each_second = sizes.rate / HOOKS_EACH
    for n in range(sizes.count):
        cuenta, reference = cuentas[n % len(cuentas)], f"CARGA-{n:06d}"
        kind = rng.choice(bodies.INSCRIPTO)
        body = bodies.comprobante(kind, reference, punto_venta=cuenta.punto_venta, today=today, rng=rng)
        total = Decimal(str(bodies.total_of(body["comprobante"])))
        expected[cuenta.alias, reference] = Expected(Fin.EMITIDO, "EMITIDO", total)
        text = json.dumps({"cuenta": cuenta.alias, **body}, ensure_ascii=False)
        at = n / each_second
        found.append(Due(at, Envio(Role.COMPROBANTE, cuenta.alias, reference, text)))
        if rng.random() < REPEATED:
            found.append(Due(at + rng.uniform(1, 60), Envio(Role.REPEAT, cuenta.alias, reference, text)))
    return sorted(found, key=lambda due: due.at), expected
