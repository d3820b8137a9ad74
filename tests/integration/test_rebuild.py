"""A restored table has forgotten: nothing leaves before what the provider has was written into it again."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from moto.dynamodb.models import dynamodb_backends
from tests.integration import world
from tests.integration.around import Killed, Watched
from tests.template import table_request

from facturacion.asiento import Refused
from facturacion.estado import Estado
from facturacion.ledger import Mostrado

house = world.house
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")
SLOWEST = 1_800
AFTER_THE_QUIET = timedelta(hours=2, minutes=16)


def restore(house, items):
    """The table is another one, with what the backup held; its stream is empty."""
    client = house.aws("dynamodb")
    client.delete_table(TableName=world.TABLE)
    client.create_table(**table_request("Ledger", world.TABLE))
    for item in items:
        client.put_item(TableName=world.TABLE, Item=item)
    shard = dynamodb_backends["123456789012"]["us-east-1"].get_table(world.TABLE).stream_shard.items
    house._streamed, house._again = len(shard), []
    house.clock.advance(minutes=2)


def backup(house):
    """What a backup of now holds, once somebody looked at the table."""
    house.reconcile()
    return house.items()


def sent(house, *messages):
    for message in messages:
        house.put(message)
    house.pack()
    house.clock.advance(seconds=30)
    house.deliver()
    house.follow()


def rebuild(house, seconds=300, **asked):
    return house.invoke({"reconstruir": {"desde": "2026-03-02", "cuenta": "norte", **asked}}, seconds)


def test_a_ledger_in_its_own_table_is_not_paused(house):
    house.send("A-1")
    assert house.pack() == []
    house.clock.advance(days=1)
    house.reconcile()
    assert house.ledger.restaurada() is None and house.counts["SinReconstruir"] == 0


@pytest.mark.parametrize("kept", ["cuenta", "note"])
def test_after_a_restore_nothing_leaves_and_the_messages_wait_long(house, kept):
    """«Sending stays paused until it has run», also for a cuenta that was added after the backup."""
    if kept == "cuenta":
        house.ledger.puerta("norte")
    items = backup(house)
    first = house.message("A-1")
    sent(house, first)
    restore(house, items)
    house.put(first)
    house.send("A-2")
    house.waits.clear()
    assert len(house.pack()) == 2 and house.waits == [SLOWEST, SLOWEST]
    for _ in range(60):
        house.clock.advance(minutes=31)
        house.pack()
    assert len(house.posts()) == 1 and house.waiting() == 2
    house.reconcile()
    assert house.counts["SinReconstruir"] == 1


def test_what_was_forgotten_is_known_again_and_its_message_is_no_second_invoice(house):
    """Issued, scheduled, in error, and refused with other content before: the worst a backup can have forgotten."""
    house.put(house.message("R-1", vencimiento="01/01/2020"))
    sent(house)
    assert house.estado("R-1") == "RECHAZADO"
    items = backup(house)
    ahead = {"fecha": "20/03/2026", "vencimiento": "20/03/2026"}
    messages = {
        "A-1": house.message("A-1"),
        "S-1": house.message("S-1", **ahead),
        "E-1": house.message("E-1", comentario="SIM:ERROR=DATOS"),
        "R-1": house.message("R-1", precio=50),
    }
    sent(house, *messages.values())
    told = house.details("A-1", "ComprobanteEmitido")
    assert {r: house.estado(r) for r in messages} == {
        "A-1": "EMITIDO", "S-1": "ENCOLADO", "E-1": "ERROR", "R-1": "EMITIDO",
    }  # fmt: skip
    restore(house, items)
    assert house.estado("A-1") is None and house.estado("R-1") == "RECHAZADO"
    house.reconcile()
    house.clock.advance(seconds=AFTER_THE_QUIET.total_seconds())
    answer = rebuild(house)
    assert answer == {"completa": True, "cuentas": {"norte": {"completa": True, "leidos": 4, "escritos": 4}}}
    assert {r: house.estado(r) for r in messages} == {
        "A-1": "EMITIDO", "S-1": "ENCOLADO", "E-1": "ERROR", "R-1": "EMITIDO",
    }  # fmt: skip
    for message in messages.values():
        house.put(message)
    house.send("A-2")
    house.clock.advance(minutes=6)
    house.reconcile()
    house.pack()
    assert house.waiting() == 0 and house.rejected() == []
    assert sorted(r for post in house.posts() for r in post) == ["A-1", "A-2", "E-1", "R-1", "S-1"]
    house.assert_nothing_twice()
    assert house.asiento("A-1").cae and not house.asiento("A-1").abierto
    again = house.details("A-1", "ComprobanteEmitido")
    assert {d["evento_id"] for d in again} == {told[0]["evento_id"]} and again[-1]["cae"] == told[0]["cae"]


def test_what_waited_to_be_sent_again_and_was_sent_since_is_not_sent_a_third_time(house, dynamodb):
    """PENDIENTE in the backup, at the provider now: the one state from which a known content would be posted."""
    message = house.message("A-1")
    house.plan.update(lotes=["429"])
    house.put(message)
    house.pack()
    assert house.estado("A-1") == "PENDIENTE"
    items = backup(house)
    house.clock.advance(minutes=31)
    house.pack()
    assert house.estado("A-1") == "ENVIADO"
    restore(house, items)
    house.reconcile()
    house.clock.advance(seconds=AFTER_THE_QUIET.total_seconds())
    assert rebuild(house)["completa"]
    house.put(message)
    house.pack()
    assert house.waiting() == 0 and house.estado("A-1") == "EMITIDO"
    house.assert_nothing_twice()


def test_it_does_not_begin_before_a_post_of_the_old_table_would_show(house):
    house.ledger.puerta("norte")
    items = backup(house)
    house.plan.update(lotes=["524_accepted"], demora_en_cola=864_000.0)
    restore(house, items)
    house.reconcile()
    house.clock.advance(hours=2)
    answer = rebuild(house)
    assert not answer["completa"] and answer["cuentas"]["norte"]["codigo"] == "EsperarSilencio"
    assert house.calls() == 0
    house.clock.advance(minutes=16)
    assert rebuild(house)["completa"]


def test_it_goes_on_where_the_time_or_the_provider_ended_it(house):
    house.ledger.puerta("norte")
    items = backup(house)
    sent(house, house.message("A-1"), house.message("S-1", fecha="20/03/2026", vencimiento="20/03/2026"))
    restore(house, items)
    house.reconcile()
    house.clock.advance(seconds=AFTER_THE_QUIET.total_seconds())
    assert rebuild(house, seconds=59)["cuentas"]["norte"] == {"completa": False, "codigo": "SinTiempo"}
    house.plan.update(consultas=["ok"] * 20 + ["524"])
    before = house.calls()
    first = rebuild(house)["cuentas"]["norte"]
    assert (first["completa"], first["sigue"], first["escritos"]) == (False, "2026-03-12", 1)
    assert house.ledger.puerta("norte").sin_reconstruir
    second = rebuild(house)["cuentas"]["norte"]
    assert second == {"completa": True, "leidos": 1, "escritos": 1}
    assert not house.ledger.puerta("norte").sin_reconstruir
    assert house.calls() - before == 10 + 1 + 31 + 1


def test_a_crash_in_the_middle_of_a_day_repeats_it_and_writes_nothing_twice(house):
    house.ledger.puerta("norte")
    items = backup(house)
    sent(house, *(house.message(f"A-{n}") for n in range(5)))
    restore(house, items)
    house.reconcile()
    house.clock.advance(seconds=AFTER_THE_QUIET.total_seconds())
    left = [3]

    def die(method):
        if method == "remember":
            left[0] -= 1
            if not left[0]:
                raise Killed

    with house.ledger_of_reconcile(Watched(house.ledger, before=die)), pytest.raises(Killed):
        rebuild(house)
    assert rebuild(house)["cuentas"]["norte"]["escritos"] == 3
    assert {house.asiento(f"A-{n}").version for n in range(5)} == {1}


def test_two_under_one_reference_are_a_persons_and_its_message_waits(house):
    house.ledger.puerta("norte")
    items = backup(house)
    house.plan.update(demora_en_cola=864_000.0)
    sent(house, house.message("A-1"))
    house.proveedor.web_submit("norte", house.message("A-1", cuenta=None))
    restore(house, items)
    house.reconcile()
    house.clock.advance(seconds=AFTER_THE_QUIET.total_seconds())
    assert rebuild(house)["completa"] and house.estado("A-1") == "EN_REVISION"
    house.send("A-1")
    assert len(house.pack()) == 1 and len(house.posts()) == 1


def test_a_second_restore_pauses_again(house):
    house.ledger.puerta("norte")
    items = backup(house)
    restore(house, items)
    house.reconcile()
    house.clock.advance(seconds=AFTER_THE_QUIET.total_seconds())
    assert rebuild(house)["completa"] and not house.ledger.puerta("norte").sin_reconstruir
    restore(house, house.items())
    assert house.ledger.puerta("norte").sin_reconstruir


@pytest.mark.parametrize("asked", [{"desde": "ayer"}, {"desde": None}, {"desde": "2027-01-01"}])
def test_what_cannot_be_understood_does_nothing(house, asked):
    assert rebuild(house, **asked)["codigo"] == "PedidoInvalido"
    assert house.calls() == 0


def test_one_whose_secret_cannot_be_read_is_told_and_the_others_are_rebuilt(house):
    """«sur» is pending deletion and was never marked; «oeste» was retired."""
    for alias in ("este", "oeste", "sur"):
        house.add_cuenta(alias)
        house.ledger.puerta(alias)
    house.ledger.puerta("norte")
    house.ledger.mark_retired("oeste", retired=True)
    for alias in ("oeste", "sur"):
        house.aws("secretsmanager").delete_secret(SecretId=f"{world.PREFIX}/{alias}")
    house.clock.advance(minutes=20)
    answer = house.invoke({"reconstruir": {"desde": "2026-03-02"}}, 900)
    told = {alias: (d["completa"], d.get("codigo")) for alias, d in answer["cuentas"].items()}
    assert told == {
        "este": (True, None),
        "norte": (True, None),
        "oeste": (True, "DadaDeBaja"),
        "sur": (False, "SecretoIlegible"),
    }
    assert not answer["completa"]


def test_an_unknown_cuenta_is_not_complete(house):
    assert not rebuild(house, cuenta="sur")["completa"]


def test_a_rebuilt_one_that_was_written_meanwhile_is_left_alone(house, ledger):
    shown = Mostrado(Estado.ENCOLADO, (), "FACTURA B", date(2026, 3, 2), None)
    first = ledger.remember("norte", "A-1", shown, "L1", 0)
    assert isinstance(ledger.remember("norte", "A-1", shown, "L2", 0), Refused)
    ledger.correct(first, shown, "L2")
    assert isinstance(ledger.correct(first, shown, "L3"), Refused)
