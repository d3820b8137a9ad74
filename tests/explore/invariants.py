"""What must hold, at every step and at the end. The truth is the provider's own queue and the senders' own messages."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from facturacion.asiento import asiento_from_item
from facturacion.estado import Estado, Hook, fold
from facturacion.ledger import Recibido
from facturacion.tiempo import from_iso
from reconcile.balance import COLUMNS, place_of
from tests.explore import instrument, pausing, resolving
from tests.explore.scenarios import PLANTED, secrets
from tests.sandbox.simulator.cola import CON_ERROR, ELIMINADO, EMITIDO, EN_COLA

if TYPE_CHECKING:
    from tests.explore.queues import Message
    from tests.explore.scenarios import Send
    from tests.explore.world import World, Write

KNOWN = {"ENVIADO", "ENCOLADO", "EMITIDO", "ERROR", "RECHAZADO", "ELIMINADO"}
FINAL_EVENT = {
    "EMITIDO": "ComprobanteEmitido",
    "RECHAZADO": "ComprobanteRechazado",
    "ELIMINADO": "ComprobanteEliminado",
    "ERROR": "ComprobanteConError",
    "EN_REVISION": "RevisionRequerida",
}
ALLOWED = {
    EMITIDO: {"EMITIDO"},
    EN_COLA: {"ENVIADO", "ENCOLADO"},
    CON_ERROR: set(),
    ELIMINADO: {"ELIMINADO"},
}
"""What the ledger may say at the end, by what the provider has."""

FOLLOWED_WITHIN = timedelta(minutes=10)
"""When the stream has certainly brought a hook to the ledger, where nothing is down."""
TURNS = "3"
"""How often a message comes back from the dead-letter queue."""
LEFT_AFTER = timedelta(minutes=20)
"""By then the reconciliation has seen what is dead, and has left it there."""

HELD = "sent while paused"
TWICE, HASTY, UNCLAIMED, LOST_ACK = "issued twice", "sent in haste", "sent without a claim", "acked while unknown"
WRONG, STUCK, UNTOLD, FALSE_NEWS = "disagrees with the provider", "stuck", "final state untold", "false event"
SWALLOWED, UNWOKEN = "an error swallowed", "a wake-up lost"
DOOR, RESENT = "the door was closed", "refused content sent again"
BALANCE, LEAK, REPLAY, UNEXPECTED = "accounts do not balance", "secret shown", "replay differs", "unexpected exception"


@dataclass(frozen=True)
class Violation:
    """`name` is the invariant, `pk` the comprobante."""

    name: str
    pk: str
    text: str

    def __str__(self) -> str:
        return f"{self.name}: {self.pk}: {self.text}"


def _violated(world: World, name: str, pk: str, text: str) -> None:
    world.violations.append(Violation(name, pk, text))


def _items(world: World, pk: str) -> list[Any]:
    alias, _, reference = pk.partition("#")
    return world.proveedor.cola.named(alias, reference)


def _refused(world: World, pk: str, content: str) -> bool:
    """Whether this content was certainly refused: by its own fate, or by a provider that refused the lote unread."""
    alias, _, reference = pk.partition("#")
    fated = any(s.pk == pk and s.hash == content and s.fate in {"refused", "invalid"} for s in world.sent)
    whole = any(
        reference in post.referencias and post.cuenta == alias and post.desenlace == "unreadable_refusal"
        for post in world.proveedor.posts
    )
    return fated or whole or _bad_replacement(world, pk, content) or _dropped_by_a_person(world, pk, content)


def _dropped_by_a_person(world: World, pk: str, content: str) -> bool:
    """A person decided that what the provider never had is to go: it never entered, which is what RECHAZADO says."""
    decided = any(w.op == "decide" and w.after.get("hash") == content for w in world.writes[pk])
    return decided and not _items(world, pk)


def _bad_replacement(world: World, pk: str, content: str) -> bool:
    return any(s.pk == pk and s.hash == content and s.reemplaza for s in world.sent)


# -- at every step -------------------------------------------------------------------------------------------------


def on_post(world: World, alias: str, references: list[str]) -> None:
    """At the provider's door, before anything is read."""
    if len(set(references)) != len(references) or len(references) > 100:
        _violated(world, TWICE, alias, "a lote with a repeated reference, or with more than 100")
    _not_held(world, alias, alias, "a lote leaves")
    assert world.running is not None
    shut = instrument.peek("CUENTAS", alias).get("incierta")
    if shut and world.closed[alias] < world.running.started:
        _violated(world, DOOR, f"{alias}#{shut}", "a lote leaves while the door is closed by an uncertain outcome")
    for reference in references:
        pk = f"{alias}#{reference}"
        row = instrument.peek(pk)
        if row.get("estado") != "ENVIANDO":
            _violated(world, UNCLAIMED, pk, f"a POST while the ledger says {row.get('estado', 'nothing')}")
        elif world.now > from_iso(row["post_hasta"]):
            _violated(world, HASTY, pk, f"a POST at {world.now:%H:%M:%S}, after its post_hasta {row['post_hasta']}")
        if _lives(world, pk) and (not world.scenario.foreign or _heard_before(world, pk)):
            _violated(world, TWICE, pk, "a POST of what the provider already has")
        if any(row.get("hash") in w.after.get("rechazados", ()) for w in world.writes[pk]):
            _violated(world, RESENT, pk, "this very content was refused before")
        _not_in_haste(world, pk)


