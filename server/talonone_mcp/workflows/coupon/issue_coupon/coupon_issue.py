"""`issue_coupon`: one code for one customer, from a campaign that can give one now."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from talonone_mcp.calls.gate import Planned
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.text import one_line
from talonone_mcp.workflows.campaign_lookup import find_campaign
from talonone_mcp.workflows.coupon.issue_coupon import capillary_coupon, third_party_coupon
from talonone_mcp.workflows.coupon.issue_coupon.coupon_terms import (
    Terms,
    check_terms,
    code_in,
    terms_of,
    validity,
)
from talonone_mcp.workflows.obstacles import (
    CREATING,
    REDEEMING,
    Problem,
    campaign_problems,
    coupon_problems,
)
from talonone_mcp.workflows.steps import Steps, together

Campaign = Mapping[str, Any]
Coupon = Mapping[str, Any]
Held = list[Coupon] | None

_QUOTED = 80
_HELD = 1000  # of a customer's coupons of one campaign, those that are looked at
_UNKNOWN_CUSTOMER = (
    "Talon.One has not seen this customer in the Application. The code can be redeemed as soon as"
    " a session comes in under exactly this id."
)
_REHEARSED = "Nothing was kept; without dryRun, a code is issued on these terms."
_HOLDS_ONE = "The customer holds this unused code of the campaign already; none was issued."


async def issue_coupon(steps: Steps, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Issue a code, or say which one the customer holds already.

    Raises:
        CallError: `conflict`, when the campaign can give no code now; whatever else kept a code
            from being issued, among it `outcome_unknown`, after which nothing was tried again.
    """
    if "seriesId" in arguments:
        return await capillary_coupon.issue(steps, arguments)
    if not steps.offers("create_coupons"):
        return await third_party_coupon.issue_unchecked(steps, arguments)
    campaign = await find_campaign(steps, arguments.get("applicationId"), arguments["campaign"])
    _refuse(campaign, steps)
    found: list[Any] = await together(
        partial(terms_of, steps, arguments, campaign),
        partial(_held, steps, arguments, campaign),
        partial(_is_known, steps, arguments, campaign),
    )
    terms: Terms = found[0]
    held: Held = found[1]
    check_terms(terms, campaign, steps.now)
    answer = await _issued(steps, arguments, campaign, terms, held)
    notes = [*answer.pop("notes", ()), *([] if found[2] else [_UNKNOWN_CUSTOMER])]
    unsure = [_told(each) for each in _problems(campaign, steps) if each.sure != "certain"]
    return {
        **answer,
        **({"dryRun": True} if arguments.get("dryRun") else {}),
        "customer": arguments["customer"],
        "campaign": _shown(campaign),
        **({"notes": notes} if notes else {}),
        **({"unchecked": unsure} if unsure else {}),
    }


async def _issued(
    steps: Steps,
    arguments: Mapping[str, Any],
    campaign: Campaign,
    terms: Terms,
    held: Held,
) -> dict[str, Any]:
    """Return the code, be it new, retrieved, or held already, with how it came about."""
    if "identifier" in arguments:
        return await third_party_coupon.issue(steps, arguments, campaign, terms, held)
    unused = _unused(held or [], arguments["customer"], steps)
    if unused:
        hint = "With another: true, one more is issued."
        about = {"notes": [_HOLDS_ONE, hint], "held": len(unused)}
        return {"issued": False, **_coupon(unused[0], campaign), **about}
    coupons = {
        "applicationId": campaign["applicationId"],
        "campaignId": campaign["id"],
        "silent": "no",
        "numberOfCoupons": 1,
        **terms,
        **_recipient(arguments),
    }
    if arguments.get("dryRun"):
        steps.check(Planned("create_coupons", coupons))
        return {"issued": False, **validity(coupons, campaign), "notes": [_REHEARSED]}
    created = await steps.call("create_coupons", **coupons)
    coupon: Coupon = next(iter(created.get("data") or ()), {})
    return {"issued": True, **_coupon(coupon, campaign)}


