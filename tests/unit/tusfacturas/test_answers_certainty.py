"""What holds for every answer: its status, its secrets, and that nothing is believed beyond what it says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.unit.tusfacturas.respuestas import (
    APIKEY,
    APITOKEN,
    LECTORES,
    USERTOKEN,
    aceptada,
    clases,
    lote,
    rechazada,
    respuesta,
)

from tusfacturas.answers import (
    read_borrado,
    read_consulta,
    read_consumo,
    read_lote,
    read_nuevo,
    read_operacion,
    read_servicios,
)
from tusfacturas.outcomes import (
    Aceptado,
    Consulta,
    Consumo,
    CredencialesRechazadas,
    EnMantenimiento,
    ErrorDelServidor,
    Hecho,
    Incierto,
    Limitado,
    LoteProcesado,
    NoEnviado,
    PeticionInvalida,
    Problema,
    Rechazado,
    RespuestaIlegible,
    Servicios,
    TiempoAgotado,
)

POR_STATUS = {
    400: PeticionInvalida,
    401: CredencialesRechazadas,
    403: CredencialesRechazadas,
    404: PeticionInvalida,
    405: PeticionInvalida,
    413: PeticionInvalida,
    429: Limitado,
    524: TiempoAgotado,
}


class TestStatus:
    @pytest.mark.parametrize("status", [*range(201, 209), *range(300, 309), *range(400, 432), *range(500, 531), 999])
    @pytest.mark.parametrize("cuerpo", [b"", b"<html><h1>Oops</h1></html>", b'{"error": "S", "errores": ["mal"]}'])
    def test_every_status_but_200_decides_by_itself(self, status, cuerpo):
        for leer in (lambda r: read_lote(r, ["A"]), lambda r: read_nuevo(r, "A"), *LECTORES):
            resultado = leer(respuesta(cuerpo, status))
            assert type(resultado) is POR_STATUS.get(status, ErrorDelServidor)
            assert f"HTTP {status}" in resultado.detalle

    @pytest.mark.parametrize("status", POR_STATUS)
    @pytest.mark.parametrize("datos", [{"error": "N"}, {"error": "S", "response": [aceptada("A")]}])
    def test_a_status_that_denies_what_its_body_accepts_is_never_certain(self, status, datos):
        assert isinstance(lote(datos, "A", status=status), Incierto)

    @pytest.mark.parametrize("status", [200, 400, 403, 429, 500, 503, 524])
    @pytest.mark.parametrize("marca", [1, "1", True])
    def test_maintenance_is_certain_with_any_status(self, status, marca):
        datos = {
            "error": "S",
            "mantenimiento": marca,
            "mantenimiento_hasta": "26/07/2026 05:25",
            "errores": ["a las 5"],
        }
        for leer in (lambda r: read_lote(r, ["A"]), lambda r: read_nuevo(r, "A"), *LECTORES):
            resultado = leer(respuesta(datos, status))
            assert type(resultado) is EnMantenimiento
            assert resultado.hasta == datetime(2026, 7, 26, 8, 25, tzinfo=UTC)
            assert "a las 5" in resultado.detalle

    @pytest.mark.parametrize("hasta", [None, "", "mañana", "31/12/9999 23:59", 5])
    def test_maintenance_until_who_knows(self, hasta):
        resultado = lote({"error": "S", "mantenimiento": 1, "mantenimiento_hasta": hasta}, "A")
        assert type(resultado) is EnMantenimiento
        assert resultado.hasta is None

    @pytest.mark.parametrize("marca", [0, "0", False, None, "", [], 2])
    def test_no_maintenance(self, marca):
        datos = {"error": "N", "mantenimiento": marca, "response": [aceptada("A")]}
        assert clases(lote(datos, "A")) == {"A": "Aceptado"}

    def test_a_maintenance_that_accepts_something_is_read_by_its_entries(self):
        datos = {"error": "S", "mantenimiento": 1, "errores": ["x"], "response": [aceptada("A")]}
        assert clases(lote(datos, "A", "B")) == {"A": "Aceptado", "B": "SinMencion"}

    @pytest.mark.parametrize(
        "cuerpo",
        [
            b"",
            b"null",
            b"[]",
            b'"N"',
            b"1",
            b"<html>ok</html>",
            b'{"error": "N"',
            b'{"error": "N", "x": NaN}',
            b"\xff\xfe",
            b"[" * 100_000,
            b'{"error": "N", "x": ' + b"9" * 5000 + b"}",
            b'{"error": "N", "x": 1e99999999999999999999}',
        ],
        ids=lambda c: c[:12].decode("latin-1"),
    )
    def test_a_200_that_is_no_json_object_is_uncertain(self, cuerpo):
        for leer in (lambda r: read_lote(r, ["A"]), lambda r: read_nuevo(r, "A"), *LECTORES):
            assert type(leer(respuesta(cuerpo))) is RespuestaIlegible


class TestSecretos:
    ECO = f"apikey {APIKEY}, apitoken={APITOKEN}; usertoken:{USERTOKEN.upper()} 11345"

    @pytest.mark.parametrize("status", [200, 400, 401, 500, 524])
    @pytest.mark.parametrize(
        "datos",
        [
            {"error": "S", "errores": [ECO]},
            {"error": "S", "errores": [ECO + " timeout"]},
            {"error": "S", "errores": [f"El request enviado en el orden 0 (comenzando en 0) {ECO}"]},
            {"error": "S", "errores": ["x"], "response": [rechazada("A", ECO)]},
            {"error": "S", "mantenimiento": 1, "errores": ECO},
            {"error": "PARCIAL", "errores": [ECO], "procesados": [ECO], "procesados_cant": 1},
            {"error": "S", "facturacion": ECO},
            {"error": "N", "total": 1, "comprobantes": [{"comprobante": {"status": ECO, "tipo": ECO}}]},
            f"<html><body>{ECO}</body></html>".encode(),
        ],
    )
    def test_an_echo_of_the_credentials_comes_out_in_nothing(self, datos, status):
        for leer in (lambda r: read_lote(r, ["A"]), lambda r: read_nuevo(r, "A"), *LECTORES):
            visto = repr(leer(respuesta(datos, status)))
            assert APITOKEN not in visto
            assert USERTOKEN not in visto.lower()
            assert f" {APIKEY}," not in visto

    def test_redaction_comes_before_the_cut(self):
        texto = "x" * (200 - len(APITOKEN) // 2) + APITOKEN
        detalle = lote({"error": "S", "errores": [texto]}, "A").detalle
        assert APITOKEN[:6] not in detalle

    def test_a_short_apikey_does_not_blot_out_other_numbers(self):
        resultado = lote({"error": "S", "errores": ["El CUIT 30113412345 no coincide con 1134."]}, "A")
        assert resultado.errores == ("El CUIT 30113412345 no coincide con ***.",)

    def test_redaction_does_not_disturb_what_is_read(self):
        texto = f"El request enviado en el orden {APIKEY} (comenzando en 0) no vale. El lote no se procesara."
        resultado = lote({"error": "S", "errores": [texto]}, *[f"R{n}" for n in range(1200)])
        assert [c.orden for c in resultado.culpables] == [int(APIKEY)]
        assert clases(lote({"error": "N", "response": [aceptada(APIKEY)]}, APIKEY)) == {APIKEY: "Aceptado"}

    def test_an_answer_shows_neither_its_body_nor_secrets(self):
        assert repr(respuesta({"cliente": "Juan"})) == "Respuesta(status=200)"

    def test_a_detail_quotes_at_most_200_characters_of_text_without_markup(self):
        html = "<html><style>b{}</style><script>x()</script><h1>524:\n a timeout</h1>" + "y" * 900
        detalle = lote(html.encode(), "A", status=524).detalle
        assert detalle.startswith("El proveedor no llegó a responder y sigue procesando (HTTP 524): 524: a timeout yyy")
        assert len(detalle) < 300


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda hijos: st.lists(hijos, max_size=4) | st.dictionaries(st.text(max_size=8), hijos, max_size=4),
    max_leaves=12,
)
REFERENCIAS = ("A1", "17", "0017", "12E4", "98765432109876543210", "M-1")
ecos = st.sampled_from(
    [*REFERENCIAS, " A1", 17, "017", 120000.0, 9.876543210987654e19, "OTRA", "a1", None, True, 17.5, ["A1"]]
)
flags = st.sampled_from(["N", "S", "n", "", None, True, "PARCIAL"]) | json_values
textos = st.sampled_from(
    [
        "",
        "mal",
        "timeout",
        "webhook",
        "No posee cupo",
        "apikey",
        "Este request no se procesara.",
        "El lote se procesara parcialmente",
        "Se enviaron a procesar: 3 requests y se aceptaron procesar: 1.",
        "Se enviaron a procesar: 3 requests y se aceptaron procesar: 0.",
        "El request enviado en el orden 0 (comenzando en 0) no vale. El lote no se procesara.",
        "El request enviado en el orden 4 (comenzando en 0) no vale. Este request no se procesara.",
        "No se han encontrado comprobantes.",
    ]
)
errores = st.lists(textos | json_values, max_size=3) | textos | json_values


def objeto(**campos):
    return st.fixed_dictionaries({}, optional=campos)


entradas = objeto(error=flags, external_reference=ecos | json_values, errores=errores, rta=textos)
respuestas = objeto(
    error=flags,
    errores=errores,
    response=st.lists(entradas | json_values, max_size=6)
    | st.dictionaries(st.sampled_from("0123x"), entradas, max_size=3)
    | json_values,
    mantenimiento=st.sampled_from([0, 1, "1", True]),
    mantenimiento_hasta=textos,
    error_details=st.lists(objeto(code=textos, text=textos) | json_values, max_size=2),
    rta=textos,
    total=st.integers(-2, 3) | json_values,
    comprobantes=st.lists(objeto(comprobante=objeto(status=textos, cae=json_values) | json_values), max_size=2)
    | json_values,
    procesados_cant=st.integers(-1, 3) | json_values,
    procesados=errores,
    facturacion=errores,
)
statuses = st.sampled_from([200, 200, 200, 200, 204, 302, 400, 401, 413, 429, 500, 524])


def nombra(eco, ref):
    """Whether `eco` may be said to name `ref`, told independently of the reader."""
    if isinstance(eco, str):
        return eco.strip() == ref
    if isinstance(eco, bool) or not isinstance(eco, (int, float)):
        return False
    try:
        return float(ref) == float(eco)
    except (ValueError, OverflowError):
        return False


class TestProperties:
    @given(respuestas | json_values, statuses)
    @example({"error": "S", "errores": ["mal"], "response": [aceptada("A1")]}, 429)
    def test_no_answer_to_a_lote_is_believed_beyond_what_it_says(self, datos, status):
        resultado = lote(datos, *REFERENCIAS, status=status)
        assert isinstance(resultado, (LoteProcesado, NoEnviado, Incierto))
        response = datos.get("response") if isinstance(datos, dict) else None
        listado = list(response.values()) if isinstance(response, dict) else response
        dichas = [e for e in listado if isinstance(e, dict)] if isinstance(listado, list) else []
        if isinstance(resultado, NoEnviado):
            assert not response
            assert datos == {} or not isinstance(datos, dict) or datos.get("error") != "N"
        if isinstance(resultado, LoteProcesado):
            assert status == 200
            assert tuple(resultado.resultados) == REFERENCIAS
            for ref, res in resultado.resultados.items():
                suyas = [e.get("error") for e in dichas if nombra(e.get("external_reference"), ref)]
                if isinstance(res, Aceptado):
                    assert res == Aceptado(ref)
                    assert suyas and set(map(str, suyas)) == {"N"}
                elif isinstance(res, Rechazado):
                    assert "N" not in suyas
                    assert any(e.get("error") == "S" for e in dichas)

    @given(respuestas | json_values, statuses)
    def test_no_answer_to_any_other_call_raises(self, datos, status):
        r = respuesta(datos, status)
        assert isinstance(read_nuevo(r, "A1"), (Aceptado, Problema))
        assert isinstance(read_operacion(r), (Hecho, Problema))
        assert isinstance(read_borrado(r), (Hecho, Problema))
        assert isinstance(read_servicios(r), (Servicios, Problema))
        assert isinstance(read_consumo(r), (Consumo, Problema))
        consulta = read_consulta(r)
        assert isinstance(consulta, (Consulta, Problema))
        if isinstance(consulta, Consulta) and consulta.ausente:
            assert status == 200
            assert datos["error"] == "N"
            assert float(datos["total"]) == 0
            assert not datos.get("comprobantes")

    @given(st.binary(max_size=60), statuses)
    def test_no_bytes_raise(self, cuerpo, status):
        assert isinstance(lote(cuerpo, "A1", status=status), (LoteProcesado, NoEnviado, Incierto))

    @given(st.permutations([aceptada("A1"), rechazada("M-1", "mal"), aceptada(120000.0), aceptada("OTRA"), "basura"]))
    def test_the_order_of_the_entries_does_not_matter(self, response):
        datos = {"error": "S", "errores": ["x"], "response": response}
        assert clases(lote(datos, "M-1", "A1", "12E4", "B")) == {
            "M-1": "ComprobanteRechazado",
            "A1": "Aceptado",
            "12E4": "Aceptado",
            "B": "SinMencion",
        }
