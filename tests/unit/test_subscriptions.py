"""Who watches a resource hears of every write of this server that touches it, and of no other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest
from mcp import Client, MCPError, types
from mcp.client import ClientRequestContext
from mcp.client.subscriptions import ResourcesListChanged, ResourceUpdated, Subscription

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.settings import load_settings
from talonone_mcp.sandbox.app import Sandbox
from talonone_mcp.server.app import build_server
from talonone_mcp.server.setup import DEFAULT_LIMITS, ServerLimits
from talonone_mcp.server.subscriptions import Subscriptions, TooManyError, touched
from tests.desk import Account
from tests.installed import over_http, over_stdio
from tests.upstream import Upstream

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore:resources/(un)?subscribe is removed"),  # in the later era
]
both_eras = pytest.mark.parametrize("mode", ["auto", "legacy"])
APPLICATIONS = "talonone://applications"
CAMPAIGNS = f"{APPLICATIONS}/42/campaigns"
CAMPAIGN, OTHER = f"{CAMPAIGNS}/18", f"{CAMPAIGNS}/19"
PROGRAM = "talonone://loyalty-programs/5"
EVERYTHING = (
    APPLICATIONS, f"{APPLICATIONS}/42", f"{APPLICATIONS}/43", CAMPAIGNS, CAMPAIGN, OTHER,
    f"{APPLICATIONS}/43/campaigns", "talonone://loyalty-programs", PROGRAM,
)  # fmt: skip
IN_18: dict[str, Any] = {"applicationId": 42, "campaignId": 18}
UPDATE = IN_18 | {"name": "Summer"}
COUPONS = IN_18 | {"numberOfCoupons": 1, "usageLimit": 1}
POINTS = {"loyaltyProgramId": "5", "integrationId": "anna.schmidt", "points": 1}


@dataclass(slots=True)
class Watcher:
    """A client that watches. `account` is what it works in, where that is in this process."""

    client: Client
    account: Account | None
    next: Callable[[], Awaitable[str]]

    async def call(self, name: str, /, **arguments: Any) -> dict[str, Any]:
        result = await self.client.call_tool(name, arguments)
        assert result.structured_content is not None
        return dict(result.structured_content)

    async def hears(self) -> str:
        """Return the next resource of which it is told that it changed."""
        with anyio.fail_after(10):
            return await self.next()

    async def hears_until(self, last: str) -> set[str]:
        """Return those of which it is told until one comes."""
        told = {await self.hears()}
        while last not in told:
            told.add(await self.hears())
        return told


@asynccontextmanager
async def watching(server: Any, mode: str, uris: Sequence[str]) -> AsyncIterator[Watcher]:
    """Connect and watch, in the way of the era."""
    send, receive = anyio.create_memory_object_stream[str](100)

    async def take(message: Any) -> None:
        if isinstance(message, types.ResourceUpdatedNotification):
            send.send_nowait(message.params.uri)

    with send, receive:
        client = Client(server, mode=mode, message_handler=take, elicitation_callback=agree)
        async with client:
            if mode == "legacy":
                for uri in uris:
                    await client.subscribe_resource(uri)
                yield Watcher(client, None, receive.receive)
            else:
                async with client.listen(resource_subscriptions=uris) as stream:
                    yield Watcher(client, None, lambda: following(stream))


async def following(stream: Subscription) -> str:
    event = await anext(stream)
    assert isinstance(event, ResourceUpdated)
    return event.uri


async def agree(
    context: ClientRequestContext, params: types.ElicitRequestParams
) -> types.ElicitResult | types.ErrorData:
    return types.ElicitResult(action="accept", content={"approve": True})


@asynccontextmanager
async def desk(
    catalog: Catalog,
    mode: str,
    uris: Sequence[str] = EVERYTHING,
    limits: ServerLimits = DEFAULT_LIMITS,
    **flags: Any,
) -> AsyncIterator[Watcher]:
    """Watch a demo account of one's own."""
    with closing(Sandbox(catalog, limited=False)) as app:
        account = Account(app)
        settings = load_settings({"sandbox": True} | flags, {})
        server = build_server(settings, catalog, account, limits=limits)
        async with watching(server, mode, uris) as watcher:
            watcher.account = account
            yield watcher


