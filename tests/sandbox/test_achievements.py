"""Achievements of the sandbox: their definitions, and customers' rounds as time goes by."""

from __future__ import annotations

import csv
from typing import Any

import httpx
import pytest

from tests.sandbox.door import Time
from tests.sandbox.orders import issue, order

pytestmark = pytest.mark.anyio
CAMPAIGN = "/v1/applications/42/campaigns/18"
ACHIEVEMENTS = f"{CAMPAIGN}/achievements"
BASIC = {"name": "Walker", "title": "Walker", "description": "Walks", "target": 3}


async def create(http: httpx.AsyncClient, **settings: Any) -> dict[str, Any]:
    created = await http.post(ACHIEVEMENTS, json=BASIC | settings)
    assert created.status_code == 201, created.text
    achievement: dict[str, Any] = created.json()
    return achievement


async def open_to(shop: httpx.AsyncClient, customer: str, **filters: Any) -> dict[int, Any]:
    found = await shop.get(f"/v1/customer_profiles/{customer}/achievements", params=filters)
    assert found.status_code == 200, found.text
    return {each["id"]: each for each in found.json()["data"]}


async def history(
    shop: httpx.AsyncClient, customer: str, number: int, **filters: Any
) -> list[tuple[str, float]]:
    url = f"/v1/customer_profiles/{customer}/achievements/{number}"
    found = await shop.get(url, params=filters)
    assert found.status_code == 200, found.text
    return [(each["status"], each["progress"]) for each in found.json()["data"]]


async def test_the_life_of_an_achievement(http: httpx.AsyncClient, time: Time) -> None:
    achievement = await create(http, period="1M", recurrencePolicy="on_expiration")
    url = f"{ACHIEVEMENTS}/{achievement['id']}"
    assert (await http.get(url)).json() == achievement
    assert (achievement["status"], achievement["hasProgress"]) == ("inprogress", False)
    found = (await http.get(ACHIEVEMENTS, params={"title": "WALK"})).json()["data"]
    assert found == [achievement]

    changed = (await http.put(url, json={"target": 5, "endDate": time.at(days=2)})).json()
    assert (changed["target"], changed["period"], changed["name"]) == (5, "1M", "Walker")
    time.advance(days=3)
    assert (await http.get(url)).json()["status"] == "expired"

    assert (await http.delete(url)).status_code == 204
    assert (await http.get(url)).status_code == 404
    assert (await create(http))["id"] > achievement["id"], "an id is never used twice"


@pytest.mark.parametrize(
    ("settings", "status", "pointer"),
    [
        ({"title": "Another"}, 409, "/name"),
        ({"name": "Another"}, 409, "/title"),
        ({"name": "Other", "title": "Other", "target": 0}, 400, "/target"),
        ({"name": "Other", "title": "Other", "activationPolicy": "fixed_schedule"}, 400,
         "/fixedStartDate"),
    ],
)  # fmt: skip
async def test_an_impossible_achievement_is_refused(
    http: httpx.AsyncClient, settings: Any, status: int, pointer: str
) -> None:
    await create(http)
    before = (await http.get(ACHIEVEMENTS)).json()

    refused = await http.post(ACHIEVEMENTS, json=BASIC | settings)

    assert refused.status_code == status
    assert refused.json()["errors"][0]["source"] == {"pointer": pointer}
    assert (await http.get(ACHIEVEMENTS)).json() == before


async def test_a_name_stays_and_a_title_is_used_once(http: httpx.AsyncClient) -> None:
    await create(http)
    url = f"{ACHIEVEMENTS}/45"

    assert (await http.put(url, json={"name": "Renamed"})).status_code == 400
    assert (await http.put(url, json={"title": "Walker"})).status_code == 400
    assert (await http.put(url, json={"title": "Five orders"})).status_code == 200


async def move_on(http: httpx.AsyncClient, shop: httpx.AsyncClient, session: str) -> list[Any]:
    """Close a session of olga's with a coupon of campaign 19, which moves achievement 322 on."""
    effects = await order(shop, session, "olga", couponCodes=[await issue(http, 19)])
    kind = "increaseAchievementProgress"
    return [each["props"] for each in effects if each["effectType"] == kind]


async def adjust(http: httpx.AsyncClient, **settings: Any) -> None:
    url = "/v1/applications/42/campaigns/19/achievements/322"
    assert (await http.put(url, json=settings)).status_code == 200


