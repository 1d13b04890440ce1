"""Which fields of an answer are shown, in which form, and how much of it."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from bench.tokens import tokens
from mcp import Client
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.settings import load_settings
from talonone_mcp.server.app import build_server
from tests.upstream import Upstream, serve

pytestmark = pytest.mark.anyio
CAMPAIGNS = {"applicationId": 42}


async def called(catalog: Catalog, upstream: Upstream, tool: str, **arguments: Any) -> Any:
    settings = load_settings({}, upstream.environment)
    async with Client(build_server(settings, catalog)) as client:
        result = await client.call_tool(tool, arguments)
    block: Any = result.content[0]
    assert json.loads(block.text) == result.structured_content
    return result.structured_content


async def answered(catalog: Catalog, body: Any, tool: str, **arguments: Any) -> Any:
    """Return what is shown of a body that upstream answers."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await JSONResponse(body)(scope, receive, send)

    with serve(app) as upstream:
        return await called(catalog, upstream, tool, **arguments)


async def test_a_list_shows_its_view(catalog: Catalog, upstream: Upstream) -> None:
    shown = await called(catalog, upstream, "list_campaigns", **CAMPAIGNS)

    view = catalog.operations["list_campaigns"].view
    assert {name for item in shown["data"] for name in item} <= {
        path.split(".")[0] for path in view
    }
    assert {"id", "name", "frontendState"} <= shown["data"][0].keys()


async def test_all_fields_are_shown_when_all_are_asked_for(
    catalog: Catalog, upstream: Upstream
) -> None:
    usual = await called(catalog, upstream, "list_campaigns", **CAMPAIGNS)
    all_of_them = await called(catalog, upstream, "list_campaigns", **CAMPAIGNS, fields=["*"])

    assert set(usual["data"][0]) < set(all_of_them["data"][0])
    assert "userId" in all_of_them["data"][0]


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        (["name"], {"name": "N"}),
        (["id", "name"], {"id": 1, "name": "N"}),
        (["budgets.limit"], {"budgets": [{"limit": 5}, {"limit": 7}]}),
        (["budgets"], {"budgets": [{"limit": 5, "action": "a"}, {"limit": 7, "action": "b"}]}),
        (["budgets.*"], {"budgets": [{"limit": 5, "action": "a"}, {"limit": 7, "action": "b"}]}),
        (["attributes.x.y"], {"attributes": {"x": {"y": 1}}}),
        (["couponSettings.validCharacters"], {"couponSettings": {"validCharacters": ["A"]}}),
        (["endTime"], {}),
    ],
)
async def test_fields_are_chosen_by_their_paths(catalog: Catalog, fields: Any, shown: Any) -> None:
    campaign = {
        "id": 1, "name": "N", "endTime": None,
        "budgets": [{"limit": 5, "action": "a"}, {"limit": 7, "action": "b"}],
        "attributes": {"x": {"y": 1, "z": 2}}, "couponSettings": {"validCharacters": ["A"]},
    }  # fmt: skip

    one = await answered(
        catalog, campaign, "get_campaign", applicationId=1, campaignId=1, fields=fields
    )
    body = {"totalResultSize": 1, "data": [campaign]}
    several = await answered(catalog, body, "list_campaigns", applicationId=1, fields=fields)

    assert one == shown
    assert several["data"] == [shown]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (["nam"], "did you mean name?"),
        (["id", "budgets.limt"], "did you mean limit?"),
        (["name.first"], "does not exist"),
        ([""], "fields"),
        ([], "fields"),
        ("name", "fields"),
    ],
)
async def test_a_field_that_is_not_there_is_not_asked_for(
    catalog: Catalog, upstream: Upstream, fields: Any, said: str
) -> None:
    refused = await called(catalog, upstream, "list_campaigns", **CAMPAIGNS, fields=fields)

    assert refused["error"]["kind"] == "invalid_arguments"
    assert said in str(refused["error"]["details"])
    assert upstream.requests == []


async def test_neither_goes_upstream(catalog: Catalog, upstream: Upstream) -> None:
    await called(catalog, upstream, "list_campaigns", **CAMPAIGNS, fields=["id"], maxTokens=500)

    assert upstream.requests[0].query == []


async def test_a_write_has_no_fields(catalog: Catalog, upstream: Upstream) -> None:
    refused = await called(
        catalog, upstream, "delete_campaign", applicationId=42, campaignId=18, fields=["id"]
    )

    assert refused["error"]["kind"] == "invalid_arguments"


