"""Achievements of campaigns: targets that customers reach in rounds, once or again and again."""

from __future__ import annotations

from collections.abc import Mapping

from talonone_mcp.sandbox.campaigns.campaign_records import frontend_state
from talonone_mcp.sandbox.documents.conditions import contains, equal
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.account_facts import USER_NAME
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.pages import page

_DEFAULTS = {
    "recurrencePolicy": "no_recurrence",
    "activationPolicy": "user_action",
    "allowRollbackAfterCompletion": False,
}


def standing(call: SandboxCall, achievement: Document) -> str | None:
    """Return "active" or "scheduled", as customers see it; None once it is over."""
    campaign = call.store.get("campaigns", achievement["campaignId"]) or {}
    state = frontend_state(campaign, call.now)
    at = stamp(call.now)
    if state not in ("running", "scheduled") or achievement.get("endDate", "9999") <= at:
        return None
    starts_later = state == "scheduled" or achievement.get("fixedStartDate", at) > at
    return "scheduled" if starts_later else "active"


def is_open(call: SandboxCall, achievement: Document) -> bool:
    """Return whether customers can make progress in it now."""
    return standing(call, achievement) == "active"


def _shown(call: SandboxCall, achievement: Document) -> Document:
    """Return an achievement as upstream shows it: with its status and whether anyone takes part."""
    status = {"active": "inprogress", "scheduled": "not_started", None: "expired"}
    progress = call.store.select(
        "achievement_progress", equal("achievementId", achievement["id"]), limit=1
    )
    shown = {key: value for key, value in achievement.items() if key != "applicationId"}
    return shown | {
        "hasProgress": bool(progress),
        "status": status[standing(call, achievement)],
    }


def list_achievements(call: SandboxCall) -> Reply:
    campaign = call.get("campaigns", "campaignId", parent="applicationId")
    return 200, page(
        call,
        "achievements",
        contains("title", call.arguments.get("title")),
        parent=campaign["id"],
        total=False,
        present=lambda each: _shown(call, each),
    )


def create_achievement(call: SandboxCall) -> Reply:
    campaign = call.get("campaigns", "campaignId", parent="applicationId")
    achievement = new_achievement(campaign, stamp(call.now), call.body)
    _check(achievement)
    for field in ("name", "title"):
        if _is_taken(call, achievement, field):
            raise RefusalError(409, f"an achievement with this {field} exists", pointer=f"/{field}")
    added = call.store.add("achievements", achievement, parent=campaign["id"])
    return 201, _shown(call, added)


def new_achievement(campaign: Document, created: str, settings: Mapping[str, object]) -> Document:
    """Return an achievement as it is stored: the request's values over the defaults."""
    return {
        "created": created,
        **_DEFAULTS,
        **settings,
        "campaignId": campaign["id"],
        "applicationId": campaign["applicationId"],
        "userId": campaign["userId"],
        "createdBy": USER_NAME,
    }


def _check(achievement: Document) -> None:
    """Refuse a target that nobody can reach, or settings that contradict each other."""
    if achievement["target"] <= 0:
        raise RefusalError(400, "target must be more than 0", pointer="/target")
    is_fixed = achievement["activationPolicy"] == "fixed_schedule"
    if is_fixed and "fixedStartDate" not in achievement:
        raise RefusalError(400, "fixed_schedule needs fixedStartDate", pointer="/fixedStartDate")
    start, end = achievement.get("fixedStartDate"), achievement.get("endDate")
    if is_fixed and start and end and end <= start:
        raise RefusalError(400, "endDate must be after fixedStartDate", pointer="/endDate")


def _is_taken(call: SandboxCall, achievement: Document, field: str) -> bool:
    found = call.store.select(
        "achievements", equal(field, achievement[field]), parent=achievement["campaignId"]
    )
    return any(each["id"] != achievement.get("id") for each in found)


def _achievement(call: SandboxCall) -> Document:
    call.get("campaigns", "campaignId", parent="applicationId")
    return call.get("achievements", "achievementId", parent="campaignId")


def get_achievement(call: SandboxCall) -> Reply:
    return 200, _shown(call, _achievement(call))


def update_achievement(call: SandboxCall) -> Reply:
    achievement = _achievement(call)
    changed = achievement | call.body
    if changed["name"] != achievement["name"]:
        raise RefusalError(400, "the name cannot be changed", pointer="/name")
    _check(changed)
    if _is_taken(call, changed, "title"):
        raise RefusalError(400, "an achievement with this title exists", pointer="/title")
    return 200, _shown(call, call.store.replace("achievements", changed))


def delete_achievement(call: SandboxCall) -> Reply:
    achievement = _achievement(call)
    call.store.delete_where("achievement_progress", equal("achievementId", achievement["id"]))
    call.store.delete("achievements", achievement["id"])
    return 204, None


HANDLERS: Mapping[str, Handler] = {
    "list_achievements": list_achievements,
    "create_achievement": create_achievement,
    "get_achievement": get_achievement,
    "update_achievement": update_achievement,
    "delete_achievement": delete_achievement,
}
