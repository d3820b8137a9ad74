"""The door to the provider: what is sent, and what is known when no answer comes."""

from __future__ import annotations

import gzip
import itertools
import json
import logging
import socket
import threading
from datetime import date
from decimal import Decimal

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.tusfacturas.respuestas import APIKEY, APITOKEN, SECRETOS, USERTOKEN
from tests.unit.tusfacturas.servidor import Servidor, cortar, puerto_cerrado, responder, respuesta_http

from tusfacturas import client
from tusfacturas.client import BASE_URL, Cliente, Credenciales
from tusfacturas.outcomes import (
    Aceptado,
    ConexionCortada,
    Consulta,
    ErrorDelServidor,
    Hecho,
    Incierto,
    LoteProcesado,
    NoEnviado,
    RespuestaIlegible,
    SinConexion,
    TiempoAgotado,
)

CREDENCIALES = Credenciales(apikey=APIKEY, apitoken=APITOKEN, usertoken=USERTOKEN)
SI = b'{"error": "N", "errores": []}'
HOY, MANANA = date(2026, 11, 2), date(2026, 11, 3)


@pytest.fixture(autouse=True)
def straight_road(monkeypatch):
    for nombre in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(nombre, raising=False)
        monkeypatch.delenv(nombre.upper(), raising=False)


def peticion(ref, **campos):
    return {"cliente": {"razon_social": "Pirulo"}, "comprobante": {"external_reference": ref, **campos}}


def cliente(base_url, *, timeout=5.0, **opciones):
    return Cliente(base_url, CREDENCIALES, timeout=timeout, **opciones)


def falso(handler, **opciones):
    return cliente(BASE_URL, transport=httpx.MockTransport(handler), **opciones)


def enviado(llamar, respuesta=SI, **opciones):
    """The one request that `llamar` makes."""
    pedidos = []

    def handler(request):
        pedidos.append(request)
        return httpx.Response(200, content=respuesta)

    with falso(handler, **opciones) as puerta:
        llamar(puerta)
    assert len(pedidos) == 1
    return pedidos[0]


LLAMADAS = {
    "facturacion/lotes_encola": lambda c: c.lotes_encola([peticion("A1")]),
    "facturacion/nuevo_encola": lambda c: c.nuevo_encola(peticion("A1")),
    "facturacion/reenviar_encolado": lambda c: c.reenviar_encolado("A1"),
    "facturacion/eliminar_encolado": lambda c: c.eliminar_encolado("A1", HOY),
    "facturacion/cambiar_fecha_encolado": lambda c: c.cambiar_fecha_encolado("A1", HOY, MANANA),
    "facturacion/consulta_avanzada": lambda c: c.consulta_por_referencia("A1"),
    "facturacion/consulta_avanzada ": lambda c: c.consulta_por_fecha(HOY, pagina=0),
    "estado_servicios/alertas": lambda c: c.estado_servicios(),
    "micuenta/consumo": lambda c: c.consumo(),
}
CADA_LLAMADA = pytest.mark.parametrize(("metodo", "llamar"), LLAMADAS.items(), ids=LLAMADAS.keys())
QUERIES = ("facturacion/consulta_avanzada", "estado_servicios/alertas", "micuenta/consumo")


