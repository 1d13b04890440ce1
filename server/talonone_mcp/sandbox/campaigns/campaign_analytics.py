"""Figures of campaigns, summed up by the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from talonone_mcp.sandbox.documents.conditions import Condition, Where, among, column, equal
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import moment, stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.csv_files import CsvExport

_STEP = {
    "1 hour": timedelta(hours=1),
    "1 day": timedelta(days=1),
    "1 week": timedelta(weeks=1),
    "1 month": timedelta(days=30),
    "1 year": timedelta(days=365),
}
_MOST_INTERVALS = 10_000
_ENTERED = (
    "campaignRevenue",
    "campaignRefund",
    "campaignDiscountCosts",
    "campaignRefundedDiscounts",
    "campaignFreeItems",
    "couponRedemptions",
    "couponRolledbackRedemptions",
    "referralRedemptions",
    "addedLoyaltyPoints",
    "deductedLoyaltyPoints",
)
_CREATED = {"coupons": "couponsCreated", "referrals": "referralsCreated"}
_SERIES = (*_ENTERED, *_CREATED.values())

_Sums = dict[Any, Counter[str]]


def _sums(call: SandboxCall, campaign: int, span: Condition, by: Condition) -> _Sums:
    """Return a campaign's figures in a span of time, by group.

    Args:
        call: the request.
        campaign: its number.
        span: SQL with `{time}` for the time of what is counted.
        by: SQL for the group, likewise.
    """
    found: _Sums = {}

    def add(kind: str, time: str, fields: tuple[str, ...], name: str, where: Where) -> None:
        inside, group = _at(span, time), _at(by, time)
        for key, sums in call.store.sums(kind, group, fields, where, inside).items():
            entered = found.setdefault(key, Counter())
            entered.update({name: sums["count"]} if name else {f: sums[f] for f in fields})

    add("campaign_figures", "at", _ENTERED, "", equal("campaignId", campaign))
    for kind, name in _CREATED.items():
        add(kind, "created", (), name, Condition("parent = ?", (campaign,)))
    return found


def _at(sql: Condition, time: str) -> Condition:
    return Condition(sql.sql.replace("{time}", column(time)), sql.values)


def _range(call: SandboxCall) -> tuple[datetime, datetime]:
    start, end = moment(call.arguments["rangeStart"]), moment(call.arguments["rangeEnd"])
    if end < start:
        raise RefusalError(400, "rangeEnd must not be before rangeStart", parameter="rangeEnd")
    return start, end


def get_campaign_analytics(call: SandboxCall) -> Reply:
    campaign = call.get("campaigns", "campaignId", parent="applicationId")["id"]
    start, end = _range(call)
    step = _STEP[call.arguments.get("granularity", "1 day")]
    if (end - start) / step > _MOST_INTERVALS:
        raise RefusalError(400, "too many intervals", parameter="granularity")
    before = _sums(call, campaign, Condition("{time} < ?", (stamp(start),)), Condition("0"))
    total = Counter(before.get(0, {}))
    intervals = _sums(call, campaign, _within(start, end), _interval(start, step))
    series = []
    for number in range(ceil((end - start) / step)):
        sums = intervals.get(number, Counter())
        total.update(sums)
        series.append({"date": stamp(start + number * step), **_figures(sums, total)})
    return 200, {"totalResultSize": len(series), "data": series}


def _within(start: datetime, end: datetime) -> Condition:
    return Condition("{time} >= ? AND {time} < ?", (stamp(start), stamp(end)))


def _interval(start: datetime, step: timedelta) -> Condition:
    """Group by the number of whole steps since the start."""
    seconds = int(step.total_seconds())
    sql = "(strftime('%s', {time}) - strftime('%s', ?)) / ?"
    return Condition(sql, (stamp(start), seconds))


def _figures(sums: Counter[str], total: Counter[str]) -> dict[str, float]:
    figures: dict[str, float] = {}
    for name in _SERIES:
        figures[name] = round(sums[name], 2)
        figures[f"total{name[0].upper()}{name[1:]}"] = round(total[name], 2)
    return figures


_EXPORTED = ("campaign_id", "start_date", "end_date", "revenue", "sessions",
             "average_session_value", "average_items_per_session", "coupons",
             "discounts")  # fmt: skip
_OF_CAMPAIGNS = ("sessions", "items", "campaignRevenue", "campaignDiscountCosts",
                 "couponRedemptions", "couponRolledbackRedemptions")  # fmt: skip


def export_campaign_analytics(call: SandboxCall) -> Reply:
    call.get("applications", "applicationId")
    start, end = _range(call)
    return 200, CsvExport(_EXPORTED, list(_rows(call, start, end)))


def _rows(call: SandboxCall, start: datetime, end: datetime) -> Iterator[dict[str, Any]]:
    """Yield a row per campaign, one for all sessions, and one for sessions with effects."""
    application = call.arguments["applicationId"]
    own = equal("applicationId", application)
    group = Condition(column("campaignId"))
    inside = _at(_within(start, end), "at")
    sums = call.store.sums("campaign_figures", group, _OF_CAMPAIGNS, own, inside)
    dates = {"start_date": stamp(start), "end_date": stamp(end)}
    wanted = among("id", [int(each) for each in call.arguments.get("campaignIds", [])])
    for campaign in call.store.select("campaigns", wanted, parent=application):
        yield dates | {"campaign_id": campaign["id"]} | _row(sums.get(campaign["id"], {}))
    if wanted is None:
        for label, where in (("total", None), ("influenced", equal("influenced", True))):
            yield dates | {"campaign_id": label} | _row(_of_sessions(call, start, end, where))


def _of_sessions(
    call: SandboxCall, start: datetime, end: datetime, where: Where
) -> dict[str, float]:
    closed = among("state", ["closed", "partially_returned"])
    own = equal("applicationId", call.arguments["applicationId"])
    inside = _at(_within(start, end), "closedAt")
    fields = ("units", "total", "totalDiscounts")
    found = call.store.sums("sessions", Condition("0"), fields, own, closed, inside, where)
    sums = found.get(0, dict.fromkeys(("count", *fields), 0.0))
    redeemed = [each["couponRedemptions"] for each in _redeemed(call, start, end)]
    return {
        "sessions": sums["count"],
        "items": sums["units"],
        "campaignRevenue": sums["total"],
        "campaignDiscountCosts": sums["totalDiscounts"],
        "couponRedemptions": sum(redeemed),
    }


def _redeemed(call: SandboxCall, start: datetime, end: datetime) -> list[dict[str, float]]:
    own = equal("applicationId", call.arguments["applicationId"])
    inside = _at(_within(start, end), "at")
    fields = ("couponRedemptions",)
    sums = call.store.sums("campaign_figures", Condition("0"), fields, own, inside)
    return list(sums.values())


def _row(sums: Mapping[str, float]) -> dict[str, Any]:
    sessions = int(sums.get("sessions", 0))
    revenue = sums.get("campaignRevenue", 0)
    back = sums.get("couponRolledbackRedemptions", 0)
    return {
        "revenue": round(revenue, 2),
        "sessions": sessions,
        "average_session_value": round(revenue / sessions, 2) if sessions else 0,
        "average_items_per_session": round(sums["items"] / sessions, 2) if sessions else 0,
        "coupons": int(sums.get("couponRedemptions", 0) - back),
        "discounts": round(sums.get("campaignDiscountCosts", 0), 2),
    }


def export_value_map(call: SandboxCall) -> Reply:
    call.get("campaigns", "campaignId", parent="applicationId")
    value_map = call.get("value_maps", "valueMapId", parent="campaignId")
    return 200, CsvExport(("identifier", "value"), value_map["items"])


HANDLERS: Mapping[str, Handler] = {
    "get_campaign_analytics": get_campaign_analytics,
    "export_campaign_analytics": export_campaign_analytics,
    "export_value_map": export_value_map,
}