def on_operation(world: World, alias: str, method: str, reference: str) -> None:
    _not_held(world, alias, f"{alias}#{reference}", method)
    for name, pk, text in resolving.on_operation(world, alias, method, reference):
        _violated(world, name, pk, text)


def _not_held(world: World, alias: str, pk: str, what: str) -> None:
    """Whoever was at work when the pause began may end what it does."""
    assert world.running is not None
    since = pausing.held_since(world, alias)
    if since and since < world.running.started:
        _violated(world, HELD, pk, f"{what}, and the cuenta is paused since {since:%H:%M:%S}")


def _heard_before(world: World, pk: str) -> bool:
    """A hook of what another system did was stored before this invocation began."""
    assert world.running is not None
    begun = world.running.started
    return any(row["sk"].startswith("HOOK#") and from_iso(row["recibido"]) < begun for row in instrument.of(pk))


def _not_in_haste(world: World, pk: str) -> None:
    """An uncertain POST is repeated after two absent answers, asked after the quiet period and `settle` apart: whenever
    between the question and its answer the provider looked.
    """
    assert world.running is not None
    for post in world.posts[pk]:
        if post.clear and (post.by == world.running.number or _recorded(world, pk, post.at, post.by)):
            continue
        late = [(asked, told) for asked, told in world.absences[pk] if asked >= post.at + world.quiet]
        first, last = min((told for _, told in late), default=world.now), max((a for a, _ in late), default=world.now)
        if last - first < world.settle:
            text = f"a POST of {post.at:%H:%M:%S} is uncertain, and was repeated after {len(late)} late absent answers"
            _violated(world, HASTY, pk, text)


def _recorded(world: World, pk: str, since: Any, by: int) -> bool:
    return any(
        w.by == by and w.at >= since and w.after["estado"] in {"PENDIENTE", "RECHAZADO"} for w in world.writes[pk]
    )


def on_delete(world: World, message: Message, send: Send) -> None:
    """A message leaves the queue for good: its effect must be certain, in truth and in the ledger."""
    if send.fate == "junk" or _was_rejected(world, send):
        if not _was_rejected(world, send):
            _violated(world, LOST_ACK, send.pk, f"{message.id} left, and the rejected queue does not have it")
        return
    row = instrument.peek(send.pk)
    if send.hash in row.get("rechazados", ()):
        if not _refused(world, send.pk, send.hash):
            _violated(world, LOST_ACK, send.pk, f"{message.id} left as refused, and nobody refused it")
        return
    if row.get("hash") != send.hash and row.get("hash"):
        _violated(world, LOST_ACK, send.pk, f"{message.id} left, but the ledger holds another content")
    elif row.get("estado") not in KNOWN and not (row.get("estado") == "EN_REVISION" and row.get("en_cola")):
        _violated(world, LOST_ACK, send.pk, f"{message.id} left while the ledger says {row.get('estado', 'nothing')}")
    elif not _items(world, send.pk) and not _refused(world, send.pk, send.hash) and row["estado"] != "EN_REVISION":
        _violated(world, LOST_ACK, send.pk, f"{message.id} left, and the provider neither has it nor refused it")


