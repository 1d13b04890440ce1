"""Reads the rows of an import in one pass: what upstream would refuse, and what they add up to."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

from talonone_mcp.calls.imports.cells import Value, meaning_of_empty, parser
from talonone_mcp.calls.imports.import_header import header_problems
from talonone_mcp.calls.imports.row_summary import (
    MAX_COMPARED,
    MAX_UNUSUAL,
    Groups,
    Keys,
    Numbers,
    Oddities,
    Rows,
)
from talonone_mcp.core.catalog import Columns
from talonone_mcp.core.catalog.problems import Problem
from talonone_mcp.core.csv_rows import MAX_READ_BYTES
from talonone_mcp.core.text import quoted

MAX_PROBLEMS = 20  # that a message lists
_ROWS_BETWEEN_TICKS = 10_000
_MAX_QUOTED_CHARS = 40


def read_rows(
    columns: Columns,
    source: str | Path,
    now: datetime,
    *,
    skips_repeated: bool = False,
    tick: Callable[[], object] = lambda: None,
) -> tuple[Rows, list[Problem]]:
    """Read an import's CSV row by row, so that a file need not fit in memory.

    Args:
        columns: what the columns must be.
        source: the text, or the file that holds it.
        now: the time, with its zone.
        skips_repeated: whether upstream skips rows that an earlier one identifies, too.
        tick: is called every ten thousand rows, and may raise to stop.

    Returns:
        What the rows say, and the problems for which upstream would refuse the import: at most 20,
        and one that counts the others. Without the right header, no row is read.
    """
    with _opened(source) as text:
        # A file without line breaks must not be read at once. `csv` refuses what is longer.
        lines = iter(partial(text.readline, MAX_READ_BYTES + 2), "")
        reader = csv.reader(lines, strict=True)
        try:
            header = next(reader, [])
        except csv.Error as error:
            return Rows(), [Problem("csv", f"is not CSV: {error}")]
        if found := [Problem("csv", each) for each in header_problems(columns, header)]:
            return Rows(), found
        reading = _Reading(columns, header, now, skips_repeated=skips_repeated)
        reading.read(_numbered(reader), tick)
        return reading.rows(), reading.problems()


def _opened(source: str | Path) -> TextIO:
    if isinstance(source, str):
        return io.StringIO(source, newline="")
    return source.open(encoding="utf-8", newline="")


def _numbered(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not blank, each with the number of the line where it begins.

    Raises:
        _NotCsvError: the text is not CSV; the message says in which line.
    """
    line = reader.line_num + 1  # type: ignore[attr-defined]
    try:
        for row in reader:
            if row:
                yield line, row
            line = reader.line_num + 1  # type: ignore[attr-defined]
    except csv.Error as error:
        raise _NotCsvError(f"line {line:,}: is not CSV: {error}") from None


class _NotCsvError(Exception):
    """The rest of the text cannot be read."""


