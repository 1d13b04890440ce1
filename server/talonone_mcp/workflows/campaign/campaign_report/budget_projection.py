"""How far a campaign's budgets are used, and when they will be used up if it goes on like this."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from talonone_mcp.workflows.customer.investigate_customer.customer_sections import filled
from talonone_mcp.workflows.obstacles import moment

Figures = Mapping[str, float]

# The figures of campaign analytics that what a budget limits is counted in; those with a minus
# give it back. https://docs.talon.one/management-api: getCampaignAnalytics
_COUNTED_IN: Mapping[str, tuple[str, ...]] = {
    "redeemCoupon": ("couponRedemptions", "-couponRolledbackRedemptions"),
    "createCoupon": ("couponsCreated",),
    "redeemReferral": ("referralRedemptions",),
    "createReferral": ("referralsCreated",),
    "setDiscount": ("campaignDiscountCosts", "-campaignRefundedDiscounts"),
    "addFreeItem": ("campaignFreeItems",),
    "createLoyaltyPoints": ("addedLoyaltyPoints",),
    "redeemLoyaltyPoints": ("deductedLoyaltyPoints",),
}
_FOREVER = 3650  # days beyond which a projection says nothing


def budgets(
    campaign: Mapping[str, Any], figures: Figures | None, days: float, now: datetime
) -> Iterator[dict[str, Any]]:
    """Yield each budget with its limit, what is used, and when it will be used up.

    What is used is what upstream counts for the whole campaign. A budget that counts by customer,
    coupon or the like, or anew each day or month, is not measured by that, so that it has neither
    a percentage nor a projection.

    Args:
        campaign: as get_campaign shows it.
        figures: of its analytics, summed up over a period; None when they are not known, or the
            campaign does not run.
        days: how long it ran in that period.
        now: the time it is, in the time zone in which days are counted.
    """
    counters = {
        (each["action"], each["limit"]): each.get("counter", 0)
        for each in campaign.get("budgets", ())
    }
    end = moment(campaign.get("endTime"))
    for limit in campaign.get("limits", ()):
        action, most = limit["action"], limit["limit"]
        used = counters.get((action, most))
        row: dict[str, Any] = {"action": action, "limit": most}
        scope = filled({"per": limit.get("entities"), "period": limit.get("period")})
        if scope:
            yield filled(row | scope | {"usedInAll": used})
        elif used is None:
            yield row
        else:
            row |= {"used": used, "percent": round(100 * used / most, 1) if most else 100}
            yield row | _projected(most - used, _pace(action, figures, days), now, end)


def _pace(action: str, figures: Figures | None, days: float) -> float | None:
    """Return how much of what a budget limits was used a day; None when that is not known."""
    names = _COUNTED_IN.get(action)
    if names is None or figures is None or days <= 0:
        return None
    signed = ((name.lstrip("-"), -1 if name.startswith("-") else 1) for name in names)
    return sum(sign * figures.get(name, 0) for name, sign in signed) / days


def _projected(
    left: float, pace: float | None, now: datetime, end: datetime | None
) -> dict[str, Any]:
    """Return the day on which a budget will be used up at the pace of the period."""
    if left <= 0:
        return {"usedUp": True}
    if pace is None:
        return {}
    if pace <= 0:
        return {"projection": "not used in this period"}
    days = left / pace
    if end and days > (end - now) / timedelta(days=1):
        return {"projection": "lasts until the campaign ends, at the pace of this period"}
    if days > _FOREVER:
        return {"projection": "not within sight at the pace of this period"}
    on = (now + timedelta(days=days)).date()
    return {"projection": f"used up on {on}, at the pace of this period"}
