"""What is sent, and what the provider has been told to do with it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from facturacion.mensaje import Ininteligible, leer
from tests.sandbox.simulator.cola import CON_ERROR
from tests.unit.simulator.world import entrada

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.explore.world import World

NOON = datetime(2026, 11, 20, 15, tzinfo=UTC)
"""12:00 in Buenos Aires."""
ALIASES = ("norte", "sur", "oeste")
PLANTED = {"apikey": "999777", "apitoken": "planted-apitoken-value", "usertoken": "planted-usertoken-value"}
"""Credentials that senders leave in their messages: they must be nowhere afterwards."""
SHORT = {"QuietPeriodSeconds": "900", "SettleSeconds": "60", "ResendWaitSeconds": "120", "HookWindowSeconds": "2"}
"""A shorter quiet period than the template's, so that a schedule needs fewer redeliveries; the provider is as quick.

Hooks are applied sooner, too, so that they race with what else is done; some of the random ones have the template's.
"""


@cache
def secrets() -> dict[str, dict[str, Any]]:
    return {
        alias: {
            "apikey": f"12{n}4",
            "apitoken": f"secret-apitoken-of-{alias}",
            "usertoken": f"secret-usertoken-of-{alias}",
            "webhook_tokens": [f"secret-webhook-token-of-{alias}"],
            "cuit": "30712293841",
            "punto_venta": 3,
        }
        for n, alias in enumerate(ALIASES)
    }


@dataclass(frozen=True)
class Send:
    """A message. `fate`: ok, refused (at the provider's door), invalid (by our rules), junk (cannot be understood).

    `hash` tells its content; `correction` is sent when this content is told RECHAZADO, or ELIMINADO if it `reemplaza`.
    """

    at: float
    cuenta: str
    reference: str
    body: str = field(repr=False)
    fate: str
    hash: str = field(repr=False)
    reemplaza: str | None = None
    correction: Send | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{self.cuenta} {self.reference} ({self.fate}, content {self.hash[:6]})"

    @property
    def pk(self) -> str:
        return f"{self.cuenta}#{self.reference}"

    @property
    def entry(self) -> dict[str, Any]:
        """What of it the provider gets, more or less: for another system that sends the same."""
        whole = json.loads(self.body)
        return {"cliente": whole["cliente"], "comprobante": whole["comprobante"]}


def message(
    reference: str,
    *,
    at: float = 0.0,
    cuenta: str = "norte",
    fate: str = "ok",
    comentario: str = "",
    version: int = 1,
    reemplaza: str | None = None,
    correction: Send | None = None,
    planted: bool = False,
    **fields: Any,
) -> Send:
    marker = "SIM:RECHAZAR" if fate == "refused" else comentario
    sent = entrada(reference, comentario=marker, leyenda_gral=f"version {version}", **fields)
    if fate == "invalid":
        sent["comprobante"]["total"] = 1.0
    whole = {"cuenta": cuenta, **sent}
    if reemplaza:
        whole["reemplaza"] = reemplaza
    if planted:
        whole |= PLANTED
    body = json.dumps(whole)
    if fate == "junk":
        body = body[:-2]
    read = leer(body, cuenta_por_defecto=None)
    content = "" if isinstance(read, Ininteligible) else read.hash
    return Send(at, cuenta, reference, body, fate, content, reemplaza, correction)


@dataclass
class Scenario:
    """`timed`: what happens at second N, given the world. `calm_after`: from then on nothing goes wrong (Chaos).

    `foreign`: another system uses the same references. `hopeless`: those that nothing but a person can settle.
    `asked`: the provider hears a question about a comprobante, before it answers. `first_run`: what the first execution
    begins with, instead of nothing done yet. `twins`: tasks that are taken for dead once, and begun again beside
    themselves.
    """

    name: str
    sends: list[Send]
    plan: dict[str, Any] = field(default_factory=dict)
    timed: list[tuple[float, Callable[[World], None]]] = field(default_factory=list)
    cuentas: tuple[str, ...] = ("norte",)
    parameters: dict[str, str] = field(default_factory=lambda: dict(SHORT))
    max_receives: int = 300
    calm_after: float = 7_200.0
    start: datetime = NOON
    foreign: bool = False
    hopeless: frozenset[str] = frozenset()
    asked: Callable[[World, str, str], None] | None = None
    secrets: Callable[[], dict[str, dict[str, Any]]] = secrets
    first_run: dict[str, Any] = field(default_factory=dict)
    twins: list[str] = field(default_factory=list)

    def unheard(self, paso: str) -> bool:
        if paso not in self.twins:
            return False
        self.twins.remove(paso)
        return True

    def heard(self, world: World, tipo: str, detail: dict[str, Any]) -> None:
        """The sender hears of its comprobante, and corrects it once."""
        for send in list(world.corrections):
            assert send.correction is not None
            told = "ComprobanteEliminado" if send.correction.reemplaza else "ComprobanteRechazado"
            if (tipo, detail["cuenta"], detail["external_reference"]) == (told, send.cuenta, send.reference):
                world.corrections.remove(send)
                world.later(5.0, send.correction)

    def soothe(self, world: World) -> None:
        """Everything that goes wrong by the plan stops."""
        world.plan.update(
            lotes=[],
            lotes_prob={},
            operaciones=[],
            operaciones_prob={},
            consultas=[],
            consultas_prob={},
            hooks_prob={},
            caida="",
            mantenimiento_hasta=None,
            cupo_agotado=False,
            afip_caida=False,
            maximo_por_segundo=0,
            demora_respuesta=0.1,
            forma_rechazo="parcial",
        )


def delete_in_error(world: World, *, alias: str, reference: str, tries: int = 100) -> None:
    """Somebody deletes it on the provider's web as soon as it is there in error."""
    if any(item.estado == CON_ERROR for item in world.proveedor.cola.named(alias, reference)):
        world.note("a person", "deletes it on the web", reference)
        world.proveedor.web_delete(alias, reference)
    elif tries:
        world.later(600.0, partial(delete_in_error, alias=alias, reference=reference, tries=tries - 1))


# -- small ones, to be cut everywhere ------------------------------------------------------------------


def one() -> Scenario:
    return Scenario("one", [message("A-1", planted=True)])


def one_524() -> Scenario:
    return Scenario(
        "one_524", [message("A-1")], {"lotes": ["524_accepted"], "segundos_524": 100.0, "demora_fondo": 40.0}
    )


def one_dropped() -> Scenario:
    """The provider never queued it, and our answer was lost: it must be sent again, and only after all the waiting."""
    return Scenario("one_dropped", [message("A-1")], {"lotes": ["reset_dropped"]})


def one_slow_hooks_lost() -> Scenario:
    return Scenario(
        "one_hooks_lost",
        [message("A-1")],
        {"lotes": ["reset_accepted"], "demora_fondo": 300.0, "demora_visible": 200.0, "hooks_prob": {"lost": 1.0}},
    )


def hook_first() -> Scenario:
    return Scenario(
        "hook_first", [message("A-1")], {"lotes": ["hook_first"], "segundos_lenta": 20.0, "demora_en_cola": 5.0}
    )


def refused_then_corrected() -> Scenario:
    fixed = message("A-1", version=2)
    return Scenario("corrected", [message("A-1", fate="refused", correction=fixed)], {"demora_hook": 90.0})


def invalid_then_corrected() -> Scenario:
    fixed = message("A-1", version=2)
    return Scenario("invalid", [message("A-1", fate="invalid", correction=fixed), message("A-9", at=1.0, fate="junk")])


def twins() -> Scenario:
    """Two messages for one reference, and one with other content."""
    return Scenario("twins", [message("A-1"), message("A-1", at=30.0), message("A-1", at=60.0, version=2)])


def two_lotes() -> Scenario:
    return Scenario(
        "two_lotes",
        [message("A-1"), message("A-2"), message("B-1", cuenta="sur", at=1.0), message("A-3", at=45.0, fate="refused")],
        cuentas=("norte", "sur"),
    )


def in_error() -> Scenario:
    return Scenario("in_error", [message("A-1", comentario="SIM:ERROR=DATOS"), message("A-2")])


def deleted_and_replaced() -> Scenario:
    replacement = message("A-2", reemplaza="A-1")
    first = message("A-1", comentario="SIM:ERROR=DATOS", correction=replacement)
    return Scenario(
        "replaced",
        [first, message("A-3", at=2_000.0, reemplaza="A-1")],
        timed=[(600.0, partial(delete_in_error, alias="norte", reference="A-1"))],
    )


SMALL = (
    one,
    one_524,
    one_dropped,
    one_slow_hooks_lost,
    hook_first,
    refused_then_corrected,
    invalid_then_corrected,
    twins,
    two_lotes,
    in_error,
    deleted_and_replaced,
)
