"""The simulator as a process, over real sockets."""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.sandbox.simulator.running import Simulator, run_simulator
from tests.unit.simulator.world import cuenta, entrada

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[3]
SCALE = 1 / 3000
"""5 minutes are 0.1 s."""


class Receiver(ThreadingHTTPServer):
    """Takes hooks; `answer` decides the status of each."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hooks: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.answer: Callable[[dict[str, Any]], int] = lambda _: 200
        self.url = f"http://127.0.0.1:{self.server_address[1]}/hooks"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        hook = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.hooks.append(hook)
        self.server.headers.append(dict(self.headers.items()))
        self.send_response(self.server.answer(hook))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class names it so)
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def running(receiver: Receiver, **plan: Any) -> Iterator[Simulator]:
    who = asdict(cuenta(webhook_url=receiver.url))
    fast = {"ventana_legal": False, "demora_hook": 0.01, "demora_en_cola": 0.05, "escala": SCALE}
    with run_simulator({"cuentas": [who], "seed": 1, "plan": {**fast, **plan}}) as simulator:
        yield simulator


def body(*entradas: Any, **more: Any) -> dict[str, Any]:
    who = cuenta()
    credentials = {"apikey": who.apikey, "apitoken": who.apitoken, "usertoken": who.usertoken}
    return {**credentials, **({"requests": list(entradas)} if entradas else {}), **more}


def post(simulator: Simulator, *entradas: Any, metodo: str = "facturacion/lotes_encola", **more: Any) -> httpx.Response:
    with httpx.Client(trust_env=False) as client:
        return client.post(f"{simulator.api_url}{metodo}", json=body(*entradas, **more), timeout=10)


def until(condition: Callable[[], object], seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)


def test_a_lote_is_issued_and_told_over_http(receiver: Receiver) -> None:
    """§2.1, §4, §6: submission, two hooks with their headers, the query, its PDF; with and without the prefix."""
    with running(receiver) as simulator:
        assert post(simulator, entrada("a")).json()["error"] == "N"
        until(lambda: [hook["evento"] for hook in receiver.hooks] == ["encolado", "emitido"])
        assert receiver.headers[0]["TF-WebhookToken"] == "un-token"
        assert receiver.headers[0]["User-Agent"] == "TusFacturasAPP-webhook/1.0"
        asked = {"external_reference": "a", "operacion": "V"}
        query = body(busqueda_tipo="EXT_REF", pagina=0, limite=10, comprobante=asked)
        with httpx.Client(trust_env=False) as client:
            bare = client.post(f"{simulator.url}/facturacion/consulta_avanzada", json=query).json()
            url = bare["comprobantes"][0]["comprobante"]["comprobante_pdf_url"]
            assert url.startswith(simulator.url)
            assert client.get(url).content.startswith(b"%PDF-")
            assert client.get(f"{simulator.api_url}facturacion/lotes_encola").status_code == 405
            assert client.post(f"{simulator.api_url}nada", json=query).status_code == 404
        until(lambda: simulator.summary()["hooks"]["entregado"] == 2)
        assert simulator.audit()["comprobantes"][0]["estado"] == "EMITIDO"


def test_a_reset_is_a_reset_and_a_cut_a_close(receiver: Receiver) -> None:
    """The TCP connection itself: RST against FIN."""
    with running(receiver, lotes=["reset_accepted", "cut_dropped"]) as simulator:
        with pytest.raises(httpx.ReadError):
            post(simulator, entrada("a"))
        with pytest.raises(httpx.RemoteProtocolError):
            post(simulator, entrada("b"))
        raw = json.dumps(body(entrada("c"))).encode()
        simulator.plan(lotes=["reset_dropped"])
        host, port = simulator.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=5) as sock:
            head = f"POST /facturacion/lotes_encola HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(raw)}\r\n\r\n"
            sock.sendall(head.encode() + raw)
            with pytest.raises(ConnectionResetError):
                sock.recv(1)
        assert simulator.summary()["aceptados"] == 1


def test_a_hang_never_answers_and_the_work_goes_on(receiver: Receiver) -> None:
    """§2.1: the caller gives up; the comprobante is issued."""
    with running(receiver, lotes=["hang_accepted"], demora_fondo=0.3) as simulator:
        with httpx.Client(trust_env=False, timeout=0.2) as client, pytest.raises(httpx.ReadTimeout):
            client.post(f"{simulator.api_url}facturacion/lotes_encola", json=body(entrada("a")))
        until(lambda: [hook["evento"] for hook in receiver.hooks] == ["encolado", "emitido"])


def test_it_stops_at_once_though_a_caller_hangs(receiver: Receiver) -> None:
    with running(receiver, lotes=["hang_dropped"]) as simulator:
        host, port = simulator.url.removeprefix("http://").split(":")
        sock = socket.create_connection((host, int(port)), timeout=5)
        raw = json.dumps(body(entrada("c"))).encode()
        sock.sendall(
            f"POST /facturacion/lotes_encola HTTP/1.1\r\nHost: x\r\nContent-Length: {len(raw)}\r\n\r\n".encode()
        )
        sock.sendall(raw)
        until(lambda: simulator.summary()["lotes"]["posts"] == 1)
        started = time.monotonic()
        simulator.close()
        assert time.monotonic() - started < 4
        assert simulator._process.returncode == 0
        sock.close()


def test_an_outage_refuses_connections_and_ends(receiver: Receiver) -> None:
    """Nobody listens at the port, and the sandbox's side goes on."""
    with running(receiver) as simulator:
        with httpx.Client(trust_env=False) as kept:
            kept.post(f"{simulator.api_url}micuenta/consumo", json=body())
            simulator.plan(caida="sin_conexion")
            with pytest.raises((httpx.ConnectError, httpx.ReadError, httpx.RemoteProtocolError)):
                kept.post(f"{simulator.api_url}micuenta/consumo", json=body())
            with pytest.raises(httpx.ConnectError):
                kept.post(f"{simulator.api_url}micuenta/consumo", json=body())
        simulator.plan(caida="503")
        assert post(simulator, entrada("a")).status_code == 503
        simulator.plan(caida="")
        assert post(simulator, entrada("a")).json()["error"] == "N"


