"""A comprobante as the provider's queries show it."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.sandbox.simulator.answers import date_text, number, reference
from tests.sandbox.simulator.rules import parse_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.sandbox.simulator.cola import Item
    from tests.sandbox.simulator.plan import CuentaSim

Json = dict[str, Any]


def found(items: Sequence[Json], total: int) -> Json:
    return {"rta": "OK", "error": "N", "total": total, "errores": [], "comprobantes": list(items)}


def found_one(entry: Json, item: Item) -> Json:
    sent = item.entrada["comprobante"]
    comprobante = {
        **entry["comprobante"],
        "idioma": number(sent.get("idioma", 1)),
        "afip_observaciones": "",
        "abono": "N",
        "comprobantes_asociados_periodos": sent.get("comprobantes_asociados_periodo") or {},
    }
    head = {"error": "N", "errores": [""], "rta": "OK"}
    return {**head, "cliente": entry["cliente"], "comprobante": comprobante}


def entry(item: Item, cuenta: CuentaSim, how: str, pdf_url: str) -> Json:
    """One of consulta_avanzada's `comprobantes` (contract §6): trailing spaces, numeric references and all."""
    cliente, sent = item.entrada["cliente"], item.entrada["comprobante"]
    issued = item.estado == "EMITIDO"
    valid = issued and item.cae != ""
    texts = ("periodo_facturado_desde", "periodo_facturado_hasta", "rubro", "rubro_grupo_contable")
    comprobante = {
        "fecha": date_text(item.fecha),
        "tipo": item.tipo,
        "operacion": "V",
        "punto_venta": item.punto_venta,
        "numero": item.numero if issued else 0,
        "moneda": sent.get("moneda") or "PES",
        "cotizacion": number(sent.get("cotizacion", 1)),
        **{name: str(sent.get(name) or "") for name in texts},
        "detalle": [_line(line, issued=issued) for line in sent["detalle"]],
        "bonificacion": number(sent.get("bonificacion", 0)),
        "leyenda_gral": sent.get("leyenda_gral") or " ",
        "percepciones_iibb": 0,
        "percepciones_iva": 0,
        "tributos": [_tributo(t) for t in sent.get("tributos") or []],
        "exentos": 0,
        "nogravados": 0,
        **{f"impuestos_internos{x}": number(sent.get(f"impuestos_internos{x}", 0)) for x in ("", "_base", "_alicuota")},
        "total": number(item.total),
        "cae": f"{item.cae} " if issued else " ",
        "afip_codigo_barras": f"{barcode(item, cuenta)} " if valid else " ",
        "afip_qr": f"{qr(item, cuenta)} " if valid else "",
        "vencimiento_cae": date_text(item.cae_vencimiento) if valid and item.cae_vencimiento else "",
        "vencimiento_pago": date_text(item.vencimiento),
        "comprobante_pdf_url": pdf_url,
        **({"comprobante_ticket_url": pdf_url} if issued else {}),
        "external_reference": reference(item.referencia, how),
        "tags": sent.get("tags") or [],
        "status": item.status,
        "ctacte_status": "IMPAGA" if issued else "",
        "micrositios": {
            "cliente": "https://servicios.tusfacturas.app/micrositios/c/x/y/1/acceder",
            "descarga": f"https://servicios.tusfacturas.app/micrositios/descargas/x/y/z/{item.id:08d}",
        },
    }
    return {
        "cliente": {
            "documento_tipo": cliente["documento_tipo"],
            "documento_nro": f"{cliente['documento_nro']} ",
            "razon_social": cliente["razon_social"],
            "email": cliente.get("email", ""),
            "domicilio": cliente["domicilio"],
        },
        "comprobante": comprobante,
    }


def _line(line: Json, *, issued: bool) -> Json:
    sent = line["producto"]
    percent = parse_number(line.get("bonificacion_porcentaje", 0)) or Decimal(0)
    gross = (parse_number(line["cantidad"]) or Decimal(0)) * (
        parse_number(sent["precio_unitario_sin_iva"]) or Decimal(0)
    )
    producto = {
        "descripcion": sent["descripcion"],
        "precio_unitario": number(sent["precio_unitario_sin_iva"]),
        "alicuota": number(sent["alicuota"]),
        "precio_total": number(gross * (1 - percent / 100)),
    }
    shown = {"cantidad": number(line["cantidad"]), "producto": producto, "leyenda": str(line.get("leyenda", ""))}
    if not issued:
        producto["unidad_medida"] = number(sent.get("unidad_medida", 7))
        return shown
    producto["bonificacion"] = number(gross * percent / 100)
    producto["impuestos_internos_alicuota"] = number(sent.get("impuestos_internos_alicuota", 0))
    return {**shown, "bonificacion_porcentaje": number(percent)}


def _tributo(sent: Json) -> Json:
    tipo = number(sent.get("tipo", 99))
    return {
        "tipo": tipo,
        "tipo_descripcion": {6: "Percepcion de IVA", 7: "Percepcion de IIBB"}.get(int(tipo), "Otros tributos"),
        "regimen": number(sent.get("regimen", 0)),
        "regimen_descripcion": f"REGIMEN {number(sent.get('regimen', 0))}",
        **{name: number(sent.get(name, 0)) for name in ("base_imponible", "alicuota", "total")},
    }


_AFIP_CODES = {"FACTURA A": 1, "NOTA DE DEBITO A": 2, "NOTA DE CREDITO A": 3, "FACTURA B": 6, "NOTA DE DEBITO B": 7}
_AFIP_CODES |= {"NOTA DE CREDITO B": 8, "FACTURA C": 11, "NOTA DE DEBITO C": 12, "NOTA DE CREDITO C": 13}
_AFIP_CODES |= {"RECIBO C": 15, "FACTURA M": 51, "NOTA DE DEBITO M": 52, "NOTA DE CREDITO M": 53}


def barcode(item: Item, cuenta: CuentaSim) -> str:
    """CUIT, type, PDV, CAE, its due date and AFIP's check digit: 42 digits."""
    due = item.cae_vencimiento.strftime("%Y%m%d") if item.cae_vencimiento else ""
    digits = f"{cuenta.cuit}{_AFIP_CODES.get(item.tipo, 201):03d}{item.punto_venta:05d}{item.cae}{due}"
    weighed = sum(int(d) * (3 if i % 2 == 0 else 1) for i, d in enumerate(digits))
    return f"{digits}{-weighed % 10}"


def qr(item: Item, cuenta: CuentaSim) -> str:
    data = {
        "ver": 1,
        "fecha": item.fecha.isoformat(),
        "cuit": int(cuenta.cuit),
        "ptoVta": item.punto_venta,
        "tipoCmp": _AFIP_CODES.get(item.tipo, 201),
        "nroCmp": item.numero,
        "importe": number(item.total),
        "codAut": int(item.cae),
    }
    return f"https://www.afip.gob.ar/fe/qr/?p={base64.b64encode(json.dumps(data).encode()).decode()}"


def pdf(item: Item) -> bytes:
    """A one-page PDF that says which comprobante it is."""
    text = f"{item.tipo} {item.punto_venta:05d}-{item.numero:08d} CAE {item.cae}"
    stream = f"BT /F1 12 Tf 72 720 Td ({text.replace('(', '').replace(')', '')}) Tj ET".encode()
    page = (
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 %b >> >> >>"
    )
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        page % b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream),
    )
    out = bytearray(b"%PDF-1.4\n")
    offsets: list[int] = []
    for serial, content in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (serial, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(out))
    return bytes(out + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + trailer)
