"""How a campaign does: state, schedule, budgets, codes, and a period against the one before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Any

from talonone_mcp.workflows.campaign.campaign_report.budget_projection import budgets
from talonone_mcp.workflows.campaign.campaign_report.report_period import (
    Period,
    days_asked,
    period_of,
    zone_of,
)
from talonone_mcp.workflows.campaign_lookup import find_campaign
from talonone_mcp.workflows.customer.investigate_customer.customer_sections import (
    filled,
    minute,
    text,
)
from talonone_mcp.workflows.obstacles import campaign_state, moment
from talonone_mcp.workflows.steps import Steps, together

Row = Mapping[str, Any]
Figures = dict[str, float]

# By what a reader calls it, the figures of https://docs.talon.one/management-api:
# getCampaignAnalytics
_FIGURES: Mapping[str, str] = {
    "revenue": "campaignRevenue",
    "refunds": "campaignRefund",
    "discounts": "campaignDiscountCosts",
    "refundedDiscounts": "campaignRefundedDiscounts",
    "couponRedemptions": "couponRedemptions",
    "couponRedemptionsTakenBack": "couponRolledbackRedemptions",
    "couponsCreated": "couponsCreated",
    "referralRedemptions": "referralRedemptions",
    "referralsCreated": "referralsCreated",
    "freeItems": "campaignFreeItems",
    "pointsAdded": "addedLoyaltyPoints",
    "pointsDeducted": "deductedLoyaltyPoints",
}
_NAME, _TAGS = 120, 10


async def campaign_report(steps: Steps, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return how a campaign does, with its figures of some days and of as many days before.

    Days are whole days in the time zone of the Application. In a given Application it takes four
    requests, for a campaign given by a text of digits five; without one, as many more as it takes
    to find it.

    Raises:
        CallError: `not_found`; `invalid_arguments`, where several campaigns may be meant, or the
            period is none; or of the campaign's read.
    """
    days_asked(arguments)
    campaign, application = await _read(steps, arguments)
    zone = zone_of(application.get("timezone", "")) or UTC
    period = period_of(arguments, steps.now, zone)
    now, before = await together(
        partial(_figures, steps, campaign, period, "the figures of the period"),
        partial(_figures, steps, campaign, period.before, "the figures of the period before"),
    )
    pace = now if campaign_state(campaign, steps.now) == "running" else None
    days = _days_of(campaign, period, steps.now)
    return {
        **_described(campaign, application, zone, steps.now),
        **filled({"budgets": list(budgets(campaign, pace, days, steps.now.astimezone(zone)))}),
        **_codes(campaign),
        "period": _about(campaign, period, steps.now),
        **filled({"currency": application.get("currency")}),
        "figures": _compared(now, before),
    }


async def _read(steps: Steps, arguments: Mapping[str, Any]) -> tuple[Row, Row]:
    """Return the campaign and its Application, which is empty where it cannot be read."""
    place, wanted = arguments.get("applicationId"), arguments["campaign"]
    what = "currency and time zone, so that days are those of UTC"
    read = partial(steps.attempt, what, "get_application")
    if place is None:
        campaign = await find_campaign(steps, None, wanted)
        return campaign, await read(applicationId=campaign["applicationId"]) or {}
    both: list[dict[str, Any] | None] = await together(
        partial(find_campaign, steps, place, wanted), partial(read, applicationId=place)
    )
    return both[0] or {}, both[1] or {}


async def _figures(steps: Steps, campaign: Row, period: Period, what: str) -> Figures | None:
    """Return a campaign's figures of a period, each summed up; None when they cannot be had."""
    page = await steps.attempt(
        what,
        "get_campaign_analytics",
        applicationId=campaign["applicationId"],
        campaignId=campaign["id"],
        rangeStart=period.start.isoformat(),
        rangeEnd=period.end.isoformat(),
        granularity="1 day",
    )
    if page is None:
        return None
    days = page.get("data", [])
    return {name: _sum(day.get(name, 0) for day in days) for name in _FIGURES.values()}


def _sum(numbers: Iterable[float]) -> float:
    """Return a sum without what adding fractions left over; a whole one as an integer."""
    total = round(sum(numbers), 2)
    return int(total) if total == int(total) else total


