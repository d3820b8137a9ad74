"""The provider's dates: `dd/mm/aaaa [HH:MM[:SS]]` in Argentina's clock, which has been UTC-3 without DST since 2009."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

ARGENTINA = timezone(timedelta(hours=-3), "ART")


def format_fecha(fecha: date) -> str:
    """`dd/mm/aaaa`, two-digit day and month as the provider asks."""
    return f"{fecha.day:02}/{fecha.month:02}/{fecha.year:04}"


def parse_fecha(texto: object) -> date | None:
    """The calendar day in `texto`, a time after it ignored; None for whatever is not a date of the provider."""
    local = _local(texto)
    return local.date() if local else None


def parse_instante(texto: object) -> datetime | None:
    """The instant in UTC. The documents give no zone: Argentina's is our reading. None where it cannot be read."""
    local = _local(texto)
    try:
        return local.astimezone(UTC) if local else None
    except OverflowError:  # 31/12/9999 23:00 is next year in UTC
        return None


def _local(texto: object) -> datetime | None:
    if not isinstance(texto, str):
        return None
    for forma in ("%d/%m/%Y", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S"):
        try:
            return datetime.strptime(texto.strip(), forma).replace(tzinfo=ARGENTINA)
        except ValueError:
            continue
    return None
