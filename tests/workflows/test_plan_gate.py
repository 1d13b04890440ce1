"""A plan of several calls goes out as a person agreed to it, once, and nothing beside it does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import MCPError, types
from starlette.types import Receive, Scope, Send

from talonone_mcp.calls.plan import Plan, PlannedCall
from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.errors import CallError
from talonone_mcp.store.sqlite_ledger import LEDGER_FILE, SqliteLedger
from talonone_mcp.workflows import WORKFLOWS
from talonone_mcp.workflows.steps import Steps
from tests.desk import NO, YES, Desk, open_desk

pytestmark = pytest.mark.anyio
SHOP, SUMMER = 42, 18
CODES = {"count": 150, "pattern": "GATE-####"}  # so many that they are confirmed by themselves
COPY = {
    "applicationId": SHOP,
    "name": "Gate",
    "copyOf": SUMMER,
    "endTime": "2026-09-01T00:00:00Z",
    "limits": [{"action": "createCoupon", "limit": 5000, "entities": []}],
    "coupons": CODES,
}
RUN = [
    "POST /v1/applications/42/campaigns/18/copy",
    "PUT /v1/applications/42/campaigns/33",
    "POST /v1/applications/42/campaigns/33/coupons",
]
both_eras = pytest.mark.parametrize("mode", ["auto", "legacy"])


def writes(desk: Desk) -> list[str]:
    return [each for each in desk.account.requests if not each.startswith("GET")]


async def ask(desk: Desk, **changes: Any) -> types.InputRequiredResult:
    """Call as a 2026-07-28 client that drives the rounds itself, and return the question."""
    result = await desk.client.session.call_tool(
        "set_up_campaign", COPY | changes, allow_input_required=True
    )
    assert isinstance(result, types.InputRequiredResult)
    return result


async def answer(
    desk: Desk, state: str | None, /, reply: types.ElicitResult = YES, **changes: Any
) -> Any:
    return await desk.client.session.call_tool(
        "set_up_campaign",
        COPY | changes,
        input_responses={"confirmation": reply},
        request_state=state,
        allow_input_required=True,
    )


def question_in(result: types.InputRequiredResult) -> str:
    [request] = (result.input_requests or {}).values()
    assert isinstance(request, types.ElicitRequest)
    return request.params.message


# --- Asked in the conversation -----------------------------------------------------------------


@both_eras
async def test_one_yes_is_for_the_whole_plan(catalog: Catalog, mode: str) -> None:
    async with open_desk(catalog, mode=mode) as desk:
        await desk.call("set_up_campaign", **COPY)

        assert writes(desk) == RUN
        assert len(desk.questions) == 1
        # Worked out for the question and for the yes: what was agreed to is what is carried out.
        # The update of the new campaign reads what it completes.
        assert len(desk.account.requests) == 2 * 3 + len(RUN) + 1


@both_eras
@pytest.mark.parametrize(
    "reply",
    [
        NO,
        types.ElicitResult(action="cancel"),
        types.ElicitResult(action="accept"),
        types.ElicitResult(action="accept", content={"approve": "true"}),
        types.ElicitResult(action="decline", content={"approve": True}),
    ],
    ids=str,
)
async def test_anything_else_is_a_no(
    catalog: Catalog, mode: str, reply: types.ElicitResult
) -> None:
    async with open_desk(catalog, mode=mode, answering=lambda _: reply) as desk:
        error = await desk.error("set_up_campaign", **COPY)

        assert error["kind"] == "declined"
        assert writes(desk) == []


CHANGES: list[dict[str, Any]] = [
    {"name": "Summer promotions, second part"},
    {"features": ["coupons", "loyalty"]},
    {"limits": [{"action": "setDiscount", "limit": 1, "entities": []}]},
    {"description": "Something else"},
    {"couponSettings": {"couponPattern": "OTHER-####", "validCharacters": ["A", "B", "C", "D"]}},
    {"attributes": {"costCentre": "C-8"}},
    {"activeRulesetId": 119},
    {"tags": ["other"]},
]


async def change_source(desk: Desk, **settings: Any) -> None:
    """Change settings of the campaign that is copied, and leave its others as they are."""
    at = {"applicationId": SHOP, "campaignId": SUMMER}
    source = await desk.call("get_campaign", **at, fields=["*"])
    known = ("name", "description", "startTime", "endTime", "state", "activeRulesetId", "tags",
             "features", "couponSettings", "campaignGroups", "limits")  # fmt: skip
    await desk.call("update_campaign", **at, **{key: source[key] for key in known} | settings)
    desk.account.requests.clear()


@pytest.mark.parametrize("change", CHANGES, ids=str)
async def test_a_source_that_changed_before_the_yes_is_asked_about_again(
    catalog: Catalog, change: dict[str, Any]
) -> None:
    async with open_desk(catalog) as desk:
        asked = await ask(desk, copyOf=SUMMER)
        await change_source(desk, **change)

        again = await answer(desk, asked.request_state)

        assert isinstance(again, types.InputRequiredResult)
        assert question_in(again) != question_in(asked)
        assert writes(desk) == []
        done = await answer(desk, again.request_state)
        assert not done.is_error
        assert writes(desk) == RUN


async def test_a_counter_that_moved_is_no_change(catalog: Catalog) -> None:
    async with open_desk(catalog) as desk:
        asked = await ask(desk)
        more = {"numberOfCoupons": 1, "usageLimit": 1}
        await desk.call("create_coupons", applicationId=SHOP, campaignId=SUMMER, **more)

        done = await answer(desk, asked.request_state)

        assert not done.is_error


class Turncoat:
    """A source that is another at each look, until it has been looked at often enough."""

    def __init__(self, desk: Desk, looks: int) -> None:
        self._app, self._left = desk.account.app, looks
        desk.account.app = self

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Any) -> None:
            if message["type"] == "http.response.body" and message.get("body"):
                self._left -= 1
                body = message["body"].replace(b"20 % off", f"{self._left} % off".encode())
                message = message | {"body": body}
            elif message["type"] == "http.response.start":
                headers = [each for each in message["headers"] if each[0] != b"content-length"]
                message = message | {"headers": headers}
            await send(message)

        is_source = scope.get("path") == f"/v1/applications/42/campaigns/{SUMMER}"
        await self._app(scope, receive, sent if is_source and self._left else send)


async def test_a_person_in_the_session_is_asked_until_the_plan_holds_still(
    catalog: Catalog,
) -> None:
    async with open_desk(catalog, mode="legacy") as desk:
        Turncoat(desk, looks=3)

        await desk.call("set_up_campaign", **COPY)

        assert len(desk.questions) == 4
        assert len(set(desk.questions)) == 4
        assert writes(desk) == RUN


async def test_a_reply_counts_once(catalog: Catalog) -> None:
    async with open_desk(catalog) as desk:
        asked = await ask(desk)
        await answer(desk, asked.request_state)
        desk.account.requests.clear()

        replayed = await answer(desk, asked.request_state)

        assert replayed.structured_content["error"]["kind"] == "approval_required"
        assert writes(desk) == []


async def test_a_reply_sent_many_times_at_once_counts_once(catalog: Catalog) -> None:
    async with open_desk(catalog) as desk:
        asked = await ask(desk)

        async with anyio.create_task_group() as tasks:
            for _ in range(6):
                tasks.start_soon(answer, desk, asked.request_state)

        assert writes(desk) == RUN


@pytest.mark.parametrize(
    "changes",
    [{"name": "Other"}, {"coupons": {"count": 151}}, {"state": "enabled"}, {"dryRun": True}],
    ids=str,
)
async def test_a_reply_is_for_that_plan_alone(catalog: Catalog, changes: dict[str, Any]) -> None:
    async with open_desk(catalog) as desk:
        asked = await ask(desk)

        with pytest.raises(MCPError, match="requestState"):
            await answer(desk, asked.request_state, **changes)

        assert writes(desk) == []


# --- Asked outside the conversation ------------------------------------------------------------


@asynccontextmanager
async def with_approvals(
    catalog: Catalog, folder: Path, **flags: Any
) -> AsyncIterator[tuple[Desk, SqliteLedger]]:
    async with open_desk(catalog, state_dir=folder, **flags) as desk:
        yield desk, SqliteLedger(folder / LEDGER_FILE, clock=desk.clock)


@pytest.mark.parametrize(
    "flags",
    [{"answering": None}, {"answering": None, "mode": "legacy"}, {"confirm": "approve"}],
    ids=str,
)
async def test_an_approval_lets_the_plan_run_once(
    catalog: Catalog, tmp_path: Path, flags: dict[str, Any]
) -> None:
    async with with_approvals(catalog, tmp_path, **flags) as (desk, ledger):
        error = await desk.error("set_up_campaign", **COPY)
        assert error["kind"] == "approval_required"
        for part in ('"Gate"', '"Webshop DE"', "Summer promotions", "Gives 150 codes", "plan "):
            assert part in error["message"]
        assert writes(desk) == desk.questions == []

        [waiting] = ledger.waiting()
        assert waiting.question in error["message"]
        ledger.decide(waiting.id, approve=True, by="a person", reason="")
        await desk.call("set_up_campaign", **COPY)
        assert writes(desk) == RUN

        again = await desk.error("set_up_campaign", **COPY)
        assert again["kind"] == "approval_required"
        assert again["approval"]["id"] != waiting.id
        assert "already has this name" in again["message"]
        assert writes(desk) == RUN


async def test_an_approval_used_many_times_at_once_is_used_once(
    catalog: Catalog, tmp_path: Path
) -> None:
    async with with_approvals(catalog, tmp_path, answering=None) as (desk, ledger):
        await desk.error("set_up_campaign", **COPY)
        [waiting] = ledger.waiting()
        ledger.decide(waiting.id, approve=True, by="a person", reason="")

        async with anyio.create_task_group() as tasks:
            for _ in range(6):
                tasks.start_soon(desk.client.call_tool, "set_up_campaign", COPY)

        assert writes(desk) == RUN


async def test_a_source_that_changed_after_the_approval_is_asked_about_again(
    catalog: Catalog, tmp_path: Path
) -> None:
    async with with_approvals(catalog, tmp_path, answering=None) as (desk, ledger):
        await desk.error("set_up_campaign", **COPY)
        [waiting] = ledger.waiting()
        ledger.decide(waiting.id, approve=True, by="a person", reason="")
        await change_source(desk, description="Something else")

        error = await desk.error("set_up_campaign", **COPY)

        assert error["kind"] == "approval_required"
        assert error["approval"]["id"] != waiting.id
        assert writes(desk) == []


async def test_a_denied_plan_does_not_run(catalog: Catalog, tmp_path: Path) -> None:
    async with with_approvals(catalog, tmp_path, answering=None) as (desk, ledger):
        await desk.error("set_up_campaign", **COPY)
        [waiting] = ledger.waiting()
        ledger.decide(waiting.id, approve=False, by="a person", reason="too early")

        error = await desk.error("set_up_campaign", **COPY)

        assert error["kind"] == "declined"
        assert "too early" in error["message"]
        assert writes(desk) == []


async def test_where_nothing_is_confirmed_only_the_plan_is_had(catalog: Catalog) -> None:
    async with open_desk(catalog, confirm="block") as desk:
        assert (await desk.error("set_up_campaign", **COPY))["kind"] == "blocked"
        assert desk.account.requests == []

        assert (await desk.call("set_up_campaign", **COPY, dryRun=True))["plan"]["steps"]


async def test_an_operator_can_turn_it_off(catalog: Catalog) -> None:
    async with open_desk(catalog, confirm="off", answering=None) as desk:
        await desk.call("set_up_campaign", **COPY)

        assert writes(desk) == RUN
        reads = [each for each in desk.account.requests if each.startswith("GET")]
        # The plan was worked out once; the update of the new campaign reads what it completes.
        assert len(reads) == 3 + 1


# --- When the server ends in the middle --------------------------------------------------------


@pytest.mark.parametrize("number", range(3))
async def test_a_plan_that_broke_off_is_not_begun_anew(
    catalog: Catalog, tmp_path: Path, number: int
) -> None:
    async with with_approvals(catalog, tmp_path) as (desk, _):
        reached, app = anyio.Event(), desk.account.app

        async def holding(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and len(writes(desk)) > number:
                reached.set()
                await anyio.sleep_forever()
            await app(scope, receive, send)

        desk.account.app = holding
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(desk.client.call_tool, "set_up_campaign", COPY)
            await reached.wait()
            tasks.cancel_scope.cancel()

    async with with_approvals(catalog, tmp_path) as (desk, _):
        error = await desk.error("set_up_campaign", **COPY)

        assert error["kind"] == "outcome_unknown"
        assert "list_campaigns" in error["hint"]
        assert desk.account.requests == desk.questions == []


async def test_a_plan_whose_step_failed_can_be_asked_about_anew(
    catalog: Catalog, tmp_path: Path
) -> None:
    async with with_approvals(catalog, tmp_path) as (desk, _):
        desk.account.fail("POST .*/copy", 500)
        await desk.error("set_up_campaign", **COPY)
        desk.account.mend()

        await desk.call("set_up_campaign", **COPY)

        assert len(desk.questions) == 2


# --- What is not in the plan -------------------------------------------------------------------

PLANNED: dict[str, Any] = {
    "applicationId": SHOP,
    "numberOfCoupons": 150,
    "usageLimit": 1,
    "startDate": "2026-06-20T00:00:00Z",
}


OPEN = frozenset({"campaignId", "silent"})
COUPONS = PlannedCall("create_coupons", PLANNED, OPEN)


def wayward(
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
    *,
    planned: PlannedCall = COUPONS,
    after: bool = False,
    **arguments: Any,
) -> None:
    """Put in the place of the workflow one that makes another call than it planned."""

    async def made(steps: Steps, _: Mapping[str, Any]) -> dict[str, Any]:
        async def make() -> Plan:
            return Plan({"name": "Wayward"}, (planned,))

        async with steps.agreed(make) as (_plan, agreed):
            if not after:
                return await agreed.call(operation, **arguments)
        return await steps.call(operation, **arguments)

    assert isinstance(WORKFLOWS, dict)
    monkeypatch.setitem(WORKFLOWS, "set_up_campaign", made)


@both_eras
async def test_a_call_of_the_plan_needs_no_other_yes(
    catalog: Catalog, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wayward(monkeypatch, "create_coupons", campaignId=19, silent="yes", **PLANNED)
    async with open_desk(catalog, mode=mode) as desk:
        await desk.call("set_up_campaign", **COPY)

        assert len(desk.questions) == 1
        assert writes(desk) == ["POST /v1/applications/42/campaigns/19/coupons"]


@both_eras
@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("create_coupons", {"numberOfCoupons": 151}),
        ("create_coupons", {"usageLimit": 0}),
        ("create_coupons", {"applicationId": 43, "campaignId": 31}),
        ("create_coupons", {"startDate": None}),
        ("create_coupons", {"startDate": "2026-06-20T00:00:01Z"}),
        ("create_coupons", {"expiryDate": "2027-01-01T00:00:00Z"}),
        ("create_coupons", {"recipientIntegrationId": "anna.schmidt"}),
        ("create_coupons_async", {"attributes": {}}),
        ("delete_campaign", {"numberOfCoupons": None, "usageLimit": None, "startDate": None}),
    ],
    ids=str,
)
async def test_another_call_than_the_plans_is_asked_about(
    catalog: Catalog,
    mode: str,
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
    arguments: dict[str, Any],
) -> None:
    call = PLANNED | {"campaignId": 19} | arguments
    wayward(monkeypatch, operation, **call)
    yes_to_the_plan = lambda question: YES if "Wayward" in question else NO  # noqa: E731
    async with open_desk(catalog, mode=mode, answering=yes_to_the_plan) as desk:
        error = await desk.error("set_up_campaign", **COPY, tags=[mode, str(arguments)])

        # In the era without a session, one reply answers one question: there is no second one.
        assert error["kind"] == {"auto": "approval_required", "legacy": "declined"}[mode]
        assert writes(desk) == []


async def test_the_same_arguments_for_another_operation_are_another_call(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    coupons: dict[str, Any] = {"applicationId": SHOP, "campaignId": SUMMER}
    wayward(
        monkeypatch, "delete_campaign", planned=PlannedCall("delete_coupons", coupons), **coupons
    )
    yes_to_the_plan = lambda question: YES if "Wayward" in question else NO  # noqa: E731
    async with open_desk(catalog, mode="legacy", answering=yes_to_the_plan) as desk:
        assert (await desk.error("set_up_campaign", **COPY))["kind"] == "declined"
        assert writes(desk) == []


async def test_the_yes_ends_with_the_plan(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    wayward(monkeypatch, "create_coupons", after=True, campaignId=19, **PLANNED)
    yes_to_the_plan = lambda question: YES if "Wayward" in question else NO  # noqa: E731
    async with open_desk(catalog, mode="legacy", answering=yes_to_the_plan) as desk:
        assert (await desk.error("set_up_campaign", **COPY))["kind"] == "declined"
        assert len(desk.questions) == 2
        assert writes(desk) == []


@pytest.mark.parametrize("works", [0, 1])
async def test_a_plan_that_cannot_be_made_again_is_not_carried_out(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, works: int
) -> None:
    made = 0

    async def failing(steps: Steps, _: Mapping[str, Any]) -> dict[str, Any]:
        async def make() -> Plan:
            nonlocal made
            made += 1
            if made > works:
                raise CallError("upstream", "The source could not be read.")
            return Plan({"name": "Wayward"}, (PlannedCall("create_coupons", PLANNED),))

        async with steps.agreed(make) as (plan, agreed):
            return await agreed.call("create_coupons", campaignId=19, **plan.calls[0].arguments)

    assert isinstance(WORKFLOWS, dict)
    monkeypatch.setitem(WORKFLOWS, "set_up_campaign", failing)
    async with open_desk(catalog, mode="legacy") as desk:
        error = await desk.error("set_up_campaign", **COPY)

        assert error["message"] == "The source could not be read."
        assert len(desk.questions) == works
        assert writes(desk) == []


# --- What is recorded --------------------------------------------------------------------------


async def test_every_write_is_recorded_with_the_plan_that_it_is_of(
    catalog: Catalog, tmp_path: Path
) -> None:
    async with with_approvals(catalog, tmp_path) as (desk, _):
        await desk.call("set_up_campaign", **COPY)

    lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    [*steps, whole] = [line for line in lines if line["outcome"] == "done"]
    assert [line["operation"] for line in steps] == [
        "copy_campaign", "update_campaign", "create_coupons",
    ]  # fmt: skip
    assert {line["via"] for line in steps} == {"set_up_campaign"}
    assert (whole["operation"], whole["confirmed"]) == ("set_up_campaign", "conversation")
    assert steps[-1]["confirmed"] == "conversation"
    assert [line.get("approval") for line in steps] == [None, None, None]
    assert whole["approval"]
