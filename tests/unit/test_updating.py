"""An update changes only what it says, although upstream's request replaces the whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from mcp import types

from talonone_mcp.core import catalog as catalogs
from talonone_mcp.core.catalog import Catalog, Operation
from talonone_mcp.core.catalog.validation import problems
from tests.desk import NO, YES, Desk, open_desk

pytestmark = pytest.mark.anyio
CAMPAIGN = {"applicationId": 42, "campaignId": 18}
LIMITS = [{"action": "redeemCoupon", "limit": 500, "entities": ["Coupon"]}]
REPLACING = [each for each in catalogs.load() if each.replaces]


async def changed(desk: Desk, operation: str, change: Mapping[str, Any], **ids: Any) -> Any:
    """Change something, and return what was there before and after, but for its time stamps."""
    before = await shown_by(desk, operation, ids)
    await desk.call(operation, **ids, **change)
    after = await shown_by(desk, operation, ids)
    passing = ("modified", "updated", "updatedBy", "modifiedBy", "meta")
    return tuple(
        {key: value for key, value in each.items() if key not in passing}
        for each in (before, after)
    )


async def shown_by(desk: Desk, operation: str, ids: Mapping[str, Any]) -> dict[str, Any]:
    """Return a thing as the read before an update shows it, also if that lists things."""
    before = catalogs.load().operations[operation].before
    assert before
    if not before.pick:
        return await desk.call(before.read, **ids, fields=["*"])
    known = {name: value for name, value in ids.items() if name != before.pick}
    document = await desk.call(before.read, **known, fields=["*"], pageSize=1000)
    [found] = [each for each in document["data"] if str(each["id"]) == str(ids[before.pick])]
    return dict(found)


async def test_only_what_is_named_changes(catalog: Catalog) -> None:
    async with open_desk(catalog) as desk:
        before, after = await changed(desk, "update_campaign", {"name": "Sun"}, **CAMPAIGN)

        assert after == before | {"name": "Sun"}
        assert before["state"] == "enabled"
        assert {"limits", "tags", "features", "activeRulesetId"} <= before.keys()
        assert [each for each in desk.account.requests if "/campaigns/18" in each][1:3] == [
            "GET /v1/applications/42/campaigns/18", "PUT /v1/applications/42/campaigns/18",
        ]  # fmt: skip


async def test_a_state_that_is_not_named_stays(catalog: Catalog) -> None:
    async with open_desk(catalog) as desk:
        await desk.call("update_campaign", **CAMPAIGN, state="disabled")
        before, after = await changed(desk, "update_campaign", {"tags": ["x"]}, **CAMPAIGN)

    assert after == before | {"tags": ["x"]}
    assert after["state"] == "disabled"


@pytest.mark.parametrize(
    ("operation", "ids", "change"),
    [
        ("update_store", {"applicationId": 42, "storeId": "1"}, {"name": "Mitte"}),
        ("update_attribute", {"attributeId": 31}, {"description": "Said anew"}),
        ("update_additional_cost", {"additionalCostId": 2}, {"title": "Express"}),
        ("update_account_collection", {"collectionId": 22}, {"description": "For all"}),
        ("replace_scim_user", {"userId": 33}, {"displayName": "Somebody else"}),
        ("replace_scim_group", {"groupId": 44}, {"displayName": "Another name"}),
        ("update_achievement", CAMPAIGN | {"achievementId": 45}, {"title": "Five orders"}),
        ("update_coupon", CAMPAIGN | {"couponId": "1"}, {"usageLimit": 2}),
        ("update_referral", CAMPAIGN | {"referralId": "2154"}, {"usageLimit": 2}),
        ("update_audience", {"audienceId": 2}, {"name": "Letters"}),
        ("update_user", {"userId": 10}, {"name": "Maya K."}),
        ("update_role", {"roleId": 1}, {"description": "Said anew"}),
    ],
)
async def test_every_such_update_keeps_the_rest(
    catalog: Catalog, operation: str, ids: dict[str, Any], change: dict[str, Any]
) -> None:
    async with open_desk(catalog) as desk:
        before, after = await changed(desk, operation, change, **ids)

    assert after == before | change
    assert len(before) > len(change) + 1


@pytest.mark.parametrize(
    ("operation", "ids", "change", "changed_fields"),
    [
        (
            "update_store", {"applicationId": 42, "storeId": "1"}, {"attributes": {"code": 7}},
            {"attributes": {"country": "DE", "code": 7}},
        ),
        (
            "update_store", {"applicationId": 42, "storeId": "1"}, {"clear": ["attributes.code"]},
            {"attributes": {"country": "DE"}},
        ),
        (
            "update_coupon", CAMPAIGN | {"couponId": "1"}, {"attributes": {"channel": "shop"}},
            {"attributes": {"channel": "shop"}},
        ),
        ("update_user", {"userId": 10}, {"add": {"roles": [3]}}, {"roles": [1, 9, 3]}),
        ("update_user", {"userId": 10}, {"remove": {"roles": [9]}}, {"roles": [1]}),
        ("update_role", {"roleId": 1}, {"add": {"members": [34]}}, {"members": [10, 12, 34]}),
        (
            "update_account_collection", {"collectionId": 22},
            {"remove": {"subscribedApplicationsIds": [42]}}, {"subscribedApplicationsIds": [43]},
        ),
        (
            "update_campaign", CAMPAIGN, {"add": {"tags": ["x"]}},
            {"tags": ["summer", "fashion", "x"]},
        ),
    ],
)  # fmt: skip
async def test_maps_change_by_key_and_lists_by_item(
    catalog: Catalog,
    operation: str,
    ids: dict[str, Any],
    change: dict[str, Any],
    changed_fields: dict[str, Any],
) -> None:
    async with open_desk(catalog) as desk:
        before, after = await changed(desk, operation, change, **ids)

    assert _unordered(after) == _unordered(before | changed_fields)
    assert _unordered(after) != _unordered(before)


def _unordered(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document whose lists of numbers, which upstream sorts, are sorted."""
    return {
        name: sorted(value) if name in ("roles", "members") and value else value
        for name, value in document.items()
    }


