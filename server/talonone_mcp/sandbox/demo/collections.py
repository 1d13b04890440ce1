"""The demo account's collections: lists of products that rules refer to."""

from __future__ import annotations

from talonone_mcp.sandbox.catalogs.collections import add_items, collection_label
from talonone_mcp.sandbox.demo.demo_account import DemoAccount
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.account_facts import ACCOUNT_ID, SHOP, SHOP_US, USER_ID

_BRANDS = ["Adidas", "Asics", "Brooks", "New Balance", "Nike", "Puma", "Reebok", "Salomon"]
_SHARED = {"subscribedApplicationsIds": [SHOP, SHOP_US]}
_SUMMER = {"applicationId": SHOP, "campaignId": 18}


def fill(account: DemoAccount) -> None:
    """Fill this part of the account."""
    shoes = [f"SHOE-{number:03}" for number in range(1, 121)]
    summer = [f"SKU-{number:03}" for number in range(1, 13)]
    _fill(account, 22, "Running shoes", "Shoes that loyal runners get points for", shoes, _SHARED)
    _fill(account, 23, "Sports brands", "Brands that discounts pass over", _BRANDS, _SHARED)
    _fill(account, 44, "Summer products", "What the summer promotions are for", summer, _SUMMER)


def _fill(  # noqa: PLR0913, PLR0917 - a line of the table above
    account: DemoAccount, number: int, name: str, purpose: str, items: list[str], place: Document
) -> None:
    collection = {
        "id": number,
        "created": account.day(-120),
        "accountId": ACCOUNT_ID,
        "modified": account.day(-20),
        "createdBy": USER_ID,
        "modifiedBy": USER_ID,
        "description": purpose,
        "name": name,
        **place,
    }
    account.store.add(
        "collections",
        collection,
        parent=place.get("campaignId"),
        label=collection_label(collection),
    )
    add_items(account.store, number, items)
