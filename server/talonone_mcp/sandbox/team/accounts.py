"""The company's account as a whole: its plan, its limits and its usage."""

from __future__ import annotations

from collections.abc import Mapping

from talonone_mcp.sandbox.campaigns.campaign_records import in_state
from talonone_mcp.sandbox.documents.conditions import Condition, Where, column, equal, within
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.account_facts import ACCOUNT_ID
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall


def _account(call: SandboxCall) -> Document:
    account = call.store.get("accounts", ACCOUNT_ID)
    if account is None or call.arguments["accountId"] != ACCOUNT_ID:
        said = f"account {call.arguments['accountId']} does not exist"
        raise RefusalError(404, said, resource="account")
    return account


def get_account(call: SandboxCall) -> Reply:
    account, count = _account(call), call.store.count
    active = count("campaigns", in_state("running", call.now))
    return 200, account | {
        "applicationCount": count("applications"),
        "userCount": count("users"),
        "campaignsActiveCount": active,
        "campaignsInactiveCount": count("campaigns") - active,
    }


def get_account_analytics(call: SandboxCall) -> Reply:
    _account(call)
    count, running = call.store.count, in_state("running", call.now)
    in_sandboxes = [each["id"] for each in call.store.select("applications", _sandbox())]
    expired, now = within("expiryDate", before=stamp(call.now)), call.now
    active = count("campaigns", running)
    tested = sum(count("campaigns", running, parent=number) for number in in_sandboxes)
    return 200, {
        "applications": count("applications"),
        "liveApplications": count("applications") - len(in_sandboxes),
        "sandboxApplications": len(in_sandboxes),
        "campaigns": count("campaigns"),
        "activeCampaigns": active,
        "liveActiveCampaigns": active - tested,
        "coupons": count("coupons"),
        "activeCoupons": count("coupons") - count("coupons", expired),
        "expiredCoupons": count("coupons", expired),
        "referralCodes": count("referrals"),
        "activeReferralCodes": count("referrals") - count("referrals", expired),
        "expiredReferralCodes": count("referrals", expired),
        "activeRules": _active_rules(call),
        "users": count("users"),
        "roles": count("roles"),
        "customAttributes": count("attributes", equal("kind", "custom")),
        "webhooks": count("webhooks"),
        "loyaltyPrograms": count("loyalty_programs"),
        "liveLoyaltyPrograms": count("loyalty_programs", _live()),
        "lastUpdatedAt": stamp(now),
    }


def _sandbox() -> Where:
    return equal("sandbox", True)


def _live() -> Where:
    return Condition(f"NOT coalesce({column('sandbox')}, 0)")


def _active_rules(call: SandboxCall) -> int:
    running = call.store.select("campaigns", in_state("running", call.now))
    rulesets = (call.store.get("rulesets", each.get("activeRulesetId", 0)) for each in running)
    return sum(len(ruleset["rules"]) for ruleset in rulesets if ruleset)


HANDLERS: Mapping[str, Handler] = {
    "get_account": get_account,
    "get_account_analytics": get_account_analytics,
}
