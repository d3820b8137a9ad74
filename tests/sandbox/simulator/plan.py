"""What the simulated provider does wrong and how fast it works: values, changeable while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    import random

Rango: TypeAlias = "float | Sequence[float]"
"""Seconds: a figure, or [least, most] to draw between."""

Vista: TypeAlias = Literal[
    "respuesta", "lenta", "hooks_antes", "sin_mencion", "ilegible",
    "524", "500", "html_200", "429", "maintenance", "reset", "cut", "hang",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Desenlace:
    """How one call ends: is the work done, is it done in the background, what does the caller see."""

    trabaja: bool
    en_fondo: bool
    vista: Vista


_VISTAS_SIN_RESPUESTA: tuple[Vista, ...] = ("524", "500", "html_200", "reset", "cut", "hang")

OUTCOMES: dict[str, Desenlace] = {
    "ok": Desenlace(trabaja=True, en_fondo=False, vista="respuesta"),
    "slow": Desenlace(trabaja=True, en_fondo=False, vista="lenta"),
    "hook_first": Desenlace(trabaja=True, en_fondo=False, vista="hooks_antes"),
    "mention_missing": Desenlace(trabaja=True, en_fondo=False, vista="sin_mencion"),
    "unreadable_refusal": Desenlace(trabaja=False, en_fondo=False, vista="ilegible"),
    "429": Desenlace(trabaja=False, en_fondo=False, vista="429"),
    "maintenance": Desenlace(trabaja=False, en_fondo=False, vista="maintenance"),
    **{f"{vista}_accepted": Desenlace(trabaja=True, en_fondo=True, vista=vista) for vista in _VISTAS_SIN_RESPUESTA},
    **{
        f"{vista}_{'before' if vista == '500' else 'dropped'}": Desenlace(trabaja=False, en_fondo=False, vista=vista)
        for vista in _VISTAS_SIN_RESPUESTA
    },
}
"""How a submission or a queue operation can end. `reset` is a TCP reset, `cut` a clean close without an answer."""

_SOLO_LOTES = {"mention_missing", "unreadable_refusal"}
OPERATION_OUTCOMES = {nombre: d for nombre, d in OUTCOMES.items() if nombre not in _SOLO_LOTES}
QUERY_OUTCOMES: dict[str, Desenlace] = {
    "ok": OUTCOMES["ok"],
    "slow": OUTCOMES["slow"],
    "429": OUTCOMES["429"],
    "maintenance": OUTCOMES["maintenance"],
    **{vista: Desenlace(trabaja=False, en_fondo=False, vista=vista) for vista in _VISTAS_SIN_RESPUESTA},
}
HOOK_OUTCOMES = ("ok", "lost", "doubled", "doubled_new_id", "late")

RETRY_SECONDS = (300.0, 1800.0, 10800.0, 21600.0, 43200.0)
"""Contract §4: after the first delivery, 5 min, 30 min, 3 h, 6 h, 12 h after the previous one; then nothing more."""

FIRST_TIMEOUT, RETRY_TIMEOUT, URL_DOWN_SECONDS = 20.0, 5.0, 86400.0


@dataclass
class CuentaSim:
    """One CUIT + PDV at the provider, told apart by its three credentials (contract §1)."""

    alias: str
    apikey: str = field(repr=False)
    apitoken: str = field(repr=False)
    usertoken: str = field(repr=False)
    punto_venta: int
    webhook_url: str | None
    webhook_token: str | None = field(default=None, repr=False)
    cupo: int = 1_000_000
    dev: bool = False
    cuit: str = "30712293841"


@dataclass
class Plan:
    """Every fault and every figure. Explicit queues are consumed first, then the probabilities decide, else `ok`."""

    # The doors: how the next calls end. `lotes` (names of OUTCOMES) is for both methods of submission, `operaciones`
    # for the three that act on the queue, `consultas` for those that only ask.
    lotes: list[str] = field(default_factory=list)
    lotes_prob: dict[str, float] = field(default_factory=dict)
    operaciones: list[str] = field(default_factory=list)
    operaciones_prob: dict[str, float] = field(default_factory=dict)
    consultas: list[str] = field(default_factory=list)
    consultas_prob: dict[str, float] = field(default_factory=dict)
    caida: Literal["", "sin_conexion", "503"] = ""
    mantenimiento_hasta: datetime | None = None
    mantenimiento_status: int = 200  # [U]
    mantenimientos_programados: list[dict[str, str]] = field(default_factory=list)
    credenciales_status: int = 401  # §1: 401/403
    cupo_agotado: bool = False
    maximo_por_segundo: int = 0  # calls of one cuenta, 0 is without limit; the provider's figure is [U]

    # Times, in seconds.
    demora_respuesta: Rango = 0.0
    segundos_lenta: float = 1.0
    segundos_524: float = 0.0
    demora_fondo: Rango = 0.0  # B: how long the provider goes on after the caller lost the answer
    demora_visible: Rango = 0.0  # D: until a query shows what was accepted
    hueco_emision: Rango = 0.0  # between queue and issued it may be nowhere for a moment
    demora_en_cola: Rango = 0.2  # least time in the queue before the first attempt
    segundos_por_comprobante: float = 0.0  # throughput of one PDV (§2.3)
    segundos_entre_intentos: float = 60.0  # [U]
    intentos_maximos: int = 100

    # The door's opinions.
    forma_rechazo: Literal["parcial", "seed", "ilegible"] = "parcial"
    rechazados_en_respuesta: bool = True  # [U] whether `response` lists them when all were refused
    exige_vencimiento: bool = True  # since 01/10/2023; SEED's example has none
    exige_punto_venta: bool = True  # [U]
    fce_en_cola: bool = True  # [C]
    tolerancia_total: Decimal = Decimal("0.01")
    cupo_cuenta_rechazados: bool = True  # [U]
    referencias: Literal["texto", "numeros", "json_numeric_check"] = "numeros"
    omitidas: int = 1  # how many accepted references `mention_missing` leaves out
    ext_ref: Literal["exacta", "sin_mayusculas", "parcial"] = "exacta"  # [U]
    eliminar_por_fecha: Literal["actual", "original", "cualquiera"] = "actual"  # [U]
    cambio_fecha_reencola: bool = False  # [U]/[C]
    cambiar_valida_vencimiento: bool = False
    numeracion_devuelve: Literal["ultimo", "proximo"] = "ultimo"  # [C]

    # AFIP behind the queue.
    afip_caida: bool = False
    ventana_legal: bool = True
    orden_seleccion: Literal["llegada", "azar"] = "llegada"  # [U]
    desincroniza: bool = False  # an AMBIGUO makes the following ones of its PDV and tipo fail with 10016

    # Hooks.
    hooks: list[str] = field(default_factory=list)
    hooks_prob: dict[str, float] = field(default_factory=dict)
    demora_hook: Rango = 0.05  # §2.1: sent after the answer
    barajar_hooks: float = 0.0  # each delivery is delayed up to this, so that their order is lost
    segundos_tarde: Rango = 60.0
    entregas_simultaneas: int = 10  # per cuenta: one dead URL holds up nobody else; read at its first delivery
    hook_por_rechazado: bool = True  # [C] in LOTE
    escala: float = 1.0  # of the retry table, the timeouts and the 24 h
    piso_timeout: float = 2.0
    intento_cuenta: Literal["entregas", "siempre_1"] = "entregas"  # [U]
    hook_id_por_intento: bool = False  # [U]
    creado_es_envio: bool = False  # [U]

    def __post_init__(self) -> None:
        _check_names("lotes", OUTCOMES, self.lotes, self.lotes_prob)
        _check_names("operaciones", OPERATION_OUTCOMES, self.operaciones, self.operaciones_prob)
        _check_names("consultas", QUERY_OUTCOMES, self.consultas, self.consultas_prob)
        _check_names("hooks", HOOK_OUTCOMES, self.hooks, self.hooks_prob)
        if isinstance(self.mantenimiento_hasta, str):
            self.mantenimiento_hasta = datetime.fromisoformat(self.mantenimiento_hasta)
        if self.mantenimiento_hasta is not None and self.mantenimiento_hasta.tzinfo is None:
            raise ValueError("mantenimiento_hasta needs a zone")
        self.tolerancia_total = Decimal(str(self.tolerancia_total))

    def update(self, **changes: Any) -> None:
        """Change some fields in place, all or none; an unknown field or outcome is a ValueError."""
        known = {f.name for f in fields(self)}
        if unknown := sorted(set(changes) - known):
            raise ValueError(f"no such field in the plan: {', '.join(unknown)}")
        checked = replace(self, **changes)
        for name in changes:
            setattr(self, name, getattr(checked, name))


def _check_names(where: str, known: Any, queue: list[str], chances: dict[str, float]) -> None:
    if unknown := sorted({*queue, *chances} - set(known)):
        raise ValueError(f"{where}: no such outcome: {', '.join(unknown)}")
    if any(p < 0 for p in chances.values()) or sum(chances.values()) > 1 + 1e-9:
        raise ValueError(f"{where}: probabilities must be positive and sum to at most 1")


def next_outcome(queue: list[str], chances: dict[str, float], rng: random.Random) -> str:
    """The next of the explicit queue, which is consumed; else drawn; else `ok`."""
    if queue:
        return queue.pop(0)
    if not chances:
        return "ok"
    point = rng.random()
    for name, chance in chances.items():
        point -= chance
        if point < 0:
            return name
    return "ok"


def draw(value: Rango, rng: random.Random) -> float:
    if isinstance(value, Sequence):
        least, most = value
        return rng.uniform(least, most)
    return value