async def test_orders_move_a_customer_on_and_a_cancelled_one_back(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    await adjust(http, target=3)

    [effect] = await move_on(http, shop, "s-1")
    await move_on(http, shop, "s-2")
    assert {"achievementName": "FreeCoffee10Orders", "delta": 1, "value": 1, "target": 3,
            "isJustCompleted": False}.items() <= effect.items()  # fmt: skip
    assert await history(shop, "olga", 322) == [("inprogress", 2)]

    cancelled = {"customerSession": {"state": "cancelled"}}
    state = (await shop.put("/v2/customer_sessions/s-2", json=cancelled)).json()
    kinds = [each["effectType"] for each in state["effects"]]
    assert "rollbackIncreasedAchievementProgress" in kinds
    assert await history(shop, "olga", 322) == [("inprogress", 1)]


async def test_on_completion_the_next_round_begins(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    await adjust(http, target=2, recurrencePolicy="on_completion")
    trackers = [(await move_on(http, shop, f"s-{n}"))[0] for n in range(3)]

    assert [each["isJustCompleted"] for each in trackers] == [False, True, False]
    assert len({each["progressTrackerId"] for each in trackers}) == 2
    assert await history(shop, "olga", 322) == [("completed", 2), ("inprogress", 1)]
    cancelled = {"customerSession": {"state": "cancelled"}}
    await shop.put("/v2/customer_sessions/s-1", json=cancelled)
    assert await history(shop, "olga", 322, progressStatus="completed") == [("completed", 2)]


async def test_without_recurrence_there_is_one_round(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, time: Time
) -> None:
    await adjust(http, target=1, recurrencePolicy="no_recurrence", period="1D")

    assert await move_on(http, shop, "s-1")
    assert await move_on(http, shop, "s-2") == []
    time.advance(days=2)
    assert await move_on(http, shop, "s-3") == []
    assert await history(shop, "olga", 322) == [("completed", 1)]


async def test_on_expiration_a_round_ends_with_its_period(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, time: Time
) -> None:
    await adjust(http, target=2, recurrencePolicy="on_expiration", period="1D")
    await move_on(http, shop, "s-1")
    time.advance(hours=25)
    assert await history(shop, "olga", 322) == [("expired", 1)]
    now = (await open_to(shop, "olga"))[322]["currentProgress"]
    assert now == {"status": "not_started", "progress": 0}

    await move_on(http, shop, "s-2")
    await move_on(http, shop, "s-3")
    assert await move_on(http, shop, "s-4") == [], "the round is complete until its period ends"
    assert await history(shop, "olga", 322) == [("expired", 1), ("completed", 2)]
    assert await history(shop, "olga", 322, progressStatus="expired") == [("expired", 1)]
    assert await history(shop, "olga", 322, startDate=time.at(hours=-1)) == [("completed", 2)]


@pytest.mark.parametrize(
    ("settings", "end"),
    [
        ({"period": "90s"}, "2026-06-15T12:01:30Z"),
        ({"period": "1.5h"}, "2026-06-15T13:30:00Z"),
        ({"period": "1D"}, "2026-06-16T12:00:00Z"),
        ({"period": "1M"}, "2026-07-15T12:00:00Z"),
        ({"period": "1D_D"}, "2026-06-15T22:00:00Z"),  # midnight in Berlin
        ({"period": "1Y", "periodEndOverride": {"month": 11, "dayOfMonth": 23, "hour": 23,
                                                "minute": 59, "second": 59}},
         "2026-11-23T22:59:59Z"),
        ({"period": "1W", "periodEndOverride": {"dayOfWeek": 1, "hour": 9, "minute": 0,
                                                "second": 0}},
         "2026-06-22T07:00:00Z"),
        ({"period": "1M", "endDate": "2026-07-01T00:00:00Z"}, "2026-07-01T00:00:00Z"),
        ({"endDate": "2026-07-01T00:00:00Z"}, "2026-07-01T00:00:00Z"),
        ({}, None),
        ({"period": "1W", "activationPolicy": "fixed_schedule",
          "fixedStartDate": "2026-06-01T10:00:00Z"}, "2026-06-22T10:00:00Z"),
        ({"period": "30s", "activationPolicy": "fixed_schedule",
          "fixedStartDate": "2020-01-31T10:00:10Z"}, "2026-06-15T12:00:10Z"),
        ({"period": "1M", "activationPolicy": "fixed_schedule",
          "fixedStartDate": "2026-01-31T10:00:00Z"}, "2026-06-30T09:00:00Z"),
    ],
)  # fmt: skip
async def test_when_a_round_ends(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, settings: Any, end: str | None
) -> None:
    await adjust(http, **settings)

    await move_on(http, shop, "s-1")

    assert (await open_to(shop, "olga"))[322]["currentProgress"].get("endDate") == end


async def test_a_shop_shows_what_is_open_and_what_is_to_come(shop: httpx.AsyncClient) -> None:
    assert set(await open_to(shop, "anna.schmidt")) == {45, 321, 322}
    scheduled = await open_to(shop, "anna.schmidt", achievementStatus="scheduled")
    assert {each["status"] for each in scheduled.values()} == {"scheduled"}
    assert set(scheduled) == {323}
    assert set(await open_to(shop, "anna.schmidt", campaignIds="18,20")) == {45}
    assert set(await open_to(shop, "anna.schmidt", achievementIds="45,321")) == {45, 321}
    begun = await open_to(shop, "anna.schmidt", currentProgressStatus="inprogress,completed")
    assert set(begun) == {45, 321}
    assert begun[45]["currentProgress"]["progress"] == 2
    assert (await shop.get("/v1/customer_profiles/nobody/achievements")).status_code == 404


async def test_support_sees_the_progress_in_each_application(http: httpx.AsyncClient) -> None:
    async def progress(application: int, **filters: Any) -> dict[int, str]:
        url = f"/v1/applications/{application}/achievement_progress/anna.schmidt"
        data = (await http.get(url, params=filters)).json()["data"]
        return {each["achievementId"]: each["status"] for each in data}

    whole = await progress(42)
    assert whole[45] == whole[321] == "inprogress"
    assert whole[322] == "not_started"
    assert await progress(42, achievementId=45) == {45: "inprogress"}
    assert await progress(42, title="coffee") == {322: "not_started"}
    assert await progress(43) == {}


async def test_the_export_has_a_row_for_each_round(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    exported = await http.get(f"{ACHIEVEMENTS}/45/export")

    rows = list(csv.DictReader(exported.text.splitlines()))
    assert list(rows[0]) == ["profileIntegrationID", "title", "target", "progress", "status",
                             "startDate", "endDate", "completionDate"]  # fmt: skip
    annas = [row for row in rows if row["profileIntegrationID"] == "anna.schmidt"]
    rounds = [(row["status"], float(row["progress"])) for row in annas]
    assert (
        rounds == await history(shop, "anna.schmidt", 45) == [("completed", 5), ("inprogress", 2)]
    )
    assert (await http.get(f"{ACHIEVEMENTS}/321/export")).status_code == 404
