"""The rules left out one by one, and the faults a plain programmer would make: each must be noticed by an invariant.

A mutant replaces functions of the shipped code for the length of a schedule. Where it lives, and which schedules are
to find it, stands beside it. An exception does not count: what is wrong must show in the world.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from unittest import mock

from facturacion import asking, contrast, telling
from facturacion.asiento import Asiento
from facturacion.estado import Estado
from facturacion.events import Bus, tipo_for
from facturacion.ledger import Ledger, Refused
from facturacion.ledger.table import Table
from follow_hooks import app as follow_app
from follow_hooks import following
from pack_lotes import door, inbox, packing, refusing
from pack_lotes.ventanilla import Ventanilla
from reconcile import app as reconcile_app
from reconcile import redriving
from tests.explore import exhaustive, invariants, randomly, scenarios
from tusfacturas import client
from tusfacturas.outcomes import Aceptado, Consulta, Incierto, LoteProcesado, NoEnviado, SinConexion, TiempoAgotado

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.explore.world import World

Patch = tuple[Any, str, Any]


@dataclass(frozen=True)
class Mutant:
    """`rule`: of the protocol, or «plain». `grounds`: scenarios that are cut everywhere. `seeds`: random ones tried.

    `quick`: caught soon enough for `make test`. `unseen`: why its absence cannot be noticed, where it cannot.
    """

    name: str
    rule: str
    patches: Callable[[], list[Patch]] = field(repr=False)
    grounds: tuple[Callable[[], scenarios.Scenario], ...] = ()
    seeds: int = 60
    kind: randomly.Kind = randomly.SMALL
    quick: bool = False
    unseen: str = ""


@contextmanager
def broken(mutant: Mutant) -> Iterator[None]:
    patches = [mock.patch.object(where, name, new) for where, name, new in mutant.patches()]
    for patch in patches:
        patch.start()
    try:
        yield
    finally:
        for patch in reversed(patches):
            patch.stop()


@dataclass(frozen=True)
class Caught:
    """Which invariant, in which schedule."""

    mutant: str
    invariant: str
    schedule: str
    tried: int


def hunt(mutant: Mutant) -> Caught | None:
    """The first schedule that violates an invariant; None when none of its grounds and seeds does."""
    tried = 0
    with broken(mutant):
        for where, world in _schedules(mutant):
            tried += 1
            found = next((v for v in world.violations if v.name != invariants.UNEXPECTED), None)
            if found:
                return Caught(mutant.name, found.name, f"{where}: {found.pk}", tried)
    return None


def _schedules(mutant: Mutant) -> Iterator[tuple[str, World]]:
    for make in mutant.grounds:
        whole = exhaustive.uncut(make)
        yield f"{make.__name__}, uncut", whole
        if whole.violations:
            continue
        for cut in exhaustive.cut_points(whole):
            yield f"{make.__name__}, cut {cut[1]} call {cut[0]}", exhaustive.run_cut(make, cut)
    for seed in range(mutant.seeds):
        yield f"seed {seed}", randomly.schedule(seed, mutant.kind).run()


# -- what is replaced ----------------------------------------------------------------------------------------------

_update = Table._update
_decide, _judge, _ask = asking.decide, packing.judge, asking.ask


def _conditions(change: Callable[[str], str]) -> list[Patch]:
    def weaker(self: Any, pk: str, condition: str, values: Any, **more: Any) -> Any:
        update = _update(self, pk, change(condition), values, **more)
        whole = f"{update['ConditionExpression']} {update['UpdateExpression']}"
        words = set(whole.replace("(", " ").replace(")", " ").replace(",", " ").split())
        for kind in ("ExpressionAttributeValues", "ExpressionAttributeNames"):
            update[kind] = {n: v for n, v in update[kind].items() if n in words}
        return update

    return [(Table, "_update", weaker)]


def _instead(old: str, new: str) -> Callable[[], list[Patch]]:
    return lambda: _conditions(lambda condition: condition.replace(old, new))


def _claim_after_post() -> list[Patch]:
    """The lote is posted, and only then claimed."""
    post, claim = Ventanilla._send_lote, Ledger.claim

    def claim_later(self: Any, reclamo: Any) -> Any:
        stored = self.get(reclamo.cuenta, reclamo.external_reference)
        if stored is not None:
            return claim(self, reclamo)
        late.append(reclamo)
        return Asiento(
            cuenta=reclamo.cuenta,
            external_reference=reclamo.external_reference,
            estado=Estado.ENVIANDO,
            version=1,
            datos=reclamo.datos,
            lote_id=reclamo.lote_id,
            post_hasta=reclamo.post_hasta,
        )

    def post_first(self: Any, pedidos: Any) -> Any:
        answer = post(self, pedidos)
        for reclamo in late:
            claim(self._w.ledger, reclamo)
        late.clear()
        return answer

    late: list[Any] = []
    return [(Ledger, "claim", claim_later), (Ventanilla, "_send_lote", post_first)]


def _retry_on_timeout() -> list[Patch]:
    post = client.Cliente._post

    def again(self: Any, metodo: str, datos: Any, timeout: float) -> Any:
        answer = post(self, metodo, datos, timeout)
        return (
            post(self, metodo, datos, timeout) if isinstance(answer, TiempoAgotado | client.ConexionCortada) else answer
        )

    return [(client.Cliente, "_post", again)]


def _timeout_is_not_sent() -> list[Patch]:
    post = client.Cliente._post

    def hopeful(self: Any, metodo: str, datos: Any, timeout: float) -> Any:
        answer = post(self, metodo, datos, timeout)
        return SinConexion(answer.detalle) if isinstance(answer, Incierto) else answer

    return [(client.Cliente, "_post", hopeful)]


def _by_position() -> list[Patch]:
    lotes = client.Cliente.lotes_encola

    def positional(self: Any, peticiones: Any) -> Any:
        answer = lotes(self, peticiones)
        if not isinstance(answer, LoteProcesado):
            return answer
        references = [str(p["comprobante"]["external_reference"]) for p in peticiones]
        told = sorted(answer.resultados.values(), key=lambda r: not isinstance(r, Aceptado))
        return LoteProcesado(dict(zip(references, told, strict=True)))

    return [(client.Cliente, "lotes_encola", positional)]


def _missing_is_refused() -> list[Patch]:
    """A reference that the answer does not mention was not sent, surely."""
    lotes = client.Cliente.lotes_encola

    def sure(self: Any, peticiones: Any) -> Any:
        answer = lotes(self, peticiones)
        if not isinstance(answer, LoteProcesado):
            return answer
        return LoteProcesado(
            {ref: NoEnviado(r.detalle) if isinstance(r, Incierto) else r for ref, r in answer.resultados.items()}
        )

    return [(client.Cliente, "lotes_encola", sure)]


def _ack_before_save() -> list[Patch]:
    record = Ventanilla._record

    def eager(self: Any, posted: Any) -> None:
        for p in posted:
            self._inbox.ack(p.claimed.pedido.registro)
        record(self, posted)

    return [(Ventanilla, "_record", eager)]


def _ack_uncertain() -> list[Patch]:
    """INCIERTO is reconcile's business, so the message may go."""
    record = Ventanilla._record

    def eager(self: Any, posted: Any) -> None:
        record(self, posted)
        for p in posted:
            if isinstance(p.outcome, Incierto):
                self._inbox.ack(p.claimed.pedido.registro)

    return [(Ventanilla, "_record", eager)]


