"""Codes through the Third-party API, which gives the same one again for the same identifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from talonone_mcp.core.errors import CallError
from talonone_mcp.workflows.coupon.issue_coupon.coupon_terms import (
    Terms,
    check_terms,
    code_in,
    terms_of,
    validity,
)
from talonone_mcp.workflows.obstacles import coupon_problems
from talonone_mcp.workflows.steps import Steps

_PLATFORMS_CAMPAIGN = "talonone-mcp"
"""Upstream asks for the campaign's id in the messaging platform, and no platform stands here."""

_NAMES = {
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
_EITHER = "With an identifier that was used before, this is the code that it was used for."
_SAME_AGAIN = "The identifier's code cannot be used now; another identifier gives another code:"
_REHEARSED = "Nothing was kept; without dryRun, the customer gets a code."


async def issue(
    steps: Steps,
    arguments: Mapping[str, Any],
    campaign: Mapping[str, Any],
    terms: Terms,
    held: Sequence[Mapping[str, Any]] | None,
) -> dict[str, Any]:
    """Return the code of the call's identifier, which is a new one at its first use.

    Args:
        steps: makes the call.
        arguments: of issue_coupon.
        campaign: what was checked of the campaign; its ids alone, where nothing could be.
        terms: those of a new code.
        held: the customer's coupons of the campaign before; None where they cannot be known.

    Raises:
        CallError: the code could not be had.
    """
    coupon = await _requested(steps, arguments, campaign, terms)
    _refuse_anothers(coupon, arguments, campaign)
    before = next((each for each in held or () if each["id"] == coupon.get("id")), None)
    if arguments.get("dryRun") and not before:  # its code is one that does not exist
        return {"issued": False, **validity(coupon, campaign), "notes": [_REHEARSED]}
    is_either = not before and "identifier" in arguments and held is None
    return {
        **({} if is_either else {"issued": not before}),
        "code": code_in(coupon, "value", "search_coupons"),
        **({"couponId": coupon["id"]} if "id" in coupon else {}),
        **validity(before or coupon, campaign),
        **({"notes": [_EITHER]} if is_either else {}),
        **(_about(before, arguments, steps) if before else {}),
    }


async def _requested(
    steps: Steps, arguments: Mapping[str, Any], campaign: Mapping[str, Any], terms: Terms
) -> dict[str, Any]:
    """Request the coupon, and return it under the names that the Management API has."""
    answer = await steps.call(
        "cep_create_or_get_coupon",
        applicationId=str(campaign["applicationId"]),
        campaignId=str(campaign["id"]),
        externalCampaignId=_PLATFORMS_CAMPAIGN,
        recipientIntegrationId=arguments["customer"] if arguments.get("bound", True) else None,
        identifier=arguments.get("identifier"),
        dryRun=arguments.get("dryRun") or None,
        **terms,
    )
    return {name: answer[theirs] for theirs, name in _NAMES.items() if theirs in answer}


def _refuse_anothers(
    coupon: Mapping[str, Any], arguments: Mapping[str, Any], campaign: Mapping[str, Any]
) -> None:
    """Refuse the code of an identifier that was used before, and for something else.

    Raises:
        CallError: `conflict`. The code is not in it: it is not this customer's.
    """
    recipient = coupon.get("recipientIntegrationId")
    is_theirs = recipient == arguments["customer"] or not arguments.get("bound", True)
    if is_theirs and coupon.get("campaignId", campaign["id"]) == campaign["id"]:
        return
    raise CallError(
        "conflict",
        "No code was issued: the identifier was used before, for another code than this one.",
        details=[{"at": "identifier", "problem": "is another customer's, or of another campaign"}],
        hint="Choose an identifier of this customer and occasion.",
    )


def _about(before: Mapping[str, Any], arguments: Mapping[str, Any], steps: Steps) -> dict[str, Any]:
    """Return a note on a code that was there before, when it is of no use any more."""
    against = coupon_problems(before, arguments["customer"], steps.now)
    reasons = ", ".join(problem.reason for problem in against)
    return {"notes": [f"{_SAME_AGAIN} {reasons}."]} if reasons else {}


async def issue_unchecked(steps: Steps, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Issue a code with the Third-party key alone, with which no campaign can be looked up.

    Raises:
        CallError: `invalid_arguments`, unless the campaign is given by its ids; whatever else kept
            the code from being had.
    """
    campaign = _by_ids(arguments)
    terms = await terms_of(steps, arguments, None)
    check_terms(terms, {}, steps.now)
    answer = await issue(steps, arguments, campaign, terms, None)
    return {
        **answer,
        **({"dryRun": True} if arguments.get("dryRun") else {}),
        "customer": arguments["customer"],
        "campaign": campaign,
        "unchecked": [{"at": "campaign", "problem": _UNCHECKED}],
    }


def _by_ids(arguments: Mapping[str, Any]) -> dict[str, int]:
    problems = []
    campaign = str(arguments["campaign"]).strip()
    if not (campaign.isascii() and campaign.isdigit()):
        problem = "must be the id: names are found with a Management API key alone"
        problems.append({"at": "campaign", "problem": problem})
    if "applicationId" not in arguments:
        problems.append({"at": "applicationId", "problem": "is needed without a Management key"})
    if problems:
        raise CallError(
            "invalid_arguments",
            "No code was issued: the Third-party API knows campaigns by their ids alone.",
            details=problems,
            hint="Ask your user for the ids; they stand in the campaign's address in Talon.One.",
        )
    return {"id": int(campaign), "applicationId": arguments["applicationId"]}
