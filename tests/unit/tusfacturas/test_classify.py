"""Which line decides, and that nothing is deleted which is not understood whole."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tusfacturas.catalogue import SIN_CODIGO, Accion, Clase, built_in, codes_in, read_lines
from tusfacturas.classify import classify

GENERICA = "Cod. Error: #6661145.0 - AFIP rechazo la generacion del comprobante Si necesitas ayuda, contactanos"
SIN_CAE = "AFIP No devolvio el CAE asociado. (Cod. Error #6661141.S1278)"
OBSERVACION = "El receptor no se encuentra activo en IVA. [ codigo: 10063 ]"
COMPANIONS = (GENERICA, SIN_CAE, OBSERVACION, "El lote se procesara parcialmente ya que contiene errores.")
TRANSITORIO = "Los servicios de facturacion de AFIP no se encuentran operativos."
AMBIGUO = "El comprobante existe en ARCA pero no en TusFacturas."
NUMERACION = "Cod. Error: #6661145.10016 - El numero o fecha no es el proximo."
FECHA = "Cod. Error: #6661145.10036 - El campo FchVtoPago no puede ser anterior."
ASOCIADO = "Cod. Error: #6661145.10041 - No existe el comprobante asociado."
DATOS = "Cod. Error: #6661145.10032 - El campo FchServDesde no puede ser posterior."
CUENTA = "El punto de venta no se encuentra habilitado para el presente WS."
REVISION = "No se han encontrado comprobantes."
DESCONOCIDO = "Cod. Error: #6661145.99731 - Situacion no prevista del padron federal."
ONE_OF_EACH = {
    "transitorio": TRANSITORIO,
    "ambiguo": AMBIGUO,
    "numeracion": NUMERACION,
    "fecha": FECHA,
    "asociado": ASOCIADO,
    "datos": DATOS,
    "cuenta": CUENTA,
    "revision": REVISION,
    "desconocido": DESCONOCIDO,
}
KNOWN = st.sampled_from([*ONE_OF_EACH.values(), *COMPANIONS])
UNSEEN = st.text(min_size=1).filter(lambda texto: texto.strip() and not built_in().by_text(texto))


def of(*mensajes):
    return classify(read_lines(mensajes))


@pytest.mark.parametrize(("clase", "texto"), ONE_OF_EACH.items())
@pytest.mark.parametrize("with_companions", [(), (GENERICA, SIN_CAE), COMPANIONS])
def test_a_specific_line_decides_whatever_accompanies_it(clase, texto, with_companions):
    decision = of(*with_companions, texto)
    assert (decision.clase, len(decision.razones)) == (clase, 1)


@pytest.mark.parametrize("alone", [(GENERICA,), (SIN_CAE,), (GENERICA, SIN_CAE), (OBSERVACION,)])
def test_companions_alone_leave_it_open_whether_it_was_authorised(alone):
    decision = of(*alone)
    assert decision.clase is Clase.AMBIGUO and len(decision.razones) == len(alone)


def test_an_error_of_which_nobody_told_the_cause_is_unknown():
    decision = of()
    assert (decision.clase, decision.accion, decision.razones) == (Clase.DESCONOCIDO, Accion.REVISAR, ())
    assert decision.explicacion.startswith("Está con error en TusFacturas y ningún aviso dijo por qué.")


def test_a_text_that_nobody_has_seen_is_shown_so_that_it_can_be_added():
    decision = of(DATOS, DESCONOCIDO, "Algo sin código.")
    assert [(razon.codigo, razon.texto) for razon in decision.desconocidas] == [
        ("AFIP-99731", DESCONOCIDO),
        (SIN_CODIGO, "Algo sin código."),
    ]
    assert "«Algo sin código.»" in decision.explicacion


@pytest.mark.parametrize(
    ("lines", "clase"),
    [
        # a person first
        ((DESCONOCIDO, CUENTA, AMBIGUO, TRANSITORIO, DATOS), "desconocido"),
        ((DESCONOCIDO, REVISION), "desconocido"),
        ((REVISION, CUENTA), "revision"),
        ((REVISION, DATOS), "revision"),
        ((CUENTA, AMBIGUO), "cuenta"),
        ((CUENTA, TRANSITORIO), "cuenta"),
        ((CUENTA, DATOS), "cuenta"),
        # it may be authorised
        ((AMBIGUO, TRANSITORIO), "ambiguo"),
        ((AMBIGUO, NUMERACION), "ambiguo"),
        ((AMBIGUO, FECHA), "ambiguo"),
        ((AMBIGUO, DATOS), "ambiguo"),
        # ARCA was not itself
        ((TRANSITORIO, NUMERACION), "transitorio"),
        ((TRANSITORIO, FECHA), "transitorio"),
        ((TRANSITORIO, ASOCIADO), "transitorio"),
        ((TRANSITORIO, DATOS), "transitorio"),
        # they ask for the same
        ((DATOS, "El tipo de documento enviado no es valido"), "datos"),
        ((FECHA, "El campo CbteFch debe estar comprendido en el rango N-10 y N+10"), "fecha"),
        ((NUMERACION, FECHA), "numeracion"),
        # they ask for different things
        ((NUMERACION, DATOS), "revision"),
        ((FECHA, DATOS), "revision"),
        ((ASOCIADO, DATOS), "revision"),
        ((ASOCIADO, FECHA), "revision"),
        ((NUMERACION, FECHA, DATOS), "revision"),
    ],
)
def test_of_several_the_safest_decides(lines, clase):
    assert of(*lines).clase == clase


def test_a_mixture_says_that_it_is_one():
    assert "Sus errores piden remedios distintos. Una persona debe decidir." in of(FECHA, DATOS).explicacion
    assert "remedios distintos" not in of(NUMERACION, FECHA).explicacion


def test_the_explanation_says_what_to_correct_and_what_is_done():
    assert of(DATOS, GENERICA, SIN_CAE).explicacion == (
        "El período facturado empieza después de terminar. Corrija periodo_facturado_desde y periodo_facturado_hasta. "
        "Se elimina de la cola: corríjalo y envíelo con otra referencia."
    )


def test_a_code_without_entry_is_known_by_its_words():
    """The documentation quotes many of ARCA's texts without their code."""
    texto = "Cod. Error: #6661145.10015 - DocNro no se encuentra registrado en los padrones de AFIP"
    assert [razon.codigo for razon in of(texto).razones] == ["ARCA-CUIT-RECEPTOR"]


