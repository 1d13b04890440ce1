"""Translate people's words into the catalog's: names of things, and actions.

The words are data, in `tools/_words.yaml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from talonone_mcp.core.catalog.word_lists import Words

_WORD = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")  # the word boundaries of an operationId


class Vocabulary:
    """Interprets queries."""

    def __init__(self, vocabulary: Words) -> None:
        """Index the words by what they mean."""
        synonyms = [(each, name) for name, others in vocabulary.things.items() for each in others]
        self._phrases = {_normalized(each): name for each, name in synonyms if " " in each}
        self._things = {_normalized(each): name for each, name in synonyms if " " not in each}
        self._phrase = _any_of(self._phrases)
        self._also = {name: _any_of(phrases) for name, phrases in vocabulary.also.items()}
        self._actions: dict[str, set[str]] = {}
        for name, action in vocabulary.actions.items():
            for phrase in action.words:
                self._actions.setdefault(_normalized(phrase), set()).add(name)
        self._action = _any_of(self._actions)
        self._verbs = {
            verb: name for name, each in vocabulary.actions.items() for verb in each.verbs
        }

    def asked(self, query: str) -> list[str]:
        """Return the words of a query, each synonym followed by the catalog's name.

        Phrases of several words are replaced by the name. Words that the query only hints at
        (`Words.also`) come last.
        """
        named = self._phrase.sub(self._name_of_phrase, _normalized(query))
        unique: dict[str, None] = {}  # an ordered set
        for word in words(named):
            unique[word] = None
            if name := self._name_of(word):
                unique[name] = None
        text = _normalized(query)
        unique |= {name: None for name, hint in self._also.items() if hint.search(text)}
        return list(unique)

    def actions(self, query: str) -> AbstractSet[str]:
        """Return the actions that a query may ask for (`read`, `create`, ...), possibly none."""
        matches = (match[0] for match in self._action.finditer(_normalized(query)))
        return {name for each in matches for name in self._actions.get(each, ())}

    def action_of(self, verb: str) -> str | None:
        """Return the action that a verb in an operation's name stands for, or None."""
        return self._verbs.get(verb)

    def parts_of(self, name: str) -> tuple[str, list[str]]:
        """Return the verb of an operation's name, "" if it has none, and its other words."""
        parts = name.split("_")
        for length in (2, 1):
            verb = "_".join(parts[:length])
            if verb in self._verbs:
                return verb, parts[length:]
        return "", parts

    def _name_of_phrase(self, match: re.Match[str]) -> str:
        phrase = match[0]
        return self._phrases.get(phrase) or f"{self._phrases[phrase.removesuffix('s')]}s"

    def _name_of(self, word: str) -> str | None:
        """Return the catalog's name for a thing, in the word's number; None if unknown."""
        if name := self._things.get(word):
            return name
        name = self._things.get(singular(word))
        return f"{name}s" if name else None


def words(text: str) -> list[str]:
    """Return the words of a text or an identifier in lower case."""
    return _WORD.findall(_HUMP.sub(" ", text).lower())


def singular(word: str) -> str:
    """Return a noun's singular, if its plural ends in s."""
    return word.removesuffix("s")


def _normalized(query: str) -> str:
    return " ".join(re.findall(r"[a-z0-9'/-]+", query.lower()))


def _any_of(phrases: Iterable[str]) -> re.Pattern[str]:
    longest_first = sorted(map(_normalized, phrases), key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(f'{re.escape(each)}s?' for each in longest_first)})\b")
