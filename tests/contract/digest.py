"""Writes `facts.json`, the facts that the contract tests compare with, from the full table.

    python -m tests.contract.digest PATH/TO/talonone

The folder holds `operations.json` and the reference documents, from which the few schemas that
the table cuts off at depth are completed. Prose stays out.
"""

import json
import sys
from pathlib import Path
from typing import Any

FACTS = Path(__file__).with_name("facts.json")
TABLE = Path(__file__).parents[3] / "shared" / "talonone"
KEPT = (
    "tool", "toolset", "operationId", "api", "method", "path", "status", "path_params",
    "query_params", "required", "body", "headers", "responses", "risk", "example_arguments",
)  # fmt: skip
CONSTRAINTS = (
    "type", "format", "example", "enum", "const", "pattern", "minimum", "maximum",
    "exclusiveMinimum", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems",
    "minProperties", "readOnly", "x-explode",
)  # fmt: skip
NO_FORMAT = ("binary", "float", "string")  # upstream writes these where they constrain nothing
TOO_DEEP = 12  # levels; one of upstream's answers contains itself


def read_table(folder: Path) -> list[dict[str, Any]]:
    """Return the digest of every record of the table in `folder`."""
    table: list[dict[str, Any]] = json.loads((folder / "operations.json").read_text("utf-8"))
    references = [json.loads(path.read_text("utf-8")) for path in folder.glob("reference-*.json")]
    return [_digest(record, references) for record in table]


def _digest(record: dict[str, Any], references: list[Any]) -> dict[str, Any]:
    body = record.get("body")
    if body and cut_off(body["schema"]):
        record = record | {"body": body | {"schema": _whole_schema(record, references)}}
    return {key: _slim(key, record[key]) for key in KEPT if key in record}


def cut_off(node: Any) -> bool:
    """Tell whether the table left something out: an empty object where a fact should be."""
    if isinstance(node, dict):
        return any(value == {} or cut_off(value) for value in node.values())
    return isinstance(node, list) and any(item == {} or cut_off(item) for item in node)


def _whole_schema(record: dict[str, Any], references: list[Any]) -> Any:
    for document in references:
        line = document.get("paths", {}).get(record["path"], {}).get(record["method"].lower())
        if line:
            return _resolved(document, line["requestBody"]["content"]["application/json"]["schema"])
    raise LookupError(record["tool"])


def _resolved(document: Any, node: Any, depth: int = 0) -> Any:
    """Follow the references of an OpenAPI schema and merge its `allOf`."""
    if isinstance(node, list):
        return [_resolved(document, item, depth + 1) for item in node]
    if not isinstance(node, dict) or depth > TOO_DEEP:
        return node
    if isinstance(node.get("$ref"), str):
        target = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        return _resolved(document, target, depth + 1)
    merged = {key: _resolved(document, value, depth + 1) for key, value in node.items()}
    for part in merged.pop("allOf", []):
        for key in ("properties", "required"):
            if key in part and key in merged:
                both = (part[key], merged[key])
                merged[key] = both[0] | both[1] if key == "properties" else both[0] + both[1]
        merged = part | merged
    return merged


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
    if "with a dot" in schema.get("x-style", ""):  # prose, on attributes of the Third-party API
        facts["dotted"] = True
    if facts.get("format") in NO_FORMAT:
        del facts["format"]
    if {} in facts.get("enum", ()):
        del facts["enum"]
    elif "enum" in facts:
        facts["enum"] = sorted(facts["enum"])
    if not examples or cut_off(facts.get("example")):
        facts.pop("example", None)
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            facts[key] = schema_facts(schema[key], examples=examples)
    if isinstance(schema.get("properties"), dict):
        facts["properties"] = {
            name: schema_facts(sub, examples=examples) for name, sub in schema["properties"].items()
        }
    if schema.get("oneOf"):
        facts["oneOf"] = [schema_facts(sub, examples=examples) for sub in schema["oneOf"]]
    if required := [name for name in schema.get("required", ()) if isinstance(name, str)]:
        facts["required"] = required
    return facts


if __name__ == "__main__":
    table = read_table(Path(sys.argv[1]))
    records = ",\n".join(json.dumps(record, sort_keys=True) for record in table)
    FACTS.write_text(f"[\n{records}\n]\n", "utf-8")
