"""Every entry of the catalog says what the facts say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from talonone_mcp.core.catalog import Catalog, Operation
from talonone_mcp.core.catalog.validation import problems
from tests.contract.digest import TABLE, read_table, schema_facts
from tests.contract.facts import Fact, committed_facts, example_calls, load_facts

TOOLS = Path(__file__).parents[2] / "tools"
FACTS = load_facts()
CASES = [pytest.param(fact, id=fact["tool"]) for fact in FACTS]
# What the request of one operation carries is configured, not given by a model (DESIGN §2).
CONFIGURED = ("create_session",)
PLACEHOLDER = re.compile(r"\{([^}]*)\}")
Entry = dict[str, Any]


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    """Return every operation's entry as written; compiled, an empty list is left out."""
    files = (yaml.safe_load(path.read_text("utf-8")) for path in TOOLS.glob("[!_]*.yaml"))
    return [entry for file in files for entry in file["tools"] if "http" in entry]


def test_all_operations_are_there_and_no_other(catalog: Catalog) -> None:
    assert len(FACTS) == 234
    assert set(catalog.operations) == {fact["tool"] for fact in FACTS}
    assert len(catalog.toolsets) == 25 + 1  # and the workflows


def test_the_committed_facts_are_those_of_the_table() -> None:
    if not (TABLE / "operations.json").is_file():
        pytest.skip("the full table is not here")
    assert committed_facts() == read_table(TABLE)


@pytest.mark.parametrize("fact", CASES)
def test_the_request_line_and_the_risk(catalog: Catalog, fact: Fact) -> None:
    operation = catalog.operations[fact["tool"]]

    for key in ("toolset", "api", "method", "path", "risk", "status"):
        assert getattr(operation, key) == fact[key], key
    assert operation.operation_id == fact["operationId"]


@pytest.mark.parametrize("fact", CASES)
def test_the_arguments(catalog: Catalog, fact: Fact) -> None:
    operation = catalog.operations[fact["tool"]]
    schema = operation.input_schema

    expected, required = _expected_arguments(fact, operation)
    assert set(schema["properties"]) == set(expected)
    assert set(operation.path_arguments) == set(fact["path_params"])
    assert set(operation.query) == set(fact["query_params"])
    assert set(operation.sent_schema.get("required", [])) == required
    assert schema["additionalProperties"] is False
    for name, constraints in expected.items():
        assert _constraints(schema["properties"][name]) == _constraints(constraints), name
    query = fact["query_params"].items()
    assert set(operation.joined) == {name for name, s in query if s.get("x-explode") is False}
    assert set(operation.dotted) == {name for name, s in query if s.get("dotted")}


def _expected_arguments(fact: Fact, operation: Operation) -> tuple[dict[str, Any], set[str]]:
    expected = fact["path_params"] | fact["query_params"]
    required = set(fact["required"])
    if "X-DRY-RUN" in fact.get("headers", ()):
        expected = expected | {"dryRun": {"type": "boolean"}}
    body = fact.get("body")
    if body is None or fact["tool"] in CONFIGURED:
        return expected, required
    if body["content_type"] == "multipart/form-data":
        return expected | {"csv": {"type": "string"}, "csvPath": {"type": "string"}}, required
    if "properties" not in body["schema"]:  # a map of attributes is the whole body
        return expected | {"attributes": {"type": "object"}}, required
    assert operation.body is not None
    return expected | body["schema"]["properties"], required | set(
        body["schema"].get("required", [])
    )


