from __future__ import annotations

import json
import time
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from facturacion.mensaje import sin_credenciales

SECRETO = "kJ7s3cretoQ"
RESTO = "FACTURA-B"
ENVIO = {"apikey": SECRETO, "cliente": {"apitoken": [SECRETO]}, "tipo": RESTO, "x": [{"usertoken": {"a": SECRETO}}]}


def test_a_body_without_credentials_is_kept_as_it_came():
    for texto in ('{"a" : 1.50, "a": 1e2,  "b": "ñ\\u00f1"}', "hola", "", "[]", '{"a": ', '"apikey"', '{"a": NaN}'):
        assert sin_credenciales(texto) == texto


def test_the_keys_are_dropped_at_every_level_and_the_rest_is_kept_as_written():
    texto = (
        '{"apikey": "x", "total": 139.00, "total": 1E400, "ñ": "\\u00e9", "n": [-0.0, null, true, {"UserToken ": 1}],'
        f' "{"9" * 5000}": {"9" * 5000}, "apikey": "y"}}'
    )
    assert sin_credenciales(texto) == (
        f'{{"total": 139.00, "total": 1E400, "ñ": "é", "n": [-0.0, null, true, {{}}], "{"9" * 5000}": {"9" * 5000}}}'
    )


def test_a_lone_surrogate_stays_the_escape_it_was():
    assert sin_credenciales('{"a": "\\ud800", "apikey": 1}') == '{"a": "\\ud800"}'


def anidado(valor, veces):
    for _ in range(veces):
        valor = {"Type": "Notification", "Message": json.dumps(valor)}
    return json.dumps(valor)


@pytest.mark.parametrize("veces", [1, 2, 3])
def test_json_within_a_text_of_the_json_is_searched_too(veces):
    limpio = sin_credenciales(anidado(ENVIO, veces))
    assert SECRETO not in limpio
    assert RESTO in limpio
    for _ in range(veces):
        limpio = json.loads(limpio)["Message"]
    assert json.loads(limpio) == {"cliente": {}, "tipo": RESTO, "x": [{}]}


def test_a_credential_that_is_not_within_json_is_struck_out_of_the_text():
    limpio = sin_credenciales(json.dumps({"log": f"falló con apikey={SECRETO}&tipo={RESTO}"}))
    assert json.loads(limpio) == {"log": f"falló con apikey=***&tipo={RESTO}"}


def test_a_credential_that_is_within_a_key_is_struck_out_as_well():
    limpio = sin_credenciales(json.dumps({f"?apikey={SECRETO}&tipo": RESTO}))
    assert json.loads(limpio) == {"?apikey=***&tipo": RESTO}


ROTO = json.dumps(ENVIO)[:-1]


