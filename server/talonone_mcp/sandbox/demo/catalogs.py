"""The demo account's catalog of products, its price history, and its custom events."""

from __future__ import annotations

from collections.abc import Iterator

from talonone_mcp.sandbox.catalogs.prices import item_label
from talonone_mcp.sandbox.demo.demo_account import CREATED, DemoAccount
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.account_facts import ACCOUNT_ID, SHOP, SHOP_US, USER_ID

CATALOG = 30
# SKU, name, category, price
PRODUCTS = (
    ("SKU-001", "Cap", "accessories", 14.9),
    ("SKU-002", "Socks", "accessories", 9.9),
    ("SKU-003", "T-shirt", "shirts", 19.9),
    ("SKU-004", "Polo shirt", "shirts", 34.9),
    ("SKU-005", "Shorts", "trousers", 29.9),
    ("SKU-006", "Jeans", "trousers", 69.9),
    ("SKU-007", "Hoodie", "sweaters", 49.9),
    ("SKU-008", "Rain jacket", "jackets", 119.0),
    ("SKU-009", "Trainers", "shoes", 89.9),
    ("SKU-010", "Sandals", "shoes", 39.9),
    ("SKU-011", "Backpack", "bags", 59.9),
    ("SKU-012", "Gift card", "gift cards", 25.0),
)
_EVENT_TYPES = (
    ("pageViewed", "Page viewed", "A customer looked at a page"),
    ("productReviewed", "Product reviewed", "A customer reviewed a product"),
    ("newsletterSubscribed", "Newsletter subscribed", "A customer subscribed to the newsletter"),
)
# Days from now, factor on the price, and the sale that it was for
_HISTORY = ((-200, 1.1, ""), (-60, 1.0, ""), (-20, 0.8, "SummerSale"), (-6, 1.0, ""))


def fill(account: DemoAccount) -> None:
    """Fill this part of the account."""
    catalog = {
        "id": CATALOG,
        "created": account.day(CREATED),
        "accountId": ACCOUNT_ID,
        "modified": account.day(-6),
        "name": "Fashion",
        "description": "What both shops sell",
        "subscribedApplicationsIds": [SHOP, SHOP_US],
        "version": 244,
        "createdBy": USER_ID,
    }
    account.store.add("catalogs", catalog)
    for number, (sku, name, _, price) in enumerate(PRODUCTS, 1):
        item = {
            "id": number,
            "created": account.day(CREATED),
            "sku": sku,
            "price": price,
            "catalogid": CATALOG,
            "version": 244,
            "attributes": {"material": "cotton", "color": ("blue", "red", "black")[number % 3]},
            "product": {"name": name},
        }
        account.store.add("catalog_items", item, parent=CATALOG, label=item_label(CATALOG, sku))
    account.store.add_all("price_history", _history(account))
    for number, (name, title, description) in enumerate(_EVENT_TYPES, 1):
        known = {"name": name, "title": title, "description": description}
        event_type = {"id": number, "created": account.day(CREATED), **known}
        account.store.add("event_types", event_type)


def _history(account: DemoAccount) -> Iterator[tuple[Document, None, None]]:
    number = 0
    for day, factor, context in _HISTORY:
        for application in (SHOP, SHOP_US):
            for sku, _, _, price in PRODUCTS:
                number += 1
                entry = {
                    "id": number,
                    "applicationId": application,
                    "sku": sku,
                    "observedAt": account.day(day),
                    "contextIds": [context] if context else [],
                    "contextId": context,
                    "price": round(price * factor, 2),
                    "metadata": {"influencingCampaignDetails": []},
                    "target": {"type": "NONE"},
                }
                yield entry, None, None
