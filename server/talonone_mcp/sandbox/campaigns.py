"""Campaigns: their states and schedules, rulesets, templates, experiments and access groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from talonone_mcp.sandbox.handling import (
    USER_ID,
    USER_NAME,
    Call,
    Handler,
    Reply,
    UpstreamError,
    contains,
    has_attributes,
    moment,
    page,
    stamp,
    within,
)
from talonone_mcp.sandbox.store import Document

# What a campaign brings along, and what goes when it goes
_BELONGINGS = ("coupons", "rulesets", "redemptions", "value_maps")


def frontend_state(campaign: Document, call: Call) -> str:
    """Return the state that people see: the stored one, or what the schedule makes of enabled."""
    if campaign["state"] != "enabled":
        return str(campaign["state"])
    if campaign.get("startTime") and moment(campaign["startTime"]) > call.now:
        return "scheduled"
    if campaign.get("endTime") and moment(campaign["endTime"]) <= call.now:
        return "expired"
    return "running"


def present(campaign: Document, call: Call) -> Document:
    """Return a campaign as upstream shows it: with its state, its counters and its budgets."""
    number = campaign["id"]
    coupons, redeemed = call.store.tally("coupons", number, "usageCounter")
    redemptions, discount = call.store.tally("redemptions", number, "discount")
    discount = round(discount, 2)
    used = {"createCoupon": coupons, "redeemCoupon": int(redeemed), "setDiscount": discount}
    return {
        **campaign,
        "frontendState": frontend_state(campaign, call),
        "couponCreationCount": coupons,
        "couponRedemptionCount": int(redeemed),
        "discountCount": discount,
        "discountEffectCount": redemptions,
        "budgets": [
            {"action": each["action"], "limit": each["limit"], "counter": used[each["action"]]}
            for each in campaign["limits"]
            if each["action"] in used
        ],
    }


def in_state(campaign: Document, call: Call, state: str | None) -> bool:
    """Tell whether a campaign passes the filter campaignState."""
    return state in (None, campaign["state"], frontend_state(campaign, call))


def list_campaigns(call: Call) -> Reply:
    call.get("applications", "applicationId")
    found = call.store.list("campaigns", call.arguments["applicationId"])
    return 200, page(call, [present(c, call) for c in found if _listed(c, call)], total=True)


def _listed(campaign: Document, call: Call) -> bool:
    asked = call.arguments
    return (
        _is_called(campaign, asked)
        and in_state(campaign, call, asked.get("campaignState"))
        and within(campaign, "created", asked.get("createdAfter"), asked.get("createdBefore"))
        and within(campaign, "startTime", asked.get("startAfter"), asked.get("startBefore"))
        and within(campaign, "endTime", asked.get("endAfter"), asked.get("endBefore"))
        and asked.get("templateId") in (None, campaign.get("templateId"))
        and _among(asked.get("campaignGroupId"), campaign.get("campaignGroups", []))
        and _among(asked.get("storeId"), campaign.get("linkedStoreIds", []))
    )


def _is_called(document: Document, asked: Mapping[str, Any]) -> bool:
    """Tell whether a document passes the filters name and tags; together, either may match."""
    if "name" not in asked and "tags" not in asked:
        return True
    return ("name" in asked and contains(document["name"], asked["name"])) or (
        "tags" in asked and any(contains(tag, asked["tags"]) for tag in document["tags"])
    )


def _among(number: int | None, numbers: list[int]) -> bool:
    return number is None or number in numbers


def search_campaigns(call: Call) -> Reply:
    call.get("applications", "applicationId")
    found = [
        present(campaign, call)
        for campaign in call.store.list("campaigns", call.arguments["applicationId"])
        if has_attributes(campaign, call.arguments["attributes"])
        and in_state(campaign, call, call.arguments.get("campaignState"))
    ]
    return 200, page(call, found, total=True)


def list_running_campaigns(call: Call) -> Reply:
    asked = call.arguments
    wanted = asked.get("campaignIds")
    found = [
        _as_shop_sees(campaign, call)
        for campaign in call.store.list("campaigns", call.application_id)
        if frontend_state(campaign, call) == "running"
        and (not wanted or str(campaign["id"]) in wanted)
        and within(campaign, "startTime", asked.get("startAfter"), asked.get("startBefore"))
        and within(campaign, "endTime", asked.get("endAfter"), asked.get("endBefore"))
    ]
    return 200, page(call, found, total=False)


def _as_shop_sees(campaign: Document, call: Call) -> Document:
    shown = ("applicationId", "id", "name", "description", "startTime", "endTime", "attributes",
             "state", "tags", "features")  # fmt: skip
    ruleset = call.store.get("rulesets", campaign.get("activeRulesetId", 0))
    rules = [{"title": rule["title"]} for rule in (ruleset or {}).get("rules", [])]
    return {key: campaign[key] for key in shown if key in campaign} | {"rules": rules}


def get_campaign(call: Call) -> Reply:
    return 200, present(call.get("campaigns", "campaignId", parent="applicationId"), call)


_FIXED = ("id", "created", "applicationId", "userId", "createdBy", "templateId", "storesImported",
          "reevaluateOnReturn", "type", "valueMapsIds")  # fmt: skip


def update_campaign(call: Call) -> Reply:
    campaign = call.get("campaigns", "campaignId", parent="applicationId")
    given = _given(call)
    _check_schedule(given)
    kept = {key: campaign[key] for key in _FIXED if key in campaign}
    changed = {"description": "", "state": "enabled"} | kept | given
    changed |= {"updated": stamp(call.now), "updatedBy": USER_NAME}
    return 200, present(call.store.replace("campaigns", changed), call)


def _given(call: Call) -> Document:
    """Return the body's properties: what is neither in the path nor in the query."""
    elsewhere = (*call.operation.path_arguments, *call.operation.query)
    return {key: value for key, value in call.arguments.items() if key not in elsewhere}


