"""Small pedidos, whole in every field, for tests that look at one or two of them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from facturacion.asiento import Asiento, Datos
from facturacion.estado import Estado
from facturacion.mensaje import Mensaje
from pack_lotes.packing import Pedido, Registro
from pack_lotes.posting import Claimed
from tests.clock import START
from tusfacturas.models import ComprobanteListo


def registro(message_id="m1", *, receives=1, sent_at=0, body="{}"):
    return Registro(
        message_id=message_id, receipt_handle=f"r-{message_id}", body=body, receive_count=receives, sent_at=sent_at
    )


def pedido(reference="A-1", *, cuenta="norte", fecha=date(2026, 3, 2), sent_at=0, message_id=None, reemplaza=None):
    return Pedido(
        registro=registro(message_id or f"m-{reference}", sent_at=sent_at),
        mensaje=Mensaje(
            cuenta=cuenta,
            external_reference=reference,
            cliente={},
            comprobante={},
            reemplaza=reemplaza,
            hash=f"hash-{reference}",
        ),
        listo=ComprobanteListo(
            external_reference=reference,
            tipo="FACTURA B",
            fecha=fecha,
            vencimiento=fecha + timedelta(days=10),
            total=Decimal("121.00"),
            peticion={"cliente": {}, "comprobante": {"external_reference": reference}},
        ),
    )


def claimed(reference="A-1", **asiento):
    """A pedido whose claim is ours: ENVIANDO, of lote L1."""
    of = pedido(reference)
    return Claimed(
        of,
        Asiento(
            **{
                "cuenta": of.mensaje.cuenta,
                "external_reference": reference,
                "estado": Estado.ENVIANDO,
                "version": 1,
                "datos": Datos(of.mensaje.hash),
                "lote_id": "L1",
                "post_hasta": START,
                "quieto_desde": START,
            }
            | asiento
        ),
    )
