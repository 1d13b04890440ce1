"""Approvals outside the conversation: one call each, for what was shown, while they live."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.clock import Clock
from talonone_mcp.core.settings import SettingsError, load_settings
from talonone_mcp.core.state_folder import approval_lifetime
from talonone_mcp.server.app import build_server
from talonone_mcp.store.ledger import (
    MAX_PENDING,
    DecisionError,
    GatedCall,
    LedgerError,
    TooManyPendingError,
)
from talonone_mcp.store.local_store import local_store
from talonone_mcp.store.sqlite_ledger import LEDGER_FILE, SqliteLedger
from talonone_mcp.terminal.main import main
from tests.conftest import settings_for
from tests.unit.test_gate import CAMPAIGN, DELETED, YES, connected, error_of
from tests.upstream import Upstream, serve

pytestmark = pytest.mark.anyio


@pytest.fixture
def path(upstream: Upstream) -> Path:
    return Path(upstream.state_dir, LEDGER_FILE)


@pytest.fixture
def ledger(path: Path) -> SqliteLedger:
    return SqliteLedger(path)


@pytest.fixture
async def client(catalog: Catalog, upstream: Upstream) -> Any:
    async with Client(build_server(settings_for(upstream), catalog)) as client:
        yield client


async def ask(client: Client, tool: str = "delete_campaign", **more: Any) -> dict[str, Any]:
    return error_of(await client.call_tool(tool, CAMPAIGN | more))


async def test_an_approved_call_runs_once(
    client: Client, ledger: SqliteLedger, upstream: Upstream
) -> None:
    error = await ask(client)
    assert error["kind"] == "approval_required"
    approval = error["approval"]
    assert approval["approve"] == f"talonone-mcp approvals approve {approval['id']}"
    assert approval["approve"] in error["hint"]
    assert "Summer promotions" in error["message"]
    assert (await ask(client))["approval"] == approval, "asked again, it is the same approval"

    ledger.decide(approval["id"], approve=True, by="anna")
    result = await client.call_tool("delete_campaign", CAMPAIGN)

    assert not result.is_error
    assert upstream.changes == DELETED
    used = ledger.get(approval["id"])
    assert used is not None
    assert (used.state, used.decided_by) == ("done", "anna")
    assert (await ask(client))["kind"] == "not_found"


async def test_the_policy_approve_never_asks_in_the_conversation(
    catalog: Catalog, ledger: SqliteLedger, upstream: Upstream
) -> None:
    server = build_server(settings_for(upstream, confirm="approve"), catalog)
    async with connected(server, lambda _: YES) as (client, asked):
        approval = (await ask(client))["approval"]
        ledger.decide(approval["id"], approve=True, by="anna")
        result = await client.call_tool("delete_campaign", CAMPAIGN)

    assert (asked, result.is_error) == ([], False)


async def test_a_denial_tells_why(client: Client, ledger: SqliteLedger, upstream: Upstream) -> None:
    approval = (await ask(client))["approval"]
    ledger.decide(approval["id"], approve=False, by="anna", reason="It still runs until May")

    for _ in range(2):
        error = await ask(client)
        assert error["kind"] == "declined"
        assert "It still runs until May" in error["message"]
    assert upstream.changes == []


async def test_an_approval_is_for_that_call_alone(
    client: Client, ledger: SqliteLedger, upstream: Upstream
) -> None:
    approval = (await ask(client))["approval"]
    ledger.decide(approval["id"], approve=True, by="anna")

    for tool, more in (
        ("delete_campaign", {"campaignId": 19}),
        ("delete_coupons", {}),
        ("delete_coupons", {"value": "A"}),
    ):
        other = (await ask(client, tool, **more))["approval"]
        assert other["id"] != approval["id"]
    assert upstream.changes == []


async def test_an_approval_of_another_deployment_or_principal_opens_nothing(
    client: Client, catalog: Catalog, ledger: SqliteLedger, upstream: Upstream
) -> None:
    approval = (await ask(client))["approval"]
    ledger.decide(approval["id"], approve=True, by="anna")

    somebody_else = build_server(settings_for(upstream), catalog, principal="somebody else")
    async with Client(somebody_else) as other:
        assert (await ask(other))["approval"]["id"] != approval["id"]
    localhost = upstream.url.replace("127.0.0.1", "localhost")  # another deployment, by its name
    settings = load_settings({}, upstream.environment | {"TALONONE_BASE_URL": localhost})
    async with Client(build_server(settings, catalog)) as other:
        assert (await ask(other))["approval"]["id"] != approval["id"]
    assert upstream.changes == []


async def test_what_changed_since_is_asked_about_again(
    client: Client, ledger: SqliteLedger, upstream: Upstream
) -> None:
    approval = (await ask(client))["approval"]
    ledger.decide(approval["id"], approve=True, by="anna")
    issued = CAMPAIGN | {"numberOfCoupons": 1, "usageLimit": 1}
    await client.call_tool("create_coupons", issued)

    error = await ask(client)

    assert error["approval"]["id"] != approval["id"]
    assert "Removes 41 codes for good" in error["message"]
    assert [method for method, _ in upstream.changes] == ["POST"]


async def test_a_counter_that_moves_by_itself_is_shown_and_binds_nothing(
    catalog: Catalog,
) -> None:
    """On a busy campaign, redemptions would make every approval stale before it is used."""
    redeemed = iter((28, 35))

    async def busy(scope: Scope, receive: Receive, send: Send) -> None:
        content = {"name": "Summer", "couponCreationCount": 40}
        if scope["method"] == "GET":
            content["couponRedemptionCount"] = next(redeemed)
        await JSONResponse(content)(scope, receive, send)

    with serve(busy) as upstream:
        async with Client(build_server(settings_for(upstream), catalog)) as client:
            error = await ask(client)
            assert "coupon redemptions: 28" in error["message"]
            ledger = SqliteLedger(Path(upstream.state_dir, LEDGER_FILE))
            ledger.decide(error["approval"]["id"], approve=True, by="anna")
            result = await client.call_tool("delete_campaign", CAMPAIGN)

        assert not result.is_error
        assert upstream.changes == DELETED


async def test_how_long_an_approval_lives_is_a_setting(
    catalog: Catalog, upstream: Upstream, ledger: SqliteLedger
) -> None:
    environment = upstream.environment | {"TALONONE_APPROVAL_SECONDS": "30"}
    assert approval_lifetime(environment) == 30
    async with Client(build_server(load_settings({}, environment), catalog)) as client:
        await ask(client)

    [waiting] = ledger.waiting()
    assert waiting.expires - waiting.created == 30


@pytest.mark.parametrize("seconds", ["0", "-1", "86401", "soon", "nan"])
def test_a_lifetime_that_is_none(upstream: Upstream, seconds: str) -> None:
    environment = upstream.environment | {"TALONONE_APPROVAL_SECONDS": seconds}
    with pytest.raises(ValueError, match=r"^TALONONE_APPROVAL_SECONDS: "):
        approval_lifetime(environment)
    with pytest.raises(SettingsError, match=r"^TALONONE_APPROVAL_SECONDS: "):
        load_settings({}, environment)


def test_a_state_directory_in_a_home_that_there_is_not(upstream: Upstream) -> None:
    environment = upstream.environment | {"TALONONE_STATE_DIR": "~nobody-such/state"}
    with pytest.raises(SettingsError, match=r"^TALONONE_STATE_DIR: "):
        load_settings({}, environment)


@pytest.mark.parametrize("command", [["approvals", "list"], ["audit", "verify"]])
def test_the_commands_say_so_too(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TALONONE_STATE_DIR", "~nobody-such/state")

    assert main(command) == 2
    assert capsys.readouterr().err.startswith("talonone-mcp: TALONONE_STATE_DIR: ")


async def test_another_tool_with_the_same_arguments_is_another_call(
    client: Client, ledger: SqliteLedger
) -> None:
    approval = (await ask(client))["approval"]
    ledger.decide(approval["id"], approve=True, by="anna")
    ledger.consume(approval["id"])  # sent, and never answered

    assert (await ask(client, "disconnect_campaign_stores"))["kind"] == "approval_required"
    assert (await ask(client))["kind"] == "outcome_unknown"


def ledger_at(path: Path, now: list[float]) -> SqliteLedger:
    """Return the ledger at a time that the test moves."""
    return SqliteLedger(path, clock=Clock(lambda: now[0]))


def entry(digest: str = "d", principal: str = "local") -> GatedCall:
    return GatedCall(principal, "client 1", "https://acme.example", "delete_campaign", "{}", digest)


@pytest.mark.parametrize(
    ("waited", "used", "runs"),
    [(599.9, 599.9, True), (0, 599.9, True), (0, 600, False), (0, 601, False), (0, -1, False)],
)
def test_an_approval_lives_ten_minutes(path: Path, waited: float, used: float, runs: bool) -> None:
    now = [1000.0]
    ledger = ledger_at(path, now)
    approval = ledger.request(entry(), "Really?", "seen")
    now[0] += waited
    ledger.decide(approval.id, approve=True, by="anna")
    now[0] += used

    assert ledger.consume(approval.id) is runs
    assert ledger.consume(approval.id) is False
    assert (ledger.request(entry(), "Really?", "seen").id == approval.id) is False


@pytest.mark.parametrize("later", [600, 601, -1])
def test_what_expired_cannot_be_decided(path: Path, later: float) -> None:
    now = [1000.0]
    ledger = ledger_at(path, now)
    approval = ledger.request(entry(), "Really?", "seen")
    now[0] += later

    with pytest.raises(DecisionError, match="expired"):
        ledger.decide(approval.id, approve=True, by="anna")


def test_what_is_decided_or_not_there_cannot_be_decided(ledger: SqliteLedger) -> None:
    approval = ledger.request(entry(), "Really?", "seen")
    ledger.decide(approval.id, approve=False, by="anna")

    with pytest.raises(DecisionError, match="already denied"):
        ledger.decide(approval.id, approve=True, by="mallory")
    with pytest.raises(DecisionError, match="no approval nothing"):
        ledger.decide("nothing", approve=True, by="anna")
    assert ledger.consume(approval.id) is False


def test_a_looping_agent_does_not_flood_a_person(path: Path) -> None:
    now = [1000.0]
    ledger = ledger_at(path, now)
    for number in range(MAX_PENDING):
        ledger.request(entry(str(number)), "Really?", "seen")

    with pytest.raises(TooManyPendingError):
        ledger.request(entry("another"), "Really?", "seen")
    assert ledger.request(entry("1"), "Really?", "seen").state == "pending", "one that waits"
    assert ledger.request(entry("another", "somebody else"), "Really?", "seen")
    now[0] += 600
    assert ledger.request(entry("another"), "Really?", "seen"), "the others have expired"


async def test_the_agent_is_told_to_stop(
    client: Client, ledger: SqliteLedger, upstream: Upstream
) -> None:
    for number in range(MAX_PENDING):
        ledger.request(entry(str(number)), "Really?", "seen")

    error = await ask(client)

    assert error["kind"] == "approval_required"
    assert "50 calls are already waiting" in error["message"]
    assert "approval" not in error
    assert upstream.changes == []


def test_many_who_ask_for_the_same_get_the_same_approval(ledger: SqliteLedger) -> None:
    with ThreadPoolExecutor(8) as pool:
        asked = pool.map(lambda _: ledger.request(entry(), "Really?", "seen").id, range(64))

    assert len(set(asked)) == 1
    assert len(ledger.waiting()) == 1


def test_pruning_keeps_what_can_still_open_or_tell(path: Path) -> None:
    now = [1000.0]
    ledger = ledger_at(path, now)
    pending, approved, sent = (ledger.request(entry(d), "Really?", "seen") for d in "abc")
    for each in (approved, sent):
        ledger.decide(each.id, approve=True, by="anna")
    ledger.consume(sent.id)
    assert ledger.prune() == 0
    now[0] += 700
    assert ledger.prune() == 1
    assert ledger.get(pending.id) is None
    now[0] += 8 * 24 * 3600
    assert ledger.prune() == 1
    left = ledger.unanswered("c")
    assert left is not None
    assert left.id == sent.id


# --- What was sent and not answered --------------------------------------------------------------


async def test_a_call_whose_answer_never_came_is_not_sent_again(
    client: Client, ledger: SqliteLedger, upstream: Upstream
) -> None:
    approval = (await ask(client))["approval"]
    ledger.decide(approval["id"], approve=True, by="anna")
    assert ledger.consume(approval["id"])  # and then the server ended

    error = await ask(client)
    assert error["kind"] == "outcome_unknown"
    assert "get_campaign" in error["hint"]
    assert upstream.requests[1:] == [], "nothing was even read"

    again = await ask(client)
    assert again["kind"] == "approval_required", "told once, a person may decide anew"
    assert again["approval"]["id"] != approval["id"]
    assert upstream.changes == []


KILLED = """
import sys
import anyio, os, signal
from mcp import Client, types
from talonone_mcp.core import catalog
from talonone_mcp.server.app import build_server
from talonone_mcp.upstream.connection import Upstream
from talonone_mcp.store.local_store import local_store
from talonone_mcp.store.sqlite_ledger import SqliteLedger
from talonone_mcp.core.settings import SettingsError, load_settings
from talonone_mcp.core.state_folder import approval_lifetime

