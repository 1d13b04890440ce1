"""Reads JSON, with or without comments, and remembers where its parts stand.

An editor that changes one member and leaves every other byte alone needs to know where each member
begins, where it ends and where its comma is. What stands deeper than the entries of a host's
servers is read for its value alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_DEPTH = 100  # of nested objects and arrays; configurations have five or so
_RECORDED = 2  # the depth of the collections whose items are remembered: the root is at 0

_BETWEEN = re.compile(r"(?:[ \t\r\n]+|//[^\r\n]*|/\*.*?\*/)*", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORD = re.compile(r"true|false|null")
_LONG = 1000  # digits, beyond which Python reads no whole number

Path = tuple[str, ...]


class JsonError(ValueError):
    """The text is no JSON; the message says what is wrong and where."""


@dataclass(frozen=True, slots=True)
class Item:
    """A member of an object, or an item of an array; all places are offsets into the text."""

    name: str | None
    start: int
    value: int
    """Where its value begins."""
    end: int
    comma: int | None
    """Where the comma after it is, if there is one."""


@dataclass(frozen=True, slots=True)
class Collection:
    """An object or an array: the offsets of its two brackets, and its items."""

    start: int
    close: int
    items: tuple[Item, ...]

    def named(self, name: str) -> list[Item]:
        """Return the members of this name: one at most, unless a name is there twice."""
        return [item for item in self.items if item.name == name]


@dataclass(frozen=True, slots=True)
class Document:
    """A text that was read."""

    value: Any
    """None, too, where there is nothing but white space and comments."""
    blank: bool
    collections: dict[Path, Collection]
    """The root is at (), its member `a` at ("a",)."""
    extension: int | None
    """Where the first thing stands that plain JSON has not: a comment, or a trailing comma."""


def read(text: str) -> Document:
    """Read a text.

    Raises:
        JsonError: it is not JSON with comments and trailing commas.
    """
    reader = _Reader(text)
    at = reader.skip(0)
    if at == len(text):
        return Document(None, True, {}, reader.extension)
    value, end = reader.value(at, (), 0)
    if reader.skip(end) != len(text):
        raise JsonError(f"something follows the end at {place(text, reader.skip(end))}")
    return Document(value, False, reader.collections, reader.extension)


def place(text: str, at: int) -> str:
    """Return the line and column of an offset, counted from 1, for a person to find it."""
    before = text[:at]
    return f"line {before.count(chr(10)) + 1}, column {at - before.rfind(chr(10))}"


@dataclass(slots=True)
class _Reader:
    text: str
    collections: dict[Path, Collection] = field(default_factory=dict)
    extension: int | None = None

    def skip(self, at: int) -> int:
        """Return where white space and comments end that begin here."""
        found = _BETWEEN.match(self.text, at)
        end = found.end() if found else at
        if end > at and self.extension is None:
            slash = self.text.find("/", at, end)
            self.extension = slash if slash >= 0 else None
        return end

    def value(self, at: int, path: Path, depth: int) -> tuple[Any, int]:
        """Return the value that begins here, and where it ends."""
        first = self.text[at : at + 1]
        if first == "{":
            return self._collection(at, path, depth, "}", self._member)
        if first == "[":
            return self._collection(at, path, depth, "]", self._item)
        for pattern in (_STRING, _NUMBER, _WORD):
            if found := pattern.match(self.text, at):
                return _scalar(found.group()), found.end()
        raise self._unexpected(at, "a value")

    def _collection(
        self,
        at: int,
        path: Path,
        depth: int,
        bracket: str,
        read_item: Callable[[int, Path, int], tuple[Any, Item]],
    ) -> tuple[Any, int]:
        if depth > _DEPTH:
            raise JsonError(f"there is more than {_DEPTH} deep nesting at {place(self.text, at)}")
        values, items = [], []
        now = self.skip(at + 1)
        while self.text[now : now + 1] != bracket:
            value, item = read_item(now, path, depth + 1)
            values.append(value)
            after = self.skip(item.end)
            if self.text[after : after + 1] == ",":
                item = Item(item.name, item.start, item.value, item.end, after)
                now = self.skip(after + 1)
                if self.text[now : now + 1] == bracket and self.extension is None:
                    self.extension = after
            elif self.text[after : after + 1] == bracket:
                now = after
            else:
                raise self._unexpected(after, f"a comma or {bracket}")
            items.append(item)
        if depth <= _RECORDED:
            self.collections[path] = Collection(at, now, tuple(items))
        return (dict(values) if bracket == "}" else values), now + 1

    def _member(self, at: int, path: Path, depth: int) -> tuple[Any, Item]:
        found = _STRING.match(self.text, at)
        if not found:
            raise self._unexpected(at, "a name in double quotes or }")
        name = json.loads(found.group())
        colon = self.skip(found.end())
        if self.text[colon : colon + 1] != ":":
            raise self._unexpected(colon, "a colon")
        start = self.skip(colon + 1)
        value, end = self.value(start, (*path, name), depth)
        return (name, value), Item(name, at, start, end, None)

    def _item(self, at: int, path: Path, depth: int) -> tuple[Any, Item]:
        value, end = self.value(at, (*path, ""), depth)
        return value, Item(None, at, at, end, None)

    def _unexpected(self, at: int, wanted: str) -> JsonError:
        here = place(self.text, at)
        if at >= len(self.text):
            return JsonError(f"the file ends where {wanted} should be, at {here}")
        return JsonError(f"{self.text[at]!r} is where {wanted} should be, at {here}")


def _scalar(token: str) -> Any:
    if len(token) > _LONG and token[0] in "-0123456789":
        return float(token)
    return json.loads(token)
