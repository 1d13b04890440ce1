"""The facts about upstream's operations that the catalog must agree with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from talonone_mcp.core.catalog import ColumnKind, Operation
from tests.contract.digest import FACTS, TABLE, read_table

Fact = dict[str, Any]

# Examples that upstream gives for single parameters, where all together are no possible call or
# one alone is not what its own type says. None leaves the argument out.
CORRECTED: dict[str, dict[str, Any]] = {
    "activate_loyalty_points": {"sessionId": None},  # one of two alternatives
    "add_loyalty_points": {"validUntil": None, "pendingUntil": None},  # instead of the durations
    "add_loyalty_card_points": {"validUntil": None, "pendingUntil": None},
    "create_achievement": {  # these have a zone twice, as no time of RFC 3339 has
        "fixedStartDate": "2024-01-15T15:04:05Z",
        "endDate": "2024-02-15T15:04:05Z",
    },
    "update_achievement": {
        "fixedStartDate": "2024-01-15T15:04:05Z",
        "endDate": "2024-02-15T15:04:05Z",
    },
    "get_price_history": {"sku": "sku-124"},  # in a list, where text is asked for
    "update_customer_profile": {"runRuleEngine": True},  # which responseContent needs
    "update_user": {"policy": '{"Role": 127}'},  # an object, where text is asked for
}
# Upstream writes this class as Go's regular expressions know it; JSON Schema's do not.
POSIX = ("[:cntrl:]", r"\\x00-\\x1f\\x7f")
CREDENTIALS = {"email": "sandbox.user@example.com", "password": "sandbox-password"}


def load_facts() -> list[Fact]:
    """Return the facts of the full table where it stands beside the checkout, or the committed."""
    facts = read_table(TABLE) if (TABLE / "operations.json").is_file() else committed_facts()
    patterns_of_python: list[Fact] = json.loads(json.dumps(facts).replace(*POSIX))
    return patterns_of_python


def committed_facts() -> list[Fact]:
    facts: list[Fact] = json.loads(Path(FACTS).read_text("utf-8"))
    return facts


def example_calls(fact: Fact, operation: Operation) -> list[dict[str, Any]]:
    """Return the documented examples, one for each alternative that the facts leave."""
    body = fact.get("body", {}).get("schema", {})
    lists = [s["items"] for s in body.get("properties", {}).values() if "items" in s]
    alternatives = max([1, *(len(items.get("oneOf", ())) for items in lists)])
    return [example_arguments(fact, operation, choice) for choice in range(alternatives)]


def example_arguments(fact: Fact, operation: Operation, choice: int = 0) -> dict[str, Any]:
    """Return the documented example of every argument, under the names that the tools have."""
    in_request = fact["path_params"] | fact["query_params"]
    arguments = {name: example(schema) for name, schema in in_request.items()}
    arguments |= fact["example_arguments"]
    body = fact.get("body")
    if operation.body and operation.body.columns:
        arguments["csv"] = csv_example(operation)
    elif operation.body and operation.body.whole:
        arguments[operation.body.whole] = fact["body"]["schema"]["example"]
    elif body and not (operation.body and operation.body.credentials):
        for name, schema in body["schema"]["properties"].items():
            arguments[name] = example(schema, choice)
    if "X-DRY-RUN" in fact.get("headers", ()):
        arguments["dryRun"] = True
    arguments |= CORRECTED.get(fact["tool"], {})
    return {name: value for name, value in arguments.items() if value is not None}


def csv_example(operation: Operation) -> str:
    """Return a header line with every column that may stand in it, and a row."""
    assert operation.body is not None
    columns = operation.body.columns
    assert columns is not None
    names = [*columns.one_of[:1], *columns.required, *columns.optional]
    cells = ["" if name in columns.not_both[1:] else _cell(columns.kind(name)) for name in names]
    return ",".join(names) + "\n" + ",".join(cells) + "\n"


def _cell(kind: ColumnKind) -> str:
    texts = {"text": "xxx", "time": "2099-01-02T03:04:05Z", "json": "{}"}
    return kind.words[0] if kind.words else texts.get(kind.kind, "1")


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
        if schema.get("dotted"):
            pairs += [(f".{key}", str(item)) for key, item in value.items()]
        elif isinstance(value, list) and schema.get("x-explode", True):
            pairs += [(name, str(item)) for item in value]
        elif isinstance(value, list):
            pairs.append((name, ",".join(map(str, value))))
        else:
            pairs.append((name, str(value).lower() if isinstance(value, bool) else str(value)))
    return pairs


def documented_document(fact: Fact, operation: Operation, arguments: dict[str, Any]) -> Any:
    """Return the JSON body of a call."""
    assert operation.body is not None
    if operation.body.credentials:
        return CREDENTIALS
    if operation.body.whole:
        return arguments[operation.body.whole]
    elsewhere = (*fact["path_params"], *fact["query_params"])
    return {key: value for key, value in arguments.items() if key not in elsewhere}


def example(schema: dict[str, Any], choice: int = 0) -> Any:
    """Make up a value of a schema from the examples in it, with every property at every depth.

    Of several alternatives, `choice` says which.
    """
    if "properties" in schema:
        return {name: example(sub) for name, sub in schema["properties"].items()}
    items, more = schema.get("items", {}), schema.get("additionalProperties")
    if "oneOf" in items:
        return [example(items["oneOf"][choice])]
    if "properties" in items or (items and "example" not in schema):
        return [example(items)]
    if isinstance(more, dict):
        return {"some_key": example(more)}
    return _scalar(schema)


def _scalar(schema: dict[str, Any]) -> Any:
    for key in ("const", "example"):
        if key in schema:
            return schema[key]
    if "enum" in schema:
        return schema["enum"][0]
    formats = {
        "date-time": "2024-05-29T15:04:05+07:00",
        "uuid": "68851723-e6fa-488f-ace9-112581e6c19b",
        "email": "anna@example.com",
    }
    if schema.get("format") in formats:
        return formats[schema["format"]]
    kinds = schema.get("type", "string")
    kind = kinds[0] if isinstance(kinds, list) else kinds
    values = {"string": "text", "integer": 1, "number": 1.5, "boolean": True, "array": []}
    return values.get(kind, {})
