"""All that is known of one call when its impact is judged."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from talonone_mcp.calls.imports import Content, Rows
from talonone_mcp.calls.shown import Shown
from talonone_mcp.calls.updating import Update
from talonone_mcp.core.catalog import Operation
from talonone_mcp.core.catalog.json_schema import parse_time

UNKNOWN: Final = object()
"""An old value that upstream does not show."""

NEVER: Final = datetime.max.replace(tzinfo=UTC)
ALWAYS: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Measured:
    """How much of something a call does; `amount` is None if nobody can know."""

    amount: float | None = 1
    what: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Move:
    """A field that a call changes: its value before, `UNKNOWN` if not shown, and after."""

    old: Any
    new: Any

    @property
    def is_known(self) -> bool:
        """Whether the old value is known."""
        return self.old is not UNKNOWN


@dataclass(frozen=True, slots=True)
class CallFacts:
    """A call, what it changes, and what is there.

    Attributes:
        arguments: of the call, as given; an import's `csv` is its `Content`.
        update: what it changes, if it replaces.
        seen: what was read of what is there.
        now: the time by which past and future are told apart.
    """

    operation: Operation
    arguments: Mapping[str, Any]
    update: Update
    seen: Shown
    now: datetime

    @property
    def before(self) -> Any:
        """What is there, as upstream shows it; None if it cannot be read.

        Raises:
            BeforeNeededError: it was not read yet.
        """
        return None if self.arguments.get("replace") else self.seen.before

    def given(self, name: str, default: Any = None) -> Any:
        """Return an argument."""
        return self.arguments.get(name, default)

    @property
    def rows(self) -> Rows | None:
        """What the rows of an import say."""
        content = self.arguments.get("csv")
        return content.rows if isinstance(content, Content) else None

    def old(self, name: str) -> Any:
        """Return a field's value before: `UNKNOWN` if it cannot be read, None if it has none."""
        before = self.before
        replaces = self.operation.replaces
        key = replaces.renamed.get(name, name) if replaces else name
        return before.get(key) if isinstance(before, Mapping) else UNKNOWN

    def names(self, name: str) -> bool:
        """Tell whether the call sets or empties a field."""
        return name in self.arguments or name in self.update.named

    def new(self, name: str) -> Any:
        """Return the value that the call gives a field; None if it empties it."""
        return self.update.fields.get(name, self.arguments.get(name))

    def move(self, name: str) -> Move | None:
        """Return how the call changes a field; None if it leaves it as it is."""
        if not self.names(name):
            return None
        old, new = self.old(name), self.new(name)
        return None if old is not UNKNOWN and same(old, new) else Move(old, new)

    def later(self, name: str) -> Literal["later", "earlier", "unknown"] | None:
        """Tell how the call moves a time, or None. Without a time, a thing ends never."""
        move = self.move(name)
        if move is None:
            return None
        new = end_of(move.new)
        if not move.is_known:
            return "later" if new is NEVER else "unknown"
        old = end_of(move.old)
        if old == new:
            return None
        return "later" if new > old else "earlier"


def same(old: Any, new: Any) -> bool:
    """Tell whether two values mean the same.

    Times are compared by the moment, lists in any order, and every empty value is the same.
    """
    if is_empty(old) and is_empty(new):
        return True
    first, second = parse_time(old), parse_time(new)
    if first and second:
        return first == second
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(same, _in_order(old), _in_order(new)))
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return all(same(old.get(key), new.get(key)) for key in {**old, **new})
    return bool(old == new)


def _in_order(values: list[Any]) -> list[Any]:
    return sorted(values, key=lambda each: json.dumps(each, sort_keys=True, default=str))


def is_empty(value: Any) -> bool:
    """Tell whether a value is no value: null, a blank, an empty list or map."""
    return value is None or value in ([], {}) or (isinstance(value, str) and not value.strip())


def end_of(value: Any) -> datetime:
    """Return when something ends; without a time, never."""
    return parse_time(value) or NEVER


def start_of(value: Any) -> datetime:
    """Return when something starts; without a time, always."""
    return parse_time(value) or ALWAYS


def count_of(value: Any) -> float | None:
    """Return how much an argument is: a number, the items of a list, the rows of a CSV."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, (list, tuple, Mapping)):
        return len(value)
    return value.rows.count if isinstance(value, Content) else None


def number(value: Any) -> float | None:
    """Return a number, or None for anything else, such as `UNKNOWN`."""
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def values_at(document: Any, path: str) -> Iterator[Any]:
    """Yield the values at a dotted path; a list on the way is entered."""
    name, _, rest = path.partition(".")
    for each in document if isinstance(document, list) else [document]:
        if isinstance(each, Mapping) and name in each:
            value = each[name]
            if rest:
                yield from values_at(value, rest)
            elif isinstance(value, list):
                yield from value
            else:
                yield value
