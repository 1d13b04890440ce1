"""The rows of CSV of any length, without holding more of it than one row.

A row may span lines: what stands between quotation marks ends none. As in RFC 4180, a quotation
mark within a field is doubled, so that at the end of each row their number is even, and a blank
line is a row with one empty cell. Lines end with a line feed, with or without a carriage return.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO

LONGEST = 10_000_000  # bytes of one row, or of the rows that are read at once

_RUNS = (b'"' * 8, b'""')  # of an even number of quotation marks, the longer first: it is quicker
_OTHER = bytes(byte for byte in range(256) if byte not in b'"\n')

csv.field_size_limit(LONGEST)  # csv's own limit is smaller


class TooLongError(Exception):
    """What was to be read at once has more than `LONGEST` bytes."""


class RowCounter:
    """Counts the rows of a CSV that comes in pieces, however they are cut."""

    def __init__(self) -> None:
        """Begin before the header."""
        self._complete = 0
        self._between = True  # after the end of a line
        self._quoted = False

    @property
    def rows(self) -> int:
        """How many rows came after the header, the last one counted although it may go on."""
        return max(self._complete + (self._quoted or not self._between) - 1, 0)

    def feed(self, piece: bytes) -> None:
        """Count the rows in the next piece.

        All but the marks that matter is thrown away first, and then each pair of quotation marks
        with nothing in between: little is left of a piece to be looked at closely.
        """
        if not piece:
            return
        self._between = piece.endswith(b"\n")
        if b'"' not in piece:
            self._complete += 0 if self._quoted else piece.count(b"\n")
            return
        marks = piece.translate(None, _OTHER)
        for run in _RUNS:
            marks = marks.replace(run, b"")
        unquoted = marks.split(b'"')[self._quoted :: 2]
        self._complete += sum(part.count(b"\n") for part in unquoted)
        self._quoted ^= bool(marks.count(b'"') & 1)


def rows_of(file: BinaryIO) -> Iterator[bytes]:
    """Yield the rows, the header first, each with the end of its line.

    Raises:
        TooLongError: a row is longer than what can be read at once.
    """
    row, quoted = b"", False
    while line := file.readline(LONGEST):
        row += line
        quoted ^= bool(line.count(b'"') & 1)
        if len(row) > LONGEST:
            raise TooLongError
        if not quoted and line.endswith(b"\n"):
            yield row
            row = b""
    if row:
        yield row


def part_of(file: BinaryIO, first: int, count: int) -> bytes:
    """Return the header and up to `count` rows from number `first` on; the numbers begin with 1.

    Raises:
        TooLongError: they are longer than what can be read at once.
    """
    rows = rows_of(file)
    part = [next(rows, b"")]
    size = len(part[0])
    for row in islice(rows, first - 1, first - 1 + count):
        part.append(row)
        size += len(row)
        if size > LONGEST:
            raise TooLongError
    return b"".join(part)


def columns_of(beginning: bytes) -> list[str]:
    """Return the names in the header of a CSV, of which this is the beginning."""
    text = beginning.decode("utf-8", "replace")
    try:
        return next(csv.reader(io.StringIO(text, newline="")), [])
    except csv.Error:  # one that is longer than anything a name could be
        return []
