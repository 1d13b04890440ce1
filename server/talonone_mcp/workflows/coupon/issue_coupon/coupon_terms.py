"""The terms on which a code is issued: how often, from when and until when it can be redeemed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any, TypedDict

from talonone_mcp.core.errors import CallError
from talonone_mcp.workflows.answer_format import picked
from talonone_mcp.workflows.steps import Steps
from talonone_mcp.workflows.upstream_times import moment, zone_of
from talonone_mcp.workflows.upstream_types import Campaign

_SHOWN = ("startDate", "expiryDate", "attributes", "usageLimit", "usageCounter",
          "recipientIntegrationId")  # fmt: skip


class IssueRequest(TypedDict, total=False):
    """The arguments of issue_coupon."""

    campaign: int | str
    applicationId: int
    customer: str
    usageLimit: int
    startDate: str
    expiryDate: str
    validDays: int
    attributes: Mapping[str, Any]
    bound: bool
    identifier: str
    another: bool
    seriesId: int
    dryRun: bool


class Terms(TypedDict, total=False):
    """The terms of one code, as the operations that create it take them."""

    startDate: str
    expiryDate: str
    attributes: Mapping[str, Any]
    usageLimit: int


async def terms_of(steps: Steps, issue_request: IssueRequest, campaign: Campaign | None) -> Terms:
    """Return the terms that a call asks for.

    `validDays` counts from today and ends with the last of those days in the Application's time
    zone, or in UTC if that is not known. So the same call a minute later means the same.

    Args:
        steps: makes the calls.
        issue_request: the arguments of issue_coupon.
        campaign: the campaign whose Application's time zone counts; None if it cannot be read.
    """
    terms = Terms(usageLimit=issue_request.get("usageLimit", 1))
    if "startDate" in issue_request:
        terms["startDate"] = issue_request["startDate"]
    if "expiryDate" in issue_request:
        terms["expiryDate"] = issue_request["expiryDate"]
    if "attributes" in issue_request:
        terms["attributes"] = issue_request["attributes"]
    if "validDays" in issue_request:
        zone = await _zone(steps, campaign) if campaign else UTC
        terms["expiryDate"] = _last_moment(steps.now, issue_request["validDays"], zone)
    return terms


def check_terms(terms: Terms, campaign: Campaign, now: datetime) -> None:
    """Refuse terms on which a code could never be redeemed, unless the call itself checks for that.

    Raises:
        CallError: `invalid_arguments`.
    """
    start, expiry = moment(terms.get("startDate")), moment(terms.get("expiryDate"))
    end = moment(campaign.get("endTime"))
    problems = []
    if expiry and expiry <= now:
        problems.append({"at": "expiryDate", "problem": "is in the past"})
    if start and end and start >= end:
        problem = f"is not before the campaign ends, at {campaign['endTime']}"
        problems.append({"at": "startDate", "problem": problem})
    if problems:
        raise CallError(
            "invalid_arguments",
            "No code was issued: on these terms, nobody could ever redeem it.",
            details=problems,
            hint="Correct them and call again.",
        )


def validity(coupon: Mapping[str, Any], campaign: Campaign) -> dict[str, Any]:
    """Return a coupon's terms, and `validUntil`: when it or its campaign ends, if either does.

    A usage limit of 0 means no limit.

    Args:
        coupon: a coupon, or the arguments that would create one.
        campaign: its campaign, as far as it is known.
    """
    ends = (coupon.get("expiryDate"), campaign.get("endTime"))
    known = [(at, text) for text in ends if (at := moment(text))]
    return picked(coupon, _SHOWN) | ({"validUntil": min(known)[1]} if known else {})


def code_in(answer: Mapping[str, Any], name: str, checked_with: str) -> str:
    """Return the code in upstream's answer to a request for one.

    Args:
        answer: what upstream answered.
        name: the field that holds the code.
        checked_with: what shows whether a code was issued, if the answer does not.

    Raises:
        CallError: `outcome_unknown` if it is missing: one may have been issued.
    """
    code = answer.get(name)
    if isinstance(code, str) and code:
        return code
    raise CallError(
        "outcome_unknown",
        "Talon.One reported success but returned no code.",
        hint=f"A code may have been issued. Check with {checked_with} before you call again.",
    )


def _last_moment(now: datetime, days: int, zone: tzinfo) -> str:
    day = now.astimezone(zone).date() + timedelta(days=days)
    last = datetime.combine(day, time(23, 59, 59), zone)
    return last.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def _zone(steps: Steps, campaign: Campaign) -> tzinfo:
    application = await steps.attempt(
        "the Application's time zone: the last day ends in UTC",
        "get_application",
        applicationId=campaign["applicationId"],
    )
    return zone_of((application or {}).get("timezone", "UTC")) or UTC
