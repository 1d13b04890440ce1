"""What campaigns earned and gave: a record per session and campaign, summed by analytics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.rule_engine.built_in_rules import units
from talonone_mcp.sandbox.rule_engine.evaluation import EvaluationOutcome

# By upstream's names of the series: https://docs.talon.one/management-api: getCampaignAnalytics
_OF_EFFECTS = {
    "setDiscount": "campaignDiscountCosts",
    "setDiscountPerItem": "campaignDiscountCosts",
    "addLoyaltyPoints": "addedLoyaltyPoints",
    "deductLoyaltyPoints": "deductedLoyaltyPoints",
}
_COUNTED = {
    "acceptCoupon": "couponRedemptions",
    "acceptReferral": "referralRedemptions",
    "addFreeItem": "campaignFreeItems",
}


def enter_figures(store: DocumentStore, figures: Iterable[Document]) -> None:
    """Store figures of campaigns."""
    for each in figures:
        store.add("campaign_figures", each, parent=each["campaignId"])


def of_closing(now: datetime, session: Document, outcome: EvaluationOutcome) -> Iterator[Document]:
    """Yield a closed session's figures for each campaign that gave something."""
    for campaign in outcome.triggered():
        yield {
            **_common(now, session, campaign),
            "sessions": 1,
            "items": sum(map(units, session["cartItems"])),
            "campaignRevenue": session["total"],
            **series_of(each for each in outcome.effects if each["campaignId"] == campaign),
        }


def of_event(
    now: datetime, application: int, profile: str, outcome: EvaluationOutcome
) -> Iterator[Document]:
    """Yield an event's figures for each campaign that gave something."""
    for campaign in outcome.triggered():
        of_nothing = {"applicationId": application, "profileId": profile, "id": None}
        own = [each for each in outcome.effects if each["campaignId"] == campaign]
        yield _common(now, of_nothing, campaign) | series_of(own)


def of_return(
    now: datetime, session: Document, lost: Mapping[str, float], coupons: int
) -> Iterator[Document]:
    """Yield the figures of a cancelled or partly returned session for its campaigns.

    Args:
        now: when.
        session: the session, with what was applied when it was closed.
        lost: the figures of the whole session; discounts go to the campaigns that gave them.
        coupons: how many of its coupons are usable again.
    """
    applied = session["applied"]
    campaigns = list(dict.fromkeys(each["campaignId"] for each in applied))
    for campaign in campaigns:
        own = [each for each in applied if each["campaignId"] == campaign]
        if any(not each["effectType"].startswith("reject") for each in own):
            redeemed = sum(each["effectType"] == "acceptCoupon" for each in own)
            yield (
                _common(now, session, campaign)
                | dict(lost)
                | {
                    "campaignRefundedDiscounts": _share(session, campaign, lost),
                    "couponRolledbackRedemptions": min(redeemed, coupons),
                }
            )


def _share(session: Document, campaign: int, lost: Mapping[str, float]) -> float:
    """Return the campaign's share of the discounts taken back."""
    by_campaign = [
        (each["campaign"], each["amount"])
        for each in session["used"]
        if each["action"] == "setDiscount"
    ]
    whole = sum(amount for _, amount in by_campaign)
    own = sum(amount for number, amount in by_campaign if number == campaign)
    return round(lost["campaignRefundedDiscounts"] * own / whole, 2) if whole else 0.0


def _common(now: datetime, session: Document, campaign: int) -> Document:
    return {
        "campaignId": campaign,
        "applicationId": session["applicationId"],
        "profileId": session["profileId"],
        "sessionId": session["id"],
        "at": stamp(now),
    }


def series_of(effects: Iterable[Document]) -> dict[str, float]:
    """Return what effects add to each series."""
    sums: dict[str, float] = {}
    for effect in effects:
        kind, props = effect["effectType"], effect["props"]
        if kind in _OF_EFFECTS:
            name, amount = _OF_EFFECTS[kind], props["value"]
        elif kind in _COUNTED:
            name, amount = _COUNTED[kind], 1
        else:
            continue
        sums[name] = round(sums.get(name, 0) + amount, 2)
    return sums
