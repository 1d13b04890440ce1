"""The Integration API's answers to sessions, returns and events: effects, and extra content."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from talonone_mcp.sandbox.campaigns.campaign_records import campaign_shown
from talonone_mcp.sandbox.cards.card_records import card_in_application, card_shown
from talonone_mcp.sandbox.codes.referrals import find_referral
from talonone_mcp.sandbox.customers.profile_lists import profile_shown
from talonone_mcp.sandbox.customers.profile_records import find_profile
from talonone_mcp.sandbox.documents.conditions import equal
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.handling.calls import SandboxCall
from talonone_mcp.sandbox.loyalty.profile_ledgers import programs_of
from talonone_mcp.sandbox.rule_engine.campaign_budgets import redeemed_by
from talonone_mcp.sandbox.rule_engine.coupon_redemption import find_coupon
from talonone_mcp.sandbox.rule_engine.evaluation import EvaluationOutcome, failures_shown

_SESSION = ("id", "created", "integrationId", "applicationId", "profileId", "storeIntegrationId",
            "evaluableCampaignIds", "couponCodes", "referralCode", "loyaltyCards", "state",
            "cartItems", "experimentVariantAllocations", "additionalCosts", "identifiers",
            "attributes", "firstSession", "updateCount", "total", "cartItemTotal",
            "additionalCostTotal", "cartItemAdditionalCostTotal", "updated")  # fmt: skip
_EVENT = ("id", "created", "applicationId", "storeIntegrationId", "type", "attributes",
          "integrationId", "connectedSessionId")  # fmt: skip


@dataclass(frozen=True, slots=True)
class IntegrationAnswer:
    """The parts of an answer. `session` is None for an event without one."""

    session: Document | None
    event: Document
    outcome: EvaluationOutcome
    wanted: Sequence[str] = ()
    cards: Sequence[str] = ()

    @property
    def profile(self) -> str:
        """The customer's integration id, "" for nobody."""
        return str(self.event.get("profile", ""))


def session_shown(session: Document) -> Document:
    """Return a session as the Integration API shows it, with its codes in the old form, too."""
    codes = {"coupon": ",".join(session["couponCodes"]), "referral": session["referralCode"]}
    return {key: session[key] for key in _SESSION if key in session} | codes


def answer(call: SandboxCall, made: IntegrationAnswer) -> Document:
    """Return an answer with the available parts of `responseContent`."""
    contents: dict[str, Any] = {
        "effects": made.outcome.effects,
        "createdCoupons": [],
        "createdReferrals": [],
    }
    for name in made.wanted:
        content = _CONTENTS[name](call, made)
        if content is not None:
            contents[name] = content
    return contents


def _profile(call: SandboxCall, made: IntegrationAnswer) -> Document | None:
    found = find_profile(call.store, made.profile) if made.profile else None
    return profile_shown(call, found) if found else None


def _coupons(call: SandboxCall, made: IntegrationAnswer) -> list[Document]:
    """Return the cart's coupons, with how often the customer has redeemed each."""
    application = call.application_id or 0
    codes = made.session["couponCodes"] if made.session else []
    found = (find_coupon(call.store, application, code) for code in codes)
    return [
        coupon | {"profileRedemptionCount": redeemed_by(call.store, coupon, made.profile)}
        for coupon in found
        if coupon
    ]


def _campaigns(call: SandboxCall, made: IntegrationAnswer) -> list[Document]:
    found = (call.store.get("campaigns", number) for number in made.outcome.triggered())
    return [campaign_shown(campaign, call.now) for campaign in found if campaign]


def _referral(call: SandboxCall, made: IntegrationAnswer) -> Document | None:
    code = made.session["referralCode"] if made.session else ""
    found = find_referral(call.store, call.application_id or 0, code) if code else None
    if found is None:
        return None
    friends = call.store.select("referred_friends", equal("referralId", found["id"]))
    return found | {"referredCustomers": [each["friendIntegrationId"] for each in friends]}


def _loyalty(call: SandboxCall, made: IntegrationAnswer) -> Document:
    programs = programs_of(call, made.profile) if made.profile else {}
    cards = made.session["loyaltyCards"] if made.session else made.cards
    found = (card_in_application(call, each) for each in cards)
    return {"programs": programs, "cards": [card_shown(call, card) for card in found if card]}