async def test_a_cleared_list_is_empty_where_upstream_keeps_what_is_left_out(
    catalog: Catalog,
) -> None:
    async with open_desk(catalog) as desk:
        before, after = await changed(desk, "update_user", {"clear": ["roles"]}, userId=10)

        assert before.pop("roles") == [1, 9]
        assert after == before
        assert "Change: roles: [1, 9] → nothing" in desk.questions[0]


async def test_an_update_of_what_no_read_shows_must_say_all_or_replace(catalog: Catalog) -> None:
    async with open_desk(catalog) as desk:
        error = await desk.error("update_coupons", **CAMPAIGN, usageLimit=1)
        assert error["kind"] == "invalid_arguments"
        assert [each["at"] for each in error["details"]] == ["startDate", "expiryDate"]
        assert "replace: true" in error["details"][0]["problem"]

        await desk.call("update_coupons", **CAMPAIGN, usageLimit=1, replace=True)

        assert len(desk.questions) == 1
        assert [each for each in desk.account.requests if each.startswith("PUT")]


async def test_what_may_not_be_read_is_changed_only_as_a_whole(catalog: Catalog) -> None:
    async with open_desk(catalog) as desk:
        desk.account.fail("GET .*/campaigns/18", 403)
        error = await desk.error("update_campaign", **CAMPAIGN, name="Sun")
        assert error["kind"] == "forbidden"
        assert "replace: true" in error["hint"]
        assert desk.questions == []

        whole = {"name": "Sun", "tags": [], "limits": LIMITS, "features": ["coupons"]}
        await desk.call("update_campaign", **CAMPAIGN, **whole, replace=True)

        [question] = desk.questions
        assert "whatever the call leaves out is lost" in question
        desk.account.mend()
        assert "endTime" not in await desk.call("get_campaign", **CAMPAIGN, fields=["*"])


