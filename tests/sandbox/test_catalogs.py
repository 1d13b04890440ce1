"""Catalogs: synced by actions, listed, and remembered by their prices."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.sandbox.door import Time

pytestmark = pytest.mark.anyio
ITEMS = "/v1/catalogs/30/items"


async def sync(shop: httpx.AsyncClient, kind: str, *payloads: dict[str, Any]) -> httpx.Response:
    actions = [{"type": kind, "payload": payload} for payload in payloads]
    return await shop.put("/v1/catalogs/30/sync", json={"actions": actions})


async def items(http: httpx.AsyncClient, *skus: str) -> dict[str, dict[str, Any]]:
    found = await http.get(ITEMS, params={"sku": list(skus)})
    assert found.status_code == 200, found.text
    return {each["sku"]: each for each in found.json()["data"]}


def attributes(item: dict[str, Any]) -> dict[str, Any]:
    return {each["name"]: each["value"] for each in item["attributes"]}


SHOE = {"sku": "SHOE", "price": 80, "attributes": {"color": "blue"}, "product": {"name": "Shoe"}}


async def test_an_item_is_added_changed_and_removed(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    added = await sync(shop, "ADD", SHOE)
    assert added.json()["version"] == 245
    shoe = (await items(http, "SHOE"))["SHOE"]
    assert (shoe["price"], shoe["version"], shoe["product"]) == (80, 245, {"name": "Shoe"})

    await sync(shop, "PATCH", {"sku": "SHOE", "price": 70, "attributes": {"material": "suede"}})
    patched = (await items(http, "SHOE"))["SHOE"]
    assert (patched["price"], patched["version"]) == (70, 246)
    assert attributes(patched) == {"color": "blue", "material": "suede"}
    assert "product" not in patched, "left out, it is cleared"
    assert patched["id"] == shoe["id"]

    await sync(shop, "ADD", {"sku": "SHOE", "replaceIfExists": True})
    replaced = (await items(http, "SHOE"))["SHOE"]
    assert (replaced["price"], attributes(replaced)) == (70, {})

    assert (await sync(shop, "REMOVE", {"sku": "SHOE"})).status_code == 200
    assert await items(http, "SHOE") == {}


@pytest.mark.parametrize(
    ("kind", "payloads", "pointer"),
    [
        ("ADD", [{"sku": "SKU-001"}], "/actions/0/payload/sku"),
        ("ADD", [SHOE, SHOE], "/actions/1/payload/sku"),
        ("PATCH", [{"sku": "NONE"}], "/actions/0/payload/sku"),
        ("REMOVE", [{"sku": "SKU-001"}, {"sku": "NONE"}], "/actions/1/payload/sku"),
        ("ADD", [SHOE | {"attributes": {"smell": "new"}}],
         "/actions/0/payload/attributes/smell"),
    ],
)  # fmt: skip
async def test_a_refused_sync_changes_nothing(
    http: httpx.AsyncClient,
    shop: httpx.AsyncClient,
    kind: str,
    payloads: list[dict[str, Any]],
    pointer: str,
) -> None:
    before = await items(http)

    refused = await sync(shop, kind, *payloads)

    assert refused.status_code == 400
    assert refused.json()["errors"][0]["source"] == {"pointer": pointer}
    assert await items(http) == before


@pytest.mark.parametrize(
    ("filters", "left"),
    [
        ([{"attr": "color", "op": "EQ", "value": "blue"}], ["B", "C"]),
        ([{"attr": "color", "op": "IN", "value": "blue, red"}], ["C"]),
        ([{"attr": "material", "op": "EQ", "value": "wool"},
          {"attr": "color", "op": "EQ", "value": "red"}], ["A", "B", "C"]),
        ([], []),
    ],
)  # fmt: skip
async def test_many_items_are_removed_by_all_filters(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, filters: Any, left: list[str]
) -> None:
    await sync(shop, "REMOVE_MANY", {})
    assert await items(http) == {}
    colors = {"A": "blue", "B": "red", "C": "black"}
    await sync(shop, "ADD", *({"sku": s, "attributes": {"color": c}} for s, c in colors.items()))

    await sync(shop, "REMOVE_MANY", {"filters": filters})

    assert list(await items(http)) == left


async def test_many_items_are_changed_by_a_number(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    made = {"name": "size", "entity": "CartItem", "title": "Size", "type": "number",
            "description": "Size", "suggestions": [], "editable": True}  # fmt: skip
    assert (await http.post("/v1/attributes", json=made)).is_success
    await sync(shop, "ADD", *({"sku": f"S{n}", "attributes": {"size": n}} for n in (9, 44, 45, 46)))

    everything = ["S9", "S44", "S45", "S46"]
    chosen = {"GT": ["S46"], "GE": ["S45", "S46"], "LT": ["S9", "S44"], "LE": everything[:3]}
    for price, (op, skus) in enumerate(chosen.items(), 1):
        filters = [{"attr": "size", "op": op, "value": "45"}]
        await sync(shop, "PATCH_MANY", {"price": price, "filters": filters})
        now = await items(http, *everything)
        assert [sku for sku in everything if now[sku].get("price") == price] == skus


async def test_items_by_name_and_page(http: httpx.AsyncClient) -> None:
    by_name = await http.get(ITEMS, params={"productNames": ["Jeans", "Socks"]})
    assert [each["sku"] for each in by_name.json()["data"]] == ["SKU-002", "SKU-006"]

    params: dict[str, Any] = {"pageSize": 5, "skip": 10, "withTotalResultSize": "true"}
    last = (await http.get(ITEMS, params=params)).json()
    assert (last["totalResultSize"], len(last["data"])) == (12, 2)
    assert (await http.get("/v1/catalogs/31/items")).status_code == 404


async def test_a_version_that_is_still_to_come_is_refused(shop: httpx.AsyncClient) -> None:
    actions = [{"type": "REMOVE", "payload": {"sku": "SKU-001"}}]

    refused = await shop.put("/v1/catalogs/30/sync", json={"actions": actions, "version": 245})
    taken = await shop.put("/v1/catalogs/30/sync", json={"actions": actions, "version": 244})

    assert (refused.status_code, taken.status_code) == (400, 200)


async def history(http: httpx.AsyncClient, sku: str, start: str, end: str) -> list[dict[str, Any]]:
    body = {"sku": sku, "startDate": start, "endDate": end}
    found = await http.post("/v1/applications/42/price_history", json=body)
    assert found.json()["sku"] == sku
    data: list[dict[str, Any]] = found.json()["history"]
    return data


async def best(shop: httpx.AsyncClient, end: str, kind: str = "strict", **body: Any) -> Any:
    asked = {"skus": ["SHOE"], "timeframe": "30", "timeframeEndDate": end,
             "timeframeEndDateType": kind, **body}  # fmt: skip
    found = await shop.post("/v1/best_prior_price", json=asked)
    assert found.status_code == 200, found.text
    return [each["price"] for each in found.json()]


async def test_prices_are_remembered_and_the_best_of_them_is_found(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, time: Time
) -> None:
    start = time.at()
    await sync(shop, "ADD", SHOE)
    for days, price in ((10, 60), (10, 90), (10, 75)):
        time.advance(days=days)
        await sync(shop, "PATCH", {"sku": "SHOE", "price": price})
    await sync(shop, "PATCH", {"sku": "SHOE", "attributes": {"color": "red"}})

    prices = [each["price"] for each in await history(http, "SHOE", start, time.at(days=1))]
    assert prices == [80, 60, 90, 75], "a change of something else is no price"
    assert await history(http, "SHOE", time.at(days=-1), time.at(minutes=-1)) == []

    assert await best(shop, time.at(days=1)) == [60]
    assert await best(shop, time.at(days=1), timeframe="5") == [75], "of 90 and 75"
    assert await best(shop, time.at(days=1), "price", timeframe="5") == [90], "before 75 began"
    assert await best(shop, time.at(days=-40)) == []


async def test_the_best_price_before_a_sale_is_not_the_sales(
    shop: httpx.AsyncClient, time: Time
) -> None:
    await sync(shop, "ADD", SHOE)
    time.advance(days=10)
    sale = {"priceType": "member", "price": 50, "referenceId": "r-1", "contextId": "SummerSale"}
    await sync(shop, "ADD_PRICE_ADJUSTMENT", {"sku": "SHOE", "adjustments": [sale]})
    time.advance(days=1)

    assert await best(shop, time.at()) == [50]
    assert await best(shop, time.at(), "sale") == [80]
    audience = {"targetType": "AUDIENCE", "audienceID": 4}
    assert await best(shop, time.at(), target=audience) == []
    twice = await sync(shop, "ADD_PRICE_ADJUSTMENT", {"sku": "SHOE", "adjustments": [sale]})
    assert twice.status_code == 400, "a reference is unique"


async def test_a_cart_shows_the_prices_that_hold(shop: httpx.AsyncClient, time: Time) -> None:
    now, later = time.at(), time.at(days=2)
    adjustments = [
        {"priceType": "member", "price": 70, "referenceId": "r-1", "calculatedAt": now},
        {"priceType": "member", "price": 65, "referenceId": "r-2", "calculatedAt": later},
        {"priceType": "staff", "price": 50, "referenceId": "r-3", "effectiveFrom": later},
        {"priceType": "gone", "price": None, "referenceId": "r-4"},
    ]
    await sync(shop, "ADD", SHOE)
    await sync(shop, "ADD_PRICE_ADJUSTMENT", {"sku": "SHOE", "adjustments": adjustments})

    body = {"customerSession": {"cartItems": [{"sku": "SHOE", "quantity": 1}]},
            "responseContent": ["customerSession"]}  # fmt: skip
    answer = (await shop.put("/v2/customer_sessions/one", json=body)).json()

    [line] = answer["customerSession"]["cartItems"]
    assert (line["price"], line["selectedPriceType"]) == (80, "base")
    assert {name: each["price"] for name, each in line["prices"].items()} == {
        "base": 80,
        "member": 65,
    }
