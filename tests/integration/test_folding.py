"""The stored folds come to what the rule says: every state, hooks in any order, each told again by the stream."""

from __future__ import annotations

from itertools import permutations, product

import pytest
from tests.items import put_item

from facturacion.estado import Estado, Hook, fold
from follow_hooks import following
from follow_hooks.following import Stored

EVENTOS = ("encolado", "cambio_fecha", "error", "eliminado", "emitido", "desconocido")
PAIRS = [tuple(pair) for pair in product(EVENTOS, repeat=2)]


def follow(ledger, hooks):
    for hook in hooks:
        following.fold(Stored("norte", "A-1", hook.hook_id, hook.evento, ("10016: x",)), ledger)


# In review a person decides: an error that comes meanwhile is kept, and does not take it out of her hands.
BASES = [estado for estado in Estado if estado is not Estado.EN_REVISION]


@pytest.mark.parametrize("previos", [0, 1])
@pytest.mark.parametrize("base", BASES)
def test_any_two_hooks_in_any_order_and_repeated_come_to_the_state_of_the_rule(ledger, dynamodb, base, previos):
    for eventos in PAIRS:
        hooks = [Hook("h0", eventos[0]), Hook("h1", eventos[1])]
        for vistos in (frozenset(), frozenset({"h0"})):
            want = fold(base, previos, vistos, hooks).estado
            for order in (*permutations(hooks), hooks * 2):
                put_item(dynamodb, estado=base.value, previos=previos, vistos=set(vistos) or None)
                follow(ledger, order)
                assert ledger.get("norte", "A-1").estado == want, (eventos, vistos, order)
