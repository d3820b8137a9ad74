"""The rules left out one by one, and the faults a plain programmer would make: each must be noticed by an invariant.

A mutant replaces functions of the shipped code for the length of a schedule. Where it lives, and which schedules are
to find it, stands beside it. An exception does not count: what is wrong must show in the world.

«Absent, by the error flow», «only unseen hooks classify» and «the lease» are rules of resolving errors, of which
nothing is explored here.
"""

from __future__ import annotations

from tests.explore.mutants import asking, idempotency, posting, remembering, telling
from tests.explore.mutants.mutant import Mutant, broken, hunt

MUTANTS: tuple[Mutant, ...] = (
    *posting.MUTANTS,
    *asking.MUTANTS,
    *remembering.MUTANTS,
    *telling.MUTANTS,
    *idempotency.MUTANTS,
)

__all__ = ["MUTANTS", "Mutant", "broken", "hunt"]
