"""Reads JSON, with or without comments, and records where its parts are.

An editor that changes one member and keeps every other byte must know where each member begins and
ends, and where its comma is. Anything nested deeper than the entries of a host's servers is read
only for its value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_MAX_DEPTH = 100  # nested objects and arrays; configurations have about five
_RECORDED_DEPTH = 2  # down to which items are recorded; the root is at 0

_BETWEEN = re.compile(r"(?:[ \t\r\n]+|//[^\r\n]*|/\*.*?\*/)*", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORD = re.compile(r"true|false|null")
_MAX_INTEGER_CHARS = 1000  # Python refuses to read much longer ones

Path = tuple[str, ...]


class JsonError(ValueError):
    """The text is not JSON; the message says what is wrong and where."""


@dataclass(frozen=True, slots=True)
class Item:
    """A member of an object or item of an array; positions are offsets into the text."""

    name: str | None
    start: int
    value: int
    """Where its value begins."""
    end: int
    comma: int | None
    """Where the comma after it is, if any."""


@dataclass(frozen=True, slots=True)
class Collection:
    """An object or an array: the offsets of its two brackets, and its items."""

    start: int
    close: int
    items: tuple[Item, ...]

    def named(self, name: str) -> list[Item]:
        """Return the members of this name: more than one if the object repeats it."""
        return [item for item in self.items if item.name == name]


@dataclass(frozen=True, slots=True)
class Document:
    """What a text says, and where."""

    value: Any
    """Also None if there is only white space and comments."""
    blank: bool
    collections: dict[Path, Collection]
    """The root is at (), its member `a` at ("a",)."""
    extension: int | None
    """Where the first comment or trailing comma is, which plain JSON does not allow."""


def read(text: str) -> Document:
    """Read a text.

    Raises:
        JsonError: it is not JSON, even with comments and trailing commas.
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
    """Return the line and column of an offset, counted from 1, for people."""
    before = text[:at]
    return f"line {before.count(chr(10)) + 1}, column {at - before.rfind(chr(10))}"


@dataclass(slots=True)
class _Reader:
    text: str
    collections: dict[Path, Collection] = field(default_factory=dict)
    extension: int | None = None

    def skip(self, at: int) -> int:
        """Return where the white space and comments that begin here end."""
        found = _BETWEEN.match(self.text, at)
        end = found.end() if found else at
        if end > at and self.extension is None:
            slash = self.text.find("/", at, end)
            self.extension = slash if slash >= 0 else None
        return end

    def value(self, at: int, path: Path, depth: int) -> tuple[Any, int]:
        """Return the value that begins here and where it ends."""
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
        if depth > _MAX_DEPTH:
            raise JsonError(
                f"there is more than {_MAX_DEPTH} deep nesting at {place(self.text, at)}"
            )
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
        if depth <= _RECORDED_DEPTH:
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
    if len(token) > _MAX_INTEGER_CHARS and token[0] in "-0123456789":
        return float(token)
    return json.loads(token)
