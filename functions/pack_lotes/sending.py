"""From messages to lotes at the provider: claim, POST, record, tell. Everything here changes the world.

The steps for one comprobante, and what a crash right after each leaves behind:

1. claim (ENVIANDO, `post_hasta`)   an orphan; its message comes again, finds it, waits until that POST can no longer
                                    be under way, and then asks the provider
2. POST                             the same orphan; the provider may have it: it is asked, never sent blindly again
3. record the outcome               its message comes again and finds a known state, or INCIERTO: it asks
4. publish the event                it is published again, with the same `evento_id`
5. acknowledge                      nothing is left

A message is acknowledged only once its effect is certain. There is no second retry machine: what is not acknowledged
comes again.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple, assert_never

from botocore.exceptions import BotoCoreError, ClientError

from facturacion.asiento import Asiento, Causa, Datos
from facturacion.asking import UNKNOWN_REFERENCE, ask, is_alive
from facturacion.contrast import FEW
from facturacion.cuentas import CuentaMalConfigurada
from facturacion.estado import EN_VUELO, Estado, speaks
from facturacion.ledger import Reclamo, Refused
from facturacion.mensaje import Ininteligible
from facturacion.telling import tell
from facturacion.tiempo import to_iso
from pack_lotes import packing, refusing
from pack_lotes.inbox import Inbox
from pack_lotes.packing import Veredicto
from pack_lotes.posting import Claimed, Posted, post
from pack_lotes.refusing import Invalido
from tusfacturas.catalogue import read_lines
from tusfacturas.outcomes import (
    Aceptado,
    Consulta,
    Consumo,
    EnMantenimiento,
    Incierto,
    LoteProcesado,
    NoEnviado,
    Rechazado,
)

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from decimal import Decimal

    from aws_lambda_powertools import Logger
    from mypy_boto3_sqs import SQSClient

    from facturacion.asking import Preguntado
    from facturacion.cuentas import Cuenta, Cuentas
    from facturacion.events import Bus
    from facturacion.ledger import Ledger
    from pack_lotes.packing import Pedido, Registro
    from tusfacturas.client import Cliente


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment decides. `retry_delay`: the first wait of a message that comes again."""

    queue_url: str
    rejected_queue_url: str
    provider_timeout: timedelta
    quiet: timedelta
    settle: timedelta
    retry_delay: timedelta
    default_cuenta: str | None
    queue_fce: bool
    total_tolerance: Decimal

    @property
    def post_within(self) -> timedelta:
        """From the claim until its POST may no longer leave: time to connect, and for claiming a hundred (a second)."""
        return max(timedelta(seconds=15), min(timedelta(seconds=30), self.provider_timeout))

    @property
    def connect_timeout(self) -> timedelta:
        return min(timedelta(seconds=5), self.provider_timeout)

    @property
    def time_to_leave(self) -> timedelta:
        """The client connects within two attempts, or the request does not leave at all."""
        return 2 * self.connect_timeout

    @property
    def time_to_claim(self) -> timedelta:
        """Half of what is left for it: a lote that is slow to claim leaves with what it has."""
        return (self.post_within - self.time_to_leave) / 2

    @property
    def time_to_record(self) -> timedelta:
        """What recording a lote may need after its answer: 20 s with the real provider's timeout."""
        return max(timedelta(seconds=2), min(timedelta(seconds=20), self.provider_timeout / 5))

    @property
    def time_for_a_lote(self) -> timedelta:
        """No lote is begun with less time left."""
        return self.time_to_leave + self.provider_timeout + self.time_to_record

    @property
    def query_timeout(self) -> timedelta:
        return min(timedelta(seconds=30), self.provider_timeout)

    @property
    def time_to_ask(self) -> timedelta:
        """A query and its writes."""
        return self.time_to_leave + self.query_timeout + self.time_to_record / 2


@dataclass(frozen=True, slots=True)
class World:
    """Everything outside: AWS, the provider, the clock, ids, chance. `remaining`: until Lambda ends the invocation."""

    ledger: Ledger
    bus: Bus
    cuentas: Cuentas
    sqs: SQSClient
    connect: Callable[[Cuenta], Cliente]
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    rng: random.Random
    remaining: Callable[[], timedelta]
    logger: Logger
    count: Callable[[str, int], None]


