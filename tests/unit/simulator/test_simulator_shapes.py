"""Every answer and hook has key for key the shape of the provider's examples."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.sandbox.simulator.fates import TEXTOS
from tests.sandbox.simulator.plan import Plan
from tests.unit.simulator.world import NOON, TODAY, World, entrada, example


def keys(value: Any) -> Any:
    """The shape: keys all the way down, lists by their first entry."""
    if isinstance(value, dict):
        return {name: keys(inner) for name, inner in sorted(value.items())}
    if isinstance(value, list):
        return [keys(value[0])] if value else []
    return ""


def test_an_accepted_lote_is_as_documented() -> None:
    """§2.1: `{error:"N", errores:[], response:[per item]}`, without error_cod or error_details."""
    answer = World().lote(entrada("17032"), entrada("1453_01")).json()
    assert keys(answer) == keys(example("lotes_encola.response.accepted"))
    first, second = answer["response"]
    documented = example("lotes_encola.response.accepted")["response"][0]
    told = ("external_reference", "comprobante_tipo", "comprobante_nro", "vencimiento_pago")
    assert {k: v for k, v in first.items() if k not in told} == {k: v for k, v in documented.items() if k not in told}
    assert first["external_reference"] == 17032
    assert second["external_reference"] == "1453_01"
    assert first["comprobante_nro"] == "00003-00000000"


def test_a_partial_answer_lists_the_refused_last() -> None:
    """§2.1 trap: the refused request 0 comes last, though the text promises the order of the requests."""
    bad = "% 'M17051"
    answer = World().lote(entrada(bad), entrada("M170_502"), entrada("M170503")).json()
    documented = example("lotes_encola.response.partial")
    assert {k: v for k, v in answer.items() if k != "response"} == {
        k: v for k, v in documented.items() if k != "response"
    }
    assert answer["response"][2] == documented["response"][2]
    assert [keys(entry) for entry in answer["response"][:2]] == [keys(documented["response"][1])] * 2


def test_more_than_100_requests_are_refused_whole() -> None:
    """§2.1: 1..100 requests, and the answer has an empty response."""
    answer = World().lote(*[entrada(f"r{n}") for n in range(300)]).json()
    assert answer == example("lotes_encola.response.rejected-max")


def test_the_first_form_refuses_the_lote_for_one_numero() -> None:
    """§2.1, SEED form: the text of 2022, and no response key."""
    world = World(Plan(forma_rechazo="seed"))
    answer = world.lote(entrada("a"), entrada("b", numero=1), entrada("c")).json()
    assert answer == example("lotes_encola.response.rejected-numero.seed")


def test_nuevo_encola_accepts_and_refuses_as_documented() -> None:
    """§2.2."""
    world = World()
    accepted = world.call("facturacion/nuevo_encola", **entrada("ex_rf1")).json()
    assert keys(accepted) == keys(example("nuevo_encola.response.accepted"))
    wrong = {"documento_nro": "letras"}
    invalid = world.call("facturacion/nuevo_encola", **entrada("1%'703", cliente=wrong)).json()
    assert invalid == example("nuevo_encola.response.error-ref-invalid")
    missing = world.call("facturacion/nuevo_encola", **entrada("", cliente=wrong)).json()
    assert missing == example("nuevo_encola.response.error-ref-missing")


@pytest.mark.parametrize(
    ("comentario", "name"),
    [
        ("", "consulta_avanzada.response.emitido"),
        ("SIM:APROBACION", "consulta_avanzada.response.en-cola"),
        ("SIM:ERROR=10016", "consulta_avanzada.response.con-error"),
    ],
)
def test_consulta_avanzada_shows_each_state_as_documented(comentario: str, name: str) -> None:
    """§6: what it adds, per status."""
    world = World()
    world.lote(entrada("Lun141", comentario=comentario, tags=["a", "b"]))
    world.run()
    documented = example(name)
    assert keys(world.ask("Lun141")) == keys(documented)


def test_an_issued_comprobante_has_the_documented_trailing_spaces() -> None:
    """§6: cae is text with a trailing space, afip_qr too; documento_nro as in the example."""
    world = World()
    world.lote(entrada("3303"))
    world.run()
    (found,) = world.ask("3303")["comprobantes"]
    shown = found["comprobante"]
    assert shown["external_reference"] == 3303
    assert shown["cae"].endswith(" ") and len(shown["cae"]) == 15 and shown["cae"].strip().isdigit()
    assert shown["afip_qr"].endswith(" ")
    assert len(shown["afip_codigo_barras"]) == 43
    assert found["cliente"]["documento_nro"].endswith(" ")
    assert shown["numero"] == 1
    assert shown["status"] == "EMITIDO"


def test_no_match_is_no_error() -> None:
    """§6: not found is error N, total 0, an empty list."""
    assert World().ask("nadie") == example("consulta_avanzada.response.no-match")


def test_consulta_by_number_is_as_documented() -> None:
    """§6: errores may be [""] on success; the period's key is plural here."""
    world = World()
    tributos = [{"tipo": 7, "regimen": 5, "base_imponible": 100, "alicuota": 10, "total": 10}]
    periodo = {"fecha_desde": "01/11/2026", "fecha_hasta": TODAY}
    nota = entrada(
        "nd",
        tipo="NOTA DE DEBITO B",
        tributos=tributos,
        total=149,
        tags=["a"],
        comprobantes_asociados_periodo=periodo,
    )
    world.lote(nota)
    world.run()
    asked = {"tipo": "NOTA DE DEBITO B", "operacion": "V", "punto_venta": "3", "numero": "1"}
    answer = world.call("facturacion/consulta", comprobante=asked).json()
    assert keys(answer) == keys(example("consulta.response"))
    assert answer["errores"] == [""]


