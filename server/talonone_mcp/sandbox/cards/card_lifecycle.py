"""Loyalty cards created, listed, linked, blocked, replaced and deleted."""

from __future__ import annotations

from collections.abc import Mapping

from talonone_mcp.sandbox.cards.card_records import (
    card_document,
    card_label,
    card_of,
    card_shown,
    drawn_identifier,
    enter_card_link,
    holder_of,
    link_customers,
    new_card,
    profiles_of,
    unlink_customer,
)
from talonone_mcp.sandbox.documents.conditions import Condition, Where, equal, with_child
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.code_patterns import new_batch
from talonone_mcp.sandbox.handling.pages import page
from talonone_mcp.sandbox.ledgers.entry_changes import erase_entries, move_ledgers
from talonone_mcp.sandbox.ledgers.ledger import program_of

_MOST = 20_000  # cards of a batch, https://docs.talon.one/management-api: createBatchLoyaltyCards


# --- Making -------------------------------------------------------------------------------------


def generate_loyalty_card(call: SandboxCall) -> Reply:
    program = program_of(call, cards=True)
    given = call.arguments.get("cardIdentifier")
    identifier = given or drawn_identifier(call, program)
    status = call.arguments.get("status", "active")
    card = new_card(call, program, identifier, status=status, generated=given is None)
    customers = call.arguments.get("customerProfileIds", [])
    link_customers(call, card, customers, pointer="/customerProfileIds")
    return 200, card_shown(call, card)


def create_loyalty_cards(call: SandboxCall) -> Reply:
    program = program_of(call, cards=True)
    amount = call.arguments["numberOfCards"]
    if not 1 <= amount <= _MOST:
        raise RefusalError(400, f"must be between 1 and {_MOST}", pointer="/numberOfCards")
    batch = call.arguments.get("batchId") or new_batch(call)
    status = call.arguments.get("status", "active")
    settings = {"batchId": batch, "status": status, "generated": True}
    identifiers: dict[str, None] = {}
    while len(identifiers) < amount:
        identifiers[drawn_identifier(call, program, identifiers)] = None
    first = call.store.next_id("loyalty_cards")
    cards = (
        {"id": number, **card_document(call, program, identifier, settings)}
        for number, identifier in enumerate(identifiers, first)
    )
    call.store.add_all(
        "loyalty_cards",
        ((card, program["id"], card_label(program["id"], card["identifier"])) for card in cards),
    )
    return 200, {"numberOfCardsGenerated": amount, "batchId": batch}


# --- Finding ------------------------------------------------------------------------------------


def list_loyalty_cards(call: SandboxCall) -> Reply:
    program = program_of(call, cards=True)
    asked = call.arguments
    return 200, page(
        call,
        "loyalty_cards",
        equal("identifier", asked.get("identifier")),
        equal("batchId", asked.get("batchId")),
        _of_profile(call, asked.get("profileId")),
        parent=program["id"],
        total=False,
        present=lambda card: card_shown(call, card),
    )


def _of_profile(call: SandboxCall, number: int | None) -> Where:
    if number is None:
        return None
    profile = call.store.get("customers", number)
    if profile is None:
        return Condition("0")
    return with_child("loyalty_card_customers", equal("customer", profile["integrationId"]))


def get_loyalty_card(call: SandboxCall) -> Reply:
    return 200, card_shown(call, card_of(call))


# --- Changing -----------------------------------------------------------------------------------


def update_loyalty_card(call: SandboxCall) -> Reply:
    card = card_of(call)
    if call.arguments["status"] == "active":
        _check_not_replaced(card, pointer="/status")
    changes = {"status": call.arguments["status"]}
    return 200, card_shown(call, _changed(call, card, changes))


def _changed(call: SandboxCall, card: Document, changes: Mapping[str, object]) -> Document:
    return call.store.replace("loyalty_cards", {**card, **changes, "modified": stamp(call.now)})


def _check_not_replaced(card: Document, **at: str) -> None:
    """Refuse to change a card that was replaced.

    Raises:
        RefusalError: 400. https://docs.talon.one/management-api: transferLoyaltyCard
    """
    if "newCardIdentifier" in card:
        message = f"card {card['identifier']} was replaced by {card['newCardIdentifier']}"
        raise RefusalError(400, message, **at)


def link_loyalty_card(call: SandboxCall) -> Reply:
    card = card_of(call)
    _check_not_replaced(card, resource="loyaltyCard")
    link_customers(call, card, [call.arguments["integrationId"]], pointer="/integrationId")
    return 200, card_shown(call, _changed(call, card, {}))


def unlink_loyalty_card(call: SandboxCall) -> Reply:
    card = card_of(call)
    customer = call.arguments["integrationId"]
    if not unlink_customer(call.store, card, customer):
        message = f"customer {customer} is not linked to card {card['identifier']}"
        raise RefusalError(404, message, resource="profile")
    return 200, card_shown(call, _changed(call, card, {}))


def transfer_loyalty_card(call: SandboxCall) -> Reply:
    old = card_of(call)
    _check_not_replaced(old, resource="loyaltyCard")
    program = program_of(call, cards=True)
    identifier = call.arguments["newCardIdentifier"]
    kept = {"attributes": old["attributes"], "oldCardIdentifier": old["identifier"]}
    new = new_card(call, program, identifier, at="/newCardIdentifier", **kept)
    for each in profiles_of(call.store, old):
        unlink_customer(call.store, old, each["integrationId"])
        enter_card_link(call.store, new, each["integrationId"], each["timestamp"])
    move_ledgers(call.store, holder_of(old), holder_of(new))
    blocked = {"status": "inactive", "newCardIdentifier": identifier}
    reason = call.arguments.get("blockReason")
    _changed(call, old, blocked | ({"blockReason": reason} if reason else {}))
    return 204, None


def delete_loyalty_card(call: SandboxCall) -> Reply:
    card = card_of(call)
    call.store.delete("loyalty_cards", card["id"])
    call.store.delete_where("loyalty_card_customers", parent=card["id"])
    erase_entries(call, holder_of(card))
    return 204, None


HANDLERS: Mapping[str, Handler] = {
    "create_loyalty_cards": create_loyalty_cards,
    "list_loyalty_cards": list_loyalty_cards,
    "get_loyalty_card": get_loyalty_card,
    "update_loyalty_card": update_loyalty_card,
    "delete_loyalty_card": delete_loyalty_card,
    "transfer_loyalty_card": transfer_loyalty_card,
    "link_loyalty_card": link_loyalty_card,
    "unlink_loyalty_card": unlink_loyalty_card,
    "generate_loyalty_card": generate_loyalty_card,
}