def _ack_all() -> list[Patch]:
    return [(inbox.Inbox, "open_ids", property(lambda _: []))]


def _decide_with(change: Callable[..., Any]) -> list[Patch]:
    return [(asking, "decide", change)]


def _no_quiet(asiento: Any, hooks: Any, consulta: Any, *, asked_at: Any, quiet: Any, settle: Any) -> Any:
    return _decide(asiento, hooks, consulta, asked_at=asked_at, quiet=timedelta(days=-1), settle=settle)


def _one_absence(asiento: Any, hooks: Any, consulta: Any, *, asked_at: Any, quiet: Any, settle: Any) -> Any:
    decision = _decide(asiento, hooks, consulta, asked_at=asked_at, quiet=quiet, settle=settle)
    return asking.Ausente() if isinstance(decision, asking.AnotarAusencia) else decision


def _believed_at_once() -> list[Patch]:
    settled = " AND ausente_desde <= :settled"
    return [*_decide_with(_one_absence), *_conditions(lambda c: c.replace(settled, ""))]


def _quiet_from_claim() -> list[Patch]:
    """The quiet period counts from the claim, and the POST may leave whenever it is ready."""
    from_claim = lambda asiento: replace(asiento, quieto_desde=asiento.creado)  # noqa: E731

    def early(asiento: Any, *args: Any, **named: Any) -> Any:
        return _decide(from_claim(asiento), *args, **named)

    return [(asking, "decide", early), (Ventanilla, "_may_leave", lambda _self, _lote: True)]


def _no_deadline() -> list[Patch]:
    return [(Ventanilla, "_may_leave", lambda _self, _lote: True)]


