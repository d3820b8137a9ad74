"""The daily close of a cuenta: once a night, yesterday, and the earlier days of which something was still open.

Steps, and what a crash right after each leaves:

1. the turn is taken for a while       the next reconciliation after that while takes it
2. what was received on a day, the     nothing: it is read again
   rows of it, and the pages of the
   fecha are compared
3. a difference is noted, not told     it is told only if it is still there at a second look, at least SettleSeconds
                                       later: what moves at that moment looks like one
4. the CIERRE item is written          it is written again, the same
5. the night counts as closed, with    nothing is left
   the difference that stands
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from facturacion.tiempo import ARGENTINA
from reconcile.balance import AT_THE_PROVIDER, NEED_A_MESSAGE, balance, place_of
from tusfacturas.outcomes import Consulta

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from facturacion.asiento import Asiento
    from facturacion.contraster import Contraster
    from facturacion.ledger import Ledger, Pulso, Recibido
    from reconcile.balance import Cierre
    from tusfacturas.client import Cliente
    from tusfacturas.outcomes import Encontrado

PAGE = 1_000
CLOSES_AFTER = timedelta(hours=3)
"""After midnight in Argentina: what was sent last has been quiet by then, and hooks had two of their deliveries."""
DAYS_BACK = 10
"""A day with something open is closed again each night for so long: ARCA takes no older fecha."""
DAYS_SCHEDULED = 60
"""One with something scheduled, for so long; what was received is kept longer than that."""
SEEN_WITHIN = timedelta(hours=2)
"""A message that waits comes at least every half hour, however many there are and whatever it waits for."""
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
    days |= _days_again(pulso.cuenta, day, f.ledger)
    abiertos = _all_open(pulso.cuenta, f.ledger)
    cierres = []
    with c.connect(cuenta) as cliente:
        for fecha in sorted(days):
            if remaining() < TIME_FOR_A_DAY:
                return False
            looked = f.clock()
            cierre = _close_day(pulso.cuenta, fecha, c, hoy=day, abiertos=abiertos, cliente=cliente)
            if cierre is None:
                return False
            cierres.append((cierre, looked))
    if any(cierre.diferencia for cierre, _ in cierres) and not pulso.diferencia_vista:
        f.ledger.difference_seen(pulso.cuenta)
        return False
    for cierre, looked in cierres:
        _record(pulso.cuenta, cierre, looked, c)
    f.ledger.night_closed(pulso.cuenta, day, difference=sum(cierre.diferencia for cierre, _ in cierres))
    return True


def _days_again(cuenta: str, day: date, ledger: Ledger) -> set[date]:
    """Days that were closed before, and not for good: something was open, or differed, or came since."""
    again = set()
    for cerrado in ledger.cierres(cuenta, since=day - timedelta(days=DAYS_SCHEDULED)):
        of = cerrado.columnas
        recent = cerrado.dia >= day - timedelta(days=DAYS_BACK)
        open_yet = of["abiertos"] or of["en_revision"] or of["diferencia"]
        if of["programados"] or (recent and (open_yet or ledger.received_after(cuenta, cerrado.dia, cerrado.mirado))):
            again.add(cerrado.dia)
    return again


def _record(cuenta: str, cierre: Cierre, looked: datetime, c: Contraster) -> None:
    columns = {
        "recibidos": cierre.recibidos,
        **cierre.columnas,
        "importe": str(cierre.importe),
        "conflictos": cierre.conflictos,
        "ajenos": cierre.ajenos,
        "diferencia": cierre.diferencia,
        "motivos": dict(cierre.motivos),
        "ejemplos": list(cierre.ejemplos),
    }
    f = c.finishing
    f.ledger.record_close(cuenta, cierre.dia, columns, looked=looked)
    level = f.logger.error if cierre.diferencia else f.logger.info
    level("cierre", extra={"cuenta": cuenta, "dia": cierre.dia.isoformat(), **columns})


def _all_open(cuenta: str, ledger: Ledger) -> list[Asiento]:
    return [a for a in ledger.get_many(cuenta, list(ledger.open_references(cuenta))) if a.abierto]


def _close_day(
    cuenta: str, dia: date, c: Contraster, *, hoy: date, abiertos: Sequence[Asiento], cliente: Cliente
) -> Cierre | None:
    """None when the provider does not answer."""
    ledger = c.finishing.ledger
    received = ledger.received(cuenta, dia)
    shown: list[Encontrado] = []
    pagina = 0
    while True:
        answer = cliente.consulta_por_fecha(dia, pagina=pagina, limite=PAGE)
        if not isinstance(answer, Consulta):
            return None
        shown += answer.comprobantes
        pagina += 1
        if not answer.comprobantes or pagina * PAGE >= answer.total:
            break
    on_pages = {e.external_reference for e in shown if e.external_reference}
    known = {a.external_reference: a for a in abiertos if a.datos.fecha == dia}
    references = on_pages | {r.external_reference for r in received}
    known |= {a.external_reference: a for a in ledger.get_many(cuenta, sorted(references))}
    unseen = [a for a in known.values() if a.external_reference not in on_pages and a.datos.fecha == dia]
    missing = [a for a in unseen if _should_be_there(a, c)]
    absent = {a.external_reference for a in missing[ASKED_MAX:]}
    for asiento in missing[:ASKED_MAX]:
        asked = cliente.consulta_por_referencia(asiento.external_reference)
        if not isinstance(asked, Consulta):
            return None
        if not asked.con_referencia(asiento.external_reference):
            absent.add(asiento.external_reference)
    waiting = _waiting(cuenta, dia, received, known, c)
    return balance(dia, received, known, shown, hoy=hoy, waiting=waiting, absent=absent)


def _waiting(
    cuenta: str, dia: date, received: Sequence[Recibido], known: Mapping[str, Asiento], c: Contraster
) -> set[str]:
    """References of which a message was on the queue lately: it waits there, at a closed door or for another one.

    What the dead-letter queue gave back came again as of the day of its return.
    """
    ledger, now = c.finishing.ledger, c.finishing.clock()
    lately = now - SEEN_WITHIN
    waiting = {r.external_reference for r in received if r.visto >= lately}
    sought = {
        r.external_reference
        for r in received
        if place_of(r, known.get(r.external_reference), hoy=dia, waits=False) in NEED_A_MESSAGE
    }
    later = dia
    while sought - waiting and later < now.astimezone(ARGENTINA).date():
        later += timedelta(days=1)
        waiting |= {r.external_reference for r in ledger.received(cuenta, later) if r.visto >= lately}
    return waiting


def _should_be_there(asiento: Asiento, c: Contraster) -> bool:
    """The ledger says that the provider has it, and not only since a moment ago."""
    since = asiento.quieto_desde
    quiet = since is not None and c.finishing.clock() >= since + c.environment.quiet
    return asiento.estado in AT_THE_PROVIDER and quiet
