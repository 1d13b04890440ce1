"""Put JSON values into a question: whole if they are small, summed up if they are not.

A value is a number, `true`, `false`, `null`, a text in quotation marks (`core.text.quoted`), a list
in brackets or an object in braces. What is left out is always announced by `(cut` outside quotation
marks, with how much there is in all.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice, takewhile
from math import isfinite
from operator import eq
from typing import Any, Final

from talonone_mcp.calls.imports import Content
from talonone_mcp.core.text import quoted

MAX_TEXT_CHARS: Final = 200
MAX_ITEMS: Final = 20  # of a list or an object that is shown whole
MAX_VALUE_CHARS: Final = 4_000  # of one value in the question
CUT: Final = "(cut"
_MAX_NUMBER_CHARS = 40
_MAX_NAME_CHARS = 40
_MAX_SHOWN_ITEMS = 10  # of a longer list
_MAX_GROUPS = 20  # by one key
_MAX_RARE = 3  # items of a group that are shown whatever their size
_MAX_PATH_KEYS = 3  # of an item, from the outside in
_MAX_SAME_CHARS = 20  # around the difference of two long texts
_TELLING = ("type", "op", "action", "operation", "kind", "state")  # keys that say what an item does
_BARE = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[._-][A-Za-z0-9]+)*")
_QUOTED = re.compile('"[^"]*"')


@dataclass(frozen=True, slots=True)
class _Detail:
    items: int
    chars: int
    depth: int


# From the finest to the coarsest: the first in which a value is short enough is used.
_DETAILS = (_Detail(MAX_ITEMS, MAX_TEXT_CHARS, 6), _Detail(10, 80, 4), _Detail(5, 40, 3))
_COARSEST = _Detail(2, 30, 2)


def value_in_words(value: Any) -> str:
    """Return a JSON value, or the content of a CSV, in about `MAX_VALUE_CHARS` at most."""
    for detail in _DETAILS:
        if not _is_large(value, detail):
            words = _value(value, detail)
            if len(words) <= MAX_VALUE_CHARS:
                return words
    return _value(value, _COARSEST)


def name_in_words(name: str) -> str:
    """Return the name of a field bare if it is a plain one, and quoted otherwise."""
    bare = len(name) <= _MAX_NAME_CHARS and _BARE.fullmatch(name) and quoted(name) == f'"{name}"'
    return name if bare else quoted(name)


def is_cut(words: str) -> bool:
    """Tell whether anything is left out of words that these functions returned."""
    return CUT in _QUOTED.sub("", words)


def difference(old: Any, new: Any) -> tuple[Any, Any]:
    """Return what of two values is not in both: of texts, the part that differs."""
    if isinstance(old, list) and isinstance(new, list):
        return _missing(old, new), _missing(new, old)
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        absent = object()
        changed = {
            key for key in {*old, *new} if _key(old.get(key, absent)) != _key(new.get(key, absent))
        }
        return _only(old, changed), _only(new, changed)
    if isinstance(old, str) and isinstance(new, str):
        return _middles(old, new)
    return old, new


def _value(value: Any, detail: _Detail, depth: int = 0) -> str:
    if isinstance(value, Mapping):
        return f"{{{_object(value, detail, depth + 1)}}}"
    if isinstance(value, list | tuple):
        return f"[{_list(value, detail, depth + 1)}]"
    if isinstance(value, Content):
        begins = quoted(value.begins, detail.chars)
        return f"CSV {CUT}, {value.lines:,} lines, {value.characters:,} characters) {begins}"
    return _scalar(value, detail.chars)


def _scalar(value: Any, chars: int = MAX_TEXT_CHARS) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if not isinstance(value, int | float):
        return quoted(value, chars)
    number = repr(value)
    if len(number) <= _MAX_NUMBER_CHARS:
        return number
    return f"{number[:_MAX_NUMBER_CHARS]} {CUT}, {len(number):,} digits)"


def _object(value: Mapping[Any, Any], detail: _Detail, depth: int) -> str:
    if depth > detail.depth and value:
        return f"{_counted(value, 'key')} {CUT})"
    first = list(value)[: detail.items]
    pairs = ", ".join(
        f"{name_in_words(str(key))}: {_value(value[key], detail, depth)}" for key in first
    )
    if len(first) == len(value):
        return pairs
    others = list(value)[len(first) :]
    names = ", ".join(name_in_words(str(key)) for key in others[: 5 * detail.items])
    return f"{_counted(value, 'key')} {CUT}): {pairs}; left out: {names}" + (
        f" and {len(others) - 5 * detail.items:,} more" if len(others) > 5 * detail.items else ""
    )


def _list(items: Sequence[Any], detail: _Detail, depth: int) -> str:
    count = f"{_counted(items, 'item')} {CUT})"
    if depth > detail.depth and items:
        return count
    if len(items) <= detail.items:
        return _joined(items, detail, depth)
    most = _most(detail)
    if not all(isinstance(item, Mapping) for item in items):
        return f"{count}; the first {most}: {_joined(items[:most], detail, depth)}"
    leaves = [dict(_leaves(item)) for item in items]
    columns = _columns(leaves)
    groups = _groups(columns, len(items))[: detail.items]
    parts = [count, *map(_grouped, groups), *islice(_totals(columns), detail.items)]
    if rare := _rare(groups, leaves):
        parts.append(f"the rarest: {_joined([items[at] for at in rare], detail, depth)}")
    largest = sorted(range(len(items)), key=lambda at: _size(leaves[at]), reverse=True)[:most]
    parts.append(f"the {most} largest: {_joined([items[at] for at in largest], detail, depth)}")
    return "; ".join(parts)


def _is_large(value: Any, detail: _Detail) -> bool:
    """Tell whether a value is too long for certain, without the work of writing it."""
    sizes = accumulate(_sizes(value, detail, 0))
    return any(size > MAX_VALUE_CHARS for size in sizes)


def _sizes(value: Any, detail: _Detail, depth: int) -> Iterator[int]:
    """Yield the characters that each of the values within a value takes at least."""
    if isinstance(value, str):
        yield min(len(value), detail.chars)
    yield 1
    if depth >= detail.depth:
        return
    if isinstance(value, Mapping):
        below = islice(value.values(), detail.items)
    elif isinstance(value, list | tuple):
        most = detail.items if len(value) <= detail.items else _most(detail)
        below = islice(value, most)
    else:
        return
    for item in below:
        yield from _sizes(item, detail, depth + 1)


def _most(detail: _Detail) -> int:
    """Return how many items of a list are shown that is summed up."""
    return min(_MAX_SHOWN_ITEMS, detail.items)


def _joined(items: Iterable[Any], detail: _Detail, depth: int) -> str:
    return ", ".join(_value(item, detail, depth) for item in items)


def _counted(things: Sequence[Any] | Mapping[Any, Any], noun: str) -> str:
    return f"{len(things):,} {noun}" + ("" if len(things) == 1 else "s")


# --- Long lists of objects ----------------------------------------------------------------------

_Path = tuple[str, ...]
_Leaves = Mapping[_Path, Any]


@dataclass(frozen=True, slots=True)
class _Group:
    """The values of one key in a list's items, with how often each occurs; the largest first."""

    path: _Path
    counts: Sequence[tuple[Any, int]]
    absent: int


