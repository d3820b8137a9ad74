"""What can be done about a comprobante in error, and who does it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Accion(StrEnum):
    """What can be done about a comprobante in error."""

    REENVIAR = "reenviar"
    CAMBIAR_FECHA = "cambiar_fecha"
    ELIMINAR = "eliminar"
    DESISTIR = "desistir"
    """A person's only: it is not to be issued. What the provider has of it is deleted; then nothing more is done."""


@dataclass(frozen=True, slots=True)
class Autor:
    """Who acts, and why: a run (the execution's name), or a person (the ARN of the caller)."""

    quien: str
    motivo: str
