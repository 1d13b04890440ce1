"""Referrals of the sandbox: codes, the advocates who share them, and the friends who use them."""

from __future__ import annotations

import csv
from typing import Any

import httpx
import pytest

from tests.sandbox.door import Time
from tests.sandbox.orders import order

pytestmark = pytest.mark.anyio
CAMPAIGN = "/v1/applications/42/campaigns/19"  # whose rules greet friends
REFERRALS = f"{CAMPAIGN}/referrals"


async def referrals(http: httpx.AsyncClient, **filters: Any) -> list[dict[str, Any]]:
    found = await http.get(f"{REFERRALS}/no_total", params=filters)
    assert found.status_code == 200, found.text
    data: list[dict[str, Any]] = found.json()["data"]
    return data


async def create(shop: httpx.AsyncClient, **settings: Any) -> dict[str, Any]:
    body = {"campaignId": 19, "advocateProfileIntegrationId": "anna.schmidt", **settings}
    created = await shop.post("/v1/referrals", json=body)
    assert created.status_code == 201, created.text
    referral: dict[str, Any] = created.json()
    return referral


async def friends(http: httpx.AsyncClient, advocate: str) -> list[str]:
    found = await http.get(f"/v1/applications/42/profile/{advocate}/friends")
    return [each["friendIntegrationId"] for each in found.json()["data"]]


async def use(shop: httpx.AsyncClient, code: str, friend: str, session: str = "s-1") -> str | None:
    """Order with a code and return why it was refused, or None."""
    found = await order(shop, session, friend, referralCode=code)
    effects = {each["effectType"]: each["props"] for each in found}
    reason: str | None = effects.get("rejectReferral", {}).get("rejectionReason")
    assert reason or "acceptReferral" in effects
    return reason


async def import_csv(http: httpx.AsyncClient, text: str) -> httpx.Response:
    files = {"upFile": ("referrals.csv", text)}
    return await http.post(f"{CAMPAIGN}/import_referrals", files=files)


async def test_the_life_of_a_referral(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, time: Time
) -> None:
    referral = await create(shop, expiryDate=time.at(days=5), attributes={"channel": "app"})
    url = f"{REFERRALS}/{referral['id']}"
    assert referral in await referrals(http, code=referral["code"].lower().replace("-", ""))

    changed = (await http.put(url, json={"usageLimit": 3})).json()
    assert "expiryDate" not in changed, "without one, it never expires"
    assert (changed["usageLimit"], changed["attributes"]) == (3, {"channel": "app"})
    assert changed in await referrals(http, advocate="anna.schmidt")

    assert (await http.delete(url)).status_code == 204
    assert (await http.delete(url)).status_code == 404
    assert await referrals(http, code=referral["code"]) == []
    assert (await create(shop))["id"] > referral["id"], "an id is never used twice"


