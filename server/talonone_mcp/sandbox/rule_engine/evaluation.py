"""Campaigns on a cart or an event: which rules apply, what they give, and why others do not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from talonone_mcp.sandbox.codes import referrals
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.handling.calls import SandboxCall
from talonone_mcp.sandbox.rule_engine.built_in_rules import (
    EffectDraft,
    RuleFailedError,
    drafts,
    first_unmet,
    needs,
)
from talonone_mcp.sandbox.rule_engine.campaign_budgets import BudgetError, SpentBudget, budget_use
from talonone_mcp.sandbox.rule_engine.coupon_redemption import find_coupon, is_evaluated, rejection
from talonone_mcp.sandbox.rule_engine.evaluation_subject import EvaluationSubject

# By what the budget that is used up counts, when a code is redeemed:
# https://docs.talon.one/docs/dev/integration-api/api-effects
_USED_UP = {"Profile": "ProfileLimitReached", "Coupon": "CouponLimitReached"}


@dataclass(slots=True)
class EvaluationOutcome:
    """The result of an evaluation as it builds up; nothing is stored yet.

    `rejected` are the codes' refusals, which go with the effects; `spent` what the budgets lose,
    by label.
    """

    effects: list[Document] = field(default_factory=list)
    failures: list[Document] = field(default_factory=list)
    uses: list[SpentBudget] = field(default_factory=list)
    spent: dict[str, float] = field(default_factory=dict)
    coupons: dict[str, Document] = field(default_factory=dict)
    referral: Document | None = None
    discounts: dict[str, float] = field(default_factory=dict)
    evaluated: list[Document] = field(default_factory=list)

    @property
    def discounted(self) -> float:
        """The sum of all discounts."""
        return round(sum(self.discounts.values()), 2)

    def triggered(self) -> list[int]:
        """Return the campaigns that gave something."""
        given = (each for each in self.effects if not each["effectType"].startswith("reject"))
        return list(dict.fromkeys(each["campaignId"] for each in given))

    def take(self, uses: Sequence[SpentBudget]) -> None:
        """Record what was used of the budgets."""
        self.uses += uses
        for each in uses:
            for label in each.labels:
                self.spent[label] = self.spent.get(label, 0.0) + each.amount


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule of a campaign, and the code that it is evaluated for."""

    campaign: Document
    ruleset: Document
    index: int
    body: Document
    coupon: Document | None = None
    referral: Document | None = None

    def tagged(self, kind: str, props: Document) -> Document:
        """Return an effect of this rule."""
        effect = {
            "campaignId": self.campaign["id"],
            "rulesetId": self.ruleset["id"],
            "ruleIndex": self.index,
            "ruleName": self.body["title"],
            "effectType": kind,
            "props": props,
        }
        return effect | ({"triggeredByCoupon": self.coupon["id"]} if self.coupon else {})

    def failure(self, details: str, **where: int) -> Document:
        """Return why this rule gave nothing."""
        reason = {
            "campaignID": self.campaign["id"],
            "campaignName": self.campaign["name"],
            "rulesetID": self.ruleset["id"],
            "ruleIndex": self.index,
            "ruleName": self.body["title"],
            "details": details,
            **where,
        }
        if self.coupon:
            reason |= {"couponID": self.coupon["id"], "couponValue": self.coupon["value"]}
        if self.referral:
            reason |= {"referralID": self.referral["id"], "referralValue": self.referral["code"]}
        return reason


def evaluate(call: SandboxCall, subject: EvaluationSubject) -> EvaluationOutcome:
    """Apply the Application's campaigns, in the order of their ids, and store nothing."""
    outcome = EvaluationOutcome()
    waiting, refused = _codes(call, subject)
    for campaign in call.store.select("campaigns", parent=subject.application_id):
        if is_evaluated(campaign, subject):
            outcome.evaluated.append(campaign)
            _apply_campaign(call, subject, campaign, waiting, outcome)
    for code, coupon in waiting.items():
        if code not in outcome.coupons:
            refused.append(_unaccepted(call, coupon, outcome))
    outcome.effects += refused
    _judge_referral(call, subject, outcome)
    return outcome


