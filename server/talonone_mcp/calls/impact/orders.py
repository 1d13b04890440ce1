"""What an order, a return, an event or a profile update earns and takes, as its dry run tells."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from talonone_mcp.calls.impact.call_facts import CallFacts, Measured, number

_GIVEN = {
    "addLoyaltyPoints": "points",
    "rollbackDeductedLoyaltyPoints": "points",
    "setDiscount": "money",
    "setDiscountPerItem": "money",
    "setDiscountPerAdditionalCost": "money",
    "setDiscountPerAdditionalCostPerItem": "money",
    "couponCreated": "codes",
    "reserveCoupon": "codes",
    "referralCreated": "referrals",
    "awardGiveaway": "giveaways",
    "willAwardGiveaway": "giveaways",
    "addFreeItem": "items",
    "addToAudience": "memberships",
}
_TAKEN = {
    "rollbackAddedLoyaltyPoints": "points",
    "deductLoyaltyPoints": "points",
    "removeFromAudience": "memberships",
}
_CLOSED = "closed"


def earned(facts: CallFacts) -> Iterator[Measured]:
    """Tell what customers get by a call that runs the rules."""
    yield from _summed(facts, _GIVEN, "by the rules of the account")


def lost_in_evaluation(facts: CallFacts) -> Iterator[Measured]:
    """Tell what customers lose by a call that runs the rules."""
    yield from _summed(facts, _TAKEN, "by the rules of the account")


def cancelled_order(facts: CallFacts) -> Iterator[Measured]:
    """Tell when a call cancels an order that was placed."""
    if _state(facts) not in ("cancelled", "partially_returned"):
        return
    before = facts.before
    if before == {}:  # there is no such order
        return
    session = before.get("customerSession", before) if isinstance(before, Mapping) else {}
    state = session.get("state") if isinstance(session, Mapping) else None
    if state not in ("open", "cancelled"):
        yield Measured(1, "with what it earned and used")


def returned_items(facts: CallFacts) -> Iterator[Measured]:
    """Tell how many items of an order a call returns."""
    document = facts.given("return") or {}
    counts = [number(each.get("quantity")) for each in document.get("returnedCartItems", ())]
    total = None if None in counts else sum(each for each in counts if each is not None)
    yield Measured(total, "with what they earned")


def _summed(facts: CallFacts, units: Mapping[str, str], what: str) -> Iterator[Measured]:
    if not runs_rules(facts):
        return
    sums: dict[str, float | None] = defaultdict(float)
    for kind, props in _effects(facts.seen.rehearsal):
        if unit := units.get(kind):
            amount = _amount(props) if unit in ("points", "money") else 1
            so_far = sums[unit]
            sums[unit] = None if amount is None or so_far is None else so_far + amount
    for unit, total in sums.items():
        if total != 0:
            yield Measured(total, what, unit)


def runs_rules(facts: CallFacts) -> bool:
    """Tell whether customers get what the rules give: not from an open cart."""
    if "runRuleEngine" in facts.operation.input_schema["properties"]:
        return bool(facts.given("runRuleEngine"))
    if facts.given("customerSession") is not None:
        return bool(_state(facts) == _CLOSED)
    return True


def _state(facts: CallFacts) -> Any:
    session = facts.given("customerSession") or {}
    return session.get("state") if isinstance(session, Mapping) else None


def _effects(answer: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    effects = answer.get("effects") if isinstance(answer, Mapping) else None
    for each in effects or ():
        yield str(each.get("effectType")), each.get("props") or {}


def _amount(props: Mapping[str, Any]) -> float | None:
    return number(props.get("value"))
