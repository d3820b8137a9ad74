"""Replaying stored hooks: what the dry run finds, and that putting it right is what following them would have done."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.integration import world

from facturacion.estado import Estado
from facturacion.replay import differences, replay

house = world.house
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")


def lost_in_the_stream(house, *hooks):
    """Hooks (reference, evento, id) that were stored, and that nobody ever followed."""
    for reference, evento, hook_id in hooks:
        house.hook(reference, evento, hook_id)


def put_right(house, diferencia):
    return replay(diferencia, ledger=house.ledger, bus=house.contraster.finishing.bus, at=house.clock())


def test_what_was_followed_is_no_difference(house):
    house.send("A-1")
    house.pack()
    house.hook("A-1", "encolado", "h-1")
    house.follow()

    assert list(differences("norte", ["A-1", "A-2"], house.ledger)) == []


def test_a_dry_run_tells_what_the_stream_lost_and_writes_nothing(house):
    house.send("A-1")
    house.pack()
    lost_in_the_stream(house, ("A-1", "error", "h-2"), ("A-1", "encolado", "h-1"), ("X-1", "emitido", "h-3"))
    before = house.ledger.get("norte", "A-1")

    one, other = differences("norte", ["A-1", "X-1"], house.ledger)

    assert (one.en_libro, one.segun_hooks) == (Estado.ENVIADO, Estado.ERROR)
    assert (other.en_libro, other.segun_hooks) == (None, Estado.EMITIDO)
    assert "el libro dice ENVIADO, sus hooks ERROR" in str(one) and "el libro dice nada" in str(other)
    assert house.ledger.get("norte", "A-1") == before and house.ledger.get("norte", "X-1") is None


def test_a_replay_does_what_following_them_would_have_done(house):
    house.send("A-1")
    house.pack()
    lost_in_the_stream(house, ("A-1", "encolado", "h-1"), ("A-1", "error", "h-2"), ("X-1", "eliminado", "h-3"))

    for diferencia in differences("norte", ["A-1", "X-1"], house.ledger):
        put_right(house, diferencia)

    assert (house.estado("A-1"), house.estado("X-1")) == ("ERROR", "ELIMINADO")
    assert "ComprobanteConError" in house.events("A-1")
    assert house.events("X-1") == ["RevisionRequerida", "ComprobanteEliminado"]
    assert list(differences("norte", ["A-1", "X-1"], house.ledger)) == []


def test_only_what_was_told_in_that_time_is_looked_at(house):
    noon = house.clock()
    lost_in_the_stream(house, ("X-1", "encolado", "h-1"))
    house.clock.advance(hours=2)
    lost_in_the_stream(house, ("X-2", "encolado", "h-2"))
    hour = timedelta(hours=1)

    def told(since, until, cuenta="norte"):
        page = house.ledger.told_page(since, until, cuenta, None)
        assert page.after is None
        return sorted(reference for _, reference in page.references)

    assert told(noon - hour, noon + hour) == ["X-1"]
    assert told(noon + hour, noon + 3 * hour) == ["X-2"]
    assert told(noon - hour, noon + 3 * hour) == ["X-1", "X-2"]
