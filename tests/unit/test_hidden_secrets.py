"""No secret of upstream's reaches a model, a log or a kept answer; people find some in files."""

from __future__ import annotations

import json
import os
import re
import stat
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.hiding import hide
from talonone_mcp.core.settings import load_settings
from talonone_mcp.sandbox.app import Sandbox
from talonone_mcp.store.local_store import local_store
from tests.clocks import Leaping
from tests.desk import Desk, open_desk
from tests.faulty import answer
from tests.unit.test_exports import answering, read, server_at
from tests.wired import Wire

pytestmark = pytest.mark.anyio
SECRET = "Gy9b8w1irmQtEPo5RmbMmSPheL5h4"
PAYLOAD = json.dumps({"apiKey": SECRET, "message": "hello"})
ENCODED = b64encode(PAYLOAD.encode()).decode()
HEADERS = [f"Authorization: Bearer {SECRET}", "Content-Type: application/json"]
DAY = {"rangeStart": "2020-01-01T00:00:00Z", "rangeEnd": "2040-01-01T00:00:00Z"}
READS: dict[str, dict[str, Any]] = {
    "list_users": {},
    "get_user": {"userId": 900},
    "list_webhooks": {},
    "get_webhook": {"webhookId": 11},
    "list_access_logs": {"applicationId": 42, **DAY},
    "list_message_logs": {"entityType": "webhook"},
    "list_webhook_logs": {},
    "list_audit_logs": {},
}


def plant(app: Sandbox) -> None:
    """Put the secret wherever upstream may have one."""
    store = app.store
    user, *_ = store.select("users")
    invited = user | {"id": 900, "email": "new@example.com", "state": "invited"}
    store.add("users", invited | {"inviteToken": SECRET}, label="new@example.com")
    for webhook in store.select("webhooks"):
        url = f"https://robot:{SECRET}@example.com/x?api_key={SECRET}&shop=1"
        store.replace("webhooks", webhook | {"headers": HEADERS, "url": url, "payload": PAYLOAD})
    for entry in store.select("access_logs"):
        uri = f"/v1/customer_profiles/anna?token={SECRET}"
        texts = {"requestPayload": PAYLOAD, "responsePayload": PAYLOAD[:-5]}
        store.replace("access_logs", entry | texts | {"requestUri": uri})
    for entry in store.select("message_logs"):
        sent = {"request": entry["request"] | {"request": ENCODED, "headers": HEADERS}}
        url = f"https://hooks.slack.com/services/{SECRET}"
        store.replace("message_logs", entry | sent | {"url": url})
    for entry in store.select("changes"):
        states = {"old": {"headers": HEADERS}, "new": {"webhook": {"headers": HEADERS}}}
        store.replace("changes", entry | states)
    like, *_ = store.select("stores")
    kept = like | {"id": 901, "integrationId": "PLANTED", "attributes": {"apiToken": SECRET}}
    store.add("stores", kept, parent=42)


@dataclass(frozen=True, slots=True)
class Office:
    """A desk, and the state directory of its server."""

    desk: Desk
    state_dir: Path

    def files(self) -> list[Path]:
        return [path for path in self.state_dir.rglob("*") if path.is_file()]

    def secret_files(self) -> list[Path]:
        return [path for path in self.files() if path.parent.name == "secrets"]

    def assert_clean(self) -> None:
        for path in {*self.files()} - {*self.secret_files()}:
            assert SECRET.encode() not in path.read_bytes(), path


@asynccontextmanager
async def office(catalog: Catalog, state_dir: Path, **flags: Any) -> AsyncIterator[Office]:
    async with open_desk(
        catalog, state_dir=state_dir, audit_reads=True, toolsets=("all",), **flags
    ) as desk:
        plant(desk.sandbox)
        yield Office(desk, state_dir)


def is_clean(shown: object) -> bool:
    text = json.dumps(shown)
    return SECRET not in text and ENCODED not in text


