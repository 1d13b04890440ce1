"""Work out the plan for a new campaign: the calls it takes, and what a person is shown of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from talonone_mcp.calls.plan import Plan, PlannedCall
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.text import one_line, quoted
from talonone_mcp.workflows.answer_format import MAX_QUOTED_CHARS, filled, picked
from talonone_mcp.workflows.campaign.set_up_campaign.campaign_checks import (
    MAX_COUPONS_AT_ONCE,
    Flaw,
    code_settings,
    flaws_of,
    refuse,
    schedule_of,
)
from talonone_mcp.workflows.campaign.set_up_campaign.campaign_source import (
    CouponOrder,
    SetUpRequest,
    Source,
    find_source,
)
from talonone_mcp.workflows.steps import Steps, together
from talonone_mcp.workflows.upstream_types import Application, BudgetLimit, Campaign

KEPT = ("description", "attributes", "activeRulesetId", "reevaluateOnReturn", "couponSettings",
        "referralSettings", "campaignGroups", "evaluationGroupId", "type", "linkedStoreIds",
        "couponAttributes")  # fmt: skip
"""Settings that update_campaign clears unless they are sent back as the campaign has them."""

_OF_COUPONS = {"numberOfCoupons": "count", "couponPattern": "pattern"}
_MAX_SHOWN_CODES = 10  # more than that are exported, not read in an answer
_MAX_NAMESAKES = 100
_MARK_CHARS = 12
_ACTIONS = frozenset({
    "redeemCoupon", "createCoupon", "redeemReferral", "createReferral", "setDiscount",
    "setDiscountEffect", "addFreeItem", "createLoyaltyPoints", "createLoyaltyPointsEffect",
    "redeemLoyaltyPoints", "redeemLoyaltyPointsEffect", "callApi", "reserveCoupon",
    "awardGiveaway", "customEffect",
})  # fmt: skip


async def make_plan(steps: Steps, request: SetUpRequest) -> Plan:
    """Work out the plan from the current state of the account.

    Raises:
        CallError: the request cannot be carried out; the details say why.
    """
    application_id = request["applicationId"]
    refuse([*_refused(steps, _as_settings(request))])
    found: list[Any] = await together(
        partial(steps.call, "get_application", applicationId=application_id),
        partial(find_source, steps, request),
        partial(_namesakes, steps, request),
    )
    application: Application = found[0]
    source: Source = found[1]
    limits = _limits(request, source)
    refuse([*flaws_of(request, source, application, limits, steps.now)])
    is_staged = bool(application.get("enableCampaignStateManagement"))
    calls = tuple(_calls(request, source, limits, is_staged=is_staged))
    refuse([flaw for call in calls for flaw in _refused(steps, call)])
    shown = _shown(request, source, application, limits)
    shown["steps"] = [each.operation for each in calls]
    warnings = [*_warnings(limits), *found[2]]
    shown |= {"warnings": warnings} if warnings else {}
    where = (("Application", application_id),)
    return Plan({**shown, "mark": _mark(calls, source)}, calls, where)


def _as_settings(request: SetUpRequest) -> PlannedCall:
    """Return a call that would set what the request contains, so that its checks apply."""
    named = ("applicationId", "name", "description", "startTime", "endTime", "tags", "limits")
    given = picked(request, named)
    return PlannedCall(
        "update_campaign", {"campaignId": 1, "tags": [], "limits": [], "features": []} | given
    )


def _refused(steps: Steps, call: PlannedCall) -> Iterator[Flaw]:
    """Yield what a call would be refused for, at the arguments of set_up_campaign behind it."""
    try:
        steps.check(call, **({"campaignId": 1} if "campaignId" in call.open else {}))
    except CallError as error:
        is_coupons = call.operation.startswith("create_coupons")
        for each in error.details:
            at = each["at"].removeprefix("couponSettings.")
            named = f"coupons.{_OF_COUPONS.get(at, at)}" if is_coupons else at
            yield {"at": named, "problem": each["problem"]}


async def _namesakes(steps: Steps, request: SetUpRequest) -> list[str]:
    """Return a warning for each campaign of the Application that already has the name."""
    name = request["name"].strip()
    listed = await steps.call(
        "list_campaigns",
        applicationId=request["applicationId"],
        name=name,
        pageSize=_MAX_NAMESAKES,
    )
    campaigns: list[Campaign] = listed.get("data", [])
    return [
        f"campaign {each['id']}, {each['frontendState']}, already has this name"
        for each in campaigns
        if each["name"].strip().casefold() == name.casefold()
    ]


def _limits(request: SetUpRequest, source: Source) -> list[BudgetLimit]:
    """Return the budgets: the source's, of which those asked for replace the ones like them."""
    given = request.get("limits", [])
    same = {(each["action"], each.get("period")) for each in given}
    kept = [each for each in source.limits if (each["action"], each.get("period")) not in same]
    return [*kept, *given]


def _mark(calls: Sequence[PlannedCall], source: Source) -> str:
    """Return a mark of the exact plan: the question cuts long values and lists."""
    exact = [[call.operation, dict(call.arguments), sorted(call.open)] for call in calls]
    text = json.dumps([exact, source.digest], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_MARK_CHARS]


