from __future__ import annotations

import json
import random
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.schemas import CARPETA, ESQUEMAS, written

from facturacion.mensaje import (
    CUENTA_RE,
    Ininteligible,
    Mensaje,
    content_hash,
    esquema,
    fallas_del_sobre,
    leer,
)
from tusfacturas.models import ComprobanteListo, Reglas, preparar

EJEMPLOS = Path(__file__).parents[2] / "provider_examples"
SEMILLA = Path(__file__).parents[1] / "tusfacturas" / "seed_request.json"
CUERPO = '{"cuenta": "acme-3", "cliente": {"razon_social": "Ana"}, "comprobante": {"external_reference": "A-1"}}'


def cuerpo(**cambios):
    """The body with these keys as they are written here, in JSON."""
    partes = {
        "cuenta": '"acme-3"',
        "cliente": '{"razon_social": "Ana"}',
        "comprobante": '{"external_reference": "A-1"}',
    } | cambios
    return "{" + ", ".join(f'"{clave}": {valor}' for clave, valor in partes.items() if valor is not None) + "}"


def entender(texto, cuenta_por_defecto=None):
    mensaje = leer(texto, cuenta_por_defecto=cuenta_por_defecto)
    assert isinstance(mensaje, Mensaje), mensaje
    return mensaje


def codigo(texto, cuenta_por_defecto=None):
    ilegible = leer(texto, cuenta_por_defecto=cuenta_por_defecto)
    assert isinstance(ilegible, Ininteligible), ilegible
    assert ilegible.mensaje.endswith(".")
    return ilegible.codigo


def test_a_message_is_understood():
    mensaje = entender(cuerpo(reemplaza='"A-0"', otra='{"cosa": 1}'))
    assert (mensaje.cuenta, mensaje.external_reference, mensaje.reemplaza) == ("acme-3", "A-1", "A-0")
    assert mensaje.cliente == {"razon_social": "Ana"}
    assert mensaje.comprobante == {"external_reference": "A-1"}
    assert fallas_del_sobre(mensaje) == ()


def test_a_message_without_cliente_is_understood_and_at_fault():
    mensaje = entender(cuerpo(cliente=None))
    assert mensaje.cliente is None
    assert "cliente" in {falla.campo for falla in preparar(mensaje.cliente, mensaje.comprobante, Reglas(3))}


@pytest.mark.parametrize("texto", ["", "hola", "{", '{"a": 1,}', "{'a': 1}", "{} {}", '{"a": "\n"}', "\ufeff{}", "+1"])
def test_what_is_not_json_cannot_be_understood(texto):
    assert codigo(texto) == "json_invalido"


@pytest.mark.parametrize("constante", ["NaN", "Infinity", "-Infinity"])
def test_constants_that_only_some_parsers_take_are_refused(constante):
    assert codigo(cuerpo(comprobante=f'{{"external_reference": "A-1", "total": {constante}}}')) == "json_invalido"


@pytest.mark.parametrize("texto", ["null", "5", '"x"', "[]", f"[{CUERPO}]"])
def test_a_message_is_one_object(texto):
    assert codigo(texto) == "no_es_objeto"


@pytest.mark.parametrize("ausente", [None, "null"])
def test_the_cuenta_may_be_left_out_where_there_is_a_default(ausente):
    assert entender(cuerpo(cuenta=ausente), "otra").cuenta == "otra"
    assert codigo(cuerpo(cuenta=ausente)) == "falta_cuenta"


@pytest.mark.parametrize(
    "cuenta",
    ['""', '" "', '"Acme"', '"-acme"', '"acme_3"', '"acme-3\\n"', '"acme#3"', f'"{"a" * 33}"', "3", "[]", "false"],
)
def test_a_cuenta_that_is_malformed_is_never_replaced_by_the_default(cuenta):
    assert codigo(cuerpo(cuenta=cuenta), "otra") == "cuenta_invalida"


@pytest.mark.parametrize("cuenta", ["a", "0", "a" * 32, "a-", "30712293841-3"])
def test_an_alias_has_up_to_32_small_letters_digits_and_hyphens(cuenta):
    assert entender(cuerpo(cuenta=json.dumps(cuenta))).cuenta == cuenta


@pytest.mark.parametrize("comprobante", [None, "null", "5", '"x"', "[]"])
def test_a_message_without_comprobante_cannot_be_understood(comprobante):
    assert codigo(cuerpo(comprobante=comprobante)) == "falta_comprobante"


def test_the_envelope_of_a_whole_lote_is_no_message():
    assert codigo(SEMILLA.read_text(encoding="utf-8"), "acme-3") == "falta_comprobante"


