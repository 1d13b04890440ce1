"""The sandbox behaves as upstream does, seen over its own HTTP door."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from talonone_mcp.core.catalog import Catalog, Operation
from talonone_mcp.core.settings import SANDBOX_KEY
from talonone_mcp.sandbox.app import Sandbox
from talonone_mcp.sandbox.http.routing import Router
from tests.contract.facts import (
    documented_document,
    documented_path,
    documented_query,
    example_arguments,
    load_facts,
)
from tests.sandbox.door import KEYS, SHOP, client_of

pytestmark = pytest.mark.anyio
EVERY_ONE = [pytest.param(fact, id=fact["tool"]) for fact in load_facts()]
CAMPAIGN = "/v1/applications/42/campaigns/18"
COUPONS = f"{CAMPAIGN}/coupons"


async def coupons(http: httpx.AsyncClient, **filters: Any) -> list[dict[str, Any]]:
    found = await http.get(f"{COUPONS}/no_total", params=filters)
    assert found.status_code == 200, found.text
    data: list[dict[str, Any]] = found.json()["data"]
    return data


async def issue(http: httpx.AsyncClient, **settings: Any) -> dict[str, Any]:
    body = {"numberOfCoupons": 1, "usageLimit": 1, **settings}
    created = await http.post(COUPONS, params={"silent": "no"}, json=body)
    assert created.status_code == 200, created.text
    coupon: dict[str, Any] = created.json()["data"][0]
    return coupon


# Arguments that lead to a success on the demo account; the others are the documented examples.
WORKING: dict[str, dict[str, Any]] = {
    "activate_user_by_email": {"email": "lena.vogt@example.com"},
    "create_additional_cost": {
        "name": "customs",
        "title": "Customs",
        "subscribedApplicationsIds": [42],
    },
    "create_attribute": {
        "name": "referrer",
        "title": "Referrer",
        "subscribedApplicationsIds": [42],
    },
    "create_scim_user": {"userName": "new.user@example.com"},
    "get_account": {"accountId": 3886},
    "get_account_analytics": {"accountId": 3886},
    "invite_user": {"email": "new.user@example.com", "acl": '{"Role": 127}'},
    "invite_user_from_identity_provider": {"email": "new.user@example.com"},
    "list_message_logs": {"cursor": "MQ=="},
    "patch_scim_group": {"Operations": [{"op": "add", "path": "members", "value": "12"}]},
    "update_additional_cost": {"subscribedApplicationsIds": [42]},
    "update_attribute": {
        "subscribedApplicationsIds": [],
        "subscribedCatalogsIds": [],
        "suggestions": [],
    },
    "copy_campaign": {"applicationIds": [42, 43]},
    "get_ruleset": {"rulesetId": 118},
    "list_rulesets": {"sort": "id"},
    "create_campaign_from_template": {
        "templateParamValues": [{"name": "discount_value", "expression": [10]}]
    },
    "add_loyalty_points": {"applicationId": 42},
    "cep_add_loyalty_points": {"applicationId": 42, "profileIntegrationId": "anna.schmidt"},
    "cep_get_loyalty_ledger": {"profileIntegrationId": "anna.schmidt"},
    "create_strikethrough_notification": {"applicationId": 42},
    "deduct_loyalty_points": {"applicationId": 42, "points": 1, "subledgerId": ""},
    "import_loyalty_join_dates": {
        "csv": "customerprofileid,newjoindate\nanna.schmidt,2026-01-02T03:04:05Z\n"
    },
    "import_loyalty_points": {"csv": "customerprofileid,amount\nnew.customer,100\n"},
    "import_loyalty_tiers": {
        "csv": "subledgerid,customerprofileid,tiername,expirydate\n"
        "spring,anna.schmidt,Gold,2099-01-02T03:04:05Z\n"
    },
    "import_coupons": {"csv": "value\nCOUP1\n"},
    "create_account_collection": {"subscribedApplicationsIds": [42, 43]},
    "update_account_collection": {"subscribedApplicationsIds": [42]},
    "add_loyalty_card_points": {"applicationId": 42},
    "deduct_loyalty_card_points": {"applicationId": 42, "points": 1, "subledgerId": ""},
    "generate_loyalty_card": {"cardIdentifier": "autumn-loyalty-card-5822"},
    "import_loyalty_cards": {"csv": "identifier,state\nautumn-loyalty-card-5822,active\n"},
    "transfer_loyalty_card": {"newCardIdentifier": "autumn-loyalty-card-5822"},
    "unlink_loyalty_card": {"integrationId": "anna.schmidt"},
    "create_store": {"integrationId": "STORE-500"},
    "create_store_budget": {"campaignId": 23, "storeLimits": [{"storeId": 23, "limit": 1000}]},
    "import_account_collection": {"csv": "item\nSHOE-001\n"},
    "import_campaign_collection": {"csv": "item\nSKU-001\n"},
    "import_campaign_stores": {"csv": "store_integration_id\nSTORE-001\n"},
    "import_store_budgets": {"campaignId": 22, "csv": "store_integration_id,limit\nSTORE-101,9\n"},
    "create_coupons_async": {"numberOfCoupons": 200},
    "update_coupon": {"couponId": "1", "startDate": "2020-01-24T14:15:22Z"},
    "delete_coupon": {"couponId": "1"},
    "export_coupons": {"campaignId": 18, "sort": "value"},
    "cep_create_or_get_coupon": {"applicationId": "42", "campaignId": "18"},
    "cep_create_referral": {"campaignId": "18"},
    "create_audience": {"subscribedApplicationsIds": [42]},
    "create_referral": {"campaignId": 18},
    "create_referrals_for_advocates": {"campaignId": 18},
    "import_giveaways": {"csv": "code\nCARD-1\n"},
    "import_referrals": {"csv": "code,advocateprofileintegrationid\nREF-1,anna.schmidt\n"},
    "list_audience_analytics": {"audienceIds": "2,10"},
    "update_achievement": {"name": "FiveSummerOrders"},
    "update_audience": {"subscribedApplicationsIds": [42]},
    "update_customer_session": {
        "customerSessionId": "session2",
        "now": "2099-05-29T15:04:05Z",
        "customerSession": {
            "profileId": "anna.schmidt",
            "cartItems": [{"sku": "SKU-001", "quantity": 1}],
        },
    },
    "update_profile_audiences": {
        "data": [{"action": "add", "profileIntegrationId": "R195412", "audienceId": 7}]
    },
}


@pytest.mark.parametrize("fact", EVERY_ONE)
async def test_every_answer_has_upstreams_shape(
    http: httpx.AsyncClient, catalog: Catalog, fact: Any
) -> None:
    operation = catalog.operations[fact["tool"]]
    arguments = example_arguments(fact, operation) | WORKING.get(fact["tool"], {})
    if "loyaltyProgramId" in arguments:  # the documented examples name many, none of them here
        arguments["loyaltyProgramId"] = 7 if "card" in fact["tool"] else 5
    if "{couponValue}" in fact["path"]:
        arguments["couponValue"] = (await issue(http))["value"]
    if "transactionUUIDs" in arguments:
        waiting = {"awaitsActivation": True, "pageSize": 1}
        found = await http.get("/v1/loyalty_programs/5/transactions", params=waiting)
        arguments["transactionUUIDs"] = [found.json()["data"][0]["transactionUUID"]]

    response = await http.request(fact["method"], **request_of(fact, operation, arguments))

    # The client has compared it with its schema.
    assert str(response.status_code) in fact["responses"], response.text


def request_of(fact: Any, operation: Operation, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the documented request of a call, as httpx takes it."""
    request = {
        "url": documented_path(fact, arguments),
        "params": documented_query(fact, arguments),
        "headers": KEYS[fact["api"]],
    }
    if "csv" in arguments:
        return request | {"files": {"upFile": ("c.csv", arguments["csv"])}}
    if "body" in fact:
        return request | {"json": documented_document(fact, operation, arguments)}
    return request


