"""Messages back to the queue, after a fix: from the dead-letter queue or from that of the rejected ones.

Each is copied to the queue, then deleted where it was (`facturacion.colas`): a crash between the two leaves it twice,
and the second one finds a known state. What was hidden by a look that died is in sight again after five minutes.

A person's order stands on the timeline of each message's reference, before it is moved; one that cannot be read has
none, and is only in the log.

The attributes that we put there are dropped: of a rejected one why it was, of a dead one its turns, for somebody mended
what it died of. The sender's own stay.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from facturacion.accion import Autor
from facturacion.colas import Vistazo, attributes_without, text_of
from facturacion.estado import Estado
from facturacion.mensaje import Ininteligible, Mensaje, leer
from facturacion.metricas import Metrica

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from operate.listing import World
    from operate.requests import Redirigir

LOOKED_MAX = 20_000
"""Messages of one request; SQS hides 120,000 of a queue at most."""
TIME_FOR_ONE = timedelta(seconds=10)
OURS = {"muertos": {"vueltas"}, "rechazados": {"codigo", "motivo", "message_id", "cortado"}}
CONFLICT = "conflicto_de_contenido"
UNKNOWN_CODE = "sin_codigo"


@dataclass(frozen=True, slots=True)
class Colas:
    """Where messages come from and go to. `wait`: seconds that a look at a queue waits for what it did not see."""

    sqs: SQSClient
    queue_url: str
    dlq_url: str
    rejected_queue_url: str
    default_cuenta: str | None
    wait: int = 1


def redrive(world: World, asked: Redirigir) -> dict[str, Any]:
    """`quedan`: on that queue afterwards, as SQS counts. `terminado`: False when there was no time for all of them."""
    colas = world.colas
    url = colas.dlq_url if asked.origen == "muertos" else colas.rejected_queue_url
    look = Vistazo(colas.sqs, url)
    moved: Counter[str] = Counter()
    refused: list[dict[str, str]] = []
    looked = 0
    whole = True
    for message in look.messages(LOOKED_MAX, wait=colas.wait):
        looked += 1
        codigo = text_of(message, "codigo") or UNKNOWN_CODE
        mensaje = leer(message["Body"], cuenta_por_defecto=colas.default_cuenta)
        if sum(moved.values()) >= asked.maximo or world.remaining() < TIME_FOR_ONE:
            whole = False
            break
        if not _is_asked_for(asked, codigo, mensaje):
            continue
        if why := _why_not(world, asked, codigo, message, mensaje):
            refused.append(_refusal(message, mensaje, *why))
        elif asked.simulacro or _moved(world, asked, look, (message, mensaje), codigo):
            moved[codigo] += 1
    look.give_back()
    counted = sum(moved.values())
    world.count(Metrica.REDIRIGIDOS, 0 if asked.simulacro else counted)
    return {
        "simulacro": asked.simulacro,
        "origen": asked.origen,
        "mirados": looked,
        "cantidad": counted,
        "por_codigo": dict(moved.most_common()),
        "negados": refused,
        "quedan": _left(colas.sqs, url),
        "terminado": whole,
    }


def _is_asked_for(asked: Redirigir, codigo: str, mensaje: Mensaje | Ininteligible) -> bool:
    of_cuenta = asked.cuenta is None or (isinstance(mensaje, Mensaje) and mensaje.cuenta == asked.cuenta)
    return of_cuenta and asked.codigo in {None, codigo}


def _why_not(
    world: World, asked: Redirigir, codigo: str, message: Any, mensaje: Mensaje | Ininteligible
) -> tuple[str, str] | None:
    """What would only be rejected again stays: it is its sender's to mend. A dead one is told apart by pack_lotes."""
    if asked.origen == "muertos":
        return None
    if text_of(message, "cortado"):
        return "Cortado", "Era demasiado grande y se guardó cortado: su emisor debe mandarlo otra vez."
    if isinstance(mensaje, Ininteligible):
        return mensaje.codigo, mensaje.mensaje
    if codigo == CONFLICT and _conflicts(world, mensaje):
        return CONFLICT, "Su referencia sigue siendo de otro contenido: su emisor debe mandarlo con otra."
    return None


def _conflicts(world: World, mensaje: Mensaje) -> bool:
    """Unless what stood in its way was refused since: then it is its correction."""
    stored = world.ledger.get(mensaje.cuenta, mensaje.external_reference)
    if stored is None or stored.estado is Estado.RECHAZADO:
        return False
    return mensaje.hash not in {stored.datos.hash, *stored.rechazados}


def _moved(
    world: World, asked: Redirigir, look: Vistazo, one: tuple[Any, Mensaje | Ininteligible], codigo: str
) -> bool:
    """`one`: as SQS gave it, and as it reads."""
    message, mensaje = one
    fields = {"message_id": message["MessageId"], "origen": asked.origen, "codigo": codigo}
    try:
        if isinstance(mensaje, Mensaje):
            autor = Autor(asked.quien, asked.motivo, world.solicitud)
            world.ledger.note(mensaje.cuenta, mensaje.external_reference, "redirigir", autor, expires=world.keep)
        look.move(message, world.colas.queue_url, attributes_without(message, OURS[asked.origen]))
    except (ClientError, BotoCoreError) as error:
        # It stays; the others do not wait for it.
        world.logger.exception("sin_redirigir", extra={**fields, "error": type(error).__name__})
        return False
    world.logger.warning("redirigido", extra={**fields, "solicitud": world.solicitud})
    return True


def _refusal(message: Any, mensaje: Mensaje | Ininteligible, codigo: str, motivo: str) -> dict[str, str]:
    whose = {"cuenta": "", "external_reference": ""}
    if isinstance(mensaje, Mensaje):
        whose = {"cuenta": mensaje.cuenta, "external_reference": mensaje.external_reference}
    return {"message_id": message["MessageId"], **whose, "codigo": codigo, "motivo": motivo}


def _left(sqs: SQSClient, url: str) -> int:
    said = sqs.get_queue_attributes(
        QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    )["Attributes"]
    return sum(int(count) for count in said.values())
