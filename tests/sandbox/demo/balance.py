"""The accounts: what was sent, what the provider really has and what the ledger says, row by row. Pure."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tests.sandbox.demo.script import Expected

Key: TypeAlias = tuple[str, str]
"""cuenta and external_reference."""
Json: TypeAlias = dict[str, Any]


class Fin(StrEnum):
    """How a comprobante ended, as far as the accounts go. EN_REVISION: parked, a person must decide."""

    EMITIDO = "EMITIDO"
    ELIMINADO = "ELIMINADO"
    RECHAZADO_ALLA = "RECHAZADO by them"
    RECHAZADO_AQUI = "RECHAZADO by us"
    EN_REVISION = "EN_REVISION"
    EN_VUELO = "in flight"
    DOS_VECES = "there twice"


@dataclass(frozen=True, slots=True)
class Seen:
    """A comprobante as one of the sources shows it."""

    fin: Fin
    estado: str
    total: Decimal | None = None
    cae: str = ""
    numero: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One comprobante in the three sources. `fault`: in what they disagree, "" where they do not."""

    key: Key
    sent: Expected | None
    provider: Seen | None
    ledger: Seen | None

    @property
    def fault(self) -> str:
        return _fault(self)


_IN_LEDGER = {"EMITIDO": Fin.EMITIDO, "ELIMINADO": Fin.ELIMINADO, "EN_REVISION": Fin.EN_REVISION}
_AT_PROVIDER = {"EMITIDO": Fin.EMITIDO, "ELIMINADO": Fin.ELIMINADO}
_SAME_STATE = {"EN_REVISION": "CON_ERROR", "ERROR": "CON_ERROR", "ENCOLADO": "EN_COLA", "ENVIADO": "EN_COLA"}
"""What the provider calls what the ledger calls so."""


def seen_in_ledger(asientos: Iterable[Json]) -> dict[Key, Seen]:
    """From the ESTADO items, in plain values. What was refused and has no lote was never posted: by us."""
    found = {}
    for item in asientos:
        estado = item["estado"]
        refused = Fin.RECHAZADO_ALLA if "lote_id" in item else Fin.RECHAZADO_AQUI
        fin = refused if estado == "RECHAZADO" else _IN_LEDGER.get(estado, Fin.EN_VUELO)
        total = Decimal(item["total"]) if "total" in item else None
        key = (item["cuenta"], item["external_reference"])
        found[key] = Seen(fin, estado, total, item.get("cae", ""), int(item.get("numero", 0)))
    return found


def seen_at_provider(audit: Json) -> dict[Key, Seen]:
    """From the simulator's audit: everything that ever reached its door. Nothing in its queue of it: refused there."""
    accepted: dict[Key, list[Seen]] = defaultdict(list)
    for item in audit["comprobantes"]:
        fin = _AT_PROVIDER.get(item["estado"], Fin.EN_VUELO)
        issued = {"cae": item["cae"], "numero": item["numero"]} if fin is Fin.EMITIDO else {}
        seen = Seen(fin, item["estado"], Decimal(str(item["total"])), **issued)
        accepted[item["cuenta"], item["external_reference"]].append(seen)
    found = {_key(text): Seen(Fin.RECHAZADO_ALLA, "not taken") for text in audit["posts_by_reference"]}
    for key, items in accepted.items():
        found[key] = items[0] if len(items) == 1 else Seen(Fin.DOS_VECES, f"{len(items)} times")
    return found


def compare(expected: Mapping[Key, Expected], provider: Mapping[Key, Seen], ledger: Mapping[Key, Seen]) -> list[Row]:
    """One row for each reference that any of the three knows."""
    keys = sorted({*expected, *provider, *ledger})
    return [Row(key, expected.get(key), provider.get(key), ledger.get(key)) for key in keys]


def _fault(row: Row) -> str:
    sent, provider, ledger = row.sent, row.provider, row.ledger
    if sent is None:
        return "nobody sent it"
    if ledger is None:
        return "the ledger does not know it"
    if (ledger.fin, ledger.estado) != (sent.fin, sent.estado):
        return f"the ledger says {ledger.estado}, expected {sent.estado} ({sent.fin})"
    if sent.fin is Fin.RECHAZADO_AQUI:
        return "refused by us, and yet it reached the provider" if provider else ""
    if provider is None:
        return "it never reached the provider"
    # What is parked here waits there, in error.
    there = Fin.EN_VUELO if sent.fin is Fin.EN_REVISION else sent.fin
    if provider.fin is not there:
        return f"the provider has it as {provider.estado}, expected {sent.fin}"
    if there is Fin.EN_VUELO and provider.estado != _SAME_STATE[sent.estado]:
        return f"the provider has it as {provider.estado}, the ledger as {ledger.estado}"
    return _difference(sent, provider, ledger) if sent.fin is Fin.EMITIDO else ""


