"""The messages of notifications about points: one for each entry of a ledger that a request makes.

Points that become active by the passing of time send nothing here: no request makes them.
"""

from __future__ import annotations

from talonone_mcp.sandbox.documents.conditions import Condition, equal
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.handling.calls import SandboxCall
from talonone_mcp.sandbox.logs.message_log import SentMessage, send

_WATCHING = (equal("type", "loyalty_added_deducted_points"), equal("enabled", True))
_CHANGES = {"addition": "LoyaltyPointsAdded", "subtraction": "LoyaltyPointsDeducted"}


def entries_before(call: SandboxCall) -> int | None:
    """Return where the entries of a request will begin; None when nobody is to be told of them."""
    if call.operation.risk == "read" or not call.store.count("notifications", *_WATCHING):
        return None
    return call.store.next_id("loyalty_entries")


def tell(call: SandboxCall, first: int) -> None:
    """Log what the notifications of each program say of its entries from `first` on."""
    for entry in call.store.each("loyalty_entries", Condition("id >= ?", (first,))):
        if "cardIdentifier" in entry or entry["type"] not in _CHANGES:
            continue
        watching = call.store.select("notifications", *_WATCHING, parent=entry["programId"])
        for notification in watching:
            send(call.store, call.now, _message(notification, entry), call.limits)


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
