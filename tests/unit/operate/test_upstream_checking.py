"""What would be refused, said before anything is sent."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from facturacion.mensaje import Mensaje, leer
from operate.upstream.checking import Terms, check
from operate.upstream.reading import Texto, split

EXAMPLES = Path(__file__).parents[2] / "provider_examples"
TERMS = Terms(cuenta="norte", punto_venta=None, permite_fce=False, tolerancia_total=Decimal("0.01"))


def example(name):
    return (EXAMPLES / name).read_text(encoding="utf-8")


def message(reference="A-1", **comprobante):
    body = json.loads(example("nuevo_encola.request.json"))
    return json.dumps(
        {
            "cuenta": "norte",
            "cliente": body["cliente"],
            "comprobante": {**body["comprobante"], "external_reference": reference, **comprobante},
        }
    )


def checked(*texts, terms=TERMS):
    return check([Texto(f"línea {n}", text) for n, text in enumerate(texts, 1)], terms)


def codes(revisado):
    return [f.codigo for f in revisado.fallas]


@pytest.mark.parametrize("name", ["nuevo_encola.request.json", "lotes_encola.request.legacy-credentials.json"])
def test_a_body_of_the_providers_own_format_is_taken_with_the_cuenta_named_beside_it_and_loses_its_credentials(name):
    content = example(name)
    secret = json.loads(content).get("apikey") or json.loads(content)["requests"][0].get("apikey")
    assert secret
    for revisado in check(split(content), TERMS):
        assert revisado.fallas == ()
        assert json.loads(revisado.cuerpo)["cuenta"] == "norte"
        assert "apikey" not in revisado.cuerpo and "usertoken" not in revisado.cuerpo


def test_a_named_cuenta_is_never_replaced():
    (revisado,) = checked(message().replace('"norte"', '"sur"', 1))
    assert revisado.mensaje.cuenta == "sur" and json.loads(revisado.cuerpo)["cuenta"] == "sur"


def test_what_is_checked_is_what_would_be_sent():
    (revisado,) = checked(message(total="139.00"))
    assert leer(revisado.cuerpo, cuenta_por_defecto=None) == revisado.mensaje


def test_every_fault_is_told_with_its_field():
    (revisado,) = checked(message(fecha="2026-11-22", numero=7))
    assert {"fecha_invalida", "numero_no_cero"} <= set(codes(revisado))
    assert {f.campo for f in revisado.fallas} >= {"comprobante.fecha", "comprobante.numero"}


def test_what_nobody_could_answer_is_told_apart():
    no_reference = json.dumps({"cuenta": "norte", "comprobante": {}})
    bad, mute, good = checked('{"a":', no_reference, message())
    assert (bad.ininteligible, codes(bad)) == (True, ["json_invalido"])
    assert (mute.ininteligible, codes(mute)) == (True, ["falta_referencia"])
    assert not good.ininteligible and good.fallas == ()


def test_without_a_cuenta_named_anywhere_it_is_not_understood():
    text = json.dumps({"comprobante": {"external_reference": "A-1"}})
    (revisado,) = checked(text, terms=Terms(None, None, permite_fce=False, tolerancia_total=Decimal(0)))
    assert codes(revisado) == ["falta_cuenta"]


def test_the_same_comprobante_twice_does_no_harm_and_is_said():
    one, two = checked(message(), message())
    assert one.repite is None and two.repite == "línea 1" and two.fallas == ()


def test_one_reference_with_two_contents_is_a_conflict():
    one, two = checked(message(), message(total="1.00"))
    assert one.fallas == ()
    assert codes(two)[-1] == "conflicto_de_contenido" and "línea 1" in two.fallas[-1].mensaje


def test_the_same_reference_in_two_cuentas_is_two_comprobantes():
    one, two = checked(message(), message(total="1.00").replace('"norte"', '"sur"', 1))
    assert "conflicto_de_contenido" not in codes(one) + codes(two)


def test_a_punto_de_venta_is_looked_at_only_where_it_is_known():
    other = Terms("norte", 99, permite_fce=False, tolerancia_total=Decimal("0.01"))
    assert codes(checked(message())[0]) == []
    assert codes(checked(message(), terms=other)[0]) == ["punto_venta_ajeno"]


def test_a_punto_de_venta_that_is_no_number_is_its_own_fault_only():
    (revisado,) = checked(message(punto_venta="tres"))
    assert {f.campo for f in revisado.fallas} == {"comprobante.punto_venta"}


def test_what_sqs_takes_in_no_message_is_spelt_as_an_escape():
    (revisado,) = checked(message(leyenda_gral="a\uffffb").replace("\\uffff", "\uffff"))
    assert isinstance(revisado.mensaje, Mensaje) and "\uffff" not in revisado.cuerpo
    assert json.loads(revisado.cuerpo)["comprobante"]["leyenda_gral"] == "a\uffffb"


def test_a_message_beyond_what_sqs_takes_is_refused_here():
    (revisado,) = checked(message(propio="x" * 1_100_000))
    assert codes(revisado) == ["mensaje_largo"]
