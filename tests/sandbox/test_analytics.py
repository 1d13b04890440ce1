"""Analytics say what happened in sessions, no more and no less."""

from __future__ import annotations

import csv
import io
from typing import Any

import httpx
import pytest

from tests.sandbox.carts import BAG, CAMPAIGNS, SHIRT, coupon, give_back, send
from tests.sandbox.door import Time

pytestmark = pytest.mark.anyio


async def series(
    http: httpx.AsyncClient, campaign: int, time: Time, granularity: str = "1 hour"
) -> list[dict[str, Any]]:
    params = {"rangeStart": time.at(hours=-3), "rangeEnd": time.at(hours=1),
              "granularity": granularity}  # fmt: skip
    found = await http.get(f"{CAMPAIGNS}/{campaign}/analytics", params=params)
    assert found.status_code == 200, found.text
    data: list[dict[str, Any]] = found.json()["data"]
    assert len(data) == found.json()["totalResultSize"]
    return data


async def test_a_campaigns_figures_stand_at_the_hour_in_which_they_came(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, time: Time
) -> None:
    time.advance(hours=2)
    code = (await coupon(http))["value"]
    cart: dict[str, Any] = {"profileId": "ada", "cartItems": [BAG], "couponCodes": [code]}
    await send(shop, "one", "closed", **cart)
    time.advance(hours=1)
    await send(shop, "one", "cancelled")

    data = await series(http, 18, time)

    names = ("campaignRevenue", "campaignRefund", "campaignDiscountCosts",
             "campaignRefundedDiscounts", "couponRedemptions", "couponRolledbackRedemptions",
             "couponsCreated")  # fmt: skip
    assert [[each[name] for name in names] for each in data] == [
        [0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0],
        [120, 0, 24, 0, 1, 0, 1],
        [0, 120, 0, 24, 0, 1, 0],
    ]
    assert data[2]["totalCampaignRevenue"] == data[1]["totalCampaignRevenue"] + 120


async def test_an_open_cart_counts_for_nothing(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, time: Time
) -> None:
    code = (await coupon(http))["value"]
    await send(shop, "one", cartItems=[BAG], couponCodes=[code])

    assert sum(each["campaignRevenue"] for each in await series(http, 18, time)) == 0


async def test_points_and_free_items_are_counted_where_they_were_given(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, time: Time
) -> None:
    await send(shop, "one", "closed", profileId="anna.schmidt", cartItems=[BAG])

    points = await series(http, 24, time)
    bags = await series(http, 25, time)

    assert sum(each["addedLoyaltyPoints"] for each in points) == 120
    assert sum(each["campaignFreeItems"] for each in bags) == 1


async def exported(http: httpx.AsyncClient, time: Time, **params: Any) -> dict[str, Any]:
    span = {"rangeStart": time.at(minutes=-1), "rangeEnd": time.at(minutes=1)}
    url = "/v1/applications/42/campaign_analytics/export"
    found = await http.get(url, params=span | params)
    assert found.status_code == 200, found.text
    return {row["campaign_id"]: row for row in csv.DictReader(io.StringIO(found.text))}


async def test_the_export_has_a_row_a_campaign_and_the_sums(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, time: Time
) -> None:
    code = (await coupon(http))["value"]
    await send(shop, "one", "closed", cartItems=[BAG, SHIRT], couponCodes=[code])
    await send(shop, "two", "closed", cartItems=[SHIRT | {"quantity": 1}])

    rows = await exported(http, time)

    assert rows["18"] | {"start_date": "", "end_date": ""} == {
        "campaign_id": "18", "start_date": "", "end_date": "", "revenue": "200.0",
        "sessions": "1", "average_session_value": "200.0", "average_items_per_session": "3.0",
        "coupons": "1", "discounts": "40.0",
    }  # fmt: skip
    assert (rows["total"]["sessions"], rows["total"]["revenue"]) == ("2", "240.0")
    assert (rows["influenced"]["sessions"], rows["19"]["sessions"]) == ("1", "0")
    assert list(await exported(http, time, campaignIds="18,19")) == ["18", "19"]


async def test_a_customers_figures_are_those_of_their_orders(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, shop_us: httpx.AsyncClient
) -> None:
    code = (await coupon(http))["value"]
    cart: dict[str, Any] = {"profileId": "ada", "cartItems": [BAG, SHIRT]}
    first = await send(shop, "one", "closed", couponCodes=[code], **cart)
    await send(shop, "two", "closed", **cart)
    await send(shop, "three", **cart)
    await send(shop_us, "one", "closed", **cart)
    number = first["customerProfile"]["id"]
    url = f"/v1/applications/42/customers/{number}/analytics"

    before = (await http.get(url)).json()
    await give_back(shop, "two", {"sku": "SHIRT"})
    await send(shop, "one", "cancelled")
    after = (await http.get(url)).json()

    assert before == {
        "acceptedCoupons": 1, "createdCoupons": 0, "freeItems": 2, "totalOrders": 2,
        "totalDiscountedOrders": 1, "totalRevenue": 400, "totalDiscounts": 40,
    }  # fmt: skip
    assert (after["acceptedCoupons"], after["totalOrders"], after["totalRevenue"]) == (0, 1, 120)


async def test_the_demo_customers_profiles_agree_with_their_sessions(
    http: httpx.AsyncClient,
) -> None:
    sessions = []
    for application in (42, 43):
        url = f"/v1/applications/{application}/sessions"
        found = (await http.get(url, params={"state": "closed", "profile": "anna.schmidt"})).json()
        sessions += found["data"]

    profile = (await http.get(f"/v1/customers/{sessions[0]['profileId']}")).json()

    assert profile["closedSessions"] == len(sessions) > 0
    assert profile["totalSales"] == pytest.approx(sum(each["total"] for each in sessions))
