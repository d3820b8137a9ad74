"""pack_lotes where hooks were stored before the claim: what the provider spoke of is never posted blindly."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.integration import world
from tests.integration.around import Watched, calls_of

house = world.house
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")


@pytest.mark.parametrize("evento", ["encolado", "emitido", "error", "cambio_fecha", "eliminado"])
def test_a_stored_hook_of_an_unknown_reference_blocks_its_claim_before_the_stream_has_folded_it(house, evento):
    """«An authentic hook for an unknown reference blocks its later claim»: the stream may be minutes behind."""
    house.hook("A-9", evento, "h-1")
    house.send("A-9", "A-1")
    assert len(house.pack()) == 1
    assert house.posts() == [["A-1"]] and house.estado("A-9") == "EN_REVISION"
    house.follow()
    house.run(steps=3, minutes=10)
    assert house.posts() == [["A-1"]]
    # What was issued or deleted there is no more for a review: then the message is a conflict that people read.
    assert house.waiting() + len(house.rejected()) == 1


def test_the_review_is_told_once_whoever_found_the_hook_first(house):
    house.hook("A-9", "encolado", "h-1")
    house.send("A-9")
    house.pack()
    house.follow()
    house.run(steps=2, minutes=10)
    assert house.events("A-9") == ["RevisionRequerida"]
    assert house.details("A-9", "RevisionRequerida")[0]["codigo"] == "ReferenciaAjena"


def test_a_hook_that_says_nothing_of_a_comprobante_blocks_no_claim(house):
    house.hook("A-9", "test", "h-1")
    house.hook("A-9", "otra_cosa", "h-2")
    house.send("A-9")
    assert house.pack() == [] and house.estado("A-9") == "ENVIADO"


def test_a_hook_of_one_that_waits_is_asked_about_before_it_is_claimed_again(house):
    """It was not sent, as far as we know; a hook says that it is there: ask, before there are two."""
    house.plan.update(lotes=["429"])
    house.send("A-1")
    house.pack()
    house.hook("A-1", "encolado", "h-1")
    house.clock.advance(minutes=31)
    house.pack()
    assert len(house.posts()) == 1 and house.calls() == 1
    house.follow()
    assert house.estado("A-1") == "ENCOLADO"


def test_the_hooks_are_read_with_one_query_each_and_no_write(house, aws):
    house.send(*(f"A-{n}" for n in range(5)))
    house.ledger.puerta("norte")
    with calls_of(aws("dynamodb")) as called:
        house.pack()
    # That they came is noted once for all. The door is read before and after; of each its claim and its answer are
    # written.
    assert Counter(called) == {"PutItem": 1, "BatchGetItem": 2, "Query": 5, "UpdateItem": 10}


def test_a_hundred_are_read_and_claimed_one_by_one_within_their_time(house):
    """20 ms each for reading and for claiming, several times what they take on AWS, still fill the lote."""
    slow = Watched(house.ledger, after=lambda name: name in {"hooks", "claim"} and house.clock.advance(seconds=0.02))
    house.send(*(f"A-{n}" for n in range(100)))
    assert house.pack(ledger=slow) == [] and [len(post) for post in house.posts()] == [100]


def test_one_that_waits_and_breaks_the_rules_of_today_is_asked_about_where_a_hook_says_it_is_there(house):
    """PENDIENTE is what we believe; a hook that came since says otherwise: who refuses it must have asked."""
    house.plan.update(lotes=["429"])
    house.send("A-1")
    house.pack()
    house.hook("A-1", "encolado", "h-1")
    house.secret("norte", punto_venta=4)
    house.clock.advance(minutes=31)
    assert len(house.pack()) == 1
    assert house.estado("A-1") != "RECHAZADO" and house.calls() == 1
    assert house.events("A-1") == []


def test_once_it_was_asked_about_and_is_not_there_it_is_refused_for_the_rules_it_breaks(house):
    house.plan.update(lotes=["524_dropped"], hooks_prob={"lost": 1.0})
    house.send("A-1")
    house.pack()
    house.clock.advance(hours=3)
    house.pack()
    house.clock.advance(minutes=31)
    house.plan.update(lotes=["429"])
    house.pack()
    assert (house.estado("A-1"), house.asiento("A-1").previos) == ("PENDIENTE", 1)
    house.hook("A-1", "encolado", "h-1")
    house.follow()
    house.secret("norte", punto_venta=4)
    for _ in range(4):
        house.clock.advance(hours=3)
        house.pack()
    assert house.estado("A-1") == "RECHAZADO" and house.waiting() == 0
    assert house.events("A-1") == ["ComprobanteRechazado"]
