"""The command line: `facturacion listar | ver | decidir | …`, one module of `cli` each.

For operators it is a thin client: it reads its arguments, invokes the function and prints what it answers. What may be
done, and what is written, is decided there. For senders it checks a file by itself, and puts it on the queue.

Exit codes: 0 done, 1 something was refused (or only some of it), 2 it could not be asked.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from operate.cli import cuenta, decidir, enviar, listar, pausar, reconstruir, redirigir, reproducir, validar, ver
from operate.cli.client import Cliente, connect
from operate.cli.place import SinRespuesta
from operate.cli.printing import refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DONE, REFUSED, FAILED = 0, 1, 2
INTERRUPTED = 130
ORDERS = (listar, ver, decidir, pausar, reproducir, redirigir, reconstruir, cuenta, validar, enviar)


def main(argv: Sequence[str] | None = None, open_client: Callable[..., Cliente] = connect) -> int:
    """`open_client`: given the stack's name, the region and the sandbox's file."""
    parser = argparse.ArgumentParser(
        prog="facturacion", description="Enviar comprobantes, y mirar y decidir lo que espera a una persona."
    )
    orders = parser.add_subparsers(dest="orden", required=True, metavar="ORDEN")
    for order in ORDERS:
        order.add(orders)
    args = parser.parse_args(argv)
    try:
        if args.local:
            answer = args.run(args)
        else:
            client = open_client(stack=args.stack, region=args.region, sandbox=args.sandbox)
            answer = args.run(client, args)
    except (SinRespuesta, BotoCoreError, ClientError, OSError) as error:
        sys.stderr.write(f"No se pudo: {error}\n")
        return FAILED
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrumpido.\n")
        return INTERRUPTED
    if args.json:
        text = json.dumps(answer, ensure_ascii=False, indent=2)
    else:
        text = refusal(answer) if "error" in answer else args.text(answer)
    sys.stdout.write(text + "\n")
    if "error" in answer:
        return FAILED
    return REFUSED if answer.get("negados") else DONE


if __name__ == "__main__":
    sys.exit(main())