class TestRequest:
    @CADA_LLAMADA
    def test_every_call_is_a_post_of_json_with_the_credentials_in_the_envelope(self, metodo, llamar):
        request = enviado(llamar)
        assert (request.method, str(request.url)) == ("POST", BASE_URL + metodo.strip())
        assert request.headers["content-type"] == "application/json"
        assert request.headers["user-agent"] == client.USER_AGENT
        cuerpo = json.loads(request.content)
        assert (cuerpo["apitoken"], cuerpo["apikey"], cuerpo["usertoken"]) == (APITOKEN, APIKEY, USERTOKEN)
        assert not any(secreto in str(valor) for secreto in SECRETOS for valor in (request.url, request.headers))

    @CADA_LLAMADA
    def test_queries_have_their_own_timeout(self, metodo, llamar):
        espera = 30.0 if metodo.strip() in QUERIES else 110.0
        assert enviado(llamar, timeout=110.0).extensions["timeout"] == {
            "connect": 5.0,
            "pool": 5.0,
            "read": espera,
            "write": espera,
        }

    @pytest.mark.parametrize("base_url", ["https://x.test/app/api/v2", "https://x.test/app/api/v2/"])
    def test_the_base_url_may_end_in_a_slash_or_not(self, base_url):
        pedidos = []
        transporte = httpx.MockTransport(lambda r: pedidos.append(str(r.url)) or httpx.Response(200, content=SI))
        cliente(base_url, transport=transporte).reenviar_encolado("A1")
        assert pedidos == ["https://x.test/app/api/v2/facturacion/reenviar_encolado"]

    def test_credentials_inside_an_entry_are_not_sent_nor_anything_else_of_ours(self):
        ajenas = {"apikey": "1", "apitoken": "2", "usertoken": "3", "cuenta": "sur", "reemplaza": "A0"}
        cuerpo = json.loads(enviado(lambda c: c.lotes_encola([{**ajenas, **peticion("A1")}])).content)
        assert cuerpo["requests"] == [peticion("A1")]
        cuerpo = json.loads(enviado(lambda c: c.nuevo_encola({**ajenas, **peticion("A1")})).content)
        assert cuerpo == {**peticion("A1"), "apikey": APIKEY, "apitoken": APITOKEN, "usertoken": USERTOKEN}

    @pytest.mark.parametrize(
        "peticiones", [[peticion("A1"), peticion("B"), peticion("A1")], [peticion("")], [peticion(7)]]
    )
    def test_a_reference_repeated_or_missing_never_leaves(self, peticiones):
        """The provider does not check: each repetition would be another invoice."""
        with falso(lambda _: pytest.fail("sent")) as puerta, pytest.raises(ValueError, match="external_reference"):
            puerta.lotes_encola(peticiones)

    @pytest.mark.parametrize(
        ("numero", "escrito"),
        [
            ("139.00", "139"),
            ("114.88", "114.88"),
            ("0.10", "0.1"),
            ("1E+2", "100"),
            ("12345678901234567890.12", '"12345678901234567890.12"'),
            ("0.30000000000000001", '"0.30000000000000001"'),
            ("12345678901234567890", "12345678901234567890"),
        ],
    )
    def test_a_decimal_is_written_exactly(self, numero, escrito):
        request = enviado(lambda c: c.nuevo_encola(peticion("A1", total=Decimal(numero))))
        assert f'"total": {escrito}}}'.encode() in request.content

    @given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**18), max_value=10**18))
    def test_no_decimal_changes_on_the_way(self, numero):
        request = enviado(lambda c: c.nuevo_encola(peticion("A1", detalle=({"precio": numero},))))
        leido = json.loads(request.content, parse_float=Decimal)["comprobante"]["detalle"][0]["precio"]
        assert Decimal(leido) == numero

    @pytest.mark.parametrize("valor", [Decimal("NaN"), Decimal("Infinity"), float("nan"), {1, 2}, date(2026, 1, 1)])
    def test_what_is_no_json_is_refused_before_it_leaves(self, valor):
        with falso(lambda _: pytest.fail("sent")) as puerta, pytest.raises((ValueError, TypeError)):
            puerta.nuevo_encola(peticion("A1", total=valor))


class TestAnswer:
    def test_a_lote_is_answered_by_reference(self):
        entradas = [{"error": "N", "external_reference": 17}, {"error": "N", "external_reference": "A1"}]
        cuerpo = json.dumps({"error": "N", "response": entradas}).encode()
        with falso(lambda _: httpx.Response(200, content=cuerpo)) as puerta:
            resultado = puerta.lotes_encola([peticion("A1"), peticion("17")])
        assert resultado == LoteProcesado({"A1": Aceptado("A1"), "17": Aceptado("17")})

    def test_a_redirect_is_not_followed(self):
        pedidos = []

        def handler(request):
            pedidos.append(request)
            return httpx.Response(307, headers={"location": "https://otro.test/"})

        with falso(handler) as puerta:
            assert type(puerta.lotes_encola([peticion("A1")])) is ErrorDelServidor
        assert len(pedidos) == 1

    def test_an_answer_without_end_is_left_unread(self):
        leidas = itertools.count()

        def sin_fin():
            for _ in leidas:
                yield b" " * 1024 * 1024

        with falso(lambda _: httpx.Response(200, content=sin_fin())) as puerta:
            assert type(puerta.lotes_encola([peticion("A1")])) is RespuestaIlegible
        assert next(leidas) < 40

    def test_a_packed_answer_is_unpacked(self):
        cuerpo = gzip.compress(b'{"error": "N", "total": 0, "comprobantes": []}')
        with falso(lambda _: httpx.Response(200, content=cuerpo, headers={"content-encoding": "gzip"})) as puerta:
            assert puerta.consulta_por_fecha(HOY, pagina=3) == Consulta(0, ())

    def test_an_answer_badly_packed_is_uncertain(self):
        with falso(lambda _: httpx.Response(200, content=b"no", headers={"content-encoding": "gzip"})) as puerta:
            assert type(puerta.lotes_encola([peticion("A1")])) is ConexionCortada


