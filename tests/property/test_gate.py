"""A mutating request reaches upstream exactly as often as a person approved that very call.

Clients of every kind call every guarded operation, through two servers that share one ledger, and
everything that can go wrong goes wrong: refusals, garbled answers, replayed and crossed states,
approvals denied, expired, for something else, used by many at once, changes in between, restarts.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcp import Client, MCPError, types
from mcp.client import ClientRequestContext
from mcp.client.streamable_http import streamable_http_client
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from talonone_mcp.core.catalog import Catalog, Operation, Tool, load
from talonone_mcp.core.catalog.validation import problems
from talonone_mcp.core.clock import Clock
from talonone_mcp.core.settings import load_settings
from talonone_mcp.server.app import build_server
from talonone_mcp.store.ledger import DecisionError
from talonone_mcp.store.sqlite_ledger import LEDGER_FILE, SqliteLedger
from tests.clocks import Leaping
from tests.contract.facts import example_arguments, load_facts

STEPS, EXAMPLES = 50, int(os.environ.get("TALONONE_GATE_EXAMPLES", "160"))  # 8,000 steps
PARTS = 8  # so that every core has one
FACTS = {fact["tool"]: fact for fact in load_facts()}
SHARED = Path("/dev/shm") if Path("/dev/shm").is_dir() else None  # a ledger on a disk waits for it
PLAN = "set_up_campaign"  # copies a campaign, and creates more coupons than go out unconfirmed
UNASKED = {  # with the arguments of this test
    "destroy_session",  # no request of the account
    "cep_create_or_get_coupon", "cep_create_referral", "create_referral", "reserve_coupon",  # one
    "generate_loyalty_card",  # one
    "update_audience", "update_campaign_collection",  # nothing is lost
    "update_customer_profiles", "update_store",  # nor here
}  # fmt: skip
GUARDED = [
    tool
    for tool in load().tools
    if (tool.impact or tool.name == PLAN)
    and "capillary" not in tool.apis
    and tool.name not in UNASKED
]
REQUESTS = {PLAN: 2}  # that a call sends when a person agreed; the others send one
REHEARSED = {"update_customer_profile", "update_customer_session"}  # shown by a dry run, not a read
EARNED = {"effectType": "addLoyaltyPoints", "props": {"name": "x", "value": 5000}}  # by orders
VARIED = ("email", "csv", "resetToken", "userName", "displayName", "profileId")
LISTED = (1, 10, 11, 1194, 2154)  # the ids of the examples
ABOVE = {  # what makes a call do so much that a person is asked
    "points": 5000, "numberOfCoupons": 101, "numberOfCards": 101, "state": "disabled",
    "recipientsIntegrationIds": [f"c{n}" for n in range(101)], "status": "inactive",
    "advocateProfileIntegrationIds": [f"c{n}" for n in range(101)], "isAdmin": True,
    "data": [{"action": "delete", "audienceId": 748, "profileIntegrationId": "R195412"}],
    "actions": [{"type": "REMOVE", "payload": {"sku": "A"}}],
}  # fmt: skip
SHOWN = {
    path.removesuffix("~")
    for operation in GUARDED
    if isinstance(operation, Operation) and operation.before
    for path in operation.before.now.values()
}
YES = types.ElicitResult(action="accept", content={"approve": True})
ANSWERS: list[Any] = [
    YES,
    YES,
    types.ElicitResult(action="decline"),
    types.ElicitResult(action="cancel"),
    types.ElicitResult(action="accept"),
    types.ElicitResult(action="accept", content={"approve": "true"}),
    types.ElicitResult(action="accept", content={"approve": 1}),
    types.ElicitResult(action="accept", content={"approve": False}),
    types.ElicitResult(action="decline", content={"approve": True}),
    types.ErrorData(code=types.METHOD_NOT_FOUND, message="no such thing"),
]
KINDS = ["modern", "modern mute", "legacy", "legacy mute", "http", "http mute"]


def arguments_of(operation: Tool, variant: int) -> dict[str, Any]:
    """Return arguments that a person must confirm; another variant is another call."""
    if not isinstance(operation, Operation):
        coupons = {"count": 101 + variant}
        return {"applicationId": 42, "name": "Copy", "copyOf": 18, "coupons": coupons}
    arguments = example_arguments(FACTS[operation.name], operation)
    arguments |= {name: value for name, value in ABOVE.items() if name in arguments}
    if operation.name == "update_user":
        arguments["state"] = "deactivated"
    if "csv" in arguments:
        arguments["csv"] = long_csv(arguments["csv"])
    if operation.name == "update_profile_audiences":
        [change] = arguments["data"]
        return {"data": [change | {"audienceId": 748 + variant}]}
    if operation.name == "update_customer_session":
        arguments["customerSession"] |= {"state": "closed"}
    for name, schema in operation.input_schema["properties"].items():
        if name in operation.path_arguments or name in VARIED:
            if schema["type"] == "integer":
                arguments[name] += variant
            elif name == "email":
                arguments[name] = f"v{variant}@example.com"
            else:
                arguments[name] += "z" * variant
            return arguments
    name = "loyaltyProgramId" if "loyaltyProgramId" in arguments else "campaignId"
    return arguments | {name: arguments[name] + variant}


def long_csv(csv: str) -> str:
    """Return a CSV of so many rows, and so many points in each, that a person is asked."""
    head, row, *_ = csv.splitlines()
    rows = [f"{number}{row}".replace(",1,immediate", ",100,immediate") for number in range(101)]
    return "\n".join([head, *rows, ""])


class World:
    """Upstream, the servers before it, the clients before those, and what a person approved."""

    def __init__(self, catalog: Catalog, folder: Path) -> None:
        self.catalog = catalog
        self.folder = folder
        self.sent: Counter[bytes] = Counter()
        self.approved: Counter[str] = Counter()
        self.version = 1
        self.now = 1_000_000.0
        self.answer: Any = YES
        self.change_while_asking = False
        self.stack = AsyncExitStack()
        self.clients: dict[tuple[int, str], Client] = {}
        self.states: list[tuple[str, dict[str, Any], str]] = []
        self.asked = 0
        self.clock = replace(Leaping().clock, now=lambda: self.now)

    async def upstream(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a read with values of the present version, and count everything else."""
        request = Request(scope, receive)
        body = await request.body()
        read = request.method == "GET"
        if request.url.path.endswith("/copy"):
            self.sent[b"copy"] += 1
            copied = {"id": 33, "applicationId": 42, "state": "disabled", "features": ["coupons"]}
            answer = {"data": [copied | {"name": json.loads(body)["name"]}]}
            await JSONResponse(answer)(scope, receive, send)
            return
        if request.query_params.get("dry") == "true":
            await JSONResponse({"effects": [EARNED]})(scope, receive, send)
            return
        if not read:
            line = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
            self.sent[line + (b"csv" if b"multipart" in body[:50] else body)] += 1
        await JSONResponse(self.preview if read else {"id": 1})(scope, receive, send)

    @property
    def preview(self) -> dict[str, Any]:
        """Whatever any question shows, in the present version: lists that grow, and texts."""
        preview: dict[str, Any] = {"id": 18, "applicationId": 42, "state": "disabled"}
        for path in sorted(SHOWN, key=lambda path: (-path.count("."), path)):  # outer ones last
            *steps, last = path.removesuffix(".length").split(".")
            inner = preview
            for step in steps:
                inner = inner.setdefault(step, {})
            long = f"{path}.length" in SHOWN or path.endswith(".length")
            text = f"version {self.version}"
            inner.setdefault(last, ["item"] * self.version if long else text)
        common = {"name": f"version {self.version}", "frontendState": "running"}
        points = {"currentBalance": 10_000 + self.version, "pendingBalance": 0}
        return preview | {
            "name": common["name"],
            "ledger": points,
            "subledgers": {},
            "subledgerBalances": {},
            "profiles": [{"integrationId": "R195412"}],
            "features": ["coupons"],
            "data": [common | {"id": number} for number in LISTED] * self.version,
            "limits": [],
            "tags": [],
        }

    async def client(self, server: int, kind: str) -> Client:
        """Return a client of this kind at this server, both started at first use."""
        if (server, kind) not in self.clients:
            environment = {
                "TALONONE_BASE_URL": "https://acme.example",
                "TALONONE_MANAGEMENT_KEY": "management-key-of-the-test",
                "TALONONE_INTEGRATION_KEY": "integration-key-of-the-test",
                "TALONONE_THIRD_PARTY_KEY": "third-party-key-of-the-test",
                "TALONONE_THIRD_PARTY_URL": "https://acme.example",
                "TALONONE_PLATFORM_NAME": "platform",
                "TALONONE_STATE_DIR": str(self.folder),
            }
            few = load_settings({"toolsets": ("webhooks",)}, environment)  # a short list; all can
            built = build_server(few, self.catalog, self.upstream, clock=self.clock)  # be called
            mode = "legacy" if "legacy" in kind else "auto"
            callback = None if "mute" in kind else self._answer
            way = await self._over_http(built) if "http" in kind else built
            client = Client(way, mode=mode, elicitation_callback=callback)
            self.clients[server, kind] = await self.stack.enter_async_context(client)
        return self.clients[server, kind]

    async def _over_http(self, server: Any) -> Any:
        """Serve over Streamable HTTP, without a socket; each request stands for itself."""
        app = server.streamable_http_app(host="127.0.0.1")
        await self.stack.enter_async_context(app.router.lifespan_context(app))
        transport = httpx2.ASGITransport(app)
        http = await self.stack.enter_async_context(httpx2.AsyncClient(transport=transport))
        return streamable_http_client("http://127.0.0.1:8000/mcp", http_client=http)

    async def _answer(
        self, context: ClientRequestContext, params: types.ElicitRequestParams
    ) -> types.ElicitResult | types.ErrorData:
        self.asked += 1
        if self.change_while_asking:
            self.change_while_asking = False
            self.version += 1
        answer: types.ElicitResult | types.ErrorData = self.answer
        return answer

    @property
    def ledger(self) -> SqliteLedger:
        return SqliteLedger(self.folder / LEDGER_FILE, clock=Clock(lambda: self.now))

    @property
    def ready(self) -> dict[str, str]:
        """The approvals that are given and not used, each with the digest of its call."""
        approved = (each for each in self.ledger.waiting() if each.state == "approved")
        return {each.id: each.call.digest for each in approved}

    async def restart(self) -> None:
        """End every server and client; what they had in memory is gone."""
        await self.stack.aclose()
        self.stack, self.clients = AsyncExitStack(), {}


