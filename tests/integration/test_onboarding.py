"""A cuenta comes, is tried, changes its token and goes: by the command line, on AWS in process."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.integration import world
from tests.integration.around import Killed, Watched
from tests.sandbox.cuentas import make_cuit

from facturacion.cuentas import REREAD_AFTER
from operate import __main__ as command
from operate.cli import cuenta as order
from operate.cli.client import Cliente
from operate.onboarding.caja import Caja
from operate.onboarding.mundo import Mundo
from tusfacturas.client import Cliente as Proveedor

house = world.house
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")
ANA = "arn:aws:sts::123456789012:assumed-role/facturas/ana"
CUIT = make_cuit(71_229_400)
"""Not that of `norte`."""


@dataclass
class Operator:
    """Somebody at a terminal. `meanwhile`: what happens each time that the command line waits."""

    house: Any
    capsys: Any
    monkeypatch: Any
    secretsmanager: Any
    meanwhile: Any = lambda seconds: None
    waited: list[float] = field(default_factory=list)

    def __call__(self, *argv, json_too=True):
        """The exit code, the answer, and what was told to the person who waits."""
        client = Cliente(lambda _, event: self.house.operate(**event), lambda: ANA, self._boto, str)
        self.monkeypatch.setattr(order, "_mundo", self._mundo)
        code = command.main(["cuenta", *argv, *(["--json"] if json_too else [])], lambda **_: client)
        out = self.capsys.readouterr()
        return code, json.loads(out.out) if json_too and out.out else out.out, out.err

    def _boto(self, _service):
        return self.secretsmanager

    def _mundo(self, client):
        return Mundo(
            caja=Caja(self.secretsmanager, world.PREFIX),
            ask=client.ask,
            connect=lambda credenciales: Proveedor(
                world.PROVIDER, credenciales, timeout=30, transport=self.house.transport
            ),
            url=lambda alias: f"https://api.test/hooks/{alias}",
            tell=lambda text: print(text, file=command.sys.stderr),
            monotonic=lambda: self.house.clock().timestamp(),
            sleep=self._sleep,
        )

    def _sleep(self, seconds):
        self.waited.append(seconds)
        self.house.clock.advance(seconds=seconds)
        self.meanwhile(seconds)


@pytest.fixture
def operator(house, capsys, monkeypatch):
    return Operator(house, capsys, monkeypatch, house.aws("secretsmanager"))


@pytest.fixture
def credentials(house, monkeypatch):
    """Of a cuenta `sur` that the provider knows and nobody here does, in the operator's environment."""
    sim = house.add_cuenta("sur")
    house.aws("secretsmanager").delete_secret(SecretId=f"{world.PREFIX}/sur", ForceDeleteWithoutRecovery=True)
    for name in ("apikey", "apitoken", "usertoken"):
        monkeypatch.setenv(f"FACTURACION_{name.upper()}", getattr(sim, name))
    return sim


def stored(house, alias="sur"):
    return json.loads(house.aws("secretsmanager").get_secret_value(SecretId=f"{world.PREFIX}/{alias}")["SecretString"])


def provider_tests(house, token, alias="sur"):
    """The provider's test, with that token; the status that it is answered."""
    body = {"creado": f"{house.clock():%d/%m/%Y %H:%M:%S}", "evento": "test", "recurso": "test"}
    body |= {"external_reference": "", "intento": 1, "msg": [], "hook_id": "xxxxx"}
    return house.post(alias, body, headers={"tf-webhooktoken": token})


def alta(operator, *more, alias="sur"):
    return operator("alta", alias, "--cuit", CUIT, "--punto-venta", "3", *more)


# -- alta


def test_a_cuenta_comes_its_test_hook_arrives_and_it_issues(house, operator, credentials):
    sent = []

    def meanwhile(_):
        if len(operator.waited) == 3:
            sent.append(provider_tests(house, stored(house)["webhook_tokens"][0]))

    operator.meanwhile = meanwhile
    code, answer, told = alta(operator)
    assert (code, sent) == (0, [200])
    assert answer["prueba"] and answer["consumo"]["disponibles"] > 0
    secret = stored(house)
    assert (secret["cuit"], secret["punto_venta"], secret["modo"]) == (CUIT, 3, "lotes")
    assert answer["token"] == secret["webhook_tokens"][0] and answer["token"] in told
    assert answer["url_con_llave"] == f"https://api.test/hooks/sur/{secret['llave']}"
    for name in ("apikey", "apitoken", "usertoken"):
        assert secret[name] not in told + json.dumps(answer)
    house.clock.advance(minutes=2)
    house.proveedor.web_set_webhook("sur", answer["url"], answer["token"])
    house.send("B-1", cuenta="sur")
    house.run(steps=6, minutes=5)
    assert house.estado("B-1", "sur") == "EMITIDO"