point = sys.argv[1]

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

async def send(self, operation, request, send=Upstream.send, **more):
    if operation.risk == "read":
        return await send(self, operation, request, **more)
    if point == "before sending":
        die()
    answer = await send(self, operation, request, **more)
    die()

Upstream.send = send
if point == "after entering":
    SqliteLedger.enter = lambda self, *a, f=SqliteLedger.enter, **k: (f(self, *a, **k), die())
    SqliteLedger.consume = lambda self, *a, f=SqliteLedger.consume: (f(self, *a), die())

async def yes(context, params):
    return types.ElicitResult(action="accept", content={"approve": True})

async def main():
    server = build_server(load_settings({}, os.environ), catalog.load())
    callback = yes if sys.argv[2] == "asked" else None
    async with Client(server, elicitation_callback=callback) as client:
        await client.call_tool("delete_campaign", {"applicationId": 42, "campaignId": 18})

anyio.run(main)
"""


@pytest.mark.parametrize("how", ["asked", "approved"])
@pytest.mark.parametrize("point", ["after entering", "before sending", "after sending"])
async def test_a_server_that_is_killed_never_sends_twice(
    client: Client, ledger: SqliteLedger, upstream: Upstream, point: str, how: str
) -> None:
    if how == "approved":
        approval = (await ask(client))["approval"]
        ledger.decide(approval["id"], approve=True, by="anna")
    environment = os.environ | upstream.environment
    command = [sys.executable, "-c", KILLED, point, how]
    killed = await anyio.run_process(command, env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    sent = len(upstream.changes)
    assert sent == (point == "after sending")

    error = await ask(client)

    assert error["kind"] == "outcome_unknown"
    assert len(upstream.changes) == sent


async def test_an_answer_counts_though_the_ledger_breaks_meanwhile(
    client: Client,
    ledger: SqliteLedger,
    upstream: Upstream,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    approval = (await ask(client))["approval"]
    ledger.decide(approval["id"], approve=True, by="anna")

    def broken(*_: object) -> None:
        raise LedgerError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(SqliteLedger, "close", broken)
        result = await client.call_tool("delete_campaign", CAMPAIGN)

    assert not result.is_error
    assert "the disk is full" in caplog.text
    assert (await ask(client))["kind"] == "outcome_unknown"
    assert upstream.changes == DELETED


def test_a_yes_can_be_taken_back(ledger: SqliteLedger) -> None:
    approval = ledger.request(entry(), "Really?", "seen")
    ledger.decide(approval.id, approve=True, by="anna")
    ledger.decide(approval.id, approve=False, by="anna", reason="On second thought")

    assert ledger.consume(approval.id) is False
    with pytest.raises(DecisionError, match="already denied"):
        ledger.decide(approval.id, approve=True, by="anna")


async def test_a_failure_that_is_known_may_be_tried_again(
    client: Client, ledger: SqliteLedger, upstream: Upstream
) -> None:
    """Upstream refuses: the approval is used up, and the next call is asked about anew."""
    pattern = {"couponPattern": "ONLY-ONE", "validCharacters": ["A"]}
    one = {**CAMPAIGN, "usageLimit": 1, "numberOfCoupons": 1, **pattern}
    await client.call_tool("create_coupons", one)
    arguments = {
        "attributes": {},
        "usageLimit": 1,
        "numberOfCoupons": 200,
        "couponSettings": pattern,
    }
    approval = (await ask(client, "create_coupons_async", **arguments))["approval"]
    ledger.decide(approval["id"], approve=True, by="anna")
    refused = await ask(client, "create_coupons_async", **arguments)
    assert refused["kind"] == "invalid_arguments"

    again = await ask(client, "create_coupons_async", **arguments)

    assert again["approval"]["id"] != approval["id"]


# --- A ledger that cannot be used ----------------------------------------------------------------


def foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE notes (text)")


def truncated(path: Path) -> None:
    SqliteLedger(path).request(entry(), "Really?", "seen")
    with path.open("r+b") as file:
        file.truncate(5000)


def of_a_later_version(path: Path) -> None:
    SqliteLedger(path).waiting()
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 2")


def no_database(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("Dear diary, " * 500)


def a_folder(path: Path) -> None:
    path.mkdir(parents=True)


@pytest.mark.parametrize("spoil", [foreign, truncated, of_a_later_version, no_database, a_folder])
@pytest.mark.parametrize("can_ask", [True, False])
async def test_the_gate_fails_closed(
    catalog: Catalog,
    upstream: Upstream,
    path: Path,
    spoil: Callable[[Path], None],
    can_ask: bool,
) -> None:
    spoil(path)
    server = build_server(settings_for(upstream), catalog)
    async with connected(server, (lambda _: YES) if can_ask else None) as (client, asked):
        error = await ask(client)
        read = await client.call_tool("get_campaign", CAMPAIGN)

    assert error["kind"] == "blocked"
    assert LEDGER_FILE in error["message"]
    assert "TALONONE_STATE_DIR" in error["hint"]
    assert (asked, upstream.changes) == ([], [])
    assert not read.is_error, "a read has no part in it"


async def test_a_ledger_that_another_process_holds(
    catalog: Catalog, path: Path, upstream: Upstream
) -> None:
    settings, ledger = settings_for(upstream), SqliteLedger(path, lock_timeout_s=0.01)
    ledger.waiting()
    server = build_server(settings, catalog, store=replace(local_store(settings), ledger=ledger))
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("BEGIN EXCLUSIVE")
        async with Client(server) as client:
            error = await ask(client)
            db.execute("ROLLBACK")
            again = await ask(client)

    assert (error["kind"], "locked" in error["message"]) == ("blocked", True)
    assert upstream.changes == []
    assert again["kind"] == "approval_required"


def test_the_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / LEDGER_FILE
    SqliteLedger(path).waiting()

    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


USED_UP = """
import sys
from pathlib import Path
from talonone_mcp.store.local_store import local_store
from talonone_mcp.store.sqlite_ledger import SqliteLedger

