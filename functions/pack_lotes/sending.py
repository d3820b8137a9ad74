"""From messages to lotes at the provider: claim, POST, record, tell. Everything here changes the world.

The steps for one comprobante, and what a crash right after each leaves behind:

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
from pack_lotes import packing
from pack_lotes.inbox import Inbox
from pack_lotes.refusing import Doubtful, Invalido, read, refuse, reject
from pack_lotes.ventanilla import Ventanilla
from pack_lotes.world import the_rest_goes_on

if TYPE_CHECKING:
    from pack_lotes.packing import Pedido, Registro
    from pack_lotes.world import Settings, World


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
        with the_rest_goes_on(world, message_id=registro.message_id):
            asked = _understand(registro, inbox, world, settings)
            if isinstance(asked, Doubtful):
                doubtful.append(asked)
            elif asked:
                understood.append(asked)
    pedidos, repeats = packing.without_repeats(understood)
    for repeat in repeats:
        # Its twin has its turn now; next time this one finds a known state.
        inbox.come_again_soon(repeat.registro)
    turns = dict(packing.by_cuenta(pedidos))
    for doubt in doubtful:
        turns.setdefault(doubt.invalido.mensaje.cuenta, [])
    for alias, group in turns.items():
        with the_rest_goes_on(world, cuenta=alias):
            cuenta = world.cuentas.get(alias)
            if cuenta:
                with world.connect(cuenta) as cliente:
                    ventanilla = Ventanilla(cuenta, cliente, inbox, world, settings)
                    ventanilla.send(group)
                    ventanilla.ask([d for d in doubtful if d.invalido.mensaje.cuenta == alias])
    with the_rest_goes_on(world):
        inbox.postpone()
    return inbox.open_ids


def _understand(registro: Registro, inbox: Inbox, world: World, settings: Settings) -> Pedido | Doubtful | None:
    asked = read(
        registro,
        find_cuenta=world.cuentas.get,
        default_cuenta=settings.default_cuenta,
        queue_fce=settings.queue_fce,
        total_tolerance=settings.total_tolerance,
    )
    if isinstance(asked, Ininteligible):
        reject(registro, asked, inbox, world, settings)
        return None
    if isinstance(asked, Invalido):
        return refuse(asked, inbox, world, settings)
    return asked
