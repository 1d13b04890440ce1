"""Notifications about points and prices: set up, as older deployments allow, and sent.

Points that become active by the passing of time send nothing here: no request makes them.
"""

from __future__ import annotations

from collections.abc import Mapping

from talonone_mcp.sandbox.documents.conditions import Condition, equal
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.ledgers.ledger import program_of
from talonone_mcp.sandbox.logs.message_log import SentMessage, log_message


def create_points_notification(call: SandboxCall) -> Reply:
    program = program_of(call, cards=False)
    return 200, _created(call, "loyalty_added_deducted_points", program["id"])


def create_pending_points_notification(call: SandboxCall) -> Reply:
    program = program_of(call, cards=False)
    return 200, _created(call, "pending_to_active_points", program["id"])


def create_strikethrough_notification(call: SandboxCall) -> Reply:
    application = call.get("applications", "applicationId")
    return 200, _created(call, "strikethrough_pricing", application["id"])


def _created(call: SandboxCall, kind: str, owner: int) -> Document:
    """Store a notification of a program or an Application, and its webhook with it."""
    enabled = call.arguments.get("enabled", True)
    notification = {"policy": call.arguments["policy"], "enabled": enabled, "type": kind}
    stored = call.store.add("notifications", notification, parent=owner)
    webhook = {
        "id": stored["id"],  # one each, so that they share the number
        "created": stamp(call.now),
        "modified": stamp(call.now),
        "enabled": True,
        **call.arguments["webhook"],
    }
    return call.store.replace("notifications", stored | {"webhook": webhook})


def set_notification_activation(call: SandboxCall) -> Reply:
    notification = call.get("notifications", "notificationId")
    enabled = {"enabled": call.arguments["enabled"]}
    webhook = notification["webhook"] | {"modified": stamp(call.now)}
    call.store.replace("notifications", notification | enabled | {"webhook": webhook})
    return 204, None


_WATCHING = (equal("type", "loyalty_added_deducted_points"), equal("enabled", True))


_CHANGES = {"addition": "LoyaltyPointsAdded", "subtraction": "LoyaltyPointsDeducted"}


def entries_before(call: SandboxCall) -> int | None:
    """Return the id of a request's first new entry; None when no notification watches."""
    if call.operation.risk == "read" or not call.store.count("notifications", *_WATCHING):
        return None
    return call.store.next_id("loyalty_entries")


def notify(call: SandboxCall, first: int) -> None:
    """Log the notifications about entries from `first` on."""
    for entry in call.store.each("loyalty_entries", Condition("id >= ?", (first,))):
        if "cardIdentifier" in entry or entry["type"] not in _CHANGES:
            continue
        watching = call.store.select("notifications", *_WATCHING, parent=entry["programId"])
        for notification in watching:
            log_message(call.store, call.now, _message(notification, entry), call.limits)


def _message(notification: Document, entry: Document) -> SentMessage:
    told = {
        "LoyaltyProgramID": entry["programId"],
        "ProfileIntegrationID": entry["customerProfileId"],
        "SubledgerID": entry["subledgerId"],
        "TransactionUUID": entry["transactionUUID"],
        "TypeOfChange": entry["type"],
        "Amount": entry["amount"],
        "Reason": entry.get("name", ""),
    }
    return SentMessage(
        entity_type="loyalty_program",
        sender=(notification["id"], notification["type"]),
        url=notification["webhook"]["url"],
        payload=told,
        change=_CHANGES[entry["type"]],
        loyalty_program_id=entry["programId"],
    )


HANDLERS: Mapping[str, Handler] = {
    "create_pending_points_notification": create_pending_points_notification,
    "create_points_notification": create_points_notification,
    "create_strikethrough_notification": create_strikethrough_notification,
    "set_notification_activation": set_notification_activation,
}
