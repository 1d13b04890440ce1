"""Rows of CSV: counted and taken apart as `csv` does it, however the bytes come."""

from __future__ import annotations

import csv
import io
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talonone_mcp.core import csv_rows
from talonone_mcp.core.csv_rows import RowCounter, TooLongError, columns_of, part_of, rows_of

MARKS = st.sampled_from(["a", '"', "\n", "\r\n", ",", " ", "é", "\u2028"])
CELLS = st.lists(MARKS, max_size=6).map("".join)
TABLES = st.lists(st.lists(CELLS, min_size=1, max_size=3), max_size=6)


def written(table: list[list[str]], end: str) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator=end).writerows(table)
    return text.getvalue().encode()


def counted(data: bytes, cuts: list[int]) -> int:
    counter = RowCounter()
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for start, end in pairwise(places):
        counter.feed(data[start:end])
    return counter.rows


@given(TABLES, st.sampled_from(["\n", "\r\n"]), st.lists(st.integers(0, 60)), st.booleans())
def test_rows_are_those_that_were_written(
    table: list[list[str]], end: str, cuts: list[int], ended: bool
) -> None:
    data = written(table, end)
    data = data if ended else data.removesuffix(end.encode())
    parts = (part.decode() for part in rows_of(io.BytesIO(data)))

    assert counted(data, cuts) == max(len(table) - 1, 0)
    assert [next(csv.reader(io.StringIO(part, newline=""))) for part in parts] == table


@pytest.mark.parametrize(
    ("data", "count"),
    [
        (b"", 0),
        (b"\r\n", 0),
        (b"value", 0),
        (b"value\n", 0),
        (b"value\nA", 1),
        (b"value\n\nA\r\n", 2),
        (b'value\n"A\n\nB"\n', 1),
        (b'value\n"A ""B""\nC"\nD\n', 2),
        (b'value\n"never closed\nA\nB\n', 1),
    ],
)
def test_counting_does_not_depend_on_how_the_bytes_come(data: bytes, count: int) -> None:
    for size in range(1, len(data) + 2):
        assert counted(data, [*range(0, len(data), size)]) == count


@pytest.mark.parametrize(
    ("first", "count", "part"),
    [(1, 2, b"v\n1\n2\n"), (3, 2, b'v\n"3\n"\n4'), (4, 9, b"v\n4"), (5, 1, b"v\n")],
)
def test_a_part_has_the_header_and_the_rows_that_were_asked_for(
    first: int, count: int, part: bytes
) -> None:
    assert part_of(io.BytesIO(b'v\n1\n2\n"3\n"\n4'), first, count) == part


@pytest.mark.parametrize("data", [b"v\n" + b"1\n" * 60, b"v\n" + b"x" * 60, b'v\n"' + b"\n" * 60])
def test_more_than_can_be_held_is_refused(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_rows, "MAX_READ_BYTES", 50)

    with pytest.raises(TooLongError):
        part_of(io.BytesIO(data), 1, 100)


def test_the_columns_are_those_of_the_header() -> None:
    assert columns_of(b'id,"a\nb",""\r\n1,2,3\r\n') == ["id", "a\nb", ""]
    assert columns_of(b"") == []
