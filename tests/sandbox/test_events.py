"""What happened in an Application: custom events, lists of sessions and events, and exports."""

from __future__ import annotations

import csv
import io
from typing import Any

import httpx
import pytest

from tests.sandbox.carts import BAG, SHIRT, coupon, send
from tests.sandbox.door import Time

pytestmark = pytest.mark.anyio
SESSIONS = "/v1/applications/42/sessions"
EVENTS = "/v1/applications/42/events/no_total"


async def listed(http: httpx.AsyncClient, url: str, **params: Any) -> list[dict[str, Any]]:
    found = await http.get(url, params=params)
    assert found.status_code == 200, found.text
    data: list[dict[str, Any]] = found.json()["data"]
    return data


async def rows(http: httpx.AsyncClient, name: str, **params: Any) -> list[dict[str, str]]:
    found = await http.get(f"/v1/applications/42/{name}", params=params)
    assert found.status_code == 200, found.text
    return list(csv.DictReader(io.StringIO(found.text)))


@pytest.fixture
async def carts(http: httpx.AsyncClient, shop: httpx.AsyncClient, time: Time) -> list[str]:
    """Three carts of two customers, an hour apart; the codes in them."""
    codes = [(await coupon(http))["value"] for _ in range(2)]
    time.advance(hours=1)
    await send(shop, "north-1", "closed", profileId="ada", cartItems=[BAG], couponCodes=codes[:1])
    time.advance(hours=1)
    await send(shop, "north-2", profileId="ada", cartItems=[SHIRT], storeIntegrationId="STORE-001")
    time.advance(hours=1)
    await send(shop, "south-1", profileId="bob", cartItems=[BAG], couponCodes=codes,
               referralCode="FRIEND-CODE")  # fmt: skip
    return codes


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"profile": "ada"}, ["north-1", "north-2"]),
        ({"profile": "AD"}, []),
        ({"profile": "ad", "partialMatch": "true"}, []),
        ({"integrationId": "north-2"}, ["north-2"]),
        ({"integrationId": "orth-", "partialMatch": "true"}, ["north-1", "north-2"]),
        ({"storeIntegrationId": "STORE-001"}, ["north-2"]),
        ({"storeIntegrationId": "store-0", "partialMatch": "true"}, ["north-2"]),
        ({"referral": "friend-code"}, ["south-1"]),
        ({"coupon": "friend-code"}, []),
        ({"referral": "IEND-C", "partialMatch": "true"}, ["south-1"]),
        ({"profile": "ada", "state": "closed"}, ["north-1"]),
        ({"profile": "ada", "state": "cancelled"}, []),
        ({"profile": "ada", "sort": "-created"}, ["north-2", "north-1"]),
        ({"profile": "ada", "sort": "-total"}, ["north-1", "north-2"]),
    ],
)
async def test_sessions_by_each_filter(
    http: httpx.AsyncClient, carts: list[str], filters: dict[str, str], names: list[str]
) -> None:
    assert carts

    found = await listed(http, SESSIONS, **filters)

    assert [each["integrationId"] for each in found] == names


async def test_sessions_by_coupon_and_by_time(
    http: httpx.AsyncClient, carts: list[str], time: Time
) -> None:
    shared = await listed(http, SESSIONS, coupon=carts[0].lower())
    assert [each["integrationId"] for each in shared] == ["north-1", "south-1"]
    part = await listed(http, SESSIONS, coupon=carts[1][:-1], partialMatch="true")
    assert "south-1" in [each["integrationId"] for each in part]

    for span, names in (
        ({"createdAfter": time.at(hours=-1, minutes=-1)}, ["north-2", "south-1"]),
        ({"createdAfter": time.at(hours=-2), "createdBefore": time.at(hours=-2)}, ["north-1"]),
        ({"createdAfter": time.at(hours=1)}, []),
        ({"createdBefore": "2000-01-01T00:00:00Z"}, []),
    ):
        found = await listed(http, SESSIONS, **span)
        assert [each["integrationId"] for each in found] == names


