"""The demo account: a small retailer, the same on every start, its dates relative to now."""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from talonone_mcp.sandbox.coupons import new_coupon
from talonone_mcp.sandbox.handling import ACCOUNT_ID, USER_ID, USER_NAME, stamp
from talonone_mcp.sandbox.store import Document, Store

SHOP, SHOP_US = 42, 43  # the Applications; the sandbox's integration key is the first one's

_CHARACTERS = list(string.ascii_uppercase + string.digits)
_CREATED = -420  # days from now when the account came into being
_SPACE = "3d6f0a52-7c1b-4e8e-9a50-0000000000"  # the fixed part of the rules' ids


@dataclass(frozen=True, slots=True)
class _Plan:
    """A campaign of the account. `days` are its first and last day from now, None being open."""

    number: int
    application: int
    name: str
    days: tuple[int, int | None]
    percent: int
    pattern: str
    coupons: int
    tags: tuple[str, ...]
    state: str = "enabled"
    features: tuple[str, ...] = ("coupons",)


_CAMPAIGNS = (
    _Plan(
        18, SHOP, "Summer promotions", (-60, 30), 20, "SUMMER-####-####", 40, ("summer", "fashion")
    ),
    _Plan(19, SHOP, "Welcome back", (-30, None), 10, "BACK-######", 12, ("retention",)),
    _Plan(20, SHOP, "Winter sale", (20, 60), 30, "WINTER-####", 5, ("winter",)),
    _Plan(21, SHOP, "Spring campaign", (-400, -310), 15, "SPRING-####", 30, ("spring",)),
    _Plan(22, SHOP, "Store opening", (-380, -350), 5, "OPEN-####", 8, ("stores",), "archived"),
    _Plan(23, SHOP, "Staff discount", (-200, None), 40, "STAFF-####", 6, ("internal",), "disabled"),
    _Plan(31, SHOP_US, "Free shipping weeks", (-14, 14), 100, "SHIP-####", 20, ("shipping",)),
    _Plan(32, SHOP_US, "Holiday gift cards", (10, 45), 25, "GIFT-####-####", 4, ("holiday",)),
)
_CUSTOMERS = ["anna.schmidt", "ben.weber", "carla.rossi", "david.novak", "emma.dubois"]


class _Account:
    """The account while it is being filled."""

    def __init__(self, store: Store, now: datetime, random: Random) -> None:
        self.store = store
        self.now = now
        self.random = random

    def day(self, offset: float) -> str:
        """Return the time that lies so many days from now."""
        return stamp(self.now + timedelta(days=offset))


def fill(store: Store, now: datetime, random: Random) -> None:
    """Fill an empty store with the demo account.

    Args:
        store: where to.
        now: what the dates are relative to.
        random: draws codes, dates and amounts; the same seed gives the same account.
    """
    account = _Account(store, now, random)
    with store.transaction():
        _fill_applications(account)
        _fill_access_groups(account)
        _fill_cart_item_filters(account)
        _fill_customers(account)
        for plan in _CAMPAIGNS:
            _fill_campaign(account, plan)
        _fill_value_map(account)
        _fill_templates(account)
        _fill_experiments(account)
        _fill_rejections(account)


