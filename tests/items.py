"""ESTADO items as they lie in the table, written and read behind the ledger's back."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from facturacion.asiento import Asiento, Causa, Datos, asiento_from_item
from facturacion.estado import Estado
from facturacion.ledger import Reclamo
from facturacion.tiempo import to_iso
from tests.clock import START

TABLE = "ledger"
LATER = START + timedelta(hours=3)
"""When a test writes to what was there before."""
NOW = to_iso(LATER)
CAUSA = Causa("falta_campo", "cliente.documento_nro", "Falta este dato.")
EVERY = frozenset(e.value for e in Estado)
_serialize, _deserialize = TypeSerializer().serialize, TypeDeserializer().deserialize

A_1 = {
    "pk": "norte#A-1",
    "sk": "ESTADO",
    "cuenta": "norte",
    "external_reference": "A-1",
    "estado": "ENVIANDO",
    "version": 3,
    "previos": 0,
    "hash": "hash-1",
    "tipo": "FACTURA B",
    "fecha": "2026-03-02",
    "vencimiento": "2026-03-12",
    "total": "121.00",
    "lote_id": "L1",
    "post_hasta": to_iso(START),
    "quieto_desde": to_iso(START),
    "orden": "2026-03-02T12:00:00.000Z#L1#0000",
    "abierto": "norte",
    "creado": to_iso(START),
    "actualizado": to_iso(START),
}
"""Claimed by lote L1, version 3."""
CLAIM = {
    "estado": "ENVIANDO",
    "lote_id": "L9",
    "post_hasta": NOW,
    "quieto_desde": NOW,
    "orden": "orden-9",
    "abierto": "norte",
}
"""What `reclamo()` makes of it."""


def datos(content="hash-1"):
    """What A_1 says of its content."""
    return Datos(content, "FACTURA B", date(2026, 3, 2), date(2026, 3, 12), Decimal("121.00"))


def reclamo(content="hash-1", lote_id="L9", reemplaza=None, reference="A-1"):
    """A claim of lote L9, at LATER."""
    return Reclamo(
        cuenta="norte",
        external_reference=reference,
        datos=datos(content),
        lote_id=lote_id,
        post_hasta=LATER,
        orden="orden-9",
        reemplaza=reemplaza,
    )


def item(**changes):
    """A_1 with `changes`; None takes an attribute away."""
    return {name: value for name, value in (A_1 | changes).items() if value is not None}


def put_item(dynamodb, **changes):
    """Puts `item(**changes)`; gives it back as an Asiento."""
    plain = item(**changes)
    dynamodb.put_item(TableName=TABLE, Item={name: _serialize(value) for name, value in plain.items()})
    return as_asiento(**changes)


def as_asiento(**changes) -> Asiento:
    """What a writer holds who read `item(**changes)`."""
    return asiento_from_item(item(**changes))


def raw(dynamodb, pk="norte#A-1", sk="ESTADO"):
    """The item as it lies there, in plain values; {} where there is none."""
    answer = dynamodb.get_item(TableName=TABLE, Key={"pk": {"S": pk}, "sk": {"S": sk}}, ConsistentRead=True)
    return {name: _deserialize(value) for name, value in answer.get("Item", {}).items()}


def put_hook(dynamodb, hook_id, evento, *, pk="norte#A-1", **more):
    plain = {"pk": pk, "sk": f"HOOK#{hook_id}", "hook_id": hook_id, "evento": evento, **more}
    dynamodb.put_item(TableName=TABLE, Item={name: _serialize(value) for name, value in plain.items()})


def size(plain):
    """Bytes of an item by DynamoDB's published rules (UTF-8 names and values, numbers by digits, 3 per set or list)."""
    return sum(len(name.encode()) + _weight(_serialize(value)) for name, value in plain.items())


def _weight(typed):
    ((kind, value),) = typed.items()
    match kind:
        case "S":
            return len(value.encode())
        case "N":
            return 1 + (len(value.strip("-").replace(".", "")) + 1) // 2
        case "B":
            return len(value)
        case "BOOL" | "NULL":
            return 1
        case "SS":
            return 3 + sum(len(text.encode()) for text in value)
        case "L":
            return 3 + sum(1 + _weight(element) for element in value)
    raise AssertionError(kind)
