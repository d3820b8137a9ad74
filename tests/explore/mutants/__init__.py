"""The rules left out one by one, and the faults a plain programmer would make: each must be noticed by an invariant.

A mutant replaces functions of the shipped code for the length of a schedule. Where it lives, and which schedules are
to find it, stands beside it. An exception does not count: what is wrong must show in the world.
"""

from __future__ import annotations

from tests.explore.mutants import asking, idempotency, posting, remembering, resolving, telling
from tests.explore.mutants.mutant import Mutant, broken, hunt

MUTANTS: tuple[Mutant, ...] = (
    *posting.MUTANTS,
    *asking.MUTANTS,
    *remembering.MUTANTS,
    *telling.MUTANTS,
    *resolving.MUTANTS,
    *idempotency.MUTANTS,
)

__all__ = ["MUTANTS", "Mutant", "broken", "hunt"]