def test_a_test_hook_that_never_comes_leaves_a_cuenta_that_can_be_tried_again(house, operator, credentials):
    code, answer, _ = alta(operator, "--esperar", "60")
    assert code == 1 and [n["codigo"] for n in answer["negados"]] == ["SinHookDePrueba"]
    assert 60 <= sum(operator.waited) < 70

    def meanwhile(_):
        house.proveedor.web_set_webhook("sur", "https://api.test/hooks/sur", stored(house)["webhook_tokens"][0])
        house.proveedor.web_test_hook("sur")
        house.deliver()

    operator.meanwhile = meanwhile
    code, answer, _ = operator("probar", "sur")
    assert code == 0 and answer["prueba"] and "token" not in answer


def test_a_hook_from_before_is_not_taken_for_the_test(house, operator, credentials):
    alta(operator, "--esperar", "0")
    house.clock.advance(minutes=2)
    assert provider_tests(house, stored(house)["webhook_tokens"][0]) == 200
    assert operator("probar", "sur", "--esperar", "10")[0] == 1


def test_nobodys_credentials_are_overwritten(house, operator, credentials):
    before = stored(house, "norte")
    code, answer, _ = alta(operator, alias="norte")
    assert (code, answer["error"]["codigo"]) == (2, "CuentaExiste") and stored(house, "norte") == before


@pytest.mark.parametrize("described", [True, False])
def test_a_punto_de_venta_that_has_an_alias_gets_no_second_one(house, operator, credentials, described):
    """Under another alias nothing of what was issued is known: each message would be a second invoice."""
    if described:
        assert alta(operator, "--esperar", "0")[0] == 0
    else:
        house.secret("sur", cuit=f"{CUIT[:2]}-{CUIT[2:10]}-{CUIT[10]}", punto_venta="0003")
    code, answer, _ = alta(operator, "--esperar", "0", alias="centro")
    assert (code, answer["error"]["codigo"]) == (2, "PuntoVentaTomado") and "la cuenta sur" in answer["error"][
        "mensaje"
    ]
    assert operator("alta", "centro", "--cuit", CUIT, "--punto-venta", "4", "--esperar", "0")[0] == 0


def test_an_alias_that_went_does_not_come_back_once_another_one_has_its_punto_de_venta(house, operator, credentials):
    assert alta(operator, "--esperar", "0")[0] == 0
    kept = stored(house)
    house.operate("pausar", cuenta="sur", motivo="cambia de nombre", quien=ANA)
    house.clock.advance(minutes=16)
    assert operator("baja", "sur")[0] == 0
    refused = alta(operator, "--esperar", "0", alias="centro")[1]["error"]
    assert refused["codigo"] == "PuntoVentaTomado" and "alta sur --recuperar" in refused["mensaje"]
    house.put_secret("centro", **kept)
    answer = operator("alta", "sur", "--recuperar", "--esperar", "0")[1]
    assert answer["error"]["codigo"] == "PuntoVentaTomado" and "la cuenta centro" in answer["error"]["mensaje"]


def test_two_who_onboard_it_at_once_make_one(house, operator, credentials):
    def first(name):
        if name == "create_secret":
            house.secret("sur", webhook_tokens=["token-of-the-first-one"])

    operator.secretsmanager = Watched(house.aws("secretsmanager"), before=first)
    assert alta(operator)[1]["error"]["codigo"] == "CuentaExiste"
    assert stored(house)["webhook_tokens"] == ["token-of-the-first-one"]


