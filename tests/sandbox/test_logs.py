"""The logs of what happened in the account, and the webhooks that some of it is about."""

from __future__ import annotations

import json
from base64 import b64decode
from contextlib import closing
from typing import Any

import httpx
import pytest

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.sandbox.app import Sandbox
from talonone_mcp.sandbox.ground.account_facts import USER_EMAIL, USER_PASSWORD
from talonone_mcp.sandbox.ground.limits import SandboxLimits
from tests.sandbox import door as doors
from tests.sandbox.door import MANAGEMENT, SHOP, Door, Time

pytestmark = pytest.mark.anyio
CAMPAIGN = "/v1/applications/42/campaigns/18"
COSTS = "/v1/additional_costs"
RESERVATIONS = "/v1/coupon_reservations"
COST = {"name": "customs", "title": "Customs", "description": "At the border"}


async def data(http: httpx.AsyncClient, path: str, /, **query: Any) -> list[dict[str, Any]]:
    found = await http.get(path, params=query)
    assert found.status_code == 200, found.text
    entries: list[dict[str, Any]] = found.json()["data"]
    return entries


async def accesses(
    http: httpx.AsyncClient, time: Time, application: int = 42, **query: Any
) -> list[dict[str, Any]]:
    """Return the access log of the last hour."""
    hour = {"rangeStart": time.at(hours=-1), "rangeEnd": time.at(minutes=1)}
    return await data(http, f"/v1/applications/{application}/access_logs/no_total", **hour | query)


# --- The access log ----------------------------------------------------------------------------


async def test_every_call_of_an_application_is_logged(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, time: Time
) -> None:
    url = f"{RESERVATIONS}/NO%2FSUCH"
    before = len(await accesses(http, time))

    refused = await shop.post(url, params={"a": 1}, json={"integrationIDs": ["ann"]})

    *_, entry = await accesses(http, time)
    assert len(await accesses(http, time)) == before + 1, "only the Integration API is logged"
    assert (entry["method"], entry["status"]) == ("POST", 404)
    assert entry["requestUri"] == f"{url}?a=1"
    assert json.loads(entry["requestPayload"]) == {"integrationIDs": ["ann"]}
    assert json.loads(entry["responsePayload"]) == refused.json()


async def test_an_applications_log_holds_its_own_calls(
    http: httpx.AsyncClient, shop_us: httpx.AsyncClient, time: Time
) -> None:
    before = len(await accesses(http, time))

    await shop_us.get(f"{RESERVATIONS}/customerprofiles/NONE")

    assert len(await accesses(http, time)) == before
    assert [entry["status"] for entry in await accesses(http, time, 43)] == [404]


@pytest.mark.parametrize(
    ("query", "methods"),
    [
        ({}, ["GET", "POST", "DELETE"]),
        ({"method": "delete"}, ["DELETE"]),
        ({"status": "success"}, ["POST", "DELETE"]),
        ({"status": "error"}, ["GET"]),
        ({"path": "customerprofiles/[A-Z]+$"}, ["GET"]),
        ({"path": "^/v1/coupon"}, ["GET", "POST", "DELETE"]),
        ({"path": "nothing"}, []),
        ({"sort": "-time", "pageSize": 2}, ["DELETE", "POST"]),
        ({"pageSize": 1, "skip": 1}, ["POST"]),
    ],
)
async def test_the_access_log_is_filtered(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, time: Time, query: Any, methods: list[str]
) -> None:
    time.advance(days=3)
    code = (await data(http, f"{CAMPAIGN}/coupons/no_total"))[0]["value"]
    await shop.get(f"{RESERVATIONS}/customerprofiles/NONE")
    await shop.post(f"{RESERVATIONS}/{code}", json={"integrationIDs": ["ann"]})
    body = {"integrationIDs": ["ann"]}
    await shop.request("DELETE", f"{RESERVATIONS}/{code}", json=body)

    assert [entry["method"] for entry in await accesses(http, time, **query)] == methods