@pytest.mark.parametrize(
    ("referencia", "esperado"),
    [
        ("null", "falta_referencia"),
        ('""', "referencia_invalida"),
        ('"  "', "referencia_invalida"),
        ('" A-1"', "referencia_invalida"),
        ('"A-1\\n"', "referencia_invalida"),
        ('"A/1"', "referencia_invalida"),
        (f'"{"A" * 256}"', "referencia_invalida"),
        ("1.0", "referencia_invalida"),
        ("true", "referencia_invalida"),
        ("1" * 256, "referencia_invalida"),
        ("1" * 5000, "referencia_invalida"),
        ('["A-1"]', "referencia_invalida"),
        ('"\\ud800"', "referencia_invalida"),
    ],
)
def test_a_message_without_a_usable_reference_cannot_be_understood(referencia, esperado):
    assert codigo(cuerpo(comprobante=f'{{"external_reference": {referencia}}}')) == esperado
    assert codigo(cuerpo(comprobante="{}")) == "falta_referencia"


@pytest.mark.parametrize("referencia", ["17032", "0", "1" * 255])
def test_a_reference_that_is_an_integer_is_its_decimal_text(referencia):
    assert entender(cuerpo(comprobante=f'{{"external_reference": {referencia}}}')).external_reference == referencia


def test_numbers_are_exact():
    numeros = '{"external_reference": "A-1", "a": 0.1, "b": 1E400, "c": 12345678901234567890.123, "d": 7}'
    comprobante = entender(cuerpo(comprobante=numeros)).comprobante
    assert comprobante["a"] == Decimal("0.1")
    assert comprobante["b"] == Decimal("1E400")
    assert comprobante["c"] == Decimal("12345678901234567890.123")
    assert comprobante["d"] == 7
    assert isinstance(comprobante["d"], int)


@pytest.mark.parametrize("numero", ["1E400", "1E99999999999999999999", "9" * 5000, "-1E-99999999999999999999"])
def test_a_number_beyond_all_measure_is_understood_and_at_fault(numero):
    entrada = json.loads((EJEMPLOS / "comprobante.factura_b.json").read_text(encoding="utf-8"))
    comprobante = json.dumps(entrada["comprobante"]).replace('"total": 139.0', f'"total": {numero}')
    assert numero in comprobante
    mensaje = entender(cuerpo(cliente=json.dumps(entrada["cliente"]), comprobante=comprobante))
    (falla,) = preparar(mensaje.cliente, mensaje.comprobante, Reglas(3))
    assert falla.campo == "comprobante.total"


@pytest.mark.parametrize("lugar", ['"\\ud800"', '{"x": ["\\udc00 "]}', '{"\\ud800": 1}'])
def test_text_that_utf8_cannot_write_is_refused(lugar):
    assert codigo(cuerpo(cliente=lugar)) == "texto_invalido"
    assert codigo(cuerpo(reemplaza=lugar)) == "texto_invalido"


def test_a_surrogate_pair_is_a_character_like_any_other():
    assert entender(cuerpo(cliente='"\\ud83d\\ude00"')).cliente == "😀"


@pytest.mark.parametrize("niveles", [30, 500, 5_000, 200_000])
@pytest.mark.parametrize(("abre", "cierra"), [("[", "]"), ('{"a":', "}")])
def test_what_is_nested_without_end_is_refused(niveles, abre, cierra):
    assert codigo(cuerpo(cliente=abre * niveles + "1" + cierra * niveles)) == "anidado_en_exceso"


@pytest.mark.parametrize(
    "texto",
    [
        '{"cuenta": "otra", ' + CUERPO[1:],
        CUERPO[:-1] + ', "cliente": {}}',
        cuerpo(reemplaza='"A-0", "reemplaza": null'),
        cuerpo(comprobante='{"external_reference": "A-2", "external_reference": "A-1"}'),
        cuerpo(comprobante='{"external_reference": "A-1", "total": 139.00, "total": 139.01}'),
        cuerpo(comprobante='{"external_reference": "A-1", "detalle": [{"cantidad": 1, "cantidad": 2}]}'),
    ],
)
def test_a_key_that_says_two_things_of_what_is_invoiced_cannot_be_understood(texto):
    assert codigo(texto) == "clave_repetida"


def test_a_key_that_is_repeated_with_the_same_value_or_matters_less_is_understood():
    texto = (
        '{"external_reference": "A-1", "total": 139, "total": 139.00, "percepciones_iva": 0, "percepciones_iva": "0"}'
    )
    comprobante = entender(cuerpo(comprobante=texto)).comprobante
    assert comprobante == {"external_reference": "A-1", "total": 139, "percepciones_iva": "0"}