@pytest.mark.parametrize(
    ("wrong", "codigo"),
    [
        ("CredencialesRechazadas", "CredencialesRechazadas"),
        ("down", "ProveedorSinRespuesta"),
        ("maintenance", "ProveedorSinRespuesta"),
    ],
)
@pytest.mark.usefixtures("credentials")
def test_credentials_that_nobody_vouches_for_make_no_cuenta(house, operator, monkeypatch, wrong, codigo):
    if wrong == codigo:
        monkeypatch.setenv("FACTURACION_APITOKEN", "not-the-one-of-anybody")
    elif wrong == "down":
        house.plan.update(caida="sin_conexion")
    else:
        house.plan.update(consultas=["maintenance"] * 9)
    code, answer, told = alta(operator)
    assert (code, answer["error"]["codigo"]) == (2, codigo)
    assert "not-the-one-of-anybody" not in told + json.dumps(answer)
    assert house.aws("secretsmanager").list_secrets(Filters=[{"Key": "name", "Values": ["sur"]}])["SecretList"] == []
    code, answer, _ = alta(operator, "--sin-probar", "--esperar", "0")
    assert code == 0 and answer["consumo"] is None and stored(house)


@pytest.mark.parametrize(
    ("argv", "codigo"),
    [
        (("alta", "Sur", "--cuit", CUIT, "--punto-venta", "3"), "AliasInvalido"),
        (("alta", "sur", "--cuit", f"{CUIT[:10]}{(int(CUIT[10]) + 1) % 10}", "--punto-venta", "3"), "CuitInvalido"),
        (("alta", "sur", "--cuit", CUIT, "--punto-venta", "0"), "PuntoVentaInvalido"),
        (("alta", "sur", "--recuperar"), "CuentaDesconocida"),
        (("probar", "sur"), "CuentaDesconocida"),
        (("rotar", "sur"), "CuentaDesconocida"),
        (("baja", "sur"), "CuentaDesconocida"),
        (("rotar", "norte", "--deshacer"), "SinRotacion"),
        (("rotar", "norte", "--confirmar"), "SinRotacion"),
        (("baja", "norte"), "SinPausa"),
    ],
)
def test_what_cannot_be_done_is_said_with_its_code_and_nothing_is_done(house, operator, credentials, argv, codigo):
    before = stored(house, "norte")
    code, answer, _ = operator(*argv)
    assert (code, answer["error"]["codigo"]) == (2, codigo)
    assert stored(house, "norte") == before and operator.waited == []


@pytest.mark.parametrize(
    ("operation", "argv"),
    [
        ("describe_secret", ("alta", "sur", "--cuit", CUIT, "--punto-venta", "3")),
        ("create_secret", ("alta", "sur", "--cuit", CUIT, "--punto-venta", "3")),
        ("get_secret_value", ("probar", "norte")),
        ("put_secret_value", ("rotar", "norte")),
        ("list_secrets", ("listar",)),
    ],
)
def test_without_the_right_it_says_which_one_is_missing(house, operator, credentials, operation, argv):
    def deny(name):
        if name == operation:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, operation)

    operator.secretsmanager = Watched(house.aws("secretsmanager"), before=deny)
    code, answer, _ = operator(*argv)
    action = "".join(part.capitalize() for part in operation.split("_"))
    assert code == 2 and answer["error"]["codigo"] == "SinPermiso" and action in answer["error"]["mensaje"]


# -- rotar


def test_a_token_is_rotated_without_a_hook_being_refused(house, operator):
    """The panel is changed late, the processes have cached the secret, and a hook comes every few seconds."""
    (old,) = stored(house, "norte")["webhook_tokens"]
    assert provider_tests(house, old, "norte") == 200
    panel = {"token": old}
    statuses = []

    def meanwhile(_):
        if len(operator.waited) == 4:
            panel["token"] = stored(house, "norte")["webhook_tokens"][1]
        statuses.append(provider_tests(house, panel["token"], "norte"))

    operator.meanwhile = meanwhile
    code, answer, told = operator("rotar", "norte")
    assert code == 0 and answer["prueba"] and answer["token"] == panel["token"] and answer["token"] in told
    assert operator.waited[0] > REREAD_AFTER.total_seconds(), "not entered before every process would take it"
    assert stored(house, "norte")["webhook_tokens"] == [panel["token"]] and panel["token"] != old
    for _ in range(20):
        house.clock.advance(minutes=1)
        statuses.append(provider_tests(house, panel["token"], "norte"))
    assert set(statuses) == {200}
    assert provider_tests(house, old, "norte") == 403