async def test_the_access_log_has_a_range(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, time: Time
) -> None:
    await shop.get(f"{RESERVATIONS}/customerprofiles/NONE")
    had = len(await accesses(http, time))

    time.advance(hours=2)

    assert len(await accesses(http, time)) == 0
    assert len(await accesses(http, time, rangeStart=time.at(hours=-3))) >= had > 0
    refused = await http.get(
        "/v1/applications/42/access_logs/no_total",
        params={"rangeStart": time.at(hours=-1), "rangeEnd": time.at(), "path": "("},
    )
    assert refused.json()["errors"][0]["source"] == {"parameter": "path"}


@pytest.mark.parametrize(
    ("content", "logged"),
    [(b"{", "{"), (b'{"integrationIDs": "\xff"}', '{"integrationIDs": "\ufffd"}')],
)
async def test_a_body_that_cannot_be_read_is_logged_as_it_is(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, time: Time, content: bytes, logged: str
) -> None:
    await shop.post(f"{RESERVATIONS}/CODE", content=content)

    entry = (await accesses(http, time))[-1]
    assert (entry["status"], entry["requestPayload"]) == (400, logged)


async def test_a_long_payload_is_logged_in_part(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, time: Time
) -> None:
    await shop.post(f"{RESERVATIONS}/CODE", content=b" " * 5_000 + b"{")

    payload = (await accesses(http, time))[-1]["requestPayload"]
    assert payload.strip() == "..."
    assert len(payload) == 4_003


async def test_what_the_limit_refuses_is_logged_and_who_has_no_key_is_not(
    catalog: Catalog,
) -> None:
    time = Time()
    with closing(Sandbox(catalog, now=time, clock=lambda: 0.0)) as sandbox:
        opened = Door(sandbox, time)
        async with opened.client(SHOP) as shop, opened.client(MANAGEMENT) as http:
            url = f"{RESERVATIONS}/customerprofiles/NONE"
            await shop.get(url, headers={"Authorization": "ApiKey-v1 wrong"})
            for _ in range(4):
                await shop.get(url)

            entries = await accesses(http, time)

    assert [entry["status"] for entry in entries[-4:]] == [404, 404, 404, 429]
    assert 401 not in {entry["status"] for entry in entries}


async def test_a_log_keeps_its_latest_entries(catalog: Catalog) -> None:
    limits = SandboxLimits(log_entries=20, log_surplus=5)
    with doors.door(catalog, limits=limits) as door:
        async with door.client(SHOP) as shop, door.client(MANAGEMENT) as http:
            for number in range(40):
                await shop.get(f"{RESERVATIONS}/customerprofiles/N{number}")

            entries = await accesses(http, door.time)

    kept = [entry["requestUri"].rpartition("N")[2] for entry in entries]
    assert kept == [str(number) for number in range(20, 40)]


# --- The audit log -----------------------------------------------------------------------------


async def changes(http: httpx.AsyncClient, time: Time, **query: Any) -> list[dict[str, Any]]:
    """Return what changed in the last minute."""
    since = {"createdAfter": time.at(minutes=-1)}
    return await data(http, "/v1/changes", **since | query)


async def test_a_change_is_logged_with_the_states_before_and_after(
    http: httpx.AsyncClient, time: Time
) -> None:
    created = (await http.post(COSTS, json=COST)).json()
    url = f"{COSTS}/{created['id']}"
    changed = (await http.put(url, json=COST | {"title": "Duty"})).json()
    await http.delete(CAMPAIGN)

    creation, change, deletion = await changes(http, time)

    assert (creation["entity"], creation["new"]) == (url, created)
    assert "old" not in creation
    assert (change["entity"], change["old"], change["new"]) == (url, created, changed)
    assert (deletion["entity"], deletion["applicationId"]) == (CAMPAIGN, 42)
    assert deletion["old"]["name"] == "Summer promotions"
    assert "new" not in deletion
    assert {entry["managementKeyId"] for entry in (creation, change, deletion)} == {3}


