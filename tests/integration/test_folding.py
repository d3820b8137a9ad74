"""The stored folds come to what the rule says: every state, hooks in any order, each told again by the stream."""

from __future__ import annotations

from itertools import combinations_with_replacement

import pytest
from tests.items import put_item

from facturacion import folding
from facturacion.asiento import Causa
from facturacion.estado import Estado, Hook, fold
from facturacion.folding import Stored

EVENTOS = ("encolado", "error", "eliminado", "emitido")


def follow(ledger, hooks):
    for hook in hooks:
        folding.fold(Stored("norte", "A-1", hook.hook_id, hook.evento, (Causa("AFIP-10016", "", "x"),)), ledger)


@pytest.mark.parametrize("previos", [0, 1])
@pytest.mark.parametrize("base", Estado)
def test_any_two_hooks_in_any_order_and_repeated_come_to_the_state_of_the_rule(ledger, dynamodb, base, previos):
    for eventos in combinations_with_replacement(EVENTOS, 2):
        h0, h1 = hooks = [Hook("h0", eventos[0]), Hook("h1", eventos[1])]
        for vistos in (frozenset(), frozenset({"h0"})):
            want = fold(base, previos, vistos, hooks).estado
            for order in ([h0, h1, h0], [h1, h0, h1]):
                put_item(dynamodb, estado=base.value, previos=previos, vistos=set(vistos) or None)
                follow(ledger, order)
                assert ledger.get("norte", "A-1").estado == want, (eventos, vistos, order)


@pytest.mark.parametrize("evento", ["cambio_fecha", "desconocido", ""])
@pytest.mark.parametrize("previos", [0, 1])
def test_a_hook_of_a_rarer_evento_comes_to_the_state_of_the_rule(ledger, dynamodb, previos, evento):
    for base in Estado:
        put_item(dynamodb, estado=base.value, previos=previos)
        follow(ledger, [Hook("h0", evento)] * 2)
        assert ledger.get("norte", "A-1").estado == fold(base, previos, set(), [Hook("h0", evento)]).estado
