"""Loyalty programs as their managers see them: tiers, members, files and figures."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.sandbox.door import Time
from tests.sandbox.loyalty_door import (
    CUSTOMER,
    LEDGER,
    PROGRAM,
    add,
    balance,
    balances,
    deduct,
    export,
    load,
    points,
    transactions,
)

pytestmark = pytest.mark.anyio
HEADER = "customerprofileid,amount"
TIERS = "subledgerid,customerprofileid,tiername,expirydate"


@pytest.fixture(autouse=True)
async def customer(http: httpx.AsyncClient) -> None:
    """A customer with one point, who is in no tier."""
    imported = await load(http, "import_points", f"{HEADER}\n{CUSTOMER},1\n")
    assert imported.status_code == 200, imported.text


async def standing(http: httpx.AsyncClient, **params: Any) -> dict[str, Any]:
    return await balance(http, includeTiers=True, includeProjectedTier=True, **params)


async def tier(http: httpx.AsyncClient) -> str | None:
    name: str | None = (await standing(http)).get("currentTier", {}).get("name")
    return name


# --- Tiers ---------------------------------------------------------------------------------


async def test_points_raise_the_tier_at_once(http: httpx.AsyncClient) -> None:
    nobody = await standing(http)
    assert "currentTier" not in nobody
    assert (nobody["pointsToNextTier"], nobody["nextTierName"]) == (99, "Bronze")

    await add(http, 319)

    now = await standing(http)
    assert now["currentTier"] == {
        "id": 12,
        "name": "Silver",
        "startDate": "2026-06-15T14:00:00+02:00",
        "expiryDate": "2027-06-15T14:00:00+02:00",
        "downgradePolicy": "one_down",
    }
    assert (now["pointsToNextTier"], now["nextTierName"]) == (180, "Gold")
    await add(http, 180)
    highest = await standing(http)
    assert highest["currentTier"]["name"] == "Gold"
    assert "nextTierName" not in highest


async def test_tiers_are_only_shown_when_asked_for(http: httpx.AsyncClient) -> None:
    await add(http, 500)

    assert await balance(http) == points(active=501)


async def test_a_spent_tier_lasts_until_its_term_ends_then_goes_down_one(
    http: httpx.AsyncClient, time: Time
) -> None:
    await add(http, 500, validityDuration="unlimited")
    await deduct(http, 300)
    assert await tier(http) == "Gold"
    await deduct(http, 181)

    now = await standing(http)
    assert now["currentTier"]["name"] == "Gold"
    assert now["projectedTier"] == {
        "projectedActivePoints": 20,
        "projectedTierName": "Silver",
        "stayInTierPoints": 480,
    }
    time.advance(days=364)
    assert await tier(http) == "Gold"
    time.advance(days=1)
    assert await tier(http) == "Silver"
    time.advance(days=366)  # the next year is a leap year
    assert await tier(http) == "Bronze"
    time.advance(days=365)
    assert await tier(http) is None


async def test_who_has_the_points_stays_for_another_term(
    http: httpx.AsyncClient, time: Time
) -> None:
    await add(http, 350, validityDuration="unlimited")
    time.advance(days=400)

    now = (await standing(http))["currentTier"]
    assert (now["name"], now["startDate"][:10], now["expiryDate"][:10]) == (
        "Silver",
        "2026-06-15",
        "2028-06-15",
    )


async def test_pending_points_raise_the_tier_when_they_become_active(
    http: httpx.AsyncClient, time: Time
) -> None:
    await add(http, 300, pendingDuration="5D")
    assert await tier(http) is None

    time.advance(days=9)

    now = (await standing(http))["currentTier"]
    assert (now["name"], now["startDate"]) == ("Silver", "2026-06-20T14:00:00+02:00")


async def test_each_ledger_has_its_own_tier(http: httpx.AsyncClient) -> None:
    await add(http, 100, subledgerId="spring")

    found = await balances(http, includeTiers=True)

    assert "currentTier" not in found["balance"]
    assert found["subledgerBalances"]["spring"]["currentTier"]["name"] == "Bronze"


async def test_tiers_are_imported_and_exported(http: httpx.AsyncClient, time: Time) -> None:
    rows = f",{CUSTOMER},Silver,2026-12-24T00:00:00Z\nspring,{CUSTOMER},Bronze,{time.at(days=9)}\n"
    first = await load(http, "import_customers_tiers", f"{TIERS}\n{rows}")
    assert first.json()["amount"] == 2
    time.advance(days=1)
    later = f"{TIERS}\n,{CUSTOMER},Silver,2027-01-06T01:00:00+01:00\n"
    assert (await load(http, "import_customers_tiers", later)).status_code == 200

    exported = await export(http, "export_customers_tiers")

    mine = [row for row in exported if row["customerprofileid"] == CUSTOMER]
    assert mine == [
        {
            "programid": "5",
            "subledgerid": "",
            "customerprofileid": CUSTOMER,
            "tiername": "Silver",
            "startdate": "2026-06-15T12:00:00Z",
            "expirydate": "2027-01-06T00:00:00Z",
        },
        mine[1] | {"subledgerid": "spring", "tiername": "Bronze"},
    ]
    assert await tier(http) == "Silver"


@pytest.mark.parametrize(
    ("row", "line"),
    [
        (",anna.schmidt,Platinum,2027-01-01T00:00:00Z", "3"),
        (",nobody,Silver,2027-01-01T00:00:00Z", "3"),
        (f",{CUSTOMER},Silver,2026-01-01T00:00:00Z", "3"),
        (f",{CUSTOMER},Silver,tomorrow", "3"),
        (f",{CUSTOMER},Gold,2027-01-01T00:00:00Z", "3"),  # is in another one by line 2
    ],
)
async def test_a_broken_line_of_tiers_changes_nothing(
    http: httpx.AsyncClient, row: str, line: str
) -> None:
    before = await export(http, "export_customers_tiers")

    text = f"{TIERS}\n,{CUSTOMER},Silver,2027-01-01T00:00:00Z\n{row}\n"
    refused = await load(http, "import_customers_tiers", text)

    assert (refused.status_code, refused.json()["errors"][0]["source"]) == (400, {"line": line})
    assert await export(http, "export_customers_tiers") == before


@pytest.mark.parametrize(
    ("filters", "tiers", "ledgers"),
    [
        ({}, {"Bronze", "Silver", "Gold"}, {"", "spring"}),
        ({"tierNames": "Bronze,Gold"}, {"Bronze", "Gold"}, {"", "spring"}),
        ({"subledgerIds": "spring"}, {"Gold"}, {"spring"}),
        ({"subledgerIds": "spring", "tierNames": "Silver"}, set(), set()),
    ],
)
async def test_exported_tiers_by_filter(
    http: httpx.AsyncClient, filters: dict[str, str], tiers: set[str], ledgers: set[str]
) -> None:
    await add(http, 500, subledgerId="spring")

    rows = await export(http, "export_customers_tiers", **filters)

    assert {row["tiername"] for row in rows} == tiers
    assert {row["subledgerid"] for row in rows} == ledgers


# --- Points from files ---------------------------------------------------------------------


async def test_points_are_imported_with_their_dates_and_reasons(http: httpx.AsyncClient) -> None:
    columns = f"{HEADER},startdate,expirydate,subledgerid,reason"
    rows = (
        f"{CUSTOMER},10,,,,first",
        f"{CUSTOMER},20,2026-07-01T00:00:00+02:00,unlimited,,second",
        f"{CUSTOMER},30,immediate,2026-06-15T11:00:00Z,,third",
        f"{CUSTOMER},40,on_action,,spring,fourth",
    )
    imported = await load(http, "import_points", "\n".join((columns, *rows)))

    assert (imported.json()["amount"], imported.json()["userId"]) == (4, 388)
    found = await balances(http)
    assert found["balance"] == points(active=11, pending=20, expired=30)
    assert found["subledgerBalances"] == {"spring": points(pending=40)}
    params = {"loyaltyTransactionType": "import", "pageSize": 4}
    newest = await transactions(http, f"{PROGRAM}/transactions", **params)
    assert [each["name"] for each in newest] == ["fourth", "third", "second", "first"]
    assert {each["importId"] for each in newest} == {imported.json()["id"]}
    assert newest[2]["startDate"] == "2026-06-30T22:00:00Z"


async def test_imported_durations_count_from_the_activation(http: httpx.AsyncClient) -> None:
    rows = f"{HEADER},startdate,validityDuration\n{CUSTOMER},10,2026-07-01T00:00:00Z,5D\n"

    assert (await load(http, "import_points", rows)).status_code == 200

    assert (await transactions(http, f"{LEDGER}/ledger_transactions"))[0]["expiryDate"] == (
        "2026-07-06T00:00:00Z"
    )


async def test_an_unknown_customer_comes_into_being_by_an_import(http: httpx.AsyncClient) -> None:
    assert (await load(http, "import_points", f"{HEADER}\nquite.new,5\n")).status_code == 200

    assert await balance(http, f"{PROGRAM}/profile/quite.new") == points(active=5)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"{HEADER}\n{CUSTOMER},10\n{CUSTOMER},ten\n", "3"),
        (f"{HEADER}\n{CUSTOMER},10\n{CUSTOMER},0\n", "3"),
        (f"{HEADER}\n{CUSTOMER},10\n{CUSTOMER},nan\n", "3"),
        (f"{HEADER}\n{CUSTOMER},10\n,5\n", "3"),
        (f"{HEADER}\n{CUSTOMER},10,5\n", "2"),
        (f"{HEADER},startdate\n{CUSTOMER},10,soon\n", "2"),
        (f"{HEADER},expirydate\n{CUSTOMER},10,9999-12-31T23:59:59-12:00\n", "2"),
        (f"{HEADER},expirydate,validityDuration\n{CUSTOMER},1,2027-01-01T00:00:00Z,5D\n", "2"),
        (f"{HEADER},validityDuration\n{CUSTOMER},1,5 days\n", "2"),
        (
            f"{HEADER},startdate,expirydate\n{CUSTOMER},1,2027-01-02T00:00:00Z,2027-01-01T00:00:00Z\n",
            "2",
        ),
        ("identifier,amount\nCARD-1,10\n", "1"),
        ("customerprofileid\nanna.schmidt\n", "1"),
    ],
)
async def test_a_broken_line_of_points_changes_nothing(
    http: httpx.AsyncClient, text: str, line: str
) -> None:
    refused = await load(http, "import_points", text)

    assert (refused.status_code, refused.json()["errors"][0]["source"]) == (400, {"line": line})
    assert await balance(http) == points(active=1)


# --- Members -------------------------------------------------------------------------------


async def join_date(http: httpx.AsyncClient, who: str = CUSTOMER) -> str | None:
    rows = await export(http, "export_join_dates")
    return next((row["joinDate"] for row in rows if row["profileIntegrationID"] == who), None)


async def test_customers_join_with_their_first_points(http: httpx.AsyncClient, time: Time) -> None:
    time.advance(days=3)
    await add(http, 10)

    assert await join_date(http) == "2026-06-15T12:00:00Z"


async def test_join_dates_are_replaced_by_an_import(http: httpx.AsyncClient) -> None:
    rows = f"customerprofileid,newjoindate\n{CUSTOMER},2020-02-29T01:00:00+01:00\n"

    assert (await load(http, "import_join_dates", rows)).json()["amount"] == 1

    assert await join_date(http) == "2020-02-29T00:00:00Z"


@pytest.mark.parametrize("row", ["nobody,2020-01-01T00:00:00Z", f"{CUSTOMER},long ago"])
async def test_a_broken_line_of_join_dates_changes_nothing(
    http: httpx.AsyncClient, row: str
) -> None:
    text = f"customerprofileid,newjoindate\n{CUSTOMER},2020-01-01T00:00:00Z\n{row}\n"
    refused = await load(http, "import_join_dates", text)

    assert (refused.status_code, refused.json()["errors"][0]["source"]) == (400, {"line": "3"})
    assert await join_date(http) == "2026-06-15T12:00:00Z"


@pytest.mark.parametrize("path", ["import_join_dates", "import_customers_tiers"])
async def test_cards_have_neither_members_nor_tiers(http: httpx.AsyncClient, path: str) -> None:
    files = {"upFile": ("file.csv", "customerprofileid\nx\n")}

    refused = await http.post(f"/v1/loyalty_programs/7/{path}", files=files)

    assert refused.status_code == 400


# --- Exports -------------------------------------------------------------------------------


async def test_exported_balances_are_those_that_are_read(http: httpx.AsyncClient) -> None:
    await add(http, 300)
    await deduct(http, 20)
    await add(http, 5, pendingDuration="1D", subledgerId="spring")

    rows = await export(http, "export_customer_balances")

    assert list(rows[0]) == [
        "loyaltyProgramID",
        "loyaltySubledger",
        "profileIntegrationID",
        "currentBalance",
        "pendingBalance",
        "expiredBalance",
        "spentBalance",
        "currentTier",
    ]
    mine = [list(row.values()) for row in rows if row["profileIntegrationID"] == CUSTOMER]
    assert mine == [
        ["5", "", CUSTOMER, "281", "0", "0", "20", "Silver"],
        ["5", "spring", CUSTOMER, "0", "5", "0", "0", ""],
    ]
    for row in rows[:12]:
        ledger = f"{PROGRAM}/profile/{row['profileIntegrationID']}"
        read = await balances(http, ledger, subledgerId=row["loyaltySubledger"])
        [shown] = [read["balance"]] if "balance" in read else read["subledgerBalances"].values()
        assert float(row["currentBalance"]) == shown["activePoints"]
        assert float(row["expiredBalance"]) == shown["expiredPoints"]


async def test_exported_balances_of_a_day_and_of_some_kinds(
    http: httpx.AsyncClient, time: Time
) -> None:
    time.advance(days=1)
    await deduct(http, 1)
    params = {"endDate": time.at(hours=-1), "balances": "spentBalance,negativeBalance"}

    rows = await export(http, "export_customer_balances", **params)

    [mine] = [row for row in rows if row["profileIntegrationID"] == CUSTOMER]
    assert mine["currentBalance"] == "1"
    assert (mine["spentBalance"], mine["negativeBalance"], mine["pendingBalance"]) == ("0", "0", "")
    assert await export(http, "export_customer_balance", **params) == rows


async def test_the_log_of_a_customer_has_the_documented_columns(
    http: httpx.AsyncClient, time: Time
) -> None:
    time.advance(days=1)
    await add(http, 10, name="Sorry", pendingUntil="2026-08-01T00:00:00Z")
    time.advance(days=1)
    await deduct(http, 1)
    span = {"rangeStart": "2026-06-16T00:00:00Z", "rangeEnd": "2026-06-17T00:00:00Z"}

    [row] = await export(http, f"profile/{CUSTOMER}/export_log", **span)

    columns = list(row)
    assert columns[:3] == ["customerprofileid", "customersessionid", "rulesetid"]
    assert columns[9:13] == ["expirydate", "id", "created", "amount"]
    assert columns[13:] == ["archived", "campaignid", "flags", "transactionUUID"]
    assert (row["type"], row["amount"], row["name"]) == ("addition", "10", "Sorry")
    assert row["startdate"] == "2026-08-01T00:00:00Z"
    excel = {**span, "dateFormat": "excel"}
    [row] = await export(http, f"profile/{CUSTOMER}/export_log", **excel)
    assert (row["startdate"], row["created"]) == ("2026-08-01 00:00:00", "2026-06-16 12:00:00")


# --- Figures -------------------------------------------------------------------------------

STATES = ("Active", "Pending", "Spent", "Expired", "Negative")


async def figures(http: httpx.AsyncClient) -> dict[str, Any]:
    found: dict[str, Any] = (await http.get(f"{PROGRAM}/statistics")).json()
    return found


async def totals(http: httpx.AsyncClient) -> list[float]:
    """Add up what all customers' ledgers hold."""
    kinds = [f"{kind}Balance" for kind in ("current", "pending", "spent", "expired", "negative")]
    rows = await export(http, "export_customer_balances", balances=",".join(kinds))
    return [sum(float(row[kind]) for row in rows) for kind in kinds]