def flat(count: int) -> dict[str, Any]:
    items = [{"id": n, "title": f"Hook, {n}", "enabled": n % 2 == 0} for n in range(count)]
    return {"totalResultSize": count, "data": items}


async def test_a_long_flat_list_is_a_table(catalog: Catalog) -> None:
    shown = await answered(catalog, flat(30), "list_webhooks")

    rows = list(csv.DictReader(io.StringIO(shown["csv"])))
    assert "data" not in shown
    assert rows[1] == {"id": "1", "title": "Hook, 1", "enabled": "false"}
    assert len(rows) == shown["page"]["shown"] == 30


@pytest.mark.parametrize(
    "body",
    [
        flat(20),
        {"totalResultSize": 30, "data": [{"id": n, "applicationIds": [1]} for n in range(30)]},
        {"totalResultSize": 30, "data": [{"id": 1}] + [{f"x{n}": 1} for n in range(29)]},
    ],
    ids=["short", "not flat", "every item another"],
)
async def test_what_is_no_table_stays_a_list(catalog: Catalog, body: Any) -> None:
    shown = await answered(catalog, body, "list_webhooks", fields=["*"])

    assert shown["data"] == body["data"]


@pytest.mark.parametrize("limit", [400, 1000, 4000, 8000])
async def test_an_answer_keeps_the_limit_that_is_asked_for(catalog: Catalog, limit: int) -> None:
    long = {"totalResultSize": 900, "data": [{"id": n, "name": f"Spring sale {n}", "tags": ["a"]}
                                             for n in range(900)]}  # fmt: skip
    for body in (long, flat(3000)):
        tool, arguments = ("list_campaigns", CAMPAIGNS) if body is long else ("list_webhooks", {})
        shown = await answered(catalog, body, tool, **arguments, maxTokens=limit)

        assert limit * 0.5 < tokens(shown) < limit * 1.1 + 60
        assert shown["page"]["next"] == {
            **arguments, "maxTokens": limit, "skip": shown["page"]["shown"]
        }  # fmt: skip


async def test_one_thing_that_is_too_long_loses_the_ends_of_its_lists(catalog: Catalog) -> None:
    inventory: dict[str, Any] = {
        "profile": {"integrationId": "anna"},
        "coupons": [{"id": n, "value": f"CODE-{n}"} for n in range(900)],
        "giveaways": [{"id": 1, "code": "G"}],
    }

    shown = await answered(
        catalog, inventory, "get_customer_inventory", integrationId="anna", fields=["*"]
    )

    left_out = shown["page"]["left_out"]["coupons"]
    assert len(shown["coupons"]) + left_out == 900
    assert shown["coupons"] == inventory["coupons"][: len(shown["coupons"])]
    assert shown["giveaways"] == inventory["giveaways"]
    assert 2_000 < tokens(shown) < 4_600


async def test_one_item_that_is_too_long_is_cut_too(catalog: Catalog) -> None:
    body = {"totalResultSize": 2, "data": [{"id": 1, "description": "long " * 9000}, {"id": 2}]}

    shown = await answered(catalog, body, "list_campaigns", **CAMPAIGNS, fields=["*"])

    assert shown["data"][0]["id"] == 1
    assert shown["page"]["next"]["skip"] == 1
    assert tokens(shown) < 4_600


async def test_what_was_cut_can_be_read_as_a_whole(catalog: Catalog) -> None:
    body = {"totalResultSize": 900, "data": [{"id": n, "name": "x" * 40, "userId": n}
                                             for n in range(900)]}  # fmt: skip

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await JSONResponse(body)(scope, receive, send)

    with serve(app) as upstream:
        settings = load_settings({}, upstream.environment)
        async with Client(build_server(settings, catalog)) as client:
            result = await client.call_tool("list_campaigns", CAMPAIGNS)
            content: Any = result.structured_content
            link: Any = result.content[1]
            whole: Any = await client.read_resource(link.uri)

    assert str(link.uri) == content["page"]["whole"]
    assert content["page"]["shown"] < 900
    assert json.loads(whole.contents[0].text)["data"] == body["data"]


async def test_what_was_not_cut_has_no_resource(catalog: Catalog, upstream: Upstream) -> None:
    shown = await called(catalog, upstream, "list_campaigns", **CAMPAIGNS)

    assert "whole" not in shown["page"]


async def test_a_page_beyond_the_end_says_so(catalog: Catalog, upstream: Upstream) -> None:
    shown = await called(catalog, upstream, "list_campaigns", **CAMPAIGNS, skip=500)

    assert shown["data"] == []
    assert "500" in shown["page"]["note"]
