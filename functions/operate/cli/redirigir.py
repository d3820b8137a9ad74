"""`facturacion redirigir`: messages back to the queue, after a fix."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from operate.cli.orders import add_order, add_reason, add_rehearsal, why_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from operate.cli.client import Cliente

_WHERE = {"rechazados": "la cola de rechazados", "muertos": "la cola de mensajes muertos"}


def add(orders: Any) -> None:
    words = "devolver a la cola mensajes rechazados o muertos, cuando se arregló lo que los detuvo"
    parser = add_order(orders, "redirigir", words, run=_run, text=redriven)
    parser.add_argument("origen", choices=sorted(_WHERE, reverse=True))
    parser.add_argument("--cuenta", default="", help="solo los de esta cuenta")
    parser.add_argument("--codigo", default="", help="solo los rechazados con este código")
    parser.add_argument("--todos", action="store_true", help="todos los que haya")
    parser.add_argument("--maximo", type=int, default=1000, help="cuántos como mucho (%(default)s)")
    add_reason(parser)
    add_rehearsal(parser, "dice cuántos serían y cuáles volverían a rechazarse")


def _run(client: Cliente, args: argparse.Namespace) -> dict[str, Any]:
    return client.ask(
        {
            "orden": "redirigir",
            "origen": args.origen,
            "cuenta": args.cuenta,
            "codigo": args.codigo,
            "todos": args.todos,
            "maximo": args.maximo,
            **why_of(client, args),
        }
    )


def redriven(answer: Mapping[str, Any]) -> str:
    what = "Simulacro. Volverían" if answer["simulacro"] else "Volvieron"
    codes = ", ".join(f"{codigo} {n}" for codigo, n in answer["por_codigo"].items())
    where = _WHERE[answer["origen"]]
    parts = [f"{what} de {where} a la cola: {answer['cantidad']}{f' ({codes})' if codes else ''}."]
    motivos = {n["codigo"]: n["motivo"] for n in answer["negados"]}
    for codigo, n in Counter(n["codigo"] for n in answer["negados"]).most_common():
        some = [r["external_reference"] or r["message_id"] for r in answer["negados"] if r["codigo"] == codigo][:5]
        parts.append(f"No: {n} por {codigo}. {motivos[codigo]} ({', '.join(some)}{', …' if n > len(some) else ''})")
    parts.append(f"En {where} quedan unos {answer['quedan']}.")
    if not answer["terminado"]:
        parts.append("No se miraron todos: repita la orden.")
    return "\n".join(parts)
