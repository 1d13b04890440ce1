"""Put together the answers of workflows: rows without empty fields, and text that is safe to show.

What customers and colleagues wrote is always shown on one line, and cut.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from talonone_mcp.core.text import one_line

MAX_TEXT_CHARS = 60
MAX_QUOTED_CHARS = 80


_Row = TypeVar("_Row", bound=Mapping[str, Any])


def filled(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row without its empty fields; 0 and false are not empty."""
    return {key: value for key, value in row.items() if value not in (None, "", [], {})}


def picked(document: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return those of the named fields that a document has."""
    return {name: document[name] for name in names if name in document}


def text(value: object, limit: int = MAX_TEXT_CHARS) -> str:
    """Return what people wrote, on one line and at most `limit` characters long."""
    written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return one_line(written, limit)


def quoted(value: object) -> str:
    """Return what people wrote in quotation marks, for a sentence."""
    return f'"{one_line(str(value), MAX_QUOTED_CHARS)}"'


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless it is one: "1 day", "2 days"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def first_of(names: Sequence[object], most: int) -> str:
    """Return the first of some names, with "..." if there are more than `most`."""
    return ", ".join(map(str, names[:most])) + (", ..." if len(names) > most else "")


def newest(rows: Iterable[_Row]) -> list[_Row]:
    """Return rows sorted by when they were created, the newest first."""
    return sorted(rows, key=lambda row: (row.get("created", ""), row.get("id", 0)), reverse=True)
