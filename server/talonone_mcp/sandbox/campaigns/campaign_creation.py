"""Campaigns made from others and from templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from talonone_mcp.sandbox.campaigns.campaign_records import (
    COUNTERS,
    campaign_shown,
    check_schedule,
    named_or_tagged,
)
from talonone_mcp.sandbox.catalogs import attributes
from talonone_mcp.sandbox.documents.conditions import equal
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.account_facts import USER_NAME
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.pages import page
from talonone_mcp.sandbox.stores.campaign_links import links_after


def copy_campaign(call: SandboxCall) -> Reply:
    original = call.get("campaigns", "campaignId", parent="applicationId")
    for number in call.arguments["applicationIds"]:
        if call.store.get("applications", number) is None:
            raise RefusalError(
                400, f"application {number} does not exist", pointer="/applicationIds"
            )
    changes = {key: value for key, value in call.body.items() if key != "applicationIds"}
    changes = {"name": f"Copy of {original['name']}"} | changes
    check_schedule(original | changes)
    rules = call.store.get("rulesets", original.get("activeRulesetId", 0)) or {"rules": []}
    copies = [
        campaign_shown(_create(call, number, original | changes, rules["rules"]), call.now)
        for number in call.arguments["applicationIds"]
    ]
    return 200, {"totalResultSize": len(copies), "data": copies}


def _create(call: SandboxCall, application: int, like: Document, rules: list[Any]) -> Document:
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


def create_campaign_from_template(call: SandboxCall) -> Reply:
    call.get("applications", "applicationId")
    template = call.store.get("campaign_templates", call.arguments["templateId"])
    if template is None:
        raise RefusalError(400, "the template does not exist", pointer="/templateId")
    if call.arguments["applicationId"] not in template["applicationsIds"]:
        raise RefusalError(400, "the template is not for this application", pointer="/templateId")
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
    return 201, {"campaign": campaign_shown(campaign, call.now), "ruleset": ruleset}


def _template_values(template: Document, given: list[Document]) -> dict[str, Any]:
    values = {each["name"]: each["expression"] for each in given}
    wanted = {each["name"] for each in template["templateParams"]}
    if values.keys() != wanted:
        raise RefusalError(
            400,
            f"templateParamValues must give exactly {', '.join(sorted(wanted))}",
            pointer="/templateParamValues",
        )
    return values


def _bound(node: Any, values: Mapping[str, list[Any]]) -> Any:
    """Replace each `$parameter` in a template's rule by its value."""
    if isinstance(node, list):
        return [_bound(item, values) for item in node]
    if isinstance(node, dict):
        return {key: _bound(item, values) for key, item in node.items()}
    if isinstance(node, str) and node.startswith("$") and node[1:] in values:
        expression = values[node[1:]]
        return expression[0] if len(expression) == 1 else expression
    return node


def list_campaign_templates(call: SandboxCall) -> Reply:
    asked = call.arguments
    return 200, page(
        call,
        "campaign_templates",
        equal("state", asked.get("state")),
        equal("userId", asked.get("userId")),
        named_or_tagged(asked),
        total=False,
        present=lambda template: {key: template[key] for key in template if key != "rules"},
    )


HANDLERS: Mapping[str, Handler] = {
    "copy_campaign": copy_campaign,
    "list_campaign_templates": list_campaign_templates,
    "create_campaign_from_template": create_campaign_from_template,
}
