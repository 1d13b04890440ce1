"""Mask personal data in CSV, going by column names."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from talonone_mcp.core.masking import mask_personal


def mask_csv(text: str) -> str:
    """Return CSV with e-mail addresses, phone numbers and people's names masked.

    A row is masked like a JSON object with the column names as keys. A cell that holds JSON, such
    as attributes, is masked as that JSON. Masking is idempotent.
    """
    rows = csv.reader(io.StringIO(text, newline=""))
    masked = io.StringIO(newline="")
    writer = csv.writer(masked, lineterminator="\n")
    try:
        header = next(rows, None)
        if header is None:
            return text
        writer.writerow(mask_personal(header))  # without a header, this is data
        writer.writerows(_masked(header, row) for row in rows)
    except csv.Error:  # not CSV after all
        return str(mask_personal(text))
    return masked.getvalue()


def _masked(header: Sequence[str], row: Sequence[str]) -> list[str]:
    values = [_read(cell) for cell in row]
    names = [*header, *[""] * (len(row) - len(header))]
    # Trailing spaces keep columns of the same name apart; masking ignores spaces in keys.
    pairs = zip(names, values, strict=False)  # a row may lack its last cells
    keyed = {name + " " * index: value for index, (name, value) in enumerate(pairs)}
    masked = mask_personal(keyed).values()
    return [
        cell if value == before else value if isinstance(value, str) else json.dumps(value)
        for cell, before, value in zip(row, values, masked, strict=True)
    ]


def _read(cell: str) -> Any:
    """Return a cell's value: parsed if it is a JSON object or list, else its text."""
    if cell[:1] not in ("{", "["):
        return cell
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        return cell