def _constraints(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the constraints in one form, without how upstream writes them on the wire."""
    facts = schema_facts(schema, examples=False)
    facts.pop("x-explode", None)
    facts.pop("dotted", None)
    if "properties" in facts:
        facts["properties"] = {k: _constraints(v) for k, v in facts["properties"].items()}
    for key in ("items", "additionalProperties"):
        if key in facts:
            facts[key] = _constraints(facts[key])
    if "oneOf" in facts:
        facts["oneOf"] = [_constraints(sub) for sub in facts["oneOf"]]
    if "required" in facts:
        facts["required"] = sorted(facts["required"])
    return facts


@pytest.mark.parametrize("fact", CASES)
def test_the_documented_example_passes(catalog: Catalog, fact: Fact) -> None:
    operation = catalog.operations[fact["tool"]]

    Draft202012Validator.check_schema(operation.input_schema)
    for arguments in example_calls(fact, operation):
        assert problems(operation, arguments) == []


@pytest.mark.parametrize("fact", CASES)
def test_an_outdated_operation_names_its_replacement(catalog: Catalog, fact: Fact) -> None:
    description = catalog.operations[fact["tool"]].description

    outdated = fact["status"] != "current"
    assert outdated == bool(
        re.search(r"(Deprecated|Removed from newer deployments): ", description)
    )
    for name in re.findall(r"(?:Deprecated|deployments): use (\w+)\.", description):
        assert catalog.operations[name].status == "current"


def test_a_write_declares_its_impact_and_a_read_has_none(entries: list[Entry]) -> None:
    for entry in entries:
        assert ("impact" in entry) == (entry["risk"] != "read"), entry["name"]


def test_the_words_of_an_impact_are_about_arguments(catalog: Catalog) -> None:
    for operation in catalog:
        arguments = set(operation.input_schema["properties"])
        for rule in operation.impact:
            assert _placeholders(rule.what) <= arguments, operation.name


def test_an_amount_is_an_argument(catalog: Catalog) -> None:
    for operation in catalog:
        schema = operation.input_schema
        for rule in operation.impact:
            if isinstance(rule.amount, str):
                assert _has(schema, rule.amount.split(".")), (operation.name, rule.amount)


def test_what_cannot_be_undone_is_said(catalog: Catalog) -> None:
    for tool in catalog.tools:
        assert tool.undo or tool.risk != "destructive", tool.name
        assert not _placeholders(tool.undo), tool.name


def test_what_a_question_shows_is_in_the_answer_upstream_documents(catalog: Catalog) -> None:
    answers = {fact["tool"]: fact["responses"] for fact in FACTS}
    for operation in catalog:
        if operation.before is None:
            continue
        [answer] = answers[operation.before.read].values()
        if "schema" not in answer:
            continue
        for path in operation.before.now.values():
            assert _has(answer["schema"], path.removesuffix("~").split(".")), (operation.name, path)


def _placeholders(words: str) -> set[str]:
    return set(PLACEHOLDER.findall(words))


def _has(schema: dict[str, Any], steps: list[str]) -> bool:
    """Tell whether an answer may have a value there; what upstream leaves open may."""
    for step in steps:
        if schema.get("type") == "array":
            return step == "length" or _has(schema.get("items", {}), steps[1:])
        if "properties" not in schema:
            return True
        if step not in schema["properties"]:
            return False
        schema = schema["properties"][step]
    return True


def test_every_write_names_the_read_that_tells(catalog: Catalog) -> None:
    without = {o.name for o in catalog if o.risk != "read" and o.check is None}

    assert without == {"capillary_issue_coupon"}  # that API has no read at all


def test_the_names_that_official_skills_use_lead_somewhere(catalog: Catalog) -> None:
    expected = {
        "get_applications": "list_applications",
        "list_coupons_no_total": "list_coupons",
        "get_reserved_customers": "list_coupon_reservations",
        "get_access_logs": "list_access_logs",
        "get_loyalty_profile_points": "list_profile_loyalty_points",
        "get_loyalty_profile_transactions": "list_profile_loyalty_transactions",
        "get_session_details": "get_customer_session",
        "check_coupon_status": "check_coupon",
        "list_loyalty_program_transactions": "list_loyalty_transactions",
        "get_loyalty_card_points": "list_loyalty_card_points",
        "get_loyalty_card_transactions": "list_loyalty_card_transactions",
        "get_customer_achievements": "list_customer_achievements",
        "get_customer_achievement_history": "list_customer_achievement_history",
        "list_custom_attributes": "list_attributes",
    }
    assert {alias: operation.name for alias, operation in catalog.aliases.items()} == expected


def test_every_operation_can_be_searched_for(catalog: Catalog) -> None:
    assert [o.name for o in catalog if len(o.keywords.split(",")) < 2] == []


@pytest.mark.parametrize("path", sorted(TOOLS.glob("[!_]*.yaml")), ids=lambda path: path.stem)
def test_the_files_are_as_their_schema_says(path: Path) -> None:
    schema = json.loads((TOOLS / "catalog.schema.json").read_text("utf-8"))
    document = yaml.safe_load(path.read_text("utf-8"))

    Draft202012Validator(schema).validate(document)
    assert document["toolset"] == path.stem


def test_the_constraints_are_valid_schemas(catalog: Catalog) -> None:
    for operation in catalog:
        for constraint in operation.constraints:
            if constraint.must is not None:
                Draft202012Validator.check_schema(constraint.must)


def test_everything_shared_is_used() -> None:
    shared = yaml.safe_load((TOOLS / "_shared.yaml").read_text("utf-8"))
    text = "".join(path.read_text("utf-8") for path in TOOLS.glob("*.yaml"))

    used = set(re.findall(r"^[^#\n]*\$ref: (\w+)", text, re.MULTILINE))
    assert set(shared) == used
