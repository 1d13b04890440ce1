"""Checks the header line of an import's CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from talonone_mcp.core.catalog import Columns
from talonone_mcp.core.names import did_you_mean, in_words
from talonone_mcp.core.text import one_line

_MAX_NAME_CHARS = 80  # of a column's name in a message


def header_problems(columns: Columns, header: Sequence[str]) -> Iterator[str]:
    """Yield what is wrong with a header: missing, unknown and repeated columns."""
    expected = f"the columns are {_named(columns)}"
    unknown = [name for name in header if name not in columns.all]
    for name in dict.fromkeys(unknown):
        end = did_you_mean(name, columns.all)
        yield f"column {one_line(name, _MAX_NAME_CHARS)!r} is unknown{end}" + (
            f" ({expected})" if "did you mean" in end else ""
        )
    for name in columns.required:
        if name not in header:
            yield f"column {name!r} is missing; {expected}"
    if columns.one_of and sum(name in header for name in columns.one_of) != 1:
        yield f"exactly one of the columns {', '.join(columns.one_of)} is required; {expected}"
    for name in columns.all:
        if header.count(name) > 1:
            yield f"column {name!r} appears twice"


def _named(columns: Columns) -> str:
    either = f"either {in_words(columns.one_of, 'or')}" if columns.one_of else ""
    required = ", ".join(filter(None, [either, *columns.required]))
    optional = ", ".join(columns.optional)
    return f"{required} (required) and {optional}" if optional else f"{required} (required)"
