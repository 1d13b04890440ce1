"""The built-in rules: their conditions and effects.

Upstream's rule engine is not rebuilt. A rule of the sandbox has a condition, `["and", [name,
argument, ...], ...]`, and effects, `[name, argument, ...]`; the names are those of the two tables
at the end, and a test lists what each gives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID

from talonone_mcp.sandbox.documents.document_store import Document


@dataclass(frozen=True, slots=True)
class RuleSituation:
    """What a rule is evaluated on. Money is in the Application's currency.

    `items` are the cart's lines; `costs` the session's additional costs; `discounted` what earlier
    effects took off. `coupon` and `referral` are the ones that it is looked at for, if any.
    """

    profile: str
    items: Sequence[Document]
    costs: float
    discounted: float
    random: Random
    event_type: str | None = None
    coupon: Document | None = None
    referral: Document | None = None

    def base(self, scope: str) -> float:
        """Return the amount that a discount of a scope applies to, at least 0.

        Raises:
            KeyError: the scope is not one of upstream's for session discounts.
        """
        items = sum(each.get("price", 0) * units(each) for each in self.items)
        costs = self.costs + sum(item_costs(each) * units(each) for each in self.items)
        whole = {"cartItems": items, "additionalCosts": costs, "sessionTotal": items + costs}
        return float(max(min(whole[scope], items + costs - self.discounted), 0.0))


@dataclass(frozen=True, slots=True)
class EffectDraft:
    """An effect of a rule, and what it uses of the campaign's budgets, by action."""

    kind: str
    props: Document
    uses: Mapping[str, float]


class RuleFailedError(Exception):
    """An effect cannot be applied; the message says why."""


def units(item: Document) -> int:
    """Return how many units of a cart item were not returned."""
    left: int = item["remainingQuantity"]
    return left


def item_costs(item: Document) -> float:
    """Return the additional costs of one unit of a cart item."""
    return float(sum(cost["price"] for cost in item.get("additionalCosts", {}).values()))


def conditions_of(rule: Document) -> list[list[Any]]:
    """Return the conditions of a rule, all of which must hold."""
    return list(rule["condition"][1:])


def needs(rule: Document, name: str) -> bool:
    """Return whether a rule has a condition of this name."""
    return any(each[0] == name for each in conditions_of(rule))


def first_unmet(rule: Document, situation: RuleSituation) -> int | None:
    """Return the index of the first condition that does not hold; None when all do."""
    for index, (name, *arguments) in enumerate(conditions_of(rule)):
        if name not in _CONDITIONS or not _CONDITIONS[name](situation, *arguments):
            return index
    return None


def drafts(effect: list[Any], situation: RuleSituation) -> list[EffectDraft]:
    """Return what one effect of a rule results in.

    Raises:
        RuleFailedError: it cannot be applied.
    """
    name, *arguments = effect
    if name not in _EFFECTS:
        raise RuleFailedError(f"the sandbox does not play {name}")
    return _EFFECTS[name](situation, *arguments)


def _percent(situation: RuleSituation, name: str, percent: float, scope: str) -> list[EffectDraft]:
    return _off(name, round(situation.base(scope) * float(percent) / 100, 2), scope)


def _amount(situation: RuleSituation, name: str, amount: float, scope: str) -> list[EffectDraft]:
    return _off(name, round(min(float(amount), situation.base(scope)), 2), scope)


def _off(name: str, value: float, scope: str) -> list[EffectDraft]:
    if value <= 0:
        return []
    props = {"name": name, "value": value, "scope": scope}
    return [EffectDraft("setDiscount", props, {"setDiscount": value, "setDiscountEffect": 1})]


def _percent_per_item(situation: RuleSituation, name: str, percent: float) -> list[EffectDraft]:
    """Discount each unit of each line, as upstream's flattened cart has them."""
    found = []
    for item in situation.items:
        value = round(item.get("price", 0) * float(percent) / 100, 2)
        for unit in range(units(item) if value > 0 else 0):
            props = {
                "name": f"{name}#{item['position']}",
                "value": value,
                "position": item["position"],
                "subPosition": unit,
                "scope": "price",
            }
            uses = {"setDiscount": value, "setDiscountEffect": 1}
            found.append(EffectDraft("setDiscountPerItem", props, uses))
    return found


def _points(
    situation: RuleSituation, name: str, program: int, subledger: str, each: float
) -> list[EffectDraft]:
    value = round(situation.base("sessionTotal") * float(each), 2)
    if not situation.profile:
        raise RuleFailedError("points need a customer profile")
    if value <= 0:
        return []
    props = {
        "name": name,
        "programId": program,
        "subLedgerId": subledger,
        "value": value,
        "recipientIntegrationId": situation.profile,
        "transactionUUID": str(UUID(int=situation.random.getrandbits(128), version=4)),
    }
    uses = {"createLoyaltyPoints": value, "createLoyaltyPointsEffect": 1}
    return [EffectDraft("addLoyaltyPoints", props, uses)]


def _free_item(_: RuleSituation, name: str, sku: str) -> list[EffectDraft]:
    return [EffectDraft("addFreeItem", {"sku": sku, "name": name}, {"addFreeItem": 1})]


def _progress(situation: RuleSituation, achievement: int, value: float) -> list[EffectDraft]:
    if not situation.profile:
        raise RuleFailedError("progress needs a customer profile")
    props = {"achievementId": achievement, "delta": float(value)}
    return [EffectDraft("increaseAchievementProgress", props, {})]


def _giveaway(situation: RuleSituation, pool: int, pool_name: str) -> list[EffectDraft]:
    if not situation.profile:
        raise RuleFailedError("a giveaway needs a customer profile")
    props = {"poolId": pool, "poolName": pool_name, "recipientIntegrationId": situation.profile}
    return [EffectDraft("willAwardGiveaway", props, {"awardGiveaway": 1})]


def _notice(_: RuleSituation, title: str, body: str) -> list[EffectDraft]:
    props = {"notificationType": "Info", "title": title, "body": body}
    return [EffectDraft("showNotification", props, {})]


_CONDITIONS: Mapping[str, Callable[..., bool]] = {
    "couponValid": lambda situation: situation.coupon is not None,
    "referralValid": lambda situation: situation.referral is not None,
    "totalAtLeast": lambda situation, amount: situation.base("sessionTotal") >= float(amount),
    "profileKnown": lambda situation: bool(situation.profile),
    "event": lambda situation, name: situation.event_type == name,
}
_EFFECTS: Mapping[str, Callable[..., list[EffectDraft]]] = {
    "setDiscount": _amount,
    "setDiscountPercent": _percent,
    "setDiscountPerItemPercent": _percent_per_item,
    "addLoyaltyPoints": _points,
    "addFreeItem": _free_item,
    "increaseAchievementProgress": _progress,
    "awardGiveaway": _giveaway,
    "showNotification": _notice,
}
