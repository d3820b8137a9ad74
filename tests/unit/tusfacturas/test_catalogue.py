"""Every entry of the catalogue is found by the provider's words for it, and every error example has its class."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sandbox.simulator.fates import TEXTOS

from tusfacturas.catalogue import ACCIONES, SIN_CODIGO, Accion, Clase, Linea, built_in, codes_in, read_lines
from tusfacturas.classify import classify
from tusfacturas.hooks import read_hook
from tusfacturas.respuesta import fold, items, texts

EJEMPLOS = Path(__file__).parents[2] / "provider_examples"
PREFIJO = " AFIP Factura electronica, informa el siguiente error: "
AYUDA = " Si necesitas ayuda, contactanos en hola@tusfacturas.app"
SIN_CAE = ("AFIP No devolvio el CAE asociado. (Cod. Error #6661141.S1254)",)


def afip(codigo, texto="Un texto que no importa"):
    return f"{PREFIJO}Cod. Error: #6661145.{codigo} - {texto}.{AYUDA}"


# codigo → its class alone, and every way in which the provider's pages write it
MUESTRAS = {
    "AFIP-0": ("ambiguo", [afip(0), "AFIP rechazo la generacion del comprobante Cod: 0"]),
    "TF-S1254": ("ambiguo", [*SIN_CAE, "AFIP no devolvió el CAE asociado."]),
    "TF-S1278": ("ambiguo", ["(Cod. Error #6661141.S1278)"]),
    "AFIP-10063": ("ambiguo", ["El receptor no se encuentra activo en IVA. [ codigo: 10063 ]"]),
    "AFIP-10217": ("ambiguo", ["El credito fiscal discriminado solo podra ser computado. [ codigo: 10217 ]"]),
    "TF-LOTE-RECHAZADO": (
        "revision",
        ["El lote no se procesara ya que contiene errores en todos sus requests. Se aceptaron procesar: 0. "],
    ),
    "TF-LOTE-PARCIAL": ("revision", ["El lote se procesara parcialmente ya que contiene errores en alguno."]),
    "AFIP-10016": (
        "numeracion",
        [
            afip(10016),
            "El numero o fecha del comprobante no se corresponde con el proximo a autorizar.",
            "El número o fecha del comprobante no se corresponde con el último a autorizar (FECompUltimoAutorizado)",
        ],
    ),
    "AFIP-10036": (
        "fecha",
        [afip(10036), "El campo FchVtoPago no puede ser anterior a la fecha del comprobante."],
    ),
    "ARCA-FECHA-FUERA-DE-RANGO": (
        "fecha",
        [
            "El campo CbteFch debe estar comprendido en el rango permitido",
            "Campo CbteFch comprendido entre N-10 y N+10",
            "Campo CbteFch comprendido entre N-5 y N+5",
        ],
    ),
    "AFIP-10041": (
        "asociado",
        [afip(10041), "Error ARCA 10041 - No existe el comprobante asociado"],
    ),
    "AFIP-10032": (
        "datos",
        [afip(10032), "El campo FchServDesde no puede ser posterior al campo FchServHasta. Cod: 10032"],
    ),
    "ARCA-ASOCIADO-FECHA": (
        "datos",
        [
            "El comprobante asociado no posee una fecha válida",
            "El comprobante asociado 00003-00000012 no posee una fecha valida",
        ],
    ),
    "ARCA-ASOCIADO-TIPO": ("datos", ["Campo CbtesAsoc con tipo inválido"]),
    "ARCA-CONDICION-IVA": (
        "datos",
        [afip(10246, "El campo Condición IVA receptor no es válido para la clase de comprobante informado")],
    ),
    "ARCA-FCE-REGIMEN": (
        "datos",
        [
            "No es un comprobante válido bajo el Régimen de la Ley N° 27.440",
            "No es un comprobante valido bajo el Regimen de la Ley Nro 27440",
        ],
    ),
    "ARCA-FCE-OPCIONALES": (
        "datos",
        ["Si informa comprobante MiPyMEs (FCE) del tipo Factura, es obligatorio informar opcional 27"],
    ),
    "ARCA-CUIT-RECEPTOR": (
        "datos",
        [afip(10015, "El DocNro informado no se encuentra registrado en los padrones de AFIP")],
    ),
    "TFC-8002": (
        "datos",
        [
            "La external reference enviada, posee caracteres no validos.",
            "TFC-8002: algo",
            "Cuando se envia un comprobante a la cola, debes enviar una referencia externa en el campo.",
            "El request enviado en el orden 0 incluye un comprobante con un external_reference no valido.",
        ],
    ),
    "TFC-6001": ("datos", ["TFC-6001: algo", "Error al crear al cliente . No se podra generar el comprobante."]),
    "TFC-8004": (
        "datos",
        ["TFC-8004: algo", "Para la condicion de IVA seleccionada no se permite realizar comprobantes de tipo B."],
    ),
    "TF-DOCUMENTO-TIPO": ("datos", ["El tipo de documento enviado no es valido"]),
    "ARCA-EXISTE": (
        "ambiguo",
        [
            "El comprobante existe en ARCA pero no en TusFacturasAPP",
            "El comprobante existe en AFIP pero no en TusFacturas",
        ],
    ),
    "ARCA-EJB": ("transitorio", ["javax.ejb.EJBTransactionRolledbackException: Transaction rolled back"]),
    "ARCA-CAIDA": (
        "transitorio",
        [
            "Los servicios de facturacion de AFIP estan presentando errores.",
            "Los servicios de facturación de ARCA están presentando errores.",
            "Los servicios de AFIP estan presentando errores.",
            "Los servicios de ARCA estan presentando errores.",
            "El web service no se encuentra operativo",
            "Los web services no se encuentran operativos",
            "El web service no se encuentra funcionando",
            "Los web services no se encuentran funcionando",
        ],
    ),
    "AFIP-500": ("transitorio", [afip(500), "Error interno de aplicación."]),
    "AFIP-501": ("transitorio", [afip(501), "Error interno de base de datos."]),
    "AFIP-502": ("transitorio", [afip(502), "Autorizador CAE - Transacción Activa"]),
    "TF-MANTENIMIENTO": ("transitorio", ["Estaremos realizando tareas de mantenimiento hasta las 05:25"]),
    "ARCA-CLASE-NO-AUTORIZADA": (
        "cuenta",
        ['La CUIT informada no se encuentra autorizada a emitir comprobantes clase "A"'],
    ),
    "ARCA-COMUNICACION": (
        "cuenta",
        [
            "No se puede establecer la comunicación con ARCA",
            "No se puede establecer la comunicacion con AFIP",
        ],
    ),
    "ARCA-COMPUTADOR": ("cuenta", ["Computador no autorizado a acceder al servicio"]),
    "ARCA-CERTIFICADO": ("cuenta", ["Java.null.pointer", "java.lang.NullPointerException"]),
    "ARCA-ENLACE": ("cuenta", ["ValidacionDeToken: No apareció CUIT en lista de relaciones"]),
    "ARCA-PUNTO-DE-VENTA": (
        "cuenta",
        [
            "El punto de venta no se encuentra habilitado para el presente WS en AFIP",
            "No autorizado a emitir comprobantes - el PDV debe estar dado de alta y ser del tipo RECE",
            "Punto de venta no existe en Webservices ARCA",
        ],
    ),
    "TF-NO-ENCONTRADO": ("revision", ["No se han encontrado comprobantes."]),
    "TF-NO-ELIMINADO": ("revision", ["El comprobante FACTURA B 00010-000000 no se ha podido eliminar."]),
    "TF-LOTE-MAXIMO": ("revision", ["Esta enviando 300 requests, cuando el limite permitido es 100."]),
    "TF-NUMERO": (
        "revision",
        ["El request tiene el numero de comprobante y todos deben venir en cero. El lote no se procesara."],
    ),
    "TF-LOTE-FECHAS": ("revision", ["El request tiene una fecha diferente y todos deben llevar la misma fecha"]),
    "TF-USERTOKEN": (
        "revision",
        ["El usertoken del comprobante enviado en la fila 3 (comenzando en 0) no se corresponde con sus credenciales"],
    ),
    "TF-LOTE-TIPOS": (
        "revision",
        ["El comprobante enviado en la fila 3 (comenzando en 0) tiene un tipo de comprobante diferente"],
    ),
}
TODAS = [(codigo, clase, texto) for codigo, (clase, textos) in MUESTRAS.items() for texto in textos]


def test_every_entry_has_a_sample():
    assert [entrada.codigo for entrada in built_in().entradas] == list(MUESTRAS)


@pytest.mark.parametrize(("codigo", "clase", "texto"), TODAS)
def test_the_providers_words_find_their_entry_and_no_other(codigo, clase, texto):
    decision = classify(read_lines([texto]))
    assert ({razon.codigo for razon in decision.razones}, decision.clase) == ({codigo}, clase)


@pytest.mark.parametrize("entrada", built_in().entradas, ids=lambda entrada: entrada.codigo)
def test_every_wording_of_an_entry_is_in_one_of_its_samples(entrada):
    muestras = [fold(texto) for texto in MUESTRAS[entrada.codigo][1]]
    for texto in entrada.textos:
        assert fold(texto) == texto, "texts are compared without case nor accents"
        assert any(replace(entrada, textos=(texto,)).says(muestra) for muestra in muestras)


@pytest.mark.parametrize("entrada", built_in().entradas, ids=lambda entrada: entrada.codigo)
def test_every_entry_tells_a_person_what_it_means_and_who_says_so(entrada):
    assert entrada.mensaje.endswith(".") and len(entrada.mensaje) <= 300 and entrada.fuente
    assert entrada.campo == "" or entrada.campo.split(".")[0] in {"cliente", "comprobante"}
    assert entrada.accion is ACCIONES[entrada.clase]


def test_only_definite_data_errors_are_deleted():
    assert {clase for clase, accion in ACCIONES.items() if accion is Accion.ELIMINAR} == {Clase.DATOS}
    assert set(ACCIONES) == set(Clase)


# name of the example → its class, and the codes that decide
ERRORES = {
    "any.response.maintenance.json": ("transitorio", {"TF-MANTENIMIENTO"}),
    "cambiar_fecha_encolado.response.error.json": ("revision", {"TF-NO-ENCONTRADO"}),
    "eliminar_encolado.response.error.json": ("revision", {"TF-NO-ENCONTRADO"}),
    "eliminar_encolado.response.partial.json": ("revision", {"TF-NO-ELIMINADO"}),
    "lotes_encola.response.partial.json": ("datos", {"TFC-8002"}),
    "lotes_encola.response.rejected-max.json": ("revision", {"TF-LOTE-MAXIMO"}),
    "lotes_encola.response.rejected-numero.seed.json": ("revision", {"TF-NUMERO"}),
    "lotes_instant.response.partial.json": ("datos", {"AFIP-10032"}),
    "nuevo.response.error.json": ("datos", {"TF-DOCUMENTO-TIPO", "TFC-8004"}),
    "nuevo_encola.response.error-ref-invalid.json": ("datos", {"TFC-8002", "TFC-6001"}),
    "nuevo_encola.response.error-ref-missing.json": ("datos", {"TFC-8002", "TFC-6001"}),
    "reenviar_encolado.response.error.json": ("revision", {"TF-NO-ENCONTRADO"}),
    # Of another method, which is never called: what it says is in no entry, and so a person would look.
    "requiere_fec.response.error.json": ("desconocido", {SIN_CODIGO}),
    "webhook.error.10016.json": ("numeracion", {"AFIP-10016"}),
    "webhook.error.10036.json": ("fecha", {"AFIP-10036"}),
    "webhook.error.validation-individual.json": ("datos", {"TFC-8002", "TFC-6001"}),
    "webhook.error.validation-lote.json": ("datos", {"TFC-8002"}),
}


def texts_of(nombre):
    """What the example says is wrong, at its top and in its entries."""
    cuerpo = (EJEMPLOS / nombre).read_bytes()
    leido = json.loads(cuerpo)
    if not isinstance(leido, dict):
        return []
    de_entradas = [t for e in items(leido.get("response")) or [] if isinstance(e, dict) for t in texts(e["errores"])]
    return [*read_hook(cuerpo).mensajes, *texts(leido.get("errores")), *de_entradas]


@pytest.mark.parametrize("nombre", ERRORES)
def test_every_error_example_of_the_provider_has_its_class(nombre):
    decision = classify(read_lines(texts_of(nombre)))
    assert (decision.clase, {razon.codigo for razon in decision.razones}) == ERRORES[nombre]


def test_the_alert_of_an_outage_is_known_as_one():
    alerta = json.loads((EJEMPLOS / "estado_servicios.response.alert.json").read_bytes())["facturacion"]
    assert classify(read_lines([alerta])).clase is Clase.TRANSITORIO


def test_no_error_example_was_forgotten():
    assert {ejemplo.name for ejemplo in EJEMPLOS.glob("*.json") if texts_of(ejemplo.name)} == set(ERRORES)


@pytest.mark.parametrize(
    ("fate", "clase"),
    [
        ("10016", "numeracion"),
        ("10036", "fecha"),
        ("FECHA", "fecha"),
        ("DATOS", "datos"),
        ("10041", "asociado"),
        ("DESCONOCIDO", "desconocido"),
        ("AFIP", "transitorio"),
        ("AFIP_CAIDA", "transitorio"),
        ("CONFIG", "cuenta"),
        ("AMBIGUO", "ambiguo"),
        ("SIN_CAE", "ambiguo"),
    ],
)
def test_every_trouble_of_the_simulator_has_the_class_that_ends_it(fate, clase):
    assert classify(read_lines(TEXTOS[fate])).clase == clase


def test_the_simulator_knows_no_trouble_that_is_not_classified_here():
    marks = test_every_trouble_of_the_simulator_has_the_class_that_ends_it.pytestmark
    assert {fate for fate, _ in marks[0].args[1]} == set(TEXTOS)


# -- reading


def test_lines_come_without_the_help_and_the_companions_last():
    lineas = read_lines([afip(0, "AFIP rechazo la generacion"), *SIN_CAE, " ", afip(10036, "El vencimiento")])
    assert [linea.codigo for linea in lineas] == ["AFIP-10036", "AFIP-0", "TF-S1254"]
    assert lineas[0].texto == PREFIJO.strip() + " Cod. Error: #6661145.10036 - El vencimiento."


def test_a_msg_that_came_as_one_text_hides_none_of_its_codes():
    """One client in the wild met `msg` as a single text."""
    lineas = read_lines(["".join((afip(0), afip(10032), *SIN_CAE, afip(99731)))])
    assert {codigo for linea in lineas for codigo in codes_in(linea.texto)} == {
        "AFIP-0",
        "AFIP-10032",
        "TF-S1254",
        "AFIP-99731",
    }
    assert classify(lineas).clase is Clase.DESCONOCIDO


def test_two_codes_in_one_text_are_two_reasons():
    texto = "Cod. Error: #6661145.0 - AFIP rechazo. Cod. Error: #6661145.10036 - El vencimiento"
    assert read_lines([texto]) == [Linea("AFIP-10036", texto)]
    assert classify(read_lines([texto])).clase is Clase.FECHA
    assert classify(read_lines([f"{texto} Cod. Error: #6661145.10032 - x"])).clase is Clase.REVISION


@given(st.lists(st.text()))
def test_any_texts_can_be_read(mensajes):
    assert all(linea.texto and linea.codigo for linea in read_lines(mensajes))
