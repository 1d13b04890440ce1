"""The table of a coupon's states: how each comes to be, and what check_coupon says of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from tests.desk import Desk
from tests.workflows.coupons import DE, in_cart, new_campaign, new_code

ANNA, BEN, EMMA = "anna.schmidt", "ben.weber", "emma.dubois"
MOST = 4  # requests of upstream
Make = Callable[[Desk], Awaitable[str]]


def coupon(**properties: Any) -> Make:
    """Make a coupon; a number of days stands for a time so far from now."""

    async def make(desk: Desk) -> str:
        return await new_code(desk, **dated(desk, properties))

    return make


def in_campaign(coupon: dict[str, Any] | None = None, **properties: Any) -> Make:
    """Make a coupon in a campaign of its own with these properties."""

    async def make(desk: Desk) -> str:
        campaign = await new_campaign(desk, **dated(desk, properties))
        return await new_code(desk, campaign, **dated(desk, coupon or {}))

    return make


def dated(desk: Desk, properties: dict[str, Any]) -> dict[str, Any]:
    times = ("startDate", "expiryDate", "startTime", "endTime")
    return {
        key: desk.time.at(days=value) if key in times else value
        for key, value in properties.items()
    }


def used(make: Make, *customers: str, price: float = 100) -> Make:
    """Make a coupon that these customers redeem."""

    async def make_used(desk: Desk) -> str:
        code = await make(desk)
        for number, customer in enumerate(customers):
            assert await in_cart(desk, code, customer, order=f"o{number}", price=price) is None
        return code

    return make_used


def reserved(make: Make, *customers: str) -> Make:
    async def make_reserved(desk: Desk) -> str:
        code = await make(desk)
        await desk.call(
            "reserve_coupon", applicationId=DE, couponValue=code, integrationIDs=list(customers)
        )
        return code

    return make_reserved


async def nothing(_: Desk) -> str:
    return "NO-SUCH-CODE"


def limit(action: str, number: float, *entities: str, **period: str) -> dict[str, Any]:
    return {"action": action, "limit": number, "entities": list(entities), **period}


BOUND = coupon(recipientIntegrationId=ANNA)
MANDATORY = coupon(isReservationMandatory=True)
ONCE_EACH = {"limits": [limit("redeemCoupon", 1, "Profile")]}
ONCE_EACH_OF_IT = {"limits": [limit("redeemCoupon", 1, "Coupon", "Profile")]}
MANY = {"usageLimit": 0}

# How a coupon comes to be, for whom, the verdict, and the reasons in order
STATES: dict[str, tuple[Make, str | None, str, list[str]]] = {
    "free": (coupon(), None, "valid", []),
    "free, for a customer": (coupon(), ANNA, "valid", []),
    "without limit": (used(coupon(usageLimit=0), ANNA, ANNA), ANNA, "valid", []),
    "partly used": (used(coupon(usageLimit=2), ANNA), ANNA, "valid", []),
    "used up": (used(coupon(), ANNA), BEN, "invalid", ["used_up"]),
    "not there": (nothing, None, "invalid", ["not_found"]),
    "not started": (coupon(startDate=1), None, "invalid", ["not_started"]),
    "starts now": (coupon(startDate=0), None, "valid", []),
    "expires now": (coupon(startDate=-1, expiryDate=0), None, "invalid", ["expired"]),
    "expired": (coupon(expiryDate=-1), None, "invalid", ["expired"]),
    "for her": (BOUND, ANNA, "valid", []),
    "for somebody": (BOUND, None, "depends_on_customer", ["reserved_for_another"]),
    "for another": (BOUND, BEN, "invalid", ["reserved_for_another"]),
    "reserved for her": (reserved(MANDATORY, ANNA), ANNA, "valid", []),
    "reserved for another": (
        reserved(MANDATORY, ANNA), BEN, "invalid", ["reserved_for_another"]
    ),
    "reserved for somebody": (
        reserved(MANDATORY, ANNA), None, "depends_on_customer", ["reserved_for_another"]
    ),
    "reserved for nobody": (MANDATORY, ANNA, "invalid", ["reserved_for_another"]),
    "reserved for everybody": (
        coupon(isReservationMandatory=True, implicitlyReserved=True), ANNA, "valid", []
    ),
    "reserved for her, and her first": (
        reserved(coupon(isReservationMandatory=True, **ONCE_EACH), ANNA), ANNA, "valid", []
    ),
    "reserved for another, and his first": (
        reserved(coupon(isReservationMandatory=True, **ONCE_EACH), ANNA),
        BEN,
        "invalid",
        ["reserved_for_another"],
    ),
    "reserved softly": (reserved(coupon(), ANNA), BEN, "valid", []),
    "campaign disabled": (in_campaign(state="disabled"), None, "invalid", ["campaign_disabled"]),
    "campaign archived": (in_campaign(state="archived"), None, "invalid", ["campaign_archived"]),
    "campaign scheduled": (in_campaign(startTime=1), None, "invalid", ["campaign_scheduled"]),
    "campaign expired": (in_campaign(endTime=-1), None, "invalid", ["campaign_expired"]),
    "campaign ends later": (in_campaign(startTime=-1, endTime=1), None, "valid", []),
    "everything at once": (
        in_campaign({"expiryDate": -2, "recipientIntegrationId": ANNA}, endTime=-1),
        BEN,
        "invalid",
        ["campaign_expired", "expired", "reserved_for_another"],
    ),
    "redemptions used up": (
        used(in_campaign(MANY, limits=[limit("redeemCoupon", 1)]), ANNA),
        BEN,
        "invalid",
        ["campaign_out_of_budget"],
    ),
    "redemptions left": (
        used(in_campaign(MANY, limits=[limit("redeemCoupon", 2)]), ANNA), BEN, "valid", []
    ),
    "discounts used up": (
        used(in_campaign(MANY, limits=[limit("setDiscount", 20)]), ANNA),
        BEN,
        "invalid",
        ["campaign_out_of_budget"],
    ),
    "codes used up, not redemptions": (
        in_campaign(limits=[limit("createCoupon", 1)]), None, "valid", []
    ),
    "a budget that begins anew": (
        used(in_campaign(MANY, limits=[limit("redeemCoupon", 1, period="daily")]), ANNA),
        BEN,
        "unknown",
        ["campaign_out_of_budget"],
    ),
    "gift card": (coupon(discountLimit=50), None, "valid", []),
    "gift card used up": (
        used(coupon(discountLimit=20, usageLimit=0), ANNA), ANNA, "invalid", ["discount_used_up"]
    ),
    "her first": (in_campaign(MANY, **ONCE_EACH), ANNA, "valid", []),
    "her second": (
        used(in_campaign(MANY, **ONCE_EACH), ANNA), ANNA, "invalid", ["used_up_by_this_customer"]
    ),
    "his first after hers": (used(in_campaign(MANY, **ONCE_EACH), ANNA), BEN, "valid", []),
    "once each, whoever it is": (
        used(in_campaign(MANY, **ONCE_EACH), ANNA),
        None,
        "depends_on_customer",
        ["used_up_by_this_customer"],
    ),
    "her second of it": (
        used(in_campaign(MANY, **ONCE_EACH_OF_IT), ANNA),
        ANNA,
        "invalid",
        ["used_up_by_this_customer"],
    ),
    "the coupon's own limit": (
        used(coupon(usageLimit=0, **ONCE_EACH_OF_IT), ANNA),
        ANNA,
        "invalid",
        ["used_up_by_this_customer"],
    ),
    "her second of a gift card that is used up": (
        used(coupon(usageLimit=0, discountLimit=20, **ONCE_EACH), ANNA),
        ANNA,
        "invalid",
        ["used_up_by_this_customer", "discount_used_up"],
    ),
    "the coupon's own limit, above the campaign's": (
        used(
            in_campaign({"usageLimit": 0, "limits": [limit("redeemCoupon", 2, "Profile")]},
                        **ONCE_EACH),
            ANNA,
        ),
        ANNA,
        "valid",
        [],
    ),
    "her second in a day": (
        used(in_campaign(MANY, limits=[limit("redeemCoupon", 1, "Profile", period="daily")]), ANNA),
        ANNA,
        "unknown",
        ["used_up_by_this_customer"],
    ),
    "a limit of each code": (
        used(in_campaign(MANY, limits=[limit("redeemCoupon", 1, "Coupon")]), ANNA),
        BEN,
        "invalid",
        ["used_up"],
    ),
}  # fmt: skip