def send(messages: list[Registro], world: World, settings: Settings) -> list[str]:
    """The ids of the messages that must come again (`batchItemFailures`)."""
    world.count("Recibidos", len(messages))
    inbox = Inbox(
        messages,
        sqs=world.sqs,
        queue_url=settings.queue_url,
        base=max(1, round(settings.retry_delay.total_seconds())),
        rng=world.rng,
    )
    understood: list[Pedido] = []
    doubtful: list[Doubtful] = []
    for registro in messages:
        with _the_rest_goes_on(world, message_id=registro.message_id):
            read = _understand(registro, inbox, world, settings)
            if isinstance(read, Doubtful):
                doubtful.append(read)
            elif read:
                understood.append(read)
    pedidos, repeats = packing.without_repeats(understood)
    for repeat in repeats:
        # Its twin has its turn now; next time this one finds a known state.
        inbox.come_again_soon(repeat.registro)
    turns = dict(packing.by_cuenta(pedidos))
    for doubt in doubtful:
        turns.setdefault(doubt.invalido.mensaje.cuenta, [])
    for alias, group in turns.items():
        with _the_rest_goes_on(world, cuenta=alias):
            cuenta = world.cuentas.get(alias)
            if cuenta:
                with world.connect(cuenta) as cliente:
                    ventanilla = _Ventanilla(cuenta, cliente, inbox, world, settings)
                    ventanilla.send(group)
                    ventanilla.ask([d for d in doubtful if d.invalido.mensaje.cuenta == alias])
    with _the_rest_goes_on(world):
        inbox.postpone()
    return inbox.open_ids


@contextmanager
def _the_rest_goes_on(world: World, **fields: str) -> Iterator[None]:
    """AWS failed, or a cuenta cannot be used: its messages stay, and stop nobody else's."""
    try:
        yield
    except (ClientError, BotoCoreError, CuentaMalConfigurada) as error:
        world.logger.exception("no_se_pudo", extra={**fields, "codigo": type(error).__name__})


class Doubtful(NamedTuple):
    """It breaks the rules of today and waits to be sent again, and a hook says that it is at the provider already."""

    invalido: Invalido
    asiento: Asiento


def _understand(registro: Registro, inbox: Inbox, world: World, settings: Settings) -> Pedido | Doubtful | None:
    read = refusing.read(
        registro,
        find_cuenta=world.cuentas.get,
        default_cuenta=settings.default_cuenta,
        queue_fce=settings.queue_fce,
        total_tolerance=settings.total_tolerance,
    )
    if isinstance(read, Ininteligible):
        _reject(registro, read, inbox, world, settings)
        return None
    if isinstance(read, Invalido):
        return _refuse(read, inbox, world, settings)
    return read


def _reject(registro: Registro, ilegible: Ininteligible, inbox: Inbox, world: World, settings: Settings) -> None:
    """To the queue that people read: there is nothing in this message that could be done."""
    codigo, motivo = ilegible.codigo, ilegible.mensaje
    refusing.send_to_rejected(world.sqs, settings.rejected_queue_url, registro, codigo, motivo)
    inbox.ack(registro)
    world.count("MensajesRechazados", 1)
    world.logger.warning("mensaje_rechazado", extra={"message_id": registro.message_id, "codigo": codigo})


def _refuse(invalido: Invalido, inbox: Inbox, world: World, settings: Settings) -> Doubtful | None:
    """RECHAZADO by us, and its event. A repeat of what was refused is told again; another content is a conflict.

    What is there already is refused on what was read of it, hooks included: where one of them says that what waits is
    at the provider, it must be asked about first.
    """
    mensaje, causas = invalido.mensaje, invalido.causas
    cuenta, reference = mensaje.cuenta, mensaje.external_reference
    written = world.ledger.refuse_unsent(cuenta, reference, invalido.datos, causas)
    if isinstance(written, Refused) and (stored := written.stored) and _may_be_refused(stored, mensaje.hash):
        if stored.estado is Estado.PENDIENTE and packing.contradicted(stored, world.ledger.hooks(cuenta, reference)):
            return Doubtful(invalido, stored)
        written = world.ledger.refuse_unsent(cuenta, reference, invalido.datos, causas, stored=stored)
    asiento = written
    if isinstance(written, Refused):
        stored = written.stored
        if stored is None:
            return None
        if mensaje.hash in stored.rechazados:
            asiento = stored if stored.datos.hash == mensaje.hash else _as_refused(stored, mensaje.hash)
        elif stored.datos.hash != mensaje.hash and stored.datos.hash:
            _reject(invalido.registro, _conflict(reference), inbox, world, settings)
            return None
        elif packing.judge(stored, mensaje.hash, world.clock(), provider_timeout=settings.provider_timeout) is (
            Veredicto.CONOCIDO
        ):
            # It was sent when the rules were others, and is what it is.
            asiento, causas = stored, stored.causas
        else:
            # It may be at the provider; the reconciliation asks about it.
            return None
    assert isinstance(asiento, Asiento)  # noqa: S101 - a refusal that was not written was replaced above
    fields = {
        "cuenta": cuenta,
        "external_reference": reference,
        "codigos": sorted({c.codigo for c in causas}),
    }
    world.logger.info("comprobante_rechazado", extra=fields)
    world.count("Rechazados", 1)
    if tell([(asiento, causas)], ledger=world.ledger, bus=world.bus, at=world.clock())[0]:
        inbox.ack(invalido.registro)
    return None


def _may_be_refused(stored: Asiento, content: str) -> bool:
    if stored.estado is Estado.RECHAZADO:
        return content not in stored.rechazados
    return stored.estado is Estado.PENDIENTE and stored.datos.hash == content


