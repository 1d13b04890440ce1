"""The demo account's attributes: built-in ones and the retailer's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from talonone_mcp.sandbox.catalogs.attributes import attribute_of
from talonone_mcp.sandbox.demo.demo_account import CREATED, DemoAccount
from talonone_mcp.sandbox.documents.document_store import Document

_FIRST = 31  # id of the attribute that upstream's examples are about

_ADDRESS = ("Address1", "Address2", "City", "Country", "PostalCode", "Region")

# By entity: name, type, and what it is
_BUILT_IN: dict[str, Sequence[tuple[str, str, str]]] = {
    "CustomerProfile": (
        ("Name", "string", "Full name"),
        ("Email", "string", "E-mail address"),
        ("Birthday", "time", "Date of birth"),
        ("Gender", "string", "Gender"),
        ("Language", "string", "Preferred language"),
        ("Phone", "string", "Telephone number"),
        ("SignUpDate", "time", "When the account was opened"),
        ("AdvertisingConsent", "string", "Consent to advertising"),
        *((f"Billing{part}", "string", f"Billing address: {part}") for part in _ADDRESS),
        *((f"Shipping{part}", "string", f"Shipping address: {part}") for part in _ADDRESS),
    ),
    "CustomerSession": (
        ("PaymentMethod", "string", "How the order is paid"),
        ("ShippingMethod", "string", "How the order is delivered"),
        *((f"Billing{part}", "string", f"Billing address: {part}") for part in _ADDRESS),
        *((f"Shipping{part}", "string", f"Shipping address: {part}") for part in _ADDRESS),
    ),
}
_CUSTOM: dict[str, Sequence[tuple[str, str, str]]] = {
    "Application": (("market", "string", "Market that it sells in"),),
    "Campaign": (
        ("myattribute", "number", "Planning number of the marketing department"),
        ("costCentre", "string", "Cost centre that pays for it"),
    ),
    "CartItem": (
        ("color", "string", "Colour"),
        ("image", "string", "File name of its picture"),
        ("material", "string", "Main material"),
        ("origin", "string", "Country of origin"),
        ("sizes", "(list string)", "Sizes in stock"),
    ),
    "Coupon": (
        ("venueId", "number", "Shop that gives it out"),
        ("venue", "number", "Shop that gives it out, by its old number"),
        ("country", "string", "Country of the recipient"),
        ("firstName", "string", "First name of the recipient"),
        ("channel", "string", "How the code was made known"),
        ("partner", "string", "Who hands it out"),
        *((f"my_attribute_{n}", "string", "For the retailer's own notes") for n in (1, 2, 3)),
    ),
    "CustomerProfile": (
        ("vip", "boolean", "Belongs to the VIP list"),
        ("country", "string", "Country of residence"),
        ("firstName", "string", "First name"),
        ("favouriteCategories", "(list string)", "Categories that the customer follows"),
        ("homeLocation", "location", "Where the customer lives"),
        ("lastNewsletter", "time", "When the last newsletter was opened"),
        ("orderCount", "number", "Orders before this account"),
        *((f"my_attribute_{n}", "string", "For the retailer's own notes") for n in (1, 2, 3)),
    ),
    "CustomerSession": (
        ("giftWrapping", "boolean", "Ordered as a present"),
        ("affiliate", "string", "Partner that led to the shop"),
    ),
    "Event": (
        ("myAttribute", "string", "Anything worth noting about it"),
        ("url", "string", "Page that it happened on"),
    ),
    "Giveaway": (("provider", "string", "Who redeems it"),),
    "LoyaltyCard": (
        ("preferredReward", "string", "Reward that its holder prefers"),
        ("enrollmentSource", "string", "Where it was given out"),
    ),
    "Referral": (
        ("channel", "string", "Where it is shared"),
        ("country", "string", "Country of the advocate"),
        ("firstName", "string", "First name of the advocate"),
    ),
    "Store": (
        ("country", "string", "Country that it lies in"),
        ("code", "number", "Its number in the till system"),
    ),
}


_RESTRICTED = (
    {
        "entity": "Event",
        "eventType": "pageViewed",
        "name": "pageViewed",
        "title": "Page view event",
        "type": "string",
        "description": "A page that was looked at",
        "suggestions": [],
    },
    {
        "entity": "CustomerProfile",
        "name": "segment",
        "title": "Segment",
        "type": "string",
        "description": "Segment of the marketing department",
        "suggestions": ["new", "regular", "lapsed"],
        "restrictedBySuggestions": True,
    },
)


def fill(account: DemoAccount) -> None:
    """Fill this part of the account."""
    settings = [
        *(each | {"editable": True} for each in _RESTRICTED),
        *_described(_CUSTOM, {"kind": "custom", "editable": True}),
        *_described(_BUILT_IN, {"kind": "builtin", "editable": False}),
    ]
    created = account.day(CREATED)
    account.store.add_all(
        "attributes",
        (
            ({"id": number, **attribute_of(each, created)}, None, None)
            for number, each in enumerate(settings, _FIRST)
        ),
    )


def _described(
    tables: dict[str, Sequence[tuple[str, str, str]]], common: Document
) -> Iterator[Document]:
    for entity, attributes in tables.items():
        for name, of_type, description in attributes:
            yield common | {
                "entity": entity,
                "name": name,
                "title": name.replace("_", " "),
                "type": of_type,
                "description": description,
                "suggestions": [],
            }
