"""Times as the store keeps them: one form, so that comparing the texts compares the times."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


def stamp(time: datetime) -> str:
    """Write a time as upstream does: UTC, RFC 3339."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def brief_times(text: bytes) -> bytes:
    """Return a text with its times as upstream writes them: a fraction only where there is one."""
    return text.replace(b".000000Z", b"Z")


def moment(text: str) -> datetime:
    """Read an RFC 3339 time.

    Raises:
        ValueError: it is none.
    """
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def normal(schema: Mapping[str, Any], value: Any) -> Any:
    """Return a valid value with every time in it, wherever the schema says so, in the one form."""
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
