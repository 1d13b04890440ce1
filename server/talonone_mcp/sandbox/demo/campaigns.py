"""The demo account's campaigns in every state, with their rulesets, coupons and redemptions."""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from talonone_mcp.sandbox.account import ACCOUNT_ID, SHOP, SHOP_US, USER_ID, USER_NAME
from talonone_mcp.sandbox.campaigns import COUNTERS, counted
from talonone_mcp.sandbox.coupons import new_coupon
from talonone_mcp.sandbox.demo.customers import CUSTOMERS
from talonone_mcp.sandbox.demo.filling import Account
from talonone_mcp.sandbox.store import Document
from talonone_mcp.sandbox.times import stamp

_CHARACTERS = list(string.ascii_uppercase + string.digits)
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


def fill(account: Account) -> None:
    """Fill in this part."""
    for plan in _CAMPAIGNS:
        _fill_campaign(account, plan)
    _fill_value_map(account)
    _fill_templates(account)
    _fill_experiments(account)
    _fill_rejections(account)


def _fill_campaign(account: Account, plan: _Plan) -> None:
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
        **dict.fromkeys(COUNTERS, 0),
    }
    if last is not None:
        campaign["endTime"] = account.day(last)
    account.store.add("campaigns", campaign, parent=plan.application)
    account.store.add("rulesets", _ruleset(account, campaign, plan), parent=plan.number)
    for index in range(plan.coupons):
        _fill_coupon(account, campaign, index, plan.percent)
    counted(account.store, plan.number, couponCreationCount=plan.coupons)
    group = account.store.get("campaign_groups", campaign["campaignGroups"][0]) or {}
    numbers = [*group["campaignIds"], plan.number]
    account.store.replace("campaign_groups", group | {"campaignIds": numbers})


def _fill_value_map(account: Account) -> None:
    campaign = account.store.get("campaigns", 18) or {}
    account.store.replace("campaigns", campaign | {"valueMapsIds": [17]})
    prices = [{"identifier": f"SKU-{n:03}", "value": f"{9.9 + n:.2f}"} for n in range(1, 13)]
    account.store.add("value_maps", {"id": 17, "campaignId": 18, "items": prices}, parent=18)


def _ruleset(account: Account, campaign: Document, plan: _Plan) -> Document:
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


def _fill_coupon(account: Account, campaign: Document, index: int, percent: int) -> None:
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
    for customer in CUSTOMERS[: stored["reservationCounter"]]:
        reservation = {"customer": customer, "couponId": stored["id"]}
        account.store.add("reservations", reservation, parent=stored["id"])


_COUPON_STATES: list[Callable[[Account], dict[str, Any]]] = [
    lambda _: {},  # free
    lambda _: {"usageCounter": 1},  # used up
    lambda account: {"expiryDate": account.day(-2)},  # expired
    lambda account: {"startDate": account.day(5), "expiryDate": account.day(25)},  # not yet valid
    lambda account: {"recipientIntegrationId": account.random.choice(CUSTOMERS)},  # personal
    lambda _: {"usageLimit": 0, "usageCounter": 3},  # without limit
    lambda _: {"usageLimit": 5, "usageCounter": 2},  # partly used
    lambda _: {"reservationCounter": 2, "isReservationMandatory": True},  # reserved for two
    lambda account: {"usageCounter": 1, "expiryDate": account.day(-1)},  # used, then expired
    lambda _: {"discountLimit": 50},  # gift card
]


def _draw(account: Account, pattern: str) -> str:
    return "".join(account.random.choice(_CHARACTERS) if c == "#" else c for c in pattern)


def _fill_redemption(account: Account, campaign: Document, coupon: Document, percent: int) -> None:
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
    counted(
        account.store,
        campaign["id"],
        couponRedemptionCount=1,
        discountCount=redemption["discount"],
        discountEffectCount=1,
    )


def _fill_templates(account: Account) -> None:
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


def _fill_experiments(account: Account) -> None:
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


def _fill_rejections(account: Account) -> None:
    expired = next(
        coupon
        for coupon in account.store.select("coupons", parent=18)
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
