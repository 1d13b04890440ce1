"""What people's words mean in the catalog: one name for a thing, what is to be done.

The words themselves are data, in `tools/_words.yaml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from talonone_mcp.core.catalog.model import Words

_WORD = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")  # where an operationId has its next word


class Vocabulary:
    """Reads a question."""

    def __init__(self, said: Words) -> None:
        """Take the words and what they mean."""
        names = [(each, name) for name, others in said.things.items() for each in others]
        self._phrases = {_spoken(each): name for each, name in names if " " in each}
        self._things = {_spoken(each): name for each, name in names if " " not in each}
        self._phrase = _any_of(self._phrases)
        self._also = {name: _any_of(phrases) for name, phrases in said.also.items()}
        self._actions: dict[str, set[str]] = {}
        for name, action in said.actions.items():
            for phrase in action.words:
                self._actions.setdefault(_spoken(phrase), set()).add(name)
        self._action = _any_of(self._actions)
        self._verbs = {verb: name for name, each in said.actions.items() for verb in each.verbs}

    def asked(self, query: str) -> list[str]:
        """Return a question's words, what people call a thing beside its name.

        A phrase is replaced by the name of what it means.
        """
        named = self._phrase.sub(self._name_of_phrase, _spoken(query))
        found: dict[str, None] = {}
        for word in words(named):
            found[word] = None
            if name := self._name_of(word):
                found[name] = None
        spoken = _spoken(query)
        found |= {name: None for name, hint in self._also.items() if hint.search(spoken)}
        return list(found)

    def actions(self, query: str) -> AbstractSet[str]:
        """Return what may be to be done: `read`, `create`, ...; a question may leave it open."""
        said = (match[0] for match in self._action.finditer(_spoken(query)))
        return {name for each in said for name in self._actions.get(each, ())}

    def action_of(self, verb: str) -> str | None:
        """Return which of these a verb in an operation's name stands for."""
        return self._verbs.get(verb)

    def parts_of(self, name: str) -> tuple[str, list[str]]:
        """Return the verb of an operation's name, if it has one, and the rest of its words."""
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
        """Return the catalog's name for a thing, in the number in which it is spoken of."""
        if name := self._things.get(word):
            return name
        name = self._things.get(singular(word))
        return f"{name}s" if name else None


def words(text: str) -> list[str]:
    """Return the words of a text or an identifier in small letters."""
    return _WORD.findall(_HUMP.sub(" ", text).lower())


def singular(word: str) -> str:
    """Return a noun's singular, where an s makes the plural."""
    return word.removesuffix("s")


def _spoken(query: str) -> str:
    return " ".join(re.findall(r"[a-z0-9'/-]+", query.lower()))


def _any_of(phrases: Iterable[str]) -> re.Pattern[str]:
    longest_first = sorted(map(_spoken, phrases), key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(f'{re.escape(each)}s?' for each in longest_first)})\b")
