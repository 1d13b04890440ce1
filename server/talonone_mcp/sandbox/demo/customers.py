"""The demo account's customers."""

from __future__ import annotations

from talonone_mcp.sandbox.account import ACCOUNT_ID
from talonone_mcp.sandbox.demo.filling import Account

CUSTOMERS = ("anna.schmidt", "ben.weber", "carla.rossi", "david.novak", "emma.dubois")


def fill(account: Account) -> None:
    """Fill in this part."""
    for customer in CUSTOMERS:
        profile = {
            "created": account.day(-account.random.uniform(100, 400)),
            "integrationId": customer,
            "attributes": {"Name": customer.replace(".", " ").title()},
            "accountId": ACCOUNT_ID,
            "closedSessions": account.random.randrange(1, 12),
            "totalSales": round(account.random.uniform(40, 900), 2),
            "lastActivity": account.day(-account.random.uniform(0, 20)),
            "sandbox": True,
        }
        account.store.add("customers", profile, label=customer)
