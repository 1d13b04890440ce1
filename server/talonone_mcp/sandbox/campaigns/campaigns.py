"""Campaigns: their states and schedules, rulesets, templates, experiments and access groups."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from talonone_mcp.sandbox.account import USER_NAME
from talonone_mcp.sandbox.catalogs import attributes
from talonone_mcp.sandbox.catalogs.collections import drop_collections
from talonone_mcp.sandbox.conditions import (
    Condition,
    Where,
    among,
    column,
    contains,
    either,
    equal,
    has_attributes,
    holds,
    holds_part,
    within,
)
from talonone_mcp.sandbox.errors import UpstreamError
from talonone_mcp.sandbox.handling import Call, Handler, Reply, page
from talonone_mcp.sandbox.store import Document, Store
from talonone_mcp.sandbox.stores.links import links_after
from talonone_mcp.sandbox.times import stamp

# What a campaign brings along, and what goes when it goes
_BELONGINGS = ("achievement_progress", "achievements", "coupons", "coupon_jobs", "redemptions",
               "referrals", "rulesets", "store_budgets", "value_maps")  # fmt: skip


def frontend_state(campaign: Document, now: datetime) -> str:
    """Return the state that people see: the stored one, or what the schedule makes of enabled."""
    if campaign["state"] != "enabled":
        return str(campaign["state"])
    at = stamp(now)
    if campaign.get("startTime", at) > at:
        return "scheduled"
    if campaign.get("endTime", "9999") <= at:
        return "expired"
    return "running"


def in_state(state: str | None, now: datetime) -> Where:
    """Ask for campaigns in a state, be it the stored one or what the schedule makes of it."""
    if state is None:
        return None
    start, end = (f"coalesce({column(name)}, ?)" for name in ("startTime", "endTime"))
    at = stamp(now)
    shown = (
        f"CASE WHEN {start} > ? THEN 'scheduled' WHEN {end} <= ? THEN 'expired' ELSE 'running' END"
    )
    return Condition(
        f"{column('state')} = ? OR ({column('state')} = 'enabled' AND {shown} = ?)",
        (state, at, at, "9999", at, state),
    )


def present(campaign: Document, now: datetime) -> Document:
    """Return a campaign as upstream shows it: with its state and its budgets."""
    return {
        **campaign,
        "frontendState": frontend_state(campaign, now),
        "budgets": [
            {"action": each["action"], "limit": each["limit"], "counter": used(campaign, each)}
            for each in campaign["limits"]
        ],
    }


# The counter of a campaign that a limit on an action is measured by
COUNTED = {
    "redeemCoupon": "couponRedemptionCount",
    "createCoupon": "couponCreationCount",
    "redeemReferral": "referralRedemptionCount",
    "createReferral": "referralCreationCount",
    "setDiscount": "discountCount",
    "setDiscountEffect": "discountEffectCount",
    "addFreeItem": "addFreeItemEffectCount",
    "createLoyaltyPoints": "createdLoyaltyPointsCount",
    "redeemLoyaltyPoints": "redeemedLoyaltyPointsCount",
    "callApi": "callApiEffectCount",
    "reserveCoupon": "reservecouponEffectCount",
    "awardGiveaway": "awardedGiveawaysCount",
    "customEffect": "customEffectCount",
    "createLoyaltyPointsEffect": "createdLoyaltyPointsEffectCount",
    "redeemLoyaltyPointsEffect": "redeemedLoyaltyPointsEffectCount",
}


def used(campaign: Document, limit: Document) -> float:
    """Return how much of a limit of a campaign is used up."""
    return _number(campaign.get(COUNTED.get(limit["action"], ""), 0))


def _number(value: float) -> float:
    """Return a sum without what adding fractions left over; a whole one as an integer."""
    return int(value) if value == int(value) else round(value, 6)


def counted(store: Store, number: int, **more: float) -> None:
    """Add to the counters of a campaign, which have upstream's names."""
    campaign = store.get("campaigns", number)
    if campaign:
        sums = {
            name: _number(max(campaign.get(name, 0) + count, 0)) for name, count in more.items()
        }
        store.replace("campaigns", campaign | sums)


