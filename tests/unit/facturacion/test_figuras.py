"""How a cuenta stands, from what its contrast saw."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from tests.items import as_asiento

from facturacion.figuras import (
    Cupo,
    Figuras,
    Hoy,
    cupo_from_item,
    cupo_to_item,
    figuras_from_item,
    figuras_to_item,
    hoy_from_item,
    hoy_to_item,
    silent_since,
    window_ends,
)
from facturacion.tiempo import to_iso

NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
TODAY = "2026-03-04"
EVERY = timedelta(seconds=30)


def ago(**how_long):
    return NOW - timedelta(**how_long)


def one(estado, *, fecha=TODAY, **instants):
    """An open comprobante of `fecha`; instants as datetimes."""
    came = instants.pop("llegado", ago(minutes=5))
    texts = {name: to_iso(at) for name, at in instants.items()}
    return as_asiento(estado=estado, fecha=fecha, llegado=int(came.timestamp()), **texts)


def seen(*asientos):
    return Figuras().with_those(asientos, NOW)


def test_what_is_open_is_counted_by_where_it_stands():
    figuras = seen(one("ENVIADO"), one("ENCOLADO"), one("ERROR"), one("EN_REVISION"), one("EN_REVISION"))
    assert (figuras.abiertos, figuras.en_error, figuras.en_revision) == (5, 1, 2)


def test_age_counts_from_the_queue_and_not_of_what_waits_for_a_person():
    oldest = ago(hours=3)
    parked = one("EN_REVISION", llegado=ago(days=2), actualizado=ago(hours=5))
    figuras = seen(one("ENCOLADO"), one("ENVIADO", llegado=oldest), parked)
    assert (figuras.viejo, figuras.revision) == (oldest, ago(hours=5))


def test_a_scheduled_one_does_not_age_before_its_day():
    assert seen(one("ENCOLADO", fecha="2026-03-20", llegado=ago(days=3))).viejo is None
    begun = seen(one("ENCOLADO", fecha=TODAY, llegado=ago(days=3))).viejo
    assert begun == datetime(2026, 3, 4, 3, 0, tzinfo=UTC), "midnight in Argentina"


def test_the_oldest_uncertain_one_is_the_one_whose_quiet_period_began_first():
    quiet = ago(hours=4)
    figuras = seen(one("INCIERTO", quieto_desde=ago(hours=1)), one("ENVIANDO", quieto_desde=quiet), one("ENCOLADO"))
    assert figuras.incierto == quiet


@pytest.mark.parametrize(
    ("fecha", "ends"),
    [
        ("2026-03-04", datetime(2026, 3, 10, 3, tzinfo=UTC)),
        ("2026-02-27", datetime(2026, 3, 5, 3, tzinfo=UTC)),
        ("2026-02-26", datetime(2026, 3, 9, 3, tzinfo=UTC)),
        ("2026-02-10", NOW),
    ],
    ids=["today", "the last day of products", "products are past, services are not", "both are past"],
)
def test_the_window_is_that_of_products_and_once_it_is_past_that_of_services(fecha, ends):
    assert window_ends(date.fromisoformat(fecha), NOW) == ends


def test_a_good_date_that_ends_is_no_matter_while_its_comprobante_is_on_its_way():
    assert seen(one("ENCOLADO", fecha="2026-02-27", llegado=ago(minutes=59))).ventana is None
    assert seen(one("ENCOLADO", fecha="2026-02-27", llegado=ago(minutes=60))).ventana is not None
    assert seen(one("EMITIDO", fecha="2026-02-27", llegado=ago(hours=9))).ventana is None


# -- silence


def test_a_cuenta_of_which_nothing_was_due_is_not_silent():
    assert silent_since(ago(days=3), None, [], noted_every=EVERY) is None
    assert silent_since(None, None, [], noted_every=EVERY) is None


def test_silence_begins_with_the_first_hook_that_was_due_and_did_not_come():
    due = [ago(minutes=20), ago(minutes=50)]
    assert silent_since(ago(days=3), None, due, noted_every=EVERY) == ago(minutes=50)
    assert silent_since(None, None, due, noted_every=EVERY) == ago(minutes=50)


def test_one_that_is_missing_from_before_the_last_hook_is_one_that_was_lost():
    assert silent_since(ago(minutes=30), None, [ago(minutes=50)], noted_every=EVERY) is None


def test_a_hook_may_have_come_and_not_been_noted_a_moment_after_the_last_one():
    told = ago(minutes=30)
    assert silent_since(told, None, [told + EVERY], noted_every=EVERY) is None
    assert silent_since(told, None, [told + 2 * EVERY], noted_every=EVERY) == told + 2 * EVERY


def test_silence_goes_on_when_nothing_more_is_due_and_ends_with_a_hook():
    before = ago(hours=2)
    assert silent_since(ago(hours=9), before, [], noted_every=EVERY) == before
    assert silent_since(ago(hours=9), before, [ago(minutes=1)], noted_every=EVERY) == before
    assert silent_since(ago(minutes=1), before, [], noted_every=EVERY) is None


# -- today, and the quota


def test_what_was_issued_today_begins_at_nothing_with_the_day():
    monday, tuesday = date(2026, 3, 2), date(2026, 3, 3)
    hoy = Hoy(monday).plus(2, Decimal("10.10"), monday).plus(1, Decimal("0.05"), monday)
    assert hoy == Hoy(monday, 3, Decimal("10.15"))
    assert hoy.plus(1, Decimal("7.00"), tuesday) == Hoy(tuesday, 1, Decimal("7.00"))


def asked(cupo, *made, every=timedelta(hours=1)):
    """The provider asked `every` so often; each time `made` more comprobantes were generated."""
    for n in made:
        generados = cupo.generados + n
        cupo = cupo.next(cupo.total, cupo.total - generados, generados, cupo.mirado + every)
    return cupo


FIRST = Cupo(total=1_500, disponibles=1_500, generados=0, mirado=NOW, desde=NOW)


def test_how_long_a_quota_lasts_is_said_once_a_day_has_shown_the_pace():
    assert asked(FIRST, *[5] * 23).alcanza is None
    day = asked(FIRST, *[5] * 24)
    assert day.ritmo == pytest.approx(120) and day.alcanza == timedelta(days=1_380 / 120)


def test_the_pace_is_that_of_the_last_week():
    month = asked(FIRST, *[0] * 24 * 20, *[2] * 24 * 14)
    assert 35 < month.ritmo < 48, "two weeks of 48 a day count more than three before"


def test_a_counter_that_went_back_says_nothing_of_the_pace():
    day = asked(FIRST, *[5] * 24)
    renewed = day.next(1_500, 1_500, 0, day.mirado + timedelta(hours=1))
    assert (renewed.ritmo, renewed.disponibles) == (day.ritmo, 1_500)


def test_a_plan_without_movement_has_no_end():
    assert asked(FIRST, *[0] * 48).alcanza is None
    assert Cupo(0, 0, 0, NOW, NOW).restante == 0


# -- as it is kept


def test_what_is_kept_is_read_as_it_was_to_the_second():
    figuras = Figuras(3, 1, 1, viejo=ago(hours=1), revision=ago(days=1), incierto=ago(hours=2), ventana=NOW)
    assert figuras_from_item(figuras_to_item(figuras)) == figuras
    assert figuras_from_item(figuras_to_item(Figuras())) == Figuras() == figuras_from_item({})
    hoy = Hoy(date(2026, 3, 4), 12, Decimal("1234567.89"))
    assert hoy_from_item(hoy_to_item(hoy)) == hoy
    cupo = Cupo(1_500, 1_000, 500, NOW, ago(days=4), 125.5)
    assert cupo_from_item(cupo_to_item(cupo)) == cupo
    assert cupo_from_item(cupo_to_item(FIRST)) == FIRST


def test_a_quota_without_measure_lasts_for_years_and_stops_no_other_figure():
    endless = Cupo(10**9, 10**9, 0, NOW + timedelta(days=2), NOW, ritmo=0.001)
    assert endless.alcanza == timedelta(days=3650)
