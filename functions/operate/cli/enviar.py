"""`facturacion enviar`: a file of messages put on the queue; may be repeated, and goes on where it stopped."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from operate.cli.orders import add_order
from operate.cli.validar import add_file, read_or_error, tell, verdict
from operate.upstream.submitting import Diario, DiarioAjeno, submit

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping

    from operate.cli.client import Cliente

EVERY = 1_000
"""How often progress is told where nobody watches."""


def add(orders: Any) -> None:
    words = "pone en la cola un archivo de mensajes; se puede repetir, y sigue donde quedó"
    parser = add_order(orders, "enviar", words, run=_run, text=_told)
    add_file(parser)
    parser.add_argument("--cola", metavar="URL", help="la de la cola, si no es la del stack")
    parser.add_argument("--solo-validos", action="store_true", help="envía los que están bien aunque otros no lo estén")
    parser.add_argument("--diario", metavar="ARCHIVO", help="dónde se anota lo enviado (ARCHIVO.enviados)")


def _run(client: Cliente, args: argparse.Namespace) -> dict[str, Any]:
    revisados = read_or_error(args)
    if isinstance(revisados, dict):
        return revisados
    if args.archivo == "-" and not args.diario:
        return _error("FaltaDiario", "De la entrada se envía con --diario: sin él no se sabría dónde quedó.")
    found = tell(revisados)
    if found["negados"] and not args.solo_validos:
        return {**found, "enviados": 0, "ya_enviados": 0}
    good = [r for r in revisados if not r.fallas and r.repite is None]
    queue_url = args.cola or client.output("QueueUrl")
    try:
        diario = Diario(Path(args.diario or f"{args.archivo}.enviados"), queue_url)
    except DiarioAjeno as error:
        return _error("DiarioAjeno", str(error))
    progress = _progress(len(good))
    enviado = submit(
        good, sqs=client.boto("sqs"), queue_url=queue_url, diario=diario, pause=time.sleep, progress=progress
    )
    refused = [
        {"lugar": lugar, "ininteligible": False, "fallas": [{"codigo": codigo, "campo": "", "mensaje": "No se envió."}]}
        for lugar, codigo in enviado.negados
    ]
    return {
        **found,
        "negados": [*found["negados"], *({"cuenta": None, "external_reference": None, **r} for r in refused)],
        "enviados": enviado.nuevos,
        "ya_enviados": enviado.ya_enviados,
    }


def _error(codigo: str, mensaje: str) -> dict[str, Any]:
    return {"error": {"codigo": codigo, "mensaje": mensaje}}


def _progress(total: int) -> Callable[[int], None]:
    """On the standard error: a line that moves for a person, now and then a line for a log."""
    watched = sys.stderr.isatty()
    told = 0

    def progress(done: int) -> None:
        nonlocal told
        if watched:
            sys.stderr.write(f"\r{done} de {total}" + ("\n" if done == total else ""))
        elif done - told >= EVERY or done == total:
            told = done
            sys.stderr.write(f"{done} de {total}\n")
        sys.stderr.flush()

    return progress


def _told(answer: Mapping[str, Any]) -> str:
    before = f", {answer['ya_enviados']} ya lo estaban" if answer["ya_enviados"] else ""
    sent = f"Enviados {answer['enviados']}{before}."
    if answer["negados"] and not answer["enviados"] and not answer["ya_enviados"]:
        sent = "No se envió nada: corrija el archivo, o use --solo-validos."
    return f"{verdict(answer)}\n{sent}"
