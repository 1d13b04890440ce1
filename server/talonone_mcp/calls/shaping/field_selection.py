"""Selects the fields of an answer to show.

A dotted path names a field: `name`, `budgets.limit`, `ledger.currentBalance`. A path goes through
lists, and means the field of each item. `*` stands for every field at its level, so `*` alone is
the full answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from talonone_mcp.core.catalog import Operation
from talonone_mcp.core.catalog.answer_schemas import answer_schema
from talonone_mcp.core.catalog.model import Schema
from talonone_mcp.core.catalog.problems import Problem
from talonone_mcp.core.names import did_you_mean
from talonone_mcp.core.text import one_line

EVERYTHING = "*"
_MAX_PATH_CHARS = 60  # of a wrong path in a message
_Tree = dict[str, Any]


def selected(value: Any, paths: Sequence[str]) -> Any:
    """Return the selected fields of a value, in the value's own order."""
    return _selected(value, _tree(paths))


def fields_of(operation: Operation) -> Schema:
    """Return the schema that `fields` select from: that of an item if the answer is a list."""
    answer = answer_schema(operation.name) or {}
    schema: Schema = answer.get("properties", {}).get("data", answer)
    return _inside(schema)


def unknown(schema: Schema, paths: Sequence[str]) -> list[Problem]:
    """Return a problem for each path that does not exist in answers of this schema.

    Args:
        schema: the schema of the object to select from.
        paths: the call's `fields`.
    """
    found = []
    for index, path in enumerate(paths):
        if problem := _problem_of(schema, path):
            found.append(Problem(f"fields[{index}]", problem))
    return found


def _tree(paths: Sequence[str]) -> _Tree:
    tree: _Tree = {}
    for path in paths:
        node = tree
        for step in path.split("."):
            node = node.setdefault(step, {})
    return tree


def _selected(value: Any, tree: _Tree) -> Any:
    if isinstance(value, list):
        return [_selected(item, tree) for item in value]
    if not isinstance(value, dict) or not tree or tree.get(EVERYTHING) == {}:
        return value
    if EVERYTHING in tree:
        every: _Tree = tree[EVERYTHING]
        return {key: _selected(item, tree.get(key) or every) for key, item in value.items()}
    return {key: _selected(item, tree[key]) for key, item in value.items() if key in tree}


def _problem_of(schema: Schema, path: str) -> str:
    known: Mapping[str, Schema] = {}
    for step in path.split("."):
        schema = _inside(schema)
        if step == EVERYTHING:
            return ""
        known = schema.get("properties", {})
        if not known:  # undocumented content, such as custom attributes
            return (
                "" if schema.get("type") in (None, "object") else f"{_named(path)} does not exist"
            )
        if step not in known:
            return f"{_named(path)} is not a field of the answer{did_you_mean(step, known)}"
        schema = known[step]
    return ""


def _named(path: str) -> str:
    return repr(one_line(path, _MAX_PATH_CHARS))


def _inside(schema: Schema) -> Schema:
    while "items" in schema:
        schema = schema["items"]
    return schema