async def test_a_listed_session_is_the_one_that_is_read(
    http: httpx.AsyncClient, carts: list[str]
) -> None:
    [session] = await listed(http, SESSIONS, integrationId="north-1")

    assert (session["coupon"], session["totalDiscounts"]) == (carts[0], 24)
    assert session["discounts"] == {"20 % off the session": 24}
    assert session["profileintegrationid"] == "ada"
    read = await http.get(f"{SESSIONS}/{session['id']}")
    assert read.json() == session
    assert (await http.get(f"/v1/applications/43/sessions/{session['id']}")).status_code == 404


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"session": "north-1"}, ["talon_session_created", "talon_session_closed"]),
        ({"profile": "ada", "type": "talon_session_closed"}, ["talon_session_closed"]),
        ({"profile": "bob", "type": "x, talon_session_created"}, ["talon_session_created"]),
        ({"profile": "ada", "effectType": "setDiscount"}, ["talon_session_closed"]),
        ({"profile": "bob", "effectType": "rejectCoupon"}, ["talon_session_created"]),
        ({"profile": "bob", "referralCode": "friend-code"}, ["talon_session_created"]),
        ({"profile": "ada", "ruleQuery": "20 % OFF"}, ["talon_session_closed"]),
        ({"profile": "ada", "campaignQuery": "summer"}, ["talon_session_closed"]),
        ({"profile": "ada", "campaignQuery": "winter"}, []),
        ({"profile": "ada", "ruleQuery": "no such rule"}, []),
        ({"session": "north-1", "effectType": "setDiscount", "campaignQuery": "euro"}, []),
    ],
)
async def test_events_by_each_filter(
    http: httpx.AsyncClient, carts: list[str], filters: dict[str, str], names: list[str]
) -> None:
    assert carts

    found = await listed(http, EVENTS, **filters)

    assert [each["type"] for each in found] == names


async def test_events_by_code_customer_and_time(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, carts: list[str], time: Time
) -> None:
    named = {"attributes": {"Name": "Ada Lovelace", "Email": "ada@example.com"}}
    assert (await shop.put("/v2/customer_profiles/ada", json=named)).is_success

    by_code = await listed(http, EVENTS, couponCode=carts[0].lower())
    assert {each["type"] for each in by_code} == {"talon_session_closed", "talon_session_created"}
    by_name = await listed(http, EVENTS, customerName="LOVELACE", type="talon_session_closed")
    by_mail = await listed(http, EVENTS, customerEmail="ada@", type="talon_session_closed")
    assert by_name == by_mail
    assert len(by_name) == 1
    late = await listed(http, EVENTS, createdAfter=time.at(minutes=-1), profile="bob")
    assert len(late) == 1
    assert await listed(http, EVENTS, createdBefore=time.at(minutes=-1), profile="bob") == []


async def test_an_event_says_which_rules_failed_and_why(
    http: httpx.AsyncClient, carts: list[str]
) -> None:
    assert carts
    [event] = await listed(http, EVENTS, session="north-2")

    failed = {each["ruleName"]: each for each in event["ruleFailureReasons"]}

    assert "A tote bag from 75 euros" not in failed, "it was given"
    assert failed["Ten euros off from 50 euros"]["conditionIndex"] == 0


async def track(
    shop: httpx.AsyncClient, version: int = 2, *, dry: bool = False, **body: Any
) -> httpx.Response:
    params = {"silent": "no", "dry": str(dry).lower()}
    event: dict[str, Any] = {
        "profileId": "ada",
        "type": "pageViewed",
        "attributes": {"url": "/"},
        **body,
    }
    return await shop.post(f"/v{version}/events", params=params, json=event)


