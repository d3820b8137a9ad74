"""Dollars by value: what is charged for is what was counted."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from tests.bench import costs
from tests.bench.counting import Bill
from tests.bench.metering import Meter
from tests.bench.prices import PRICES, REGIONS

NO_CPU = costs.Cpu(0.0, 0.0, 0.0)


def bill(**changes):
    """Of a hundred comprobantes in one lote that the provider took ten seconds for; nothing else."""
    meter = Meter(
        writes=Counter(pack=300, webhook=200, follow=400),
        reads=Counter(pack=100),
        calls=Counter({("pack", "sqs:ChangeMessageVisibilityBatch"): 10, ("follow", "s3:PutObject"): 100}),
        own_writes=900,
    )
    given = {
        "comprobantes": 100,
        "issued": 100,
        "in_error": 0,
        "accepted_twice": 0,
        "lotes": 1,
        "elapsed": timedelta(hours=1),
        "meter": meter,
        "provider": Counter({"provider:facturacion/lotes_encola": 1}),
        "invoked": Counter(pack=1, webhook=200, follow=49, reconcile=60),
        "seconds": Counter(pack=10.0),
        "log_bytes": Counter(webhook=50_000),
        "events": 200,
        "states": 0,
        "stored_bytes": 170_000,
        "metrics": frozenset(),
    }
    return Bill(**given | changes)


def test_a_million_costs_what_its_units_cost():
    dollars = costs.per_million(bill(), NO_CPU)
    assert dollars["DynamoDB writes"] == pytest.approx(9 * 0.625)
    assert dollars["DynamoDB reads"] == pytest.approx(0.125)
    assert dollars["HTTP API"] == pytest.approx(2.0) and dollars["EventBridge"] == pytest.approx(2.0)
    assert dollars["Lambda requests"] == pytest.approx(2.5 * 0.20), "the schedule's are not of a comprobante"
    assert dollars["Lambda duration"] == pytest.approx(0.1 * 0.5 * 13.3334)
    assert dollars["SQS"] == pytest.approx(1.3 * 0.40)
    assert dollars["logs"] == pytest.approx((500 + 0.5 * 500 + 2 * 260) / 1000 * 0.5)
    assert costs.pdfs_per_million(bill()) == pytest.approx(5.0)


def test_cpu_is_longer_on_a_small_lambda():
    cpu = costs.Cpu(lote=0.003, hook=0.001, follow=0.001)
    assert cpu.of_a_life == pytest.approx(0.007 * 1769 / 512)
    more = costs.per_million(bill(), cpu)["Lambda duration"] - costs.per_million(bill(), NO_CPU)["Lambda duration"]
    assert more == pytest.approx(cpu.of_a_life * 0.5 * 13.3334)


def test_a_month_without_a_comprobante_costs_what_watches_it():
    month = costs.per_month(alarms=10, metrics=20, dashboards=1)
    assert (month["alarms"], month["metrics"], month["dashboards"]) == pytest.approx((1.0, 6.0, 3.0))


def test_what_was_not_built_is_dearer():
    assert costs.alternatives(bill()) == pytest.approx(
        {
            "a REST API for the hooks": 2 * 2.5,
            "every write in a transaction": 9 * 0.625,
            "an index on the state": 7 * 0.625,
            "a standard workflow for each comprobante": 150.0,
            "one submission for each comprobante": 10 * 0.5 * 13.3334,
        }
    )


def test_a_secret_is_worth_so_many_comprobantes():
    even = costs.break_even(15.0, fixed=6.0)
    assert even["a cuenta's secret is its smaller part from (a month)"] == pytest.approx(0.40 / 15e-6)
    assert even["the fixed part is the smaller one from (a month)"] == pytest.approx(400_000)


def test_every_price_says_where_it_was_read():
    assert all(price.dollars > 0 and price.unit and price.source for price in PRICES.values())
    assert REGIONS["us-east-1"] == 1.0