def test_credentials_are_neither_kept_nor_hashed():
    con = cuerpo(
        apikey="1134",
        cliente='{"razon_social": "Ana", "ApiToken": "s3creto", "x": [{"usertoken": "s3creto"}]}',
        comprobante='{"apikey": {"a": "s3creto"}, "external_reference": "A-1"}',
    )
    sin = cuerpo(cliente='{"razon_social": "Ana", "x": [{}]}')
    assert "s3creto" not in repr(entender(con).cliente) + repr(entender(con).comprobante)
    assert entender(con) == entender(sin)


def test_personal_data_stays_out_of_the_repr():
    assert "Ana" not in repr(entender(CUERPO))


def test_each_entry_of_the_lote_the_provider_shows_is_a_message():
    texto = SEMILLA.read_text(encoding="utf-8")
    posicion, entradas = texto.index('"requests": [') + len('"requests": ['), []
    while texto[posicion] != "]":
        if texto[posicion] == "{":
            fin = json.JSONDecoder().raw_decode(texto, posicion)[1]
            entradas.append(texto[posicion:fin])
            posicion = fin
        else:
            posicion += 1
    mensajes = [entender(entrada, "acme-3") for entrada in entradas]
    assert [m.external_reference for m in mensajes] == ["AAAA", "ABC124", "ABC125"]
    for entrada, mensaje in zip(entradas, mensajes, strict=True):
        assert entrada.count('"percepciones_iva"') == 2
        assert isinstance(preparar(mensaje.cliente, mensaje.comprobante, Reglas(3)), ComprobanteListo)


@pytest.mark.parametrize("reemplaza", ['""', '"A 0"', '"A-0\\n"', "1.5", "true", "[]", "{}", f'"{"A" * 256}"'])
def test_a_reemplaza_that_is_no_reference_is_a_fault(reemplaza):
    (falla,) = fallas_del_sobre(entender(cuerpo(reemplaza=reemplaza)))
    assert (falla.codigo, falla.campo) == ("referencia_invalida", "reemplaza")


def test_a_comprobante_does_not_replace_itself():
    (falla,) = fallas_del_sobre(entender(cuerpo(reemplaza='"A-1"')))
    assert (falla.codigo, falla.campo) == ("reemplaza_a_si_mismo", "reemplaza")


def test_a_reemplaza_of_null_is_none_and_an_integer_is_its_text():
    assert entender(cuerpo(reemplaza="null")) == entender(CUERPO)
    assert entender(cuerpo(reemplaza="17")).reemplaza == "17"


# The hash is kept in the ledger for ever: these values may never change.
@pytest.mark.parametrize(
    ("texto", "esperado"),
    [
        (CUERPO, "de03cfe71d9f30d6e3a681fa6d5816a1b6d1bc3d00202442c5f1c9008aa5fb12"),
        (cuerpo(reemplaza='"A-0"'), "02c529e7a4ca1e731e27571fb748ef28529505047b9ce565349d0aab92d698a2"),
        (
            cuerpo(
                cliente='{"razon_social": "Ñandú \\u00e9 😀", "codigo": 37, "x": [true, false, null, "", {}, []]}',
                comprobante='{"external_reference": "A-1", "total": 139.00, "cotizacion": -1.5e-3, "numero": -0}',
            ),
            "2ce61cdcf05474f80a1570b3d434b73965f25e5f688285cf2418bd40780adc85",
        ),
    ],
)
def test_the_hash_is_the_same_for_ever(texto, esperado):
    assert entender(texto).hash == esperado


def test_the_hash_is_of_the_content_and_not_of_the_cuenta_nor_of_other_keys():
    assert entender(cuerpo(cuenta='"otra"', traza='"x"')).hash == entender(CUERPO).hash
    assert entender(cuerpo(reemplaza='"A-0"')).hash != entender(CUERPO).hash


@pytest.mark.parametrize(
    ("uno", "otro"), [("139", "139.00"), ("139", "1.39E2"), ("1E400", "10E399"), ("0", "-0.0"), ("0.10", "1e-1")]
)
def test_a_number_hashes_by_its_value(uno, otro):
    assert entender(cuerpo(cliente=uno)).hash == entender(cuerpo(cliente=otro)).hash


@pytest.mark.parametrize(
    ("uno", "otro"),
    [
        ("139", '"139"'),
        ('"139"', '"139.00"'),
        ("139", "139.0000000000000000000000000000000000001"),
        ("1", "true"),
        ("0", "false"),
        ("null", '"null"'),
        ("[]", "{}"),
        ('["a", "b"]', '["b", "a"]'),
        ('["a,b"]', '["a", "b"]'),
        ('{"a": null}', "{}"),
        ('"é"', '"e\\u0301"'),
        ('"a"', '"a "'),
    ],
)
def test_what_differs_hashes_apart(uno, otro):
    assert entender(cuerpo(cliente=uno)).hash != entender(cuerpo(cliente=otro)).hash


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
    lambda dentro: (
        st.lists(dentro, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), dentro, max_size=4)
    ),
    max_leaves=15,
)


