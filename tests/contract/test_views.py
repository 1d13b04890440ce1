"""What an answer shows by default is documented, small, and enough for the next call."""

from __future__ import annotations

from typing import Any

import pytest
from bench.tokens import tokens
from jsonschema import Draft202012Validator

from talonone_mcp.calls.shaping.field_selection import fields_of, unknown
from talonone_mcp.core import catalog as catalogs
from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.catalog.answer_schemas import CHECKOUT, answer_schema, answers
from talonone_mcp.core.catalog.model import Schema
from tests.contract import answers as forms
from tests.contract.facts import Fact, committed_facts, example

FACTS = {fact["tool"]: fact for fact in committed_facts()}
VIEWED = sorted(operation.name for operation in catalogs.load() if operation.view)
LARGE_ANSWER = 600  # tokens
LARGE_ITEM = 120  # tokens, of which a page has fifty
HANDLES = {"id", "uuid", "identifier", "value", "achievementId", "customerId"}


def documented(fact: Fact) -> Schema:
    """Return the schema of a read's answer, empty where it has none in JSON."""
    answer = fact["responses"].get("200", {})
    schema: Schema = answer.get("schema", {})
    return schema if answer.get("content_type") == forms.JSON else {}


def shown(schema: Schema) -> Schema:
    """Return the schema of what a view chooses from: an item of `data`, or else the answer."""
    data: Schema = schema.get("properties", {}).get("data", {})
    item: Schema = (data if "items" in data else schema).get("items", schema)
    return item


@pytest.mark.parametrize("name", VIEWED)
def test_every_field_of_a_view_is_documented(catalog: Catalog, name: str) -> None:
    operation = catalog.operations[name]

    assert unknown(shown(documented(FACTS[name])), operation.view) == []
    assert unknown(fields_of(operation), operation.view) == []


def test_only_reads_that_answer_with_json_have_views(catalog: Catalog) -> None:
    viewed = [operation for operation in catalog if operation.view]

    assert len(viewed) > 50
    assert {(operation.risk, operation.answer) for operation in viewed} == {("read", "json")}
    assert all(documented(FACTS[operation.name]) for operation in viewed)


def test_a_large_answer_has_a_view(catalog: Catalog) -> None:
    large = {name for name, fact in FACTS.items() if fact["risk"] == "read" and _is_large(fact)}

    assert "get_loyalty_ledger" in large
    assert "list_campaigns" in large
    assert [name for name in sorted(large) if not catalog.operations[name].view] == []


def _is_large(fact: Fact) -> bool:
    schema = documented(fact)
    is_list = shown(schema) is not schema
    return tokens(example(schema)) > LARGE_ANSWER or (
        is_list and tokens(example(shown(schema))) > LARGE_ITEM
    )


@pytest.mark.parametrize("name", VIEWED)
def test_the_view_of_a_list_keeps_what_the_next_call_takes(catalog: Catalog, name: str) -> None:
    schema = documented(FACTS[name])
    if (item := shown(schema)) is schema:
        pytest.skip("no list")
    handles = HANDLES & item.get("properties", {}).keys()

    assert not handles or handles & set(catalog.operations[name].view)


@pytest.mark.parametrize("name", VIEWED)
def test_no_field_of_a_view_lies_within_another(catalog: Catalog, name: str) -> None:
    """The longer path would take from what the shorter one shows."""
    view = catalog.operations[name].view

    assert [(a, b) for a in view for b in view if b.startswith(f"{a}.")] == []


def test_the_committed_forms_are_those_of_the_facts() -> None:
    assert CHECKOUT.read_text("utf-8") == forms.written(forms.answers(committed_facts()))


@pytest.mark.parametrize("name", sorted(answers()))
def test_the_documented_answer_has_its_form(name: str) -> None:
    form = answer_schema(name)

    assert form
    Draft202012Validator.check_schema(form)
    for status, answer in FACTS[name]["responses"].items():
        if status != forms.NO_CONTENT and "schema" in answer:
            Draft202012Validator(form).validate(_example(answer["schema"]))


def _example(schema: Schema) -> Any:
    return [example(schema["items"])] if schema.get("type") == "array" else example(schema)


@pytest.mark.parametrize("name", ["export_coupons", "delete_campaign", "no_such_operation"])
def test_what_answers_with_no_json_has_no_form(name: str) -> None:
    assert answer_schema(name) is None


def test_alternatives_are_laid_together() -> None:
    number = {"type": "object", "properties": {"value": {"type": "number"}, "a": {"enum": [1]}}}
    text = {"type": "object", "properties": {"value": {"type": "string"}, "b": {"type": "string"}}}

    assert forms.reduced({"oneOf": [number, text], "properties": {"c": {"type": "null"}}}) == {
        "type": "object",
        "properties": {"value": {}, "a": {}, "b": {"type": "string"}, "c": {"type": "null"}},
    }
