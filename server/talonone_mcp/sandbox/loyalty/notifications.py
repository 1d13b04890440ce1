"""Notifications about points and prices, which older deployments let one set up."""

from __future__ import annotations

from collections.abc import Mapping

from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.ledgers.ledger import program_of


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


HANDLERS: Mapping[str, Handler] = {
    "create_pending_points_notification": create_pending_points_notification,
    "create_points_notification": create_points_notification,
    "create_strikethrough_notification": create_strikethrough_notification,
    "set_notification_activation": set_notification_activation,
}
