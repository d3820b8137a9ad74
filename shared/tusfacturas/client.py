"""The door to the API of TusFacturas.app: one POST per call, and what is known of its effect. No policy is here.

Every method returns an outcome of `outcomes`; none raises for the network or for the provider. Where the request
certainly did not leave, it is `NoEnviado`; once it may have left, only a readable answer is better than `Incierto`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from tusfacturas.answers import (
    read_borrado,
    read_consulta,
    read_consumo,
    read_lote,
    read_nuevo,
    read_operacion,
    read_servicios,
)
from tusfacturas.fechas import format_fecha
from tusfacturas.outcomes import ConexionCortada, Incierto, NoEnviado, RespuestaIlegible, SinConexion, TiempoAgotado
from tusfacturas.respuesta import Respuesta, clean

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Sequence
    from datetime import date
    from types import TracebackType
    from typing import Self, TypeVar

    from tusfacturas.outcomes import (
        Aceptado,
        Consulta,
        Consumo,
        Hecho,
        LoteProcesado,
        NoRespondida,
        Rechazado,
        Servicios,
    )

    T = TypeVar("T")

BASE_URL = "https://www.tusfacturas.app/app/api/v2/"
USER_AGENT = "facturacion-serverless"
MAX_BYTES = 32 * 1024 * 1024
"""The largest answer that is read, unpacked: several times a page of 1,000 comprobantes."""


@dataclass(frozen=True, slots=True)
class Credenciales:
    """The three body keys of one CUIT + punto de venta. Never shown."""

    apikey: str = field(repr=False)
    apitoken: str = field(repr=False)
    usertoken: str = field(repr=False)


class Cliente:
    """One cuenta's door to the API. Context manager; its connections live within one invocation.

    Times in seconds. A request leaves within twice `connect_timeout` of the call (two attempts to connect) or not at
    all, whatever DNS takes; from then on each wait for the network is bounded by `timeout` (`query_timeout` for the
    queries), and so is the time to read the answer's body.
    """

    def __init__(
        self,
        base_url: str,
        credenciales: Credenciales,
        *,
        timeout: float,
        query_timeout: float = 30.0,
        connect_timeout: float = 5.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._credenciales = {
            "apitoken": credenciales.apitoken,
            "apikey": credenciales.apikey,
            "usertoken": credenciales.usertoken,
        }
        self._timeout = timeout
        self._query_timeout = query_timeout
        self._connect_timeout = connect_timeout
        self._http = httpx.Client(
            transport=transport or _transport(base_url),
            headers={"User-Agent": USER_AGENT, "Accept": "application/json"},
            # A redirect of a POST would send the comprobantes again, elsewhere.
            follow_redirects=False,
            # What the environment may decide is in `_transport`: the road (a proxy), never the credentials (.netrc).
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return "Cliente()"

    def close(self) -> None:
        self._http.close()

    def lotes_encola(self, peticiones: Sequence[Mapping[str, object]]) -> LoteProcesado | NoEnviado | Incierto:
        """Queue up to 100 comprobantes. ValueError, before anything is sent, for a reference missing or repeated."""
        referencias = [_referencia(peticion) for peticion in peticiones]
        if len(set(referencias)) != len(referencias):
            # «TusFacturasAPP no realiza ésta validación»: each repetition would be another invoice.
            raise ValueError("an external_reference is repeated in the lote")
        datos = {"requests": [_entrada(peticion) for peticion in peticiones]}
        return self._call("facturacion/lotes_encola", datos, self._timeout, lambda r: read_lote(r, referencias))

    def nuevo_encola(self, peticion: Mapping[str, object]) -> Aceptado | Rechazado | NoEnviado | Incierto:
        """Queue one comprobante. ValueError, before anything is sent, when it has no reference."""
        referencia = _referencia(peticion)
        datos = _entrada(peticion)
        return self._call("facturacion/nuevo_encola", datos, self._timeout, lambda r: read_nuevo(r, referencia))

    def reenviar_encolado(self, external_reference: str) -> Hecho | Rechazado | NoEnviado | Incierto:
        """Back to the queue, one in error. With a repeated reference the provider takes the first it finds."""
        datos = {"external_reference": external_reference}
        return self._call("facturacion/reenviar_encolado", datos, self._timeout, read_operacion)

    def eliminar_encolado(self, external_reference: str, fecha: date) -> Hecho | Rechazado | NoEnviado | Incierto:
        """Out of the queue: ALL with that reference and `fecha`, the comprobante's present date."""
        datos = {"external_reference": external_reference, "fecha": format_fecha(fecha)}
        return self._call("facturacion/eliminar_encolado", datos, self._timeout, read_borrado)

    def cambiar_fecha_encolado(
        self, external_reference: str, fecha: date, vencimiento: date
    ) -> Hecho | Rechazado | NoEnviado | Incierto:
        """New `fecha` and `vencimiento`; ARCA refuses a `vencimiento` before `fecha` (10036)."""
        datos = {
            "external_reference": external_reference,
            "fecha": format_fecha(fecha),
            "vencimiento": format_fecha(vencimiento),
        }
        return self._call("facturacion/cambiar_fecha_encolado", datos, self._timeout, read_operacion)

    def consulta_por_referencia(self, external_reference: str) -> Consulta | NoRespondida:
        """What the provider has under this reference: queued, in error or issued. Not counted against the quota."""
        return self._consulta("EXT_REF", {"external_reference": external_reference}, pagina=0, limite=100)

    def consulta_por_fecha(self, fecha: date, *, pagina: int, limite: int = 1000) -> Consulta | NoRespondida:
        """A page (from 0, at most 1,000) of the comprobantes of a `fecha`. Proves presence only, never absence."""
        return self._consulta("F", {"fecha": format_fecha(fecha)}, pagina=pagina, limite=limite)

    def estado_servicios(self) -> Servicios | NoRespondida:
        return self._call("estado_servicios/alertas", {}, self._query_timeout, read_servicios)

    def consumo(self) -> Consumo | NoRespondida:
        return self._call("micuenta/consumo", {}, self._query_timeout, read_consumo)

    def _consulta(
        self, busqueda_tipo: str, comprobante: dict[str, str], *, pagina: int, limite: int
    ) -> Consulta | NoRespondida:
        datos = {
            "busqueda_tipo": busqueda_tipo,
            "pagina": pagina,
            "limite": limite,
            "comprobante": {**comprobante, "operacion": "V"},
        }
        return self._call("facturacion/consulta_avanzada", datos, self._query_timeout, read_consulta)

    def _call(
        self, metodo: str, datos: Mapping[str, object], timeout: float, read: Callable[[Respuesta], T]
    ) -> T | NoEnviado | Incierto:
        respuesta = self._post(metodo, {**self._credenciales, **datos}, timeout)
        return read(respuesta) if isinstance(respuesta, Respuesta) else respuesta

    def _post(self, metodo: str, datos: Mapping[str, object], timeout: float) -> Respuesta | NoEnviado | Incierto:
        """One POST. The branches of `except` are the border between what did not leave and what may have."""
        cuerpo = json.dumps(datos, default=_number, allow_nan=False).encode()
        inicio = time.monotonic()

        def hold_back_if_late(evento: str, _: Mapping[str, object]) -> None:
            # Whoever claimed a comprobante wrote down until when its POST may leave. Connecting has a limit per
            # address and attempt, DNS none: a request that was held up so long must not leave any more.
            if evento == "http11.send_request_headers.started" and time.monotonic() - inicio > self.demora_de_salida:
                raise httpx.ConnectTimeout("held up before it left")

        try:
            with self._http.stream(
                "POST",
                f"{self._base_url}/{metodo}",
                content=cuerpo,
                headers={"Content-Type": "application/json"},
                timeout=httpx.Timeout(timeout, connect=self._connect_timeout, pool=self._connect_timeout),
                extensions={"trace": hold_back_if_late},
            ) as http:
                partes: list[bytes] = []
                leido = 0
                for parte in http.iter_bytes():
                    leido += len(parte)
                    if leido > MAX_BYTES:
                        return RespuestaIlegible(f"La respuesta pasa de {MAX_BYTES} bytes (HTTP {http.status_code}).")
                    if time.monotonic() - inicio > self.demora_de_salida + timeout:
                        return TiempoAgotado(f"La respuesta no terminó de llegar (HTTP {http.status_code}).")
                    partes.append(parte)
        except (
            httpx.ConnectError,  # refused, no route, DNS, TLS: before the first byte of the request
            httpx.ConnectTimeout,
            httpx.PoolTimeout,
            httpx.ProxyError,  # httpx raises it for a refused CONNECT only
            httpx.UnsupportedProtocol,
            httpx.InvalidURL,
        ) as error:
            return SinConexion(self._tell("No se pudo conectar con el proveedor", error))
        except (httpx.ReadTimeout, httpx.WriteTimeout) as error:
            return TiempoAgotado(self._tell(f"El proveedor no respondió en {timeout:g} s", error))
        except httpx.RequestError as error:
            return ConexionCortada(self._tell("La conexión con el proveedor se cortó", error))
        return Respuesta(http.status_code, b"".join(partes), self._secretos)

    @property
    def demora_de_salida(self) -> float:
        """Seconds from a call within which its request leaves, or never: to be counted in `post_hasta`."""
        return 2 * self._connect_timeout

    @property
    def _secretos(self) -> tuple[str, ...]:
        return tuple(self._credenciales.values())

    def _tell(self, frase: str, error: Exception) -> str:
        return f"{frase} ({type(error).__name__}: {clean(str(error), self._secretos, 200)})."


