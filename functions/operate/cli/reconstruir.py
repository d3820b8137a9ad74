"""`facturacion reconstruir`: the ledger written again from the provider, after a restore."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from operate.cli.orders import add_order, read_date
from operate.cli.printing import as_it_is

if TYPE_CHECKING:
    import argparse

    from operate.cli.client import Cliente


def add(orders: Any) -> None:
    words = "rehacer el libro desde el proveedor, tras restaurar una copia"
    parser = add_order(orders, "reconstruir", words, run=_run, text=as_it_is)
    parser.add_argument("--desde", type=read_date, required=True, help="AAAA-MM-DD, el día de la copia")
    parser.add_argument("--cuenta", help="solo esta cuenta")


def _run(client: Cliente, args: argparse.Namespace) -> dict[str, Any]:
    asked = {"desde": args.desde} | ({"cuenta": args.cuenta} if args.cuenta else {})
    return client.ask({"reconstruir": asked}, function="reconcile")
