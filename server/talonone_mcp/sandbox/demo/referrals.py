"""The demo account's referral codes in every state, and the friends who have used them."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator
from typing import Any

from talonone_mcp.sandbox.campaigns.campaign_records import add_to_counters
from talonone_mcp.sandbox.codes.referrals import new_referral
from talonone_mcp.sandbox.customers.profile_records import meeting_with
from talonone_mcp.sandbox.demo.customers import CUSTOMERS, named
from talonone_mcp.sandbox.demo.demo_account import DemoAccount
from talonone_mcp.sandbox.documents.conditions import equal
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.account_facts import SHOP
from talonone_mcp.sandbox.handling.code_patterns import draw

_FIRST_ID = 2154
_CHARACTERS = string.ascii_uppercase + string.digits
_PATTERN = "FRIEND-####-####"
_CAMPAIGNS = {18: 12, 19: 6}  # and how many codes each has
_FRIENDS = 20  # the first customer who came as a friend, by place

_STATES: list[Callable[[DemoAccount], dict[str, Any]]] = [
    lambda _: {},  # free
    lambda _: {"usageLimit": 0, "usageCounter": 2},  # without limit
    lambda _: {"usageCounter": 1},  # used up
    lambda account: {"expiryDate": account.day(-3)},  # expired
    lambda account: {"startDate": account.day(4), "expiryDate": account.day(40)},  # not yet valid
    lambda account: {"friendProfileIntegrationId": named(account)[-1]},  # for one friend alone
]


def fill(account: DemoAccount) -> None:
    """Fill this part of the account."""
    number, friends = _FIRST_ID, _strangers(account)
    for campaign_id, amount in _CAMPAIGNS.items():
        campaign = account.store.get("campaigns", campaign_id) or {}
        pattern = {"validCharacters": list(_CHARACTERS), "couponPattern": _PATTERN}
        campaign |= {"features": [*campaign["features"], "referrals"], "referralSettings": pattern}
        account.store.replace("campaigns", campaign)
        for index in range(amount):
            code = draw(account.random, _PATTERN, _CHARACTERS)
            settings = {
                "id": number + index,
                "created": account.day(-20),
                "advocateProfileIntegrationId": CUSTOMERS[(index - 1) % len(CUSTOMERS)],
                "attributes": {"channel": ("web", "app")[index % 2]},
                "batchId": f"refer{campaign_id}a",
                **_STATES[index % len(_STATES)](account),
            }
            referral = new_referral(account.store, campaign, code, settings)
            for _ in range(referral["usageCounter"]):
                _fill_use(account, referral, next(friends))
        number += amount


def _strangers(account: DemoAccount) -> Iterator[str]:
    """Yield customers of the shop who may have been referred."""
    for customer in named(account)[_FRIENDS:]:
        if meeting_with(account.store, SHOP, customer):
            yield customer


def _fill_use(account: DemoAccount, referral: Document, friend: str) -> None:
    advocate = referral["advocateProfileIntegrationId"]
    order = account.store.select(
        "sessions", equal("applicationId", SHOP), equal("profileId", friend), limit=1
    )
    use = {
        "created": account.day(-10 * account.random.random()),
        "applicationId": SHOP,
        "sessionId": order[0]["integrationId"] if order else f"first-order-of-{friend}",
        "advocateIntegrationId": advocate,
        "friendIntegrationId": friend,
        "code": referral["code"],
        "referralId": referral["id"],
    }
    account.store.add("referred_friends", use)
    add_to_counters(account.store, referral["campaignId"], referralRedemptionCount=1)
    meeting = meeting_with(account.store, SHOP, friend)
    if meeting:
        changed = meeting | {"advocateIntegrationId": advocate}
        account.store.replace("application_customers", changed)
