"""Carts of the tests, sent as a shop sends them."""

from __future__ import annotations

from typing import Any

import httpx

SHIRT = {"name": "Shirt", "sku": "SHIRT", "quantity": 2, "price": 40}
BAG = {"name": "Bag", "sku": "BAG", "quantity": 1, "price": 120}
CAMPAIGNS = "/v1/applications/42/campaigns"


async def send(
    shop: httpx.AsyncClient, name: str, state: str = "open", **session: Any
) -> dict[str, Any]:
    """Update a session and return the answer, with everything in it."""
    answered = await ask(shop, name, state, **session)
    assert answered.status_code == 200, answered.text
    state_after: dict[str, Any] = answered.json()
    return state_after


async def ask(
    shop: httpx.AsyncClient, name: str, state: str = "open", *, dry: bool = False, **session: Any
) -> httpx.Response:
    """Update a session and return the response."""
    wanted = ["customerSession", "customerProfile", "coupons", "triggeredCampaigns", "loyalty",
              "event", "ruleFailureReasons", "previousReturns", "campaignEligibility"]  # fmt: skip
    body = {"customerSession": {"state": state, **session}, "responseContent": wanted}
    params = {"dry": "true"} if dry else {}
    return await shop.put(f"/v2/customer_sessions/{name}", json=body, params=params)


async def give_back(
    shop: httpx.AsyncClient, name: str, *items: dict[str, Any], **params: Any
) -> dict[str, Any]:
    """Return items of a session and return the answer."""
    body = {"return": {"returnedCartItems": items}, "responseContent": ["customerSession"]}
    url = f"/v2/customer_sessions/{name}/returns"
    answered = await shop.post(url, json=body, params=params)
    assert answered.status_code == 200, answered.text
    state_after: dict[str, Any] = answered.json()
    return state_after


def of_type(answer: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """Return the properties of the effects of a type."""
    return [each["props"] for each in answer["effects"] if each["effectType"] == kind]


def reason(answer: dict[str, Any]) -> str:
    """Return why the one code was rejected."""
    [rejected] = of_type(answer, "rejectCoupon")
    said: str = rejected["rejectionReason"]
    return said


async def coupon(
    http: httpx.AsyncClient, campaign: int = 18, application: int = 42, **settings: Any
) -> dict[str, Any]:
    """Create a coupon and return it."""
    url = f"/v1/applications/{application}/campaigns/{campaign}/coupons"
    body = {"numberOfCoupons": 1, "usageLimit": 1, **settings}
    created = await http.post(url, params={"silent": "no"}, json=body)
    assert created.status_code == 200, created.text
    issued: dict[str, Any] = created.json()["data"][0]
    return issued


async def coupon_now(http: httpx.AsyncClient, known: dict[str, Any]) -> dict[str, Any]:
    """Return a coupon as it is now."""
    params = {"value": known["value"], "exactMatch": "true"}
    found = await http.get(f"{CAMPAIGNS}/{known['campaignId']}/coupons/no_total", params=params)
    [current] = found.json()["data"]
    return dict(current)


async def campaign_now(http: httpx.AsyncClient, number: int) -> dict[str, Any]:
    """Return a campaign as it is now."""
    found = await http.get(f"{CAMPAIGNS}/{number}")
    return dict(found.json())


async def limit(http: httpx.AsyncClient, number: int, *limits: dict[str, Any]) -> None:
    """Give a campaign other budgets."""
    campaign = await campaign_now(http, number)
    taken = ("name", "tags", "features", "startTime", "endTime", "activeRulesetId", "state")
    body = {key: campaign[key] for key in taken if key in campaign} | {"limits": list(limits)}
    changed = await http.put(f"{CAMPAIGNS}/{number}", json=body)
    assert changed.status_code == 200, changed.text
