"""The demo account's campaigns in every state, with their rulesets, coupons and redemptions."""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from talonone_mcp.sandbox.campaigns.campaign_records import COUNTERS, add_to_counters
from talonone_mcp.sandbox.codes.coupons import new_coupon
from talonone_mcp.sandbox.demo.customers import CUSTOMERS
from talonone_mcp.sandbox.demo.demo_account import DemoAccount
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.account_facts import ACCOUNT_ID, SHOP, SHOP_US, USER_ID, USER_NAME
from talonone_mcp.sandbox.ground.timestamps import stamp

_CHARACTERS = list(string.ascii_uppercase + string.digits)
TEN_OFF = 26  # the campaign that is looked at again when items come back
_SPACE = "3d6f0a52-7c1b-4e8e-9a50-0000000000"  # the fixed part of the rules' ids


@dataclass(frozen=True, slots=True)
class _Plan:
    """A campaign of the account. `days` are its first and last, relative to now; None is open."""

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
    _Plan(
        24,
        SHOP,
        "Points for every euro",
        (0, None),
        0,
        "POINTS-####",
        0,
        ("loyalty",),
        features=("loyalty",),
    ),
    _Plan(25, SHOP, "Free tote bag", (-14, None), 0, "GIFT-####", 0, ("gifts",), features=()),
    _Plan(TEN_OFF, SHOP, "Ten euros off", (-45, None), 0, "TEN-######", 10, ("fashion",)),
    _Plan(31, SHOP_US, "Free shipping weeks", (-14, 14), 100, "SHIP-####", 20, ("shipping",)),
    _Plan(32, SHOP_US, "Holiday gift cards", (10, 45), 25, "GIFT-####-####", 4, ("holiday",)),
)


_DESCRIPTIONS = {
    24: "Customers get a point for each euro that they spend",
    25: "A bag for every cart from 75 euros",
    26: "Ten euros off carts from 50 euros with a coupon; gone when what is left is worth less",
    31: "No shipping costs with a coupon",
}


def fill(account: DemoAccount) -> None:
    """Fill this part of the account."""
    for plan in _CAMPAIGNS:
        _fill_campaign(account, plan)
    _fill_value_map(account)
    _fill_templates(account)
    _fill_experiments(account)


def _fill_campaign(account: DemoAccount, plan: _Plan) -> None:
    first, last = plan.days
    campaign: Document = {
        "id": plan.number,
        "created": account.day(min(first, 0) - 10),
        "applicationId": plan.application,
        "userId": USER_ID,
        "name": plan.name,
        "description": _DESCRIPTIONS.get(plan.number, f"{plan.percent} % off with a coupon"),
        "startTime": account.date(first),
        "attributes": {},
        "state": plan.state,
        "activeRulesetId": plan.number + 100,
        "tags": list(plan.tags),
        "reevaluateOnReturn": plan.number == TEN_OFF,
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
        **dict.fromkeys(COUNTERS, 0),
    }
    if last is not None:
        campaign["endTime"] = account.date(last)
    account.store.add("campaigns", campaign, parent=plan.application)
    account.store.add("rulesets", _ruleset(account, campaign, plan), parent=plan.number)
    for index in range(plan.coupons):
        _fill_coupon(account, campaign, index)
    add_to_counters(account.store, plan.number, couponCreationCount=plan.coupons)
    group = account.store.get("campaign_groups", campaign["campaignGroups"][0]) or {}
    numbers = [*group["campaignIds"], plan.number]
    account.store.replace("campaign_groups", group | {"campaignIds": numbers})


def _fill_value_map(account: DemoAccount) -> None:
    campaign = account.store.get("campaigns", 18) or {}
    account.store.replace("campaigns", campaign | {"valueMapsIds": [17]})
    prices = [{"identifier": f"SKU-{n:03}", "value": f"{9.9 + n:.2f}"} for n in range(1, 13)]
    account.store.add("value_maps", {"id": 17, "campaignId": 18, "items": prices}, parent=18)


def _ruleset(account: DemoAccount, campaign: Document, plan: _Plan) -> Document:
    return {
        "id": campaign["activeRulesetId"],
        "created": campaign["created"],
        "userId": USER_ID,
        "campaignId": campaign["id"],
        "rules": [*_main_rules(plan), *_MORE_RULES.get(plan.number, ())],
        "bindings": [],
        "rbVersion": "v2",
        "activate": True,
        "activatedAt": account.day(-9),
    }


def _main_rules(plan: _Plan) -> list[dict[str, Any]]:
    percentage = f"{plan.percent} % off the session"
    return _RULES.get(plan.number, [_rule(plan.number, percentage, plan.percent)])


