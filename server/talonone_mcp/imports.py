"""The CSV of an import: read from a file where the call names one, its columns checked."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from talonone_mcp.catalog import Columns
from talonone_mcp.catalog.explain import Problem, did_you_mean
from talonone_mcp.client.errors import CallError
from talonone_mcp.text import one_line

LIMIT = 100_000_000  # bytes of a file, which is held in memory as a whole
_BYTE_ORDER_MARK = "\ufeff"
_NAME = 80  # characters of a column's name that a message repeats


def with_csv(arguments: Mapping[str, Any], folder: Path | None) -> Mapping[str, Any]:
    """Return the arguments with the text itself in `csv`, whichever way the call gave it.

    A file is read once, here: what a person then confirms and what is sent are the same text.

    Args:
        arguments: of an import, validated: they have `csv` or `csvPath`.
        folder: below which files may be read; None when no file may.

    Raises:
        CallError: `not_configured`, when no file may be read; `invalid_arguments`, when this one
            cannot be.
    """
    if "csvPath" not in arguments:
        return {**arguments, "csv": arguments["csv"].removeprefix(_BYTE_ORDER_MARK)}
    if folder is None:
        raise CallError(
            "not_configured",
            "csvPath cannot be used: this server may read no files.",
            hint="Give the text as csv, or have TALONONE_IMPORT_DIR set to a folder (stdio only).",
        )
    text = _read(folder, arguments["csvPath"])
    return {name: value for name, value in arguments.items() if name != "csvPath"} | {"csv": text}


def _read(folder: Path, name: str) -> str:
    try:
        path = Path(folder, name).resolve()
        if not path.is_relative_to(folder):
            raise _unusable(f"must lie below the import folder, {folder}")
        if not path.is_file():
            raise _unusable(f"is no file below the import folder, {folder}")
        if path.stat().st_size > LIMIT:
            raise _unusable(f"has more than {LIMIT:,} bytes; split it")
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise _unusable("is no UTF-8 text") from None
    except (OSError, ValueError) as error:
        raise _unusable(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _unusable(why: str) -> CallError:
    return CallError(
        "invalid_arguments",
        f"The file was not imported: csvPath {why}.",
        details=[{"at": "csvPath", "problem": why}],
        hint="Correct it and call again.",
    )


def csv_problems(columns: Columns, text: str) -> list[Problem]:
    """Return what is wrong with a CSV text: missing or unknown columns, and too many rows."""
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        header = next(reader, [])
        found = [Problem("csv", problem) for problem in _wrong(columns, header)]
        if columns.max_rows is not None and (rows := sum(map(bool, reader))) > columns.max_rows:
            problem = f"has {rows:,} rows; upstream takes {columns.max_rows:,} at most, so split it"
            found.append(Problem("csv", problem))
    except csv.Error as error:
        return [Problem("csv", f"is no CSV: {error}")]
    return found


def _wrong(columns: Columns, header: list[str]) -> Iterator[str]:
    rightly = f"the columns are {_named(columns)}"
    unknown = [name for name in header if name not in columns.all]
    for name in dict.fromkeys(unknown):
        end = did_you_mean(name, columns.all)
        yield f"column {one_line(name, _NAME)!r} is unknown{end}" + (
            f" ({rightly})" if "did you mean" in end else ""
        )
    for name in columns.required:
        if name not in header:
            yield f"column {name!r} is missing; {rightly}"
    if columns.one_of and sum(name in header for name in columns.one_of) != 1:
        yield f"exactly one of the columns {', '.join(columns.one_of)} must be there; {rightly}"
    for name in columns.all:
        if header.count(name) > 1:
            yield f"column {name!r} stands twice"


def _named(columns: Columns) -> str:
    either = f"either {' or '.join(columns.one_of)}" if columns.one_of else ""
    required = ", ".join(filter(None, [either, *columns.required]))
    optional = ", ".join(columns.optional)
    return f"{required} (required) and {optional}" if optional else f"{required} (required)"
