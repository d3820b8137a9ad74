"""The provider's answers and hooks, key for key as its documentation shows them."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.sandbox.simulator.agenda import ARGENTINA
from tests.sandbox.simulator.rules import parse_number

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from tests.sandbox.simulator.cola import Item
    from tests.sandbox.simulator.rules import Falta

Json = dict[str, Any]

NOT_FOUND = "No se han encontrado comprobantes."
_SAVED = "El comprobante  se ha guardado correctamente "
_SOME_BAD = "El lote se procesara parcialmente ya que contiene errores en alguno de sus requests. "
_ALL_BAD = "El lote no se procesara ya que contiene errores en todos sus requests. "
_INTEGER = re.compile(r"0|[1-9]\d{0,17}")
_NUMERIC = re.compile(r"\d+(?:[eE]\d{1,2})?")


def dumps(value: object) -> bytes:
    """As PHP writes JSON: ASCII, with the slashes escaped."""
    return json.dumps(value, default=_plain).replace("/", "\\/").encode()


def _plain(value: object) -> int | float:
    if not isinstance(value, Decimal):
        raise TypeError(f"not JSON: {type(value).__name__}")
    return number(value)


def number(value: object) -> int | float:
    decimal = parse_number(value) or Decimal(0)
    return int(decimal) if decimal == decimal.to_integral_value() else float(decimal)


def date_text(day: date) -> str:
    return day.strftime("%d/%m/%Y")


def instant_text(moment: datetime) -> str:
    return moment.astimezone(ARGENTINA).strftime("%d/%m/%Y %H:%M:%S")


def reference(value: object, how: str) -> object:
    """A reference in an answer: one that looks numeric comes back as a number (contract §2.1, traps).

    `json_numeric_check` does as PHP's flag does: leading zeros are lost and `1e5` becomes 100000.
    """
    if not isinstance(value, str):
        return value
    if how == "numeros" and _INTEGER.fullmatch(value):
        return int(value)
    if how == "json_numeric_check" and _NUMERIC.fullmatch(value):
        as_float = float(value)
        return int(value) if value.isdigit() and as_float < 2**63 else as_float
    return value


def _queued(item: Item, how: str) -> Json:
    return {
        "error": "N",
        "errores": [],
        "cae": " ",
        "observaciones": "",
        "envio_x_mail": "N",
        "envio_x_mail_direcciones": "",
        "external_reference": reference(item.referencia, how),
        "rta": _SAVED,
        "vencimiento_cae": "01/01/2000",
        "vencimiento_pago": date_text(item.vencimiento),
        "comprobante_nro": f"{item.punto_venta:05d}-00000000",
        "comprobante_tipo": item.tipo,
        "afip_codigo_barras": "",
        "micrositios": {"cliente": "url-del-micrositio", "descarga": "url-del-micrositio"},
        "afip_qr": "",
        "comprobante_pdf_url": "",
    }


def lote_entry(item: Item, how: str) -> Json:
    return {**_queued(item, how), "cae_vencimiento": None, "tfc_generacion_tipo": 3}


def lote_refusal(position: int, sent_reference: object, found: Sequence[Falta], how: str) -> Json:
    return {
        "error": "S",
        "errores": [f"{_in_order(position, f.frase)}  Este request no se procesara." for f in found],
        "external_reference": "" if sent_reference is None else reference(sent_reference, how),
        "rta": "Eror. No se procesara",
    }


def _in_order(position: int, frase: str) -> str:
    return f"El request enviado en el orden {position} (comenzando en 0) {frase}"


def lote(accepted: list[Json], refused: list[Json], *, taken: int, list_all_refused: bool) -> Json:
    """Accepted ones in the order of the request, refused ones last, whatever their position was (contract §2.1).

    The text counts the `taken`, also where the list leaves some out.
    """
    if not refused:
        return {"error": "N", "errores": [], "response": accepted}
    sent = taken + len(refused)
    if taken:
        return whole_refusal([_SOME_BAD + _counts(sent, taken)], accepted + refused)
    return whole_refusal([_ALL_BAD + _counts(sent, 0)], refused if list_all_refused else [])


def _counts(sent: int, taken: int) -> str:
    return f"Se enviaron a procesar: {sent} requests y se aceptaron procesar: {taken}. "


def whole_refusal(errors: list[str], response: list[Json] | None = None) -> Json:
    return {"error": "S", "errores": errors, "error_cod": [], "error_details": [], "response": response or []}


def too_many(sent: int, most: int) -> Json:
    limit = f"Esta enviando {sent} requests, cuando el limite permitido es {most}. El lote no se procesara."
    return whole_refusal([limit, _ALL_BAD + _counts(sent, 0)])


def seed_refusal(position: int, fault: Falta) -> Json:
    """SEED's form (2022): any bad request refuses the lote; there is no `response` key."""
    text = f"{_in_order(position, fault.frase)} El lote no se procesara."
    return {"error": "S", "errores": [text], "error_cod": [], "error_details": []}


