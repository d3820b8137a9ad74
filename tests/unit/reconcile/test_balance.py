"""The daily close as values: each comprobante of either side in one column, or in the difference with its reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from tests.items import as_asiento

from reconcile.balance import balance
from tusfacturas.outcomes import Encontrado

DAY = date(2026, 3, 2)
SHOWN = Encontrado("A-1", "EMITIDO", "EMITIDO", "FACTURA B", 3, DAY, Decimal("121.00"), numero=7, cae="76")
QUEUED = replace(SHOWN, situacion="EN_COLA", status="EN COLA", numero=None, cae=None)


def closed(shown, *known, absent=(), scheduled=0):
    return balance(DAY, shown, {a.external_reference: a for a in known}, absent=frozenset(absent), scheduled=scheduled)


def row(estado, *, abierto=False, **changes):
    return as_asiento(estado=estado, abierto="norte" if abierto else None, **changes)


def test_what_both_know_is_issued_open_or_parked_and_there_is_no_difference():
    others = [replace(QUEUED, external_reference=f"B-{n}") for n in range(3)]
    rows = [
        row("EMITIDO"),
        row("ENCOLADO", abierto=True, external_reference="B-0"),
        row("EN_REVISION", abierto=True, external_reference="B-1"),
        row("ERROR", abierto=True, external_reference="B-2"),
        row("PENDIENTE", abierto=True, external_reference="P-1"),
        row("INCIERTO", abierto=True, external_reference="I-1"),
    ]
    cierre = closed([SHOWN, *others], *rows, scheduled=4)
    assert (cierre.emitidos, cierre.importe, cierre.abiertos, cierre.en_revision) == (1, Decimal("121.00"), 4, 1)
    assert (cierre.recibidos, cierre.diferencia, cierre.programados) == (6, 0, 4)


def test_an_issued_one_whose_cae_is_not_fetched_yet_is_open():
    cierre = closed([SHOWN], row("EMITIDO", abierto=True))
    assert (cierre.emitidos, cierre.abiertos, cierre.diferencia) == (0, 1, 0)


@pytest.mark.parametrize(
    ("shown", "rows", "motivo"),
    [
        ([SHOWN], [], "sin_asiento"),
        ([QUEUED], [], "sin_asiento"),
        ([SHOWN], [row("PENDIENTE", abierto=True)], "emitidos_como_pendiente"),
        ([SHOWN], [row("RECHAZADO")], "emitidos_como_rechazado"),
        ([SHOWN], [row("ELIMINADO")], "emitidos_como_eliminado"),
        ([QUEUED], [row("ELIMINADO")], "presentes_como_eliminado"),
        ([QUEUED], [row("RECHAZADO")], "presentes_como_rechazado"),
        ([QUEUED], [row("EMITIDO")], "emitidos_sin_emitir"),
        ([SHOWN], [row("EMITIDO", total="121.01")], "importes"),
        ([SHOWN, SHOWN], [row("EMITIDO")], "duplicados"),
        ([SHOWN, QUEUED], [row("EMITIDO")], "duplicados"),
    ],
)
def test_a_contradiction_is_a_difference_with_its_reason_and_its_reference(shown, rows, motivo):
    cierre = closed(shown, *rows)
    assert (cierre.motivos, cierre.diferencia, cierre.ejemplos) == ({motivo: 1}, 1, ("A-1",))


def test_what_the_ledger_says_is_there_and_is_not_is_a_difference():
    cierre = closed([], row("ENVIADO", abierto=True), absent=["A-1"])
    assert (cierre.motivos, cierre.abiertos, cierre.recibidos) == ({"ausentes": 1}, 0, 1)


def test_what_has_no_reference_is_none_of_ours_and_no_difference():
    cierre = closed([replace(SHOWN, external_reference="")])
    assert (cierre.ajenos, cierre.recibidos, cierre.diferencia) == (1, 0, 0)


def test_only_a_few_references_are_named_however_many_there_are():
    cierre = closed([replace(SHOWN, external_reference=f"X-{n:02d}") for n in range(40)])
    assert cierre.diferencia == 40 and len(cierre.ejemplos) == 10
