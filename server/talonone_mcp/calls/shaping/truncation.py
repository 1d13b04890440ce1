"""Cuts one value down to a size by shortening its longest lists and texts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

_MIN_TEXT_CHARS = 300  # that a text always keeps
_Place = tuple[Any, Any, str]  # a container, a key in it, and the path of that value


def cut(value: Any, budget: int) -> tuple[Any, dict[str, int]]:
    """Return a value whose JSON has at most about `budget` characters, and what is left out.

    Args:
        value: JSON; it is not modified.
        budget: characters.

    Returns:
        The value, and by path how many items, or characters of a text, are missing.
    """
    if _length(value) <= budget:
        return value, {}
    root = [json.loads(json.dumps(value))]
    left_out: dict[str, int] = {}
    while (length := _length(root[0])) > budget:
        places = [place for place in _places(root, 0, "") if _may_be_cut(place)]
        if not places:
            break
        holder, key, path = max(places, key=lambda place: _length(place[0][place[1]]))
        part = holder[key]
        surplus = (length - budget) / _length(part)
        keep = max(int(len(part) * max(1 - surplus, 0.5)), _least(part))
        left_out[path] = left_out.get(path, 0) + len(part) - keep
        holder[key] = part[:keep]
    return root[0], left_out


def _places(holder: Any, key: Any, path: str) -> Iterator[_Place]:
    part = holder[key]
    yield holder, key, path
    if isinstance(part, dict):
        for name in part:
            yield from _places(part, name, f"{path}.{name}".lstrip("."))
    elif isinstance(part, list):
        for index in range(len(part)):
            yield from _places(part, index, f"{path}[{index}]")


def _may_be_cut(place: _Place) -> bool:
    holder, key, _ = place
    part = holder[key]
    return isinstance(part, (list, str)) and len(part) > _least(part)


def _least(part: list[Any] | str) -> int:
    return _MIN_TEXT_CHARS if isinstance(part, str) else 1


def _length(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
