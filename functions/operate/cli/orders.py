"""What the orders of the command line have in common: their places, their filters, their dates."""

from __future__ import annotations

import argparse
import os
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from operate.cli.client import Cliente


def add_order(
    orders: Any, name: str, words: str, *, run: Callable[..., dict[str, Any]], text: Callable[[Mapping[str, Any]], str]
) -> argparse.ArgumentParser:
    """An order that may be added to; `words` say what it does."""
    parser = add_local_order(orders, name, words, text=text)
    parser.set_defaults(run=run, local=False)
    stack = os.environ.get("STACK", "facturacion")
    parser.add_argument(
        "--stack", default=stack, help="nombre del stack de CloudFormation; si no, $STACK (%(default)s)"
    )
    parser.add_argument("--region", help="región de AWS; si no, la de la configuración")
    parser.add_argument(
        "--sandbox",
        nargs="?",
        const="",
        metavar="OUTPUTS.JSON",
        help="el AWS local que dejó `make up`, en lugar de un stack",
    )
    return parser


def add_local_order(
    orders: Any, name: str, words: str, *, text: Callable[[Mapping[str, Any]], str]
) -> argparse.ArgumentParser:
    """One that needs no stack: its `run` takes the arguments alone."""
    parser: argparse.ArgumentParser = orders.add_parser(name, help=words, description=words.capitalize() + ".")
    parser.set_defaults(text=text, local=True)
    parser.add_argument("--json", action="store_true", help="la respuesta tal como vino, para otros programas")
    return parser


def add_filters(parser: argparse.ArgumentParser) -> None:
    """Which of those that wait for a person."""
    parser.add_argument("--cuenta", default="", help="alias de la cuenta; si no, todas")
    parser.add_argument("--codigo", default="", help="solo los que tienen esta causa")
    parser.add_argument("--prefijo", default="", help="solo las referencias que empiezan así")
    parser.add_argument(
        "--mayor-de", dest="horas", type=float, default=0, metavar="HORAS", help="sin cambios desde hace más de tanto"
    )
    parser.add_argument("--con-errores", action="store_true", help="también los que están en error, resolviéndose")


def filter_of(args: argparse.Namespace) -> dict[str, Any]:
    """The same, as the function takes them."""
    return {
        "cuenta": args.cuenta,
        "codigo": args.codigo,
        "prefijo": args.prefijo,
        "mayor_de_horas": args.horas,
        "con_errores": args.con_errores,
    }


def add_rehearsal(parser: argparse.ArgumentParser, words: str) -> None:
    """`--dry-run`, by either of its names. `words`: what is told instead."""
    parser.add_argument(
        "--dry-run", "--simulacro", dest="simulacro", action="store_true", help=f"no hace nada: {words}"
    )


def add_reason(parser: argparse.ArgumentParser) -> None:
    """Why it is done: needed by all but a rehearsal."""
    parser.add_argument("--motivo", default="", help="por qué; queda escrito en la historia de cada uno")


def why_of(client: Cliente, args: argparse.Namespace) -> dict[str, Any]:
    """The same, with who wants it, as the function takes them."""
    quien = "" if args.simulacro else client.who()
    return {"motivo": args.motivo, "quien": quien, "simulacro": args.simulacro}


def read_date(text: str) -> str:
    """An ISO date, for argparse."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise argparse.ArgumentTypeError("la fecha se escribe AAAA-MM-DD") from None