class _Reading:
    """The state of one pass over the rows."""

    def __init__(
        self, columns: Columns, header: Sequence[str], now: datetime, *, skips_repeated: bool
    ) -> None:
        self._columns, self._header, self._now = columns, header, now
        self._refuses_repeated = columns.unique and not skips_repeated
        self._count = self._refused = 0
        self._found: list[str] = []
        self._oddities, self._keys = Oddities(), Keys()
        place = {name: index for index, name in enumerate(header)}
        kinds = [(index, name, columns.kind(name)) for name, index in place.items()]
        self._filled = [(index, name) for name, index in place.items() if columns.is_filled(name)]
        parsers = [(index, name, parser(kind, now)) for index, name, kind in kinds]
        self._parsers = [(index, name, parse) for index, name, parse in parsers if parse]
        self._numbers = {index: Numbers(name) for index, name, kind in kinds if kind.is_numeric}
        self._groups = {place[name]: Groups() for name in columns.groups if name in place}
        self._orders = [
            (place[kind.after], index) for index, _, kind in kinds if kind.after in place
        ]
        self._expiring = [index for index, _, kind in kinds if kind.expires]
        self._key = next(place[name] for name in columns.all if name in place)
        both = [place[name] for name in columns.not_both if name in place]
        self._not_both = both if len(both) > 1 else []

    def read(self, rows: Iterator[tuple[int, list[str]]], tick: Callable[[], object]) -> None:
        """Take the rows until they end or are no CSV."""
        width = len(self._header)
        try:
            for first in rows:
                for line, row in chain([first], islice(rows, _ROWS_BETWEEN_TICKS)):
                    self._count += 1
                    if len(row) == width:
                        self._take(line, row)
                    else:
                        values = "value" if len(row) == 1 else "values"
                        self._refuse(line, f"has {len(row):,} {values}, not {width}")
                tick()
        except _NotCsvError as error:
            self._refused += 1
            self._found.append(str(error))

    def _take(self, line: int, row: list[str]) -> None:
        for index, name in self._filled:
            if not row[index] or row[index].isspace():
                self._refuse(line, f"{name} is empty")
        parsed: dict[int, Value] = {}
        for index, name, parse in self._parsers:
            try:
                value = parse(row[index])
            except ValueError as error:
                self._refuse(line, f"{name} {error}")
                continue
            if value is not None:
                parsed[index] = value
        for index, numbers in self._numbers.items():
            if index in parsed and numbers.take(line, parsed[index]):
                self._oddities.add(line, numbers.name, "is negative", row[index])
        if parsed or self._not_both:
            self._compare(line, row, parsed)
        for index, group in self._groups.items():
            group.take(row[index])
        if (key := row[self._key]) and self._keys.is_repeated(key):
            self._note_repeated(line, key)

    def _compare(self, line: int, row: list[str], parsed: dict[int, Value]) -> None:
        """Check what the values of a row mean together, and whether they are past."""
        for start, end in self._orders:
            first, last = parsed.get(start), parsed.get(end)
            if isinstance(first, datetime) and isinstance(last, datetime) and last < first:
                names = f"{self._header[end]} must not be before {self._header[start]}"
                self._refuse(line, names)
        for index in self._expiring:
            time = parsed.get(index)
            if isinstance(time, datetime) and time <= self._now:
                self._oddities.add(line, self._header[index], "is in the past", row[index])
        if self._not_both and all(row[index] for index in self._not_both):
            first_name, second_name = self._columns.not_both
            self._refuse(line, f"give {first_name} or {second_name}, not both")

    def _note_repeated(self, line: int, key: str) -> None:
        name = self._header[self._key]
        if self._refuses_repeated:
            shown = quoted(key, _MAX_QUOTED_CHARS)
            self._refuse(line, f"{name} {shown} also appears on an earlier line")
        else:
            self._oddities.add(line, name, "also appears on an earlier line", key)

    def _refuse(self, line: int, why: str) -> None:
        self._refused += 1
        if len(self._found) < MAX_PROBLEMS:
            self._found.append(f"line {line:,}: {why}")

    def problems(self) -> list[Problem]:
        """Return what upstream would refuse."""
        found = self._found
        most = self._columns.max_rows
        if most is not None and self._count > most:
            too_many = f"has {self._count:,} rows; upstream takes at most {most:,}, so split it"
            found = [too_many, *found]
        if (more := self._refused - len(self._found)) > 0:
            found = [*found, f"has {more:,} more problem{'s' if more > 1 else ''} like these"]
        return [Problem("csv", each) for each in found]

    def rows(self) -> Rows:
        """Return what the rows say."""
        numbers = {self._header[index]: each for index, each in self._numbers.items()}
        for name, kind in self._columns.kinds.items():
            empty = meaning_of_empty(kind)
            stands_for_number = kind.is_numeric and isinstance(kind.empty, int)
            if self._count and stands_for_number and name not in self._header:
                numbers[name] = Numbers(name)
                numbers[name].take(0, empty, self._count)
        groups = {self._header[index]: each.largest() for index, each in self._groups.items()}
        return Rows(
            self._count,
            {name: each.total() for name, each in numbers.items()},
            {name: each for name, each in groups.items() if each},
            self._unusual(),
            tuple(self._keys.first),
        )

    def _unusual(self) -> tuple[str, ...]:
        said = [*self._oddities.sentences()]
        if self._keys.is_full:
            name = self._header[self._key]
            said.append(f"only the first {MAX_COMPARED:,} values of {name} were compared")
        for numbers in self._numbers.values():
            said += numbers.outliers()
        if (more := len(said) - MAX_UNUSUAL) > 0:
            return (*said[:MAX_UNUSUAL], f"at least {more:,} more values are out of the ordinary")
        return tuple(said)
