"""What is printed at the end: the accounts, the audit, the events, one life, the rejected queue, and the verdict."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from tests.sandbox.demo.balance import Fin, tally
from tests.sandbox.demo.screen import ESTADOS, QUERY
from tests.sandbox.demo.script import Role
from tests.sandbox.demo.timeline import most_troubled, timeline
from tests.sandbox.demo.verdict import ENDS, SOURCES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from tests.sandbox.demo.verdict import Evidence

FAULTS_TOLD = 12
_HEADERS = {
    Fin.EMITIDO: "=\nEMITIDO",
    Fin.ELIMINADO: "+\nELIMINADO",
    Fin.RECHAZADO_ALLA: "+ by them\nRECHAZADO",
    Fin.RECHAZADO_AQUI: "+ by us\nRECHAZADO",
    Fin.EN_REVISION: "+ parked\nEN_REVISION",
    Fin.EN_VUELO: "+\nin flight",
}


def print_report(evidence: Evidence, console: Console) -> None:
    _messages(evidence, console)
    _accounts(evidence, console)
    _audit(evidence, console)
    _events(evidence, console)
    _one_life(evidence, console)
    _rejected(evidence, console)
    _verdict(evidence, console)


def _heading(console: Console, title: str, remark: str = "") -> None:
    console.print()
    console.print(Text.assemble((title, "bold"), ("  " + remark if remark else "", "dim")))


def _table(*columns: str, left: Sequence[int] = (0,)) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for n, column in enumerate(columns):
        table.add_column(column, justify="left" if n in left else "right")
    return table


def _cuentas(evidence: Evidence) -> list[str]:
    return sorted({envio.cuenta for envio in evidence.script.envios} - {""}, reverse=True)


def _messages(evidence: Evidence, console: Console) -> None:
    _heading(console, "What was put on the queue", "only the first kind is a comprobante of its own")
    table = _table("cuenta", "messages", *(f"{'=' if n == 0 else '+'} {role}" for n, role in enumerate(Role)))
    whole: Counter[Role] = Counter()
    for cuenta in [*_cuentas(evidence), ""]:
        roles = evidence.script.roles(cuenta)
        whole += roles
        table.add_row(cuenta or "(none to be read)", str(roles.total()), *(str(roles[role]) for role in Role))
    table.add_section()
    table.add_row("total", str(whole.total()), *(str(whole[role]) for role in Role), style="bold")
    console.print(table)


def _accounts(evidence: Evidence, console: Console) -> None:
    _heading(console, "What became of them", "three sources; TusFacturas never sees what we refuse (·)")
    table = _table("\ncuenta", "\nsays", "\nreceived", *_HEADERS.values(), left=(0, 1))
    for cuenta in [*_cuentas(evidence), None]:
        unseen = tally(evidence.rows, "sent", cuenta)[Fin.RECHAZADO_AQUI]
        for source, name in SOURCES.items():
            counted = tally(evidence.rows, source, cuenta)
            blind = source == "provider"
            total = sum(counted[fin] for fin in ENDS) + (unseen if blind else 0)
            cells = ["·" if blind and fin is Fin.RECHAZADO_AQUI else str(counted[fin]) for fin in _HEADERS]
            first = source == "sent"
            table.add_row(
                (cuenta or "total") if first else "", name, str(total), *cells, style="bold" if cuenta is None else ""
            )
        table.add_section()
    console.print(table)
    flying = Counter(row.ledger.estado for row in evidence.rows if row.ledger and row.ledger.fin is Fin.EN_VUELO)
    if flying:
        kinds = ", ".join(f"{times} {estado} ({ESTADOS[estado].meaning})" for estado, times in sorted(flying.items()))
        console.print(f"In flight: {kinds}.")
    if not any(row.fault for row in evidence.rows):
        issued = sum(row.sent is not None and row.sent.fin is Fin.EMITIDO for row in evidence.rows)
        text = f"All {len(evidence.rows)} rows agree, one by one; of the {issued} issued also CAE, number and total."
        console.print(text, style="green")


def _audit(evidence: Evidence, console: Console) -> None:
    audit = evidence.audit
    summary = audit["summary"]
    lotes, hooks = summary["lotes"], summary["hooks"]
    _heading(console, "TusFacturas' own audit")
    for name in ("issued_twice", "accepted_twice"):
        found = summary[name]
        words = f"{name.replace('_', ' ')}: {len(found)}"
        console.print(Text(words, style="bold red" if found else "bold green"), " ".join(found))
    endings = ", ".join(f"{times} {outcome}" for outcome, times in sorted(lotes["desenlaces"].items()))
    refused = sum(bool(post["rechazo_total"]) for post in audit["posts"])
    queries = summary["llamadas"].get(QUERY, 0)
    carried = sum(post["size"] for post in audit["posts"])
    console.print(
        f"POSTs: {lotes['posts']} lotes with {carried} comprobantes in them; what each put into the queue: "
        f"{', '.join(map(str, lotes['sizes']))}"
    )
    console.print(f"How the calls ended: {endings}; {refused} of the ok ones refused whole. Queries: {queries}")
    console.print(
        f"Hooks: {sum(hooks['eventos'].values())} written ("
        + ", ".join(f"{times} {name}" for name, times in sorted(hooks["eventos"].items()))
        + f"); {hooks['duplicados']} doubled, {hooks['perdido']} lost, {hooks['reintentos']} retried"
    )


def _events(evidence: Evidence, console: Console) -> None:
    _heading(console, "Events on the bus", "a repeat carries the same evento_id")
    table = _table("detail-type", "events", "different", "comprobantes")
    by_type: dict[str, list[tuple[str, str]]] = {}
    for event in evidence.events:
        detail = event["detail"]
        name = f"{detail['cuenta']}#{detail['external_reference']}"
        by_type.setdefault(event["detail-type"], []).append((detail["evento_id"], name))
    for kind, told in sorted(by_type.items()):
        ids, names = ({one[n] for one in told} for n in (0, 1))
        table.add_row(kind, str(len(told)), str(len(ids)), str(len(names)))
    console.print(table)


def _one_life(evidence: Evidence, console: Console) -> None:
    key = most_troubled(evidence.rows, evidence.audit, evidence.logs)
    _heading(
        console, f"The life of {'#'.join(key)}", "its items in the ledger, what led to them, and events (to the second)"
    )
    moments = timeline(
        key,
        sent=evidence.sent,
        audit=evidence.audit,
        items=evidence.items,
        logs=evidence.logs,
        events=evidence.events,
    )
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", justify="right")
    grid.add_column(no_wrap=True)
    grid.add_column()
    begun = moments[0].at
    for at, who, text in moments:
        style = {"TusFacturas": "yellow", "bus": "green", "sender": "cyan"}.get(who, "")
        item = who == "ESTADO" or who.startswith("HOOK#")
        grid.add_row(f"{(at - begun).total_seconds():.2f} s", Text(who, "bold" if item else style), Text(text, style))
    console.print(grid)


def _rejected(evidence: Evidence, console: Console) -> None:
    _heading(console, "The rejected queue", "for people to read: the message without credentials, and why")
    table = _table("codigo", "motivo", "message", left=(0, 1, 2))
    table.columns[0].no_wrap = True
    table.columns[2].no_wrap = True
    table.columns[2].max_width = 30
    for message in sorted(evidence.rejected, key=lambda one: str(one["codigo"])):
        table.add_row(Text(message["codigo"]), Text(message["motivo"]), Text(message["body"].replace("\n", " ")[:60]))
    console.print(table)


def _verdict(evidence: Evidence, console: Console) -> None:
    _heading(console, "Verdict")
    for check in evidence.checks:
        console.print(Text("✓ " if not check.faults else "✗ ", "green" if not check.faults else "bold red"), end="")
        remark = ""
        if check.faults is evidence.search.leaks:
            looked = ", ".join(f"{count} {kind}" for kind, count in evidence.search.looked_at.items() if count)
            remark = f" ({looked})"
        console.print(Text.assemble(check.name, (remark, "dim")))
        for fault in check.faults[:FAULTS_TOLD]:
            console.print(Text(f"    {fault}", "red"))
        if len(check.faults) > FAULTS_TOLD:
            console.print(Text(f"    … and {len(check.faults) - FAULTS_TOLD} more", "red"))