def _transport(base_url: str) -> httpx.HTTPTransport:
    """HTTP/1.1, one more attempt to connect and no other retry, through the environment's proxy if there is one.

    An account whose functions leave by a proxy says so in HTTPS_PROXY and NO_PROXY; httpx reads them only for a
    transport of its own, which does not retry.
    """
    url = urlsplit(base_url)
    proxies = {} if proxy_bypass(url.hostname or "") else getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if proxy and "://" not in proxy:
        proxy = f"http://{proxy}"
    return httpx.HTTPTransport(verify=_tls(), retries=1, proxy=proxy)


@cache
def _tls() -> ssl.SSLContext:
    # Once per process: reading the certification authorities takes tens of milliseconds.
    return httpx.create_ssl_context()


def _entrada(peticion: Mapping[str, object]) -> dict[str, object]:
    # Only these two: the provider's old format has credentials in each entry, ours go in the envelope and nowhere else.
    return {"cliente": peticion["cliente"], "comprobante": peticion["comprobante"]}


def _referencia(peticion: Mapping[str, object]) -> str:
    comprobante = peticion["comprobante"]
    referencia = comprobante.get("external_reference") if isinstance(comprobante, Mapping) else None
    if not isinstance(referencia, str) or not referencia:
        raise ValueError("a comprobante without external_reference")
    return referencia


def _number(valor: object) -> object:
    """For json: a Decimal as an exact JSON number, or as a numeric string, which the provider accepts as well."""
    if isinstance(valor, Mapping):
        return dict(valor)
    if not isinstance(valor, Decimal):
        raise TypeError(f"{type(valor).__name__} has no place in a request")
    if not valor.is_finite():
        raise ValueError("a number that is not finite has no place in a request")
    if valor == valor.to_integral_value():
        return int(valor)
    flotante = float(valor)
    return flotante if Decimal(repr(flotante)) == valor else format(valor, "f")
