"""The demo account's stores, its store campaign, and their budgets."""

from __future__ import annotations

from talonone_mcp.sandbox.demo.demo_account import DemoAccount
from talonone_mcp.sandbox.ground.account_facts import SHOP, SHOP_US
from talonone_mcp.sandbox.stores.store_budgets import new_budget
from talonone_mcp.sandbox.stores.stores import store_label, with_stores

# Number, Application, integration id, name, country and code
_STORES = (
    (1, SHOP, "STORE-101", "Berlin Mitte", "DE", 1001),
    (2, SHOP, "STORE-102", "Hamburg Altona", "DE", 1002),
    (3, SHOP, "STORE-103", "Munich Schwabing", "DE", 1003),
    (17, SHOP, "STORE-001", "Vienna Neubau", "AT", 2001),
    (23, SHOP, "STORE-301", "Zurich West", "CH", 3001),
    (31, SHOP_US, "STORE-401", "New York SoHo", "USA", 4001),
    (32, SHOP_US, "STORE-402", "Chicago Loop", "USA", 4002),
)
# A campaign's stores. The running ones have none: they are for whoever buys online too.
_IN_STORES = {22: [1, 2, 3], 23: [1, 23], 32: [31, 32]}
_BUDGETS = (
    (22, "overall", 5000, (1, 2, 3)),
    (22, "weekly", 400, (1, 2)),
    (23, "monthly", 750, (1, 23)),
)


def fill(account: DemoAccount) -> None:
    """Fill this part of the account."""
    for number, application, integration_id, name, country, code in _STORES:
        store = {
            "id": number,
            "created": account.day(-390 + number),
            "name": name,
            "description": f"Our shop in {name}",
            "attributes": {"country": country, "code": code},
            "integrationId": integration_id,
            "applicationId": application,
            "updated": account.day(-30),
        }
        label = store_label(application, integration_id)
        account.store.add("stores", store, parent=application, label=label)
    for campaign, linked in _IN_STORES.items():
        document = account.store.get("campaigns", campaign) or {}
        account.store.replace("campaigns", with_stores(document, linked, from_file=False))
    for campaign, period, limit, numbers in _BUDGETS:
        common = {"action": "setDiscount", "period": period, "limit": limit, "imported": False}
        for number in numbers:
            new_budget(account.store, campaign, common | {"storeId": number})
