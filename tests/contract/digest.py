"""Writes `facts.json`, the facts that the contract tests compare with, from the full table.

    python -m tests.contract.digest PATH/TO/operations.json

Prose, examples of answers and operations of toolsets that the catalog lacks stay out.
"""

import json
import sys
from pathlib import Path
from typing import Any

from talonone_mcp.catalog import load

FACTS = Path(__file__).with_name("facts.json")
KEPT = (
    "tool", "toolset", "api", "method", "path", "path_params", "query_params", "required",
    "body", "responses", "risk", "confirm", "confirm_when", "example_arguments",
)  # fmt: skip
CONSTRAINTS = (
    "type", "format", "example", "enum", "pattern", "minimum", "maximum", "exclusiveMinimum",
    "minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "additionalProperties",
    "x-explode",
)  # fmt: skip


def digest(table: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the records of the catalog's toolsets, each with what the tests compare."""
    toolsets = load().toolsets
    records = [record for record in table if record["toolset"] in toolsets]
    return [{key: _slim(key, record[key]) for key in KEPT if key in record} for record in records]


def _slim(key: str, value: Any) -> Any:
    if key in ("path_params", "query_params"):
        return {name: schema_facts(schema, examples=True) for name, schema in value.items()}
    if key == "body":
        return value | {"schema": schema_facts(value["schema"], examples=True)}
    if key == "responses":
        return {status: _answer(answer) for status, answer in value.items()}
    return value


def _answer(answer: dict[str, Any]) -> dict[str, Any]:
    slim = {key: answer[key] for key in ("content_type",) if key in answer}
    if "schema" in answer:
        slim["schema"] = schema_facts(answer["schema"], examples=False)
    return slim


def schema_facts(schema: Any, *, examples: bool) -> dict[str, Any]:
    """Return a schema's constraints alone; what the table cut off at depth admits anything."""
    facts = {key: schema[key] for key in CONSTRAINTS if schema.get(key, {}) != {}}
    if {} in facts.get("enum", ()):
        del facts["enum"]
    if not examples:
        facts.pop("example", None)
    if isinstance(schema.get("items"), dict):
        facts["items"] = schema_facts(schema["items"], examples=examples)
    if isinstance(schema.get("properties"), dict):
        facts["properties"] = {
            name: schema_facts(sub, examples=examples) for name, sub in schema["properties"].items()
        }
    if required := [name for name in schema.get("required", ()) if isinstance(name, str)]:
        facts["required"] = required
    return facts


if __name__ == "__main__":
    table = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    records = ",\n".join(json.dumps(record) for record in digest(table))
    FACTS.write_text(f"[\n{records}\n]\n", "utf-8")