def _codes(
    call: SandboxCall, subject: EvaluationSubject
) -> tuple[dict[str, Document], list[Document]]:
    """Return the coupons that the rules may accept, and the refusals of the other codes."""
    waiting: dict[str, Document] = {}
    refused = []
    for code in dict.fromkeys(subject.codes):
        coupon = find_coupon(call.store, subject.application_id, code)
        reason = rejection(call, coupon, subject)
        if reason is None and coupon is not None:
            waiting.setdefault(coupon["value"], coupon)
        else:
            refused.append(_refusal(call, code, coupon, reason or {}))
    return waiting, refused


def _refusal(call: SandboxCall, code: str, coupon: Document | None, reason: Document) -> Document:
    campaign = call.store.get("campaigns", coupon["campaignId"]) if coupon else None
    effect = {
        "campaignId": campaign["id"] if campaign else 0,
        "rulesetId": campaign.get("activeRulesetId", 0) if campaign else 0,
        "ruleIndex": 0,
        "ruleName": "",
        "effectType": "rejectCoupon",
        "props": {"value": code, **reason},
    }
    return effect | ({"triggeredByCoupon": coupon["id"]} if coupon else {})


def _unaccepted(call: SandboxCall, coupon: Document, outcome: EvaluationOutcome) -> Document:
    """Return the refusal of a valid code that no rule accepted."""
    reason: Document = {"rejectionReason": "CouponRejectedByCondition"}
    for failure in outcome.failures:
        if failure.get("couponID") == coupon["id"]:
            reason = {
                "rejectionReason": failure.get("reason", "CouponRejectedByCondition"),
                "details": failure["details"],
            }
            reason |= {key: failure[key] for key in _WHERE if key in failure}
    return _refusal(call, coupon["value"], coupon, reason)


_WHERE = ("conditionIndex", "effectIndex")


def _apply_campaign(
    call: SandboxCall,
    subject: EvaluationSubject,
    campaign: Document,
    waiting: dict[str, Document],
    outcome: EvaluationOutcome,
) -> None:
    ruleset = call.store.get("rulesets", campaign.get("activeRulesetId", 0)) or {"rules": []}
    own = [each for each in waiting.values() if each["campaignId"] == campaign["id"]]
    referral = _referral(call, subject, campaign)
    for index, body in enumerate(ruleset["rules"]):
        if needs(body, "event") != (subject.event_type is not None):
            continue  # rules on events do not apply to carts, nor the reverse
        for coupon in own if needs(body, "couponValid") and own else [None]:
            rule = _Rule(campaign, ruleset, index, body, coupon, referral)
            _apply(call, subject, rule, outcome)


def _referral(call: SandboxCall, subject: EvaluationSubject, campaign: Document) -> Document | None:
    """Return the cart's referral, if it is this campaign's and the customer may use it."""
    if not subject.referral_code:
        return None
    found = referrals.find_referral(call.store, subject.application_id, subject.referral_code)
    if found is None or found["campaignId"] != campaign["id"]:
        return None
    return None if referrals.rejection(call, found, subject.profile) else found


def _apply(
    call: SandboxCall, subject: EvaluationSubject, rule: _Rule, outcome: EvaluationOutcome
) -> None:
    """Add a rule's effects to the outcome, or why it gives none."""
    situation = subject.seen(outcome.discounted, call.random, rule.coupon, rule.referral)
    unmet = first_unmet(rule.body, situation)
    if unmet is not None:
        outcome.failures.append(rule.failure("a condition is not met", conditionIndex=unmet))
        return
    trial = EvaluationOutcome(spent=dict(outcome.spent), discounts=dict(outcome.discounts))
    try:
        _redeem(call, subject, rule, outcome, trial)
    except BudgetError as error:
        reason = _budget_reason(error)
        outcome.failures.append(rule.failure(str(error)) | {"reason": reason})
        return
    for index, effect in enumerate(rule.body["effects"]):
        try:
            _try(call, subject, rule, effect, trial)
        except (BudgetError, RuleFailedError) as error:
            failure = rule.failure(str(error), effectIndex=index)
            outcome.failures.append(failure | {"reason": "EffectCouldNotBeApplied"})
            return
    _merge(rule, trial, outcome)


