"""No call that a person must confirm reaches upstream without their yes to exactly that call."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from typing import Any

import anyio
import httpx
import pytest
from mcp import Client, MCPError, types
from mcp.client import ClientRequestContext
from starlette.responses import JSONResponse

from talonone_mcp.calls.caller import QuestionOpenError
from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.clock import Clock
from talonone_mcp.core.settings import SANDBOX_KEY, Settings, load_settings
from talonone_mcp.sandbox.app import Sandbox
from talonone_mcp.server.app import build_server
from talonone_mcp.server.elicitation import OpenQuestions
from tests.clocks import Leaping
from tests.conftest import settings_for
from tests.upstream import Upstream, serve

pytestmark = pytest.mark.anyio
CAMPAIGN = {"applicationId": 42, "campaignId": 18}
DELETED = [("DELETE", "/v1/applications/42/campaigns/18")]
Answering = Callable[[str], types.ElicitResult | types.ErrorData]


def accept(**content: Any) -> types.ElicitResult:
    return types.ElicitResult(action="accept", content=content)


YES = accept(approve=True)


@asynccontextmanager
async def connected(
    server: Any, answering: Answering | None, mode: str = "auto"
) -> AsyncIterator[tuple[Client, list[str]]]:
    """Connect a client whose person answers by `answering`; yield it and the questions asked."""
    asked: list[str] = []

    async def answer(
        context: ClientRequestContext, params: types.ElicitRequestParams
    ) -> types.ElicitResult | types.ErrorData:
        asked.append(params.message)
        assert answering is not None
        return answering(params.message)

    callback = answer if answering else None
    async with Client(server, mode=mode, elicitation_callback=callback) as client:
        yield client, asked


def error_of(result: types.CallToolResult) -> dict[str, Any]:
    assert result.is_error
    error: dict[str, Any] = result.structured_content["error"]
    return error


both_eras = pytest.mark.parametrize("mode", ["auto", "legacy"])


@both_eras
async def test_an_approved_call_runs_once(
    catalog: Catalog, settings: Settings, upstream: Upstream, mode: str
) -> None:
    async with connected(build_server(settings, catalog), lambda _: YES, mode) as (client, asked):
        result = await client.call_tool("delete_campaign", CAMPAIGN)

    assert not result.is_error
    assert upstream.changes == DELETED
    [question] = asked
    for part in ("Summer promotions", "18", "42", "running", "40", "cannot be restored"):
        assert part in question


@both_eras
@pytest.mark.parametrize(
    "answer",
    [
        types.ElicitResult(action="decline"),
        types.ElicitResult(action="cancel"),
        accept(),
        accept(approve=False),
        accept(approve="true"),
        accept(approve=1),
        accept(approved=True),
        types.ElicitResult(action="decline", content={"approve": True}),
        types.ElicitResult(action="cancel", content={"approve": True}),
    ],
    ids=repr,
)
async def test_anything_but_a_plain_yes_is_a_no(
    catalog: Catalog, settings: Settings, upstream: Upstream, mode: str, answer: types.ElicitResult
) -> None:
    async with connected(build_server(settings, catalog), lambda _: answer, mode) as (
        client,
        asked,
    ):
        result = await client.call_tool("delete_campaign", CAMPAIGN)

    error = error_of(result)
    assert error["kind"] == "declined"
    assert ("closed the question" in error["message"]) is (answer.action == "cancel")
    assert len(asked) == 1
    assert upstream.changes == []


@both_eras
async def test_a_client_that_cannot_ask_is_refused(
    catalog: Catalog, settings: Settings, upstream: Upstream, mode: str
) -> None:
    async with connected(build_server(settings, catalog), None, mode) as (client, _):
        result = await client.call_tool("delete_campaign", CAMPAIGN)

    error = error_of(result)
    assert error["kind"] == "approval_required"
    assert "Summer promotions" in error["message"]
    assert upstream.changes == []


async def test_a_client_that_lies_about_being_able_to_ask_is_refused(
    catalog: Catalog, settings: Settings, upstream: Upstream
) -> None:
    broken = types.ErrorData(code=types.METHOD_NOT_FOUND, message="no such thing")
    server = build_server(settings, catalog)
    async with connected(server, lambda _: broken, "legacy") as (client, _):
        result = await client.call_tool("delete_campaign", CAMPAIGN)

    assert error_of(result)["kind"] == "approval_required"
    assert upstream.changes == []


@both_eras
@pytest.mark.parametrize(
    ("confirm", "kind"), [("block", "blocked"), ("approve", "approval_required")]
)
async def test_the_policy_comes_before_the_person(
    catalog: Catalog, upstream: Upstream, mode: str, confirm: str, kind: str
) -> None:
    server = build_server(settings_for(upstream, confirm=confirm), catalog)
    async with connected(server, lambda _: YES, mode) as (client, asked):
        result = await client.call_tool("delete_campaign", CAMPAIGN)
        read = await client.call_tool("get_campaign", CAMPAIGN)

    assert error_of(result)["kind"] == kind
    assert asked == []
    assert upstream.changes == []
    assert not read.is_error


async def test_an_operator_can_turn_it_off(catalog: Catalog, upstream: Upstream) -> None:
    server = build_server(settings_for(upstream, confirm="off"), catalog)
    async with connected(server, None) as (client, _):
        result = await client.call_tool("delete_campaign", CAMPAIGN)

    assert not result.is_error
    assert upstream.changes == DELETED


@both_eras
async def test_nobody_is_asked_about_what_is_not_there(
    catalog: Catalog, settings: Settings, upstream: Upstream, mode: str
) -> None:
    async with connected(build_server(settings, catalog), lambda _: YES, mode) as (client, asked):
        result = await client.call_tool("delete_campaign", CAMPAIGN | {"campaignId": 999})

    assert error_of(result)["kind"] == "not_found"
    assert asked == []
    assert upstream.changes == []


@both_eras
async def test_nobody_is_asked_about_a_call_that_would_fail(
    catalog: Catalog, settings: Settings, upstream: Upstream, mode: str
) -> None:
    async with connected(build_server(settings, catalog), lambda _: YES, mode) as (client, asked):
        result = await client.call_tool("delete_campaign", {"applicationId": 42})

    assert error_of(result)["kind"] == "invalid_arguments"
    assert asked == []
    assert upstream.requests == []


@both_eras
async def test_nobody_is_asked_about_a_call_that_has_no_key(
    catalog: Catalog, upstream: Upstream, mode: str
) -> None:
    environment = upstream.environment | {"TALONONE_INTEGRATION_KEY": ""}
    server = build_server(load_settings({}, environment), catalog)
    async with connected(server, lambda _: YES, mode) as (client, asked):
        result = await client.call_tool(
            "delete_coupon_reservations", {"couponValue": "A", "integrationIDs": ["x"]}
        )

    assert error_of(result)["kind"] == "not_configured"
    assert asked == []
    assert upstream.requests == []


@pytest.mark.parametrize(
    ("arguments", "is_asked"),
    [({"numberOfCoupons": 100}, False), ({"numberOfCoupons": 101}, True)],
)
async def test_a_conditional_confirmation(
    catalog: Catalog, settings: Settings, upstream: Upstream, arguments: Any, is_asked: bool
) -> None:
    async with connected(build_server(settings, catalog), lambda _: YES) as (client, asked):
        result = await client.call_tool(
            "create_coupons", {**CAMPAIGN, "usageLimit": 1, **arguments}
        )

    assert not result.is_error
    assert bool(asked) is is_asked
    assert len(upstream.changes) == 1


def rename(upstream: Upstream, name: str) -> None:
    """Change the campaign behind the server's back."""
    body = {"name": name, "tags": [], "limits": [], "features": ["coupons"]}
    headers = {"Authorization": f"ManagementKey-v1 {SANDBOX_KEY}"}
    httpx.put(f"{upstream.url}{DELETED[0][1]}", json=body, headers=headers).raise_for_status()
    upstream.requests.clear()


