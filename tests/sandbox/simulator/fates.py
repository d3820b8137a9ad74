"""What may befall a comprobante in the queue: the markers that order it, and the provider's texts for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

REJECT, AWAIT_APPROVAL, UNDELETABLE = "SIM:RECHAZAR", "SIM:APROBACION", "SIM:NO_BORRAR"
_ERROR_MARKER = re.compile(r"SIM:ERROR=([A-Z0-9_]+)(?:\*(\d+))?")

Hasta: TypeAlias = Literal["veces", "fecha", "cuenta", "siempre"]

SIN_CAE = (
    "AFIP No devolvio el CAE asociado. (Cod. Error #6661141.S1254)",
    "AFIP No devolvio el CAE asociado. (Cod. Error #6661141.S1278)",
)
_PREFIX = " AFIP Factura electronica, informa el siguiente error: "
_HELP = " Si necesitas ayuda, contactanos"
_MAIL = f"{_HELP} en hola@tusfacturas.app"
_GENERIC = f"{_PREFIX}Cod. Error: #6661145.0 - AFIP rechazo la generacion del comprobante"


def _afip(text: str) -> tuple[str, ...]:
    """Contract §8: one specific line, the generic companion, and the two that tell there is no CAE."""
    return (f"{_PREFIX}{text}{_HELP}", f"{_GENERIC}{_HELP} ", *SIN_CAE)


def _coded(code: int, text: str) -> str:
    return f"Cod. Error: #6661145.{code} - {text}"


_NEXT = "El numero o fecha del comprobante no se corresponde con el proximo a autorizar."
_DUE = "El campo FchVtoPago no puede ser anterior a la fecha del comprobante."
_WINDOW = "El campo CbteFch debe estar comprendido en el rango N-10 y N+10 siendo N la fecha de envio del pedido"
_SERVICE = "El campo FchServDesde no puede ser posterior al campo FchServHasta."
_ASSOCIATED = "El comprobante asociado informado no se encuentra registrado."

TEXTOS: dict[str, tuple[str, ...]] = {
    "10016": _afip(_coded(10016, f"{_NEXT} Consultar metodo FECompUltimoAutorizado.")),
    "10036": (f"{_GENERIC}{_MAIL}", f"{_PREFIX}{_coded(10036, _DUE)}{_MAIL}", *SIN_CAE),
    "FECHA": _afip(f"{_WINDOW} de autorizacion."),
    "DATOS": _afip(_coded(10032, _SERVICE)),
    "10041": _afip(_coded(10041, _ASSOCIATED)),
    "DESCONOCIDO": (f"{_PREFIX}{_coded(99731, 'Situacion no prevista del padron federal.')}{_HELP}",),
    "AFIP": (f"{_PREFIX}javax.ejb.EJBTransactionRolledbackException: Transaction rolled back{_HELP}", *SIN_CAE),
    "AFIP_CAIDA": ("Los servicios de facturacion de AFIP no se encuentran operativos. Se agotaron los intentos.",),
    "CONFIG": _afip("El punto de venta no se encuentra habilitado para el presente WS."),
    "AMBIGUO": ("El comprobante existe en ARCA pero no en TusFacturas. Debe reenviarlo a procesar.",),
    "SIN_CAE": SIN_CAE,
}
"""Texts of the provider's examples where there is one; the others hold the wording its pages quote (contract §8)."""

_DEFAULTS: dict[str, tuple[Hasta, int]] = {
    "10016": ("fecha", 0),
    "10036": ("fecha", 0),
    "FECHA": ("fecha", 0),
    "DATOS": ("siempre", 0),
    "10041": ("siempre", 0),
    "DESCONOCIDO": ("siempre", 0),
    "AFIP": ("veces", 1),
    "AFIP_CAIDA": ("veces", 1),
    "CONFIG": ("cuenta", 0),
    "AMBIGUO": ("veces", 1),
    "SIN_CAE": ("veces", 1),
}
AUTHORISED = {"AMBIGUO", "SIN_CAE"}
"""Errors of a comprobante that ARCA did authorise (contract §0.1.4)."""


@dataclass(slots=True)
class Fate:
    """One error to come: its kind, and what ends it."""

    kind: str
    hasta: Hasta
    veces: int


def fates_of(comentario: str) -> list[Fate]:
    """The errors that a comentario orders, in their order; an unknown kind is a ValueError (a typo in a test)."""
    found: list[Fate] = []
    for kind, times in _ERROR_MARKER.findall(comentario):
        if kind not in _DEFAULTS:
            raise ValueError(f"no such fate: SIM:ERROR={kind}")
        hasta, veces = _DEFAULTS[kind]
        found.append(Fate(kind, "veces", int(times)) if times else Fate(kind, hasta, veces))
    return found