def _fill_applications(account: _Account) -> None:
    for number, name, currency, timezone in (
        (SHOP, "Webshop DE", "EUR", "Europe/Berlin"),
        (SHOP_US, "Webshop US", "USD", "America/New_York"),
    ):
        account.store.add(
            "applications",
            {
                "id": number,
                "created": account.day(_CREATED),
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


def _fill_access_groups(account: _Account) -> None:
    for number, name, application in (
        (37, "Europe access group", SHOP),
        (38, "Americas access group", SHOP_US),
    ):
        account.store.add(
            "campaign_groups",
            {
                "id": number,
                "created": account.day(_CREATED),
                "modified": account.day(-90),
                "accountId": ACCOUNT_ID,
                "name": name,
                "description": "Who works on the campaigns of this market",
                "subscribedApplicationsIds": [application],
                "campaignIds": [
                    plan.number for plan in _CAMPAIGNS if plan.application == application
                ],
            },
        )


def _fill_cart_item_filters(account: _Account) -> None:
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


def _fill_customers(account: _Account) -> None:
    for customer in _CUSTOMERS:
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


def _fill_campaign(account: _Account, plan: _Plan) -> None:
    first, last = plan.days
    campaign: Document = {
        "id": plan.number,
        "created": account.day(min(first, 0) - 10),
        "applicationId": plan.application,
        "userId": USER_ID,
        "name": plan.name,
        "description": f"{plan.percent} % off with a coupon",
        "startTime": account.day(first),
        "attributes": {},
        "state": plan.state,
        "activeRulesetId": plan.number + 100,
        "tags": list(plan.tags),
        "reevaluateOnReturn": False,
        "features": list(plan.features),
        "couponSettings": {"validCharacters": _CHARACTERS, "couponPattern": plan.pattern},
        "limits": [
            {"action": "createCoupon", "limit": 1000, "entities": ["Coupon"]},
            {"action": "setDiscount", "limit": 20000, "entities": ["Coupon"]},
        ],
        "campaignGroups": [37 if plan.application == SHOP else 38],
        "type": "advanced",
        "createdBy": USER_NAME,
        "updated": account.day(-3 if plan.state == "enabled" else -100),
        "updatedBy": USER_NAME,
        "storesImported": False,
    }
    if last is not None:
        campaign["endTime"] = account.day(last)
    account.store.add("campaigns", campaign, parent=plan.application)
    account.store.add("rulesets", _ruleset(account, campaign, plan), parent=plan.number)
    for index in range(plan.coupons):
        _fill_coupon(account, campaign, index, plan.percent)


def _fill_value_map(account: _Account) -> None:
    campaign = account.store.get("campaigns", 18) or {}
    account.store.replace("campaigns", campaign | {"valueMapsIds": [17]})
    prices = [{"identifier": f"SKU-{n:03}", "value": f"{9.9 + n:.2f}"} for n in range(1, 13)]
    account.store.add("value_maps", {"id": 17, "campaignId": 18, "items": prices}, parent=18)


def _ruleset(account: _Account, campaign: Document, plan: _Plan) -> Document:
    return {
        "id": campaign["activeRulesetId"],
        "created": campaign["created"],
        "userId": USER_ID,
        "campaignId": campaign["id"],
        "rules": [_rule(plan.number, f"{plan.percent} % off the session", plan.percent)],
        "bindings": [],
        "rbVersion": "v2",
        "activate": True,
        "activatedAt": account.day(-9),
    }


def _rule(number: int, title: str, percent: int | str) -> dict[str, Any]:
    return {
        "id": f"{_SPACE}{number:02}",
        "title": title,
        "description": "Applies when a valid coupon is in the session",
        "bindings": [],
        "condition": ["and", ["couponValid"]],
        "effects": [["setDiscountPercent", title, percent, "sessionTotal"]],
    }


def _fill_coupon(account: _Account, campaign: Document, index: int, percent: int) -> None:
    """Store one coupon; its place in the row decides in which of the possible states it is."""
    settings = {
        "created": campaign["created"],
        "batchId": f"batch{campaign['id']}{'ab'[index % 2]}",
        **_COUPON_STATES[index % len(_COUPON_STATES)](account),
    }
    if campaign["startTime"] > stamp(account.now):
        settings["usageCounter"] = 0  # nobody can have redeemed it yet
    code = _draw(account, campaign["couponSettings"]["couponPattern"])
    stored = new_coupon(account.store, campaign, code, settings)
    for _ in range(stored["usageCounter"]):
        _fill_redemption(account, campaign, stored, percent)
    for customer in _CUSTOMERS[: stored["reservationCounter"]]:
        reservation = {"customer": customer, "couponId": stored["id"]}
        account.store.add("reservations", reservation, parent=stored["id"])


_COUPON_STATES: list[Callable[[_Account], dict[str, Any]]] = [
    lambda _: {},  # free
    lambda _: {"usageCounter": 1},  # used up
    lambda account: {"expiryDate": account.day(-2)},  # expired
    lambda account: {"startDate": account.day(5), "expiryDate": account.day(25)},  # not yet valid
    lambda account: {"recipientIntegrationId": account.random.choice(_CUSTOMERS)},  # personal
    lambda _: {"usageLimit": 0, "usageCounter": 3},  # without limit
    lambda _: {"usageLimit": 5, "usageCounter": 2},  # partly used
    lambda _: {"reservationCounter": 2, "isReservationMandatory": True},  # reserved for two
    lambda account: {"usageCounter": 1, "expiryDate": account.day(-1)},  # used, then expired
    lambda _: {"discountLimit": 50},  # gift card
]


def _draw(account: _Account, pattern: str) -> str:
    return "".join(account.random.choice(_CHARACTERS) if c == "#" else c for c in pattern)


def _fill_redemption(account: _Account, campaign: Document, coupon: Document, percent: int) -> None:
    start = datetime.fromisoformat(campaign["startTime"])
    end = min(datetime.fromisoformat(campaign.get("endTime", stamp(account.now))), account.now)
    revenue = round(account.random.uniform(20, 180), 2)
    redemption = {
        "campaignId": campaign["id"],
        "couponId": coupon["id"],
        "at": stamp(start + (end - start) * account.random.random()),
        "revenue": revenue,
        "discount": round(revenue * percent / 100, 2),
    }
    account.store.add("redemptions", redemption, parent=campaign["id"])


def _fill_templates(account: _Account) -> None:
    account.store.add(
        "campaign_templates",
        {
            "id": 4,
            "created": account.day(-350),
            "accountId": ACCOUNT_ID,
            "userId": USER_ID,
            "name": "Percentage off with a coupon",
            "description": "A discount on the whole session for whoever has a code",
            "instructions": "Set discount_value to the percentage, then create coupons.",
            "campaignAttributes": {},
            "couponAttributes": {},
            "state": "enabled",
            "tags": ["coupon", "discount"],
            "reevaluateOnReturn": False,
            "features": ["coupons"],
            "couponSettings": {"validCharacters": _CHARACTERS, "couponPattern": "OFF-######"},
            "limits": [{"action": "createCoupon", "limit": 1000, "entities": ["Coupon"]}],
            "templateParams": [
                {
                    "name": "discount_value",
                    "type": "number",
                    "description": "The percentage that is taken off",
                }
            ],
            "applicationsIds": [SHOP, SHOP_US],
            "campaignType": "advanced",
            "validApplicationIds": [SHOP, SHOP_US],
            "isUserFavorite": False,
            "rules": [_rule(4, "Percentage off the session", "$discount_value")],
        },
    )


def _fill_experiments(account: _Account) -> None:
    common = {"created": account.day(-40), "experimentId": 1}
    account.store.add(
        "experiments",
        {
            "id": 1,
            "created": account.day(-40),
            "applicationId": SHOP,
            "campaignId": 19,
            "isVariantAssignmentExternal": False,
            "activated": account.day(-30),
            "state": "enabled",
            "goalType": "maximize_revenue",
            "goalDescription": "Does 15 % bring back more customers than 10 %?",
            "variants": [
                common | {"id": 1, "name": "10 %", "weight": 50, "isPrimary": True},
                common | {"id": 2, "name": "15 %", "weight": 50, "isPrimary": False},
            ],
        },
        parent=SHOP,
    )


def _fill_rejections(account: _Account) -> None:
    expired = next(
        coupon
        for coupon in account.store.list("coupons", 18)
        if coupon.get("expiryDate", "9999") < stamp(account.now)
    )
    at = account.day(-1)
    account.store.add(
        "coupon_rejections",
        {
            "eventID": 1011,
            "applicationId": SHOP,
            "sessionID": "cc53e4fa-547f-4f5e-8333-76e05c381f67",
            "profileID": "anna.schmidt",
            "status": "rejected",
            "couponCode": expired["value"],
            "language": "en",
            "summary": f"The coupon expired on {expired['expiryDate'][:10]}.",
            "createdAt": at,
            "updatedAt": at,
        },
    )
