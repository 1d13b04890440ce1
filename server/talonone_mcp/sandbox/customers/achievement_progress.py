"""Customers' progress in achievements: moved by effects, read by shops and by support."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from talonone_mcp.sandbox.conditions import (
    Condition,
    Where,
    column,
    contains,
    either,
    equal,
    within,
)
from talonone_mcp.sandbox.customers.achievement_rounds import is_over, span, status_of
from talonone_mcp.sandbox.customers.achievements import is_open, standing
from talonone_mcp.sandbox.customers.customers import existing_profile, find_profile, profile_of
from talonone_mcp.sandbox.errors import UpstreamError
from talonone_mcp.sandbox.handling import Call, Csv, Handler, Reply, page, page_of
from talonone_mcp.sandbox.loyalty.durations import zone_of
from talonone_mcp.sandbox.store import Document, Store
from talonone_mcp.sandbox.times import stamp


def current_round(
    store: Store, achievement: Document, customer: str, now: datetime
) -> Document | None:
    """Return the round that a customer is in; None when they may begin one."""
    latest = store.select(
        "achievement_progress",
        equal("integrationId", customer),
        equal("achievementId", achievement["id"]),
        sort="-id",
        limit=1,
    )
    return latest[0] if latest and not is_over(achievement, latest[0], now) else None


def increase(call: Call, achievement_id: int, customer: str, value: float) -> list[Document]:
    """Move a customer on in an achievement, as the effect of a rule does.

    Progress stops at the target. What is left of it begins the next round where the achievement
    recurs on completion: https://docs.talon.one/docs/dev/integration-api/api-effects

    Args:
        call: the request.
        achievement_id: which achievement.
        customer: the integration id; the profile comes into being if need be.
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
    call: Call, achievement: Document, customer: str, value: float
) -> dict[str, Any] | None:
    """Move a customer on in one round, at most to the target; None when it is closed."""
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


def _begun(call: Call, achievement: Document, customer: str) -> Document:
    application = call.store.get("applications", achievement["applicationId"]) or {}
    zone = zone_of(application.get("timezone", "UTC"))
    round_ = new_round(achievement, customer, stamp(call.now)) | span(achievement, call.now, zone)
    return call.store.add("achievement_progress", round_, parent=achievement["campaignId"])


def new_round(achievement: Document, customer: str, created: str) -> Document:
    """Return a round in which nothing has happened yet, and which has no times."""
    return {
        "created": created,
        "achievementId": achievement["id"],
        "integrationId": customer,
        "progress": 0,
    }


def decrease(call: Call, tracker_id: int, value: float) -> Document | None:
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


# --- Reading -------------------------------------------------------------------------------------


def _shown(round_: Document | None, now: datetime) -> Document:
    """Return a customer's progress as upstream shows it, where there is none as well."""
    if round_ is None:
        return {"status": "not_started", "progress": 0}
    times = ("startDate", "completionDate", "endDate")
    return {"status": status_of(round_, now), "progress": round_["progress"]} | {
        key: round_[key] for key in times if key in round_
    }


_DEFINED = {
    "achievementId": "id",
    "name": "name",
    "title": "title",
    "description": "description",
    "campaignId": "campaignId",
    "target": "target",
    "achievementRecurrencePolicy": "recurrencePolicy",
    "achievementActivationPolicy": "activationPolicy",
    "achievementFixedStartDate": "fixedStartDate",
    "achievementEndDate": "endDate",
    "achievementAllowRollbackAfterCompletion": "allowRollbackAfterCompletion",
}


def progress_with_definition(call: Call, achievement: Document, customer: str) -> Document:
    """Return a customer's progress together with what the achievement asks for."""
    definition = {key: achievement[name] for key, name in _DEFINED.items() if name in achievement}
    return _shown(current_round(call.store, achievement, customer, call.now), call.now) | definition


def progress_in(call: Call, application: int, customer: str, *where: Where) -> list[Document]:
    """Return a customer's progress in each of an Application's achievements."""
    found = call.store.select("achievements", equal("applicationId", application), *where)
    return [progress_with_definition(call, each, customer) for each in found]


