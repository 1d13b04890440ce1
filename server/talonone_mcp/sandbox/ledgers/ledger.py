"""Loyalty programs and their ledgers: found, opened and shown; and new entries of them."""

from __future__ import annotations

import json
from datetime import datetime
from uuid import UUID

from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.ground.account_facts import USER_EMAIL, USER_ID
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import SandboxCall
from talonone_mcp.sandbox.ledgers.points import (
    IMMEDIATE,
    UNLIMITED,
    LedgerBalance,
    PointsCause,
    PointsHolder,
    balances_of,
    rounded,
)


def program_of(
    call: SandboxCall, *, cards: bool | None = None, argument: str = "loyaltyProgramId"
) -> Document:
    """Return the program that an argument names.

    Args:
        call: the request.
        cards: whether it must be card-based; None for either.
        argument: the argument that holds its id.

    Raises:
        RefusalError: 404, when there is none; 400, when it is of the other sort.
    """
    program = call.get("loyalty_programs", argument)
    if call.application_id not in (None, *program["subscribedApplications"]):
        raise RefusalError(
            404,
            f"loyalty program {program['id']} is not connected to this application",
            resource="loyaltyProgram",
        )
    if cards is not None and program["cardBased"] is not cards:
        sort = "card-based" if cards else "profile-based"
        raise RefusalError(400, f"the loyalty program is not {sort}", parameter=argument)
    return program


def program_by_id(store: DocumentStore, holder: PointsHolder) -> Document:
    """Return the program of a holder."""
    program = store.get("loyalty_programs", holder.program_id)
    if program is None:
        raise RefusalError(
            404, f"loyalty program {holder.program_id} does not exist", resource="loyaltyProgram"
        )
    return program


def ledger_of(
    store: DocumentStore, holder: PointsHolder, at: datetime
) -> tuple[Document, dict[str, Document]]:
    """Return a holder's main ledger and subledgers, as answers about cards show them."""
    found = balances_of(store, holder, at)
    ledgers = {name: ledger_balance(balance) for name, balance in found.items()}
    return ledgers.pop("", ledger_balance(LedgerBalance())), ledgers


def ledger_balance(balance: LedgerBalance) -> Document:
    """Return a balance as session answers show it; nothing is tentative outside a session.

    What was spent and has expired is always 0 in them.

    Source: https://docs.talon.one/integration-api: LoyaltyBalance
    """
    return {
        "currentBalance": balance.active,
        "pendingBalance": balance.pending,
        "negativeBalance": balance.negative,
        "expiredBalance": 0,
        "spentBalance": 0,
        "tentativeCurrentBalance": balance.active,
        "tentativePendingBalance": balance.pending,
        "tentativeNegativeBalance": balance.negative,
    }


def new_entry(
    call: SandboxCall, holder: PointsHolder, kind: str, points: float, cause: PointsCause
) -> Document:
    """Return a new entry with the fields that additions and subtractions share."""
    entry = {
        "transactionUUID": str(UUID(int=call.random.getrandbits(128), version=4)),
        "created": stamp(call.now),
        "type": kind,
        "amount": rounded(points),
        "startDate": IMMEDIATE,
        "expiryDate": UNLIMITED,
        **cause.fields,
        **holder.names,
    }
    if call.operation.api == "management" and cause.origin != "session":
        entry["userId"] = call.user_id
        if call.user_id == USER_ID:
            entry["userEmail"] = USER_EMAIL
    return entry


def open_ledger(call: SandboxCall, holder: PointsHolder, subledger: str) -> Document:
    """Return a ledger, creating it if needed."""
    label = ledger_label(holder, subledger)
    known = call.store.find("loyalty_ledgers", label)
    if known is not None:
        return known
    ledger = holder.names | {"subledgerId": subledger, "created": stamp(call.now)}
    return call.store.add("loyalty_ledgers", ledger, parent=holder.program_id, label=label)


def ledger_label(holder: PointsHolder, subledger: str) -> str:
    """Return the label of a ledger."""
    return json.dumps([holder.program_id, holder.key, subledger])
