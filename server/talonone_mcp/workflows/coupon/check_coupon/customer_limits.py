"""Judge what one customer may still do with a coupon: reservations, and limits per customer.

Such limits are set on the coupon or on its campaign. Of their counters, upstream shows only the
campaign's total; how often a customer redeemed a coupon is in their inventory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from talonone_mcp.workflows.answer_format import picked
from talonone_mcp.workflows.obstacles import REDEEMING, Obstacle, Sureness, counters_of
from talonone_mcp.workflows.upstream_types import BudgetLimit, Campaign, Coupon


@dataclass(frozen=True, slots=True)
class PastUse:
    """What a customer has done with a coupon; None is not known.

    `reserved` is whether they have the coupon reserved; `coupon` is how often they redeemed it, and
    `campaign` how often they redeemed any coupon of its campaign.
    """

    reserved: bool | None = None
    coupon: int | None = None
    campaign: int | None = None


def must_be_reserved(coupon: Coupon) -> bool:
    """Tell whether only customers who have a coupon reserved may use it.

    https://docs.talon.one/docs/product/campaigns/coupons/reserve-coupons
    """
    mandatory = bool(coupon.get("isReservationMandatory"))
    return mandatory and not coupon.get("implicitlyReserved")


def reservation_obstacles(
    coupon: Coupon, customer: str | None, past: PastUse
) -> Iterator[Obstacle]:
    """Yield an obstacle if a coupon is reserved, and not for this customer, or perhaps not."""
    if not must_be_reserved(coupon) or past.reserved:
        return
    counter = coupon.get("reservationCounter", 0)
    facts = {"isReservationMandatory": True, "reservationCounter": counter}
    if past.reserved is False or counter == 0:
        yield Obstacle("reserved_for_another", facts)
    else:
        yield Obstacle("reserved_for_another", facts, "unknown" if customer else _DEPENDS)


_DEPENDS: Sureness = "depends_on_customer"


def counts_uses(coupon: Coupon, campaign: Campaign) -> bool:
    """Tell whether it matters how often the customer redeemed a coupon, or others like it."""
    return any(not _leaves_room(coupon, each) for each in _per_customer(coupon, campaign))


def limit_obstacles(
    coupon: Coupon, campaign: Campaign, customer: str | None, past: PastUse
) -> Iterator[Obstacle]:
    """Yield an obstacle for each limit on redeeming that this customer has used up, or may have."""
    for limit in _per_customer(coupon, campaign):
        if _leaves_room(coupon, limit):
            continue
        used = past.coupon if "Coupon" in _entities(limit) else past.campaign
        if used is not None and used < limit["limit"]:
            continue
        alone = _entities(limit) <= {"Coupon", "Profile"} and "period" not in limit
        if limit in coupon.get("limits", ()) and past.coupon is not None:
            # Nowhere is it documented whether a coupon's own limit counts other coupons too.
            alone = alone and past.coupon >= limit["limit"]
        sure: Sureness = "unknown"
        if customer is None:
            sure = _DEPENDS
        elif used is not None and alone:
            sure = "certain"
        yield Obstacle("used_up_by_this_customer", _facts(limit, used), sure)
    for limit in _limits(coupon, campaign, "redeemCoupon"):
        used = coupon.get("usageCounter", 0)
        if _entities(limit) == {"Coupon"} and used >= limit["limit"]:
            sure = "unknown" if "period" in limit else "certain"
            yield Obstacle("used_up", _facts(limit, used), sure)


def unjudged(coupon: Coupon, campaign: Campaign) -> Iterator[BudgetLimit]:
    """Yield the limits that may be used up, but of which upstream shows too little to tell."""
    for action in REDEEMING:
        for limit in _limits(coupon, campaign, action):
            counted_for = _entities(limit) - {"Session"}
            judged = action == "redeemCoupon" and counted_for & {"Coupon", "Profile"}
            if counted_for and not judged and not _leaves_room_for_all(coupon, campaign, limit):
                yield limit


def _per_customer(coupon: Coupon, campaign: Campaign) -> list[BudgetLimit]:
    limits = _limits(coupon, campaign, "redeemCoupon")
    return [each for each in limits if "Profile" in _entities(each)]


def _limits(coupon: Coupon, campaign: Campaign, action: str) -> list[BudgetLimit]:
    """Return the limits on an action; the coupon's own replace the campaign's of the same kind."""
    own = [each for each in coupon.get("limits", ()) if each["action"] == action]
    kinds = [_entities(each) for each in own]
    others = [each for each in campaign.get("limits", ()) if each["action"] == action]
    return [*own, *(each for each in others if _entities(each) not in kinds)]


def _entities(limit: BudgetLimit) -> set[str]:
    """Return what a limit counts by; upstream's empty lists are left out of answers."""
    return set(limit.get("entities", ()))


def _leaves_room(coupon: Coupon, limit: BudgetLimit) -> bool:
    """Tell whether nobody can have used up a limit that counts redemptions of this coupon."""
    counted = coupon.get("usageCounter", 0) < limit["limit"]
    return counted and "Coupon" in _entities(limit)


def _leaves_room_for_all(coupon: Coupon, campaign: Campaign, limit: BudgetLimit) -> bool:
    """Tell whether all customers, coupons and stores together have used less than a limit."""
    unused = "Coupon" in _entities(limit) and coupon.get("usageCounter", 0) == 0
    all_used = max(counters_of(campaign, limit), default=limit["limit"])
    return limit["limit"] > 0 and (unused or all_used < limit["limit"])


def _facts(limit: BudgetLimit, used: int | None) -> dict[str, Any]:
    facts = picked(limit, ("action", "limit", "period")) | {"per": sorted(_entities(limit))}
    return facts if used is None else facts | {"used": used}
