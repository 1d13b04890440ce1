"""The events of Applications: each evaluation of a session or event, with its effects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from talonone_mcp.sandbox.documents.conditions import equal
from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import SandboxCall
from talonone_mcp.sandbox.rule_engine.evaluation import EvaluationOutcome, failures_shown

_OF_CODES = {"acceptCoupon", "rejectCoupon", "rollbackCoupon"}
_OF_REFERRALS = {"acceptReferral", "rejectReferral", "rollbackReferral"}


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event: of a session, or a custom one. `integration_id` is an advanced event's own."""

    type: str
    session: Document | None = None
    profile: Document | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    place: str | None = None
    integration_id: str | None = None


def record(call: SandboxCall, happening: LoggedEvent, outcome: EvaluationOutcome) -> Document:
    """Store an event and its effects, and return it."""
    event = {
        "id": call.store.next_id("events"),
        "created": stamp(call.now),
        "applicationId": call.application_id,
        "type": happening.type,
        "attributes": dict(happening.attributes),
        "effects": outcome.effects,
        "ruleFailureReasons": list(failures_shown(outcome)),
        **_circumstances(happening),
    }
    name = happening.integration_id
    label = f"{call.application_id}/{name}" if name else None
    call.store.add("events", event, parent=call.application_id, label=label)
    first = call.store.next_id("effects")
    call.store.add_all("effects", effect_rows(event, first, happening.session, call.store))
    _note_rejections(call, event)
    return event


def _circumstances(happening: LoggedEvent) -> Document:
    """Return the fields that say who and what an event is about."""
    session = happening.session or {}
    profile = happening.profile or {}
    facts = {
        "session": session.get("integrationId"),
        "sessionId": session.get("id"),
        "profile": session.get("profileId") or profile.get("integrationId"),
        "profileId": session.get("profile") or profile.get("id"),
        "storeIntegrationId": session.get("storeIntegrationId") or happening.place,
        "integrationId": happening.integration_id,
    }
    return {key: value for key, value in facts.items() if value}


def effect_rows(
    event: Document, first: int, session: Document | None, store: DocumentStore | None = None
) -> Iterator[tuple[Document, int, None]]:
    """Yield the effects of an event as separate, searchable documents.

    Args:
        event: as it is stored.
        first: the id of the first.
        session: what it happened in.
        store: where the coupons are, whose codes effects are found by.
    """
    common = {key: event[key] for key in _OF_EVENT if key in event}
    common |= {"eventId": event["id"], "eventType": event["type"]}
    if session:
        common["total"] = session["total"]
    for number, effect in enumerate(event["effects"], first):
        code = _code(effect, store)
        found_by = {"coupon": code.upper()} if code else {}
        if effect["effectType"] in _OF_REFERRALS:
            found_by["referral"] = effect["props"]["value"].upper()
        yield {**effect, **common, **found_by, "id": number}, event["id"], None


_OF_EVENT = ("created", "applicationId", "session", "sessionId", "profile", "profileId",
             "storeIntegrationId")  # fmt: skip


def _code(effect: Document, store: DocumentStore | None) -> str:
    if effect["effectType"] in _OF_CODES:
        return str(effect["props"]["value"])
    number = effect.get("triggeredByCoupon")
    coupon = store.get("coupons", number) if store and number else None
    return str(coupon["value"]) if coupon else ""


# What is said to people of the documented reasons,
# https://docs.talon.one/docs/dev/integration-api/api-effects: rejectCoupon
_SUMMARIES = {
    "CampaignLimitReached": "A budget of the campaign is used up.",
    "CouponExpired": "The coupon has expired.",
    "CouponLimitReached": "The coupon was redeemed as often as it may be.",
    "CouponNotFound": "There is no coupon with this code.",
    "CouponPartOfNotRunningCampaign": "The campaign of the coupon is not running.",
    "CouponPartOfNotTriggeredCampaign": "The campaign of the coupon was not evaluated.",
    "CouponRecipientDoesNotMatch": "The coupon belongs to another customer.",
    "CouponRejectedByCondition": "The session does not meet the conditions of the coupon's rule.",
    "CouponReservationRequired": "The coupon is for customers who have reserved it.",
    "CouponStartDateInFuture": "The coupon is not valid yet.",
    "EffectCouldNotBeApplied": "What the coupon gives exceeds what it or its campaign may give.",
    "ProfileLimitReached": "The customer has redeemed the coupon as often as they may.",
    "ProfileRequired": "The coupon can be used by known customers alone.",
}


def _note_rejections(call: SandboxCall, event: Document) -> None:
    """Store why codes were refused; the last refusal of a code counts."""
    for effect in event["effects"]:
        if effect["effectType"] == "rejectCoupon" and "session" in event:
            code = effect["props"]["value"]
            same = (equal("sessionID", event["session"]), equal("couponCode", code))
            here = equal("applicationId", event["applicationId"])
            found = call.store.select("coupon_rejections", *same, here, limit=1)
            note = rejection_note(event, effect, code)
            if found:
                kept = {key: found[0][key] for key in ("id", "createdAt")}
                call.store.replace("coupon_rejections", note | kept)
            else:
                call.store.add("coupon_rejections", note)


def rejection_note(event: Document, effect: Document, code: str) -> Document:
    """Return why a code was refused, as upstream explains it."""
    return {
        "eventID": event["id"],
        "applicationId": event["applicationId"],
        "sessionID": event["session"],
        **({"profileID": event["profile"]} if "profile" in event else {}),
        "status": "rejected",
        "couponCode": code,
        "summary": _SUMMARIES[effect["props"]["rejectionReason"]],
        "createdAt": event["created"],
        "updatedAt": event["created"],
    }


def erase(store: DocumentStore, integration_id: str) -> None:
    """Erase the attributes of a customer's events in all Applications."""
    for application in store.select("applications"):
        own = (equal("applicationId", application["id"]), equal("profile", integration_id))
        for event in store.each("events", *own):
            store.replace("events", event | {"attributes": {}})
