"""What one customer may still do with a coupon: reservations, and limits that count for each.

Such limits are the coupon's own or its campaign's. Upstream shows what they are, and of their
counters the campaign's sum alone; how often a customer redeemed a coupon is in their inventory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from talonone_mcp.workflows.obstacles import REDEEMING, Problem, Sureness

_Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Uses:
    """What a customer has done: None is not known.

    `reserved` is whether they have the coupon reserved; `coupon` is how often they redeemed it,
    `campaign` how often any coupon of its campaign.
    """

    reserved: bool | None = None
    coupon: int | None = None
    campaign: int | None = None


def must_be_reserved(coupon: _Document) -> bool:
    """Tell whether a coupon is only for those who have it reserved.

    https://docs.talon.one/docs/product/campaigns/coupons/reserve-coupons
    """
    mandatory = bool(coupon.get("isReservationMandatory"))
    return mandatory and not coupon.get("implicitlyReserved")


def reservation_problems(coupon: _Document, customer: str | None, uses: Uses) -> Iterator[Problem]:
    """Yield a problem where a coupon is reserved, and not for this customer, or perhaps not."""
    if not must_be_reserved(coupon) or uses.reserved:
        return
    counter = coupon.get("reservationCounter", 0)
    facts = {"isReservationMandatory": True, "reservationCounter": counter}
    if uses.reserved is False or counter == 0:
        yield Problem("reserved_for_another", facts)
    else:
        yield Problem("reserved_for_another", facts, "unknown" if customer else _DEPENDS)


_DEPENDS: Sureness = "depends_on_customer"


def counts_uses(coupon: _Document, campaign: _Document) -> bool:
    """Tell whether it matters how often the customer redeemed a coupon, or others like it."""
    return any(not _leaves_room(coupon, each) for each in _per_customer(coupon, campaign))


def limit_problems(
    coupon: _Document, campaign: _Document, customer: str | None, uses: Uses
) -> Iterator[Problem]:
    """Yield a problem for each limit on redeeming that is used up by this customer, or may be."""
    for limit in _per_customer(coupon, campaign):
        if _leaves_room(coupon, limit):
            continue
        used = uses.coupon if "Coupon" in _entities(limit) else uses.campaign
        if used is not None and used < limit["limit"]:
            continue
        alone = _entities(limit) <= {"Coupon", "Profile"} and "period" not in limit
        if limit in coupon.get("limits", ()) and uses.coupon is not None:
            # Whether its own limit counts what they redeemed of other codes, is written nowhere.
            alone = alone and uses.coupon >= limit["limit"]
        sure: Sureness = "unknown"
        if customer is None:
            sure = _DEPENDS
        elif used is not None and alone:
            sure = "certain"
        yield Problem("used_up_by_this_customer", _facts(limit, used), sure)
    for limit in _limits(coupon, campaign, "redeemCoupon"):
        used = coupon.get("usageCounter", 0)
        if _entities(limit) == {"Coupon"} and used >= limit["limit"]:
            sure = "unknown" if "period" in limit else "certain"
            yield Problem("used_up", _facts(limit, used), sure)


def unjudged(coupon: _Document, campaign: _Document) -> Iterator[_Document]:
    """Yield the limits that may be used up and of which upstream shows too little to tell."""
    for action in REDEEMING:
        for limit in _limits(coupon, campaign, action):
            counted_for = _entities(limit) - {"Session"}
            judged = action == "redeemCoupon" and counted_for & {"Coupon", "Profile"}
            if counted_for and not judged and not _leaves_room_for_all(coupon, campaign, limit):
                yield limit


def _per_customer(coupon: _Document, campaign: _Document) -> list[_Document]:
    limits = _limits(coupon, campaign, "redeemCoupon")
    return [each for each in limits if "Profile" in _entities(each)]


def _limits(coupon: _Document, campaign: _Document, action: str) -> list[_Document]:
    """Return the limits on an action; the coupon's own go before the campaign's like it."""
    own: Sequence[_Document] = [each for each in coupon.get("limits", ()) if _is_on(each, action)]
    kinds = [_entities(each) for each in own]
    others = [each for each in campaign.get("limits", ()) if _is_on(each, action)]
    return [*own, *(each for each in others if _entities(each) not in kinds)]


def _entities(limit: _Document) -> set[str]:
    """Return what a limit counts by; an empty list has not come through."""
    return set(limit.get("entities", ()))


def _is_on(limit: _Document, action: str) -> bool:
    return bool(limit["action"] == action)


def _leaves_room(coupon: _Document, limit: _Document) -> bool:
    """Tell whether nobody can have used up what counts the redemptions of this coupon."""
    counted = coupon.get("usageCounter", 0) < limit["limit"]
    return counted and "Coupon" in _entities(limit)


def _leaves_room_for_all(coupon: _Document, campaign: _Document, limit: _Document) -> bool:
    """Tell whether all customers, coupons and stores together have used less than a limit."""
    of_coupon = "Coupon" in _entities(limit) and coupon.get("usageCounter", 0) == 0
    sums = [
        budget["counter"]
        for budget in campaign.get("budgets", ())
        if (budget["action"], budget["limit"]) == (limit["action"], limit["limit"])
    ]
    all_used = max(sums, default=limit["limit"])
    return bool(limit["limit"] > 0 and (of_coupon or all_used < limit["limit"]))


def _facts(limit: _Document, used: int | None) -> dict[str, Any]:
    facts = {key: limit[key] for key in ("action", "limit", "period") if key in limit}
    return facts | {"per": sorted(_entities(limit))} | ({"used": used} if used is not None else {})
