"""Chooses which fields of an answer are shown.

A field is named by a dotted path: `name`, `budgets.limit`, `ledger.currentBalance`. Lists on the
way are passed through: the path means the field of each of their items. `*` stands for every field
at its place, so that `*` alone is the whole answer.
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
_REPEATED = 60  # characters of a wrong path that a message repeats
_Tree = dict[str, Any]


def selected(value: Any, paths: Sequence[str]) -> Any:
    """Return what the paths leave of a value; an order of fields is the value's own."""
    return _selected(value, _tree(paths))


def fields_of(operation: Operation) -> Schema:
    """Return the form of what `fields` are fields of: an item where the answer is a list."""
    answer = answer_schema(operation.name) or {}
    form: Schema = answer.get("properties", {}).get("data", answer)
    return _inside(form)


def unknown(schema: Schema, paths: Sequence[str]) -> list[Problem]:
    """Return a problem for each path that leads nowhere in answers of this schema.

    Args:
        schema: of the object whose fields they are.
        paths: as a call gave them in `fields`.
    """
    found = []
    for index, path in enumerate(paths):
        if said := _wrong(schema, path):
            found.append(Problem(f"fields[{index}]", said))
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


def _wrong(schema: Schema, path: str) -> str:
    known: Mapping[str, Schema] = {}
    for step in path.split("."):
        schema = _inside(schema)
        if step == EVERYTHING:
            return ""
        known = schema.get("properties", {})
        if not known:  # nothing is documented of what is in there: custom attributes, say
            return "" if schema.get("type") in (None, "object") else f"{_named(path)} leads nowhere"
        if step not in known:
            return f"{_named(path)} is no field of the answer{did_you_mean(step, known)}"
        schema = known[step]
    return ""


def _named(path: str) -> str:
    return repr(one_line(path, _REPEATED))


def _inside(schema: Schema) -> Schema:
    while "items" in schema:
        schema = schema["items"]
    return schema
