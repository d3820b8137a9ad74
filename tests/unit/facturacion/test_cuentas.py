"""The cuentas: how often a secret is read, what makes one unusable, and that no value of it ever shows."""

from __future__ import annotations

import json

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from tests.clock import Clock

from facturacion.cuentas import (
    ABSENT_FOR,
    ABSENT_MAX,
    CACHED_FOR,
    REREAD_AFTER,
    CuentaMalConfigurada,
    Cuentas,
    cuenta_from_secret,
)

SECRET = {
    "apikey": "apikey-7f3a",
    "apitoken": "apitoken-7f3a",
    "usertoken": "usertoken-7f3a",
    "webhook_tokens": ["webhook-7f3a"],
    "llave": "llave-0123-7f3a",
    "cuit": "30712293841",
    "punto_venta": 3,
    "modo": "lotes",
}
PREFIX = "stack/cuentas"


def secret(**changes):
    """None removes a key."""
    return json.dumps({key: value for key, value in (SECRET | changes).items() if value is not None})


@pytest.fixture
def secrets():
    with mock_aws():
        yield boto3.client("secretsmanager", region_name="us-east-1", aws_access_key_id="k", aws_secret_access_key="s")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def cuentas(secrets, clock):
    return Cuentas(secrets, PREFIX, clock=clock)


@pytest.fixture
def reads(secrets):
    """How often Secrets Manager was asked for a value, by the name of the secret."""
    asked = []

    def note(params, **_):
        asked.append(params["SecretId"])

    secrets.meta.events.register("provide-client-params.secretsmanager.GetSecretValue", note)
    return asked


def put(secrets, alias="norte", text=None):
    text = secret() if text is None else text
    try:
        secrets.create_secret(Name=f"{PREFIX}/{alias}", SecretString=text)
    except secrets.exceptions.ResourceExistsException:
        secrets.put_secret_value(SecretId=f"{PREFIX}/{alias}", SecretString=text)


# -- how often it is read --------------------------------------------------------------------------------------------


def test_a_cuenta_is_read_whole_and_then_remembered(secrets, cuentas, reads, clock):
    put(secrets)
    first = cuentas.get("norte")
    assert (first.alias, first.cuit, first.punto_venta, first.modo) == ("norte", "30712293841", 3, "lotes")
    assert (first.apikey, first.apitoken, first.usertoken) == ("apikey-7f3a", "apitoken-7f3a", "usertoken-7f3a")
    assert (first.webhook_tokens, first.llave) == (("webhook-7f3a",), "llave-0123-7f3a")
    clock.now += CACHED_FOR - (CACHED_FOR / 1000)
    assert cuentas.get("norte") is first
    assert reads == ["stack/cuentas/norte"]


def test_after_a_quarter_of_an_hour_it_is_read_again(secrets, cuentas, reads, clock):
    put(secrets)
    cuentas.get("norte")
    put(secrets, text=secret(punto_venta=4))
    clock.now += CACHED_FOR
    assert cuentas.get("norte").punto_venta == 4
    assert len(reads) == 2


def test_a_slash_too_many_in_the_prefix_does_no_harm(secrets, clock):
    put(secrets)
    assert Cuentas(secrets, PREFIX + "/", clock=clock).get("norte")


def holds(token):
    return lambda cuenta: cuenta is not None and token in cuenta.webhook_tokens


def test_a_token_that_does_not_match_reads_again_at_most_once_a_minute(secrets, cuentas, reads, clock):
    put(secrets)
    cuentas.get("norte")
    put(secrets, text=secret(webhook_tokens=["new", "webhook-7f3a"]))
    assert cuentas.recognize("norte", holds("new")).alias == "norte", "rotated a moment ago"
    for _ in range(5):
        assert cuentas.recognize("norte", holds("wrong")) is None
    assert len(reads) == 2
    clock.now += REREAD_AFTER
    for _ in range(5):
        assert cuentas.recognize("norte", holds("wrong")) is None
        assert cuentas.recognize("norte", holds("new")).alias == "norte"
    assert len(reads) == 3


