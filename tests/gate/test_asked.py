"""The same calls, made by a client: what is asked about is asked once, and a no changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from talonone_mcp.core.catalog import Catalog
from tests.desk import NO, YES, Desk, open_desk
from tests.gate.cases import Case, documents_of, load_cases

pytestmark = pytest.mark.anyio

CASES = {case.name: case for case in load_cases()}
HARMFUL = (
    "running_campaign_ends_in_the_past",
    "total_discount_budget_becomes_a_daily_one",
    "disabled_campaign_is_enabled",
    "one_code_without_a_limit",
    "points_beyond_the_policy",
    "order_of_a_fortune_earns_points",
    "order_of_another_customer_is_cancelled",
    "mail_address_of_a_customer_is_blanked",
    "one_deletion_behind_many_additions",
    "card_is_taken_from_its_owner",
    "every_price_is_zero",
    "achievement_is_reached_by_one_purchase",
    "attributes_of_a_store_are_wiped",
    "user_becomes_an_administrator",
    "patch_without_a_path_deactivates_a_user",
    "budgets_of_stores_are_imported",
)
HARMLESS = (
    "one_more_tag",
    "new_description_of_a_running_campaign",
    "dates_of_a_draft",
    "one_code_for_one_customer",
    "code_issued_to_one_customer",
    "code_reserved_for_one_customer",
    "twenty_points",
    "open_cart",
    "normal_order_with_a_code",
    "order_of_a_fortune_tried_out",
    "attribute_of_a_customer",
    "new_empty_audience",
    "price_rises",
    "new_name_of_a_user",
)


async def call(desk: Desk, case: Case) -> Any:
    """Make the call of a case as a client does, and return its result."""
    return await desk.client.call_tool(case.call, dict(case.arguments))


@pytest.mark.parametrize("name", HARMFUL)
async def test_a_no_is_asked_for_once_and_changes_nothing(name: str, catalog: Catalog) -> None:
    case = CASES[name]
    async with open_desk(catalog, answering=lambda _: NO) as desk:
        before = documents_of(desk.sandbox)

        result = await call(desk, case)

        assert result.structured_content["error"]["kind"] == "declined"
        [question] = desk.questions
        assert [word for word in case.says if word.casefold() not in question.casefold()] == []
        assert documents_of(desk.sandbox) == before


@pytest.mark.parametrize("name", HARMFUL)
async def test_a_yes_is_asked_for_once_and_carried_out(name: str, catalog: Catalog) -> None:
    async with open_desk(catalog, answering=lambda _: YES) as desk:
        before = documents_of(desk.sandbox)

        result = await call(desk, CASES[name])

        assert not result.is_error, result.structured_content
        assert len(desk.questions) == 1
        assert documents_of(desk.sandbox) != before


@pytest.mark.parametrize("name", HARMLESS)
async def test_nobody_is_asked(name: str, catalog: Catalog) -> None:
    async with open_desk(catalog, answering=lambda _: NO) as desk:
        result = await call(desk, CASES[name])

        assert not result.is_error, result.structured_content
        assert desk.questions == []


@pytest.mark.parametrize("name", HARMFUL)
async def test_where_nobody_can_be_asked_nothing_changes(name: str, catalog: Catalog) -> None:
    async with open_desk(catalog, answering=None) as desk:
        before = documents_of(desk.sandbox)

        result = await call(desk, CASES[name])

        assert result.structured_content["error"]["kind"] == "approval_required"
        assert documents_of(desk.sandbox) == before


@pytest.mark.parametrize("name", HARMFUL[:4])
async def test_through_a_door_it_is_the_same(name: str, catalog: Catalog) -> None:
    case = CASES[name]
    async with open_desk(catalog, answering=lambda _: NO) as desk:
        before = documents_of(desk.sandbox)

        error = await desk.error("run_operation", name=case.call, arguments=dict(case.arguments))

        assert error["kind"] == "declined"
        assert len(desk.questions) == 1
        assert documents_of(desk.sandbox) == before


def test_every_case_here_is_one_of_the_file() -> None:
    assert all(CASES[name].asked is True for name in HARMFUL)
    assert all(CASES[name].asked is False and not CASES[name].setup for name in HARMLESS)


async def test_a_person_is_told_when_many_small_gifts_are_why_they_are_asked(
    catalog: Catalog,
) -> None:
    points = {"loyaltyProgramId": "5", "integrationId": "anna.schmidt"}
    async with open_desk(catalog) as desk:
        await desk.call("add_loyalty_points", **points, points=900)
        assert desk.questions == []
        await desk.call("add_loyalty_points", **points, points=200)
        await desk.call("add_loyalty_points", **points, points=2000)

    [small, large] = desk.questions
    assert "because of all that went without asking before it" in small
    assert "without asking before it" not in large
