"""Read what a customer has done with a coupon, where it matters: at most one request.

Both reads use the Integration API, whose key belongs to an Application. If it is not configured
which one, what a read does not show may be in another Application.
"""

from __future__ import annotations

from typing import cast

from talonone_mcp.core.errors import CallError
from talonone_mcp.workflows.code_search import Hit
from talonone_mcp.workflows.coupon.check_coupon.customer_limits import (
    PastUse,
    counts_uses,
    must_be_reserved,
)
from talonone_mcp.workflows.steps import Steps
from talonone_mcp.workflows.upstream_types import Campaign, Coupon, Inventory

_RESERVED = "who has the coupon reserved"
_REDEEMED = "how often the customer has redeemed it"


def depends_on_past_use(coupon: Coupon, campaign: Campaign) -> bool:
    """Tell whether it matters what a customer has done with a coupon."""
    return _is_held(coupon) or counts_uses(coupon, campaign)


def _is_held(coupon: Coupon) -> bool:
    return must_be_reserved(coupon) and bool(coupon.get("reservationCounter"))


async def past_use_of(
    steps: Steps, hit: Hit, campaign: Campaign, customer: str, *, is_own_key: bool
) -> PastUse:
    """Return what a customer has done with a coupon, if it matters and can be read.

    Args:
        steps: makes the call; the answer says what could not be read.
        hit: the coupon.
        campaign: its campaign.
        customer: an integration id.
        is_own_key: whether the key that is used is that of the coupon's Application.
    """
    if counts_uses(hit.coupon, campaign):
        return await _redeemed(steps, hit, customer, is_own_key=is_own_key)
    if _is_held(hit.coupon):
        return await _reserved(steps, hit, customer, is_own_key=is_own_key)
    return PastUse()


async def _reserved(steps: Steps, hit: Hit, customer: str, *, is_own_key: bool) -> PastUse:
    answer = await steps.attempt(
        _RESERVED,
        "list_coupon_reservations",
        applicationId=_key_of(steps, hit),
        couponValue=hit.coupon["value"],
    )
    if answer is None:
        return PastUse()
    holders = {each.get("integrationId") for each in answer.get("data", ())}
    if is_own_key or len(holders) == hit.coupon["reservationCounter"]:
        return PastUse(reserved=customer in holders)
    return _of_an_unknown_key(steps, _RESERVED)


async def _redeemed(steps: Steps, hit: Hit, customer: str, *, is_own_key: bool) -> PastUse:
    try:
        answer = await steps.attempt(
            _REDEEMED,
            "get_customer_inventory",
            unless=["not_found"],
            applicationId=_key_of(steps, hit),
            integrationId=customer,
            coupons=True,
        )
    except CallError:
        return PastUse(False, 0, 0)  # a customer who does not exist has done nothing
    if answer is None:
        return PastUse()
    counts = {
        each["id"]: each.get("profileRedemptionCount", 0)
        for each in cast("Inventory", answer).get("coupons", ())
        if each["campaignId"] == hit.coupon["campaignId"]
    }
    if not counts and not is_own_key:
        return _of_an_unknown_key(steps, _REDEEMED)
    redeemed = counts.get(hit.coupon["id"])
    is_shown = is_own_key or redeemed is not None
    reserved = _has_reserved(hit.coupon, customer, redeemed) if is_shown else None
    return PastUse(reserved, redeemed or 0, sum(counts.values()))


def _has_reserved(coupon: Coupon, customer: str, redeemed: int | None) -> bool | None:
    """Tell whether a customer has a coupon reserved, by whether their inventory shows it.

    It also shows coupons that they redeemed or received; whether they have those reserved is not
    known.
    """
    if redeemed is None:
        return False
    others = redeemed or coupon.get("recipientIntegrationId") == customer
    return None if others else True


def _of_an_unknown_key(steps: Steps, what: str) -> PastUse:
    problem = "It is not known which Application the key of the Integration API belongs to."
    hint = "Use TALONONE_INTEGRATION_KEYS, which says so, in place of TALONONE_INTEGRATION_KEY."
    steps.lacks(what, CallError("not_configured", f"{problem} {hint}"))
    return PastUse()


def _key_of(steps: Steps, hit: Hit) -> int | None:
    """Return the Application whose key is used; None if the only key's is not known."""
    return hit.application.id if steps.applications else None
