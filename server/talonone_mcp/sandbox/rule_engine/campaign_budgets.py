"""Budgets: how much campaigns and coupons may give, to whom, and in which period."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from talonone_mcp.sandbox.campaigns.campaign_records import COUNTED, add_to_counters, used_of_limit
from talonone_mcp.sandbox.documents.conditions import equal
from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.handling.calls import SandboxCall
from talonone_mcp.sandbox.rule_engine.evaluation_subject import EvaluationSubject
from talonone_mcp.sandbox.stores import store_budgets
from talonone_mcp.sandbox.stores.budget_periods import period_at

_ROUNDING = 6  # digits: sums of money do not gather the errors of floating point


@dataclass(frozen=True, slots=True)
class SpentBudget:
    """What an effect takes from a campaign's budgets: `labels` name the counters of the limits."""

    campaign: int
    action: str
    amount: float
    labels: tuple[str, ...]
    coupon: int | None = None
    place: int | None = None

    def kept(self) -> Document:
        """Return this as a session stores it, to give it back later."""
        return {
            "campaign": self.campaign,
            "action": self.action,
            "amount": self.amount,
            "labels": self.labels,
            "coupon": self.coupon,
            "place": self.place,
        }


class BudgetError(Exception):
    """A budget is used up, or what it counts by is missing. `entities` are what it counts by."""

    def __init__(self, message: str, entities: tuple[str, ...]) -> None:
        super().__init__(message)
        self.entities = entities


_KEYS: Mapping[str, Callable[[EvaluationSubject, Document | None], list[str]]] = {
    "Coupon": lambda _, coupon: [str(coupon["id"])] if coupon else [],
    "Referral": lambda subject, _: [subject.referral_code] if subject.referral_code else [],
    "Profile": lambda subject, _: [subject.profile] if subject.profile else [],
    "Identifier": lambda subject, _: list(subject.identifiers),
    "Store": lambda subject, _: [str(subject.place["id"])] if subject.place else [],
    "Session": lambda subject, _: [str(subject.session)],
}


def budget_use(  # noqa: PLR0913, PLR0917 - what a budget may be counted by
    call: SandboxCall,
    campaign: Document,
    subject: EvaluationSubject,
    coupon: Document | None,
    action: str,
    amount: float,
    spent: Mapping[str, float],
) -> SpentBudget:
    """Return what an action takes from the budgets, if all of them allow it.

    Args:
        call: the request.
        campaign: whose budgets.
        subject: for whom.
        coupon: the code that it is done for; its own limits go before the campaign's.
        action: upstream's name of what is limited.
        amount: how much of it.
        spent: what this evaluation has taken already, by label.

    Raises:
        BudgetError: one does not.
    """
    labels = []
    for limit in _limits(campaign, coupon, action):
        for label in _labels(call, campaign, subject, coupon, limit):
            counter = _counter(call.store, campaign, limit, label) + spent.get(label, 0.0)
            _allow(counter + amount, limit["limit"], f"the budget for {action}", limit["entities"])
            labels.append(label)
    if action == "setDiscount":
        labels += _own(call, campaign, subject, coupon, amount, spent)
    place = subject.place["id"] if subject.place and action == "setDiscount" else None
    number = coupon["id"] if coupon else None
    return SpentBudget(campaign["id"], action, amount, tuple(labels), number, place)


def _allow(needed: float, limit: float, what: str, entities: list[str]) -> None:
    if round(needed, _ROUNDING) > limit:
        raise BudgetError(f"{what} is used up: {limit} at most", tuple(entities))


def _limits(campaign: Document, coupon: Document | None, action: str) -> list[Document]:
    own = [each for each in (coupon or {}).get("limits", []) if each["action"] == action]
    kinds = [sorted(each["entities"]) for each in own]
    others = [each for each in campaign["limits"] if each["action"] == action]
    return own + [each for each in others if sorted(each["entities"]) not in kinds]


def _own(  # noqa: PLR0913, PLR0917
    call: SandboxCall,
    campaign: Document,
    subject: EvaluationSubject,
    coupon: Document | None,
    amount: float,
    spent: Mapping[str, float],
) -> list[str]:
    """Return the counters of the coupon's discount limit, and of the store's budget."""
    labels = []
    if coupon and "discountLimit" in coupon:
        labels.append(f"coupon/{coupon['id']}")
        taken = coupon.get("discountCounter", 0) + spent.get(labels[-1], 0.0)
        _allow(taken + amount, coupon["discountLimit"], "the coupon's discount limit", ["Coupon"])
    room = store_budgets.room(call, campaign["id"], subject.place["id"]) if subject.place else None
    if room is not None and subject.place:
        labels.append(f"store/{campaign['id']}/{subject.place['id']}")
        _allow(spent.get(labels[-1], 0.0) + amount, room, "the store's budget", ["Store"])
    return labels


def _labels(
    call: SandboxCall,
    campaign: Document,
    subject: EvaluationSubject,
    coupon: Document | None,
    limit: Document,
) -> list[str]:
    """Return the counters of a limit: one, or one per identifier."""
    period = period_at(call.store, campaign, limit.get("period"), subject.at)
    labels = [f"{campaign['id']}/{limit['action']}/{period}"]
    for entity in sorted(limit["entities"]):
        keys = _KEYS[entity](subject, coupon)
        if not keys:
            raise BudgetError(
                f"a budget counts by {entity}, and there is none", ("missing", entity)
            )
        labels = [f"{label}/{entity}={key}" for label in labels for key in keys]
    return labels


def _counter(store: DocumentStore, campaign: Document, limit: Document, label: str) -> float:
    if not limit["entities"] and "period" not in limit:
        return used_of_limit(campaign, limit)
    found = store.find("budget_uses", label)
    return float(found["count"]) if found else 0.0


def spend_budgets(call: SandboxCall, uses: list[SpentBudget], sign: int = 1) -> None:
    """Add what was used to the counters and budgets; a sign of -1 gives it back."""
    for each in uses:
        name = COUNTED.get(each.action)
        if name and each.action != "redeemReferral":  # which whoever redeems it counts
            add_to_counters(call.store, each.campaign, **{name: sign * each.amount})
        for label in each.labels:
            if not label.startswith(("coupon/", "store/")):
                _add(call.store, each.campaign, label, sign * each.amount)
        if each.action == "setDiscount":
            _spend_discount(call, each, sign)


def _add(store: DocumentStore, campaign: int, label: str, amount: float) -> None:
    found = store.find("budget_uses", label)
    if found is None:
        store.add("budget_uses", {"count": amount}, parent=campaign, label=label)
        return
    count = max(round(found["count"] + amount, _ROUNDING), 0)
    store.replace("budget_uses", found | {"count": count})


def _spend_discount(call: SandboxCall, each: SpentBudget, sign: int) -> None:
    coupon = call.store.get("coupons", each.coupon) if each.coupon else None
    if coupon and "discountLimit" in coupon:
        counter = max(round(coupon.get("discountCounter", 0) + sign * each.amount, _ROUNDING), 0)
        remainder = round(coupon["discountLimit"] - counter, _ROUNDING)
        changes = {"discountCounter": counter, "discountRemainder": remainder}
        call.store.replace("coupons", coupon | changes)
    if each.place:
        store_budgets.spend_store_budgets(call, each.campaign, each.place, sign * each.amount)


def redeemed_by(store: DocumentStore, coupon: Document, profile: str) -> int:
    """Return how often a customer has redeemed a coupon."""
    mine = equal("couponId", coupon["id"]), equal("profileId", profile)
    return store.count("redemptions", *mine)
