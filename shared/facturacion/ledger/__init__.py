"""The ledger: one DynamoDB table, and the only module that knows it.

    pk = "{cuenta}#{external_reference}"   sk = "ESTADO"            the asiento (asiento.py)
                                           sk = "HOOK#{hook_id}"    each hook as received
    pk = "{cuenta}#"                       sk = "HOOK#{hook_id}"    hooks with no reference that could be ours
                                           sk = "ACCION#…"          what was done about its error
                                           sk = "DECISION#…"        what a person decided
    pk = "CUENTAS"                         sk = "{cuenta}"          the cuenta's door (may a new lote leave?), its pulse
                                                                    (when it was last contrasted with the provider) and
                                                                    the lease of its run
    pk = "RUN#{cuenta}"                    sk = "PEND#…"            errors that wait for the run
                                           sk = "INCIDENTE#…"       what is wrong with the cuenta itself
    pk = "DIA#{cuenta}#{day}"              sk = "{instant}#…"       what was received that day
    pk = "CIERRE#{cuenta}"                 sk = "{day}"             the daily close
    pk = "PAUSA"                           sk = "{cuenta}" or "*"   the last pause of a cuenta, or of all
    pk = "TABLA"                           sk = "TABLA"             which table the ledger was begun in

An alias is lower case, so the capitals of our own keys meet no cuenta. The sparse index `abiertos` (pk `abierto`, sk
`orden`) lists what is not finished.

Every write below is one conditional write that raises `version`, and its condition is what keeps "exactly once": a
writer that lost the race gets the stored asiento back (`Refused`) and decides again. Reads are consistent. boto3
repeats a request whose answer was lost; a condition that then fails shows what the first try wrote: `claim` recognizes
its own fresh `lote_id`, the others find the state they wanted and the caller treats it as known.
"""

from __future__ import annotations

from facturacion.asiento import Lugar, Refused
from facturacion.ledger.acciones import Acciones, Intento
from facturacion.ledger.answers import Answers, Asks, Emision
from facturacion.ledger.cierres import Cierres
from facturacion.ledger.claims import Claims, Reclamo
from facturacion.ledger.corridas import Corridas, Incidente, Pendiente
from facturacion.ledger.cuentas import FORGOTTEN_AFTER, Arriendo, Doors, Open, Puerta, Pulso, Turno
from facturacion.ledger.hooks import Guardado, Hooks, words_of
from facturacion.ledger.pausas import Pausa
from facturacion.ledger.recibidos import Recibido, Recibidos
from facturacion.ledger.reconstruccion import Mostrado, Reconstruccion, Restaurada
from facturacion.ledger.timeline import Linea, Timelines


class Ledger(
    Recibidos, Claims, Answers, Asks, Hooks, Acciones, Corridas, Cierres, Reconstruccion, Doors, Open, Timelines
):
    """The whole ledger, from its rooms."""


__all__ = [
    "FORGOTTEN_AFTER",
    "Arriendo",
    "Emision",
    "Guardado",
    "Incidente",
    "Intento",
    "Ledger",
    "Linea",
    "Lugar",
    "Mostrado",
    "Pausa",
    "Pendiente",
    "Puerta",
    "Pulso",
    "Recibido",
    "Reclamo",
    "Refused",
    "Restaurada",
    "Turno",
    "words_of",
]