async def test_the_demo_account_is_the_same_on_every_start(catalog: Catalog) -> None:
    accounts = []
    for _ in range(2):
        async with client_of(Sandbox(catalog, limited=False)) as http:
            accounts.append([coupon["value"] for coupon in await coupons(http)])

    assert accounts[0] == accounts[1]
    assert len(set(accounts[0])) == 40


async def test_the_demo_campaigns_are_in_every_state(http: httpx.AsyncClient) -> None:
    campaigns = (await http.get("/v1/applications/42/campaigns")).json()["data"]

    states = {campaign["frontendState"] for campaign in campaigns}
    assert states == {"running", "scheduled", "expired", "archived", "disabled"}


@pytest.mark.parametrize("state", ["running", "scheduled", "expired", "archived", "disabled"])
async def test_campaigns_by_state(http: httpx.AsyncClient, state: str) -> None:
    params = {"campaignState": state}
    campaigns = (await http.get("/v1/applications/42/campaigns", params=params)).json()["data"]

    assert {campaign["frontendState"] for campaign in campaigns} == {state}


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"name": "SUMMER"}, ["Summer promotions"]),
        ({"tags": "winter"}, ["Winter sale"]),
        ({"name": "summer", "tags": "winter"}, ["Summer promotions", "Winter sale"]),
        ({"name": "nothing"}, []),
        ({"name": "nothing", "tags": "wint"}, ["Winter sale"]),
    ],
)
async def test_campaigns_by_name_or_tag(
    http: httpx.AsyncClient, filters: dict[str, str], names: list[str]
) -> None:
    found = (await http.get("/v1/applications/42/campaigns", params=filters)).json()["data"]

    assert [campaign["name"] for campaign in found] == names


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({}, 1),
        ({"name": "percentage"}, 1),
        ({"tags": "none"}, 0),
        ({"name": "x", "tags": "disc"}, 1),
    ],
)
async def test_templates_by_name_or_tag(
    http: httpx.AsyncClient, filters: dict[str, str], count: int
) -> None:
    found = (await http.get("/v1/campaign_templates", params=filters)).json()["data"]

    assert len(found) == count


