"""campaign_report: every campaign, periods, budgets, what fails, and which campaign is meant."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import anyio
import pytest
from bench.tokens import tokens

from talonone_mcp.core.catalog import Catalog
from tests.desk import Desk, open_desk
from tests.workflows.upstreams import Answering, FailingOnce, Waiting

pytestmark = pytest.mark.anyio

DE, US = 42, 43
SUMMER, WELCOME, WINTER, SHIPPING = 18, 19, 20, 31
CAMPAIGNS = [*((DE, each) for each in range(18, 27)), (US, SHIPPING), (US, 32)]
TODAY = date(2026, 6, 15)
MOST_TOKENS, MOST_REQUESTS = 450, 4
SUMS = {
    "revenue": "campaignRevenue",
    "discounts": "campaignDiscountCosts",
    "couponRedemptions": "couponRedemptions",
    "couponsCreated": "couponsCreated",
    "referralRedemptions": "referralRedemptions",
    "referralsCreated": "referralsCreated",
    "freeItems": "campaignFreeItems",
    "pointsAdded": "addedLoyaltyPoints",
}
Answer = dict[str, Any]


async def report(desk: Desk, campaign: int | str = SUMMER, **arguments: Any) -> Answer:
    arguments = {"applicationId": DE} | arguments
    return await desk.call("campaign_report", campaign=campaign, **arguments)


async def changed(desk: Desk, campaign: int, application: int = DE, **changes: Any) -> None:
    """Change a campaign, and leave the rest of it as it is."""
    place = {"applicationId": application, "campaignId": campaign}
    known = await desk.call("get_campaign", **place, fields=["*"])
    kept = ("name", "tags", "limits", "features", "startTime", "endTime", "state")
    own = {key: known[key] for key in kept if key in known}
    await desk.call("update_campaign", **place, **({"tags": [], "features": []} | own | changes))


async def copied(desk: Desk, name: str, campaign: int = SUMMER, to: int = DE) -> int:
    given = {"applicationId": DE, "campaignId": campaign, "applicationIds": [to], "name": name}
    return int((await desk.call("copy_campaign", **given))["data"][0]["id"])


# --- Every campaign ------------------------------------------------------------------------------


@pytest.mark.parametrize(("application", "campaign"), CAMPAIGNS)
async def test_a_report_says_what_the_ordinary_tools_say(
    desk: Desk, application: int, campaign: int
) -> None:
    answer = await report(desk, campaign, applicationId=application)
    assert len(desk.account.requests) <= MOST_REQUESTS
    assert tokens(answer) <= MOST_TOKENS
    place = {"applicationId": application, "campaignId": campaign}
    known = await desk.call("get_campaign", **place, fields=["*"])
    for key in ("id", "name", "applicationId", "features", "tags"):
        assert answer.get(key) == known.get(key)
    assert answer["state"] == known["frontendState"]
    coupons = answer.get("coupons", {"created": 0, "redeemed": 0})
    assert coupons["created"] == known["couponCreationCount"]
    assert coupons["redeemed"] == known["couponRedemptionCount"]
    assert len(answer["budgets"]) == len(known["limits"])


@pytest.mark.parametrize(("application", "campaign"), CAMPAIGNS)
@pytest.mark.parametrize("days", [1, 7, 30, 90])
async def test_figures_are_the_sums_of_the_analytics_day_by_day(
    desk: Desk, application: int, campaign: int, days: int
) -> None:
    answer = await report(desk, campaign, applicationId=application, days=days)
    zone = "+02:00" if application == DE else "-04:00"
    last = TODAY - timedelta(days=1)
    sums = {}
    for when, end in (("now", last), ("before", last - timedelta(days=days))):
        start = end - timedelta(days=days - 1)
        given = {
            "applicationId": application,
            "campaignId": campaign,
            "rangeStart": f"{start}T00:00:00{zone}",
            "rangeEnd": f"{end + timedelta(days=1)}T00:00:00{zone}",
            "granularity": "1 hour",
        }
        more = {"maxTokens": 100_000, "fields": list(SUMS.values())}
        sums[when] = await desk.call("get_campaign_analytics", **given, **more)
    for name, upstreams in SUMS.items():
        told = answer["figures"].get(name, {"now": 0, "before": 0})
        for when, whole in sums.items():
            assert told[when] == pytest.approx(total(whole, upstreams))


def total(answer: Answer, name: str) -> float:
    if "data" in answer:
        return float(sum(each.get(name, 0) for each in answer["data"]))
    head, *rows = (row.split(",") for row in answer["csv"].split())
    return sum(float(row[head.index(name)] or 0) for row in rows) if name in head else 0


async def test_figures_stand_beside_those_before_with_what_changed(desk: Desk) -> None:
    figures = (await report(desk, 26, days=30))["figures"]
    assert figures["couponRedemptions"] == {"now": 4, "before": 3, "change": 1, "percent": 33.3}
    assert figures["revenue"]["percent"] == -13.0
    assert figures["couponsCreated"] == {"now": 0, "before": 10, "change": -10, "percent": -100.0}
    assert "freeItems" not in figures


async def test_what_there_was_none_of_before_is_new_and_not_infinitely_more(desk: Desk) -> None:
    figures = (await report(desk, WELCOME))["figures"]
    assert figures["couponRedemptions"] == {"now": 8, "before": 0, "change": 8, "percent": "new"}


# --- Periods -------------------------------------------------------------------------------------

PERIODS = [
    ({}, "2026-05-16", "2026-06-14", "2026-04-16 to 2026-05-15"),
    ({"days": 1}, "2026-06-14", "2026-06-14", "2026-06-13 to 2026-06-13"),
    ({"from": "2026-06-01"}, "2026-06-01", "2026-06-14", "2026-05-18 to 2026-05-31"),
    ({"to": "2026-03-31", "days": 31}, "2026-03-01", "2026-03-31", "2026-01-29 to 2026-02-28"),
    ({"from": "2026-06-15"}, "2026-06-15", "2026-06-15", "2026-06-14 to 2026-06-14"),
    (
        {"from": "2025-06-15", "to": "2026-06-15"},
        "2025-06-15",
        "2026-06-15",
        "2024-06-14 to 2025-06-14",
    ),
]


@pytest.mark.parametrize(("asked", "first", "last", "before"), PERIODS)
async def test_a_period_is_of_whole_days_and_compared_with_as_many_before(
    desk: Desk, asked: Mapping[str, Any], first: str, last: str, before: str
) -> None:
    period = (await report(desk, **asked))["period"]
    assert (period["from"], period["to"], period["comparedWith"]) == (first, last, before)
    assert period["timezone"] == "Europe/Berlin"
    assert ("today is not over" in period.get("note", "")) == (last == str(TODAY))


async def test_today_is_the_one_of_the_application(desk: Desk) -> None:
    desk.time.advance(hours=11)  # 01:00 on the 16th in Berlin, 19:00 on the 15th in New York
    assert (await report(desk))["period"]["to"] == "2026-06-15"
    american = await report(desk, SHIPPING, applicationId=US)
    assert american["period"]["to"] == "2026-06-14"
    assert (await report(desk, **{"to": "2026-06-16"}))["period"]["to"] == "2026-06-16"
    given = {"campaign": SHIPPING, "applicationId": US, "to": "2026-06-16"}
    error = await desk.error("campaign_report", **given)
    assert error["details"] == [{"at": "to", "problem": "is later than today, which is 2026-06-15"}]


async def test_days_are_those_of_the_application_when_the_clocks_change(desk: Desk) -> None:
    desk.account.requests.clear()
    queries: list[str] = []
    app = desk.account.app

    async def noting(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"].endswith("/analytics"):
            queries.append(scope["query_string"].decode())
        await app(scope, receive, send)

    desk.account.app = noting
    await report(desk, **{"from": "2026-03-29", "to": "2026-03-29"})
    [query] = [each for each in queries if "2026-03-30" in each]
    assert "rangeStart=2026-03-29T00%3A00%3A00%2B01%3A00" in query
    assert "rangeEnd=2026-03-30T00%3A00%3A00%2B02%3A00" in query


@pytest.mark.parametrize(
    ("asked", "at"),
    [
        ({"from": "2026-02-30"}, "from"),
        ({"to": "yesterday"}, "to"),
        ({"from": "2026-06-01T00:00:00Z"}, "from"),
        ({"from": "2026-06-10", "to": "2026-06-01"}, "from"),
        ({"from": "2026-06-16"}, "from"),
        ({"to": "2026-06-16"}, "to"),
        ({"from": "2025-01-01"}, "from"),
        ({"from": "0001-01-01", "to": "0001-01-02"}, "from"),
        ({"to": "0001-01-02"}, "to"),
        ({"from": "2026-06-01", "days": 3}, "from"),
        ({"days": 0}, "days"),
        ({"days": 367}, "days"),
    ],
)
async def test_a_period_that_is_none_is_refused_with_the_argument_that_is_wrong(
    desk: Desk, asked: Mapping[str, Any], at: str
) -> None:
    error = await desk.error("campaign_report", campaign=SUMMER, applicationId=DE, **asked)
    assert error["kind"] == "invalid_arguments"
    assert [each["at"] for each in error["details"]] == [at]


async def test_what_is_no_day_is_refused_before_any_request(desk: Desk) -> None:
    error = await desk.error("campaign_report", campaign=SUMMER, **{"from": "2026-02-30"})
    assert error["kind"] == "invalid_arguments"
    assert desk.account.requests == []


# --- Schedules -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("campaign", "start", "end"),
    [
        (SUMMER, "started 60 days ago", "ends in 30 days"),
        (WINTER, "starts in 20 days", "ends in 60 days"),
        (21, "started 400 days ago", "ended 310 days ago"),
        (24, "started today", "none"),
    ],
)
async def test_a_schedule_says_how_far_off_it_is(
    desk: Desk, campaign: int, start: str, end: str
) -> None:
    schedule = (await report(desk, campaign))["schedule"]
    assert start in schedule["start"]
    assert end in schedule["end"]


async def test_a_campaign_that_did_not_run_all_the_time_is_not_compared_in_silence(
    desk: Desk,
) -> None:
    assert "had not begun" in (await report(desk, WELCOME))["period"]["note"]
    desk.time.advance(days=40)
    assert "was over" in (await report(desk, SUMMER))["period"]["note"]


# --- Budgets -------------------------------------------------------------------------------------


async def budget(desk: Desk, action: str, limit: float, **limits: Any) -> Answer:
    """Give a campaign one budget, and return what is told of it."""
    whole = {"action": action, "limit": limit, "entities": []}
    await changed(desk, SUMMER, limits=[whole | limits])
    return dict((await report(desk))["budgets"][0])


async def test_a_budget_says_what_is_used_and_when_it_will_be_used_up_at_this_pace(
    desk: Desk,
) -> None:
    told = await budget(desk, "redeemCoupon", 38)
    assert (told["limit"], told["used"], told["percent"]) == (38, 28, 73.7)
    redeemed = (await report(desk))["figures"]["couponRedemptions"]["now"]
    day = (desk.time() + timedelta(hours=2, days=(38 - 28) / (redeemed / 30))).date()
    assert told["projection"] == f"used up on {day}, at the pace of this period"


@pytest.mark.parametrize(
    ("figures", "hours", "asked", "on"),
    [
        ({"couponRedemptions": 30, "couponRolledbackRedemptions": 15}, 0, {}, "2026-07-05"),
        ({"couponRedemptions": 15}, 11, {}, "2026-07-06"),  # in Berlin it is tomorrow already
        ({"couponRedemptions": 7}, 0, {"from": "2026-06-15"}, "2026-06-16"),  # since 14 hours
    ],
)
async def test_the_pace_is_of_what_was_kept_in_the_days_that_are_over(
    desk: Desk, figures: Answer, hours: int, asked: Mapping[str, Any], on: str
) -> None:
    await budget(desk, "redeemCoupon", 38)  # 28 of them are used
    desk.time.advance(hours=hours)
    answer = {"data": [{"date": "2026-06-15T00:00:00Z"} | figures]}
    desk.account.app = Answering(desk.account.app, "/analytics$", answer)
    [told] = (await report(desk, **asked))["budgets"]
    assert told["projection"] == f"used up on {on}, at the pace of this period"


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (28, {"usedUp": True}),
        (5000, {"projection": "lasts until the campaign ends, at the pace of this period"}),
    ],
)
async def test_a_budget_that_is_used_up_or_will_not_be_says_so(
    desk: Desk, limit: float, expected: Answer
) -> None:
    told = await budget(desk, "redeemCoupon", limit)
    assert {key: told.get(key) for key in expected} == expected


async def test_a_budget_that_nobody_uses_is_never_used_up(desk: Desk) -> None:
    told = await budget(desk, "redeemReferral", 100)
    assert told["projection"] == "not used in this period"


async def test_a_budget_of_a_campaign_without_end_may_last_beyond_what_can_be_said(
    desk: Desk,
) -> None:
    limit = {"action": "setDiscount", "limit": 10_000_000, "entities": []}
    await changed(desk, WELCOME, limits=[limit])
    [told] = (await report(desk, WELCOME))["budgets"]
    assert told["projection"] == "not in sight, at the pace of this period"


@pytest.mark.parametrize(
    "limits", [{"entities": ["Profile"]}, {"period": "monthly"}, {"entities": ["Coupon"]}]
)
async def test_a_budget_that_counts_by_customer_or_month_is_not_measured_by_the_sum_of_all(
    desk: Desk, limits: Mapping[str, Any]
) -> None:
    told = await budget(desk, "redeemCoupon", 30, **limits)
    assert told["usedInAll"] == 28
    assert not {"used", "percent", "projection"} & set(told)


@pytest.mark.parametrize("state", ["disabled", "archived"])
async def test_a_campaign_that_does_not_run_has_no_pace(desk: Desk, state: str) -> None:
    await changed(desk, SUMMER, state=state)
    told = await budget(desk, "redeemCoupon", 38)
    assert (told["percent"], "projection" in told) == (73.7, False)


async def test_a_limit_of_nothing_is_used_up(desk: Desk) -> None:
    assert (await budget(desk, "redeemCoupon", 0))["usedUp"] is True


# --- What fails ----------------------------------------------------------------------------------

# What is lost with a read, by the request
LOST = {
    f"GET /v1/applications/{DE}$": {"application", "currency", "period", "schedule", "figures"},
    "GET .*/analytics$": {"figures", "budgets"},
}


@pytest.mark.parametrize("pattern", LOST)
async def test_a_read_that_fails_is_said_to_be_missing(desk: Desk, pattern: str) -> None:
    whole = await report(desk)
    desk.account.fail(pattern)
    answer = await report(desk)
    kept = set(whole) - LOST[pattern]
    assert answer["missing"]
    assert {key: answer[key] for key in kept} == {key: whole[key] for key in kept}


async def test_one_period_that_cannot_be_had_leaves_the_other(desk: Desk) -> None:
    whole = await report(desk)
    found = []
    app = desk.account.app
    for place in (2, 3):
        desk.account.app = FailingOnce(app, place)
        answer = await report(desk)
        [missing] = answer["missing"]
        [when] = answer["figures"]["revenue"]
        assert answer["figures"]["revenue"][when] == whole["figures"]["revenue"][when]
        assert ("before" in missing["what"]) == (when == "now")
        found.append(when)
    assert set(found) == {"now", "before"}


async def test_without_the_time_zone_days_are_those_of_utc_and_that_is_said(desk: Desk) -> None:
    desk.account.fail(f"GET /v1/applications/{DE}$")
    answer = await report(desk)
    assert answer["period"]["timezone"] == "UTC"
    assert "UTC" in answer["missing"][0]["what"]


async def test_a_time_zone_that_is_none_is_utc(desk: Desk) -> None:
    pattern = f"GET /v1/applications/{DE}$"
    answer = {"id": DE, "name": "x", "timezone": "../../etc/passwd", "currency": "EUR"}
    desk.account.app = Answering(desk.account.app, pattern, answer)
    assert (await report(desk))["period"]["timezone"] == "UTC"


async def test_a_campaign_that_cannot_be_read_is_an_error(desk: Desk) -> None:
    desk.account.fail(f"GET .*/campaigns/{SUMMER}$")
    error = await desk.error("campaign_report", campaign=SUMMER, applicationId=DE)
    assert error["kind"] == "upstream"


@pytest.mark.parametrize(
    ("arguments", "waves"),
    [({"applicationId": DE}, [2, 2]), ({}, [1, 2, 1, 2])],
)
async def test_reads_that_do_not_wait_for_each_other_are_made_side_by_side(
    desk: Desk, arguments: Mapping[str, int], waves: list[int]
) -> None:
    waves = list(waves)
    desk.account.app = Waiting(desk.account.app, waves)
    with anyio.fail_after(20):
        await desk.call("campaign_report", campaign=SUMMER, **arguments)
    assert waves == []


# --- Which campaign ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "campaign", "matched_by"),
    [
        (SUMMER, SUMMER, "id"),
        ("18", SUMMER, "id"),
        (" 18 ", SUMMER, "id"),
        ("Summer promotions", SUMMER, "name"),
        ("  Summer promotions\n", SUMMER, "name"),
        ("SUMMER PROMOTIONS", SUMMER, "name, ignoring case"),
        ("free shipping weeks", SHIPPING, "name, ignoring case"),
        ("Store opening", 22, "name"),
    ],
)
async def test_a_campaign_is_found_by_id_or_whole_name_in_any_application(
    desk: Desk, wanted: int | str, campaign: int, matched_by: str
) -> None:
    answer = await desk.call("campaign_report", campaign=wanted)
    assert (answer["id"], answer["matchedBy"]) == (campaign, matched_by)


async def test_a_name_in_exactly_this_case_goes_before_others(desk: Desk) -> None:
    other = await copied(desk, "summer promotions")
    assert (await report(desk, "Summer promotions"))["id"] == SUMMER
    assert (await report(desk, "summer promotions"))["id"] == other
    error = await desk.error("campaign_report", campaign="SUMMER promotions", applicationId=DE)
    assert {each["campaignId"] for each in error["details"]} == {str(SUMMER), str(other)}


@pytest.mark.parametrize("to", [DE, US])
async def test_two_campaigns_of_the_same_name_are_both_offered_and_none_is_chosen(
    desk: Desk, to: int
) -> None:
    twin = await copied(desk, "Summer promotions", to=to)
    error = await desk.error("campaign_report", campaign="Summer promotions")
    assert error["kind"] == "invalid_arguments"
    assert "none was chosen" in error["message"]
    offered = {each["campaignId"]: each for each in error["details"]}
    assert set(offered) == {str(SUMMER), str(twin)}
    first = offered[str(SUMMER)]
    assert (first["state"], first["application"]) == ("running", "Webshop DE")
    assert offered[str(twin)]["applicationId"] == str(to)
    chosen = await report(desk, twin, applicationId=to)
    assert chosen["matchedBy"] == "id"


async def test_digits_that_are_an_id_and_a_name_are_not_guessed(desk: Desk) -> None:
    twin = await copied(desk, "19")
    error = await desk.error("campaign_report", campaign="19", applicationId=DE)
    assert {each["campaignId"] for each in error["details"]} == {"19", str(twin)}
    assert (await report(desk, 19))["name"] == "Welcome back"


async def test_spaces_in_a_name_are_looked_for_as_they_are(desk: Desk) -> None:
    named = await copied(desk, "Two  spaces")
    assert (await report(desk, "Two  spaces"))["id"] == named


async def test_digits_that_are_a_name_alone_find_it(desk: Desk) -> None:
    named = await copied(desk, "2025")
    assert (await report(desk, "2025"))["id"] == named


@pytest.mark.parametrize("wanted", ["summer", "promotions", "e"])
async def test_a_part_of_a_name_is_offered_and_never_taken(desk: Desk, wanted: str) -> None:
    error = await desk.error("campaign_report", campaign=wanted)
    assert error["kind"] == "not_found"
    assert str(SUMMER) in {each.get("campaignId") for each in error["details"]}
    assert "Ask" in error["hint"]


async def test_of_very_many_that_may_be_meant_the_newest_are_offered_and_the_rest_counted(
    desk: Desk,
) -> None:
    twins = [await copied(desk, "Twin") for _ in range(13)]
    await changed(desk, twins[-1], state="archived")
    error = await desk.error("campaign_report", campaign="Twin", applicationId=DE)
    offered = [each["campaignId"] for each in error["details"] if "campaignId" in each]
    assert offered == [str(each) for each in reversed(twins[2:-1])][:10]
    assert error["details"][-1] == {"at": "campaign", "problem": "3 more may be meant"}


@pytest.mark.parametrize(
    "wanted", [999, "999", "No such thing", "9" * 400, "\uff11\uff18", "a\n\n\u202eb"]
)
async def test_a_campaign_that_is_not_there_is_not_found(desk: Desk, wanted: int | str) -> None:
    error = await desk.error("campaign_report", campaign=wanted)
    assert error["kind"] == "not_found"
    assert "list_campaigns" in error["hint"]
    assert "\n" not in error["message"]
    assert len(error["message"]) < 250


@pytest.mark.parametrize("wanted", ["", "  ", None, 1.5, "x" * 501])
async def test_a_campaign_that_is_no_name_is_refused_before_any_request(
    desk: Desk, wanted: Any
) -> None:
    error = await desk.error("campaign_report", campaign=wanted)
    assert error["kind"] == "invalid_arguments"
    assert desk.account.requests == []


async def test_an_application_that_is_not_there_is_not_found(desk: Desk) -> None:
    error = await desk.error("campaign_report", campaign=SUMMER, applicationId=99)
    assert error["kind"] == "not_found"


async def test_in_very_many_applications_the_one_that_is_meant_has_to_be_given(
    desk: Desk,
) -> None:
    for number in range(90, 97):
        desk.add_application(number)
    error = await desk.error("campaign_report", campaign=SUMMER)
    assert [each["at"] for each in error["details"]] == ["applicationId"]
    assert len(desk.account.requests) == 1
    assert (await report(desk))["id"] == SUMMER


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_it_is_a_read_in_both_eras(catalog: Catalog, mode: str) -> None:
    async with open_desk(catalog, mode=mode, read_only=True) as desk:
        assert (await report(desk))["id"] == SUMMER
