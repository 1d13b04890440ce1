"""The plan of a new campaign: what a person is shown of it, and the calls that it takes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from talonone_mcp.calls.gate import Planned
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.text import one_line
from talonone_mcp.workflows.campaign.set_up_campaign.campaign_checks import (
    MOST_AT_ONCE,
    Flaw,
    code_settings,
    flaws_of,
    refuse,
    schedule_of,
)
from talonone_mcp.workflows.campaign.set_up_campaign.campaign_source import Source, find_source
from talonone_mcp.workflows.steps import Plan, Steps, together

KEPT = ("description", "attributes", "activeRulesetId", "reevaluateOnReturn", "couponSettings",
        "referralSettings", "campaignGroups", "evaluationGroupId", "type", "linkedStoreIds",
        "couponAttributes")  # fmt: skip
"""What update_campaign would clear, and is sent back as the new campaign came."""

_OF_COUPONS = {"numberOfCoupons": "count", "couponPattern": "pattern"}
SHOWN_CODES = 10  # codes that an answer names; a print run is exported
_QUOTED = 80
_NAMESAKES = 100
_MARK = 12  # characters
_ACTIONS = frozenset({
    "redeemCoupon", "createCoupon", "redeemReferral", "createReferral", "setDiscount",
    "setDiscountEffect", "addFreeItem", "createLoyaltyPoints", "createLoyaltyPointsEffect",
    "redeemLoyaltyPoints", "redeemLoyaltyPointsEffect", "callApi", "reserveCoupon",
    "awardGiveaway", "customEffect",
})  # fmt: skip

Limits = Sequence[Mapping[str, Any]]


async def make_plan(steps: Steps, arguments: Mapping[str, Any]) -> Plan:
    """Work out the plan from what is there now.

    Raises:
        CallError: it cannot be done so; the details say why.
    """
    place = arguments["applicationId"]
    refuse([*_refused(steps, _as_settings(arguments))])
    found: list[Any] = await together(
        partial(steps.call, "get_application", applicationId=place),
        partial(find_source, steps, arguments),
        partial(_namesakes, steps, arguments),
    )
    application: Mapping[str, Any] = found[0]
    source: Source = found[1]
    limits = _limits(arguments, source)
    refuse([*flaws_of(arguments, source, application, limits, steps.now)])
    is_staged = bool(application.get("enableCampaignStateManagement"))
    calls = tuple(_calls(arguments, source, limits, is_staged=is_staged))
    refuse([flaw for call in calls for flaw in _refused(steps, call)])
    shown = _shown(arguments, source, application, limits)
    shown["steps"] = [each.operation for each in calls]
    warnings = [*_warnings(limits), *found[2]]
    shown |= {"warnings": warnings} if warnings else {}
    return Plan({**shown, "mark": _mark(calls, source)}, calls)


def _as_settings(arguments: Mapping[str, Any]) -> Planned:
    """Return the call that would set what the arguments hold, to have them checked as it would."""
    named = ("applicationId", "name", "description", "startTime", "endTime", "tags", "limits")
    given = _given(arguments, *named)
    return Planned(
        "update_campaign", {"campaignId": 1, "tags": [], "limits": [], "features": []} | given
    )


def _refused(steps: Steps, call: Planned) -> Iterator[Flaw]:
    """Yield what a call would be refused for, at the arguments that it comes from."""
    try:
        steps.check(call, **({"campaignId": 1} if "campaignId" in call.open else {}))
    except CallError as error:
        is_coupons = call.operation.startswith("create_coupons")
        for each in error.details:
            at = each["at"].removeprefix("couponSettings.")
            named = f"coupons.{_OF_COUPONS.get(at, at)}" if is_coupons else at
            yield {"at": named, "problem": each["problem"]}


async def _namesakes(steps: Steps, arguments: Mapping[str, Any]) -> list[str]:
    """Return a warning for each campaign of the Application that has the name already."""
    name = arguments["name"].strip()
    listed = await steps.call(
        "list_campaigns",
        applicationId=arguments["applicationId"],
        name=name,
        pageSize=_NAMESAKES,
    )
    return [
        f"campaign {each['id']}, {each['frontendState']}, has this name already"
        for each in listed.get("data", [])
        if each["name"].strip().casefold() == name.casefold()
    ]


def _limits(arguments: Mapping[str, Any], source: Source) -> Limits:
    """Return the budgets: those asked for in place of the source's for the same, and its others."""
    given = arguments.get("limits", [])
    same = {(each["action"], each.get("period")) for each in given}
    kept = [each for each in source.limits if (each["action"], each.get("period")) not in same]
    return [*kept, *given]


def _mark(calls: Sequence[Planned], source: Source) -> str:
    """Return what stands for the whole plan: the question shows values cut, and lists in part."""
    exact = [[call.operation, dict(call.arguments), sorted(call.open)] for call in calls]
    text = json.dumps([exact, source.digest], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_MARK]


# --- The calls -------------------------------------------------------------------------------


