"""`facturacion ver`: the story of one comprobante."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from operate.cli.orders import add_order
from operate.cli.printing import local, plain

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from operate.cli.client import Cliente


def add(orders: Any) -> None:
    parser = add_order(orders, "ver", "la historia de un comprobante", run=_run, text=story)
    parser.add_argument("referencia", help="su external_reference")
    parser.add_argument("--cuenta", required=True, help="alias de su cuenta")


def _run(client: Cliente, args: argparse.Namespace) -> dict[str, Any]:
    return client.ask({"orden": "ver", "cuenta": args.cuenta, "referencia": args.referencia})


def story(answer: Mapping[str, Any]) -> str:
    parts = [f"{answer['external_reference']} de {answer['cuenta']}"]
    asiento = answer["asiento"] or {}
    shown = (
        "estado",
        "tipo",
        "fecha",
        "vencimiento",
        "total",
        "horas",
        "numero",
        "cae",
        "creado",
        "lote_id",
        "decision",
    )
    for name in shown:
        if asiento.get(name) is not None:
            value = local(asiento[name]) if name == "creado" else asiento[name]
            parts.append(f"  {name}: {plain(value)}")
    parts += [f"  causa: {plain(causa['mensaje'])} [{causa['codigo']}]" for causa in asiento.get("causas", ())]
    parts += ["", *(_line(linea) for linea in answer["historia"])]
    return "\n".join(parts).rstrip()


def _line(linea: Mapping[str, Any]) -> str:
    when = local(linea["instante"])
    if linea["clase"] == "hook":
        words = "".join(f"\n{'':18}«{plain(texto)}»" for texto in linea["mensajes"])
        return f"{when}  hook {linea['evento']} (creado {linea['creado']}){words}"
    dated = f" al {linea['fecha']}" if "fecha" in linea else ""
    ended = linea.get("resultado", "sin final anotado")
    detail = f": {plain(linea['detalle'])}" if linea.get("detalle") else ""
    request = f" [solicitud {linea['solicitud']}]" if "solicitud" in linea else ""
    what = f"{linea['clase']} {linea['accion']}{dated}, {plain(linea['quien'])}, «{plain(linea['motivo'])}»"
    return f"{when}  {what}{request} → {ended}{detail}"