def _difference(sent: Expected, provider: Seen, ledger: Seen) -> str:
    """Of an issued one: the invoice itself must be the same everywhere."""
    if (ledger.cae, ledger.numero) != (provider.cae, provider.numero):
        return f"CAE and number are {ledger.cae}/{ledger.numero}, at the provider {provider.cae}/{provider.numero}"
    if not sent.total == provider.total == ledger.total:
        return f"the totals differ: sent {sent.total}, issued {provider.total}, in the ledger {ledger.total}"
    return ""


def tally(rows: Iterable[Row], source: str, cuenta: str | None = None) -> Counter[Fin]:
    """How many ended how, by one source (`sent`, `provider`, `ledger`), of one cuenta or of all."""
    seen = (getattr(row, source) for row in rows if cuenta in (None, row.key[0]))
    return Counter(one.fin for one in seen if one is not None)


# -- the rejected queue -------------------------------------------------------------------------------------------


def compare_rejected(expected: Mapping[str, str], found: Sequence[Json]) -> list[str]:
    """What differs between the codes expected, by message id, and the messages of the rejected queue."""
    codes: dict[str, list[str]] = defaultdict(list)
    for message in found:
        codes[message["message_id"]].append(message["codigo"])
    faults = []
    for message_id in sorted({*expected, *codes}):
        want, got = expected.get(message_id), codes[message_id]
        if want is None:
            faults.append(f"a message that can be understood is in the rejected queue: {', '.join(got)}")
        elif got != [want]:
            faults.append(f"expected {want} once, found {', '.join(got) or 'nothing'}")
    return faults


# -- the events ---------------------------------------------------------------------------------------------------

FINAL = {
    "EMITIDO": "ComprobanteEmitido",
    "ELIMINADO": "ComprobanteEliminado",
    "RECHAZADO": "ComprobanteRechazado",
    "EN_REVISION": "RevisionRequerida",
    "ERROR": "ComprobanteConError",
    "ENCOLADO": "ComprobanteEncolado",
    "ENVIADO": "ComprobanteEncolado",
}
"""The event that tells where a comprobante stands."""
_ENDS = {"ComprobanteEmitido", "ComprobanteEliminado", "ComprobanteRechazado"}


def last_word(events: Iterable[Json], key: Key, expected: Expected) -> bool:
    """Whether the event that tells this end was heard."""
    return any(_of(event) == key and event["detail-type"] == FINAL[expected.estado] for event in events)


def compare_events(events: Sequence[Json], rows: Iterable[Row]) -> list[str]:
    """What is wrong with the events, given what the comprobantes are. A repeat carries the same `evento_id`."""
    by_key: dict[Key, list[Json]] = defaultdict(list)
    for event in events:
        by_key[_of(event)].append(event)
    faults = _reused_ids(events)
    for row in rows:
        heard = by_key.pop(row.key, [])
        if row.sent is not None:
            faults += [f"{'#'.join(row.key)}: {fault}" for fault in _event_faults(row, heard)]
    return faults + [f"{'#'.join(key)}: events of a comprobante that nobody sent" for key in sorted(by_key)]


def _event_faults(row: Row, heard: Sequence[Json]) -> Iterable[str]:
    sent = row.sent
    if sent is None:
        return
    due = FINAL[sent.estado]
    ids: dict[str, set[str]] = defaultdict(set)
    for event in heard:
        ids[event["detail-type"]].add(event["detail"]["evento_id"])
    if due not in ids:
        yield f"no {due}"
    elif due in _ENDS and len(ids[due]) > 1:
        yield f"{due} under {len(ids[due])} different evento_id"
    allowed = {due} | ({"ComprobanteRechazado"} if sent.corrected else set())
    if wrong := sorted(_ENDS & set(ids) - allowed):
        yield f"{', '.join(wrong)} although it is {sent.estado}"
    refusals = [event["detail"].get("codigo") for event in heard if event["detail-type"] == "ComprobanteRechazado"]
    if sent.codigo and sent.codigo not in refusals:
        yield f"refused for {sent.codigo}, told {', '.join(map(str, refusals)) or 'nothing'}"
    if due == "ComprobanteEmitido" and row.provider:
        for event in heard:
            told = event["detail"]
            if event["detail-type"] == due and (told.get("cae"), told.get("numero"), Decimal(told.get("total", 0))) != (
                row.provider.cae,
                row.provider.numero,
                row.provider.total,
            ):
                yield "ComprobanteEmitido does not tell what was issued"


def _reused_ids(events: Iterable[Json]) -> list[str]:
    """One `evento_id` is one thing that happened."""
    said: dict[str, set[str]] = defaultdict(set)
    for event in events:
        said[event["detail"]["evento_id"]].add(json.dumps([event["detail-type"], *_of(event)]))
    return [
        f"evento_id {name} tells {len(things)} different things" for name, things in said.items() if len(things) > 1
    ]


def _of(event: Json) -> Key:
    return event["detail"]["cuenta"], event["detail"]["external_reference"]


def _key(text: str) -> Key:
    cuenta, _, reference = text.partition("#")
    return cuenta, reference