def _leaves(item: Mapping[Any, Any], path: _Path = ()) -> Iterator[tuple[_Path, Any]]:
    """Yield the values in an item that are no objects, with the keys that lead to each."""
    for key, value in item.items():
        below = (*path, str(key))
        if isinstance(value, Mapping) and len(below) < _MAX_PATH_KEYS:
            yield from _leaves(value, below)
        else:
            yield below, value


def _columns(leaves: Iterable[_Leaves]) -> dict[_Path, list[Any]]:
    """Return all values of each key, outer keys first."""
    columns: dict[_Path, list[Any]] = {}
    for each in leaves:
        for path, value in each.items():
            columns.setdefault(path, []).append(value)
    return dict(sorted(columns.items(), key=lambda column: len(column[0])))


def _groups(columns: Mapping[_Path, Sequence[Any]], total: int) -> list[_Group]:
    """Return groups by each key that has few values, telling keys first."""
    found = []
    for path, values in columns.items():
        counts = Counter(filter(_is_word, values)).most_common()
        few = path[-1] in _TELLING or len(counts) <= total // 4
        if counts and few and len(counts) <= _MAX_GROUPS:
            found.append(_Group(path, counts, total - sum(count for _, count in counts)))
    return sorted(found, key=lambda group: group.path[-1] not in _TELLING)


