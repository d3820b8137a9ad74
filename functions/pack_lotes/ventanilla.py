"""One cuenta at the provider's counter: claim, POST, record. The steps, and what a crash leaves, are in `sending`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, assert_never

from botocore.exceptions import BotoCoreError, ClientError

from facturacion.asiento import Asiento, Causa, Datos
from facturacion.asking import UNKNOWN_REFERENCE
from facturacion.estado import Estado, speaks
from facturacion.ledger import Reclamo, Refused
from facturacion.metricas import Metrica
from facturacion.tiempo import to_iso
from pack_lotes import packing
from pack_lotes.door import Door
from pack_lotes.packing import Veredicto
from pack_lotes.posting import Claimed, post
from pack_lotes.refusing import Invalido, as_refused, conflict, refuse, reject
from pack_lotes.world import the_rest_goes_on
from tusfacturas.catalogue import read_lines
from tusfacturas.outcomes import Aceptado, Consumo, Incierto, LoteProcesado, NoEnviado, Rechazado

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pack_lotes.packing import Pedido
    from pack_lotes.posting import Posted

_OUTCOMES = {
    Metrica.ACEPTADOS: Aceptado,
    Metrica.RECHAZADOS: Rechazado,
    Metrica.INCIERTOS: Incierto,
    Metrica.NO_ENVIADOS: NoEnviado,
}


class Ventanilla(Door):
    """Lotes of one cuenta, for the length of one invocation."""

    def send(self, pedidos: Sequence[Pedido]) -> None:
        """In lotes while the door is open and there is time; then ask about what is uncertain."""
        queue = self._in_turn(pedidos)
        while queue and self._time_for(self._s.time_for_a_lote) and self._is_open():
            lote = self._claim(queue)
            if lote:
                self._record(self._post(lote))
                self._puerta = self._w.ledger.puerta(self._cuenta.alias)
        for pedido in queue:
            self._inbox.come_again_soon(pedido.registro)
        self._hold(pedidos)
        self.ask(self._worth_asking())

    def _in_turn(self, pedidos: Sequence[Pedido]) -> list[Pedido]:
        """As they came, in order; while some of the cuenta may be in doubt, those behind the others."""
        until = self._puerta.dudas_hasta
        if until is None or self._w.clock() >= until:
            return list(pedidos)
        asientos = self._w.ledger.get_many(self._cuenta.alias, [p.external_reference for p in pedidos])
        return packing.in_turn(pedidos, {a.external_reference: a.dudas for a in asientos})

    # -- claim ---------------------------------------------------------------------------------------------------

    def _claim(self, queue: list[Pedido]) -> list[Claimed]:
        """Claims from the front of `queue` until the lote is full; what cannot be claimed is judged on the way."""
        begun = self._w.clock()
        post_hasta = begun + self._s.post_within
        lote_id = self._w.new_id()
        limit = packing.lote_limit(self._puerta, individual=self._cuenta.modo == "individual")
        # Who is in the lote is decided by their turn, their order in it by fecha.
        queue[:limit] = sorted(queue[:limit], key=lambda p: p.orden)
        heard = self._heard_of_many(queue[:limit])
        lote: list[Claimed] = []
        while queue and len(lote) < limit and self._w.clock() < begun + self._s.time_to_claim:
            pedido = queue.pop(0)
            listo = pedido.listo
            reclamo = Reclamo(
                cuenta=self._cuenta.alias,
                external_reference=pedido.external_reference,
                datos=Datos(pedido.mensaje.hash, listo.tipo, listo.fecha, listo.vencimiento, listo.total),
                lote_id=lote_id,
                post_hasta=post_hasta,
                orden=f"{to_iso(begun)}#{lote_id[:8]}#{len(lote):04d}",
                reemplaza=pedido.mensaje.reemplaza,
                llegado=pedido.registro.came,
            )
            # Where AWS fails on one, those that were claimed before it still leave.
            with the_rest_goes_on(self._w, cuenta=self._cuenta.alias, external_reference=pedido.external_reference):
                reference = pedido.external_reference
                before = None if heard.get(reference) is False else self._heard_of(reclamo)
                written = before or self._w.ledger.claim(reclamo)
                asiento = self._lost(pedido, reclamo, written.stored) if isinstance(written, Refused) else written
                if asiento:
                    lote.append(Claimed(pedido, asiento))
        return lote

    def _heard_of_many(self, pedidos: Sequence[Pedido]) -> dict[str, bool | None]:
        """Of which references the provider spoke before we did. None where AWS would not say: asked again by itself.

        The stream may not have folded the hook yet, and then nothing is written that would keep the claim from being
        the second invoice. Read together: one after the other a hundred take a second or two of `time_to_claim`.
        """
        references = [p.external_reference for p in pedidos]

        def heard(reference: str) -> bool | None:
            try:
                return self._speaks_of(reference)
            except (ClientError, BotoCoreError):
                return None

        return dict(zip(references, self._w.together(heard, references), strict=True))

    def _speaks_of(self, reference: str) -> bool:
        return any(speaks(hook) for hook in self._w.ledger.hooks(self._cuenta.alias, reference))

    def _heard_of(self, reclamo: Reclamo) -> Refused | None:
        """What stands before a claim, where the provider spoke of the reference first; None where it did not."""
        cuenta, reference = reclamo.cuenta, reclamo.external_reference
        if not self._speaks_of(reference):
            return None
        stored = self._w.ledger.get(cuenta, reference)
        if stored:
            return Refused(stored)
        # As follow_hooks does it: noted first, so that its event is told even if nothing else ever happens.
        self._w.ledger.owe_contrast(cuenta)
        created = self._w.ledger.unknown_reference(cuenta, reference, UNKNOWN_REFERENCE)
        return created if isinstance(created, Refused) else Refused(created)

    def _lost(self, pedido: Pedido, reclamo: Reclamo, stored: Asiento | None) -> Asiento | None:
        """Somebody was there before. The asiento, if it could be claimed on a second look."""
        if stored is None:
            self._replacement_refused(pedido)
            return None
        content = pedido.mensaje.hash
        veredicto = packing.judge(stored, content, self._w.clock(), provider_timeout=self._s.provider_timeout)
        self._log(
            "ya_reclamado", external_reference=pedido.external_reference, estado=stored.estado, caso=veredicto.name
        )
        match veredicto:
            case Veredicto.CONOCIDO:
                self._tell_and_ack([(pedido, stored)])
            case Veredicto.RECHAZO_REPETIDO:
                self._tell_and_ack([(pedido, as_refused(stored, content))])
            case Veredicto.CONFLICTO:
                reject(pedido.registro, conflict(pedido.external_reference), self._inbox, self._w, self._s)
            case Veredicto.RECLAMAR:
                return self._claim_again(pedido, reclamo, stored)
            case Veredicto.PREGUNTAR:
                self._to_ask.append(Claimed(pedido, stored))
            case Veredicto.DEJAR:
                pass
            case _:
                assert_never(veredicto)
        return None

    def _claim_again(self, pedido: Pedido, reclamo: Reclamo, stored: Asiento) -> Asiento | None:
        hooks = self._w.ledger.hooks(stored.cuenta, stored.external_reference)
        if packing.contradicted(stored, hooks):
            self._to_ask.append(Claimed(pedido, stored))
            return None
        claimed = self._w.ledger.claim_again(reclamo, stored, frozenset(h.hook_id for h in hooks))
        if isinstance(claimed, Refused):
            if reclamo.reemplaza and claimed.stored == stored:
                self._replacement_refused(pedido)
            return None
        return claimed

    def _replacement_refused(self, pedido: Pedido) -> None:
        """Only a deleted comprobante may be replaced, and once. One that is still open may yet be deleted: wait."""
        reemplaza = pedido.mensaje.reemplaza
        assert reemplaza is not None  # noqa: S101 - only a replacement is refused with nothing stored
        old = self._w.ledger.get(self._cuenta.alias, reemplaza)
        falla = packing.replacement_fault(old, reemplaza, pedido.external_reference)
        if falla:
            refuse(Invalido(pedido.registro, pedido.mensaje, (falla,)), self._inbox, self._w, self._s)

    # -- POST ----------------------------------------------------------------------------------------------------

    def _post(self, lote: list[Claimed]) -> list[Posted]:
        if not self._may_leave(lote):
            self._record_not_sent(lote)
            return []
        return post(lote, send=self._send_lote, renew=self._renew, room=self._room)

    def _may_leave(self, lote: Sequence[Claimed]) -> bool:
        """The last look at the clock before the POST: it leaves before the `post_hasta` of its claims, or never."""
        latest = self._w.clock() + self._s.time_to_leave
        in_time = all(c.asiento.post_hasta and latest <= c.asiento.post_hasta for c in lote)
        return in_time and self._time_for(self._s.time_for_a_lote)

    def _send_lote(self, pedidos: Sequence[Pedido]) -> LoteProcesado | NoEnviado | Incierto:
        left, alias = self._w.clock(), self._cuenta.alias
        outcome = self._send_one_lote(pedidos)
        self._count(Metrica.LOTES, 1)
        self._w.measure(Metrica.RESPUESTA, (self._w.clock() - left) / timedelta(milliseconds=1), cuenta=alias)
        if self._cuenta.modo != "individual":
            self._w.measure(Metrica.LLENADO, 100 * len(pedidos) / packing.LOTE_MAX, cuenta=alias)
        return outcome

    def _send_one_lote(self, pedidos: Sequence[Pedido]) -> LoteProcesado | NoEnviado | Incierto:
        if self._cuenta.modo == "individual":
            (pedido,) = pedidos
            outcome = self._cliente.nuevo_encola(pedido.listo.peticion)
            if isinstance(outcome, Aceptado | Rechazado):
                return LoteProcesado({pedido.external_reference: outcome})
            return outcome
        return self._cliente.lotes_encola([pedido.listo.peticion for pedido in pedidos])

    def _room(self) -> int | None:
        """What the plan has left, by the provider's own count; None where it does not say."""
        consumo = self._cliente.consumo() if self._time_for(self._s.time_to_ask) else None
        return consumo.disponibles if isinstance(consumo, Consumo) else None

    def _renew(self, lote: Sequence[Claimed]) -> list[Claimed]:
        if not self._time_for(self._s.time_for_a_lote):
            self._record_not_sent(lote)
            return []
        post_hasta = self._w.clock() + self._s.post_within
        renewed = [(c.pedido, self._w.ledger.renew(c.asiento, post_hasta)) for c in lote]
        still = [Claimed(pedido, asiento) for pedido, asiento in renewed if isinstance(asiento, Asiento)]
        if still and not self._may_leave(still):
            self._record_not_sent(still)
            return []
        return still

    def _record_not_sent(self, lote: Sequence[Claimed]) -> None:
        """Given back unsent for lack of time: the next invocation takes them."""
        for c in lote:
            self._w.ledger.not_sent(c.asiento)
            self._inbox.come_again_soon(c.pedido.registro)

    # -- record --------------------------------------------------------------------------------------------------

    def _record(self, posted: Sequence[Posted]) -> None:
        """Each outcome, on the condition that the lote is still ours; then the door, the events, the acks."""
        known: list[tuple[Pedido, Asiento]] = []
        whole: dict[str, tuple[Causa, ...]] = {}
        for (pedido, asiento), outcome, dudoso in posted:
            reference = pedido.external_reference
            match outcome:
                case Aceptado():
                    known.append((pedido, self._accepted(asiento)))
                case Rechazado():
                    lineas = read_lines(outcome.errores or (outcome.detalle,))
                    causas = tuple(Causa(linea.codigo, "", linea.texto) for linea in lineas)
                    refused = self._w.ledger.refused(asiento, causas)
                    stored = refused.stored if isinstance(refused, Refused) else refused
                    if stored and stored.estado is Estado.RECHAZADO:
                        known.append((pedido, stored))
                        whole[reference] = causas
                case NoEnviado():
                    self._w.ledger.not_sent(asiento, dudoso=dudoso)
                case Incierto():
                    self._w.ledger.uncertain(asiento)
                case _:
                    assert_never(outcome)
            detalle = "" if isinstance(outcome, Aceptado) else outcome.detalle
            codigo = "Aceptado" if isinstance(outcome, Aceptado) else outcome.codigo
            self._log(
                "resultado", external_reference=reference, lote_id=asiento.lote_id, codigo=codigo, detalle=detalle
            )
        for metrica, kind in _OUTCOMES.items():
            # Zeros too: what share of them is uncertain is watched.
            self._w.measure(metrica, sum(isinstance(p.outcome, kind) for p in posted), cuenta=self._cuenta.alias)
        self._after(posted)
        self._tell_and_ack(known, whole)

    def _accepted(self, asiento: Asiento) -> Asiento:
        """ENVIADO, unless a hook was faster than our record: then its state stays, and the evidence is kept."""
        written = self._w.ledger.accepted(asiento)
        if isinstance(written, Asiento):
            return written
        stored = written.stored
        if stored is None or stored.lote_id != asiento.lote_id:
            self._log("lote_ajeno", external_reference=asiento.external_reference, lote_id=asiento.lote_id)
            return stored or asiento
        if stored.en_cola:
            return stored
        kept = self._w.ledger.evidence(stored)
        return kept if isinstance(kept, Asiento) else kept.stored or stored
