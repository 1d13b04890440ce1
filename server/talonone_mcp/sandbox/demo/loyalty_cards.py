"""The demo account's loyalty cards: shared, replaced, blocked, and a batch for the shops."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from talonone_mcp.sandbox.cards.card_records import card_label, holder_of
from talonone_mcp.sandbox.demo import ledgers
from talonone_mcp.sandbox.demo.customers import named
from talonone_mcp.sandbox.demo.demo_account import DemoAccount
from talonone_mcp.sandbox.demo.loyalty import CARDS
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.handling.code_patterns import draw

_BATCH, _PRINTED = "UY83CTT4", 20  # cards of the batch, times the account's scale
_SOLD, _USED = 2, 5  # each second one is someone's, each fifth one has points
_LOST, _INSTEAD = "summer-loyalty-card-0500", "summer-loyalty-card-0545"


@dataclass(frozen=True, slots=True)
class _Card:
    """What distinguishes a card of the account."""

    about: Document
    customers: tuple[str, ...] = ()
    has_points: bool = False


def fill(account: DemoAccount) -> None:
    """Fill this part of the account."""
    cards = list(enumerate(chain(_told(), _printed(account)), 1))
    documents = {number: _document(account, number, card) for number, card in cards}
    account.store.add_all(
        "loyalty_cards",
        ((each, CARDS, card_label(CARDS, each["identifier"])) for each in documents.values()),
    )
    links = ((number, customer) for number, card in cards for customer in card.customers)
    account.store.add_all(
        "loyalty_card_customers",
        (
            (_link(account, link, card, customer), card, None)
            for link, (card, customer) in enumerate(links, 1)
        ),
    )
    program = account.store.get("loyalty_programs", CARDS) or {}
    used = (holder_of(documents[number]) for number, card in cards if card.has_points)
    ledgers.fill(account, program, used)


def _told() -> Iterator[_Card]:
    """Yield the cards with a special state."""
    anna, ben, carla, david, emma = (
        "anna.schmidt",
        "ben.weber",
        "carla.rossi",
        "david.novak",
        "emma.dubois",
    )
    yield _Card({"identifier": "summer-loyalty-card-0543"}, (anna, ben), has_points=True)
    yield _Card({"identifier": "summer-loyalty-card-0544"}, (carla,), has_points=True)
    why = "Current card lost. Customer needs a new card."
    replaced = {"status": "inactive", "blockReason": why, "newCardIdentifier": _INSTEAD}
    yield _Card({"identifier": _LOST} | replaced)
    instead = {"identifier": _INSTEAD, "oldCardIdentifier": _LOST}
    yield _Card(instead, (david,), has_points=True)
    blocked = {"identifier": "summer-loyalty-card-0546", "status": "inactive"}
    yield _Card(blocked, (emma,), has_points=True)
    yield _Card({"identifier": "loyalty-card-1"}, (anna,))


def _printed(account: DemoAccount) -> Iterator[_Card]:
    """Yield the cards of the batch; those that are not sold yet are not active."""
    program = account.store.get("loyalty_programs", CARDS) or {}
    format_of = program["cardCodeSettings"]
    codes: dict[str, None] = {}
    while len(codes) < _PRINTED * account.scale:
        characters = format_of["validCharacters"]
        codes[draw(account.random, format_of["couponPattern"], characters)] = None
    customers = named(account)
    for index, code in enumerate(codes):
        about = {"identifier": code, "generated": True, "batchId": _BATCH}
        if index % _SOLD:
            yield _Card(about | {"status": "inactive"})
        else:
            customer = customers[index % len(customers)]
            yield _Card(about, (customer,), has_points=index % _USED == 0)


def _document(account: DemoAccount, number: int, card: _Card) -> Document:
    return {
        "id": number,
        "created": account.day(-390),
        "programID": CARDS,
        "status": "active",
        "modified": account.day(-20),
        "attributes": {},
        "generated": False,
        **card.about,
    }


def _link(account: DemoAccount, number: int, card: int, customer: str) -> Document:
    since = account.day(-380)
    return {"id": number, "cardId": card, "customer": customer, "timestamp": since}
