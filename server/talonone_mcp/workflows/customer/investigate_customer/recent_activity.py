"""What a customer did lately in an Application: sessions, and coupons that were refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypedDict

from talonone_mcp.workflows.answer_format import filled, newest, text
from talonone_mcp.workflows.customer.investigate_customer.customer_sections import KnownCampaigns
from talonone_mcp.workflows.steps import Steps, together
from talonone_mcp.workflows.upstream_times import minute
from talonone_mcp.workflows.upstream_types import CustomerSession

SESSIONS = "list_application_sessions"
_EVENTS = "list_application_events"
_REFUSED = "rejectCoupon"  # https://docs.talon.one/docs/dev/integration-api/api-effects
_NEWEST = "-created"
_MAX_EVENTS = 20
_MAX_REFUSALS = 3


class Refusal(TypedDict):
    """A coupon that was refused in a session."""

    application: int
    sessionId: int | None
    code: str | None
    reason: str | None
    campaign: int | None
    created: str | None


@dataclass(frozen=True, slots=True)
class Activity:
    """What a customer did in some Applications. `has_more` is whether there are older sessions."""

    sessions: tuple[CustomerSession, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    has_more: bool = False

    def __add__(self, more: Activity) -> Activity:
        """Return this with the activity in other Applications."""
        return Activity(
            self.sessions + more.sessions,
            self.refusals + more.refusals,
            self.has_more or more.has_more,
        )


async def read_activity(steps: Steps, application: int, customer: str, size: int) -> Activity:
    """Read a customer's last sessions in an Application, and what was refused: two requests.

    Args:
        steps: makes the calls; the answer says what cannot be read.
        application: the id of the Application.
        customer: the customer's integration id.
        size: how many sessions.
    """
    where: dict[str, Any] = {"applicationId": application, "profile": customer, "sort": _NEWEST}
    sessions, events = await together(
        partial(steps.attempt, f"sessions in Application {application}", SESSIONS,
                pageSize=size, **where),
        partial(steps.attempt, f"refused coupons in Application {application}", _EVENTS,
                effectType=_REFUSED, pageSize=_MAX_EVENTS, **where),
    )  # fmt: skip
    return Activity(
        tuple((sessions or {}).get("data", ())),
        tuple(_refusals((events or {}).get("data", []), application)),
        bool((sessions or {}).get("hasMore")),
    )


def _refusals(events: Sequence[Mapping[str, Any]], application: int) -> list[Refusal]:
    """Return each refusal once, as it was last: a session repeats it whenever it changes."""
    found: dict[tuple[object, ...], Refusal] = {}
    for event in newest(events):
        for effect in event.get("effects", []):
            if effect["effectType"] != _REFUSED:
                continue
            props = effect.get("props", {})
            refusal = Refusal(
                application=application,
                sessionId=event.get("sessionId"),
                code=props.get("value"),
                reason=props.get("rejectionReason"),
                campaign=effect.get("campaignId"),
                created=event.get("created"),
            )
            found.setdefault((refusal["sessionId"], refusal["code"], refusal["reason"]), refusal)
    return list(found.values())


def activity_shown(
    found: Activity, size: int, names: Mapping[int, str], campaigns: KnownCampaigns
) -> dict[str, Any]:
    """Return the last sessions, each with what was refused in it, and what else was refused.

    Args:
        found: the activity in all Applications that were searched.
        size: how many sessions are shown.
        names: of the Applications, by their ids.
        campaigns: as far as they are known.
    """
    sessions = newest(found.sessions)[:size]
    shown_session_ids = {(each["applicationId"], each["id"]) for each in sessions}
    others = [
        each
        for each in found.refusals
        if (each["application"], each["sessionId"]) not in shown_session_ids
    ]
    return filled({
        "sessions": [_session(each, found.refusals, names, campaigns) for each in sessions],
        "refusedElsewhere": [
            filled({
                "at": minute(each["created"]),
                "sessionId": each["sessionId"],
                "application": names.get(each["application"], each["application"]),
                **_refusal(each, campaigns),
            })
            for each in newest(others)[:_MAX_REFUSALS]
        ],
        "moreRefused": max(len(others) - _MAX_REFUSALS, 0) or None,
    })  # fmt: skip


def _session(
    found: CustomerSession,
    refusals: Sequence[Refusal],
    names: Mapping[int, str],
    campaigns: KnownCampaigns,
) -> dict[str, Any]:
    application = found["applicationId"]
    refused = [
        _refusal(each, campaigns)
        for each in refusals
        if (each["application"], each["sessionId"]) == (application, found["id"])
    ]
    return filled({
        "session": found["integrationId"],
        "application": names.get(application, application),
        "at": minute(found.get("created")),
        "state": found.get("state"),
        "total": found.get("total"),
        "discounts": found.get("totalDiscounts") or None,
        "coupon": found.get("coupon"),
        "referral": found.get("referral"),
        "refused": refused,
    })  # fmt: skip


def _refusal(found: Refusal, campaigns: KnownCampaigns) -> dict[str, Any]:
    return filled({
        "code": text(found["code"]),
        "reason": found["reason"],
        "campaign": campaigns.named(found["campaign"]),
    })  # fmt: skip
