"""The demo account's Applications, access groups and cart item filters."""

from __future__ import annotations

from talonone_mcp.sandbox.demo.demo_account import CREATED, DemoAccount
from talonone_mcp.sandbox.ground.account_facts import ACCOUNT_ID, SHOP, SHOP_US, USER_ID


def fill(account: DemoAccount) -> None:
    """Fill this part of the account."""
    _fill_applications(account)
    _fill_access_groups(account)
    _fill_cart_item_filters(account)


def _fill_applications(account: DemoAccount) -> None:
    for number, name, currency, timezone in (
        (SHOP, "Webshop DE", "EUR", "Europe/Berlin"),
        (SHOP_US, "Webshop US", "USD", "America/New_York"),
    ):
        account.store.add(
            "applications",
            {
                "id": number,
                "created": account.day(CREATED),
                "modified": account.day(-12),
                "accountId": ACCOUNT_ID,
                "name": name,
                "description": f"The online shop that sells in {currency}",
                "timezone": timezone,
                "currency": currency,
                "caseSensitivity": "insensitive-uppercase",
                "defaultDiscountScope": "sessionTotal",
                "enableCascadingDiscounts": True,
                "enablePartialDiscounts": False,
                "enableCampaignStateManagement": False,
                "sandbox": True,
                "loyaltyPrograms": [],
            },
        )


def _fill_access_groups(account: DemoAccount) -> None:
    for number, name, application in (
        (37, "Europe access group", SHOP),
        (38, "Americas access group", SHOP_US),
    ):
        account.store.add(
            "campaign_groups",
            {
                "id": number,
                "created": account.day(CREATED),
                "modified": account.day(-90),
                "accountId": ACCOUNT_ID,
                "name": name,
                "description": "Who works on the campaigns of this market",
                "subscribedApplicationsIds": [application],
                "campaignIds": [],  # each campaign enters itself
            },
        )


def _fill_cart_item_filters(account: DemoAccount) -> None:
    common = {"created": account.day(-300), "createdBy": USER_ID, "applicationId": SHOP}
    expression = {"id": 19, "cartItemFilterId": 20, "expression": ["!", [".", "gift_card", "tags"]]}
    account.store.add("cart_item_filter_expressions", common | expression, parent=SHOP)
    described = {
        "id": 20,
        "name": "No gift cards",
        "description": "Discounts pass over gift cards",
        "activeExpressionId": 19,
        "modified": account.day(-250),
        "modifiedBy": USER_ID,
    }
    account.store.add("cart_item_filters", common | described, parent=SHOP)
