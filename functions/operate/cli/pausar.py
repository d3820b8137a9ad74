"""`facturacion pausar` and `facturacion reanudar`: whether anything of a cuenta leaves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from operate.cli.orders import add_order
from operate.cli.printing import local, plain

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from operate.cli.client import Cliente


def add(orders: Any) -> None:
    words = "que no salga nada de una cuenta, o de ninguna; los mensajes esperan en la cola"
    pausar = add_order(orders, "pausar", words, run=_pause, text=paused)
    pausar.add_argument("--horas", type=float, help="termina sola después de tanto; si no, al reanudarla")
    pausar.add_argument("--acortar", action="store_true", help="aunque ya esté en pausa hasta más tarde")
    pausar.add_argument("--motivo", required=True, help="por qué; se ve al listar")
    reanudar = add_order(orders, "reanudar", "terminar una pausa", run=_resume, text=resumed)
    reanudar.add_argument("--motivo", default="", help="por qué; queda escrito junto a la pausa")
    for parser in (pausar, reanudar):
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("cuenta", nargs="?", default="", help="alias de la cuenta")
        which.add_argument("--todas", action="store_true", help="todas, también las que todavía no enviaron nada")


def _pause(client: Cliente, args: argparse.Namespace) -> dict[str, Any]:
    return client.ask({**_asked(client, args), "orden": "pausar", "horas": args.horas, "acortar": args.acortar})


def _resume(client: Cliente, args: argparse.Namespace) -> dict[str, Any]:
    return client.ask({**_asked(client, args), "orden": "reanudar"})


def _asked(client: Cliente, args: argparse.Namespace) -> dict[str, Any]:
    return {"cuenta": args.cuenta, "todas": args.todas, "motivo": args.motivo, "quien": client.who()}


def paused(answer: Mapping[str, Any]) -> str:
    pausa = answer["pausa"]
    parts = [
        f"{'En pausa' if answer['nueva'] else 'Ya estaba en pausa'}: {pausa_line(pausa)}",
        "No sale ningún lote nuevo y no se reenvía, cambia de fecha ni elimina nada; lo que ya salía termina solo.",
        "Lo que TusFacturas ya tiene en su cola sigue su curso, y se lo oye y consulta como siempre.",
        "Los mensajes esperan en la cola.",
    ]
    if answer["mas_larga"]:
        parts.insert(1, "Ya estaba pedida hasta más tarde, y así queda. Para que termine antes: --acortar, o reanudar.")
    if pausa["hasta"] is None or pausa["hasta"] > pausa["segura_hasta"]:
        parts.append(
            f"Con más de 3 días (después del {local(pausa['segura_hasta'])}) algunos pasarán por la cola de mensajes "
            "muertos, y la conciliación los devolverá: ninguno se pierde."
        )
    if not answer["conocida"]:
        parts.append("Esa cuenta todavía no envió nada: si el alias está mal escrito, reanúdela.")
    return "\n".join(parts)


def resumed(answer: Mapping[str, Any]) -> str:
    cuenta = answer["pausa"]["cuenta"] or "todas"
    parts = [
        f"Reanudada: {cuenta}. Lo que espera sale a más tardar en media hora, o en lo que duró la pausa si fue menos."
    ]
    left = [p for p in answer["pausas"] if p["cuenta"] is None or answer["pausa"]["cuenta"] in {None, p["cuenta"]}]
    parts += [f"Sigue en pausa: {pausa_line(p)}" for p in left]
    return "\n".join(parts)


def pausa_line(pausa: Mapping[str, Any]) -> str:
    until = f" hasta el {local(pausa['hasta'])}" if pausa["hasta"] else ""
    who = re.split("[/:]", plain(pausa["quien"]))[-1]
    return (
        f"{pausa['cuenta'] or 'todas las cuentas'}, desde el {local(pausa['desde'])}{until}, "
        f"por {who}: «{plain(pausa['motivo'])}»."
    )
