"""Coupons in sessions: why codes are refused, and how they are redeemed and given back."""

from __future__ import annotations

from collections.abc import Iterable

from talonone_mcp.sandbox.campaigns.campaign_records import frontend_state
from talonone_mcp.sandbox.codes.coupons import code_label
from talonone_mcp.sandbox.documents.conditions import Where, equal
from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import SandboxCall
from talonone_mcp.sandbox.rule_engine.evaluation_subject import EvaluationSubject
from talonone_mcp.sandbox.stores.campaign_links import is_open


def find_coupon(store: DocumentStore, application: int, code: str) -> Document | None:
    """Return an Application's coupon by its code, ignoring case."""
    return store.find("coupons", code_label(application, code))


def is_evaluated(campaign: Document, subject: EvaluationSubject) -> bool:
    """Return whether a campaign takes part: it runs, or was asked for, and in this store."""
    if campaign["state"] == "archived" or not is_open(campaign, subject.place):
        return False
    if subject.only is not None:
        return campaign["id"] in subject.only
    return frontend_state(campaign, subject.at) == "running"


def rejection(
    call: SandboxCall, coupon: Document | None, subject: EvaluationSubject
) -> Document | None:
    """Return why a coupon cannot be used, as in a rejectCoupon effect; None if it can.

    The reasons are upstream's: https://docs.talon.one/docs/dev/integration-api/api-effects.
    What the campaign's rules and budgets say comes after this.
    """
    if coupon is None:
        return {"rejectionReason": "CouponNotFound"}
    campaign = call.store.get("campaigns", coupon["campaignId"]) or {}
    if not is_evaluated(campaign, subject):
        return _campaign_rejection(campaign, subject)
    at = stamp(subject.at)
    recipients = (None, "", subject.profile)
    against = {
        "CouponExpired": coupon.get("expiryDate", "9999") <= at,
        "CouponStartDateInFuture": coupon.get("startDate", at) > at,
        "CouponRecipientDoesNotMatch": coupon.get("recipientIntegrationId") not in recipients,
        "CouponLimitReached": 0 < coupon["usageLimit"] <= coupon["usageCounter"],
    }
    reasons = (reason for reason, holds in against.items() if holds)
    reason = next(reasons, None) or _reservation_rejection(call.store, coupon, subject.profile)
    return {"rejectionReason": reason} if reason else None


def _campaign_rejection(campaign: Document, subject: EvaluationSubject) -> Document:
    running = frontend_state(campaign, subject.at) == "running"
    if running or campaign["state"] == "archived":
        return {
            "rejectionReason": "CouponPartOfNotTriggeredCampaign",
            "campaignExclusionReason": "CampaignNotInEvaluationSet",
        }
    return {"rejectionReason": "CouponPartOfNotRunningCampaign"}


def _reservation_rejection(store: DocumentStore, coupon: Document, profile: str) -> str | None:
    if not coupon["isReservationMandatory"]:
        return None
    if not profile:
        return "ProfileRequired"
    reserved = coupon.get("implicitlyReserved") or store.count(
        "reservations", equal("customer", profile), parent=coupon["id"]
    )
    return None if reserved else "CouponReservationRequired"


def redeem(call: SandboxCall, coupons: Iterable[Document], session: Document) -> None:
    """Count the coupons of a closed session as used."""
    for each in coupons:
        coupon = call.store.get("coupons", each["id"]) or each
        used = {"usageCounter": coupon["usageCounter"] + 1}
        call.store.replace("coupons", coupon | used)
        redemption = {
            "campaignId": coupon["campaignId"],
            "couponId": coupon["id"],
            "profileId": session["profileId"],
            "sessionId": session["id"],
            "at": stamp(call.now),
        }
        call.store.add("redemptions", redemption, parent=coupon["campaignId"])


def give_back(call: SandboxCall, session: Document, *where: Where) -> list[str]:
    """Make the coupons that a session redeemed usable again, and return their codes."""
    codes = []
    for redemption in call.store.select("redemptions", equal("sessionId", session["id"]), *where):
        call.store.delete("redemptions", redemption["id"])
        coupon = call.store.get("coupons", redemption["couponId"])
        if coupon:
            codes.append(coupon["value"])
            counter = max(coupon["usageCounter"] - 1, 0)
            call.store.replace("coupons", coupon | {"usageCounter": counter})
    return codes
