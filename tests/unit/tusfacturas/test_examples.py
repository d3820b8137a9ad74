"""Every example payload of the provider is read to a named outcome, and every request of ours is the documented one."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from tusfacturas.answers import (
    read_borrado,
    read_consulta,
    read_consumo,
    read_lote,
    read_nuevo,
    read_operacion,
    read_servicios,
)
from tusfacturas.client import BASE_URL, Cliente, Credenciales
from tusfacturas.outcomes import (
    Aceptado,
    BorradoParcial,
    ComprobanteRechazado,
    Consulta,
    Consumo,
    Culpable,
    Encontrado,
    EnMantenimiento,
    Hecho,
    LoteProcesado,
    LoteRechazado,
    NoEncontrado,
    Servicios,
    SinMencion,
)
from tusfacturas.respuesta import Respuesta

EJEMPLOS = Path(__file__).parents[2] / "provider_examples"
NO_HALLADO = "No se han encontrado comprobantes."
CREDENCIALES = Credenciales(apikey="xxxx", apitoken="xxxx", usertoken="xxxx")


def leer(nombre):
    return json.loads((EJEMPLOS / nombre).read_text(encoding="utf-8"), parse_float=Decimal)


def de_lote(*referencias):
    return lambda r: read_lote(r, referencias)


def de_nuevo(referencia):
    return lambda r: read_nuevo(r, referencia)


def sin_detalle(resultado):
    """Without our own sentences, which have their tests elsewhere."""
    if isinstance(resultado, LoteProcesado):
        return {ref: sin_detalle(res) for ref, res in resultado.resultados.items()}
    if hasattr(resultado, "detalle"):
        campos = {c: getattr(resultado, c) for c in resultado.__dataclass_fields__ if c != "detalle"}
        return (type(resultado), {c: v for c, v in campos.items() if v not in ((), None)})
    return resultado


ORDEN_0 = (
    "El request enviado en el orden 0 (comenzando en 0) incluye un comprobante con un external_reference no valido.  "
    "Este request no se procesara."
)
ORDEN_1 = (
    "El request enviado en el orden 1 (comenzando en 0) tiene el numero de comprobante y todos deben venir en cero. "
    "El lote no se procesara."
)
REFERENCIA = "TFC-8002: La external reference enviada, posee caracteres no validos."
CLIENTE = "TFC-6001: Error al crear al cliente . No se podra generar el comprobante. Revise los datos enviados."
ARCA_0 = " AFIP Factura electronica, rechazo el comprobante - ERROR: AFIP rechazo la generacion del comprobante Cod: 0"
ARCA_10032 = (
    "AFIP Factura electronica, rechazo el comprobante - ERROR: El campo FchServDesde no puede ser posterior al campo "
    "FchServHasta. Cod: 10032"
)
SIN_REFERENCIA = (
    "TFC-8002: Cuando se envia un comprobante a la cola, debes enviar una referencia externa en el campo "
    "external_reference."
)
TODOS_MAL = (
    "El lote no se procesara ya que contiene errores en todos sus requests. Se enviaron a procesar: 300 requests y se "
    "aceptaron procesar: 0."
)
ENCOLADO = Encontrado(
    external_reference="Lun141",
    situacion="EN_COLA",
    status="APROBADO Y EN COLA. SE EMITE EL 16/03/2022",
    tipo="NOTA DE DEBITO B",
    punto_venta=2,
    fecha=date(2021, 5, 23),
    total=Decimal("543.21"),
)

# name of the file → who reads it, what it says
RESPUESTAS = {
    "any.response.maintenance.json": (
        de_lote("A"),
        (EnMantenimiento, {"hasta": datetime(2026, 7, 26, 8, 25, tzinfo=UTC)}),
    ),
    "lotes_encola.response.accepted.json": (
        de_lote("1453_02", "17032", "1453_01"),
        {ref: Aceptado(ref) for ref in ("1453_02", "17032", "1453_01")},
    ),
    "lotes_encola.response.partial.json": (
        de_lote("% 'M17051", "M170_502", "M170503"),
        {
            "% 'M17051": (ComprobanteRechazado, {"errores": (ORDEN_0,)}),
            "M170_502": Aceptado("M170_502"),
            "M170503": Aceptado("M170503"),
        },
    ),
    "lotes_encola.response.rejected-max.json": (
        de_lote(*(f"R{n}" for n in range(300))),
        (
            LoteRechazado,
            {
                "errores": (
                    "Esta enviando 300 requests, cuando el limite permitido es 100. El lote no se procesara.",
                    TODOS_MAL,
                )
            },
        ),
    ),
    "lotes_encola.response.rejected-numero.seed.json": (
        de_lote("A", "B", "C"),
        (LoteRechazado, {"errores": (ORDEN_1,), "culpables": (Culpable(1, ORDEN_1),)}),
    ),
    # Copied by the provider from another mode: it names no reference, so it says nothing of ours.
    "lotes_encola.response.seed-swagger-200.json": (de_lote("A"), {"A": (SinMencion, {})}),
    # The instant mode, which is not used: its entries read the same.
    "lotes_instant.response.partial.json": (
        de_lote("ABC124", "ABC125"),
        {
            "ABC124": (ComprobanteRechazado, {"errores": (ARCA_0.strip(), ARCA_10032)}),
            "ABC125": (ComprobanteRechazado, {"errores": (ARCA_0.strip(),)}),
        },
    ),
    "nuevo.response.ok.json": (de_nuevo("ABC123"), Aceptado("ABC123")),
    "nuevo.response.error.json": (
        de_nuevo("ABC123"),
        (
            ComprobanteRechazado,
            {
                "errores": (
                    "El tipo de documento enviado no es valido",
                    "TFC-8004: Para la condicion de IVA seleccionada no se permite realizar comprobantes de tipo B.",
                )
            },
        ),
    ),
    "nuevo_encola.response.accepted.json": (de_nuevo("ex_rf1"), Aceptado("ex_rf1")),
    "nuevo_encola.response.error-ref-invalid.json": (
        de_nuevo("1%'703"),
        (ComprobanteRechazado, {"errores": (REFERENCIA, CLIENTE)}),
    ),
    "nuevo_encola.response.error-ref-missing.json": (
        de_nuevo("A"),
        (
            ComprobanteRechazado,
            {
                "errores": (
                    SIN_REFERENCIA,
                    REFERENCIA,
                    CLIENTE,
                )
            },
        ),
    ),
    "cambiar_fecha_encolado.response.ok.json": (read_operacion, Hecho()),
    "cambiar_fecha_encolado.response.error.json": (read_operacion, (NoEncontrado, {"errores": (NO_HALLADO,)})),
    "reenviar_encolado.response.ok.json": (read_operacion, Hecho()),
    "reenviar_encolado.response.error.json": (read_operacion, (NoEncontrado, {"errores": (NO_HALLADO,)})),
    "eliminar_encolado.response.ok.json": (read_borrado, Hecho()),
    "eliminar_encolado.response.error.json": (read_borrado, (NoEncontrado, {"errores": (NO_HALLADO,)})),
    "eliminar_encolado.response.partial.json": (
        read_borrado,
        (
            BorradoParcial,
            {
                "procesados": ("El comprobante FACTURA A 00010-00000000 se ha eliminado correctamente.",),
                "errores": ("El comprobante FACTURA B 00010-000000 no se ha podido eliminar.",),
            },
        ),
    ),
    "consulta_avanzada.response.no-match.json": (read_consulta, Consulta(0, ())),
    "consulta_avanzada.response.en-cola.json": (read_consulta, Consulta(1, (ENCOLADO,))),
    "consulta_avanzada.response.con-error.json": (
        read_consulta,
        Consulta(
            1,
            (
                Encontrado(
                    external_reference="Lun141",
                    situacion="CON_ERROR",
                    status="ENVIADO A PROCESAR - CON ERROR",
                    tipo="NOTA DE DEBITO B",
                    punto_venta=2,
                    fecha=date(2021, 5, 23),
                    total=Decimal("543.21"),
                ),
            ),
        ),
    ),
    "consulta_avanzada.response.emitido.json": (
        read_consulta,
        Consulta(
            1,
            (
                Encontrado(
                    external_reference="3303",
                    situacion="EMITIDO",
                    status="EMITIDO",
                    tipo="FACTURA A",
                    punto_venta=10,
                    fecha=date(2023, 1, 6),
                    total=Decimal(12600),
                    numero=603,
                    cae="73016074427512",
                    cae_vencimiento=date(2015, 8, 7),
                    pdf_url="https://www.dominio.com/00000006.pdf",
                ),
            ),
        ),
    ),
    "estado_servicios.response.ok.json": (
        read_servicios,
        Servicios(
            operativo=True,
            alerta="",
            mantenimientos=((datetime(2026, 5, 30, 11, 29, tzinfo=UTC), datetime(2026, 5, 30, 14, 29, tzinfo=UTC)),),
        ),
    ),
    "estado_servicios.response.alert.json": (
        read_servicios,
        Servicios(
            operativo=False,
            alerta="03/08/2021 14:55 hs.  Los servicios de facturacion de AFIP estan presentando errores. ... "
            "impediremos que factures por un lapso de 12 minutos. ... |",
        ),
    ),
    "consumo.response.json": (
        read_consumo,
        Consumo(cupo=100, generados=12, disponibles=79, abonos_pendientes=21),
    ),
}

# name of the file → the call of ours that must produce it
PEDIDOS = {
    "lotes_encola.request.json": lambda c, datos: c.lotes_encola(datos["requests"]),
    "lotes_encola.request.legacy-credentials.json": lambda c, datos: c.lotes_encola(datos["requests"]),
    "nuevo_encola.request.json": lambda c, datos: c.nuevo_encola(datos),
    "reenviar_encolado.request.json": lambda c, _: c.reenviar_encolado("mi_ext_rf"),
    "eliminar_encolado.request.json": lambda c, _: c.eliminar_encolado("mi_extref", date(2022, 3, 23)),
    "cambiar_fecha_encolado.request.json": lambda c, _: c.cambiar_fecha_encolado(
        "mi_ext_rf", date(2022, 3, 25), date(2022, 3, 28)
    ),
    "consulta_avanzada.ext_ref.request.json": lambda c, _: c.consulta_por_referencia("DD2F1F1"),
    "consulta_avanzada.fecha.request.json": lambda c, _: c.consulta_por_fecha(date(2021, 5, 23), pagina=0, limite=100),
    "estado_servicios.request.json": lambda c, _: c.estado_servicios(),
    "consumo.request.json": lambda c, _: c.consumo(),
}

# Neither read nor sent by the client: methods it does not call, fragments that the models are tested with, hooks.
DE_OTROS = {
    "consulta.request.json",
    "consulta.response.json",
    "consulta_avanzada.rango.request.json",
    "cotizacion.request.json",
    "cotizacion.response.json",
    "numeracion.request.json",
    "numeracion.response.json",
    "puntos_venta_administrar.webhook.request.json",
    "requiere_fec.request.json",
    "requiere_fec.response.error.json",
    "requiere_fec.response.json",
    "topecf.request.json",
    "topecf.response.json",
    "total-vectors.json",
}
DE_OTROS_GRUPOS = ("comprobante.", "webhook.")


def test_every_example_has_an_expectation():
    nombres = {p.name for p in EJEMPLOS.iterdir() if p.name != "README.md"}
    esperados = {*RESPUESTAS, *PEDIDOS, *DE_OTROS}
    assert {n for n in nombres if not n.startswith(DE_OTROS_GRUPOS)} == esperados
    assert len(esperados) == len(RESPUESTAS) + len(PEDIDOS) + len(DE_OTROS)


def test_every_example_is_told_in_the_readme():
    indice = (EJEMPLOS / "README.md").read_text(encoding="utf-8")
    for ejemplo in EJEMPLOS.glob("*.json"):
        assert f"`{ejemplo.name}`" in indice


@pytest.mark.parametrize("nombre", RESPUESTAS)
def test_an_answer_of_the_provider_is_read(nombre):
    lector, esperado = RESPUESTAS[nombre]
    assert sin_detalle(lector(Respuesta(200, (EJEMPLOS / nombre).read_bytes()))) == esperado


@pytest.mark.parametrize("nombre", PEDIDOS)
def test_a_request_is_the_documented_one(nombre):
    datos = leer(nombre)
    pedidos = []

    def handler(request):
        pedidos.append(request)
        return httpx.Response(200, json={"error": "N"})

    with Cliente(BASE_URL, CREDENCIALES, timeout=1, transport=httpx.MockTransport(handler)) as cliente:
        PEDIDOS[nombre](cliente, datos)
    for entrada in datos.get("requests", []):  # the older form repeats them in each entry; ours never does
        for credencial in ("apikey", "apitoken", "usertoken"):
            entrada.pop(credencial, None)
    assert json.loads(pedidos[0].content, parse_float=Decimal) == datos
    assert (
        str(pedidos[0].url).removeprefix(BASE_URL).endswith(nombre.split(".")[0].replace("estado_servicios", "alertas"))
    )