@pytest.mark.parametrize("seconds_since_it_was_read", [None, 0, 1, 59, 60, 899, 900, 10_000])
def test_who_knocks_in_vain_costs_as_many_reads_whether_there_is_such_a_cuenta_or_not(
    secrets, cuentas, reads, clock, seconds_since_it_was_read
):
    """Else the time of an answer tells which aliases there are."""
    put(secrets)
    if seconds_since_it_was_read is not None:
        cuentas.get("norte")
        clock.advance(seconds=seconds_since_it_was_read)
    reads.clear()
    for minutes in (0, 0.5, 1, 1.5, 17):
        for alias in ("norte", "sur"):
            for _ in range(3):
                assert cuentas.recognize(alias, holds("wrong")) is None
        assert reads.count("stack/cuentas/norte") == reads.count("stack/cuentas/sur") >= 1
        clock.advance(minutes=minutes)


def test_an_unknown_alias_is_remembered_as_absent_for_a_minute(cuentas, reads, clock):
    for _ in range(5):
        assert cuentas.get("sur") is None
        assert cuentas.recognize("sur", holds("any")) is None
    assert reads == ["stack/cuentas/sur"]
    clock.now += ABSENT_FOR
    assert cuentas.get("sur") is None
    assert len(reads) == 2


def test_a_cuenta_that_was_just_onboarded_is_known_within_a_minute(secrets, cuentas, clock):
    assert cuentas.get("norte") is None
    put(secrets)
    assert cuentas.get("norte") is None
    clock.now += ABSENT_FOR
    assert cuentas.get("norte").alias == "norte"


def test_a_cuenta_that_was_removed_is_forgotten_with_its_secrets(secrets, cuentas, clock):
    put(secrets)
    cuentas.get("norte")
    secrets.delete_secret(SecretId=f"{PREFIX}/norte", ForceDeleteWithoutRecovery=True)
    clock.now += CACHED_FOR
    assert cuentas.get("norte") is None
    assert "norte" not in cuentas._cached


def test_however_many_knock_with_unknown_aliases_the_memory_of_them_is_bounded(cuentas, reads):
    for n in range(ABSENT_MAX + 50):
        assert cuentas.get(f"x{n}") is None
    assert len(cuentas._absent) == ABSENT_MAX
    asked = len(reads)
    assert cuentas.get(f"x{ABSENT_MAX + 49}") is None
    assert len(reads) == asked, "the latest are the ones remembered"


@pytest.mark.parametrize("alias", ["", "Norte", "-norte", "norte/../sur", "norte\n", "x" * 33, "ñandú", "*", "nor te"])
def test_what_cannot_be_an_alias_is_absent_and_nobody_is_asked(cuentas, reads, alias):
    assert cuentas.get(alias) is None
    assert cuentas.recognize(alias, holds("any")) is None
    assert reads == []


def test_when_aws_cannot_tell_the_caller_is_told_so_and_nothing_is_remembered(secrets, cuentas, clock):
    """A secret that is scheduled for deletion is neither there nor absent."""
    put(secrets)
    secrets.delete_secret(SecretId=f"{PREFIX}/norte")
    with pytest.raises(ClientError):
        cuentas.get("norte")
    secrets.restore_secret(SecretId=f"{PREFIX}/norte")
    assert cuentas.get("norte").alias == "norte"


def test_a_secret_that_cannot_be_used_is_read_at_most_once_a_minute(secrets, cuentas, reads, clock):
    put(secrets)
    cuentas.get("norte")
    put(secrets, text=secret(cuit=None))
    clock.now += REREAD_AFTER
    for _ in range(5):
        with pytest.raises(CuentaMalConfigurada, match="cuit"):
            cuentas.recognize("norte", holds("wrong"))
    assert len(reads) == 2
    put(secrets)
    clock.now += ABSENT_FOR
    assert cuentas.recognize("norte", holds("webhook-7f3a")).alias == "norte"


def test_a_secret_in_binary_is_badly_configured_and_no_crash(secrets, cuentas):
    secrets.create_secret(Name=f"{PREFIX}/norte", SecretBinary=b"{}")
    with pytest.raises(CuentaMalConfigurada, match="norte"):
        cuentas.get("norte")


# -- what a secret must hold -----------------------------------------------------------------------------------------


