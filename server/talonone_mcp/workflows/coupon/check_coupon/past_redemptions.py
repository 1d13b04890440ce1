"""What a customer has done with a coupon, read where it matters, with one request.

Both reads are of the Integration API, whose key belongs to an Application: where nobody has said
to which, what they do not show may be in another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from talonone_mcp.core.errors import CallError
from talonone_mcp.workflows.code_search import Hit
from talonone_mcp.workflows.coupon.check_coupon.customer_limits import (
    Uses,
    counts_uses,
    must_be_reserved,
)
from talonone_mcp.workflows.steps import Steps

_RESERVED = "who has the coupon reserved"
_REDEEMED = "how often the customer has redeemed it"


def depends_on_uses(coupon: Mapping[str, Any], campaign: Mapping[str, Any]) -> bool:
    """Tell whether it matters what a customer has done with a coupon."""
    return _is_held(coupon) or counts_uses(coupon, campaign)


def _is_held(coupon: Mapping[str, Any]) -> bool:
    return must_be_reserved(coupon) and bool(coupon.get("reservationCounter"))


async def uses_of(
    steps: Steps, hit: Hit, campaign: Mapping[str, Any], customer: str, *, own: bool
) -> Uses:
    """Return what a customer has done with a coupon, as far as it matters and is known.

    Args:
        steps: makes the call; what could not be had is said in the answer.
        hit: the coupon.
        campaign: its campaign.
        customer: an integration id.
        own: whether the key that is used is that of the coupon's Application.
    """
    if counts_uses(hit.coupon, campaign):
        return await _redeemed(steps, hit, customer, own=own)
    if _is_held(hit.coupon):
        return await _reserved(steps, hit, customer, own=own)
    return Uses()


async def _reserved(steps: Steps, hit: Hit, customer: str, *, own: bool) -> Uses:
    answer = await steps.attempt(
        _RESERVED,
        "list_coupon_reservations",
        applicationId=_chosen(steps, hit),
        couponValue=hit.coupon["value"],
    )
    if answer is None:
        return Uses()
    holders = {each.get("integrationId") for each in answer.get("data", ())}
    if own or len(holders) == hit.coupon["reservationCounter"]:
        return Uses(reserved=customer in holders)
    return _of_an_unknown_key(steps, _RESERVED)


async def _redeemed(steps: Steps, hit: Hit, customer: str, *, own: bool) -> Uses:
    try:
        answer = await steps.attempt(
            _REDEEMED,
            "get_customer_inventory",
            unless=["not_found"],
            applicationId=_chosen(steps, hit),
            integrationId=customer,
            coupons=True,
        )
    except CallError:
        return Uses(False, 0, 0)  # a customer who is not there has nothing
    if answer is None:
        return Uses()
    counts = {
        each["id"]: each.get("profileRedemptionCount", 0)
        for each in answer.get("coupons", ())
        if each["campaignId"] == hit.coupon["campaignId"]
    }
    if not counts and not own:
        return _of_an_unknown_key(steps, _REDEEMED)
    redeemed = counts.get(hit.coupon["id"])
    reserved = _held(hit.coupon, customer, redeemed) if own or redeemed is not None else None
    return Uses(reserved, redeemed or 0, sum(counts.values()))


def _held(coupon: Mapping[str, Any], customer: str, redeemed: int | None) -> bool | None:
    """Tell whether a customer has a coupon reserved, by the inventory that shows it, or does not.

    It shows what they redeemed and what is for them too; whether that is reserved is then not said.
    """
    if redeemed is None:
        return False
    others = redeemed or coupon.get("recipientIntegrationId") == customer
    return None if others else True


def _of_an_unknown_key(steps: Steps, what: str) -> Uses:
    problem = "It is not known to which Application the key of the Integration API belongs."
    hint = "TALONONE_INTEGRATION_KEYS says so, in place of TALONONE_INTEGRATION_KEY."
    steps.lacks(what, CallError("not_configured", f"{problem} {hint}"))
    return Uses()


def _chosen(steps: Steps, hit: Hit) -> int | None:
    """Return the Application whose key is asked for; None where the only key's is not known."""
    return hit.place.id if steps.applications else None