async def test_what_was_asked_for_is_logged_where_nothing_comes_back(
    http: httpx.AsyncClient, time: Time
) -> None:
    body = {"numberOfCoupons": 2, "usageLimit": 1}

    await http.post(f"{CAMPAIGN}/coupons", json=body)
    await http.post("/v1/users/deactivate", json={"email": "maya.keller@example.com"})

    issued, locked_out = await changes(http, time)
    assert (issued["entity"], issued["new"]) == (f"{CAMPAIGN}/coupons", body)
    assert locked_out["new"] == {"email": "maya.keller@example.com"}


async def test_an_import_is_logged_without_its_file(http: httpx.AsyncClient, time: Time) -> None:
    files = {"upFile": ("coupons.csv", "value\nPARTNER1\n")}
    imported = (await http.post(f"{CAMPAIGN}/import_coupons", files=files)).json()

    [entry] = await changes(http, time)

    assert (entry["entity"], entry["new"]) == (f"{CAMPAIGN}/import_coupons", imported)


async def test_what_changes_nothing_is_not_logged(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, time: Time
) -> None:
    await http.get(COSTS)
    await http.put(f"{COSTS}/99", json=COST)
    await http.put(f"{COSTS}/2", json=(await http.get(f"{COSTS}/2")).json())
    await http.post(COSTS, json={"name": "customs"})
    await http.post("/v1/applications/42/campaigns_search", json={"attributes": {}})
    await http.put("/v1/users/33", json={"roles": [99]})
    await http.post("/v1/sessions", json={"email": USER_EMAIL, "password": USER_PASSWORD})
    code = (await data(http, f"{CAMPAIGN}/coupons/no_total"))[0]["value"]
    await shop.post(f"{RESERVATIONS}/{code}", json={"integrationIDs": ["ann"]})

    assert await changes(http, time) == []


async def test_secrets_stay_out_of_the_audit_log(http: httpx.AsyncClient, time: Time) -> None:
    invited = (await http.post("/v2/invites", json={"email": "new@example.com"})).json()
    body = {"resetToken": "Z2VgacVNkexLKBUIzsRDDZSGxnIkC53y", "password": "a new one"}
    await http.post("/v1/reset_password", json=body)

    invitation, reset = await changes(http, time)

    assert "inviteToken" not in invitation["new"]
    assert invitation["new"]["email"] == invited["email"]
    assert (reset["entity"], "new" in reset) == ("/v1/reset_password", False)


async def test_the_audit_log_says_who_it_was(
    door: Door, http: httpx.AsyncClient, time: Time
) -> None:
    body = {"resetToken": "Z2VgacVNkexLKBUIzsRDDZSGxnIkC53y", "password": "pass"}
    await http.post("/v1/reset_password", json=body)
    login = {"email": "maya.keller@example.com", "password": "pass"}
    token = (await http.post("/v1/sessions", json=login)).json()["token"]
    time.advance(minutes=5)
    async with door.client({"Authorization": f"Bearer {token}"}) as maya:
        await maya.post(COSTS, json=COST)

    [entry] = await changes(http, time, userId=10)

    assert (entry["userId"], "managementKeyId" in entry) == (10, False)
    assert await changes(http, time, managementKeyId=3) == []


@pytest.mark.parametrize(
    ("query", "entities"),
    [
        ({}, [f"{COSTS}/32", CAMPAIGN]),
        ({"applicationId": 42}, [CAMPAIGN]),
        ({"applicationId": 43}, []),
        ({"entityPath": "ADDITIONAL"}, [f"{COSTS}/32"]),
        ({"userId": 388}, [f"{COSTS}/32", CAMPAIGN]),
        ({"userId": 10}, []),
        ({"managementKeyId": 3}, [f"{COSTS}/32", CAMPAIGN]),
        ({"createdBefore": "2026-01-01T00:00:00Z", "createdAfter": "2025-01-01T00:00:00Z"}, []),
        ({"sort": "-id"}, [CAMPAIGN, f"{COSTS}/32"]),
        ({"pageSize": 1, "skip": 1}, [CAMPAIGN]),
    ],
)
async def test_the_audit_log_is_filtered(
    http: httpx.AsyncClient, time: Time, query: Any, entities: list[str]
) -> None:
    await http.post(COSTS, json=COST)
    await http.delete(CAMPAIGN)

    assert [entry["entity"] for entry in await changes(http, time, **query)] == entities


