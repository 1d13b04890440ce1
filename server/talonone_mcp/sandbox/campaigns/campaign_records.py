"""What a campaign is: its state and schedule, its counters, and how upstream shows it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from talonone_mcp.sandbox.documents.conditions import (
    Condition,
    Where,
    column,
    contains,
    either,
    holds_part,
)
from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import stamp


def frontend_state(campaign: Document, now: datetime) -> str:
    """Return the displayed state: the stored one, or the schedule's when enabled."""
    if campaign["state"] != "enabled":
        return str(campaign["state"])
    at = stamp(now)
    if campaign.get("startTime", at) > at:
        return "scheduled"
    if campaign.get("endTime", "9999") <= at:
        return "expired"
    return "running"


def in_state(state: str | None, now: datetime) -> Where:
    """Match campaigns in a state, either stored or displayed."""
    if state is None:
        return None
    start, end = (f"coalesce({column(name)}, ?)" for name in ("startTime", "endTime"))
    at = stamp(now)
    shown = (
        f"CASE WHEN {start} > ? THEN 'scheduled' WHEN {end} <= ? THEN 'expired' ELSE 'running' END"
    )
    return Condition(
        f"{column('state')} = ? OR ({column('state')} = 'enabled' AND {shown} = ?)",
        (state, at, at, "9999", at, state),
    )


def campaign_shown(campaign: Document, now: datetime) -> Document:
    """Return a campaign as upstream shows it: with its state and its budgets."""
    return {
        **campaign,
        "frontendState": frontend_state(campaign, now),
        "budgets": [
            {
                "action": each["action"],
                "limit": each["limit"],
                "counter": used_of_limit(campaign, each),
            }
            for each in campaign["limits"]
        ],
    }


# The counter of a campaign that a limit on an action is measured by
COUNTED = {
    "redeemCoupon": "couponRedemptionCount",
    "createCoupon": "couponCreationCount",
    "redeemReferral": "referralRedemptionCount",
    "createReferral": "referralCreationCount",
    "setDiscount": "discountCount",
    "setDiscountEffect": "discountEffectCount",
    "addFreeItem": "addFreeItemEffectCount",
    "createLoyaltyPoints": "createdLoyaltyPointsCount",
    "redeemLoyaltyPoints": "redeemedLoyaltyPointsCount",
    "callApi": "callApiEffectCount",
    "reserveCoupon": "reservecouponEffectCount",
    "awardGiveaway": "awardedGiveawaysCount",
    "customEffect": "customEffectCount",
    "createLoyaltyPointsEffect": "createdLoyaltyPointsEffectCount",
    "redeemLoyaltyPointsEffect": "redeemedLoyaltyPointsEffectCount",
}


def used_of_limit(campaign: Document, limit: Document) -> float:
    """Return how much of a campaign's limit is used."""
    return _number(campaign.get(COUNTED.get(limit["action"], ""), 0))


def _number(value: float) -> float:
    """Round off floating-point noise; return whole sums as integers."""
    return int(value) if value == int(value) else round(value, 6)


def add_to_counters(store: DocumentStore, number: int, **more: float) -> None:
    """Add to a campaign's counters, by upstream's names."""
    campaign = store.get("campaigns", number)
    if campaign:
        sums = {
            name: _number(max(campaign.get(name, 0) + count, 0)) for name, count in more.items()
        }
        store.replace("campaigns", campaign | sums)


COUNTERS = tuple(COUNTED.values())


def named_or_tagged(asked: Mapping[str, Any]) -> Where:
    """Match part of the name or of a tag; given both, either suffices."""
    return either(contains("name", asked.get("name")), holds_part("tags", asked.get("tags")))


def check_schedule(document: Document) -> None:
    start, end = document.get("startTime"), document.get("endTime")
    if start and end and end <= start:
        raise RefusalError(400, "endTime must be after startTime", pointer="/endTime")
