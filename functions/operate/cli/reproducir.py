"""`facturacion reproducir`: whether the ledger says what the stored hooks amount to, and putting it right."""

from __future__ import annotations

import argparse
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from operate.cli.orders import add_order, add_reason, add_rehearsal, why_of
from operate.cli.printing import plain, table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from operate.cli.client import Cliente


def add(orders: Any) -> None:
    words = "volver a aplicar los hooks guardados: de unas referencias, de lo abierto o de un período"
    parser = add_order(orders, "reproducir", words, run=_run, text=replayed)
    parser.add_argument("referencias", nargs="*", help="external_reference de cada uno; sin ellas, lo que está abierto")
    parser.add_argument("--cuenta", default="", help="alias de la cuenta; si no, todas")
    parser.add_argument("--desde", type=_from, help="AAAA-MM-DD o AAAA-MM-DDTHH:MM, hora argentina: un período")
    parser.add_argument("--hasta", type=_until, help="lo mismo; un día va entero. Si falta, ahora")
    parser.add_argument(
        "--recorrer", action="store_true", help="acepta leer la tabla entera, que es lo que un período pide"
    )
    add_reason(parser)
    add_rehearsal(parser, "muestra las diferencias entre el libro y los hooks")


def _run(client: Cliente, args: argparse.Namespace) -> dict[str, Any]:
    hasta = args.hasta or (datetime.now().astimezone().isoformat() if args.desde else None)
    event = {
        "orden": "reproducir",
        "cuenta": args.cuenta,
        "desde": args.desde,
        "hasta": hasta,
        "recorrer": args.recorrer,
        **why_of(client, args),
    }
    if args.referencias:
        event["referencias"] = args.referencias
    return client.ask_all(event)


def _from(text: str) -> str:
    try:
        return datetime.fromisoformat(text).isoformat()
    except ValueError:
        raise argparse.ArgumentTypeError("se escribe AAAA-MM-DD o AAAA-MM-DDTHH:MM") from None


def _until(text: str) -> str:
    """A day ends when the next one begins."""
    try:
        return (date.fromisoformat(text) + timedelta(days=1)).isoformat()
    except ValueError:
        return _from(text)


def replayed(answer: Mapping[str, Any]) -> str:
    if not answer["diferencias"]:
        return f"El libro dice lo mismo que sus hooks ({answer['miradas']} miradas)."
    head = ("CUENTA", "REFERENCIA", "LIBRO", "HOOKS", "CUALES")
    rows = [
        (
            d["cuenta"],
            d["external_reference"],
            d["en_libro"] or "nada",
            d["segun_hooks"],
            ", ".join(f"{h['evento']} {plain(h['hook_id'])}" for h in d["hooks"]),
        )
        for d in answer["diferencias"]
    ]
    what = "Simulacro. Se corregirían" if answer["simulacro"] else "Corregidas"
    parts = [table(head, rows), f"\n{what}: {answer['cantidad']} de {answer['miradas']} miradas."]
    parts += [f"No: {n['cuenta']} {n['external_reference']}. {n['motivo']} [{n['codigo']}]" for n in answer["negados"]]
    return "\n".join(parts)