async def test_a_coupon_that_is_not_listed_is_found_by_its_code(catalog: Catalog) -> None:
    async with open_desk(catalog) as desk:
        missing = CAMPAIGN | {"couponId": "999999"}
        error = await desk.error("update_coupon", **missing, usageLimit=2)
        assert error["kind"] == "not_found"
        assert "Give value too" in error["hint"]

        await desk.call(
            "update_coupon", **CAMPAIGN, couponId="1", value="SUMMER-605W-0WA8", usageLimit=2
        )
        assert "update_coupon" not in str(desk.questions[:-1])
        error = await desk.error("update_coupon", **missing, value="SUMMER-605W-0WA8", usageLimit=2)
        assert error["kind"] == "not_found"


@pytest.mark.parametrize(
    ("operation", "arguments", "problem"),
    [
        ("update_campaign", CAMPAIGN, "change nothing"),
        ("update_campaign", CAMPAIGN | {"clear": ["limits.x"]}, "limits is cleared as a whole"),
        ("update_campaign", CAMPAIGN | {"add": {"tag": ["x"]}}, "did you mean tags?"),
        ("update_campaign", CAMPAIGN | {"add": {"tags": ["x"]}, "tags": []}, "tags is given too"),
        ("update_campaign", CAMPAIGN | {"remove": {"tags": ["zzz"]}}, "is not there"),
        ("update_campaign", CAMPAIGN | {"replace": True, "clear": ["endTime"]}, "does not go with"),
        ("update_user", {"userId": 10, "clear": ["isAdmin"]}, "cannot be cleared; set it"),
    ],
)
async def test_what_a_call_cannot_say_is_refused_by_its_place(
    catalog: Catalog, operation: str, arguments: dict[str, Any], problem: str
) -> None:
    async with open_desk(catalog) as desk:
        error = await desk.error(operation, **arguments)

        assert error["kind"] == "invalid_arguments"
        assert problem in str(error["details"])
        assert desk.questions == []
        assert not [each for each in desk.account.requests if each.startswith("PUT")]


# --- Items of a catalog -------------------------------------------------------------------------


async def items_after(desk: Desk, action: dict[str, Any]) -> dict[str, Any]:
    await desk.call("sync_catalog", catalogId=30, actions=[action])
    listed = await desk.call("list_catalog_items", catalogId=30, sku=["SKU-001"], fields=["*"])
    [item] = listed["data"]
    return dict(item)


@pytest.mark.parametrize(
    ("action", "price", "attributes"),
    [
        ({"type": "PATCH", "payload": {"sku": "SKU-001", "price": 15}}, 15, {}),
        (
            {
                "type": "PATCH",
                "payload": {"sku": "SKU-001", "attributes": {"color": "blue"}},
            },
            14.9,
            {"color": "blue"},
        ),
        (
            {"type": "ADD", "payload": {"sku": "SKU-001", "price": 15, "replaceIfExists": True}},
            15,
            {},
        ),
    ],
)
async def test_a_synced_item_keeps_what_the_action_does_not_name(
    catalog: Catalog, action: dict[str, Any], price: float, attributes: dict[str, Any]
) -> None:
    async with open_desk(catalog) as desk:
        item = await items_after(desk, action)

        assert item["price"] == price
        assert item["product"] == {"name": "Cap"}
        assert _by_name(item) == {"material": "cotton", "color": "red"} | attributes
        assert desk.questions == []


def _by_name(item: Mapping[str, Any]) -> dict[str, Any]:
    given_ = item["attributes"]
    is_map = isinstance(given_, dict)
    return given_ if is_map else {each["name"]: each["value"] for each in given_}


async def test_a_sync_reads_once(catalog: Catalog) -> None:
    add = {"type": "ADD", "payload": {"sku": "SKU-NEW", "price": 1}}
    async with open_desk(catalog) as desk:
        await desk.call("sync_catalog", catalogId=30, actions=[add])

        assert desk.account.requests == ["GET /v1/catalogs/30/items", "PUT /v1/catalogs/30/sync"]


