"""Reading each message by itself, and what becomes of those that are not sent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from facturacion.asiento import Causa, Datos
from facturacion.mensaje import Ininteligible, Mensaje, fallas_del_sobre, leer, sin_credenciales
from pack_lotes.packing import Pedido, Registro
from tusfacturas.models import Reglas, preparar

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from mypy_boto3_sqs import SQSClient

    from facturacion.cuentas import Cuenta
    from tusfacturas.outcomes import Falla

_NOT_FOR_SQS = re.compile("[^\x09\x0a\x0d\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What SQS takes in no message, although a body that came through it can spell it."""
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
    listo = preparar(mensaje.cliente, mensaje.comprobante, reglas)
    fallas = fallas_del_sobre(mensaje) + (listo if isinstance(listo, tuple) else ())
    if fallas or isinstance(listo, tuple):
        return Invalido(registro, mensaje, fallas)
    return Pedido(registro, mensaje, listo)


def send_to_rejected(sqs: SQSClient, queue_url: str, registro: Registro, codigo: str, motivo: str) -> None:
    """The message as it came, without credentials, with the reason beside it.

    A crash before the message is acknowledged leaves a second copy there; a person reads that queue.
    """
    body = _NOT_FOR_SQS.sub("\ufffd", sin_credenciales(registro.body)) or " "
    cut = body.encode("utf-8", "surrogatepass")[:BODY_MAX_BYTES].decode("utf-8", "ignore")
    attributes = {"codigo": codigo, "motivo": motivo[:500], "message_id": registro.message_id}
    if len(cut) < len(body):
        attributes["cortado"] = "si"
    sqs.send_message(
        QueueUrl=queue_url,
        MessageBody=cut,
        MessageAttributes={name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()},
    )
