"""On what terms a code is issued: how often and how long it may be redeemed, and until when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any

from talonone_mcp.core.errors import CallError
from talonone_mcp.workflows.campaign.campaign_report.report_period import zone_of
from talonone_mcp.workflows.obstacles import moment
from talonone_mcp.workflows.steps import Steps

_TAKEN = ("startDate", "expiryDate", "attributes")
_SHOWN = (*_TAKEN, "usageLimit", "usageCounter", "recipientIntegrationId")


Terms = Mapping[str, Any]
"""The terms of one code, as the arguments of what creates it."""


async def terms_of(
    steps: Steps, arguments: Mapping[str, Any], campaign: Mapping[str, Any] | None
) -> Terms:
    """Return the terms that a call asks for.

    `validDays` counts from today and ends with the last of the days, where the Application is; in
    UTC, where that cannot be seen. So a call that is made again a minute later means the same.

    Args:
        steps: makes the calls.
        arguments: of issue_coupon.
        campaign: whose Application's time counts; None where that cannot be looked up.
    """
    terms = {name: arguments[name] for name in _TAKEN if name in arguments}
    terms["usageLimit"] = arguments.get("usageLimit", 1)
    if "validDays" in arguments:
        zone = await _zone(steps, campaign) if campaign else UTC
        terms["expiryDate"] = _last_moment(steps.now, arguments["validDays"], zone)
    return terms


def check_terms(terms: Terms, campaign: Mapping[str, Any], now: datetime) -> None:
    """Refuse terms on which a code could never be redeemed, but for what the call checks itself.

    Raises:
        CallError: `invalid_arguments`.
    """
    start, expiry = (moment(terms.get(key)) for key in ("startDate", "expiryDate"))
    end = moment(campaign.get("endTime"))
    problems = []
    if expiry and expiry <= now:
        problems.append({"at": "expiryDate", "problem": "lies in the past"})
    if start and end and start >= end:
        problem = f"the campaign has ended by then, at {campaign['endTime']}"
        problems.append({"at": "startDate", "problem": problem})
    if problems:
        raise CallError(
            "invalid_arguments",
            "No code was issued: nobody could ever redeem it on these terms.",
            details=problems,
            hint="Correct them and call again.",
        )


def validity(coupon: Mapping[str, Any], campaign: Mapping[str, Any]) -> dict[str, Any]:
    """Return a coupon's terms, and `validUntil` where its campaign ends before it does, or it ends.

    A usage limit of 0 is none.
    """
    shown = {key: coupon[key] for key in _SHOWN if key in coupon}
    ends = (coupon.get("expiryDate"), campaign.get("endTime"))
    known = [(at, text) for text in ends if (at := moment(text))]
    return shown | ({"validUntil": min(known)[1]} if known else {})


def code_in(answer: Mapping[str, Any], name: str, told_by: str) -> str:
    """Return the code in what upstream answered to a request for one.

    Raises:
        CallError: `outcome_unknown`, when it is not there: one may have been issued.
    """
    code = answer.get(name)
    if isinstance(code, str) and code:
        return code
    raise CallError(
        "outcome_unknown",
        "Talon.One reported success, and no code with it.",
        hint=f"It may have been issued. Do not repeat this before {told_by} has told.",
    )


def _last_moment(now: datetime, days: int, zone: tzinfo) -> str:
    day = now.astimezone(zone).date() + timedelta(days=days)
    last = datetime.combine(day, time(23, 59, 59), zone)
    return last.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def _zone(steps: Steps, campaign: Mapping[str, Any]) -> tzinfo:
    application = await steps.attempt(
        "the Application's time zone: the last day ends in UTC",
        "get_application",
        applicationId=campaign["applicationId"],
    )
    return zone_of((application or {}).get("timezone", "UTC")) or UTC
