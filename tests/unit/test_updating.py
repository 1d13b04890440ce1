"""An update changes only what it says, although upstream's request replaces the whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp import types

from talonone_mcp.calls.updating import completed
from talonone_mcp.core import catalog as catalogs
from talonone_mcp.core.catalog import Catalog, Operation
from talonone_mcp.core.catalog.validation import problems
from tests.desk import NO, YES, Desk, open_desk

pytestmark = pytest.mark.anyio
CAMPAIGN = {"applicationId": 42, "campaignId": 18}
LIMITS = [{"action": "redeemCoupon", "limit": 500, "period": "overall", "entities": []}]
REPLACING = [each for each in catalogs.load() if each.replaces]


async def changed(desk: Desk, operation: str, change: Mapping[str, Any], **ids: Any) -> Any:
    """Change something, and return what was there before and after, but for its time stamps."""
    read = desk_read(operation)
    before = await desk.call(read, **ids, fields=["*"])
    await desk.call(operation, **ids, **change)
    after = await desk.call(read, **ids, fields=["*"])
    passing = ("modified", "updated", "updatedBy", "modifiedBy", "meta")
    return tuple(
        {key: value for key, value in each.items() if key not in passing}
        for each in (before, after)
    )


def desk_read(operation: str) -> str:
    replaces = catalogs.load().operations[operation].replaces
    assert replaces
    return replaces.read


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
    ],
)
async def test_every_such_update_keeps_the_rest(
    catalog: Catalog, operation: str, ids: dict[str, Any], change: dict[str, Any]
) -> None:
    async with open_desk(catalog) as desk:
        before, after = await changed(desk, operation, change, **ids)

    assert after == before | change
    assert len(before) > len(change) + 1


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


# --- Any document, any change -------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


@pytest.mark.parametrize("operation", REPLACING, ids=lambda each: each.name)
@given(data=st.data())
def test_what_is_not_named_is_sent_as_it_is(operation: Operation, data: st.DataObject) -> None:
    replaces = operation.replaces
    assert replaces
    document = {name: data.draw(JSON) for name in replaces.fields}
    document |= dict.fromkeys(replaces.required, "there")
    document["extra"] = 1
    names = st.lists(st.sampled_from(replaces.fields), unique=True)
    given_ = dict.fromkeys(data.draw(names), "new")
    cleared = [name for name in data.draw(names) if name not in (*given_, *replaces.required)]

    sent = completed(operation, {**given_, **({"clear": cleared} if cleared else {})}, document)

    assert sent.keys() <= {*replaces.fields}
    assert {name: sent[name] for name in given_} == given_
    assert not sent.keys() & {*cleared}
    for name in {*replaces.fields} - given_.keys() - {*cleared}:
        value = document[name]
        if isinstance(value, (bool, int)) or (isinstance(value, str) and value):
            assert sent[name] == value
        elif value is None:
            assert name not in sent


@pytest.mark.parametrize("operation", REPLACING, ids=lambda each: each.name)
def test_a_call_need_name_nothing_but_the_ids(operation: Operation) -> None:
    properties = operation.input_schema["properties"]
    ids = {
        name: "1" if properties[name]["type"] == "string" else 1
        for name in operation.path_arguments
    }

    assert problems(operation, ids, reserved=True) == []
    assert {*operation.input_schema["required"]} == {*operation.path_arguments}