@pytest.mark.parametrize("name", READS)
async def test_no_read_shows_a_secret(
    catalog: Catalog, tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    async with office(catalog, tmp_path) as at:
        given = READS[name] | {"fields": ["*"]}
        result = await at.desk.client.call_tool(name, given)
        assert not result.is_error, result.structured_content
        assert is_clean(result.structured_content)
        assert is_clean([block.model_dump(mode="json") for block in result.content])
        assert "[hidden" in json.dumps(result.structured_content)

        cut = await at.desk.call(name, **given, maxTokens=200)
        if whole := cut.get("page", {}).get("whole"):
            [contents] = (await at.desk.client.read_resource(whole)).contents
            assert is_clean(contents.model_dump(mode="json"))
        at.assert_clean()

    assert SECRET not in "".join(capfd.readouterr())


async def test_what_is_no_secret_stays(catalog: Catalog, tmp_path: Path) -> None:
    async with office(catalog, tmp_path) as at:
        webhook = await at.desk.call("get_webhook", webhookId=11, fields=["*"])
        log = await at.desk.call("list_message_logs", entityType="webhook", fields=["*"])

    assert webhook["headers"] == ["Authorization: [hidden]", "Content-Type: application/json"]
    assert webhook["url"] == "https://[hidden]@example.com/x?api_key=[hidden]&shop=1"
    assert json.loads(webhook["payload"]) == {"apiKey": "[hidden]", "message": "hello"}
    shown = json.dumps({"apiKey": "[hidden]", "message": "hello"})
    assert b64encode(shown.encode()).decode() in json.dumps(log)


async def test_a_person_reads_an_invitations_token_from_a_file(
    catalog: Catalog, tmp_path: Path
) -> None:
    async with office(catalog, tmp_path, confirm="off") as at:
        user_shown = await at.desk.call("invite_user", email="zoe@example.com")
        [user] = at.desk.sandbox.store.select("users")[-1:]
        token = user["inviteToken"]
        at.assert_clean()

    [path] = at.secret_files()
    assert user_shown["inviteToken"] == f"[hidden: a person can read it in {path}]"
    assert path.read_text() == f"inviteToken: {token}\n"
    assert re.fullmatch(r"invite_user-s[0-9a-f]{16}\.txt", path.name)
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_an_invitation_is_sent_again_without_anybody_seeing_its_token(
    catalog: Catalog, tmp_path: Path
) -> None:
    async with office(catalog, tmp_path, confirm="off") as at:
        user = await at.desk.call("get_user", userId=900, fields=["inviteToken"])
        shown = user["inviteToken"]
        await at.desk.call("get_user", userId=900)
        assert len(at.secret_files()) == 1
        again = await at.desk.call("resend_invitation", email="new@example.com", token=shown)
        assert again["token"] == "[hidden]"
        at.secret_files()[0].unlink()
        error = await at.desk.error("resend_invitation", email="new@example.com", token=shown)
        at.assert_clean()

    assert error["details"] == [{"at": "token", "problem": "is in no file any more"}]


async def test_what_stands_for_a_secret_is_not_sent(catalog: Catalog, tmp_path: Path) -> None:
    async with office(catalog, tmp_path, confirm="off") as at:
        error = await at.desk.error(
            "create_store",
            applicationId=42,
            name="x",
            description="x",
            integrationId="x",
            attributes={"keys": ["a", {"apiToken": "[hidden]"}]},
        )

    assert error["kind"] == "invalid_arguments"
    assert error["details"][0]["at"] == "attributes.keys[1].apiToken"
    assert not [each for each in at.desk.account.requests if each.startswith("POST")]


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("create_points_notification", {"loyaltyProgramId": 5}),
        ("create_pending_points_notification", {"loyaltyProgramId": 5}),
        ("create_strikethrough_notification", {"applicationId": 42}),
    ],
)
async def test_the_headers_of_a_notification_come_back_hidden(
    catalog: Catalog, tmp_path: Path, name: str, owner: dict[str, int]
) -> None:
    async with office(catalog, tmp_path, confirm="off") as at:
        if "loyaltyProgramId" in owner:
            owner = {"loyaltyProgramId": at.desk.sandbox.store.select("loyalty_programs")[0]["id"]}
        webhook = {"url": "https://example.com/x", "headers": HEADERS}
        shown = await at.desk.call(name, **owner, policy={}, webhook=webhook)
        at.assert_clean()

    assert shown["webhook"]["headers"] == [
        "Authorization: [hidden]",
        "Content-Type: application/json",
    ]