def test_the_words_of_one_code_do_not_vouch_for_another():
    texto = f"{DATOS} Cod. Error: #6661145.99731 - nunca visto"
    assert of(texto).clase is Clase.DESCONOCIDO


def test_the_words_of_a_companion_do_not_vouch_for_a_new_code():
    assert of("AFIP No devolvio el CAE asociado. (Cod. Error #6661141.S1300)", DATOS).clase is Clase.DESCONOCIDO


def test_a_known_code_with_words_of_another_kind_is_not_deleted():
    assert of("Cod. Error: #6661145.10032 - Los servicios de AFIP no responden").accion is Accion.REENVIAR


def test_a_number_that_looks_like_a_code_is_none():
    assert of("El cliente 10032 tiene un problema").clase is Clase.DESCONOCIDO


# -- properties


@given(st.lists(KNOWN), UNSEEN, st.data())
def test_a_line_that_nobody_has_seen_never_lets_it_be_touched(mensajes, unseen, data):
    assume(all(built_in().by_codigo(codigo) is None for codigo in codes_in(unseen)))
    place = data.draw(st.integers(0, len(mensajes)))
    decision = of(*mensajes[:place], unseen, *mensajes[place:])
    assert (decision.clase, decision.accion) == (Clase.DESCONOCIDO, Accion.REVISAR)


@given(st.lists(KNOWN | UNSEEN), st.randoms(use_true_random=False))
def test_the_order_and_the_repetition_of_the_lines_never_matter(mensajes, random):
    shuffled = [*mensajes, *mensajes[:2]]
    random.shuffle(shuffled)
    assert of(*shuffled) == of(*mensajes)


@given(st.lists(KNOWN | UNSEEN))
def test_it_is_deleted_only_if_every_line_that_decides_is_of_data(mensajes):
    decision = of(*mensajes)
    clases = {razon.clase for razon in decision.razones}
    assert (decision.accion is Accion.ELIMINAR) == (clases == {Clase.DATOS})
    assert (decision.accion is Accion.CAMBIAR_FECHA) == (clases == {Clase.FECHA})


@given(st.lists(KNOWN), st.lists(st.sampled_from(COMPANIONS)))
def test_companions_change_nothing_beside_a_specific_line(mensajes, companions):
    assume(set(mensajes) - set(COMPANIONS))
    assert of(*mensajes, *companions) == of(*mensajes)
