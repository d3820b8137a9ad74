"""The dead-letter queue is read: nobody else would look after a comprobante that only its message still holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from facturacion.colas import Vistazo, attributes_without, text_of
from facturacion.estado import CONOCIDO, Estado
from facturacion.mensaje import Ininteligible, Mensaje, leer
from facturacion.metricas import Metrica
from facturacion.telling import tell

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from facturacion.asiento import Asiento
    from facturacion.emission import Finishing

TURNS_MAX = 3
"""How often a message goes back to the queue: three times five days of trying."""
TURNS = "vueltas"
"""The attribute that counts them."""
READ_MAX = 100
"""Messages read in one reconciliation."""


@dataclass(frozen=True, slots=True)
class Queues:
    """Where messages come from and go to."""

    sqs: SQSClient
    queue_url: str
    dlq_url: str
    default_cuenta: str | None


def redrive(q: Queues, f: Finishing) -> tuple[int, int]:
    """(sent back, found settled). What can be neither stays where it is, with the alarm on."""
    returned = settled = 0
    look = Vistazo(q.sqs, q.dlq_url)
    for message in look.messages(READ_MAX):
        try:
            mensaje = leer(message["Body"], cuenta_por_defecto=q.default_cuenta)
            if _is_settled(mensaje, f):
                settled += 1
                look.drop(message)
            elif _send_back(look, message, mensaje, q, f):
                returned += 1
        except (ClientError, BotoCoreError) as error:
            # It stays; the others do not wait for it.
            f.logger.exception("mensaje_muerto_sin_revisar", extra={"codigo": type(error).__name__})
    look.give_back()
    f.count(Metrica.MENSAJES_DEVUELTOS, returned)
    return returned, settled


def _is_settled(mensaje: Mensaje | Ininteligible, f: Finishing) -> bool:
    """Whether the effect of the message is certain, and told."""
    if isinstance(mensaje, Ininteligible):
        return False
    asiento = f.ledger.get(mensaje.cuenta, mensaje.external_reference)
    if asiento is None:
        return False
    if mensaje.hash in asiento.rechazados:
        return True
    if asiento.datos.hash != mensaje.hash or not _known(asiento):
        return False
    return tell([(asiento, None)], ledger=f.ledger, bus=f.bus, at=f.clock())[0]


def _known(asiento: Asiento) -> bool:
    in_review = asiento.estado is Estado.EN_REVISION and asiento.en_cola
    return in_review or (asiento.estado in CONOCIDO and not asiento.only_decided)


def _send_back(look: Vistazo, message: Any, mensaje: Mensaje | Ininteligible, q: Queues, f: Finishing) -> bool:
    """What died waiting for a pause to end has lost no turn."""
    noted = text_of(message, TURNS) or "0"
    # The attribute may be the sender's own: what is no number of ours counts as the last turn.
    turns = int(noted) if noted.isascii() and noted.isdigit() and len(noted) < 4 else TURNS_MAX
    fields = {"message_id": message["MessageId"], "vueltas": turns}
    if turns >= TURNS_MAX:
        f.logger.error("mensaje_muerto", extra=fields)
        return False
    paused = isinstance(mensaje, Mensaje) and f.ledger.pausa_of(mensaje.cuenta)
    turn = {"DataType": "Number", "StringValue": str(turns if paused else turns + 1)}
    look.move(message, q.queue_url, {**attributes_without(message, {TURNS}, room=1), TURNS: turn})
    f.logger.warning("mensaje_devuelto", extra=fields)
    return True
