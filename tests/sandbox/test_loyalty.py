"""Loyalty points as customers, shops and support meet them."""

from __future__ import annotations

from random import Random
from typing import Any

import httpx
import pytest

from tests.sandbox.door import SHOP, Time
from tests.sandbox.loyalty_door import (
    CUSTOMER,
    LEDGER,
    NOTHING,
    PROGRAM,
    add,
    balance,
    balances,
    deduct,
    load,
    points,
    transactions,
)

pytestmark = pytest.mark.anyio
ANNA = f"{PROGRAM}/profile/anna.schmidt"


@pytest.fixture(autouse=True)
async def customer(http: httpx.AsyncClient) -> None:
    """A customer without any points, who is known all the same."""
    imported = await load(http, "import_points", f"customerprofileid,amount\n{CUSTOMER},1\n")
    assert imported.status_code == 200, imported.text
    body = {"scope": "AllSubledgers"}
    deleted = await http.post(f"{LEDGER}/delete_transactions", json=body, headers=SHOP)
    assert deleted.status_code == 204, deleted.text


async def test_points_are_added_spent_and_listed(http: httpx.AsyncClient, time: Time) -> None:
    await add(http, 100, name="Sorry", validityDuration="30D")
    time.advance(minutes=1)
    await deduct(http, 30, name="Reward")

    assert await balance(http) == points(active=70, spent=30)
    newest, first = await transactions(http)
    assert (newest["type"], newest["amount"], newest["name"]) == ("subtraction", 30, "Reward")
    assert (first["type"], first["amount"], first["name"]) == ("addition", 100, "Sorry")
    assert first["startDate"] == "immediate"
    assert first["expiryDate"] == "2026-07-15T12:00:00Z"


async def test_points_expire(http: httpx.AsyncClient, time: Time) -> None:
    await add(http, 100, validityDuration="30D")
    await deduct(http, 30)

    time.advance(days=30)

    assert await balance(http) == points(expired=70, spent=30)


async def test_pending_points_become_active_by_themselves(
    http: httpx.AsyncClient, time: Time
) -> None:
    await add(http, 100, pendingDuration="24h", validityDuration="2D")
    assert await balance(http) == points(pending=100)

    time.advance(hours=24)
    assert await balance(http) == points(active=100)

    time.advance(days=2)
    assert await balance(http) == points(expired=100)


@pytest.mark.parametrize("amount", [70.01, 1000])
async def test_no_more_points_are_deducted_than_are_active(
    http: httpx.AsyncClient, amount: float
) -> None:
    await add(http, 70)
    await add(http, 1000, pendingDuration="1D")

    refused = await http.put(f"{LEDGER}/deduct_points", json={"points": amount})

    assert refused.status_code == 400
    assert await balance(http) == points(active=70, pending=1000)
    assert len(await transactions(http)) == 2


async def test_what_expires_first_is_spent_first(http: httpx.AsyncClient, time: Time) -> None:
    await add(http, 10, validityDuration="unlimited")
    await add(http, 10, validityDuration="30D")
    await add(http, 10, validityDuration="5D")

    await deduct(http, 15)
    time.advance(days=5)
    assert await balance(http) == points(active=15, spent=15)

    time.advance(days=25)
    assert await balance(http) == points(active=10, spent=15, expired=5)


async def test_hundredths_add_up_exactly(http: httpx.AsyncClient) -> None:
    for _ in range(3):
        await add(http, 0.1)
    await deduct(http, 0.3)

    assert await balance(http) == points(spent=0.3)


# Each starts at noon in UTC, two hours later in the program's time zone, on Monday 15 June 2026.
@pytest.mark.parametrize(
    ("duration", "expiry"),
    [
        ("30s", "2026-06-15T12:00:30"),
        ("40m", "2026-06-15T12:40:00"),
        ("24h", "2026-06-16T12:00:00"),
        ("5D", "2026-06-20T12:00:00"),
        ("5D_D", "2026-06-19T22:00:00"),
        ("5D_U", "2026-06-20T21:59:59"),
        ("2W", "2026-06-29T12:00:00"),
        ("2W_U", "2026-07-05T21:59:59"),
        ("1M", "2026-07-15T12:00:00"),
        ("1M_U", "2026-07-31T21:59:59"),
        ("8M", "2027-02-15T13:00:00"),  # the same hour on the clock, in winter
        ("1Y", "2027-06-15T12:00:00"),
        ("1Y_U", "2027-12-31T22:59:59"),
    ],
)
async def test_durations_follow_the_programs_calendar(
    http: httpx.AsyncClient, duration: str, expiry: str
) -> None:
    await add(http, 1, validityDuration=duration)

    assert (await transactions(http))[0]["expiryDate"] == f"{expiry}Z"


