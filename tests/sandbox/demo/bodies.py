"""Messages as a company's systems write them, made of the provider's own examples with today's dates."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.sandbox.simulator.rules import recompute_total

if TYPE_CHECKING:
    import random

Json = dict[str, Any]

TESTS = Path(__file__).resolve().parents[2]
EXAMPLES = TESTS / "provider_examples"
SEED = TESTS / "unit" / "tusfacturas" / "seed_request.json"

# A cuenta issues what its condition before IVA allows: the first is responsable inscripto, the second monotributo.
INSCRIPTO = (
    "factura_b",
    "factura_b",
    "factura_a",
    "factura_b.anonimo",
    "factura_a.rg5329",
    "factura_a.usd",
    "nc_a.asociados",
    "nd_a.periodo",
)
MONOTRIBUTO = ("factura_c", "factura_c", "nc_c", "nd_c", "recibo_c")
_OF_FACTURA_C = {"nc_c": "NOTA DE CREDITO C", "nd_c": "NOTA DE DEBITO C", "recibo_c": "RECIBO C"}
_NAMES = ("Ana Gómez", "Luis Peña", "María Núñez", "Jorge Ibáñez", "Lucía Fernández", "Raúl Domínguez")


@cache
def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def text_of(day: date) -> str:
    """dd/mm/aaaa, as the provider writes dates."""
    return day.strftime("%d/%m/%Y")


def comprobante(kind: str, reference: str, *, punto_venta: int, today: date, rng: random.Random) -> Json:
    """`cliente` and `comprobante` of that kind, with amounts and people of its own. Every third names no total."""
    body: Json = deepcopy(_read(EXAMPLES / f"comprobante.{'factura_c' if kind in _OF_FACTURA_C else kind}.json"))
    cliente, asked = body["cliente"], body["comprobante"]
    if cliente["documento_tipo"] == "DNI":
        cliente |= {"razon_social": rng.choice(_NAMES), "documento_nro": str(rng.randrange(10_000_000, 45_000_000))}
    if kind in _OF_FACTURA_C:
        asked["tipo"] = _OF_FACTURA_C[kind]
    if kind in {"nc_c", "nd_c"}:
        of = {"desde": text_of(today - timedelta(days=30)), "hasta": text_of(today)}
        asked["comprobantes_asociados_periodo"] = {f"fecha_{end}": day for end, day in of.items()}
    asked |= {
        "external_reference": reference,
        "punto_venta": punto_venta,
        "fecha": text_of(today),
        "vencimiento": text_of(today + timedelta(days=10)),
        "periodo_facturado_desde": text_of(today.replace(day=1)),
        "periodo_facturado_hasta": text_of(today),
    }
    for line in asked["detalle"]:
        line["cantidad"] = rng.randint(1, 12)
        line["producto"]["precio_unitario_sin_iva"] = rng.randrange(1_000, 9_000_000) / 100
    asked["total"] = total_of(asked)
    if rng.random() < 1 / 3:
        del asked["total"]
    return body


def total_of(asked: Json) -> float:
    """By the provider's reckoning, not by ours."""
    return float(recompute_total(asked))


def seed_examples(today: date) -> list[Json]:
    """The three entries of the provider's own example of a lote, with today's date: else AFIP would refuse them.

    They bring credentials and keys that were removed long ago, and no vencimiento.
    """
    entries: list[Json] = deepcopy(_read(SEED)["requests"])
    for entry in entries:
        entry["comprobante"]["fecha"] = text_of(today)
    return entries