ledger = SqliteLedger(Path(sys.argv[1]))
sys.stdin.readline()
print(sum(ledger.consume(sys.argv[2]) for _ in range(50)))
"""


def test_of_many_processes_one_uses_an_approval(path: Path, ledger: SqliteLedger) -> None:
    approval = ledger.request(entry(), "Really?", "seen")
    ledger.decide(approval.id, approve=True, by="anna")
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", USED_UP, str(path), approval.id],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    used = [process.communicate("go\n", timeout=60)[0] for process in processes]

    assert sum(map(int, used)) == 1


@pytest.mark.parametrize(
    ("setting", "tool", "arguments"),
    [
        ("COUPONS", "create_coupons", {"numberOfCoupons": 4, "usageLimit": 1}),
        ("COUPONS", "create_coupons_for_recipients",
         {"recipientsIntegrationIds": ["a", "b", "c", "d"], "usageLimit": 1}),
    ],
)  # fmt: skip
async def test_thresholds_are_settings(
    catalog: Catalog, upstream: Upstream, setting: str, tool: str, arguments: dict[str, Any]
) -> None:
    for limit, guarded in (("3", True), ("4", False), ("0", True)):
        environment = upstream.environment | {f"TALONONE_CONFIRM_{setting}_ABOVE": limit}
        async with Client(build_server(load_settings({}, environment), catalog)) as client:
            result = await client.call_tool(tool, CAMPAIGN | arguments)
        assert (result.is_error, limit) == (guarded, limit)
