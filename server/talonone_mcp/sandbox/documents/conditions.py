"""Conditions that filter lists, as SQL over a document's fields.

Each function returns one condition, or None if the request does not set the filter: `store.select`
skips None, so a handler can list every documented filter.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

_MOST_MARKS = 500  # values that have a placeholder each; SQLite has a limit


@dataclass(frozen=True, slots=True)
class Condition:
    """SQL that is true for a document, and the values of its placeholders."""

    sql: str
    values: tuple[Any, ...] = ()


Where = Condition | None


@cache
def column(field: str) -> str:
    """Return the SQL for a field; dots lead to nested ones.

    The text is always the same: an index only serves its exact spelling.
    """
    safe = field.replace("'", "''").replace('"', "")
    path = ".".join(f'"{part}"' for part in safe.split("."))
    return f"json_extract(body, '$.{path}')"


def equal(field: str, value: object) -> Where:
    """Match one value of a field."""
    return None if value is None else Condition(f"{column(field)} = ?", (_plain(value),))


def among(field: str, values: Sequence[object] | None) -> Where:
    """Match one of several values; an empty list does not filter."""
    if not values:
        return None
    if len(values) > _MOST_MARKS:
        listed = "SELECT value FROM json_each(?)"
        return Condition(f"{column(field)} IN ({listed})", (json.dumps(list(values)),))
    marks = ",".join("?" * len(values))
    return Condition(f"{column(field)} IN ({marks})", tuple(map(_plain, values)))


def holds(field: str, value: object) -> Where:
    """Match documents whose list in `field` has the value."""
    if value is None:
        return None
    return Condition(f"EXISTS ({_items(field)} WHERE value = ?)", (_plain(value),))


def contains(field: str, part: str | None) -> Where:
    """Match text that contains `part`, ignoring case, as upstream's filters by name do."""
    if part is None:
        return None
    return Condition(f"instr(fold({column(field)}), fold(?)) > 0", (part,))


def matches(field: str, pattern: str | None) -> Where:
    """Match text in which a (valid) regular expression finds something."""
    return None if pattern is None else Condition(f"{column(field)} REGEXP ?", (pattern,))


def holds_part(field: str, part: str | None) -> Where:
    """Match documents with a text in their list in `field` that contains `part`."""
    if part is None:
        return None
    return Condition(f"EXISTS ({_items(field)} WHERE instr(fold(value), fold(?)) > 0)", (part,))


def within(field: str, after: str | None = None, before: str | None = None) -> Where:
    """Match times between two given ones, inclusive; a missing time never matches."""
    sides = [(f"{column(field)} >= ?", after), (f"{column(field)} <= ?", before)]
    given = [(sql, time) for sql, time in sides if time is not None]
    if not given:
        return None
    return Condition(" AND ".join(sql for sql, _ in given), tuple(time for _, time in given))


def filled(field: str, wanted: object = True) -> Where:
    """Match whether a field is set; `wanted` is a boolean or its name."""
    if wanted is None:
        return None
    return Condition(f"{column(field)} IS {'NOT ' if is_true(wanted) else ''}NULL")


def has_attributes(attributes: Mapping[str, Any] | None) -> Where:
    """Match documents with all given custom attributes, and perhaps others."""
    if not attributes:
        return None
    sql = [f"{column(f'attributes.{name}')} = ?" for name in attributes]
    return Condition(" AND ".join(sql), tuple(map(_plain, attributes.values())))


def either(*conditions: Where) -> Where:
    """Match at least one of the conditions that are not None."""
    asked = [each for each in conditions if each is not None]
    if not asked:
        return None
    return Condition(
        f"({' OR '.join(f'({each.sql})' for each in asked)})",
        tuple(value for each in asked for value in each.values),
    )


def negated(condition: Where) -> Where:
    """Match the opposite; NULL counts as false."""
    if condition is None:
        return None
    return Condition(f"NOT coalesce(({condition.sql}), 0)", condition.values)


def whether(condition: Where, wanted: object) -> Where:
    """Match a condition or its opposite, as a boolean or its name says."""
    if wanted is None:
        return None
    return condition if is_true(wanted) else negated(condition)


def found_in(field: str, kind: str, other: str, *where: Where) -> Where:
    """Match documents whose `field` equals `other` of a document that meets all conditions."""
    asked = [each for each in where if each is not None]
    if not asked:
        return None
    sql = " AND ".join(f"({each.sql})" for each in asked)
    return Condition(
        f'{column(field)} IN (SELECT {column(other)} FROM "{kind}" WHERE {sql})',  # noqa: S608
        tuple(value for each in asked for value in each.values),
    )


def having_id(numbers: Iterable[int]) -> Condition:
    """Match documents by their ids; no ids match none."""
    ids = list(numbers)
    return Condition(f"id IN ({','.join('?' * len(ids))})", tuple(ids))


def having_parent(parents: Iterable[int]) -> Condition:
    """Match children of one of several parents."""
    numbers = list(parents)
    return Condition(f"parent IN ({','.join('?' * len(numbers))})", tuple(numbers))


def with_child(kind: str, *where: Where) -> Where:
    """Match documents with a child of a kind that meets all conditions."""
    asked = [each for each in where if each is not None]
    if not asked:
        return None
    sql = " AND ".join(f"({each.sql})" for each in asked)
    return Condition(
        f'id IN (SELECT parent FROM "{kind}" WHERE {sql})',  # noqa: S608 - kinds are ours
        tuple(value for each in asked for value in each.values),
    )


def narrowed_by(first: Where, *others: Where) -> list[Where]:
    """Match all conditions; SQLite searches by the first and checks the others.

    Left alone, SQLite misjudges which condition matches few documents, as it keeps no counts.
    Without the first, it chooses.
    """
    if first is None:
        return list(others)
    return [first, *(each and Condition(f"+({each.sql})", each.values) for each in others)]


def is_true(wanted: object) -> bool:
    """Read a boolean or its name."""
    return str(wanted).lower() == "true"


def _items(field: str) -> str:
    return f"SELECT 1 FROM json_each(coalesce({column(field)}, '[]'))"  # noqa: S608


def _plain(value: object) -> object:
    """Return a value as SQLite's JSON functions return it."""
    return json.dumps(value, separators=(",", ":")) if isinstance(value, (list, dict)) else value