# --- Who is told of what --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("update_campaign", UPDATE, {CAMPAIGN, CAMPAIGNS}),
        ("create_coupons", COUPONS, {CAMPAIGN, CAMPAIGNS}),
        ("delete_campaign", IN_18, {CAMPAIGN, CAMPAIGNS}),
        ("copy_campaign", IN_18 | {"applicationIds": [43]}, {f"{APPLICATIONS}/43/campaigns"}),
        ("create_campaign_from_template",
         {"applicationId": 42, "templateId": 4, "name": "New",
          "templateParamValues": [{"name": "discount_value", "expression": [20]}]}, {CAMPAIGNS}),
        ("add_loyalty_points", POINTS, {PROGRAM, "talonone://loyalty-programs"}),
        ("create_store", {"applicationId": 42, "name": "Berlin", "integrationId": "b1",
                          "description": "x"}, {f"{APPLICATIONS}/42", APPLICATIONS}),
        ("run_operation", {"name": "create_coupons", "arguments": COUPONS}, {CAMPAIGN, CAMPAIGNS}),
        ("issue_coupon", {"applicationId": 42, "campaign": "18", "customer": "nobody.yet"},
         {CAMPAIGN, CAMPAIGNS}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
@both_eras
async def test_a_write_is_told_to_who_watches_what_it_touches(
    catalog: Catalog, mode: str, name: str, arguments: dict[str, Any], told: set[str]
) -> None:
    async with desk(catalog, mode) as watcher:
        answer = await watcher.call(name, **arguments)
        assert "error" not in answer
        await watcher.call("update_campaign", **UPDATE | {"campaignId": 19})
        heard = await watcher.hears_until(OTHER)

    assert heard == told | {OTHER}


@both_eras
async def test_what_changes_nothing_is_told_to_nobody(catalog: Catalog, mode: str) -> None:
    async with desk(catalog, mode) as watcher:
        await watcher.call("get_campaign", **IN_18)
        await watcher.call("search_coupons", applicationId=42)
        await watcher.call("update_campaign", **IN_18)  # invalid: never sent
        await watcher.call("update_campaign", **UPDATE | {"campaignId": 9999})  # refused
        await watcher.call("add_loyalty_points", **POINTS)
        assert await watcher.hears() == PROGRAM


@both_eras
async def test_a_write_that_may_have_happened_is_told(catalog: Catalog, mode: str) -> None:
    async with desk(catalog, mode, [CAMPAIGN]) as watcher:
        assert watcher.account
        watcher.account.fail("PUT", 502)
        answer = await watcher.call("update_campaign", **UPDATE)
        assert answer["error"]["kind"] == "outcome_unknown"
        assert await watcher.hears() == CAMPAIGN


async def test_a_new_export_changes_the_list_of_resources(catalog: Catalog) -> None:
    server = build_server(load_settings({"sandbox": True}, {}), catalog)
    async with Client(server) as client, client.listen(resources_list_changed=True) as stream:
        await client.call_tool("export_coupons", {"applicationId": 42})
        with anyio.fail_after(10):
            assert await anext(stream) == ResourcesListChanged()


async def test_several_streams_hear_what_each_has_asked_for(catalog: Catalog) -> None:
    with closing(Sandbox(catalog, limited=False)) as app:
        server = build_server(load_settings({"sandbox": True}, {}), catalog, app)
        async with (
            Client(server) as client,
            client.listen(resource_subscriptions=[CAMPAIGN]) as one,
            client.listen(resource_subscriptions=[CAMPAIGN, PROGRAM]) as both,
        ):
            await client.call_tool("add_loyalty_points", POINTS)
            await client.call_tool("update_campaign", UPDATE)
            with anyio.fail_after(10):
                assert await anext(one) == ResourceUpdated(CAMPAIGN)
                assert await anext(both) == ResourceUpdated(PROGRAM)
                assert await anext(both) == ResourceUpdated(CAMPAIGN)


async def test_who_has_unsubscribed_is_told_no_more(catalog: Catalog) -> None:
    async with desk(catalog, "legacy", [CAMPAIGN, PROGRAM]) as watcher:
        for uri in (CAMPAIGN, CAMPAIGN, OTHER):  # twice, and what was never subscribed to
            await watcher.client.unsubscribe_resource(uri)
        await watcher.call("update_campaign", **UPDATE)
        await watcher.call("add_loyalty_points", **POINTS)
        assert await watcher.hears() == PROGRAM
        await watcher.client.unsubscribe_resource(PROGRAM)


async def told_of(watcher: Watcher, write: Callable[[], Awaitable[object]]) -> str:
    """Write until it is told of: over HTTP, the stream for that may open after the first time."""
    with anyio.fail_after(30):
        while True:
            await write()
            with anyio.move_on_after(1):
                return await watcher.next()


@pytest.mark.parametrize("transport", ["stdio", "http"])
@both_eras
async def test_it_is_told_over_every_transport(
    upstream: Upstream, transport: str, mode: str
) -> None:
    async with AsyncExitStack() as stack:
        server: Any = over_stdio(upstream.environment)
        if transport == "http":
            server = stack.enter_context(over_http(upstream.environment))
        watcher = await stack.enter_async_context(watching(server, mode, [CAMPAIGN]))
        write = partial(watcher.call, "update_campaign", **UPDATE)
        assert await told_of(watcher, write) == CAMPAIGN

        [contents] = (await watcher.client.read_resource(CAMPAIGN)).contents
        assert '"name":"Summer"' in contents.text  # type: ignore[union-attr]
        ref = types.ResourceTemplateReference(uri=f"{APPLICATIONS}/{{applicationId}}")
        found = await watcher.client.complete(ref, {"name": "applicationId", "value": "42"})
        assert found.completion.values == ["42"]


@both_eras
async def test_over_http_another_client_is_told(upstream: Upstream, mode: str) -> None:
    with over_http(upstream.environment) as url:
        async with watching(url, mode, [CAMPAIGN]) as watcher, Client(url) as other:
            write = partial(other.call_tool, "update_campaign", UPDATE)
            assert await told_of(watcher, write) == CAMPAIGN


# --- What can be watched --------------------------------------------------------------------------

NOTHING = [
    "talonone://catalog/coupons", "talonone://exports/e0123456789abcdef", "file:///etc/passwd",
    f"{APPLICATIONS}/x", f"{APPLICATIONS}/042", f"{APPLICATIONS}/%34%32", f"{APPLICATIONS}?skip=1",
    f"{APPLICATIONS}?x=1", f"{APPLICATIONS}/{{applicationId}}", f"{APPLICATIONS}/" + "9" * 70_000,
]  # fmt: skip


async def test_a_stream_is_told_what_it_will_hear_of(catalog: Catalog) -> None:
    server = build_server(load_settings({"sandbox": True}, {}), catalog)
    ruleset = f"{CAMPAIGN}/rulesets/118"
    async with (
        Client(server) as client,
        client.listen(resource_subscriptions=[*NOTHING, *EVERYTHING, ruleset]) as stream,
    ):
        assert stream.honored.resource_subscriptions == [*EVERYTHING, ruleset]


@pytest.mark.parametrize("uri", NOTHING, ids=lambda uri: uri[11:40])
async def test_what_does_not_change_cannot_be_subscribed_to(catalog: Catalog, uri: str) -> None:
    async with desk(catalog, "legacy", []) as watcher:
        with pytest.raises(MCPError, match="cannot be subscribed to") as raised:
            await watcher.client.subscribe_resource(uri)

    assert raised.value.error.code == -32002
    assert len(raised.value.error.message) < 200


@both_eras
async def test_one_client_watches_only_so_many(catalog: Catalog, mode: str) -> None:
    with pytest.RaisesGroup(
        pytest.RaisesExc(MCPError, match="At most 2 resources"), flatten_subgroups=True
    ):
        watched = [PROGRAM, CAMPAIGN, CAMPAIGN, OTHER]
        async with desk(catalog, mode, watched, limits=ServerLimits(watched_uris=2)):
            raise AssertionError


@both_eras
async def test_what_can_be_watched_is_declared(catalog: Catalog, mode: str) -> None:
    async with desk(catalog, mode) as watcher:
        declared = watcher.client.server_capabilities.resources

    assert declared
    assert declared.subscribe is True
    assert declared.list_changed is (mode == "auto")


# --- Who does not read ----------------------------------------------------------------------------


def context(told: Callable[[str], Awaitable[None]]) -> Any:
    """Return the request of a client of the handshake era that is told in this way."""
    return SimpleNamespace(session=SimpleNamespace(send_resource_updated=told, client_params=None))


async def announced(
    catalog: Catalog,
    contexts: Sequence[Any],
    times: int = 1,
    limits: ServerLimits = DEFAULT_LIMITS,
) -> None:
    """Let all of them subscribe, and announce a write."""
    async with anyio.create_task_group() as tasks:
        watched = Subscriptions(tasks, limits, patience=0.01)
        for ctx in contexts:
            watched.subscribe(ctx, CAMPAIGN)
        for _ in range(times):
            watched.announce(catalog.operations["update_campaign"], IN_18, None)
            await anyio.wait_all_tasks_blocked()


async def test_who_does_not_read_holds_nobody_up(catalog: Catalog) -> None:
    tries, heard = 0, list[str]()

    async def never(_: str) -> None:
        nonlocal tries
        tries += 1
        await anyio.sleep_forever()

    async def hear(uri: str) -> None:
        heard.append(uri)

    with anyio.fail_after(10):
        await announced(catalog, [context(never), context(hear)])
    assert (tries, heard) == (1, [CAMPAIGN])


@pytest.mark.parametrize(
    "failure", [anyio.ClosedResourceError(), anyio.BrokenResourceError(), RuntimeError("gone")]
)
async def test_who_is_gone_is_told_nothing_more(catalog: Catalog, failure: Exception) -> None:
    tries, heard = 0, list[str]()

    async def gone(_: str) -> None:
        nonlocal tries
        tries += 1
        raise failure

    async def hear(uri: str) -> None:
        heard.append(uri)

    await announced(catalog, [context(gone), context(hear)], times=3)
    assert (tries, heard) == (1, [CAMPAIGN] * 3)


async def test_only_so_many_clients_are_known(catalog: Catalog) -> None:
    heard: list[int] = []

    def numbered(number: int) -> Any:
        async def hear(_: str) -> None:
            heard.append(number)

        return context(hear)

    contexts = [numbered(number) for number in (1, 2, 3)]
    await announced(catalog, contexts, limits=ServerLimits(watchers=2))
    assert heard == [2, 3]


async def test_a_fault_in_telling_is_no_fault_of_the_call(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> None:
        raise TooManyError

    monkeypatch.setattr(Subscriptions, "announce", broken)
    async with desk(catalog, "legacy", []) as watcher:
        assert "error" not in await watcher.call("update_campaign", **UPDATE)
    assert "update_campaign was not announced" in caplog.text


@both_eras
async def test_what_was_opened_is_closed_at_the_end(
    catalog: Catalog, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[str] = []

    async def close(_: object) -> None:
        await anyio.lowlevel.checkpoint()  # where a cancelled end would stop
        closed.append("the HTTP client")

    monkeypatch.setattr(httpx.AsyncClient, "aclose", close)
    monkeypatch.setattr(httpx.AsyncClient, "__aexit__", lambda self, *_: close(self))
    async with desk(catalog, mode) as watcher:
        await watcher.call("get_campaign", **IN_18)
    assert closed


# --- What each operation touches ------------------------------------------------------------------


def test_whatever_names_a_campaign_or_a_program_touches_it(catalog: Catalog) -> None:
    ids = {"applicationId": 1, "campaignId": 2, "loyaltyProgramId": 3, "applicationIds": [1]}
    expected = {
        "campaignId": "talonone://applications/1/campaigns/2",
        "loyaltyProgramId": "talonone://loyalty-programs/3",
        "applicationId": "talonone://applications/1",
    }
    creating = ("copy_campaign", "create_campaign_from_template")
    for operation in catalog:
        if operation.risk == "read" or operation.name in creating:
            continue
        given = {name: ids[name] for name in operation.path_arguments if name in ids}
        told = list(touched(operation, given, None))
        innermost = next((expected[name] for name in expected if name in given), None)
        assert told == ([innermost, innermost.rpartition("/")[0]] if innermost else [])


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("cep_create_or_get_coupon", IN_18, [CAMPAIGN, CAMPAIGNS]),
        ("cep_create_or_get_coupon", IN_18 | {"dryRun": True}, []),
        ("create_referral", IN_18, [CAMPAIGN, CAMPAIGNS]),
        ("create_referral", {"campaignId": 18}, []),
        ("track_event", {"applicationId": 42}, []),
        ("cep_add_loyalty_points", {"loyaltyProgramId": 5, "applicationId": 42},
         [PROGRAM, "talonone://loyalty-programs"]),
    ],
)  # fmt: skip
def test_other_arguments_that_are_ids(
    catalog: Catalog, name: str, arguments: dict[str, Any], told: list[str]
) -> None:
    assert list(touched(catalog.operations[name], arguments, None)) == told


@pytest.mark.parametrize(
    ("answer", "created"),
    [
        ({"data": [{"applicationId": 42, "id": 7}, {"applicationId": 43, "id": 8}]},
         ["42/7", "43/8"]),
        ({"data": ["x", {}, None]}, []), ({"data": None}, []), ({}, []), ([], []), ("x", []),
        (None, []),
    ],
)  # fmt: skip
def test_what_was_created_is_known_from_the_answer(
    catalog: Catalog, answer: Any, created: list[str]
) -> None:
    arguments = IN_18 | {"applicationIds": [42, 43]}
    told = list(touched(catalog.operations["copy_campaign"], arguments, answer))

    lists = [CAMPAIGNS, f"{APPLICATIONS}/43/campaigns"]
    places = (each.split("/") for each in created)
    assert told == [*lists, *(f"{APPLICATIONS}/{one}/campaigns/{two}" for one, two in places)]
