"""How things stand, once a minute and over all cuentas: the measures that the alarms watch, and who is the worst."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from facturacion.metricas import Metrica
from facturacion.ventana import Concepto, today

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from aws_lambda_powertools import Logger

    from facturacion.ledger import Pulso
    from facturacion.observability import Medidor

_TOGETHER = {
    Metrica.ABIERTOS,
    Metrica.EN_ERROR,
    Metrica.EN_REVISION,
    Metrica.EMITIDOS_HOY,
    Metrica.IMPORTE_HOY,
    Metrica.SIN_RECONSTRUIR,
    Metrica.DIFERENCIA_CIERRE,
}
"""Added up over the cuentas, and nothing where there is none."""
_AT_MOST = {Metrica.EDAD_ABIERTO, Metrica.EDAD_REVISION, Metrica.INCIERTO_VENCIDO, Metrica.SILENCIO}
"""The greatest is the worst, and 0 where there is nothing of the kind. Of the others the least is."""
_WHOLE_WINDOW = timedelta(days=Concepto.SERVICIOS).total_seconds()
"""ARCA's widest: nothing is about to leave it. Said and not left out, for an alarm ends only by what it is told."""
_WENT = {Metrica.SILENCIO: 0.0, Metrica.VENTANA_LEGAL: _WHOLE_WINDOW, Metrica.CUPO_RESTANTE: 100.0}
"""What a cuenta that was retired has to say, so that the alarms about it end."""


def standing_of(pulso: Pulso, quiet: timedelta, now: datetime) -> Iterator[tuple[Metrica, float]]:
    """The measures of one cuenta. What there is nothing to say of is left out."""
    if pulso.retirada:
        yield from _WENT.items()
        return
    f = pulso.figuras
    yield Metrica.ABIERTOS, f.abiertos
    yield Metrica.EN_ERROR, f.en_error
    yield Metrica.EN_REVISION, f.en_revision
    yield Metrica.SIN_RECONSTRUIR, pulso.sin_reconstruir
    yield Metrica.DIFERENCIA_CIERRE, pulso.difiere
    yield Metrica.EDAD_ABIERTO, _since(f.viejo, now)
    yield Metrica.EDAD_REVISION, _since(f.revision, now)
    yield Metrica.INCIERTO_VENCIDO, _since(f.incierto and f.incierto + quiet, now)
    yield Metrica.SILENCIO, _silence(pulso, now)
    left = max((f.ventana - now).total_seconds(), 0.0) if f.ventana else _WHOLE_WINDOW
    yield Metrica.VENTANA_LEGAL, min(left, _WHOLE_WINDOW)
    its_day = pulso.hoy if pulso.hoy and pulso.hoy.dia == today(now) else None
    yield Metrica.EMITIDOS_HOY, its_day.emitidos if its_day else 0
    yield Metrica.IMPORTE_HOY, float(its_day.importe if its_day else Decimal(0))
    if pulso.cupo:
        yield Metrica.CUPO_DISPONIBLE, pulso.cupo.disponibles
        yield Metrica.CUPO_RESTANTE, pulso.cupo.restante
        if pulso.cupo.alcanza is not None:
            yield Metrica.CUPO_ALCANZA, pulso.cupo.alcanza.total_seconds()


def tell_standing(pulses: Sequence[Pulso], quiet: timedelta, medidor: Medidor, logger: Logger, now: datetime) -> None:
    """Measures, and a line of the log that names the cuenta of each that is one cuenta's."""
    found: dict[Metrica, list[tuple[float, str]]] = defaultdict(list)
    for metrica in (*_TOGETHER, *_AT_MOST):
        found[metrica] = []
    found[Metrica.VENTANA_LEGAL] = [(_WHOLE_WINDOW, "")]
    for pulso in pulses:
        for metrica, valor in standing_of(pulso, quiet, now):
            found[metrica].append((valor, pulso.cuenta))
            medidor.measure_cuenta(metrica, valor, pulso.cuenta)
    worst: dict[str, dict[str, object]] = {}
    for metrica, values in found.items():
        if metrica in _TOGETHER:
            medidor.measure(metrica, sum(valor for valor, _ in values))
            continue
        valor, cuenta = max(values, default=(0.0, "")) if metrica in _AT_MOST else min(values)
        medidor.measure(metrica, valor)
        if cuenta and valor != _WENT.get(metrica) and (valor or metrica not in _AT_MOST):
            worst[metrica.nombre] = {"cuenta": cuenta, "valor": round(valor)}
    logger.info("situacion", extra={"peores": worst})


def _since(instant: datetime | None, now: datetime) -> float:
    return max((now - instant).total_seconds(), 0.0) if instant else 0.0


def _silence(pulso: Pulso, now: datetime) -> float:
    """A hook that came after it was said that none does ends it."""
    told = pulso.oido and pulso.callado and pulso.oido >= pulso.callado
    return 0.0 if told else _since(pulso.callado, now)
