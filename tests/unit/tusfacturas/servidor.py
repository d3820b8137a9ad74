"""A TCP server on 127.0.0.1 that does to each connection what its script says, and keeps the requests it read."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time

LIMITE = 10.0


class Servidor:
    """`guion(conexion, servidor)` runs for every connection, one at a time; leaving the context ends it all."""

    def __init__(self, guion):
        self._guion = guion
        self._fin = threading.Event()
        self._escucha = socket.create_server(("127.0.0.1", 0))
        self._escucha.settimeout(0.02)
        self.puerto = self._escucha.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.puerto}/app/api/v2/"
        self.conexiones = 0
        self.cerradas = 0
        self.crudo = b""
        self.pedidos = []

    def __enter__(self):
        self._hilo = threading.Thread(target=self._atender, daemon=True)
        self._hilo.start()
        return self

    def __exit__(self, *_):
        self._fin.set()
        self._hilo.join(LIMITE)
        self._escucha.close()
        assert not self._hilo.is_alive()

    def _atender(self):
        while not self._fin.is_set():
            try:
                conexion, _ = self._escucha.accept()
            except TimeoutError:
                continue
            self.conexiones += 1
            conexion.settimeout(LIMITE)
            with conexion, contextlib.suppress(OSError):
                self._guion(conexion, self)
            self.cerradas += 1

    def leer(self, conexion):
        """One whole request: (head, body), kept in `pedidos`; None when the client left before sending it."""
        datos = b""
        while b"\r\n\r\n" not in datos:
            parte = conexion.recv(65536)
            self.crudo += parte
            if not parte:
                return None
            datos += parte
        cabeza, _, cuerpo = datos.partition(b"\r\n\r\n")
        largo = next(
            (int(n.split(b":")[1]) for n in cabeza.split(b"\r\n") if n.lower().startswith(b"content-length:")), 0
        )
        while len(cuerpo) < largo:
            cuerpo += conexion.recv(65536)
        self.pedidos.append((cabeza.decode(), cuerpo))
        return self.pedidos[-1]

    def esperar(self, condicion):
        """Bounded wait until `condicion()`."""
        limite = time.monotonic() + LIMITE
        while not condicion():
            assert time.monotonic() < limite
            threading.Event().wait(0.005)

    def callar(self):
        """Hold the connection until the test is over."""
        self._fin.wait(LIMITE)

    def gotear(self, conexion, byte=b" "):
        """A byte every 20 ms until the client gives up or the test is over."""
        while not self._fin.wait(0.02):
            conexion.sendall(byte)


def respuesta_http(estado, cuerpo, *cabeceras, largo=None):
    lineas = [f"HTTP/1.1 {estado} X", f"Content-Length: {len(cuerpo) if largo is None else largo}", *cabeceras]
    return "\r\n".join(lineas).encode() + b"\r\n\r\n" + cuerpo


def responder(estado, cuerpo, *cabeceras, largo=None):
    """A script: read the request, answer, close."""

    def guion(conexion, servidor):
        if servidor.leer(conexion):
            conexion.sendall(respuesta_http(estado, cuerpo, *cabeceras, largo=largo))

    return guion


def cortar(conexion):
    """RST instead of FIN."""
    conexion.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    conexion.close()


def puerto_cerrado():
    with socket.create_server(("127.0.0.1", 0)) as libre:
        return libre.getsockname()[1]