async def test_what_is_created_is_listed_changed_and_deleted(http: httpx.AsyncClient) -> None:
    coupon = await issue(
        http, recipientIntegrationId="anna", couponPattern="HELLO-####", validCharacters=["A", "7"]
    )
    assert coupon["value"].startswith("HELLO-")
    assert coupon in await coupons(http, value=coupon["value"], exactMatch="true")

    changed = await http.put(f"{COUPONS}/{coupon['id']}", json={"usageLimit": 7})
    assert changed.json()["usageLimit"] == 7
    assert "recipientIntegrationId" not in changed.json(), "a PUT clears what it leaves out"

    assert (await http.delete(f"{COUPONS}/{coupon['id']}")).status_code == 204
    assert await coupons(http, value=coupon["value"]) == []
    assert (await http.delete(f"{COUPONS}/{coupon['id']}")).status_code == 404
    assert (await issue(http))["id"] > coupon["id"], "an id is never used twice"


async def test_a_deleted_campaign_takes_its_coupons_with_it(http: httpx.AsyncClient) -> None:
    code = (await issue(http, couponPattern="ONCE"))["value"]

    assert (await http.delete(CAMPAIGN)).status_code == 204

    assert (await http.get(CAMPAIGN)).status_code == 404
    found = await http.post(
        "/v1/applications/42/coupons_search_advanced/no_total", params={"value": code}, json={}
    )
    assert found.json()["data"] == []
    body = {"numberOfCoupons": 1, "usageLimit": 1, "couponPattern": code}
    elsewhere = await http.post("/v1/applications/42/campaigns/19/coupons", json=body)
    assert elsewhere.status_code == 204, "the code is free again"


@pytest.mark.parametrize(
    ("filters", "holds"),
    [
        ({"usable": "true"}, lambda c: c["usageLimit"] == 0 or c["usageCounter"] < c["usageLimit"]),
        ({"usable": "false"}, lambda c: 0 < c["usageLimit"] <= c["usageCounter"]),
        ({"redeemed": "true"}, lambda c: c["usageCounter"] > 0),
        ({"redeemed": "false"}, lambda c: c["usageCounter"] == 0),
        ({"batchId": "batch18a"}, lambda c: c["batchId"] == "batch18a"),
        ({"value": "summer"}, lambda c: c["value"].startswith("SUMMER")),
        ({"expiresAfter": "2000-01-01T00:00:00Z"}, lambda c: "expiryDate" in c),
        ({"startsAfter": "2000-01-01T00:00:00Z"}, lambda c: "startDate" in c),
    ],
)
async def test_coupon_filters(http: httpx.AsyncClient, filters: Any, holds: Any) -> None:
    everything = await coupons(http)

    found = await coupons(http, **filters)

    assert found == [coupon for coupon in everything if holds(coupon)]
    assert found


