"""The console inside the dashboard, as CloudWatch invokes it: it shows without writing, and acts once."""

from __future__ import annotations

import pytest
from tests.integration import world
from tests.integration.test_operate import lines, operations, parked, resolved

house = world.house
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")
WHY = {"motivo": "ARCA levantó la inhibición"}


def written(house):
    return sorted(house.items(), key=lambda item: (item["pk"]["S"], item["sk"]["S"]))


def confirmed(house, label, **about):
    """From the list to the button that does it."""
    return house.widget(house.widget().button(label, **about).consola).button(label).consola


def test_from_the_list_to_the_provider_and_issued(house):
    parked(house, "DESCONOCIDO*1")
    seen = house.widget()
    assert "1 espera a una persona" in seen.text and "Situacion no prevista" not in seen.text
    asked = house.widget(seen.button("Reenviar", referencias=["P-0"]).consola)
    button = asked.button("Reenviar")
    assert button.endpoint.endswith(":the-one") and "hasta 1 pedido del plan" in button.confirmation
    done = house.widget(button.consola, WHY, solicitud="s-77")
    assert "Reenviar: 1 decidido" in done.text and "Solicitud s-77" in done.text
    resolved(house, rounds=60)
    assert house.estado("P-0") == "EMITIDO" and operations(house) == [("reenviar", "P-0")]
    house.assert_nothing_twice()
    story = house.widget(done.button("Ver su historia").consola).text
    assert "CloudWatch, panel facturacion-negocio, cuenta de AWS 123456789012" in story
    assert "solicitud s-77" in story and WHY["motivo"] in story and "padron federal" in story


@pytest.mark.parametrize(
    ("label", "ends"), [("Cambiar fecha", "EMITIDO"), ("Eliminar", "ELIMINADO"), ("Desistir", "ELIMINADO")]
)
def test_every_button_does_what_it_says(house, label, ends):
    parked(house, "DESCONOCIDO*1" if ends == "EMITIDO" else "DESCONOCIDO")
    house.widget(confirmed(house, label, referencias=["P-0"]), WHY)
    resolved(house, rounds=60)
    assert house.estado("P-0") == ends


def test_showing_anything_changes_nothing(house):
    parked(house, "DESCONOCIDO", "CONFIG")
    parked(house, "AFIP*9", prefix="E", resolve=False)
    before = written(house)
    seen = house.widget()
    for button in seen.buttons:
        shown = house.widget(button.consola, {"h_cuenta": "norte", "h_referencia": "P-0", **WHY})
        if button.consola["vista"] == "preparar":
            assert shown.button(button.label).consola["vista"] == "hacer"
    assert written(house) == before


def test_pressed_twice_it_acts_once_and_says_so(house):
    parked(house, "DESCONOCIDO")
    consola = confirmed(house, "Eliminar", referencias=["P-0"])
    assert "1 decidido" in house.widget(consola, WHY).text
    assert "YaDecidido" in house.widget(consola, WHY).text
    resolved(house)
    assert "NoEspera" in house.widget(consola, WHY).text
    assert operations(house) == [("eliminar", "P-0")] and len(lines(house)) == 1


def test_a_press_that_comes_late_decides_about_nothing_that_changed_since_it_was_seen(house):
    """Decided, resent, and in review again for the same reason: the old confirmation is not about that."""
    parked(house, "DESCONOCIDO")
    one, all_of_it = (confirmed(house, "Reenviar", **a) for a in ({"referencias": ["P-0"]}, {"codigo": "AFIP-99731"}))
    house.widget(one, WHY)
    resolved(house, rounds=60)
    assert house.estado("P-0") == "EN_REVISION" and operations(house) == [("reenviar", "P-0")]
    for late in (one, all_of_it):
        assert "CambioMientrasTanto" in house.widget(late, WHY).text
    resolved(house, rounds=60)
    assert operations(house) == [("reenviar", "P-0")]
    assert "1 decidido" in house.widget(confirmed(house, "Reenviar", referencias=["P-0"]), WHY).text


def test_another_systems_reference_is_let_go_once(house):
    house.hook("A-9", "encolado", "h-1")
    house.follow()
    consola = confirmed(house, "Desistir", referencias=["A-9"])
    assert "hasta 0 pedidos" in house.widget(consola, WHY).text
    assert "YaDecidido" in house.widget(consola, WHY).text
    assert len(lines(house)) == 1 and "Nada espera" in house.widget().text


def test_all_of_one_incident_are_decided_about_together_and_nothing_beside_it(house):
    parked(house, "CONFIG", "CONFIG", "CONFIG", "DESCONOCIDO")
    seen = house.widget()
    assert "Incidente de la cuenta desde" in seen.text
    (codigo,) = {b.consola["codigo"] for b in seen.buttons if b.consola.get("codigo", "AFIP-99731") != "AFIP-99731"}
    house.proveedor.web_fix_account("norte")
    done = house.widget(confirmed(house, "Reenviar", codigo=codigo), WHY)
    assert "3 decididos" in done.text and f"Incidente cerrado: {codigo} de norte" in done.text
    resolved(house, rounds=60)
    assert house.estados("P-0", "P-1", "P-2") == {"EMITIDO"} and house.estado("P-3") == "EN_REVISION"