class TestNoAnswer:
    CASOS = (
        (httpx.ConnectError, SinConexion),
        (httpx.ConnectTimeout, SinConexion),
        (httpx.PoolTimeout, SinConexion),
        (httpx.ProxyError, SinConexion),
        (httpx.UnsupportedProtocol, SinConexion),
        (httpx.ReadTimeout, TiempoAgotado),
        (httpx.WriteTimeout, TiempoAgotado),
        (httpx.ReadError, ConexionCortada),
        (httpx.WriteError, ConexionCortada),
        (httpx.CloseError, ConexionCortada),
        (httpx.RemoteProtocolError, ConexionCortada),
        (httpx.LocalProtocolError, ConexionCortada),
        (httpx.NetworkError, ConexionCortada),
        (httpx.DecodingError, ConexionCortada),
        (httpx.TooManyRedirects, ConexionCortada),
    )

    @CADA_LLAMADA
    @pytest.mark.parametrize(("error", "clase"), CASOS, ids=lambda v: v.__name__)
    def test_what_cuts_a_call_decides_what_is_known_and_nothing_is_sent_twice(self, metodo, llamar, error, clase):
        pedidos = []

        def handler(request):
            pedidos.append(request)
            raise error(f"roto con {APITOKEN} y {APIKEY}", request=request)

        with falso(handler) as puerta:
            resultado = llamar(puerta)
        assert type(resultado) is clase
        assert error.__name__ in resultado.detalle
        assert APITOKEN not in resultado.detalle
        assert APIKEY not in resultado.detalle
        assert len(pedidos) == 1

    def test_every_error_of_httpx_is_classified(self):
        """A new kind of error must be looked at: whether the request may have left."""
        vistos = {error for error, _ in self.CASOS}
        hojas = {e for e in vars(httpx).values() if isinstance(e, type) and issubclass(e, httpx.RequestError)}
        abstractas = {httpx.RequestError, httpx.TransportError, httpx.TimeoutException, httpx.ProtocolError}
        assert hojas - abstractas == vistos

    @pytest.mark.parametrize("base_url", ["ftp://x.test", "nada", "https://x.test:puerto/", "https://x.test/\x00"])
    def test_an_address_that_is_none_sends_nothing(self, base_url):
        with cliente(base_url) as puerta:
            assert type(puerta.lotes_encola([peticion("A1")])) is SinConexion

    def test_an_error_of_ours_is_not_swallowed(self):
        def handler(_):
            raise ZeroDivisionError

        with falso(handler) as puerta, pytest.raises(ZeroDivisionError):
            puerta.lotes_encola([peticion("A1")])


