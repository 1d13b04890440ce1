"""The facts about upstream's operations that the catalog must agree with."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.contract.digest import FACTS, digest

Fact = dict[str, Any]


def load_facts() -> list[Fact]:
    """Return the committed facts, or those of the table that OPERATIONS_TABLE names."""
    table = os.environ.get("OPERATIONS_TABLE")
    if table:
        return digest(json.loads(Path(table).read_text("utf-8")))
    facts: list[Fact] = json.loads(FACTS.read_text("utf-8"))
    return facts


def example_arguments(fact: Fact) -> dict[str, Any]:
    """Return the documented example of every argument, under the names that the tools have."""
    arguments = dict(fact["example_arguments"])
    body = fact.get("body")
    if body is None:
        return arguments
    if body["content_type"] == "multipart/form-data":
        return arguments | {"csv": "value\nCOUP1\n"}
    if "properties" not in body["schema"]:
        return arguments | {"attributes": body["schema"]["example"]}
    return {**arguments, **example(body["schema"])}


def documented_path(fact: Fact, arguments: dict[str, Any]) -> str:
    """Return the path of a call, percent-encoded."""
    path: str = fact["path"]
    for name in fact["path_params"]:
        path = path.replace("{" + name + "}", quote(str(arguments[name]), safe=""))
    return path


def documented_query(fact: Fact, arguments: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the query of a call as pairs."""
    pairs = []
    for name, schema in fact["query_params"].items():
        value = arguments[name]
        if isinstance(value, list):
            assert schema["x-explode"] is False
            value = ",".join(value)
        elif isinstance(value, bool):
            value = "true" if value else "false"
        pairs.append((name, str(value)))
    return pairs


def documented_document(fact: Fact, arguments: dict[str, Any]) -> Any:
    """Return the JSON body of a call."""
    elsewhere = (*fact["path_params"], *fact["query_params"])
    body = {key: value for key, value in arguments.items() if key not in elsewhere}
    return body if "properties" in fact["body"]["schema"] else body["attributes"]


def example(schema: dict[str, Any]) -> Any:
    """Make up a value of a schema from the examples in it."""
    if "example" in schema:
        return schema["example"]
    if schema.get("type") == "object":
        return {name: example(sub) for name, sub in schema.get("properties", {}).items()}
    if schema.get("type") == "array":
        return [example(schema["items"])]
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("format") == "date-time":
        return "2024-05-29T15:04:05+07:00"
    return {"string": "text", "integer": 1, "number": 1.5, "boolean": True}[schema["type"]]
