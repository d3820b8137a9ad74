"""How a condition of the ledger is weakened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from facturacion.ledger.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.explore.mutants.mutant import Patch

update = Table._update


def conditions(change: Callable[[str], str]) -> list[Patch]:
    def weaker(self: Any, pk: str, condition: str, values: Any, **more: Any) -> Any:
        made = update(self, pk, change(condition), values, **more)
        whole = f"{made['ConditionExpression']} {made['UpdateExpression']}"
        words = set(whole.replace("(", " ").replace(")", " ").replace(",", " ").split())
        for kind in ("ExpressionAttributeValues", "ExpressionAttributeNames"):
            made[kind] = {n: v for n, v in made[kind].items() if n in words}
        return made

    return [(Table, "_update", weaker)]


def instead(old: str, new: str) -> Callable[[], list[Patch]]:
    return lambda: conditions(lambda condition: condition.replace(old, new))