async def test_a_custom_event_is_recorded_as_often_as_it_is_sent(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    wanted: dict[str, Any] = {
        "responseContent": ["event", "customerProfile", "loyalty", "triggeredCampaigns"]
    }

    answers = [(await track(shop, **wanted)).json() for _ in range(2)]
    silent = await shop.post("/v2/events", json={"profileId": "ada", "type": "pageViewed"})
    assert (await track(shop, dry=True)).status_code == 200

    assert silent.status_code == 204
    assert answers[0]["event"]["attributes"] == {"url": "/"}
    assert answers[0]["customerProfile"]["integrationId"] == "ada"
    found = await listed(http, EVENTS, profile="ada", type="pageViewed")
    assert [each["id"] for each in found][:2] == [each["event"]["id"] for each in answers]
    assert len(found) == 3


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"type": "talon_session_closed"}, "/type"),
        ({"type": "undefined"}, "/type"),
        ({"attributes": {"mood": "good"}}, "/attributes/mood"),
        ({"storeIntegrationId": "NOWHERE"}, "/storeIntegrationId"),
    ],
)
async def test_an_event_with_something_undefined_is_refused(
    shop: httpx.AsyncClient, body: dict[str, Any], pointer: str
) -> None:
    refused = await track(shop, **body)

    assert refused.status_code == 400
    assert refused.json()["errors"][0]["source"] == {"pointer": pointer}


async def test_an_advanced_event_is_accepted_once(shop: httpx.AsyncClient) -> None:
    await send(shop, "one", profileId="ada", cartItems=[BAG])
    event: dict[str, Any] = {"integrationId": "e-1", "connectedSessionId": "one"}

    early = await track(shop, 3, **event)
    await send(shop, "one", "closed")
    rehearsed = await track(shop, 3, dry=True, **event)
    first = await track(shop, 3, **event)
    second = await track(shop, 3, **event)

    statuses = [each.status_code for each in (early, rehearsed, first, second)]
    assert statuses == [400, 200, 200, 409]
    read = (await shop.get("/v3/events/e-1")).json()
    assert (read["connectedSessionId"], read["type"]) == ("one", "pageViewed")
    assert (await shop.get("/v3/events/e-2")).status_code == 404


async def names_of_types(http: httpx.AsyncClient, **params: Any) -> list[str]:
    found = await http.get("/v1/applications/42/event_types", params=params)
    names: list[str] = found.json()["data"]
    return names


async def test_event_types_are_those_that_occurred_and_those_that_are_defined(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    await track(shop, type="productReviewed", attributes={})

    seen = await names_of_types(http)
    assert seen == sorted(set(seen))
    assert {"productReviewed", "talon_session_closed"} <= set(seen)
    assert await names_of_types(http, sort="-type") == seen[::-1]
    defined = await listed(http, "/v1/event_types")
    assert {"pageViewed", "newsletterSubscribed"} <= {each["name"] for each in defined}
    [one] = await listed(http, "/v1/event_types", name="pageViewed")
    assert one["title"] == "Page viewed"


async def test_exported_sessions_are_the_listed_ones(
    http: httpx.AsyncClient, carts: list[str], time: Time
) -> None:
    everything = await rows(http, "export_customer_sessions")
    listed_ids = [str(each["id"]) for each in await listed(http, SESSIONS)]
    assert [row["id"] for row in everything] == listed_ids

    [closed] = await rows(http, "export_customer_sessions", profileIntegrationId="ada",
                          customerSessionState="closed", dateFormat="excel")  # fmt: skip
    assert (closed["integrationid"], float(closed["total"])) == ("north-1", 120)
    assert carts[0] in closed["coupons"]
    assert closed["closedat"] == (time.now.strftime("%Y-%m-%d ") + closed["closedat"][-8:])
    recent = await rows(http, "export_customer_sessions", updatedAfter=time.at(minutes=-1))
    assert [row["integrationid"] for row in recent] == ["south-1"]
    assert (len(closed), list(closed)[:2], list(closed)[-1]) == (
        20,
        ["id", "firstsession"],
        "coupons",
    )


async def test_exported_effects_are_those_of_the_campaign_and_the_time(
    http: httpx.AsyncClient, carts: list[str], time: Time
) -> None:
    since = {"createdAfter": time.at(hours=-3), "createdBefore": time.at(minutes=-90)}

    effects = await rows(http, "export_effects", campaignId=18, **since)

    assert [row["name"] for row in effects] == ["acceptCoupon", "setDiscount"]
    assert {row["sessionintegrationid"] for row in effects} == {"north-1"}
    assert {float(row["total_revenue"]) for row in effects} == {120}
    assert carts[0] in effects[0]["props"]
    every = await rows(http, "export_effects")
    assert len(every) > len(effects)
    assert {row["applicationid"] for row in every} == {"42"}
