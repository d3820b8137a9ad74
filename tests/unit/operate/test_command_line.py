"""The command line: what it asks the function, and what it makes of the answers."""

from __future__ import annotations

import json

import pytest

from operate import __main__ as command
from operate.cli.client import Cliente, connect, merge
from operate.cli.listar import listing
from operate.cli.place import SinRespuesta
from operate.cli.printing import WIDEST, table

ARN = "arn:aws:sts::123456789012:assumed-role/facturas/ana"
NOTHING = {
    "pausas": [],
    "comprobantes": [],
    "cantidad": 0,
    "total": "0.00",
    "por_codigo": {},
    "incidentes": [],
    "sigue": None,
}
DECIDED = {
    "simulacro": False,
    "accion": "eliminar",
    "cantidad": 1,
    "total": "10.00",
    "pedidos": 1,
    "fuera_de_ventana": 0,
    "decididos": [{"cuenta": "norte", "external_reference": "A-1"}],
    "negados": [],
    "negados_por_codigo": {},
    "incidentes_cerrados": [],
    "sin_corrida": [],
    "en_pausa": [],
    "sigue": None,
}
REFUSED = {"cuenta": "norte", "external_reference": "A-2", "codigo": "NoEspera", "motivo": "Está EMITIDO."}


def no_aws(name):
    raise AssertionError(f"nobody asked for {name}")


@pytest.fixture
def run(capsys):
    """Runs a command line against a function that gives `answers` in turn; what it was asked, and what came out."""

    def run(*argv, answers=(NOTHING,)):
        asked = []
        left = iter(answers)

        def invoke(function, event):
            asked.append((function, event))
            answer = next(left)
            if isinstance(answer, Exception):
                raise answer
            return answer

        code = command.main(argv, lambda **_: Cliente(invoke, lambda: ARN, no_aws, no_aws))
        out = capsys.readouterr()
        return code, asked, out.out, out.err

    return run


def test_a_decision_carries_who_the_caller_is_and_why(run):
    code, [(function, event)], *_ = run(
        "decidir", "cambiar-fecha", "A-1", "--cuenta", "norte", "--motivo", "m", "--fecha", "2026-03-04",
        answers=[{**DECIDED, "accion": "cambiar_fecha"}],
    )  # fmt: skip
    assert (code, function) == (0, "operate")
    assert (event["orden"], event["accion"], event["fecha"]) == ("decidir", "cambiar_fecha", "2026-03-04")
    assert (event["quien"], event["motivo"], event["referencias"]) == (ARN, "m", ["A-1"])


def test_a_rehearsal_asks_nobody_who_one_is(run):
    _, [(_, event)], out, _ = run(
        "decidir", "eliminar", "--codigo", "X", "--dry-run", answers=[{**DECIDED, "simulacro": True}]
    )
    assert event["simulacro"] is True and event["quien"] == "" and "referencias" not in event
    assert out.startswith("Simulacro.")


def test_the_exit_code_says_whether_all_some_or_nothing_was_done(run):
    argv = ("decidir", "eliminar", "A-1", "A-2", "--cuenta", "norte", "--motivo", "m")
    assert run(*argv, answers=[DECIDED])[0] == 0
    code, _, out, _ = run(*argv, answers=[{**DECIDED, "negados": [REFUSED]}])
    assert code == 1 and "NoEspera" in out and "A-2" in out
    assert run(*argv, answers=[{"error": {"codigo": "FaltaMotivo", "mensaje": "Falta."}}])[0] == 2
    code, _, _, err = run(*argv, answers=[SinRespuesta("la función falló: se acabó el tiempo")])
    assert code == 2 and "se acabó el tiempo" in err


def test_it_asks_again_until_it_has_everything(run):
    place = {"cuenta": "norte", "orden": "o", "external_reference": "A-1"}
    first = {**DECIDED, "sigue": place, "negados": [REFUSED], "negados_por_codigo": {"NoEspera": 1}}
    code, asked, out, _ = run(
        "decidir", "eliminar", "--cuenta", "norte", "--motivo", "m", "--json", answers=[first, DECIDED]
    )
    whole = json.loads(out)
    assert asked[1][1]["tras"] == place and "tras" not in asked[0][1]
    assert (whole["cantidad"], whole["total"], whole["pedidos"], whole["sigue"]) == (2, "20.00", 2, None)
    assert len(whole["decididos"]) == 2 and whole["negados_por_codigo"] == {"NoEspera": 1} and code == 1


