from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sandbox.cuentas import make_cuentas, make_cuit

from facturacion.cuentas import cuenta_from_secret


def test_the_secret_is_one_that_the_functions_can_read():
    uno, dos = make_cuentas()
    for made in (uno, dos):
        read = cuenta_from_secret(made.alias, made.secret())
        assert (read.apikey, read.apitoken, read.usertoken) == (made.apikey, made.apitoken, made.usertoken)
        assert read.webhook_tokens == (made.webhook_token,)
        assert (read.cuit, read.punto_venta, read.modo) == (made.cuit, made.punto_venta, "lotes")
    assert (uno.alias, uno.punto_venta, dos.alias, dos.punto_venta) == ("demo-uno", 3, "demo-dos", 10)


def test_no_two_cuentas_share_a_secret_value():
    cuentas = make_cuentas(["uno", "dos", "tres"])
    values = [
        value for cuenta in cuentas for value in (cuenta.apitoken, cuenta.usertoken, cuenta.webhook_token, cuenta.llave)
    ]
    assert len(set(values)) == len(values)
    assert len({cuenta.punto_venta for cuenta in cuentas}) == 3


def test_a_cuenta_shows_no_secret():
    (cuenta,) = make_cuentas(["uno"])
    shown = repr(cuenta)
    for secret in (cuenta.apikey, cuenta.apitoken, cuenta.usertoken, cuenta.webhook_token, cuenta.llave):
        assert secret not in shown
    assert set(json.loads(cuenta.secret())) >= {"apikey", "apitoken", "usertoken", "webhook_tokens", "cuit"}


@given(st.integers(10_000_000, 99_999_000))
def test_a_cuit_has_the_check_digit_that_arca_computes(number):
    digits = [int(digit) for digit in make_cuit(number)]
    assert len(digits) == 11
    assert (
        sum(digit * weight for digit, weight in zip(digits, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1), strict=True)) % 11 == 0
    )


@pytest.mark.parametrize("alias", ["demo-uno"])
def test_credentials_have_the_providers_formats(alias):
    (cuenta,) = make_cuentas([alias])
    assert cuenta.apikey.isdigit()
    assert len(cuenta.apitoken) == 33
    assert len(cuenta.usertoken) == 32