def _recipient(arguments: Mapping[str, Any]) -> dict[str, Any]:
    bound = arguments.get("bound", True)
    return {"recipientIntegrationId": arguments["customer"]} if bound else {}


# --- Whether the campaign, and the customer, can be given one --------------------------------


def _problems(campaign: Campaign, steps: Steps) -> list[Problem]:
    """Return what stands against a new code of a campaign.

    A budget of coupons to be created that counts each coupon by itself is one of the whole
    campaign: no coupon is created twice.
    """
    whole = [
        {**limit, "entities": []}
        if limit["action"] in CREATING and limit.get("entities") == ["Coupon"]
        else limit
        for limit in campaign.get("limits", ())
    ]
    return campaign_problems({**campaign, "limits": whole}, steps.now, (*CREATING, *REDEEMING))


def _refuse(campaign: Campaign, steps: Steps) -> None:
    """Refuse to issue a code that could not be created, or not be redeemed.

    Raises:
        CallError: `conflict`, with every reason and its facts.
    """
    details = [_told(each) for each in _problems(campaign, steps) if each.sure == "certain"]
    if "coupons" not in campaign.get("features", ()):
        details.append({"at": "campaign", "problem": "coupons_off: the feature is not enabled"})
    if not details:
        return
    name = one_line(campaign["name"], _QUOTED)
    raise CallError(
        "conflict",
        f"No code was issued: campaign {name!r} ({campaign['id']}) cannot give one now.",
        details=details,
        hint="Tell your user why. update_campaign changes state, dates, budgets and features;"
        " create_coupons issues codes that work only later.",
    )


def _told(problem: Problem) -> dict[str, str]:
    facts = ", ".join(f"{key} {value}" for key, value in problem.facts.items())
    return {"at": "campaign", "problem": f"{problem.reason}: {facts}" if facts else problem.reason}


async def _held(steps: Steps, arguments: Mapping[str, Any], campaign: Campaign) -> Held:
    """Return the customer's own coupons of the campaign, unless one more is wanted in any case.

    Codes that are nobody's own are nobody's to hold: None. Failing to see them is failing: a second
    code is not given by mistake.
    """
    if not arguments.get("bound", True):
        return None
    if arguments.get("another") and "identifier" not in arguments:
        return []
    listed = await steps.call(
        "list_coupons",
        applicationId=campaign["applicationId"],
        campaignId=campaign["id"],
        recipientIntegrationId=arguments["customer"],
        pageSize=_HELD,
    )
    return list(listed.get("data", ()))


def _unused(held: list[Coupon], customer: str, steps: Steps) -> list[Coupon]:
    """Return the codes that were never used and are good, those that are good now first."""
    found = []
    for coupon in held:
        against = {problem.reason for problem in coupon_problems(coupon, customer, steps.now)}
        if not coupon.get("usageCounter") and against <= {"not_started"}:
            found.append((bool(against), coupon["id"], coupon))
    return [coupon for *_, coupon in sorted(found, key=lambda each: each[:2])]


async def _is_known(steps: Steps, arguments: Mapping[str, Any], campaign: Campaign) -> bool:
    """Tell whether the Application knows the customer; true where that could not be seen."""
    listed = await steps.attempt(
        "whether the Application knows the customer",
        "list_application_customers",
        applicationId=campaign["applicationId"],
        integrationId=arguments["customer"],
        pageSize=1,
    )
    return listed is None or bool(listed.get("data"))


# --- What is answered ------------------------------------------------------------------------


def _coupon(coupon: Coupon, campaign: Campaign) -> dict[str, Any]:
    code = code_in(coupon, "value", "list_coupons")
    number = {"couponId": coupon["id"]} if "id" in coupon else {}
    return {"code": code, **number, **validity(coupon, campaign)}


def _shown(campaign: Campaign) -> dict[str, Any]:
    keys = ("id", "name", "applicationId", "matchedBy")
    return {key: campaign[key] for key in keys if key in campaign}
