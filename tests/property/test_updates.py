"""Any update of any document: what the call does not name is the same afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talonone_mcp.calls.shown import Shown
from talonone_mcp.calls.updating import update_of
from talonone_mcp.core import catalog as catalogs
from talonone_mcp.core.catalog import Operation

REPLACING = [each for each in catalogs.load() if each.replaces]
TIMES = st.sampled_from(["2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"])
WORDS = st.text("abcxyz", min_size=1, max_size=3)
SCALARS = {"boolean": st.booleans(), "integer": st.integers(1, 9), "number": st.integers(1, 9)}
IDENTITY = {"limits": ("action", "period", "entities"), "members": ("value",)}
"""By what two items of a list are the same one."""
GONE = object()
EMPTY: tuple[Any, ...] = (None, "", [], {})


def values(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Return values of a schema's form, with every property; maps and lists may be empty."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "properties" in schema:
        return st.fixed_dictionaries({k: values(v) for k, v in schema["properties"].items()})
    if schema.get("type") == "object":
        return st.dictionaries(WORDS, st.integers(0, 9) | WORDS, max_size=3)
    if schema.get("type") == "array":
        return st.lists(values(schema.get("items", {})), max_size=3)
    text = TIMES if schema.get("format") == "date-time" else WORDS
    return SCALARS.get(schema.get("type", "string"), text)


def ways(operation: Operation, name: str, old: Any) -> list[str]:
    """Return how a call may treat a field."""
    replaces = operation.replaces
    assert replaces
    schema = operation.input_schema["properties"][name]
    found = ["leave", "set"]
    if name not in replaces.required and not replaces.only_lists:
        found.append("clear")
    if schema["type"] == "array" and not replaces.blind:
        found += ["add", "remove"] if old else ["add"]
    if schema["type"] == "object" and "properties" not in schema and old and not replaces.blind:
        found.append("clear a key")
    return found


@dataclass(slots=True)
class Changes:
    """A call, and what each field must be afterwards: `GONE` if it is cleared."""

    arguments: dict[str, Any] = field(default_factory=dict)
    wanted: dict[str, Any] = field(default_factory=dict)

    def put(self, way: str, name: str, old: Any, new: Any) -> None:
        """Treat a field in a way; `new` is a value of its form, an item of it or a key."""
        if way == "set":
            self.arguments[name] = new
            self.wanted[name] = new
        elif way == "clear":
            self.arguments.setdefault("clear", []).append(name)
            self.wanted[name] = GONE
        elif way == "clear a key":
            self.arguments.setdefault("clear", []).append(f"{name}.{new}")
            self.wanted[name] = {key: value for key, value in old.items() if key != new}
        else:
            self.arguments.setdefault(way, {})[name] = [new]
            kept = [each for each in old if _stays(way, name, each, new)]
            self.wanted[name] = [*kept, new] if way == "add" else kept


def _stays(way: str, name: str, each: Any, new: Any) -> bool:
    keys = IDENTITY.get(name) if way == "add" and isinstance(each, dict) else None
    if keys is None:
        return bool(each != new)
    return any(_set(each.get(key)) != _set(new.get(key)) for key in keys)


def _set(value: Any) -> Any:
    return sorted(value) if isinstance(value, list) else value


def drawn(operation: Operation, data: st.DataObject, old: Mapping[str, Any]) -> Changes:
    """Return a call that treats each field in some way, and changes at least one."""
    assert operation.replaces
    changes = Changes()
    chosen = {
        name: data.draw(st.sampled_from(ways(operation, name, old[name])), label=name)
        for name in operation.replaces.fields
    }
    if {*chosen.values()} == {"leave"}:
        chosen[operation.replaces.fields[0]] = "set"
    for name, way in chosen.items():
        if way == "leave":
            changes.wanted[name] = old[name]
        else:
            new = data.draw(_source(operation, way, name, old[name]), label=way)
            changes.put(way, name, old[name], new)
            if way == "set" and is_map(operation, name) and new and not operation.replaces.blind:
                changes.wanted[name] = {**old[name], **new}
    return changes


def is_map(operation: Operation, name: str) -> bool:
    schema = operation.input_schema["properties"][name]
    return schema["type"] == "object" and "properties" not in schema


def _source(operation: Operation, way: str, name: str, old: Any) -> st.SearchStrategy[Any]:
    schema = operation.input_schema["properties"][name]
    if way == "clear":
        return st.none()
    if way in ("set", "add"):
        return values(schema if way == "set" else schema.get("items", {}))
    return st.sampled_from([*old])


@pytest.mark.parametrize("operation", REPLACING, ids=lambda each: each.name)
@given(data=st.data())
def test_what_is_not_named_is_the_same_afterwards(
    operation: Operation, data: st.DataObject
) -> None:
    replaces, properties = operation.replaces, operation.input_schema["properties"]
    assert replaces
    old = {name: data.draw(values(properties[name]), label=name) for name in replaces.fields}
    document = {replaces.renamed.get(name, name): value for name, value in old.items()}
    changes = drawn(operation, data, old)

    update = update_of(operation, changes.arguments, Shown().with_before(document | {"extra": 1}))

    sent = {name: value for name, value in update.whole.items() if name in properties}
    assert "extra" not in update.whole
    for name, wanted in changes.wanted.items():
        if wanted is GONE:
            assert name not in sent
        elif name in update.named or not (replaces.only_lists or replaces.blind):
            assert (sent[name] == wanted) if name in sent else wanted in EMPTY
        else:  # upstream keeps it; or no read shows it, and a call has to name all
            assert name not in sent
