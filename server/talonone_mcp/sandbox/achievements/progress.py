"""Customers' progress in achievements, as the effects of rules change it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from talonone_mcp.sandbox.achievements.achievements import is_open
from talonone_mcp.sandbox.achievements.round_periods import is_over, span, status_of
from talonone_mcp.sandbox.customers.profile_records import profile_of
from talonone_mcp.sandbox.documents.conditions import equal
from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.ground.durations import zone_of
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import SandboxCall


def current_round(
    store: DocumentStore, achievement: Document, customer: str, now: datetime
) -> Document | None:
    """Return a customer's current round; None when they may start a new one."""
    latest = store.select(
        "achievement_progress",
        equal("integrationId", customer),
        equal("achievementId", achievement["id"]),
        sort="-id",
        limit=1,
    )
    return latest[0] if latest and not is_over(achievement, latest[0], now) else None


def increase(call: SandboxCall, achievement_id: int, customer: str, value: float) -> list[Document]:
    """Advance a customer in an achievement, as the effect of a rule does.

    Progress stops at the target. What is left of it begins the next round where the achievement
    recurs on completion: https://docs.talon.one/docs/dev/integration-api/api-effects

    Args:
        call: the request.
        achievement_id: which achievement.
        customer: the integration id; the profile is created if it does not exist.
        value: how many actions, or how much spending.

    Returns:
        The properties of the effects `increaseAchievementProgress`, one a round; none when the
        customer cannot make progress now.
    """
    achievement = call.store.get("achievements", achievement_id)
    if achievement is None or not is_open(call, achievement):
        return []
    profile_of(call, customer)
    effects = []
    while value > 0:
        moved = _advance(call, achievement, customer, value)
        if moved is None:
            break
        effects.append(moved)
        value = round(value - moved["delta"], 6)
        if achievement["recurrencePolicy"] != "on_completion":
            break
    return effects


def _advance(
    call: SandboxCall, achievement: Document, customer: str, value: float
) -> dict[str, Any] | None:
    """Advance a customer in one round, up to the target; return None when it is closed."""
    target = achievement["target"]
    round_ = current_round(call.store, achievement, customer, call.now)
    if round_ is None:
        round_ = _begun(call, achievement, customer)
    elif status_of(round_, call.now) != "inprogress":
        return None
    delta = min(value, round(target - round_["progress"], 6))
    progress = round(round_["progress"] + delta, 6)
    completed = progress >= target
    changes = {"progress": progress} | ({"completionDate": stamp(call.now)} if completed else {})
    call.store.replace("achievement_progress", round_ | changes)
    return {
        "achievementId": achievement["id"],
        "achievementName": achievement["name"],
        "progressTrackerId": round_["id"],
        "delta": delta,
        "value": progress,
        "target": target,
        "isJustCompleted": completed,
    }


def _begun(call: SandboxCall, achievement: Document, customer: str) -> Document:
    application = call.store.get("applications", achievement["applicationId"]) or {}
    zone = zone_of(application.get("timezone", "UTC"))
    round_ = new_round(achievement, customer, stamp(call.now)) | span(achievement, call.now, zone)
    return call.store.add("achievement_progress", round_, parent=achievement["campaignId"])


def new_round(achievement: Document, customer: str, created: str) -> Document:
    """Return a round without progress and without dates."""
    return {
        "created": created,
        "achievementId": achievement["id"],
        "integrationId": customer,
        "progress": 0,
    }


def decrease(call: SandboxCall, tracker_id: int, value: float) -> Document | None:
    """Take progress back, as a cancelled or reopened session does.

    A completed round gives it back only where the achievement allows that, and never where it
    recurs on completion: https://docs.talon.one/docs/dev/integration-api/api-effects

    Args:
        call: the request.
        tracker_id: `progressTrackerId` of the effect that increased it.
        value: its `delta`.

    Returns:
        The properties of the effect `rollbackIncreasedAchievementProgress`; None when the progress
        stays.
    """
    round_ = call.store.get("achievement_progress", tracker_id)
    achievement = round_ and call.store.get("achievements", round_["achievementId"])
    if not round_ or not achievement:
        return None
    may = achievement.get("allowRollbackAfterCompletion", False)
    recurs = achievement["recurrencePolicy"] == "on_completion"
    if "completionDate" in round_ and (recurs or not may):
        return None
    delta = min(value, round_["progress"])
    progress = round(round_["progress"] - delta, 6)
    kept = {key: each for key, each in round_.items() if key != "completionDate"}
    call.store.replace("achievement_progress", kept | {"progress": progress})
    return {
        "achievementId": achievement["id"],
        "achievementName": achievement["name"],
        "progressTrackerId": tracker_id,
        "decreaseProgressBy": delta,
        "currentProgress": progress,
        "target": achievement["target"],
    }
