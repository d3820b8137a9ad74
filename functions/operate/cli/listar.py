"""`facturacion listar`: what waits for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from operate.cli.orders import add_filters, add_order, filter_of
from operate.cli.pausar import pausa_line
from operate.cli.printing import local, plain, table

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from operate.cli.client import Cliente


def add(orders: Any) -> None:
    words = "lo que espera a una persona, con motivos, importe y horas que quedan"
    add_filters(add_order(orders, "listar", words, run=_run, text=listing))


def _run(client: Cliente, args: argparse.Namespace) -> dict[str, Any]:
    return client.ask_all({"orden": "listar", **filter_of(args)})


def listing(answer: Mapping[str, Any]) -> str:
    parts = [f"En pausa: {pausa_line(p)}" for p in answer["pausas"]]
    parts += [
        f"Incidente de {i['cuenta']}: {plain(i['mensaje'])} [{i['codigo']}] Desde {local(i['desde'])}; "
        f"retiene {i['retenidos']}."
        for i in answer["incidentes"]
    ]
    if not answer["comprobantes"]:
        return "\n".join([*parts, "Nada espera a una persona."])
    head = ("CUENTA", "REFERENCIA", "ESTADO", "DESDE", "TOTAL", "HORAS", "CODIGO", "MOTIVO")
    parts.append(table(head, [_row(c) for c in answer["comprobantes"]]))
    codes = ", ".join(f"{codigo or 'sin código'} {n}" for codigo, n in answer["por_codigo"].items())
    parts.append(f"\n{answer['cantidad']} comprobantes, total {answer['total']} (cada uno en su moneda). {codes}.")
    parts.append("HORAS: las que ARCA todavía toma su fecha, contadas como para productos; 0 es que ya no.")
    return "\n".join(parts)


def _row(c: Mapping[str, Any]) -> tuple[object, ...]:
    causa = c["causas"][0] if c["causas"] else {"codigo": "", "mensaje": ""}
    motivo = causa["mensaje"]
    if c["decision"]:
        motivo = f"(decidido: {c['decision']}) {motivo}"
    elif c["espera"]:
        motivo = f"({c['espera']}, hasta {local(c['hasta'])}) {motivo}"
    hours = "" if c["horas"] is None else c["horas"]
    return (
        c["cuenta"],
        c["external_reference"],
        c["estado"],
        local(c["desde"]),
        c["total"],
        hours,
        causa["codigo"],
        motivo,
    )
