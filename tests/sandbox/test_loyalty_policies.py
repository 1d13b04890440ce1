"""The settings of a loyalty program that no operation changes, in accounts that have others."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from talonone_mcp.core.catalog import Catalog
from tests.sandbox import door as doors
from tests.sandbox.door import MANAGEMENT, SHOP, Time
from tests.sandbox.loyalty_door import PROGRAM, add, balance, deduct, export, transactions

pytestmark = pytest.mark.anyio
ANNA = f"{PROGRAM}/profile/anna.schmidt"
CUSTOMER = f"{PROGRAM}/profile/quite.new"
ORDER = "/v2/customer_sessions/order-1000"
ITEM = {"name": "Linen shirt", "sku": "SHIRT-1", "quantity": 2, "price": 30}
Clients = tuple[httpx.AsyncClient, httpx.AsyncClient, Time]
Opened = Callable[..., AbstractAsyncContextManager[Clients]]


@pytest.fixture
def account(catalog: Catalog, tmp_path: Path) -> Opened:
    """Opens an account whose program has other settings, and no points but a new customer's."""

    @asynccontextmanager
    async def open_with(**settings: Any) -> AsyncIterator[Clients]:
        path = tmp_path / "account.db"
        with doors.door(catalog, data=path):
            pass
        with sqlite3.connect(path) as db:
            [body] = db.execute("SELECT body FROM loyalty_programs WHERE id = 5").fetchone()
            changed = {
                key: each for key, each in (json.loads(body) | settings).items() if each is not None
            }
            sql = "UPDATE loyalty_programs SET body = ? WHERE id = 5"
            db.execute(sql, (json.dumps(changed),))
        db.close()
        with doors.door(catalog, data=path) as door:
            async with door.client(MANAGEMENT) as http, door.client(SHOP) as shop:
                profile = await shop.put("/v2/customer_profiles/quite.new", json={})
                assert profile.status_code == 200, profile.text
                yield http, shop, door.time

    return open_with


async def close_spend_cancel(http: httpx.AsyncClient, shop: httpx.AsyncClient) -> None:
    """Let a session earn 60 points, spend 50 of the customer's, and cancel it."""
    for state in ("closed", "cancelled"):
        body = {"profileId": "quite.new", "state": state, "cartItems": [ITEM]}
        answer = await shop.put(ORDER, json={"customerSession": body})
        assert answer.status_code == 200, answer.text
        if state == "closed":
            assert (await balance(http, CUSTOMER))["activePoints"] == 60
            await deduct(http, 50, CUSTOMER)


@pytest.mark.parametrize(
    ("policy", "active", "negative"),
    [("only_pending", 10, 0), ("within_balance", 0, 0), ("unlimited", 0, 50)],
)
async def test_the_return_policy_says_how_far_active_points_are_taken_back(
    account: Opened, policy: str, active: float, negative: float
) -> None:
    async with account(returnPolicy=policy) as (http, shop, _):
        await close_spend_cancel(http, shop)

        now = await balance(http, CUSTOMER)
        assert (now["activePoints"], now["negativePoints"]) == (active, negative)


@pytest.mark.parametrize("policy", ["only_pending", "within_balance", "unlimited"])
async def test_pending_points_are_always_taken_back(account: Opened, policy: str) -> None:
    async with account(returnPolicy=policy, defaultPending="5D") as (http, shop, _):
        body = {"profileId": "quite.new", "state": "closed", "cartItems": [ITEM]}
        await shop.put(ORDER, json={"customerSession": body})
        assert (await balance(http, CUSTOMER))["pendingPoints"] == 60

        await shop.put(ORDER, json={"customerSession": body | {"state": "cancelled"}})

        now = await balance(http, CUSTOMER)
        assert (now["pendingPoints"], now["activePoints"], now["spentPoints"]) == (0, 0, 60)


async def test_new_points_make_up_for_a_negative_balance(account: Opened) -> None:
    async with account(returnPolicy="unlimited") as (http, shop, time):
        await close_spend_cancel(http, shop)
        newest, *_ = await transactions(http, f"{CUSTOMER}/ledger_transactions")
        assert newest["flags"] == {"createsNegativeBalance": True}
        then = time.at()
        time.advance(days=1)

        await add(http, 30, CUSTOMER, pendingDuration="2D")
        assert (await balance(http, CUSTOMER))["negativePoints"] == 50
        time.advance(days=2)
        assert (await balance(http, CUSTOMER))["negativePoints"] == 20
        await add(http, 100, CUSTOMER)

        now = await balance(http, CUSTOMER)
        assert (now["activePoints"], now["negativePoints"], now["spentPoints"]) == (80, 0, 110)
        assert (await balance(http, CUSTOMER, endDate=then))["negativePoints"] == 50
        figures = (await http.get(f"{PROGRAM}/statistics")).json()
        assert figures["totalNegativePoints"] == 0


