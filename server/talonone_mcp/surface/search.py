"""Finds operations by what people call things: full text over the catalog, kept in memory.

The text decides, by BM25. What a bag of words cannot know is added: that a voucher is a coupon,
what is to be done with it, and how much of a tool's name was meant.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet

from talonone_mcp.core.catalog import Catalog, Tool
from talonone_mcp.surface.vocabulary import Wording, singular, words

# What a match in each column weighs: the name says what a tool does, its arguments what it
# touches on the way.
_WEIGHTS = {
    "name": 4.0,
    "title": 4.0,
    "keywords": 4.0,
    "description": 1.0,
    "toolset": 0.3,
    "arguments": 0.3,
}
_NAMED = 1000.0  # what it scores to be named in the query
_ACTION = 1.5  # times the score, for what does the thing that is to be done
_AMONG = 1.1  # the same for a read, whose words (which, is, has) are in every other question too
_NAME = 1.0  # times the score, for the part of the name that is spoken of
_NUMBER = 0.7  # of that, for a part in another number: coupons where one coupon is spoken of
_VERB = 1.1  # times the score, for the very verb of the name
_OUTDATED = 0.7  # times the score of a tool that has a successor
_MOST_WORDS = 40  # of a query, the first ones: no question needs more
_MOST_CHARACTERS = 2000
_SMALL = frozenset(["by", "for", "from", "of", "or"])  # in names


class Search:
    """An index of operations and workflows."""

    def __init__(self, catalog: Catalog, *, read_only: bool = False) -> None:
        """Build the index, in some hundredths of a second.

        Args:
            catalog: all of them.
            read_only: whether to find reads alone.
        """
        self._tools = [each for each in catalog.tools if each.is_read or not read_only]
        self._wording = Wording(catalog.words)
        self._named = {name.lower(): each for each in self._tools for name in each.names}
        self._db = sqlite3.connect(":memory:", check_same_thread=False)
        columns = ", ".join(_WEIGHTS)
        self._db.execute(
            f"CREATE VIRTUAL TABLE operations USING fts5({columns}, tokenize='porter unicode61')"
        )
        self._db.executemany(
            f"INSERT INTO operations VALUES ({', '.join('?' * len(_WEIGHTS))})",  # noqa: S608
            _rows(self._tools, catalog),
        )

    def find(self, query: str, limit: int, toolset: str | None = None) -> list[Tool]:
        """Return the tools that fit a query best, the best first.

        Args:
            query: words in English, in any spelling and number; or a tool's name, alias or
                upstream operationId, which then comes first.
            limit: how many at most.
            toolset: whose operations alone; None for all.
        """
        query = query[:_MOST_CHARACTERS]
        found = {
            self._named[word].name: (_NAMED, self._named[word])
            for word in re.findall(r"\w+", query.lower())
            if word in self._named
        }
        asked = self._wording.asked(query)[:_MOST_WORDS]
        actions = self._wording.actions(query)
        for tool, score in self._matches(asked):
            before, _ = found.get(tool.name, (0.0, tool))
            fitting = score * self._fit(tool, actions, asked)
            found[tool.name] = (before + fitting, tool)
        best = sorted(found.values(), key=lambda each: -each[0])
        return [each for _, each in best if toolset in (None, each.toolset)][:limit]

    def _matches(self, asked: list[str]) -> Iterator[tuple[Tool, float]]:
        if not asked:
            return
        weights = ", ".join(map(str, _WEIGHTS.values()))
        rows = self._db.execute(
            f"SELECT rowid, -bm25(operations, {weights}) FROM operations"  # noqa: S608 - ours
            " WHERE operations MATCH ?",
            (" OR ".join(f'"{word}"' for word in asked),),
        )
        yield from ((self._tools[row - 1], score) for row, score in rows)

    def _fit(self, tool: Tool, actions: AbstractSet[str], asked: list[str]) -> float:
        verb, thing = self._wording.parts_of(_plain_name(tool))
        action = self._wording.action_of(verb)
        fit = 1.0
        if action in actions:
            fit *= _AMONG if action == "read" and len(actions) > 1 else _ACTION
        if verb in asked:
            fit *= _VERB
        parts = [part for part in thing if part not in _SMALL]
        if parts:
            fit *= 1 + _NAME * sum(_spoken_of(part, asked) for part in parts) / len(parts)
        return fit if tool.status == "current" else fit * _OUTDATED


def _spoken_of(part: str, asked: list[str]) -> float:
    """Return how much a part of a name is spoken of: one thing is not quite several."""
    if part in asked:
        return 1.0
    return _NUMBER if singular(part) in map(singular, asked) else 0.0


def _plain_name(tool: Tool) -> str:
    """Return the name without the API's own before it."""
    return tool.name.removeprefix("cep_").removeprefix("capillary_")


def _rows(tools: Iterable[Tool], catalog: Catalog) -> Iterator[tuple[str, ...]]:
    """Yield what is to be found of each tool, in the order of the columns."""
    toolsets = {
        each.name: _text(f"{each.title} {each.description}") for each in catalog.toolsets.values()
    }
    for tool in tools:
        yield (
            _text(" ".join(tool.names)),
            _text(tool.title),
            _text(tool.keywords),
            _text(tool.description),
            toolsets[tool.toolset],
            _text(" ".join(tool.input_schema["properties"])),
        )


def _text(text: str) -> str:
    return " ".join(words(text))
