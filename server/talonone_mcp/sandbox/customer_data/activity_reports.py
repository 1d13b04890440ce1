"""What customers did in an Application in a period: orders, revenue, discounts, coupons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from talonone_mcp.sandbox.customers.profile_lists import met_customer
from talonone_mcp.sandbox.customers.profile_records import has_met
from talonone_mcp.sandbox.documents.conditions import (
    Where,
    contains,
    equal,
    found_in,
    having_parent,
)
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.pages import page
from talonone_mcp.sandbox.sessions.session_records import sessions_of

# Which states of a session are orders, and which of their effects say what became of a coupon
_ORDERED = ("closed", "partially_returned")
_FIELDS = {"name": "attributes.Name", "customerId": "id"}  # of the profile, by the report's


def list_customer_activity_reports(call: SandboxCall) -> Reply:
    application = call.get("applications", "applicationId")["id"]
    asked = call.arguments
    return 200, page(
        _sorted_by_profile(call),
        "customers",
        equal("integrationId", asked.get("integrationId")),
        contains("attributes.Name", asked.get("name")),
        _was_in_campaign(call),
        _was_referred_by(call),
        has_met(application),
        total=False,
        present=lambda profile: _report(call, profile),
    )


def _sorted_by_profile(call: SandboxCall) -> SandboxCall:
    sort = call.arguments.get("sort", "")
    field = sort.removeprefix("-")
    if field not in _FIELDS:
        return call
    return replace(call, arguments={**call.arguments, "sort": sort.replace(field, _FIELDS[field])})


def get_customer_activity_report(call: SandboxCall) -> Reply:
    call.get("applications", "applicationId")
    profile = call.get("customers", "customerId")
    met_customer(call, profile)
    return 200, _report(call, profile)


def _was_in_campaign(call: SandboxCall) -> Where:
    """Match customers who got something from a campaign with this in its name."""
    named = contains("name", call.arguments.get("campaignName"))
    if named is None:
        return None
    campaigns = call.store.select("campaigns", named, parent=call.arguments["applicationId"])
    its = having_parent(each["id"] for each in campaigns)
    return found_in("integrationId", "campaign_figures", "profileId", its)


def _was_referred_by(call: SandboxCall) -> Where:
    """Match customers referred by someone with this in their name."""
    named = contains("attributes.Name", call.arguments.get("advocateName"))
    if named is None:
        return None
    return found_in(
        "integrationId",
        "referred_friends",
        "friendIntegrationId",
        equal("applicationId", call.arguments["applicationId"]),
        found_in("advocateIntegrationId", "customers", "integrationId", named),
    )


def _report(call: SandboxCall, profile: Document) -> Document:
    asked = call.arguments
    sessions = sessions_of(
        call.store,
        asked["applicationId"],
        profile["integrationId"],
        asked["rangeStart"],
        asked["rangeEnd"],
    )
    orders = [each for each in sessions if each["state"] in _ORDERED]
    redeemed = [_effects(each, "acceptCoupon") for each in orders]
    failed = sum(len(_effects(each, "rejectCoupon")) for each in sessions)
    accepted = sum(len(_effects(each, "acceptCoupon")) for each in sessions)
    campaigns = [effect["campaignId"] for effects in redeemed for effect in effects]
    return {
        "integrationId": profile["integrationId"],
        "created": profile["created"],
        "name": profile["attributes"].get("Name", ""),
        "customerId": profile["id"],
        "lastActivity": profile["lastActivity"],
        "couponRedemptions": sum(map(len, redeemed)),
        "couponUseAttempts": accepted + failed,
        "couponFailedAttempts": failed,
        "accruedDiscounts": round(sum(each.get("totalDiscounts", 0) for each in orders), 2),
        "accruedRevenue": round(sum(each["total"] for each in orders), 2),
        "totalOrders": len(orders),
        "totalOrdersNoCoupon": sum(not each for each in redeemed),
        "campaignName": _campaign_name(call, campaigns),
    }


def _effects(session: Document, kind: str) -> list[Document]:
    effects: Iterable[Document] = session.get("applied") or session["effects"]
    return [each for each in effects if each["effectType"] == kind]


def _campaign_name(call: SandboxCall, campaigns: list[int]) -> str:
    """Return the name of the campaign of the customer's last coupon."""
    campaign = call.store.get("campaigns", campaigns[-1]) if campaigns else None
    return str(campaign["name"]) if campaign else ""


HANDLERS: Mapping[str, Handler] = {
    "list_customer_activity_reports": list_customer_activity_reports,
    "get_customer_activity_report": get_customer_activity_report,
}