def list_campaigns(call: Call) -> Reply:
    call.get("applications", "applicationId")
    asked = call.arguments
    return 200, page(
        call,
        "campaigns",
        called(asked),
        in_state(asked.get("campaignState"), call.now),
        within("created", asked.get("createdAfter"), asked.get("createdBefore")),
        within("startTime", asked.get("startAfter"), asked.get("startBefore")),
        within("endTime", asked.get("endAfter"), asked.get("endBefore")),
        equal("templateId", asked.get("templateId")),
        holds("campaignGroups", asked.get("campaignGroupId")),
        holds("linkedStoreIds", asked.get("storeId")),
        parent=asked["applicationId"],
        total=True,
        present=lambda campaign: present(campaign, call.now),
    )


def called(asked: Mapping[str, Any]) -> Where:
    """Ask for a part of the name, or of a tag; with both, either may match."""
    return either(contains("name", asked.get("name")), holds_part("tags", asked.get("tags")))


def search_campaigns(call: Call) -> Reply:
    call.get("applications", "applicationId")
    return 200, page(
        call,
        "campaigns",
        has_attributes(call.arguments["attributes"]),
        in_state(call.arguments.get("campaignState"), call.now),
        parent=call.arguments["applicationId"],
        total=True,
        present=lambda campaign: present(campaign, call.now),
    )


def list_running_campaigns(call: Call) -> Reply:
    asked = call.arguments
    return 200, page(
        call,
        "campaigns",
        in_state("running", call.now),
        among("id", [int(each) for each in asked.get("campaignIds", []) if each.isdigit()]),
        within("startTime", asked.get("startAfter"), asked.get("startBefore")),
        within("endTime", asked.get("endAfter"), asked.get("endBefore")),
        parent=call.application_id,
        total=False,
        present=lambda campaign: _as_shop_sees(campaign, call),
    )


def _as_shop_sees(campaign: Document, call: Call) -> Document:
    shown = ("applicationId", "id", "name", "description", "startTime", "endTime", "attributes",
             "state", "tags", "features")  # fmt: skip
    ruleset = call.store.get("rulesets", campaign.get("activeRulesetId", 0))
    rules = [{"title": rule["title"]} for rule in (ruleset or {}).get("rules", [])]
    return {key: campaign[key] for key in shown if key in campaign} | {"rules": rules}


def get_campaign(call: Call) -> Reply:
    return 200, present(call.get("campaigns", "campaignId", parent="applicationId"), call.now)


COUNTERS = tuple(COUNTED.values())
_FIXED = (*COUNTERS, "id", "created", "applicationId", "userId", "createdBy", "templateId",
          "storesImported", "reevaluateOnReturn", "type", "valueMapsIds")  # fmt: skip


def update_campaign(call: Call) -> Reply:
    campaign = call.get("campaigns", "campaignId", parent="applicationId")
    given = call.body
    _check_schedule(given)
    attributes.check(call, "Campaign", given.get("attributes"))
    attributes.check(call, "Coupon", given.get("couponAttributes"), "couponAttributes")
    kept = {key: campaign[key] for key in _FIXED if key in campaign}
    changed = {"description": "", "state": "enabled"} | kept | given
    changed |= {"updated": stamp(call.now), "updatedBy": USER_NAME}
    changed |= links_after(call, campaign, given)
    return 200, present(call.store.replace("campaigns", changed), call.now)


def _check_schedule(document: Document) -> None:
    start, end = document.get("startTime"), document.get("endTime")
    if start and end and end <= start:
        raise UpstreamError(400, "endTime must be after startTime", pointer="/endTime")


