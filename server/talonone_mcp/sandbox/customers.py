"""Customers' profiles, which belong to the account, whichever Application meets them."""

from __future__ import annotations

from talonone_mcp.sandbox.account import ACCOUNT_ID
from talonone_mcp.sandbox.handling import Call
from talonone_mcp.sandbox.store import Document
from talonone_mcp.sandbox.times import stamp


def profile_of(call: Call, customer: str) -> Document:
    """Return a customer's profile, which comes into being when it is first spoken of."""
    known = call.store.find("customers", customer)
    if known is not None:
        return known
    profile = {
        "created": stamp(call.now),
        "integrationId": customer,
        "attributes": {},
        "accountId": ACCOUNT_ID,
        "closedSessions": 0,
        "totalSales": 0,
        "lastActivity": stamp(call.now),
    }
    return call.store.add("customers", profile, label=customer)
