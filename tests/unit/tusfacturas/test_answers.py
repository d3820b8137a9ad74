"""The answer to a lote. Where the contract gives no certainty, the outcome is uncertain."""

from __future__ import annotations

import pytest
from tests.unit.tusfacturas.respuestas import (
    aceptada,
    clases,
    lote,
    rechazada,
    respuesta,
)

from tusfacturas.answers import (
    read_lote,
    read_nuevo,
)
from tusfacturas.outcomes import (
    CredencialesRechazadas,
    Culpable,
    LoteRechazado,
    RespuestaIlegible,
    SinCupo,
    SinMencion,
    SinWebhook,
)


class TestLoteByReference:
    def test_an_outcome_is_matched_by_reference_and_never_by_position(self):
        datos = {"error": "S", "errores": ["x"], "response": [aceptada("C"), rechazada("A", "mal"), aceptada("B")]}
        assert clases(lote(datos, "A", "B", "C")) == {
            "A": "ComprobanteRechazado",
            "B": "Aceptado",
            "C": "Aceptado",
        }

    def test_a_numeric_reference_that_comes_back_as_a_number_is_the_one_sent(self):
        assert clases(lote({"error": "N", "response": [aceptada(17032)]}, "17032", "A1")) == {
            "17032": "Aceptado",
            "A1": "SinMencion",
        }

    @pytest.mark.parametrize("eco", [" A1", "A1 ", "\tA1\n"])
    def test_spaces_around_a_reference_do_not_matter(self, eco):
        assert clases(lote({"error": "N", "response": [aceptada(eco)]}, "A1")) == {"A1": "Aceptado"}

    @pytest.mark.parametrize(
        ("enviada", "eco"),
        [
            ("0017", "17"),
            ("-5", "-5"),
            ("12E4", "120000.0"),
            ("12e4", "120000"),
            ("98765432109876543210", "9.876543210987654e+19"),
        ],
    )
    def test_a_reference_that_the_provider_turned_into_a_number_is_found_by_value(self, enviada, eco):
        cuerpo = b'{"error": "N", "response": [{"error": "N", "external_reference": %s}]}' % eco.encode()
        assert clases(lote(cuerpo, enviada, "A")) == {enviada: "Aceptado", "A": "SinMencion"}

    def test_a_number_that_two_references_could_have_become_names_neither(self):
        datos = {"error": "N", "response": [aceptada(17)]}
        assert clases(lote(datos, "0017", "017")) == {"0017": "SinMencion", "017": "SinMencion"}
        assert clases(lote(datos, "17", "017")) == {"17": "SinMencion", "017": "SinMencion"}

    def test_text_is_never_matched_by_value(self):
        assert clases(lote({"error": "N", "response": [aceptada("17")]}, "0017")) == {"0017": "SinMencion"}

    def test_references_differ_by_case(self):
        assert clases(lote({"error": "N", "response": [aceptada("a1")]}, "A1")) == {"A1": "SinMencion"}

    @pytest.mark.parametrize("eco", [None, True, False, 1.5, [], {}, "", ["A1"], {"A1": 1}])
    def test_an_entry_that_names_nothing_counts_for_nobody(self, eco):
        assert clases(lote({"error": "N", "response": [aceptada(eco)]}, "A1", "1")) == {
            "A1": "SinMencion",
            "1": "SinMencion",
        }

    def test_a_reference_unknown_to_us_is_ignored(self):
        datos = {"error": "N", "response": [aceptada("OTRA"), aceptada("A1")]}
        assert clases(lote(datos, "A1")) == {"A1": "Aceptado"}

    @pytest.mark.parametrize("basura", [None, "x", 7, [], True])
    def test_an_entry_that_is_no_object_hides_no_other(self, basura):
        assert clases(lote({"error": "N", "response": [basura, aceptada("A1")]}, "A1")) == {"A1": "Aceptado"}

    def test_a_list_with_gaps_that_php_sends_as_an_object_is_read(self):
        datos = {"error": "S", "errores": ["x"], "response": {"0": aceptada("A"), "2": rechazada("B", "mal")}}
        assert clases(lote(datos, "A", "B")) == {"A": "Aceptado", "B": "ComprobanteRechazado"}

    def test_a_byte_that_is_not_utf8_does_not_cost_the_lote(self):
        cuerpo = (
            b'\xef\xbb\xbf{"error": "N", "response": [{"error": "N", "external_reference": "A", "rta": "acci\xf3n"}]}'
        )
        assert clases(lote(cuerpo, "A")) == {"A": "Aceptado"}


