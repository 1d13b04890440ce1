"""Mask personal data and hide secrets in CSV, going by column names."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from typing import Any

from talonone_mcp.core.hiding import hide, hide_text
from talonone_mcp.core.masking import mask_personal


def mask_csv(text: str) -> str:
    """Return CSV with e-mail addresses, phone numbers and people's names masked.

    A row is masked like a JSON object with the column names as keys. A cell that holds JSON, such
    as attributes, is masked as that JSON. Masking is idempotent.
    """
    try:
        return _written(_rows(text, mask_personal))
    except csv.Error:  # not CSV after all
        return str(mask_personal(text))


def hide_in_csv(text: str) -> str:
    """Return CSV with secrets hidden; without any, as it is.

    Rows and cells are read as `mask_csv` reads them.
    """
    try:
        before, after = _rows(text, _same), _rows(text, hide)
    except csv.Error:
        return hide_text(text)
    return text if before == after else _written(after)


def _same(value: Any) -> Any:
    return value


def _rows(text: str, change: Callable[[Any], Any]) -> list[list[str]]:
    """Return the rows of CSV, each changed as an object with the column names as keys.

    Raises:
        csv.Error: this is no CSV.
    """
    rows = csv.reader(io.StringIO(text, newline=""))
    header = next(rows, None)
    if header is None:  # nothing
        return []
    # Without a header, the first row is data too.
    return [change(header), *(_changed(header, row, change) for row in rows)]


def _written(rows: list[list[str]]) -> str:
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\n").writerows(rows)
    return written.getvalue()


def _changed(header: Sequence[str], row: Sequence[str], change: Callable[[Any], Any]) -> list[str]:
    values = [_read(cell) for cell in row]
    names = [*header, *[""] * (len(row) - len(header))]
    # Trailing spaces keep columns of the same name apart; no name is judged by its spaces.
    pairs = zip(names, values, strict=False)  # a row may lack its last cells
    keyed = {name + " " * index: value for index, (name, value) in enumerate(pairs)}
    changed = change(keyed).values()
    return [
        cell if value == before else value if isinstance(value, str) else json.dumps(value)
        for cell, before, value in zip(row, values, changed, strict=True)
    ]


def _read(cell: str) -> Any:
    """Return a cell's value: parsed if it is a JSON object or list, else its text."""
    if cell[:1] not in ("{", "["):
        return cell
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        return cell
