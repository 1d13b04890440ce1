"""The doors: every operation can be found and called without being listed."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from mcp import Client, types
from mcp.client import ClientRequestContext

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.settings import load_settings
from talonone_mcp.server.app import build_server
from tests.upstream import Upstream

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["auto", "legacy"])
async def client(
    request: pytest.FixtureRequest, catalog: Catalog, upstream: Upstream
) -> AsyncIterator[Client]:
    settings = load_settings({}, upstream.environment)
    async with Client(
        build_server(settings, catalog), mode=request.param, elicitation_callback=agree
    ) as client:
        yield client


QUESTIONS: list[str] = []


async def agree(
    context: ClientRequestContext, params: types.ElicitRequestParams
) -> types.ElicitResult | types.ErrorData:
    QUESTIONS.append(params.message)
    return types.ElicitResult(action="accept", content={"approve": True})


async def call(client: Client, tool: str, /, **arguments: Any) -> Any:
    result = await client.call_tool(tool, arguments)
    assert result.structured_content is not None
    return result.structured_content


async def test_what_is_found_can_be_called(client: Client) -> None:
    found = await call(client, "find_operations", query="list the stores", limit=3)
    best = found["operations"][0]
    assert (best["name"], best["risk"], best["call"]) == ("list_stores", "read", "read_operation")
    assert best["arguments"].startswith("applicationId: integer; ")

    stores = await call(client, best["call"], name=best["name"], arguments={"applicationId": 42})

    assert "error" not in stores
    assert {"id", "name"} <= stores["data"][0].keys()


async def test_through_a_door_and_by_name_is_the_same(client: Client) -> None:
    arguments = {"applicationId": 42, "campaignId": 18}
    by_name = await call(client, "get_campaign", **arguments)

    for door in ("read_operation", "run_operation"):
        assert await call(client, door, name="get_campaign", arguments=arguments) == by_name
    by_alias = await call(client, "read_operation", name="get_applications")
    assert by_alias == await call(client, "list_applications")


async def test_a_door_leads_through_the_gate(client: Client, upstream: Upstream) -> None:
    QUESTIONS.clear()
    done = await call(
        client, "run_operation", name="delete_campaign",
        arguments={"applicationId": 42, "campaignId": 18},
    )  # fmt: skip

    assert done == {"done": True, "status": 204}
    assert len(QUESTIONS) == 1
    assert "Removes 1 campaign for good" in QUESTIONS[0]
    assert 'campaign 18 "Summer promotions".\nCall: delete_campaign' in QUESTIONS[0]
    assert upstream.changes == [("DELETE", "/v1/applications/42/campaigns/18")]


async def test_the_reading_door_changes_nothing(
    client: Client, upstream: Upstream, catalog: Catalog
) -> None:
    for operation in catalog:
        if operation.risk != "read":
            refused = await call(client, "read_operation", name=operation.name, arguments={})
            assert refused["error"]["kind"] == "invalid_arguments"
            assert "run_operation" in refused["error"]["hint"]
    assert upstream.requests == []


@pytest.mark.parametrize(
    ("name", "arguments", "kind", "said"),
    [
        ("read_operation", {"name": "list_campaing"}, "not_found", "list_campaigns"),
        ("run_operation", {"name": "zzz"}, "not_found", "find_operations"),
        ("run_operation", {}, "invalid_arguments", "name"),
        ("run_operation", {"name": "get_campaign", "applicationId": 42}, "invalid_arguments",
         "inside arguments"),
        ("read_operation", {"name": "get_campaign", "arguments": "x"}, "invalid_arguments",
         "object"),
        ("read_operation", {"name": "get_campaign", "arguments": {"couponValue": "X"}},
         "invalid_arguments", "applicationId"),
        ("find_operations", {}, "invalid_arguments", "query"),
        ("find_operations", {"query": ""}, "invalid_arguments", "query"),
        ("find_operations", {"query": "x", "limit": 0}, "invalid_arguments", "limit"),
        ("find_operations", {"query": "x", "toolset": "cupons"}, "invalid_arguments", "coupons"),
    ],
)  # fmt: skip
async def test_a_door_says_what_is_wrong(
    client: Client, name: str, arguments: dict[str, Any], kind: str, said: str
) -> None:
    refused = await call(client, name, **arguments)

    assert refused["error"]["kind"] == kind
    assert said in str(refused["error"])


async def test_an_unknown_name_is_answered_with_the_nearest(client: Client) -> None:
    refused = await call(client, "run_operation", name="delete_campain", arguments={})

    hint = refused["error"]["hint"]
    assert "delete_campaign" in hint
    assert re.search(r"\w+, \w+ or \w+", hint), "the three nearest"


async def test_the_search_finds_within_one_toolset(client: Client, catalog: Catalog) -> None:
    found = await call(client, "find_operations", query="delete", toolset="stores", limit=20)

    names = [each["name"] for each in found["operations"]]
    assert names
    assert {catalog.operations[name].toolset for name in names} == {"stores"}


@pytest.mark.parametrize("query", ["Wie lösche ich eine Kampagne?", "优惠券", "¿?", "x" * 10_000])
async def test_what_nothing_fits_is_said(client: Client, query: str) -> None:
    found = await call(client, "find_operations", query=query)

    assert found["operations"] == []
    assert "English" in found["hint"]


@pytest.mark.parametrize(
    "query", ['"', "a OR", "NEAR(", "name:*", "'; DROP TABLE operations; --", "coupon AND (", "^"]
)
async def test_a_query_is_words_and_no_program(client: Client, query: str) -> None:
    assert "error" not in await call(client, "find_operations", query=query)
    assert (await call(client, "find_operations", query="coupons"))["operations"]


@pytest.mark.parametrize(
    ("queries", "name"),
    [
        (["list store", "list stores", "LIST STORES", "listing the shops"], "list_stores"),
        (["cancelled order", "canceled order"], "update_customer_session"),
        (["sync the catalogue", "sync the catalog"], "sync_catalog"),
        (["loyalty programme settings", "loyalty program settings"], "get_loyalty_program"),
        (["organisation of SCIM groups", "organization of SCIM groups"], "list_scim_groups"),
    ],
)
async def test_spelling_and_number_do_not_matter(
    client: Client, queries: list[str], name: str
) -> None:
    for query in queries:
        found = await call(client, "find_operations", query=query, limit=3)
        assert name in [each["name"] for each in found["operations"]], query


async def test_every_name_that_an_operation_has_finds_it(client: Client, catalog: Catalog) -> None:
    for operation in catalog:
        for name in (operation.name, operation.operation_id, *operation.aliases):
            found = await call(client, "find_operations", query=f"what does {name} do", limit=1)
            assert found["operations"][0]["name"] == operation.name, name


async def test_a_server_that_only_reads_does_only_that(
    catalog: Catalog, upstream: Upstream
) -> None:
    settings = load_settings({"read_only": True}, upstream.environment)
    async with Client(build_server(settings, catalog)) as client:
        names = [tool.name for tool in (await client.list_tools()).tools]
        found = await call(client, "find_operations", query="delete campaign", limit=20)
        refused = [
            await call(client, "delete_campaign", applicationId=42, campaignId=18),
            await call(client, "run_operation", name="delete_campaign", arguments={}),
        ]
        read = await call(client, "run_operation", name="list_applications")

    assert "run_operation" not in names
    assert {each["risk"] for each in found["operations"]} == {"read"}
    assert [each["error"]["kind"] for each in refused] == ["blocked", "blocked"]
    assert "--read-only" in refused[0]["error"]["message"]
    assert "data" in read
    assert upstream.changes == []
