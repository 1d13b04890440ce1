"""Campaigns listed, changed and deleted, with their rulesets, experiments and access groups."""

from __future__ import annotations

from collections.abc import Mapping

from talonone_mcp.sandbox.campaigns.campaign_records import (
    COUNTERS,
    campaign_shown,
    check_schedule,
    in_state,
    named_or_tagged,
)
from talonone_mcp.sandbox.catalogs import attributes
from talonone_mcp.sandbox.catalogs.collections import drop_collections
from talonone_mcp.sandbox.documents.conditions import among, equal, has_attributes, holds, within
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.account_facts import USER_NAME
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.pages import page
from talonone_mcp.sandbox.stores.campaign_links import links_after

# What a campaign brings along, and what goes when it goes
_BELONGINGS = ("achievement_progress", "achievements", "coupons", "coupon_jobs", "redemptions",
               "referrals", "rulesets", "store_budgets", "value_maps")  # fmt: skip


def list_campaigns(call: SandboxCall) -> Reply:
    call.get("applications", "applicationId")
    asked = call.arguments
    return 200, page(
        call,
        "campaigns",
        named_or_tagged(asked),
        in_state(asked.get("campaignState"), call.now),
        within("created", asked.get("createdAfter"), asked.get("createdBefore")),
        within("startTime", asked.get("startAfter"), asked.get("startBefore")),
        within("endTime", asked.get("endAfter"), asked.get("endBefore")),
        equal("templateId", asked.get("templateId")),
        holds("campaignGroups", asked.get("campaignGroupId")),
        holds("linkedStoreIds", asked.get("storeId")),
        parent=asked["applicationId"],
        total=True,
        present=lambda campaign: campaign_shown(campaign, call.now),
    )


def search_campaigns(call: SandboxCall) -> Reply:
    call.get("applications", "applicationId")
    return 200, page(
        call,
        "campaigns",
        has_attributes(call.arguments["attributes"]),
        in_state(call.arguments.get("campaignState"), call.now),
        parent=call.arguments["applicationId"],
        total=True,
        present=lambda campaign: campaign_shown(campaign, call.now),
    )


def list_running_campaigns(call: SandboxCall) -> Reply:
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


def _as_shop_sees(campaign: Document, call: SandboxCall) -> Document:
    shown = ("applicationId", "id", "name", "description", "startTime", "endTime", "attributes",
             "state", "tags", "features")  # fmt: skip
    ruleset = call.store.get("rulesets", campaign.get("activeRulesetId", 0))
    rules = [{"title": rule["title"]} for rule in (ruleset or {}).get("rules", [])]
    return {key: campaign[key] for key in shown if key in campaign} | {"rules": rules}


def get_campaign(call: SandboxCall) -> Reply:
    return 200, campaign_shown(
        call.get("campaigns", "campaignId", parent="applicationId"), call.now
    )


_FIXED = (*COUNTERS, "id", "created", "applicationId", "userId", "createdBy", "templateId",
          "storesImported", "reevaluateOnReturn", "type", "valueMapsIds")  # fmt: skip


def update_campaign(call: SandboxCall) -> Reply:
    campaign = call.get("campaigns", "campaignId", parent="applicationId")
    given = call.body
    check_schedule(given)
    attributes.check(call, "Campaign", given.get("attributes"))
    attributes.check(call, "Coupon", given.get("couponAttributes"), "couponAttributes")
    kept = {key: campaign[key] for key in _FIXED if key in campaign}
    changed = {"description": "", "state": "enabled"} | kept | given
    changed |= {"updated": stamp(call.now), "updatedBy": USER_NAME}
    changed |= links_after(call, campaign, given)
    return 200, campaign_shown(call.store.replace("campaigns", changed), call.now)


def delete_campaign(call: SandboxCall) -> Reply:
    campaign = call.get("campaigns", "campaignId", parent="applicationId")
    call.store.delete("campaigns", campaign["id"])
    for kind in _BELONGINGS:
        call.store.delete_where(kind, parent=campaign["id"])
    drop_collections(call.store, campaign["id"])
    return 204, None


def list_rulesets(call: SandboxCall) -> Reply:
    call.get("campaigns", "campaignId", parent="applicationId")
    return 200, page(call, "rulesets", parent=call.arguments["campaignId"], total=True)


def get_ruleset(call: SandboxCall) -> Reply:
    call.get("campaigns", "campaignId", parent="applicationId")
    return 200, call.get("rulesets", "rulesetId", parent="campaignId")


def list_campaign_access_groups(call: SandboxCall) -> Reply:
    return 200, page(call, "campaign_groups", total=True)


def get_campaign_access_group(call: SandboxCall) -> Reply:
    return 200, call.get("campaign_groups", "campaignGroupId")


def list_experiments(call: SandboxCall) -> Reply:
    call.get("applications", "applicationId")
    return 200, page(
        call,
        "experiments",
        parent=call.arguments["applicationId"],
        total=True,
        present=lambda experiment: _experiment(experiment, call),
    )


def get_experiment(call: SandboxCall) -> Reply:
    return 200, _experiment(call.get("experiments", "experimentId", parent="applicationId"), call)


def _experiment(experiment: Document, call: SandboxCall) -> Document:
    campaign = call.store.get("campaigns", experiment["campaignId"])
    shown = {key: value for key, value in experiment.items() if key != "campaignId"}
    return shown | ({"campaign": campaign_shown(campaign, call.now)} if campaign else {})


HANDLERS: Mapping[str, Handler] = {
    "list_campaigns": list_campaigns,
    "get_campaign": get_campaign,
    "update_campaign": update_campaign,
    "delete_campaign": delete_campaign,
    "search_campaigns": search_campaigns,
    "list_running_campaigns": list_running_campaigns,
    "list_rulesets": list_rulesets,
    "get_ruleset": get_ruleset,
    "list_experiments": list_experiments,
    "get_experiment": get_experiment,
    "list_campaign_access_groups": list_campaign_access_groups,
    "get_campaign_access_group": get_campaign_access_group,
}
