"""The door of a cuenta at the provider: whether a new lote may leave, and asking about what is uncertain.

An uncertain outcome closes it until a query is answered; a provider that takes nothing of the cuenta closes it for a
time that grows. What waits at it is asked about in the same visit, for an answer is also what opens it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from facturacion.asking import ask, forget_absence, is_alive
from facturacion.contrast import FEW
from facturacion.estado import EN_VUELO, Estado
from facturacion.ledger import FORGOTTEN_AFTER
from facturacion.metricas import Metrica
from facturacion.telling import tell
from facturacion.tiempo import to_iso
from pack_lotes import packing
from pack_lotes.packing import Veredicto
from tusfacturas.outcomes import Consulta, EnMantenimiento, Incierto

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from facturacion.asiento import Asiento, Causa
    from facturacion.asking import Preguntado
    from facturacion.cuentas import Cuenta
    from pack_lotes.inbox import Inbox
    from pack_lotes.packing import Pedido
    from pack_lotes.posting import Claimed, Posted
    from pack_lotes.refusing import Doubtful, Invalido
    from pack_lotes.world import Settings, World
    from tusfacturas.client import Cliente
    from tusfacturas.outcomes import NoEnviado


class Door:
    """One cuenta's, for the length of one invocation. `_to_ask`: what must be asked about before it is sent again."""

    def __init__(self, cuenta: Cuenta, cliente: Cliente, inbox: Inbox, world: World, settings: Settings) -> None:
        self._cuenta = cuenta
        self._cliente = cliente
        self._inbox = inbox
        self._w = world
        self._s = settings
        self._puerta = world.ledger.puerta(cuenta.alias)
        went = self._puerta.retirada
        if went and world.clock() > went + FORGOTTEN_AFTER:
            # Its secret was restored by hand: whoever sends is not gone.
            world.ledger.mark_retired(cuenta.alias, retired=False)
        self._to_ask: list[Claimed] = []

    def _time_for(self, needed: timedelta) -> bool:
        return self._w.remaining() >= needed

    # -- the door ------------------------------------------------------------------------------------------------

    def _is_open(self) -> bool:
        """Whether a new lote may leave. A door closed by an uncertain outcome is opened by an answered query."""
        puerta = self._puerta
        if puerta.pausa:
            # A person's will, and no trouble of the cuenta's: it is counted where pauses are.
            self._log("puerta_cerrada", motivo="EnPausa", desde=to_iso(puerta.pausa.desde))
            return False
        if puerta.sin_reconstruir:
            self._held("puerta_cerrada", motivo="SinReconstruir")
            return False
        if puerta.cerrada_hasta and self._w.clock() < puerta.cerrada_hasta:
            self._held("puerta_cerrada", motivo=puerta.motivo, hasta=to_iso(puerta.cerrada_hasta))
            return False
        if puerta.incierta is None:
            return True
        uncertain = self._w.ledger.get(self._cuenta.alias, puerta.incierta)
        if uncertain and self._may_ask(uncertain):
            answered = self._ask_about(uncertain).answered
        else:
            answered = isinstance(self._cliente.consulta_por_referencia(puerta.incierta), Consulta)
        if answered:
            self._open(puerta.incierta)
        else:
            self._puerta = packing.after_silence(puerta, self._knock_again())
            self._w.ledger.change_puerta(puerta, self._puerta)
            self._held("puerta_cerrada", motivo=puerta.motivo, external_reference=puerta.incierta)
        return answered

    def _hold(self, pedidos: Sequence[Pedido]) -> None:
        """While the door is closed, all that wait at it come again together: a backlog should leave in full lotes."""
        until, now = self._puerta.cerrada_hasta, self._w.clock()
        if self._puerta.sin_reconstruir:
            until = now + timedelta(seconds=packing.DELAY_MAX_SECONDS)
        if pausa := self._puerta.pausa:
            look = packing.next_look(pausa.desde, now, first=self._s.retry_delay)
            until = min(look, pausa.hasta) if pausa.hasta else look
        if until and now < until:
            for pedido in pedidos:
                self._inbox.come_again_in(pedido.registro, (until - now).total_seconds())

    def _open(self, external_reference: str) -> None:
        opened = replace(self._puerta, incierta=None)
        # If another invocation closed it for another reference meanwhile, the one in the ledger counts.
        if self._w.ledger.change_puerta(self._puerta, opened, if_incierta=external_reference):
            self._puerta = opened
        else:
            self._puerta = self._w.ledger.puerta(self._cuenta.alias)

    def _after(self, posted: Sequence[Posted]) -> None:
        """What the outcomes of a lote mean for the next one."""
        if not posted:
            return
        before = self._puerta
        uncertain = next((p for p in posted if isinstance(p.outcome, Incierto)), None)
        held = packing.held_by([p.outcome for p in posted])
        if uncertain:
            assert isinstance(uncertain.outcome, Incierto)  # noqa: S101 - chosen so
            reference = uncertain.claimed.pedido.external_reference
            self._puerta = packing.after_uncertain(before, reference, uncertain.outcome)
        elif held:
            self._puerta = packing.after_not_sent(before, held, self._knock_again_at(held))
            self._held("no_enviado", motivo=held.codigo, detalle=held.detalle)
        else:
            self._puerta = packing.after_success(before)
        if any(p.dudoso for p in posted):
            self._puerta = packing.after_doubt(self._puerta, self._w.clock())
        self._w.ledger.change_puerta(before, self._puerta)

    def _knock_again_at(self, held: NoEnviado) -> datetime:
        now = self._w.clock()
        if isinstance(held, EnMantenimiento) and held.hasta and held.hasta > now:
            return min(held.hasta, now + timedelta(seconds=packing.DELAY_MAX_SECONDS))
        return self._knock_again()

    def _knock_again(self) -> datetime:
        """Later each time that the provider takes nothing of this cuenta."""
        base = max(1, round(self._s.retry_delay.total_seconds()))
        wait = packing.delay_seconds(self._puerta.golpes + 1, base=base, rng=self._w.rng)
        return self._w.clock() + timedelta(seconds=wait)

    # -- ask -----------------------------------------------------------------------------------------------------

    def ask(self, about: Sequence[Claimed | Doubtful]) -> None:
        """One after the other, while the provider answers and there is time."""
        left = list(about)
        while left and self._time_for(self._s.time_to_ask):
            pedido, asiento = left.pop(0)
            if not self._ask(pedido, asiento):
                # Its silence counts towards nobody's absence.
                for _, silent in left:
                    forget_absence(silent, self._w.ledger)
                break

    def _may_ask(self, asiento: Asiento) -> bool:
        now = self._w.clock()
        return asiento.estado in EN_VUELO and not is_alive(asiento, now, provider_timeout=self._s.provider_timeout)

    def _worth_asking(self) -> list[Claimed]:
        """By reference where absence would count; while it would not, a contrast's date pages find many at once."""
        now = self._w.clock()
        quiet = self._s.quiet
        late = [c for c in self._to_ask if c.asiento.quieto_desde and now >= c.asiento.quieto_desde + quiet]
        asked = late or self._to_ask[:FEW]
        if len(asked) < len(self._to_ask):
            self._w.ledger.owe_contrast(self._cuenta.alias)
        return asked

    def _ask(self, pedido: Pedido | Invalido, asiento: Asiento) -> bool:
        """Whether the provider answered: if it does not, nobody else is asked about in this invocation."""
        preguntado = self._ask_about(asiento)
        after = preguntado.asiento
        veredicto = packing.judge(
            after, pedido.mensaje.hash, self._w.clock(), provider_timeout=self._s.provider_timeout
        )
        if veredicto is Veredicto.CONOCIDO:
            self._tell_and_ack([(pedido, after)])
        elif preguntado.answered and packing.worth_returning_soon(
            asiento, after, self._w.clock(), settle=self._s.settle
        ):
            self._inbox.come_again_soon(pedido.registro)
        if preguntado.answered and self._puerta.incierta:
            self._open(self._puerta.incierta)
        return preguntado.answered

    def _ask_about(self, asiento: Asiento) -> Preguntado:
        preguntado = ask(
            asiento,
            ledger=self._w.ledger,
            cliente=self._cliente,
            clock=self._w.clock,
            quiet=self._s.quiet,
            settle=self._s.settle,
        )
        self._log(
            "consultado",
            external_reference=asiento.external_reference,
            lote_id=asiento.lote_id,
            estado=preguntado.asiento.estado,
            respondio=preguntado.answered,
            motivo=preguntado.motivo,
        )
        if preguntado.asiento.estado in {Estado.EMITIDO, Estado.ERROR}:
            # Its CAE is fetched, or its run is woken, by the reconciliation, which gets many with one query.
            self._w.ledger.owe_contrast(self._cuenta.alias)
        return preguntado

    # -- tell ----------------------------------------------------------------------------------------------------

    def _tell_and_ack(
        self,
        known: Sequence[tuple[Pedido | Invalido, Asiento]],
        causas: dict[str, tuple[Causa, ...]] | None = None,
    ) -> None:
        owed = [(asiento, (causas or {}).get(asiento.external_reference)) for _, asiento in known]
        told = tell(owed, ledger=self._w.ledger, bus=self._w.bus, at=self._w.clock())
        for (pedido, _), out in zip(known, told, strict=True):
            if out:
                self._inbox.ack(pedido.registro)

    def _held(self, what: str, **fields: object) -> None:
        self._count(Metrica.CUENTA_DETENIDA, 1)
        self._log(what, **fields)

    def _count(self, metrica: Metrica, valor: int) -> None:
        self._w.count(metrica, valor, cuenta=self._cuenta.alias)

    def _log(self, what: str, **fields: object) -> None:
        self._w.logger.info(what, extra={"cuenta": self._cuenta.alias, **fields})
