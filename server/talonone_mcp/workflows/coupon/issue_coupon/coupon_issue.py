"""The steps of issue_coupon: one code for one customer, from a campaign that can give one now."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, cast

from talonone_mcp.calls.plan import PlannedCall
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.text import one_line
from talonone_mcp.workflows.answer_format import MAX_QUOTED_CHARS, picked
from talonone_mcp.workflows.campaign_lookup import FoundCampaign, find_campaign
from talonone_mcp.workflows.coupon.issue_coupon.capillary_coupon import issue_of_series
from talonone_mcp.workflows.coupon.issue_coupon.coupon_terms import (
    IssueRequest,
    Terms,
    check_terms,
    code_in,
    terms_of,
    validity,
)
from talonone_mcp.workflows.coupon.issue_coupon.third_party_coupon import (
    DRY_RUN_NOTE,
    issue_for_identifier,
    issue_unchecked,
)
from talonone_mcp.workflows.obstacles import (
    CREATING,
    REDEEMING,
    Obstacle,
    campaign_obstacles,
    coupon_obstacles,
)
from talonone_mcp.workflows.steps import Steps, together
from talonone_mcp.workflows.upstream_types import BudgetLimit, Campaign, Coupon

_MAX_HELD = 1000  # coupons of a customer in one campaign
_UNKNOWN_CUSTOMER = (
    "Talon.One has not seen this customer in the Application. The code can be redeemed once a"
    " session arrives with exactly this id."
)
_HOLDS_ONE = "The customer already holds this unused code of the campaign; none was issued."


async def issue_coupon(steps: Steps, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Issue a code, or return the one that the customer already holds.

    Raises:
        CallError: `conflict` if the campaign cannot give a code now; or whatever else kept a code
            from being issued. After `outcome_unknown`, nothing was tried again.
    """
    request = cast("IssueRequest", arguments)
    if "seriesId" in request:
        return await issue_of_series(steps, request)
    if not steps.offers("create_coupons"):
        return await issue_unchecked(steps, request)
    campaign = await find_campaign(steps, request.get("applicationId"), request["campaign"])
    _refuse(campaign, steps)
    found: list[Any] = await together(
        partial(terms_of, steps, request, campaign),
        partial(_held, steps, request, campaign),
        partial(_is_known, steps, request, campaign),
    )
    terms: Terms = found[0]
    held: list[Coupon] | None = found[1]
    check_terms(terms, campaign, steps.now)
    answer = await _issued(steps, request, campaign, terms, held)
    notes = [*answer.pop("notes", ()), *([] if found[2] else [_UNKNOWN_CUSTOMER])]
    unsure = [_told(each) for each in _obstacles(campaign, steps) if each.sure != "certain"]
    return {
        **answer,
        **({"dryRun": True} if request.get("dryRun") else {}),
        "customer": request["customer"],
        "campaign": picked(campaign, ("id", "name", "applicationId", "matchedBy")),
        **({"notes": notes} if notes else {}),
        **({"unchecked": unsure} if unsure else {}),
    }


async def _issued(
    steps: Steps,
    request: IssueRequest,
    campaign: FoundCampaign,
    terms: Terms,
    held: list[Coupon] | None,
) -> dict[str, Any]:
    """Return the code, whether new, retrieved or already held, and how it came about."""
    if "identifier" in request:
        return await issue_for_identifier(steps, request, campaign, terms, held)
    unused = _unused(held or [], request["customer"], steps)
    if unused:
        hint = "To issue one more, set another to true."
        about = {"notes": [_HOLDS_ONE, hint], "held": len(unused)}
        return {"issued": False, **_coupon(unused[0], campaign), **about}
    is_bound = request.get("bound", True)
    coupons = {
        "applicationId": campaign["applicationId"],
        "campaignId": campaign["id"],
        "silent": "no",
        "numberOfCoupons": 1,
        **terms,
        **({"recipientIntegrationId": request["customer"]} if is_bound else {}),
    }
    if request.get("dryRun"):
        steps.check(PlannedCall("create_coupons", coupons))
        return {"issued": False, **validity(coupons, campaign), "notes": [DRY_RUN_NOTE]}
    created: list[Coupon] = (await steps.call("create_coupons", **coupons)).get("data") or []
    return {"issued": True, **_coupon(next(iter(created), Coupon()), campaign)}


