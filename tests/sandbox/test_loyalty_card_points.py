"""The points of loyalty cards, told through HTTP: added, spent, listed and exported."""

from __future__ import annotations

from random import Random
from typing import Any

import httpx
import pytest

from tests.sandbox.cards import (
    CARDS,
    PROGRAM,
    balances,
    card_of,
    change,
    issue,
    listed,
    refusal,
    rows,
)
from tests.sandbox.door import Time

pytestmark = pytest.mark.anyio


async def test_points_are_added_spent_pending_and_expired(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, time: Time
) -> None:
    await issue(shop)
    await change(http, "NEW-1", "add_points", points=100, name="Sorry", validityDuration="5D")
    await change(http, "NEW-1", "add_points", points=50, pendingUntil=time.at(days=2))
    await change(http, "NEW-1", "deduct_points", points=30, name="Mistake")

    now = {"activePoints": 70, "pendingPoints": 50, "spentPoints": 30, "expiredPoints": 0,
           "negativePoints": 0}  # fmt: skip
    assert (await balances(shop, "NEW-1"))["balance"] == now
    later = now | {"activePoints": 50, "pendingPoints": 0, "expiredPoints": 70}
    assert (await balances(shop, "NEW-1", endDate=time.at(days=6)))["balance"] == later
    ledger = (await card_of(http, "NEW-1"))["ledger"]
    assert (ledger["currentBalance"], ledger["pendingBalance"]) == (70, 50)

    time.advance(days=6)
    assert (await balances(shop, "NEW-1"))["balance"] == later
    refused = await change(http, "NEW-1", "deduct_points", points=51)
    assert refusal(refused) == (400, {"pointer": "/points"})


async def test_unused_points_are_listed_by_status(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, time: Time
) -> None:
    await issue(shop)
    for points, days in ((100, 5), (20, 1), (60, 9)):
        await change(http, "NEW-1", "add_points", points=points, validityDuration=f"{days}D")
    await change(http, "NEW-1", "add_points", points=50, pendingDuration="3D")
    await change(http, "NEW-1", "deduct_points", points=30)

    def amounts(found: list[Any]) -> list[float]:
        return [each["amount"] for each in found]

    active = await listed(shop, "NEW-1", "points", sort="expiryDate")
    assert amounts(active) == [90, 60], "what expires first is spent first"
    assert amounts(await listed(shop, "NEW-1", "points", status="pending")) == [50]
    time.advance(days=6)
    assert amounts(await listed(shop, "NEW-1", "points", status="expired")) == [90]
    active = await listed(shop, "NEW-1", "points", sort="startDate")
    assert amounts(active) == [60, 50]


async def test_transactions_are_listed_by_every_filter(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, time: Time
) -> None:
    await issue(shop)
    await change(http, "NEW-1", "add_points", points=10, name="First", applicationId=42)
    time.advance(days=1)
    await change(http, "NEW-1", "add_points", points=20, subledgerId="bonus")
    await change(http, "NEW-1", "deduct_points", points=5)

    every = await listed(shop, "NEW-1", "transactions")
    assert [(each["type"], each["amount"]) for each in every] == [
        ("subtraction", 5),
        ("addition", 20),
        ("addition", 10),
    ]
    assert {each["cardIdentifier"] for each in every} == {"NEW-1"}
    for filters, found in (
        ({"subledgerId": "bonus"}, [20]),
        ({"startDate": time.at(hours=-1)}, [5, 20]),
        ({"endDate": time.at(hours=-1)}, [10]),
        ({"transactionUUIDs": [every[0]["transactionUUID"]]}, [5]),
        ({"customerSessionIDs": ["s1"]}, []),
        ({"pageSize": 1, "skip": 1}, [20]),
    ):
        for client, what in ((shop, "transactions"), (http, "logs")):
            listing = await listed(client, "NEW-1", what, **filters)
            assert [each["amount"] for each in listing] == found, filters
    assert len(await listed(shop, "NEW-1", "transactions", loyaltyTransactionType="manual")) == 3
    assert await listed(shop, "NEW-1", "transactions", loyaltyTransactionType="import") == []
    assert (await listed(http, "NEW-1", "logs"))[2]["applicationId"] == 42


async def test_exports_agree_with_the_balances(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, time: Time
) -> None:
    await issue(shop)
    await change(http, "NEW-1", "add_points", points=10, name="First")
    await change(http, "NEW-1", "add_points", points=20, subledgerId="bonus", validityDuration="1D")
    await change(http, "NEW-1", "deduct_points", points=4)

    async def exported(**params: Any) -> list[list[str]]:
        found = await rows(http, "export_card_balances", **params)
        return [list(row.values()) for row in found if row["cardIdentifier"] == "NEW-1"]

    main = ["7", "", "NEW-1", "active", "6", "0", "0", "4"]
    assert await exported() == [main, ["7", "bonus", "NEW-1", "active", "20", "0", "0", "0"]]
    ends = await exported(endDate=time.at(days=2))
    assert ends == [main, ["7", "bonus", "NEW-1", "active", "0", "0", "20", "0"]]
    [only, _] = await exported(balances="spentBalance")
    assert only[4:] == ["", "", "", "4"]
    span = {"rangeStart": time.at(days=-1), "rangeEnd": time.at(days=1)}
    log = await rows(http, "cards/NEW-1/export_log", **span)
    assert [row["amount"] for row in log] == ["10", "20", "4"]
    assert {row["cardidentifier"] for row in log} == {"NEW-1"}
    span = {"rangeStart": time.at(days=1), "rangeEnd": time.at(days=2)}
    assert await rows(http, "cards/NEW-1/export_log", **span) == []


async def test_points_go_with_their_card(http: httpx.AsyncClient, shop: httpx.AsyncClient) -> None:
    await issue(shop)
    await change(http, "NEW-1", "add_points", points=10)

    await http.delete(f"{CARDS}/NEW-1")
    await issue(shop)

    assert (await balances(shop, "NEW-1"))["balance"]["activePoints"] == 0
    assert await listed(shop, "NEW-1", "transactions") == []
    every = (await http.get(f"{PROGRAM}/transactions")).json()["data"]
    assert "NEW-1" not in {each["cardIdentifier"] for each in every}


async def test_an_application_of_points_must_be_connected(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    await issue(shop)

    refused = await change(http, "NEW-1", "add_points", points=10, applicationId=99)

    assert refusal(refused) == (400, {"pointer": "/applicationId"})


@pytest.mark.parametrize("seed", range(5))
async def test_points_are_conserved_whatever_befalls_their_card(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, time: Time, seed: int
) -> None:
    random = Random(seed)
    code, added, spent = "CARD-0", 0, 0
    await issue(shop, code)
    for turn in range(1, 25):
        points = random.randrange(1, 60)
        match random.choice(["add", "add", "pend", "deduct", "transfer", "wait"]):
            case "add":
                await change(http, code, "add_points", points=points, validityDuration="4D")
                added += points
            case "pend":
                await change(http, code, "add_points", points=points, pendingDuration="2D")
                added += points
            case "deduct":
                taken = await change(http, code, "deduct_points", points=points)
                spent += points if taken.status_code == 204 else 0
            case "transfer":
                new = f"CARD-{turn}"
                moved = await change(http, code, "transfer", newCardIdentifier=new)
                assert moved.status_code == 204
                code = new
            case _:
                time.advance(hours=random.randrange(40))
        balance = (await balances(shop, code))["balance"]
        assert balance["spentPoints"] == spent
        assert balance["negativePoints"] == 0
        assert sum(balance.values()) == added