def event_shown(event: Document) -> Document:
    """Return an event as the Integration API shows it; its effects are in their old form.

    https://docs.talon.one/integration-api: Event
    """
    shown = {key: event[key] for key in _EVENT if key in event}
    if "profile" in event:
        shown["profileId"] = event["profile"]
    return shown | {"effects": [_as_list(each) for each in event["effects"]]}


def _as_list(effect: Document) -> list[Any]:
    rule = [effect[key] for key in ("campaignId", "rulesetId", "ruleIndex", "ruleName")]
    return [*rule, [effect["effectType"], *effect["props"].values()]]


def _event(_: SandboxCall, made: IntegrationAnswer) -> Document:
    shown = event_shown(made.event) | {"ledgerEntries": [], "meta": _meta(made.outcome)}
    return shown | ({"sessionId": made.event["session"]} if "session" in made.event else {})


def _meta(outcome: EvaluationOutcome) -> Document:
    """Return upstream's meta data: attributes, and the last refusal of a code."""
    meta: Document = {
        "campaigns": {
            str(each["id"]): each["attributes"]
            for each in outcome.evaluated
            if each.get("attributes")
        },
        "coupons": {code: each["attributes"] for code, each in outcome.coupons.items()},
    }
    for effect in outcome.effects:
        if effect["effectType"] == "rejectCoupon":
            meta["couponRejectionReason"] = {
                "campaignId": effect["campaignId"],
                "couponId": effect.get("triggeredByCoupon", 0),
                "reason": effect["props"]["rejectionReason"],
            }
    return meta


def _giveaways(call: SandboxCall, made: IntegrationAnswer) -> list[Document]:
    awarded = (each for each in made.outcome.effects if each["effectType"] == "awardGiveaway")
    found = (call.store.get("giveaways", each["props"]["giveawayId"]) for each in awarded)
    return [giveaway for giveaway in found if giveaway]


def _previous_returns(call: SandboxCall, made: IntegrationAnswer) -> list[Document]:
    return call.store.select("returns", parent=made.session["id"]) if made.session else []


def _eligibility(call: SandboxCall, made: IntegrationAnswer) -> list[Document] | None:
    """Return each campaign's eligibility; None unless it is a dry run."""
    if not call.arguments.get("dry"):
        return None
    return [_eligible(call, made.outcome, each) for each in made.outcome.evaluated]


_OF_CAMPAIGN = ("applicationId", "id", "name", "description", "startTime", "endTime", "attributes",
                "tags", "features")  # fmt: skip


def _eligible(call: SandboxCall, outcome: EvaluationOutcome, campaign: Document) -> Document:
    ruleset = call.store.get("rulesets", campaign.get("activeRulesetId", 0)) or {"rules": []}
    passed = campaign["id"] in outcome.triggered()
    verdict: Document = {"passed": passed}
    if not passed:
        verdict["details"] = {"failureCode": "ALL_RULES_FAILED"}
    rules = [
        {"title": rule["title"], "eligibility": list(_verdicts(outcome, campaign, index))}
        for index, rule in enumerate(ruleset["rules"])
    ]
    shown = {key: campaign[key] for key in _OF_CAMPAIGN if key in campaign}
    return shown | {"state": "enabled", "eligibility": [verdict], "rules": rules}


def _verdicts(outcome: EvaluationOutcome, campaign: Document, index: int) -> Iterator[Document]:
    own = (campaign["id"], index)
    if any((each["campaignId"], each["ruleIndex"]) == own for each in outcome.effects):
        yield {"passed": True}
    for failure in failures_shown(outcome):
        if (failure["campaignID"], failure["ruleIndex"]) == own:
            failed = "EFFECT_FAILED" if "effectIndex" in failure else "CONDITION_NOT_MET"
            code = {"couponCode": failure["couponValue"]} if "couponValue" in failure else {}
            yield {
                "passed": False,
                **code,
                "details": {"failureCode": failed, "details": failure["details"]},
            }


_CONTENTS: Mapping[str, Callable[[SandboxCall, IntegrationAnswer], Any]] = {
    "customerSession": lambda _, made: session_shown(made.session) if made.session else None,
    "customerProfile": _profile,
    "coupons": _coupons,
    "triggeredCampaigns": _campaigns,
    "referral": _referral,
    "loyalty": _loyalty,
    "event": _event,
    "advancedEvent": lambda _, made: event_shown(made.event),
    "awardedGiveaways": _giveaways,
    "ruleFailureReasons": lambda _, made: list(failures_shown(made.outcome)),
    "previousReturns": _previous_returns,
    "campaignEligibility": _eligibility,
}