def delete_campaign(call: Call) -> Reply:
    campaign = call.get("campaigns", "campaignId", parent="applicationId")
    call.store.delete("campaigns", campaign["id"])
    for kind in _BELONGINGS:
        call.store.delete_where(kind, parent=campaign["id"])
    drop_collections(call.store, campaign["id"])
    return 204, None


def copy_campaign(call: Call) -> Reply:
    original = call.get("campaigns", "campaignId", parent="applicationId")
    for number in call.arguments["applicationIds"]:
        if call.store.get("applications", number) is None:
            raise UpstreamError(
                400, f"application {number} does not exist", pointer="/applicationIds"
            )
    changes = {key: value for key, value in call.body.items() if key != "applicationIds"}
    changes = {"name": f"Copy of {original['name']}"} | changes
    _check_schedule(original | changes)
    rules = call.store.get("rulesets", original.get("activeRulesetId", 0)) or {"rules": []}
    copies = [
        present(_create(call, number, original | changes, rules["rules"]), call.now)
        for number in call.arguments["applicationIds"]
    ]
    return 200, {"totalResultSize": len(copies), "data": copies}


def _create(call: Call, application: int, like: Document, rules: list[Any]) -> Document:
    """Store a new, disabled campaign and its ruleset."""
    own = (*COUNTERS, "id", "activeRulesetId", "updated", "updatedBy", "valueMapsIds")
    if like.get("applicationId", application) != application:
        own = (*own, "linkedStoreIds")  # they are stores of the other Application
    campaign = call.store.add(
        "campaigns",
        {key: value for key, value in like.items() if key not in own}
        | {
            "created": stamp(call.now),
            "applicationId": application,
            "userId": call.user_id,
            "createdBy": USER_NAME,
            "state": "disabled",
            "storesImported": False,
            **dict.fromkeys(COUNTERS, 0),
        },
        parent=application,
    )
    ruleset = call.store.add(
        "rulesets",
        {
            "created": stamp(call.now),
            "userId": call.user_id,
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
    given = call.body
    overrides = given.get("campaignAttributesOverrides", {})
    attributes.check(call, "Campaign", overrides, "campaignAttributesOverrides")
    links_after(call, {"applicationId": call.arguments["applicationId"]}, given)
    like = {
        "description": template["description"],
        "attributes": template["campaignAttributes"] | overrides,
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
    return 201, {"campaign": present(campaign, call.now), "ruleset": ruleset}


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
    return 200, page(
        call,
        "campaign_templates",
        equal("state", asked.get("state")),
        equal("userId", asked.get("userId")),
        called(asked),
        total=False,
        present=lambda template: {key: template[key] for key in template if key != "rules"},
    )


def list_rulesets(call: Call) -> Reply:
    call.get("campaigns", "campaignId", parent="applicationId")
    return 200, page(call, "rulesets", parent=call.arguments["campaignId"], total=True)


def get_ruleset(call: Call) -> Reply:
    call.get("campaigns", "campaignId", parent="applicationId")
    return 200, call.get("rulesets", "rulesetId", parent="campaignId")


def list_campaign_access_groups(call: Call) -> Reply:
    return 200, page(call, "campaign_groups", total=True)


def get_campaign_access_group(call: Call) -> Reply:
    return 200, call.get("campaign_groups", "campaignGroupId")


def list_experiments(call: Call) -> Reply:
    call.get("applications", "applicationId")
    return 200, page(
        call,
        "experiments",
        parent=call.arguments["applicationId"],
        total=True,
        present=lambda experiment: _experiment(experiment, call),
    )


def get_experiment(call: Call) -> Reply:
    return 200, _experiment(call.get("experiments", "experimentId", parent="applicationId"), call)


def _experiment(experiment: Document, call: Call) -> Document:
    campaign = call.store.get("campaigns", experiment["campaignId"])
    shown = {key: value for key, value in experiment.items() if key != "campaignId"}
    return shown | ({"campaign": present(campaign, call.now)} if campaign else {})


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
