"""Rolls back a session's loyalty points when it is cancelled, reopened or returned."""

from __future__ import annotations

from talonone_mcp.sandbox.documents.conditions import equal
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.handling.calls import SandboxCall
from talonone_mcp.sandbox.ledgers.additions import add_points
from talonone_mcp.sandbox.ledgers.deductions import withdraw
from talonone_mcp.sandbox.ledgers.ledger import program_by_id
from talonone_mcp.sandbox.ledgers.points import (
    IMMEDIATE,
    UNLIMITED,
    PointsCause,
    available,
    holder_of,
    phase,
    rounded,
)


def undo_session(
    call: SandboxCall, application_id: int, session_id: str, *, share: float = 1.0
) -> list[Document]:
    """Take back the points that a session gave, and return those that it took.

    How far active points are taken back is the program's return policy.

    Args:
        call: the request.
        application_id: the session's Application.
        session_id: the session's integration id.
        share: how much of it, 1 being all; less for a partial return.

    Returns:
        The new entries: subtractions of points that were given, additions of those that were taken.

    Source: https://docs.talon.one/management-api: LoyaltyProgram, returnPolicy
    """
    where = (equal("customerSessionId", session_id), equal("applicationId", application_id))
    new: list[Document] = []
    for each in call.store.select("loyalty_entries", *where):
        entry = call.store.get("loyalty_entries", each["id"]) or each  # those before it may use it
        wanted = rounded(min(entry["amount"] * share, entry["amount"] - entry.get("undone", 0)))
        if wanted <= 0 or "undoes" in entry:
            continue
        undo = _take_back if entry["type"] == "addition" else _give_back
        new += undo(call, entry, wanted)
        current = call.store.get("loyalty_entries", entry["id"]) or entry
        undone = {"undone": rounded(current.get("undone", 0) + wanted)}
        call.store.replace("loyalty_entries", current | undone)
    return new


def _cause(entry: Document) -> PointsCause:
    return PointsCause(
        name=entry["name"],
        application_id=entry.get("applicationId"),
        session_id=entry["customerSessionId"],
        campaign_id=entry.get("campaignId"),
        ruleset_id=entry.get("rulesetId"),
        rule_name=entry.get("ruleName"),
        event_id=entry.get("eventId"),
        undoes=entry["id"],
    )


def _take_back(call: SandboxCall, entry: Document, wanted: float) -> list[Document]:
    """Subtract points that a session gave, as far as the policy allows."""
    holder, subledger = holder_of(entry), entry["subledgerId"]
    policy = program_by_id(call.store, holder).get("returnPolicy", "only_pending")
    if phase(entry, call.now) == "pending":
        amount, lots = min(wanted, entry["left"]), [entry]
    elif policy == "only_pending":
        return []
    else:
        there = available(call.store, holder, call.now, subledger)
        amount = wanted if policy == "unlimited" else min(wanted, there)
        lots = [entry] if phase(entry, call.now) == "active" and entry["left"] else []
    if amount <= 0:
        return []
    return [withdraw(call, holder, amount, subledger=subledger, cause=_cause(entry), first=lots)]


def _give_back(call: SandboxCall, entry: Document, wanted: float) -> list[Document]:
    """Add points that a session took, with the expiry dates that they had."""
    passed, parts = entry.get("undone", 0), list[tuple[str, float]]()
    for use in call.store.select("loyalty_uses", equal("by", entry["id"])):
        given, passed = min(use["amount"], passed), max(passed - use["amount"], 0)
        if part := rounded(min(use["amount"] - given, wanted)):
            parts.append((use["expiryDate"], part))
            wanted = rounded(wanted - part)
    if wanted:  # was taken beyond all points: it makes up for what is owed
        parts.append((UNLIMITED, wanted))
    return [
        add_points(
            call,
            holder_of(entry),
            part,
            subledger=entry["subledgerId"],
            pending=IMMEDIATE,
            validity=expiry,
            cause=_cause(entry),
        )
        for expiry, part in parts
    ]
