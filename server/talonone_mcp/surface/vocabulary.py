"""What people's words mean in the catalog: one spelling, one name for a thing, what is to be done.

The words themselves are data, in `tools/_words.yaml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from functools import cache

from talonone_mcp.core.catalog.model import Words

_WORD = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")  # where an operationId has its next word
# British spellings, by how a word ends, and the American ones
_SPELLINGS = (
    (re.compile(r"(?<=\w{3})is(e[ds]?|ing|ations?)$"), r"iz\1"),
    (re.compile(r"(?<=[lbn])our(s|ed|ing|ite|ites)?$"), r"or\1"),
    (re.compile(r"([aeiou])ll(ed|ing|ation|ations)$"), r"\1l\2"),
    (re.compile(r"logue(s?)$"), r"log\1"),
    (re.compile(r"programme(s?)$"), r"program\1"),
    (re.compile(r"^enrol(s|ment|ments)?$"), r"enroll\1"),
)

_GREETING = r"(?:hi|hello|hey|please|and|so)\W+"


class Wording:
    """Reads a question."""

    def __init__(self, said: Words) -> None:
        """Take the words and what they mean."""
        self._small = frozenset(said.small)
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
        self._opens = {
            name: re.compile(rf"(?:{_GREETING})*{_any_of(action.opens).pattern}")
            for name, action in said.actions.items()
            if action.opens
        }
        self._verbs = {verb: name for name, each in said.actions.items() for verb in each.verbs}

    def asked(self, query: str) -> list[str]:
        """Return the words that tell operations apart, what people call a thing beside its name.

        A phrase is replaced by the name of what it means. Numbers, codes and the words that every
        question is made of are left out.
        """
        named = self._phrase.sub(self._name_of_phrase, _spoken(query))
        found: dict[str, None] = {}
        for word in words(named):
            if word.isalpha() and word not in self._small:
                found[word] = None
                if name := self._name_of(word):
                    found[name] = None
        spoken = _spoken(query)
        found |= {name: None for name, hint in self._also.items() if hint.search(spoken)}
        return list(found)

    def actions(self, query: str) -> AbstractSet[str]:
        """Return what may be to be done: `read`, `create`, ...; a question may leave it open."""
        spoken = _spoken(query)
        for name, opening in self._opens.items():
            if opening.match(spoken):
                return {name}
        said = (match[0] for match in self._action.finditer(spoken))
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


def words(text: str) -> Iterator[str]:
    """Yield the words of a text or an identifier in small letters and one spelling."""
    return map(_american, _WORD.findall(_HUMP.sub(" ", text).lower()))


@cache
def singular(word: str) -> str:
    """Return a noun's singular, by its ending; no word of fewer than four letters has one."""
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("ses", "s"), ("s", "")):
        if word.endswith(ending) and not word.endswith("ss") and len(word) > len(ending) + 2:
            return word.removesuffix(ending) + instead
    return word


@cache
def _american(word: str) -> str:
    for british, american in _SPELLINGS:
        word = british.sub(american, word)
    return word


def _spoken(query: str) -> str:
    return " ".join(map(_american, re.findall(r"[a-z0-9'/-]+", query.lower())))


def _any_of(phrases: Iterable[str]) -> re.Pattern[str]:
    longest_first = sorted(map(_spoken, phrases), key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(f'{re.escape(each)}s?' for each in longest_first)})\b")
