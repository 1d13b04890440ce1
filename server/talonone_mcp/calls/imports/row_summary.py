"""What the rows of an import add up to: totals, groups, identifiers and what stands out.

Everything here takes the rows one by one and keeps a bounded amount of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from heapq import heappush, heappushpop
from random import Random
from statistics import median

from talonone_mcp.calls.imports.cells import Value
from talonone_mcp.core.text import quoted

MAX_UNUSUAL = 10  # sentences
MAX_KEYS = 1_000  # that a caller may look up
MAX_COMPARED = 1_000_000  # identifiers; about 60 MB of hashes
_MAX_GROUPS = 10
_MAX_GROUPED_VALUES = 1_000  # a column with more is no group
_MAX_GROUP_CHARS = 100
_MAX_KEY_CHARS = 1_000
_SAMPLE_ROWS = 10_000  # the median of fewer values is exact
_MAX_LARGEST = 1_000  # values kept with their lines
_UNUSUAL_FACTOR = 100  # times the median
_MAX_QUOTED_CHARS = 40


@dataclass(frozen=True, slots=True)
class Total:
    """What the numbers of a column add up to.

    Attributes:
        sum: of all numbers.
        positive: of those above 0.
        negative: of those below 0; at most 0.
        smallest: None without a number.
        largest: None without a number.
        unlimited: how many rows hold no number but mean without end; they are not in the sums.
    """

    sum: float
    positive: float
    negative: float
    smallest: float | None
    largest: float | None
    unlimited: int


@dataclass(frozen=True, slots=True)
class Rows:
    """What the rows of an import say.

    Attributes:
        count: how many there are, without the header and blank lines.
        totals: by column of numbers. One that is not there counts if upstream says what number
            that means.
        groups: how many rows have each value, the most frequent first and at most 10, by column
            of few different values.
        unusual: sentences about what stands out, at most 10, and one that counts the rest.
        keys: the first 1,000 values that identify a row, each once.
    """

    count: int = 0
    totals: Mapping[str, Total] = field(default_factory=dict)
    groups: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    unusual: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


class Numbers:
    """Adds up a column's numbers and remembers the largest."""

    def __init__(self, name: str) -> None:
        """Start without numbers; `name` is the column's."""
        self.name = name
        self._positive = self._negative = Decimal(0)
        self._smallest: Decimal | None = None
        self._largest: Decimal | None = None
        self._unlimited = self._positives = 0
        self._sample: list[Decimal] = []
        self._random = Random(0)  # noqa: S311 - the same file must give the same sentences
        self._top: list[tuple[Decimal, int]] = []  # a heap; lines are negative: the first wins

    def take(self, line: int, number: Value, rows: int = 1) -> bool:
        """Take a number, or "unlimited", that stands in a line; return whether it is negative.

        It counts as often as `rows` says.
        """
        if not isinstance(number, Decimal):
            self._unlimited += rows
            return False
        if self._smallest is None or number < self._smallest:
            self._smallest = number
        if self._largest is None or number > self._largest:
            self._largest = number
        if number > 0:
            self._positive += number * rows if rows > 1 else number
            self._take_positive(line, number)
            return False
        self._negative += number
        return number < 0

    def _take_positive(self, line: int, number: Decimal) -> None:
        self._positives += 1
        if len(self._sample) < _SAMPLE_ROWS:
            self._sample.append(number)
        elif (place := int(self._random.random() * self._positives)) < _SAMPLE_ROWS:
            self._sample[place] = number
        if len(self._top) < _MAX_LARGEST:
            heappush(self._top, (number, -line))
        elif number > self._top[0][0]:
            heappushpop(self._top, (number, -line))

    def total(self) -> Total:
        """Return what the numbers add up to."""
        return Total(
            _plain(self._positive + self._negative),
            _plain(self._positive),
            _plain(self._negative),
            None if self._smallest is None else _plain(self._smallest),
            None if self._largest is None else _plain(self._largest),
            self._unlimited,
        )

    def outliers(self) -> Iterator[str]:
        """Yield a sentence for each number far above the median, the largest first."""
        if not self._sample:
            return
        middle = median(self._sample)
        for number, line in sorted(self._top, reverse=True):
            if number <= _UNUSUAL_FACTOR * middle:
                return
            yield (
                f"line {-line}: {self.name} {_shown(number)} is more than {_UNUSUAL_FACTOR} times"
                f" the median, {_shown(middle)}"
            )


class Groups:
    """Counts a column's rows by value."""

    def __init__(self) -> None:
        """Start without rows."""
        self._rows: Counter[str] = Counter()

    def take(self, value: str) -> None:
        """Take a row's value."""
        if len(self._rows) <= _MAX_GROUPED_VALUES:
            self._rows[value[:_MAX_GROUP_CHARS]] += 1

    def largest(self) -> dict[str, int]:
        """Return the most frequent values with their rows; none if there are very many values."""
        if len(self._rows) > _MAX_GROUPED_VALUES:
            return {}
        ordered = sorted(self._rows.items(), key=lambda each: (-each[1], each[0]))
        return dict(ordered[:_MAX_GROUPS])


class Keys:
    """Notices values that were there before, and keeps the first of them."""

    def __init__(self) -> None:
        """Start without values."""
        self.first: list[str] = []
        self.is_full = False
        self._seen: set[int] = set()  # hashes take less room than texts

    def is_repeated(self, value: str) -> bool:
        """Take a value, and return whether it was there; a new one may go unnoticed if full."""
        digest = hash(value)
        if digest in self._seen:
            return True
        if len(self._seen) == MAX_COMPARED:
            self.is_full = True
            return False
        self._seen.add(digest)
        if len(self.first) < MAX_KEYS and len(value) <= _MAX_KEY_CHARS:
            self.first.append(value)
        return False


class Oddities:
    """Collects what is odd about rows: for each thing, the first row and how many there are."""

    def __init__(self) -> None:
        """Start without any."""
        self._found: dict[tuple[str, str], list[int | str]] = {}
        self._rows: Counter[tuple[str, str]] = Counter()

    def add(self, line: int, column: str, what: str, value: str) -> None:
        """Add a row whose value in a column is odd, as in "is in the past"."""
        self._rows[column, what] += 1
        if (column, what) not in self._found:
            self._found[column, what] = [line, quoted(value, _MAX_QUOTED_CHARS)]

    def sentences(self) -> Iterator[str]:
        """Yield a sentence for each thing."""
        for (column, what), (line, value) in self._found.items():
            more = self._rows[column, what] - 1
            rest = f" (and {more:,} more {'row' if more == 1 else 'rows'})" if more else ""
            yield f"line {line}: {column} {value} {what}{rest}"


def _plain(number: Decimal) -> float:
    whole = number.to_integral_value()
    return int(number) if number == whole and abs(number) < 10**15 else float(number)


def _shown(number: Decimal) -> str:
    return f"{float(number):,.15g}"
