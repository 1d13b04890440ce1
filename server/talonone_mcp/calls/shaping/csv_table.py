"""Writes a list as CSV if it is a table: every item a flat object."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

_MAX_JSON_ITEMS = 20  # a list this short reads better as JSON


def as_rows(items: Sequence[Any]) -> list[str] | None:
    """Return a list as lines of CSV, header first; None if it is short or not a table."""
    if len(items) <= _MAX_JSON_ITEMS or not all(map(_is_flat, items)):
        return None
    columns = list(dict.fromkeys(name for item in items for name in item))
    return [_line(columns), *(_line([item.get(name) for name in columns]) for item in items)]


def _is_flat(item: object) -> bool:
    return isinstance(item, dict) and not any(isinstance(x, (dict, list)) for x in item.values())


def _line(values: Sequence[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(map(_plain, values))
    return text.getvalue()


def _plain(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value
