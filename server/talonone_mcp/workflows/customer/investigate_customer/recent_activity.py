"""What a customer did lately in an Application: sessions, and the coupons that were refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from talonone_mcp.workflows.customer.investigate_customer.customer_sections import (
    REJECTIONS,
    Campaigns,
    Row,
    filled,
    minute,
    newest,
    text,
)
from talonone_mcp.workflows.steps import Steps, together

SESSIONS = "list_application_sessions"
_EVENTS = "list_application_events"
_REFUSED = "rejectCoupon"  # https://docs.talon.one/docs/dev/integration-api/api-effects
_NEWEST = "-created"
_EVENTS_READ = 20


@dataclass(slots=True)
class Visits:
    """What was found in all Applications that were looked into."""

    sessions: list[Row] = field(default_factory=list)
    refusals: list[dict[str, Any]] = field(default_factory=list)
    more: bool = False


async def visits(steps: Steps, application: int, customer: str, size: int, into: Visits) -> None:
    """Read the last sessions of a customer in an Application, and what was refused: two requests.

    Args:
        steps: makes the calls.
        application: where.
        customer: the customer's integration id.
        size: how many sessions.
        into: takes what is found. What cannot be had is said in the answer.
    """
    place = f"in Application {application}"
    sessions, events = await together(
        partial(steps.attempt, f"sessions {place}", SESSIONS, applicationId=application,
                profile=customer, sort=_NEWEST, pageSize=size),
        partial(steps.attempt, f"refused coupons {place}", _EVENTS, applicationId=application,
                profile=customer, effectType=_REFUSED, sort=_NEWEST, pageSize=_EVENTS_READ),
    )  # fmt: skip
    into.sessions += (sessions or {}).get("data", [])
    into.more = into.more or bool((sessions or {}).get("hasMore"))
    into.refusals += _refusals((events or {}).get("data", []), application)


def _refusals(events: Sequence[Row], application: int) -> list[dict[str, Any]]:
    """Return each refusal once, as it was the last time; a session asks again with every change."""
    found: dict[tuple[object, ...], dict[str, Any]] = {}
    for event in newest(events):
        for effect in event.get("effects", []):
            if effect["effectType"] != _REFUSED:
                continue
            props = effect.get("props", {})
            key = event.get("sessionId"), props.get("value"), props.get("rejectionReason")
            found.setdefault(key, {
                "application": application,
                "sessionId": key[0],
                "code": key[1],
                "reason": key[2],
                "campaign": effect.get("campaignId"),
                "created": event.get("created"),
            })  # fmt: skip
    return list(found.values())


def shown(
    found: Visits, size: int, names: Mapping[int, str], campaigns: Campaigns
) -> dict[str, Any]:
    """Return the last sessions, each with what was refused in it, and what else was refused.

    Args:
        found: in all Applications.
        size: how many sessions are shown.
        names: of the Applications, by their ids.
        campaigns: as far as they are known.
    """
    sessions = newest(found.sessions)[:size]
    here = {(each["applicationId"], each["id"]) for each in sessions}
    others = [
        each for each in found.refusals if (each["application"], each["sessionId"]) not in here
    ]
    hidden = max(len(others) - REJECTIONS, 0)
    return filled({
        "sessions": [_session(each, found.refusals, names, campaigns) for each in sessions],
        "refusedElsewhere": [
            filled({"at": minute(each["created"]), "sessionId": each["sessionId"],
                    "application": names.get(each["application"], each["application"]),
                    **_refusal(each, campaigns)})
            for each in newest(others)[:REJECTIONS]
        ],
        "moreRefused": hidden or None,
    })  # fmt: skip


def _session(
    found: Row, refusals: Sequence[Row], names: Mapping[int, str], campaigns: Campaigns
) -> dict[str, Any]:
    place = found["applicationId"]
    refused = [
        _refusal(each, campaigns)
        for each in refusals
        if (each["application"], each["sessionId"]) == (place, found["id"])
    ]
    return filled({
        "session": found["integrationId"],
        "application": names.get(place, place),
        "at": minute(found.get("created")),
        "state": found.get("state"),
        "total": found.get("total"),
        "discounts": found.get("totalDiscounts") or None,
        "coupon": found.get("coupon"),
        "referral": found.get("referral"),
        "refused": refused,
    })  # fmt: skip


def _refusal(found: Row, campaigns: Campaigns) -> dict[str, Any]:
    return filled({
        "code": text(found["code"]),
        "reason": found["reason"],
        "campaign": campaigns.named(found["campaign"]),
    })  # fmt: skip
