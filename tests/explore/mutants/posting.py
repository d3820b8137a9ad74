"""Faults around the claim, the POST and the record of its outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from facturacion.asiento import Asiento
from facturacion.estado import Estado
from facturacion.ledger import Ledger
from pack_lotes import inbox, packing
from pack_lotes.ventanilla import Ventanilla
from tests.explore import directed, pausing, randomly, scenarios
from tests.explore.mutants.mutant import Mutant
from tests.explore.mutants.patching import instead
from tusfacturas import client
from tusfacturas.outcomes import Aceptado, Incierto, LoteProcesado, NoEnviado, SinConexion, TiempoAgotado

if TYPE_CHECKING:
    from tests.explore.mutants.mutant import Patch

_judge = packing.judge


def _no_deadline() -> list[Patch]:
    return [(Ventanilla, "_may_leave", lambda _self, _lote: True)]


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


def _known_states(more: frozenset[Estado]) -> list[Patch]:
    def generous(stored: Asiento, content: str, now: Any, *, provider_timeout: Any) -> Any:
        if stored.datos.hash == content and stored.estado in more:
            return packing.Veredicto.CONOCIDO
        return _judge(stored, content, now, provider_timeout=provider_timeout)

    return [(packing, "judge", generous)]


def claim_uncertain_again() -> list[Patch]:
    """What is INCIERTO, or left ENVIANDO, is simply sent again."""

    def hasty(stored: Asiento, content: str, now: Any, *, provider_timeout: Any) -> Any:
        verdict = _judge(stored, content, now, provider_timeout=provider_timeout)
        return packing.Veredicto.RECLAMAR if verdict is packing.Veredicto.PREGUNTAR else verdict

    def claim_again(self: Any, reclamo: Any, stored: Any, vistos: Any) -> Any:
        also = {"previos": stored.previos + 1, "vistos": set(vistos) or None}
        return self._claim(reclamo, "version = :v AND #hash = :hash", {":v": stored.version}, also=also)

    return [(packing, "judge", hasty), (Ledger, "claim_again", claim_again)]


def _door_always_open() -> list[Patch]:
    return [(Ventanilla, "_is_open", lambda _: True)]


def _hooks_unread() -> list[Patch]:
    """Whether the provider has spoken of a reference is the stream's business."""
    return [(Ventanilla, "_heard_of_many", lambda _self, pedidos: {p.external_reference: False for p in pedidos})]


_GENERAL = (scenarios.one, scenarios.one_524)


def _pauses_unread() -> list[Patch]:
    """As if nobody had said anything: at the door, and before something is done about an error."""
    return [(Ledger, "_pausa_among", lambda _self, _cuenta, _items: None)]


MUTANTS = (
    Mutant("a pause unread", "plain", _pauses_unread, pausing.PAUSED, 0, quick=True),
    Mutant("POST without a deadline", "1", _no_deadline, seeds=150, quick=True),
    Mutant("hooks unread before the claim", "14", _hooks_unread, (directed.foreign_just_now,), 0, quick=True),
    Mutant("the door always open", "door", _door_always_open, seeds=60),
    Mutant("claim after POST", "plain", _claim_after_post, _GENERAL),
    Mutant("retry on read timeout", "plain", _retry_on_timeout, (scenarios.one_524, scenarios.one_slow_hooks_lost)),
    Mutant("a timeout means not sent", "plain", _timeout_is_not_sent, (scenarios.one_slow_hooks_lost,), quick=True),
    Mutant("match by position", "plain", _by_position, (), 100, randomly.SMALL),
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
    Mutant("uncertain sent again", "plain", claim_uncertain_again, (scenarios.one_slow_hooks_lost, scenarios.one)),
    Mutant(
        "outcome without owning the lote",
        "plain",
        instead("lote_id = :l AND estado", "estado"),
        (directed.slow_records,),
        seeds=250,
    ),
)