async def test_creating_counts_for_the_campaign_but_past_its_limits(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    campaign = (await http.get(CAMPAIGN)).json()
    limit = {"action": "createReferral", "limit": 1, "entities": ["Referral"]}
    body = {key: campaign[key] for key in ("name", "tags", "features")} | {"limits": [limit]}
    assert (await http.put(CAMPAIGN, json=body)).status_code == 200

    await create(shop)
    await create(shop)

    after = (await http.get(CAMPAIGN)).json()
    assert after["referralCreationCount"] == campaign["referralCreationCount"] + 2


async def test_each_advocate_gets_a_code_of_the_pattern(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    body = {"campaignId": 19, "advocateProfileIntegrationIds": ["ann", "bob"], "usageLimit": 0,
            "referralPattern": "PAL-##", "validCharacters": ["7", "8"]}  # fmt: skip
    path = "/v1/referrals_for_multiple_advocates"

    silent = await shop.post(path, json=body)
    told = await shop.post(path, params={"silent": "no"}, json=body)
    assert (silent.status_code, told.status_code) == (204, 201)
    data = told.json()["data"]
    assert [each["advocateProfileIntegrationId"] for each in data] == ["ann", "bob"]
    codes = {each["code"] for each in await referrals(http, code="pal")}
    assert codes == {"PAL-77", "PAL-78", "PAL-87", "PAL-88"}

    refused = await shop.post(path, json=body)
    assert refused.status_code == 400, "the pattern is used up"
    assert refused.json()["errors"][0]["source"] == {"pointer": "/referralPattern"}


@pytest.mark.parametrize(
    ("filters", "holds"),
    [
        ({"usable": "true"}, lambda r: r["usageLimit"] == 0 or r["usageCounter"] < r["usageLimit"]),
        ({"usable": "false"}, lambda r: 0 < r["usageLimit"] <= r["usageCounter"]),
        ({"advocate": "ben.weber"}, lambda r: r["advocateProfileIntegrationId"] == "ben.weber"),
        ({"createdAfter": "2020-01-01T00:00:00Z"}, lambda _: True),
    ],
)
async def test_referral_filters(http: httpx.AsyncClient, filters: Any, holds: Any) -> None:
    everything = await referrals(http)

    found = await referrals(http, **filters)

    assert found == [each for each in everything if holds(each)]
    assert found


async def test_validity_divides_the_referrals(http: httpx.AsyncClient) -> None:
    parts = [await referrals(http, valid=v) for v in ("expired", "validNow", "validFuture")]

    assert all(parts)
    assert sum(map(len, parts)) == len(await referrals(http))


async def test_a_friend_uses_a_code_and_gives_it_back(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    referral = await create(shop, advocateProfileIntegrationId="adam")
    await shop.put("/v2/customer_profiles/frida", json={})

    assert await use(shop, referral["code"].lower(), "frida") is None

    [used] = await referrals(http, code=referral["code"])
    assert used["usageCounter"] == 1
    assert await friends(http, "adam") == ["frida"]
    params = {"integrationId": "frida"}
    [frida] = (await http.get("/v1/applications/42/customers", params=params)).json()["data"]
    assert frida["advocateIntegrationId"] == "adam"
    params = {"referrals": "true"}
    owned = (await shop.get("/v1/customer_profiles/adam/inventory", params=params)).json()
    assert [each["referredCustomers"] for each in owned["referrals"]] == [["frida"]]

    cancelled = {"customerSession": {"state": "cancelled"}}
    await shop.put("/v2/customer_sessions/s-1", json=cancelled)
    [free] = await referrals(http, code=referral["code"])
    assert free["usageCounter"] == 0
    assert await friends(http, "adam") == []
    [frida] = (
        await http.get("/v1/applications/42/customers", params={"integrationId": "frida"})
    ).json()["data"]
    assert "advocateIntegrationId" not in frida


@pytest.mark.parametrize(
    ("settings", "friend", "reason"),
    [
        ({"startDate": {"days": 1}}, "frida", "ReferralStartDateInFuture"),
        ({"expiryDate": {"days": -1}}, "frida", "ReferralExpired"),
        ({"friendProfileIntegrationId": "fred"}, "frida", "ReferralRecipientDoesNotMatch"),
        ({}, "anna.schmidt", "ReferralRecipientIdSameAsAdvocate"),
        ({}, "referred", "ReferralCustomerAlreadyReferred"),
    ],
)
async def test_a_code_is_refused_for_the_documented_reason(
    shop: httpx.AsyncClient, time: Time, settings: Any, friend: str, reason: str
) -> None:
    if friend == "referred":
        assert await use(shop, (await create(shop))["code"], friend, "earlier") is None
    dates = {key: time.at(**value) for key, value in settings.items() if key.endswith("Date")}
    code = (await create(shop, **settings | dates))["code"]

    assert await use(shop, code, friend) == reason


async def test_a_code_is_used_as_often_as_it_may_be(shop: httpx.AsyncClient) -> None:
    code = (await create(shop, usageLimit=2))["code"]

    reasons = [await use(shop, code, f"friend{n}", f"s-{n}") for n in range(3)]

    assert reasons == [None, None, "ReferralLimitReached"]
    assert await use(shop, "NOBODYS", "frida", "s-9") == "ReferralNotFound"


async def test_an_import_and_the_export_agree(http: httpx.AsyncClient) -> None:
    text = (
        "code,startdate,expirydate,advocateprofileintegrationid,limitval,attributes\n"
        'REF-1,2026-01-01T00:00:00Z,,anna.schmidt,,"{""channel"": ""web""}"\n'
        "REF-2,,2027-01-01T02:00:00+02:00,nobody.yet,5,\n"
    )
    imported = await import_csv(http, text)
    assert imported.json()["amount"] == 2
    first, second = await referrals(http, code="ref")
    assert (first["usageLimit"], first["attributes"]) == (1, {"channel": "web"})
    assert second["importId"] == imported.json()["id"]
    known = await http.post("/v1/customer_search/no_total", json={"integrationIDs": ["nobody.yet"]})
    assert known.json()["data"] == [], "an import creates no profiles"

    params = {"campaignId": 19, "batchId": second["batchId"], "dateFormat": "excel"}
    exported = await http.get("/v1/applications/42/export_referrals", params=params)
    rows = list(csv.DictReader(exported.text.splitlines()))
    assert list(rows[0]) == ["code", "advocateprofileintegrationid", "startdate", "expirydate",
                             "limitval", "attributes"]  # fmt: skip
    assert [row["code"] for row in rows] == ["REF-1", "REF-2"]
    assert rows[1]["expirydate"] == "2027-01-01 00:00:00"
    whole = await http.get("/v1/applications/42/export_referrals", params={"campaignId": 19})
    assert len(whole.text.splitlines()) == 1 + len(await referrals(http))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("code\nREF-1\n", "1"),
        ("code,advocateprofileintegrationid\nREF-1,\n", "2"),
        ("code,advocateprofileintegrationid\nSAME,anna\nsame,anna\n", "3"),
        ("code,advocateprofileintegrationid,limitval\nREF-1,anna,-1\n", "2"),
        ("code,advocateprofileintegrationid,attributes\nREF-1,anna,[]\n", "2"),
        ('code,advocateprofileintegrationid,attributes\nREF-1,anna,"{""hue"": 1}"\n', "2"),
        ("code,advocateprofileintegrationid,startdate,expirydate\n"
         "REF-1,anna,2026-02-01T00:00:00Z,2026-01-01T00:00:00Z\n", "2"),
    ],
)  # fmt: skip
async def test_a_broken_import_names_its_line_and_changes_nothing(
    http: httpx.AsyncClient, text: str, line: str
) -> None:
    before = await referrals(http)

    refused = await import_csv(http, text)

    assert refused.status_code == 400
    assert refused.json()["errors"][0]["source"] == {"line": line}
    assert await referrals(http) == before


async def test_a_deleted_campaign_takes_its_referrals_with_it(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    code = (await create(shop))["code"]

    assert (await http.delete(CAMPAIGN)).status_code == 204

    assert await use(shop, code, "frida") == "ReferralNotFound"
    exported = await http.get("/v1/applications/42/export_referrals")
    assert code not in exported.text
