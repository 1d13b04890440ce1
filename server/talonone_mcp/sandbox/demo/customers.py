"""The demo account's customers, and which Applications know them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from talonone_mcp.sandbox.customers.profile_records import met_label, new_meeting, new_profile
from talonone_mcp.sandbox.demo.demo_account import DemoAccount
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.account_facts import SHOP, SHOP_US

FIRST_ID = 3778
CUSTOMERS = (
    "anna.schmidt", "ben.weber", "carla.rossi", "david.novak", "emma.dubois", "customer1",
)  # fmt: skip
_NAMED = {"customer1": "Sam Taylor"}  # whose id in the shop does not tell the name
_COUNT = 50  # customers at scale 1
_FIRST_NAMES = (
    "Felix", "Greta", "Hugo", "Ines", "Jonas", "Klara", "Luca", "Mia", "Noah", "Olga", "Paul",
    "Quentin", "Rosa", "Simon", "Tessa", "Ugo", "Vera", "William", "Xenia", "Yann", "Zoe",
)  # fmt: skip
_LAST_NAMES = (
    "Andersen", "Bauer", "Costa", "Dupont", "Eriksson", "Fischer", "Garcia", "Hansen", "Ivanov",
    "Jansen", "Keller", "Lopez", "Meyer",
)  # fmt: skip
_PLACES = (
    ("DE", "german", "Berlin"), ("FR", "french", "Lyon"), ("IT", "italian", "Turin"),
    ("US", "english", "Boston"), ("CZ", "czech", "Brno"),
)  # fmt: skip
_TESTERS = ("test.checkout", "test.refund")


def named(account: DemoAccount) -> list[str]:
    """Return the integration ids of all live customers, in the order of their ids."""
    return [*CUSTOMERS, *map(_generated, range(_COUNT * account.scale - len(CUSTOMERS)))]


def _generated(index: int) -> str:
    first = _FIRST_NAMES[index % len(_FIRST_NAMES)]
    last = _LAST_NAMES[index // len(_FIRST_NAMES) % len(_LAST_NAMES)]
    turn = index // (len(_FIRST_NAMES) * len(_LAST_NAMES))
    return f"{first}.{last}{turn or ''}".lower()


def fill(account: DemoAccount) -> None:
    """Fill this part of the account."""
    live = [_profile(account, *each) for each in enumerate(named(account), FIRST_ID)]
    behind = FIRST_ID + len(live)
    testers = [_profile(account, *each) | {"sandbox": True} for each in enumerate(_TESTERS, behind)]
    account.store.add_all(
        "customers", ((each, None, each["integrationId"]) for each in (*live, *testers))
    )
    account.store.add_all("application_customers", _meetings(live))


def _profile(account: DemoAccount, number: int, integration_id: str) -> Document:
    name = _NAMED.get(integration_id, integration_id.replace(".", " ").title().rstrip("0123456789"))
    country, language, city = _PLACES[number % len(_PLACES)]
    draw = account.random.random
    attributes: dict[str, Any] = {
        "Name": name,
        "Email": f"{integration_id}@example.com",
        "Language": language,
        "ShippingCountry": country,
        "ShippingCity": city,
        "segment": ("new", "regular", "regular", "lapsed")[number % 4],
        "vip": (number - FIRST_ID) % 10 == 0,
    }
    created = account.day(-100 - 300 * draw())
    profile = new_profile(integration_id, created)
    changes = {"attributes": attributes, "lastActivity": account.day(-20 * draw())}
    return {"id": number, **profile, **changes}


def _meetings(profiles: list[Document]) -> Iterator[tuple[Document, int, str]]:
    """Yield which shop knows whom: each its own customers, both the best known ones."""
    number = 0
    for profile in profiles:
        american = profile["attributes"]["ShippingCountry"] == "US"
        for application in (SHOP, SHOP_US):
            if (application == SHOP_US) == american or profile["integrationId"] in CUSTOMERS:
                number += 1
                meeting = {"id": number, **new_meeting(profile, profile["created"])}
                yield meeting, application, met_label(application, profile["integrationId"])