@pytest.mark.parametrize(
    ("policy", "joined"),
    [
        ("points_earned", "2026-06-15"),
        ("points_activated", "2026-06-17"),
        ("not_join", None),
    ],
)
async def test_the_join_policy_says_when_a_customer_joins(
    account: Opened, policy: str, joined: str | None
) -> None:
    async with account(programJoinPolicy=policy) as (http, _, time):
        await add(http, 10, CUSTOMER, pendingDuration="on_action")
        await add(http, 10, CUSTOMER, pendingDuration="5D")
        await add(http, 10, CUSTOMER, pendingDuration="2D")
        time.advance(days=1)
        early = await dates(http)
        time.advance(days=9)

        assert early == ([joined] if policy == "points_earned" else [])
        assert await dates(http) == ([joined] if joined else [])


async def dates(http: httpx.AsyncClient) -> list[str]:
    rows = await export(http, "export_join_dates")
    return [row["joinDate"][:10] for row in rows if row["profileIntegrationID"] == "quite.new"]


async def tier(http: httpx.AsyncClient) -> dict[str, Any]:
    found: dict[str, Any] = (await balance(http, CUSTOMER, includeTiers=True)).get(
        "currentTier", {}
    )
    return found


async def test_simple_tiers_follow_the_points_down_at_once(account: Opened) -> None:
    async with account(tiersExpirationPolicy=None) as (http, _, time):
        await add(http, 400, CUSTOMER, validityDuration="5D")
        await add(http, 150, CUSTOMER, validityDuration="unlimited")
        assert (await tier(http))["name"] == "Gold"
        assert "expiryDate" not in await tier(http)
        await deduct(http, 100, CUSTOMER)
        assert (await tier(http))["name"] == "Silver"
        time.advance(days=5)
        assert (await tier(http))["name"] == "Bronze"


async def test_a_balance_based_downgrade_leads_to_the_tier_of_the_points(account: Opened) -> None:
    async with account(tiersDowngradePolicy="balance_based") as (http, _, time):
        await add(http, 500, CUSTOMER, validityDuration="unlimited")
        await deduct(http, 350, CUSTOMER)
        time.advance(days=365)

        assert (await tier(http))["name"] == "Bronze"


@pytest.mark.parametrize(
    ("settings", "expiry"),
    [
        ({"tiersExpirationPolicy": "program_join_date"}, "2027-06-15"),
        (
            {
                "tiersExpirationPolicy": "absolute_expiration",
                "tierCycleStartDate": "2020-01-01T00:00:00Z",
                "tiersExpireIn": "6M",
            },
            "2026-07-01",
        ),
        ({"tiersExpireIn": "1Y_U"}, "2027-12-31"),
        ({"tiersExpirationPolicy": "customer_attribute"}, None),
    ],
)
async def test_the_term_of_a_tier_ends_as_the_policy_says(
    account: Opened, settings: dict[str, str], expiry: str | None
) -> None:
    async with account(**settings) as (http, _, time):
        await add(http, 10, CUSTOMER)
        time.advance(days=10)
        await add(http, 300, CUSTOMER)

        assert (await tier(http)).get("expiryDate", "")[:10] == (expiry or "")


async def test_a_program_without_subledgers_refuses_points_for_one(account: Opened) -> None:
    async with account(allowSubledger=False) as (http, _, _):
        body = {"points": 1, "subledgerId": "spring"}
        refused = await http.put(f"{ANNA}/add_points", json=body)

        assert refused.status_code == 400
        assert refused.json()["errors"][0]["source"] == {"pointer": "/subledgerId"}


async def test_points_take_the_programs_own_durations(account: Opened) -> None:
    async with account(defaultPending="2D", defaultValidity="1M_U") as (http, _, _):
        await add(http, 1, CUSTOMER)

        [entry] = await transactions(http, f"{CUSTOMER}/ledger_transactions")
        assert entry["startDate"] == "2026-06-17T12:00:00Z"
        assert entry["expiryDate"] == "2026-07-31T21:59:59Z"