def _asked_when_written() -> list[Patch]:
    """The instant of the ask is taken when its answer is written, and not when it began."""
    conclude = asking.conclude

    def late(asiento: Any, hooks: Any, answer: Any, *, ledger: Any, asked_at: Any, quiet: Any, settle: Any) -> Any:
        del asked_at
        now = ledger._clock()
        return conclude(asiento, hooks, answer, ledger=ledger, asked_at=now, quiet=quiet, settle=settle)

    return [(asking, "conclude", late), (contrast, "conclude", late)]


def _known_states(more: frozenset[Estado]) -> list[Patch]:
    def generous(stored: Asiento, content: str, now: Any, *, provider_timeout: Any) -> Any:
        if stored.datos.hash == content and stored.estado in more:
            return packing.Veredicto.CONOCIDO
        return _judge(stored, content, now, provider_timeout=provider_timeout)

    return [(packing, "judge", generous)]


def _claim_uncertain_again() -> list[Patch]:
    """What is INCIERTO, or left ENVIANDO, is simply sent again."""

    def hasty(stored: Asiento, content: str, now: Any, *, provider_timeout: Any) -> Any:
        verdict = _judge(stored, content, now, provider_timeout=provider_timeout)
        return packing.Veredicto.RECLAMAR if verdict is packing.Veredicto.PREGUNTAR else verdict

    def claim_again(self: Any, reclamo: Any, stored: Any, vistos: Any) -> Any:
        also = {"previos": stored.previos + 1, "vistos": set(vistos) or None}
        return self._claim(reclamo, "version = :v", {":v": stored.version}, also=also)

    return [(packing, "judge", hasty), (Ledger, "claim_again", claim_again)]


def _previos_ignored() -> list[Patch]:
    """Earlier attempts are not counted: their late hooks speak for this one."""
    claim_again, absent_again = Ledger.claim_again, Ledger.absent_again

    def forget(self: Any, reclamo: Any, stored: Any, vistos: Any) -> Any:
        return claim_again(
            self, reclamo, replace(stored, previos=-1 if stored.estado is Estado.RECHAZADO else 0), vistos
        )

    def forget_too(self: Any, asiento: Any, **named: Any) -> Any:
        return absent_again(self, replace(asiento, previos=-1), **named)

    return [(Ledger, "claim_again", forget), (Ledger, "absent_again", forget_too)]


def _vistos_ignored() -> list[Patch]:
    """The hooks of earlier attempts are not remembered: folded again, they count again."""
    return _conditions(
        lambda c: c.replace("NOT contains(vistos, :id) AND ", "").replace(" AND NOT contains(vistos, :id)", "")
    )


def _version_not_raised() -> list[Patch]:
    """An unseen hook that moves no state leaves no mark."""
    return [(Ledger, "fold_nothing", lambda _self, asiento, _hook, **_: asiento)]


def _evidence_forgotten() -> list[Patch]:
    """Absent after the provider had acknowledged it: it never entered, says the ledger."""
    gone = Ledger.gone

    def never(self: Any, asiento: Any, **named: Any) -> Any:
        return gone(self, replace(asiento, estado=Estado.ERROR, en_cola=False, borrado_pedido=False), **named)

    return [(Ledger, "gone", never)]


def _only_last_refusal() -> list[Patch]:
    """Only the present content is compared, not every one that was ever refused."""

    def forgetful(stored: Asiento, content: str, now: Any, *, provider_timeout: Any) -> Any:
        return _judge(replace(stored, rechazados=frozenset()), content, now, provider_timeout=provider_timeout)

    return [
        (packing, "judge", forgetful),
        *_conditions(lambda c: c.replace(" AND NOT contains(rechazados, :hash)", "")),
    ]


def _own_retry_unknown() -> list[Patch]:
    """A claim whose first answer was lost meets its own row, and takes it for somebody else's."""
    claim = Ledger._claim

    def stranger(self: Any, reclamo: Any, condition: str, values: Any, also: Any = None) -> Any:
        write = self._write

        def masked(update: Any) -> Any:
            written = write(update)
            if isinstance(written, Refused) and written.stored:
                return Refused(replace(written.stored, lote_id="another"))
            return written

        with mock.patch.object(self, "_write", masked):
            return claim(self, reclamo, condition, values, also)

    return [(Ledger, "_claim", stranger)]


def _dlq_unread() -> list[Patch]:
    return [(reconcile_app, "redrive", lambda _q, _f: (0, 0))]