class TestLoteContradictions:
    def test_a_reference_accepted_and_refused_is_uncertain(self):
        datos = {"error": "S", "errores": ["x"], "response": [aceptada("A"), rechazada("A", "mal"), aceptada("B")]}
        assert clases(lote(datos, "A", "B")) == {"A": "RespuestaIlegible", "B": "Aceptado"}

    def test_a_reference_told_twice_the_same_keeps_its_outcome(self):
        datos = {"error": "S", "errores": ["x"], "response": [aceptada("A"), aceptada("A")]}
        assert clases(lote(datos, "A")) == {"A": "Aceptado"}

    def test_a_reference_refused_twice_keeps_all_reasons(self):
        datos = {"error": "S", "errores": ["x"], "response": [rechazada("A", "uno"), rechazada("A", "dos", "uno")]}
        assert lote(datos, "A").resultados["A"].errores == ("uno", "dos")

    @pytest.mark.parametrize("error", [None, "", "n", "s", "SI", "PARCIAL", True, 0, ["N"]])
    def test_an_entry_without_a_clear_yes_or_no_is_uncertain(self, error):
        datos = {"error": "N", "response": [{"error": error, "external_reference": "A"}]}
        assert clases(lote(datos, "A")) == {"A": "RespuestaIlegible"}

    def test_an_entry_without_error_is_uncertain(self):
        assert clases(lote({"error": "N", "response": [{"external_reference": "A"}]}, "A")) == {
            "A": "RespuestaIlegible"
        }

    def test_a_reference_accepted_beside_an_unclear_entry_is_uncertain(self):
        datos = {"error": "N", "response": [aceptada("A"), {"external_reference": "A"}]}
        assert clases(lote(datos, "A")) == {"A": "RespuestaIlegible"}

    def test_more_acceptances_than_the_answer_declares_are_not_believed(self):
        texto = "El lote no se procesara ya que contiene errores en todos sus requests. Se enviaron a procesar: 2 "
        datos = {
            "error": "S",
            "errores": [texto + "requests y se aceptaron procesar: 0. "],
            "response": [aceptada("A"), rechazada("B", "mal")],
        }
        assert clases(lote(datos, "A", "B")) == {"A": "RespuestaIlegible", "B": "ComprobanteRechazado"}

    def test_an_unfinished_operation_is_no_refusal_of_an_entry(self):
        entrada = {"error": "S", "errores": ["Error interno. Intentá nuevamente."], "external_reference": "A"}
        assert clases(lote({"error": "S", "response": [entrada]}, "A")) == {"A": "RespuestaIlegible"}
        entrada["rta"] = "Eror. No se procesara"
        assert clases(lote({"error": "S", "response": [entrada]}, "A")) == {"A": "ComprobanteRechazado"}


class TestLoteByOrder:
    """The only place where a position counts: a refusal whose reference came back changed."""

    MENSAJE = (
        "El request enviado en el orden {} (comenzando en 0) incluye un comprobante con un external_reference no "
        "valido.  Este request no se procesara."
    )

    def test_a_refusal_with_a_mangled_reference_is_placed_by_its_order(self):
        datos = {"error": "S", "errores": ["x"], "response": [aceptada("B"), rechazada("??", self.MENSAJE.format(0))]}
        assert clases(lote(datos, "A", "B")) == {"A": "ComprobanteRechazado", "B": "Aceptado"}

    def test_an_acceptance_is_never_placed_by_its_order(self):
        entrada = {**aceptada("??"), "errores": [self.MENSAJE.format(0)]}
        assert clases(lote({"error": "S", "errores": ["x"], "response": [entrada]}, "A")) == {"A": "SinMencion"}

    def test_an_order_does_not_overrule_what_was_told_by_reference(self):
        datos = {"error": "S", "errores": ["x"], "response": [rechazada("??", self.MENSAJE.format(0)), aceptada("A")]}
        assert clases(lote(datos, "A")) == {"A": "Aceptado"}

    def test_an_order_beyond_the_lote_places_nothing(self):
        datos = {"error": "S", "errores": ["x"], "response": [rechazada("??", self.MENSAJE.format(9))]}
        assert clases(lote(datos, "A")) == {"A": "SinMencion"}

    def test_two_orders_in_one_entry_place_nothing(self):
        entrada = rechazada("??", self.MENSAJE.format(0), self.MENSAJE.format(1))
        assert clases(lote({"error": "S", "errores": ["x"], "response": [entrada]}, "A", "B")) == {
            "A": "SinMencion",
            "B": "SinMencion",
        }


