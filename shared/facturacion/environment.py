"""Reading a function's environment: every fault is named at once, and a function that cannot work does not start."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


LONGEST_SECONDS = 10 * 365 * 86_400
"""Ten years: more is a slip."""


class EnvironmentRefused(Exception):
    """Its text lists every variable that is missing or cannot work."""


class Reader:
    """Collects the faults; `done` raises them together."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._faults: list[str] = []

    def text(self, name: str) -> str:
        value = self._env.get(name, "")
        if not value:
            self.refuse(f"{name} is missing")
        return value

    def optional(self, name: str) -> str | None:
        return self._env.get(name) or None

    def seconds(self, name: str, *, at_least: int = 1) -> timedelta:
        value = self._decimal(name)
        if not at_least <= value <= LONGEST_SECONDS:
            self.refuse(f"{name} must be from {at_least} to {LONGEST_SECONDS}")
            return timedelta(0)
        return timedelta(seconds=float(value))

    def decimal(self, name: str) -> Decimal:
        value = self._decimal(name)
        if value < 0:
            self.refuse(f"{name} must not be negative")
        return value

    def flag(self, name: str) -> bool:
        value = self.text(name)
        if value and value not in {"true", "false"}:
            self.refuse(f"{name} must be true or false")
        return value == "true"

    def refuse(self, fault: str) -> None:
        self._faults.append(fault)

    def done(self) -> None:
        if self._faults:
            raise EnvironmentRefused("; ".join(self._faults))

    def _decimal(self, name: str) -> Decimal:
        text = self.text(name)
        try:
            value = Decimal(text or "0")
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite():
            self.refuse(f"{name} must be a number")
            return Decimal(0)
        return value