@both_eras
async def test_what_changed_in_between_is_asked_about_again(
    catalog: Catalog, settings: Settings, upstream: Upstream, mode: str
) -> None:
    def answer(question: str) -> types.ElicitResult:
        if "Summer" in question:
            rename(upstream, "Autumn promotions")
        return YES

    async with connected(build_server(settings, catalog), answer, mode) as (client, asked):
        result = await client.call_tool("delete_campaign", CAMPAIGN)

    assert not result.is_error
    assert ["Summer" in question for question in asked] == [True, False]
    assert "Autumn promotions" in asked[1]
    assert upstream.changes == DELETED


@both_eras
async def test_a_no_to_the_second_question_counts(
    catalog: Catalog, settings: Settings, upstream: Upstream, mode: str
) -> None:
    def answer(question: str) -> types.ElicitResult:
        if "Summer" not in question:
            return types.ElicitResult(action="decline")
        rename(upstream, "Autumn promotions")
        return YES

    async with connected(build_server(settings, catalog), answer, mode) as (client, _):
        result = await client.call_tool("delete_campaign", CAMPAIGN)

    assert error_of(result)["kind"] == "declined"
    assert upstream.changes == []


async def test_a_preview_that_fails_is_said_in_the_question(catalog: Catalog) -> None:
    inner = Sandbox(catalog, limited=False)

    async def without_reads(scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] != "GET":
            return await inner(scope, receive, send)
        await send({"type": "http.response.start", "status": 500, "headers": []})
        await send({"type": "http.response.body", "body": b'{"message": "disk full"}'})
        return None

    with closing(inner), serve(without_reads) as upstream:
        server = build_server(settings_for(upstream), catalog)
        async with connected(server, lambda _: YES) as (client, asked):
            result = await client.call_tool("delete_campaign", CAMPAIGN)

    assert not result.is_error
    assert "could not be read: disk full" in asked[0]
    assert "unknown" in asked[0]