def test_without_a_hook_with_the_new_token_both_stay_valid_and_it_goes_on_later(house, operator):
    (old,) = stored(house, "norte")["webhook_tokens"]
    operator.meanwhile = lambda _: provider_tests(house, old, "norte")
    code, answer, _ = operator("rotar", "norte", "--esperar", "30")
    assert code == 1 and [n["codigo"] for n in answer["negados"]] == ["SinHookNuevo"]
    new = answer["token"]
    assert stored(house, "norte")["webhook_tokens"] == [old, new]
    # Its hook came while nobody was waiting.
    house.clock.advance(seconds=1)
    assert provider_tests(house, new, "norte") == 200
    house.clock.advance(hours=1)
    operator.waited.clear()
    code, answer, _ = operator("rotar", "norte", "--esperar", "30")
    assert (code, answer["token"], operator.waited) == (0, new, [])
    assert stored(house, "norte")["webhook_tokens"] == [new]


def test_a_rotation_can_be_taken_back_or_confirmed_by_word(house, operator):
    (old,) = stored(house, "norte")["webhook_tokens"]
    operator("rotar", "norte", "--esperar", "5")
    assert operator("rotar", "norte", "--deshacer")[0] == 0
    assert stored(house, "norte")["webhook_tokens"] == [old]
    answer = operator("rotar", "norte", "--esperar", "5")[1]
    assert stored(house, "norte")["webhook_tokens"] == [old, answer["token"]]
    code, answer, _ = operator("rotar", "norte", "--confirmar")
    assert code == 0 and stored(house, "norte")["webhook_tokens"] == [answer["token"]] != [old]


def test_the_token_that_the_panel_shows_takes_the_place_of_ours(house, operator, monkeypatch):
    monkeypatch.setenv("FACTURACION_WEBHOOK_TOKEN", "token-of-the-panel")
    operator("rotar", "norte", "--token-propio", "--esperar", "5")
    assert operator("rotar", "norte", "--token-propio", "--confirmar")[0] == 0
    assert stored(house, "norte")["webhook_tokens"] == ["token-of-the-panel"]
    answer = operator("rotar", "norte", "--token-propio")[1]
    assert answer["error"]["codigo"] == "MismoToken"
    operator("rotar", "norte", "--esperar", "5")
    monkeypatch.setenv("FACTURACION_WEBHOOK_TOKEN", "another-one-of-the-panel")
    assert operator("rotar", "norte", "--token-propio")[1]["error"]["codigo"] == "RotacionAMedias"


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("write", [1, 2])
def test_a_rotation_that_dies_never_leaves_the_panels_token_refused(house, operator, write, moment):
    (old,) = stored(house, "norte")["webhook_tokens"]
    panel = {"token": old}

    def meanwhile(_):
        tokens = stored(house, "norte")["webhook_tokens"]
        if len(operator.waited) >= 2:
            panel["token"] = tokens[-1]
        assert provider_tests(house, panel["token"], "norte") == 200

    writes = []

    def die(name):
        if name == "put_secret_value":
            writes.append(name)
            if len(writes) == write:
                raise Killed

    operator.meanwhile = meanwhile
    operator.secretsmanager = Watched(house.aws("secretsmanager"), **{moment: die})
    with pytest.raises(Killed):
        operator("rotar", "norte")
    operator.secretsmanager = house.aws("secretsmanager")
    house.clock.advance(minutes=20)
    assert provider_tests(house, panel["token"], "norte") == 200
    assert operator("rotar", "norte")[0] == 0 and len(stored(house, "norte")["webhook_tokens"]) == 1
    assert provider_tests(house, panel["token"], "norte") == 200


def test_other_credentials_take_the_place_of_the_old_ones_once_the_provider_vouches_for_them(
    house, operator, credentials, monkeypatch
):
    before = stored(house, "norte")
    monkeypatch.setenv("FACTURACION_USERTOKEN", "not-the-one-of-anybody")
    assert operator("rotar", "norte", "--credenciales")[1]["error"]["codigo"] == "CredencialesRechazadas"
    assert stored(house, "norte") == before
    monkeypatch.setenv("FACTURACION_USERTOKEN", credentials.usertoken)
    code, answer, told = operator("rotar", "norte", "--credenciales")
    after = stored(house, "norte")
    assert code == 0 and after["apitoken"] == credentials.apitoken != before["apitoken"]
    assert {name: after[name] for name in after if name not in {"apikey", "apitoken", "usertoken"}} == {
        name: before[name] for name in before if name not in {"apikey", "apitoken", "usertoken"}
    }
    assert credentials.apitoken not in told + json.dumps(answer)