def test_what_one_press_has_no_time_for_the_next_one_does(house, monkeypatch):
    monkeypatch.setattr("operate.fields.DECISIONS_MAX", 2)
    parked(house, *["DESCONOCIDO"] * 5)
    asked = house.widget(house.widget().button("Eliminar", codigo="AFIP-99731").consola)
    for _ in range(2):
        assert "2; hay más" in asked.text and "2 comprobantes por" in asked.button("Eliminar").confirmation
        before = len(lines(house))
        seen = house.widget(asked.button("Eliminar").consola, WHY)
        assert "2 decididos" in seen.text
        asked = house.widget(seen.button("Seguir con los que faltan").consola)
        assert len(lines(house)) == before + 2, "the next ones wait for their own confirmation"
        assert WHY["motivo"] in asked.text
    assert "1 comprobante por" in asked.button("Eliminar").confirmation
    assert "1 decidido" in house.widget(asked.button("Eliminar").consola, WHY).text
    assert {line["motivo"]["S"] for line in lines(house)} == {WHY["motivo"]} and len(lines(house)) == 5


def test_a_press_decides_about_no_more_than_was_confirmed(house):
    parked(house, "DESCONOCIDO", "DESCONOCIDO")
    consola = confirmed(house, "Eliminar", codigo="AFIP-99731")
    parked(house, "DESCONOCIDO", "DESCONOCIDO", prefix="Q")
    assert "2 decididos" in house.widget(consola, WHY).text
    assert {line["pk"]["S"] for line in lines(house)} == {"norte#P-0", "norte#P-1"}


def test_what_was_filtered_by_its_reference_stays_so_to_the_end(house):
    parked(house, "DESCONOCIDO")
    parked(house, "DESCONOCIDO", prefix="Q")
    seen = house.widget({"vista": "lista", "del_formulario": True}, {"f_prefijo": "Q-"})
    asked = house.widget(seen.button("Eliminar", codigo="AFIP-99731").consola)
    assert "que empiezan con Q-" in asked.text and "1 comprobante por" in asked.button("Eliminar").confirmation
    assert "1 decidido" in house.widget(asked.button("Eliminar").consola, WHY).text
    assert {line["pk"]["S"] for line in lines(house)} == {"norte#Q-0"}


def test_without_a_reason_nothing_is_decided_and_what_was_filled_in_is_still_there(house):
    parked(house, "DESCONOCIDO")
    consola = confirmed(house, "Cambiar fecha", referencias=["P-0"])
    again = house.widget(consola, {"motivo": "  ", "fecha": "2026-03-03", "concepto": "servicios"})
    assert "Hace falta un motivo" in again.text and again.fields()["fecha"] == "2026-03-03"
    refused = house.widget(again.button("Cambiar fecha").consola, {**WHY, "fecha": "2025-01-01"})
    assert "FechaFueraDeVentana" in refused.text and WHY["motivo"] in refused.text
    long = house.widget(consola, {"motivo": "x" * 301})
    assert "hasta 300" in long.text and lines(house) == []
    assert "1 decidido" in house.widget(refused.button("Cambiar fecha").consola, {**WHY, "fecha": ""}).text


@pytest.mark.parametrize(
    ("consola", "said"),
    [
        ({"vista": "historia", "cuenta": "norte", "referencia": "X"}, "No hay nada con esa referencia"),
        ({"vista": "buscar"}, "Falta cuenta"),
        ({"vista": "preparar", "accion": "volar", "cuenta": "norte", "referencias": ["P-0"]}, "La acción debe ser"),
        ({"vista": "preparar", "accion": ["x"], "cuenta": 3}, "debe ser un texto"),
        ({"vista": "hacer", "accion": "eliminar"}, "Hace falta decir sobre cuáles"),
        ({"vista": "hacer", "accion": "eliminar", "cuenta": "norte", "referencias": "P-0"}, "referencias es una lista"),
        ({"vista": "lista", "filtro": {"cunta": "norte"}}, "No se conoce: cunta"),
        ({"vista": "lista", "pagina": "dos"}, "1 espera a una persona"),
    ],
)
def test_what_cannot_be_meant_is_told_in_a_sentence_and_decides_nothing(house, consola, said):
    parked(house, "DESCONOCIDO")
    assert said in house.widget(consola, WHY).text
    assert lines(house) == []


def test_a_visto_that_is_no_instant_decides_nothing(house):
    parked(house, "DESCONOCIDO")
    consola = confirmed(house, "Eliminar", referencias=["P-0"])
    assert "FechaInvalida" in house.widget({**consola, "visto": "ayer"}, WHY).text
    assert lines(house) == []


def test_the_panels_parameters_say_what_is_listed(house):
    house.add_cuenta("sur")
    parked(house, "DESCONOCIDO")
    parked(house, "AFIP*9", prefix="E", resolve=False)
    assert "1 espera a una persona" in house.widget().text and "1 está en error" in house.widget().text
    assert "0 están en error" in house.widget(con_errores=False).text
    assert "Nada espera" in house.widget(cuenta="sur").text
    assert "No se conoce: cuentas" in house.widget(cuentas="sur").text


