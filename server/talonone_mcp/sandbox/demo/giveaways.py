"""The demo account's giveaways, and the series of its Capillary account."""

from __future__ import annotations

from typing import Any

from talonone_mcp.sandbox.demo.customers import CUSTOMERS, FIRST_ID
from talonone_mcp.sandbox.demo.demo_account import DemoAccount
from talonone_mcp.sandbox.ground.account_facts import ACCOUNT_ID

_POOL = 8
_CODES = 24
_MISSED = 8  # one code of so many can no longer be awarded
_AWARDED = 6  # codes that customers have, the first ones


def fill(account: DemoAccount) -> None:
    """Fill this part of the account."""
    pool = {"id": _POOL, "created": account.day(-120), "accountId": ACCOUNT_ID}
    account.store.add("giveaway_pools", pool | {"name": "Partner gift cards"})
    account.store.add_all(
        "giveaways", ((_giveaway(account, index), _POOL, None) for index in range(_CODES))
    )
    _fill_capillary(account)


def _giveaway(account: DemoAccount, index: int) -> dict[str, Any]:
    giveaway = {
        "id": index + 1,
        "created": account.day(-100),
        "code": f"CARD-{account.random.randrange(10**8):08}",
        "poolId": _POOL,
        "startDate": account.day(-90),
        "endDate": account.day(-1 if (index + 1) % _MISSED == 0 else 200),
        "attributes": {"provider": ("Bookshop", "Cinema")[index % 2]},
        "used": index < _AWARDED,
    }
    if index >= _AWARDED:
        return giveaway
    place = index % len(CUSTOMERS)
    return giveaway | {"profileIntegrationId": CUSTOMERS[place], "profileId": FIRST_ID + place}


def _fill_capillary(account: DemoAccount) -> None:
    common = {
        "discountCode": "festive",
        "discountType": "ABS",
        "discountUpto": 0.0,
        "discountOn": "BILL",
        "detailedInfo": "Redeemable once, in every shop",
    }
    for number, description, value, days, most in (
        (544770, "Festival coupon", 500.0, 90, 1000),
        (544771, "Opening coupon", 100.0, 90, 2),
        (544772, "Last year's coupon", 250.0, -30, 1000),
    ):
        series = {"id": number, "description": description, "discountValue": value}
        series |= {"validTill": account.day(days), "maxIssued": most}
        account.store.add("capillary_series", common | series)
    customer = {
        "id": 555567088,
        "created": account.day(-300),
        "firstName": "Anna",
        "lastName": "Schmidt",
        "mobile": "4915112345678",
        "externalId": "anna.schmidt",
        "email": "anna.schmidt@example.com",
    }
    account.store.add("capillary_customers", customer)