def test_an_error_half_way_tells_what_was_done_before(run):
    first = {**DECIDED, "sigue": {"cuenta": "norte", "orden": "o", "external_reference": "A-1"}}
    error = {"error": {"codigo": "FechaFueraDeVentana", "mensaje": "Es medianoche."}}
    code, _, out, _ = run("decidir", "eliminar", "--cuenta", "norte", "--motivo", "m", answers=[first, error])
    assert code == 2 and "Es medianoche." in out and "Antes de eso: 1." in out


def test_an_incident_that_two_answers_tell_of_is_one():
    incident = {"cuenta": "norte", "codigo": "C", "mensaje": "m", "desde": None, "retenidos": 2}
    one = {**NOTHING, "incidentes": [incident], "por_codigo": {"C": 2}}
    other = {**NOTHING, "incidentes": [{**incident, "retenidos": 3}], "por_codigo": {"C": 3, "D": 1}}
    merged = merge(one, other)
    assert [i["retenidos"] for i in merged["incidentes"]] == [5]
    assert merged["por_codigo"] == {"C": 5, "D": 1}


def test_a_reconstruction_is_asked_of_the_reconciliation(run):
    code, asked, out, _ = run("reconstruir", "--desde", "2026-03-01", "--cuenta", "norte", answers=[{"rehechos": 7}])
    assert asked == [("reconcile", {"reconstruir": {"desde": "2026-03-01", "cuenta": "norte"}})]
    assert (code, out) == (0, "rehechos: 7\n")


@pytest.mark.parametrize(
    "argv",
    [
        (),
        ("decidir", "romper"),
        ("decidir", "cambiar-fecha", "A", "--fecha", "mañana"),
        ("ver", "A-1"),
        ("reconstruir",),
        ("pausar", "norte"),
        ("pausar", "norte", "--todas", "--motivo", "m"),
        ("reanudar",),
    ],
)
def test_what_cannot_be_meant_ends_in_a_usage(run, argv):
    with pytest.raises(SystemExit) as ended:
        run(*argv)
    assert ended.value.code == 2


def test_without_a_sandbox_it_says_how_to_start_one(tmp_path):
    with pytest.raises(SinRespuesta, match="make up"):
        connect(stack="facturacion", region=None, sandbox=str(tmp_path / "outputs.json"))


def test_what_others_wrote_moves_no_cursor_and_stretches_no_table():
    text = table(("A", "B"), [("\x1b[2J\x07x\ny", "z" * 500)])
    assert text.splitlines()[1].startswith("[2J x y") and "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 10 + WIDEST


def test_an_empty_listing_says_so():
    assert listing(NOTHING) == "Nada espera a una persona."


PAUSA = {
    "cuenta": "norte",
    "desde": "2026-03-02T12:00:00.000Z",
    "hasta": None,
    "segura_hasta": "2026-03-05T12:00:00.000Z",
    "quien": ARN,
    "motivo": "cambio de precios",
}


def test_a_pause_says_what_it_stops_what_goes_on_and_how_long_it_is_safe(run):
    code, [(_, event)], out, _ = run(
        "pausar", "norte", "--motivo", "cambio de precios", "--horas", "2",
        answers=[{"pausa": PAUSA, "nueva": True, "mas_larga": False, "conocida": False}],
    )  # fmt: skip
    assert code == 0
    assert event == {
        "orden": "pausar",
        "cuenta": "norte",
        "todas": False,
        "horas": 2.0,
        "motivo": "cambio de precios",
        "quien": ARN,
        "acortar": False,
    }
    assert "norte, desde el 02/03/2026 09:00, por ana: «cambio de precios»." in out
    assert "05/03/2026 09:00" in out and "todavía no envió nada" in out


def test_a_pause_shows_in_the_listing_and_after_resuming_another_one(run):
    _, _, out, _ = run("listar", answers=[{**NOTHING, "pausas": [PAUSA]}])
    assert out.startswith("En pausa: norte")
    general = {**PAUSA, "cuenta": None}
    code, [(_, event)], out, _ = run("reanudar", "norte", answers=[{"pausa": PAUSA, "pausas": [general]}])
    assert (code, event["cuenta"], event["todas"]) == (0, "norte", False)
    assert "Sigue en pausa: todas las cuentas" in out
