"""The command line: `facturacion listar | ver | decidir | reconstruir`.

A thin client: it reads its arguments, invokes the function and prints what it answers. What may be done, and what is
written, is decided there.

Exit codes: 0 done, 1 something was refused (or only some of it), 2 it could not be asked.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import date
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from operate.client import Cliente, SinRespuesta, connect
from operate.printing import as_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DONE, REFUSED, FAILED = 0, 1, 2
ACCIONES = ("reenviar", "cambiar-fecha", "eliminar", "desistir")


def main(argv: Sequence[str] | None = None, open_client: Callable[..., Cliente] = connect) -> int:
    """`open_client`: given the stack's name, the region and the sandbox's file."""
    args = _parser().parse_args(argv)
    try:
        client = open_client(stack=args.stack, region=args.region, sandbox=args.sandbox)
        answer = args.run(client, args)
    except (SinRespuesta, BotoCoreError, ClientError, OSError) as error:
        sys.stderr.write(f"No se pudo: {error}\n")
        return FAILED
    text = json.dumps(answer, ensure_ascii=False, indent=2) if args.json else as_text(args.orden, answer)
    sys.stdout.write(text + "\n")
    if "error" in answer:
        return FAILED
    return REFUSED if answer.get("negados") else DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="facturacion", description="Mirar y decidir lo que espera a una persona.")
    orders = parser.add_subparsers(dest="orden", required=True, metavar="ORDEN")

    listar = _order(orders, "listar", "lo que espera a una persona, con motivos, importe y horas que quedan", _listar)
    _filters(listar)

    ver = _order(orders, "ver", "la historia de un comprobante", _ver)
    ver.add_argument("referencia", help="su external_reference")
    ver.add_argument("--cuenta", required=True, help="alias de su cuenta")

    decidir = _order(orders, "decidir", "qué se hace con uno o con muchos", _decidir)
    decidir.add_argument("accion", choices=ACCIONES)
    decidir.add_argument("referencias", nargs="*", help="external_reference de cada uno; sin ellas vale el filtro")
    _filters(decidir)
    decidir.add_argument("--motivo", default="", help="por qué; queda escrito en la historia de cada uno")
    decidir.add_argument("--fecha", type=_date, help="AAAA-MM-DD, para cambiar-fecha; sin ella se elige la que sirva")
    decidir.add_argument("--servicios", action="store_true", help="se facturan servicios: la ventana es de 10 días")
    decidir.add_argument(
        "--dry-run",
        "--simulacro",
        dest="simulacro",
        action="store_true",
        help="no hace nada: dice cuántos, cuánto importe, cuántos pedidos del plan y qué se niega",
    )

    reconstruir = _order(
        orders, "reconstruir", "rehacer el libro desde el proveedor, tras restaurar una copia", _reconstruir
    )
    reconstruir.add_argument("--desde", type=_date, required=True, help="AAAA-MM-DD, el día de la copia")
    reconstruir.add_argument("--cuenta", help="solo esta cuenta")
    return parser


def _order(orders: Any, name: str, text: str, run: Callable[..., dict[str, Any]]) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = orders.add_parser(name, help=text, description=text.capitalize() + ".")
    parser.set_defaults(run=run)
    parser.add_argument("--stack", default="facturacion", help="nombre del stack de CloudFormation (%(default)s)")
    parser.add_argument("--region", help="región de AWS; si no, la de la configuración")
    parser.add_argument(
        "--sandbox",
        nargs="?",
        const="",
        metavar="OUTPUTS.JSON",
        help="el AWS local que dejó `make up`, en lugar de un stack",
    )
    parser.add_argument("--json", action="store_true", help="la respuesta tal como vino, para otros programas")
    return parser


def _filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cuenta", default="", help="alias de la cuenta; si no, todas")
    parser.add_argument("--codigo", default="", help="solo los que tienen esta causa")
    parser.add_argument("--prefijo", default="", help="solo las referencias que empiezan así")
    parser.add_argument(
        "--mayor-de", dest="horas", type=float, default=0, metavar="HORAS", help="sin cambios desde hace más de tanto"
    )
    parser.add_argument("--con-errores", action="store_true", help="también los que están en error, resolviéndose")


def _date(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise argparse.ArgumentTypeError("la fecha se escribe AAAA-MM-DD") from None


def _filter_of(args: argparse.Namespace) -> dict[str, Any]:
    return {
        "cuenta": args.cuenta,
        "codigo": args.codigo,
        "prefijo": args.prefijo,
        "mayor_de_horas": args.horas,
        "con_errores": args.con_errores,
    }


def _listar(client: Cliente, args: argparse.Namespace) -> dict[str, Any]:
    return client.ask_all({"orden": "listar", **_filter_of(args)})


def _ver(client: Cliente, args: argparse.Namespace) -> dict[str, Any]:
    return client.ask({"orden": "ver", "cuenta": args.cuenta, "referencia": args.referencia})


def _decidir(client: Cliente, args: argparse.Namespace) -> dict[str, Any]:
    event = {
        "orden": "decidir",
        "accion": args.accion.replace("-", "_"),
        "fecha": args.fecha,
        "servicios": args.servicios,
        "motivo": args.motivo,
        "quien": "" if args.simulacro else client.who(),
        "simulacro": args.simulacro,
        **_filter_of(args),
    }
    if args.referencias:
        event["referencias"] = args.referencias
    return client.ask_all(event)


def _reconstruir(client: Cliente, args: argparse.Namespace) -> dict[str, Any]:
    asked = {"desde": args.desde} | ({"cuenta": args.cuenta} if args.cuenta else {})
    return client.ask({"reconstruir": asked}, function="reconcile")


if __name__ == "__main__":
    sys.exit(main())
