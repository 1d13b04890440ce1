"""Points of sessions that are cancelled, reopened or returned."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.sandbox.door import Time
from tests.sandbox.loyalty_door import PROGRAM, add, balance, deduct, transactions

pytestmark = pytest.mark.anyio
ANNA = f"{PROGRAM}/profile/anna.schmidt"
ITEM = {"name": "Linen shirt", "sku": "SHIRT-1", "quantity": 2, "price": 30}


async def session(shop: httpx.AsyncClient, state: str, **more: Any) -> None:
    """Bring a session about that earns a point for each of sixty euros."""
    body = {"profileId": "anna.schmidt", "state": state, **more}
    answer = await shop.put("/v2/customer_sessions/order-1000", json={"customerSession": body})
    assert answer.status_code == 200, answer.text


async def active(http: httpx.AsyncClient) -> float:
    points: float = (await balance(http, ANNA))["activePoints"]
    return points


async def test_a_cancelled_session_gives_its_points_back(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    before = await active(http)
    await session(shop, "closed", cartItems=[ITEM])
    assert await active(http) == before + 60

    await session(shop, "cancelled")

    assert await active(http) == before
    params = {"customerSessionIDs": ["order-1000"]}
    rolled_back, earned = await transactions(http, f"{ANNA}/ledger_transactions", **params)
    assert (earned["type"], earned["amount"]) == ("addition", 60)
    assert (rolled_back["type"], rolled_back["amount"]) == ("subtraction", 60)


async def test_a_session_that_is_closed_again_earns_its_points_once(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    before = await active(http)
    for _ in range(3):
        await session(shop, "closed", cartItems=[ITEM])
        assert await active(http) == before + 60
        reopened = await shop.put("/v2/customer_sessions/order-1000/reopen")
        assert reopened.status_code == 200, reopened.text
        assert await active(http) == before


async def test_points_that_are_spent_since_are_taken_back_as_far_as_there_are_others(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    before = await active(http)
    await session(shop, "closed", cartItems=[ITEM])
    await deduct(http, before + 35, ANNA)

    await session(shop, "cancelled")

    after = await balance(http, ANNA)
    assert (after["activePoints"], after["negativePoints"]) == (0, 0)


async def test_returned_items_take_their_share_of_the_points_back(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    before = await active(http)
    await session(shop, "closed", cartItems=[ITEM])

    body = {"return": {"returnedCartItems": [{"position": 0, "quantity": 1}]}}

    returned = await shop.post("/v2/customer_sessions/order-1000/returns", json=body)

    assert returned.status_code == 200, returned.text
    assert await active(http) == before + 30
    await session(shop, "cancelled")
    assert await active(http) == before


async def test_a_sessions_points_expire_like_others(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, time: Time
) -> None:
    await add(http, 10, ANNA, validityDuration="unlimited")
    await session(shop, "closed", cartItems=[ITEM])
    time.advance(days=366)

    assert (await balance(http, ANNA))["activePoints"] == 50  # with those that were pending
