"""Campaigns that are evaluated again when items of a session come back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from talonone_mcp.sandbox.documents.conditions import among
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.handling.calls import SandboxCall
from talonone_mcp.sandbox.rule_engine.campaign_budgets import spend_budgets
from talonone_mcp.sandbox.rule_engine.coupon_redemption import give_back, redeem
from talonone_mcp.sandbox.rule_engine.evaluation import EvaluationOutcome, evaluate
from talonone_mcp.sandbox.sessions.closing import as_use, discount_taken_back
from talonone_mcp.sandbox.sessions.sessions import subject_of

# What is weighed again. Points go back by the returned items' share, and gifts stay given.
_DISCOUNTS = ("setDiscount", "setDiscountPerItem")
_ACTIONS = ("redeemCoupon", "setDiscount", "setDiscountEffect")


def reevaluated(call: SandboxCall, session: Document) -> tuple[Document, list[Document]]:
    """Return a session evaluated on its remaining items, and the effects of the change.

    Campaigns that gave something when it was closed, and that are to be looked at again, are:
    https://docs.talon.one/integration-api: returnCartItems, parameter runRuleEngine.
    """
    numbers = _campaigns(call, session["applied"])
    if not numbers:
        return session, []
    gone = [each for each in session["applied"] if each["campaignId"] in numbers]
    gone = [each for each in gone if each["effectType"] in (*_DISCOUNTS, "acceptCoupon")]
    uses = [as_use(each) for each in session["used"]]
    lost = [each for each in uses if each.campaign in numbers and each.action in _ACTIONS]
    spend_budgets(call, lost, -1)
    codes = give_back(call, session, among("campaignId", numbers))
    outcome = _again(call, session, numbers, codes)
    redeem(call, outcome.coupons.values(), session)
    spend_budgets(call, outcome.uses)
    kept = [each for each in session["applied"] if each not in gone]
    used = [each for each in uses if each not in lost] + outcome.uses
    left = without_discounts(session, gone)["discounts"] | outcome.discounts
    changed = {
        "applied": kept + outcome.effects,
        "used": [each.kept() for each in used],
        "discounts": left,
        "totalDiscounts": round(sum(left.values()), 2),
    }
    return session | changed, [*_taken_back(gone, outcome), *outcome.effects]


def _campaigns(call: SandboxCall, applied: Iterable[Document]) -> list[int]:
    numbers = dict.fromkeys(each["campaignId"] for each in applied)
    found = (call.store.get("campaigns", number) for number in numbers)
    return [each["id"] for each in found if each and each["reevaluateOnReturn"]]


def _again(
    call: SandboxCall, session: Document, numbers: Sequence[int], codes: Sequence[str]
) -> EvaluationOutcome:
    """Return the discounts that the campaigns give now."""
    subject = replace(subject_of(call, session), only=numbers, codes=codes, referral_code="")
    outcome = evaluate(call, subject)
    kinds = (*_DISCOUNTS, "acceptCoupon")
    outcome.effects = [each for each in outcome.effects if each["effectType"] in kinds]
    outcome.uses = [each for each in outcome.uses if each.action in _ACTIONS]
    return outcome


def _taken_back(gone: Iterable[Document], outcome: EvaluationOutcome) -> list[Document]:
    effects = []
    for effect in gone:
        if effect["effectType"] in _DISCOUNTS:
            effects.append(discount_taken_back(effect))
        elif effect["props"]["value"] not in outcome.coupons:
            value = {"value": effect["props"]["value"]}
            effects.append(effect | {"effectType": "rollbackCoupon", "props": value})
    return effects


def without_discounts(session: Document, gone: Iterable[Document]) -> Document:
    """Return a session's discounts without those of some effects."""
    left = dict(session["discounts"])
    for effect in gone:
        name = effect["props"].get("name")
        if name in left:
            left[name] = round(left[name] - effect["props"]["value"], 2)
    left = {name: value for name, value in left.items() if value > 0}
    return {"discounts": left, "totalDiscounts": round(sum(left.values()), 2)}
