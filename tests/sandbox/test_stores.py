"""Stores, the campaigns that run in them and what they may spend there, told through HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.sandbox.carts import BAG, coupon, of_type
from tests.sandbox.carts import send as send_cart
from tests.sandbox.door import Time

pytestmark = pytest.mark.anyio
STORES = "/v1/applications/42/stores"
CAMPAIGN = "/v1/applications/42/campaigns/18"
OF_CAMPAIGN = f"{CAMPAIGN}/stores"
BUDGETS = f"{OF_CAMPAIGN}/budgets"
SETTINGS = {"name": "Summer", "tags": [], "limits": [], "features": []}


async def create(http: httpx.AsyncClient, **settings: Any) -> dict[str, Any]:
    body = {"name": "Graz", "description": "In the old town", "integrationId": "GRZ"} | settings
    created = await http.post(STORES, json=body)
    assert created.status_code == 201, created.text
    store: dict[str, Any] = created.json()
    return store


async def ids(http: httpx.AsyncClient, **params: Any) -> list[int]:
    listed = await http.get(STORES, params=params)
    return [each["id"] for each in listed.json()["data"]]


async def send(http: httpx.AsyncClient, url: str, text: str, **params: Any) -> httpx.Response:
    return await http.post(url, files={"upFile": ("stores.csv", text)}, params=params)


async def link(http: httpx.AsyncClient, *stores: str) -> httpx.Response:
    text = "\n".join(("store_integration_id", *stores)) + "\n"
    return await send(http, f"{OF_CAMPAIGN}/import", text)


async def links(http: httpx.AsyncClient) -> list[str]:
    return (await http.get(f"{OF_CAMPAIGN}/export")).text.split()[1:]


async def budgets(http: httpx.AsyncClient, **params: Any) -> list[tuple[int, int, str]]:
    listed = (await http.get(BUDGETS, params=params)).json()["data"]
    return [(each["store"]["id"], each["limit"], each["period"]) for each in listed]


def budget(limits: dict[int, float], **settings: Any) -> dict[str, Any]:
    each = [{"storeId": store, "limit": limit} for store, limit in limits.items()]
    return {"action": "setDiscount", "storeLimits": each} | settings


# --- Stores -------------------------------------------------------------------------------------


async def test_a_store_is_made_read_changed_and_deleted(
    http: httpx.AsyncClient, time: Time
) -> None:
    store = await create(http, attributes={"country": "AT"})
    url = f"{STORES}/{store['id']}"
    assert (store["updated"], store["linkedCampaignIds"]) == (store["created"], [])

    time.advance(hours=1)
    body = {"name": "Graz Nord", "description": "", "integrationId": "GRZ"}
    changed = (await http.put(url, json=body)).json()
    assert (changed["name"], changed["attributes"]) == ("Graz Nord", {})
    assert changed["updated"] > changed["created"] == store["created"]
    assert (await http.get(url)).json() == changed

    assert (await http.delete(url)).status_code == 204
    assert (await http.get(url)).status_code == 404
    assert (await create(http))["id"] > store["id"], "an id is never used twice"


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, [1, 2, 3, 17, 23]),
        ({"name": "munich"}, [3]),
        ({"integrationId": "STORE-10"}, []),
        ({"integrationId": "STORE-102"}, [2]),
        ({"query": "store-10"}, [1, 2, 3]),
        ({"query": "ZURICH"}, [23]),
        ({"campaignId": 23}, [1, 23]),
        ({"campaignId": 23, "name": "berlin"}, [1]),
        ({"campaignId": 18}, []),
        ({"sort": "-name", "pageSize": 2}, [23, 17]),
    ],
)
async def test_filters_of_stores(
    http: httpx.AsyncClient, filters: dict[str, Any], found: list[int]
) -> None:
    assert await ids(http, **filters) == found


async def test_the_total_is_there_when_it_is_asked_for(http: httpx.AsyncClient) -> None:
    page = (await http.get(STORES, params={"pageSize": 2, "withTotalResultSize": "true"})).json()
    plain = (await http.get(STORES, params={"pageSize": 2})).json()

    assert (page["totalResultSize"], plain["hasMore"]) == (5, True)


async def test_an_integration_id_is_there_once_in_an_application(http: httpx.AsyncClient) -> None:
    await create(http)
    body = {"name": "Again", "description": "", "integrationId": "GRZ"}

    assert (await http.post(STORES, json=body)).status_code == 409
    elsewhere = await http.post("/v1/applications/43/stores", json=body)
    assert elsewhere.status_code == 201
    assert (await http.get(f"{STORES}/{elsewhere.json()['id']}")).status_code == 404


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"integrationId": "OTHER"}, "/integrationId"),
        ({"attributes": {"colour": "red"}}, "/attributes/colour"),
        ({"attributes": {"code": "one"}}, "/attributes/code"),
    ],
)
async def test_a_refused_change_names_its_place(
    http: httpx.AsyncClient, changes: dict[str, Any], pointer: str
) -> None:
    body = {"name": "Berlin", "description": "", "integrationId": "STORE-101"} | changes

    refused = await http.put(f"{STORES}/1", json=body)

    assert (refused.status_code, refused.json()["errors"][0]["source"]) == (
        400,
        {"pointer": pointer},
    )
    assert (await http.get(f"{STORES}/1")).json()["name"] == "Berlin Mitte"


# --- Their campaigns ----------------------------------------------------------------------------


async def test_the_stores_of_a_campaign_are_replaced_exported_and_disconnected(
    http: httpx.AsyncClient,
) -> None:
    assert (await link(http, "STORE-101", "STORE-102")).json()["amount"] == 2
    assert await links(http) == ["STORE-101", "STORE-102"]
    assert (await http.get(f"{STORES}/1")).json()["linkedCampaignIds"] == [18, 22, 23]

    await link(http, "STORE-102", "STORE-001")
    assert await ids(http, campaignId=18) == [2, 17]
    assert (await http.get(CAMPAIGN)).json()["storesImported"] is True
    found = (await http.get("/v1/applications/42/campaigns", params={"storeId": 17})).json()["data"]
    assert [each["id"] for each in found] == [18]

    assert (await http.delete(OF_CAMPAIGN)).status_code == 204
    assert await links(http) == []
    assert (await http.get(CAMPAIGN)).json()["storesImported"] is False
    assert len(await ids(http)) == 5, "the stores stay"


async def test_a_broken_import_of_stores_changes_nothing(http: httpx.AsyncClient) -> None:
    await link(http, "STORE-101")

    refused = await link(http, "STORE-102", "STORE-401")

    assert (refused.status_code, refused.json()["errors"][0]["source"]) == (400, {"line": "3"})
    assert await links(http) == ["STORE-101"], "store 401 is another Application's"


async def test_a_campaign_names_its_stores_unless_they_were_imported(
    http: httpx.AsyncClient,
) -> None:
    named = await http.put(CAMPAIGN, json=SETTINGS | {"linkedStoreIds": [1, 3]})
    assert named.json()["linkedStoreIds"] == [1, 3]
    unknown = await http.put(CAMPAIGN, json=SETTINGS | {"linkedStoreIds": [31]})
    assert unknown.json()["errors"][0]["source"] == {"pointer": "/linkedStoreIds"}
    assert (await http.put(CAMPAIGN, json=SETTINGS)).json()["linkedStoreIds"] == []

    await link(http, "STORE-102")
    refused = await http.put(CAMPAIGN, json=SETTINGS | {"linkedStoreIds": [1]})
    assert refused.status_code == 400
    assert (await http.put(CAMPAIGN, json=SETTINGS)).json()["linkedStoreIds"] == [2]


async def test_at_most_fifty_stores_are_named(http: httpx.AsyncClient) -> None:
    stores = [(await create(http, integrationId=f"S{n}"))["id"] for n in range(51)]

    assert (
        await http.put(CAMPAIGN, json=SETTINGS | {"linkedStoreIds": stores[:50]})
    ).status_code == 200
    assert (await http.put(CAMPAIGN, json=SETTINGS | {"linkedStoreIds": stores})).status_code == 400
    assert (await link(http, *(f"S{n}" for n in range(51)))).json()["amount"] == 51


async def test_a_deleted_store_leaves_campaigns_and_budgets(http: httpx.AsyncClient) -> None:
    campaign = "/v1/applications/42/campaigns/22"
    await http.delete(f"{STORES}/2")

    assert (await http.get(campaign)).json()["linkedStoreIds"] == [1, 3]
    listed = (await http.get(f"{campaign}/stores/budgets")).json()["data"]
    assert {each["store"]["id"] for each in listed} == {1, 3}
    summary = (await http.get(f"{campaign}/stores/budgets/summary")).json()["data"]
    assert [each["storeCount"] for each in summary] == [2, 1]


async def test_a_copy_for_another_application_has_none_of_the_stores(
    http: httpx.AsyncClient,
) -> None:
    await link(http, "STORE-101")

    copies = await http.post(f"{CAMPAIGN}/copy", json={"applicationIds": [42, 43]})

    assert [each.get("linkedStoreIds", []) for each in copies.json()["data"]] == [[1], []]


# --- Budgets ------------------------------------------------------------------------------------


async def test_budgets_are_made_filtered_summarized_exported_and_deleted(
    http: httpx.AsyncClient,
) -> None:
    await link(http, "STORE-101", "STORE-102")
    assert (await http.post(BUDGETS, json=budget({1: 500, 2: 300}))).status_code == 201
    await http.post(BUDGETS, json=budget({1: 40}, period="weekly"))

    assert await budgets(http) == [(1, 500, "overall"), (2, 300, "overall"), (1, 40, "weekly")]
    assert await budgets(http, period="weekly") == [(1, 40, "weekly")]
    assert await budgets(http, action="setDiscount", period="daily") == []
    summary = (await http.get(f"{BUDGETS}/summary")).json()["data"]
    assert summary == [
        {"action": "setDiscount", "period": "overall", "storeCount": 2, "imported": False},
        {"action": "setDiscount", "period": "weekly", "storeCount": 1, "imported": False},
    ]
    exported = await http.get(f"{BUDGETS}/export", params={"period": "overall"})
    assert exported.text == "store_integration_id,limit\nSTORE-101,500\nSTORE-102,300\n"

    assert (await http.delete(BUDGETS, params={"period": "overall"})).status_code == 204
    assert await budgets(http) == [(1, 40, "weekly")]
    await http.delete(BUDGETS)
    assert await budgets(http) == []


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        (budget({1: 10}), 409, "/storeLimits/0"),
        (budget({3: 10, 1: 10}), 400, "/storeLimits/0/storeId"),
        (budget({2: 10, 1: -1}, period="daily"), 400, "/storeLimits/1/limit"),
        (budget({1: 10}, period="overall"), 400, "/period"),
        (budget({1: 10}, action="createCoupon"), 400, "/action"),
    ],
)
async def test_a_refused_budget_names_its_place_and_changes_nothing(
    http: httpx.AsyncClient, body: dict[str, Any], status: int, pointer: str
) -> None:
    await link(http, "STORE-101", "STORE-102")
    await http.post(BUDGETS, json=budget({1: 500}))

    refused = await http.post(BUDGETS, json=body)

    assert refused.status_code == status
    assert refused.json()["errors"][0]["source"] == {"pointer": pointer}
    assert await budgets(http) == [(1, 500, "overall")]


async def test_an_import_replaces_the_budgets_of_its_period_alone(http: httpx.AsyncClient) -> None:
    await link(http, "STORE-101", "STORE-102")
    await http.post(BUDGETS, json=budget({1: 500, 2: 300}))
    await http.post(BUDGETS, json=budget({1: 40}, period="weekly"))

    text = "store_integration_id,limit\nSTORE-102,75\n"
    imported = await send(http, f"{BUDGETS}/import", text, action="setDiscount", period="overall")

    assert (imported.status_code, imported.json()["amount"]) == (201, 1)
    assert sorted(await budgets(http)) == [(1, 40, "weekly"), (2, 75, "overall")]
    summary = (await http.get(f"{BUDGETS}/summary")).json()["data"]
    assert [each["imported"] for each in summary] == [True, False]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("store_integration_id\nSTORE-101\n", "1"),
        ("store_integration_id,limit\nSTORE-101,5\nSTORE-103,5\n", "3"),
        ("store_integration_id,limit\nSTORE-999,5\n", "2"),
        ("store_integration_id,limit\nSTORE-101,much\n", "2"),
        ("store_integration_id,limit\nSTORE-101,-5\n", "2"),
        ("store_integration_id,limit\nSTORE-101,nan\n", "2"),
        ("store_integration_id,limit\nSTORE-101,5\nSTORE-101,6\n", "3"),
    ],
)
async def test_a_broken_import_of_budgets_names_its_line_and_changes_nothing(
    http: httpx.AsyncClient, text: str, line: str
) -> None:
    await link(http, "STORE-101")
    await http.post(BUDGETS, json=budget({1: 500}))

    refused = await send(http, f"{BUDGETS}/import", text)

    assert (refused.status_code, refused.json()["errors"][0]["source"]) == (400, {"line": line})
    assert await budgets(http) == [(1, 500, "overall")]


# --- Budgets at the till ------------------------------------------------------------------------


async def buy(http: httpx.AsyncClient, shop: httpx.AsyncClient, name: str, place: str) -> float:
    """Buy a bag for 120 with a coupon for 20 % off, and return what was taken off."""
    code = (await coupon(http))["value"]
    session = {"cartItems": [BAG], "couponCodes": [code], "profileId": "ada"}
    if place:
        session["storeIntegrationId"] = place
    closed = await send_cart(shop, name, "closed", **session)
    return float(sum(each["value"] for each in of_type(closed, "setDiscount")))


@pytest.mark.parametrize(("place", "discount"), [("STORE-101", 24), ("STORE-102", 0), ("", 0)])
async def test_a_campaign_with_stores_is_for_their_sessions_alone(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, place: str, discount: float
) -> None:
    await link(http, "STORE-101")

    assert await buy(http, shop, "one", place) == discount


async def test_a_store_gives_no_more_discount_than_its_budget(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    await link(http, "STORE-101", "STORE-102")
    await http.post(BUDGETS, json=budget({1: 50}))

    given = [await buy(http, shop, f"cart {n}", "STORE-101") for n in range(3)]

    assert given == [24, 24, 0]
    assert await buy(http, shop, "elsewhere", "STORE-102") == 24, "it is each store's own"
    await send_cart(shop, "cart 0", "cancelled")
    assert await buy(http, shop, "later", "STORE-101") == 24, "a cancelled cart gives it back"


@pytest.mark.parametrize(
    ("period", "days"), [("daily", 1), ("weekly", 7), ("monthly", 16), ("yearly", 200)]
)
async def test_a_budget_of_a_period_is_there_again_in_the_next(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, time: Time, period: str, days: int
) -> None:
    rules = {"features": ["coupons"], "activeRulesetId": 118}
    await http.put(CAMPAIGN, json=SETTINGS | rules | {"linkedStoreIds": [1]})  # without an end
    await http.post(BUDGETS, json=budget({1: 30}, period=period))

    given = [await buy(http, shop, f"cart {n}", "STORE-101") for n in range(2)]
    time.advance(days=days)

    assert given == [24, 0]
    assert await buy(http, shop, "next", "STORE-101") == 24