def _was_rejected(world: World, send: Send) -> bool:
    """In the rejected queue without the planted credentials, so compared by what stays."""
    return any(_same(body, send.body) for body, _ in world.sqs.rejected)


def _same(rejected: str, sent: str) -> bool:
    if rejected == sent:
        return True
    try:
        plain = {k: v for k, v in json.loads(sent).items() if k not in PLANTED}
        return bool(plain == json.loads(rejected))
    except ValueError:
        return rejected[:200] == sent[:200]


def on_write(world: World, pk: str, write: Write) -> None:
    before, after = write.before.get("estado"), write.after["estado"]
    if before == "EMITIDO" and after != "EMITIDO":
        _violated(world, WRONG, pk, f"{write.op} takes EMITIDO back to {after}")
    swallowed = world.folded[pk] - set(write.after.get("vistos", ()))
    if write.op == "resent" and after == "ENCOLADO" and swallowed:
        _violated(world, SWALLOWED, pk, f"back in the queue over an error that was folded: {sorted(swallowed)}")
    if write.after["version"] <= write.before.get("version", 0):
        _violated(world, WRONG, pk, f"{write.op} does not raise version")
    if len(json.dumps(write.after, default=str)) > 2_000:
        _violated(world, WRONG, pk, "the asiento is larger than 1 KB in any reading")


def on_event(world: World, tipo: str, detail: dict[str, Any]) -> None:
    """Nothing false is ever told."""
    pk = f"{detail['cuenta']}#{detail['external_reference']}"
    if detail["evento_id"] in world.told:
        return  # a repeat says nothing new, however late it is: it was looked at when it was told first
    world.told.add(detail["evento_id"])
    items = _items(world, pk)
    states = {i.estado for i in items}
    false = ""
    match tipo:
        case "ComprobanteEmitido" if not any(
            i.estado == EMITIDO and (detail.get("cae") == i.cae or i.emitido == world.now) for i in items
        ):
            false = "it is not issued, or not with this CAE"
        case "ComprobanteEncolado" if not items:
            false = "the provider never had it"
        case "ComprobanteConError" if not any(i.errores for i in items) and not _late_word(world, pk):
            false = "it was never in error, and no hook says so of which this attempt had not heard"
        case "ComprobanteEliminado" if not states & {ELIMINADO} or (_lives(world, pk) and not world.scenario.foreign):
            false = f"the provider has {sorted(states) or 'nothing'}"
        case "ComprobanteRechazado" if not (
            _gone_unheard(world, pk) or any(s.pk == pk and _refused(world, pk, s.hash) for s in world.sent)
        ):
            false = "nobody refused it"
    if false:
        _violated(world, FALSE_NEWS, pk, f"{tipo}, but {false}")


def _late_word(world: World, pk: str) -> bool:
    """A hook of an earlier attempt, stored when this one was being claimed or later, cannot be told from its own."""
    claims = [w.begun for w in world.writes[pk] if w.op.startswith("claim")]
    told = {"error", "eliminado"}
    return any(
        row.get("evento") in told and (not claims or from_iso(row["recibido"]) >= claims[-1])
        for row in instrument.of(pk)
    )


def on_tick(world: World) -> None:
    """Before the reconciliation looks: each error has somebody who will come to it. Where nothing broke, it need not be
    the reconciliation.
    """
    for alias in world.scenario.cuentas if not (world.broken or world.invocations) else ():
        if resolving.forgotten(world, alias):
            _violated(world, UNWOKEN, f"{alias}#", "there is an error, and no run of it is there or due")
    for pk in world.open:
        row = instrument.peek(pk)
        alone = row["estado"] == "ERROR" and resolving.waits_for_nobody(world, row)
        if alone and world.now - from_iso(row["actualizado"]) > FOLLOWED_WITHIN:
            _violated(world, STUCK, pk, alone)