def requests_of(operation: Tool) -> int:
    """Return how many requests one call sends."""
    return REQUESTS.get(operation.name, 1)


def _error(result: Any) -> str:
    return str(result.structured_content["error"]["kind"]) if result.is_error else "ok"


async def call(world: World, step: dict[str, Any]) -> None:
    """Make a call; it is sent once if its person plainly says yes, and otherwise not at all."""
    operation = GUARDED[step["operation"]]
    arguments = arguments_of(operation, step["variant"])
    client = await world.client(step["server"], step["kind"])
    world.answer = step["answer"]
    world.change_while_asking = step["change"]
    ready = world.ready
    before, asked = world.sent.total(), world.asked
    try:
        result = await client.call_tool(operation.name, arguments)
    except MCPError:  # this client gives up by itself when its person cannot be asked
        assert isinstance(step["answer"], types.ErrorData)
        assert world.sent.total() == before
        return
    sent = world.sent.total() - before
    was_asked = world.asked > asked
    plain_yes = was_asked and step["answer"] is YES
    outcome = _error(result)

    assert sent == (outcome == "ok") * requests_of(operation), outcome
    if was_asked and not isinstance(step["answer"], types.ErrorData):
        assert bool(sent) == plain_yes, outcome
        assert outcome in ("ok", "declined")
    elif sent:  # nobody was asked: an approval given outside was used up
        [used] = set(ready) - set(world.ready)
        world.approved[ready[used]] -= 1
    else:
        assert outcome in ("approval_required", "declined"), result.structured_content


