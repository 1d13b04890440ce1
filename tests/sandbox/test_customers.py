"""Customers of the sandbox: profiles, who finds them where, what they have, and their erasure."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.sandbox.door import Time
from tests.sandbox.orders import issue, order

pytestmark = pytest.mark.anyio
ANNA = 3778  # anna.schmidt


async def listed(http: httpx.AsyncClient, path: str, **params: Any) -> list[dict[str, Any]]:
    answer = await http.get(path, params=params)
    assert answer.status_code == 200, answer.text
    data: list[dict[str, Any]] = answer.json()["data"]
    return data


async def put(shop: httpx.AsyncClient, customer: str, **body: Any) -> dict[str, Any]:
    answer = await shop.put(f"/v2/customer_profiles/{customer}", json=body)
    assert answer.status_code == 200, answer.text
    state: dict[str, Any] = answer.json()
    return state


async def inventory(shop: httpx.AsyncClient, customer: str, *sections: str) -> dict[str, Any]:
    params = dict.fromkeys(sections, "true")
    answer = await shop.get(f"/v1/customer_profiles/{customer}/inventory", params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_profile_is_created_changed_and_found(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, time: Time
) -> None:
    created = (await put(shop, "zora", attributes={"Name": "Zora", "vip": True}))["customerProfile"]
    time.advance(hours=1)

    changed = await put(shop, "zora", attributes={"vip": None, "country": "DE"})

    profile = changed["customerProfile"]
    assert profile["attributes"] == {"Name": "Zora", "country": "DE"}
    assert profile["created"] == created["created"] < profile["lastActivity"]
    assert (await http.get(f"/v1/customers/{profile['id']}")).json() == profile
    [found] = await listed(http, "/v1/applications/42/customers", integrationId="zora")
    assert found["id"] == profile["id"]


async def test_an_application_knows_the_customers_that_it_has_met(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, shop_us: httpx.AsyncClient
) -> None:
    number = (await put(shop_us, "yuri"))["customerProfile"]["id"]

    assert (await http.get(f"/v1/applications/42/customers/{number}")).status_code == 404
    assert (await http.get(f"/v1/applications/43/customers/{number}")).status_code == 200
    body = {"integrationIDs": ["yuri"]}
    searches = [
        await http.post(f"/v1/applications/{application}/customer_search", json=body)
        for application in (42, 43)
    ]
    assert [len(each.json()["data"]) for each in searches] == [0, 1]

    await put(shop, "yuri")
    assert (await http.get(f"/v1/applications/42/customers/{number}")).status_code == 200


async def test_live_and_sandbox_customers_are_apart(http: httpx.AsyncClient) -> None:
    live = await listed(http, "/v1/customers/no_total")
    testers = await listed(http, "/v1/customers/no_total", sandbox="true")

    assert {each["sandbox"] for each in live} == {False}
    assert {each["sandbox"] for each in testers} == {True}
    assert len(live) == 50


@pytest.mark.parametrize(
    ("criteria", "found"),
    [
        ({"attributes": {"Email": "anna.schmidt@example.com"}}, ["anna.schmidt"]),
        ({"attributes": {"Name": "Ben Weber", "vip": False}}, ["ben.weber"]),
        ({"attributes": {"Name": "Ben Weber", "vip": True}}, []),
        ({"integrationIDs": ["emma.dubois", "nobody", "carla.rossi"]},
         ["carla.rossi", "emma.dubois"]),
        ({"profileIDs": [ANNA, ANNA + 1, 99]}, ["anna.schmidt", "ben.weber"]),
        ({"profileIDs": [ANNA], "integrationIDs": ["ben.weber"]}, []),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "path", ["/v1/customer_search/no_total", "/v1/applications/42/customer_search"]
)
async def test_customers_by_what_is_known_of_them(
    http: httpx.AsyncClient, path: str, criteria: Any, found: list[str]
) -> None:
    answer = await http.post(path, json=criteria)

    assert [each["integrationId"] for each in answer.json()["data"]] == found


async def test_the_total_is_counted_when_it_is_asked_for(http: httpx.AsyncClient) -> None:
    path = "/v1/applications/42/customers"
    whole = (await http.get(path, params={"withTotalResultSize": "true"})).json()
    part = (await http.get(path, params={"pageSize": 10, "skip": 20})).json()

    assert whole["totalResultSize"] == len(whole["data"])
    assert "totalResultSize" not in part
    assert part["data"] == whole["data"][20:30]
    assert part["hasMore"]


@pytest.mark.parametrize(
    ("attributes", "pointer"),
    [
        ({"shoeSize": 43}, "/attributes/shoeSize"),
        ({"vip": "yes"}, "/attributes/vip"),
        ({"segment": "unheard of"}, "/attributes/segment"),
    ],
)
async def test_attributes_must_exist_and_be_of_their_type(
    shop: httpx.AsyncClient, attributes: Any, pointer: str
) -> None:
    refused = await shop.put("/v2/customer_profiles/zora", json={"attributes": attributes})

    assert refused.status_code == 400
    assert refused.json()["errors"][0]["source"] == {"pointer": pointer}
    missing = await shop.get("/v1/customer_profiles/zora/inventory")
    assert missing.status_code == 404, "a refused request creates nobody"


async def test_many_profiles_change_together_or_not_at_all(shop: httpx.AsyncClient) -> None:
    good = {"integrationId": "one", "attributes": {"country": "FR"}}
    bad = {"integrationId": "two", "attributes": {"country": 33}}
    path = "/v2/customer_profiles"

    refused = await shop.put(path, json={"customerProfiles": [good, bad]})
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["source"]["pointer"].startswith("/customerProfiles/1")
    assert (await shop.get("/v1/customer_profiles/one/inventory")).status_code == 404

    silent = await shop.put(path, json={"customerProfiles": [good]})
    assert (silent.status_code, silent.content) == (204, b"")
    told = await shop.put(path, params={"silent": "no"}, json={"customerProfiles": [good]})
    [state] = told.json()["integrationStates"]
    assert state["customerProfile"]["attributes"] == {"country": "FR"}


async def test_a_dry_run_changes_nothing(shop: httpx.AsyncClient) -> None:
    params = {"runRuleEngine": "true", "dry": "true"}
    body = {"attributes": {"country": "FR"}, "responseContent": ["customerProfile"],
            "audiencesChanges": {"adds": [4], "deletes": []}}  # fmt: skip

    dry = await shop.put("/v2/customer_profiles/zora", params=params, json=body)

    profile = dry.json()["customerProfile"]
    assert profile["attributes"] == {"country": "FR"}
    assert [each["id"] for each in profile["audienceMemberships"]] == [4]
    assert (await shop.get("/v1/customer_profiles/zora/inventory")).status_code == 404


async def test_the_rule_engine_answers_with_what_is_asked_for(shop: httpx.AsyncClient) -> None:
    wanted = ["customerProfile", "triggeredCampaigns", "loyalty", "event", "awardedGiveaways",
              "ruleFailureReasons", "campaignEligibility"]  # fmt: skip
    path, params = "/v2/customer_profiles/anna.schmidt", {"runRuleEngine": "true"}

    bare = (await shop.put(path, params=params, json={})).json()
    full = (await shop.put(path, params=params, json={"responseContent": wanted})).json()

    assert set(bare) == {"effects", "createdCoupons", "createdReferrals"}
    assert {"customerProfile", "triggeredCampaigns", "loyalty", "event"} <= set(full)
    assert full["event"]["type"] == "talon_profile_updated"


async def test_an_inventory_has_the_sections_that_are_asked_for(shop: httpx.AsyncClient) -> None:
    sections = ("profile", "referrals", "coupons", "loyalty", "giveaways", "achievements")

    everything = await inventory(shop, "anna.schmidt", *sections)

    assert set(everything) == set(sections)
    assert all(everything.values())
    assert await inventory(shop, "anna.schmidt") == {}
    only = await inventory(shop, "anna.schmidt", "giveaways")
    assert {each["profileIntegrationId"] for each in only["giveaways"]} == {"anna.schmidt"}


@pytest.mark.parametrize(
    ("settings", "state"),
    [
        ({}, "active"),
        ({"startDate": {"days": 1}}, "pending"),
        ({"expiryDate": {"days": 1}}, "active"),
    ],
)
async def test_coupons_of_a_customer_have_a_state(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, time: Time, settings: Any, state: str
) -> None:
    dates: dict[str, Any] = {name: time.at(**delta) for name, delta in settings.items()}
    code = await issue(http, recipientIntegrationId="nina", **dates)
    await put(shop, "nina")

    [coupon] = (await inventory(shop, "nina", "coupons"))["coupons"]
    assert (coupon["value"], coupon["state"]) == (code, state)

    time.advance(days=2)
    [coupon] = (await inventory(shop, "nina", "coupons"))["coupons"]
    assert coupon["state"] == ("expired" if "expiryDate" in settings else "active")
    time.advance(days=60)  # the campaign is over
    [coupon] = (await inventory(shop, "nina", "coupons"))["coupons"]
    assert coupon["state"] == "disabled"


async def test_a_reserved_coupon_is_in_the_inventory(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    code = await issue(http)
    await put(shop, "nina")
    assert await inventory(shop, "nina", "coupons") == {"coupons": []}

    await shop.post(f"/v1/coupon_reservations/{code}", json={"integrationIDs": ["nina"]})

    [coupon] = (await inventory(shop, "nina", "coupons"))["coupons"]
    assert (coupon["value"], coupon["profileRedemptionCount"]) == (code, 0)


RANGE = {"rangeStart": "2020-01-01T00:00:00Z", "rangeEnd": "2100-01-01T00:00:00Z"}
REPORTS = "/v1/applications/42/customer_activity_reports"


async def test_a_report_counts_what_a_customer_does(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, time: Time
) -> None:
    code = await issue(http)
    await order(shop, "s-1", "nina", couponCodes=[code, "WRONG"])
    await order(shop, "s-2", "nina")

    [report] = await listed(http, f"{REPORTS}/no_total", integrationId="nina", **RANGE)

    expected = {"couponRedemptions": 1, "couponUseAttempts": 2, "couponFailedAttempts": 1,
                "accruedRevenue": 200, "accruedDiscounts": 20, "totalOrders": 2,
                "totalOrdersNoCoupon": 1, "campaignName": "Summer promotions"}  # fmt: skip
    assert {key: report[key] for key in expected} == expected
    alone = await http.get(f"{REPORTS}/{report['customerId']}", params=RANGE)
    assert alone.json() == report
    later = {"rangeStart": time.at(days=1), "rangeEnd": time.at(days=2)}
    alone = await http.get(f"{REPORTS}/{report['customerId']}", params=later)
    assert alone.json()["totalOrders"] == 0


async def test_reports_by_name_campaign_and_advocate(http: httpx.AsyncClient) -> None:
    everybody = await listed(http, f"{REPORTS}/no_total", sort="name", **RANGE)
    names = [each["name"] for each in everybody]
    assert names == sorted(names)

    [anna] = await listed(http, f"{REPORTS}/no_total", name="anna s", **RANGE)
    assert anna["customerId"] == ANNA
    friends = await listed(http, f"{REPORTS}/no_total", advocateName="Ben Weber", **RANGE)
    referred = await listed(http, "/v1/applications/42/profile/ben.weber/friends")
    assert {each["integrationId"] for each in friends} == {
        each["friendIntegrationId"] for each in referred
    }
    assert friends
    assert await listed(http, f"{REPORTS}/no_total", campaignName="unheard of", **RANGE) == []
    buyers = await listed(http, f"{REPORTS}/no_total", campaignName="summer", **RANGE)
    assert 0 < len(buyers) < len(everybody)


async def test_erasing_a_customer_leaves_no_attribute_of_theirs(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    await put(shop, "nina", attributes={"Name": "Nina Secret"})
    session = {"profileId": "nina", "attributes": {"ShippingCity": "Secret"}}
    await shop.put("/v2/customer_sessions/s-1", json={"customerSession": session})
    await shop.post(
        "/v1/referrals",
        json={"campaignId": 18, "advocateProfileIntegrationId": "nina",
              "attributes": {"channel": "Secret"}},
    )  # fmt: skip

    card = (
        "identifier,state,customerprofileids,attributes\n"
        'N-12,active,nina,"{""preferredReward"": ""Secret""}"\n'
    )
    cards = "/v1/loyalty_programs/7"
    files = {"upFile": ("cards.csv", card)}
    assert (await http.post(f"{cards}/import_cards", files=files)).status_code == 200
    assert "Secret" in (await http.get(f"{cards}/cards/export")).text

    assert (await shop.delete("/v1/customer_data/nina")).status_code == 204

    found = await inventory(shop, "nina", "profile", "referrals")
    assert found["profile"]["attributes"] == {}
    assert [each["attributes"] for each in found["referrals"]] == [{}]
    for path, params in (
        ("/v1/loyalty_programs/7/cards/export", {}),
        ("/v1/applications/42/sessions", {}),
        ("/v1/applications/42/events/no_total", {}),
        ("/v1/applications/42/access_logs/no_total", RANGE),
    ):
        answer = await http.get(path, params=params)
        assert answer.status_code == 200, answer.text
        assert "Secret" not in answer.text, path
    assert (await shop.delete("/v1/customer_data/nobody")).status_code == 404