def test_a_cuenta_is_paused_and_resumed_and_pressed_twice_it_acts_once(house):
    parked(house, "DESCONOCIDO")
    cuentas = house.widget({"vista": "cuentas"})
    asked = house.widget(cuentas.button("Pausar").consola)
    button = asked.button("Pausar")
    assert button.confirmation == "Pausar norte. ¿Seguro?" and "ninguno se pierde" in asked.text
    assert "Hace falta un motivo" in house.widget(button.consola).text
    assert "número de horas" in house.widget(button.consola, {**WHY, "horas": "dos"}).text
    assert house.ledger.pausas() == []
    for_two_hours = {**WHY, "horas": "2"}
    assert "En pausa: norte" in house.widget(button.consola, for_two_hours, solicitud="s-9").text
    assert "Ya estaba en pausa" in house.widget(button.consola, for_two_hours).text
    (pausa,) = house.ledger.pausas()
    assert pausa.autor.quien.startswith("CloudWatch, panel") and pausa.autor.solicitud == "s-9" and pausa.hasta
    assert "En pausa: norte" in house.widget().text
    consola = confirmed(house, "Reenviar", referencias=["P-0"])
    assert "se hará cuando se reanude: norte" in house.widget(consola, WHY).text
    resume = house.widget(house.widget({"vista": "cuentas"}).button("Reanudar").consola).button("Reanudar").consola
    assert "Reanudada: norte" in house.widget(resume).text and house.ledger.pausas() == []
    assert "NoEstaEnPausa" in house.widget(resume).text


def test_all_cuentas_are_paused_together(house):
    house.send("A-1")
    asked = house.widget(house.widget({"vista": "cuentas"}).button("Pausar todas").consola)
    assert "En pausa: todas las cuentas" in house.widget(asked.button("Pausar").consola, WHY).text
    asked = house.widget(house.widget({"vista": "cuentas"}).button("Reanudar todas").consola)
    assert "Reanudada: todas las cuentas" in house.widget(asked.button("Reanudar").consola).text


def test_rejected_messages_go_back_once_what_stopped_them_is_mended(house):
    house.put({**house.message("S-1"), "cuenta": "sur"})
    house.put("no es JSON")
    house.pack()
    house.add_cuenta("sur")
    house.clock.advance(minutes=2)
    seen = house.widget(house.widget().button("Mensajes detenidos").consola)
    assert (
        "1 volvería a la cola" in seen.text and "1 vuelve a la cola" in seen.button("Devolver a la cola").confirmation
    )
    house.clock.advance(seconds=1)
    button = seen.button("Devolver a la cola")
    why = {"motivo_rechazados": "se dio de alta sur", "motivo_muertos": "de la otra cola"}
    assert "Hace falta un motivo" in house.widget(button.consola).text and house.waiting() == 0
    house.clock.advance(seconds=31)
    done = house.widget(button.consola, why, solicitud="s-5")
    assert "1 volvió a la cola" in done.text and "Solicitud s-5" in done.text
    house.clock.advance(minutes=10)
    assert "0 volvieron" in house.widget(button.consola, why).text
    assert "«se dio de alta sur»" in house.widget({"vista": "historia", "cuenta": "sur", "referencia": "S-1"}).text
    house.settle()
    house.run(steps=3, minutes=10)
    assert house.estado("S-1", "sur") == "EMITIDO"


def test_one_reference_is_compared_with_its_hooks_and_put_right_after_a_confirmation(house):
    house.send("A-1")
    house.run(steps=6, minutes=5)
    story = house.widget({"vista": "historia", "cuenta": "norte", "referencia": "A-1"})
    same = house.widget(story.button("Comparar con sus hooks").consola)
    assert "dice lo mismo que sus hooks" in same.text and "Reproducir" not in [b.label for b in same.buttons]
    house.aws("dynamodb").update_item(
        TableName=world.TABLE,
        Key={"pk": {"S": "norte#A-1"}, "sk": {"S": "ESTADO"}},
        UpdateExpression="SET estado = :e",
        ExpressionAttributeValues={":e": {"S": "ENVIADO"}},
    )
    asked = house.widget(story.button("Comparar con sus hooks").consola)
    assert "ENVIADO" in asked.text and "EMITIDO" in asked.text and "emitido" in asked.text
    button = asked.button("Reproducir")
    assert button.confirmation == "Su estado pasa a ser el que dicen sus hooks. ¿Seguro?"
    assert house.estado("A-1") == "ENVIADO"
    assert "Hace falta un motivo" in house.widget(button.consola).text and house.estado("A-1") == "ENVIADO"
    done = house.widget(button.consola, WHY, solicitud="s-6")
    assert "Corregido" in done.text and "Solicitud s-6" in done.text and house.estado("A-1") == "EMITIDO"
    assert "No se hizo nada" in house.widget(button.consola, WHY).text
    told = house.widget(done.button("Ver su historia").consola).text
    assert f"«{WHY['motivo']}»" in told and "reproducir" in told
