"""What a benchmark finds: rows of one shape, which a person reads and `python -m bench` collects.

A benchmark is a module with `add_options(parser)` and `rows(options)`. Every one of them takes
`--quick`, which shows that it works and measures nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

HEADINGS = ("what", "value", "unit", "peer", "its value", "ratio", "budget", "")


@dataclass(frozen=True, slots=True)
class Budget:
    """The most or the least that a row's value, or its ratio to its peer's, may be."""

    side: Literal["at most", "at least"]
    number: float
    of: Literal["value", "ratio"] = "value"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure, and what was measured in its place in the same run."""

    name: str
    value: float
    unit: str
    peer: str = ""
    peer_value: float | None = None
    budget: Budget | None = None

    @property
    def ratio(self) -> float | None:
        """How many times the peer's value it is."""
        return self.value / self.peer_value if self.peer_value else None

    @property
    def kept(self) -> bool:
        """Whether the budget is kept; it is where there is none."""
        if self.budget is None:
            return True
        figure = self.value if self.budget.of == "value" else self.ratio
        if figure is None:
            return False
        number = self.budget.number
        return figure <= number if self.budget.side == "at most" else figure >= number


@dataclass(frozen=True, slots=True)
class Skipped:
    """What was not measured, and why."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Failed:
    """What could not be measured, because the benchmark itself is at fault."""

    name: str
    why: str


Found = Row | Skipped | Failed
Measure = Callable[[argparse.Namespace], list[Found]]
Options = Callable[[argparse.ArgumentParser], object]


def at_most(number: float, of: Literal["value", "ratio"] = "value") -> Budget:
    """Return a budget from above."""
    return Budget("at most", number, of)


def at_least(number: float, of: Literal["value", "ratio"] = "value") -> Budget:
    """Return a budget from below."""
    return Budget("at least", number, of)


def parser_of(said: str | None, add_options: Options) -> argparse.ArgumentParser:
    """Return the parser of one benchmark's options."""
    parser = argparse.ArgumentParser(
        description=said, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="only show that it works")
    add_options(parser)
    return parser


def no_options(_: argparse.ArgumentParser) -> None:
    """Add no options but those that every benchmark has."""


def alone(said: str | None, measure: Measure, add_options: Options = no_options) -> int:
    """Run one benchmark from the command line: print its table; 1 when a budget is not kept.

    Of a quick run, no figure counts.
    """
    options = parser_of(said, add_options).parse_args()
    found = measure(options)
    for line in table(found):
        print(line)
    return 0 if options.quick or all_kept(found) else 1


def all_kept(found: Iterable[Found]) -> bool:
    """Tell whether every budget is kept."""
    return all(row.kept for row in found if isinstance(row, Row))


def all_ran(found: Iterable[Found]) -> bool:
    """Tell whether nothing failed."""
    return not any(isinstance(row, Failed) for row in found)


def cells(found: Found) -> tuple[str, ...]:
    """Return what a row shows under each heading."""
    if not isinstance(found, Row):
        what = "skipped" if isinstance(found, Skipped) else "FAILED"
        return (found.name, what, "", "", "", "", "", found.why)
    budget = found.budget
    return (
        found.name,
        figure(found.value),
        found.unit,
        found.peer,
        figure(found.peer_value),
        figure(found.ratio),
        f"{budget.side} {figure(budget.number)}{' of it' * (budget.of == 'ratio')}"
        if budget
        else "",
        "" if found.kept else "NOT KEPT",
    )


def figure(number: float | None) -> str:
    """Write a number with as many digits as mean something."""
    if number is None:
        return ""
    size = abs(number)
    if size >= 100 or number == int(number):  # noqa: PLR2004 - from there on, whole ones do
        return f"{number:,.0f}"
    return f"{number:.2f}" if size >= 0.1 else f"{number:.4f}"  # noqa: PLR2004


def table(found: Sequence[Found]) -> list[str]:
    """Return the lines of a table for a terminal."""
    rows = [HEADINGS, *map(cells, found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    numbers = (1, 4, 5)
    return [
        "  ".join(
            cell.rjust(width) if column in numbers else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def markdown(found: Sequence[Found]) -> list[str]:
    """Return the lines of a table for a document."""
    rule = ("---", "---:", "---", "---", "---:", "---:", "---", "---")
    rows = [HEADINGS, rule, *map(cells, found)]
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
