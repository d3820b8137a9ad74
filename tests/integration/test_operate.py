"""What people look at and decide: through the function, as the command line invokes it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.integration import world
from tests.integration.around import Killed, Watched, aws_fails

from facturacion.asiento import Causa, Refused
from operate import __main__ as command
from operate import listing
from operate.cli.client import Cliente

house = world.house
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")

ANA = "arn:aws:sts::123456789012:assumed-role/facturas/ana"


def parked(house, *kinds, prefix="P", resolve=True):
    """One comprobante `P-{n}` of each kind, in error at the provider; the run has done what it could by itself."""
    references = [f"{prefix}-{n}" for n, _ in enumerate(kinds)]
    for reference, kind in zip(references, kinds, strict=True):
        house.put(house.message(reference, comentario=f"SIM:ERROR={kind}"))
    house.pack()
    house.clock.advance(seconds=5)
    house.deliver()
    house.follow()
    if resolve:
        resolved(house)
    return references


def resolved(house, rounds=20):
    house.run_errors(rounds=rounds)
    house.settle()
    house.reconcile()


def by_place(house, references):
    """In the order in which they were posted, which is that of the list."""
    return [reference for post in house.posts() for reference in post if reference in references]


def decide(house, accion, *references, motivo="se habló con el cliente", **more):
    asked = {"referencias": list(references), "cuenta": "norte"} if references else {}
    return house.operate("decidir", accion=accion, quien=ANA, motivo=motivo, **{**asked, **more})


def refusals(answer):
    return {n["external_reference"]: n["codigo"] for n in answer["negados"]}


def listed(answer):
    return [c["external_reference"] for c in answer["comprobantes"]]


def names(answer):
    return set(listed(answer))


def operations(house):
    return [(op.metodo.removesuffix("_encolado"), op.referencia) for op in house.proveedor.operaciones]


def lines(house, kind="DECISION"):
    return [i for i in house.items() if i["sk"]["S"].startswith(f"{kind}#")]


# -- looking


def test_what_is_parked_is_listed_with_its_reason_its_money_and_its_hours(house):
    parked(house, "DESCONOCIDO", "DESCONOCIDO")
    answer = house.operate("listar")
    assert names(answer) == {"P-0", "P-1"} and answer["cantidad"] == 2 and answer["sigue"] is None
    first = answer["comprobantes"][0]
    assert (first["estado"], first["causas"][0]["codigo"]) == ("EN_REVISION", "AFIP-99731")
    assert first["causas"][0]["mensaje"] and answer["por_codigo"] == {"AFIP-99731": 2}
    # From noon (UTC) of the day itself: the rest of it in Buenos Aires, and five days more.
    assert 5 * 24 < first["horas"] <= 5 * 24 + 15
    total = house.asiento("P-0").datos.total
    assert first["total"] == str(total) and answer["total"] == str(2 * total)


def test_a_listing_holds_only_what_was_asked_for(house):
    house.add_cuenta("sur")
    parked(house, "DESCONOCIDO", "CONFIG")
    parked(house, "AFIP*9", prefix="E", resolve=False)
    assert names(house.operate("listar")) == {"P-0", "P-1"}
    assert names(house.operate("listar", con_errores=True)) == {"P-0", "P-1", "E-0"}
    assert names(house.operate("listar", codigo="AFIP-99731")) == {"P-0"}
    assert names(house.operate("listar", prefijo="P-1")) == {"P-1"}
    assert names(house.operate("listar", cuenta="sur")) == set()
    assert names(house.operate("listar", mayor_de_horas=1)) == set()
    house.clock.advance(hours=1, minutes=5)
    assert names(house.operate("listar", mayor_de_horas=1)) == {"P-0", "P-1"}


def test_a_code_is_that_of_the_first_cause_as_the_rows_are_grouped(house):
    parked(house, "DESCONOCIDO", "DESCONOCIDO")
    first = [{"S": text} for text in ("Otra", "", "Y además.")]
    put = house.aws("dynamodb").update_item
    put(
        TableName=world.TABLE,
        Key={"pk": {"S": "norte#P-0"}, "sk": {"S": "ESTADO"}},
        UpdateExpression="SET causas = list_append(:first, causas)",
        ExpressionAttributeValues={":first": {"L": [{"L": first}]}},
    )
    causas = {c["external_reference"]: c["causas"] for c in house.operate("listar")["comprobantes"]}
    assert [causa["codigo"] for causa in causas["P-0"]] == ["Otra", "AFIP-99731"]
    assert names(house.operate("listar", codigo="AFIP-99731")) == {"P-1"}
    assert decide(house, "eliminar", cuenta="norte", codigo="AFIP-99731", simulacro=True)["cantidad"] == 1


def test_an_error_says_what_it_waits_for_and_until_when(house):
    parked(house, "AFIP*9", resolve=False)
    house.run_errors(rounds=3)
    (error,) = house.operate("listar", con_errores=True)["comprobantes"]
    assert error["estado"] == "ERROR" and "turno" in error["espera"] and error["hasta"]


def test_an_incident_is_one_line_that_says_how_many_it_holds_up(house):
    parked(house, "CONFIG", "CONFIG", "CONFIG", "DESCONOCIDO")
    (incident,) = house.operate("listar", codigo="AFIP-99731")["incidentes"]
    assert incident["cuenta"] == "norte" and incident["retenidos"] == 3 and incident["mensaje"]


def test_a_listing_goes_on_where_it_stopped_until_it_has_everything(house, monkeypatch):
    monkeypatch.setattr(listing, "AT_A_TIME", 2)
    references = by_place(house, parked(house, *["DESCONOCIDO"] * 5))
    found, tras = [], None
    for _ in range(9):
        answer = house.operate("listar", maximo=2, tras=tras)
        found += listed(answer)
        tras = answer["sigue"]
        if tras is None:
            break
    assert found == references
    # With no time left it hands out one page, and the next one goes on.
    first = house.operate("listar", seconds=1)
    rest = house.operate("listar", tras=first["sigue"])
    assert listed(first) + listed(rest) == references and len(listed(first)) == 2


def test_a_story_is_told_in_the_order_in_which_it_came_to_us(house):
    parked(house, "DESCONOCIDO")
    house.clock.advance(minutes=1)
    decide(house, "eliminar", "P-0")
    resolved(house)
    story = house.operate("ver", cuenta="norte", referencia="P-0")
    told = [linea.get("evento") or linea["accion"] for linea in story["historia"]]
    assert told == ["encolado", "error", "eliminar", "eliminar", "eliminado"]
    assert [linea["clase"] for linea in story["historia"]] == ["hook", "hook", "decision", "accion", "hook"]
    assert "padron federal" in story["historia"][1]["mensajes"][0]
    decision = story["historia"][2]
    assert (decision["quien"], decision["motivo"], decision["solicitud"]) == (
        ANA,
        "se habló con el cliente",
        "solicitud-1",
    )
    assert decision["resultado"] == "Decidido" and story["asiento"]["estado"] == "ELIMINADO"


def test_of_a_reference_that_nobody_sent_there_is_no_story(house):
    assert house.operate("ver", cuenta="norte", referencia="X")["error"]["codigo"] == "NoExiste"


# -- deciding


@pytest.mark.parametrize(
    ("accion", "kind", "ends"),
    [
        ("reenviar", "DESCONOCIDO*1", "EMITIDO"),
        ("cambiar_fecha", "DESCONOCIDO*1", "EMITIDO"),
        ("eliminar", "DESCONOCIDO", "ELIMINADO"),
        ("desistir", "DESCONOCIDO", "ELIMINADO"),
    ],
)
def test_what_a_person_decides_is_done(house, accion, kind, ends):
    parked(house, kind)
    answer = decide(house, accion, "P-0")
    assert (answer["cantidad"], answer["negados"]) == (1, [])
    resolved(house, rounds=60)
    assert house.estado("P-0") == ends
    house.assert_nothing_twice()


def test_pressed_twice_it_acts_once(house):
    parked(house, "DESCONOCIDO")
    assert decide(house, "eliminar", "P-0")["cantidad"] == 1
    again = decide(house, "eliminar", "P-0")
    assert again["cantidad"] == 0 and refusals(again) == {"P-0": "YaDecidido"}
    resolved(house)
    assert refusals(decide(house, "eliminar", "P-0")) == {"P-0": "NoEspera"}
    assert operations(house) == [("eliminar", "P-0")]
    assert len(lines(house)) == 1


def test_two_who_press_at_once_act_once(house):
    """The second one read the asiento before the first one wrote: its write is refused, and its line says so."""
    parked(house, "DESCONOCIDO")
    stale = house.asiento("P-0")
    decide(house, "eliminar", "P-0")
    with house.monkeypatch.context() as just_now:
        just_now.setattr(house.ledger, "get_many", lambda *_: [stale])
        assert refusals(decide(house, "desistir", "P-0", motivo="otro")) == {"P-0": "CambioMientrasTanto"}
    ends = {line["accion"]["S"]: line["resultado"]["S"] for line in lines(house)}
    assert ends == {"eliminar": "Decidido", "desistir": "NoEscrito"}
    resolved(house)
    assert operations(house) == [("eliminar", "P-0")]


def test_a_rehearsal_says_what_it_would_come_to_and_writes_nothing(house):
    parked(house, "DESCONOCIDO", "DESCONOCIDO", "CONFIG")
    before = house.items()
    answer = decide(house, "cambiar_fecha", motivo="", simulacro=True, codigo="AFIP-99731")
    total = house.asiento("P-0").datos.total
    assert (answer["cantidad"], answer["total"], answer["pedidos"]) == (2, str(2 * total), 4)
    assert house.items() == before


def test_a_rehearsal_says_what_it_would_refuse_and_why(house):
    parked(house, "DESCONOCIDO")
    house.send("OK-1")
    house.settle()
    answer = decide(house, "eliminar", "P-0", "OK-1", "X-9", simulacro=True)
    assert answer["cantidad"] == 1 and answer["negados_por_codigo"] == {"NoEspera": 1, "NoExiste": 1}
    assert refusals(answer) == {"OK-1": "NoEspera", "X-9": "NoExiste"}


def test_a_date_that_arca_would_not_take_decides_nothing(house):
    parked(house, "DESCONOCIDO")
    answer = decide(house, "cambiar_fecha", "P-0", fecha="2026-02-20")
    assert answer["error"]["codigo"] == "FechaFueraDeVentana" and "5 días" in answer["error"]["mensaje"]
    assert decide(house, "cambiar_fecha", "P-0", fecha="2026-02-20", servicios=True)["cantidad"] == 1


def test_a_resend_of_a_date_that_aged_out_is_counted_as_such(house):
    parked(house, "DESCONOCIDO")
    house.clock.advance(days=6)
    assert decide(house, "reenviar", "P-0", simulacro=True)["fuera_de_ventana"] == 1


def test_an_error_that_waits_for_its_turn_may_be_decided_about(house):
    parked(house, "AFIP*9", resolve=False)
    house.run_errors(rounds=3)
    assert decide(house, "eliminar", prefijo="P-")["cantidad"] == 0
    assert decide(house, "eliminar", prefijo="P-", con_errores=True)["cantidad"] == 1
    resolved(house)
    assert house.estado("P-0") == "ELIMINADO" and operations(house) == [("eliminar", "P-0")]


def test_another_systems_reference_is_only_let_go_and_stays_guarded(house):
    house.hook("A-9", "encolado", "h-1")
    house.follow()
    assert house.operate("listar")["comprobantes"][0]["de_otro_sistema"] is True
    assert refusals(decide(house, "eliminar", "A-9")) == {"A-9": "DeOtroSistema"}
    answer = decide(house, "desistir", "A-9")
    assert (answer["cantidad"], answer["pedidos"]) == (1, 0)
    assert listed(house.operate("listar")) == [] and house.estado("A-9") == "EN_REVISION"
    house.send("A-9")
    house.settle()
    resolved(house)
    assert house.posts() == [] and operations(house) == []


def test_what_the_provider_never_showed_is_asked_about_before_it_is_sent_again(house):
    """Its content went out and nobody knows what became of it: a person lets it be asked about once more."""
    house.send("U-1")
    house.plan.update(lotes=["524_dropped"] * 9)
    house.pack()
    uncertain = house.asiento("U-1")
    exhausted = Causa("EnviosAgotados", "", "Se envió varias veces sin respuesta confiable.")
    assert not isinstance(house.ledger.to_review(uncertain, exhausted, en_cola=False), Refused)
    house.plan.update(lotes=[])
    assert refusals(decide(house, "cambiar_fecha", "U-1")) == {"U-1": "NoEstaEnTusFacturas"}
    assert decide(house, "reenviar", "U-1")["cantidad"] == 1
    assert house.estado("U-1") == "INCIERTO"
    assert refusals(decide(house, "reenviar", "U-1")) == {"U-1": "NoEspera"}
    house.run(steps=40, minutes=15)
    assert house.estado("U-1") == "EMITIDO"
    house.assert_nothing_twice()


def test_an_incident_is_closed_when_nothing_waits_for_it_any_more(house):
    parked(house, "CONFIG", "CONFIG")
    house.proveedor.web_fix_account("norte")
    assert decide(house, "reenviar", "P-0")["incidentes_cerrados"] == []
    (closed,) = decide(house, "reenviar", "P-1")["incidentes_cerrados"]
    assert closed["cuenta"] == "norte" and house.ledger.incidentes("norte") == []
    resolved(house, rounds=60)
    assert house.estados("P-0", "P-1") == {"EMITIDO"}


def test_an_incident_that_was_not_mended_is_told_anew(house):
    parked(house, "CONFIG")
    decide(house, "reenviar", "P-0")
    resolved(house, rounds=60)
    assert house.estado("P-0") == "EN_REVISION" and len(house.ledger.incidentes("norte")) == 1


def test_many_are_decided_in_slices_each_within_its_time(house, monkeypatch):
    monkeypatch.setattr("operate.fields.DECISIONS_MAX", 2)
    references = by_place(house, parked(house, *["DESCONOCIDO"] * 5))
    first = decide(house, "eliminar", codigo="AFIP-99731")
    assert first["cantidad"] == 2 and first["sigue"]["external_reference"] == references[1]
    # No time for more than one.
    second = decide(house, "eliminar", codigo="AFIP-99731", tras=first["sigue"], seconds=10)
    assert second["cantidad"] == 1
    named = decide(house, "eliminar", *references, seconds=10)
    assert refusals(named) == {references[0]: "YaDecidido"} and named["sigue"]["external_reference"] == references[0]
    rest = decide(house, "eliminar", *references, tras=named["sigue"])
    assert refusals(rest) == dict.fromkeys(references[1:3], "YaDecidido")
    client = Cliente(lambda _, event: house.operate(**event), lambda: ANA, None, None)
    whole = client.ask_all({"orden": "decidir", "accion": "eliminar", "quien": ANA, "motivo": "m", "cuenta": "norte"})
    assert whole["sigue"] is None
    resolved(house, rounds=60)
    assert house.estados(*references) == {"ELIMINADO"}


# -- what fails


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("step", ["decide", "note_error", "ask_for_run"])
def test_a_crash_at_any_step_loses_no_decision_and_does_nothing_twice(house, step, moment):
    parked(house, "DESCONOCIDO")

    def die(name):
        if name == step:
            raise Killed

    ledger = house.ledger
    house.ledger = house.corridas._ledger = Watched(ledger, **{moment: die})
    with pytest.raises(Killed):
        decide(house, "eliminar", "P-0")
    house.ledger = house.corridas._ledger = ledger
    decided = (step, moment) != ("decide", "before")
    for _ in range(3):
        house.clock.advance(minutes=6)
        house.reconcile()
        house.run_errors(rounds=10)
        house.settle()
    assert house.estado("P-0") == ("ELIMINADO" if decided else "EN_REVISION")
    assert operations(house) == ([("eliminar", "P-0")] if decided else [])


def test_a_run_that_aws_does_not_start_is_started_by_the_reconciliation(house, aws):
    parked(house, "DESCONOCIDO")
    with aws_fails(aws("stepfunctions"), "StartExecution"):
        answer = decide(house, "eliminar", "P-0")
    assert answer["cantidad"] == 1 and answer["sin_corrida"] == ["norte"]
    house.reconcile()
    resolved(house)
    assert house.estado("P-0") == "ELIMINADO"


def test_a_decision_starts_its_run_under_the_next_name_where_one_was_used_up(house):
    parked(house, "DESCONOCIDO")
    numero = house.ledger.arriendo("norte").numero
    house.use_up(f"norte-{numero + 1}")
    decide(house, "eliminar", "P-0")
    assert house.executions() == [f"norte-{numero + 2}"]


def test_what_cannot_be_meant_decides_nothing(house):
    parked(house, "DESCONOCIDO")
    assert decide(house, "eliminar", "P-0", motivo="")["error"]["codigo"] == "FaltaMotivo"
    assert house.operate("decidir", accion="eliminar", motivo="m", quien=ANA)["error"]["codigo"] == "FaltaFiltro"
    assert lines(house) == [] and house.estado("P-0") == "EN_REVISION"


# -- the command line, with the handler in process


@pytest.fixture
def facturacion(house, capsys):
    """`facturacion("listar")`: the exit code, and what it printed."""

    def run(*argv):
        client = Cliente(lambda _, event: house.operate(**event), lambda: ANA, None, None)
        code = command.main(argv, lambda **_: client)
        return code, capsys.readouterr().out

    return run


def test_the_command_line_lists_rehearses_decides_and_tells(house, facturacion):
    parked(house, "DESCONOCIDO", "CONFIG")
    code, out = facturacion("listar")
    assert code == 0 and "P-0" in out and "AFIP-99731" in out and "Incidente de norte" in out
    code, out = facturacion("decidir", "eliminar", "--prefijo", "P-0", "--dry-run")
    assert code == 0 and "Simulacro." in out and "hasta 1 pedidos" in out
    code, out = facturacion("decidir", "eliminar", "P-0", "P-9", "--cuenta", "norte", "--motivo", "repetida")
    assert code == 1 and "NoExiste" in out
    resolved(house)
    code, out = facturacion("ver", "P-0", "--cuenta", "norte")
    assert code == 0 and "decision eliminar" in out and "repetida" in out and "ELIMINADO" in out
    assert facturacion("decidir", "eliminar", "P-1", "--cuenta", "norte")[0] == 2


def test_deployed_it_is_wired_to_what_the_template_gives_it(house, monkeypatch):
    environment = {"TABLE": "ledger", "STATE_MACHINE_ARN": "arn", "HOOK_RETENTION_DAYS": "400", "BUS": "bus"}
    environment |= {"QUEUE_URL": "q", "DLQ_URL": "dlq", "REJECTED_QUEUE_URL": "rejected"}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    process = house.deployed["operate"]()
    assert process.keep == timedelta(days=400) and process.ledger.pulses() == []
    house.deployed["operate"].cache_clear()
