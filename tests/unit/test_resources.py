"""The account, the catalog and what the server keeps, read as resources."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, MCPError, types

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.clock import Clock
from talonone_mcp.core.settings import load_settings
from talonone_mcp.server.account_lists import APPLICATIONS, CAMPAIGNS, AccountLists
from talonone_mcp.server.app import build_server
from talonone_mcp.server.setup import ServerLimits
from tests.desk import Desk, open_desk
from tests.upstream import Upstream

pytestmark = pytest.mark.anyio
both_eras = pytest.mark.parametrize("mode", ["auto", "legacy"])
NOT_THERE = {"auto": types.INVALID_PARAMS, "legacy": -32002}
CAMPAIGN = {"applicationId": 42, "campaignId": 18}
UPDATE: dict[str, Any] = CAMPAIGN | {"name": "Summer", "features": [], "limits": [], "tags": []}


@pytest.fixture(autouse=True)
def nothing_kept_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin without the exports of other tests, which would be listed too."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


async def contents(client: Client, uri: str) -> dict[str, Any]:
    """Read a resource that is one JSON object."""
    [found] = (await client.read_resource(uri, cache_mode="bypass")).contents
    assert isinstance(found, types.TextResourceContents)
    assert (found.uri, found.mime_type) == (uri, "application/json")
    read: dict[str, Any] = json.loads(found.text)
    return read


async def refused(client: Client, uri: str) -> MCPError:
    with pytest.raises(MCPError) as raised:
        await client.read_resource(uri)
    return raised.value


async def uris(client: Client) -> list[str]:
    return [each.uri for each in (await client.list_resources(cache_mode="bypass")).resources]


# --- Reading --------------------------------------------------------------------------------------


@both_eras
@pytest.mark.parametrize(
    ("uri", "operation", "arguments"),
    [
        ("applications", "list_applications", {}),
        ("applications/42", "get_application", {"applicationId": 42}),
        ("applications/42/campaigns", "list_campaigns", {"applicationId": 42}),
        ("applications/42/campaigns?skip=7", "list_campaigns", {"applicationId": 42, "skip": 7}),
        ("applications/42/campaigns/18", "get_campaign", CAMPAIGN),
        ("applications/42/campaigns/18/rulesets/118", "get_ruleset", CAMPAIGN | {"rulesetId": 118}),
        ("loyalty-programs", "list_loyalty_programs", {}),
        ("loyalty-programs/5", "get_loyalty_program", {"loyaltyProgramId": 5}),
    ],
)
async def test_a_resource_has_every_field_of_the_answer(
    catalog: Catalog, mode: str, uri: str, operation: str, arguments: dict[str, Any]
) -> None:
    async with open_desk(catalog, mode=mode) as desk:
        whole = await desk.call(operation, **arguments, fields=["*"], maxTokens=100_000)
        read = await contents(desk.client, f"talonone://{uri}")

    assert read.get("data") == whole.get("data")
    assert read == whole or read["page"] == {key: whole["page"][key] for key in ("shown", "total")}


async def test_a_long_list_is_read_part_by_part(catalog: Catalog) -> None:
    uri, parts = "talonone://applications/42/campaigns", []
    async with open_desk(catalog, limits=ServerLimits(items_per_resource=4)) as desk:
        while uri:
            parts.append(await contents(desk.client, uri))
            uri = parts[-1]["page"].get("next")

    assert [part["page"]["shown"] for part in parts] == [4, 4, 1]
    assert parts[0]["page"]["next"] == "talonone://applications/42/campaigns?skip=4"
    assert [each["id"] for part in parts for each in part["data"]] == list(range(18, 27))


async def test_a_list_beyond_its_end_is_empty(catalog: Catalog) -> None:
    async with open_desk(catalog) as desk:
        read = await contents(desk.client, "talonone://applications?skip=99")

    assert read == {"data": [], "page": {"shown": 0, "total": 2}}


async def test_the_operations_of_a_toolset_are_read_without_upstream(catalog: Catalog) -> None:
    async with open_desk(catalog) as desk:
        read = await contents(desk.client, "talonone://catalog/coupons")
        assert desk.account.requests == []

    operations = {each["name"]: each for each in read["operations"]}
    assert operations.keys() == {each.name for each in catalog if each.toolset == "coupons"}
    assert "applicationId: integer" in operations["create_coupons"]["arguments"]
    assert operations["delete_coupons"]["impact"] == ["destroys"]


async def test_a_server_that_only_reads_shows_no_writes(catalog: Catalog) -> None:
    async with open_desk(catalog, read_only=True) as desk:
        read = await contents(desk.client, "talonone://catalog/coupons")

    assert {each["risk"] for each in read["operations"]} == {"read"}


async def test_every_resource_says_how_long_it_may_be_kept(catalog: Catalog) -> None:
    async with open_desk(catalog) as desk:
        toolset = await desk.client.read_resource("talonone://catalog/coupons")
        campaign = await desk.client.read_resource("talonone://applications/42/campaigns/18")

    assert (toolset.ttl_ms, toolset.cache_scope) == (3_600_000, "public")
    assert (campaign.ttl_ms, campaign.cache_scope) == (0, "private")


async def test_personal_data_is_masked_where_that_is_wanted(catalog: Catalog) -> None:
    async with open_desk(catalog, mask_pii=True) as desk:
        await desk.call("update_campaign", **UPDATE, description="Ask anna@example.com")
        read = await contents(desk.client, "talonone://applications/42/campaigns/18")

    assert read["description"] == "Ask a***@example.com"


async def test_what_is_read_is_recorded_like_a_call(catalog: Catalog, upstream: Upstream) -> None:
    settings = load_settings({"audit_reads": True}, upstream.environment)
    async with Client(build_server(settings, catalog)) as client:
        await client.read_resource("talonone://applications/42")

    [line] = (settings.state_dir / "audit.jsonl").read_text().splitlines()
    entry = json.loads(line)
    assert (entry["operation"], entry["via"]) == ("get_application", "resources/read")


# --- What cannot be read --------------------------------------------------------------------------


@both_eras
@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("applications/9999", "does not exist"),
        ("applications/42/campaigns/9999", "campaign 9999 does not exist"),
        ("applications/0", "applicationId must be a whole number, 1 or more"),
        ("applications/042", "applicationId must be a whole number"),
        ("applications/-1", "applicationId must be a whole number"),
        ("applications/4.2", "applicationId must be a whole number"),
        ("applications/%D9%A4%D9%A2", "applicationId must be a whole number"),
        ("applications/%2e%2e%2f", "applicationId must be a whole number"),
        ("applications/42%2Fcampaigns", "applicationId must be a whole number"),
        ("applications/" + "9" * 5000, "applicationId must be a whole number"),
        ("applications/", "applicationId must be a whole number"),
        ("applications/42/campaigns/x", "campaignId must be a whole number"),
        ("applications/../../etc/passwd", "There is no resource"),
        ("applications/42/", "There is no resource"),
        ("applications/42#x", "There is no resource"),
        ("Applications", "There is no resource"),
        ("applications/" + "9" * 100_000, "There is no resource"),
        ("loyalty-programs/9", "does not exist"),
        ("catalog/nothing", "There is no toolset 'nothing'. Toolsets: achievements"),
        ("catalog/\u202ecoupons", "There is no toolset 'coupons'"),
    ],
)  # fmt: skip
async def test_a_resource_that_there_is_not(
    catalog: Catalog, mode: str, uri: str, said: str
) -> None:
    async with open_desk(catalog, mode=mode) as desk:
        error = (await refused(desk.client, f"talonone://{uri}")).error

    assert error.code == NOT_THERE[mode]
    assert said in error.message
    assert len(error.message) < 1500
    assert error.data["uri"][:1000] == f"talonone://{uri}"[:1000]
    assert len(error.data["uri"]) < 1100


@pytest.mark.parametrize("skip", ["x", "-1", "1.5", "9999999999", "%32%00", "\u0664", ""])
async def test_a_part_that_there_cannot_be(catalog: Catalog, skip: str) -> None:
    async with open_desk(catalog) as desk:
        error = (await refused(desk.client, f"talonone://applications?skip={skip}")).error

    assert (error.code, error.message) == (
        types.INVALID_PARAMS, "skip must be a whole number, 0 or more.",
    )  # fmt: skip


@both_eras
@pytest.mark.parametrize(
    ("status", "kind", "passing"),
    [(403, "forbidden", False), (401, "unauthorized", True), (500, "upstream", True),
     (503, "upstream", True)],
)  # fmt: skip
async def test_the_error_says_what_a_call_would(
    catalog: Catalog, mode: str, status: int, kind: str, passing: bool
) -> None:
    async with open_desk(catalog, mode=mode) as desk:
        desk.account.fail("GET .*", status)
        error = (await refused(desk.client, "talonone://applications/42")).error

    assert error.code == (types.INTERNAL_ERROR if passing else NOT_THERE[mode])
    assert error.data == error.data | {"kind": kind, "status": status}
    assert error.data["uri"] == "talonone://applications/42"
    assert error.data["hint"]


@both_eras
async def test_an_api_that_is_not_configured(catalog: Catalog, mode: str) -> None:
    environment = {"TALONONE_BASE_URL": "http://127.0.0.1:9", "TALONONE_INTEGRATION_KEY": "key"}
    server = build_server(load_settings({}, environment), catalog)
    async with Client(server, mode=mode) as client:
        error = (await refused(client, "talonone://applications")).error
        assert await uris(client) == ["talonone://applications", "talonone://loyalty-programs"]

    assert (error.code, error.data["kind"]) == (NOT_THERE[mode], "not_configured")
    assert "TALONONE_MANAGEMENT_KEY" in error.message + error.data.get("hint", "")


# --- Listing --------------------------------------------------------------------------------------


@both_eras
async def test_applications_and_loyalty_programs_are_listed(catalog: Catalog, mode: str) -> None:
    async with open_desk(catalog, mode=mode) as desk:
        listed = (await desk.client.list_resources()).resources

    assert [each.uri.removeprefix("talonone://") for each in listed] == [
        "applications", "loyalty-programs", "applications/42", "applications/43",
        "loyalty-programs/5", "loyalty-programs/7",
    ]  # fmt: skip
    assert (listed[2].title, listed[2].mime_type) == ("Webshop DE", "application/json")
    assert listed[4].title == "Talon Rewards"


async def test_all_that_is_listed_can_be_read(catalog: Catalog) -> None:
    async with open_desk(catalog) as desk:
        for uri in await uris(desk.client):
            assert await contents(desk.client, uri)


async def test_many_lists_at_once_and_in_a_row_ask_upstream_once(catalog: Catalog) -> None:
    async with open_desk(catalog) as desk:
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(uris, desk.client)
        await uris(desk.client)

        assert sorted(desk.account.requests) == ["GET /v1/applications", "GET /v1/loyalty_programs"]


async def test_a_write_makes_the_lists_old(catalog: Catalog) -> None:
    async with open_desk(catalog) as desk:
        await uris(desk.client)
        await desk.call("update_campaign", **UPDATE)
        await uris(desk.client)

        assert desk.account.requests.count("GET /v1/applications") == 2


@both_eras
async def test_without_upstream_the_rest_is_listed(
    catalog: Catalog, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_desk(catalog, mode=mode) as desk:
        desk.account.fail("applications", 500)
        without = await uris(desk.client)
        desk.account.mend()
        with_it = await uris(desk.client)

    gone = {"talonone://applications/42", "talonone://applications/43"}
    assert {*with_it} - {*without} == gone
    [line] = [each for each in caplog.records if each.levelno == logging.WARNING]
    assert "talonone://applications/{applicationId} are not listed" in line.getMessage()


async def test_a_list_waits_for_upstream_only_so_long(catalog: Catalog) -> None:
    async with open_desk(catalog, limits=ServerLimits(list_timeout_s=0)) as desk:
        assert await uris(desk.client) == ["talonone://applications", "talonone://loyalty-programs"]


@both_eras
@pytest.mark.parametrize(("most", "shown"), [(4, [4, 2]), (3, [3, 3]), (5, [5, 1])])
async def test_a_list_comes_in_pages(
    catalog: Catalog, mode: str, most: int, shown: list[int]
) -> None:
    async with open_desk(catalog, mode=mode) as desk:
        whole = (await desk.client.list_resources(cache_mode="bypass")).resources
    async with open_desk(catalog, mode=mode, limits=ServerLimits(resources_per_page=most)) as desk:
        first = await desk.client.list_resources(cache_mode="bypass")
        second = await desk.client.list_resources(cursor=first.next_cursor)
        assert [len(first.resources), len(second.resources)] == shown
        assert [*first.resources, *second.resources] == whole
        assert second.next_cursor is None

        for cursor in ("", "x", "0", "6", "-4", "4" * 5000, "\u0664"):
            with pytest.raises(MCPError, match="This cursor is unknown") as raised:
                await desk.client.list_resources(cursor=cursor)
            assert raised.value.error.code == types.INVALID_PARAMS


@both_eras
async def test_a_list_of_one_page_takes_no_cursor(catalog: Catalog, mode: str) -> None:
    async with open_desk(catalog, mode=mode) as desk:
        client = desk.client
        for lists in (client.list_tools, client.list_prompts, client.list_resource_templates):
            with pytest.raises(MCPError, match="has only one page") as raised:
                await lists(cursor="100")
            assert raised.value.error.code == types.INVALID_PARAMS


# --- What is kept of the account ------------------------------------------------------------------


async def test_a_list_is_known_for_a_minute() -> None:
    time, asked = [0.0], 0

    async def read(*_: Any) -> dict[str, Any]:
        nonlocal asked
        asked += 1
        return {"data": [{"id": asked, "name": "x"}]}

    known = AccountLists(Clock(monotonic=lambda: time[0]))
    for moment, expected in ((0, "1"), (59.9, "1"), (60, "2"), (61, "2")):
        time[0] = moment
        [entry] = (await known.entries(read, APPLICATIONS)).items
        assert entry.id == expected


async def test_what_is_being_read_when_something_changes_is_not_kept() -> None:
    known, asked = AccountLists(), 0

    async def read(*_: Any) -> dict[str, Any]:
        nonlocal asked
        asked += 1
        known.forget()
        return {"data": []}

    for _ in range(2):
        await known.entries(read, APPLICATIONS)
    assert asked == 2


async def test_only_so_many_lists_are_kept() -> None:
    known, asked = AccountLists(max_lists=2), list[int]()

    async def read(_: str, arguments: Any) -> dict[str, Any]:
        asked.append(arguments["applicationId"])
        return {}

    for number in (1, 2, 3, 3, 2, 1):
        await known.entries(read, CAMPAIGNS, {"applicationId": number})
    assert asked == [1, 2, 3, 1]


# --- Where a prompt starts ------------------------------------------------------------------------


async def start_of(desk: Desk, campaign: str) -> list[types.ContentBlock]:
    given = {"customer": "anna.schmidt", "application": "Webshop DE (id 42)", "campaign": campaign}
    prompt = await desk.client.get_prompt("issue_coupon", given)
    return [message.content for message in prompt.messages[1:]]


@both_eras
async def test_a_prompt_has_the_resources_that_it_starts_from(catalog: Catalog, mode: str) -> None:
    async with open_desk(catalog, mode=mode) as desk:
        [*applications, campaign] = await start_of(desk, "Summer promotions (id 18)")

    assert isinstance(campaign, types.EmbeddedResource)
    assert isinstance(campaign.resource, types.TextResourceContents)
    assert campaign.resource.uri == "talonone://applications/42/campaigns/18"
    assert json.loads(campaign.resource.text)["name"] == "Summer promotions"
    assert len(applications) == 1


async def test_a_name_alone_attaches_nothing(catalog: Catalog) -> None:
    async with open_desk(catalog) as desk:
        starts = await start_of(desk, "Summer promotions")

    assert [each.resource.uri for each in starts if isinstance(each, types.EmbeddedResource)] == [
        "talonone://applications"
    ]


@pytest.mark.parametrize(
    ("campaign", "most", "said"),
    [("9999", 40_000, "campaign 9999 does not exist"), ("18", 50, "it is too long (")],
)
async def test_what_cannot_be_attached_is_said(
    catalog: Catalog, campaign: str, most: int, said: str
) -> None:
    async with open_desk(catalog, limits=ServerLimits(embed_chars=most)) as desk:
        [*_, content] = await start_of(desk, campaign)

    assert isinstance(content, types.TextContent)
    assert f"campaigns/{campaign} is not attached" in content.text
    assert said in content.text


async def test_a_prompt_does_not_wait_for_upstream_for_long(catalog: Catalog) -> None:
    async with open_desk(catalog, limits=ServerLimits(embed_timeout_s=0)) as desk:
        starts = await start_of(desk, "18")

    assert all("no answer in time" in each.text for each in starts)  # type: ignore[union-attr]
    assert starts
