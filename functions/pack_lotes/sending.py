"""From messages to lotes at the provider: claim, POST, record, tell. Everything here changes the world.

The steps for one comprobante, and what a crash right after each leaves behind:

0. note that it was received        nothing was done about it: its message comes again, and is noted again
1. claim (ENVIANDO, `post_hasta`)   an orphan; its message comes again, finds it, waits until that POST can no longer
                                    be under way, and then asks the provider
2. POST                             the same orphan; the provider may have it: it is asked, never sent blindly again
3. record the outcome               its message comes again and finds a known state, or INCIERTO: it asks
4. publish the event                it is published again, with the same `evento_id`
5. acknowledge                      nothing is left

Before the claim the hooks of the reference are read: what the provider has spoken of is never posted blindly.

A message is acknowledged only once its effect is certain. There is no second retry machine: what is not acknowledged
comes again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from facturacion.mensaje import Ininteligible
from facturacion.metricas import Metrica
from pack_lotes import packing
from pack_lotes.inbox import Inbox
from pack_lotes.packing import Pedido
from pack_lotes.refusing import Invalido, read, refuse, reject
from pack_lotes.ventanilla import Ventanilla
from pack_lotes.world import the_rest_goes_on

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date

    from pack_lotes.packing import Registro
    from pack_lotes.refusing import Doubtful
    from pack_lotes.world import Settings, World


def send(messages: list[Registro], world: World, settings: Settings) -> list[str]:
    """The ids of the messages that must come again (`batchItemFailures`)."""
    world.count(Metrica.RECIBIDOS, sum(m.receive_count == 1 for m in messages))
    inbox = Inbox(
        messages,
        sqs=world.sqs,
        queue_url=settings.queue_url,
        base=max(1, round(settings.retry_delay.total_seconds())),
        rng=world.rng,
    )
    asked = _understood(messages, inbox, world, settings)
    pedidos, repeats = packing.without_repeats(a for a in asked if isinstance(a, Pedido))
    for repeat in repeats:
        # Its twin has its turn now; next time this one finds a known state.
        inbox.come_again_soon(repeat.registro)
    turns = dict(packing.by_cuenta(pedidos))
    noted: dict[str, list[Doubtful]] = {}
    for alias in dict.fromkeys([*turns, *(a.mensaje.cuenta for a in asked)]):
        with the_rest_goes_on(world, cuenta=alias):
            its = [a for a in asked if a.mensaje.cuenta == alias]
            _note_received(alias, its, world)
            noted[alias] = _refuse([a for a in its if isinstance(a, Invalido)], inbox, world, settings)
    for alias, doubtful in noted.items():
        with the_rest_goes_on(world, cuenta=alias):
            cuenta = world.cuentas.get(alias)
            if cuenta:
                with world.connect(cuenta) as cliente:
                    ventanilla = Ventanilla(cuenta, cliente, inbox, world, settings)
                    ventanilla.send(turns.get(alias, []))
                    ventanilla.ask(doubtful)
    with the_rest_goes_on(world):
        inbox.postpone()
    _tell_age(messages, inbox.open_ids, world)
    return inbox.open_ids


def _tell_age(messages: Sequence[Registro], again: Collection[str], world: World) -> None:
    """SQS's own figure leaves out whatever was received more than three times: of those that wait it says nothing."""
    came = min((m.came for m in messages if m.message_id in again), default=None)
    if came:
        world.measure(Metrica.EDAD_MENSAJE, max((world.clock() - came).total_seconds(), 0.0))


def _understood(
    messages: Sequence[Registro], inbox: Inbox, world: World, settings: Settings
) -> list[Pedido | Invalido]:
    """What can be understood; the others are rejected."""
    understood = []
    for registro in messages:
        with the_rest_goes_on(world, message_id=registro.message_id):
            asked = read(
                registro,
                find_cuenta=world.cuentas.get,
                default_cuenta=settings.default_cuenta,
                queue_fce=settings.queue_fce,
                total_tolerance=settings.total_tolerance,
            )
            if isinstance(asked, Ininteligible):
                reject(registro, asked, inbox, world, settings)
            else:
                understood.append(asked)
    return understood


def _note_received(alias: str, asked: Sequence[Pedido | Invalido], world: World) -> None:
    """For the daily close. Where it cannot be noted nothing is done about them: they come again."""
    days: dict[date, list[Pedido | Invalido]] = {}
    for one in asked:
        days.setdefault(one.registro.dia, []).append(one)
    for day, its in days.items():
        contents = [(one.mensaje.external_reference, one.mensaje.hash) for one in its]
        world.ledger.note_received(alias, day, contents, first_message_id=its[0].registro.message_id)


def _refuse(invalidos: Sequence[Invalido], inbox: Inbox, world: World, settings: Settings) -> list[Doubtful]:
    """Those that wait to be asked about first."""
    doubtful = []
    for invalido in invalidos:
        with the_rest_goes_on(world, message_id=invalido.registro.message_id):
            doubt = refuse(invalido, inbox, world, settings)
            if doubt:
                doubtful.append(doubt)
    return doubtful