# --- A 2026-07-28 client that drives the rounds itself, honestly or not -------------------------


# A call that can be made again and again: what its question shows does not change by it.
MANY_COUPONS = CAMPAIGN | {"numberOfCoupons": 101, "usageLimit": 1}
CREATED = [("POST", "/v1/applications/42/campaigns/18/coupons")]


async def first_round(
    client: Client, tool: str = "delete_campaign", arguments: Any = CAMPAIGN
) -> types.InputRequiredResult:
    result = await client.session.call_tool(tool, arguments, allow_input_required=True)
    assert isinstance(result, types.InputRequiredResult)
    return result


async def second_round(
    client: Client, state: str | None, tool: str = "delete_campaign", arguments: Any = CAMPAIGN
) -> Any:
    return await client.session.call_tool(
        tool,
        arguments,
        input_responses={"confirmation": YES},
        request_state=state,
        allow_input_required=True,
    )


async def test_an_approval_is_used_once(
    catalog: Catalog, settings: Settings, upstream: Upstream
) -> None:
    async with connected(build_server(settings, catalog), lambda _: YES) as (client, _):
        asked = await first_round(client, "create_coupons", MANY_COUPONS)
        first = await second_round(client, asked.request_state, "create_coupons", MANY_COUPONS)
        again = await second_round(client, asked.request_state, "create_coupons", MANY_COUPONS)

    assert not first.is_error
    assert error_of(again)["kind"] == "approval_required"
    assert upstream.changes == CREATED


async def test_an_approval_sent_many_times_at_once_is_used_once(
    catalog: Catalog, settings: Settings, upstream: Upstream
) -> None:
    results: list[Any] = []
    server = build_server(settings, catalog, clock=Leaping().clock)  # not three a second
    async with connected(server, lambda _: YES) as (client, _):
        asked = await first_round(client, "create_coupons", MANY_COUPONS)

        async def send() -> None:
            state = asked.request_state
            results.append(await second_round(client, state, "create_coupons", MANY_COUPONS))

        async with anyio.create_task_group() as tasks:
            for _ in range(8):
                tasks.start_soon(send)

    assert [result.is_error for result in results].count(False) == 1
    assert upstream.changes == CREATED


def opened(questions: OpenQuestions) -> str:
    """Return the id of a question that goes back to the client."""
    result = questions.returned(QuestionOpenError("Really?", "this call"))
    return str(json.loads(result.request_state or "")["question"])


