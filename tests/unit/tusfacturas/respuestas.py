"""Answers for the tests: built in a line, read in a word."""

from __future__ import annotations

import json

from tusfacturas.answers import (
    read_borrado,
    read_consulta,
    read_consumo,
    read_lote,
    read_operacion,
    read_servicios,
)
from tusfacturas.outcomes import (
    LoteProcesado,
)
from tusfacturas.respuesta import Respuesta

APITOKEN, APIKEY, USERTOKEN = "tk0123456789abcdefghijklmnopqrstu", "1134", "ut0123456789abcdefghijklmnopqrst"
SECRETOS = (APITOKEN, APIKEY, USERTOKEN)
LECTORES = [read_operacion, read_borrado, read_consulta, read_servicios, read_consumo]


def respuesta(datos, status=200):
    cuerpo = datos if isinstance(datos, bytes) else json.dumps(datos).encode()
    return Respuesta(status, cuerpo, SECRETOS)


def lote(datos, *referencias, status=200):
    return read_lote(respuesta(datos, status), referencias)


def aceptada(ref):
    return {"error": "N", "errores": [], "external_reference": ref, "cae": " "}


def rechazada(ref, *errores):
    return {"error": "S", "errores": list(errores), "external_reference": ref, "rta": "Eror. No se procesara"}


def clases(resultado):
    assert isinstance(resultado, LoteProcesado)
    return {ref: type(res).__name__ for ref, res in resultado.resultados.items()}
