"""The daily close as values: each content that was received in one column, or in the difference with its reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from tests.clock import START
from tests.items import as_asiento

from facturacion.ledger import Recibido
from pack_lotes.packing import DELAY_MAX_SECONDS
from reconcile.balance import COLUMNS, balance
from reconcile.closing import SEEN_WITHIN
from tusfacturas.outcomes import Encontrado

DAY = date(2026, 3, 2)
SHOWN = Encontrado("A-1", "EMITIDO", "EMITIDO", "FACTURA B", 3, DAY, Decimal("121.00"), numero=7, cae="76")
QUEUED = replace(SHOWN, situacion="EN_COLA", status="EN COLA", numero=None, cae=None)


HASH = "0a1b2c3d4e5f"
SECOND = "ffff2c3d4e5f"


def got(reference="A-1", content=HASH):
    return Recibido(reference, content[:8], START)


def row(estado, *, abierto=False, **changes):
    return as_asiento(**{"estado": estado, "abierto": "norte" if abierto else None, "hash": HASH} | changes)


def closed(received, rows=(), shown=(), *, absent=(), waiting=()):
    known = {a.external_reference: a for a in rows}
    sets = {"absent": frozenset(absent), "waiting": frozenset(waiting)}
    cierre = balance(DAY, received, known, shown, hoy=DAY, **sets)
    explained = sum(cierre.columnas.values())
    assert cierre.recibidos - explained <= cierre.diferencia and set(cierre.columnas) == set(COLUMNS)
    assert cierre.diferencia or cierre.recibidos == explained
    return cierre


def columns(cierre):
    return {name: count for name, count in cierre.columnas.items() if count}


@pytest.mark.parametrize(
    ("rows", "column"),
    [
        ([row("EMITIDO")], "emitidos"),
        ([row("ELIMINADO")], "eliminados"),
        ([row("RECHAZADO", rechazados={HASH})], "rechazados"),
        ([row("EN_REVISION", abierto=True)], "en_revision"),
        ([row("EMITIDO", abierto=True)], "abiertos"),
        *(([row(e, abierto=True)], "abiertos") for e in ("ENVIANDO", "INCIERTO", "ENVIADO", "ENCOLADO", "ERROR")),
        ([row("ENCOLADO", abierto=True, fecha="2026-03-03")], "programados"),
        ([row("EN_REVISION", abierto=True, hash=None)], "en_revision"),
        ([row("EMITIDO", hash=None, reconstruido=True)], "emitidos"),
    ],
)
def test_what_was_received_is_in_the_column_of_what_became_of_it(rows, column):
    cierre = closed([got()], rows)
    assert (columns(cierre), cierre.recibidos, cierre.diferencia) == ({column: 1}, 1, 0)


def test_received_is_the_sum_of_the_columns_and_the_amount_is_of_the_issued_ones():
    estados = ["EMITIDO", "EMITIDO", "ELIMINADO", "RECHAZADO", "EN_REVISION", "ERROR"]
    rows = [row(e, abierto=e in {"EN_REVISION", "ERROR"}, external_reference=f"A-{n}") for n, e in enumerate(estados)]
    cierre = closed([got(f"A-{n}") for n in range(6)], rows)
    assert columns(cierre) == {"emitidos": 2, "eliminados": 1, "rechazados": 1, "en_revision": 1, "abiertos": 1}
    assert (cierre.recibidos, cierre.importe, cierre.diferencia) == (6, Decimal("242.00"), 0)


@pytest.mark.parametrize(
    ("rows", "motivo"),
    [
        ([], "recibidos_sin_asiento"),
        ([row("PENDIENTE", abierto=True)], "pendientes_sin_mensaje"),
        # The correction of a refused one was received, and never claimed.
        ([row("RECHAZADO", hash=SECOND, rechazados={SECOND})], "recibidos_sin_asiento"),
    ],
)
def test_what_needs_its_message_is_open_while_that_is_on_the_queue_and_a_difference_after(rows, motivo):
    waits, lost = closed([got()], rows, waiting=["A-1"]), closed([got()], rows)
    assert (columns(waits), waits.diferencia) == ({"abiertos": 1}, 0)
    assert (columns(lost), lost.motivos, lost.ejemplos) == ({}, {motivo: 1}, ("A-1",))


def test_a_content_that_was_refused_stays_refused_whatever_its_correction_became():
    corrected = row("EMITIDO", hash=SECOND, rechazados={HASH})
    cierre = closed([got(), got(content=SECOND)], [corrected], [SHOWN])
    assert (columns(cierre), cierre.recibidos, cierre.diferencia) == ({"emitidos": 1, "rechazados": 1}, 2, 0)


def test_a_content_that_belongs_to_anothers_reference_is_counted_apart():
    cierre = closed([got(), got(content=SECOND)], [row("EMITIDO")])
    assert (columns(cierre), cierre.recibidos, cierre.conflictos) == ({"emitidos": 1}, 1, 1)


def test_what_the_provider_shows_as_the_ledger_has_it_is_no_difference():
    others = [replace(QUEUED, external_reference=f"B-{n}") for n in range(3)]
    rows = [
        row("EMITIDO"),
        row("ENCOLADO", abierto=True, external_reference="B-0"),
        row("EN_REVISION", abierto=True, external_reference="B-1"),
        row("ERROR", abierto=True, external_reference="B-2"),
    ]
    cierre = closed([got()], rows, [SHOWN, *others])
    assert (cierre.recibidos, columns(cierre), cierre.diferencia) == (1, {"emitidos": 1}, 0)


CONTRADICTIONS = [
    ([SHOWN], [], "sin_asiento"),
    ([QUEUED], [], "sin_asiento"),
    ([SHOWN], [row("PENDIENTE", abierto=True)], "emitidos_como_pendiente"),
    ([SHOWN], [row("RECHAZADO", rechazados={HASH})], "emitidos_como_rechazado"),
    ([SHOWN], [row("ELIMINADO")], "emitidos_como_eliminado"),
    ([QUEUED], [row("ELIMINADO")], "presentes_como_eliminado"),
    ([QUEUED], [row("RECHAZADO")], "presentes_como_rechazado"),
    ([QUEUED], [row("EMITIDO")], "emitidos_sin_emitir"),
    ([SHOWN], [row("EMITIDO", total="121.01")], "importes"),
]


@pytest.mark.parametrize(("shown", "rows", "motivo"), CONTRADICTIONS)
@pytest.mark.parametrize("received", [[], [got()]], ids=["another day", "today"])
def test_a_contradiction_is_one_difference_with_its_reason_and_its_reference(received, shown, rows, motivo):
    cierre = closed(received, rows, shown)
    assert (cierre.motivos, cierre.ejemplos, columns(cierre)) == ({motivo: 1}, ("A-1",), {})
    assert cierre.recibidos == len(received)


def test_what_contradicts_a_row_says_nothing_of_a_content_that_was_refused_before():
    cierre = closed([got()], [row("ELIMINADO", hash=SECOND, rechazados={HASH})], [SHOWN])
    assert (columns(cierre), cierre.motivos) == ({"rechazados": 1}, {"emitidos_como_eliminado": 1})


@pytest.mark.parametrize("shown", [[SHOWN, SHOWN], [SHOWN, QUEUED]])
def test_a_second_one_under_a_reference_is_a_difference_that_nobody_received(shown):
    cierre = closed([got()], [row("EMITIDO")], shown)
    assert (columns(cierre), cierre.motivos, cierre.ejemplos) == ({"emitidos": 1}, {"duplicados": 1}, ("A-1",))


@pytest.mark.parametrize("estado", ["ENVIADO", "EMITIDO"])
def test_what_the_ledger_says_is_there_and_is_not_is_a_difference(estado):
    cierre = closed([got()], [row(estado, abierto=estado == "ENVIADO")], absent=["A-1"])
    assert (cierre.motivos, columns(cierre), cierre.recibidos) == ({"ausentes": 1}, {}, 1)


def test_what_has_no_reference_is_none_of_ours_and_no_difference():
    cierre = closed([], [], [replace(SHOWN, external_reference="")])
    assert (cierre.ajenos, cierre.recibidos, cierre.diferencia) == (1, 0, 0)


def test_only_a_few_references_are_named_however_many_there_are():
    cierre = closed([], [], [replace(SHOWN, external_reference=f"X-{n:02d}") for n in range(40)])
    assert cierre.diferencia == 40 and len(cierre.ejemplos) == 10


def test_a_message_that_waits_is_looked_for_much_longer_than_it_can_stay_unseen():
    assert timedelta(seconds=3 * DELAY_MAX_SECONDS) <= SEEN_WITHIN
