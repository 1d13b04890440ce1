"""Tables in GitHub's Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table, with every cell escaped."""
    yield _row(head)
    yield _row(["---"] * len(head))
    yield from map(_row, rows)


def code(text: str) -> str:
    """Return text as code."""
    return f"`{text}`"


def codes(names: Iterable[str]) -> str:
    """Return names as code, separated by commas."""
    return ", ".join(map(code, names))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    """Escape what would end a cell or its row; a pipe ends a cell even inside code."""
    return " ".join(text.split()).replace("|", r"\|")