def _budget_reason(error: BudgetError) -> str:
    if error.entities == ("missing", "Profile"):
        return "ProfileRequired"
    reasons = [_USED_UP[each] for each in ("Profile", "Coupon") if each in error.entities]
    return reasons[0] if reasons else "CampaignLimitReached"


def _redeem(
    call: SandboxCall,
    subject: EvaluationSubject,
    rule: _Rule,
    outcome: EvaluationOutcome,
    trial: EvaluationOutcome,
) -> None:
    """Accept the rule's coupon and referral, unless an earlier rule has."""
    if rule.coupon and rule.coupon["value"] not in outcome.coupons:
        _take(call, subject, rule, "redeemCoupon", 1, trial)
        accepted = rule.tagged("acceptCoupon", {"value": rule.coupon["value"]})
        trial.effects.append(accepted)
    if rule.referral and needs(rule.body, "referralValid") and outcome.referral is None:
        _take(call, subject, rule, "redeemReferral", 1, trial)
        accepted = rule.tagged("acceptReferral", {"value": rule.referral["code"]})
        trial.effects.append(accepted)


def _take(  # noqa: PLR0913, PLR0917 - who takes how much of what
    call: SandboxCall,
    subject: EvaluationSubject,
    rule: _Rule,
    action: str,
    amount: float,
    trial: EvaluationOutcome,
) -> None:
    asked = budget_use(call, rule.campaign, subject, rule.coupon, action, amount, trial.spent)
    trial.take([asked])


def _try(
    call: SandboxCall,
    subject: EvaluationSubject,
    rule: _Rule,
    effect: list[Any],
    trial: EvaluationOutcome,
) -> None:
    situation = subject.seen(trial.discounted, call.random, rule.coupon, rule.referral)
    for draft in drafts(effect, situation):
        for action, amount in draft.uses.items():
            _take(call, subject, rule, action, amount, trial)
        trial.effects.append(rule.tagged(draft.kind, draft.props))
        _note_discount(draft, trial)


def _note_discount(draft: EffectDraft, trial: EvaluationOutcome) -> None:
    if draft.kind.startswith("setDiscount"):
        name = draft.props["name"]
        trial.discounts[name] = round(trial.discounts.get(name, 0) + draft.props["value"], 2)


def _merge(rule: _Rule, trial: EvaluationOutcome, outcome: EvaluationOutcome) -> None:
    outcome.effects += trial.effects
    outcome.uses += trial.uses
    outcome.spent, outcome.discounts = trial.spent, trial.discounts
    if rule.coupon:
        outcome.coupons[rule.coupon["value"]] = rule.coupon
    if rule.referral and needs(rule.body, "referralValid"):
        outcome.referral = rule.referral


def _judge_referral(
    call: SandboxCall, subject: EvaluationSubject, outcome: EvaluationOutcome
) -> None:
    """Add why the cart's referral was refused, if no rule accepted it."""
    if not subject.referral_code or outcome.referral:
        return
    code = subject.referral_code
    found = referrals.find_referral(call.store, subject.application_id, code)
    reason = referrals.rejection(call, found, subject.profile) or "ReferralRejectedByCondition"
    effect = _refusal(call, code, None, {"rejectionReason": reason})
    if found:
        effect["campaignId"] = found["campaignId"]
    outcome.effects.append(effect | {"effectType": "rejectReferral"})


def failures_shown(outcome: EvaluationOutcome) -> Iterator[Document]:
    """Yield the reasons why rules failed, as upstream shows them."""
    for each in outcome.failures:
        yield {key: value for key, value in each.items() if key != "reason"}