def test_a_524_answers_late_in_html(receiver: Receiver) -> None:
    """§2.1, and the lote is queued all the same."""
    with running(receiver, lotes=["524_accepted"], segundos_524=0.3) as simulator:
        started = time.monotonic()
        answer = post(simulator, entrada("a"))
        assert answer.status_code == 524 and "html" in answer.headers["Content-Type"]
        assert time.monotonic() - started >= 0.3
        until(lambda: len(receiver.hooks) == 2)


def test_failed_deliveries_are_retried_on_the_scaled_table(receiver: Receiver) -> None:
    """§4: 5 and 30 minutes are 0.1 and 0.6 s here."""
    receiver.answer = lambda hook: 200 if hook["intento"] == 3 else 500
    with running(receiver) as simulator:
        simulator.web("test_hook", alias="sucursal")
        started = time.monotonic()
        until(lambda: simulator.summary()["hooks"]["entregado"] == 1)
        assert 0.69 <= time.monotonic() - started < 5
        assert [hook["intento"] for hook in receiver.hooks] == [1, 2, 3]


def test_an_unreachable_url_is_a_failed_delivery(receiver: Receiver) -> None:
    with running(receiver) as simulator:
        simulator.web("set_webhook", alias="sucursal", url="http://127.0.0.1:1/nadie")
        simulator.web("test_hook", alias="sucursal")
        until(lambda: simulator.summary()["hooks"]["fallidas"] >= 2)
        simulator.web("set_webhook", alias="sucursal", url=receiver.url, token="otro-token")
        until(lambda: len(receiver.hooks) == 1)
        assert receiver.headers[0]["TF-WebhookToken"] == "otro-token"


