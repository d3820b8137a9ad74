"""A company's own entries over the built-in catalogue, and what they can never bring about."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tusfacturas.catalogue import SIN_CODIGO, Accion, Clase, built_in, read_lines
from tusfacturas.classify import classify
from tusfacturas.overrides import FUENTE, CatalogoInvalido, load_catalogue

NUEVO = "Cod. Error: #6661145.99731 - Situacion no prevista del padron federal."
DEUDA = {"texto": "punto de venta bloqueado por deuda", "clase": "cuenta", "mensaje": "Pague el abono."}


def load(*entradas):
    return load_catalogue(json.dumps(entradas))


def refused(*entradas):
    with pytest.raises(CatalogoInvalido) as invalid:
        load(*entradas)
    return str(invalid.value)


def of(catalogo, *mensajes):
    return classify(read_lines(mensajes), catalogo)


@pytest.mark.parametrize("nothing", ["", "  \n", "[]"])
def test_without_entries_it_is_the_built_in_one(nothing):
    assert load_catalogue(nothing) == built_in()


def test_a_code_that_nobody_knew_gets_its_class():
    catalogo = load({"codigo": "AFIP-99731", "clase": "transitorio", "mensaje": "El padrón no responde."})
    assert of(built_in(), NUEVO).clase is Clase.DESCONOCIDO
    decision = of(catalogo, NUEVO)
    assert (decision.clase, decision.razones[0].codigo) == (Clase.TRANSITORIO, "AFIP-99731")
    assert decision.explicacion.startswith("El padrón no responde.")


def test_a_text_that_nobody_knew_gets_its_class_however_it_is_written():
    decision = of(load(DEUDA), " PUNTO DE VENTA bloqueado  por deúda desde ayer")
    assert (decision.clase, decision.razones[0].mensaje) == (Clase.CUENTA, "Pague el abono.")


def test_a_text_with_a_star_stands_for_anything_between():
    catalogo = load(DEUDA | {"texto": "punto de venta * bloqueado por deuda"})
    assert of(catalogo, "El punto de venta 00003 fue bloqueado por deuda").clase is Clase.CUENTA
    assert of(catalogo, "bloqueado por deuda, punto de venta 3").clase is Clase.DESCONOCIDO


def test_a_company_may_name_what_its_text_is():
    catalogo = load(DEUDA | {"codigo": "DEUDA"})
    assert of(catalogo, "Punto de venta bloqueado por deuda").razones[0].codigo == "DEUDA"


def test_several_texts_without_a_name_stand_beside_each_other():
    catalogo = load(
        DEUDA, {"texto": "falta aceptar los terminos", "clase": "cuenta", "mensaje": "Acepte los términos."}
    )
    assert len(catalogo.entradas) == len(built_in().entradas) + 2
    assert of(catalogo, "Falta aceptar los términos").clase is Clase.CUENTA
    assert catalogo.by_codigo(SIN_CODIGO) is None, "it names none of them"


@pytest.mark.parametrize("named", [{"codigo": "AFIP-10041"}, {"texto": "No existe el comprobante ASOCIADO"}])
def test_an_entry_with_the_code_or_the_text_of_a_known_one_replaces_it(named):
    catalogo = load(named | {"clase": "datos"})
    before, after = built_in().by_codigo("AFIP-10041"), catalogo.by_codigo("AFIP-10041")
    assert (after.clase, after.fuente) == (Clase.DATOS, FUENTE)
    assert (after.mensaje, after.campo, after.textos) == (before.mensaje, before.campo, before.textos)
    assert len(catalogo.entradas) == len(built_in().entradas)
    assert of(catalogo, "Cod. Error: #6661145.10041 - x").accion is Accion.ELIMINAR


def test_a_known_code_may_get_another_wording_and_another_sentence():
    catalogo = load(
        {"codigo": "AFIP-10016", "texto": "proximo numero * esperado", "clase": "numeracion", "mensaje": "Otra."}
    )
    decision = of(catalogo, "El próximo número por ARCA esperado es 7")
    assert (decision.clase, decision.razones[0].codigo) == (Clase.NUMERACION, "AFIP-10016")
    assert decision.explicacion.startswith("Otra.")


def test_a_new_companion_is_noise_beside_a_specific_line_and_decides_alone():
    catalogo = load({"codigo": "TF-S1290", "clase": "ambiguo", "acompana": True, "mensaje": "Sin CAE."})
    sin_cae, datos = "(Cod. Error #6661141.S1290)", "Cod. Error: #6661145.10032 - x"
    assert of(catalogo, sin_cae, datos).clase is Clase.DATOS
    assert of(catalogo, sin_cae).clase is Clase.AMBIGUO


# -- what is refused, and how it is told

BASE = {"codigo": "AFIP-1", "clase": "datos", "mensaje": "x"}
TEXTUAL = {"clase": "datos", "mensaje": "x"}


@pytest.mark.parametrize(
    ("entrada", "fault"),
    [
        ("AFIP-1", "entrada 1: debe ser un objeto JSON"),
        ({}, "falta codigo o texto"),
        (BASE | {"clase": "borrar"}, "entrada 1 (AFIP-1): clase debe ser una de: transitorio, ambiguo"),
        (BASE | {"clase": "desconocido"}, "clase debe ser una de"),
        (BASE | {"clase": ["datos"]}, "clase debe ser una de"),
        (BASE | {"accion": "eliminar"}, "no se conoce «accion»"),
        (BASE | {"acompana": "S"}, "acompana debe ser true o false"),
        (BASE | {"codigo": 1}, "codigo debe ser un texto no vacío"),
        (BASE | {"mensaje": " "}, "mensaje debe ser un texto no vacío"),
        (BASE | {"mensaje": "x" * 301}, "mensaje admite hasta 300 caracteres"),
        ({"codigo": "AFIP-1", "clase": "datos"}, "falta mensaje"),
        (BASE | {"codigo": "SIN_CODIGO"}, "SIN_CODIGO no es un codigo"),
        (BASE | {"codigo": "10016"}, "ningún error lleva ese codigo"),
        (BASE | {"codigo": "AFIP-10016", "texto": "ejbtransactionrolledbackexception"}, "de entradas distintas"),
    ],
)
def test_a_faulty_entry_is_refused_by_its_name(entrada, fault):
    assert fault in refused(entrada)


def test_every_fault_is_told_at_once():
    told = refused(BASE | {"clase": "x"}, DEUDA, {"texto": "error", "clase": "datos"})
    assert told.startswith("Catálogo de errores: entrada 1 (AFIP-1): ") and "entrada 3 (error): texto es" in told
    assert "entrada 2" not in told and "entrada 3 (error): falta mensaje" in told


@pytest.mark.parametrize(
    ("texto", "fault"),
    [
        ("{", "no es JSON"),
        ('{"codigo": "AFIP-1"}', "debe ser una lista"),
        ('[{"clase": "datos", "clase": "cuenta"}]', "repite clase"),
        ("[" * 100_000, "no es JSON"),
    ],
)
def test_what_is_no_list_is_refused(texto, fault):
    with pytest.raises(CatalogoInvalido, match=fault):
        load_catalogue(texto)


@pytest.mark.parametrize(
    "twice",
    [
        (BASE, BASE | {"clase": "cuenta"}),
        (DEUDA, DEUDA | {"clase": "datos"}),
        ({"codigo": "AFIP-10041", "clase": "datos"}, {"texto": "no existe el comprobante asociado", "clase": "cuenta"}),
    ],
)
def test_an_error_is_told_once(twice):
    assert "entrada 2" in refused(*twice) and "repite" in refused(*twice)


@pytest.mark.parametrize(
    "texto",
    [
        "*",
        "¿¡!?",
        "error",
        "comprobante",
        "certificado",
        "el * de",
        "a b c d e",
        "10016 10032 10041 10063",
        "informa el siguiente error",
        "informa * siguiente * error",
        "AFIP rechazó la generación",
        "AFIP No devolvio el CAE",
        "no se procesara",
        "Si necesitas ayuda, contactanos",
    ],
)
@pytest.mark.parametrize("clase", ["datos", "transitorio"])
def test_no_entry_may_be_found_in_errors_of_every_kind(texto, clase):
    assert "demasiado general" in refused({"texto": texto, "clase": clase, "mensaje": "x"})


@pytest.mark.parametrize(
    "entrada",
    [
        {"codigo": "AFIP-0"},
        {"codigo": "TF-S1254"},
        {"codigo": "TF-S1278"},
        {"codigo": "TF-S1290", "mensaje": "Uno nuevo."},
        {"codigo": "AFIP-10063"},
        {"codigo": "ARCA-EXISTE"},
        {"texto": "no devolvio el cae asociado"},
        {"texto": "existe en arca pero no en tusfacturas"},
        {"codigo": "AFIP-1", "acompana": True, "mensaje": "Un ruido."},
    ],
)
def test_what_may_be_authorised_never_becomes_deletable(entrada):
    assert "nunca se elimina" in refused(entrada | {"clase": "datos"})


@pytest.mark.parametrize(("codigo", "acompana"), [("AFIP-0", False), ("ARCA-EXISTE", True), ("AFIP-10016", True)])
def test_what_accompanies_is_not_an_opinion(codigo, acompana):
    assert "acompana no se puede cambiar" in refused({"codigo": codigo, "clase": "cuenta", "acompana": acompana})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda hijos: st.lists(hijos) | st.dictionaries(st.sampled_from(["codigo", "texto", "clase", "mensaje"]), hijos),
)


@given(JSON | st.lists(st.fixed_dictionaries({"clase": st.sampled_from(list(Clase)), "texto": st.text()})))
def test_whatever_it_is_it_is_taken_whole_or_refused(valor):
    try:
        catalogo = load_catalogue(json.dumps(valor))
    except CatalogoInvalido:
        return
    assert of(catalogo, "Cod. Error: #6661145.0 - AFIP rechazo la generacion del comprobante").clase is Clase.AMBIGUO


@given(st.lists(st.text(max_size=30)), st.text(max_size=40))
def test_an_entry_of_data_deletes_nothing_that_only_has_companions(mensajes, texto):
    try:
        catalogo = load({"texto": texto, "clase": "datos", "mensaje": "x"})
    except CatalogoInvalido:
        return
    companions = ("AFIP rechazo la generacion del comprobante Cod: 0", "(Cod. Error #6661141.S1278)")
    assert of(catalogo, *companions).accion is Accion.REENVIAR
