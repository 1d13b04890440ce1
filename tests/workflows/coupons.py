"""Coupons and campaigns in any state, made through the ordinary tools; and what a cart says."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.settings import SANDBOX_KEY
from tests.desk import Desk, open_desk
from tests.sandbox import door

DE, US = 42, 43
_KEYS = {DE: door.SHOP, US: door.SHOP_US}
_LIKE = 18  # a campaign whose only rule is that the coupon is valid
_KEY_OF_EACH = json.dumps({DE: SANDBOX_KEY, US: f"{SANDBOX_KEY}-{US}"})
PRICE = 60.0
"""Of the cart: enough for every rule that asks for an amount, and little for every limit."""


@asynccontextmanager
async def open_office(
    catalog: Catalog, environment: Mapping[str, str] | None = None, **flags: Any
) -> AsyncIterator[Desk]:
    """Open a desk that has the key of each Application.

    `environment` has what is set otherwise; a key that is "" is not there.
    """
    settings = {
        "TALONONE_BASE_URL": door.URL,
        "TALONONE_MANAGEMENT_KEY": SANDBOX_KEY,
        "TALONONE_INTEGRATION_KEYS": _KEY_OF_EACH,
    } | dict(environment or {})
    given = {key: value for key, value in settings.items() if value}
    async with open_desk(catalog, environment=given, **flags) as desk:
        yield desk


async def new_campaign(desk: Desk, *, application: int = DE, **changes: Any) -> int:
    """Make a campaign that runs without limits, but for the changes, and return its id."""
    given = {"applicationId": DE, "campaignId": _LIKE, "applicationIds": [application]}
    [copy] = (await desk.call("copy_campaign", **given, name="A copy"))["data"]
    settings: dict[str, Any] = {"name": "A copy", "tags": [], "limits": [], "features": ["coupons"]}
    settings |= {"state": "enabled", "activeRulesetId": copy["activeRulesetId"]}
    place = {"applicationId": application, "campaignId": copy["id"]}
    await desk.call("update_campaign", **place, **(settings | changes))
    return int(copy["id"])


async def new_code(
    desk: Desk, campaign: int | None = None, *, application: int = DE, **settings: Any
) -> str:
    """Make a coupon, in a campaign of its own unless one is given, and return its code."""
    campaign = campaign or await new_campaign(desk, application=application)
    given = {"usageLimit": 1, "numberOfCoupons": 1, "silent": "no"} | settings
    place = {"applicationId": application, "campaignId": campaign}
    made = await desk.call("create_coupons", **place, **given)
    return str(made["data"][0]["value"])


def stored_coupon(desk: Desk, code: str, application: int = DE) -> dict[str, Any]:
    """Return a coupon as the account stores it."""
    coupon = desk.sandbox.store.find("coupons", f"{application}/{code}")
    assert coupon
    return coupon


async def in_cart(  # noqa: PLR0913 - what is in it, and whose it is
    desk: Desk,
    code: str,
    customer: str | None,
    *,
    application: int = DE,
    order: str = "",
    price: float = PRICE,
) -> str | None:
    """Put a code into a cart that satisfies the rules; return why it is refused, if it is.

    It is a dry run, unless an order is to be closed.
    """
    session = {
        "couponCodes": [code],
        "cartItems": [{"name": "Coat", "sku": "COAT", "quantity": 1, "price": price}],
        "profileId": customer or "",
        "state": "closed" if order else "open",
    }
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(desk.account.app),
        base_url=door.URL,
        headers=_KEYS[application],
    ) as client:
        answer = await client.put(
            f"/v2/customer_sessions/{order or 'cart'}",
            json={"customerSession": session},
            params={} if order else {"dry": "true"},
        )
    assert answer.is_success, answer.text
    for effect in answer.json()["effects"]:
        if effect["effectType"] == "rejectCoupon":
            return str(effect["props"]["rejectionReason"])
    assert "acceptCoupon" in [each["effectType"] for each in answer.json()["effects"]]
    return None


async def every_coupon(desk: Desk, application: int) -> list[dict[str, str]]:
    fields = ["value", "recipientIntegrationId"]
    asked = {"applicationId": application, "fetchAll": 1000, "fields": fields, "maxTokens": 100_000}
    return [*csv.DictReader(io.StringIO((await desk.call("search_coupons", **asked))["csv"]))]


# What check_coupon calls what a cart says. A cart has a word for the campaign's states, and one for
# everything that an effect cannot be applied for.
REASONS: dict[str, set[str]] = {
    "CouponNotFound": {"not_found", "in_another_application"},
    "CouponExpired": {"expired"},
    "CouponStartDateInFuture": {"not_started"},
    "CouponRecipientDoesNotMatch": {"reserved_for_another"},
    "CouponReservationRequired": {"reserved_for_another"},
    "ProfileRequired": {"reserved_for_another", "used_up_by_this_customer"},
    "CouponLimitReached": {"used_up"},
    "ProfileLimitReached": {"used_up_by_this_customer"},
    "CampaignLimitReached": {"campaign_out_of_budget"},
    "EffectCouldNotBeApplied": {"campaign_out_of_budget", "discount_used_up"},
    "CouponPartOfNotTriggeredCampaign": {"campaign_archived"},
    "CouponPartOfNotRunningCampaign": {
        "campaign_disabled", "campaign_scheduled", "campaign_expired"
    },
}  # fmt: skip

OF_A_LIMIT = {"ProfileLimitReached", "CampaignLimitReached", "CouponLimitReached"}
"""Which of several limits that are used up is looked at first is nowhere said."""


def agree(answer: dict[str, Any], refusal: str | None) -> bool:
    """Tell whether a verdict is what a cart comes to: also in what decides it."""
    if refusal is None:
        return bool(answer["verdict"] == "valid")
    if answer["verdict"] == "depends_on_customer":
        return bool(REASONS[refusal] & {*answer["possibly"]})
    reasons = answer["reasons"] if refusal in OF_A_LIMIT else answer["reasons"][:1]
    return answer["verdict"] == "invalid" and bool(REASONS[refusal] & {*reasons})