def escrito(valor, azar):
    """The value as JSON, in one of its many spellings."""
    if isinstance(valor, dict):
        pares = list(valor.items())
        azar.shuffle(pares)
        return "{" + " , ".join(f"{escrito(c, azar)}:{escrito(v, azar)}" for c, v in pares) + "}"
    if isinstance(valor, list):
        return "[ " + ",".join(escrito(v, azar) for v in valor) + "]"
    if isinstance(valor, bool) or valor is None:
        return json.dumps(valor)
    if isinstance(valor, int | Decimal):
        signo, digitos, exponente = Decimal(valor).as_tuple()
        entero = int("".join(map(str, digitos)))
        ceros = azar.randrange(3) if entero else 0
        return f"{'-' * signo}{entero}{'0' * ceros}{azar.choice('eE')}{exponente - ceros}"
    return json.dumps(valor, ensure_ascii=azar.random() < 0.5)


@given(valor=json_values, semilla=st.integers())
def test_the_hash_does_not_depend_on_how_the_json_is_written(valor, semilla):
    azar = random.Random(semilla)
    assert entender(cuerpo(cliente=escrito(valor, azar))).hash == entender(cuerpo(cliente=escrito(valor, azar))).hash


def clave(valor):
    """The value as something that is equal only to what means the same."""
    if isinstance(valor, dict):
        return ("{", frozenset((c, clave(v)) for c, v in valor.items()))
    if isinstance(valor, list):
        return ("[", tuple(map(clave, valor)))
    return (isinstance(valor, bool), isinstance(valor, str), valor)


@given(uno=json_values, otro=json_values)
def test_two_values_hash_alike_only_when_they_mean_the_same(uno, otro):
    assert (content_hash(uno) == content_hash(otro)) == (clave(uno) == clave(otro))


@given(st.text(st.characters()))
def test_no_text_makes_it_raise(texto):
    assert isinstance(leer(texto, cuenta_por_defecto="acme"), Ininteligible)


@given(
    st.dictionaries(st.sampled_from(["cuenta", "cliente", "comprobante", "reemplaza", "x"]), json_values),
    st.dictionaries(st.sampled_from(["external_reference", "total", "detalle"]), json_values) | json_values,
    st.randoms(use_true_random=False),
)
def test_no_json_makes_it_raise(sobre, comprobante, azar):
    leido = leer(escrito(sobre | {"comprobante": comprobante}, azar), cuenta_por_defecto="acme")
    if isinstance(leido, Mensaje):
        fallas_del_sobre(leido)
        assert len(leido.hash) == 64


@pytest.mark.parametrize("nombre", ESQUEMAS)
def test_the_published_schema_is_what_the_models_say(nombre):
    publicado = (CARPETA / nombre).read_text(encoding="utf-8")
    assert publicado == written(nombre), "stale: PYTHONPATH=shared python -m tests.schemas"


VALIDADOR = jsonschema.Draft202012Validator(esquema())


def ejemplos():
    for archivo in sorted(EJEMPLOS.glob("comprobante.*.json")):
        entrada = json.loads(archivo.read_text(encoding="utf-8"))
        if "cliente" not in entrada:
            entero = json.loads((EJEMPLOS / "comprobante.factura_b.json").read_text(encoding="utf-8"))
            entrada = entero | {"comprobante": entero["comprobante"] | entrada}
        yield pytest.param(entrada, id=archivo.stem)


@pytest.mark.parametrize("entrada", list(ejemplos()))
def test_every_example_of_the_provider_is_a_message_by_the_schema_and_is_accepted(entrada):
    mensaje = {"cuenta": "acme-3", **entrada}
    VALIDADOR.validate(mensaje)
    leido = entender(json.dumps(mensaje))
    assert isinstance(preparar(leido.cliente, leido.comprobante, Reglas(3, permite_fce=True)), ComprobanteListo)


@pytest.mark.parametrize(
    "cambio",
    [
        {"cuenta": "Acme"},
        {"cliente": None},
        {"comprobante": {}},
        {"reemplaza": "a b"},
    ],
)
def test_the_schema_refuses_what_is_no_message(cambio):
    mensaje = {"cuenta": "acme-3", **json.loads((EJEMPLOS / "comprobante.factura_b.json").read_text(encoding="utf-8"))}
    assert VALIDADOR.is_valid(mensaje)
    assert not VALIDADOR.is_valid(mensaje | cambio)


def test_the_schema_is_a_valid_one_and_speaks_of_the_cuenta_as_the_code_does():
    jsonschema.Draft202012Validator.check_schema(esquema())
    assert CUENTA_RE in json.dumps(esquema())
