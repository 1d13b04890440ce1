"""The demo account's audiences and their members."""

from __future__ import annotations

from dataclasses import dataclass

from talonone_mcp.sandbox.customers.audiences import member_label
from talonone_mcp.sandbox.demo.customers import FIRST_ID, named
from talonone_mcp.sandbox.demo.demo_account import DemoAccount
from talonone_mcp.sandbox.ground.account_facts import ACCOUNT_ID, SHOP, SHOP_US


@dataclass(frozen=True, slots=True)
class _Plan:
    """An audience, with every nth of the first hundred customers from a given one as members."""

    number: int
    name: str
    description: str
    start: int
    step: int
    integration: str | None = None


_AUDIENCES = (
    _Plan(2, "Newsletter", "Who has asked for the newsletter", 0, 3),
    _Plan(4, "Outdoor fans", "Bought outdoor gear twice or more", 1, 4),
    _Plan(7, "At risk", "No order in the last half year", 2, 7),
    _Plan(10, "VIP customers", "Invited by the marketing department", 0, 10),
    _Plan(12, "Basket left behind", "Left a full basket last week", 3, 9, "braze"),
)
_MOST = 100


def fill(account: DemoAccount) -> None:
    """Fill this part of the account."""
    customers = named(account)[:_MOST]
    number = 0
    for plan in _AUDIENCES:
        audience = {
            "id": plan.number,
            "accountId": ACCOUNT_ID,
            "created": account.day(-200),
            "name": plan.name,
            "sandbox": False,
            "description": plan.description,
            "subscribedApplicationsIds": [SHOP, SHOP_US],
            "createdIn3rdParty": plan.integration is not None,
            "lastUpdate": account.day(-2),
        }
        label = None
        if plan.integration:
            audience |= {"integration": plan.integration, "integrationId": f"seg-{plan.number}"}
            label = f"{plan.integration}/seg-{plan.number}"
        account.store.add("audiences", audience, label=label)
        for index in range(plan.start, len(customers), plan.step):
            number += 1
            member = {
                "id": number,
                "created": account.day(-60),
                "audienceId": plan.number,
                "integrationId": customers[index],
                "customerId": FIRST_ID + index,
            }
            label = member_label(plan.number, customers[index])
            account.store.add("audience_members", member, parent=plan.number, label=label)
