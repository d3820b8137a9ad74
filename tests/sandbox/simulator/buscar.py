"""The methods that only ask (contract §6)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tests.sandbox.simulator import answers, consulta
from tests.sandbox.simulator.cola import EMITIDO
from tests.sandbox.simulator.plan import QUERY_OUTCOMES, next_outcome
from tests.sandbox.simulator.rules import parse_date, parse_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.simulator.cola import Item
    from tests.sandbox.simulator.plan import CuentaSim, Desenlace, Plan
    from tests.sandbox.simulator.provider import Proveedor
    from tests.sandbox.simulator.respuesta import Respuesta

Json = dict[str, Any]


def _query(p: Proveedor, work: Callable[[Desenlace], Json]) -> Respuesta:
    return p.call(QUERY_OUTCOMES[next_outcome(p.plan.consultas, p.plan.consultas_prob, p.rng)], work)


def search(p: Proveedor, cuenta: CuentaSim, datos: Json) -> Respuesta:
    return _query(p, partial(_search, p, cuenta, datos))


def search_one(p: Proveedor, cuenta: CuentaSim, datos: Json) -> Respuesta:
    return _query(p, partial(_search_one, p, cuenta, datos))


def numbering(p: Proveedor, cuenta: CuentaSim, datos: Json) -> Respuesta:
    return _query(p, partial(_numbering, p, cuenta, datos))


def services(p: Proveedor, cuenta: CuentaSim, datos: Json) -> Respuesta:
    return _query(p, partial(_services, p, cuenta, datos))


def consumption(p: Proveedor, cuenta: CuentaSim, datos: Json) -> Respuesta:
    return _query(p, partial(_consumption, p, cuenta, datos))


def _search(p: Proveedor, cuenta: CuentaSim, datos: Json, _: Desenlace) -> Json:
    asked = datos.get("comprobante")
    page, limit = parse_number(datos.get("pagina", 0)), parse_number(datos.get("limite", 100))
    matches = _matcher(p.plan, str(datos.get("busqueda_tipo")), asked) if isinstance(asked, dict) else None
    if matches is None or page is None or page < 0 or limit is None or not 0 <= limit <= 1000:
        return answers.failed("Los parametros de busqueda no son validos.")
    exact = datos["busqueda_tipo"] == "EXT_REF" and p.plan.ext_ref == "exacta"
    named = str(datos["comprobante"].get("external_reference")) if exact else None
    items = [item for item in p.cola.visible(cuenta.alias, named) if matches(item)]
    start, size = int(page) * int(limit), int(limit)
    return consulta.found([_entry(p, item, cuenta) for item in items[start : start + size]], len(items))


def _search_one(p: Proveedor, cuenta: CuentaSim, datos: Json, _: Desenlace) -> Json:
    asked = datos.get("comprobante")
    asked = asked if isinstance(asked, dict) else {}
    number = asked.get("numero")
    matches = _matcher(p.plan, "TN", {**asked, "numero_desde": number, "numero_hasta": number})
    item = next((i for i in p.cola.visible(cuenta.alias) if matches is not None and matches(i)), None)
    if item is None:
        return answers.failed(answers.NOT_FOUND)
    return consulta.found_one(_entry(p, item, cuenta), item)


def _matcher(plan: Plan, kind: str, asked: Json) -> Callable[[Item], bool] | None:
    """The three searches; how exactly EXT_REF compares is [U]. None where the question cannot be read."""
    if str(asked.get("operacion", "V")) != "V":
        return lambda _: False
    if kind == "EXT_REF":
        wanted = str(asked.get("external_reference"))
        if plan.ext_ref == "parcial":
            return lambda item: wanted in item.referencia
        if plan.ext_ref == "sin_mayusculas":
            return lambda item: item.referencia.lower() == wanted.lower()
        return lambda item: item.referencia == wanted
    if kind == "F":
        day = parse_date(asked.get("fecha"))
        return None if day is None else lambda item: item.fecha == day
    first, last, point = (parse_number(asked.get(name)) for name in ("numero_desde", "numero_hasta", "punto_venta"))
    if kind != "TN" or first is None or last is None:
        return None
    return lambda item: (
        item.estado == EMITIDO
        and item.tipo == asked.get("tipo")
        and item.punto_venta == point
        and first <= item.numero <= last
    )


def _entry(p: Proveedor, item: Item, cuenta: CuentaSim) -> Json:
    return consulta.entry(item, cuenta, p.plan.referencias, p.pdf_url(item) if item.estado == EMITIDO else "")


def _numbering(p: Proveedor, cuenta: CuentaSim, datos: Json, _: Desenlace) -> Json:
    """[C]: the last issued (2026) or the next (2024)."""
    asked = datos.get("comprobante")
    tipo = str(asked.get("tipo")) if isinstance(asked, dict) else ""
    last = p.cola.lasts.get((cuenta.alias, tipo))
    number = (last.numero if last else 0) + (p.plan.numeracion_devuelve == "proximo")
    shown = {"tipo": tipo, "operacion": "V", "punto_venta": cuenta.punto_venta, "numero": number}
    return {"error": "N", "errores": [""], "rta": "OK", "comprobante": shown}


def _services(p: Proveedor, cuenta: CuentaSim, datos: Json, _: Desenlace) -> Json:
    if p.plan.afip_caida:
        since = answers.instant_text(p.agenda.now)[:16]
        text = f"{since} hs.  Los servicios de facturacion de AFIP estan presentando errores. | "
        return {"error": "S", "errores": [], "facturacion": text, "novedades": "", "rta": "ERROR"}
    return {
        "error": "N",
        "errores": [""],
        "rta": "OK",
        "facturacion": "OK",
        "prox_mantenimientos_programados": p.plan.mantenimientos_programados,
        "novedades": "",
    }


def _consumption(p: Proveedor, cuenta: CuentaSim, datos: Json, _: Desenlace) -> Json:
    used = p.used(cuenta, "encolar")
    return {
        "error": "N",
        "errores": [],
        "abonos_pendientes": 0,
        "comprobantes_generados": used,
        "comprobantes_cupo": cuenta.cupo,
        "comprobantes_disponibles": 0 if p.plan.cupo_agotado else cuenta.cupo - used,
    }