def endless(world: World, cuenta: str, execution: str) -> None:
    _violated(world, STUCK, f"{cuenta}#", f"{execution} goes on for ever")


def unexpected(world: World, who: str, error: BaseException) -> None:
    _violated(world, UNEXPECTED, who, f"{type(error).__name__}: {error}")


# -- quiet -----------------------------------------------------------------------------------------------------------


def is_quiet(world: World) -> bool:
    """Nothing moves and nothing is owed; what is parked stays parked."""
    if not world.idle():
        return False
    if any(not _waits_for_a_person(world, world.by_body[m.body]) for m in world.sqs.waiting() + world.sqs.dead()):
        return False
    return all(_at_peace(world, instrument.peek(pk)) for pk in world.open)


def _waits_for_a_person(world: World, send: Send) -> bool:
    """In review itself, or it replaces one that is, and may yet be deleted."""
    replaced = instrument.peek(f"{send.cuenta}#{send.reemplaza}") if send.reemplaza else {}
    held = replaced.get("estado") == "EN_REVISION" and _at_peace(world, replaced)
    estado = instrument.peek(send.pk).get("estado")
    return held or estado == "EN_REVISION" or (estado == "PENDIENTE" and _given_up(world, send.pk))


def _given_up(world: World, pk: str) -> bool:
    """Nothing but a person can settle it, and the alarm of the dead-letter queue has it for good."""
    alarmed = (m for m in world.sqs.dead() if m.attributes.get("vueltas", {}).get("StringValue") == TURNS)
    left = (m for m in alarmed if m.died is not None and world.now - m.died > LEFT_AFTER)
    return pk.partition("#")[2] in world.scenario.hopeless and any(world.by_body[m.body].pk == pk for m in left)


def _at_peace(world: World, row: dict[str, Any]) -> bool:
    if "evento_pendiente" in row:
        return False
    if "abierto" not in row:
        return True
    states = {i.estado for i in _items(world, row["pk"])}
    match row["estado"]:
        case "EN_REVISION":
            return True
        case "PENDIENTE" | "INCIERTO" | "ENVIANDO" if not states:
            return _given_up(world, row["pk"])
        case "ENVIADO" | "ENCOLADO":
            return EN_COLA in states
    return False


# -- at the end ------------------------------------------------------------------------------------------------------


def at_the_end(world: World) -> None:
    rows = {row["pk"]: row for row in instrument.everything() if row["sk"] == "ESTADO"}
    if world.ended != "quiet":
        for pk in _unsettled(world, rows) or ["the world"]:
            text = f"{world.ended}: {_short(rows.get(pk))}, provider {_truth(world, pk)}, {_queued(world, pk)}"
            _violated(world, STUCK, pk, text)
        return
    _each_agrees(world, rows)
    _each_is_told(world, rows)
    _accounts_balance(world, rows)
    _replay_agrees(world, rows)
    _no_secret_anywhere(world)


def _short(row: dict[str, Any] | None) -> str:
    names = ("estado", "previos", "evento_pendiente", "abierto", "ausente_desde", "en_cola")
    return "no row" if row is None else ", ".join(f"{n}={row[n]}" for n in names if n in row)


def _truth(world: World, pk: str) -> str:
    return ", ".join(i.estado for i in _items(world, pk)) or "nothing"


def _queued(world: World, pk: str) -> str:
    mine = [f"{m.id} {m.place}" for m in world.sqs.messages if world.by_body[m.body].pk == pk]
    return f"messages {mine}"


def _unsettled(world: World, rows: dict[str, dict[str, Any]]) -> list[str]:
    open_rows = [pk for pk, row in rows.items() if not _at_peace(world, row)]
    queued = [world.by_body[m.body] for m in world.sqs.waiting() + world.sqs.dead()]
    return list(dict.fromkeys(open_rows + [s.pk for s in queued if not _waits_for_a_person(world, s)]))