# --- The calls -------------------------------------------------------------------------------


def _calls(
    request: SetUpRequest, source: Source, limits: Sequence[BudgetLimit], *, is_staged: bool
) -> Iterator[PlannedCall]:
    """Yield the calls in order; a campaign with coupons is enabled once they are created."""
    yield _creation(request, source)
    settings = partial(_settings, request, source, limits)
    state, coupons = request.get("state", "disabled"), request.get("coupons")
    if not is_staged and (coupons or state == "disabled"):
        yield settings(state="disabled")
    if coupons:
        yield _coupons(request, coupons, source)
    if state == "enabled":
        yield settings(state="enabled")


def _creation(request: SetUpRequest, source: Source) -> PlannedCall:
    place = request["applicationId"]
    given = picked(request, ("name", "description", "tags"))
    if source.is_template:
        parameters = request.get("parameters", {})
        values = [
            {"name": name, "expression": value if isinstance(value, list) else [value]}
            for name, value in parameters.items()
        ]
        more: dict[str, Any] = {"templateParamValues": values} if values else {}
        more |= {"limitOverrides": request["limits"]} if "limits" in request else {}
        found = {"applicationId": place, "templateId": source.id}
        return PlannedCall("create_campaign_from_template", found | given | more)
    given |= picked(request, ("startTime", "endTime"))
    found = {"applicationId": source.application_id, "campaignId": source.id}
    return PlannedCall("copy_campaign", {**found, "applicationIds": [place], **given})


def _settings(
    request: SetUpRequest, source: Source, limits: Sequence[BudgetLimit], *, state: str
) -> PlannedCall:
    fixed: dict[str, Any] = {
        "applicationId": request["applicationId"],
        "name": request["name"],
        "tags": request.get("tags", list(source.tags)),
        "limits": limits,
        "features": list(source.features),
        "state": state,
        **schedule_of(request, source),
        **picked(request, ("description",)),
    }
    open_ = frozenset({"campaignId", *KEPT} - fixed.keys())
    return PlannedCall("update_campaign", fixed, open_, before={"state": "disabled"})


def _coupons(request: SetUpRequest, coupons: CouponOrder, source: Source) -> PlannedCall:
    common = {
        "applicationId": request["applicationId"],
        "numberOfCoupons": coupons["count"],
        "usageLimit": coupons.get("usageLimit", 1),
        **picked(coupons, ("expiryDate",)),
    }
    pattern, open_ = code_settings(coupons, source), frozenset({"campaignId"})
    if coupons["count"] > MAX_COUPONS_AT_ONCE:
        settings = {"couponSettings": dict(pattern)} if pattern else {}
        return PlannedCall("create_coupons_async", {**common, "attributes": {}, **settings}, open_)
    silent = "no" if coupons["count"] <= _MAX_SHOWN_CODES else "yes"
    return PlannedCall("create_coupons", {**common, "silent": silent, **pattern}, open_)


# --- What a person is shown ------------------------------------------------------------------


def _shown(
    request: SetUpRequest,
    source: Source,
    application: Application,
    limits: Sequence[BudgetLimit],
) -> dict[str, Any]:
    schedule = schedule_of(request, source)
    shown = {
        "name": request["name"],
        "application": one_line(application["name"], MAX_QUOTED_CHARS),
        "source": source.told,
        "description": request.get("description"),
        "startTime": schedule.get("startTime"),
        "endTime": schedule.get("endTime"),
        "tags": request.get("tags", list(source.tags)),
        "limits": [_limit_told(each) for each in limits],
        "parameters": request.get("parameters"),
        "coupons": _coupons_told(request.get("coupons")),
        "state": request.get("state", "disabled"),
        "leaves": [*_leaves(request, source)],
    }
    return filled(shown)


def _limit_told(limit: BudgetLimit) -> str:
    parts = [limit["action"], str(limit["limit"]), limit.get("period", ""), *limit["entities"]]
    return " ".join(filter(None, parts))


def _coupons_told(coupons: CouponOrder | None) -> str:
    if not coupons:
        return ""
    parts = [
        str(coupons["count"]),
        f"usage limit {coupons.get('usageLimit', 1)} (0 is none)",
        *([f"of pattern {coupons['pattern']}"] if "pattern" in coupons else []),
        *([f"until {coupons['expiryDate']}"] if "expiryDate" in coupons else []),
    ]
    return ", ".join(parts)


def _leaves(request: SetUpRequest, source: Source) -> Iterator[str]:
    """Yield what somebody might expect the plan to do, and it does not."""
    if request.get("state") != "enabled":
        yield "enable the campaign"
    if not source.is_template:
        yield "copy the coupons of the source"
    if "coupons" not in request:
        yield "create coupons"


def _warnings(limits: Sequence[BudgetLimit]) -> Iterator[str]:
    unknown = {each["action"] for each in limits} - _ACTIONS
    for action in sorted(unknown):
        yield f"no limit on this action is known: {quoted(action, MAX_QUOTED_CHARS)}"
