"""The dead-letter queue is read: nobody else would look after a comprobante that only its message still holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from facturacion.estado import CONOCIDO, Estado
from facturacion.mensaje import Ininteligible, leer
from facturacion.telling import tell

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from facturacion.asiento import Asiento
    from facturacion.emission import Finishing

TURNS_MAX = 3
"""How often a message goes back to the queue: three times five days of trying."""
READ_MAX = 100
"""Messages read in one reconciliation."""
HIDDEN_SECONDS = 300
"""While it is looked at, so that one reconciliation sees each message once."""


@dataclass(frozen=True, slots=True)
class Queues:
    """Where messages come from and go to."""

    sqs: SQSClient
    queue_url: str
    dlq_url: str
    default_cuenta: str | None


def redrive(q: Queues, f: Finishing) -> tuple[int, int]:
    """(sent back, found settled). What can be neither stays where it is, with the alarm on.

    A crash between the copy to the queue and the deletion leaves two messages: the second finds a known state.
    """
    returned = settled = 0
    left: list[str] = []
    for _ in range(READ_MAX // 10):
        answer = q.sqs.receive_message(
            QueueUrl=q.dlq_url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=HIDDEN_SECONDS,
            MessageAttributeNames=["All"],
        )
        messages = answer.get("Messages", [])
        for message in messages:
            handle = message["ReceiptHandle"]
            try:
                if _is_settled(message["Body"], q, f):
                    settled += 1
                elif _send_back(message, q, f):
                    returned += 1
                else:
                    left.append(handle)
                    continue
                q.sqs.delete_message(QueueUrl=q.dlq_url, ReceiptHandle=handle)
            except (ClientError, BotoCoreError) as error:
                # It stays; the others do not wait for it.
                f.logger.exception("mensaje_muerto_sin_revisar", extra={"codigo": type(error).__name__})
                left.append(handle)
        if not messages:
            break
    for handle in left:
        # Visible, so that the alarm stays on.
        q.sqs.change_message_visibility(QueueUrl=q.dlq_url, ReceiptHandle=handle, VisibilityTimeout=0)
    f.count("MensajesDevueltos", returned)
    return returned, settled


def _is_settled(body: str, q: Queues, f: Finishing) -> bool:
    """Whether the effect of the message is certain, and told."""
    mensaje = leer(body, cuenta_por_defecto=q.default_cuenta)
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
    return asiento.estado in CONOCIDO or (asiento.estado is Estado.EN_REVISION and asiento.en_cola)


def _send_back(message: Any, q: Queues, f: Finishing) -> bool:
    attributes = message.get("MessageAttributes", {})
    noted = attributes.get("vueltas", {}).get("StringValue", "0")
    # The attribute may be the sender's own: what is no number of ours counts as the last turn.
    turns = int(noted) if noted.isascii() and noted.isdigit() and len(noted) < 4 else TURNS_MAX
    fields = {"message_id": message["MessageId"], "vueltas": turns}
    if turns >= TURNS_MAX:
        f.logger.error("mensaje_muerto", extra=fields)
        return False
    q.sqs.send_message(
        QueueUrl=q.queue_url,
        MessageBody=message["Body"],
        MessageAttributes={"vueltas": {"DataType": "Number", "StringValue": str(turns + 1)}},
    )
    f.logger.warning("mensaje_devuelto", extra=fields)
    return True
