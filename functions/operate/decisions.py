"""What a person may decide about what, and what it costs of the plan's requests. Pure: neither boto3 nor httpx."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from facturacion.accion import Accion, write_decision
from facturacion.estado import Estado
from facturacion.ventana import Concepto, in_window, today
from tusfacturas.fechas import format_fecha

if TYPE_CHECKING:
    from datetime import date, datetime

    from facturacion.asiento import Asiento

DECIDABLES = frozenset({Estado.EN_REVISION, Estado.ERROR})


@dataclass(frozen=True, slots=True)
class Negada:
    """It may not be decided, and why. `codigo` is stable, `motivo` plain Spanish."""

    codigo: str
    motivo: str


CAMBIO = Negada("CambioMientrasTanto", "Cambió después de que usted lo vio: no se hizo nada. Mírelo de nuevo.")


def is_foreign(asiento: Asiento) -> bool:
    """Nothing of ours was ever posted under it: its hook came, and no message."""
    return asiento.estado is Estado.EN_REVISION and not asiento.datos.hash


def judge(asiento: Asiento | None, accion: Accion, fecha: date | None) -> Negada | None:
    """None when it may be decided. Whether the provider still has it is the run's to ask, before it does anything."""
    if asiento is None:
        return Negada("NoExiste", "No hay ningún comprobante con esa referencia en esa cuenta.")
    if asiento.estado not in DECIDABLES:
        return Negada("NoEspera", f"Está {asiento.estado}: no espera que nadie decida.")
    if asiento.decision == write_decision(accion, fecha):
        return Negada("YaDecidido", "Ya se decidió lo mismo, y se está haciendo.")
    if is_foreign(asiento):
        return _of_another_system(asiento, accion)
    # In error its run asks first; in review it is known that the provider never showed it.
    if accion is Accion.CAMBIAR_FECHA and asiento.estado is Estado.EN_REVISION and not asiento.en_cola:
        return Negada("NoEstaEnTusFacturas", "TusFacturas nunca lo mostró: no hay fecha que cambiar.")
    return None


def judge_visto(asiento: Asiento | None, visto: datetime | None) -> Negada | None:
    """Every write of an asiento notes its instant (`actualizado`): what was written after it was seen was not seen."""
    if asiento is None or visto is None or asiento.actualizado is None:
        return None
    return CAMBIO if asiento.actualizado > visto else None


def _of_another_system(asiento: Asiento, accion: Accion) -> Negada | None:
    """Giving it up only takes it off the list: what the provider has of it is nobody's here to touch."""
    if not asiento.abierto:
        return Negada("YaDecidido", "Ya se quitó de la lista.")
    if accion is Accion.DESISTIR:
        return None
    return Negada(
        "DeOtroSistema",
        "Nada de esa referencia salió de aquí: resuélvalo donde se cargó. Desistir solo lo quita de esta lista.",
    )


def judge_fecha(fecha: date | None, *, servicios: bool, now: datetime) -> Negada | None:
    """A date that a person gives must be one that ARCA would take today."""
    concepto = Concepto.SERVICIOS if servicios else Concepto.PRODUCTOS
    if fecha is None or in_window(fecha, now=now, concepto=concepto):
        return None
    hoy = format_fecha(today(now))
    de = "servicios" if servicios else "productos (o no se sabe qué se factura; con servicios son 10)"
    return Negada(
        "FechaFueraDeVentana",
        f"ARCA no tomaría la fecha {format_fecha(fecha)}: para {de} debe estar a {concepto:d} días o menos de hoy, "
        f"{hoy}.",
    )


def requests_of(asiento: Asiento, accion: Accion) -> int:
    """Requests of the plan's quota, at most: a change of date may need a resend after it. Queries are not counted."""
    if is_foreign(asiento):
        return 0
    return 2 if accion is Accion.CAMBIAR_FECHA else 1