def _grouped(group: _Group) -> str:
    counts = [f"{count:,} {_scalar(value, _MAX_NAME_CHARS)}" for value, count in group.counts]
    others = [f"{group.absent:,} other"] if group.absent else []
    return f"by {_path(group.path)}: {', '.join(counts + others)}"


def _totals(columns: Mapping[_Path, Sequence[Any]]) -> Iterator[str]:
    """Yield the sum and the limits of each key that holds numbers."""
    for path, values in columns.items():
        if numbers := [*filter(_is_number, values)]:
            total, least, most = round(sum(numbers), 6), min(numbers), max(numbers)
            yield (
                f"{_path(path)}: sum {_scalar(total)}, smallest {_scalar(least)},"
                f" largest {_scalar(most)}"
            )


def _rare(groups: Sequence[_Group], leaves: Sequence[_Leaves]) -> list[int]:
    """Return the positions of the items that differ from nearly all in what they do."""
    if not groups or len(groups[0].counts) < 2:  # noqa: PLR2004 - one group has nothing rare
        return []
    rare = [value for value, count in groups[0].counts if count <= _MAX_RARE]
    positions = (
        at for at, each in enumerate(leaves) if each.get(groups[0].path, ...) in rare[-_MAX_RARE:]
    )
    return list(positions)[:_MAX_SHOWN_ITEMS]


def _path(path: _Path) -> str:
    return ".".join(map(name_in_words, path))


def _size(leaves: _Leaves) -> tuple[float, int]:
    numbers = [abs(value) for value in leaves.values() if _is_number(value)]
    return max(numbers, default=0), len(str(leaves))


def _is_word(value: Any) -> bool:
    return value is None or isinstance(value, bool | str)


def _is_number(value: Any) -> bool:
    return (isinstance(value, int) and not isinstance(value, bool)) or (
        isinstance(value, float) and isfinite(value)
    )


# --- Differences --------------------------------------------------------------------------------


def _missing(items: Sequence[Any], others: Sequence[Any]) -> list[Any]:
    left = Counter(map(_key, others))
    missing = []
    for item in items:
        if left[_key(item)]:
            left[_key(item)] -= 1
        else:
            missing.append(item)
    return missing


def _key(item: Any) -> str:
    return json.dumps(item, sort_keys=True, default=str)


def _only(value: Mapping[Any, Any], keys: set[Any]) -> dict[Any, Any]:
    return {key: each for key, each in value.items() if key in keys}


def _middles(old: str, new: str) -> tuple[str, str]:
    """Return the parts of two texts that differ, with a few characters around them."""
    begin = sum(1 for _ in takewhile(bool, map(eq, old, new)))
    most = min(len(old), len(new)) - begin
    pairs = zip(reversed(old), reversed(new), strict=False)
    end = min(most, sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs)))
    first, last = max(begin - _MAX_SAME_CHARS, 0), max(end - _MAX_SAME_CHARS, 0)
    return old[first : len(old) - last], new[first : len(new) - last]
