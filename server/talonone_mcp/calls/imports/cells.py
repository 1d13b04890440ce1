"""What the cells of an import's columns hold, and why upstream would refuse one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import lru_cache, partial
from typing import Final, Literal

from talonone_mcp.core.catalog import ColumnKind
from talonone_mcp.core.catalog.json_schema import parse_time
from talonone_mcp.core.csv_values import number_in
from talonone_mcp.core.names import in_words
from talonone_mcp.core.text import quoted

UNLIMITED: Final = "unlimited"
Value = Decimal | datetime | Literal["unlimited"] | None
"""What a cell means; None for what needs no more than a check."""
Parse = Callable[[str], Value]
"""Reads a cell; raises `ValueError` with the problem, as in 'must be a number, not "x"'."""

_CACHED_CELLS = 1024  # of a column: dates and attributes are often the same in many rows
_MAX_CACHED_CHARS = 1000
_MAX_QUOTED_CHARS = 40


def parser(kind: ColumnKind, now: datetime) -> Parse | None:
    """Return the function that reads a column's cells; None if any text will do.

    Args:
        kind: what the column holds.
        now: the time, with its zone.
    """
    if kind == ColumnKind():
        return None
    parse = partial(_parsed, kind, now)
    if kind.kind == "text":
        return parse
    cached = lru_cache(_CACHED_CELLS)(parse)
    return lambda text: cached(text) if len(text) <= _MAX_CACHED_CHARS else parse(text)


def meaning_of_empty(kind: ColumnKind) -> Value:
    """Return what an empty cell, or a column that is not there, means."""
    if isinstance(kind.empty, int):
        return Decimal(kind.empty)
    return kind.empty


def _parsed(kind: ColumnKind, now: datetime, text: str) -> Value:
    """Read a cell.

    Raises:
        ValueError: upstream would refuse it; the message says why.
    """
    if not text or text.isspace():
        return meaning_of_empty(kind)
    if text.strip() in kind.words:
        return None
    return _READ[kind.kind](kind, now, text)


def _text(kind: ColumnKind, _: datetime, text: str) -> None:
    if kind.words:
        raise _wrong(f"must be {in_words(kind.words, 'or')}", text)
    if kind.pattern and not re.fullmatch(kind.pattern, text.strip()):
        raise _wrong(f"must be {kind.say}", text)
    if len(text) < kind.min_chars:
        raise _wrong(f"must have at least {kind.min_chars} characters", text)


def _number(kind: ColumnKind, _: datetime, text: str) -> Decimal | Literal["unlimited"]:
    number = number_in(text)
    if number is None:
        raise _wrong("must be a number", text)
    return UNLIMITED if kind.zero_is_unlimited and not number else number


def _count(kind: ColumnKind, _: datetime, text: str) -> Decimal | Literal["unlimited"]:
    number = number_in(text)
    if number is None or number < 0 or number != number.to_integral_value():
        end = ", or 0 for no limit" if kind.zero_is_unlimited else ""
        raise _wrong(f"must be a whole number{end}", text)
    return UNLIMITED if kind.zero_is_unlimited and not number else number


def _time(kind: ColumnKind, now: datetime, text: str) -> datetime:
    time = parse_time(text.strip())
    if time is None:
        words = "".join(f"{word}, " for word in kind.words)
        either = f"{words[:-2]} or " if words else ""
        raise _wrong(f"must be {either}an RFC 3339 time, such as 2030-03-01T00:00:00Z", text)
    if kind.future and time <= now:
        raise _wrong("must be in the future", text)
    return time


def _json(_: ColumnKind, __: datetime, text: str) -> None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise _wrong("must be a JSON object", text) from None
    if not isinstance(value, dict):
        raise _wrong("must be a JSON object", text)


def _wrong(what: str, text: str) -> ValueError:
    return ValueError(f"{what}, not {quoted(text, _MAX_QUOTED_CHARS)}")


_READ: dict[str, Callable[[ColumnKind, datetime, str], Value]] = {
    "text": _text,
    "number": _number,
    "count": _count,
    "time": _time,
    "json": _json,
}
