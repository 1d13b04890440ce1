"""Every entry of the catalog says what the facts say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from talonone_mcp.catalog import Catalog, Operation
from talonone_mcp.catalog.validation import problems
from tests.contract.digest import schema_facts
from tests.contract.facts import Fact, example_arguments, load_facts

TOOLS = Path(__file__).parents[2] / "tools"
CASES = [pytest.param(fact, id=fact["tool"]) for fact in load_facts()]


def test_every_operation_of_the_toolsets_is_there_and_no_other(catalog: Catalog) -> None:
    assert set(catalog.operations) == {fact["tool"] for fact in load_facts()}


@pytest.mark.parametrize("fact", CASES)
def test_the_request_line_the_risk_and_the_confirmation(catalog: Catalog, fact: Fact) -> None:
    operation = catalog.operations[fact["tool"]]

    said = (operation.toolset, operation.api, operation.method, operation.path, operation.risk)
    assert said == tuple(fact[key] for key in ("toolset", "api", "method", "path", "risk"))
    assert _confirmation(operation) == fact["confirm"]
    if operation.confirm and operation.confirm.when:
        assert operation.confirm.when == fact["confirm_when"]


def _confirmation(operation: Operation) -> str:
    if operation.confirm is None:
        return "never"
    return "always" if operation.confirm.when is None else "when"


@pytest.mark.parametrize("fact", CASES)
def test_the_arguments(catalog: Catalog, fact: Fact) -> None:
    operation = catalog.operations[fact["tool"]]
    schema = operation.input_schema

    expected, required = _expected_arguments(fact)
    assert set(schema["properties"]) == set(expected)
    assert set(operation.path_arguments) == set(fact["path_params"])
    assert set(operation.query) == set(fact["query_params"])
    assert set(schema.get("required", [])) == required
    assert schema["additionalProperties"] is False
    for name, constraints in expected.items():
        assert _constraints(schema["properties"][name]) == _constraints(constraints), name
    joined = {n for n, s in fact["query_params"].items() if s.get("x-explode") is False}
    assert set(operation.joined) == joined


def _expected_arguments(fact: Fact) -> tuple[dict[str, Any], set[str]]:
    expected = fact["path_params"] | fact["query_params"]
    required = set(fact["required"])
    body = fact.get("body")
    if body is None:
        return expected, required
    if body["content_type"] == "multipart/form-data":
        return expected | {"csv": {"type": "string"}}, required | {"csv"}
    if "properties" not in body["schema"]:  # a map of attributes is the whole body
        return expected | {"attributes": {"type": "object"}}, required
    return expected | body["schema"]["properties"], required | set(
        body["schema"].get("required", [])
    )


def _constraints(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the constraints in one form: closed objects are the catalog's own addition."""
    facts = schema_facts(schema, examples=False)
    facts.pop("x-explode", None)
    facts.pop("additionalProperties", None)
    if "properties" in facts:
        facts["properties"] = {k: _constraints(v) for k, v in facts["properties"].items()}
    if "items" in facts:
        facts["items"] = _constraints(facts["items"])
    if "required" in facts:
        facts["required"] = sorted(facts["required"])
    return facts


@pytest.mark.parametrize("fact", CASES)
def test_the_documented_example_passes(catalog: Catalog, fact: Fact) -> None:
    operation = catalog.operations[fact["tool"]]

    Draft202012Validator.check_schema(operation.input_schema)
    assert problems(operation, example_arguments(fact)) == []


@pytest.mark.parametrize("path", sorted(TOOLS.glob("[!_]*.yaml")), ids=lambda path: path.stem)
def test_the_files_are_as_their_schema_says(path: Path) -> None:
    schema = json.loads((TOOLS / "catalog.schema.json").read_text("utf-8"))
    document = yaml.safe_load(path.read_text("utf-8"))

    Draft202012Validator(schema).validate(document)
    assert document["toolset"] == path.stem


def test_everything_shared_is_used() -> None:
    shared = yaml.safe_load((TOOLS / "_shared.yaml").read_text("utf-8"))
    text = "".join(path.read_text("utf-8") for path in TOOLS.glob("*.yaml"))

    used = set(re.findall(r"^[^#\n]*\$ref: (\w+)", text, re.MULTILINE))
    assert set(shared) == used