async def test_a_field_is_cleared_by_name(catalog: Catalog) -> None:
    async with open_desk(catalog) as desk:
        end = {"endTime": "2027-01-01T00:00:00Z"}
        await desk.call("update_campaign", **CAMPAIGN, **end)
        before, after = await changed(desk, "update_campaign", {"clear": ["endTime"]}, **CAMPAIGN)

    assert before.pop("endTime") == end["endTime"]
    assert after == before


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"clear": ["name"]}, "name cannot be cleared"),
        ({"clear": ["endtime"]}, "did you mean endTime?"),
        ({"clear": ["endTime"], "endTime": "2027-01-01T00:00:00Z"}, "endTime is given too"),
        ({"clear": []}, "at least 1"),
        ({"startTime": "2030-01-01T00:00:00Z", "endTime": "2029-01-01T00:00:00Z"}, "endTime"),
    ],
)
async def test_what_cannot_be_changed_so_is_refused(
    catalog: Catalog, arguments: dict[str, Any], problem: str
) -> None:
    async with open_desk(catalog) as desk:
        error = await desk.error("update_campaign", **CAMPAIGN, **arguments)

        assert error["kind"] == "invalid_arguments"
        assert problem in str(error["details"])
        assert not [each for each in desk.account.requests if each.startswith("PUT")]


async def test_a_time_is_checked_against_the_one_that_is_there(catalog: Catalog) -> None:
    async with open_desk(catalog) as desk:
        await desk.call("update_campaign", **CAMPAIGN, endTime="2027-01-01T00:00:00Z")
        error = await desk.error("update_campaign", **CAMPAIGN, startTime="2028-01-01T00:00:00Z")

    assert error["kind"] == "invalid_arguments"
    assert "startTime" in str(error["details"])


async def test_what_is_not_there_is_not_changed(catalog: Catalog) -> None:
    async with open_desk(catalog) as desk:
        error = await desk.error("update_campaign", applicationId=42, campaignId=999, name="x")

        assert error["kind"] == "not_found"
        assert desk.questions == []


async def test_what_changes_while_a_person_is_asked_is_a_conflict(catalog: Catalog) -> None:
    desks: list[Desk] = []

    def somebody_else_edits(_: str) -> types.ElicitResult:
        store = desks[0].sandbox.store
        campaign = store.get("campaigns", 18)
        assert campaign
        store.replace("campaigns", {**campaign, "tags": ["of somebody else"]})
        return YES

    async with open_desk(catalog, mode="legacy", answering=somebody_else_edits) as desk:
        desks.append(desk)
        error = await desk.error("update_campaign", **CAMPAIGN, state="disabled")

        assert error["kind"] == "conflict"
        assert "tags" in error["message"]
        assert not [each for each in desk.account.requests if each.startswith("PUT")]


async def test_a_declined_update_changes_nothing(catalog: Catalog) -> None:
    async with open_desk(catalog, answering=lambda _: NO) as desk:
        error = await desk.error("update_campaign", **CAMPAIGN, state="archived")

        assert error["kind"] == "declined"
        assert not [each for each in desk.account.requests if each.startswith("PUT")]


@pytest.mark.parametrize("operation", REPLACING, ids=lambda each: each.name)
def test_a_call_need_name_nothing_but_the_ids(operation: Operation) -> None:
    properties = operation.input_schema["properties"]
    ids = {
        name: "1" if properties[name]["type"] == "string" else 1
        for name in operation.path_arguments
    }

    assert problems(operation, ids, reserved=True) == []
    assert {*operation.input_schema["required"]} == {*operation.path_arguments}


# --- Items of a collection ------------------------------------------------------------------------


async def test_items_are_added_to_a_collection_and_the_others_stay(catalog: Catalog) -> None:
    async with open_desk(catalog) as desk:
        before = await items_of(desk)
        await desk.call("import_account_collection", collectionId=22, add=["NEW-1", before[0]])
        assert await items_of(desk) == [*before, "NEW-1"]
        assert desk.questions == []

        await desk.call("import_account_collection", collectionId=22, remove=[before[0]])
        assert await items_of(desk) == [*before[1:], "NEW-1"]
        [question] = desk.questions
    assert "Empties 1 item" in question
    assert before[0] in question


async def items_of(desk: Desk) -> list[str]:
    every = {"collectionId": 22, "fetchAll": 1000, "fields": ["item"]}
    listed = await desk.call("list_collection_items", **every)
    return str(listed["csv"]).splitlines()[1:]
