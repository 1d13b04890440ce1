"""Read the times and time zones that upstream sends, and show them."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo


def moment(text: object) -> datetime | None:
    """Read a time; return None if there is none or it cannot be read. Without a zone, it is UTC."""
    try:
        time = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return time.replace(tzinfo=UTC) if time and time.tzinfo is None else time


def zone_of(name: str) -> tzinfo | None:
    """Return a time zone by its name; None if this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # an unknown name, or not a name at all
        return None


def minute(value: object) -> str:
    """Return a time in UTC, to the minute; "" if there is none."""
    at = moment(value)
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ") if at else ""


def day(value: object) -> str:
    """Return the day of a time, in the time zone in which it came; "" if there is none."""
    return value[:10] if isinstance(value, str) else ""
