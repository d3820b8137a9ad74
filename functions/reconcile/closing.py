"""The daily close of a cuenta: once a night, yesterday, and the earlier days of which something was still open.

Steps, and what a crash right after each leaves:

1. the turn is taken for a while       the next reconciliation after that while takes it
2. the pages of a fecha are compared   nothing: they are read again
3. a difference is noted, not told     it is told only if it is still there at a second look, at least SettleSeconds
                                       later: what moves at that moment looks like one
4. the CIERRE item is written          it is written again, the same
5. the night counts as closed          nothing is left
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from facturacion.tiempo import ARGENTINA
from reconcile.balance import AT_THE_PROVIDER, balance
from tusfacturas.outcomes import Consulta

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from facturacion.asiento import Asiento
    from facturacion.contraster import Contraster
    from facturacion.ledger import Ledger, Pulso
    from reconcile.balance import Cierre
    from tusfacturas.client import Cliente
    from tusfacturas.outcomes import Encontrado

PAGE = 1_000
CLOSES_AFTER = timedelta(hours=3)
"""After midnight in Argentina: what was sent last has been quiet by then, and hooks had two of their deliveries."""
DAYS_BACK = 10
"""A day with something open is closed again each night for so long: ARCA takes no older fecha."""
TIME_FOR_A_DAY = timedelta(seconds=60)
ASKED_MAX = 50
"""Of those that no page shows; more than that says enough."""


def day_to_close(now: datetime) -> date:
    """The last Argentine day that is over, and whose night has come far enough."""
    return (now.astimezone(ARGENTINA) - CLOSES_AFTER).date() - timedelta(days=1)


def close(pulso: Pulso, c: Contraster, *, remaining: Callable[[], timedelta]) -> bool:
    """Whether the night of this cuenta is closed now; False when it was not due, or is to be looked at again."""
    f = c.finishing
    now = f.clock()
    day = day_to_close(now)
    if pulso.cierre is None:
        # A cuenta that was first seen today: it has no yesterday.
        f.ledger.night_closed(pulso.cuenta, day)
        return False
    if pulso.cierre >= day or pulso.sin_reconstruir:
        return False
    until = now + max(c.environment.due, c.environment.settle)
    cuenta = c.cuentas.get(pulso.cuenta)
    if cuenta is None or not f.ledger.take_night(pulso.cuenta, day, until=until):
        return False
    first = max(pulso.cierre + timedelta(days=1), day - timedelta(days=DAYS_BACK))
    days = {first + timedelta(days=n) for n in range((day - first).days + 1)}
    days |= f.ledger.days_with_something_open(pulso.cuenta, since=day - timedelta(days=DAYS_BACK))
    abiertos = _all_open(pulso.cuenta, f.ledger)
    cierres = []
    with c.connect(cuenta) as cliente:
        for fecha in sorted(days):
            if remaining() < TIME_FOR_A_DAY:
                return False
            cierre = _close_day(pulso.cuenta, fecha, abiertos, cliente, c)
            if cierre is None:
                return False
            cierres.append(cierre)
    if any(cierre.diferencia for cierre in cierres) and not pulso.diferencia_vista:
        f.ledger.difference_seen(pulso.cuenta)
        return False
    for cierre in cierres:
        _record(pulso.cuenta, cierre, c)
    f.ledger.night_closed(pulso.cuenta, day)
    return True


def _record(cuenta: str, cierre: Cierre, c: Contraster) -> None:
    columns = {
        "recibidos": cierre.recibidos,
        "emitidos": cierre.emitidos,
        "importe": str(cierre.importe),
        "abiertos": cierre.abiertos,
        "en_revision": cierre.en_revision,
        "programados": cierre.programados,
        "ajenos": cierre.ajenos,
        "diferencia": cierre.diferencia,
        "motivos": dict(cierre.motivos),
        "ejemplos": list(cierre.ejemplos),
    }
    f = c.finishing
    f.ledger.record_close(cuenta, cierre.fecha, columns)
    level = f.logger.error if cierre.diferencia else f.logger.info
    level("cierre", extra={"cuenta": cuenta, "fecha": cierre.fecha.isoformat(), **columns})
    f.count("DiferenciaCierre", cierre.diferencia)


def _all_open(cuenta: str, ledger: Ledger) -> list[Asiento]:
    return [a for a in ledger.get_many(cuenta, list(ledger.open_references(cuenta))) if a.abierto]


def _close_day(cuenta: str, fecha: date, abiertos: Sequence[Asiento], cliente: Cliente, c: Contraster) -> Cierre | None:
    """None when the provider does not answer."""
    ledger = c.finishing.ledger
    shown: list[Encontrado] = []
    pagina = 0
    while True:
        answer = cliente.consulta_por_fecha(fecha, pagina=pagina, limite=PAGE)
        if not isinstance(answer, Consulta):
            return None
        shown += answer.comprobantes
        pagina += 1
        if not answer.comprobantes or pagina * PAGE >= answer.total:
            break
    on_pages = dict.fromkeys(e.external_reference for e in shown if e.external_reference)
    known = {a.external_reference: a for a in abiertos if a.datos.fecha == fecha}
    known |= {a.external_reference: a for a in ledger.get_many(cuenta, list(on_pages))}
    missing = [a for a in known.values() if a.external_reference not in on_pages and _should_be_there(a, c)]
    absent = {a.external_reference for a in missing[ASKED_MAX:]}
    for asiento in missing[:ASKED_MAX]:
        asked = cliente.consulta_por_referencia(asiento.external_reference)
        if not isinstance(asked, Consulta):
            return None
        if not asked.con_referencia(asiento.external_reference):
            absent.add(asiento.external_reference)
    scheduled = sum(a.datos.fecha is not None and a.datos.fecha > fecha for a in abiertos)
    return balance(fecha, shown, known, absent=absent, scheduled=scheduled)


def _should_be_there(asiento: Asiento, c: Contraster) -> bool:
    """The ledger says that the provider has it, and not only since a moment ago."""
    since = asiento.quieto_desde
    quiet = since is not None and c.finishing.clock() >= since + c.environment.quiet
    return asiento.estado in AT_THE_PROVIDER and quiet
