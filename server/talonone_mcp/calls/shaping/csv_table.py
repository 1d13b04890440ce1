"""Writes a list as CSV where that is what it is: every item a row of plain values."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

_WORTH_IT = 20  # items; a shorter list reads better as what it is


def as_rows(items: Sequence[Any]) -> list[str] | None:
    """Return the lines of a list as CSV, the header first; None for a list that is no table."""
    if len(items) <= _WORTH_IT or not all(map(_is_flat, items)):
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