def _check_schedule(document: Document) -> None:
    start, end = document.get("startTime"), document.get("endTime")
    if start and end and moment(end) <= moment(start):
        raise UpstreamError(400, "endTime must be after startTime", pointer="/endTime")


def delete_campaign(call: Call) -> Reply:
    campaign = call.get("campaigns", "campaignId", parent="applicationId")
    call.store.delete("campaigns", campaign["id"])
    for kind in _BELONGINGS:
        call.store.delete_children(kind, campaign["id"])
    return 204, None


def copy_campaign(call: Call) -> Reply:
    original = call.get("campaigns", "campaignId", parent="applicationId")
    for number in call.arguments["applicationIds"]:
        if call.store.get("applications", number) is None:
            raise UpstreamError(
                400, f"application {number} does not exist", pointer="/applicationIds"
            )
    changes = {key: value for key, value in _given(call).items() if key != "applicationIds"}
    changes = {"name": f"Copy of {original['name']}"} | changes
    _check_schedule(original | changes)
    rules = call.store.get("rulesets", original.get("activeRulesetId", 0)) or {"rules": []}
    copies = [
        present(_create(call, number, original | changes, rules["rules"]), call)
        for number in call.arguments["applicationIds"]
    ]
    return 200, {"totalResultSize": len(copies), "data": copies}


def _create(call: Call, application: int, like: Document, rules: list[Any]) -> Document:
    """Store a new, disabled campaign and its ruleset."""
    own = ("id", "activeRulesetId", "updated", "updatedBy", "valueMapsIds")
    campaign = call.store.add(
        "campaigns",
        {key: value for key, value in like.items() if key not in own}
        | {
            "created": stamp(call.now),
            "applicationId": application,
            "userId": USER_ID,
            "createdBy": USER_NAME,
            "state": "disabled",
            "storesImported": False,
        },
        parent=application,
    )
    ruleset = call.store.add(
        "rulesets",
        {
            "created": stamp(call.now),
            "userId": USER_ID,
            "campaignId": campaign["id"],
            "rules": rules,
            "bindings": [],
            "rbVersion": "v2",
            "activate": True,
        },
        parent=campaign["id"],
    )
    return call.store.replace("campaigns", campaign | {"activeRulesetId": ruleset["id"]})