async def replay(world: World, step: dict[str, Any]) -> None:
    """Answer a question of the past once more, or with it another call: nothing is sent."""
    if not world.states:
        return
    tool, arguments, state = world.states[step["operation"] % len(world.states)]
    if step["variant"]:
        other = GUARDED[step["operation"]]
        tool, arguments = other.name, arguments_of(other, step["variant"])
    client = await world.client(step["server"], "modern")
    before = world.sent.total()
    try:
        result = await client.session.call_tool(
            tool,
            arguments,
            input_responses={"confirmation": YES},
            request_state=state,
            allow_input_required=True,
        )
    except MCPError:
        result = None
    assert world.sent.total() == before, result


async def question(world: World, step: dict[str, Any]) -> None:
    """Have a question asked and answer it oneself, twice at once: it is sent once."""
    operation = GUARDED[step["operation"]]
    arguments = arguments_of(operation, step["variant"])
    client = await world.client(step["server"], "modern")
    asked = await client.session.call_tool(operation.name, arguments, allow_input_required=True)
    if not isinstance(asked, types.InputRequiredResult):
        return
    state = asked.request_state or ""
    if isinstance(step["answer"], types.ErrorData):
        return
    world.states.append((operation.name, arguments, state))
    if step["change"]:
        world.version += 1
    before = world.sent.total()
    outcomes: list[Any] = []

    async def answer() -> None:
        outcomes.append(
            await client.session.call_tool(
                operation.name,
                arguments,
                input_responses={"confirmation": step["answer"]},
                request_state=state,
                allow_input_required=True,
            )
        )

    async with anyio.create_task_group() as both:
        both.start_soon(answer)
        both.start_soon(answer)
    reads = not isinstance(operation, Operation) or operation.before is not None
    shows_state = reads and operation.name not in REHEARSED
    unseen = step["change"] and shows_state
    agreed = step["answer"] is YES and not unseen
    expected = agreed * requests_of(operation)
    assert world.sent.total() - before == expected, (operation.name, step["change"], expected)