def test_numeracion_services_and_consumption_are_as_documented() -> None:
    """§6 and §1."""
    world = World(Plan(mantenimientos_programados=[{"desde": "", "hasta": "", "titulo": "", "texto": ""}]))
    asked = {"tipo": "NOTA DE DEBITO B", "operacion": "V", "punto_venta": "3"}
    assert keys(world.call("facturacion/numeracion", comprobante=asked).json()) == keys(example("numeracion.response"))
    assert keys(world.call("estado_servicios/alertas").json()) == keys(example("estado_servicios.response.ok"))
    world.plan.update(afip_caida=True)
    alert = world.call("estado_servicios/alertas").json()
    documented = example("estado_servicios.response.alert")
    assert keys(alert) == keys(documented)
    assert (alert["error"], alert["rta"]) == (documented["error"], documented["rta"])
    assert keys(world.call("micuenta/consumo").json()) == keys(example("consumo.response"))


def test_queue_operations_answer_as_documented() -> None:
    """§5: ok, error, and the third value of `error`."""
    world = World(Plan(demora_en_cola=3600))
    world.lote(
        entrada("mi_extref"),
        entrada("par", tipo="FACTURA A"),
        entrada("par", comentario="SIM:NO_BORRAR"),
        entrada("mala", comentario="SIM:ERROR=AFIP"),
    )
    changed = world.call(
        "facturacion/cambiar_fecha_encolado", external_reference="mi_extref", fecha=TODAY, vencimiento=TODAY
    )
    assert changed.json() == example("cambiar_fecha_encolado.response.ok")
    deleted = world.call("facturacion/eliminar_encolado", external_reference="mi_extref", fecha=TODAY).json()
    assert keys(deleted) == keys(example("eliminar_encolado.response.ok"))
    assert deleted["procesados"] == ["El comprobante FACTURA B 00003-00000000 se ha eliminado correctamente. "]
    partial = world.call("facturacion/eliminar_encolado", external_reference="par", fecha=TODAY).json()
    assert keys(partial) == keys(example("eliminar_encolado.response.partial"))
    assert partial["error"] == "PARCIAL"
    again = world.call("facturacion/eliminar_encolado", external_reference="mi_extref", fecha=TODAY).json()
    assert again == example("eliminar_encolado.response.error")
    world.run(3600)
    resent = world.call("facturacion/reenviar_encolado", external_reference="mala").json()
    assert resent == example("reenviar_encolado.response.ok")
    nobody = {"external_reference": "nadie"}
    assert world.call("facturacion/reenviar_encolado", **nobody).json() == example("reenviar_encolado.response.error")
    moved = world.call("facturacion/cambiar_fecha_encolado", **nobody, fecha=TODAY, vencimiento=TODAY).json()
    assert moved == example("cambiar_fecha_encolado.response.error")