async def test_validity_divides_the_coupons(http: httpx.AsyncClient) -> None:
    parts = [await coupons(http, valid=v) for v in ("expired", "validNow", "validFuture")]

    assert all(parts)
    assert sum(map(len, parts)) == len(await coupons(http))


async def test_pages_and_sorting(http: httpx.AsyncClient) -> None:
    whole = [coupon["value"] for coupon in await coupons(http, sort="-value")]
    assert whole == sorted(whole, reverse=True)

    pages = [await http.get(f"{COUPONS}/no_total",
                            params={"sort": "-value", "pageSize": 15, "skip": skip})
             for skip in (0, 15, 30)]  # fmt: skip

    assert [c["value"] for each in pages for c in each.json()["data"]] == whole
    assert [each.json()["hasMore"] for each in pages] == [True, True, False]


async def test_a_state_of_a_campaign_follows_its_changes(http: httpx.AsyncClient) -> None:
    body = {"name": "Summer", "tags": [], "limits": [], "features": ["coupons"]}

    changed = await http.put(CAMPAIGN, json=body | {"state": "disabled"})

    assert changed.json()["frontendState"] == "disabled"
    assert "endTime" not in changed.json()
    assert (await http.get(CAMPAIGN)).json() == changed.json()


async def test_a_copy_has_the_rules_but_not_the_coupons(http: httpx.AsyncClient) -> None:
    copied = await http.post(f"{CAMPAIGN}/copy", json={"applicationIds": [43], "name": "Again"})

    copy = copied.json()["data"][0]
    assert (copy["name"], copy["applicationId"], copy["couponCreationCount"]) == ("Again", 43, 0)
    rules = [
        (await http.get(f"/v1/applications/{application}/campaigns/{campaign}/rulesets")).json()
        for application, campaign in ((42, 18), (43, copy["id"]))
    ]
    assert rules[0]["data"][0]["rules"] == rules[1]["data"][0]["rules"]


async def test_analytics_add_up_to_the_coupons_redemptions(http: httpx.AsyncClient) -> None:
    campaign = (await http.get(CAMPAIGN)).json()
    params = {"rangeStart": "2020-01-01T00:00:00Z", "rangeEnd": "2100-01-01T00:00:00Z",
              "granularity": "1 year"}  # fmt: skip

    series = (await http.get(f"{CAMPAIGN}/analytics", params=params)).json()["data"]

    redeemed = sum(point["couponRedemptions"] for point in series)
    assert redeemed == series[-1]["totalCouponRedemptions"] == campaign["couponRedemptionCount"]
    assert redeemed == sum(coupon["usageCounter"] for coupon in await coupons(http))


async def test_reservations(http: httpx.AsyncClient) -> None:
    code = (await issue(http))["value"]
    url = f"/v1/coupon_reservations/{code}"

    reserved = await http.post(url, json={"integrationIDs": ["ann", "bob"]}, headers=SHOP)
    assert (reserved.status_code, reserved.json()["reservationCounter"]) == (201, 2)
    await http.request("DELETE", url, json={"integrationIDs": ["bob"]}, headers=SHOP)

    left = await http.get(f"/v1/coupon_reservations/customerprofiles/{code}", headers=SHOP)
    assert [profile["integrationId"] for profile in left.json()["data"]] == ["ann"]


async def test_an_export_holds_what_the_list_holds(http: httpx.AsyncClient) -> None:
    params: dict[str, Any] = {"campaignId": 18, "valuesOnly": "true"}
    exported = await http.get("/v1/applications/42/export_coupons", params=params)

    assert exported.headers["content-type"].startswith("application/csv")
    assert exported.text.split() == ["value", *(c["value"] for c in await coupons(http))]


async def import_csv(http: httpx.AsyncClient, text: str, **params: Any) -> httpx.Response:
    files = {"upFile": ("coupons.csv", text)}
    return await http.post(f"{CAMPAIGN}/import_coupons", files=files, params=params)