def _coupon(coupon: Coupon, campaign: FoundCampaign) -> dict[str, Any]:
    code = code_in(coupon, "value", "list_coupons")
    number = {"couponId": coupon["id"]} if "id" in coupon else {}
    return {"code": code, **number, **validity(coupon, campaign)}


# --- Whether the campaign can give a code ----------------------------------------------------


def _obstacles(campaign: Campaign, steps: Steps) -> list[Obstacle]:
    """Return what keeps a campaign from giving a new code that works.

    No coupon is created twice, so a budget that limits creating coupons, for each coupon by
    itself, limits the whole campaign.
    """
    limits: list[BudgetLimit] = [
        {**limit, "entities": []}
        if limit["action"] in CREATING and limit.get("entities") == ["Coupon"]
        else limit
        for limit in campaign.get("limits", ())
    ]
    judged: Campaign = {**campaign, "limits": limits}
    return campaign_obstacles(judged, steps.now, (*CREATING, *REDEEMING))


def _refuse(campaign: FoundCampaign, steps: Steps) -> None:
    """Refuse to issue a code that could not be created, or not be redeemed.

    Raises:
        CallError: `conflict`, with every reason and its facts.
    """
    details = [_told(each) for each in _obstacles(campaign, steps) if each.sure == "certain"]
    if "coupons" not in campaign.get("features", ()):
        details.append({"at": "campaign", "problem": "coupons_off: the feature is not enabled"})
    if not details:
        return
    name = one_line(campaign["name"], MAX_QUOTED_CHARS)
    raise CallError(
        "conflict",
        f"No code was issued: campaign {name!r} ({campaign['id']}) cannot give one now.",
        details=details,
        hint="Tell your user why. update_campaign changes the state, dates, budgets and features;"
        " create_coupons also creates codes that only work later.",
    )


def _told(obstacle: Obstacle) -> dict[str, str]:
    facts = ", ".join(f"{key} {value}" for key, value in obstacle.facts.items())
    reason = obstacle.reason
    return {"at": "campaign", "problem": f"{reason}: {facts}" if facts else reason}


# --- What the customer has already -----------------------------------------------------------


async def _held(
    steps: Steps, request: IssueRequest, campaign: FoundCampaign
) -> list[Coupon] | None:
    """Return the customer's coupons of the campaign; none are read if one more is wanted anyway.

    None is for codes that are bound to nobody, and that nobody can hold.

    Raises:
        CallError: they could not be read: issuing a second code by mistake is worse than failing.
    """
    if not request.get("bound", True):
        return None
    if request.get("another") and "identifier" not in request:
        return []
    listed = await steps.call(
        "list_coupons",
        applicationId=campaign["applicationId"],
        campaignId=campaign["id"],
        recipientIntegrationId=request["customer"],
        pageSize=_MAX_HELD,
    )
    return list(listed.get("data", ()))


def _unused(held: list[Coupon], customer: str, steps: Steps) -> list[Coupon]:
    """Return the codes that were never used and work now or later, those that work now first."""
    found: list[tuple[bool, int, Coupon]] = []
    for coupon in held:
        against = {each.reason for each in coupon_obstacles(coupon, customer, steps.now)}
        if not coupon.get("usageCounter") and against <= {"not_started"}:
            found.append((bool(against), coupon["id"], coupon))
    return [coupon for *_, coupon in sorted(found, key=lambda each: each[:2])]


async def _is_known(steps: Steps, request: IssueRequest, campaign: FoundCampaign) -> bool:
    """Tell whether the Application knows the customer; true if that could not be read."""
    listed = await steps.attempt(
        "whether the Application knows the customer",
        "list_application_customers",
        applicationId=campaign["applicationId"],
        integrationId=request["customer"],
        pageSize=1,
    )
    return listed is None or bool(listed.get("data"))
