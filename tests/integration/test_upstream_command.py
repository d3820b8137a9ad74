"""A sender's two orders on the command line: a file is checked, and sent, and may be sent again."""

from __future__ import annotations

import io
import json

import pytest
from tests.unit.operate.test_upstream_checking import message

from operate import __main__ as command
from operate.cli.client import Cliente


@pytest.fixture
def run(aws, queues, capsys):
    def run(*argv):
        def connect(**_):
            return Cliente(None, None, aws, {"QueueUrl": queues.queue}.__getitem__)

        code = command.main([str(a) for a in argv], connect)
        out = capsys.readouterr()
        return code, out.out, out.err

    return run


@pytest.fixture
def file(tmp_path):
    def file(*lines, name="mensajes.jsonl"):
        path = tmp_path / name
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path

    return file


@pytest.fixture
def waiting(aws, queues):
    def waiting():
        answer = aws("sqs").get_queue_attributes(QueueUrl=queues.queue, AttributeNames=["ApproximateNumberOfMessages"])
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    return waiting


BAD = message("B-1", numero=7)


def test_a_file_without_faults_is_well(run, file):
    code, out, _ = run("validar", file(message("A-1"), message("A-2")))
    assert (code, out) == (0, "2 mensajes: 2 bien, ninguno se rechazaría aquí.\n")


def test_every_fault_is_said_in_spanish_with_its_code_and_its_place(run, file):
    code, out, _ = run("validar", file(message("A-1"), BAD, '{"a": 1}'))
    assert code == 1
    assert "línea 2, B-1:\n  comprobante.numero: En la cola el número debe ser 0" in out and "[numero_no_cero]" in out
    assert "línea 3, sin referencia que valga" in out
    assert out.endswith("3 mensajes: 1 bien, se rechazarían 2.\n")


def test_for_programs_it_says_the_same_as_json_and_repeats_no_message(run, file):
    code, out, _ = run("validar", "--json", file(BAD))
    answer = json.loads(out)
    assert (code, answer["por_codigo"]) == (1, {"numero_no_cero": 1})
    assert "VOUSYS" not in out and "documento" not in out


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["no-existe.json"], "SinArchivo"),
        (["--cuenta", "Norte"], "CuentaInvalida"),
        (["--tolerancia", "mucha"], "ToleranciaInvalida"),
    ],
)
def test_what_cannot_be_used_is_said(run, file, argv, says):
    code, out, _ = run("validar", *(argv if argv[0].endswith("json") else [file(message()), *argv]))
    assert code == 2 and f"[{says}]" in out


@pytest.mark.parametrize(("content", "says"), [(b"\xff\xfe", "NoEsUtf8"), (b"", "ArchivoIlegible")])
def test_a_file_that_is_no_text_or_empty_is_said(run, tmp_path, content, says):
    path = tmp_path / "x"
    path.write_bytes(content)
    code, out, _ = run("validar", path)
    assert code == 2 and f"[{says}]" in out


def test_a_file_is_sent_once_however_often_the_order_is_given(run, file, waiting):
    path = file(*(message(f"A-{n}") for n in range(12)), message("A-3"))
    code, out, err = run("enviar", path)
    assert code == 0 and out.endswith("Enviados 12.\n") and err == "12 de 12\n"
    code, out, _ = run("enviar", path)
    assert code == 0 and out.endswith("Enviados 0, 12 ya lo estaban.\n")
    assert waiting() == 12


def test_with_a_fault_in_the_file_nothing_is_sent_unless_that_is_wanted(run, file, waiting):
    path = file(message("A-1"), BAD)
    code, out, _ = run("enviar", path)
    assert code == 1 and "No se envió nada" in out and waiting() == 0
    code, out, _ = run("enviar", path, "--solo-validos")
    assert code == 1 and "Enviados 1." in out and waiting() == 1


def test_the_journal_of_another_queue_is_refused(run, file, queues):
    path = file(message("A-1"))
    run("enviar", path)
    code, out, _ = run("enviar", path, "--cola", queues.rejected)
    assert code == 2 and "[DiarioAjeno]" in out


def test_from_the_standard_input_a_journal_must_be_named(run, tmp_path, monkeypatch, waiting):
    def given():
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"{message('A-1')}\n".encode())))

    given()
    code, out, _ = run("enviar", "-")
    assert code == 2 and "[FaltaDiario]" in out and waiting() == 0
    given()
    code, out, _ = run("enviar", "-", "--diario", tmp_path / "d")
    assert code == 0 and "Enviados 1." in out and waiting() == 1


def test_a_queue_that_cannot_be_reached_is_said_and_what_was_sent_is_kept(run, file, aws, queues):
    path = file(message("A-1"))
    aws("sqs").delete_queue(QueueUrl=queues.queue)
    code, _, err = run("enviar", path)
    assert code == 2 and err.startswith("No se pudo:")
