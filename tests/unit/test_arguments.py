"""What a model is told about its arguments: all of it at once, each with its place."""

from __future__ import annotations

from typing import Any

import pytest

from talonone_mcp.catalog import Catalog
from talonone_mcp.catalog.validation import problems

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
        ("uniquePrefix", "\ud800", "is not valid Unicode text (it has a lone surrogate)"),
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
