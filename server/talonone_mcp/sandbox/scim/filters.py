"""SCIM's filters as RFC 7644 (section 3.4.2.2) writes them: `userName eq "a" or active pr`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import moment, stamp

Resource = Mapping[str, Any]
Test = Callable[[Resource], bool]

_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[()\[\]]|[^\s()\[\]"]+)')
_TIME = re.compile(r"\d{4}-\d\d-\d\dT")
_MOST_DEPTH = 50  # parentheses within parentheses

_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda found, wanted: bool(found == wanted),
    "ne": lambda found, wanted: bool(found != wanted),
    "co": lambda found, wanted: isinstance(found, str) and str(wanted) in found,
    "sw": lambda found, wanted: isinstance(found, str) and found.startswith(str(wanted)),
    "ew": lambda found, wanted: isinstance(found, str) and found.endswith(str(wanted)),
    "gt": lambda found, wanted: bool(found > wanted),
    "ge": lambda found, wanted: bool(found >= wanted),
    "lt": lambda found, wanted: bool(found < wanted),
    "le": lambda found, wanted: bool(found <= wanted),
}


def filter_of(text: str) -> Test:
    """Return the test that a filter stands for. Names and texts ignore case.

    Raises:
        RefusalError: 400, when it is no filter.
    """
    tokens = _tokens(text)
    test = _either(tokens, 0)
    if tokens:
        raise _refused(f"{tokens[0]} is too much")
    return test


def _tokens(text: str) -> list[str]:
    tokens, place = [], 0
    while text[place:].strip():
        found = _TOKEN.match(text, place)
        if found is None:
            raise _refused("a quotation mark is missing")
        tokens.append(found[1])
        place = found.end()
    return tokens


def _refused(why: str) -> RefusalError:
    return RefusalError(400, f"invalidFilter: {why}", parameter="filter")


def _either(tokens: list[str], depth: int) -> Test:
    return _joined(tokens, depth, "or", _both, any)


def _both(tokens: list[str], depth: int) -> Test:
    return _joined(tokens, depth, "and", _one, all)


def _joined(
    tokens: list[str],
    depth: int,
    word: str,
    part: Callable[[list[str], int], Test],
    combine: Callable[[Iterable[bool]], bool],
) -> Test:
    tests = [part(tokens, depth)]
    while tokens and tokens[0].lower() == word:
        tokens.pop(0)
        tests.append(part(tokens, depth))
    return lambda resource: combine(test(resource) for test in tests)


def _one(tokens: list[str], depth: int) -> Test:
    name = _next(tokens)
    if name.lower() == "not" and tokens[:1] == ["("]:
        inner = _one(tokens, depth)
        return lambda resource: not inner(resource)
    if name == "(":
        return _enclosed(tokens, ")", depth)
    if tokens[:1] == ["["]:
        tokens.pop(0)
        inner = _enclosed(tokens, "]", depth)
        return lambda resource: any(
            inner(item) for item in values_at(resource, name) if isinstance(item, Mapping)
        )
    return _comparison(name, tokens)


def _enclosed(tokens: list[str], end: str, depth: int) -> Test:
    if depth >= _MOST_DEPTH:
        raise _refused("too many parentheses")
    test = _either(tokens, depth + 1)
    if _next(tokens) != end:
        raise _refused(f"{end} is missing")
    return test


def _next(tokens: list[str]) -> str:
    if not tokens:
        raise _refused("it breaks off")
    return tokens.pop(0)


def _comparison(name: str, tokens: list[str]) -> Test:
    operator = _next(tokens).lower()
    if operator == "pr":
        return lambda resource: any(
            value not in (None, "", []) for value in values_at(resource, name)
        )
    if operator not in _COMPARISONS:
        raise _refused(f"{operator} is no operator")
    try:
        wanted = _folded(json.loads(_next(tokens)))
    except ValueError:
        raise _refused(f"the value after {operator} is none") from None
    compare = _COMPARISONS[operator]

    def test(resource: Resource) -> bool:
        found = [_folded(value) for value in values_at(resource, name)] or [None]
        return any(_holds(compare, value, wanted) for value in found)

    return test


def _holds(compare: Callable[[Any, Any], bool], found: Any, wanted: Any) -> bool:
    try:
        return compare(found, wanted)
    except TypeError:  # of different types, neither is before the other
        return False


def _folded(value: Any) -> Any:
    """Return a value as it is compared: text ignoring case, times in one format."""
    if not isinstance(value, str):
        return value
    try:
        return stamp(moment(value)) if _TIME.match(value) else value.casefold()
    except ValueError:
        return value.casefold()


def values_at(resource: Resource, path: str) -> list[Any]:
    """Return the values at a path such as `name.formatted`, ignoring case."""
    found: list[Any] = [resource]
    for name in path.rpartition(":")[2].casefold().split("."):
        values = (value_of(each, name) for each in found if isinstance(each, Mapping))
        found = [
            item
            for value in values
            for item in (value if isinstance(value, list) else [value])
            if item is not None
        ]
    return found


def value_of(resource: Resource, name: str) -> Any:
    """Return the value of an attribute, whose name is given in lower case."""
    return next((value for key, value in resource.items() if key.casefold() == name), None)