def list_customer_achievement_progress(call: Call) -> Reply:
    application = call.get("applications", "applicationId")["id"]
    customer = call.arguments["integrationId"]
    if find_profile(call.store, customer) is None:
        return 200, page_of(call, [], total=False)
    asked = call.arguments
    where = (equal("id", asked.get("achievementId")), contains("title", asked.get("title")))
    return 200, page_of(call, progress_in(call, application, customer, *where), total=False)


def list_customer_achievements(call: Call) -> Reply:
    customer = existing_profile(call, call.arguments["integrationId"])["integrationId"]
    wanted = call.arguments.get("achievementStatus") or ["active"]
    progress = call.arguments.get("currentProgressStatus")
    found = []
    for achievement in call.store.select(
        "achievements",
        equal("applicationId", call.application_id),
        _numbered(call, "campaignIds", "campaignId"),
        _numbered(call, "achievementIds", "id"),
    ):
        status = standing(call, achievement)
        now = _shown(current_round(call.store, achievement, customer, call.now), call.now)
        if status in wanted and (not progress or now["status"] in progress):
            shown = {key: each for key, each in achievement.items() if key not in _HIDDEN}
            found.append(shown | {"status": status, "currentProgress": now})
    return 200, page_of(call, found, total=True)


_HIDDEN = ("applicationId", "userId", "createdBy")


def _numbered(call: Call, argument: str, field: str) -> Where:
    """Ask for documents by a list of ids, which the request gives as texts."""
    texts = call.arguments.get(argument)
    if not texts:
        return None
    if not all(map(str.isdigit, texts)):
        raise UpstreamError(400, f"{argument} must be numbers", parameter=argument)
    return either(*(equal(field, int(text)) for text in texts))


def list_customer_achievement_history(call: Call) -> Reply:
    customer = existing_profile(call, call.arguments["integrationId"])["integrationId"]
    achievement = call.get("achievements", "achievementId")
    if achievement["applicationId"] != call.application_id:
        raise UpstreamError(404, "achievement does not exist", resource="achievement")
    asked = call.arguments
    return 200, page(
        call,
        "achievement_progress",
        equal("integrationId", customer),
        equal("achievementId", achievement["id"]),
        within("created", asked.get("startDate"), asked.get("endDate")),
        either(*(_in_status(each, call.now) for each in asked.get("progressStatus", ()))),
        total=True,
        present=lambda each: _shown(each, call.now),
    )


def _in_status(status: str, now: datetime) -> Condition:
    """Ask for rounds in a state, as `status_of` tells it."""
    done = f"{column('completionDate')} IS NOT NULL"
    ended = f"coalesce({column('endDate')}, '9999') <= ?"
    conditions = {
        "completed": Condition(done),
        "expired": Condition(f"NOT ({done}) AND {ended}", (stamp(now),)),
        "inprogress": Condition(f"NOT ({done}) AND NOT ({ended})", (stamp(now),)),
    }
    return conditions[status]


_EXPORTED = ("profileIntegrationID", "title", "target", "progress", "status", "startDate",
             "endDate", "completionDate")  # fmt: skip


def export_achievement(call: Call) -> Reply:
    call.get("campaigns", "campaignId", parent="applicationId")
    achievement = call.get("achievements", "achievementId", parent="campaignId")
    rows = (
        {
            "profileIntegrationID": each["integrationId"],
            "title": achievement["title"],
            "target": achievement["target"],
            **_shown(each, call.now),
        }
        for each in call.store.each(
            "achievement_progress", equal("achievementId", achievement["id"])
        )
    )
    return 200, Csv(_EXPORTED, rows)


HANDLERS: Mapping[str, Handler] = {
    "list_customer_achievement_progress": list_customer_achievement_progress,
    "list_customer_achievements": list_customer_achievements,
    "list_customer_achievement_history": list_customer_achievement_history,
    "export_achievement": export_achievement,
}
