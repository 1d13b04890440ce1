"""Customer sessions: opened, closed, cancelled, returned, reopened; with coupons and points."""

from __future__ import annotations

from random import Random
from typing import Any

import httpx
import pytest

from tests.sandbox.carts import (
    BAG,
    SHIRT,
    ask,
    campaign_now,
    coupon,
    coupon_now,
    give_back,
    limit,
    of_type,
    reason,
    send,
)
from tests.sandbox.door import Time

pytestmark = pytest.mark.anyio


async def balance(shop: httpx.AsyncClient, customer: str) -> float:
    found = await shop.get(f"/v1/loyalty_programs/5/profile/{customer}/balances")
    assert found.status_code == 200, found.text
    active: float = found.json()["balance"]["activePoints"]
    return active


async def test_a_cart_is_opened_changed_and_closed(shop: httpx.AsyncClient, time: Time) -> None:
    opened = await send(shop, "one", profileId="ada", cartItems=[SHIRT])
    session = opened["customerSession"]
    assert (session["state"], session["total"], session["updateCount"]) == ("open", 80, 1)
    assert session["firstSession"] is True

    time.advance(hours=1)
    changed = (await send(shop, "one", cartItems=[SHIRT, BAG]))["customerSession"]
    assert (changed["total"], changed["updateCount"]) == (200, 2)
    assert (changed["profileId"], changed["created"]) == ("ada", session["created"])
    assert changed["updated"] > session["updated"]

    closed = await send(shop, "one", "closed")
    assert closed["customerProfile"]["closedSessions"] == 1
    assert closed["customerProfile"]["totalSales"] == 200
    read = (await shop.get("/v2/customer_sessions/one")).json()
    assert read["customerSession"]["state"] == "closed"
    assert read["effects"] == closed["effects"]
    again = await send(shop, "two", profileId="ada", cartItems=[SHIRT])
    assert again["customerSession"]["firstSession"] is False


@pytest.mark.parametrize(
    ("states", "refused"),
    [
        (["closed"], "open"),
        (["closed"], "closed"),
        (["closed"], "partially_returned"),
        (["open"], "partially_returned"),
        (["open", "cancelled"], "open"),
        (["open", "cancelled"], "cancelled"),
        ([], "cancelled"),
    ],
)
async def test_a_state_follows_only_those_that_lead_to_it(
    shop: httpx.AsyncClient, states: list[str], refused: str
) -> None:
    for state in states:
        await send(shop, "one", state, cartItems=[SHIRT])

    answer = await ask(shop, "one", refused)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["source"] == {"pointer": "/customerSession/state"}


