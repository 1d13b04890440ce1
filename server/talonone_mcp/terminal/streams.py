"""What every command shares: exit statuses, complaints on stderr, and text set in columns."""

# ruff: noqa: T201 - a command answers on stdout and complains on stderr

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from talonone_mcp.core.text import one_line

FAILED, USAGE = 1, 2  # exit statuses: it did not succeed; it was used in the wrong way
_MAX_LINE_CHARS = 2000  # of a complaint that may repeat what somebody else wrote


def print_line(text: str) -> None:
    """Print a line of the answer."""
    print(text)


def say(message: str, status: int = 0) -> int:
    """Write to stderr, which is never part of the answer, and return the exit status."""
    print(f"talonone-mcp: {message}", file=sys.stderr, flush=True)
    return status


def warn(message: str) -> None:
    """Write one cleaned line to stderr: the message may repeat what an agent wrote."""
    say(one_line(message, _MAX_LINE_CHARS))


def fail(message: str, status: int = FAILED) -> int:
    """Say in one cleaned line what went wrong, and return the exit status."""
    warn(message)
    return status


def status_of(answer: Mapping[str, Any]) -> int:
    """Return the exit status of a command whose call has this answer, or failed with this error."""
    error = answer.get("error", {})
    if "kind" not in error:  # an answer can have a field `error`
        return 0
    return USAGE if error["kind"] == "invalid_arguments" and "status" not in error else FAILED


def escape_unprintable() -> None:
    """Have stdout escape letters that the terminal's encoding lacks, instead of failing."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def in_columns(rows: Iterable[Sequence[str]], max_chars: int | None = None) -> Iterator[str]:
    """Yield a line for each row, its cells aligned; every column is as wide as it must be.

    Args:
        rows: as many cells each.
        max_chars: no column is made wider than this; a longer cell pushes the rest of its line.
    """
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if max_chars is not None:
        widths = [min(width, max_chars) for width in widths]
    for row in rows:
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(padded).rstrip()
