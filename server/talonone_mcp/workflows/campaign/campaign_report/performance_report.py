"""Report how a campaign performs: its state, schedule, budgets and codes, and a period's figures.

The figures are compared with those of as many days before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Any, cast

from talonone_mcp.workflows.answer_format import counted, filled, text
from talonone_mcp.workflows.campaign.campaign_report.budget_projection import projected_budgets
from talonone_mcp.workflows.campaign.campaign_report.report_period import (
    Period,
    days_asked,
    period_of,
)
from talonone_mcp.workflows.campaign_lookup import FoundCampaign, find_campaign
from talonone_mcp.workflows.obstacles import campaign_state
from talonone_mcp.workflows.steps import Steps, together
from talonone_mcp.workflows.upstream_times import minute, moment, zone_of
from talonone_mcp.workflows.upstream_types import Application, Campaign

Figures = dict[str, float]

# The figures of https://docs.talon.one/management-api: getCampaignAnalytics, by the names that
# answers have for them
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
_MAX_NAME_CHARS, _MAX_TAGS = 120, 10


async def campaign_report(steps: Steps, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return how a campaign performs, with its figures for some days and for as many days before.

    Days are whole days in the Application's time zone. In a given Application it takes four
    requests, or five if the campaign is given as a text of digits; otherwise, as many more as it
    takes to find the campaign.

    Raises:
        CallError: `not_found`; `invalid_arguments` if several campaigns may be meant, or the period
            makes no sense; or the campaign could not be read.
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
    days, local_now = _days_of(campaign, period, steps.now), steps.now.astimezone(zone)
    return {
        **_described(campaign, application, zone, steps.now),
        **filled({"budgets": [*projected_budgets(campaign, pace, days, local_now)]}),
        **_codes(campaign),
        "period": _about(campaign, period, steps.now),
        **filled({"currency": application.get("currency")}),
        "figures": _compared(now, before),
    }


async def _read(steps: Steps, arguments: Mapping[str, Any]) -> tuple[FoundCampaign, Application]:
    """Return the campaign and its Application, which is empty if it cannot be read."""
    given, wanted = arguments.get("applicationId"), arguments["campaign"]
    if given is None:
        campaign = await find_campaign(steps, None, wanted)
        return campaign, await _application(steps, campaign["applicationId"])
    both: list[Any] = await together(
        partial(find_campaign, steps, given, wanted), partial(_application, steps, given)
    )
    return both[0], both[1]


async def _application(steps: Steps, application_id: int) -> Application:
    what = "the currency and the time zone; days are in UTC instead"
    answer = await steps.attempt(what, "get_application", applicationId=application_id)
    return cast("Application", answer or {})


async def _figures(steps: Steps, campaign: Campaign, period: Period, what: str) -> Figures | None:
    """Return the totals of a campaign's figures over a period; None if they cannot be read."""
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
    """Return a sum rounded to cents; a whole number as an integer."""
    total = round(sum(numbers), 2)
    return int(total) if total == int(total) else total


# --- What is shown -------------------------------------------------------------------------------


def _described(
    campaign: FoundCampaign, application: Application, zone: tzinfo, now: datetime
) -> dict[str, Any]:
    tags = [text(tag) for tag in campaign.get("tags", [])]
    return filled({
        "id": campaign["id"],
        "name": text(campaign["name"], _MAX_NAME_CHARS),
        "matchedBy": campaign["matchedBy"],
        "applicationId": campaign["applicationId"],
        "application": text(application.get("name", "")),
        "state": campaign_state(campaign, now),
        "schedule": _schedule(campaign, zone, now),
        "features": campaign.get("features"),
        "tags": tags[:_MAX_TAGS],
        "moreTags": max(len(tags) - _MAX_TAGS, 0) or None,
        "lastActivity": minute(campaign.get("lastActivity")),
    })  # fmt: skip


def _schedule(campaign: Campaign, zone: tzinfo, now: datetime) -> dict[str, str]:
    """Return when a campaign starts and ends, in the Application's time zone, and how far off.

    Without a start it began when it was created, and without an end it goes on.
    """
    today = now.astimezone(zone).date()
    schedule = {}
    for name, ahead, gone in (("start", "starts", "started"), ("end", "ends", "ended")):
        at = moment(campaign.get(f"{name}Time"))
        if at is None:
            continue
        far = (at.astimezone(zone).date() - today).days
        verb = ahead if at > now else gone
        away = counted(abs(far), "day")
        when = "today" if not far else f"in {away}" if far > 0 else f"{away} ago"
        schedule[name] = f"{at.astimezone(zone).isoformat(timespec='minutes')} ({verb} {when})"
    return schedule if "end" in schedule else {**schedule, "end": "none"}


def _codes(campaign: Campaign) -> dict[str, Any]:
    """Return how many coupons and referral codes there are, and how often they were redeemed."""
    counters = {each["action"]: each.get("counter", 0) for each in campaign.get("budgets", [])}
    counts: Mapping[str, Any] = campaign
    codes = {}
    for part, kind, what in (
        ("coupons", "coupon", "Coupon"),
        ("referrals", "referral", "Referral"),
    ):
        created, redeemed = (
            counts.get(f"{kind}{did}Count", counters.get(f"{does}{what}", 0))
            for did, does in (("Creation", "create"), ("Redemption", "redeem"))
        )
        if created or redeemed or part in campaign.get("features", []):
            rate = {"redemptionPercent": round(100 * redeemed / created, 1)} if created else {}
            codes[part] = {"created": created, "redeemed": redeemed, **rate}
    return codes


def _about(campaign: Campaign, period: Period, now: datetime) -> dict[str, Any]:
    """Return which days the figures cover, and what makes them hard to compare."""
    start, end = moment(campaign.get("startTime")), moment(campaign.get("endTime"))
    notes = []
    if period.end > now:
        notes.append("today is not over")
    if start and start > period.before.start:
        notes.append("the campaign had not begun on some of the days compared with")
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


def _days_of(campaign: Campaign, period: Period, now: datetime) -> float:
    """Return how many days of a period a campaign has been running."""
    start = moment(campaign.get("startTime")) or moment(campaign.get("created"))
    begun = max(period.start, start) if start else period.start
    return (min(period.end, now) - begun).total_seconds() / 86_400


def _compared(now: Figures | None, before: Figures | None) -> dict[str, Any]:
    """Return the figures that are not zero, each beside that of the period before."""
    rows = {}
    for name, upstream_name in _FIGURES.items():
        pair = {"now": now, "before": before}
        known = {when: each[upstream_name] for when, each in pair.items() if each is not None}
        if any(known.values()):
            rows[name] = known | (_change(**known) if len(known) == len(pair) else {})
    return rows


def _change(now: float, before: float) -> dict[str, Any]:
    percent = round(100 * (now - before) / before, 1) if before else "new"
    return {"change": _sum((now, -before)), "percent": percent}