def unreadable_refusal() -> Json:
    """A refusal of the whole lote that does not say which request is to blame."""
    text = "Se detectaron errores de validacion en los datos enviados. El lote no se procesara."
    return {"error": "S", "errores": [text], "error_cod": [], "error_details": []}


def single_accepted(item: Item, how: str) -> Json:
    return {
        **_queued(item, how),
        "error_cod": [],
        "error_details": [],
        "requiere_fec": "NO",
        "tfc_generacion_tipo": 6,
        "micrositios": {"cliente": "", "descarga": ""},
    }


def single_refused(sent_reference: object, found: Sequence[Falta], how: str) -> Json:
    return {
        "error": "S",
        "errores": [f.texto for f in found],
        "error_cod": [],
        "error_details": [{"code": f.codigo, "text": f.texto} for f in found if f.codigo],
        "external_reference": "" if sent_reference is None else reference(sent_reference, how),
    }


def done() -> Json:
    return {"error": "N", "errores": []}


def failed(*errors: str) -> Json:
    return {"error": "S", "errores": list(errors)}


def deletion(deleted: Sequence[Item], kept: Sequence[Item]) -> Json:
    """«PARCIAL» is the third value of `error`, and this method's alone (contract §1, §5)."""
    error = "N" if not kept and deleted else "PARCIAL" if deleted else "S"
    errors = [f"El comprobante {_name(item)} no se ha podido eliminar." for item in kept]
    return {
        "error": error,
        "errores": errors if deleted or kept else [NOT_FOUND],
        "procesados_cant": len(deleted),
        "procesados": [f"El comprobante {_name(item)} se ha eliminado correctamente. " for item in deleted],
    }


def _name(item: Item) -> str:
    return f"{item.tipo} {item.punto_venta:05d}-00000000"


def maintenance(until: datetime) -> Json:
    local = until.astimezone(ARGENTINA)
    return {
        "error": "S",
        "mantenimiento": 1,
        "mantenimiento_hasta": local.strftime("%d/%m/%Y %H:%M"),
        "errores": [f"Estaremos realizando tareas de mantenimiento hasta las {local:%H:%M}"],
    }


def hook_payload(*, creado: datetime, evento: str, referencia: str, intento: int, msg: list[str], hook_id: str) -> Json:
    return {
        "creado": instant_text(creado),
        "evento": evento,
        "recurso": "test" if evento == "test" else "facturacion",
        "external_reference": referencia,
        "intento": intento,
        "msg": msg,
        "hook_id": hook_id,
    }


def hook_headers(token: str | None) -> dict[str, str]:
    """The token's header is sent where the PDV has one (since 2025, contract §4)."""
    headers = {"Content-Type": "application/json", "User-Agent": "TusFacturasAPP-webhook/1.0"}
    return headers if token is None else {**headers, "TF-WebhookToken": token}
