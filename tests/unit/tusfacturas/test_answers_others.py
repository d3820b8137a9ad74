"""The answers to the other calls: one comprobante, the queue, the queries; and the reasons in all of them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from tests.unit.tusfacturas.respuestas import (
    lote,
    respuesta,
)

from tusfacturas.answers import (
    read_borrado,
    read_consulta,
    read_consumo,
    read_nuevo,
    read_operacion,
    read_servicios,
)
from tusfacturas.outcomes import (
    Aceptado,
    BorradoParcial,
    ComprobanteRechazado,
    Consulta,
    Consumo,
    CredencialesRechazadas,
    Encontrado,
    Hecho,
    NoEncontrado,
    Rechazado,
    RespuestaIlegible,
    Servicios,
    SinCupo,
)


class TestNuevo:
    @pytest.mark.parametrize("eco", [{}, {"external_reference": None}, {"external_reference": ""}])
    def test_a_yes_that_names_nobody_is_ours(self, eco):
        assert read_nuevo(respuesta({"error": "N", "errores": [""], **eco}), "A") == Aceptado("A")

    @pytest.mark.parametrize(("ref", "eco"), [("A", "A"), ("A", " A "), ("17032", 17032), ("0017", 17)])
    def test_a_yes_that_names_ours_is_ours(self, ref, eco):
        assert read_nuevo(respuesta({"error": "N", "external_reference": eco}), ref) == Aceptado(ref)

    @pytest.mark.parametrize("error", ["N", "S"])
    @pytest.mark.parametrize("eco", ["B", "a", 17])
    def test_an_answer_that_names_another_says_nothing_of_ours(self, error, eco):
        datos = {"error": error, "errores": ["mal"], "external_reference": eco}
        assert isinstance(read_nuevo(respuesta(datos), "A"), RespuestaIlegible)

    def test_a_no_with_reasons_refuses_the_comprobante(self):
        resultado = read_nuevo(respuesta({"error": "S", "errores": ["mal"], "external_reference": "A"}), "A")
        assert resultado == ComprobanteRechazado("El proveedor rechazó el comprobante (HTTP 200): mal", ("mal",))

    @pytest.mark.parametrize("datos", [{}, {"error": "X"}, {"error": "S"}, {"error": "S", "errores": ["timeout"]}])
    def test_anything_else_is_uncertain(self, datos):
        assert isinstance(read_nuevo(respuesta(datos), "A"), RespuestaIlegible)


class TestQueueOperations:
    def test_a_yes_is_done(self):
        assert read_operacion(respuesta({"error": "N", "errores": []})) == Hecho()

    @pytest.mark.parametrize("leer", [read_operacion, read_borrado])
    def test_what_is_not_in_the_queue_is_not_found(self, leer):
        resultado = leer(respuesta({"error": "S", "errores": ["No se han encontrado comprobantes."]}))
        assert type(resultado) is NoEncontrado
        assert resultado.errores == ("No se han encontrado comprobantes.",)

    @pytest.mark.parametrize("leer", [read_operacion, read_borrado])
    @pytest.mark.parametrize(
        ("datos", "clase"),
        [
            ({"error": "S", "errores": ["La fecha no vale."]}, Rechazado),
            ({"error": "S", "errores": ["No posee cupo"]}, SinCupo),
            ({"error": "S", "errores": ["Credenciales incorrectas"]}, CredencialesRechazadas),
            ({"error": "S", "errores": ["Error interno"]}, RespuestaIlegible),
            ({"error": "S", "errores": ["No se han encontrado comprobantes.", "Error interno"]}, RespuestaIlegible),
            ({"error": "S", "errores": [""]}, RespuestaIlegible),
            ({"error": "Q", "errores": ["No se han encontrado comprobantes."]}, RespuestaIlegible),
            ({}, RespuestaIlegible),
        ],
    )
    def test_a_no_is_read_by_its_texts(self, leer, datos, clase):
        assert type(leer(respuesta(datos))) is clase

    def test_parcial_is_a_word_of_eliminar_only(self):
        datos = {"error": "PARCIAL", "errores": ["uno no"], "procesados_cant": 1, "procesados": ["uno sí"]}
        assert isinstance(read_operacion(respuesta(datos)), RespuestaIlegible)
        resultado = read_borrado(respuesta(datos))
        assert type(resultado) is BorradoParcial
        assert (resultado.procesados, resultado.errores) == (("uno sí",), ("uno no",))

    @pytest.mark.parametrize("cantidad", [1, "1", 1.0])
    def test_exactly_one_deleted_is_done(self, cantidad):
        assert read_borrado(respuesta({"error": "N", "procesados_cant": cantidad, "procesados": ["x"]})) == Hecho()

    def test_one_deleted_without_the_count_is_done(self):
        assert read_borrado(respuesta({"error": "N", "procesados": ["x"]})) == Hecho()

    @pytest.mark.parametrize("cantidad", [0, 2, "2", None, "uno", True, -1])
    def test_any_other_number_deleted_is_uncertain(self, cantidad):
        datos = {"error": "N", "procesados_cant": cantidad, "procesados": ["x"]}
        assert type(read_borrado(respuesta(datos))) is BorradoParcial

    def test_an_error_that_deleted_something_is_uncertain(self):
        datos = {"error": "S", "errores": ["No se han encontrado comprobantes."], "procesados_cant": 1}
        assert type(read_borrado(respuesta(datos))) is BorradoParcial


class TestConsulta:
    def entrada(self, **campos):
        return {"cliente": {}, "comprobante": {"external_reference": "A", "status": "EMITIDO", **campos}}

    def uno(self, **campos):
        return read_consulta(
            respuesta({"error": "N", "total": 1, "comprobantes": [self.entrada(**campos)]})
        ).comprobantes[0]

    @pytest.mark.parametrize("total", [0, "0", 0.0])
    def test_total_zero_and_no_comprobantes_is_absence(self, total):
        resultado = read_consulta(respuesta({"error": "N", "total": total, "comprobantes": [], "rta": "lo que sea"}))
        assert resultado == Consulta(0, ())
        assert resultado.ausente

    @pytest.mark.parametrize(
        "datos",
        [
            {"error": "N", "comprobantes": []},
            {"error": "N", "total": None, "comprobantes": []},
            {"error": "N", "total": "", "comprobantes": []},
            {"error": "N", "total": False, "comprobantes": []},
            {"error": "N", "total": [], "comprobantes": []},
            {"error": "N", "total": -1, "comprobantes": []},
            {"error": "N", "total": 0.5, "comprobantes": []},
            {"error": "N", "total": 1e300, "comprobantes": []},
            {"error": "N", "total": 0, "comprobantes": ["ilegible"]},
            {"error": "N", "total": 0, "comprobantes": "ilegible"},
            {"error": "N", "total": 0, "comprobantes": [], "rta": "ERROR"},
            {"error": "N", "total": 0, "comprobantes": [], "errores": ["Timeout"]},
            {"error": "S", "total": 0, "comprobantes": []},
            {"error": "S", "total": 0, "comprobantes": [], "errores": ["algo"]},
            {"total": 0, "comprobantes": []},
        ],
    )
    def test_nothing_else_passes_for_absence(self, datos):
        assert isinstance(read_consulta(respuesta(datos)), RespuestaIlegible)

    def test_comprobantes_beside_total_zero_are_kept_and_are_no_absence(self):
        resultado = read_consulta(respuesta({"error": "N", "total": 0, "comprobantes": [self.entrada()]}))
        assert not resultado.ausente
        assert len(resultado.con_referencia("A")) == 1

    def test_a_total_without_readable_comprobantes_is_no_absence(self):
        for comprobantes in ([], ["x", {"comprobante": None}, {}], None, "x"):
            resultado = read_consulta(respuesta({"error": "N", "total": "3", "comprobantes": comprobantes}))
            assert resultado == Consulta(3, ())
            assert not resultado.ausente

    def test_an_unreadable_entry_hides_no_other(self):
        datos = {"error": "N", "total": 2, "comprobantes": [None, self.entrada()]}
        assert [c.external_reference for c in read_consulta(respuesta(datos)).comprobantes] == ["A"]

    def test_an_account_in_trouble_is_told_apart(self):
        assert type(read_consulta(respuesta({"error": "S", "errores": ["Credenciales invalidas"]}))) is (
            CredencialesRechazadas
        )

    @pytest.mark.parametrize(
        ("status", "situacion"),
        [
            ("EMITIDO", "EMITIDO"),
            (" emitido ", "EMITIDO"),
            ("APROBADO Y EN COLA. SE EMITE EL 16/03/2022", "EN_COLA"),
            ("Aprobado y  en cola", "EN_COLA"),
            ("EN COLA, ESPERANDO APROBACION", "EN_COLA"),
            ("EN COLA, ESPERANDO APROBACIÓN.", "EN_COLA"),
            ("ENVIADO A PROCESAR - CON ERROR", "CON_ERROR"),
            ("ENVIADO A PROCESAR -  CON ERROR ", "CON_ERROR"),
            ("APROBADO Y EN COLA. CON ERROR", None),
            ("NO EMITIDO", None),
            ("EMITIDO CON ERROR", None),
            ("ENVIADO A PROCESAR", None),
            ("", None),
            (None, None),
            (7, None),
        ],
    )
    def test_a_status_is_read_by_the_contract_and_no_further(self, status, situacion):
        assert self.uno(status=status).situacion == situacion

    def test_a_whole_comprobante(self):
        encontrado = self.uno(
            external_reference=3303,
            tipo=" FACTURA A ",
            punto_venta="00010",
            numero="603",
            fecha="06/01/2023",
            total="12600.50",
            cae="73016074427512 ",
            vencimiento_cae="16/01/2023",
            comprobante_pdf_url=" https://www.dominio.com/6.pdf ",
        )
        assert encontrado == Encontrado(
            external_reference="3303",
            situacion="EMITIDO",
            status="EMITIDO",
            tipo="FACTURA A",
            punto_venta=10,
            fecha=date(2023, 1, 6),
            total=Decimal("12600.50"),
            numero=603,
            cae="73016074427512",
            cae_vencimiento=date(2023, 1, 16),
            pdf_url="https://www.dominio.com/6.pdf",
        )

    def test_an_issued_one_of_the_dev_plan_has_no_cae(self):
        encontrado = self.uno(cae=" ", vencimiento_cae="01/01/2000", numero=5)
        assert (encontrado.cae, encontrado.cae_vencimiento, encontrado.numero) == (None, None, 5)

    def test_a_queued_one_has_no_number_whatever_the_answer_shows(self):
        assert self.uno(status="APROBADO Y EN COLA. SE EMITE EL 16/03/2022", numero=5).numero is None

    def test_a_cae_is_shown_whatever_the_status_says(self):
        assert self.uno(status="ENVIADO A PROCESAR - CON ERROR", cae=73016074427512).cae == "73016074427512"

    @pytest.mark.parametrize("cae", ["", " ", None, "0", "00000000000000", False, 0])
    def test_what_is_no_cae_is_none(self, cae):
        assert self.uno(cae=cae).cae is None

    @pytest.mark.parametrize("valor", [None, "", " ", "mañana", 7, True, [], {}, "99/99/9999", 1e400, -(10**400)])
    def test_a_field_that_cannot_be_read_costs_only_itself(self, valor):
        cuerpo = json.dumps(
            {"error": "N", "total": 1, "comprobantes": [self.entrada(**dict.fromkeys(CAMPOS, valor))]}
        ).replace("Infinity", "1e400")
        encontrado = read_consulta(respuesta(cuerpo.encode())).comprobantes[0]
        assert encontrado.external_reference == "A"
        assert encontrado.fecha is None
        assert encontrado.cae_vencimiento is None


CAMPOS = ["fecha", "vencimiento_cae", "total", "numero", "punto_venta", "tipo", "comprobante_pdf_url"]


class TestServiciosYConsumo:
    def test_ok_is_operative(self):
        datos = {
            "error": "N",
            "facturacion": " OK",
            "prox_mantenimientos_programados": [
                {"desde": "30/05/2026 08:29", "hasta": "30/05/2026 11:29"},
                {"desde": "pronto", "hasta": "30/05/2026 11:29"},
                "basura",
            ],
        }
        ventana = (datetime(2026, 5, 30, 11, 29, tzinfo=UTC), datetime(2026, 5, 30, 14, 29, tzinfo=UTC))
        assert read_servicios(respuesta(datos)) == Servicios(operativo=True, alerta="", mantenimientos=(ventana,))

    def test_an_alert_is_an_answer_though_error_says_s(self):
        datos = {"error": "S", "rta": "ERROR", "errores": [], "facturacion": " AFIP con errores | "}
        assert read_servicios(respuesta(datos)) == Servicios(operativo=False, alerta="AFIP con errores |")

    @pytest.mark.parametrize("datos", [{"error": "N"}, {"facturacion": "OK"}, {"error": "S", "facturacion": ""}])
    def test_services_that_are_not_told_are_not_guessed(self, datos):
        assert isinstance(read_servicios(respuesta(datos)), RespuestaIlegible)

    def test_consumption_is_given_as_it_is(self):
        datos = {
            "error": "N",
            "abonos_pendientes": "21",
            "comprobantes_generados": 12,
            "comprobantes_cupo": 100,
            "comprobantes_disponibles": -3,
        }
        assert read_consumo(respuesta(datos)) == Consumo(cupo=100, generados=12, disponibles=-3, abonos_pendientes=21)
        assert isinstance(read_consumo(respuesta({**datos, "comprobantes_cupo": "?"})), RespuestaIlegible)
        assert isinstance(read_consumo(respuesta({**datos, "error": "S", "errores": ["No posee cupo"]})), SinCupo)


class TestErrores:
    @pytest.mark.parametrize(
        ("errores", "leidos"),
        [
            (["  uno ", "dos", "", None, 7], ("uno", "dos")),
            ("uno", ("uno",)),
            ({"0": "uno", "3": "dos"}, ("uno", "dos")),
            (["uno", "uno"], ("uno",)),
            ([" con  espacios \u00e1\ud800"], ("con  espacios á?",)),
        ],
    )
    def test_errores_come_in_any_of_phps_shapes(self, errores, leidos):
        assert lote({"error": "S", "errores": errores}, "A").errores == leidos

    def test_a_code_is_put_before_the_text_it_belongs_to_and_errores_stays_the_authority(self):
        datos = {
            "error": "S",
            "errores": ["La referencia no vale. ", "TFC-1: ya lo dice", "sin código"],
            "error_details": [
                {"code": "TFC-8002", "text": "La referencia no vale."},
                {"code": "TFC-1", "text": "TFC-1: ya lo dice"},
                {"code": "TFC-9", "text": "otra cosa"},
                {"code": 4, "text": "sin código"},
                "basura",
            ],
        }
        assert read_nuevo(respuesta(datos), "A").errores == (
            "TFC-8002: La referencia no vale.",
            "TFC-1: ya lo dice",
            "sin código",
        )

    def test_details_are_read_where_errores_is_empty(self):
        datos = {"error": "S", "errores": [""], "error_details": [{"code": "TFC-6001", "text": "El cliente"}]}
        assert read_nuevo(respuesta(datos), "A").errores == ("TFC-6001: El cliente",)

    def test_texts_are_bounded(self):
        resultado = lote({"error": "S", "errores": [f"{n} " + "x" * 5000 for n in range(500)]}, "A")
        assert len(resultado.errores) == 200
        assert max(map(len, resultado.errores)) == 1000