def _dlq_dropped() -> list[Patch]:
    """The dead-letter queue is emptied by whoever reads it."""
    return [(redriving, "_is_settled", lambda _body, _q, _f: True)]


def _event_without_debt() -> list[Patch]:
    """The event goes out after the state, and nothing remembers that it is owed."""

    def careless(self: Any, pk: str, condition: str, values: Any, *, sets: Any, **more: Any) -> Any:
        kept = {n: v for n, v in sets.items() if n != "evento_pendiente"}
        return _update(self, pk, condition, values, sets=kept, **more)

    def tell_now(asientos: Any, *, ledger: Any, bus: Any, at: Any) -> Any:
        told = telling.tell(asientos, ledger=ledger, bus=bus, at=at)
        for asiento, _ in asientos:
            if asiento.estado in {Estado.RECHAZADO, Estado.ELIMINADO}:
                ledger.published(asiento, closes=True)
        return told

    def follow(hook: Any, contraster: Any) -> Any:
        f = contraster.finishing
        before = f.ledger.get(hook.cuenta, hook.external_reference)
        asiento = following.fold(hook, f.ledger)
        if asiento and before and asiento.estado is not before.estado:
            tell_now([(asiento, None)], ledger=f.ledger, bus=f.bus, at=f.clock())
        return asiento

    return [
        (Table, "_update", careless),
        (follow_app, "_follow", follow),
        (contrast, "tell", tell_now),
        (door, "tell", tell_now),
        (refusing, "tell", tell_now),
    ]


def _published_not_noted() -> list[Patch]:
    """It leaves the index before its event is out."""
    update = _update

    def closed(self: Any, pk: str, condition: str, values: Any, *, sets: Any, removes: Any = (), **more: Any) -> Any:
        if sets.get("estado") in {Estado.RECHAZADO, Estado.ELIMINADO}:
            sets = {n: v for n, v in sets.items() if n not in {"evento_pendiente", "abierto"}}
            removes = (*removes, "abierto")
        return update(self, pk, condition, values, sets=sets, removes=removes, **more)

    return [(Table, "_update", closed)]


def _endless_cycles() -> list[Patch]:
    return [(asking, "CICLOS_MAX", 10**6)]


def _replaced_without_condition() -> list[Patch]:
    def two_writes(self: Any, reclamo: Any, update: Any) -> Any:
        del reclamo
        return self._write(update)

    return [(Ledger, "_replace", two_writes)]


def _foreign_hook_ignored() -> list[Patch]:
    return [(Ledger, "unknown_reference", lambda _self, _cuenta, _reference, _causa: Refused(None))]


def _reconcile_skips(*estados: Estado) -> Callable[[], list[Patch]]:
    wants = contrast._Contrast._wants_an_answer

    def some(self: Any, asiento: Any) -> bool:
        return asiento.estado not in estados and wants(self, asiento)

    return lambda: [(contrast._Contrast, "_wants_an_answer", some)]


def _door_always_open() -> list[Patch]:
    return [(Ventanilla, "_is_open", lambda _: True)]


def _total_is_presence() -> list[Patch]:
    """Rule 4: whatever a query answers without the reference is absence; nothing at all counts as an answer, too."""
    read = client.read_consulta

    def lenient(r: Any) -> Any:
        answer = read(r)
        return answer if isinstance(answer, Consulta) else Consulta(0, ())

    return [(client, "read_consulta", lenient)]


def _arrival_order() -> list[Patch]:
    """The last hook to arrive decides, as if they came in order."""
    states = {
        "encolado": Estado.ENCOLADO,
        "cambio_fecha": Estado.ENCOLADO,
        "error": Estado.ERROR,
        "eliminado": Estado.ELIMINADO,
        "emitido": Estado.EMITIDO,
    }

    def last_wins(hook: Any, ledger: Any) -> Any:
        estado = states.get(hook.evento)
        if estado is None:
            return None
        sets = {"estado": estado, "abierto": hook.cuenta, "evento_pendiente": tipo_for(estado)}
        pk = f"{hook.cuenta}#{hook.external_reference}"
        return ledger._write(ledger._update(pk, "attribute_exists(pk)", {}, sets=sets))

    return [(following, "_transition", last_wins)]


def _stream_drops() -> list[Patch]:
    """What could not be folded is logged, and the stream goes on."""
    handler = follow_app.handler

    def swallow(event: Any, context: Any) -> Any:
        handler(event, context)
        return {"batchItemFailures": []}

    return [(follow_app, "handler", swallow)]


def _reconcile_sleeps() -> list[Patch]:
    return [(reconcile_app, "_due", lambda _: [])]


