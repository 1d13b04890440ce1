"""Show how much of a campaign's budgets is used, and project when they will be used up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from talonone_mcp.workflows.answer_format import filled
from talonone_mcp.workflows.upstream_times import moment
from talonone_mcp.workflows.upstream_types import Campaign

Figures = Mapping[str, float]

# By the action that a budget limits, the figures of campaign analytics that count it; those with a
# minus give some back. https://docs.talon.one/management-api: getCampaignAnalytics
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
_MAX_PROJECTED_DAYS = 3650  # beyond that, a projection says nothing


def projected_budgets(
    campaign: Campaign, figures: Figures | None, days: float, now: datetime
) -> Iterator[dict[str, Any]]:
    """Yield each budget with its limit, how much is used, and when it will be used up.

    Upstream counts use for the whole campaign. That does not measure budgets that count each
    customer or coupon by itself, or start over each day or month, so those have neither a
    percentage nor a projection.

    Args:
        campaign: as get_campaign shows it.
        figures: its analytics, totalled over a period; None if they are not known, or the campaign
            is not running.
        days: how many days it ran in that period.
        now: the current time, in the time zone in which days are counted.
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
    """Return how much of a budget was used per day; None if that is not known."""
    names = _COUNTED_IN.get(action)
    if names is None or figures is None or days <= 0:
        return None
    signed = ((name.lstrip("-"), -1 if name.startswith("-") else 1) for name in names)
    return sum(sign * figures.get(name, 0) for name, sign in signed) / days


def _projected(
    left: float, pace: float | None, now: datetime, end: datetime | None
) -> dict[str, Any]:
    """Return when a budget will be used up, if it goes on at the pace of the period."""
    if left <= 0:
        return {"usedUp": True}
    if pace is None:
        return {}
    if pace <= 0:
        return {"projection": "not used in this period"}
    days = left / pace
    if end and days > (end - now) / timedelta(days=1):
        return {"projection": "lasts until the campaign ends, at the pace of this period"}
    if days > _MAX_PROJECTED_DAYS:
        return {"projection": "not in sight, at the pace of this period"}
    on = (now + timedelta(days=days)).date()
    return {"projection": f"used up on {on}, at the pace of this period"}