async def test_a_programs_figures_are_the_sum_of_its_ledgers(
    http: httpx.AsyncClient, time: Time
) -> None:
    await add(http, 100, validityDuration="30s")
    await add(http, 200, validityDuration="90D")
    await add(http, 70, pendingDuration="1h", validityDuration="1h")
    await add(http, 7, pendingDuration="on_action", subledgerId="spring")
    await deduct(http, 60)
    for step in ({}, {"minutes": 1}, {"hours": 1}, {"hours": 1}, {"days": 40}, {"days": 400}):
        time.advance(**step)
        found = await figures(http)
        assert [found[f"total{state}Points"] for state in STATES] == await totals(http)


async def test_activated_and_deleted_points_are_in_the_figures_as_in_the_ledgers(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    await add(http, 70, pendingDuration="1D", validityDuration="9D")
    await add(http, 7, pendingDuration="on_action", subledgerId="spring")
    await deduct(http, 1)
    added = await transactions(http, f"{LEDGER}/ledger_transactions")
    uuids = {"transactionUUIDs": [each["transactionUUID"] for each in added]}
    everything = {"scope": "AllSubledgers"}

    for url, body in (
        (f"{PROGRAM}/activate_points", uuids),
        (f"{LEDGER}/delete_transactions", everything),
    ):
        done = await shop.post(url, json=body)
        assert done.is_success, done.text
        found = await figures(http)
        assert [found[f"total{state}Points"] for state in STATES] == await totals(http)


async def test_the_dashboard_tells_each_day(http: httpx.AsyncClient, time: Time) -> None:
    time.advance(days=1)
    await add(http, 100, validityDuration="2D")
    await add(http, 10, subledgerId="spring")
    time.advance(days=1)
    await deduct(http, 40)
    time.advance(days=3)
    span = {"rangeStart": "2026-06-15T00:00:00Z", "rangeEnd": "2027-01-01T00:00:00Z"}

    found = (await http.get(f"{PROGRAM}/dashboard", params=span)).json()

    days = found["data"]
    assert found["totalResultSize"] == len(days) == 5  # without today
    assert [day["date"][:13] for day in days][:2] == ["2026-06-14T22", "2026-06-15T22"]
    assert [day["earnedPoints"]["createdManually"] for day in days][1:] == [110, 0, 0, 0]
    assert [day["spentPoints"]["createdManually"] for day in days] == [0, 0, 40, 0, 0]
    assert [day["newMembers"] for day in days] == [1, 0, 0, 0, 0]
    assert {day["totalMembers"] for day in days} == {51}
    last, today = days[-1], await figures(http)
    assert last["totalSpentPoints"] == today["totalSpentPoints"]
    params = span | {"subledgerId": "spring"}
    spring = (await http.get(f"{PROGRAM}/dashboard", params=params)).json()["data"]
    assert [day["totalActivePoints"] for day in spring] == [0, 10, 10, 10, 10]


async def test_the_dashboard_reaches_no_further_back_than_the_program(
    http: httpx.AsyncClient,
) -> None:
    span = {"rangeStart": "0001-01-01T00:00:00Z", "rangeEnd": "9999-01-01T00:00:00Z"}

    found = (await http.get(f"{PROGRAM}/dashboard", params=span)).json()

    assert found["totalResultSize"] == 420
    assert found["data"][-1]["date"].startswith("2026-06-13T22")


# --- Notifications -------------------------------------------------------------------------

WEBHOOK = {"url": "https://crm.example.com/points", "headers": ["content-type: application/json"]}


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (f"{PROGRAM}/notifications/added_deducted_points", "loyalty_added_deducted_points"),
        (f"{PROGRAM}/notifications/pending_points", "pending_to_active_points"),
        ("/v1/applications/42/catalogs/notifications/strikethrough", "strikethrough_pricing"),
    ],
)
async def test_notifications_are_created_and_switched(
    http: httpx.AsyncClient, path: str, kind: str
) -> None:
    body = {"policy": {"name": "CRM"}, "webhook": WEBHOOK}
    created = (await http.post(path, json=body)).json()

    assert (created["type"], created["enabled"]) == (kind, True)
    assert created["webhook"].items() >= {**WEBHOOK, "enabled": True}.items()
    url = f"/v1/notifications/{created['id']}/activation"
    assert (await http.put(url, json={"enabled": False})).status_code == 204


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/loyalty_programs/99/notifications/pending_points"),
        ("POST", "/v1/applications/99/catalogs/notifications/strikethrough"),
        ("PUT", "/v1/notifications/99/activation"),
    ],
)
async def test_notifications_of_nothing_are_refused(
    http: httpx.AsyncClient, method: str, path: str
) -> None:
    body = {"policy": {}, "webhook": WEBHOOK} if method == "POST" else {"enabled": True}

    assert (await http.request(method, path, json=body)).status_code == 404