async def test_an_import_creates_the_coupons_of_its_lines(http: httpx.AsyncClient) -> None:
    text = 'value,limitval,attributes\nPARTNER1,0,"{""venue"": 1}"\nPARTNER2,,\n'

    imported = await import_csv(http, text)

    assert imported.json()["amount"] == 2
    first, second = await coupons(http, value="partner")
    assert (first["usageLimit"], first["attributes"]) == (0, {"venue": 1})
    assert second["usageLimit"] == 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("code\nABC\n", "1"),
        ("value,colour\nABC,red\n", "1"),
        ("value,limitval\nABCD,\nABCE,many\n", "3"),
        ("value,startdate\nABCD,tomorrow\n", "2"),
        ("value\nAB\n", "2"),
        ("value\nSAME\nSAME\n", "3"),
        ("value,limitval\nABCD,1,2\n", "2"),
    ],
)
async def test_a_broken_import_names_its_line_and_changes_nothing(
    http: httpx.AsyncClient, text: str, line: str
) -> None:
    before = await coupons(http)

    refused = await import_csv(http, text)

    assert refused.status_code == 400
    assert refused.json()["errors"][0]["source"] == {"line": line}
    assert await coupons(http) == before


@pytest.mark.parametrize(
    ("method", "path", "request_parts", "status", "source"),
    [
        ("GET", "/v1/nowhere", {}, 404, {}),
        ("GET", "/v1/applications/99/campaigns", {}, 404, {"resource": "application"}),
        ("GET", "/v1/applications/43/campaigns/18", {}, 404, {"resource": "campaign"}),
        ("GET", "/v1/applications/x", {}, 400, {"parameter": "applicationId"}),
        ("GET", "/v1/applications?pageSize=0", {}, 400, {"parameter": "pageSize"}),
        ("POST", COUPONS, {"content": b"{"}, 400, {"pointer": "/"}),
        ("POST", COUPONS, {"content": b"[]"}, 400, {"pointer": "/"}),
        ("POST", COUPONS, {"json": {"usageLimit": 1}}, 400, {"pointer": "/numberOfCoupons"}),
        ("POST", COUPONS, {"json": {"numberOfCoupons": 20001, "usageLimit": 1}}, 400,
         {"pointer": "/numberOfCoupons"}),
        ("POST", COUPONS, {"json": {"numberOfCoupons": 2, "usageLimit": 1,
                                    "couponPattern": "ONE"}}, 400, {"pointer": "/couponPattern"}),
        ("POST", f"{CAMPAIGN}/import_coupons", {"data": {"x": "y"}}, 415, {"pointer": "/upFile"}),
    ],
)  # fmt: skip
async def test_refusals_have_upstreams_form(  # noqa: PLR0913, PLR0917 - the table's columns
    http: httpx.AsyncClient, method: str, path: str, request_parts: Any, status: int, source: Any
) -> None:
    before = await coupons(http)

    refused = await http.request(method, path, **request_parts)

    document = refused.json()
    assert (refused.status_code, document["StatusCode"]) == (status, status)
    assert document["errors"][0]["source"] == source
    assert await coupons(http) == before, "a refused request changes nothing"


@pytest.mark.parametrize("key", ["", "ManagementKey-v1 wrong", f"Bearer {SANDBOX_KEY}"])
async def test_a_wrong_key_is_refused(http: httpx.AsyncClient, key: str) -> None:
    assert (await http.get(CAMPAIGN, headers={"Authorization": key})).status_code == 401


async def test_the_fourth_request_in_a_second_is_too_many(catalog: Catalog) -> None:
    seconds = 0.0
    async with client_of(Sandbox(catalog, clock=lambda: seconds)) as http:
        statuses = [(await http.get(CAMPAIGN)).status_code for _ in range(5)]
        other = (await http.get("/v1/applications")).status_code
        seconds = 1.0
        after = await http.get(CAMPAIGN)

    assert statuses == [200, 200, 200, 429, 429]
    assert (other, after.status_code) == (200, 200)


def test_a_fixed_segment_goes_before_a_placeholder(catalog: Catalog) -> None:
    operations = {
        name: replace(next(iter(catalog)), name=name, method="GET", path=path)
        for name, path in (("one", "/v1/customers/{id}"), ("all", "/v1/customers/no_total"))
    }
    router = Router(Catalog(operations, {}))

    assert router.find("GET", "/v1/customers/no_total")[0].name == "all"
    assert router.find("GET", "/v1/customers/7") == (operations["one"], {"id": "7"})


async def test_an_encoded_slash_is_part_of_the_code(http: httpx.AsyncClient) -> None:
    refused = await http.get("/v1/coupon_reservations/customerprofiles/A%2FB%3F", headers=SHOP)

    assert refused.status_code == 404
    assert json.loads(refused.content)["message"] == "coupon A/B? does not exist"
