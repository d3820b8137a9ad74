"""What is left of the plan of a cuenta: the provider refuses every lote once it is used up.

`micuenta/consumo` is a query: nothing is lost where it is not answered, and nobody waits for it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from facturacion.figuras import Cupo
from tusfacturas.outcomes import Consumo

if TYPE_CHECKING:
    from facturacion.contraster import Contraster
    from facturacion.ledger import Pulso

ASKED_EVERY = timedelta(hours=1)


def ask_quota(pulso: Pulso, c: Contraster) -> bool:
    """Whether it is worth asking for the next cuenta's: False once the provider does not answer.

    It is asked at most once an hour, answered or not.
    """
    ledger, now = c.finishing.ledger, c.finishing.clock()
    if pulso.cupo_mirado and now - pulso.cupo_mirado < ASKED_EVERY:
        return True
    cuenta = c.cuentas.get(pulso.cuenta)
    if cuenta is None:
        return True
    with c.connect(cuenta) as cliente:
        answer = cliente.consumo()
    cupo = None
    if isinstance(answer, Consumo):
        total, disponibles, generados = answer.cupo, answer.disponibles, answer.generados
        first = Cupo(total, disponibles, generados, mirado=now, desde=now)
        cupo = pulso.cupo.next(total, disponibles, generados, now) if pulso.cupo else first
    ledger.quota_asked(pulso.cuenta, cupo)
    return cupo is not None
