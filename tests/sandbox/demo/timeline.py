"""The life of one comprobante in plain words: what the sender, the provider, the functions and the ledger say of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from tests.sandbox.demo.balance import Fin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tests.sandbox.demo.balance import Json, Key, Row
    from tests.sandbox.demo.stage import Sent


class Moment(NamedTuple):
    """`who` says it: the sender, TusFacturas, a function's log, an item of the ledger, or the bus."""

    at: datetime
    who: str
    text: str


FOUND = "TusFacturas lo tiene"
"""What `pack_lotes` notes of an ask that found it."""


def most_troubled(rows: Iterable[Row], audit: Json, logs: Iterable[Json]) -> Key:
    """An issued one whose POST was answered by a 524 though it was taken, if possible found by asking, with the most
    hooks.
    """
    found = {(line["cuenta"], line["external_reference"]) for line in logs if line.get("motivo") == FOUND}
    hooks: dict[Key, int] = {}
    for hook in audit["hooks"]:
        key = (hook["cuenta"], hook["external_reference"])
        hooks[key] = hooks.get(key, 0) + hook["entregas"] + (hook["estado"] == "perdido")

    def trouble(row: Row) -> tuple[int, bool, int]:
        posts = audit["posts_by_reference"].get("#".join(row.key), [])
        taken = sum(post["desenlace"] == "524_accepted" for post in posts)
        return taken, row.key in found, hooks.get(row.key, 0)

    issued = [row for row in rows if row.ledger and row.ledger.fin is Fin.EMITIDO]
    return max(issued, key=trouble).key


def timeline(
    key: Key, *, sent: Iterable[Sent], audit: Json, items: Iterable[Json], logs: Iterable[Json], events: Iterable[Json]
) -> list[Moment]:
    """Every item under its pk, and what led to it, in order."""
    moments = [
        *_sendings(key, sent),
        *_posts(key, audit),
        *_items([item for item in items if item["pk"] == "#".join(key)]),
        *_logged(line for line in logs if (line.get("cuenta"), line.get("external_reference")) == key),
        *_told(key, events),
    ]
    return sorted(moments, key=lambda moment: moment.at)


def _sendings(key: Key, sent: Iterable[Sent]) -> Iterator[Moment]:
    for one in sent:
        if (one.envio.cuenta, one.envio.reference) == key:
            yield Moment(one.at, "sender", f"puts a message on the queue ({one.envio.role.value.removesuffix('s')})")


_OUTCOMES = {
    "ok": "answers",
    "524_accepted": "answers 524, and goes on with it behind our back",
    "524_dropped": "answers 524, and has dropped it",
    "reset_accepted": "resets the connection, and goes on with it behind our back",
    "hook_first": "sends the hooks first, then answers",
}


def _posts(key: Key, audit: Json) -> Iterator[Moment]:
    posts = {post["id"]: post for post in audit["posts"]}
    for carried in audit["posts_by_reference"].get("#".join(key), []):
        post = posts[carried["post"]]
        text = f"gets POST {post['id']}, a lote of {post['size']}, and {_OUTCOMES[post['desenlace']]}"
        yield Moment(_instant(post["momento"]), "TusFacturas", text)


def _items(items: Sequence[Json]) -> Iterator[Moment]:
    """The ESTADO item is what all of it came to, so it stands at its last change."""
    before: set[tuple[str, str]] = set()
    for item in sorted(items, key=lambda item: str(item.get("recibido", ""))):
        if item["sk"] != "ESTADO":
            what = (item["evento"], item["creado"])
            again = ", again under a new id" if what in before else ""
            before.add(what)
            text = f"stored: hook «{item['evento']}» of {item['creado']}{again}"
            yield Moment(_instant(item["recibido"]), _short(item["sk"]), text)
            continue
        issued = f", CAE {item['cae']}, number {item['numero']}" if "cae" in item else ""
        pdf = f", PDF {item['pdf']}" if "pdf" in item else ""
        text = f"now {item['estado']}{issued}{pdf}; version {item['version']}"
        yield Moment(_instant(item["actualizado"]), "ESTADO", text)


def _short(sk: str) -> str:
    return sk if len(sk) <= 12 else f"{sk[:11]}…"


def _logged(lines: Iterable[Json]) -> Iterator[Moment]:
    for line in lines:
        if text := _in_words(line):
            at = datetime.strptime(line["timestamp"], "%Y-%m-%d %H:%M:%S,%f%z")
            yield Moment(at, line["service"], text)


def _in_words(line: Json) -> str:
    """One line of a function's log; "" for those that an item or an event tells as well."""
    match line["message"]:
        case "resultado" if line["codigo"] == "Aceptado":
            return "records that it was taken: ENVIADO"
        case "resultado":
            return f"knows nothing for certain ({line['codigo']}: {line['detalle']})"
        case "ya_reclamado":
            return f"meets its message again; it is {line['estado']}: {_CASES.get(line['caso'], line['caso'])}"
        case "consultado":
            said = line["motivo"] or "TusFacturas does not answer"
            return f"asks TusFacturas: «{said}»; now {line['estado']}"
        case "hook_aplicado":
            return f"folds the hook «{line['evento']}»: {line['estado']}"
        case "corregido":
            return f"no hook told: {line['de']} becomes {line['a']}"
        case "emitido":
            return f"fetches CAE {line['cae']} and number {line['numero']}"
        case "hook" if line["guardado"] != "nuevo":
            return f"a hook «{line['evento']}» comes again: {line['guardado']}, nothing more is stored"
        case _:
            return ""


_CASES = {
    "CONOCIDO": "its event again, and the message is done with",
    "PREGUNTAR": "to be asked about",
    "RECLAMAR": "claims it again",
    "DEJAR": "leaves it alone",
    "CONFLICTO": "another content, to the rejected queue",
    "RECHAZO_REPETIDO": "the same refused content, its event again",
}


def _told(key: Key, events: Iterable[Json]) -> Iterator[Moment]:
    for event in events:
        detail = event["detail"]
        if (detail["cuenta"], detail["external_reference"]) == key:
            yield Moment(_instant(event["time"]), "bus", f"{event['detail-type']} ({detail['evento_id'][:8]}…)")


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