async def many(world: World, step: dict[str, Any]) -> None:
    """Make one call eight times at once, through both servers, with nobody to ask."""
    operation = GUARDED[step["operation"]]
    arguments = arguments_of(operation, step["variant"])
    clients = [await world.client(server, "modern mute") for server in (0, 1)]
    ready = world.ready
    before = world.sent.total()
    async with anyio.create_task_group() as calls:
        for number in range(8):
            calls.start_soon(clients[number % 2].call_tool, operation.name, arguments)
    used = set(ready) - set(world.ready)
    assert world.sent.total() - before == len(used) * requests_of(operation)
    assert len(used) <= 1
    for approval in used:
        world.approved[ready[approval]] -= 1


async def decide(world: World, step: dict[str, Any]) -> None:
    """Approve or deny what waits, as a person at a terminal does."""
    waiting = [each for each in world.ledger.waiting() if each.state == "pending"]
    if not waiting:
        return
    chosen = waiting[step["operation"] % len(waiting)]
    approve = step["answer"] is YES
    try:
        world.ledger.decide(chosen.id, approve=approve, by="a person", reason="because")
    except DecisionError:
        raise AssertionError("what waits can be decided") from None
    world.approved[chosen.call.digest] += approve


async def wait(world: World, step: dict[str, Any]) -> None:
    """Let time pass, or jump back."""
    world.now += (0.5, 599.0, 600.0, 601.0, -50.0)[step["operation"] % 5]


async def restart(world: World, step: dict[str, Any]) -> None:
    await world.restart()


async def change(world: World, step: dict[str, Any]) -> None:
    world.version += 1


ACTIONS = [call] * 8 + [question] * 3 + [replay] * 2 + [decide] * 4 + [many, wait, change]
steps = st.fixed_dictionaries(
    {
        "action": st.sampled_from(ACTIONS) | st.sampled_from([restart, call, call, call]),
        "operation": st.integers(0, len(GUARDED) - 1) | st.integers(0, 2),
        "variant": st.integers(0, 1),
        "server": st.integers(0, 1),
        "kind": st.sampled_from(KINDS),
        "answer": st.sampled_from(ANSWERS),
        "change": st.booleans(),
    }
)


def test_every_guarded_operation_is_among_them() -> None:
    """Left out: Capillary has no guarded one, and what `UNASKED` names."""
    assert {tool.name for tool in load().tools if tool.impact} >= UNASKED
    assert PLAN in {operation.name for operation in GUARDED}
    assert len(GUARDED) == 87
    for operation in GUARDED:
        calls = [arguments_of(operation, variant) for variant in (0, 1)]
        assert calls[0] != calls[1]
        for arguments in calls:
            assert problems(operation, arguments) == []


@pytest.mark.anyio
@pytest.mark.parametrize("variant", [0, 1])
@pytest.mark.parametrize("operation", GUARDED, ids=lambda operation: operation.name)
async def test_each_of_them_is_asked_about(
    operation: Tool, variant: int, catalog: Catalog, tmp_path: Path
) -> None:
    world = World(catalog, tmp_path)
    try:
        client = await world.client(0, "modern mute")
        result = await client.call_tool(operation.name, arguments_of(operation, variant))
    finally:
        await world.restart()

    assert _error(result) == "approval_required", result.structured_content
    assert world.sent.total() == 0


def play(script: list[dict[str, Any]]) -> None:
    async def run() -> None:
        with tempfile.TemporaryDirectory(dir=SHARED) as folder:
            world = World(load(), Path(folder))
            try:
                for step in script:
                    await step["action"](world, step)
                    assert all(count >= 0 for count in world.approved.values())
            finally:
                await world.restart()

    anyio.run(run)


@pytest.mark.parametrize("part", range(PARTS))
@settings(
    max_examples=math.ceil(EXAMPLES / PARTS),
    derandomize=False,  # on CI, too: otherwise all parts would be the same
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(script=st.lists(steps, min_size=STEPS, max_size=STEPS))
def test_sent_as_often_as_approved(part: int, script: list[dict[str, Any]]) -> None:
    play(script)
