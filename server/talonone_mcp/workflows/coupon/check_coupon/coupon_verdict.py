"""What check_coupon answers: the verdict, a sentence for whoever asked, and the facts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from talonone_mcp.core.names import in_words
from talonone_mcp.workflows.answer_format import counted, filled, picked, quoted
from talonone_mcp.workflows.code_search import Hit, NamedApplication, Searched
from talonone_mcp.workflows.coupon.check_coupon.coupon_sentences import (
    absence,
    because,
    in_application,
    usable,
)
from talonone_mcp.workflows.coupon.check_coupon.customer_limits import PastUse
from talonone_mcp.workflows.obstacles import REDEEMING, Obstacle
from talonone_mcp.workflows.upstream_types import BudgetLimit, Campaign, Coupon

Verdict = Literal["valid", "invalid", "unknown", "depends_on_customer", "depends_on_application"]

_COUPON = ("id", "value", "usageCounter", "usageLimit", "startDate", "expiryDate",
           "recipientIntegrationId", "discountCounter", "discountLimit", "isReservationMandatory",
           "reservationCounter", "limits")  # fmt: skip
_CAMPAIGN = ("id", "name", "startTime", "endTime")
_RULES = "the campaign's rules: their conditions on the cart, the customer or the store"


@dataclass(frozen=True, slots=True)
class Judgement:
    """All that is known of a coupon. `campaign` is None if it could not be read.

    `is_cut` is whether something was not read because no requests were left.
    """

    hit: Hit
    campaign: Campaign | None
    customer: str | None
    past: PastUse
    obstacles: Sequence[Obstacle]
    unjudged: Sequence[BudgetLimit]
    is_cut: bool = False

    @property
    def certain(self) -> list[Obstacle]:
        """What is certain to keep the coupon from working."""
        return [each for each in self.obstacles if each.sure == "certain"]

    @property
    def possible(self) -> list[Obstacle]:
        """What may keep it from working."""
        return [each for each in self.obstacles if each.sure != "certain"]

    @property
    def verdict(self) -> Verdict:
        """The verdict that follows."""
        if self.certain:
            return "invalid"
        unknown = any(each.sure == "unknown" for each in self.obstacles)
        if unknown or self.campaign is None or not self.hit.is_exact:
            return "unknown"
        return "depends_on_customer" if self.obstacles else "valid"


def judged(judgement: Judgement, unsearched: Sequence[NamedApplication]) -> dict[str, Any]:
    """Return the answer on a coupon that was found."""
    invalid = judgement.verdict == "invalid"
    return filled({
        "verdict": judgement.verdict,
        "summary": _summary(judgement),
        "reasons": _reasons(judgement.certain),
        "possibly": _reasons(judgement.possible),
        "coupon": _coupon(judgement.hit.coupon),
        "campaign": _campaign(judgement),
        "application": judgement.hit.application.shown,
        "customer": _customer(judgement),
        "unchecked": [] if invalid else _unchecked(judgement),
        "notSearched": [each.shown for each in unsearched],
    })  # fmt: skip


def not_found(
    code: str,
    asked: int | None,
    searched: Sequence[Searched],
    unsearched: Sequence[NamedApplication],
) -> dict[str, Any]:
    """Return the answer on a code that was not found where it was searched for."""
    elsewhere = [each.hit for each in searched if each.hit]
    here = [each for each in searched if asked in (None, each.application.id)]
    failed = not here or any(each.failed for each in here)
    similar = [code for each in here for code in each.similar]
    reason = "in_another_application" if elsewhere else "not_found"
    return filled({
        "verdict": "unknown" if failed else "invalid",
        "summary": absence(code, here, elsewhere, similar),
        "reasons": [] if failed else [reason],
        "elsewhere": [_located(each) for each in elsewhere],
        "similar": similar,
        "searched": [each.application.shown for each in searched if not each.failed],
        "notSearched": [each.shown for each in unsearched],
    })  # fmt: skip


def found_in_several(code: str, hits: Sequence[Hit]) -> dict[str, Any]:
    """Return the answer on a code that several Applications have."""
    return {
        "verdict": "depends_on_application",
        "summary": f"{quoted(code)} is a coupon in {len(hits)} Applications: ask where it is to be "
        "used, and call again with that applicationId.",
        "found": [_located(each) for each in hits],
    }


def _reasons(obstacles: Iterable[Obstacle]) -> list[str]:
    return list(dict.fromkeys(each.reason for each in obstacles))


def _located(hit: Hit) -> dict[str, Any]:
    where = {"application": hit.application.shown, "campaignId": hit.coupon["campaignId"]}
    return where | _coupon(hit.coupon)


def _coupon(coupon: Coupon) -> dict[str, Any]:
    """Return the facts of a coupon, without limits that it does not have."""
    shown = {key: value for key, value in picked(coupon, _COUPON).items() if value is not False}
    if not coupon.get("isReservationMandatory"):
        shown.pop("reservationCounter", None)
    if not coupon.get("discountLimit"):
        shown = {key: value for key, value in shown.items() if not key.startswith("discount")}
    if not coupon.get("usageLimit"):
        shown["usageLimit"] = "unlimited"
    return shown


def _campaign(judgement: Judgement) -> dict[str, Any]:
    campaign = judgement.campaign
    if campaign is None:
        return {"id": judgement.hit.coupon["campaignId"]}
    return filled({
        **picked(campaign, _CAMPAIGN),
        "state": campaign.get("frontendState") or campaign.get("state"),
        "budgets": [
            {"action": each["action"], "limit": each["limit"], "used": each["counter"]}
            for each in campaign.get("budgets", ())
            if each["action"] in REDEEMING
        ],
    })  # fmt: skip


def _customer(judgement: Judgement) -> dict[str, Any]:
    past = judgement.past
    if judgement.customer is None:
        return {}
    return filled({
        "integrationId": judgement.customer,
        "hasItReserved": past.reserved,
        "redeemedIt": past.coupon,
        "redeemedOfCampaign": past.campaign,
    })  # fmt: skip


def _unchecked(judgement: Judgement) -> list[str]:
    """Return what the answer leaves open."""
    found = [_RULES]
    if _limits_discounts(judgement.hit.coupon, judgement.campaign or {}):
        found.append("whether the cart's discount fits into what is left of its limits")
    for limit in judgement.unjudged:
        period = f", {limit['period']}" if "period" in limit else ""
        per = in_words(sorted(limit["entities"]))
        found.append(f"the limit of {limit['limit']} on {limit['action']} for each {per}{period}")
    stores = (judgement.campaign or {}).get("linkedStoreIds", ())
    if stores:
        found.append(f"the store: the campaign runs only in {counted(len(stores), 'store')}")
    return found


def _limits_discounts(coupon: Coupon, campaign: Campaign) -> bool:
    limits = [*coupon.get("limits", ()), *campaign.get("limits", ())]
    return bool(coupon.get("discountLimit")) or any(
        each["action"] == "setDiscount" for each in limits
    )


def _summary(judgement: Judgement) -> str:
    hit, verdict = judgement.hit, judgement.verdict
    code, where = quoted(hit.coupon["value"]), in_application(hit.application)
    whom = f" by customer {quoted(judgement.customer)}" if judgement.customer else ""
    if verdict == "invalid":
        return f"{code} cannot be used{whom} {where}: {because(judgement.certain)}."
    if verdict == "valid":
        return f"{code} can be used{whom} {where}: {usable(hit.coupon)}."
    if verdict == "depends_on_customer":
        return (
            f"{code} can be used {where} by some customers: {because(judgement.possible)}. "
            "Call again with the customer."
        )
    return f"It is not known whether {code} can be used{whom} {where}: {_doubts(judgement)}."


def _doubts(judgement: Judgement) -> str:
    doubts = [because(judgement.possible)]
    if judgement.campaign is None:
        doubts.append("its campaign was not read")
    if judgement.is_cut:
        doubts.append(f"call again with applicationId {judgement.hit.application.id}")
    if not judgement.hit.is_exact:
        doubts.append("it differs in case from the code as given, which may matter there")
    return "; ".join(filter(None, doubts))
