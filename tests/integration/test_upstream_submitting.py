"""A file on the queue: each message once as far as can be known, whatever stops in between."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest
from botocore.exceptions import EndpointConnectionError
from tests.unit.operate.test_upstream_checking import checked, message

from operate.upstream.submitting import ROUNDS, Diario, DiarioAjeno, submit

STRANGER = '{"comprobante": {"external_reference": "-"}}'


@pytest.fixture
def sqs(aws):
    return aws("sqs")


@pytest.fixture
def send(sqs, queues, tmp_path):
    """Sends `revisados`, with the journal of the file; what became of it, the waits and the progress that was told."""

    def send(revisados, journal="archivo.enviados", **given):
        waits, told = [], []
        diario = Diario(tmp_path / journal, queues.queue)
        given = {"sqs": sqs, "queue_url": queues.queue} | given
        return submit(revisados, diario=diario, pause=waits.append, progress=told.append, **given), waits, told

    return send


@pytest.fixture
def waiting(sqs, queues):
    """The messages on the queue, by reference, with their group; they are taken off it."""

    def waiting():
        found = []
        while messages := sqs.receive_message(
            QueueUrl=queues.queue, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
        ).get("Messages"):
            for m in messages:
                sqs.delete_message(QueueUrl=queues.queue, ReceiptHandle=m["ReceiptHandle"])
                body = json.loads(m["Body"])
                found.append((body["comprobante"]["external_reference"], m["Attributes"].get("MessageGroupId")))
        return sorted(pair for pair in found if pair[0] != "-")

    return waiting


def many(count, prefix="A"):
    return checked(*(message(f"{prefix}-{n:03d}") for n in range(count)))


def on_a_call(sqs, what):
    """`what(params, model)` may raise before each SendMessageBatch leaves; the undo."""
    sqs.meta.events.register("before-call.sqs.SendMessageBatch", what)
    return lambda: sqs.meta.events.unregister("before-call.sqs.SendMessageBatch", what)


def test_a_file_goes_out_in_batches_and_each_message_belongs_to_its_cuentas_group(send, waiting):
    enviado, waits, told = send(many(25))
    assert (enviado.nuevos, enviado.ya_enviados, enviado.negados, waits) == (25, 0, [], [])
    assert told == [10, 20, 25]
    assert waiting() == [(f"A-{n:03d}", "norte") for n in range(25)]


def test_sent_again_it_sends_nothing(send, waiting):
    send(many(12))
    waiting()
    enviado, _, told = send(many(12))
    assert (enviado.nuevos, enviado.ya_enviados, told) == (0, 12, [])
    assert waiting() == []


def test_what_was_corrected_or_added_is_sent_and_nothing_else(send, waiting):
    send(many(3))
    waiting()
    corrected = checked(message("A-000"), message("A-001", total="1.00"), message("A-002"), message("A-003"))
    assert send(corrected)[0].nuevos == 2
    assert [reference for reference, _ in waiting()] == ["A-001", "A-003"]


def test_a_send_that_stops_in_the_middle_goes_on_where_it_stopped(send, waiting, sqs):
    calls = []

    def stop_at_the_third(**_):
        calls.append(1)
        if len(calls) == 3:
            raise EndpointConnectionError(endpoint_url="https://sqs")

    undo = on_a_call(sqs, stop_at_the_third)
    with pytest.raises(EndpointConnectionError):
        send(many(45))
    undo()
    enviado, *_ = send(many(45))
    assert (enviado.ya_enviados, enviado.nuevos) == (20, 25)
    assert [reference for reference, _ in waiting()] == [f"A-{n:03d}" for n in range(45)]


def test_a_journal_whose_last_line_was_cut_sends_that_message_again(send, waiting, tmp_path):
    send(many(3))
    waiting()
    journal = tmp_path / "archivo.enviados"
    journal.write_bytes(journal.read_bytes()[:-20])
    assert send(many(3))[0].nuevos == 1
    assert send(many(3))[0].nuevos == 0
    assert waiting() == [("A-002", "norte")]


def test_the_journal_of_another_queue_is_not_gone_by(send, queues, tmp_path):
    send(many(1))
    with pytest.raises(DiarioAjeno, match="no es el diario de esta cola"):
        Diario(tmp_path / "archivo.enviados", queues.rejected)


def test_what_is_no_journal_is_not_written_to(queues, tmp_path):
    other = tmp_path / "datos.csv"
    other.write_text("a,b\n1,2\n")
    with pytest.raises(DiarioAjeno):
        Diario(other, queues.queue)
    assert other.read_text() == "a,b\n1,2\n"


@contextmanager
def entries_fail(sqs, how):
    """SQS takes a batch without those of its entries for which `how(reference)` says whether it is the sender's fault.

    moto takes them all, so they are held back before the request and told in its answer, in the documented shape.
    """
    failed = []

    def before(params, **_):
        failed.clear()
        kept = []
        for entry in params["Entries"]:
            fault = how(json.loads(entry["MessageBody"])["comprobante"]["external_reference"])
            if fault is None:
                kept.append(entry)
            else:
                failed.append({"Id": entry["Id"], "SenderFault": fault, "Code": "Sucedió"})
        # A batch of none is no request: then a stranger goes out instead, to be told from the others.
        params["Entries"] = kept or [{"Id": "-", "MessageBody": STRANGER}]
        return params

    def after(parsed, **_):
        parsed["Failed"] = list(failed)

    sqs.meta.events.register("provide-client-params.sqs.SendMessageBatch", before)
    sqs.meta.events.register("after-call.sqs.SendMessageBatch", after)
    try:
        yield
    finally:
        sqs.meta.events.unregister("provide-client-params.sqs.SendMessageBatch", before)
        sqs.meta.events.unregister("after-call.sqs.SendMessageBatch", after)


def test_what_sqs_does_not_take_for_a_reason_of_its_own_is_tried_again_and_stops_nothing_else(send, waiting, sqs):
    turns = []

    def twice(reference):
        if reference == "A-001" and len(turns) < 2:
            turns.append(1)
            return False
        return None

    with entries_fail(sqs, twice):
        enviado, waits, _ = send(many(12))
    assert (enviado.nuevos, enviado.negados, waits) == (12, [], [1.0, 2.0])
    assert len(waiting()) == 12


def test_what_is_never_taken_is_told_and_sent_the_next_time(send, waiting, sqs):
    with entries_fail(sqs, lambda reference: False if reference == "A-001" else None):
        enviado, waits, _ = send(many(12))
    assert (enviado.nuevos, enviado.negados) == (11, [("línea 2", "NoDisponible")])
    assert len(waits) == ROUNDS
    assert send(many(12))[0].nuevos == 1
    assert len(waiting()) == 12


def test_what_sqs_refuses_for_good_is_told_with_its_code_and_stops_nothing_else(send, waiting, sqs):
    with entries_fail(sqs, lambda reference: True if reference == "A-001" else None):
        enviado, waits, _ = send(many(12))
    assert (enviado.nuevos, enviado.negados, waits) == (11, [("línea 2", "Sucedió")], [])
    assert len(waiting()) == 11