class TestSocket:
    """The same on real sockets: what httpx raises is only worth what the kernel does."""

    def call(self, guion, *, timeout=5.0, relleno="x" * 10, **opciones):
        with Servidor(guion) as servidor, cliente(servidor.url, timeout=timeout, **opciones) as puerta:
            resultado = puerta.lotes_encola([peticion("A1", leyenda_gral=relleno)])
        return resultado, servidor

    def test_an_answer_is_read(self):
        resultado, servidor = self.call(responder(200, b'{"error": "N", "response": []}'))
        assert type(resultado) is LoteProcesado
        cabeza, cuerpo = servidor.pedidos[0]
        assert cabeza.startswith("POST /app/api/v2/facturacion/lotes_encola HTTP/1.1\r\n")
        assert json.loads(cuerpo)["requests"][0]["comprobante"]["external_reference"] == "A1"

    def test_a_refused_connection_sends_nothing(self):
        with cliente(f"http://127.0.0.1:{puerto_cerrado()}/") as puerta:
            resultado = puerta.lotes_encola([peticion("A1")])
        assert type(resultado) is SinConexion
        assert "ConnectError" in resultado.detalle

    def test_a_name_that_does_not_resolve_sends_nothing(self, monkeypatch):
        def getaddrinfo(*_, **__):
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        with cliente("http://provider.invalid/") as puerta:
            assert type(puerta.lotes_encola([peticion("A1")])) is SinConexion

    def test_a_failed_handshake_sends_nothing(self):
        def guion(conexion, servidor):
            servidor.crudo += conexion.recv(65536)
            conexion.sendall(b"HTTP/1.1 400 Plain HTTP\r\n\r\n")

        with Servidor(guion) as servidor, cliente(servidor.url.replace("http:", "https:")) as puerta:
            assert type(puerta.lotes_encola([peticion("A1")])) is SinConexion
        assert b"A1" not in servidor.crudo

    def test_a_second_attempt_to_connect_sends_the_lote_once(self, monkeypatch):
        intentos = []
        conectar = socket.create_connection

        def falla_la_primera(*args, **kwargs):
            intentos.append(args)
            if len(intentos) == 1:
                raise ConnectionRefusedError
            return conectar(*args, **kwargs)

        monkeypatch.setattr(socket, "create_connection", falla_la_primera)
        resultado, servidor = self.call(responder(200, b'{"error": "N", "response": []}'))
        assert type(resultado) is LoteProcesado
        assert (len(intentos), len(servidor.pedidos)) == (2, 1)

    def test_a_request_held_up_on_its_way_does_not_leave_late(self, monkeypatch):
        """Whoever claimed the comprobante wrote down until when this POST may leave; DNS has no limit of ours."""
        conectar = socket.create_connection

        def despacio(*args, **kwargs):
            threading.Event().wait(0.3)
            return conectar(*args, **kwargs)

        monkeypatch.setattr(socket, "create_connection", despacio)
        resultado, servidor = self.call(lambda conexion, servidor: servidor.leer(conexion), connect_timeout=0.1)
        assert type(resultado) is SinConexion
        assert cliente(BASE_URL, connect_timeout=0.1).demora_de_salida == 0.2
        assert (servidor.conexiones, servidor.crudo) == (1, b"")

    def test_silence_is_uncertain_and_is_not_repeated(self):
        def guion(conexion, servidor):
            servidor.leer(conexion)
            servidor.callar()

        resultado, servidor = self.call(guion, timeout=0.2)
        assert type(resultado) is TiempoAgotado
        assert "0.2 s" in resultado.detalle
        assert len(servidor.pedidos) == servidor.conexiones == 1

    def test_a_reader_that_stops_reading_is_uncertain(self):
        def guion(conexion, servidor):
            servidor.crudo += conexion.recv(10)
            servidor.callar()

        resultado, servidor = self.call(guion, timeout=0.2, relleno="x" * 30_000_000)
        assert type(resultado) is TiempoAgotado
        assert "WriteTimeout" in resultado.detalle
        assert servidor.conexiones == 1

    def test_a_reset_after_the_request_is_uncertain_and_is_not_repeated(self):
        def guion(conexion, servidor):
            servidor.leer(conexion)
            cortar(conexion)

        resultado, servidor = self.call(guion)
        assert type(resultado) is ConexionCortada
        assert len(servidor.pedidos) == servidor.conexiones == 1

    def test_an_end_without_an_answer_is_uncertain(self):
        resultado, servidor = self.call(lambda conexion, servidor: servidor.leer(conexion))
        assert type(resultado) is ConexionCortada
        assert servidor.conexiones == 1

    def test_a_connection_closed_before_it_was_read_is_uncertain(self):
        resultado, servidor = self.call(lambda conexion, _: conexion.close(), relleno="x" * 1_000_000)
        assert type(resultado) is ConexionCortada
        assert servidor.conexiones == 1

    def test_a_reset_in_the_middle_of_the_request_is_uncertain(self):
        def guion(conexion, _):
            conexion.recv(1)  # a reset before the first byte left would rightly be no connection at all
            cortar(conexion)

        resultado, servidor = self.call(guion, relleno="x" * 1_000_000)
        assert type(resultado) is ConexionCortada
        assert servidor.conexiones == 1

    def test_half_a_body_is_uncertain(self):
        resultado, _ = self.call(responder(200, b'{"error": "N", "respo', largo=500))
        assert type(resultado) is ConexionCortada

    def test_half_a_body_whose_length_nobody_told_is_uncertain(self):
        def guion(conexion, servidor):
            servidor.leer(conexion)
            conexion.sendall(b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"error": "N", "respo')

        assert type(self.call(guion)[0]) is RespuestaIlegible

    def test_a_body_that_drips_does_not_outlast_the_timeout(self):
        def guion(conexion, servidor):
            servidor.leer(conexion)
            conexion.sendall(respuesta_http(200, b"{", largo=100_000))
            servidor.gotear(conexion)

        resultado, _ = self.call(guion, timeout=0.2, connect_timeout=0.1)
        assert type(resultado) is TiempoAgotado

    def test_a_page_with_status_200_is_uncertain(self):
        resultado, _ = self.call(responder(200, b"<html><title>Un momento...</title></html>"))
        assert type(resultado) is RespuestaIlegible
        assert "Un momento..." in resultado.detalle

    def test_a_524_is_uncertain_and_is_not_repeated(self):
        resultado, servidor = self.call(responder(524, b"<html>A timeout occurred</html>"))
        assert type(resultado) is TiempoAgotado
        assert len(servidor.pedidos) == 1

    def test_what_is_no_http_is_uncertain(self):
        def guion(conexion, servidor):
            servidor.leer(conexion)
            conexion.sendall(b"SSH-2.0-OpenSSH\r\n\r\n" + APITOKEN.encode())

        resultado, _ = self.call(guion)
        assert type(resultado) is ConexionCortada
        assert APITOKEN not in resultado.detalle

    def test_a_connection_the_provider_closed_between_two_calls_costs_nothing(self):
        with Servidor(responder(200, SI)) as servidor, cliente(servidor.url) as puerta:
            assert puerta.reenviar_encolado("A1") == Hecho()
            servidor.esperar(lambda: servidor.cerradas == 1)
            assert puerta.reenviar_encolado("A2") == Hecho()
        assert len(servidor.pedidos) == servidor.conexiones == 2

    def test_a_connection_is_kept_while_the_provider_keeps_it(self):
        def guion(conexion, servidor):
            while servidor.leer(conexion):
                conexion.sendall(respuesta_http(200, SI))

        with Servidor(guion) as servidor, cliente(servidor.url) as puerta:
            assert [puerta.reenviar_encolado(ref) for ref in ("A1", "A2", "A3")] == [Hecho()] * 3
        assert (servidor.conexiones, len(servidor.pedidos)) == (1, 3)


class TestEnvironment:
    def test_a_proxy_that_refuses_the_tunnel_sends_nothing(self, monkeypatch):
        with Servidor(responder(407, b"")) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{proxy.puerto}")
            with cliente("https://provider.invalid/app/") as puerta:
                resultado = puerta.lotes_encola([peticion("A1")])
        assert type(resultado) is SinConexion
        assert proxy.pedidos[0][0].startswith("CONNECT provider.invalid:443 ")
        assert b"A1" not in proxy.crudo

    def test_no_proxy_is_heeded(self, monkeypatch):
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{puerto_cerrado()}")
        with Servidor(responder(200, SI)) as servidor:
            with cliente(servidor.url) as puerta:
                assert type(puerta.reenviar_encolado("A1")) is SinConexion
            monkeypatch.setenv("NO_PROXY", "127.0.0.1")
            with cliente(servidor.url) as puerta:
                assert puerta.reenviar_encolado("A1") == Hecho()

    def test_a_netrc_file_does_not_matter(self, monkeypatch, tmp_path):
        netrc = tmp_path / "netrc"
        netrc.write_text("machine 127.0.0.1 login alguien password secreto\n")
        netrc.chmod(0o600)
        monkeypatch.setenv("NETRC", str(netrc))
        with Servidor(responder(200, SI)) as servidor, cliente(servidor.url) as puerta:
            assert puerta.reenviar_encolado("A1") == Hecho()
        assert "authorization" not in servidor.pedidos[0][0].lower()


class TestSecrets:
    def test_nothing_shows_the_credentials(self):
        puerta = cliente(BASE_URL)
        for visto in (repr(CREDENCIALES), str(CREDENCIALES), repr(puerta), str(puerta), f"{CREDENCIALES}{puerta}"):
            assert not any(secreto in visto for secreto in SECRETOS)
        puerta.close()

    def test_nothing_of_a_call_is_logged(self, caplog):
        """Not by us; httpx and httpcore tell the address and the headers, in which there is no secret nor payload."""
        with (
            caplog.at_level(logging.DEBUG),
            Servidor(responder(401, json.dumps({"error": "S", "errores": [f"usertoken {USERTOKEN}"]}).encode())) as s,
            cliente(s.url) as puerta,
        ):
            resultado = puerta.lotes_encola([peticion("A1")])
        assert isinstance(resultado, NoEnviado)
        assert not any(secreto in caplog.text for secreto in (APITOKEN, USERTOKEN, "Pirulo"))
        assert not [r for r in caplog.records if r.name.startswith("tusfacturas")]
        assert USERTOKEN not in repr(resultado)

    def test_using_a_closed_door_is_an_error_of_ours(self):
        with cliente(BASE_URL) as puerta:
            pass
        with pytest.raises(RuntimeError):
            puerta.consumo()


def test_no_outcome_of_the_network_is_ever_a_refusal_of_the_comprobante():
    for _, clase in TestNoAnswer.CASOS:
        assert issubclass(clase, (NoEnviado, Incierto))