def _each_agrees(world: World, rows: dict[str, dict[str, Any]]) -> None:
    accepted = Counter(f"{i.cuenta}#{i.referencia}" for i in world.proveedor.cola.items if i.estado != ELIMINADO)
    for pk, times in accepted.items():
        if times > 1 and not world.scenario.foreign:
            _violated(world, TWICE, pk, f"the provider accepted it {times} times")
    for pk, row in rows.items():
        if row["estado"] == "EN_REVISION":
            wrong = "" if world.scenario.foreign else resolving.wrongly_parked(world, row)
            if wrong:
                _violated(world, WRONG, pk, f"{wrong}, provider {_truth(world, pk)}")
        elif items := _items(world, pk):
            _agrees(world, pk, row, items[-1])
        else:
            _absent_agrees(world, pk, row)
    replaced = Counter((s.cuenta, s.reemplaza) for s in world.sent if s.reemplaza and _lives(world, s.pk))
    for (alias, reference), times in replaced.items():
        if times > 1:
            _violated(
                world, TWICE, f"{alias}#{reference}", f"replaced by {times} comprobantes: two invoices of one sale"
            )


def _lives(world: World, pk: str) -> bool:
    return any(item.estado != ELIMINADO for item in _items(world, pk))


def _gone_unheard(world: World, pk: str) -> bool:
    """Deleted on the provider's web before anything of its queue had reached us: nothing tells that from a refusal."""
    return bool(_items(world, pk)) and not _lives(world, pk) and not instrument.peek(pk).get("en_cola")


def _agrees(world: World, pk: str, row: dict[str, Any], item: Any) -> None:
    if row["estado"] not in ALLOWED[item.estado] and not (row["estado"] == "RECHAZADO" and _gone_unheard(world, pk)):
        _violated(world, WRONG, pk, f"ledger {row['estado']}, provider {_truth(world, pk)}")
    if row["estado"] == "EMITIDO" and row.get("cae") != item.cae:
        _violated(world, WRONG, pk, f"CAE {row.get('cae')} instead of {item.cae}")


def _absent_agrees(world: World, pk: str, row: dict[str, Any]) -> None:
    if row["estado"] == "RECHAZADO":
        if not (_gone_unheard(world, pk) or _refused(world, pk, row["hash"])):
            _violated(world, WRONG, pk, "RECHAZADO, and nobody refused it: it is lost")
    elif not _given_up(world, pk):
        _violated(world, WRONG, pk, f"ledger {row['estado']}, and the provider has nothing")


def _each_is_told(world: World, rows: dict[str, dict[str, Any]]) -> None:
    told: dict[tuple[str, str], set[str]] = {}
    for _, tipo, detail in world.events:
        told.setdefault((f"{detail['cuenta']}#{detail['external_reference']}", tipo), set()).add(detail["evento_id"])
    for pk, row in rows.items():
        tipo = FINAL_EVENT.get(row["estado"])
        if tipo and (pk, tipo) not in told and not resolving.told_as_incident(row):
            _violated(world, UNTOLD, pk, f"{row['estado']} and no {tipo}")
        refused = len(row.get("rechazados", ()))
        if len(told.get((pk, "ComprobanteRechazado"), ())) < refused:
            _violated(world, UNTOLD, pk, f"{refused} contents refused, not all told")


def _accounts_balance(world: World, rows: dict[str, dict[str, Any]]) -> None:
    """Three sources, one by one: what was sent, what the provider has, what the ledger says."""
    sent = {s.pk for s in world.sent if s.fate != "junk"}
    held = {f"{i.cuenta}#{i.referencia}" for i in world.proveedor.cola.items}
    rejected = {s.pk for s in world.sent if _was_rejected(world, s)}
    waiting = {world.by_body[m.body].pk for m in world.sqs.waiting() + world.sqs.dead()}
    for pk in sent - set(rows) - rejected - waiting:
        _violated(world, BALANCE, pk, "sent, and nowhere")
    if not world.scenario.foreign:
        for pk in (held | set(rows)) - sent:
            _violated(world, BALANCE, pk, "in the ledger or at the provider, and nobody sent it")
    for pk in held - set(rows):
        _violated(world, BALANCE, pk, "at the provider, and not in the ledger")
    _received_is_the_sum(world, sent & set(rows), rows, waiting)
    for alias in world.scenario.cuentas:
        # What is parked is a person's to account for.
        parked = {pk for pk, row in rows.items() if row["estado"] == "EN_REVISION"}
        items = [i for i in world.proveedor.cola.items if i.cuenta == alias and f"{alias}#{i.referencia}" not in parked]
        issued = sum(i.total for i in items if i.estado == EMITIDO)
        booked = [r for r in rows.values() if r["cuenta"] == alias and r["estado"] == "EMITIDO"]
        noted = sum(Decimal(r["total"]) for r in booked)
        if issued != noted:
            _violated(world, BALANCE, f"{alias}#", f"{issued} pesos were issued, {noted} are in the ledger")


