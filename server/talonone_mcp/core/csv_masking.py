"""Personal data in CSV, masked by what the columns are called."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from talonone_mcp.core.masking import mask_personal


def mask_csv(text: str) -> str:
    """Return CSV with e-mail addresses, phone numbers and people's names masked.

    A cell is masked as a JSON value under the name of its column is, beside the others of its row;
    a cell that holds JSON, such as attributes, as that JSON. Masking twice is masking once.
    """
    rows = csv.reader(io.StringIO(text, newline=""))
    masked = io.StringIO(newline="")
    writer = csv.writer(masked, lineterminator="\n")
    try:
        header = next(rows, None)
        if header is None:
            return text
        writer.writerow(mask_personal(header))  # there may be none, and this be data
        writer.writerows(_masked(header, row) for row in rows)
    except csv.Error:  # no CSV after all
        return str(mask_personal(text))
    return masked.getvalue()


def _masked(header: Sequence[str], row: Sequence[str]) -> list[str]:
    values = [_read(cell) for cell in row]
    names = [*header, *[""] * (len(row) - len(header))]
    # Spaces keep two columns of the same name apart, and mean nothing to who reads a key.
    pairs = zip(names, values, strict=False)  # a row may lack its last cells
    keyed = {name + " " * place: value for place, (name, value) in enumerate(pairs)}
    masked = mask_personal(keyed).values()
    return [
        cell if value == before else value if isinstance(value, str) else json.dumps(value)
        for cell, before, value in zip(row, values, masked, strict=True)
    ]


def _read(cell: str) -> Any:
    """Return the JSON of a cell that holds an object or a list, or else its text."""
    if cell[:1] not in ("{", "["):
        return cell
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        return cell
