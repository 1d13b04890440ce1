"""What sessions give besides discounts, and where they are not the same for everybody."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.sandbox.carts import BAG, coupon, coupon_now, limit, of_type, reason, send

pytestmark = pytest.mark.anyio
STORES = "/v1/applications/42/stores"


async def referral(shop: httpx.AsyncClient, advocate: str = "anna.schmidt") -> str:
    body = {"campaignId": 19, "advocateProfileIntegrationId": advocate}
    created = await shop.post("/v1/referrals", json=body)
    assert created.status_code == 201, created.text
    code: str = created.json()["code"]
    return code


async def test_a_friends_referral_is_redeemed_once_and_given_back(
    shop: httpx.AsyncClient,
) -> None:
    code = await referral(shop)
    cart: dict[str, Any] = {"profileId": "friend", "cartItems": [BAG], "referralCode": code}

    accepted = await send(shop, "one", "closed", **cart)
    second = await send(shop, "two", **cart | {"profileId": "another"})
    cancelled = await send(shop, "one", "cancelled")
    third = await send(shop, "three", **cart)

    assert of_type(accepted, "acceptReferral") == [{"value": code}]
    assert "POSTCARD" in [each["sku"] for each in of_type(accepted, "addFreeItem")]
    assert of_type(second, "rejectReferral")[0]["rejectionReason"] == "ReferralLimitReached"
    assert of_type(cancelled, "rollbackReferral") == [{"value": code}]
    assert of_type(third, "acceptReferral") == [{"value": code}]


@pytest.mark.parametrize(
    ("profile", "said"),
    [("anna.schmidt", "ReferralRecipientIdSameAsAdvocate"), ("friend", "ReferralNotFound")],
)
async def test_a_referral_is_refused_for_the_documented_reason(
    shop: httpx.AsyncClient, profile: str, said: str
) -> None:
    code = await referral(shop) if profile == "anna.schmidt" else "NOSUCHCODE"

    answer = await send(shop, "one", profileId=profile, cartItems=[BAG], referralCode=code)

    [rejected] = of_type(answer, "rejectReferral")
    assert rejected == {"value": code, "rejectionReason": said}


async def test_an_order_moves_an_achievement_on_and_its_cancellation_back(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    code = (await coupon(http, 19))["value"]
    cart: dict[str, Any] = {"profileId": "ada", "cartItems": [BAG], "couponCodes": [code]}

    opened = await send(shop, "one", **cart)
    closed = await send(shop, "one", "closed")
    cancelled = await send(shop, "one", "cancelled")

    assert len(of_type(opened, "increaseAchievementProgress")) == 1
    [moved] = of_type(closed, "increaseAchievementProgress")
    assert (moved["achievementId"], moved["value"], moved["target"]) == (322, 1, 10)
    [back] = of_type(cancelled, "rollbackIncreasedAchievementProgress")
    assert (back["decreaseProgressBy"], back["currentProgress"]) == (1, 0)


async def test_a_giveaway_is_promised_first_and_given_when_the_cart_is_closed(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    code = (await coupon(http, 19))["value"]
    large = BAG | {"price": 600}

    opened = await send(shop, "one", profileId="ada", cartItems=[large], couponCodes=[code])
    closed = await send(shop, "one", "closed")

    [promised] = of_type(opened, "willAwardGiveaway")
    [awarded] = of_type(closed, "awardGiveaway")
    assert "code" not in promised
    assert awarded["code"]
    assert awarded["recipientIntegrationId"] == "ada"


async def test_a_campaign_of_stores_is_for_their_sessions_alone(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    files = {"upFile": ("stores.csv", "store_integration_id\nSTORE-001\n")}
    linked = await http.post("/v1/applications/42/campaigns/18/stores/import", files=files)
    assert linked.status_code == 200, linked.text
    code = (await coupon(http))["value"]
    cart: dict[str, Any] = {"cartItems": [BAG], "couponCodes": [code]}

    here = await send(shop, "one", storeIntegrationId="STORE-001", **cart)
    elsewhere = await send(shop, "two", storeIntegrationId="STORE-101", **cart)

    assert of_type(here, "acceptCoupon")
    assert reason(elsewhere) == "CouponPartOfNotTriggeredCampaign"


@pytest.mark.parametrize("entities", [["Profile"], ["Store"], ["Session"], ["Coupon", "Profile"]])
async def test_a_budget_for_discounts_is_counted_by_what_it_names(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, entities: list[str]
) -> None:
    await limit(http, 18, {"action": "setDiscount", "limit": 30, "entities": entities})
    code = await coupon(http, usageLimit=0)
    cart: dict[str, Any] = {
        "profileId": "ada",
        "storeIntegrationId": "STORE-001",
        "cartItems": [BAG],
        "couponCodes": [code["value"]],
    }

    first = await send(shop, "one", "closed", **cart)
    second = await send(shop, "two", "closed", **cart)
    others = {"profileId": "bob", "storeIntegrationId": "STORE-101"}
    third = await send(shop, "three", "closed", **cart | others)

    assert of_type(first, "setDiscount")[0]["value"] == 24
    assert bool(of_type(second, "setDiscount")) == (entities == ["Session"])
    assert of_type(third, "setDiscount")[0]["value"] == 24
    counted = 3 if entities == ["Session"] else 2
    assert (await coupon_now(http, code))["usageCounter"] == counted


async def test_what_a_budget_counts_by_must_be_there(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    await limit(http, 18, {"action": "redeemCoupon", "limit": 5, "entities": ["Profile"]})
    code = (await coupon(http))["value"]

    nobody = await send(shop, "one", cartItems=[BAG], couponCodes=[code])

    assert reason(nobody) == "ProfileRequired"


async def test_an_events_campaigns_are_not_a_carts(shop: httpx.AsyncClient) -> None:
    body = {"profileId": "ada", "type": "pageViewed", "attributes": {}}

    answer = await shop.post("/v2/events", params={"silent": "no"}, json=body)

    assert answer.json()["effects"] == []