async def test_the_audit_log_counts_and_leaves_out_old_states_when_asked(
    http: httpx.AsyncClient,
) -> None:
    counted = (await http.get("/v1/changes", params={"withTotalResultSize": "true"})).json()
    page = (await http.get("/v1/changes", params={"includeOld": "false", "pageSize": 1})).json()

    assert counted["totalResultSize"] == len(counted["data"]) == 2
    assert all("old" in entry for entry in counted["data"])
    assert (page["hasMore"], "old" in page["data"][0]) == (True, False)


# --- Exports -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 3),
        ({"entity": "Coupon"}, 3),
        ({"entity": "Effect"}, 0),
        ({"applicationId": 43}, 1),
        ({"campaignId": 18}, 1),
        ({"applicationId": 42, "campaignId": 19}, 1),
    ],
)
async def test_an_export_is_listed_with_its_filter(
    http: httpx.AsyncClient, query: Any, count: int
) -> None:
    wanted: dict[str, Any] = {"campaignId": 19, "valuesOnly": "true"}
    await http.get("/v1/applications/42/export_coupons", params=wanted)
    await http.get("/v1/applications/43/export_coupons")
    await http.get("/v1/applications/99/export_coupons")

    assert len(await data(http, "/v1/exports", **query)) == count
    made = (await data(http, "/v1/exports"))[1]
    assert (made["entity"], made["userId"]) == ("Coupon", 388)
    assert made["filter"] == {"applicationId": 42, "campaignId": 19, "valuesOnly": True}


# --- Messages and webhooks ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 6),
        ({"entityType": "application"}, 1),
        ({"entityType": "loyalty_program"}, 0),
        ({"isSuccessful": "true"}, 5),
        ({"isSuccessful": "false"}, 1),
        ({"responseCode": 503}, 1),
        ({"webhookIDs": "11,12"}, 6),
        ({"webhookIDs": "12"}, 0),
        ({"entityType": "application", "notificationIDs": "1,7"}, 1),
        ({"entityType": "application", "notificationIDs": "7"}, 0),
        ({"entityType": "application", "changeType": "CampaignNotification"}, 1),
        ({"entityType": "application", "changeType": "CouponCreated"}, 0),
        ({"applicationId": 42, "campaignId": 18}, 6),
        ({"applicationId": 43}, 0),
        ({"campaignId": 19}, 0),
        ({"loyaltyProgramId": 5}, 0),
        ({"period": "1d"}, 4),
        ({"period": "15m"}, 0),
        ({"createdAfter": "2026-06-15T00:00:00Z"}, 2),
        ({"createdBefore": "2026-06-15T00:00:00Z"}, 5),
    ],
)
async def test_messages_are_filtered(http: httpx.AsyncClient, query: Any, count: int) -> None:
    found = await data(http, "/v1/message_logs", **{"entityType": "webhook"} | query)

    assert len(found) == count


async def test_a_message_shows_what_was_sent(http: httpx.AsyncClient) -> None:
    first, *_ = await data(http, "/v1/message_logs", entityType="webhook")

    sent = json.loads(b64decode(first["request"]["request"]))
    assert sent == {"message": "Your coupon 1 is waiting"}
    same = await data(http, "/v1/message_logs", entityType="webhook", messageID=first["id"])
    assert same == [first]


async def test_messages_follow_each_other_by_their_cursor(
    http: httpx.AsyncClient, catalog: Catalog
) -> None:
    whole = await data(http, "/v1/message_logs", entityType="webhook")
    query: dict[str, str] = {"entityType": "webhook"}

    with doors.door(catalog, limits=SandboxLimits(messages_per_page=4)) as door:
        async with door.client(MANAGEMENT) as in_pages:
            first = (await in_pages.get("/v1/message_logs", params=query)).json()
            query["cursor"] = first["nextCursor"]
            second = (await in_pages.get("/v1/message_logs", params=query)).json()

    assert first["data"] + second["data"] == whole
    assert "nextCursor" not in second


