"""Times as the store keeps them: in one format, which sorts as text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from talonone_mcp.core.catalog.json_schema import parse_time


def stamp(time: datetime) -> str:
    """Write a time as upstream does: UTC, RFC 3339."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def brief_times(text: bytes) -> bytes:
    """Return a text with times as upstream writes them: no zero fractions."""
    return text.replace(b".000000Z", b"Z")


def moment(text: str) -> datetime:
    """Read an RFC 3339 time.

    Raises:
        ValueError: it is not one.
    """
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def exact_moment(text: str) -> datetime:
    """Read an RFC 3339 time of an import, which no schema has checked.

    Raises:
        ValueError: it is not one; `moment` takes a date alone, too.
    """
    time = parse_time(text.strip())
    if time is None:
        raise ValueError(f"{text} is no RFC 3339 time")
    return time


def normal(schema: Mapping[str, Any], value: Any) -> Any:
    """Return a valid value with every time in it, by its schema, in the store's formatat."""
    if isinstance(value, str):
        return stamp(moment(value)) if schema.get("format") == "date-time" else value
    if isinstance(value, list) and "items" in schema:
        return [normal(schema["items"], item) for item in value]
    if isinstance(value, dict) and "properties" in schema:
        known = schema["properties"]
        return {
            key: normal(known[key], item) if key in known else item for key, item in value.items()
        }
    return value