def test_the_sandbox_side_changes_the_world_and_tells_what_it_cannot(receiver: Receiver) -> None:
    with running(receiver, demora_en_cola=60) as simulator:
        post(simulator, entrada("a"), entrada("b"))
        assert simulator.web("delete", alias="sucursal", referencia="a") == 1
        assert simulator.web("issue", alias="sucursal", referencia="b") is True
        simulator.web("add_cuenta", **{**asdict(cuenta("otra")), "webhook_url": receiver.url})
        assert simulator.web("submit", alias="otra", entrada=entrada("c")) == 3
        assert simulator.plan()["demora_en_cola"] == 60
        assert simulator.plan(mantenimiento_hasta="2036-01-01T00:00:00+00:00")["afip_caida"] is False
        assert post(simulator, entrada("d")).json()["mantenimiento"] == 1
        for wrong in (
            lambda: simulator.plan(lotes=["nada"]),
            lambda: simulator.web("invented"),
            lambda: simulator.web("delete", alias="nadie"),
        ):
            with pytest.raises(ValueError):  # noqa: PT011 (three different reasons)
                wrong()
        estados = simulator.summary()["estados"]
        assert estados == {"EN_COLA": 1, "CON_ERROR": 0, "EMITIDO": 1, "ELIMINADO": 1}


def test_it_can_be_started_by_hand_with_a_file(tmp_path: Path) -> None:
    """One line tells its ports; SIGTERM ends it."""
    config = tmp_path / "simulator.json"
    config.write_text(json.dumps({"cuentas": [asdict(cuenta())]}), encoding="utf-8")
    command = [sys.executable, "-m", "tests.sandbox.simulator", "--port", "0", "--config", str(config)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            told = json.loads(process.stdout.readline() if process.stdout else "")
            answer = httpx.post(f"{told['url']}/app/api/v2/micuenta/consumo", json=body(), trust_env=False)
            assert answer.json()["error"] == "N"
        finally:
            process.terminate()
        assert process.wait(10) == 0


def test_it_does_not_outlive_who_started_it() -> None:
    """Killed without a chance to clean up: the end of its input is the end of it."""
    code = (
        "import os\n"
        "from tests.sandbox.simulator.running import run_simulator\n"
        "simulator = run_simulator({})\n"
        "print(simulator.url, flush=True)\n"
        "os._exit(9)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False, timeout=60
    )
    assert done.returncode == 9
    host, port = done.stdout.strip().removeprefix("http://").split(":")

    def gone() -> bool:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except ConnectionRefusedError:
            return True
        return False

    until(gone)


def test_a_bad_configuration_is_told_at_once() -> None:
    with pytest.raises(RuntimeError, match="ended at its start"):
        run_simulator({"cuentas": [], "plan": {"no_such_field": 1}})


@pytest.mark.timeout(60)
def test_a_burst_of_a_thousand_is_taken_within_seconds(receiver: Receiver) -> None:
    """10 POSTs of 100, 2,000 hooks, all delivered; the audit balances."""
    receiver.answer = lambda _: 500 if random.random() < 0.02 else 200
    with running(receiver) as simulator:
        started = time.monotonic()
        for lote in range(10):
            assert post(simulator, *[entrada(f"L{lote}-{n}") for n in range(100)]).json()["error"] == "N"
        until(lambda: len(receiver.hooks) >= 2000, 40)
        until(lambda: simulator.summary()["hooks"]["entregado"] == 2000)
        elapsed = time.monotonic() - started
        summary = simulator.summary()
        assert summary["estados"]["EMITIDO"] == summary["aceptados"] == 1000
        assert summary["lotes"]["sizes"] == [100] * 10 and summary["lotes"]["fill"] == 1
        assert summary["issued_twice"] == summary["accepted_twice"] == []
        assert summary["hooks"]["reintentos"] == summary["hooks"]["fallidas"] > 0
        assert elapsed < 20, f"{elapsed:.1f} s"