async def test_a_cursor_that_no_answer_gave_is_refused(http: httpx.AsyncClient) -> None:
    query = {"entityType": "webhook", "cursor": "U3dhZ2dlciByb2Nrcw=="}

    refused = await http.get("/v1/message_logs", params=query)

    assert refused.json()["errors"][0]["source"] == {"parameter": "cursor"}


@pytest.mark.parametrize(
    ("path", "query", "count"),
    [
        ("webhook_logs", {}, 6),
        ("webhook_logs", {"status": "success"}, 5),
        ("webhook_logs", {"status": "error", "webhookId": 11}, 1),
        ("webhook_logs", {"webhookId": 12}, 0),
        ("webhook_logs", {"applicationId": 42, "campaignId": 18}, 6),
        ("webhook_logs", {"createdAfter": "2026-06-15T00:00:00Z"}, 2),
        ("webhook_activation_logs", {}, 6),
        ("webhook_activation_logs", {"campaignId": 19}, 0),
        ("webhook_activation_logs", {"webhookId": 11, "applicationId": 42}, 6),
        ("webhook_activation_logs", {"createdBefore": "2026-06-14T00:00:00Z"}, 1),
    ],
)
async def test_the_older_webhook_logs_show_the_same_calls(
    http: httpx.AsyncClient, path: str, query: Any, count: int
) -> None:
    found = await data(http, f"/v1/{path}", **query)

    assert len(found) == count
    for entry in found:
        number = entry["integrationRequestUuid"]
        key = "requestUuid" if path == "webhook_logs" else "integrationRequestUuid"
        assert await data(http, f"/v1/{path}", **{key: number}) == [entry]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({}, [11, 12, 13]),
        ({"applicationIds": "42"}, [11, 12]),
        ({"applicationIds": "43"}, [11, 13]),
        ({"creationType": "webhooks"}, [11, 13]),
        ({"creationType": "templateWebhooks"}, [12]),
        ({"visibility": "visible"}, [11, 12]),
        ({"visibility": "hidden"}, [13]),
        ({"outgoingIntegrationsTypeId": 1}, [12]),
        ({"title": "MESSAGE"}, [11, 13]),
        ({"sort": "-title", "pageSize": 2}, [11, 13]),
    ],
)
async def test_webhooks_are_filtered(
    http: httpx.AsyncClient, query: Any, numbers: list[int]
) -> None:
    assert [webhook["id"] for webhook in await data(http, "/v1/webhooks", **query)] == numbers


async def test_one_webhook_is_read_by_its_id(http: httpx.AsyncClient) -> None:
    [listed] = await data(http, "/v1/webhooks", title="Send message")

    assert (await http.get("/v1/webhooks/11")).json() == listed
    assert (await http.get("/v1/webhooks/99")).status_code == 404


async def test_a_notification_about_points_is_sent_while_it_is_enabled(
    http: httpx.AsyncClient,
) -> None:
    program = "/v1/loyalty_programs/5"
    webhook = {"url": "https://hooks.example.com/points", "headers": []}
    body = {"policy": {}, "webhook": webhook}
    created = await http.post(f"{program}/notifications/added_deducted_points", json=body)
    number = created.json()["id"]
    profile = f"{program}/profile/anna.schmidt"

    await http.put(f"{profile}/add_points", json={"points": 30, "name": "Sorry"})
    await http.put(f"{profile}/deduct_points", json={"points": 10})
    await http.put(f"/v1/notifications/{number}/activation", json={"enabled": False})
    await http.put(f"{profile}/add_points", json={"points": 5})

    query = {"entityType": "loyalty_program", "notificationIDs": number, "loyaltyProgramId": 5}
    sent = await data(http, "/v1/message_logs", **query)
    assert [each["changeType"] for each in sent] == ["LoyaltyPointsAdded", "LoyaltyPointsDeducted"]
    told = json.loads(b64decode(sent[0]["request"]["request"]))
    assert (told["ProfileIntegrationID"], told["Amount"]) == ("anna.schmidt", 30)
    assert told["Reason"] == "Sorry"
    assert {each["url"] for each in sent} == {webhook["url"]}
