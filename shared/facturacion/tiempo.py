"""Instants as the ledger writes them: UTC, ISO 8601, always milliseconds, so that text order is time order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

ARGENTINA = timezone(timedelta(hours=-3), "ART")
"""The provider's clock. No daylight saving since 2009."""


def now() -> datetime:
    """The real clock; everything that decides takes a clock as a parameter instead."""
    return datetime.now(UTC)


def to_iso(instant: datetime) -> str:
    """`2026-11-22T20:12:05.123Z`. Fixed width: DynamoDB conditions compare it as text."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_iso(text: str) -> datetime:
    return datetime.fromisoformat(text)
