"""Users, roles, sessions and passwords, as administrators and their colleagues meet them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from talonone_mcp.sandbox.ground.account_facts import USER_EMAIL, USER_PASSWORD
from tests.sandbox.door import Door, Time

pytestmark = pytest.mark.anyio
USERS = "/v1/users"
MAYA = "maya.keller@example.com"  # user 10 of the demo account, who has a recovery link
LINK = "Z2VgacVNkexLKBUIzsRDDZSGxnIkC53y"


async def log_in(
    http: httpx.AsyncClient, email: str = USER_EMAIL, password: str = USER_PASSWORD
) -> httpx.Response:
    return await http.post("/v1/sessions", json={"email": email, "password": password})


@asynccontextmanager
async def session(door: Door, token: str) -> AsyncIterator[httpx.AsyncClient]:
    async with door.client({"Authorization": f"Bearer {token}"}) as client:
        yield client


async def user(http: httpx.AsyncClient, email: str) -> dict[str, Any] | None:
    users = (await http.get(USERS)).json()["data"]
    return next((each for each in users if each["email"] == email), None)


async def set_password(http: httpx.AsyncClient, token: str, password: str) -> int:
    body = {"resetToken": token, "password": password}
    return (await http.post("/v1/reset_password", json=body)).status_code


# --- Sessions ----------------------------------------------------------------------------------


async def test_a_session_holds_until_it_is_destroyed(door: Door, http: httpx.AsyncClient) -> None:
    opened = (await log_in(http)).json()
    assert opened["userId"] == 388

    async with session(door, opened["token"]) as mine:
        assert (await mine.get(USERS)).status_code == 200
        assert (await mine.delete("/v1/sessions")).status_code == 204
        assert (await mine.get(USERS)).status_code == 401


async def test_a_session_ends_after_three_months(
    door: Door, http: httpx.AsyncClient, time: Time
) -> None:
    token = (await log_in(http)).json()["token"]
    async with session(door, token) as mine:
        time.advance(days=89)
        assert (await mine.get(USERS)).status_code == 200
        time.advance(days=2)
        assert (await mine.get(USERS)).status_code == 401


@pytest.mark.parametrize(
    ("email", "password"),
    [
        (USER_EMAIL, "wrong"),
        (USER_EMAIL, ""),
        ("nobody@example.com", USER_PASSWORD),
        (MAYA, ""),
        ("john.doe@example.com", USER_PASSWORD),
    ],
)
async def test_nobody_gets_in_without_the_right_password(
    http: httpx.AsyncClient, email: str, password: str
) -> None:
    assert (await log_in(http, email, password)).status_code == 401


async def test_the_case_of_an_email_address_does_not_matter(http: httpx.AsyncClient) -> None:
    assert (await log_in(http, USER_EMAIL.upper())).status_code == 201


@pytest.mark.parametrize("missing", ["email", "password"])
async def test_a_login_without_credentials_names_what_is_missing(
    http: httpx.AsyncClient, missing: str
) -> None:
    body = {"email": USER_EMAIL, "password": USER_PASSWORD}
    del body[missing]

    refused = await http.post("/v1/sessions", json=body)

    assert refused.json()["errors"][0]["source"] == {"pointer": f"/{missing}"}


# --- Passwords ---------------------------------------------------------------------------------


async def test_a_recovery_link_sets_the_password_once(http: httpx.AsyncClient) -> None:
    assert await set_password(http, LINK, "a new one") == 204

    assert (await log_in(http, MAYA, "a new one")).status_code == 201
    assert await set_password(http, LINK, "another") == 400


async def test_a_recovery_link_is_mailed_and_holds_for_half_an_hour(
    http: httpx.AsyncClient, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    async def mailed() -> str:
        caplog.clear()
        asked = await http.post("/v1/password_recovery_emails", json={"email": USER_EMAIL})
        assert asked.status_code == 204
        found = re.search(r"resetToken (\S+),", caplog.text)
        assert found
        return found[1]

    late = await mailed()
    time.advance(minutes=31)
    assert await set_password(http, late, "too late") == 400

    in_time = await mailed()
    time.advance(minutes=29)
    assert await set_password(http, in_time, "in time") == 204
    assert (await log_in(http)).status_code == 401, "the old password is gone"
    assert (await log_in(http, password="in time")).status_code == 201


async def test_nobody_learns_whether_an_address_is_known(
    http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    asked = await http.post("/v1/password_recovery_emails", json={"email": "who@example.com"})

    assert asked.status_code == 204
    assert not caplog.text


async def test_no_password_or_token_can_be_read_from_the_account(http: httpx.AsyncClient) -> None:
    token = (await log_in(http)).json()["token"]
    await set_password(http, LINK, "a new one")

    seen = [(await http.get(path)).text for path in (USERS, "/v1/changes")]

    assert not any(secret in text for text in seen for secret in (token, "a new one", LINK))


# --- Users -------------------------------------------------------------------------------------


async def test_an_invited_user_is_listed_changed_and_deleted(http: httpx.AsyncClient) -> None:
    body = {"email": "new@example.com", "name": "New", "roles": [1], "acl": '{"Role": 127}'}
    invited = (await http.post("/v2/invites", json=body)).json()
    assert (invited["state"], invited["isAdmin"]) == ("invited", False)
    assert (invited["roles"], invited["policy"]) == ([1], {"Role": 127})
    assert invited == await user(http, "new@example.com")
    url = f"{USERS}/{invited['id']}"

    changed = (await http.put(url, json={"name": "Newer", "isAdmin": True})).json()

    assert changed == invited | {"name": "Newer", "isAdmin": True}
    assert changed == (await http.get(url)).json()
    assert (await http.delete(url)).status_code == 204
    assert (await http.get(url)).status_code == 404
    again = (await http.post("/v2/invites", json=body)).json()
    assert again["id"] > invited["id"], "an id is never used twice"


async def test_an_invitation_is_sent_again_with_its_token(http: httpx.AsyncClient) -> None:
    invited = (await http.post("/v2/invites", json={"email": "new@example.com"})).json()
    body = {"email": "new@example.com", "token": invited["inviteToken"]}

    assert (await http.post("/v1/invite_emails", json=body)).json() == body
    wrong = await http.post("/v1/invite_emails", json=body | {"token": "other"})
    assert wrong.status_code == 400


async def test_groups_of_an_identity_provider_become_roles(http: httpx.AsyncClient) -> None:
    groups = ["Customer support", "Nobody knows it", "Managers"]
    body = {"email": "new@example.com", "userGroups": groups}

    assert (await http.post("/v1/users/invite", json=body)).status_code == 204

    invited = await user(http, "new@example.com")
    assert invited
    assert (invited["roles"], invited["state"]) == ([3, 44], "invited")


async def test_a_deactivated_user_is_locked_out_until_activated(
    door: Door, http: httpx.AsyncClient
) -> None:
    await set_password(http, LINK, "pass")
    token = (await log_in(http, MAYA, "pass")).json()["token"]
    async with session(door, token) as mine:
        await http.post(f"{USERS}/deactivate", json={"email": MAYA.upper()})
        assert (await mine.get(USERS)).status_code == 401
    assert (await log_in(http, MAYA, "pass")).status_code == 401

    await http.post(f"{USERS}/activate", json={"email": MAYA})
    assert (await log_in(http, MAYA, "pass")).status_code == 201


async def test_a_deleted_user_is_out_at_once(door: Door, http: httpx.AsyncClient) -> None:
    await set_password(http, LINK, "pass")
    token = (await log_in(http, MAYA, "pass")).json()["token"]

    assert (await http.post(f"{USERS}/delete", json={"email": MAYA})).status_code == 204

    async with session(door, token) as mine:
        assert (await mine.get(USERS)).status_code == 401
    assert await user(http, MAYA) is None


async def test_who_is_no_admin_sees_and_changes_less(door: Door, http: httpx.AsyncClient) -> None:
    await set_password(http, LINK, "pass")
    token = (await log_in(http, MAYA, "pass")).json()["token"]

    async with session(door, token) as mine:
        assert (await mine.get(f"{USERS}/10")).status_code == 200
        assert (await mine.get(f"{USERS}/12")).status_code == 403
        locked_out = await mine.put(f"{USERS}/12", json={"state": "deactivated"})
    assert locked_out.status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/v2/invites", {"email": MAYA.upper()}, 400),
        ("POST", "/v2/invites", {"email": "n@example.com", "roles": [99]}, 400),
        ("POST", "/v2/invites", {"email": "n@example.com", "acl": "all"}, 400),
        ("POST", "/v1/users/invite", {"email": MAYA}, 400),
        ("POST", "/v1/users/activate", {"email": "nobody@example.com"}, 404),
        ("POST", "/v1/users/activate", {"email": "john.doe@example.com"}, 400),
        ("POST", "/v1/users/deactivate", {"email": "nobody@example.com"}, 404),
        ("POST", "/v1/users/deactivate", {"email": USER_EMAIL}, 400),
        ("POST", "/v1/users/delete", {"email": "nobody@example.com"}, 404),
        ("DELETE", f"{USERS}/388", None, 400),
        ("DELETE", f"{USERS}/99", None, 404),
        ("PUT", f"{USERS}/388", {"state": "deactivated"}, 400),
        ("PUT", f"{USERS}/33", {"state": "active"}, 400),
        ("PUT", f"{USERS}/10", {"roles": [99]}, 400),
        ("PUT", f"{USERS}/10", {"policy": "[]"}, 400),
        ("POST", "/v1/invite_emails", {"email": MAYA, "token": ""}, 400),
    ],
)
async def test_what_cannot_be_done_to_users_changes_nothing(
    http: httpx.AsyncClient, method: str, path: str, body: Any, status: int
) -> None:
    before = (await http.get(USERS)).json()

    refused = await http.request(method, path, json=body)

    assert refused.status_code == status
    assert (await http.get(USERS)).json() == before


# --- Roles and the account -----------------------------------------------------------------------


async def test_members_and_roles_say_the_same(http: httpx.AsyncClient) -> None:
    changed = (await http.put("/v2/roles/9", json={"members": [12, 33]})).json()
    assert changed["members"] == [12, 33]
    roles = [(await http.get(f"{USERS}/{number}")).json()["roles"] for number in (10, 12, 33)]
    assert roles == [[1], [1, 9], [9]]

    await http.put(f"{USERS}/12", json={"roles": [3]})

    assert (await http.get("/v2/roles/9")).json()["members"] == [33]
    listed = {role["id"]: role["members"] for role in (await http.get("/v2/roles")).json()["data"]}
    assert (listed[3], listed[9]) == ([12, 34], [33])


async def test_a_role_keeps_what_is_not_sent(http: httpx.AsyncClient) -> None:
    before = (await http.get("/v2/roles/9")).json()
    permissions = {"permissionSets": [{"name": "All", "logicalOperations": ["getUsers"]}]}

    changed = (await http.put("/v2/roles/9", json={"permissions": permissions})).json()

    assert changed == before | {"permissions": permissions, "modified": changed["modified"]}
    assert changed == (await http.get("/v2/roles/9")).json()


@pytest.mark.parametrize(
    ("role", "body", "status"),
    [
        (9, {"name": "Campaign manager"}, 400),
        (9, {"members": [10, 999]}, 400),
        (13, {"name": "Another name"}, 400),
        (99, {}, 404),
    ],
)
async def test_a_role_that_cannot_be_so_stays(
    http: httpx.AsyncClient, role: int, body: Any, status: int
) -> None:
    before = (await http.get("/v2/roles")).json()

    assert (await http.put(f"/v2/roles/{role}", json=body)).status_code == status
    assert (await http.get("/v2/roles")).json() == before


async def test_the_account_counts_what_is_in_it(http: httpx.AsyncClient) -> None:
    url = "/v1/accounts/3886"
    before, counted = [(await http.get(path)).json() for path in (url, f"{url}/analytics")]
    assert before["campaignsActiveCount"] + before["campaignsInactiveCount"] == counted["campaigns"]
    assert counted["coupons"] == counted["activeCoupons"] + counted["expiredCoupons"]

    await http.post("/v2/invites", json={"email": "new@example.com"})
    await http.delete("/v1/applications/42/campaigns/18")

    after, recounted = [(await http.get(path)).json() for path in (url, f"{url}/analytics")]
    assert after["userCount"] == before["userCount"] + 1
    assert after["campaignsActiveCount"] == before["campaignsActiveCount"] - 1
    assert recounted["coupons"] == counted["coupons"] - 40
    assert recounted["activeRules"] == counted["activeRules"] - 1


@pytest.mark.parametrize("path", ["", "/analytics"])
async def test_there_is_one_account(http: httpx.AsyncClient, path: str) -> None:
    assert (await http.get(f"/v1/accounts/1{path}")).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", f"{USERS}/{10**30}", None, 400),
        ("GET", f"{USERS}/-1", None, 404),
        ("PUT", "/v2/roles/9", {"members": [10**30]}, 400),
        ("PUT", "/v2/roles/9", {"members": list(range(100, 40_100))}, 400),
        ("PUT", "/v2/roles/9", {"members": [10, 10]}, 200),
    ],
)
async def test_numbers_of_any_size_are_answered(
    http: httpx.AsyncClient, method: str, path: str, body: Any, status: int
) -> None:
    assert (await http.request(method, path, json=body)).status_code == status