# -- baja


def paused(house, minutes=16):
    house.operate("pausar", cuenta="norte", motivo="cierra", quien=ANA)
    house.clock.advance(minutes=minutes)


def test_a_cuenta_goes_only_when_nothing_of_it_can_be_on_its_way(house, operator):
    house.send("A-1")
    house.pack()
    paused(house, minutes=14)
    assert operator("baja", "norte")[1]["error"]["codigo"] == "PausaReciente"
    house.clock.advance(minutes=2)
    assert operator("baja", "norte")[1]["error"]["codigo"] == "TieneAbiertos"
    house.run(steps=6, minutes=5)
    assert house.estado("A-1") == "EMITIDO"
    code, answer, _ = operator("baja", "norte", "--dias", "7")
    assert code == 0 and answer["url"]
    said = house.aws("secretsmanager").describe_secret(SecretId=f"{world.PREFIX}/norte")
    assert said["DeletedDate"]
    assert house.operate("cuentas", cuenta="norte")["cuentas"][0]["pausa"]["hasta"], "an hour later it holds nobody"
    house.clock.advance(hours=2)
    house.send("A-2")
    house.pack()
    assert house.waiting() == 1 and house.rejected() == [] and len(house.posts()) == 1, "it may yet come back"
    operator("alta", "norte", "--recuperar", "--esperar", "0")
    house.clock.advance(minutes=31)
    house.pack()
    assert house.posts()[1:] == [["A-2"]]


def test_one_that_went_comes_back_as_it_was(house, operator):
    before = stored(house, "norte")
    paused(house)
    assert operator("baja", "norte")[0] == 0
    assert alta(operator, alias="norte")[1]["error"]["codigo"] == "CuentaDeBaja"
    assert operator("probar", "norte")[1]["error"]["codigo"] == "CuentaDeBaja"
    assert operator("baja", "norte")[0] == 0, "asked again it only ends the pause"
    code, answer, _ = operator("alta", "norte", "--recuperar", "--esperar", "0")
    assert code == 0 and stored(house, "norte") == before and answer["pausa"], "its pause still holds for an hour"


def test_of_one_that_went_nothing_is_asked_told_or_closed_until_it_comes_back(house, operator):
    """Its secret cannot be read while its deletion is pending, and its last figures are nobody's any more."""
    house.proveedor.cuentas["norte"].cupo = 1
    house.send("A-1")
    house.run(steps=6, minutes=5)
    assert house.medidor.own["CupoRestante", "norte"][-1] == 0.0
    paused(house)
    assert operator("baja", "norte")[0] == 0
    house.clock.advance(hours=20)
    house.log.truncate(0)
    queries = house.proveedor.llamadas.total()
    for _ in range(30):
        house.clock.advance(hours=1)
        house.reconcile()
    assert house.proveedor.llamadas.total() == queries
    assert '"ERROR"' not in house.log.getvalue()
    assert {house.medidor.own[name, "norte"][-1] for name in ("CupoRestante", "Silencio")} == {100.0, 0.0}
    assert house.medidor.values["CupoRestante"][-1] == 100.0, "the alarm about it ends"
    assert house.operate("cuentas", cuenta="norte")["cuentas"][0]["retirada"]
    assert operator("alta", "norte", "--recuperar", "--esperar", "0")[0] == 0
    house.clock.advance(minutes=16)
    house.reconcile()
    assert house.medidor.own["CupoRestante", "norte"][-1] == 0.0
    assert not house.operate("cuentas", cuenta="norte")["cuentas"][0]["retirada"]


