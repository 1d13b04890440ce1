"""The demo account's achievements, and how far some customers are in them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from talonone_mcp.sandbox.achievements.achievements import new_achievement
from talonone_mcp.sandbox.achievements.progress import new_round
from talonone_mcp.sandbox.achievements.round_periods import span
from talonone_mcp.sandbox.demo.customers import CUSTOMERS
from talonone_mcp.sandbox.demo.demo_account import DemoAccount
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.durations import zone_of
from talonone_mcp.sandbox.ground.timestamps import moment, stamp

_ACHIEVEMENTS: dict[int, tuple[int, dict[str, Any]]] = {
    45: (18, {
        "name": "FiveSummerOrders",
        "title": "Five summer orders",
        "description": "Five orders within a month",
        "target": 5,
        "period": "1M",
        "recurrencePolicy": "on_expiration",
        "allowRollbackAfterCompletion": True,
    }),
    321: (19, {
        "name": "SpendFiveHundred",
        "title": "Spend 500 in a year",
        "description": "Orders worth 500 in a calendar year",
        "target": 500,
        "period": "1Y_U",
    }),
    322: (19, {
        "name": "FreeCoffee10Orders",
        "title": "Every tenth order a coffee",
        "description": "A free coffee for every tenth order",
        "target": 10,
        "recurrencePolicy": "on_completion",
    }),
    323: (20, {
        "name": "WinterWeeks",
        "title": "Three orders a winter week",
        "description": "Three orders in a week of the winter sale",
        "target": 3,
        "period": "1W",
        "recurrencePolicy": "on_expiration",
        "activationPolicy": "fixed_schedule",
    }),
}  # fmt: skip

# By achievement: the customer's place, days ago of the first step, and how much was done
_ROUNDS = {
    45: ((0, 45, 5), (0, 9, 2), (1, 40, 3), (2, 12, 4), (3, 20, 5), (5, 6, 1)),
    321: ((0, 25, 214.5), (4, 18, 500), (5, 3, 89.9)),
    322: ((1, 28, 10), (1, 14, 6), (5, 8, 4)),
}


def fill(account: DemoAccount) -> None:
    """Fill this part of the account."""
    zone = zone_of("Europe/Berlin")
    for number, (campaign_id, settings) in _ACHIEVEMENTS.items():
        campaign = account.store.get("campaigns", campaign_id) or {}
        if "achievements" not in campaign["features"]:
            features = [*campaign["features"], "achievements"]
            account.store.replace("campaigns", campaign | {"features": features})
        achievement = new_achievement(
            campaign, account.day(-70), {"id": number} | settings | _schedule(campaign, settings)
        )
        account.store.add("achievements", achievement, parent=campaign_id)
        for place, days_ago, progress in _ROUNDS.get(number, ()):
            began = account.now - timedelta(days=days_ago)
            times = span(achievement, began, zone)
            round_ = new_round(achievement, CUSTOMERS[place], stamp(began)) | times
            account.store.add(
                "achievement_progress",
                round_ | _done(account, achievement, times, progress),
                parent=campaign_id,
            )


def _schedule(campaign: Document, settings: dict[str, Any]) -> dict[str, Any]:
    """Let an achievement of a fixed schedule begin with its campaign."""
    is_fixed = settings.get("activationPolicy") == "fixed_schedule"
    return {"fixedStartDate": campaign["startTime"]} if is_fixed else {}


def _done(
    account: DemoAccount, achievement: Document, times: dict[str, str], progress: float
) -> dict[str, Any]:
    """Return progress, and, where it reaches the target, when: halfway through the round so far."""
    if progress < achievement["target"]:
        return {"progress": progress}
    until = min(times.get("endDate", stamp(account.now)), stamp(account.now))
    start = moment(times["startDate"])
    completed = stamp(start + (moment(until) - start) / 2)
    return {"progress": progress, "completionDate": completed}
