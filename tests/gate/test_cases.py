"""What the gate says to each call of `cases.yaml`: its impact, whether it asks, and how."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.catalog.validation import problems
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.impact import KINDS
from tests.gate.cases import Case, PlainCall, load_cases, open_counter, read_records

CASES = load_cases()
LEAST_CASES = 170
OPENLY_HARMFUL = ("delete", "destroy", "deduct", "deactivate")  # the first words of names
ERRORS = ("any", "invalid_arguments", "not_found", "not_configured", "conflict")

_CALL = {
    "type": "object",
    "required": ["call", "arguments"],
    "additionalProperties": False,
    "properties": {"call": {"type": "string"}, "arguments": {"type": "object"}},
}
_FORM = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["name", "call", "arguments"],
        "oneOf": [{"required": ["asked"]}, {"required": ["error"]}],
        "additionalProperties": False,
        "properties": {
            "name": {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"},
            "call": {"type": "string"},
            "arguments": {"type": "object"},
            "asked": {"type": "boolean"},
            "error": {"enum": ERRORS},
            "says": {"type": "array", "items": {"type": "string", "minLength": 1}},
            "setup": {"type": "array", "items": _CALL},
            "impact": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["kind"],
                    "additionalProperties": False,
                    "properties": {
                        "kind": {"enum": KINDS},
                        "unit": {"type": "string"},
                        "measure": {"type": ["number", "null"]},
                    },
                },
            },
        },
    },
}

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


# --- The file -------------------------------------------------------------------------------------


def test_the_file_has_its_form() -> None:
    records = read_records()
    assert [error.message for error in Draft202012Validator(_FORM).iter_errors(records)] == []
    names = [case.name for case in CASES]
    assert sorted(set(names)) == sorted(names)


def test_it_holds_enough_of_each_sort() -> None:
    """At least half is harmful in a form whose name does not say so; a third is harmless."""
    asked = [case for case in CASES if case.asked]
    hidden = [case for case in asked if case.call.split("_")[0] not in OPENLY_HARMFUL]
    harmless = [case for case in CASES if case.asked is False]

    assert len(CASES) >= LEAST_CASES
    assert len(hidden) >= len(CASES) / 2
    assert len(harmless) >= len(CASES) / 3


def test_it_holds_every_write(catalog: Catalog) -> None:
    writes = {tool.name for tool in catalog.tools if not tool.is_read}
    assert writes - {case.call for case in CASES} == set()


def test_it_holds_every_impact_that_a_write_declares(catalog: Catalog) -> None:
    """Where an operation has several, one case at least is about each kind."""
    told = {(case.call, impact.kind) for case in CASES for impact in case.impact}
    declared = {(tool.name, rule.kind) for tool in catalog.tools for rule in tool.impact}
    assert declared - told - NOT_ON_THE_DEMO_ACCOUNT == set()


NOT_ON_THE_DEMO_ACCOUNT = {
    ("create_campaign_from_template", "opens"),  # upstream creates it disabled
    ("destroy_session", "closes"),  # the sandbox's keys need no session
    # Its rules give nothing for an event or a profile, and no rule takes.
    ("track_event", "gives"),
    ("track_event", "takes"),
    ("track_advanced_event", "gives"),
    ("track_advanced_event", "takes"),
    ("return_cart_items", "gives"),
}


@each_case
def test_its_arguments_are_those_of_the_operation(case: Case, catalog: Catalog) -> None:
    for each in (PlainCall(case.call, case.arguments), *case.setup):
        tool = catalog.find(each.call)
        assert tool is not None and not tool.is_read
        if not case.error:
            assert problems(tool, each.arguments, reserved=True) == []


# --- The gate -------------------------------------------------------------------------------------


@pytest.mark.anyio
@each_case
async def test_what_the_gate_says(case: Case, catalog: Catalog, tmp_path: Path) -> None:
    async with open_counter(catalog, tmp_path) as counter:
        for each in case.setup:
            await counter.call(each.call, each.arguments)
        before, asked_before = counter.documents(), len(counter.person.questions)

        if case.error:
            with pytest.raises(CallError) as refused:
                await counter.dispatch.explain(case.call, case.arguments, counter.caller)
            assert case.error in ("any", refused.value.kind)
        else:
            said = await counter.dispatch.explain(case.call, case.arguments, counter.caller)
            told = [(each.kind, each.measure, each.unit) for each in said.impacts]
            assert said.asked is case.asked, (told, said.because)
            missing = [
                wanted for wanted in case.impact if not any(map(wanted.is_met_by, said.impacts))
            ]
            assert missing == [], told
            unsaid = [each for each in case.says if each.casefold() not in said.question.casefold()]
            assert unsaid == [], said.question
            assert said.because
            assert bool(said.question) or not said.asked

        assert counter.documents() == before
        assert len(counter.person.questions) == asked_before


def test_old_and_new_values_are_in_no_case_that_is_refused() -> None:
    assert [case.name for case in CASES if case.error and (case.impact or case.says)] == []


def test_what_a_question_holds_is_expected_only_where_one_is_asked() -> None:
    assert [case.name for case in CASES if case.says and not case.asked] == []
    assert all(re.search(r"\S", word) for case in CASES for word in case.says)
