"""Writes `tools/_answers.json`, the form of every answer, from the committed facts.

    python -m tests.contract.answers

`fields` are checked against it, and output schemas come from it, so that it belongs to the catalog
and says of an answer only where its fields are and of which type.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import reduce

from talonone_mcp.core.catalog.answer_schemas import CHECKOUT
from talonone_mcp.core.catalog.model import Schema
from tests.contract.facts import Fact, committed_facts

JSON = "application/json"
NO_CONTENT = "204"


def answers(facts: Iterable[Fact]) -> dict[str, Schema]:
    """Return the form of each operation's answer, without those that have none in JSON."""
    documented = {fact["tool"]: _documented(fact) for fact in facts}
    return {name: documented[name] for name in sorted(documented) if documented[name]}


def written(schemas: dict[str, Schema]) -> str:
    """Return the text of the file: an operation a line, so that a change of one shows as one."""
    lines = (f"{json.dumps(name)}: {_compact(schema)}" for name, schema in schemas.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def reduced(schema: Schema) -> Schema:
    """Return where the fields of a value are, and their types, alternatives laid together."""
    alternatives = [*schema.get("oneOf", ()), *schema.get("anyOf", ())]
    form = reduce(_either, map(reduced, alternatives)) if alternatives else {}
    if "type" in schema:
        form["type"] = schema["type"]
    own = {name: reduced(sub) for name, sub in schema.get("properties", {}).items()}
    if properties := form.get("properties", {}) | own:
        form["properties"] = properties
    if "items" in schema:  # items of which nothing is said may have any field
        form["items"] = reduced(schema["items"])
    more = schema.get("additionalProperties")
    if isinstance(more, dict) and (inner := reduced(more)):
        form["additionalProperties"] = inner
    return form


def _documented(fact: Fact) -> Schema:
    forms = [
        reduced(answer["schema"])
        for status, answer in fact["responses"].items()
        if status != NO_CONTENT and answer.get("content_type") == JSON and "schema" in answer
    ]
    return reduce(_either, forms) if forms else {}


def _either(one: Schema, other: Schema) -> Schema:
    """Return a form that values of both forms have; what they disagree about is left open."""
    both: Schema = {}
    if "type" in one and one["type"] == other.get("type"):
        both["type"] = one["type"]
    mine, others = one.get("properties", {}), other.get("properties", {})
    shared = {name: _either(mine[name], others[name]) for name in mine.keys() & others.keys()}
    if mine or others:
        both["properties"] = {**mine, **others, **shared}
    for key in ("items", "additionalProperties"):
        if key in one and key in other:
            both[key] = _either(one[key], other[key])
    return both


def _compact(schema: Schema) -> str:
    return json.dumps(schema, sort_keys=True, separators=(",", ":"))


if __name__ == "__main__":
    CHECKOUT.write_text(written(answers(committed_facts())), "utf-8")
