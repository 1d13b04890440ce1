"""Loyalty cards: how they are stored, found, linked and shown.

A card belongs to a card-based program. It is active or inactive; one that was replaced by another
stays inactive. Its points are in the ledger.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from talonone_mcp.sandbox.customers.profile_records import profile_of
from talonone_mcp.sandbox.documents.conditions import equal, with_child
from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import SandboxCall
from talonone_mcp.sandbox.handling.code_patterns import draw_free
from talonone_mcp.sandbox.ledgers.ledger import ledger_of, program_of
from talonone_mcp.sandbox.ledgers.points import PointsHolder

# https://docs.talon.one/management-api: importLoyaltyCards, transferLoyaltyCard
_IDENTIFIER = re.compile(r"[A-Za-z0-9._%+@-]{4,108}")
_UNSHOWN = ("attributes", "generated")


# --- Finding ------------------------------------------------------------------------------------


def card_label(program: int, identifier: str) -> str:
    """Return a card's label: its identifier is unique within its program."""
    return f"{program}/{identifier}"


def find_card(store: DocumentStore, program: int, identifier: str) -> Document | None:
    """Return the card of a program that has an identifier."""
    return store.find("loyalty_cards", card_label(program, identifier))


def card_in_application(call: SandboxCall, identifier: str) -> Document | None:
    """Return the card with an identifier in any program of the calling Application, if any."""
    named = call.store.select("loyalty_cards", equal("identifier", identifier))
    return next((card for card in named if _is_known(call, card)), None)


def _is_known(call: SandboxCall, card: Document) -> bool:
    """Return whether the calling Application is connected to a card's program."""
    program = call.store.get("loyalty_programs", card["programID"]) or {}
    return call.application_id in program["subscribedApplications"]


def card_of(call: SandboxCall) -> Document:
    """Return the card that the path names.

    Raises:
        RefusalError: 404, when there is no such program or card; 400, when the program has none.
    """
    program = program_of(call, cards=True)
    identifier = call.arguments["loyaltyCardId"]
    card = find_card(call.store, program["id"], identifier)
    if card is None:
        message = f"card {identifier} does not exist in loyalty program {program['id']}"
        raise RefusalError(404, message, resource="loyaltyCard")
    return card


def cards_of(call: SandboxCall, integration_id: str) -> list[Document]:
    """Return a customer's cards that the calling Application knows, as upstream shows them."""
    theirs = with_child("loyalty_card_customers", equal("customer", integration_id))
    cards = call.store.select("loyalty_cards", theirs)
    return [card_shown(call, card) for card in cards if _is_known(call, card)]


def holder_of(card: Document) -> PointsHolder:
    """Return a card as the ledger knows it."""
    return PointsHolder(card["programID"], card_id=card["id"], card=card["identifier"])


def card_shown(call: SandboxCall, card: Document) -> Document:
    """Return a card as upstream shows it: with its program, its customers and its points."""
    program = call.store.get("loyalty_programs", card["programID"]) or {}
    ledger, subledgers = ledger_of(call.store, holder_of(card), call.now)
    return {key: value for key, value in card.items() if key not in _UNSHOWN} | {
        "programName": program.get("name", ""),
        "programTitle": program.get("title", ""),
        "usersPerCardLimit": program.get("usersPerCardLimit", 0),
        "profiles": profiles_of(call.store, card),
        "ledger": ledger,
        "subledgers": subledgers,
    }


# --- Customers ----------------------------------------------------------------------------------


def profiles_of(store: DocumentStore, card: Document) -> list[Document]:
    """Return the customers of a card, each with the time of linking."""
    return [
        {"integrationId": each["customer"], "timestamp": each["timestamp"]}
        for each in store.select("loyalty_card_customers", parent=card["id"])
    ]


def link_customers(call: SandboxCall, card: Document, customers: Iterable[str], **at: str) -> None:
    """Link more customers to a card; `at` is their place in the request.

    Raises:
        RefusalError: 400, when the card would have more customers than the program allows.
    """
    program = call.store.get("loyalty_programs", card["programID"]) or {}
    present = [each["integrationId"] for each in profiles_of(call.store, card)]
    new = [customer for customer in dict.fromkeys(customers) if customer not in present]
    limit = program.get("usersPerCardLimit", 0)
    if 0 < limit < len(present) + len(new):  # a limit of 0 is none
        raise RefusalError(400, f"a card of this program has at most {limit} customers", **at)
    for customer in new:
        profile_of(call, customer)
        enter_card_link(call.store, card, customer, stamp(call.now))


def enter_card_link(store: DocumentStore, card: Document, customer: str, timestamp: str) -> None:
    """Store when a customer was linked to a card."""
    entry = {"cardId": card["id"], "customer": customer, "timestamp": timestamp}
    store.add("loyalty_card_customers", entry, parent=card["id"])


def unlink_customer(store: DocumentStore, card: Document, customer: str) -> bool:
    """Unlink a customer from a card; return whether they were linked."""
    theirs = equal("customer", customer)
    return store.delete_where("loyalty_card_customers", theirs, parent=card["id"]) > 0


# --- Making -------------------------------------------------------------------------------------


def new_card(
    call: SandboxCall,
    program: Document,
    identifier: str,
    at: str = "/cardIdentifier",
    **settings: Any,
) -> Document:
    """Store a new card.

    Args:
        call: the request.
        program: what it belongs to.
        identifier: what is printed on it.
        at: the JSON pointer of the identifier in the request body.
        settings: its other properties.

    Raises:
        RefusalError: 400, when the identifier is taken.
    """
    card = card_document(call, program, identifier, settings)
    label = card_label(program["id"], identifier)
    try:
        return call.store.add("loyalty_cards", card, parent=program["id"], label=label)
    except sqlite3.IntegrityError:
        raise RefusalError(400, f"card {identifier} exists", pointer=at) from None


def card_document(
    call: SandboxCall, program: Document, identifier: str, settings: Mapping[str, Any]
) -> Document:
    """Return a new card without storing it."""
    now = stamp(call.now)
    return {
        "created": now,
        "programID": program["id"],
        "status": "active",
        "identifier": identifier,
        "modified": now,
        "attributes": {},
        "generated": False,
        **settings,
    }


def check_identifier(identifier: str, **at: str) -> None:
    """Refuse an invalid card identifier; `at` is its place in the request.

    Raises:
        RefusalError: 400.
    """
    if not _IDENTIFIER.fullmatch(identifier):
        message = f"an identifier has 4 to 108 letters, digits or ._%+@-, not {identifier!r}"
        raise RefusalError(400, message, **at)


def drawn_identifier(call: SandboxCall, program: Document, taken: Iterable[str] = ()) -> str:
    """Return a free identifier from the request's code format, or from the program's.

    Raises:
        RefusalError: 400, when there is no format, or no free identifier.
    """
    asked: Document | None = call.arguments.get("cardCodeSettings")
    settings = asked or program.get("cardCodeSettings")
    if not settings:
        message = f"loyalty program {program['id']} has no format of card codes"
        raise RefusalError(400, message, pointer="/cardCodeSettings")
    at = "/cardCodeSettings/couponPattern"
    identifier = draw_free(
        call.random,
        settings["couponPattern"],
        settings["validCharacters"],
        lambda code: code not in taken and find_card(call.store, program["id"], code) is None,
        at,
    )
    check_identifier(identifier, pointer=at)
    return identifier