async def test_a_month_after_its_31st_ends_with_the_shorter_month(
    http: httpx.AsyncClient, time: Time
) -> None:
    time.advance(days=46)  # 31 July
    await add(http, 1, validityDuration="2M")

    assert (await transactions(http))[0]["expiryDate"].startswith("2026-09-30T12")


async def test_points_may_last_until_the_end_of_the_calendar(http: httpx.AsyncClient) -> None:
    await add(http, 5, validUntil="9999-12-31T23:59:59Z")

    assert await balance(http, endDate="9999-12-31T23:59:58Z") == points(active=5)
    span = {"rangeStart": "9999-12-31T23:00:00Z", "rangeEnd": "9999-12-31T23:59:59Z"}
    found = await http.get(f"{PROGRAM}/dashboard", params=span)
    assert found.json() == {"totalResultSize": 0, "data": []}


@pytest.mark.parametrize(
    "body",
    [
        {"validityDuration": "5D", "validUntil": "2030-01-01T00:00:00Z"},
        {"pendingDuration": "5D", "pendingUntil": "2030-01-01T00:00:00Z"},
        {"pendingUntil": "2030-01-01T00:00:00Z", "validUntil": "2029-01-01T00:00:00Z"},
        {"pendingDuration": "30D", "validUntil": "2026-06-20T00:00:00Z"},
        {"validityDuration": "five days"},
        {"validityDuration": "9999Y"},
        {"validityDuration": "9999Y", "pendingDuration": "on_action"},
        {"validityDuration": "99999999999999999999D"},
        {"points": 0},
        {"points": -5},
        {"applicationId": 999},
    ],
)
async def test_points_that_make_no_sense_are_refused(
    http: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    refused = await http.put(f"{LEDGER}/add_points", json={"points": 1} | body)

    assert refused.status_code == 400
    assert await transactions(http) == []


async def test_points_wait_for_an_action(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, time: Time
) -> None:
    await add(http, 50, pendingDuration="on_action", validityDuration="10D")
    await add(http, 20, pendingDuration="5D")
    time.advance(days=4)
    [waiting] = await transactions(http, awaitsActivation=True)
    assert (waiting["startDate"], waiting["validityDuration"]) == ("on_action", "10D")

    body = {"transactionUUIDs": [waiting["transactionUUID"]]}
    activated = await shop.post(f"{PROGRAM}/activate_points", json=body)

    [entry] = activated.json()["ledgerEntries"]
    assert (entry["amount"], entry["startDate"]) == (50, "2026-06-19T12:00:00Z")
    assert await balance(http) == points(active=50, pending=20)
    time.advance(days=10)
    assert await balance(http) == points(active=20, expired=50)


async def test_points_that_are_active_are_not_activated_again(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    await add(http, 50, validityDuration="10D")
    [entry] = await transactions(http)

    body = {"transactionUUIDs": [entry["transactionUUID"]]}
    again = await shop.post(f"{PROGRAM}/activate_points", json=body)

    assert again.json() == {"ledgerEntries": []}
    assert await transactions(http) == [entry]


@pytest.mark.parametrize(
    "body",
    [{"sessionId": "none"}, {"transactionUUIDs": ["6d4a3d0e-55f7-4c6b-9e34-1b0d2f6f0001"]}],
)
async def test_what_does_not_exist_is_not_activated(
    shop: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    assert (await shop.post(f"{PROGRAM}/activate_points", json=body)).status_code == 404


async def test_a_sessions_points_are_activated_together(shop: httpx.AsyncClient) -> None:
    url = f"{PROGRAM}/profile/ben.weber/transactions"
    [waiting] = await transactions(shop, url, awaitsActivation=True)
    body = {"sessionId": waiting["customerSessionId"]}

    activated = await shop.post(f"{PROGRAM}/activate_points", json=body)

    assert [each["amount"] for each in activated.json()["ledgerEntries"]] == [waiting["amount"]]
    assert await transactions(shop, url, awaitsActivation=True) == []


async def test_a_subledger_comes_into_being_with_its_first_points(http: httpx.AsyncClient) -> None:
    await add(http, 7, subledgerId="spring")
    await add(http, 3)

    found = await balances(http)
    assert found["balance"] == points(active=3)
    assert found["subledgerBalances"] == {"spring": points(active=7)}
    assert await balances(http, subledgerId="spring") == {
        "subledgerBalances": {"spring": points(active=7)}
    }
    assert await balances(http, subledgerId="") == {"balance": points(active=3)}
    refused = await http.put(f"{LEDGER}/deduct_points", json={"points": 4})
    assert refused.status_code == 400


async def test_balances_of_any_time_can_be_told(http: httpx.AsyncClient, time: Time) -> None:
    before = time.at(seconds=-1)
    await add(http, 100, validityDuration="10D")
    time.advance(days=2)
    await deduct(http, 40)
    time.advance(days=2)

    for when, told in (
        (before, NOTHING),
        (time.at(days=-4), points(active=100)),
        (time.at(days=-1), points(active=60, spent=40)),
        (time.at(days=6), points(expired=60, spent=40)),
    ):
        assert await balance(http, endDate=when) == told


async def test_points_are_conserved_whatever_happens(http: httpx.AsyncClient, time: Time) -> None:
    random = Random(5)
    added = 0.0
    told: dict[str, dict[str, float]] = {}
    for _ in range(60):
        amount = random.randrange(1, 10_000) / 100
        if random.random() < 0.6:
            pending = random.choice(["immediate", "2D", "5D_U", "on_action"])
            validity = random.choice(["3D", "10D", "unlimited", "1M_U"])
            await add(http, amount, pendingDuration=pending, validityDuration=validity)
            added = round(added + amount, 2)
        elif (there := (await balance(http))["activePoints"]) > 0:
            await deduct(http, min(amount, there))
        now = await balance(http)
        assert round(sum(now.values()), 6) == added
        assert min(now.values()) >= 0
        time.advance(hours=random.randrange(30))
        told[time.at()] = await balance(http)
        time.advance(minutes=1)
    for when, then in told.items():
        assert await balance(http, endDate=when) == then


async def test_unused_points_are_listed_by_their_state(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, time: Time
) -> None:
    await add(http, 10, validityDuration="1D", subledgerId="spring")
    await add(http, 20, validityDuration="40D")
    await add(http, 30, pendingDuration="10D")
    await add(http, 40, validityDuration="20D")
    await add(http, 60, pendingDuration="4D")
    time.advance(days=2)
    await deduct(http, 5)

    async def listed(**params: Any) -> list[float]:
        return [each["amount"] for each in await transactions(shop, f"{LEDGER}/points", **params)]

    assert await listed() == [20, 35]
    assert await listed(sort="expiryDate") == [35, 20]
    assert await listed(status="pending") == [30, 60]
    assert await listed(status="pending", sort="startDate") == [60, 30]
    assert await listed(status="expired") == [10]
    assert await listed(status="expired", subledgerId=["", "summer"]) == []
    assert await listed(status="expired", subledgerId=["", "spring"]) == [10]
    assert await listed(pageSize=1, skip=1) == [35]


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({}, ["d", "c", "b", "a"]),
        ({"pageSize": 2, "skip": 1}, ["c", "b"]),
        ({"subledgerId": "spring"}, ["b"]),
        ({"subledgerId": ""}, ["d", "c", "a"]),
        ({"loyaltyTransactionType": "manual"}, ["c", "b", "a"]),
        ({"loyaltyTransactionType": "import"}, ["d"]),
        ({"loyaltyTransactionType": "session"}, []),
        ({"customerSessionIDs": ["none"]}, []),
        ({"awaitsActivation": True}, ["c"]),
        ({"startDate": "2026-06-16T00:00:00Z"}, ["d", "c", "b"]),
        ({"endDate": "2026-06-17T00:00:00Z"}, ["b", "a"]),
        ({"startDate": "2026-06-16T00:00:00Z", "endDate": "2026-06-17T00:00:00Z"}, ["b"]),
    ],
)
async def test_transactions_by_filter(
    http: httpx.AsyncClient,
    shop: httpx.AsyncClient,
    time: Time,
    filters: dict[str, Any],
    names: list[str],
) -> None:
    await add(http, 1, name="a")
    time.advance(days=1)
    await add(http, 1, name="b", subledgerId="spring")
    time.advance(days=1)
    await add(http, 1, name="c", pendingDuration="on_action")
    row = f"customerprofileid,amount,reason\n{CUSTOMER},1,d\n"
    assert (await load(http, "import_points", row)).status_code == 200

    for client, url in ((http, "ledger_transactions"), (shop, "transactions")):
        found = await transactions(client, f"{LEDGER}/{url}", **filters)
        assert [each["name"] for each in found] == names


async def test_transactions_of_a_program_say_whose_they_are(http: httpx.AsyncClient) -> None:
    await add(http, 12, name="Sorry")

    newest, *_ = await transactions(http, f"{PROGRAM}/transactions")

    assert newest["customerProfileId"] == CUSTOMER
    assert (newest["amount"], newest["name"], newest["userId"]) == (12, "Sorry", 388)
    uuids = {"transactionUUIDs": [newest["transactionUUID"]]}
    assert await transactions(http, f"{PROGRAM}/transactions", **uuids) == [newest]
    found = await http.get(f"{PROGRAM}/transactions", params={"pageSize": 50})
    assert (len(found.json()["data"]), found.json()["hasMore"]) == (50, True)


async def test_awaiting_activation_can_only_be_asked_for(http: httpx.AsyncClient) -> None:
    params = {"awaitsActivation": False}

    assert (await http.get(f"{PROGRAM}/transactions", params=params)).status_code == 400


async def test_deleted_transactions_are_gone_with_their_points(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    await add(http, 10)
    await deduct(http, 4)
    await add(http, 20, subledgerId="spring")
    others = await balances(http, ANNA)

    body = {"scope": "SelectedSubledgers", "subledgerIds": [""]}
    assert (await shop.post(f"{LEDGER}/delete_transactions", json=body)).status_code == 204

    found = await balances(http)
    assert found == {"balance": NOTHING, "subledgerBalances": {"spring": points(active=20)}}
    assert [each["subledgerId"] for each in await transactions(http)] == ["spring"]
    body = {"scope": "AllSubledgers"}
    assert (await shop.post(f"{LEDGER}/delete_transactions", json=body)).status_code == 204
    assert await transactions(http) == []
    assert await balances(http, ANNA) == others


async def test_the_whole_ledger_is_told_at_once(http: httpx.AsyncClient, time: Time) -> None:
    await add(http, 100, validityDuration="30D")
    await add(http, 50, validityDuration="unlimited", subledgerId="spring")
    await add(http, 25, pendingDuration="5D")
    await add(http, 5, validityDuration="1h")
    await deduct(http, 35)
    time.advance(hours=2)

    found = (await http.get(LEDGER)).json()

    main = found["ledger"]
    assert main["total"] == main["totalActivePoints"] == 70
    assert (main["totalSpentPoints"], main["totalPendingPoints"]) == (35, 25)
    assert [each["amount"] for each in main["transactions"]] == [100, 25, 5, 35]
    assert [each["amount"] for each in main["activePoints"]] == [70]
    assert [each["amount"] for each in main["expiringPoints"]] == [70]
    assert [each["amount"] for each in main["pendingPoints"]] == [25]
    assert found["subLedgers"]["spring"]["total"] == 50
    assert found["subLedgers"]["spring"]["expiringPoints"] == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/loyalty_programs/99", 404),
        ("GET", "/v1/loyalty_programs/99/transactions", 404),
        ("GET", f"{PROGRAM}/profile/nobody/ledger_balances", 404),
        ("GET", f"{PROGRAM}/profile/nobody/ledger_transactions", 404),
        ("PUT", f"{PROGRAM}/profile/nobody/add_points", 404),
        ("PUT", "/v1/loyalty_programs/99/profile/anna.schmidt/add_points", 404),
        ("PUT", "/v1/loyalty_programs/7/profile/anna.schmidt/add_points", 400),
        ("GET", "/v1/loyalty_programs/7/profile/anna.schmidt/ledger_balances", 400),
    ],
)
async def test_what_is_not_there_is_refused(
    http: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    body = {"points": 1} if method == "PUT" else None

    assert (await http.request(method, path, json=body)).status_code == status


async def test_programs_are_listed_as_they_are_read(http: httpx.AsyncClient) -> None:
    listed = (await http.get("/v1/loyalty_programs")).json()

    assert [each["id"] for each in listed["data"]] == [5, 7]
    for program in listed["data"]:
        assert (await http.get(f"/v1/loyalty_programs/{program['id']}")).json() == program


async def test_a_platform_adds_and_reads_points(
    http: httpx.AsyncClient, platform: httpx.AsyncClient
) -> None:
    who: dict[str, Any] = {"loyaltyProgramId": 5, "profileIntegrationId": CUSTOMER}
    body = who | {"points": 30, "pendingDuration": "1D", "name": "Survey"}
    added = await platform.post("/customer_engagement/add_loyalty_points", json=body)
    assert added.status_code == 204
    await add(http, 12, subledgerId="spring")

    found = (await platform.get("/customer_engagement/loyalty", params=who)).json()

    assert (found["id"], found["title"]) == (5, "Talon Rewards")
    assert (found["ledger"]["currentBalance"], found["ledger"]["pendingBalance"]) == (0, 30)
    assert found["subLedgers"]["spring"]["currentBalance"] == 12
    assert found["ledger"]["pointsToNextTier"] == 100


async def test_a_platform_is_told_in_its_own_way_what_is_missing(
    platform: httpx.AsyncClient,
) -> None:
    who = {"loyaltyProgramId": "5", "profileIntegrationId": "nobody"}

    refused = await platform.get("/customer_engagement/loyalty", params=who)

    assert refused.status_code == 404
    assert refused.json().keys() == {"StatusCode", "Error", "RequestUUID"}