async def test_an_attribute_that_is_a_token_is_hidden(catalog: Catalog, tmp_path: Path) -> None:
    async with office(catalog, tmp_path) as at:
        stores = await at.desk.call("list_stores", applicationId=42, fields=["*"], maxTokens=9000)

    assert is_clean(stores)
    assert "[hidden]" in json.dumps(stores)


async def test_an_export_is_read_without_secrets(catalog: Catalog) -> None:
    rows = "".join(f'C{number},{SECRET},"{{""pwd"": ""{SECRET}""}}"\n' for number in range(3000))
    with answering("value,access_token,attributes\n" + rows) as upstream:
        async with Client(server_at(catalog, upstream)) as client:
            result = await client.call_tool("export_coupons", {"applicationId": 42})
            assert is_clean(result.structured_content)
            export = result.structured_content["export"]
            whole = await read(client, export["uri"])
            part = await read(client, f"{export['uri']}?from=2990&rows=5")

    assert is_clean([whole, part])
    assert whole.splitlines()[3000] == 'C2999,[hidden],"{""pwd"": ""[hidden]""}"'


async def test_an_error_repeats_no_secret(wire: Wire) -> None:
    error = {"title": "wrong", "details": f"password={SECRET}"}
    body = {"message": f"refused https://x:{SECRET}@example.com", "errors": [error]}
    wire.server.meet(answer(400, json.dumps(body).encode()))

    failed = await wire.fail("get_campaign")

    assert is_clean([failed.message, [*map(dict, failed.details)]])
    assert "[hidden]" in failed.message


async def test_every_other_answer_of_the_demo_account_stays_as_it_is(catalog: Catalog) -> None:
    """Codes, ids and names look much like secrets; none may be taken for one."""
    async with open_desk(catalog) as desk:
        kinds = desk.sandbox.store
        for kind in KINDS:
            for document in kinds.select(kind):
                hidden = hide(document)
                if kind == "users":
                    assert hidden.pop("inviteToken") in {"", "[hidden]"}
                    document.pop("inviteToken")
                assert hidden == document


KINDS = (
    "access_logs", "achievement_progress", "achievements", "additional_costs", "applications",
    "attributes", "audience_members", "audiences", "campaigns", "catalog_items", "catalogs",
    "changes", "collection_items", "collections", "coupons", "customers", "event_types", "events",
    "exports", "giveaways", "loyalty_cards", "loyalty_entries", "loyalty_ledgers",
    "loyalty_programs", "message_logs", "redemptions", "referrals", "roles", "rulesets",
    "sessions", "stores", "users", "webhooks",
)  # fmt: skip


def test_a_secret_file_is_gone_after_a_day(tmp_path: Path) -> None:
    time = Leaping()
    files = local_store(
        load_settings({"sandbox": True, "state_dir": tmp_path, "transport": "http"}, {}),
        time.clock,
    ).secret_files

    location = files.keep("invite_user", {"inviteToken": SECRET})
    path = Path(location.removesuffix(" on the server"))

    assert location.endswith(".txt on the server")
    assert files.find(location) == SECRET
    assert files.find(str(tmp_path / "secrets" / "other.txt")) is None
    files.prune()
    assert path.is_file()
    os.utime(path, (0, path.stat().st_mtime - 86_500))
    files.prune()
    assert not path.exists()
