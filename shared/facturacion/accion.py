"""What can be done about a comprobante in error, and who does it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

MOTIVO_MAX = 300
"""Characters kept of a reason."""


class Accion(StrEnum):
    """What can be done about a comprobante in error."""

    REENVIAR = "reenviar"
    CAMBIAR_FECHA = "cambiar_fecha"
    ELIMINAR = "eliminar"
    DESISTIR = "desistir"
    """A person's only: it is not to be issued. What the provider has of it is deleted; then nothing more is done."""


def write_decision(accion: Accion, fecha: date | None = None) -> str:
    """A person's decision as the asiento keeps it: `eliminar`, `cambiar_fecha:2026-11-22`."""
    return str(accion) if fecha is None else f"{accion}:{fecha.isoformat()}"


@dataclass(frozen=True, slots=True)
class Autor:
    """Who acts, and why: a run (the execution's name), or a person (the ARN that the caller gave as its own).

    `solicitud`: of a person, the request id of the invocation. CloudTrail proves who made it.
    """

    quien: str
    motivo: str
    solicitud: str = ""