def test_one_whose_secret_was_restored_by_hand_is_looked_after_again_once_it_is_heard(house, operator):
    house.send("A-1")
    house.run(steps=6, minutes=5)
    paused(house)
    operator("baja", "norte")
    house.aws("secretsmanager").restore_secret(SecretId=f"{world.PREFIX}/norte")
    house.clock.advance(hours=2)
    house.send("A-2")
    house.run(steps=6, minutes=5)
    assert not house.operate("cuentas", cuenta="norte")["cuentas"][0]["retirada"]
    assert house.estado("A-2") == "EMITIDO" and house.asiento("A-2").cae and not house.asiento("A-2").abierto


def test_one_whose_secret_is_gone_for_good_is_marked_when_it_is_retired_again(house, operator):
    house.send("A-1")
    house.run(steps=6, minutes=5)
    house.aws("secretsmanager").delete_secret(SecretId=f"{world.PREFIX}/norte", ForceDeleteWithoutRecovery=True)
    assert operator("baja", "norte")[0] == 0
    assert house.operate("cuentas", cuenta="norte")["cuentas"][0]["retirada"]


@pytest.mark.parametrize("step", ["delete_secret", "restore_secret"])
def test_one_that_goes_or_comes_back_is_never_marked_while_its_secret_can_be_used(house, operator, step):
    house.send("A-1")
    house.run(steps=6, minutes=5)
    paused(house)
    if step == "restore_secret":
        operator("baja", "norte")

    def die(name):
        if name == step:
            raise Killed

    operator.secretsmanager = Watched(house.aws("secretsmanager"), after=die)
    with pytest.raises(Killed):
        operator("baja", "norte") if step == "delete_secret" else operator("alta", "norte", "--recuperar")
    assert not house.operate("cuentas", cuenta="norte")["cuentas"][0]["retirada"]


def test_a_pause_with_an_end_is_not_enough_to_go(house, operator):
    house.operate("pausar", cuenta="norte", motivo="m", quien=ANA, horas=3)
    house.clock.advance(hours=1)
    assert operator("baja", "norte")[1]["error"]["codigo"] == "SinPausa"


# -- listar


def test_the_cuentas_are_listed_with_how_each_one_is_and_without_reading_a_secret(house, operator, credentials):
    alta(operator, "--esperar", "0")
    house.send("A-1")
    house.pack()
    house.operate("pausar", cuenta="norte", motivo="cambio de precios", quien=ANA)

    def deny(name):
        assert name != "get_secret_value"

    operator.secretsmanager = Watched(house.aws("secretsmanager"), before=deny)
    code, answer, _ = operator("listar")
    norte, sur = answer["cuentas"]
    assert code == 0 and (norte["cuenta"], norte["secreto"], norte["estado"]["abiertos"]) == ("norte", "sí", 1)
    assert sur["descripcion"] == f"TusFacturas: CUIT {CUIT}, punto de venta 3." and sur["estado"] is None
    _, text, _ = operator("listar", json_too=False)
    assert "no: en pausa" in text and "todavía no envió nada" in text and "cambio de precios" in text


def test_the_function_tells_nobody_what_a_hook_came_with(house):
    """What is kept of the token is of no use without the secret."""
    before = house.clock()
    house.clock.advance(seconds=1)
    token = stored(house, "norte")["webhook_tokens"][0]
    assert provider_tests(house, token, "norte") == 200
    said = house.operate("pruebas", cuenta="norte", desde=(before - timedelta(hours=1)).isoformat())
    (hook,) = said["hooks"]
    assert hook["evento"] == "test" and len(hook["huella"]) == 16 and token not in json.dumps(said)
    house.hook("A-1", "encolado", "h-1")
    assert [i for i in house.items() if i["pk"]["S"] == "norte#A-1" and "huella" in i] == []


def test_a_retired_cuenta_that_sends_again_is_looked_after_though_no_hook_reaches_us(house):
    """Its secret was restored by hand, and the provider has dropped the URL."""
    house.ledger.puerta("norte")
    house.ledger.mark_retired("norte", retired=True)
    house.clock.advance(minutes=59)
    house.put(house.message("A-1"))
    house.pack()
    assert house.operate("cuentas", cuenta="norte")["cuentas"][0]["retirada"], "a process may remember the secret"
    house.clock.advance(minutes=2)
    house.put(house.message("A-2"))
    house.pack()
    assert not house.operate("cuentas", cuenta="norte")["cuentas"][0]["retirada"]
