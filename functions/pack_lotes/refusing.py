"""Reading each message by itself, and what becomes of those that are not sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from facturacion.asiento import Asiento, Causa, Datos
from facturacion.cola import PROHIBIDO
from facturacion.estado import Estado
from facturacion.ledger import Refused
from facturacion.mensaje import Ininteligible, Mensaje, leer, revisar, sin_credenciales
from facturacion.metricas import Metrica
from facturacion.telling import tell
from pack_lotes import packing
from pack_lotes.packing import Pedido, Registro, Veredicto
from tusfacturas.models import Reglas

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from mypy_boto3_sqs import SQSClient

    from facturacion.cuentas import Cuenta
    from pack_lotes.inbox import Inbox
    from pack_lotes.world import Settings, World
    from tusfacturas.outcomes import Falla

BODY_MAX_BYTES = 1_040_000
"""What is kept of a body in the rejected queue: SQS takes 1 MiB with the attributes."""


@dataclass(frozen=True, slots=True)
class Invalido:
    """Understood, but it breaks the provider's rules: every fault, for its sender."""

    registro: Registro
    mensaje: Mensaje
    fallas: tuple[Falla, ...]

    @property
    def causas(self) -> tuple[Causa, ...]:
        return tuple(Causa(f.codigo, f.campo, f.mensaje) for f in self.fallas)

    @property
    def datos(self) -> Datos:
        return Datos(hash=self.mensaje.hash)


class Doubtful(NamedTuple):
    """It breaks the rules of today and waits to be sent again, and a hook says that it is at the provider already."""

    invalido: Invalido
    asiento: Asiento


def read(
    registro: Registro,
    *,
    find_cuenta: Callable[[str], Cuenta | None],
    default_cuenta: str | None,
    queue_fce: bool,
    total_tolerance: Decimal,
) -> Pedido | Invalido | Ininteligible:
    """What the message asks for. Raises what `find_cuenta` raises: then nothing is known of the message yet."""
    mensaje = leer(registro.body, cuenta_por_defecto=default_cuenta)
    if isinstance(mensaje, Ininteligible):
        return mensaje
    cuenta = find_cuenta(mensaje.cuenta)
    if cuenta is None:
        return Ininteligible("cuenta_desconocida", f"No hay ninguna cuenta «{mensaje.cuenta}» configurada.")
    reglas = Reglas(
        punto_venta=cuenta.punto_venta,
        permite_fce=queue_fce,
        tolerancia_total=total_tolerance,
    )
    listo = revisar(mensaje, reglas)
    if isinstance(listo, tuple):
        return Invalido(registro, mensaje, listo)
    return Pedido(registro, mensaje, listo)


def send_to_rejected(sqs: SQSClient, queue_url: str, registro: Registro, codigo: str, motivo: str) -> None:
    """The message as it came, without credentials, with the reason beside it.

    A crash before the message is acknowledged leaves a second copy there; a person reads that queue.
    """
    body = PROHIBIDO.sub("\ufffd", sin_credenciales(registro.body)) or " "
    cut = body.encode("utf-8", "surrogatepass")[:BODY_MAX_BYTES].decode("utf-8", "ignore")
    attributes = {"codigo": codigo, "motivo": motivo[:500], "message_id": registro.message_id}
    if len(cut) < len(body):
        attributes["cortado"] = "si"
    sqs.send_message(
        QueueUrl=queue_url,
        MessageBody=cut,
        MessageAttributes={name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()},
    )


def reject(registro: Registro, ilegible: Ininteligible, inbox: Inbox, world: World, settings: Settings) -> None:
    """To the queue that people read: there is nothing in this message that could be done."""
    codigo, motivo = ilegible.codigo, ilegible.mensaje
    send_to_rejected(world.sqs, settings.rejected_queue_url, registro, codigo, motivo)
    inbox.ack(registro)
    world.count(Metrica.MENSAJES_RECHAZADOS, 1)
    world.logger.warning("mensaje_rechazado", extra={"message_id": registro.message_id, "codigo": codigo})


def refuse(invalido: Invalido, inbox: Inbox, world: World, settings: Settings) -> Doubtful | None:
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
            asiento = stored if stored.datos.hash == mensaje.hash else as_refused(stored, mensaje.hash)
        elif stored.datos.hash != mensaje.hash and stored.datos.hash:
            reject(invalido.registro, conflict(reference), inbox, world, settings)
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
    world.count(Metrica.RECHAZADOS, 1, cuenta=cuenta)
    world.count(Metrica.RECHAZADOS_AQUI, 1, cuenta=cuenta)
    if tell([(asiento, causas)], ledger=world.ledger, bus=world.bus, at=world.clock())[0]:
        inbox.ack(invalido.registro)
    return None


def _may_be_refused(stored: Asiento, content: str) -> bool:
    if stored.estado is Estado.RECHAZADO:
        return content not in stored.rechazados
    return stored.estado is Estado.PENDIENTE and stored.datos.hash == content


def as_refused(stored: Asiento, content: str) -> Asiento:
    """The refusal of an earlier content of this reference, to be told again: nothing of the present one is."""
    return Asiento(
        cuenta=stored.cuenta,
        external_reference=stored.external_reference,
        estado=Estado.RECHAZADO,
        version=stored.version,
        datos=Datos(hash=content),
        causas=dict(stored.motivos).get(content, ()),
    )


def conflict(external_reference: str) -> Ininteligible:
    return Ininteligible(
        "conflicto_de_contenido",
        f"La referencia «{external_reference}» ya pertenece a un comprobante con otro contenido.",
    )
