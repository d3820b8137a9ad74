"""Replaying through the function: what it looks at, what a dry run shows, and that putting right is what heals."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.integration import world
from tests.integration.around import Killed, Watched

from facturacion.ledger import Ledger
from operate.cli.client import merge

house = world.house
WHY = {"motivo": "una mano cambió el libro", "quien": "arn:aws:sts::123456789012:assumed-role/facturas/ana"}
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")


def issued(house, *references):
    house.send(*references)
    house.pack()
    house.run(steps=6, minutes=5)
    assert house.estados(*references) == {"EMITIDO"}


def edited(house, reference, estado):
    """By a hand that should have kept off."""
    house.aws("dynamodb").update_item(
        TableName=world.TABLE,
        Key={"pk": {"S": f"norte#{reference}"}, "sk": {"S": "ESTADO"}},
        UpdateExpression="SET estado = :e",
        ExpressionAttributeValues={":e": {"S": estado}},
    )


def replay(house, **asked):
    return house.operate("reproducir", **WHY, **asked)


def differing(answer):
    return {d["external_reference"]: (d["en_libro"], d["segun_hooks"]) for d in answer["diferencias"]}


def test_a_dry_run_shows_what_a_hand_changed_and_the_replay_heals_it(house):
    issued(house, "A-1", "A-2")
    edited(house, "A-1", "ENVIADO")
    asked = {"cuenta": "norte", "referencias": ["A-1", "A-2", "A-9"]}

    shown = replay(house, simulacro=True, **asked)
    assert differing(shown) == {"A-1": ("ENVIADO", "EMITIDO")} and (shown["miradas"], shown["cantidad"]) == (3, 1)
    assert house.estado("A-1") == "ENVIADO" and house.counts["Reproducidos"] == 0
    healed = replay(house, **asked)
    assert differing(healed) == differing(shown) and healed["negados"] == []
    assert house.estado("A-1") == "EMITIDO" and house.counts["Reproducidos"] == 1
    house.run(steps=2, minutes=10)
    assert not house.asiento("A-1").abierto and house.asiento("A-1").cae
    assert replay(house, **asked)["diferencias"] == []


def test_who_had_it_replayed_and_why_stands_on_the_history_of_what_was_put_right(house):
    issued(house, "A-1", "A-2")
    edited(house, "A-1", "ENVIADO")
    asked = {"cuenta": "norte", "referencias": ["A-1", "A-2"]}
    for missing, codigo in (("motivo", "FaltaMotivo"), ("quien", "FaltaQuien")):
        why = {name: value for name, value in WHY.items() if name != missing}
        assert house.operate("reproducir", **asked, **why)["error"]["codigo"] == codigo
    assert house.estado("A-1") == "ENVIADO"
    house.operate("reproducir", **asked, simulacro=True)
    replay(house, solicitud="s-4", **asked)
    lines = {r: house.operate("ver", cuenta="norte", referencia=r)["historia"] for r in ("A-1", "A-2")}
    (line,) = [x for x in lines["A-1"] if x["clase"] == "decision"]
    said = {"accion": "reproducir", "resultado": "Pedido", "solicitud": "s-4", **WHY}
    assert {name: line[name] for name in said} == said
    assert [x for x in lines["A-2"] if x["clase"] == "decision"] == [], "nothing was done about it"


def test_what_the_stream_lost_is_found_among_what_is_open_without_naming_it(house):
    house.add_cuenta("sur")
    house.send("A-1", "A-2")
    house.send("B-1", cuenta="sur")
    house.pack()
    house.hook("A-2", "error", "h-1", "Cod. Error: #6661145.99731 - Situacion no prevista")
    house.hook("B-1", "encolado", "h-2", cuenta="sur")

    shown = replay(house, simulacro=True)
    assert differing(shown) == {"A-2": ("ENVIADO", "ERROR"), "B-1": ("ENVIADO", "ENCOLADO")}
    assert set(differing(replay(house, cuenta="sur"))) == {"B-1"} and house.estado("A-2") == "ENVIADO"
    replay(house)
    assert house.estado("A-2") == "ERROR" and "ComprobanteConError" in house.events("A-2")
    house.reconcile()
    house.run_errors(rounds=40)
    assert house.estado("A-2") == "EN_REVISION" or house.estado("A-2") == "EMITIDO", "its run was woken"


def test_a_period_is_read_from_the_whole_table_only_after_its_cost_was_told(house):
    noon = house.clock()
    house.hook("X-1", "emitido", "h-1")
    house.clock.advance(hours=3)
    house.hook("X-2", "encolado", "h-2")
    hour = timedelta(hours=1)
    asked = {"desde": (noon - hour).isoformat(), "hasta": (noon + hour).isoformat(), "simulacro": True}

    told = replay(house, **asked)["error"]
    assert told["codigo"] == "HayQueRecorrer" and "unidades de lectura" in told["mensaje"]
    assert differing(replay(house, **asked, recorrer=True)) == {"X-1": (None, "EMITIDO")}
    assert differing(replay(house, **asked | {"hasta": (noon + 5 * hour).isoformat()}, recorrer=True)).keys() == {
        "X-1",
        "X-2",
    }
    assert differing(replay(house, **asked, recorrer=True, cuenta="sur")) == {}
    # Said without a zone it is Argentina's: noon in London is nine in Buenos Aires.
    local = {"desde": "2026-03-02T08:30", "hasta": "2026-03-02T09:30", "recorrer": True}
    assert differing(replay(house, **local, cuenta="norte")) == {"X-1": (None, "EMITIDO")}
    assert house.estado("X-1") == "EMITIDO" and house.estado("X-2") is None


def test_each_goes_on_where_its_last_answer_stopped(house, monkeypatch):
    """By reference, by what is open, and through the table, whose pages are made small here."""
    for n in range(5):
        house.hook(f"X-{n}", "encolado", f"h-{n}")
    scan = house.aws("dynamodb").scan
    whole = {"desde": "2026-03-01", "hasta": "2026-03-04", "recorrer": True}
    page = Ledger.told_page

    def small(self, *asked):
        monkeypatch.setattr(house.aws("dynamodb"), "scan", lambda **request: scan(**request, Limit=3))
        try:
            return page(self, *asked)
        finally:
            monkeypatch.setattr(house.aws("dynamodb"), "scan", scan)

    monkeypatch.setattr(Ledger, "told_page", small)
    assert len(differing(replay(house, **whole, simulacro=True))) == 5

    def all_of(seconds, **asked):
        answer = replay(house, seconds=seconds, simulacro=True, **asked)
        rounds = 1
        while answer["sigue"]:
            answer = merge(answer, replay(house, seconds=seconds, simulacro=True, tras=answer["sigue"], **asked))
            rounds += 1
        return rounds, differing(answer)

    everything = {f"X-{n}" for n in range(5)}
    rounds, found = all_of(20, **whole)
    assert rounds >= 2 and set(found) == everything
    rounds, found = all_of(1, cuenta="norte", referencias=sorted(everything))
    assert rounds == 6 and set(found) == everything
    house.follow()
    for n in range(5):
        edited(house, f"X-{n}", "ENVIADO")
    rounds, found = all_of(1)
    assert rounds >= 5 and set(found) == everything


@pytest.mark.parametrize("step", ["fold_emitido", "owe_contrast"])
def test_a_replay_that_dies_is_finished_by_the_next_one_or_by_the_reconciliation(house, step):
    issued(house, "A-1")
    edited(house, "A-1", "ENVIADO")

    def die(name):
        if name == step:
            raise Killed

    ledger = house.ledger
    house.ledger = Watched(ledger, before=die)
    with pytest.raises(Killed):
        replay(house, cuenta="norte", referencias=["A-1"])
    house.ledger = ledger
    replay(house, cuenta="norte", referencias=["A-1"])
    house.run(steps=3, minutes=10)
    assert house.estado("A-1") == "EMITIDO" and not house.asiento("A-1").abierto
    house.assert_nothing_twice()


def test_one_that_moves_meanwhile_is_told_and_not_forced(house):
    house.send("A-1")
    house.pack()
    house.hook("A-1", "encolado", "h-1")

    def deleted(name):
        if name == "hooks_with_words":
            edited(house, "A-1", "PENDIENTE")
            house.aws("dynamodb").update_item(
                TableName=world.TABLE,
                Key={"pk": {"S": "norte#A-1"}, "sk": {"S": "ESTADO"}},
                UpdateExpression="SET previos = :uno",
                ExpressionAttributeValues={":uno": {"N": "1"}},
            )
            house.hook("A-1", "emitido", "h-9")

    house.ledger = Watched(house.ledger, after=deleted)
    answer = replay(house, cuenta="norte", referencias=["A-1"])
    assert [n["codigo"] for n in answer["negados"]] == ["SigueDistinto"] and answer["cantidad"] == 0
