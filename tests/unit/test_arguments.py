"""What a model is told about its arguments: all of it at once, each with its place."""

from __future__ import annotations

from typing import Any

import pytest

from talonone_mcp.core.catalog import Catalog, Operation
from talonone_mcp.core.catalog.validation import problems

GOOD = {"applicationId": 42, "campaignId": 18, "numberOfCoupons": 1, "usageLimit": 1}


def wrong(catalog: Catalog, **changes: Any) -> dict[str, str]:
    arguments = {key: value for key, value in (GOOD | changes).items() if value is not None}
    found = problems(catalog.operations["create_coupons"], arguments)
    return {problem.at: problem.problem for problem in found}


def test_good_arguments_have_no_problems(catalog: Catalog) -> None:
    assert wrong(catalog) == {}


def test_every_problem_is_named_at_once(catalog: Catalog) -> None:
    limits = [{"action": 1, "limit": -1, "entities": ["Nobody"], "colour": "red"}]

    found = wrong(
        catalog, applicationId="x", campaignId=None, usagelimit=3, limits=limits, startDate="soon"
    )

    assert set(found) == {"applicationId", "campaignId", "usagelimit", "limits[0].action",
                          "limits[0].limit", "limits[0].entities[0]", "limits[0].colour",
                          "startDate"}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("campaignId", None, "is required"),
        ("usagelimit", 1, "is unknown; did you mean usageLimit?"),
        ("applicationId", "42", 'must be of type integer, not "42"'),
        ("applicationId", True, "must be of type integer, not true"),
        ("applicationId", 1.5, "must be of type integer, not 1.5"),
        ("usageLimit", -1, "must be at least 0, not -1"),
        ("usageLimit", 10**6, "must be at most 999999, not 1000000"),
        ("couponPattern", "AB", 'must have at least 3 characters, not "AB"'),
        ("discountLimit", float("nan"), "must be a finite number"),
        ("uniquePrefix", "\ud800", "is not valid Unicode: it contains a lone surrogate"),
        ("uniquePrefix", ["x" * 99], f'must be of type string, not ["{"x" * 58}...'),
    ],
)
def test_the_message(catalog: Catalog, name: str, value: Any, message: str) -> None:
    assert wrong(catalog, **{name: value})[name] == message


@pytest.mark.parametrize(
    "time",
    ["2026-03-01T00:00:00Z", "2026-03-01t00:00:00z", "2024-02-29T23:59:59.123456+07:00",
     "2026-03-01T00:00:00.5-00:30"],
)  # fmt: skip
def test_times_of_rfc_3339(catalog: Catalog, time: str) -> None:
    assert wrong(catalog, startDate=time) == {}


@pytest.mark.parametrize(
    "time",
    ["2026-03-01", "2026-03-01T00:00:00", "2026-02-30T00:00:00Z", "2026-03-01 00:00:00Z",
     "2026-W09-7T00:00:00Z", "20260301T000000Z", "2026-03-01T25:00:00Z", "2026-03-01T00:00Z",
     "2026-03-01T00:00:00Z\n", "٢026-03-01T00:00:00Z", ""],
)  # fmt: skip
def test_times_that_are_none(catalog: Catalog, time: str) -> None:
    assert "RFC 3339" in wrong(catalog, startDate=time)["startDate"]


def test_a_pattern_does_not_let_a_line_break_pass(catalog: Catalog) -> None:
    settings = {"validCharacters": ["A"], "couponPattern": "ABC\n"}
    arguments = {**GOOD, "attributes": {}, "couponSettings": settings}

    found = problems(catalog.operations["create_coupons_async"], arguments)

    assert [problem.at for problem in found] == ["couponSettings.couponPattern"]


@pytest.mark.parametrize("code", ["", ".", ".."])
def test_what_no_path_segment_can_be(catalog: Catalog, code: str) -> None:
    [problem] = problems(catalog.operations["list_coupon_reservations"], {"couponValue": code})

    assert problem.at == "couponValue"


ADD = {"type": "ADD", "payload": {"sku": "A"}}


@pytest.mark.parametrize(
    ("action", "at", "problem"),
    [
        ({"type": "ADD", "payload": {"sku": 1}}, "actions[0].payload.sku", "must be of type"),
        ({"type": "ADD", "payload": {}}, "actions[0].payload.sku", "is required"),
        ({**ADD, "sku": "A"}, "actions[0].sku", "is unknown"),
        ({"type": "ADD", "payload": {"sku": "A", "replaceIfExist": True}},
         "actions[0].payload.replaceIfExist", "did you mean replaceIfExists?"),
        ({"type": "ADDED", "payload": {}}, "actions[0]",
         "must have type one of ADD, PATCH, PATCH_MANY, REMOVE, REMOVE_MANY, ADD_PRICE_ADJUSTMENT"),
        ({"payload": {}}, "actions[0].type", "is required"),
    ],
)  # fmt: skip
def test_of_several_alternatives_the_one_meant_is_explained(
    catalog: Catalog, action: Any, at: str, problem: str
) -> None:
    arguments = {"catalogId": 1, "actions": [action]}

    found = problems(catalog.operations["sync_catalog"], arguments)

    assert [each.problem for each in found if each.at == at and problem in each.problem]


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        ({"type": "number", "exclusiveMinimum": 0}, 0, "must be more than 0, not 0"),
        ({"type": "number", "exclusiveMaximum": 5}, 5, "must be less than 5, not 5"),
        ({"const": "A"}, "B", 'must be "A", not "B"'),
        ({"type": "array", "uniqueItems": True}, [1, 1], "must not contain duplicates, not [1, 1]"),
        ({"type": "object", "minProperties": 1}, {}, "must have at least 1 properties, not {}"),
        ({"type": ["number", "null"]}, "x", 'must be of type number or null, not "x"'),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, 1,
         "must match one of the alternatives in the schema, not 1"),
        ({"not": {"const": 1}}, 1, "does not satisfy not, not 1"),
    ],
)  # fmt: skip
def test_other_limits(schema: dict[str, Any], value: Any, message: str) -> None:
    whole = {"type": "object", "properties": {"a": schema}}
    operation = Operation(
        name="t",
        title="",
        description="",
        toolset="",
        apis=("management",),
        risk="read",
        input_schema=whole,
        method="GET",
        path="/",
    )

    assert [each.problem for each in problems(operation, {"a": value})] == [message]