# --- What is shown -------------------------------------------------------------------------------


def _described(campaign: Row, application: Row, zone: tzinfo, now: datetime) -> dict[str, Any]:
    tags = [text(tag) for tag in campaign.get("tags", [])]
    return filled({
        "id": campaign["id"],
        "name": text(campaign["name"], _NAME),
        "matchedBy": campaign["matchedBy"],
        "applicationId": campaign["applicationId"],
        "application": text(application.get("name", "")),
        "state": campaign_state(campaign, now),
        "schedule": _schedule(campaign, zone, now),
        "features": campaign.get("features"),
        "tags": tags[:_TAGS],
        "moreTags": max(len(tags) - _TAGS, 0) or None,
        "lastActivity": minute(campaign.get("lastActivity")),
    })  # fmt: skip


def _schedule(campaign: Row, zone: tzinfo, now: datetime) -> dict[str, str]:
    """Return when a campaign starts and ends, as days of the Application, and how far off that is.

    It has started when it was created, if nothing else is said, and without an end it goes on.
    """
    today = now.astimezone(zone).date()
    schedule = {}
    for name, ahead, gone in (("start", "starts", "started"), ("end", "ends", "ended")):
        at = moment(campaign.get(f"{name}Time"))
        if at is None:
            continue
        far = (at.astimezone(zone).date() - today).days
        verb = ahead if at > now else gone
        when = "today" if not far else f"in {_days(far)}" if far > 0 else f"{_days(-far)} ago"
        schedule[name] = f"{at.astimezone(zone).isoformat(timespec='minutes')} ({verb} {when})"
    return schedule if "end" in schedule else {**schedule, "end": "none"}


def _days(count: int) -> str:
    return f"{count} day{'' if count == 1 else 's'}"


def _codes(campaign: Row) -> dict[str, Any]:
    """Return how many coupons and referral codes there are, and how often they were redeemed."""
    counters = {each["action"]: each.get("counter", 0) for each in campaign.get("budgets", [])}
    codes = {}
    for part, kind, what in (
        ("coupons", "coupon", "Coupon"),
        ("referrals", "referral", "Referral"),
    ):
        created, redeemed = (
            campaign.get(f"{kind}{did}Count", counters.get(f"{does}{what}", 0))
            for did, does in (("Creation", "create"), ("Redemption", "redeem"))
        )
        if created or redeemed or part in campaign.get("features", []):
            rate = {"redemptionPercent": round(100 * redeemed / created, 1)} if created else {}
            codes[part] = {"created": created, "redeemed": redeemed, **rate}
    return codes


def _about(campaign: Row, period: Period, now: datetime) -> dict[str, Any]:
    """Return what days the figures are of, and what makes them hard to compare."""
    start, end = moment(campaign.get("startTime")), moment(campaign.get("endTime"))
    notes = []
    if period.end > now:
        notes.append("today is not over")
    if start and start > period.before.start:
        notes.append("the campaign had not begun on all days compared with")
    if end and end < min(period.end, now):
        notes.append("the campaign was over before the last of these days")
    return filled({
        "from": str(period.first),
        "to": str(period.last),
        "days": period.days,
        "timezone": str(period.zone),
        "comparedWith": f"{period.before.first} to {period.before.last}",
        "note": "; ".join(notes),
    })  # fmt: skip


def _days_of(campaign: Row, period: Period, now: datetime) -> float:
    """Return how many days of a period a campaign has run."""
    start = moment(campaign.get("startTime")) or moment(campaign.get("created"))
    begun = max(period.start, start) if start else period.start
    return (min(period.end, now) - begun).total_seconds() / 86_400


def _compared(now: Figures | None, before: Figures | None) -> dict[str, Any]:
    """Return the figures, each beside that of the period before; those alone that are not zero."""
    rows = {}
    for name, upstreams in _FIGURES.items():
        pair = {"now": now, "before": before}
        known = {when: each[upstreams] for when, each in pair.items() if each is not None}
        if any(known.values()):
            rows[name] = known | (_change(**known) if len(known) == len(pair) else {})
    return rows


def _change(now: float, before: float) -> dict[str, Any]:
    percent = round(100 * (now - before) / before, 1) if before else "new"
    return {"change": _sum((now, -before)), "percent": percent}
