"""Loyalty cards from CSV and as CSV, and their balances as CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from talonone_mcp.sandbox.cards.card_records import (
    card_document,
    card_label,
    check_identifier,
    find_card,
    holder_of,
    link_customers,
    profiles_of,
)
from talonone_mcp.sandbox.catalogs import attributes
from talonone_mcp.sandbox.documents.conditions import equal, within
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import moment
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.csv_files import CsvExport, date_for_export, rows_of
from talonone_mcp.sandbox.handling.import_records import imported
from talonone_mcp.sandbox.ledgers.ledger import program_of
from talonone_mcp.sandbox.ledgers.points import balances_of

# https://docs.talon.one/management-api: importLoyaltyCards
_MOST_ROWS = 499_999
_REQUIRED, _OPTIONAL = ("identifier", "state"), ("customerprofileids", "attributes")


def import_loyalty_cards(call: SandboxCall) -> Reply:
    program = program_of(call, cards=True)
    amount = 0
    for line, row in rows_of(call.arguments["csv"], _REQUIRED, _OPTIONAL):
        if amount == _MOST_ROWS:
            raise RefusalError(400, f"at most {_MOST_ROWS:,} rows", line=str(line))
        _import(call, program, line, row)
        amount += 1
    return 200, imported(call, "LoyaltyCard", amount)


def _import(call: SandboxCall, program: Document, line: int, row: Mapping[str, str]) -> None:
    at = {"line": str(line)}
    identifier = row["identifier"]
    check_identifier(identifier, **at)
    if find_card(call.store, program["id"], identifier):
        raise RefusalError(400, f"card {identifier} exists", **at)
    if row["state"] not in ("active", "inactive"):
        raise RefusalError(400, "state must be active or inactive", **at)
    settings = {"status": row["state"], "attributes": _attributes(call, row.get("attributes"), at)}
    card = call.store.add(
        "loyalty_cards",
        card_document(call, program, identifier, settings),
        parent=program["id"],
        label=card_label(program["id"], identifier),
    )
    customers = (name.strip() for name in row.get("customerprofileids", "").split(";"))
    link_customers(call, card, filter(None, customers), **at)


def _attributes(call: SandboxCall, text: str | None, at: Mapping[str, str]) -> Any:
    try:
        given = json.loads(text or "{}")
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise RefusalError(400, "attributes must be a JSON object", **at)
    try:
        attributes.check(call, "LoyaltyCard", given)
    except RefusalError as error:
        raise RefusalError(400, error.message, **at) from None
    return given


_CARD_COLUMNS = ("identifier", "created", "status", "userpercardlimit", "customerprofileids",
                 "blockreason", "generated", "batchid", "attributes")  # fmt: skip


def export_loyalty_cards(call: SandboxCall) -> Reply:
    program = program_of(call, cards=True)
    asked = call.arguments
    cards = call.store.each(
        "loyalty_cards",
        equal("batchId", asked.get("batchId")),
        within("created", asked.get("createdAfter"), asked.get("createdBefore")),
        parent=program["id"],
    )
    return 200, CsvExport(_CARD_COLUMNS, (_exported(call, program, card) for card in cards))


def _exported(call: SandboxCall, program: Document, card: Document) -> dict[str, Any]:
    customers = [each["integrationId"] for each in profiles_of(call.store, card)]
    return {
        "identifier": card["identifier"],
        "created": date_for_export(card, "created", call),
        "status": card["status"],
        "userpercardlimit": program.get("usersPerCardLimit", 0),
        "customerprofileids": ";".join(customers),
        "blockreason": card.get("blockReason"),
        "generated": str(card["generated"]).lower(),
        "batchid": card.get("batchId"),
        "attributes": json.dumps(card["attributes"]),
    }


_BALANCES = {
    "currentBalance": "active",
    "pendingBalance": "pending",
    "expiredBalance": "expired",
    "spentBalance": "spent",
}
_BALANCE_COLUMNS = (
    "loyaltyProgramID",
    "loyaltySubledger",
    "cardIdentifier",
    "cardState",
    *_BALANCES,
)


def export_loyalty_card_balances(call: SandboxCall) -> Reply:
    program = program_of(call, cards=True)
    asked = call.arguments.get("balances")
    wanted = asked.split(",") if asked else list(_BALANCES)
    if unknown := [name for name in wanted if name not in _BALANCES]:
        message = f"{unknown[0]} is no balance of a card"
        raise RefusalError(400, message, parameter="balances")
    cards = call.store.each("loyalty_cards", parent=program["id"])
    return 200, CsvExport(
        _BALANCE_COLUMNS, (row for card in cards for row in _balance_rows(call, card, wanted))
    )


def _balance_rows(call: SandboxCall, card: Document, wanted: list[str]) -> Iterator[dict[str, Any]]:
    end = call.arguments.get("endDate")
    at = moment(end) if end else call.now
    for subledger, balance in sorted(balances_of(call.store, holder_of(card), at).items()):
        yield {
            "loyaltyProgramID": card["programID"],
            "loyaltySubledger": subledger,
            "cardIdentifier": card["identifier"],
            "cardState": card["status"],
        } | {name: getattr(balance, _BALANCES[name]) for name in wanted}


HANDLERS: Mapping[str, Handler] = {
    "import_loyalty_cards": import_loyalty_cards,
    "export_loyalty_cards": export_loyalty_cards,
    "export_loyalty_card_balances": export_loyalty_card_balances,
}
