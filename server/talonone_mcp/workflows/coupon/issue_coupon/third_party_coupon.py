"""Issue codes through the Third-party API, which returns the same code for the same identifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from talonone_mcp.core.errors import CallError
from talonone_mcp.workflows.coupon.issue_coupon.coupon_terms import (
    IssueRequest,
    Terms,
    check_terms,
    code_in,
    terms_of,
    validity,
)
from talonone_mcp.workflows.obstacles import coupon_obstacles
from talonone_mcp.workflows.steps import Steps
from talonone_mcp.workflows.upstream_types import Campaign, Coupon

_MESSAGING_CAMPAIGN = "talonone-mcp"
"""Upstream requires the id of a campaign in a messaging platform, and there is none here."""

_NAMES: Mapping[str, str] = {
    "Value": "value",
    "ID": "id",
    "StartDate": "startDate",
    "ExpiryDate": "expiryDate",
    "RecipientIntegrationID": "recipientIntegrationId",
    "UsageLimit": "usageLimit",
    "DiscountLimit": "discountLimit",
    "Attributes": "attributes",
    "CampaignID": "campaignId",
}
_UNCHECKED = "The campaign's state, features and budgets: that takes a Management API key."
_MAYBE_OLD = "If the identifier was used before, this is the code that it was used for."
_UNUSABLE = "The identifier's code cannot be used now. Use another identifier for another code:"
DRY_RUN_NOTE = "This was a dry run: no code was issued."


async def issue_for_identifier(
    steps: Steps,
    request: IssueRequest,
    campaign: Campaign,
    terms: Terms,
    held: Sequence[Coupon] | None,
) -> dict[str, Any]:
    """Return the code of the request's identifier, which is new at its first use.

    Args:
        steps: makes the call.
        request: the arguments of issue_coupon.
        campaign: the campaign; only its ids, if it could not be read.
        terms: those of a new code.
        held: the coupons of the campaign that the customer had before; None if that is not known.

    Raises:
        CallError: there is no code to return.
    """
    coupon = await _requested(steps, request, campaign, terms)
    _refuse_others(coupon, request, campaign)
    before = next((each for each in held or () if each["id"] == coupon.get("id")), None)
    if request.get("dryRun") and not before:  # upstream made this code up
        return {"issued": False, **validity(coupon, campaign), "notes": [DRY_RUN_NOTE]}
    may_be_old = not before and "identifier" in request and held is None
    return {
        **({} if may_be_old else {"issued": not before}),
        "code": code_in(coupon, "value", "search_coupons"),
        **({"couponId": coupon["id"]} if "id" in coupon else {}),
        **validity(before or coupon, campaign),
        **({"notes": [_MAYBE_OLD]} if may_be_old else {}),
        **(_why_unusable(before, request, steps) if before else {}),
    }


async def _requested(
    steps: Steps, request: IssueRequest, campaign: Campaign, terms: Terms
) -> Coupon:
    """Request the coupon, and return it under the names of the Management API."""
    answer = await steps.call(
        "cep_create_or_get_coupon",
        applicationId=str(campaign["applicationId"]),
        campaignId=str(campaign["id"]),
        externalCampaignId=_MESSAGING_CAMPAIGN,
        recipientIntegrationId=request["customer"] if request.get("bound", True) else None,
        identifier=request.get("identifier"),
        dryRun=request.get("dryRun") or None,
        **terms,
    )
    renamed = {name: answer[theirs] for theirs, name in _NAMES.items() if theirs in answer}
    return cast("Coupon", renamed)


def _refuse_others(coupon: Coupon, request: IssueRequest, campaign: Campaign) -> None:
    """Refuse a code that the identifier was used for before, for another customer or campaign.

    Raises:
        CallError: `conflict`. It does not name the code, which is not this customer's.
    """
    recipient = coupon.get("recipientIntegrationId")
    is_theirs = recipient == request["customer"] or not request.get("bound", True)
    if is_theirs and coupon.get("campaignId", campaign["id"]) == campaign["id"]:
        return
    raise CallError(
        "conflict",
        "No code was issued: the identifier was used before, for a different code.",
        details=[{"at": "identifier", "problem": "belongs to another customer or campaign"}],
        hint="Choose an identifier for this customer and occasion.",
    )


def _why_unusable(before: Coupon, request: IssueRequest, steps: Steps) -> dict[str, Any]:
    """Return a note on an earlier code that can no longer be used."""
    obstacles = coupon_obstacles(before, request["customer"], steps.now)
    reasons = ", ".join(each.reason for each in obstacles)
    return {"notes": [f"{_UNUSABLE} {reasons}."]} if reasons else {}


async def issue_unchecked(steps: Steps, request: IssueRequest) -> dict[str, Any]:
    """Issue a code with only a Third-party API key, which cannot look up campaigns.

    Raises:
        CallError: `invalid_arguments` unless the campaign is given by its ids; or whatever else
            kept a code from being issued.
    """
    campaign = _by_ids(request)
    terms = await terms_of(steps, request, None)
    check_terms(terms, {}, steps.now)
    answer = await issue_for_identifier(steps, request, campaign, terms, None)
    return {
        **answer,
        **({"dryRun": True} if request.get("dryRun") else {}),
        "customer": request["customer"],
        "campaign": campaign,
        "unchecked": [{"at": "campaign", "problem": _UNCHECKED}],
    }


def _by_ids(request: IssueRequest) -> Campaign:
    problems = []
    campaign = str(request["campaign"]).strip()
    if not (campaign.isascii() and campaign.isdigit()):
        problem = "must be the id: finding a name takes a Management API key"
        problems.append({"at": "campaign", "problem": problem})
    if "applicationId" not in request:
        problem = "is required without a Management API key"
        problems.append({"at": "applicationId", "problem": problem})
    if problems:
        raise CallError(
            "invalid_arguments",
            "No code was issued: the Third-party API finds campaigns only by their ids.",
            details=problems,
            hint="Ask your user for the ids; they are in the campaign's URL in Talon.One.",
        )
    return {"id": int(campaign), "applicationId": request["applicationId"]}
