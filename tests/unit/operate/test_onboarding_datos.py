"""What a person says of a cuenta: the digit that does not fit, the token with a blank, what no secret may repeat."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sandbox.cuentas import make_cuit

from facturacion.cuentas import cuenta_from_secret
from operate.cli import credenciales
from operate.onboarding.datos import (
    NoSePuede,
    Secretos,
    check_alias,
    check_cuit,
    check_punto_venta,
    check_token,
    new_secret,
    new_token,
    read_secretos,
    with_tokens,
)

CREDENTIALS = {"apikey": "7098120463", "apitoken": "apitoken-of-norte", "usertoken": "usertoken-of-norte"}


def refused(check, *given):
    with pytest.raises(NoSePuede) as error:
        check(*given)
    assert not any(secret in str(error.value) for secret in CREDENTIALS.values())
    return error.value.codigo


@given(st.integers(0, 99_999_999))
def test_every_right_cuit_is_taken_and_no_other_last_digit_is(number):
    cuit = make_cuit(number)
    assert check_cuit(cuit) == check_cuit(f"{cuit[:2]}-{cuit[2:10]}-{cuit[10]}") == cuit
    wrong = {f"{cuit[:10]}{digit}" for digit in range(10)} - {cuit}
    assert {refused(check_cuit, each) for each in wrong} == {"CuitInvalido"}


@pytest.mark.parametrize("cuit", ["", "30", "3071229384", "307122938411", "30-71229384-x", "٣0712293841"])
def test_what_is_no_cuit_is_refused(cuit):
    assert refused(check_cuit, cuit) == "CuitInvalido"


def test_an_alias_and_a_punto_de_venta_are_what_the_functions_take():
    assert check_alias("sucursal-2") == "sucursal-2" and check_punto_venta("0003") == 3
    assert {refused(check_alias, alias) for alias in ("", "-a", "A", "a" * 33, "a/b", "*")} == {"AliasInvalido"}
    assert {refused(check_punto_venta, n) for n in ("", "0", "x", "100000", "-3")} == {"PuntoVentaInvalido"}


def test_credentials_may_be_numbers_and_what_is_missing_is_named():
    assert read_secretos({**CREDENTIALS, "apikey": 7098120463, "otra": 1}).apikey == "7098120463"
    with pytest.raises(NoSePuede, match=r"Falta: apitoken, usertoken\.") as error:
        read_secretos({"apikey": "7098120463", "usertoken": "  "})
    assert error.value.codigo == "FaltanCredenciales"
    assert refused(read_secretos, {**CREDENTIALS, "webhook_token": "con un blanco adentro"}) == "TokenInvalido"
    assert "7098120463" not in repr(read_secretos(CREDENTIALS))


def test_the_secret_is_one_that_the_functions_can_use_with_a_token_that_nobody_had():
    secretos = Secretos(**CREDENTIALS)
    made = [
        cuenta_from_secret(
            "norte",
            new_secret(
                secretos, alias="norte", cuit="30712293841", punto_venta=3, modo="individual", llave=new_token()
            ),
        )
        for _ in range(2)
    ]
    assert made[0].modo == "individual" and made[0].punto_venta == 3
    tokens = {t for cuenta in made for t in (*cuenta.webhook_tokens, cuenta.llave)}
    assert len(tokens) == 4 and all(check_token(t) and len(t) >= 43 for t in tokens)
    own = new_secret(
        Secretos(**CREDENTIALS, webhook_token="token-of-the-panel"),
        alias="norte", cuit="30712293841", punto_venta=3, modo="lotes", llave=new_token(),
    )  # fmt: skip
    assert cuenta_from_secret("norte", own).webhook_tokens == ("token-of-the-panel",)


def test_changing_the_tokens_leaves_everything_else_as_it_is():
    before = json.dumps({**CREDENTIALS, "webhook_tokens": ["a"], "algo": {"mas": 1}})
    assert json.loads(with_tokens(before, ["a", "b"])) == {**json.loads(before), "webhook_tokens": ["a", "b"]}


# -- where credentials come from


@pytest.fixture
def typed(monkeypatch):
    """What the operator types, or pipes, and what the environment holds."""

    def typed(*lines, stdin="", tty=True, **environment):
        answers = iter(lines)
        monkeypatch.setattr(credenciales.getpass, "getpass", lambda _: next(answers))
        monkeypatch.setattr(credenciales.sys, "stdin", io.StringIO(stdin))
        monkeypatch.setattr(credenciales.sys.stdin, "isatty", lambda: tty, raising=False)
        for name in credenciales.ASKED:
            monkeypatch.delenv(f"FACTURACION_{name.upper()}", raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(f"FACTURACION_{name.upper()}", value)

    return typed


def test_credentials_come_from_the_environment_the_input_or_a_prompt_that_does_not_show_them(typed):
    whole = Secretos(**CREDENTIALS)
    typed(*CREDENTIALS.values(), "")
    assert credenciales.ask_secretos() == whole
    typed(stdin=json.dumps(CREDENTIALS), tty=False)
    assert credenciales.ask_secretos() == whole
    typed(**CREDENTIALS)
    assert credenciales.ask_secretos() == whole
    typed("token-of-the-panel")
    assert credenciales.ask_token() == "token-of-the-panel"
    typed(stdin="token-of-the-panel\n", tty=False)
    assert credenciales.ask_token() == "token-of-the-panel"
    typed(webhook_token="token-of-the-panel")
    assert credenciales.ask_token() == "token-of-the-panel"


@pytest.mark.parametrize("piped", ["", "{", "[1]", '{"apikey": "7098120463"}'])
def test_an_input_that_is_not_all_of_them_is_refused_without_repeating_it(typed, piped):
    typed(stdin=piped, tty=False)
    assert refused(credenciales.ask_secretos) == "FaltanCredenciales"


def test_half_of_them_in_the_environment_is_not_made_up_for_by_a_prompt(typed):
    typed(apikey="7098120463")
    assert refused(credenciales.ask_secretos) == "FaltanCredenciales"
