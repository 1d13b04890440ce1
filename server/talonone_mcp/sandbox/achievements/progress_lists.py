"""Customers' progress in achievements, as shops and support read it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from talonone_mcp.sandbox.achievements.achievements import standing
from talonone_mcp.sandbox.achievements.progress import current_round
from talonone_mcp.sandbox.achievements.round_periods import status_of
from talonone_mcp.sandbox.customers.profile_records import existing_profile, find_profile
from talonone_mcp.sandbox.documents.conditions import (
    Condition,
    Where,
    column,
    contains,
    either,
    equal,
    within,
)
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.csv_files import CsvExport
from talonone_mcp.sandbox.handling.pages import page, page_of


def _shown(round_: Document | None, now: datetime) -> Document:
    """Return a customer's progress as upstream shows it, even if there is none."""
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


def progress_with_definition(call: SandboxCall, achievement: Document, customer: str) -> Document:
    """Return a customer's progress together with the achievement's definition."""
    definition = {key: achievement[name] for key, name in _DEFINED.items() if name in achievement}
    return _shown(current_round(call.store, achievement, customer, call.now), call.now) | definition


def progress_in(
    call: SandboxCall, application: int, customer: str, *where: Where
) -> list[Document]:
    """Return a customer's progress in each of an Application's achievements."""
    found = call.store.select("achievements", equal("applicationId", application), *where)
    return [progress_with_definition(call, each, customer) for each in found]


def list_customer_achievement_progress(call: SandboxCall) -> Reply:
    application = call.get("applications", "applicationId")["id"]
    customer = call.arguments["integrationId"]
    if find_profile(call.store, customer) is None:
        return 200, page_of(call, [], total=False)
    asked = call.arguments
    where = (equal("id", asked.get("achievementId")), contains("title", asked.get("title")))
    return 200, page_of(call, progress_in(call, application, customer, *where), total=False)


def list_customer_achievements(call: SandboxCall) -> Reply:
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


def _numbered(call: SandboxCall, argument: str, field: str) -> Where:
    """Match documents by ids, which the request gives as strings."""
    texts = call.arguments.get(argument)
    if not texts:
        return None
    if not all(map(str.isdigit, texts)):
        raise RefusalError(400, f"{argument} must be numbers", parameter=argument)
    return either(*(equal(field, int(text)) for text in texts))


def list_customer_achievement_history(call: SandboxCall) -> Reply:
    customer = existing_profile(call, call.arguments["integrationId"])["integrationId"]
    achievement = call.get("achievements", "achievementId")
    if achievement["applicationId"] != call.application_id:
        raise RefusalError(404, "achievement does not exist", resource="achievement")
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
    """Match rounds in a state, as `status_of` defines it."""
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


def export_achievement(call: SandboxCall) -> Reply:
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
    return 200, CsvExport(_EXPORTED, rows)


HANDLERS: Mapping[str, Handler] = {
    "list_customer_achievement_progress": list_customer_achievement_progress,
    "list_customer_achievements": list_customer_achievements,
    "list_customer_achievement_history": list_customer_achievement_history,
    "export_achievement": export_achievement,
}