def test_a_question_is_closed_once_and_in_time() -> None:
    now = 0.0
    questions = OpenQuestions(Clock(monotonic=lambda: now))
    first, second = opened(questions), opened(questions)

    now = 599.9
    assert questions.close(first)
    assert not questions.close(first)
    now = 600.0
    assert not questions.close(second)
    assert not questions.close("never opened")


def test_questions_without_end_do_not_fill_the_memory() -> None:
    questions = OpenQuestions()
    ids = [opened(questions) for _ in range(1001)]

    assert not questions.close(ids[0])
    assert questions.close(ids[1])


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("delete_campaign", CAMPAIGN | {"campaignId": 19}),
        ("delete_campaign", CAMPAIGN | {"applicationId": 43}),
        ("delete_coupons", CAMPAIGN),
    ],
)
async def test_an_approval_is_for_that_call_alone(
    catalog: Catalog, settings: Settings, upstream: Upstream, tool: str, arguments: Any
) -> None:
    async with connected(build_server(settings, catalog), lambda _: YES) as (client, _):
        asked = await first_round(client)
        with pytest.raises(MCPError, match="requestState"):
            await second_round(client, asked.request_state, tool, arguments)

    assert upstream.changes == []


@pytest.mark.parametrize("state", ["v1.AAAA", "nonsense", json.dumps({"question": "x"}), ""])
async def test_a_made_up_state_opens_nothing(
    catalog: Catalog, settings: Settings, upstream: Upstream, state: str
) -> None:
    async with connected(build_server(settings, catalog), lambda _: YES) as (client, _):
        with pytest.raises(MCPError, match="requestState"):
            await second_round(client, state)

    assert upstream.changes == []


async def test_a_yes_without_a_question_is_answered_with_the_question(
    catalog: Catalog, settings: Settings, upstream: Upstream
) -> None:
    async with connected(build_server(settings, catalog), lambda _: YES) as (client, _):
        result = await second_round(client, None)

    assert isinstance(result, types.InputRequiredResult)
    assert upstream.changes == []


async def test_an_approval_of_another_server_opens_nothing(
    catalog: Catalog, settings: Settings, upstream: Upstream
) -> None:
    servers = [build_server(settings, catalog) for _ in range(2)]
    async with connected(servers[0], lambda _: YES) as (client, _):
        asked = await first_round(client)
    async with connected(servers[1], lambda _: YES) as (client, _):
        with pytest.raises(MCPError, match="requestState"):
            await second_round(client, asked.request_state)

    assert upstream.changes == []


# --- What the question says ---------------------------------------------------------------------


async def test_a_preview_by_other_names_and_with_constants(catalog: Catalog) -> None:
    """What the question of a platform's points shows is read with the call's own arguments."""

    async def ledger(scope: Any, receive: Any, send: Any) -> None:
        content = {"ledger": {"currentBalance": 12.5}, "data": [], "totalResultSize": 77}
        await JSONResponse(content)(scope, receive, send)

    points = {"loyaltyProgramId": 25, "profileIntegrationId": "anna b", "points": 1001}
    sync = {"catalogId": 3, "actions": [{"type": "REMOVE", "payload": {"sku": "A"}}]}
    with serve(ledger) as upstream:
        server = build_server(settings_for(upstream), catalog)
        async with connected(server, lambda _: types.ElicitResult(action="decline")) as both:
            client, asked = both
            await client.call_tool("cep_add_loyalty_points", points)
            await client.call_tool("sync_catalog", sync)

    queries = [dict(request.query) for request in upstream.requests]
    assert queries[::2] == queries[1::2]  # read again when the reply comes
    assert queries[::2] == [
        {"profileIntegrationId": "anna b", "loyaltyProgramId": "25"},
        {"sku": "A", "withTotalResultSize": "true", "pageSize": "1000"},
    ]
    assert "Now: active points in the main ledger: 12.5" in asked[0]
    assert "anna b" in asked[0]
    assert "Now: items there that it may change: 77" in asked[1]
