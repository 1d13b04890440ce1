"""The demo account: a small retailer, the same on every start, its dates relative to now."""

from __future__ import annotations

from datetime import datetime
from random import Random

from talonone_mcp.sandbox.demo import (
    achievements,
    applications,
    attributes,
    audiences,
    campaigns,
    catalogs,
    collections,
    customers,
    giveaways,
    integrations,
    loyalty,
    loyalty_cards,
    referrals,
    sessions,
    stores,
    team,
)
from talonone_mcp.sandbox.demo.demo_account import DemoAccount
from talonone_mcp.sandbox.documents.document_store import DocumentStore

_PARTS = (
    team,
    applications,
    attributes,
    integrations,
    customers,
    audiences,
    campaigns,
    loyalty,
    loyalty_cards,
    referrals,
    achievements,
    giveaways,
    collections,
    stores,
    catalogs,
    sessions,
)  # each needs those before it


def fill(store: DocumentStore, now: datetime, random: Random, scale: int = 1) -> None:
    """Fill an empty store with the demo account.

    Args:
        store: an empty store with an open transaction.
        now: what the dates are relative to.
        random: draws codes, dates and amounts; equal seeds give equal accounts.
        scale: multiplies the number of demo customers.
    """
    account = DemoAccount(store, now, random, scale)
    for part in _PARTS:
        part.fill(account)
