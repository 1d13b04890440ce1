"""What a closed session or an event changes elsewhere, and how that is undone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from talonone_mcp.sandbox.achievements.progress import decrease, increase
from talonone_mcp.sandbox.codes import giveaways, referrals
from talonone_mcp.sandbox.customers.profile_records import count_orders
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.handling.calls import SandboxCall
from talonone_mcp.sandbox.ledgers.additions import add_points
from talonone_mcp.sandbox.ledgers.points import PointsCause, PointsHolder
from talonone_mcp.sandbox.ledgers.session_rollback import undo_session
from talonone_mcp.sandbox.rule_engine.built_in_rules import units
from talonone_mcp.sandbox.rule_engine.campaign_budgets import SpentBudget, spend_budgets
from talonone_mcp.sandbox.rule_engine.campaign_figures import enter_figures, of_closing, of_return
from talonone_mcp.sandbox.rule_engine.coupon_redemption import give_back, redeem
from talonone_mcp.sandbox.rule_engine.evaluation import EvaluationOutcome

# What stays when a session is reopened: https://docs.talon.one/integration-api:
# reopenCustomerSession. Nor can an item be taken back out of a cancelled order's parcel.
_STAYING = ("addFreeItem", "awardGiveaway")


def close(call: SandboxCall, session: Document, outcome: EvaluationOutcome) -> Document:
    """Carry out the effects of a closed session, and return it with what to undo later."""
    redeem(call, outcome.coupons.values(), session)
    if outcome.referral:
        referrals.redeem(call, outcome.referral, session["profileId"], session["integrationId"])
    carry_out(call, outcome, session["profileId"], session["integrationId"])
    if session["profileId"]:
        count_orders(call, session["profileId"], 1, session["total"])
    enter_figures(call.store, of_closing(call.now, session, outcome))
    return session | {
        "effects": outcome.effects,
        "applied": outcome.effects,
        "closedTotal": session["total"],
        "units": sum(map(units, session["cartItems"])),
        "influenced": bool(outcome.triggered()),
        "used": [each.kept() for each in outcome.uses],
    }


def carry_out(
    call: SandboxCall, outcome: EvaluationOutcome, profile: str, session: str | None
) -> None:
    """Give the points, progress and giveaways of the effects, and count the budgets.

    The outcome's effects become those that were really given.
    """
    given: list[Document] = []
    for effect in outcome.effects:
        given += _given(call, effect, profile, session)
    outcome.effects = given
    spend_budgets(call, outcome.uses)


def _given(
    call: SandboxCall, effect: Document, profile: str, session: str | None
) -> list[Document]:
    props = effect["props"]
    if effect["effectType"] == "addLoyaltyPoints":
        return [effect | {"props": props | _points(call, effect, profile, session)}]
    if effect["effectType"] == "increaseAchievementProgress":
        moved = increase(call, props["achievementId"], profile, props["delta"])
        return [effect | {"props": each} for each in moved]
    if effect["effectType"] == "willAwardGiveaway":
        return _giveaway(call, effect, profile)
    return [effect]


def _points(
    call: SandboxCall, effect: Document, profile: str, session: str | None
) -> dict[str, Any]:
    props = effect["props"]
    entry = add_points(
        call,
        PointsHolder(props["programId"], customer=profile),
        props["value"],
        subledger=props["subLedgerId"],
        cause=PointsCause(
            name=props["name"],
            application_id=call.application_id,
            session_id=session,
            campaign_id=effect["campaignId"],
            ruleset_id=effect["rulesetId"],
            rule_name=effect["ruleName"],
        ),
    )
    dates = {key: entry[key] for key in ("startDate", "expiryDate") if _is_time(entry.get(key))}
    return {"transactionUUID": entry["transactionUUID"], **dates}


def _is_time(text: object) -> bool:
    return str(text)[:1].isdigit()  # not "immediate" or "unlimited"


def _giveaway(call: SandboxCall, effect: Document, profile: str) -> list[Document]:
    award = giveaways.award(call, effect["props"]["poolId"], profile)
    if award is None:
        return []
    props = effect["props"] | {"giveawayId": award["id"], "code": award["code"]}
    return [effect | {"effectType": "awardGiveaway", "props": props}]


# --- Taking back ---------------------------------------------------------------------------------


def undo(call: SandboxCall, session: Document, *, reopens: bool) -> list[Document]:
    """Undo what a closed session gave, and return the rollback effects.

    A session that was never closed has nothing to undo.
    """
    if "used" not in session or session["state"] not in ("closed", "partially_returned"):
        return []
    applied = session["applied"]
    codes = give_back(call, session)
    referrals.unredeem(call, session["applicationId"], session["integrationId"])
    effects = [*_rolled_back(applied, reopens=reopens)]
    entries = undo_session(call, session["applicationId"], session["integrationId"])
    effects += map(points_taken_back, entries)
    effects += _progress_taken_back(call, applied)
    uses = [as_use(each) for each in session["used"]]
    spend_budgets(call, [each for each in uses if each.action not in _STAYING], -1)
    if session["profileId"]:
        count_orders(call, session["profileId"], -1, -session["total"])
    discounts = sum(each.amount for each in uses if each.action == "setDiscount")
    lost = {"campaignRefund": session["total"], "campaignRefundedDiscounts": discounts}
    enter_figures(call.store, of_return(call.now, session, lost, len(codes)))
    return effects


def as_use(kept: Document) -> SpentBudget:
    """Return a stored use of a budget."""
    return SpentBudget(**{**kept, "labels": tuple(kept["labels"])})


_ROLLED_BACK = {
    "acceptCoupon": "rollbackCoupon",
    "acceptReferral": "rollbackReferral",
    "setDiscount": "rollbackDiscount",
    "setDiscountPerItem": "rollbackDiscount",
}


def _rolled_back(applied: Iterable[Document], *, reopens: bool) -> Iterator[Document]:
    """Yield the effects that take back a session's codes and discounts.

    A discount is said to be rolled back when items go back, not when the cart is merely open
    again: https://docs.talon.one/docs/dev/integration-api/api-effects: rollbackDiscount.
    """
    for effect in applied:
        kind = _ROLLED_BACK.get(effect["effectType"])
        if kind == "rollbackDiscount" and not reopens:
            yield discount_taken_back(effect)
        elif kind and kind != "rollbackDiscount":
            yield effect | {"effectType": kind, "props": {"value": effect["props"]["value"]}}


def discount_taken_back(effect: Document) -> Document:
    """Return the effect that takes back a discount."""
    props = {key: effect["props"][key] for key in ("name", "value", "scope")}
    if effect["effectType"] == "setDiscountPerItem":
        props["cartItemPosition"] = effect["props"]["position"]
        props["cartItemSubPosition"] = effect["props"]["subPosition"]
    return effect | {"effectType": "rollbackDiscount", "props": props}


def points_taken_back(entry: Document) -> Document:
    """Return the rollback effect of a ledger entry."""
    taken = entry["type"] == "subtraction"
    props = {
        "programId": entry["programId"],
        "subLedgerId": entry.get("subledgerId", ""),
        "value": entry["amount"],
        "recipientIntegrationId": entry.get("customerProfileId", ""),
        "transactionUUID": entry["transactionUUID"],
    }
    if "cardIdentifier" in entry:
        props["cardIdentifier"] = entry["cardIdentifier"]
    return {
        "campaignId": entry.get("campaignId", 0),
        "rulesetId": entry.get("rulesetId", 0),
        "ruleIndex": 0,
        "ruleName": entry.get("ruleName", ""),
        "effectType": "rollbackAddedLoyaltyPoints" if taken else "rollbackDeductedLoyaltyPoints",
        "props": props,
    }


def _progress_taken_back(call: SandboxCall, applied: Iterable[Document]) -> Iterator[Document]:
    for effect in applied:
        props = effect["props"]
        if effect["effectType"] == "increaseAchievementProgress" and "progressTrackerId" in props:
            back = decrease(call, props["progressTrackerId"], props["delta"])
            kind = "rollbackIncreasedAchievementProgress"
            if back:
                yield effect | {"effectType": kind, "props": back}