@pytest.mark.parametrize(
    "texto",
    [
        f'{{"tipo": "{RESTO}", "apikey": "{SECRETO}",}}',
        f'{{"tipo": "{RESTO}", "apikey": "{SECRETO}',
        f'{{"tipo": "{RESTO}", "apikey" "{SECRETO}"}}',
        f'{{"tipo": "{RESTO}", "apikey", "{SECRETO}"}}',
        f'{{"tipo": "{RESTO}", "apikey": {SECRETO}}}',
        f'{{"tipo": "{RESTO}", "apikey":\n\t"{SECRETO}\n{SECRETO}"',
        f'{{"tipo": "{RESTO}", "apikey": "a,b {SECRETO}", x',
        f'{{"tipo": "{RESTO}", "apikey": "a\\"b{SECRETO}", x',
        f'{{"tipo": "{RESTO}", "apikey": ["a", {{"b": "{SECRETO}"',
        f'{{"tipo": "{RESTO}", "API\\u004bey": "{SECRETO}", x',
        f'{{"tipo": "{RESTO}", "\\u0061\\u0070\\u0069key"\\u003a "{SECRETO}", x',
        f"{{'tipo': '{RESTO}', 'usertoken': '{SECRETO}'}}",
        f"{{'tipo': '{RESTO}', 'usertoken': b'{SECRETO}'}}",
        f'{{tipo: "{RESTO}", usertoken: `{SECRETO}`}}',
        f"['tipo' => '{RESTO}', 'usertoken' => '{SECRETO}']",
        f"tipo: {RESTO}\nusertoken: {SECRETO}\n",
        f"tipo={RESTO}&usertoken={SECRETO}",
        f"usertoken={SECRETO}%20{SECRETO}&tipo={RESTO}",
        f"<tipo>{RESTO}</tipo><usertoken>{SECRETO}</usertoken>",
        f"{{“tipo”: “{RESTO}”, “usertoken”: “{SECRETO}”}}",
        f"{{&quot;tipo&quot;: &quot;{RESTO}&quot;, &quot;usertoken&quot;: &quot;{SECRETO}&quot;",
        f"{{&#34;tipo&#34;: &#34;{RESTO}&#34;, &#34;usertoken&#34;: &#34;a {SECRETO}&#34;",
        f"x {json.dumps(json.dumps({'tipo': RESTO, 'apitoken': SECRETO}))}",
        f"x {json.dumps(json.dumps({'apitoken': f'a{chr(34)}{SECRETO}', 'tipo': RESTO}))}",
        f"x {json.dumps(json.dumps(json.dumps({'apitoken': SECRETO, 'tipo': RESTO})))}",
        quote(f'{{"tipo": "{RESTO}", "apitoken": "{SECRETO}"}}'),
        quote(quote(f'{{"apitoken": "{SECRETO}", "tipo": "{RESTO}"}}')),
        quote(f'{{"tipo": "{RESTO}", "apitoken": ["{SECRETO}"]}}'),
        "[" * 100_000 + f'"{RESTO}", {{"apikey": "{SECRETO}"}}',
    ],
)
def test_where_it_is_not_json_the_values_are_struck_out_and_the_rest_is_kept(texto):
    limpio = sin_credenciales(texto)
    assert SECRETO not in limpio
    assert "***" in limpio
    assert RESTO in limpio


@pytest.mark.parametrize("corte", range(len(ROTO)))
def test_a_body_cut_anywhere_tells_no_secret(corte):
    limpio = sin_credenciales(ROTO[:corte])
    assert not [trozo for trozo in (SECRETO[:4], SECRETO[-4:]) if trozo in limpio]


def test_what_is_left_out_once_stays_as_it_is():
    for texto in (ROTO, json.dumps(ENVIO), anidado(ENVIO, 2)):
        assert sin_credenciales(sin_credenciales(texto)) == sin_credenciales(texto)


def test_a_hostile_body_takes_no_time():
    antes = time.perf_counter()
    for trozo in ('"apikey":', "apikey=\\", '{"a":', "api", "\\" * 50, "apikey" + " " * 50, "%25"):
        sin_credenciales((trozo * 40_000)[:250_000])
    assert time.perf_counter() - antes < 5


secretos = st.text(st.characters(categories=["L", "N"]), min_size=6, max_size=12).map(lambda s: f"Zq{s}qZ")
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda dentro: st.lists(dentro, max_size=3) | st.dictionaries(st.text(max_size=4), dentro, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.text(max_size=4), json_values, max_size=3),
    secretos,
    st.sampled_from(["apikey", "apitoken", "usertoken"]),
)
def test_whatever_stands_around_a_credential_it_is_dropped_and_the_rest_is_not(alrededor, secreto, clave):
    texto = json.dumps({**alrededor, "dentro": {clave: secreto, "y": alrededor}})
    limpio = sin_credenciales(texto)
    assert secreto not in limpio
    assert json.dumps(json.loads(limpio)) == json.dumps({**alrededor, "dentro": {"y": alrededor}})


@given(st.text(st.characters()))
@example("\ud800 apikey=x")
def test_no_text_makes_it_raise(texto):
    assert isinstance(sin_credenciales(texto), str)
