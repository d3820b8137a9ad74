"""What DynamoDB charges for a call, by the rules that AWS documents; `emulator` holds it against MiniStack.

Sources: the DynamoDB developer guide, pages `CapacityUnitCalculations` (sizes), `read-write-operations` (units),
`GSI` "Provisioned throughput considerations" (indexes) and `transaction-apis` (two units where one was).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

WRITE_BYTES, READ_BYTES = 1024, 4096
KEYS = ("pk", "sk")


def size_of(item: Mapping[str, Mapping[str, Any]]) -> int:
    """Bytes of an item as DynamoDB counts them: names and values. `item` is typed, binary as bytes."""
    return sum(len(name.encode()) + _size(typed) for name, typed in item.items())


def _size(typed: Mapping[str, Any]) -> int:
    ((kind, value),) = typed.items()
    match kind:
        case "S":
            return len(value.encode())
        case "B":
            return len(value)
        case "N":
            digits = value.lstrip("-").replace(".", "").strip("0") or "0"
            return math.ceil(len(digits) / 2) + 1 + value.startswith("-")
        case "BOOL" | "NULL":
            return 1
        case "SS" | "BS":
            return sum(len(v.encode()) if kind == "SS" else len(v) for v in value)
        case "NS":
            return sum(_size({"N": v}) for v in value)
        case "L":
            return 3 + sum(1 + _size(v) for v in value)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _size(v) for name, v in value.items())
    raise ValueError(f"no such type: {kind}")


def write_units(
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    indexes: Mapping[str, tuple[str, ...]],
    *,
    transaction: bool = False,
) -> int:
    """Of one write: the larger of both images, and what it does to each index. `indexes`: their key attributes, which
    are all that they project. A condition that was not met is charged by what stands there: `before` and `after` alike.
    """
    largest = max(size_of(image) if image else 0 for image in (before, after))
    units = _units(largest, WRITE_BYTES) + sum(_index_units(before, after, keys) for keys in indexes.values())
    return 2 * units if transaction else units


def _index_units(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, keys: tuple[str, ...]) -> int:
    """Into the index, or out of it: one write. From one place in it to another: two."""
    old, new = (_entry(image, keys) for image in (before, after))
    return 0 if old == new else (old is not None) + (new is not None)


def _entry(image: Mapping[str, Any] | None, keys: tuple[str, ...]) -> tuple[Any, ...] | None:
    return tuple(image[key] for key in keys) if image and all(key in image for key in keys) else None


def read_units(sizes: Iterable[int], *, consistent: bool) -> float:
    """Of a GetItem or a BatchGetItem: each item by itself, a missing one (0) as the smallest."""
    return sum(_units(size, READ_BYTES) for size in sizes) * (1.0 if consistent else 0.5)


def query_units(sizes: Iterable[int], *, consistent: bool) -> float:
    """Of one page of a Query or a Scan: what was read of it together, whatever of it is given back."""
    return _units(sum(sizes), READ_BYTES) * (1.0 if consistent else 0.5)


def _units(size: int, of: int) -> int:
    return max(1, math.ceil(size / of))