def test_a_secret_may_leave_out_what_has_a_default():
    cuenta = cuenta_from_secret("norte", secret(webhook_tokens=None, llave=None, modo=None))
    assert (cuenta.webhook_tokens, cuenta.llave, cuenta.modo) == ((), None, "lotes")


def test_numbers_may_be_numbers_or_text_and_text_may_have_spaces_around_it():
    cuenta = cuenta_from_secret("norte", secret(apikey=67890, cuit=30712293841, punto_venta=" 00003 "))
    assert (cuenta.apikey, cuenta.cuit, cuenta.punto_venta) == ("67890", "30712293841", 3)


def test_two_webhook_tokens_are_valid_while_one_is_being_rotated():
    assert cuenta_from_secret("norte", secret(webhook_tokens=["a", "b"])).webhook_tokens == ("a", "b")


@pytest.mark.parametrize("key", ["apikey", "apitoken", "usertoken", "cuit", "punto_venta"])
@pytest.mark.parametrize("value", [None, "", "   ", True, ["x"], {"x": 1}, 1.5])
def test_a_key_that_is_missing_or_no_text_is_named(key, value):
    with pytest.raises(CuentaMalConfigurada, match=f"norte.*{key}"):
        cuenta_from_secret("norte", secret(**{key: value}))


@pytest.mark.parametrize("value", ["0", 0, -1, "tres", "3.0", "³", "٣", 100_000, "9" * 5_000])
def test_a_punto_de_venta_is_a_positive_number(value):
    with pytest.raises(CuentaMalConfigurada, match="punto_venta"):
        cuenta_from_secret("norte", secret(punto_venta=value))


@pytest.mark.parametrize("value", ["token", [""], [" "], [1], [None], ["a", "b", "c"], {"a": 1}])
def test_webhook_tokens_are_up_to_two_texts(value):
    with pytest.raises(CuentaMalConfigurada, match="webhook_tokens"):
        cuenta_from_secret("norte", secret(webhook_tokens=value))


def test_what_was_pasted_around_a_token_is_no_part_of_it():
    """No header keeps it, and a hook would be refused for a reason that nobody sees."""
    assert cuenta_from_secret("norte", secret(webhook_tokens=[" token\n"])).webhook_tokens == ("token",)


@pytest.mark.parametrize(
    "value", ["", 7, True, "x" * 11, "x" * 256, "con/una/barra", "con un espacio", "ñandúñandúñ", "%2e" * 5]
)
def test_a_llave_is_a_long_text_that_a_url_carries_as_it_is(value):
    with pytest.raises(CuentaMalConfigurada, match="llave"):
        cuenta_from_secret("norte", secret(llave=value))


@pytest.mark.parametrize("value", ["Lotes", "", "uno", 1, [], {}])
def test_a_modo_is_one_of_two(value):
    with pytest.raises(CuentaMalConfigurada, match="modo"):
        cuenta_from_secret("norte", secret(modo=value))


@pytest.mark.parametrize("text", ["", "apikey=7f3a", "[]", "null", '"x"', "3"])
def test_a_secret_is_a_json_object(text):
    with pytest.raises(CuentaMalConfigurada, match="norte"):
        cuenta_from_secret("norte", text)


# -- nothing of it shows ---------------------------------------------------------------------------------------------


def test_no_secret_is_in_the_repr_of_a_cuenta():
    assert "7f3a" not in repr(cuenta_from_secret("norte", secret()))


@pytest.mark.parametrize(
    "text",
    [
        '{"apikey": "7f3a", ',
        '["7f3a"]',
        secret(punto_venta="7f3a"),
        secret(modo="7f3a"),
        secret(webhook_tokens=["7f3a", ""]),
        secret(cuit=None),
    ],
)
def test_a_secret_that_is_refused_is_not_quoted_anywhere_in_the_error(text):
    with pytest.raises(CuentaMalConfigurada) as refusal:
        cuenta_from_secret("norte", text)
    shown = refusal.value
    assert "7f3a" not in str(shown) + repr(shown)
    assert shown.__cause__ is None
    assert shown.__suppress_context__ or shown.__context__ is None