def test_maintenance_answers_every_call_with_its_own_body() -> None:
    """§1, N26: `mantenimiento: 1` and until when, Argentine time."""
    world = World(Plan(mantenimiento_hasta=NOON.replace(hour=16, minute=25)))
    answer = world.call("micuenta/consumo").json()
    assert keys(answer) == keys(example("any.response.maintenance"))
    assert answer["mantenimiento_hasta"] == "20/11/2026 13:25"
    assert answer["errores"] == ["Estaremos realizando tareas de mantenimiento hasta las 13:25"]


def test_hooks_are_as_documented() -> None:
    """§4: payload, the Argentine clock, and the headers with the PDV's token."""
    world = World(Plan(demora_en_cola=10, demora_hook=0))
    world.lote(entrada("17032"), entrada("M170503", comentario="SIM:ERROR=10016"), entrada("% 'M17051"))
    world.lote(entrada("borrado"), entrada("movido"), entrada("vence", comentario="SIM:ERROR=10036"))
    world.call("facturacion/eliminar_encolado", external_reference="borrado", fecha=TODAY)
    world.call("facturacion/cambiar_fecha_encolado", external_reference="movido", fecha=TODAY, vencimiento=TODAY)
    world.proveedor.web_test_hook("sucursal")
    world.run()
    by_evento = {(hook["evento"], hook["external_reference"]): hook for hook in world.hooks}
    for name, key in {
        "webhook.encolado": ("encolado", "17032"),
        "webhook.emitido": ("emitido", "17032"),
        "webhook.error.10016": ("error", "M170503"),
        "webhook.error.10036": ("error", "vence"),
        "webhook.eliminado": ("eliminado", "borrado"),
        "webhook.cambio_fecha": ("cambio_fecha", "movido"),
        "webhook.test": ("test", ""),
    }.items():
        documented, sent = example(name), by_evento[key]
        assert list(sent) == list(documented), name
        same = ("evento", "recurso", "intento", "msg")
        assert {k: sent[k] for k in same} == {k: documented[k] for k in same}, name
    assert by_evento["encolado", "17032"]["creado"] == "20/11/2026 12:00:00"
    assert by_evento["emitido", "17032"]["creado"] == "20/11/2026 12:00:10"
    refused = by_evento["error", "% 'M17051"]
    assert refused["msg"] == [example("webhook.error.validation-lote")["msg"][0].replace("orden 0", "orden 2")]
    headers = world.deliveries[0][1].headers
    documented_headers = example("webhook.headers")
    assert set(headers) == set(documented_headers)
    assert headers["User-Agent"] == documented_headers["User-Agent"]
    assert headers["TF-WebhookToken"] == "un-token"


def test_the_texts_of_afips_errors_are_the_documented_ones() -> None:
    """§8: as the two documented error hooks print them, spaces and all."""
    assert list(TEXTOS["10016"]) == example("webhook.error.10016")["msg"]
    assert list(TEXTOS["10036"]) == example("webhook.error.10036")["msg"]


def test_bodies_are_written_as_the_provider_writes_them() -> None:
    """Slashes are escaped and the text is ASCII: the same JSON."""
    world = World()
    body = world.lote(entrada("a")).body
    assert b"20\\/11\\/2026" in body
    assert json.loads(body)["response"][0]["vencimiento_pago"] == TODAY
