"""The demo account's loyalty programs."""

from __future__ import annotations

import string
from typing import Any

from talonone_mcp.sandbox.demo import ledgers
from talonone_mcp.sandbox.demo.customers import named
from talonone_mcp.sandbox.demo.demo_account import CREATED, DemoAccount
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.account_facts import ACCOUNT_ID, SHOP, SHOP_US
from talonone_mcp.sandbox.ledgers.points import IMMEDIATE, UNLIMITED, PointsHolder

REWARDS, CARDS = 5, 7


def fill(account: DemoAccount) -> None:
    """Fill this part of the account."""
    rewards = _rewards(account)
    for program in (rewards, _card_program(account)):
        account.store.add("loyalty_programs", program)
        for number in program["subscribedApplications"]:
            application = account.store.get("applications", number) or {}
            programs = [*application["loyaltyPrograms"], program]
            account.store.replace("applications", application | {"loyaltyPrograms": programs})
    holders = (PointsHolder(REWARDS, customer=customer) for customer in named(account))
    ledgers.fill(account, rewards, holders)
    _fill_notification(account)


def _program(account: DemoAccount, **settings: Any) -> Document:
    return {
        "created": account.day(CREATED),
        "accountID": ACCOUNT_ID,
        "subscribedApplications": [SHOP, SHOP_US],
        "sandbox": True,
        "timezone": "Europe/Berlin",
        "canUpdateTiers": False,
        "canUpdateTierExpirationPolicy": False,
        "canUpgradeToAdvancedTiers": False,
        "canUpdateSubledgers": False,
        **settings,
    }


def _rewards(account: DemoAccount) -> Document:
    program = _program(
        account,
        id=REWARDS,
        name="talon_rewards",
        title="Talon Rewards",
        description="Customers earn a point for each euro or dollar that they spend",
        cardBased=False,
        allowSubledger=True,
        defaultValidity="1Y",
        defaultPending=IMMEDIATE,
        programJoinPolicy="points_earned",
        tiersExpirationPolicy="tier_start_date",
        tiersExpireIn="1Y",
        tiersDowngradePolicy="one_down",
        returnPolicy="within_balance",
    )
    tiers = ((11, "Bronze", 100), (12, "Silver", 300), (13, "Gold", 500))
    program["tiers"] = [
        {
            "id": number,
            "created": program["created"],
            "programID": REWARDS,
            "programName": program["name"],
            "programTitle": program["title"],
            "name": name,
            "minPoints": points,
        }
        for number, name, points in tiers
    ]
    return program


def _card_program(account: DemoAccount) -> Document:
    characters = list(string.ascii_uppercase + string.digits)
    return _program(
        account,
        id=CARDS,
        name="family_card",
        title="Family Card",
        description="A household collects points on one card",
        cardBased=True,
        allowSubledger=True,
        defaultValidity=UNLIMITED,
        defaultPending=IMMEDIATE,
        usersPerCardLimit=4,
        programJoinPolicy="not_join",
        returnPolicy="only_pending",
        cardCodeSettings={"validCharacters": characters, "couponPattern": "CARD-####-####"},
        tiers=[],
    )


def _fill_notification(account: DemoAccount) -> None:
    created = account.day(-80)
    account.store.add(
        "notifications",
        {
            "id": 1,
            "policy": {"name": "Points to the CRM"},
            "enabled": True,
            "type": "loyalty_added_deducted_points",
            "webhook": {
                "id": 1,
                "created": created,
                "modified": created,
                "url": "https://crm.example.com/points",
                "headers": ["content-type: application/json"],
                "enabled": True,
            },
        },
        parent=REWARDS,
    )