def create_campaign_from_template(call: Call) -> Reply:
    call.get("applications", "applicationId")
    template = call.store.get("campaign_templates", call.arguments["templateId"])
    if template is None:
        raise UpstreamError(400, "the template does not exist", pointer="/templateId")
    if call.arguments["applicationId"] not in template["applicationsIds"]:
        raise UpstreamError(400, "the template is not for this application", pointer="/templateId")
    values = _template_values(template, call.arguments.get("templateParamValues", []))
    given = _given(call)
    like = {
        "description": template["description"],
        "attributes": template["campaignAttributes"] | given.get("campaignAttributesOverrides", {}),
        "tags": template["tags"],
        "features": template["features"],
        "limits": given.get("limitOverrides", template["limits"]),
        "reevaluateOnReturn": template["reevaluateOnReturn"],
        "couponSettings": template["couponSettings"],
        "type": template["campaignType"],
        "templateId": template["id"],
    }
    taken = ("name", "description", "campaignGroups", "tags", "evaluationGroupId", "linkedStoreIds")
    like |= {key: given[key] for key in taken if key in given}
    rules = [_bound(rule, values) for rule in template["rules"]]
    campaign = _create(call, call.arguments["applicationId"], like, rules)
    ruleset = call.store.get("rulesets", campaign["activeRulesetId"])
    return 201, {"campaign": present(campaign, call), "ruleset": ruleset}


def _template_values(template: Document, given: list[Document]) -> dict[str, Any]:
    values = {each["name"]: each["expression"] for each in given}
    wanted = {each["name"] for each in template["templateParams"]}
    if values.keys() != wanted:
        raise UpstreamError(
            400,
            f"templateParamValues must give exactly {', '.join(sorted(wanted))}",
            pointer="/templateParamValues",
        )
    return values


def _bound(node: Any, values: Mapping[str, list[Any]]) -> Any:
    """Put the parameters' values into a template's rule, which names them as `$parameter`."""
    if isinstance(node, list):
        return [_bound(item, values) for item in node]
    if isinstance(node, dict):
        return {key: _bound(item, values) for key, item in node.items()}
    if isinstance(node, str) and node.startswith("$") and node[1:] in values:
        expression = values[node[1:]]
        return expression[0] if len(expression) == 1 else expression
    return node


def list_campaign_templates(call: Call) -> Reply:
    asked = call.arguments
    found = [
        {key: value for key, value in template.items() if key != "rules"}
        for template in call.store.list("campaign_templates")
        if asked.get("state") in (None, template["state"])
        and asked.get("userId") in (None, template["userId"])
        and _is_called(template, asked)
    ]
    return 200, page(call, found, total=False)


def list_rulesets(call: Call) -> Reply:
    call.get("campaigns", "campaignId", parent="applicationId")
    return 200, page(call, call.store.list("rulesets", call.arguments["campaignId"]), total=True)


def get_ruleset(call: Call) -> Reply:
    call.get("campaigns", "campaignId", parent="applicationId")
    return 200, call.get("rulesets", "rulesetId", parent="campaignId")


def list_campaign_access_groups(call: Call) -> Reply:
    return 200, page(call, call.store.list("campaign_groups"), total=True)


def get_campaign_access_group(call: Call) -> Reply:
    return 200, call.get("campaign_groups", "campaignGroupId")


def list_experiments(call: Call) -> Reply:
    call.get("applications", "applicationId")
    found = call.store.list("experiments", call.arguments["applicationId"])
    return 200, page(call, [_experiment(each, call) for each in found], total=True)


def get_experiment(call: Call) -> Reply:
    return 200, _experiment(call.get("experiments", "experimentId", parent="applicationId"), call)


def _experiment(experiment: Document, call: Call) -> Document:
    campaign = call.store.get("campaigns", experiment["campaignId"])
    shown = {key: value for key, value in experiment.items() if key != "campaignId"}
    return shown | ({"campaign": present(campaign, call)} if campaign else {})


HANDLERS: Mapping[str, Handler] = {
    "list_campaigns": list_campaigns,
    "get_campaign": get_campaign,
    "update_campaign": update_campaign,
    "delete_campaign": delete_campaign,
    "copy_campaign": copy_campaign,
    "search_campaigns": search_campaigns,
    "list_running_campaigns": list_running_campaigns,
    "list_rulesets": list_rulesets,
    "get_ruleset": get_ruleset,
    "list_campaign_templates": list_campaign_templates,
    "create_campaign_from_template": create_campaign_from_template,
    "list_experiments": list_experiments,
    "get_experiment": get_experiment,
    "list_campaign_access_groups": list_campaign_access_groups,
    "get_campaign_access_group": get_campaign_access_group,
}