def _failed_entries_ignored() -> list[Patch]:
    publish = Bus.publish

    def sure(self: Any, eventos: Any, *, at: Any) -> list[bool]:
        return [True for _ in publish(self, eventos, at=at)]

    return [(Bus, "publish", sure)]


_GENERAL = (scenarios.one, scenarios.one_524)

MUTANTS: tuple[Mutant, ...] = (
    Mutant("POST without a deadline", "1", _no_deadline, seeds=150, quick=True),
    Mutant(
        "quiet period from the claim, no deadline", "1", _quiet_from_claim, (scenarios.one_dropped,), 150, quick=True
    ),
    Mutant("an ask counts from its end", "2", _asked_when_written, (), 200),
    Mutant("quiet period ignored", "2", lambda: _decide_with(_no_quiet), (scenarios.one_slow_hooks_lost,), quick=True),
    Mutant("absent believed at once", "3", _believed_at_once, (scenarios.one_dropped,), quick=True),
    Mutant("no answer taken for absent", "4", _total_is_presence, (), 100, quick=True),
    Mutant("earlier attempts not counted", "6", _previos_ignored, (scenarios.refused_then_corrected,), 150),
    Mutant("vistos ignored", "8", _vistos_ignored, (scenarios.refused_then_corrected,), 150),
    Mutant("an unseen hook leaves no mark", "8", _version_not_raised, (), 100),
    Mutant("evidence of the queue forgotten", "9", _evidence_forgotten, (scenarios.deleted_and_replaced,)),
    Mutant("only the last refusal remembered", "10", _only_last_refusal, (scenarios.refused_then_corrected,), 200),
    Mutant(
        "own retry not recognized",
        "10",
        _own_retry_unknown,
        seeds=20,
        unseen="the row is asked about after the quiet period and sent then: late, and nothing else",
    ),
    Mutant("dead-letter queue not read", "11", _dlq_unread, (), 200),
    Mutant("dead-letter queue dropped", "11", _dlq_dropped, (), 200),
    Mutant(
        "event after the state, not owed",
        "13",
        _event_without_debt,
        (scenarios.refused_then_corrected, scenarios.deleted_and_replaced),
    ),
    Mutant("closed before its event is out", "13", _published_not_noted, (scenarios.deleted_and_replaced,)),
    Mutant("endless cycles", "14", _endless_cycles, seeds=100),
    Mutant("reemplaza without its condition", "14", _replaced_without_condition, (scenarios.deleted_and_replaced,)),
    Mutant(
        "ENVIADO and ENCOLADO not asked about",
        "14",
        _reconcile_skips(Estado.ENVIADO, Estado.ENCOLADO),
        (scenarios.one,),
    ),
    Mutant("the door always open", "door", _door_always_open, seeds=60),
    Mutant("claim after POST", "plain", _claim_after_post, _GENERAL),
    Mutant(
        "retry on read timeout",
        "plain",
        _retry_on_timeout,
        (scenarios.one_524, scenarios.one_slow_hooks_lost),
    ),
    Mutant("a timeout means not sent", "plain", _timeout_is_not_sent, (scenarios.one_slow_hooks_lost,), quick=True),
    Mutant("match by position", "plain", _by_position, (), 100, randomly.MEDIUM),
    Mutant("not mentioned means not sent", "plain", _missing_is_refused, (), 150),
    Mutant("ack before save", "plain", _ack_before_save, _GENERAL),
    Mutant("ack what is uncertain", "plain", _ack_uncertain, (scenarios.one_dropped,), quick=True),
    Mutant("ack the whole batch", "plain", _ack_all, (scenarios.one_dropped, scenarios.one), quick=True),
    Mutant(
        "ENVIANDO counts as done",
        "plain",
        lambda: _known_states(frozenset({Estado.ENVIANDO})),
        (scenarios.one,),
        quick=True,
    ),
    Mutant(
        "uncertain sent again",
        "plain",
        _claim_uncertain_again,
        (scenarios.one_slow_hooks_lost, scenarios.one),
    ),
    Mutant("outcome without owning the lote", "plain", _instead("lote_id = :l AND estado", "estado"), seeds=250),
    Mutant("fold by arrival order", "plain", _arrival_order, seeds=100),
    Mutant("FailedEntryCount ignored", "plain", _failed_entries_ignored, seeds=100),
    Mutant("the stream goes on after a failure", "plain", _stream_drops, seeds=100),
    Mutant(
        "reconcile looks at nothing",
        "plain",
        _reconcile_sleeps,
        (scenarios.one_slow_hooks_lost,),
    ),
)