def _more(number: int, title: str, conditions: list[Any], *effects: list[Any]) -> dict[str, Any]:
    return {
        "id": f"{_SPACE}{number:02}",
        "title": title,
        "description": "",
        "bindings": [],
        "condition": ["and", *conditions],
        "effects": list(effects),
    }


# What campaigns give instead of a percentage of the whole session
_RULES = {
    19: [
        _more(19, "10 % off each item", [["couponValid"]],
              ["setDiscountPerItemPercent", "10 % off each item", 10]),
    ],
    24: [
        _more(24, "A point for every euro", [["profileKnown"]],
              ["addLoyaltyPoints", "A point for every euro", 5, "", 1]),
    ],
    25: [
        _more(25, "A tote bag from 75 euros", [["totalAtLeast", 75]],
              ["addFreeItem", "Tote bag", "TOTE-BAG"]),
    ],
    26: [
        _more(26, "Ten euros off from 50 euros", [["couponValid"], ["totalAtLeast", 50]],
              ["setDiscount", "Ten euros off", 10, "sessionTotal"]),
    ],
    31: [
        _more(31, "Free shipping", [["couponValid"]],
              ["setDiscountPercent", "Free shipping", 100, "additionalCosts"]),
    ],
}  # fmt: skip
# What campaigns give besides their discount
_MORE_RULES = {
    19: (
        _more(51, "A stamp for a coffee", [["couponValid"]],
              ["increaseAchievementProgress", 322, 1]),
        _more(52, "Welcome, friend", [["referralValid"]],
              ["addFreeItem", "Postcard", "POSTCARD"]),
        _more(53, "Gift card for a large order", [["couponValid"], ["totalAtLeast", 500]],
              ["awardGiveaway", 8, "Partner gift cards"]),
    ),
}  # fmt: skip


def _rule(number: int, title: str, percent: int | str) -> dict[str, Any]:
    return {
        "id": f"{_SPACE}{number:02}",
        "title": title,
        "description": "Applies when a valid coupon is in the session",
        "bindings": [],
        "condition": ["and", ["couponValid"]],
        "effects": [["setDiscountPercent", title, percent, "sessionTotal"]],
    }


def _fill_coupon(account: DemoAccount, campaign: Document, index: int) -> None:
    """Store one coupon; its index decides its state."""
    settings = {
        "created": campaign["created"],
        "batchId": f"batch{campaign['id']}{'ab'[index % 2]}",
        "attributes": _CHANNELS[index % 2],
        **_COUPON_STATES[index % len(_COUPON_STATES)](account),
    }
    if campaign["startTime"] > stamp(account.now):
        settings["usageCounter"] = 0  # nobody can have redeemed it yet
    code = _draw(account, campaign["couponSettings"]["couponPattern"])
    stored = new_coupon(account.store, campaign, code, settings)
    for customer in CUSTOMERS[: stored["reservationCounter"]]:
        reservation = {"customer": customer, "couponId": stored["id"]}
        account.store.add("reservations", reservation, parent=stored["id"])


_CHANNELS: tuple[Document, Document] = (
    {"channel": "newsletter"},
    {"channel": "influencer", "partner": "Nordlicht Media"},
)
_COUPON_STATES: list[Callable[[DemoAccount], dict[str, Any]]] = [
    lambda _: {},  # free
    lambda _: {"usageCounter": 1},  # used up
    lambda account: {"expiryDate": account.date(-2)},  # expired
    lambda account: {"startDate": account.date(5), "expiryDate": account.date(25)},  # not yet valid
    lambda account: {"recipientIntegrationId": account.random.choice(CUSTOMERS)},  # personal
    lambda _: {"usageLimit": 0, "usageCounter": 3},  # without limit
    lambda _: {"usageLimit": 5, "usageCounter": 2},  # partly used
    lambda _: {"reservationCounter": 2, "isReservationMandatory": True},  # reserved for two
    lambda account: {"usageCounter": 1, "expiryDate": account.date(-1)},  # used, then expired
    lambda _: {"discountLimit": 50},  # gift card
]


def _draw(account: DemoAccount, pattern: str) -> str:
    return "".join(account.random.choice(_CHARACTERS) if c == "#" else c for c in pattern)


def _fill_templates(account: DemoAccount) -> None:
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
            "applicationIds": [SHOP, SHOP_US],  # documented under both names
            "validApplicationIds": [SHOP, SHOP_US],
            "campaignType": "advanced",
            "isUserFavorite": False,
            "rules": [_rule(4, "Percentage off the session", "$discount_value")],
        },
    )


def _fill_experiments(account: DemoAccount) -> None:
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
