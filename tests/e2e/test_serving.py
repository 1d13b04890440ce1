"""The installed server, over stdio and HTTP, in both eras, for every kind of person."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp import Client, types
from mcp.client import ClientRequestContext

from tests.installed import over_http, over_stdio
from tests.upstream import Upstream

pytestmark = pytest.mark.anyio
CAMPAIGN = {"applicationId": 42, "campaignId": 18}
ANSWERS = {
    "accepts": types.ElicitResult(action="accept", content={"approve": True}),
    "declines": types.ElicitResult(action="decline"),
    "cancels": types.ElicitResult(action="cancel"),
    "cannot be asked": None,
}
every_way = pytest.mark.parametrize("mode", ["auto", "legacy"])
every_transport = pytest.mark.parametrize("transport", ["stdio", "http"])


@asynccontextmanager
async def connected(
    transport: str, upstream: Upstream, mode: str, answer: types.ElicitResult | None = None
) -> AsyncIterator[Client]:
    async def reply(
        context: ClientRequestContext, params: types.ElicitRequestParams
    ) -> types.ElicitResult:
        assert answer is not None
        return answer

    async with AsyncExitStack() as stack:
        server: Any = over_stdio(upstream.environment)
        if transport == "http":
            server = stack.enter_context(over_http(upstream.environment))
        callback = reply if answer else None
        client = Client(server, mode=mode, elicitation_callback=callback)
        yield await stack.enter_async_context(client)


@every_transport
@every_way
@pytest.mark.parametrize("person", list(ANSWERS))
async def test_a_guarded_delete(upstream: Upstream, transport: str, mode: str, person: str) -> None:
    async with connected(transport, upstream, mode, ANSWERS[person]) as client:
        result = await client.call_tool("delete_campaign", CAMPAIGN)
        campaign = await client.call_tool("get_campaign", CAMPAIGN)

    if person == "accepts":
        assert not result.is_error
        assert upstream.changes == [("DELETE", "/v1/applications/42/campaigns/18")]
        assert campaign.structured_content["error"]["kind"] == "not_found"
    else:
        kind = "approval_required" if person == "cannot be asked" else "declined"
        assert result.structured_content["error"]["kind"] == kind
        assert upstream.changes == []
        assert campaign.structured_content["name"] == "Summer promotions"


@every_transport
@every_way
async def test_a_coupon_is_issued(upstream: Upstream, transport: str, mode: str) -> None:
    arguments = CAMPAIGN | {"numberOfCoupons": 1, "usageLimit": 1, "silent": "no"}

    async with connected(transport, upstream, mode) as client:
        assert client.protocol_version == ("2026-07-28" if mode == "auto" else "2025-11-25")
        issued = await client.call_tool("create_coupons", arguments)
        code = issued.structured_content["data"][0]["value"]
        search = {"applicationId": 42, "value": code, "exactMatch": True, "fields": ["*"]}
        found = await client.call_tool("search_coupons", search)

    assert found.structured_content["data"] == issued.structured_content["data"]


@every_transport
@every_way
async def test_a_mistake_is_answered_and_the_next_call_works(
    upstream: Upstream, transport: str, mode: str
) -> None:
    async with connected(transport, upstream, mode) as client:
        unknown = await client.call_tool("delete_campain", {})
        wrong = await client.call_tool("get_campaign", {"campaignId": "x", "colour": 1})
        right = await client.call_tool("get_campaign", CAMPAIGN)

    assert "delete_campaign" in unknown.structured_content["error"]["hint"]
    places = {detail["at"] for detail in wrong.structured_content["error"]["details"]}
    assert places == {"applicationId", "campaignId", "colour"}
    assert not right.is_error


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "evil.example"}, 421),
        ({"Host": "evil.example:8000"}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:6274"}, 200),
    ],
)
def test_http_answers_this_machine_alone(
    upstream: Upstream, headers: dict[str, str], status: int
) -> None:
    request = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    }
    accept = {"Accept": "application/json, text/event-stream"}
    with over_http(upstream.environment) as url:
        answer = httpx.post(url, json=request, headers=accept | headers)

    assert answer.status_code == status


async def test_the_sandbox_needs_no_network_and_is_gated_too() -> None:
    async with Client(over_stdio({}, "--sandbox")) as client:
        read = await client.call_tool("get_campaign", CAMPAIGN)
        refused = await client.call_tool("delete_campaign", CAMPAIGN)

    assert read.structured_content["name"] == "Summer promotions"
    assert refused.structured_content["error"]["kind"] == "approval_required"


async def test_what_has_no_key_is_not_listed_and_says_which_variable(upstream: Upstream) -> None:
    environment = upstream.environment | {"TALONONE_INTEGRATION_KEY": ""}
    async with Client(over_stdio(environment)) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        result = await client.call_tool(
            "reserve_coupon", {"couponValue": "A", "integrationIDs": []}
        )

    assert "reserve_coupon" not in names
    assert "get_campaign" in names
    assert result.structured_content["error"]["kind"] == "not_configured"
    assert "TALONONE_INTEGRATION_KEY" in result.structured_content["error"]["hint"]
    assert upstream.requests == []


@pytest.mark.parametrize(("toolsets", "count"), [("all", 234 + 7), ("coupons,webhooks", 23)])
async def test_the_installed_server_lists_what_was_chosen(toolsets: str, count: int) -> None:
    async with Client(over_stdio({}, "--sandbox", "--toolsets", toolsets)) as client:
        tools = (await client.list_tools()).tools

    assert len(tools) == count


async def test_an_import_from_a_file_by_the_installed_server(
    upstream: Upstream, tmp_path: Path
) -> None:
    (tmp_path / "codes.csv").write_text("value\nFROM-A-FILE\n")
    environment = upstream.environment | {"TALONONE_IMPORT_DIR": str(tmp_path)}
    async with Client(over_stdio(environment, "--confirm", "off")) as client:
        imported = await client.call_tool("import_coupons", CAMPAIGN | {"csvPath": "codes.csv"})
        search = {"applicationId": 42, "value": "FROM-A-FILE", "exactMatch": True}
        found = await client.call_tool("search_coupons", search)

    assert imported.structured_content["amount"] == 1
    assert [c["value"] for c in found.structured_content["data"]] == ["FROM-A-FILE"]


@every_transport
@every_way
async def test_an_export_by_the_installed_server(
    upstream: Upstream, transport: str, mode: str
) -> None:
    async with connected(transport, upstream, mode) as client:
        result = await client.call_tool("export_coupons", CAMPAIGN)
        about = result.structured_content["export"]
        link = result.content[-1]
        assert isinstance(link, types.ResourceLink)
        [whole] = (await client.read_resource(link.uri)).contents
        [part] = (await client.read_resource(f"{link.uri}?from=2&rows=1")).contents
        uris = [each.uri for each in (await client.list_resources()).resources]

    assert isinstance(whole, types.TextResourceContents)
    assert isinstance(part, types.TextResourceContents)
    header, _, second, *_ = whole.text.splitlines()
    assert header.split(",") == about["columns"]
    assert part.text.splitlines() == [header, second]
    assert len(whole.text.splitlines()) == 1 + about["rows"]
    assert link.uri in uris
