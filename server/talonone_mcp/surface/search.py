"""Find operations by the words people use: an in-memory full-text index of the catalog.

BM25 ranks the text. Some boosts add what a bag of words cannot know: that a voucher is a coupon,
which action is asked for, and how much of a tool's name the query covers. The comments tell what
each is worth: without it, how many percentage points fewer of the questions in
`bench/questions.yaml` get the right tool as first result.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet

from talonone_mcp.core.catalog import Catalog, Tool
from talonone_mcp.surface.vocabulary import Vocabulary, singular, words

_COLUMNS = ("name", "title", "keywords", "description")
_ACTION_BOOST = 1.5  # multiplies the score of a tool that does the asked action: -5.0
# The credit for "coupons" if the query says "coupon", or vice versa: -2.5 at 0, -1.1 at 1.
_NUMBER_CREDIT = 0.7
_STOP_WORDS = frozenset(["by", "for", "from", "of", "or"])  # ignored in names: -0.3
# These only bound the time of a search; real queries are shorter.
_MAX_QUERY_WORDS = 40
_MAX_QUERY_CHARS = 2000


class Search:
    """An index of operations and workflows."""

    def __init__(self, catalog: Catalog, *, read_only: bool = False) -> None:
        """Build the index, which takes some hundredths of a second.

        Args:
            catalog: the operations and workflows to index.
            read_only: whether to index only reads.
        """
        self._tools = [each for each in catalog.tools if each.is_read or not read_only]
        self._vocabulary = Vocabulary(catalog.words)
        self._name_parts = [self._parts_of(each.name) for each in self._tools]
        words_of_names = {part for _, parts in self._name_parts for part in parts}
        self._singulars = {word: singular(word) for word in words_of_names}
        self._by_name = {name.lower(): each for each in self._tools for name in each.names}
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
        """Return the tools that match a query best, the best first.

        Args:
            query: English words, singular or plural. A tool named in it by name, alias or upstream
                operationId comes first.
            limit: how many to return at most.
            toolset: the only toolset to search; None for all.
        """
        query = query[:_MAX_QUERY_CHARS]
        query_words = re.findall(r"\w+", query.lower())
        tools = (self._by_name[word] for word in query_words if word in self._by_name)
        named = {tool.name: tool for tool in tools}
        asked = self._vocabulary.asked(query)[:_MAX_QUERY_WORDS]
        actions = self._vocabulary.actions(query)
        word_credits = self._credits(asked)
        scored = {name: (0.0, tool) for name, tool in named.items()}
        for row, score in self._matches(asked):
            tool = self._tools[row]
            scored[tool.name] = (score * self._boost(row, actions, word_credits), tool)
        best = sorted(scored.values(), key=lambda each: (each[1].name not in named, -each[0]))
        return [each for _, each in best if toolset in (None, each.toolset)][:limit]

    def _matches(self, asked: list[str]) -> Iterator[tuple[int, float]]:
        """Yield (index, score) of each tool whose text has a word of the query."""
        if not asked:
            return
        rows = self._db.execute(
            "SELECT rowid, -rank FROM operations WHERE operations MATCH ?",
            (" OR ".join(f'"{word}"' for word in asked),),
        )
        yield from ((row - 1, score) for row, score in rows)

    def _parts_of(self, name: str) -> tuple[str | None, list[str]]:
        """Return the action in a tool's name, and the words for what it acts on."""
        verb, thing = self._vocabulary.parts_of(name)
        return self._vocabulary.action_of(verb), [part for part in thing if part not in _STOP_WORDS]

    def _credits(self, asked: list[str]) -> dict[str, float]:
        """Return how far a query covers each word that names have, from 0 to 1, without zeros."""
        exact, singulars = frozenset(asked), frozenset(map(singular, asked))
        return {
            word: 1.0 if word in exact else _NUMBER_CREDIT
            for word, one in self._singulars.items()
            if word in exact or one in singulars
        }

    def _boost(
        self, row: int, actions: AbstractSet[str], word_credits: Mapping[str, float]
    ) -> float:
        """Return the factor for a tool's score, given how well its name matches."""
        action, parts = self._name_parts[row]
        covered = 0.0
        for part in parts:
            covered += word_credits.get(part, 0.0)
        return (_ACTION_BOOST if action in actions else 1.0) * (1 + covered / (len(parts) or 1))


def _rows(tools: Iterable[Tool]) -> Iterator[tuple[str, ...]]:
    """Yield the indexed texts of each tool, in the order of the columns."""
    for tool in tools:
        yield tuple(map(_text, (" ".join(tool.names), tool.title, tool.keywords, tool.description)))


def _text(text: str) -> str:
    return " ".join(words(text))
