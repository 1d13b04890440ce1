"""What the audit log holds of a call, and what is masked in answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.settings import load_settings
from talonone_mcp.server.app import build_server
from talonone_mcp.store.audit import FileAuditLog, verify
from talonone_mcp.store.sqlite_ledger import LEDGER_FILE, SqliteLedger
from tests.conftest import settings_for
from tests.unit.test_gate import CAMPAIGN, YES, connected
from tests.upstream import Upstream, serve

pytestmark = pytest.mark.anyio
ISSUE = CAMPAIGN | {"numberOfCoupons": 1, "usageLimit": 1}
ANNA = {
    "id": 7,
    "name": "Anna Schmidt",
    "email": "anna.schmidt@example.com",
    "attributes": {"phone": "+49 151 23456789"},
}


def logged(upstream: Upstream) -> list[dict[str, Any]]:
    path = Path(upstream.state_dir, "audit.jsonl")
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]


async def test_how_a_call_was_confirmed_and_by_whom(catalog: Catalog, upstream: Upstream) -> None:
    server = build_server(settings_for(upstream), catalog)
    async with connected(server, lambda _: YES) as (client, _):
        await client.call_tool("create_coupons", ISSUE)
        await client.call_tool("delete_coupons", CAMPAIGN | {"value": "NONE"})
    async with Client(build_server(settings_for(upstream), catalog)) as mute:
        await mute.call_tool("delete_campaign", CAMPAIGN)
        ledger = SqliteLedger(Path(upstream.state_dir, LEDGER_FILE))
        [waiting] = ledger.waiting()
        ledger.decide(waiting.id, approve=True, by="anna")
        await mute.call_tool("delete_campaign", CAMPAIGN)
    async with Client(build_server(settings_for(upstream, confirm="off"), catalog)) as client:
        await client.call_tool("delete_campaign", CAMPAIGN | {"campaignId": 19})
        await client.call_tool("delete_campaign", CAMPAIGN | {"campaignId": 99})
        await client.call_tool("delete_campaign", {})

    told = [
        (line["operation"], line["outcome"], line.get("confirmed"), line.get("by"))
        for line in logged(upstream)
    ]
    assert told == [
        ("create_coupons", "done", None, None),
        ("delete_coupons", "asked", None, None),
        ("delete_coupons", "done", "conversation", "local"),
        ("delete_campaign", "approval_required", None, None),
        ("delete_campaign", "done", "approval", "anna"),
        ("delete_campaign", "done", "off", None),
        ("delete_campaign", "not_found", "off", None),
        ("delete_campaign", "invalid_arguments", None, None),
    ]
    first, approved = logged(upstream)[0], logged(upstream)[4]
    assert first["arguments"] == ISSUE
    assert (first["principal"], first["risk"], first["status"]) == ("local", "write", 204)
    assert first["client"]
    assert first["milliseconds"] >= 0
    assert first["impact"] == [{"kind": "gives", "measure": 1, "unit": "codes"}]
    assert {"kind": "destroys", "measure": 1, "unit": "campaigns"} in approved["impact"]
    assert approved["approval"] == waiting.id
    assert verify(Path(upstream.state_dir)).problems == ()


async def test_reads_are_logged_where_that_is_asked_for(
    catalog: Catalog, upstream: Upstream
) -> None:
    for setting, count in (("false", 0), ("true", 1)):
        environment = upstream.environment | {"TALONONE_AUDIT_READS": setting}
        async with Client(build_server(load_settings({}, environment), catalog)) as client:
            await client.call_tool("get_campaign", CAMPAIGN)
        assert len(logged(upstream)) == count


async def test_a_call_that_was_given_up_is_logged(catalog: Catalog) -> None:
    """Its client lost patience; it may have been made."""
    reached = anyio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        reached.set()
        await anyio.sleep_forever()

    with serve(slow) as upstream:
        server = build_server(settings_for(upstream), catalog, slow)
        async with Client(server) as client, anyio.create_task_group() as calls:
            calls.start_soon(client.call_tool, "create_coupons", ISSUE)
            await reached.wait()
            calls.cancel_scope.cancel()
        [line] = logged(upstream)

    assert (line["operation"], line["outcome"]) == ("create_coupons", "ended")


async def test_what_cannot_be_logged_is_not_sent(catalog: Catalog, upstream: Upstream) -> None:
    await anyio.Path(upstream.state_dir, "audit.jsonl").mkdir()
    async with Client(build_server(settings_for(upstream), catalog)) as client:
        written = await client.call_tool("create_coupons", ISSUE)
        read = await client.call_tool("get_campaign", CAMPAIGN)

    error = written.structured_content["error"]
    assert error["kind"] == "blocked"
    assert "audit.jsonl" in error["message"]
    assert upstream.changes == []
    assert not read.is_error


async def test_arguments_that_no_line_can_hold_do_not_hide_the_call(
    catalog: Catalog, upstream: Upstream
) -> None:
    deep: Any = "x"
    for _ in range(90):
        deep = {"a": deep}
    async with Client(build_server(settings_for(upstream), catalog)) as client:
        await client.call_tool("create_coupons", ISSUE | {"attributes": deep})

    [line] = logged(upstream)
    assert line["arguments"] == "[these could not be recorded]"
    assert line["operation"] == "create_coupons"


@pytest.fixture
def people() -> Iterator[Upstream]:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        known = Request(scope).method == "GET"
        body = ANNA if known else {"message": f"{ANNA['email']} is taken", "StatusCode": 409}
        await JSONResponse(body, 200 if known else 409)(scope, receive, send)

    with serve(answer) as upstream:
        yield upstream


async def test_personal_data_is_masked_on_request(catalog: Catalog, people: Upstream) -> None:
    invite = {"email": ANNA["email"], "name": "Anna Schmidt"}
    for masked in (False, True):
        settings = settings_for(people, mask_pii=masked, confirm="off")
        async with Client(build_server(settings, catalog)) as client:
            user = await client.call_tool("get_user", {"userId": 7, "fields": ["*"]})
            refused = await client.call_tool("invite_user", invite)
        shown = f"{user} {refused}"
        for private in ("Schmidt", "anna.schmidt@", "23456789"):
            assert (private in shown) is not masked
        assert user.structured_content["id"] == 7

    for line in logged(people):
        assert line["arguments"] == {"email": "a***@example.com", "name": "A*** S***"}


def test_a_changed_line_is_told_by_the_command(tmp_path: Path) -> None:
    from talonone_mcp.terminal.main import main  # noqa: PLC0415

    log = FileAuditLog(tmp_path)
    for number in range(3):
        log.append({"operation": f"number {number}"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TALONONE_STATE_DIR", str(tmp_path))
        assert main(["audit", "verify"]) == 0
        text = (tmp_path / "audit.jsonl").read_text()
        (tmp_path / "audit.jsonl").write_text(text.replace("number 1", "number 7"))
        assert main(["audit", "verify"]) == 1
        assert main(["audit", "verify", "--json"]) == 1
