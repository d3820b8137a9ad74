"""After a restore the ledger has forgotten: what the provider has is written into it again (`reconstruir`).

Steps for a cuenta, and what a crash right after each leaves:

1. a date page is read                  nothing: it is read again
2. each comprobante on it is written    on the condition that the ledger does not know it, or knows it as it was read;
                                        those that are there are left alone by the next try
3. how far it is, on the cuenta         the next invocation goes on from there
4. the cuenta counts as rebuilt         its messages leave again. The contrast fetches the CAEs and tells

It begins a quiet period after the restored table was first seen: a POST that left before may show until then. What it
cannot find: a comprobante dated outside `desde` - 10 days … `hasta`; one that was deleted or refused since the backup
(its message, if it came again, would be sent again); what is in the provider's line without a reference.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from facturacion.asiento import CAUSA_DESCONOCIDA, Refused
from facturacion.asking import Revisar, read_present
from facturacion.cuentas import CuentaMalConfigurada
from facturacion.estado import Estado
from facturacion.ledger import Mostrado
from facturacion.tiempo import ARGENTINA, to_iso
from tusfacturas.outcomes import Consulta

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from facturacion.asiento import Asiento
    from facturacion.contraster import Contraster
    from facturacion.cuentas import Cuenta
    from tusfacturas.client import Cliente
    from tusfacturas.outcomes import Encontrado

PAGE = 1_000
DAYS_BEFORE = 10
"""A comprobante may be dated so long before it is sent (ARCA's window for services)."""
DAYS_AHEAD = 31
"""How far ahead one may be scheduled is documented nowhere; an empty day costs one query."""
LONGEST_INVOCATION = timedelta(minutes=15)
"""Lambda's: one that still has the old table may POST for so long after the restored one was first seen."""
TIME_FOR_A_DAY = timedelta(seconds=60)
TIME_FOR_A_PAGE = timedelta(seconds=40)
TIME_TO_WRITE = timedelta(seconds=5)
_REFERENCE = re.compile(r"[A-Za-z0-9_-]{1,255}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Pedido:
    """What is asked for. `cuenta`: None for all that the ledger knows."""

    desde: date
    hasta: date
    cuenta: str | None

    @staticmethod
    def read(event: Mapping[str, Any], today: date) -> Pedido:
        """ValueError where it cannot be understood."""
        desde = date.fromisoformat(event["desde"])
        hasta = date.fromisoformat(event["hasta"]) if event.get("hasta") else today + timedelta(days=DAYS_AHEAD)
        if not desde <= today <= hasta:
            raise ValueError("desde is not before today, or hasta not after it")
        return Pedido(desde, hasta, event.get("cuenta"))


def rebuild(
    event: Mapping[str, Any], c: Contraster, *, remaining: Callable[[], timedelta], new_id: Callable[[], str]
) -> dict[str, Any]:
    """As much as the time allows; `completa` says whether that was all. Asked again, it goes on."""
    f = c.finishing
    now = f.clock()
    try:
        pedido = Pedido.read(event, now.astimezone(ARGENTINA).date())
    except (KeyError, TypeError, ValueError):
        return {"completa": False, "codigo": "PedidoInvalido", "mensaje": "Se espera desde (aaaa-mm-dd) y cuenta."}
    pulses = f.ledger.pulses()
    went = {p.cuenta for p in pulses if p.retirada}
    aliases = [pedido.cuenta] if pedido.cuenta else [p.cuenta for p in pulses]
    done: dict[str, dict[str, Any]] = {}
    for alias in aliases:
        if alias in went:
            # It sends nothing, and whoever brings it back has it rebuilt then.
            done[alias] = {"completa": not pedido.cuenta, "codigo": "DadaDeBaja"}
            continue
        try:
            cuenta = c.cuentas.get(alias)
        except (ClientError, BotoCoreError, CuentaMalConfigurada) as error:
            f.logger.exception("sin_reconstruir", extra={"cuenta": alias, "codigo": type(error).__name__})
            done[alias] = {"completa": False, "codigo": "SecretoIlegible"}
            continue
        if cuenta is None:
            done[alias] = {"completa": False, "codigo": "CuentaDesconocida"}
        elif remaining() < TIME_FOR_A_DAY:
            done[alias] = {"completa": False, "codigo": "SinTiempo"}
        else:
            done[alias] = _rebuild_one(cuenta, pedido, c, remaining, new_id)
            f.logger.warning("reconstruida", extra={"cuenta": alias, **done[alias]})
    return {"completa": bool(done) and all(d["completa"] for d in done.values()), "cuentas": done}


def _rebuild_one(
    cuenta: Cuenta, pedido: Pedido, c: Contraster, remaining: Callable[[], timedelta], new_id: Callable[[], str]
) -> dict[str, Any]:
    ledger = c.finishing.ledger
    puerta = ledger.puerta(cuenta.alias)
    restaurada = ledger.restaurada()
    if restaurada and puerta.sin_reconstruir:
        shown_by = restaurada.desde + c.environment.quiet + LONGEST_INVOCATION
        if c.finishing.clock() < shown_by:
            return {"completa": False, "codigo": "EsperarSilencio", "hasta": to_iso(shown_by)}
    what = f"{restaurada.identidad if restaurada else ''}|{pedido.desde}|{pedido.hasta}"
    noted = ledger.rebuilding(cuenta.alias) or ""
    first = pedido.desde - timedelta(days=DAYS_BEFORE)
    fecha = date.fromisoformat(noted.rpartition("|")[2]) if noted.startswith(f"{what}|") else first
    read = written = 0
    with c.connect(cuenta) as cliente:
        while fecha <= pedido.hasta:
            shown = _day(cliente, fecha, remaining) if remaining() >= TIME_FOR_A_DAY else "SinTiempo"
            if isinstance(shown, str):
                return {"completa": False, "codigo": shown, "sigue": str(fecha), "leidos": read, "escritos": written}
            read += len(shown)
            wrote, whole = _write(cuenta.alias, shown, c, restored=restaurada is not None, ids=(remaining, new_id))
            written += wrote
            if not whole:
                return {
                    "completa": False,
                    "codigo": "SinTiempo",
                    "sigue": str(fecha),
                    "leidos": read,
                    "escritos": written,
                }
            fecha += timedelta(days=1)
            ledger.mark_rebuilding(cuenta.alias, f"{what}|{fecha}")
    ledger.mark_rebuilt(cuenta.alias, restaurada.identidad if restaurada else "")
    ledger.owe_contrast(cuenta.alias)
    return {"completa": True, "leidos": read, "escritos": written}


def _day(cliente: Cliente, fecha: date, remaining: Callable[[], timedelta]) -> dict[str, list[Encontrado]] | str:
    """What the provider shows of a fecha, oldest first; a code where that could not be had.

    Pages move when something goes while they are read, and one might be skipped: then they are read again.
    """
    while True:
        shown: list[Encontrado] = []
        totals = set()
        pagina = 0
        while True:
            if remaining() < TIME_FOR_A_PAGE:
                return "SinTiempo"
            answer = cliente.consulta_por_fecha(fecha, pagina=pagina, limite=PAGE)
            if not isinstance(answer, Consulta):
                return answer.codigo
            shown += answer.comprobantes
            totals.add(answer.total)
            pagina += 1
            if not answer.comprobantes or pagina * PAGE >= answer.total:
                break
        if len(totals) == 1:
            return by_reference(reversed(shown))


def by_reference(shown: Any) -> dict[str, list[Encontrado]]:
    """Without what has no reference that could be ours."""
    found: dict[str, list[Encontrado]] = {}
    for encontrado in shown:
        if _REFERENCE.fullmatch(encontrado.external_reference):
            found.setdefault(encontrado.external_reference, []).append(encontrado)
    return found


def _write(
    cuenta: str,
    shown: Mapping[str, Sequence[Encontrado]],
    c: Contraster,
    *,
    restored: bool,
    ids: tuple[Callable[[], timedelta], Callable[[], str]],
) -> tuple[int, bool]:
    """How many were written, and whether that was all. One that moves while it is looked at is somebody's."""
    remaining, new_id = ids
    ledger = c.finishing.ledger
    stored = {a.external_reference: a for a in ledger.get_many(cuenta, list(shown))}
    lote_id = new_id()
    written = 0
    for n, (reference, encontrados) in enumerate(shown.items()):
        mostrado = to_write(stored.get(reference), encontrados, restored=restored)
        if mostrado is None:
            continue
        if remaining() < TIME_TO_WRITE:
            return written, False
        known = stored.get(reference)
        if known is None:
            after = ledger.remember(cuenta, reference, mostrado, lote_id, n)
        else:
            after = ledger.correct(known, mostrado, lote_id)
        if not isinstance(after, Refused):
            written += 1
            fields = {"cuenta": cuenta, "external_reference": reference, "a": after.estado}
            c.finishing.logger.info("reconstruido", extra={**fields, "de": known.estado if known else None})
    return written, True


def to_write(stored: Asiento | None, encontrados: Sequence[Encontrado], *, restored: bool) -> Mostrado | None:
    """What the ledger should say of it; None where it says enough.

    PENDIENTE and RECHAZADO are the states from which a message is posted. What is open in another state is the
    contrast's, which finds by itself what became of it.

    In a table that was not restored a refused one that is there is no older state, and stays for a person to see.
    """
    hallado = read_present(encontrados)
    causas = (hallado.causa,) if isinstance(hallado, Revisar) else ()
    estado = Estado.EN_REVISION if isinstance(hallado, Revisar) else hallado.estado
    if estado is Estado.ERROR:
        causas = (CAUSA_DESCONOCIDA,)
    one = encontrados[0]
    mostrado = Mostrado(estado, causas, one.tipo or None, one.fecha, one.total)
    if stored is None:
        return mostrado
    foreign = stored.estado is Estado.EN_REVISION and not stored.datos.hash and not stored.reconstruido
    forgotten = stored.estado is Estado.PENDIENTE or (restored and stored.estado is Estado.RECHAZADO)
    issued = estado is Estado.EMITIDO and restored and stored.estado is Estado.ELIMINADO
    return mostrado if forgotten or issued or (restored and foreign) else None