def _calls(
    arguments: Mapping[str, Any], source: Source, limits: Limits, *, is_staged: bool
) -> Iterator[Planned]:
    """Yield the calls in order; a campaign with coupons is enabled when they are there."""
    yield _creation(arguments, source)
    settings = partial(_settings, arguments, source, limits)
    state, coupons = arguments.get("state", "disabled"), arguments.get("coupons")
    if not is_staged and (coupons or state == "disabled"):
        yield settings(state="disabled")
    if coupons:
        yield _coupons(arguments, coupons, source)
    if state == "enabled":
        yield settings(state="enabled")


def _creation(arguments: Mapping[str, Any], source: Source) -> Planned:
    place = arguments["applicationId"]
    given = _given(arguments, "name", "description", "tags")
    if source.is_template:
        parameters = arguments.get("parameters", {})
        values = [
            {"name": name, "expression": value if isinstance(value, list) else [value]}
            for name, value in parameters.items()
        ]
        more = {"templateParamValues": values} if values else {}
        more |= {"limitOverrides": arguments["limits"]} if "limits" in arguments else {}
        found = {"applicationId": place, "templateId": source.id}
        return Planned("create_campaign_from_template", found | given | more)
    given |= _given(arguments, "startTime", "endTime")
    found = {"applicationId": source.application_id, "campaignId": source.id}
    return Planned("copy_campaign", {**found, "applicationIds": [place], **given})


def _settings(
    arguments: Mapping[str, Any], source: Source, limits: Limits, *, state: str
) -> Planned:
    fixed = {
        "applicationId": arguments["applicationId"],
        "name": arguments["name"],
        "tags": arguments.get("tags", list(source.tags)),
        "limits": limits,
        "features": list(source.features),
        "state": state,
        **schedule_of(arguments, source),
        **_given(arguments, "description"),
    }
    return Planned("update_campaign", fixed, frozenset({"campaignId", *KEPT} - fixed.keys()))


def _coupons(arguments: Mapping[str, Any], coupons: Mapping[str, Any], source: Source) -> Planned:
    common = {
        "applicationId": arguments["applicationId"],
        "numberOfCoupons": coupons["count"],
        "usageLimit": coupons.get("usageLimit", 1),
        **_given(coupons, "expiryDate"),
    }
    pattern, open_ = code_settings(coupons, source), frozenset({"campaignId"})
    if coupons["count"] > MOST_AT_ONCE:
        settings = {"couponSettings": dict(pattern)} if pattern else {}
        return Planned("create_coupons_async", {**common, "attributes": {}, **settings}, open_)
    silent = "no" if coupons["count"] <= SHOWN_CODES else "yes"
    return Planned("create_coupons", {**common, "silent": silent, **pattern}, open_)


def _given(arguments: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: arguments[name] for name in names if name in arguments}


# --- What a person is shown ------------------------------------------------------------------


def _shown(
    arguments: Mapping[str, Any],
    source: Source,
    application: Mapping[str, Any],
    limits: Limits,
) -> dict[str, Any]:
    schedule = schedule_of(arguments, source)
    shown = {
        "name": arguments["name"],
        "application": one_line(application["name"], _QUOTED),
        "source": source.told,
        "description": arguments.get("description"),
        "startTime": schedule.get("startTime"),
        "endTime": schedule.get("endTime"),
        "tags": arguments.get("tags", list(source.tags)),
        "limits": [_limit_told(each) for each in limits],
        "parameters": arguments.get("parameters"),
        "coupons": _coupons_told(arguments.get("coupons")),
        "state": arguments.get("state", "disabled"),
        "leaves": [*_leaves(arguments, source)],
    }
    return {key: value for key, value in shown.items() if value not in (None, [], "")}


def _limit_told(limit: Mapping[str, Any]) -> str:
    parts = [limit["action"], str(limit["limit"]), limit.get("period", ""), *limit["entities"]]
    return " ".join(filter(None, parts))


def _coupons_told(coupons: Mapping[str, Any] | None) -> str:
    if not coupons:
        return ""
    parts = [
        str(coupons["count"]),
        f"usage limit {coupons.get('usageLimit', 1)} (0 is none)",
        *([f"of pattern {coupons['pattern']}"] if "pattern" in coupons else []),
        *([f"until {coupons['expiryDate']}"] if "expiryDate" in coupons else []),
    ]
    return ", ".join(parts)


def _leaves(arguments: Mapping[str, Any], source: Source) -> Iterator[str]:
    """Yield what somebody might expect to be done, and what is not."""
    if arguments.get("state") != "enabled":
        yield "enable the campaign"
    if not source.is_template:
        yield "copy the coupons of the source"
    if "coupons" not in arguments:
        yield "create coupons"


def _warnings(limits: Limits) -> Iterator[str]:
    unknown = {each["action"] for each in limits} - _ACTIONS
    for action in sorted(unknown):
        yield f"no limit of this action is known: {one_line(action, _QUOTED)}"
