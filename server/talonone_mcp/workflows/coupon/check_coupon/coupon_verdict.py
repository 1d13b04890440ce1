"""What check_coupon answers: the verdict, a sentence for whoever asked, and the facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from talonone_mcp.workflows.code_search import Hit, Place, Searched
from talonone_mcp.workflows.coupon.check_coupon.coupon_sentences import (
    absence,
    because,
    in_place,
    quoted,
    usable,
)
from talonone_mcp.workflows.coupon.check_coupon.customer_limits import Uses
from talonone_mcp.workflows.obstacles import REDEEMING, Problem

Verdict = Literal["valid", "invalid", "unknown", "depends_on_customer", "depends_on_application"]

_COUPON = ("id", "value", "usageCounter", "usageLimit", "startDate", "expiryDate",
           "recipientIntegrationId", "discountCounter", "discountLimit", "isReservationMandatory",
           "reservationCounter", "limits")  # fmt: skip
_CAMPAIGN = ("id", "name", "startTime", "endTime")
_RULES = "the campaign's rules: what the cart, the customer or the store must be like"


@dataclass(frozen=True, slots=True)
class Judgement:
    """All that is known of a coupon. `campaign` is None where it could not be read.

    `is_cut` is whether something was not read because there were no requests left for it.
    """

    hit: Hit
    campaign: Mapping[str, Any] | None
    customer: str | None
    uses: Uses
    problems: Sequence[Problem]
    unjudged: Sequence[Mapping[str, Any]]
    is_cut: bool = False

    @property
    def certain(self) -> list[Problem]:
        """What stands against the coupon for sure."""
        return [each for each in self.problems if each.sure == "certain"]

    @property
    def possible(self) -> list[Problem]:
        """What may stand against it."""
        return [each for each in self.problems if each.sure != "certain"]

    @property
    def verdict(self) -> Verdict:
        """What all that comes to."""
        if self.certain:
            return "invalid"
        unknown = any(each.sure == "unknown" for each in self.problems)
        if unknown or self.campaign is None or not self.hit.is_exact:
            return "unknown"
        return "depends_on_customer" if self.problems else "valid"


def judged(judgement: Judgement, unsearched: Sequence[Place]) -> dict[str, Any]:
    """Return the answer on a coupon that was found."""
    invalid = judgement.verdict == "invalid"
    return _full(
        verdict=judgement.verdict,
        summary=_summary(judgement),
        reasons=_reasons(judgement.certain),
        possibly=_reasons(judgement.possible),
        coupon=_coupon(judgement.hit.coupon),
        campaign=_campaign(judgement),
        application=judgement.hit.place.shown,
        customer=_customer(judgement),
        unchecked=[] if invalid else _unchecked(judgement),
        notSearched=[each.shown for each in unsearched],
    )


def unfound(
    code: str, asked: int | None, searched: Sequence[Searched], unsearched: Sequence[Place]
) -> dict[str, Any]:
    """Return the answer on a code that is not where it was looked for."""
    elsewhere = [each.hit for each in searched if each.hit]
    here = [each for each in searched if asked in (None, each.place.id)]
    failed = not here or any(each.failed for each in here)
    similar = [code for each in here for code in each.similar]
    reason = "in_another_application" if elsewhere else "not_found"
    return _full(
        verdict="unknown" if failed else "invalid",
        summary=absence(code, here, elsewhere, similar),
        reasons=[] if failed else [reason],
        elsewhere=[_located(each) for each in elsewhere],
        similar=similar,
        searched=[each.place.shown for each in searched if not each.failed],
        notSearched=[each.shown for each in unsearched],
    )


def several(code: str, hits: Sequence[Hit]) -> dict[str, Any]:
    """Return the answer on a code that several Applications have."""
    return {
        "verdict": "depends_on_application",
        "summary": f"{quoted(code)} is a coupon of {len(hits)} Applications: ask where it is to be "
        "used, and call again with that applicationId.",
        "found": [_located(each) for each in hits],
    }


def _full(**parts: Any) -> dict[str, Any]:
    return {key: part for key, part in parts.items() if part not in ([], {}, None)}


def _reasons(problems: Iterable[Problem]) -> list[str]:
    return list(dict.fromkeys(each.reason for each in problems))


def _located(hit: Hit) -> dict[str, Any]:
    return {"application": hit.place.shown, "campaignId": hit.coupon["campaignId"]} | _coupon(
        hit.coupon
    )


def _coupon(coupon: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts of a coupon, without limits that are none."""
    shown = {key: coupon[key] for key in _COUPON if key in coupon and coupon[key] is not False}
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
    return _full(
        **{key: campaign.get(key) for key in _CAMPAIGN},
        state=campaign.get("frontendState") or campaign.get("state"),
        budgets=[
            {"action": each["action"], "limit": each["limit"], "used": each["counter"]}
            for each in campaign.get("budgets", ())
            if each["action"] in REDEEMING
        ],
    )


def _customer(judgement: Judgement) -> dict[str, Any]:
    uses = judgement.uses
    if judgement.customer is None:
        return {}
    return _full(
        integrationId=judgement.customer,
        hasItReserved=uses.reserved,
        redeemedIt=uses.coupon,
        redeemedOfCampaign=uses.campaign,
    )


def _unchecked(judgement: Judgement) -> list[str]:
    """Name what an answer does not tell, each once."""
    found = [_RULES]
    if _limits_discounts(judgement.hit.coupon, judgement.campaign or {}):
        found.append("whether the discount of the cart fits into what is left of its limits")
    for limit in judgement.unjudged:
        period = f", {limit['period']}" if "period" in limit else ""
        per = " and ".join(sorted(limit["entities"]))
        found.append(f"the limit of {limit['limit']} on {limit['action']} for each {per}{period}")
    stores = (judgement.campaign or {}).get("linkedStoreIds", ())
    if stores:
        found.append(f"the store: the campaign runs in {len(stores)} stores alone")
    return found


def _limits_discounts(coupon: Mapping[str, Any], campaign: Mapping[str, Any]) -> bool:
    limits = [*coupon.get("limits", ()), *campaign.get("limits", ())]
    return bool(coupon.get("discountLimit")) or any(
        each["action"] == "setDiscount" for each in limits
    )


def _summary(judgement: Judgement) -> str:
    hit, verdict = judgement.hit, judgement.verdict
    code, where = quoted(hit.coupon["value"]), in_place(hit.place)
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
    return f"Whether {code} can be used{whom} {where} is not known: {_doubts(judgement)}."


def _doubts(judgement: Judgement) -> str:
    doubts = [because(judgement.possible)]
    if judgement.campaign is None:
        doubts.append("its campaign was not read")
    if judgement.is_cut:
        doubts.append(f"call again with applicationId {judgement.hit.place.id}")
    if not judgement.hit.is_exact:
        doubts.append("it was given in another case, which may matter there")
    return "; ".join(filter(None, doubts))