async def test_a_dry_run_says_what_would_happen_and_changes_nothing(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    code = await coupon(http)

    answer = await ask(shop, "one", "closed", dry=True, profileId="ada", cartItems=[BAG],
                       couponCodes=[code["value"]])  # fmt: skip

    assert of_type(answer.json(), "setDiscount")[0]["value"] == 24
    eligible = {each["id"]: each["eligibility"][0]["passed"]
                for each in answer.json()["campaignEligibility"]}  # fmt: skip
    assert (eligible[18], eligible[19]) == (True, False)
    assert (await shop.get("/v2/customer_sessions/one")).status_code == 404
    assert (await coupon_now(http, code))["usageCounter"] == 0
    assert (await http.get("/v1/customers/no_total", params={"pageSize": 1000})).is_success


async def test_a_dry_run_may_ask_for_campaigns_and_days_that_do_not_run(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, time: Time
) -> None:
    code = (await coupon(http, 20))["value"]
    cart: dict[str, Any] = {"cartItems": [BAG], "couponCodes": [code]}
    assert reason(await send(shop, "one", **cart)) == "CouponPartOfNotRunningCampaign"

    named = await ask(shop, "two", dry=True, evaluableCampaignIds=[20], **cart)
    assert of_type(named.json(), "setDiscount")[0]["value"] == 36

    body = {"customerSession": cart}
    params = {"dry": "true", "now": time.at(days=30)}
    later = await shop.put("/v2/customer_sessions/two", json=body, params=params)
    assert of_type(later.json(), "setDiscount")[0]["value"] == 36


async def test_a_coupon_is_redeemed_when_the_cart_is_closed_and_not_before(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    code = await coupon(http)
    before = await campaign_now(http, 18)

    opened = await send(shop, "one", profileId="ada", cartItems=[BAG],
                        couponCodes=[code["value"].lower()])  # fmt: skip
    assert of_type(opened, "acceptCoupon") == [{"value": code["value"]}]
    assert (await coupon_now(http, code))["usageCounter"] == 0

    closed = await send(shop, "one", "closed")
    assert closed["coupons"][0]["profileRedemptionCount"] == 1
    assert (await coupon_now(http, code))["usageCounter"] == 1
    after = await campaign_now(http, 18)
    assert after["couponRedemptionCount"] == before["couponRedemptionCount"] + 1
    assert after["discountCount"] == pytest.approx(before["discountCount"] + 24)
    assert after["discountEffectCount"] == before["discountEffectCount"] + 1


@pytest.mark.parametrize("uses", [1, 2, 3])
async def test_a_coupon_is_never_used_beyond_its_limit(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, uses: int
) -> None:
    code = await coupon(http, usageLimit=uses)

    answers = [
        await send(shop, f"basket-{n}", "closed", cartItems=[BAG], couponCodes=[code["value"]])
        for n in range(uses + 2)
    ]

    accepted = [bool(of_type(answer, "acceptCoupon")) for answer in answers]
    assert accepted == [True] * uses + [False] * 2
    assert reason(answers[-1]) == "CouponLimitReached"
    assert (await coupon_now(http, code))["usageCounter"] == uses


@pytest.mark.parametrize(
    ("campaign", "settings", "cart", "said"),
    [
        (18, {"expiryDate": "2020-01-01T00:00:00Z"}, {}, "CouponExpired"),
        (18, {"startDate": "2099-01-01T00:00:00Z"}, {}, "CouponStartDateInFuture"),
        (18, {"recipientIntegrationId": "bob"}, {}, "CouponRecipientDoesNotMatch"),
        (18, {"recipientIntegrationId": "bob"}, {"profileId": ""}, "CouponRecipientDoesNotMatch"),
        (18, {"isReservationMandatory": True}, {}, "CouponReservationRequired"),
        (18, {"isReservationMandatory": True}, {"profileId": ""}, "ProfileRequired"),
        (18, {"discountLimit": 5}, {}, "EffectCouldNotBeApplied"),
        (20, {}, {}, "CouponPartOfNotRunningCampaign"),
        (21, {}, {}, "CouponPartOfNotRunningCampaign"),
        (22, {}, {}, "CouponPartOfNotTriggeredCampaign"),
        (23, {}, {}, "CouponPartOfNotRunningCampaign"),
        (26, {}, {"cartItems": [SHIRT | {"quantity": 1}]}, "CouponRejectedByCondition"),
    ],
)
async def test_a_coupon_is_refused_for_the_documented_reason(  # noqa: PLR0913, PLR0917
    http: httpx.AsyncClient,
    shop: httpx.AsyncClient,
    campaign: int,
    settings: dict[str, Any],
    cart: dict[str, Any],
    said: str,
) -> None:
    code = (await coupon(http, campaign, **settings))["value"]
    session = {"profileId": "ada", "cartItems": [BAG], "couponCodes": [code]} | cart

    answer = await send(shop, "one", **session)

    assert reason(answer) == said
    assert not of_type(answer, "setDiscount")
    asked = await http.get("/v1/coupon_rejections", params={"sessionIntegrationId": "one"})
    [explained] = asked.json()["data"]
    assert (explained["couponCode"], explained["status"]) == (code, "rejected")
    assert explained["eventID"] == answer["event"]["id"]


async def test_an_unknown_code_is_refused_and_a_foreign_one_too(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    foreign = (await coupon(http, 31, application=43))["value"]

    for code in ("NOSUCHCODE", foreign):
        assert reason(await send(shop, code, couponCodes=[code])) == "CouponNotFound"


async def test_a_reserved_coupon_is_for_who_reserved_it(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    code = (await coupon(http, isReservationMandatory=True))["value"]
    await shop.post(f"/v1/coupon_reservations/{code}", json={"integrationIDs": ["ada"]})

    answers = {
        who: await send(shop, who, profileId=who, cartItems=[BAG], couponCodes=[code])
        for who in ("ada", "bob")
    }

    assert of_type(answers["ada"], "acceptCoupon")
    assert reason(answers["bob"]) == "CouponReservationRequired"


@pytest.mark.parametrize(
    ("entities", "period", "said"),
    [
        ([], None, "CampaignLimitReached"),
        (["Profile"], None, "ProfileLimitReached"),
        (["Coupon"], None, "CouponLimitReached"),
        (["Profile", "Coupon"], "daily", "ProfileLimitReached"),
        (["Identifier"], "monthly", "CampaignLimitReached"),
    ],
)
async def test_a_budget_for_redemptions_holds_and_recurs(  # noqa: PLR0913, PLR0917
    http: httpx.AsyncClient,
    shop: httpx.AsyncClient,
    time: Time,
    entities: list[str],
    period: str | None,
    said: str,
) -> None:
    used = (await campaign_now(http, 18))["couponRedemptionCount"] if entities == [] else 0
    budget = {"action": "redeemCoupon", "limit": used + 1, "entities": entities}
    await limit(http, 18, budget | ({"period": period} if period else {}))
    code = (await coupon(http, usageLimit=0))["value"]
    cart: dict[str, Any] = {
        "profileId": "ada",
        "cartItems": [BAG],
        "couponCodes": [code],
        "identifiers": ["ip"],
    }

    first = await send(shop, "one", "closed", **cart)
    second = await send(shop, "two", "closed", **cart)

    assert of_type(first, "acceptCoupon")
    assert reason(second) == said
    if period:
        time.advance(days={"daily": 1, "monthly": 28}[period])
        third = await send(shop, "three", "closed", **cart)
        assert of_type(third, "acceptCoupon")


async def test_a_gift_card_is_spent_to_the_last_cent_and_no_further(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    card = await coupon(http, 26, discountLimit=25, usageLimit=0)
    cart: dict[str, Any] = {"cartItems": [BAG], "couponCodes": [card["value"]]}

    answers = [await send(shop, f"basket-{n}", "closed", **cart) for n in range(3)]

    assert [len(of_type(answer, "setDiscount")) for answer in answers] == [1, 1, 0]
    assert reason(answers[2]) == "EffectCouldNotBeApplied"
    now = await coupon_now(http, card)
    assert (now["discountCounter"], now["discountRemainder"]) == (20, 5)


async def test_discounts_follow_one_another_and_never_exceed_the_cart(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    codes = [(await coupon(http, campaign))["value"] for campaign in (18, 26)]

    answer = await send(shop, "one", cartItems=[BAG], couponCodes=codes)

    values = {each["name"]: each["value"] for each in of_type(answer, "setDiscount")}
    assert values == {"20 % off the session": 24, "Ten euros off": 10}
    codes = [(await coupon(http))["value"] for _ in range(2)]
    twice = await send(shop, "two", cartItems=[BAG], couponCodes=codes)
    assert [each["value"] for each in of_type(twice, "setDiscount")] == [24, 19.2]
    nothing = await send(shop, "three", cartItems=[BAG | {"price": 0}], couponCodes=codes[:1])
    assert not of_type(nothing, "setDiscount")


async def test_items_are_discounted_unit_by_unit(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    code = (await coupon(http, 19))["value"]

    answer = await send(shop, "one", cartItems=[BAG, SHIRT], couponCodes=[code])

    discounts = of_type(answer, "setDiscountPerItem")
    places = [(each["position"], each["subPosition"], each["value"]) for each in discounts]
    assert places == [(0, 0, 12), (1, 0, 4), (1, 1, 4)]


async def test_spending_earns_points_and_cancelling_takes_them_back(
    shop: httpx.AsyncClient,
) -> None:
    before = await balance(shop, "anna.schmidt")
    cart: dict[str, Any] = {"profileId": "anna.schmidt", "cartItems": [BAG]}

    opened = await send(shop, "one", **cart)
    assert of_type(opened, "addLoyaltyPoints")[0]["value"] == 120
    assert await balance(shop, "anna.schmidt") == before, "an open cart has earned nothing yet"

    closed = await send(shop, "one", "closed")
    assert of_type(closed, "addFreeItem") == [{"sku": "TOTE-BAG", "name": "Tote bag"}]
    earned = await shop.get("/v1/loyalty_programs/5/profile/anna.schmidt/transactions")
    [added] = [each for each in earned.json()["data"] if each.get("customerSessionId") == "one"]
    [effect] = of_type(closed, "addLoyaltyPoints")
    assert added["transactionUUID"] == effect["transactionUUID"]

    cancelled = await send(shop, "one", "cancelled")
    assert cancelled["customerSession"]["state"] == "cancelled"
    assert await balance(shop, "anna.schmidt") == before


async def test_cancelling_gives_back_everything_that_can_be(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    code = await coupon(http)
    profile: dict[str, Any] = {"profileId": "ada", "cartItems": [BAG]}
    before = await campaign_now(http, 18)
    await send(shop, "one", "closed", couponCodes=[code["value"]], **profile)

    cancelled = await send(shop, "one", "cancelled")

    assert of_type(cancelled, "rollbackCoupon") == [{"value": code["value"]}]
    [discount] = of_type(cancelled, "rollbackDiscount")
    assert (discount["value"], discount["scope"]) == (24, "sessionTotal")
    assert (await coupon_now(http, code))["usageCounter"] == 0
    counters = ("couponRedemptionCount", "discountCount", "discountEffectCount")
    after = await campaign_now(http, 18)
    assert [after[name] for name in counters] == [before[name] for name in counters]
    assert cancelled["customerProfile"]["closedSessions"] == 0
    assert cancelled["customerProfile"]["totalSales"] == 0
    again = await send(shop, "two", "closed", couponCodes=[code["value"]], **profile)
    assert of_type(again, "acceptCoupon"), "the code is good again"


async def test_an_open_cart_is_called_off_without_a_trace(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    code = await coupon(http)
    await send(shop, "one", profileId="ada", cartItems=[BAG], couponCodes=[code["value"]])

    cancelled = await send(shop, "one", "cancelled")

    assert cancelled["effects"] == []
    assert cancelled["customerProfile"]["closedSessions"] == 0


async def test_a_reopened_cart_is_like_any_open_one(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    code = await coupon(http)
    cart: dict[str, Any] = {"profileId": "ada", "cartItems": [BAG], "couponCodes": [code["value"]]}
    await send(shop, "one", "closed", **cart)
    before = await campaign_now(http, 18)

    reopened = await shop.put("/v2/customer_sessions/one/reopen")

    assert of_type(reopened.json(), "rollbackCoupon") == [{"value": code["value"]}]
    assert not of_type(reopened.json(), "rollbackDiscount")
    assert (await coupon_now(http, code))["usageCounter"] == 0
    given = (await campaign_now(http, 18))["discountCount"]
    assert given == pytest.approx(before["discountCount"] - 24)
    assert (await shop.put("/v2/customer_sessions/one/reopen")).status_code == 400

    closed = await send(shop, "one", "closed", cartItems=[BAG, SHIRT])
    assert closed["customerProfile"]["totalSales"] == 200
    assert of_type(closed, "setDiscount")[0]["value"] == 40
    assert (await coupon_now(http, code))["usageCounter"] == 1


async def test_returned_items_take_their_discounts_and_points_with_them(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    code = await coupon(http, 19)
    before = await campaign_now(http, 19)
    await send(shop, "one", "closed", profileId="anna.schmidt", cartItems=[BAG, SHIRT],
               couponCodes=[code["value"]])  # fmt: skip

    returned = await give_back(shop, "one", {"position": 1, "quantity": 1, "sku": "SHIRT"})

    session = returned["customerSession"]
    assert (session["state"], session["total"]) == ("partially_returned", 160)
    line = session["cartItems"][1]
    assert (line["returnedQuantity"], line["remainingQuantity"]) == (1, 1)
    [discount] = of_type(returned, "rollbackDiscount")
    assert (discount["cartItemPosition"], discount["cartItemSubPosition"]) == (1, 1)
    assert (await campaign_now(http, 19))["discountCount"] == before["discountCount"] + 16
    assert (await coupon_now(http, code))["usageCounter"] == 1, "the coupon stays used"
    assert returned["return"]["returnedCartItems"] == [
        {"position": 1, "quantity": 1, "sku": "SHIRT"}
    ]

    await send(shop, "one", "cancelled")
    assert (await campaign_now(http, 19))["discountCount"] == before["discountCount"]


@pytest.mark.parametrize(
    "item",
    [
        {"position": 7, "quantity": 1},
        {"position": 0, "quantity": 1, "sku": "SHIRT"},
        {"sku": "NONE", "quantity": 1},
        {"position": 1, "quantity": 3},
        {"position": 1, "quantity": 0},
        {"quantity": 1},
    ],
)
async def test_only_what_was_bought_can_be_returned(
    shop: httpx.AsyncClient, item: dict[str, Any]
) -> None:
    await send(shop, "one", "closed", cartItems=[BAG, SHIRT])

    body = {"return": {"returnedCartItems": [item]}}
    refused = await shop.post("/v2/customer_sessions/one/returns", json=body)

    assert refused.status_code == 400
    read = (await shop.get("/v2/customer_sessions/one")).json()["customerSession"]
    assert (read["state"], read["total"]) == ("closed", 200)


async def test_a_campaign_may_be_evaluated_again_when_items_come_back(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    code = await coupon(http, 26)
    before = (await campaign_now(http, 26))["discountCount"]
    await send(shop, "one", "closed", profileId="ada", cartItems=[BAG, SHIRT | {"quantity": 1}],
               couponCodes=[code["value"]])  # fmt: skip

    kept = await give_back(shop, "one", {"sku": "SHIRT"}, runRuleEngine="true")
    assert of_type(kept, "setDiscount")[0]["value"] == 10, "120 euros are left"
    assert (await coupon_now(http, code))["usageCounter"] == 1

    lost = await give_back(shop, "one", {"sku": "BAG"}, runRuleEngine="true")
    assert of_type(lost, "rollbackDiscount")[0]["value"] == 10
    assert of_type(lost, "rollbackCoupon") == [{"value": code["value"]}]
    assert (await coupon_now(http, code))["usageCounter"] == 0
    assert (await campaign_now(http, 26))["discountCount"] == before


async def test_a_dry_return_changes_nothing(shop: httpx.AsyncClient) -> None:
    await send(shop, "one", "closed", cartItems=[BAG, SHIRT])

    dry = await give_back(shop, "one", {"position": 1, "quantity": 1}, dry="true")

    assert dry["customerSession"]["state"] == "partially_returned"
    read = (await shop.get("/v2/customer_sessions/one")).json()["customerSession"]
    assert read["state"] == "closed"


async def test_earlier_returns_are_told(shop: httpx.AsyncClient) -> None:
    await send(shop, "one", "closed", cartItems=[SHIRT])
    body = {"return": {"returnedCartItems": [{"sku": "SHIRT", "quantity": 1}]},
            "responseContent": ["previousReturns"]}  # fmt: skip

    answers = [(await shop.post("/v2/customer_sessions/one/returns", json=body)).json()
               for _ in range(2)]  # fmt: skip

    assert answers[0]["previousReturns"] == []
    assert answers[1]["previousReturns"] == [answers[0]["return"]]


@pytest.mark.parametrize(
    ("session", "pointer"),
    [
        ({"cartItems": [{"sku": "UNPRICED", "quantity": 1}]},
         "/customerSession/cartItems/0/price"),
        ({"cartItems": [BAG | {"quantity": 10_001}]}, "/customerSession/cartItems"),
        ({"cartItems": [BAG | {"attributes": {"flavour": "mint"}}]},
         "/customerSession/cartItems/0/attributes/flavour"),
        ({"attributes": {"weather": "rain"}}, "/customerSession/attributes/weather"),
        ({"additionalCosts": {"bribe": {"price": 1}}}, "/customerSession/additionalCosts/bribe"),
        ({"storeIntegrationId": "NOWHERE"}, "/storeIntegrationId"),
        ({"loyaltyCards": ["NOCARD"]}, "/loyaltyCards"),
    ],
)  # fmt: skip
async def test_a_cart_with_something_unknown_is_refused(
    shop: httpx.AsyncClient, session: dict[str, Any], pointer: str
) -> None:
    refused = await ask(shop, "one", profileId="someone.new", **session)

    assert refused.status_code == 400
    assert refused.json()["errors"][0]["source"] == {"pointer": pointer}
    assert (await shop.get("/v2/customer_sessions/one")).status_code == 404


async def test_an_item_has_the_price_of_its_catalog_unless_it_brings_one(
    shop: httpx.AsyncClient,
) -> None:
    cart = [{"sku": "SKU-008", "quantity": 1}, {"sku": "SKU-008", "quantity": 1, "price": 99}]

    answer = await send(shop, "one", cartItems=cart)

    assert [each["price"] for each in answer["customerSession"]["cartItems"]] == [119, 99]
    assert answer["customerSession"]["total"] == 218


async def test_codes_stay_until_they_are_taken_out(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    code = (await coupon(http))["value"]
    await send(shop, "one", cartItems=[BAG], couponCodes=[code])

    kept = await send(shop, "one", cartItems=[BAG, SHIRT])
    removed = await send(shop, "one", couponCodes=[])

    assert of_type(kept, "setDiscount")[0]["value"] == 40
    assert removed["customerSession"]["couponCodes"] == []
    assert not of_type(removed, "setDiscount")


async def test_the_applications_have_their_own_sessions(
    shop: httpx.AsyncClient, shop_us: httpx.AsyncClient
) -> None:
    await send(shop, "one", profileId="ada", cartItems=[BAG])

    assert (await shop_us.get("/v2/customer_sessions/one")).status_code == 404
    other = await send(shop_us, "one", profileId="ada", cartItems=[SHIRT])
    assert other["customerSession"]["applicationId"] == 43


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_happens_the_counters_agree_with_the_sessions(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, seed: int
) -> None:
    draw = Random(seed)
    code = await coupon(http, usageLimit=2)
    before = await campaign_now(http, 18)
    for _ in range(30):
        name = draw.choice(["one", "two", "three", "four"])
        step = draw.choice(["open", "closed", "cancelled", "reopen", "return"])
        if step == "reopen":
            await shop.put(f"/v2/customer_sessions/{name}/reopen")
        elif step == "return":
            body = {"return": {"returnedCartItems": [{"sku": "SHIRT", "quantity": 1}]}}
            await shop.post(f"/v2/customer_sessions/{name}/returns", json=body)
        else:
            items = [BAG, SHIRT | {"quantity": draw.randrange(1, 4)}]
            await ask(shop, name, step, profileId="ada", cartItems=items,
                      couponCodes=[code["value"]])  # fmt: skip

    sessions = (await http.get("/v1/applications/42/sessions", params={"profile": "ada"})).json()
    paid = [s for s in sessions["data"] if s["state"] in ("closed", "partially_returned")]
    profile = (await send(shop, "last", profileId="ada"))["customerProfile"]
    used = (await coupon_now(http, code))["usageCounter"]
    after = await campaign_now(http, 18)
    assert profile["closedSessions"] == len(paid)
    assert profile["totalSales"] == pytest.approx(sum(s["total"] for s in paid))
    assert used == min(len([s for s in paid if s["totalDiscounts"]]), 2)
    assert after["couponRedemptionCount"] - before["couponRedemptionCount"] == used
    given = sum(s["totalDiscounts"] for s in paid)
    assert after["discountCount"] - before["discountCount"] == pytest.approx(given)
