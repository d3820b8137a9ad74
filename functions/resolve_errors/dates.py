"""Which dates a comprobante in error may be given. Pure.

Never before the last comprobante issued of its tipo, nor outside the legal window (`facturacion.ventana`). A date to
come waits in the queue for its day. `vencimiento` may not be before `fecha` (ARCA's 10036).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from facturacion.ventana import Concepto
from tusfacturas.fechas import format_fecha

_NONE: Final = timedelta(0)


@dataclass(frozen=True, slots=True)
class Fechas:
    """Both go in one `cambiar_fecha_encolado`: a fecha that moves alone past its vencimiento ends in 10036."""

    fecha: date
    vencimiento: date


@dataclass(frozen=True, slots=True)
class SinFecha:
    """No date would do: a person must decide. `codigo` is stable, `motivo` plain Spanish."""

    codigo: str
    motivo: str


def new_dates(
    actuales: Fechas, *, tipo: str, hoy: date, ultima: date | None, concepto: Concepto = Concepto.PRODUCTOS
) -> Fechas | SinFecha:
    """The dates to ask for: of its own fecha, `hoy` and `ultima` the latest, and vencimiento as far behind as it was.

    `actuales`: those it has at the provider. `hoy`: `today`. `ultima`: the fecha of the last issued of this `tipo` at
    its punto de venta, None where none is known; scheduled ones are not issued. Never before its own fecha: a date
    that its sender set in the future is kept. Today rather than the earliest date that is legal: others of that tipo
    are issued today meanwhile, and would put it behind again. Today is legal whatever the concepto; only an `ultima`
    in the future, which somebody issued by other means, can leave no date inside the window.

    The same dates may come back (fecha is today's already). They are worth asking for once: what the provider holds
    may differ from what is known here, as after a change on its web.
    """
    fecha = max(actuales.fecha, hoy, ultima or hoy)
    if fecha > actuales.fecha and fecha - hoy > timedelta(days=concepto):
        return SinFecha(
            "SinFechaLegal",
            f"El último {tipo} emitido tiene fecha {format_fecha(fecha)}: ninguna fecha que no sea anterior a esa está "
            f"a {concepto:d} días o menos de hoy, como pide ARCA.",
        )
    try:
        return Fechas(fecha, fecha + max(actuales.vencimiento - actuales.fecha, _NONE))
    except OverflowError:
        return SinFecha(
            "VencimientoFueraDelCalendario",
            f"El vencimiento {format_fecha(actuales.vencimiento)} no se puede correr junto con la fecha.",
        )
