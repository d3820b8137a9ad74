"""What the function may be asked for: nothing half-understood decides about anything."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from facturacion.accion import Accion
from facturacion.asiento import Lugar
from operate.fields import PedidoInvalido
from operate.requests import Filtro, Listar, Pausar, Reanudar, Ver, read_request

DECIDIR = {
    "orden": "decidir",
    "accion": "eliminar",
    "motivo": "lo pidió el cliente",
    "quien": "arn:aws:iam::1:user/ana",
    "cuenta": "norte",
}


def refused(event):
    with pytest.raises(PedidoInvalido) as error:
        read_request(event)
    assert str(error.value)
    return error.value.codigo


def test_a_listing_without_more_is_of_everything_that_waits():
    assert read_request({"orden": "listar"}) == Listar(Filtro(), None, 1000)


def test_a_listing_is_filtered_and_goes_on_where_it_stopped():
    place = {"cuenta": "norte", "orden": "o", "external_reference": "A-1"}
    event = {"orden": "listar", "codigo": "AFIP-1", "prefijo": "VTA-", "mayor_de_horas": 1.5, "con_errores": True}
    asked = read_request({**event, "tras": place, "maximo": 7})
    filtro = Filtro(codigo="AFIP-1", prefijo="VTA-", mayor_de=timedelta(hours=1.5), con_errores=True)
    assert asked == Listar(filtro, Lugar("norte", "o", "A-1"), 7)


def test_a_story_is_of_one_reference_of_one_cuenta():
    assert read_request({"orden": "ver", "cuenta": "norte", "referencia": "A-1"}) == Ver("norte", "A-1")


def test_a_decision_is_read_whole():
    asked = read_request({**DECIDIR, "accion": "cambiar_fecha", "fecha": "2026-03-04", "referencias": ["B", "A", "B"]})
    assert (asked.accion, asked.fecha, asked.referencias) == (Accion.CAMBIAR_FECHA, date(2026, 3, 4), ("B", "A"))
    assert (asked.quien, asked.motivo, asked.simulacro) == (DECIDIR["quien"], DECIDIR["motivo"], False)


PAUSAR = {"orden": "pausar", "cuenta": "norte", "motivo": "cambio de precios", "quien": "ana"}


def test_a_pause_is_of_one_cuenta_or_said_to_be_of_all():
    assert read_request(PAUSAR) == Pausar("norte", None, "cambio de precios", "ana")
    everything = {**PAUSAR, "cuenta": "", "todas": True, "horas": 1.5}
    assert read_request(everything) == Pausar(None, timedelta(hours=1.5), "cambio de precios", "ana")
    assert read_request({"orden": "reanudar", "cuenta": "norte", "quien": "ana"}) == Reanudar("norte", "", "ana")


@pytest.mark.parametrize(
    ("change", "codigo"),
    [
        ({"todas": True}, "CuentaOTodas"),
        ({"cuenta": ""}, "CuentaOTodas"),
        ({"cuenta": "*"}, "AliasInvalido"),
        ({"cuenta": "Norte"}, "AliasInvalido"),
        ({"motivo": ""}, "FaltaMotivo"),
        ({"quien": ""}, "FaltaQuien"),
        ({"horas": 0}, "HorasInvalidas"),
        ({"horas": True}, "HorasInvalidas"),
        ({"horas": "dos"}, "HorasInvalidas"),
        ({"hora": 2}, "CampoDesconocido"),
    ],
)
def test_a_pause_that_cannot_be_meant_pauses_nobody(change, codigo):
    assert refused({**PAUSAR, **change}) == codigo


@pytest.mark.parametrize(
    ("change", "codigo"),
    [
        ({"orden": "borrar"}, "OrdenDesconocida"),
        ({"orden": None}, "OrdenDesconocida"),
        ({"accion": "romper"}, "AccionDesconocida"),
        ({"motivo": ""}, "FaltaMotivo"),
        ({"motivo": "  \n "}, "FaltaMotivo"),
        ({"motivo": "x" * 301}, "MotivoLargo"),
        ({"motivo": 7}, "CampoInvalido"),
        ({"quien": ""}, "FaltaQuien"),
        ({"quien": "x" * 301}, "FaltaQuien"),
        ({"fecha": "2026-03-04"}, "FechaSinCambio"),
        ({"accion": "cambiar_fecha", "fecha": "04/03/2026"}, "FechaInvalida"),
        ({"cuenta": ""}, "FaltaFiltro"),
        ({"cuenta": "", "con_errores": True}, "FaltaFiltro"),
        ({"cuenta": "", "referencias": ["A"]}, "FaltaCuenta"),
        ({"referencias": ["A"], "codigo": "X"}, "ReferenciasOFiltro"),
        ({"referencias": []}, "ReferenciasInvalidas"),
        ({"referencias": "A"}, "ReferenciasInvalidas"),
        ({"referencias": [1]}, "ReferenciasInvalidas"),
        ({"referencias": ["A"] * 1001}, "ReferenciasInvalidas"),
        ({"prefix": "VTA"}, "CampoDesconocido"),
        ({"simulacro": "no"}, "CampoInvalido"),
        ({"mayor_de_horas": -1}, "HorasInvalidas"),
        ({"mayor_de_horas": "2"}, "HorasInvalidas"),
        ({"mayor_de_horas": float("nan")}, "HorasInvalidas"),
        ({"tras": {"cuenta": "norte"}}, "LugarInvalido"),
        ({"tras": "norte"}, "LugarInvalido"),
        ({"visto": "ayer"}, "FechaInvalida"),
        ({"maximo": 0}, "MaximoInvalido"),
        ({"maximo": True}, "MaximoInvalido"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_code(change, codigo):
    assert refused({**DECIDIR, **change}) == codigo


def test_a_rehearsal_needs_neither_a_reason_nor_a_name():
    asked = read_request({**DECIDIR, "motivo": "", "quien": "", "simulacro": True})
    assert asked.simulacro


def test_a_story_needs_both_names():
    assert refused({"orden": "ver", "cuenta": "norte"}) == "CampoInvalido"
    assert refused({"orden": "ver", "referencia": "A"}) == "CampoInvalido"
