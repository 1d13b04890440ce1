"""Count and read the rows of a CSV of any length, holding at most one row in memory.

A row can span lines: a line feed between quotation marks does not end it. RFC 4180 doubles a
quotation mark within a field, so every complete row has an even number of them. A blank line is a
row with one empty cell. Lines end with LF or CRLF.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO

MAX_READ_BYTES = 10_000_000  # of one row, or of the rows read at once

# Even runs of quotation marks cancel out. Removing the longer ones first is faster.
_EVEN_RUNS = (b'"' * 8, b'""')
_IRRELEVANT = bytes(byte for byte in range(256) if byte not in b'"\n')

csv.field_size_limit(MAX_READ_BYTES)  # the default is smaller


class TooLongError(Exception):
    """The rows to read at once exceed `MAX_READ_BYTES`."""


class RowCounter:
    """Counts the rows of a CSV that arrives in chunks, split anywhere."""

    def __init__(self) -> None:
        """Start before the header."""
        self._complete = 0
        self._at_line_start = True
        self._quoted = False

    @property
    def rows(self) -> int:
        """How many rows followed the header; includes a last row that may be incomplete."""
        return max(self._complete + (self._quoted or not self._at_line_start) - 1, 0)

    def feed(self, chunk: bytes) -> None:
        """Count the rows in the next chunk.

        For speed, drop everything but quotation marks and line feeds, then every adjacent pair of
        quotation marks. Little remains to be split.
        """
        if not chunk:
            return
        self._at_line_start = chunk.endswith(b"\n")
        if b'"' not in chunk:
            self._complete += 0 if self._quoted else chunk.count(b"\n")
            return
        marks = chunk.translate(None, _IRRELEVANT)
        for run in _EVEN_RUNS:
            marks = marks.replace(run, b"")
        unquoted = marks.split(b'"')[self._quoted :: 2]
        self._complete += sum(part.count(b"\n") for part in unquoted)
        self._quoted ^= bool(marks.count(b'"') & 1)


def rows_of(file: BinaryIO) -> Iterator[bytes]:
    """Yield the rows, the header first, each with its line ending.

    Raises:
        TooLongError: a row exceeds `MAX_READ_BYTES`.
    """
    row, quoted = b"", False
    while line := file.readline(MAX_READ_BYTES):
        row += line
        quoted ^= bool(line.count(b'"') & 1)
        if len(row) > MAX_READ_BYTES:
            raise TooLongError
        if not quoted and line.endswith(b"\n"):
            yield row
            row = b""
    if row:
        yield row


def part_of(file: BinaryIO, first: int, count: int) -> bytes:
    """Return the header and up to `count` rows, starting at row `first` (the first row is 1).

    Raises:
        TooLongError: they exceed `MAX_READ_BYTES`.
    """
    rows = rows_of(file)
    part = [next(rows, b"")]
    size = len(part[0])
    for row in islice(rows, first - 1, first - 1 + count):
        part.append(row)
        size += len(row)
        if size > MAX_READ_BYTES:
            raise TooLongError
    return b"".join(part)


def columns_of(beginning: bytes) -> list[str]:
    """Return the column names of a CSV, given its beginning."""
    text = beginning.decode("utf-8", "replace")
    try:
        return next(csv.reader(io.StringIO(text, newline="")), [])
    except csv.Error:  # longer than any column name
        return []
