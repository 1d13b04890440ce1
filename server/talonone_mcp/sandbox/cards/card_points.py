"""The points of a loyalty card: added, deducted and shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from talonone_mcp.sandbox.cards.card_records import card_of, holder_of, profiles_of
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import moment
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.csv_files import CsvExport
from talonone_mcp.sandbox.ledgers.deductions import deduct_points
from talonone_mcp.sandbox.ledgers.entry_views import (
    LOG,
    OF_POINTS,
    in_range,
    log_rows,
    points_page,
    transactions_page,
)
from talonone_mcp.sandbox.ledgers.ledger import program_of
from talonone_mcp.sandbox.ledgers.point_requests import add_asked, cause_asked
from talonone_mcp.sandbox.ledgers.points import LedgerBalance, balances_of, held_by

_COMMON = ("transactionUUID", "created", "programId", "cardIdentifier", "customerSessionId",
           "type", "name", "startDate", "expiryDate", "subledgerId", "amount", "id")  # fmt: skip
_IN_SHOPS = (*_COMMON, "rulesetId", "ruleName", "validityDuration")
_IN_LOGS = (*_COMMON, "applicationId", "sessionId")


# --- Changing -----------------------------------------------------------------------------------


def add_loyalty_card_points(call: SandboxCall) -> Reply:
    program = program_of(call, cards=True)
    add_asked(call, program, holder_of(_usable_card(call)))
    return 204, None


def deduct_loyalty_card_points(call: SandboxCall) -> Reply:
    cause = cause_asked(call, program_of(call, cards=True))
    holder = holder_of(_usable_card(call))
    subledger = call.arguments.get("subledgerId", "")
    deduct_points(call, holder, call.arguments["points"], subledger=subledger, cause=cause)
    return 204, None


def _usable_card(call: SandboxCall) -> Document:
    """Return the path's card, which must be active.

    Raises:
        RefusalError: 404, when there is none; 400, when it is not active.
    """
    card = card_of(call)
    if card["status"] != "active":
        raise RefusalError(400, f"card {card['identifier']} is inactive", resource="loyaltyCard")
    return card


# --- Telling ------------------------------------------------------------------------------------


def get_loyalty_card_balances(call: SandboxCall) -> Reply:
    card = card_of(call)
    end = call.arguments.get("endDate")
    balances = balances_of(call.store, holder_of(card), moment(end) if end else call.now)
    wanted = call.arguments.get("subledgerId") or [name for name in balances if name]
    return 200, {
        "balance": balances.get("", LedgerBalance()).shown(),
        "subledgerBalances": {name: balances.get(name, LedgerBalance()).shown() for name in wanted},
        "profiles": profiles_of(call.store, card),
    }


def list_loyalty_card_transactions(call: SandboxCall) -> Reply:
    return 200, transactions_page(call, held_by(holder_of(card_of(call))), _IN_SHOPS)


def list_loyalty_card_ledger_transactions(call: SandboxCall) -> Reply:
    return 200, transactions_page(call, held_by(holder_of(card_of(call))), _IN_LOGS)


def list_loyalty_card_points(call: SandboxCall) -> Reply:
    found = points_page(call, holder_of(card_of(call)), (*OF_POINTS, "customerProfileId"))
    return 200, found | {"data": [_point(each) for each in found["data"]]}


def _point(point: Mapping[str, Any]) -> dict[str, Any]:
    """Name the customer's field as only this operation does."""
    names = {"customerProfileId": "customerProfileID"}
    return {names.get(key, key): value for key, value in point.items()}


def export_loyalty_card_ledger(call: SandboxCall) -> Reply:
    columns = {"cardidentifier": "cardIdentifier", **LOG}
    where = (held_by(holder_of(card_of(call))), *in_range(call))
    return 200, CsvExport(tuple(columns), log_rows(call, columns, *where))


HANDLERS: Mapping[str, Handler] = {
    "add_loyalty_card_points": add_loyalty_card_points,
    "deduct_loyalty_card_points": deduct_loyalty_card_points,
    "export_loyalty_card_ledger": export_loyalty_card_ledger,
    "list_loyalty_card_ledger_transactions": list_loyalty_card_ledger_transactions,
    "get_loyalty_card_balances": get_loyalty_card_balances,
    "list_loyalty_card_transactions": list_loyalty_card_transactions,
    "list_loyalty_card_points": list_loyalty_card_points,
}
