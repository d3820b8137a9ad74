"""`facturacion decidir`: what is to be done with one or with many."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from operate.cli.orders import add_filters, add_order, add_reason, add_rehearsal, filter_of, read_date, why_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from operate.cli.client import Cliente

ACCIONES = ("reenviar", "cambiar-fecha", "eliminar", "desistir")
_WHAT = {
    "reenviar": "Para reenviar",
    "cambiar_fecha": "Para cambiar de fecha",
    "eliminar": "Para eliminar",
    "desistir": "Para desistir",
}


def add(orders: Any) -> None:
    parser = add_order(orders, "decidir", "qué se hace con uno o con muchos", run=_run, text=decision)
    parser.add_argument("accion", choices=ACCIONES)
    parser.add_argument("referencias", nargs="*", help="external_reference de cada uno; sin ellas vale el filtro")
    add_filters(parser)
    add_reason(parser)
    parser.add_argument(
        "--fecha", type=read_date, help="AAAA-MM-DD, para cambiar-fecha; sin ella se elige la que sirva"
    )
    parser.add_argument("--servicios", action="store_true", help="se facturan servicios: la ventana es de 10 días")
    add_rehearsal(parser, "dice cuántos, cuánto importe, cuántos pedidos del plan y qué se niega")


def _run(client: Cliente, args: argparse.Namespace) -> dict[str, Any]:
    event = {
        "orden": "decidir",
        "accion": args.accion.replace("-", "_"),
        "fecha": args.fecha,
        "servicios": args.servicios,
        **why_of(client, args),
        **filter_of(args),
    }
    if args.referencias:
        event["referencias"] = args.referencias
    return client.ask_all(event)


def decision(answer: Mapping[str, Any]) -> str:
    first = (
        f"{'Simulacro. ' if answer['simulacro'] else ''}{_WHAT[answer['accion']]}: {answer['cantidad']}, "
        f"total {answer['total']} (cada uno en su moneda), hasta {answer['pedidos']} pedidos del plan."
    )
    parts = [first]
    if answer["fuera_de_ventana"]:
        parts.append(f"{answer['fuera_de_ventana']} tienen una fecha que ARCA ya no toma: les conviene cambiar-fecha.")
    counted = Counter(n["codigo"] for n in answer["negados"])
    motivos = {n["codigo"]: n["motivo"] for n in answer["negados"]}
    for codigo, n in counted.most_common():
        some = [r["external_reference"] for r in answer["negados"] if r["codigo"] == codigo][:5]
        parts.append(f"No: {n} por {codigo}. {motivos[codigo]} ({', '.join(some)}{', …' if n > len(some) else ''})")
    parts += [f"Incidente cerrado: {i['codigo']} de {i['cuenta']}." for i in answer["incidentes_cerrados"]]
    if answer["sin_corrida"]:
        parts.append(f"Se hará con la próxima conciliación: {', '.join(sorted(set(answer['sin_corrida'])))}.")
    if answer["en_pausa"]:
        parts.append(f"En pausa, se hará al reanudar: {', '.join(sorted(set(answer['en_pausa'])))}.")
    return "\n".join(parts)
