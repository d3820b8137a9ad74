"""What the demo tells while it runs and of one life, and how it knows that it is over."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from rich.console import Console
from tests.sandbox.cuentas import make_cuentas
from tests.sandbox.demo.balance import FINAL, Fin, compare, seen_at_provider, seen_in_ledger
from tests.sandbox.demo.leaks import _bytes
from tests.sandbox.demo.play import Performed
from tests.sandbox.demo.screen import Bars, Plain, make_console, on_screen, picture
from tests.sandbox.demo.script import COUNT_MIN, Envio, Role, write_script
from tests.sandbox.demo.stage import Sent
from tests.sandbox.demo.timeline import most_troubled, timeline
from tests.sandbox.demo.verdict import Evidence
from tests.sandbox.demo.watching import Look, open_ends, settled, stands, tell_post

SCRIPT = write_script(make_cuentas(), seed=1, count=COUNT_MIN, today=date(2026, 11, 22))
REJECTED = 12
DELIVERED = {"hooks": {"pendiente": 0, "en_vuelo": 0}, "lotes": {"posts": 1}, "llamadas": {}}
OVER = Look(
    sent=len(SCRIPT.envios),
    estados={key: expected.estado for key, expected in SCRIPT.expected.items()},
    open=frozenset(key for key, expected in SCRIPT.expected.items() if expected.fin is Fin.EN_VUELO),
    rejected=REJECTED,
    told={key: frozenset({FINAL[expected.estado]}) for key, expected in SCRIPT.expected.items()},
    at_provider=DELIVERED,
)
ONE = next(key for key, expected in SCRIPT.expected.items() if expected.fin is Fin.EMITIDO)


def plain_console():
    return make_console(io.StringIO())


def test_it_is_over_when_everything_is_where_it_must_end_told_and_closed():
    assert open_ends(OVER, SCRIPT, REJECTED) == []


@pytest.mark.parametrize(
    ("change", "end"),
    [
        ({"estados": OVER.estados | {ONE: "INCIERTO"}}, "is INCIERTO, to be EMITIDO"),
        ({"estados": {k: v for k, v in OVER.estados.items() if k != ONE}}, "is not in the ledger"),
        ({"open": OVER.open | {ONE}}, "still among what is open"),
        ({"told": OVER.told | {ONE: frozenset({"ComprobanteEncolado"})}}, "no ComprobanteEmitido heard"),
        ({"waiting": 2}, "2 messages are on the queue"),
        ({"rejected": 3}, "3 messages in the rejected queue"),
        ({"sent": 5}, "were not sent"),
        ({"at_provider": {"hooks": {"pendiente": 1, "en_vuelo": 1}}}, "2 hooks are on their way"),
    ],
)
def test_what_is_not_settled_is_told(change, end):
    (told,) = open_ends(replace(OVER, **change), SCRIPT, REJECTED)
    assert end in told


def test_how_many_are_settled_is_counted():
    assert settled(OVER, SCRIPT) == len(SCRIPT.expected)
    assert settled(replace(OVER, open=OVER.open | {ONE}), SCRIPT) == len(SCRIPT.expected) - 1


def test_of_many_open_ends_a_few_are_told_and_the_others_counted():
    ends = open_ends(replace(OVER, estados={}), SCRIPT, REJECTED)
    assert len(ends) < 12 and f"{len(SCRIPT.expected) - 8} more" in ends[-1]


def test_one_that_will_be_corrected_stands_once_it_is_refused():
    key, expected = next((k, e) for k, e in SCRIPT.expected.items() if e.corrected)
    assert stands(Look(estados={key: "RECHAZADO"}), key, expected)
    assert not stands(Look(estados={}), key, expected)


POST = {
    "cuenta": "demo-uno", "size": 3, "aceptados": 3, "rechazados": 0, "rechazo_total": [], "desenlace": "ok",
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "taken"),
        ({"aceptados": 2, "rechazados": 1}, "2 taken, 1 refused"),
        ({"rechazo_total": ["El request [1] no"]}, "refused whole"),
        ({"desenlace": "524_accepted", "aceptados": 0}, "524"),
        ({"desenlace": "reset_accepted"}, "reset"),
    ],
)
def test_a_post_is_told_by_how_it_ended(change, words):
    console = plain_console()
    console.print(tell_post(POST | change))
    assert words in console.file.getvalue() and "[yellow]" not in console.file.getvalue()


def test_without_a_terminal_there_is_a_line_every_few_seconds_and_no_escape_sequence():
    console = plain_console()
    with on_screen(console) as screen:
        assert isinstance(screen, Plain)
        screen.act(1, "An act", "what it shows [1]")
        for second in range(12):
            screen.show(replace(OVER, elapsed=second), SCRIPT)
    text = console.file.getvalue()
    assert "An act: what it shows [1]" in text and "\x1b" not in text
    assert text.count("EMITIDO") == 2
    assert max(map(len, text.splitlines())) <= 110


def test_on_a_terminal_there_are_bars():
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    with on_screen(console) as screen:
        assert isinstance(screen, Bars)
        screen.show(OVER, SCRIPT)
        screen.note(3, "[red]a note[/]")
    shown = console.file.getvalue()
    assert "━" in shown and "a note" in shown


def test_the_picture_names_every_state_and_fits_a_small_terminal():
    console = Console(file=io.StringIO(), width=80)
    console.print(picture(replace(OVER, elapsed=7), SCRIPT))
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    for estado in ("ENVIANDO", "INCIERTO", "EN_REVISION", "ELIMINADO"):
        assert any(estado in line for line in lines)


def at(second):
    return f"2026-11-22T12:00:{second:02d}+00:00"


AUDIT = {
    "comprobantes": [
        {"cuenta": "u", "external_reference": name, "estado": "EMITIDO", "total": 1, "cae": name, "numero": 1}
        for name in ("A", "B", "C")
    ],
    "posts_by_reference": {
        "u#A": [{"post": 1, "desenlace": "ok", "queued": 1}],
        "u#B": [{"post": 2, "desenlace": "524_accepted", "queued": 1}],
        "u#C": [{"post": 2, "desenlace": "524_accepted", "queued": 1}],
    },
    "posts": [
        {"id": 1, "momento": at(1), "size": 1, "desenlace": "ok"},
        {"id": 2, "momento": at(3), "size": 2, "desenlace": "524_accepted"},
    ],
    "hooks": [
        {"cuenta": "u", "external_reference": name, "entregas": times, "estado": "entregado"}
        for name, times in (("A", 9), ("B", 1), ("C", 3))
    ],
}


def test_the_life_that_is_told_is_the_most_troubled_one():
    estados = [{"cuenta": "u", "external_reference": name, "estado": "EMITIDO"} for name in ("A", "B", "C")]
    rows = compare({}, seen_at_provider(AUDIT), seen_in_ledger(estados))
    assert most_troubled(rows, AUDIT, [{"text": "START"}]) == ("u", "C")
    asked = {"message": "consultado", "cuenta": "u", "external_reference": "B", "motivo": "TusFacturas lo tiene"}
    assert most_troubled(rows, AUDIT, [asked]) == ("u", "B")


def test_a_life_is_told_in_order_with_every_item_under_its_pk():
    hook = {"pk": "u#C", "evento": "encolado", "creado": "22/11/2026 09:00:05"}
    items = [
        {"pk": "u#C", "sk": "ESTADO", "estado": "EMITIDO", "actualizado": at(9), "version": 5, "cae": "C", "numero": 1},
        {**hook, "sk": "HOOK#2", "recibido": at(6)},
        {**hook, "sk": "HOOK#1", "recibido": at(5)},
        {**hook, "sk": "HOOK#3", "recibido": at(5), "pk": "u#CC"},
    ]
    log = {
        "cuenta": "u",
        "external_reference": "C",
        "service": "pack_lotes",
        "timestamp": "2026-11-22 12:00:04,000+0000",
    }
    logs = [
        log | {"message": "resultado", "codigo": "TiempoAgotado", "detalle": "524"},
        log | {"message": "something new"},
        log | {"message": "resultado", "codigo": "Aceptado", "external_reference": "A"},
        {"text": "START RequestId"},
    ]
    told = {"evento_id": "e" * 32, "cuenta": "u", "external_reference": "C"}
    events = [{"detail-type": "ComprobanteEmitido", "time": "2026-11-22T12:00:08Z", "detail": told}]
    sent = [Sent("m", Envio(Role.COMPROBANTE, "u", "C", ""), datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC))]
    moments = timeline(("u", "C"), sent=sent, audit=AUDIT, items=items, logs=logs, events=events)
    assert [moment.who for moment in moments] == [
        "sender", "TusFacturas", "pack_lotes", "HOOK#1", "HOOK#2", "bus", "ESTADO",
    ]  # fmt: skip
    assert "again under a new id" in moments[4].text and "again" not in moments[3].text
    assert "524" in moments[1].text and "TiempoAgotado" in moments[2].text and "CAE C" in moments[6].text


def test_the_sum_of_a_source_that_misses_one_does_not_balance():
    performed, search = Performed(1, [], 403), type("Search", (), {"leaks": []})()
    summary = {"issued_twice": [], "accepted_twice": [], "hooks": {"perdido": 1, "duplicados": 1}}
    audit = {"comprobantes": [], "posts_by_reference": {}, "posts": [], "summary": summary}
    evidence = Evidence(SCRIPT, performed, [], audit, [], [], [], [], search)
    faults = {check.name.split()[0]: check.faults for check in evidence.checks}
    assert not evidence.holds
    assert len(faults["what"]) + len(faults["received"]) > 0
    assert any("the ledger accounts for 0" in fault for fault in faults["received"])


def test_everything_in_an_item_is_searched():
    item = {"pk": {"S": "a"}, "cuerpo": {"B": json.dumps({"x": "hidden"}).encode()}, "n": {"L": [{"SS": {"deep"}}]}}
    found = b"\n".join(_bytes(item))
    assert b"hidden" in found and b"deep" in found and b"cuerpo" in found
