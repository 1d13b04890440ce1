"""What the facts do not allow is refused, for every property of every operation."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.catalog.validation import problems
from tests.contract.facts import Fact, example_calls, load_facts

CASES = [pytest.param(fact, id=fact["tool"]) for fact in load_facts()]
WRONG: dict[str, st.SearchStrategy[Any]] = {
    "string": st.integers() | st.booleans() | st.lists(st.text(max_size=3)),
    "integer": st.text(max_size=5) | st.booleans() | st.just(1.5) | st.just([1]),
    "number": st.text(max_size=5) | st.booleans() | st.just([1.5]),
    "boolean": st.text(max_size=5) | st.integers() | st.just([True]),
    "array": st.text(max_size=5) | st.integers() | st.just({}),
    "object": st.text(max_size=5) | st.integers() | st.just([]),
}
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Place:
    """A value in the arguments and the schema that it has there."""

    path: Path
    schema: dict[str, Any]


def places(schema: dict[str, Any], value: Any, path: Path = ()) -> Iterator[Place]:
    """Yield every place of the arguments that a schema describes."""
    yield Place(path, schema)
    for branch in schema.get("oneOf", ()):
        constants = branch.get("properties", {}).items()
        if all(value.get(name) == s["const"] for name, s in constants if "const" in s):
            yield from places(branch, value, path)
    if isinstance(value, dict):
        for name, item in value.items():
            sub = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
            if isinstance(sub, dict):
                yield from places(sub, item, (*path, name))
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        for index, item in enumerate(value):
            yield from places(schema["items"], item, (*path, index))


def changed(arguments: Any, path: Path, value: Any) -> Any:
    """Return the arguments with another value in one place."""
    if not path:
        return value
    other = copy.deepcopy(arguments)
    inner = other
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return other


def at(path: Path) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".")


def value_at(arguments: Any, path: Path) -> Any:
    for step in path:
        arguments = arguments[step]
    return arguments


def described(catalog: Catalog, fact: Fact) -> Iterator[tuple[dict[str, Any], Place]]:
    operation = catalog.operations[fact["tool"]]
    for arguments in example_calls(fact, operation):
        for place in places(operation.input_schema, arguments):
            yield arguments, place


@pytest.mark.parametrize("fact", CASES)
def test_the_examples_reach_every_property(catalog: Catalog, fact: Fact) -> None:
    """Without this, a property that no example has would be left out of the tests below."""
    operation = catalog.operations[fact["tool"]]
    reached = {_generic(place.path) for _, place in described(catalog, fact)}

    left_out = {"csvPath"} | ({"sessionId"} if fact["tool"] == "activate_loyalty_points" else set())
    if fact["tool"] in ("add_loyalty_points", "add_loyalty_card_points"):
        left_out |= {"validUntil", "pendingUntil"}
    assert set(_named(operation.input_schema)) - reached <= left_out


def _generic(path: Path) -> str:
    return ".".join("*" if isinstance(step, int) or step == "some_key" else step for step in path)


def _named(schema: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[str]:
    for name, sub in schema.get("properties", {}).items():
        yield ".".join((*path, name))
        yield from _named(sub, (*path, name))
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from _named(schema[key], (*path, "*"))
    for branch in schema.get("oneOf", ()):
        yield from _named(branch, path)


@pytest.mark.parametrize("fact", CASES)
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_value_of_the_wrong_type(catalog: Catalog, fact: Fact, data: st.DataObject) -> None:
    operation = catalog.operations[fact["tool"]]
    for arguments, place in described(catalog, fact):
        kind = place.schema.get("type")
        if not place.path or kind is None:
            continue
        wrong = data.draw(WRONG[kind] if isinstance(kind, str) else st.just({}))
        found = problems(operation, changed(arguments, place.path, wrong))
        assert any(each.at.startswith(at(place.path)) for each in found), place


@pytest.mark.parametrize("fact", CASES)
def test_an_unknown_property(catalog: Catalog, fact: Fact) -> None:
    operation = catalog.operations[fact["tool"]]
    for arguments, place in described(catalog, fact):
        if "properties" in place.schema and place.schema.get("additionalProperties") is not True:
            path = (*place.path, "misspelt")
            found = problems(operation, changed(arguments, path, 1))
            assert any(each.at == at(path) and "unknown" in each.problem for each in found), place


@pytest.mark.parametrize("fact", CASES)
def test_a_missing_property(catalog: Catalog, fact: Fact) -> None:
    operation = catalog.operations[fact["tool"]]
    for arguments, place in described(catalog, fact):
        there = value_at(arguments, place.path)
        for name in place.schema.get("required", ()):
            without = {key: item for key, item in there.items() if key != name}
            found = problems(operation, changed(arguments, place.path, without))
            expected = at((*place.path, name))
            assert any(each.at == expected and "required" in each.problem for each in found), place


def beyond(schema: dict[str, Any], value: Any) -> Iterator[Any]:
    """Yield values of the right type that a schema's limits exclude."""
    excluded: dict[str, Callable[[Any], Any]] = {
        "enum": lambda _: "no such value",
        "minimum": lambda limit: limit - 1,
        "exclusiveMinimum": lambda limit: limit,
        "maximum": lambda limit: limit * 2 + 1,
        "maxLength": lambda limit: "a" * (limit + 1),
        "minLength": lambda limit: "a" * (limit - 1),
        "pattern": lambda _: "\n \x00",
        "format": lambda _: "no such format",
        "minProperties": lambda _: {},
    }
    if isinstance(value, list):  # upstream once writes these beside the limits of an item
        excluded["maxItems"] = lambda limit: value[:1] * (limit + 1)
        excluded["minItems"] = lambda _: []
        excluded["uniqueItems"] = lambda _: value[:1] * 2
    for key, make in excluded.items():
        if key in schema and schema[key] != "byte":  # upstream's cursors are opaque
            yield make(schema[key])


@pytest.mark.parametrize("fact", CASES)
def test_a_value_beyond_the_limits(catalog: Catalog, fact: Fact) -> None:
    operation = catalog.operations[fact["tool"]]
    for arguments, place in described(catalog, fact):
        there = value_at(arguments, place.path)
        for excluded in beyond(place.schema, there) if place.path else ():
            found = problems(operation, changed(arguments, place.path, excluded))
            assert any(each.at.startswith(at(place.path)) for each in found), (place, excluded)
