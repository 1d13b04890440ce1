"""What several stories need to happen first: a coupon is issued, an order is placed with it."""

from __future__ import annotations

from typing import Any

import httpx


async def issue(http: httpx.AsyncClient, campaign: int = 18, **settings: Any) -> str:
    """Issue one coupon of a campaign, for one use unless it is said, and return its code."""
    issued = await http.post(
        f"/v1/applications/42/campaigns/{campaign}/coupons",
        params={"silent": "no"},
        json={"numberOfCoupons": 1, "usageLimit": 1, **settings},
    )
    assert issued.status_code == 200, issued.text
    code: str = issued.json()["data"][0]["value"]
    return code


async def order(
    shop: httpx.AsyncClient, session: str, customer: str, price: float = 100, **settings: Any
) -> list[dict[str, Any]]:
    """Close a session of a customer with one item of this price, and return its effects."""
    item = {"name": "shirt", "sku": "SKU-1", "quantity": 1, "price": price}
    body = {"profileId": customer, "state": "closed", "cartItems": [item], **settings}
    closed = await shop.put(f"/v2/customer_sessions/{session}", json={"customerSession": body})
    assert closed.status_code == 200, closed.text
    effects: list[dict[str, Any]] = closed.json()["effects"]
    return effects