class TestLoteWhole:
    ORDEN_1 = (
        "El request enviado en el orden 1 (comenzando en 0) tiene el numero de comprobante y todos deben venir en "
        "cero. El lote no se procesara."
    )

    @pytest.mark.parametrize("response", [{}, {"response": []}, {"response": None}, {"response": {}}])
    def test_an_error_without_entries_is_a_definite_refusal_with_its_culprits(self, response):
        resultado = lote({"error": "S", "errores": [self.ORDEN_1], **response}, "A", "B", "C")
        assert isinstance(resultado, LoteRechazado)
        assert resultado.culpables == (Culpable(1, self.ORDEN_1),)
        assert resultado.errores == (self.ORDEN_1,)

    def test_every_culprit_is_told(self):
        errores = [self.ORDEN_1, self.ORDEN_1.replace("orden 1", "orden 0")]
        resultado = lote({"error": "S", "errores": errores}, "A", "B")
        assert [c.orden for c in resultado.culpables] == [1, 0]

    def test_an_order_beyond_the_lote_is_no_culprit(self):
        assert lote({"error": "S", "errores": [self.ORDEN_1]}, "A").culpables == ()

    def test_a_refusal_without_a_readable_culprit_is_still_definite(self):
        resultado = lote({"error": "S", "errores": ["Sin comprobantes."], "response": []}, "A")
        assert isinstance(resultado, LoteRechazado)
        assert resultado.culpables == ()

    @pytest.mark.parametrize(
        "texto",
        [
            "El lote se procesara parcialmente ya que contiene errores en alguno de sus requests.",
            "El lote se procesará parcialmente.",
            "Se enviaron a procesar: 3 requests y se aceptaron procesar: 2. ",
            "El request enviado en el orden 0 (comenzando en 0) no es valido.  Este request no se procesara.",
            "Timeout al procesar el lote",
            "Se agotó el tiempo de espera",
            "El lote se encuentra en proceso",
            "Seguimos procesando su pedido",
            "Error interno",
            "Ocurrió un error inesperado",
            "Intente nuevamente más tarde",
            "Por favor, volvé a intentar en unos minutos",
        ],
    )
    def test_a_refusal_that_smells_of_an_effect_is_uncertain(self, texto):
        assert isinstance(lote({"error": "S", "errores": [texto], "response": []}, "A"), RespuestaIlegible)

    def test_a_culprit_does_not_make_certain_what_smells_of_an_effect(self):
        resultado = lote({"error": "S", "errores": [self.ORDEN_1, "Error interno"], "response": []}, "A", "B")
        assert isinstance(resultado, RespuestaIlegible)

    @pytest.mark.parametrize("errores", [[], [""], [" "], None, "", [None], [{}], {"a": "b"}])
    def test_an_error_without_any_reason_is_uncertain(self, errores):
        assert isinstance(lote({"error": "S", "errores": errores, "response": []}, "A"), RespuestaIlegible)

    @pytest.mark.parametrize("response", ["texto", 7, True, {"error": "N"}])
    def test_an_error_with_a_response_that_cannot_be_read_is_uncertain(self, response):
        resultado = lote({"error": "S", "errores": [self.ORDEN_1], "response": response}, "A", "B")
        assert isinstance(resultado, RespuestaIlegible)

    @pytest.mark.parametrize(
        ("texto", "clase"),
        [
            ("No posee cupo disponible para enviar el lote.", SinCupo),
            ("Su suscripción no se encuentra activa.", SinCupo),
            ("El abono se encuentra vencido.", SinCupo),
            ("Tu plan está suspendido", SinCupo),
            ("La apikey enviada es incorrecta", CredencialesRechazadas),
            ("El apitoken no es valido", CredencialesRechazadas),
            ("Usertoken inexistente", CredencialesRechazadas),
            ("Credenciales inválidas", CredencialesRechazadas),
            ("Token invalido", CredencialesRechazadas),
            ("El punto de venta no posee una direccion de webhook valida", SinWebhook),
        ],
    )
    def test_a_refusal_of_the_account_is_told_apart(self, texto, clase):
        for lector in (lambda r: read_lote(r, ["A", "B"]), lambda r: read_nuevo(r, "A")):
            resultado = lector(respuesta({"error": "S", "errores": [texto]}))
            assert type(resultado) is clase
            assert texto in resultado.detalle

    def test_a_culprit_is_a_culprit_though_its_message_names_the_account(self):
        texto = self.ORDEN_1.replace("numero de comprobante", "plan vencido")
        assert isinstance(lote({"error": "S", "errores": [texto]}, "A", "B"), LoteRechazado)

    @pytest.mark.parametrize("response", [{}, {"response": []}, {"response": "?"}])
    def test_a_yes_without_entries_mentions_nobody(self, response):
        assert clases(lote({"error": "N", "errores": [], **response}, "A", "B")) == {
            "A": "SinMencion",
            "B": "SinMencion",
        }

    @pytest.mark.parametrize("error", [{}, {"error": None}, {"error": "X"}, {"error": ["S"]}])
    def test_without_a_clear_top_level_only_usable_entries_count(self, error):
        assert isinstance(lote({**error, "errores": ["mal"]}, "A"), RespuestaIlegible)
        assert isinstance(lote({**error, "response": [aceptada("OTRA")]}, "A"), RespuestaIlegible)
        assert clases(lote({**error, "response": [aceptada("A")]}, "A", "B")) == {"A": "Aceptado", "B": "SinMencion"}


def test_a_silent_reference_says_so_in_plain_spanish():
    resultado = lote({"error": "N", "response": []}, "A")
    assert resultado.resultados["A"] == SinMencion("La respuesta al lote no menciona A (HTTP 200).")
