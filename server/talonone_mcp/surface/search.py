"""Finds operations by what people call things: full text over the catalog, kept in memory.

The text decides, by BM25. What a bag of words cannot know is added: that a voucher is a coupon,
what is to be done with it, and how much of a tool's name was meant. The comments give what each
rule is worth: how many fewer of 100 questions in `bench/questions.yaml` are answered first without.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet

from talonone_mcp.core.catalog import Catalog, Tool
from talonone_mcp.surface.vocabulary import Vocabulary, singular, words

_COLUMNS = ("name", "title", "keywords", "description")
_ACTION = 1.5  # times the score, for what does the thing that is to be done: -5.0
_NUMBER = 0.7  # for coupons where one coupon is spoken of: -2.5 if it counts nothing, -1.1 if full
_SMALL = frozenset(["by", "for", "from", "of", "or"])  # in names: -0.3
# Bounds on time, not on what is found: no question is longer.
_MOST_WORDS = 40
_MOST_CHARACTERS = 2000


class Search:
    """An index of operations and workflows."""

    def __init__(self, catalog: Catalog, *, read_only: bool = False) -> None:
        """Build the index, in some hundredths of a second.

        Args:
            catalog: all of them.
            read_only: whether to find reads alone.
        """
        self._tools = [each for each in catalog.tools if each.is_read or not read_only]
        self._vocabulary = Vocabulary(catalog.words)
        self._meant = [self._named_parts(each.name) for each in self._tools]
        self._named = {name.lower(): each for each in self._tools for name in each.names}
        self._db = sqlite3.connect(":memory:", check_same_thread=False)
        self._db.execute(
            f"CREATE VIRTUAL TABLE operations USING"
            f" fts5({', '.join(_COLUMNS)}, tokenize='porter unicode61')"
        )
        self._db.executemany(
            f"INSERT INTO operations VALUES ({', '.join('?' * len(_COLUMNS))})",  # noqa: S608
            _rows(self._tools),
        )

    def find(self, query: str, limit: int, toolset: str | None = None) -> list[Tool]:
        """Return the tools that fit a query best, the best first.

        Args:
            query: words in English, in singular or plural; or a tool's name, alias or
                upstream operationId, which then comes first.
            limit: how many at most.
            toolset: whose operations alone; None for all.
        """
        query = query[:_MOST_CHARACTERS]
        spoken = re.findall(r"\w+", query.lower())
        named = {
            self._named[word].name: self._named[word] for word in spoken if word in self._named
        }
        asked = self._vocabulary.asked(query)[:_MOST_WORDS]
        actions = self._vocabulary.actions(query)
        things = frozenset(asked), frozenset(map(singular, asked))
        found = {name: (0.0, tool) for name, tool in named.items()}
        for row, score in self._matches(asked):
            tool = self._tools[row]
            found[tool.name] = (score * self._fit(row, actions, *things), tool)
        best = sorted(found.values(), key=lambda each: (each[1].name not in named, -each[0]))
        return [each for _, each in best if toolset in (None, each.toolset)][:limit]

    def _matches(self, asked: list[str]) -> Iterator[tuple[int, float]]:
        """Yield the index and the score of each tool whose text has a word of the query."""
        if not asked:
            return
        rows = self._db.execute(
            "SELECT rowid, -rank FROM operations WHERE operations MATCH ?",
            (" OR ".join(f'"{word}"' for word in asked),),
        )
        yield from ((row - 1, score) for row, score in rows)

    def _named_parts(self, name: str) -> tuple[str | None, list[str]]:
        """Return what a tool does, and the words of its name for what it does it to."""
        verb, thing = self._vocabulary.parts_of(name)
        return self._vocabulary.action_of(verb), [part for part in thing if part not in _SMALL]

    def _fit(
        self,
        row: int,
        actions: AbstractSet[str],
        asked: AbstractSet[str],
        singulars: AbstractSet[str],
    ) -> float:
        """Return what a tool's score is multiplied by, for its name's sake."""
        action, parts = self._meant[row]
        spoken_of = sum(
            1.0 if part in asked else _NUMBER if singular(part) in singulars else 0.0
            for part in parts
        )
        return (_ACTION if action in actions else 1.0) * (1 + spoken_of / max(len(parts), 1))


def _rows(tools: Iterable[Tool]) -> Iterator[tuple[str, ...]]:
    """Yield what is to be found of each tool, in the order of the columns."""
    for tool in tools:
        yield tuple(map(_text, (" ".join(tool.names), tool.title, tool.keywords, tool.description)))


def _text(text: str) -> str:
    return " ".join(words(text))
