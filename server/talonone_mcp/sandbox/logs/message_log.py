"""The message log: the notifications and webhook calls that upstream would have sent.

The sandbox sends nothing: it logs messages as if their receivers had answered.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from talonone_mcp.sandbox.documents.conditions import (
    Condition,
    Where,
    among,
    column,
    equal,
    filled,
    whether,
    within,
)
from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.ground.limits import USUAL_LIMITS, SandboxLimits
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.pages import page
from talonone_mcp.sandbox.logs.retention import keep_entry

_PERIODS = {
    "15m": timedelta(minutes=15),
    "30m": timedelta(minutes=30),
    "1h": timedelta(hours=1),
    "4h": timedelta(hours=4),
    "1d": timedelta(days=1),
    "2d": timedelta(days=2),
}


@dataclass(frozen=True, slots=True)
class SentMessage:
    """An outgoing message.

    `entity_type` is "application", "loyalty_program" or "webhook"; `change` one of the documented
    change types, None for a webhook; `sender` the notification's or webhook's id and name, and
    `status` how its receiver answered.
    """

    entity_type: str
    sender: tuple[int, str]
    url: str
    payload: Mapping[str, Any]
    change: str | None = None
    application_id: int | None = None
    campaign_id: int | None = None
    loyalty_program_id: int | None = None
    status: int = 200
    response: str = ""


def log_message(
    store: DocumentStore,
    at: datetime,
    message: SentMessage,
    limits: SandboxLimits = USUAL_LIMITS,
) -> None:
    """Log a message as sent."""
    number, name = message.sender
    webhook = message.entity_type == "webhook"
    answered = stamp(at + timedelta(milliseconds=120))
    entry = {
        "uuid": str(UUID(int=store.next_id("message_logs") << 80 | 0x4 << 76 | 0x8 << 60)),
        "service": "WebhookService" if webhook else "NotificationService",
        "changeType": message.change,
        "webhookId" if webhook else "notificationId": number,
        "webhookName" if webhook else "notificationName": name,
        "request": {"createdAt": stamp(at), "request": _encoded(json.dumps(message.payload))},
        "response": {
            "createdAt": answered,
            "response": _encoded(message.response),
            "status": message.status,
        },
        "createdAt": stamp(at),
        "entityType": message.entity_type,
        "url": message.url,
        "applicationId": message.application_id,
        "campaignId": message.campaign_id,
        "loyaltyProgramId": message.loyalty_program_id,
    }
    given = {key: each for key, each in entry.items() if each is not None}
    keep_entry(store, "message_logs", given, limits)


def _encoded(text: str) -> str:
    return b64encode(text.encode()).decode()


def _decoded(text: str) -> str:
    return b64decode(text).decode()


def list_message_logs(call: SandboxCall) -> Reply:
    asked, size = call.arguments, call.limits.messages_per_page
    found = call.store.select(
        "message_logs",
        equal("entityType", asked["entityType"]),
        equal("uuid", asked.get("messageID")),
        equal("changeType", asked.get("changeType")),
        among("notificationId", _numbers(asked.get("notificationIDs"))),
        among("webhookId", _numbers(asked.get("webhookIDs"))),
        equal("applicationId", asked.get("applicationId")),
        equal("campaignId", asked.get("campaignId")),
        equal("loyaltyProgramId", asked.get("loyaltyProgramId")),
        equal("response.status", asked.get("responseCode")),
        whether(_succeeded(), asked.get("isSuccessful")),
        within("createdAt", asked.get("createdAfter"), asked.get("createdBefore")),
        within("createdAt", _start_of(asked.get("period"), call.now)),
        _after(asked.get("cursor")),
        limit=size + 1,
    )
    answer: Document = {"data": [_present(each) for each in found[:size]]}
    if len(found) > size:
        answer["nextCursor"] = _encoded(str(found[size - 1]["id"]))
    return 200, answer


def _numbers(text: str | None) -> list[int] | None:
    return (
        None
        if text is None
        else [int(each) for each in text.split(",") if each.strip().isdecimal()]
    )


def _succeeded() -> Condition:
    return Condition(f"{column('response.status')} BETWEEN 200 AND 299")


def _start_of(period: str | None, now: datetime) -> str | None:
    return stamp(now - _PERIODS[period]) if period else None


def _after(cursor: str | None) -> Where:
    if cursor is None:
        return None
    try:
        return Condition("id > ?", (int(_decoded(cursor)),))
    except ValueError:
        said = "the cursor is none that an answer gave"
        raise RefusalError(400, said, parameter="cursor") from None


def _present(entry: Document) -> Document:
    shown = {key: value for key, value in entry.items() if key != "uuid"}
    return shown | {"id": entry["uuid"]}


def list_webhook_logs(call: SandboxCall) -> Reply:
    asked = call.arguments
    status = asked.get("status")
    return 200, page(
        call,
        "message_logs",
        equal("entityType", "webhook"),
        equal("uuid", asked.get("requestUuid")),
        whether(_succeeded(), None if status is None else status == "success"),
        *_of_webhook(asked),
        total=True,
        present=_as_webhook_log,
    )


def _of_webhook(asked: Mapping[str, Any]) -> list[Where]:
    return [
        equal("webhookId", asked.get("webhookId")),
        equal("applicationId", asked.get("applicationId")),
        equal("campaignId", asked.get("campaignId")),
        within("createdAt", asked.get("createdAfter"), asked.get("createdBefore")),
    ]


def _as_webhook_log(entry: Document) -> Document:
    request, response = entry["request"], entry["response"]
    shown = {
        "id": str(entry["id"]),
        "integrationRequestUuid": entry["uuid"],
        "webhookId": entry["webhookId"],
        "url": entry["url"],
        "request": _decoded(request["request"]),
        "response": _decoded(response["response"]),
        "status": response["status"],
        "requestTime": request["createdAt"],
        "responseTime": response["createdAt"],
    }
    place = {key: entry[key] for key in ("applicationId",) if key in entry}
    return shown | place


def list_webhook_activation_logs(call: SandboxCall) -> Reply:
    return 200, page(
        call,
        "message_logs",
        equal("entityType", "webhook"),
        filled("campaignId"),
        equal("uuid", call.arguments.get("integrationRequestUuid")),
        *_of_webhook(call.arguments),
        total=True,
        present=_as_activation,
    )


def _as_activation(entry: Document) -> Document:
    return {
        "integrationRequestUuid": entry["uuid"],
        "webhookId": entry["webhookId"],
        "applicationId": entry["applicationId"],
        "campaignId": entry["campaignId"],
        "created": entry["createdAt"],
    }


HANDLERS: Mapping[str, Handler] = {
    "list_message_logs": list_message_logs,
    "list_webhook_activation_logs": list_webhook_activation_logs,
    "list_webhook_logs": list_webhook_logs,
}