def _received_is_the_sum(world: World, ours: set[str], rows: dict[str, dict[str, Any]], waiting: set[str]) -> None:
    """What was noted of each message is in one column of the daily close, and no row is there that nobody received."""
    noted: dict[str, set[str]] = {}
    for item in instrument.everything():
        if item["pk"].startswith("DIA#"):
            _, alias, _ = item["pk"].split("#")
            for entry in item["recibidos"]:
                reference, _, marca = entry.partition(":")
                noted.setdefault(f"{alias}#{reference}", set()).add(marca)
    for pk in ours - set(noted):
        _violated(world, BALANCE, pk, "in the ledger, and nobody noted that it was received")
    for pk, marcas in noted.items():
        asiento = asiento_from_item(rows[pk]) if pk in rows else None
        for marca in marcas:
            recibido = Recibido(pk.partition("#")[2], marca, world.now)
            place = place_of(recibido, asiento, hoy=world.now.date(), waits=pk in waiting)
            if place not in {*COLUMNS, "conflictos"}:
                _violated(world, BALANCE, pk, f"received, and in no column of the close: {place}")


_FOLDS = {"fold_emitido", "fold_error", "fold_encolado", "fold_eliminado", "fold_deletion_in_doubt", "fold_nothing"}
_SAY_NOTHING = {"published", "evidence", "absent_first", "renew"}


def _replay_agrees(world: World, rows: dict[str, dict[str, Any]]) -> None:
    """The stored hooks over our own last record, in any order, give what the ledger says."""
    if world.stream.given_up:
        return
    hooks: dict[str, list[Hook]] = {}
    for item in instrument.everything():
        if item["sk"].startswith("HOOK#"):
            hooks.setdefault(item["pk"], []).append(Hook(item["hook_id"], item["evento"]))
    for pk, row in rows.items():
        vistos = frozenset(row.get("vistos", ()))
        again = fold(Estado(row["estado"]), row.get("previos", 0), vistos, hooks.get(pk, ())).estado
        if again != row["estado"]:
            _violated(world, REPLAY, pk, f"its hooks would move it again: {row['estado']} → {again}")
        own = [w for w in world.writes[pk] if w.op not in _FOLDS | _SAY_NOTHING]
        if not own:
            continue
        base = own[-1].after
        folded = fold(Estado(base["estado"]), row.get("previos", 0), vistos, hooks.get(pk, ()))
        if folded.estado != row["estado"]:
            amounts = f"{base['estado']} ({own[-1].op}) and its hooks amount to {folded.estado}"
            text = f"{amounts}, the ledger says {row['estado']}"
            _violated(world, REPLAY, pk, text)


@cache
def _secrets() -> re.Pattern[str]:
    words = {v for v in PLANTED.values() if not v.isdigit()}
    for secret in secrets().values():
        words |= {secret["apitoken"], secret["usertoken"], *secret["webhook_tokens"]}
    return re.compile("|".join(map(re.escape, sorted(words))))


def on_log(world: World, text: str) -> None:
    if found := _secrets().search(text):
        _violated(world, LEAK, "a log", f"«{found[0][:14]}…»")


def _no_secret_anywhere(world: World) -> None:
    places = {
        "an event": json.dumps([d for _, _, d in world.events]),
        "an item": json.dumps(instrument.everything(), default=str),
        "the rejected queue": json.dumps(world.sqs.rejected),
    }
    for place, text in places.items():
        if found := _secrets().search(text):
            _violated(world, LEAK, place, f"«{found[0][:14]}…»")