def _as_refused(stored: Asiento, content: str) -> Asiento:
    """The refusal of an earlier content of this reference, to be told again: nothing of the present one is."""
    return Asiento(
        cuenta=stored.cuenta,
        external_reference=stored.external_reference,
        estado=Estado.RECHAZADO,
        version=stored.version,
        datos=Datos(hash=content),
        causas=dict(stored.motivos).get(content, ()),
    )


def _conflict(external_reference: str) -> Ininteligible:
    return Ininteligible(
        "conflicto_de_contenido",
        f"La referencia «{external_reference}» ya pertenece a un comprobante con otro contenido.",
    )


class _Ventanilla:
    """One cuenta at the provider's counter, for the length of one invocation."""

    def __init__(self, cuenta: Cuenta, cliente: Cliente, inbox: Inbox, world: World, settings: Settings) -> None:
        self._cuenta = cuenta
        self._cliente = cliente
        self._inbox = inbox
        self._w = world
        self._s = settings
        self._puerta = world.ledger.puerta(cuenta.alias)
        self._to_ask: list[Claimed] = []

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

    def ask(self, about: Sequence[Claimed | Doubtful]) -> None:
        """One after the other, while the provider answers and there is time."""
        for pedido, asiento in about:
            if not (self._time_for(self._s.time_to_ask) and self._ask(pedido, asiento)):
                break

    def _in_turn(self, pedidos: Sequence[Pedido]) -> list[Pedido]:
        """As they came, in order; while some of the cuenta may be in doubt, those behind the others."""
        until = self._puerta.dudas_hasta
        if until is None or self._w.clock() >= until:
            return list(pedidos)
        asientos = self._w.ledger.get_many(self._cuenta.alias, [p.external_reference for p in pedidos])
        return packing.in_turn(pedidos, {a.external_reference: a.dudas for a in asientos})

    def _time_for(self, needed: timedelta) -> bool:
        return self._w.remaining() >= needed

    # -- the door ------------------------------------------------------------------------------------------------

    def _is_open(self) -> bool:
        """Whether a new lote may leave. A door closed by an uncertain outcome is opened by an answered query."""
        puerta = self._puerta
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

    # -- claim ---------------------------------------------------------------------------------------------------

    def _claim(self, queue: list[Pedido]) -> list[Claimed]:
        """Claims from the front of `queue` until the lote is full; what cannot be claimed is judged on the way."""
        begun = self._w.clock()
        post_hasta = begun + self._s.post_within
        lote_id = self._w.new_id()
        limit = packing.lote_limit(self._puerta, individual=self._cuenta.modo == "individual")
        # Who is in the lote is decided by their turn, their order in it by fecha.
        queue[:limit] = sorted(queue[:limit], key=lambda p: p.orden)
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
            )
            # Where AWS fails on one, those that were claimed before it still leave.
            with _the_rest_goes_on(self._w, cuenta=self._cuenta.alias, external_reference=pedido.external_reference):
                written = self._heard_of(reclamo) or self._w.ledger.claim(reclamo)
                asiento = self._lost(pedido, reclamo, written.stored) if isinstance(written, Refused) else written
                if asiento:
                    lote.append(Claimed(pedido, asiento))
        return lote

    def _heard_of(self, reclamo: Reclamo) -> Refused | None:
        """What stands before a claim, where the provider spoke of the reference before we did; None where it did not.

        The stream may not have folded the hook yet, and then nothing is written that would keep the claim from being
        the second invoice. One read each, one after the other: a hundred take a second or two of `time_to_claim`.
        """
        cuenta, reference = reclamo.cuenta, reclamo.external_reference
        if not any(speaks(hook) for hook in self._w.ledger.hooks(cuenta, reference)):
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
                self._tell_and_ack([(pedido, _as_refused(stored, content))])
            case Veredicto.CONFLICTO:
                conflict = _conflict(pedido.external_reference)
                _reject(pedido.registro, conflict, self._inbox, self._w, self._s)
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
            _refuse(Invalido(pedido.registro, pedido.mensaje, (falla,)), self._inbox, self._w, self._s)

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
        self._w.count("Lotes", 1)
        self._w.count("Aceptados", sum(isinstance(p.outcome, Aceptado) for p in posted))
        self._w.count("Inciertos", sum(isinstance(p.outcome, Incierto) for p in posted))
        self._w.count("Rechazados", sum(isinstance(p.outcome, Rechazado) for p in posted))
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

    # -- ask -----------------------------------------------------------------------------------------------------

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
        if after.estado is Estado.EMITIDO:
            # Its CAE is fetched by the reconciliation, which gets many with one query.
            self._w.ledger.owe_contrast(self._cuenta.alias)
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
        return preguntado

    def _held(self, what: str, **fields: object) -> None:
        self._w.count("CuentaDetenida", 1)
        self._log(what, **fields)

    def _log(self, what: str, **fields: object) -> None:
        self._w.logger.info(what, extra={"cuenta": self._cuenta.alias, **fields})
