"""Figures of campaigns, computed from the coupons and redemptions in the store."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from talonone_mcp.sandbox.conditions import among
from talonone_mcp.sandbox.errors import UpstreamError
from talonone_mcp.sandbox.handling import Call, Csv, Handler, Reply
from talonone_mcp.sandbox.store import Document
from talonone_mcp.sandbox.times import moment, stamp

_STEP = {
    "1 hour": timedelta(hours=1),
    "1 day": timedelta(days=1),
    "1 week": timedelta(weeks=1),
    "1 month": timedelta(days=30),
    "1 year": timedelta(days=365),
}
_MOST_INTERVALS = 10_000
_SERIES = (
    "campaignRevenue",
    "campaignRefund",
    "campaignDiscountCosts",
    "campaignRefundedDiscounts",
    "campaignFreeItems",
    "couponRedemptions",
    "couponRolledbackRedemptions",
    "referralRedemptions",
    "couponsCreated",
    "referralsCreated",
    "addedLoyaltyPoints",
    "deductedLoyaltyPoints",
)

Event = tuple[datetime, dict[str, float]]


def _events(campaign: Document, call: Call) -> list[Event]:
    """Return what happened in a campaign, in order, each with what it adds to which series."""
    redeemed = [
        (
            moment(each["at"]),
            {
                "campaignRevenue": each["revenue"],
                "campaignDiscountCosts": each["discount"],
                "couponRedemptions": 1,
            },
        )
        for each in call.store.select("redemptions", parent=campaign["id"])
    ]
    created = [
        (moment(each["created"]), {"couponsCreated": 1})
        for each in call.store.select("coupons", parent=campaign["id"])
    ]
    return sorted(redeemed + created, key=lambda event: event[0])


def _range(call: Call) -> tuple[datetime, datetime]:
    start, end = moment(call.arguments["rangeStart"]), moment(call.arguments["rangeEnd"])
    if end < start:
        raise UpstreamError(400, "rangeEnd must not be before rangeStart", parameter="rangeEnd")
    return start, end


def _sums(events: list[Event]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for _, figures in events:
        sums.update(figures)
    return sums


def get_campaign_analytics(call: Call) -> Reply:
    campaign = call.get("campaigns", "campaignId", parent="applicationId")
    start, end = _range(call)
    step = _STEP[call.arguments.get("granularity", "1 day")]
    if (end - start) / step > _MOST_INTERVALS:
        raise UpstreamError(400, "too many intervals", parameter="granularity")
    waiting = deque(_events(campaign, call))
    total = _sums(_until(waiting, start))
    series = []
    while start < end:
        until = min(start + step, end)
        sums = _sums(_until(waiting, until))
        total.update(sums)
        series.append({"date": stamp(start), **_figures(sums, total)})
        start = until
    return 200, {"totalResultSize": len(series), "data": series}


def _until(waiting: deque[Event], until: datetime) -> list[Event]:
    passed = []
    while waiting and waiting[0][0] < until:
        passed.append(waiting.popleft())
    return passed


def _figures(sums: Counter[str], total: Counter[str]) -> dict[str, float]:
    figures: dict[str, float] = {}
    for name in _SERIES:
        figures[name] = round(sums[name], 2)
        figures[f"total{name[0].upper()}{name[1:]}"] = round(total[name], 2)
    return figures


_EXPORTED = ("campaign_id", "start_date", "end_date", "revenue", "sessions",
             "average_session_value", "average_items_per_session", "coupons",
             "discounts")  # fmt: skip
_ITEMS_PER_SESSION = 2.0  # the sandbox's redemptions do not say what was in the cart


def export_campaign_analytics(call: Call) -> Reply:
    call.get("applications", "applicationId")
    start, end = _range(call)
    wanted = among("id", [int(each) for each in call.arguments.get("campaignIds", [])])
    rows = []
    for campaign in call.store.select("campaigns", wanted, parent=call.arguments["applicationId"]):
        sums = _sums([event for event in _events(campaign, call) if start <= event[0] < end])
        rows.append(_row(campaign["id"], start, end, sums))
    return 200, Csv(_EXPORTED, rows)


def _row(campaign: int, start: datetime, end: datetime, sums: Counter[str]) -> dict[str, Any]:
    sessions = sums["couponRedemptions"]  # the demo account redeems one coupon a session
    return {
        "campaign_id": campaign,
        "start_date": stamp(start),
        "end_date": stamp(end),
        "revenue": round(sums["campaignRevenue"], 2),
        "sessions": sessions,
        "average_session_value": round(sums["campaignRevenue"] / sessions, 2) if sessions else 0,
        "average_items_per_session": _ITEMS_PER_SESSION if sessions else 0,
        "coupons": sessions,
        "discounts": round(sums["campaignDiscountCosts"], 2),
    }


def export_value_map(call: Call) -> Reply:
    call.get("campaigns", "campaignId", parent="applicationId")
    value_map = call.get("value_maps", "valueMapId", parent="campaignId")
    return 200, Csv(("identifier", "value"), value_map["items"])


HANDLERS: Mapping[str, Handler] = {
    "get_campaign_analytics": get_campaign_analytics,
    "export_campaign_analytics": export_campaign_analytics,
    "export_value_map": export_value_map,
}
